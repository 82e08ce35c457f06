"""Tables out of what people have: data frames, arrays, dicts, lists. They are known by what they can: no import here.

`Frame` is pandas', `Rows` is polars', `Array` is NumPy's or anything that makes itself one: PyTorch's, JAX's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard, runtime_checkable

from podium.platform.client.format_checks import shown
from podium.platform.errors import InvalidInput

_AT_ONCE = 65_536


class Index(Protocol):
    """The index of a data frame."""

    @property
    def names(self) -> Sequence[object]:
        """Of its levels; `None` for one without a name."""


@runtime_checkable
class Frame(Protocol):
    """A data frame of pandas."""

    columns: Any
    index: Any

    def itertuples(self, *, index: bool, name: None) -> Iterable[tuple[object, ...]]:
        """The rows."""

    def reset_index(self) -> Frame:
        """The same with its index as columns."""


@runtime_checkable
class Series(Protocol):
    """A column of pandas."""

    name: Any
    index: Any

    def tolist(self) -> list[object]:
        """The values."""

    def to_frame(self, name: str) -> Frame:
        """A data frame of it alone."""


@runtime_checkable
class Rows(Protocol):
    """A data frame of polars."""

    columns: Any

    def iter_rows(self) -> Iterable[tuple[object, ...]]:
        """The rows."""


class Type(Protocol):
    """The dtype of an array."""

    names: tuple[str, ...] | None
    kind: str


class Array(Protocol):
    """An array of NumPy."""

    @property
    def dtype(self) -> Type:
        """Of its items."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""

    def tolist(self) -> Any:  # noqa: ANN401  # nested as deep as the array
        """Nested lists of Python's own values; a value alone where there is no axis."""

    def __getitem__(self, key: slice) -> Array: ...


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, and the names of their columns where they have any.

    Attributes:
        width: How many cells a row has, as its first one says.
    """

    names: tuple[str, ...] | None
    rows: Iterable[Sequence[object]]
    width: int


def is_array(value: object) -> TypeGuard[Array]:
    """Whether it is an array of NumPy."""
    return all(hasattr(value, name) for name in ("dtype", "shape", "tolist", "__array_interface__"))


def as_array(value: object) -> Array | None:
    """The array that something is or makes of itself; `None` for what is none, or rather is a table."""
    if is_array(value):
        return value
    if is_table(value) or not hasattr(value, "__array__"):
        return None
    # The library that it is from has NumPy: nothing new is loaded here.
    made: object = value.__array__()
    return made if is_array(made) else None


def is_table(value: object) -> bool:
    """Whether it is rows or columns by its type alone."""
    return isinstance(value, (Frame, Series, Rows)) or hasattr(value, "to_pylist")


def is_listing(value: object) -> TypeGuard[Sequence[object]]:
    """Whether it is a sequence of things, not a text."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))


def table_of(value: object, wanted: Sequence[str]) -> Table:
    """A table of whatever has rows or columns.

    Args:
        value: The thing.
        wanted: The columns that the phase names; none where it names none.

    Raises:
        InvalidInput: There is no way to see a table in it.
    """
    if is_table(value):
        return _of_table(value, wanted)
    if (array := as_array(value)) is not None:
        return _of_array(array)
    if isinstance(value, Mapping):
        return _of_mapping(value, wanted)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray)):
        return _of_list(value if is_listing(value) else list(value), wanted)
    raise InvalidInput(
        f"A {type(value).__name__} is no table.", remedy="Give a data frame, an array, a list, or a dict of columns."
    )


def _of_table(value: object, wanted: Sequence[str]) -> Table:
    if isinstance(value, Frame):
        return _of_frame(value, wanted)
    if isinstance(value, Series):
        return _of_series(value, wanted)
    if isinstance(value, Rows):
        return Table(tuple(map(str, value.columns)), value.iter_rows(), len(value.columns))
    assert hasattr(value, "to_pylist")
    return _of_list(value.to_pylist(), wanted)


def _of_frame(frame: Frame, wanted: Sequence[str]) -> Table:
    here = {str(name) for name in frame.columns}
    levels = [str(name) for name in frame.index.names if name is not None]
    # An index that was made a column's stand-in is wanted back as that column; any other is the frame's own business.
    kept = [name for name in levels if name not in here and (name in wanted or not wanted)]
    if kept:
        frame = frame.reset_index()
        dropped = {name for name in levels if name not in kept}
        names = [str(name) for name in frame.columns]
        chosen = [at for at, name in enumerate(names) if name not in dropped]
        rows = ([row[at] for at in chosen] for row in frame.itertuples(index=False, name=None))
        return Table(tuple(names[at] for at in chosen), rows, len(chosen))
    return Table(tuple(map(str, frame.columns)), frame.itertuples(index=False, name=None), len(frame.columns))


def _of_series(series: Series, wanted: Sequence[str]) -> Table:
    levels = [str(name) for name in series.index.names if name is not None]
    left = [name for name in wanted if name not in levels]
    name = series.name if series.name is not None else (left[0] if len(left) == 1 else None)
    if name is not None and (set(levels) & set(wanted)):
        return _of_frame(series.to_frame(str(name)), wanted)
    # One column where one is wanted is that one, whatever a model called what it predicts.
    names = None if name is None else (wanted[0] if len(wanted) == 1 else str(name),)
    return Table(names, ([cell] for cell in series.tolist()), 1)


def _of_array(array: Array) -> Table:
    if array.dtype.names is not None:
        if len(array.shape) != 1:
            raise InvalidInput(f"A structured array of the shape {array.shape} is no table.", remedy="Flatten it.")
        return Table(array.dtype.names, _in_pieces(array), len(array.dtype.names))
    if len(array.shape) == 1:
        return Table(None, ([cell] for cell in _in_pieces(array)), 1)
    if len(array.shape) == 2:
        return Table(None, _in_pieces(array), array.shape[1])
    raise InvalidInput(
        f"An array of the shape {array.shape} is no table: a table has one or two axes.",
        remedy="Reshape it to a row for each case.",
    )


def _in_pieces(array: Array) -> Iterator[Any]:
    """Rows as Python's own values; a large array is not turned into lists at once."""
    for begin in range(0, array.shape[0], _AT_ONCE):
        yield from array[begin : begin + _AT_ONCE].tolist()


def _of_mapping(value: Mapping[Any, object], wanted: Sequence[str]) -> Table:
    columns = {str(name): _listed(column) for name, column in value.items()}
    if all(column is not None for column in columns.values()):
        return _of_columns({name: column for name, column in columns.items() if column is not None})
    if any(column is not None for column in columns.values()):
        single = [name for name, column in columns.items() if column is None]
        raise InvalidInput(f"Some columns are no lists: {', '.join(single[:5])}.", remedy="Give a list for each.")
    if set(columns) == set(wanted):
        return Table(tuple(columns), [[_plain(cell) for cell in value.values()]], len(columns))
    if len(wanted) == 2:
        return Table(tuple(wanted), ([_plain(key), _plain(cell)] for key, cell in value.items()), 2)
    raise InvalidInput(
        f"This dict has single values, such as {shown(next(iter(value.values()), None))}, where columns are wanted.",
        remedy="Give a list for each column.",
    )


def _of_columns(columns: Mapping[str, Sequence[object]]) -> Table:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"'{name}' has {length:,}" for name, length in list(lengths.items())[:5])
        raise InvalidInput(f"The columns are not equally long: {told}.", remedy="Give one value for each row.")
    return Table(tuple(columns), zip(*columns.values(), strict=True), len(columns))


def _listed(column: object) -> Sequence[object] | None:
    """A column as a list of plain values; `None` for a single value."""
    array = as_array(column)
    if array is not None:
        if len(array.shape) == 0:
            return None
        if len(array.shape) > 1:
            raise InvalidInput(
                f"A column of the shape {array.shape} has several values for each row.",
                remedy="Give a column for each of them.",
            )
        return [*array.tolist()]
    if isinstance(column, Series):
        return column.tolist()
    if is_listing(column):
        return [_plain(cell) for cell in column]
    return None


def _of_list(value: Sequence[object], wanted: Sequence[str]) -> Table:
    first = value[0] if value else None
    if isinstance(first, Mapping):
        return _of_records(value, wanted)
    if is_listing(first) or as_array(first) is not None:
        return Table(None, (_row(row) for row in value), len(_row(first)))
    return Table(None, ([_plain(cell)] for cell in value), 1)


def _row(row: object) -> Sequence[object]:
    if (array := as_array(row)) is not None:
        made = array.tolist()
        return made if isinstance(made, list) else [made]
    return [_plain(cell) for cell in row] if is_listing(row) else [_plain(row)]


def _of_records(value: Sequence[object], wanted: Sequence[str]) -> Table:
    names: dict[str, None] = dict.fromkeys(())
    for at, record in enumerate(value):
        if not isinstance(record, Mapping):
            raise InvalidInput(f"Item {at} is {shown(record)}, and others are dicts.", remedy="Give a dict for each.")
        names.update(dict.fromkeys(map(str, record)))
    ordered = [name for name in wanted if name in names] + [name for name in names if name not in wanted]
    return Table(tuple(ordered), (_fields(record, ordered) for record in value), len(ordered))


def _fields(record: object, names: Sequence[str]) -> list[object]:
    assert isinstance(record, Mapping)
    cells = {str(name): cell for name, cell in record.items()}
    return [_plain(cells.get(name)) for name in names]


def _plain(cell: object) -> object:
    """A single value of NumPy or PyTorch as Python's own."""
    if hasattr(cell, "dtype") and hasattr(cell, "item") and getattr(cell, "shape", None) == ():
        item: object = cell.item()
        return item
    return cell
