"""Amounts as people write and read them: `4 GiB`, `90 s`, `1 h 30 min`, `2 cores`, `10,000`."""

from __future__ import annotations

import re
from enum import StrEnum

from podium.platform.errors import InvalidInput

LARGEST = 2**53
"""Above this, amounts are not exact any more; nothing real comes near."""

_SUFFIX_OF_BYTES = {
    "b": 1,
    "byte": 1,
    "bytes": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
    # A letter alone is what container engines take, and they mean the power of two.
    **{letter: 1024**power for power, letter in enumerate("kmgt", 1)},
}
_SUFFIX_OF_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}
_NUMBER = r"\d{1,16}(?:_\d{1,16}){0,5}(?:\.\d{1,9})?"
_PARTS = re.compile(rf"(?:{_NUMBER} ?[a-z]* ?){{1,4}}", re.ASCII | re.IGNORECASE)
_PART = re.compile(rf"({_NUMBER}) ?([a-z]*)", re.ASCII | re.IGNORECASE)
_BINARY = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
_DURATIONS = ((86400, "d"), (3600, "h"), (60, "min"))


class InvalidAmount(InvalidInput):
    """A text that is no amount of the unit that is wanted."""


class Unit(StrEnum):
    """What an amount is counted in."""

    SECONDS = "seconds"
    BYTES = "bytes"
    CORES = "cores"
    COUNT = "count"


_SUFFIXES: dict[Unit, dict[str, int]] = {
    Unit.SECONDS: _SUFFIX_OF_SECONDS,
    Unit.BYTES: _SUFFIX_OF_BYTES,
    Unit.CORES: {"core": 1, "cores": 1, "cpu": 1, "cpus": 1},
    Unit.COUNT: {},
}
_HOW_TO_WRITE = {
    Unit.SECONDS: "Write seconds, such as `90`, or `90 s`, `10 min`, `1 h 30 min`.",
    Unit.BYTES: "Write an amount such as `512 MiB` or `4 GiB`; a plain number is bytes.",
    Unit.CORES: "Write a number of cores, such as `2` or `0.5`.",
    Unit.COUNT: "Write a whole number, such as `100`.",
}


def read_amount(text: str, unit: Unit) -> float:
    """Read an amount: a number with the unit's suffixes, or a plain number in the unit itself.

    Raises:
        InvalidAmount: It is none; the remedy says what to write.
    """
    cleaned = " ".join(text.split())
    remedy = _HOW_TO_WRITE[unit]
    if not _PARTS.fullmatch(cleaned):
        raise InvalidAmount(f"`{_plain(cleaned)}` is not an amount that can be understood.", remedy=remedy)
    parts = [(float(number.replace("_", "")), suffix.lower()) for number, suffix in _PART.findall(cleaned)]
    total = 0.0
    for number, suffix in parts:
        if suffix and suffix not in _SUFFIXES[unit]:
            raise InvalidAmount(f"`{_plain(cleaned)}`: `{_plain(suffix)}` is not a unit that fits here.", remedy=remedy)
        total += number * _SUFFIXES[unit].get(suffix, 1)
    if len(parts) > 1 and (unit is not Unit.SECONDS or not all(suffix for _, suffix in parts)):
        raise InvalidAmount(f"`{_plain(cleaned)}` is more than one amount.", remedy=remedy)
    if total > LARGEST:
        raise InvalidAmount(f"`{_plain(cleaned)}` is more than anything can have.", remedy=remedy)
    return total


def shown_amount(amount: float, unit: Unit) -> str:
    """An amount for people: exactly, if that is short, else to two digits after the point."""
    match unit:
        case Unit.BYTES:
            return _shown_bytes(amount)
        case Unit.SECONDS:
            return _shown_seconds(amount)
        case Unit.CORES:
            return f"{amount:g} {'core' if amount == 1 else 'cores'}"
        case Unit.COUNT:
            return f"{amount:,.0f}"


def _shown_bytes(amount: float) -> str:
    for size, name in _BINARY:
        if amount >= size:
            return f"{_digits(amount / size)} {name}"
    return f"{amount:.0f} {'byte' if amount == 1 else 'bytes'}"


def _shown_seconds(amount: float) -> str:
    if amount < 120 or amount != int(amount):
        return f"{_digits(amount)} s"
    parts, left = [], int(amount)
    for size, name in _DURATIONS:
        count, left = divmod(left, size)
        parts += [f"{count} {name}"] if count else []
    return " ".join([*parts, *([f"{left} s"] if left else [])])


def _digits(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() and character != "`" else "?" for character in text[:40])
