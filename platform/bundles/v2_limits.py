"""The limits of a phase: Podium's own field, a mapping from a limit's name to an amount, as in `memory: 8 GiB`."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingOf

from podium.platform.bundles.content import PhaseContent
from podium.platform.bundles.fields import Section, Value
from podium.platform.bundles.findings import plain
from podium.platform.bundles.problems import Problem, Severity
from podium.platform.bundles.yaml_source import Mapping, Scalar
from podium.platform.limits import BY_KEY, LIMITS, UnknownLimit, beyond, limit_by_key, maximum_of
from podium.platform.quantities import InvalidAmount


def read_limits(value: Value | None) -> dict[str, float]:
    """Read the amounts by the limits' names in `podium.platform.limits`; what is wrong is noted, and left out.

    How much the operator allows is not known here: creating the competition looks at that.
    """
    if value is None:
        return {}
    if not isinstance(value.node, Mapping):
        value.expected("limits by their names", f"Write `limits: {{memory: 8 GiB}}`; there are: {', '.join(BY_KEY)}.")
        return {}
    section, limits = Section(value, value.node), dict[str, float]()
    for entry in value.node.entries:
        place = section.at(entry)
        try:
            limit = limit_by_key(entry.key)
        except UnknownLimit as unknown:
            place.error(f"There is no limit `{plain(entry.key)}`.", unknown.remedy)
            continue
        if not isinstance(place.node, Scalar) or place.node.tag == "null":
            place.expected("an amount", f"Write the limit's amount, or leave `{limit.key}` out for the default.")
            continue
        try:
            limits[limit.name] = limit.read(place.node.text)
        except InvalidAmount as invalid:
            place.error(invalid.detail, invalid.remedy)
    _check_temporary(section, limits)
    return limits


def read_wall_limit(written: int, limits: dict[str, float], section: Section, *, default: int) -> int:
    """The wall clock of a step, of which there are two spellings; takes it out of `limits`."""
    by_name = limits.pop("wall_seconds", None)
    if by_name is not None and written and by_name != written:
        section.place_of("execution_time_limit").error(
            f"`execution_time_limit` is {written} s, and `limits: wall` is {LIMITS['wall_seconds'].shown(by_name)}.",
            "Leave one of the two out.",
        )
    return int(by_name or written or default)


def _check_temporary(section: Section, limits: dict[str, float]) -> None:
    temporary, memory = LIMITS["temporary_bytes"], LIMITS["memory_bytes"]
    wanted = limits.get(temporary.name, 0)
    held = limits.get(memory.name, memory.default or 0)
    if wanted > held:
        section.place_of(temporary.key).warning(
            f"`/tmp` of {temporary.shown(wanted)} counts as memory, of which there is {memory.shown(held)}.",
            f"Ask for more `{memory.key}`, or for less `{temporary.key}`.",
        )


def limits_beyond(position: int, phase: PhaseContent, maxima: MappingOf[str, float]) -> Iterator[Problem]:
    """The limits of a phase that are beyond what the operator allows.

    Args:
        position: Of the phase, from 0.
        maxima: What the operator allows at most, by the limits' names, in place of the table's maxima.
    """
    asked = {**phase.limits, "wall_seconds": float(phase.execution_time_limit)}
    for limit in beyond(asked, maxima):
        maximum = limit.shown(maximum_of(limit.name, maxima))
        key = "execution_time_limit" if limit.name == "wall_seconds" else f"limits.{limit.key}"
        yield Problem(
            Severity.ERROR,
            f"Phase '{phase.name}' asks for a limit `{limit.key}` of {limit.shown(asked[limit.name])}; "
            f"the operator of this platform allows up to {maximum}.",
            file="competition.yaml",
            field=f"phases[{position}].{key}",
            suggestion=f"Ask for {maximum} or less, or ask the operator for more.",
        )
