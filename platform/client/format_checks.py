"""Whether a table, an array or a JSON value is what a phase takes: pure, and every problem at once.

The same rules hold for what is still in memory and for a file that was written before. A fault that many rows have is
one problem, which names the first of them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real

from podium.platform.bundles.submission_formats import CellType, FormatColumn, SubmissionFormat
from podium.platform.errors import InvalidInput

_NAMED = 5
"""So many of the rows, columns or places that have a fault are named."""
_NUMBERS = frozenset({int, float})
_LARGEST = 2**1000
_ABSENT = object()
"""Stands in for a field that an object lacks, which is told by itself."""


class FormatMismatch(InvalidInput):
    """What was to be submitted is not what the phase takes; `problems` has everything that is wrong."""

    type = "format-mismatch"
    title = "This is not what the phase takes"

    def __init__(self, phase: str, words: str, problems: Sequence[str], name: str = "this") -> None:
        self.problems = tuple(problems)
        listed = "".join(f"\n- {problem}" for problem in self.problems)
        super().__init__(f"Nothing was sent: {name} is not what the phase '{phase}' takes ({words}).{listed}")


@dataclass(slots=True)
class _Seen:
    """Where a fault was seen."""

    first: list[int] = field(default_factory=list)
    count: int = 0
    example: str = ""

    def add(self, row: int, example: str) -> None:
        self.count += 1
        if len(self.first) < _NAMED:
            self.first.append(row)
        self.example = self.example or example


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to look for in a column, made once for all rows."""

    column: FormatColumn
    values: frozenset[str]
    is_number: bool
    takes_finite: bool


def _plan(column: FormatColumn) -> _Plan:
    is_number = column.type in {CellType.NUMBER, CellType.INTEGER}
    takes_finite = not column.values and column.type in {CellType.NUMBER, CellType.ANY}
    return _Plan(column, frozenset(column.values), is_number, takes_finite)


class TableCheck:
    """Looks at a table row by row; nothing of it is kept.

    Args:
        expected: What the phase takes.
        names: The names of the table's columns, in its order.
        place: What is counted to say where a fault is: rows, or lines of a file.
    """

    def __init__(self, expected: SubmissionFormat, names: Sequence[str], *, place: str = "row") -> None:
        self._expected = expected
        self._place = place
        self._at = 0
        self._width = len(names)
        self._faults: dict[tuple[str, str], _Seen] = {}
        self.count = 0
        declared = {column.name: column for column in expected.columns}
        self._header = list(_header_problems(declared, names))
        self._plans = [(at, _plan(column)) for at, name in enumerate(names) if (column := declared.get(name))]

    def look(self, cells: Sequence[object], line: int | None = None) -> None:
        """Look at the next row, which stands in this line of a file, if in one."""
        self.count += 1
        self._at = self.count if line is None else line
        if len(cells) != self._width:
            self.note("", f"Not every row has {self._width} cells", shown(list(cells)))
            return
        for at, plan in self._plans:
            # What nearly every cell of a large table is, decided without a call.
            if plan.takes_finite and type(cells[at]) in _NUMBERS and math.isfinite(cells[at]):  # type: ignore[arg-type]
                continue
            if fault := _cell_fault(plan, cells[at]):
                self.note(plan.column.name, fault, "" if fault == "is empty" else shown(cells[at]))

    def note(self, column: str, fault: str, example: str) -> None:
        """Note a fault of the row that was looked at last."""
        self._faults.setdefault((column, fault), _Seen()).add(self._at, example)

    def problems(self) -> list[str]:
        """What is wrong with the table, now that it is at its end."""
        found = list(self._header)
        expected = self._expected.rows
        if expected is not None and self.count != expected:
            found.append(f"It has {self.count:,} rows, and {expected:,} are wanted.")
        return found + [_told(column, fault, seen, self._place) for (column, fault), seen in self._faults.items()]


def _told(column: str, fault: str, seen: _Seen, place: str) -> str:
    rows = ", ".join(map(str, seen.first)) + (", ..." if seen.count > len(seen.first) else "")
    where = f"{place}{'' if seen.count == 1 else 's'} {rows}"
    example = f", such as {seen.example}" if seen.example else ""
    if not column:
        return f"{fault}{example} ({where})."
    many = f"in {seen.count:,} rows " if seen.count > 1 else ""
    return f"Column '{column}' {many}{fault}{example} ({where})."


def _header_problems(declared: Mapping[str, FormatColumn], names: Sequence[str]) -> Iterator[str]:
    if not declared:
        return
    missing = [name for name in declared if name not in names]
    extra = [name for name in names if name not in declared]
    if missing:
        yield f"{_columns(missing)} missing."
    if extra:
        yield f"{_columns(extra)} not wanted."
    if len(names) == 1 and (separator := next((one for one in ";\t|" if one in names[0]), None)):
        yield f"The first line has {separator!r} in it: columns are separated by commas."
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        yield f"{_columns(twice)} there more than once."


def _columns(names: Collection[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in list(names)[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"Column {listed} is" if len(names) == 1 else f"Columns {listed}{more} are"


def _cell_fault(plan: _Plan, cell: object) -> str:
    """What is wrong with a cell; empty where nothing is."""
    if cell is _ABSENT:
        return ""
    if is_missing(cell):
        return "" if plan.column.may_be_empty else "is empty"
    fault = ""
    if plan.is_number:
        fault = _number_fault(plan.column, cell)
    elif isinstance(cell, float) and math.isinf(cell):
        fault = "is infinite"
    if not fault and plan.values and not _is_one_of(plan.values, cell):
        fault = f"is none of {_some(plan.column.values)}"
    return fault


def _number_fault(column: FormatColumn, cell: object) -> str:
    number = _number(cell)
    if number is None:
        return "is not a number"
    if math.isnan(number):
        return "" if column.may_be_empty else "is empty"
    if math.isinf(number):
        return "is infinite"
    return "is not a whole number" if column.type is CellType.INTEGER and not number.is_integer() else ""


def _some(values: Sequence[str]) -> str:
    return ", ".join(values[:10]) + (", ..." if len(values) > 10 else "")


def _is_one_of(values: frozenset[str], cell: object) -> bool:
    if str(cell) in values:
        return True
    # Labels that came through a column of floating-point numbers: 1.0 is the label 1.
    return isinstance(cell, float) and cell.is_integer() and str(int(cell)) in values


def is_missing(cell: object) -> bool:
    """Whether a cell has nothing in it: `None`, an empty text, or NaN of whichever library."""
    if cell is None:
        return True
    if isinstance(cell, (str, int)):
        return cell == ""
    try:
        # NaN and NaT differ from themselves.
        return bool(cell != cell)  # noqa: PLR0124
    except (TypeError, ValueError):
        # pandas.NA is neither; an array in a cell is something, if nothing good.
        return type(cell).__name__ == "NAType"


def _number(cell: object) -> float | None:
    if isinstance(cell, bool):
        return None
    if isinstance(cell, (int, float)) and -_LARGEST < cell < _LARGEST:
        return float(cell)
    try:
        if isinstance(cell, str):
            return None if "_" in cell else float(cell)
        return float(cell) if isinstance(cell, Real) or hasattr(cell, "__float__") else None
    except (TypeError, ValueError, OverflowError):
        return None


def shown(cell: object) -> str:
    """A value in a message."""
    text = repr(cell)
    return text if len(text) <= 40 else f"{text[:37]}..."


def array_problems(expected: SubmissionFormat, shape: Sequence[int], kind: str, *, name: str = "") -> Iterator[str]:
    """What is wrong with an array, by its shape and the kind of its dtype; its numbers are another question.

    Args:
        name: Its name among several.
    """
    called = f"The array '{name}'" if name else "The array"
    if kind == "O":
        yield f"{called} holds Python objects, which are not taken: give it a dtype of numbers or texts."
    wanted = expected.shape
    fits = len(shape) == len(wanted) and all(want in (0, have) for want, have in zip(wanted, shape, strict=False))
    if wanted and not fits:
        words = ", ".join(str(length or "any") for length in wanted)
        yield f"{called} has the shape {tuple(shape)}, and ({words}) is wanted."
    if expected.rows is not None and (not shape or shape[0] != expected.rows):
        has = f"has {shape[0]:,} rows" if shape else "is a single number"
        yield f"{called} {has}, and {expected.rows:,} are wanted."


def names_problems(expected: SubmissionFormat, names: Sequence[str]) -> Iterator[str]:
    """What is wrong with the names of fields or arrays."""
    for problem in _header_problems({column.name: column for column in expected.columns}, names):
        yield problem.replace("Column", "Field")


def json_problems(expected: SubmissionFormat, value: object) -> Iterator[str]:
    """What is wrong with a JSON value, as a parser made it, or as it is to be written."""
    places = [place for place, number in _numbers(value, "$") if not math.isfinite(number)]
    if places:
        yield f"NaN and infinite numbers are no JSON: at {_some(places[:_NAMED])}{', ...' if len(places) > 5 else ''}."
    if isinstance(value, Mapping):
        yield from names_problems(expected, [str(key) for key in value])
        yield from _length_problems(expected, value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from _items_problems(expected, value)
    elif expected.columns or expected.rows is not None:
        yield f"It is {shown(value)}, and a list or an object is wanted."


def _length_problems(expected: SubmissionFormat, value: Mapping[object, object]) -> Iterator[str]:
    for name, items in value.items():
        length = len(items) if isinstance(items, Sequence) and not isinstance(items, str) else None
        if expected.rows is not None and length != expected.rows:
            has = "is no list" if length is None else f"has {length:,} items"
            yield f"Field '{name}' {has}, and {expected.rows:,} are wanted."


def _items_problems(expected: SubmissionFormat, items: Sequence[object]) -> Iterator[str]:
    check = ObjectsCheck(expected)
    for item in items:
        check.look(item)
    yield from check.problems()


class ObjectsCheck:
    """Looks at JSON objects one by one: those of a list, or of lines."""

    def __init__(self, expected: SubmissionFormat, *, place: str = "row") -> None:
        self._names = [column.name for column in expected.columns]
        self._table = TableCheck(expected, self._names, place=place)

    def look(self, item: object, line: int | None = None) -> None:
        """Look at the next one, which stands in this line of a file, if in one."""
        if not self._names:
            self._table.look((), line)
            return
        if not isinstance(item, Mapping):
            self._table.look([_ABSENT] * len(self._names), line)
            self._table.note("", "Not every item is an object", shown(item))
            return
        absent = [name for name in self._names if name not in item]
        self._table.look([item.get(name, _ABSENT) for name in self._names], line)
        for name in absent:
            self._table.note(name, "is missing", "")
        for name in item:
            if name not in self._names:
                self._table.note(str(name), "is not wanted", "")

    def problems(self) -> list[str]:
        """What is wrong with them."""
        return self._table.problems()


def _numbers(value: object, place: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield place, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, f"{place}.{key}")
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            yield from _numbers(item, f"{place}[{at}]")
