"""Bodies of calls: what is cleaned and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from podium.platform.gateway.requests import NewBundle, NewSubmission

SHA256 = "0" * 64


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("predictions.zip", "predictions.zip"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("folder/", "folder"),
        ("/", "file"),
        ("..", "file"),
        ("../..", "file"),
        (".", "file"),
        ("a\r\nSet-Cookie: x", "a__Set-Cookie: x"),
        ("a\x00b\x7f", "a_b_"),
        ("ünï.zip", "ünï.zip"),
        ("x" * 300, "x" * 255),
    ],
)
def test_filenames(sent: str, kept: str) -> None:
    assert kept == NewSubmission(filename=sent, size=1, sha256=SHA256).filename


@given(st.text(min_size=1, max_size=1000))
def test_a_filename_is_one_name_without_control_characters(sent: str) -> None:
    try:
        kept = NewSubmission(filename=sent, size=1, sha256=SHA256).filename
    except ValidationError:
        return  # nothing but spaces
    assert 0 < len(kept) <= 255
    assert kept not in {".", ".."}
    assert not set(kept) & {"/", "\\", *map(chr, range(32)), "\x7f"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"size": -1},
        {"sha256": "0" * 63},
        {"sha256": "A" * 64},
        {"filename": ""},
        {"filename": "x" * 1001},
        {"message": "x" * 1001},
        {"fact_sheet": {"a": 1}},
        {"fact_sheet": {str(at): "" for at in range(101)}},
        {"unknown": True},
    ],
)
def test_submissions_that_are_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NewSubmission.model_validate({"filename": "a.zip", "size": 1, "sha256": SHA256, **wrong})


@pytest.mark.parametrize("slug", ["", "A", "-a", "a-", "a_b", "a/b", "..", "ä", "a" * 61, "a\n"])
def test_slugs_that_are_none(slug: str) -> None:
    with pytest.raises(ValidationError):
        NewBundle.model_validate({"filename": "a.zip", "size": 1, "sha256": SHA256, "slug": slug, "start_now": "?"})
    if slug != "a\n":  # spaces around a text are taken away
        with pytest.raises(ValidationError):
            NewBundle.model_validate({"filename": "a.zip", "size": 1, "sha256": SHA256, "slug": slug})
