"""Records from JSON and back, exactly: nothing is guessed, and what is missing or of another kind is said.

The type hints of `podium.platform.records` are the only schema. A field that is not known is ignored, so that a
newer gateway may say more; a field that is missing means that the two do not understand each other.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from podium.platform.errors import PlatformFault

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
RecordT = TypeVar("RecordT")

_REMEDY = (
    "Bring Podium up to date here (`pip install --upgrade podium`), or ask the operator which version the gateway has."
)


class AnotherVersion(PlatformFault):
    """The gateway answers in another way than this client understands. Asking again does not help."""

    type = "another-version"
    title = "Client and gateway do not fit together"


class _Mismatch(Exception):
    """A value that is not what the records say; `where` is its path."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


def record_from_json(record_type: type[RecordT], value: object) -> RecordT:
    """Build a record from what a JSON parser made of an answer.

    Raises:
        AnotherVersion: The answer lacks a field, or has something else in it: the gateway speaks another version.
    """
    try:
        return cast("RecordT", _convert(record_type, value, ""))
    except _Mismatch as mismatch:
        raise _another_version(record_type, mismatch) from None


def records_from_json(record_type: type[RecordT], value: object) -> tuple[RecordT, ...]:
    """Build the records of a list.

    Raises:
        AnotherVersion: As for `record_from_json`.
    """
    try:
        return cast("tuple[RecordT, ...]", _convert_items(record_type, value, ""))
    except _Mismatch as mismatch:
        raise _another_version(record_type, mismatch) from None


def record_to_json(record: object) -> Json:
    """Turn a record, or a tuple or dict of them, into what `json.dumps` takes; the reverse of `record_from_json`."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {field.name: record_to_json(getattr(record, field.name)) for field in dataclasses.fields(record)}
    if isinstance(record, Mapping):
        return {str(key): record_to_json(value) for key, value in record.items()}
    if isinstance(record, (tuple, list)):
        return [record_to_json(item) for item in record]
    return _scalar_to_json(record)


def _scalar_to_json(value: object) -> Json:
    if isinstance(value, Enum):
        return cast("Json", value.value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"A {type(value).__name__} has no place in a record.")


def _another_version(record_type: type, mismatch: _Mismatch) -> AnotherVersion:
    where = f"{record_type.__name__}{mismatch.where}"
    return AnotherVersion(
        f"The gateway speaks another version than this client: {where} {mismatch.message}.", remedy=_REMEDY
    )


def _convert(expected: object, value: object, where: str) -> object:
    origin = get_origin(expected)
    if origin in (types.UnionType, Union):
        return _convert_optional(expected, value, where)
    if origin is tuple:
        return _convert_items(get_args(expected)[0], value, where)
    if origin is dict:
        return _convert_dict(get_args(expected)[1], value, where)
    if not isinstance(expected, type):
        raise TypeError(f"Records have no fields of the kind {expected}.")
    if dataclasses.is_dataclass(expected):
        return _convert_record(expected, value, where)
    return _convert_scalar(expected, value, where)


def _convert_optional(expected: object, value: object, where: str) -> object:
    if value is None:
        return None
    (present,) = (member for member in get_args(expected) if member is not type(None))
    return _convert(present, value, where)


def _convert_items(expected: object, value: object, where: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise _unexpected("a list", value, where)
    return tuple(_convert(expected, item, f"{where}[{index}]") for index, item in enumerate(value))


def _convert_dict(expected: object, value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _unexpected("an object", value, where)
    return {key: _convert(expected, item, f"{where}[{key!r}]") for key, item in value.items()}


@cache
def _fields_of(record_type: type) -> tuple[tuple[str, object, bool], ...]:
    hints = get_type_hints(record_type)
    return tuple(
        (
            field.name,
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(record_type)
    )


def _convert_record(record_type: type, value: object, where: str) -> object:
    if not isinstance(value, dict):
        raise _unexpected("an object", value, where)
    values: dict[str, object] = {}
    for name, expected, is_required in _fields_of(record_type):
        if name in value:
            values[name] = _convert(expected, value[name], f"{where}.{name}")
        elif is_required:
            raise _Mismatch(f"{where}.{name}", "is missing")
    return record_type(**values)


def _convert_scalar(expected: type, value: object, where: str) -> object:
    if expected is bool or isinstance(value, bool):
        if expected is not bool or not isinstance(value, bool):
            raise _unexpected(_kind(expected), value, where)
        return value
    if expected is float and isinstance(value, (int, float)):
        return float(value)
    if expected in (int, str) and isinstance(value, expected):
        return value
    if isinstance(value, str) and (expected in (datetime, UUID) or issubclass(expected, Enum)):
        return _convert_text(expected, value, where)
    raise _unexpected(_kind(expected), value, where)


def _convert_text(expected: type, value: str, where: str) -> object:
    try:
        converted: object = datetime.fromisoformat(value) if expected is datetime else expected(value)
    except ValueError:
        raise _unexpected(_kind(expected), value, where) from None
    if isinstance(converted, datetime) and converted.tzinfo is None:
        raise _Mismatch(where, f"is a time without a zone: {value!r}")
    return converted


def _kind(expected: type) -> str:
    if issubclass(expected, Enum):
        return " or ".join(str(member.value) for member in expected)
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", datetime: "a time"}
    return names.get(expected, f"a {expected.__name__}")


def _unexpected(kind: str, value: object, where: str) -> _Mismatch:
    shown = repr(value)
    return _Mismatch(where, f"is not {kind} but {shown[:60]}{'...' if len(shown) > 60 else ''}")
