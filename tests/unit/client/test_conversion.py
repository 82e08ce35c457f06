"""Every record survives the way through JSON, and what does not fit is said."""

import dataclasses
import importlib
import inspect
import json
from datetime import UTC, datetime
from pkgutil import iter_modules
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.platform import records
from podium.platform.client.conversion import AnotherVersion, record_from_json, record_to_json, records_from_json
from podium.platform.records.people import PersonRecord
from podium.platform.records.service import ProblemRecord
from podium.platform.records.storage import SignedRequestRecord
from podium.platform.records.submissions import ScoreRecord, SubmissionRecord

MODULES = [importlib.import_module(f"{records.__name__}.{found.name}") for found in iter_modules(records.__path__)]
RECORD_TYPES = [
    value
    for module in MODULES
    for _, value in inspect.getmembers(module, dataclasses.is_dataclass)
    if isinstance(value, type) and value.__module__ == module.__name__
]


@pytest.mark.parametrize("record_type", RECORD_TYPES, ids=lambda record_type: record_type.__name__)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_every_record_survives_the_way_through_json(record_type: type, data: st.DataObject):
    record = data.draw(st.from_type(record_type))
    text = json.dumps(record_to_json(record))
    assert record_from_json(record_type, json.loads(text)) == record


def test_all_records_are_tested():
    assert len(RECORD_TYPES) > 50


def person(**changes: object) -> dict[str, object]:
    return {
        "username": "ada",
        "name": "Ada",
        "email": "ada@example.org",
        "is_administrator": False,
        "may_organize": True,
        "created": "2026-01-02T03:04:05Z",
    } | changes


def test_a_time_in_zulu_notation_is_aware_utc():
    assert record_from_json(PersonRecord, person()).created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_unknown_fields_are_ignored():
    assert record_from_json(PersonRecord, person(shoe_size=43)).username == "ada"


def test_a_field_with_a_default_may_be_missing():
    record = record_from_json(
        SignedRequestRecord, {"method": "PUT", "url": "u", "headers": {}, "expires": "2026-01-02T03:04:05+00:00"}
    )
    assert record.max_bytes is None


def test_a_whole_number_is_a_score():
    score = record_from_json(ScoreRecord, {"key": "accuracy", "value": 1})
    assert score.value == 1.0
    assert isinstance(score.value, float)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"username": 3}, "PersonRecord.username is not a text but 3"),
        ({"is_administrator": 1}, "PersonRecord.is_administrator is not true or false but 1"),
        ({"username": True}, "PersonRecord.username is not a text but True"),
        ({"created": "yesterday"}, "PersonRecord.created is not a time but 'yesterday'"),
        ({"created": "2026-01-02T03:04:05"}, "is a time without a zone"),
        ({"name": None}, "PersonRecord.name is not a text but None"),
    ],
)
def test_a_value_of_another_kind_is_said(changes: dict[str, object], said: str):
    with pytest.raises(AnotherVersion) as caught:
        record_from_json(PersonRecord, person(**changes))
    assert said in caught.value.detail
    assert "speaks another version" in caught.value.detail
    assert caught.value.remedy


def test_a_missing_field_is_another_version():
    answer = person()
    del answer["email"]
    with pytest.raises(AnotherVersion, match=r"PersonRecord\.email is missing"):
        record_from_json(PersonRecord, answer)


def test_the_path_leads_into_lists():
    answer = {"type": "t", "title": "t", "status": 422, "detail": "d", "problems": [{"severity": "fatal"}]}
    with pytest.raises(AnotherVersion, match=r"ProblemRecord\.problems\[0\]\.severity is not error or warning"):
        record_from_json(ProblemRecord, answer)


@pytest.mark.parametrize("answer", [None, [], "text", 3])
def test_an_answer_that_is_no_object_is_another_version(answer: object):
    with pytest.raises(AnotherVersion, match="is not an object"):
        record_from_json(PersonRecord, answer)


def test_a_list_is_not_an_object():
    assert records_from_json(ScoreRecord, []) == ()
    with pytest.raises(AnotherVersion, match="is not a list"):
        records_from_json(ScoreRecord, {})


def test_a_uuid_must_be_one():
    with pytest.raises(AnotherVersion, match=r"SubmissionRecord\.id is not a UUID"):
        record_from_json(SubmissionRecord, {"id": "nope"})


def test_what_is_no_record_is_not_written():
    assert record_to_json((UUID(int=1),)) == ["00000000-0000-0000-0000-000000000001"]
    with pytest.raises(TypeError):
        record_to_json(object())
