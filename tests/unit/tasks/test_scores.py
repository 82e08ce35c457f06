"""Scores, as scoring programs write them."""

from __future__ import annotations

import json
import math
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.tasks.scores import MAX_KEY_LENGTH, MAX_KEYS, BadScores, parse_scores

JSON, TEXT = "scores.json", "scores.txt"


def parse(name: str, text: str, wanted: Collection[str] = ("accuracy",)) -> dict[str, float]:
    return parse_scores(name, text.encode(), wanted)


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ('{"accuracy": 0.5}', {"accuracy": 0.5}),
        ('{"accuracy": 1}', {"accuracy": 1.0}),
        ('\ufeff{"accuracy": -0.0}', {"accuracy": 0.0}),
        ('{"accuracy": 1e-3, "duration": 7}', {"accuracy": 0.001, "duration": 7}),
        ("{}", {}),
        ('{"other": null, "text": "x", "flag": true, "list": [1], "huge": 1e999, "accuracy": 1}', {"accuracy": 1}),
        ('{"all_costs": {"a": 1, "a": 2}, "accuracy": 1}', {"accuracy": 1}),
    ],
)
def test_json(text: str, scores: dict[str, float]) -> None:
    assert scores == parse(JSON, text)


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("accuracy: 0.5", {"accuracy": 0.5}),
        ("accuracy: 1e-3", {"accuracy": 0.001}),
        ("accuracy: 1E5\nother: 7", {"accuracy": 1e5, "other": 7}),
        ("accuracy: -3", {"accuracy": -3}),
        ("1: 5\naccuracy: 2 # good", {"1": 5, "accuracy": 2}),
        ("{accuracy: 0.25}", {"accuracy": 0.25}),
        ("accuracy: !!float 0.5", {"accuracy": 0.5}),
        ("costs: {a: 1}\nwords: yes\naccuracy: 1", {"accuracy": 1}),
        ("costs: !!python/object/apply:os.system ['exit 1']\naccuracy: 1", {"accuracy": 1}),
        ("", {}),
        ("# nothing\n", {}),
    ],
)
def test_text(text: str, scores: dict[str, float]) -> None:
    assert scores == parse(TEXT, text)


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "true",
        "false",
        '"0.5"',
        "null",
        "[0.5]",
        '{"a": 1}',
        "1" + "0" * 400,
    ],
)
def test_in_json_a_wanted_score_must_be_a_finite_number(value: str) -> None:
    with pytest.raises(BadScores, match=r"'accuracy' is .*, not a finite number"):
        parse(JSON, f'{{"accuracy": {value}}}')
    assert parse(JSON, f'{{"accuracy": {value}}}', wanted=()) == {}


@pytest.mark.parametrize(
    "value",
    [
        ".nan",
        "nan",
        ".inf",
        "inf",
        "-.inf",
        "1e999",
        "true",
        "yes",
        "'0.5'",
        '"0.5"',
        "",
        "~",
        "[1]",
        "{a: 1}",
        "1:30",
        "half",
    ],
)
def test_in_text_a_wanted_score_must_be_a_finite_number(value: str) -> None:
    with pytest.raises(BadScores, match=r"'accuracy' is .*, not a finite number"):
        parse(TEXT, f"accuracy: {value}")
    assert parse(TEXT, f"accuracy: {value}", wanted=()) == {}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (JSON, '{"accuracy": 1, "accuracy": 1}', "the key 'accuracy' twice"),
        (JSON, '{"x": 1, "x": 2, "accuracy": 1}', "the key 'x' twice"),
        (JSON, "[0.5]", "is not an object"),
        (JSON, "0.5", "is not an object"),
        (JSON, "", "is no JSON"),
        (JSON, "accuracy: 1", "is no JSON"),
        (JSON, "[" * 100_000, "is no JSON"),
        (JSON, '{"accuracy": 1' + "0" * 5000 + "}", "is no JSON"),
        (TEXT, "accuracy: 1\naccuracy: 2", "the key 'accuracy' twice"),
        (TEXT, "0.5", "has no lines such as"),
        (TEXT, "- accuracy: 1", "has no lines such as"),
        (TEXT, "a: &x [1]\nb: [*x, *x]\naccuracy: 1", "uses YAML aliases"),
        (TEXT, "a: &x [1]\nb: *x", "uses YAML aliases"),
        (TEXT, "accuracy: 1\n---\naccuracy: 2", "can't be read"),
        (TEXT, "accuracy: [", "can't be read"),
        (TEXT, "a: " + "[" * 500_000, "can't be read"),
        (TEXT, "accuracy\t: \x07", "can't be read"),
    ],
)
def test_what_can_not_be_used(name: str, text: str, message: str) -> None:
    with pytest.raises(BadScores, match=message):
        parse(name, text)


@pytest.mark.parametrize("name", [JSON, TEXT])
def test_bytes_that_are_no_text(name: str) -> None:
    with pytest.raises(BadScores, match="is not UTF-8"):
        parse_scores(name, b"\xff\xfe{}", ())


def test_a_value_nested_deep_is_refused_like_any_other() -> None:
    with pytest.raises(BadScores, match="'accuracy' is"):
        parse(JSON, '{"accuracy": ' + "[" * 800 + "]" * 800 + "}")


def test_an_alias_that_makes_a_long_text_of_a_short_one_is_never_followed() -> None:
    text = "a: &a [x, x]\n" + "".join(
        f"{after}: &{after} [*{before}, *{before}]\n"
        for before, after in zip("abcdefghijklmnop", "bcdefghijklmnopq", strict=True)
    )
    with pytest.raises(BadScores, match="uses YAML aliases"):
        parse(TEXT, text)


def test_many_other_keys_do_not_push_a_wanted_one_out() -> None:
    content = {f"other{at}": at for at in range(MAX_KEYS + 5)} | {"accuracy": 0.5}
    scores = parse(JSON, json.dumps(content))
    assert scores["accuracy"] == 0.5
    assert len(scores) == MAX_KEYS + 1


def test_a_key_that_is_too_long_to_be_kept_is_left_out() -> None:
    assert parse(JSON, json.dumps({"k" * (MAX_KEY_LENGTH + 1): 1, "accuracy": 1})) == {"accuracy": 1.0}


@given(st.dictionaries(st.text(max_size=20), st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_finite_numbers_come_through_json_as_they_are(scores: dict[str, float]) -> None:
    assert scores == parse(JSON, json.dumps(scores), wanted=set(scores))


@given(st.text(max_size=60), st.sampled_from([JSON, TEXT]))
def test_any_text_gives_finite_scores_or_says_what_is_wrong(text: str, name: str) -> None:
    try:
        scores = parse(name, text)
    except BadScores:
        return
    assert all(math.isfinite(value) for value in scores.values())


@pytest.mark.parametrize("key", ["a\\u0000b", "\\ud800", "a\\nb", "\\u202eb"])
def test_a_key_that_can_not_be_stored_or_shown_is_ignored(key: str) -> None:
    assert parse(JSON, f'{{"accuracy": 1, "{key}": 2}}') == {"accuracy": 1}


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("correct:1", {"correct": 1.0}),
        ("a:1\nb: 2.5\n\n c :-3e-2\n", {"a": 1.0, "b": 2.5, "c": -0.03}),
        ("Mean Error:0.5\r\n", {"Mean Error": 0.5}),
    ],
)
def test_lines_without_a_space_as_codalab_reads_them(text: str, scores: dict[str, float]) -> None:
    assert parse_scores("scores.txt", text.encode(), list(scores)) == scores


@pytest.mark.parametrize("text", ["correct", "1", "a:1\nb", "a:1\nb:x", ":1", "a:nan"])
def test_other_lines_are_none(text: str) -> None:
    with pytest.raises(BadScores):
        parse_scores("scores.txt", text.encode(), ["a"])
