"""Ids and slugs."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform import identifiers
from podium.platform.identifiers import SLUG_MAX, SLUG_PATTERN, new_id, slug_of


def test_an_id_is_a_uuid_of_version_7() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= after


def test_ids_sort_by_the_millisecond_of_their_making(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [1, 2, 1_700_000_000_000, 1_700_000_000_001, (1 << 48) - 1]
    made = []
    for moment in moments:
        monkeypatch.setattr(identifiers.time, "time_ns", lambda moment=moment: moment * 1_000_000)
        made.append(new_id())
    assert sorted(made) == made
    assert moments == [found.int >> 80 for found in made]
    assert {7} == {found.version for found in made}


def test_ids_of_one_millisecond_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identifiers.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    assert len({new_id() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("bits", [0, (1 << 74) - 1])
def test_random_bits_never_touch_version_and_variant(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    monkeypatch.setattr(identifiers.secrets, "randbits", lambda _: bits)
    made = new_id()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Iris Flowers", "iris-flowers"),
        ("  Élan -- vital!  ", "elan-vital"),
        ("C++ & Rust_2", "c-rust-2"),
        ("日本", "competition"),
        ("", "competition"),
        ("a" * 59 + " b", "a" * 59),
        ("../../etc", "etc"),
    ],
)
def test_slugs_of_titles(title: str, slug: str) -> None:
    assert slug == slug_of(title)


@given(st.text())
def test_every_title_has_a_slug(title: str) -> None:
    slug = slug_of(title)
    assert re.fullmatch(SLUG_PATTERN, slug)
    assert len(slug) <= SLUG_MAX
    assert slug == slug_of(slug)
