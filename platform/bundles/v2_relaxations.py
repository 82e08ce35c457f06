"""Podium's own field of a version 2 bundle: `relaxations`, rules of the sandbox that a competition does without."""

from __future__ import annotations

from podium.platform.bundles.content import Relaxations
from podium.platform.bundles.destinations import MAX_DESTINATIONS, BadDestination, parse_destination
from podium.platform.bundles.fields import Value
from podium.platform.bundles.findings import shown

FIELDS = ("network", "root")
_EXAMPLE = "Name what programs need, such as `network: [data.example:443]` or `root: true`."


def read_relaxations(value: Value | None) -> Relaxations:
    """Read `relaxations`; an absent one relaxes nothing."""
    section = value.section("relaxations", FIELDS) if value else None
    if value is None or section is None:
        return Relaxations()
    entries = section.items("network")
    if len(entries) > MAX_DESTINATIONS:
        section.place_of("network").error(
            f"The allow-list has {len(entries)} entries; up to {MAX_DESTINATIONS} are allowed."
        )
    relaxations = Relaxations(
        network=tuple(dict.fromkeys(text for entry in entries if (text := _destination(entry)))),
        root=section.flag("root", default=False),
    )
    if not section.mapping.entries:
        value.warning("It relaxes nothing.", _EXAMPLE)
    return relaxations


def _destination(entry: Value) -> str:
    text = entry.text(max_length=300)
    if text is None:
        return ""
    try:
        return str(parse_destination(text))
    except BadDestination as bad:
        entry.error(f"{shown(text)} can't be allowed: {bad}.", "Write `host:port`, such as `data.example:443`.")
        return ""
