"""The names of the images that Podium makes, and the names that bundles ask for which they can stand in for."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase

PYTHON_IMAGE = "podium/python"
SCIENTIFIC_IMAGE = "podium/scientific"
AGENT_IMAGE = "podium/agent"
SUBMITTED_IMAGE = "podium-submission"
"""What participants' images are called on the host while they are there, whatever they called them."""
INPUTS_LABEL = "podium.inputs"
"""On each image that Podium makes: a digest of what went into it."""

DEFAULT_IMAGE_ALIASES: Mapping[str, str] = {
    "codalab/codalab-legacy": f"{SCIENTIFIC_IMAGE}:latest",
    "codalab/codalab-legacy:*": f"{SCIENTIFIC_IMAGE}:latest",
}
"""What stands in for well-known names where the host does not have them: name or shell pattern to name."""


def alias_of(name: str, aliases: Mapping[str, str]) -> str | None:
    """What `name` is mapped to: by its exact name if it is there, else by the first pattern that matches."""
    if name in aliases:
        return aliases[name]
    return next((target for pattern, target in aliases.items() if fnmatchcase(name, pattern)), None)


LISTED_CHARACTERS = 16_000
"""How long a label may become."""


def further_names(names: AbstractSet[str], digests: AbstractSet[str], aliases: Mapping[str, str]) -> set[str]:
    """What else bundles may call the images of a host: aliases that lead to one of them, patterns too, and digests."""
    both = {**DEFAULT_IMAGE_ALIASES, **aliases}
    return {alias for alias, target in both.items() if target in names or f"{target}:latest" in names} | digests


def listed(names: AbstractSet[str]) -> str:
    """Names as a label says them, with commas between; one at the end says that there are more."""
    text = ",".join(sorted(name for name in names if "," not in name))
    return text if len(text) <= LISTED_CHARACTERS else text[:LISTED_CHARACTERS].rpartition(",")[0] + ","
