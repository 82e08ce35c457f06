"""The IANA names of time zones, such as `Europe/Paris`, and the one that a misspelt name was meant for."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

DEFAULT_TIME_ZONE = "UTC"
_EXAMPLE = "Write a name such as `Europe/Paris` or `America/New_York`; without one it is UTC."

# These are files of the machine's, and mean something else on the next one.
_NO_NAMES = frozenset({"Factory", "localtime"})


def is_time_zone(name: str) -> bool:
    """Whether there is a time zone of this name; on a machine that knows none, any but an empty one may be."""
    return name == DEFAULT_TIME_ZONE or name in _names() or (not _names() and bool(name))


def near_time_zones(name: str) -> str:
    """Suggest the name in its right letter case, or those of the cities that look most like this one."""
    wanted = "_".join(name.casefold()[:80].split())
    near = [known for known in _names() if known.casefold() == wanted]
    if not near:
        # `Etc/GMT+2` is two hours behind UTC: it would be the wrong one for all who write `GMT+2`.
        places = [known for known in sorted(_names()) if "/" in known and not known.startswith("Etc/")]
        cities = {known.casefold().rpartition("/")[2]: known for known in places}
        near = [cities[city] for city in get_close_matches(wanted.rpartition("/")[2], cities, n=3, cutoff=0.8)]
    return f"Did you mean {' or '.join(f'`{known}`' for known in near)}?" if near else _EXAMPLE


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_NAMES
