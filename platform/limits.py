"""What a program may use: the one table of all limits, which defaults, bundles, settings, verdicts and docs go by.

An organizer asks for more or less than the default in a phase of the bundle (`limits: {memory: 8 GiB}`); the operator
says how much may be asked for (`PODIUM_LIMIT_MAXIMA`). A bundle that asks for more is refused: nothing is cut in
silence. Where the operator lowers a maximum afterwards, the lower one holds, and verdicts say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from podium.platform.lifecycle import Verdict
from podium.platform.quantities import InvalidAmount, Unit, read_amount, shown_amount

_KIB, _MIB, _GIB = 1024, 1024**2, 1024**3
MOST_FILES_ON_DISK = 250_000
"""Files and folders that a program may have on the host's disk at once, whatever their size: they are all looked at,
again and again, to know what they take."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Attributes:
        name: The field of `podium.platform.jobs.Limits`.
        key: How organizers and operators write it.
        default: What holds where nobody says otherwise; `None` for no limit.
        maximum: What an organizer may ask for where the operator says nothing; `None` for as much as they like.
        verdict: What a program gets that exceeds it; `None` where it is held back or sees an error instead.
        meaning: What it bounds, for tables.
        exceeded: What a program did that exceeded it, after its name; `{value}` stands for the limit. Where there is
            no verdict: what happens then.
        least: The smallest amount that makes sense.
    """

    name: str
    key: str
    unit: Unit
    default: float | None
    maximum: float | None
    verdict: Verdict | None
    meaning: str
    exceeded: str
    least: float = 1

    def shown(self, amount: float | None) -> str:
        """An amount of it, for people."""
        return "no limit" if amount is None else shown_amount(amount, self.unit)

    def message(self, amount: float | None) -> str:
        """What a program did that exceeded the limit of this amount, after its name."""
        return self.exceeded.format(value=self.shown(amount))

    def read(self, text: str) -> float:
        """Read an amount as people write it.

        Raises:
            InvalidAmount: It is none, or none that makes sense for this limit; the remedy says what to write.
        """
        amount = read_amount(text, self.unit)
        if amount < self.least:
            raise InvalidAmount(
                f"`{text.strip()[:40]}` is too little for `{self.key}`.",
                remedy=f"The least is {self.shown(self.least)}.",
            )
        if self.unit is not Unit.CORES and amount != int(amount):
            raise InvalidAmount(
                f"`{text.strip()[:40]}` is not a whole number of {'things' if self.unit is Unit.COUNT else self.unit}."
            )
        return amount


TABLE: tuple[Limit, ...] = (
    Limit(
        name="wall_seconds",
        key="wall",
        unit=Unit.SECONDS,
        default=600,
        maximum=24 * 3600,
        verdict=Verdict.TIME_LIMIT,
        meaning="Time on the clock for a step, all its programs together; `execution_time_limit` says the same",
        exceeded="was stopped after {value}, the time limit",
    ),
    Limit(
        name="cpu_seconds",
        key="cpu_time",
        unit=Unit.SECONDS,
        default=None,
        maximum=None,
        verdict=Verdict.TIME_LIMIT,
        meaning="CPU time of a program, all its processes together",
        exceeded="used more CPU time than its limit of {value}",
    ),
    Limit(
        name="cpus",
        key="cpus",
        unit=Unit.CORES,
        default=2,
        maximum=64,
        verdict=None,
        meaning="Cores' worth of time per second",
        exceeded="it is slowed down to {value}",
        least=0.01,
    ),
    Limit(
        name="memory_bytes",
        key="memory",
        unit=Unit.BYTES,
        default=4 * _GIB,
        maximum=64 * _GIB,
        verdict=Verdict.MEMORY_LIMIT,
        meaning="Memory of a program, all its processes together, with what it has in `/tmp`; there is no swap",
        exceeded="needed more memory than its limit of {value}",
        least=6 * _MIB,
    ),
    Limit(
        name="processes",
        key="processes",
        unit=Unit.COUNT,
        default=256,
        maximum=4096,
        verdict=Verdict.PROCESS_LIMIT,
        meaning="Processes and threads of a program at once",
        exceeded="wanted more processes and threads at once than its limit of {value}",
        least=2,
    ),
    Limit(
        name="open_files",
        key="open_files",
        unit=Unit.COUNT,
        default=4096,
        maximum=65_536,
        verdict=None,
        meaning="Open files of each process",
        exceeded="it can't have more than {value} open at once, and sees the error `Too many open files`",
        least=16,
    ),
    Limit(
        name="file_bytes",
        key="file_size",
        unit=Unit.BYTES,
        default=2 * _GIB,
        maximum=64 * _GIB,
        verdict=Verdict.OUTPUT_LIMIT,
        meaning="Size of each file that a program writes",
        exceeded="wrote a file up to its size limit of {value}, and could not go on",
        least=_KIB,
    ),
    Limit(
        name="output_bytes",
        key="output",
        unit=Unit.BYTES,
        default=2 * _GIB,
        maximum=20 * _GIB,
        verdict=Verdict.OUTPUT_LIMIT,
        meaning="What a step may leave in `/app/output`, in all",
        exceeded="left more output than its limit of {value}",
        least=_KIB,
    ),
    Limit(
        name="output_files",
        key="output_files",
        unit=Unit.COUNT,
        default=10_000,
        maximum=100_000,
        verdict=Verdict.OUTPUT_LIMIT,
        meaning="Files and folders that a step may leave in `/app/output`",
        exceeded="left more files in its output than the limit of {value}",
    ),
    Limit(
        name="log_bytes",
        key="log",
        unit=Unit.BYTES,
        default=8 * _MIB,
        maximum=64 * _MIB,
        verdict=None,
        meaning="Kept text of each stream of a program",
        exceeded="the log is cut at {value}, with a mark, and the program goes on",
        least=_KIB,
    ),
    Limit(
        name="temporary_bytes",
        key="temporary",
        unit=Unit.BYTES,
        default=512 * _MIB,
        maximum=32 * _GIB,
        verdict=None,
        meaning="Size of `/tmp`, and of `/dev/shm`; what is in them counts as memory",
        exceeded="it can't write more than {value}, and sees the error `No space left on device`",
        least=_MIB,
    ),
    Limit(
        name="disk_bytes",
        key="disk",
        unit=Unit.BYTES,
        default=4 * _GIB,
        maximum=64 * _GIB,
        verdict=Verdict.DISK_LIMIT,
        meaning=f"What a step's files take on disk while it runs, in all; there may be {MOST_FILES_ON_DISK:,} of them",
        exceeded=f"was stopped as the files of its step took more disk than the limit of {{value}}, or were more than "
        f"{MOST_FILES_ON_DISK:,}",
        least=_MIB,
    ),
    Limit(
        name="gpus",
        key="gpus",
        unit=Unit.COUNT,
        default=0,
        maximum=8,
        verdict=None,
        meaning="GPUs of a program; the submission waits for a host that has as many",
        exceeded="it has {value}, and sees no more",
        least=0,
    ),
)
LIMITS: Mapping[str, Limit] = {limit.name: limit for limit in TABLE}
BY_KEY: Mapping[str, Limit] = {limit.key: limit for limit in TABLE}


class UnknownLimit(InvalidAmount):
    """A word that names no limit."""


def limit_by_key(key: str) -> Limit:
    """The limit that people call `key`.

    Raises:
        UnknownLimit: There is none; the remedy names the nearest, or all.
    """
    limit = BY_KEY.get(key)
    if limit is None:
        near = get_close_matches(key.lower()[:80].replace("-", "_").replace(" ", "_"), BY_KEY, n=1, cutoff=0.6)
        remedy = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(BY_KEY)}."
        raise UnknownLimit(f"There is no limit `{key[:80]}`.", remedy=remedy)
    return limit


def read_maxima(written: Mapping[str, object]) -> dict[str, float]:
    """Read an operator's maxima, by the keys that people write, into amounts by the limits' names.

    Raises:
        InvalidAmount: A key or an amount is wrong; the message says which.
    """
    maxima = {}
    for key, text in written.items():
        limit = limit_by_key(key)
        try:
            maxima[limit.name] = limit.read(str(text))
        except InvalidAmount as invalid:
            raise InvalidAmount(f"The maximum of `{key}`: {invalid.detail}", remedy=invalid.remedy) from None
    return maxima


def maximum_of(name: str, maxima: Mapping[str, float]) -> float | None:
    """What may be asked for: the operator's maximum, or the table's; `None` for as much as one likes."""
    return maxima.get(name, LIMITS[name].maximum)


def beyond(asked: Mapping[str, float], maxima: Mapping[str, float]) -> list[Limit]:
    """The limits of which more is asked for than may be, in the table's order."""
    found = []
    for limit in TABLE:
        amount, maximum = asked.get(limit.name), maximum_of(limit.name, maxima)
        if amount is not None and maximum is not None and amount > maximum:
            found.append(limit)
    return found


def effective(asked: Mapping[str, float], maxima: Mapping[str, float]) -> dict[str, float]:
    """What holds, by name: what is asked for or the default, and never more than the maximum.

    What is not limited is left out.
    """
    holds = {}
    for limit in TABLE:
        amount, maximum = asked.get(limit.name, limit.default), maximum_of(limit.name, maxima)
        known = [one for one in (amount, maximum) if one is not None]
        if known:
            holds[limit.name] = min(known)
    return holds


def in_words(amounts: Mapping[str, float]) -> str:
    """What may be used, in a line: `wall 10 min, cpus 2 cores, memory 4 GiB, ...`; nothing is said of no GPUs."""
    return ", ".join(
        f"{limit.key} {limit.shown(amounts[limit.name])}"
        for limit in TABLE
        if limit.name in amounts and (amounts[limit.name] or limit.default)
    )


def key_of(name: str) -> str:
    """How people call the limit of this name; the name itself where there is none, as an older host may say."""
    return LIMITS[name].key if name in LIMITS else name


def default_of(name: str) -> float:
    """The default of a limit that has one."""
    default = LIMITS[name].default
    assert default is not None
    return default
