"""YAML keeps its lines and its texts, and makes nothing but text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.platform.bundles.yaml_source import Entry, Items, Mapping, Scalar, load_yaml


def fault(text: str | bytes) -> tuple[int | None, str, str]:
    document = load_yaml(text.encode() if isinstance(text, str) else text)
    first = document.faults[0]
    return first.line, first.message, first.suggestion


def test_lines_and_texts_are_kept():
    assert load_yaml(b"a: 2024-04-10 14:00:00+02:00\nb:\n  - yes\n  - '1'\n").root == Mapping(
        1,
        (
            Entry("a", 1, Scalar(1, "2024-04-10 14:00:00+02:00", "timestamp")),
            Entry("b", 2, Items(3, (Scalar(3, "yes", "bool"), Scalar(4, "1", "str")))),
        ),
    )


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "\ufeff"])
def test_an_empty_file_has_no_root(text: str):
    assert load_yaml(text.encode()).root is None
    assert load_yaml(text.encode()).faults == ()


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system [ls]",
        "!!python/name:os.system ''",
        "!!python/tuple [1]",
        "!!set {a}",
        "!local x",
        "!!binary aGk=",
        "!<tag:example.com,2000:x> y",
    ],
)
def test_tags_are_refused_by_line(tag: str):
    line, message, _ = fault(f"a: 1\nb: {tag}\n")
    assert line == 2
    assert "is not allowed here" in message


def test_plain_tags_are_understood():
    document = load_yaml(b"a: !!str 2")
    assert document.faults == ()
    assert document.root == Mapping(1, (Entry("a", 1, Scalar(1, "2", "str")),))


@pytest.mark.parametrize(
    ("text", "line", "message", "suggestion"),
    [
        ("a:\n\tb: 1\n", 2, "tab", "Indent with spaces"),
        ("a: 1\nb: c: d\n", 2, "column 5, at 'b: c: d'", "in quotes"),
        ("a: @b\n", 1, "cannot start", "in quotes"),
        ("a: *b\n", 1, "undefined alias", "begins with `*`"),
        ("a: 'b\n", 2, "unexpected end", "Close the quotes"),
        ("a: [1, 2\n", 2, "column 1", "Close the quotes or brackets"),
        ("a: 1\n---\nb: 2\n", 2, "another document", "Keep one document"),
        ("a: 1\n b: 2\n", 2, "mapping values", "indentation"),
        ("a: \x07\n", 1, "U+0007", "Delete it"),
        ('a: "\\UFFFFFFFF"\n', None, "names no character", ""),
        ("? [a]\n: b\n", 1, "A key must be a word", ""),
        ("a: &a [*a]\n", 1, "contains itself", "Write the value out"),
        ("[" * 60, 1, "nested more than 50", "flatter"),
        (b"a: \xe9\n", 1, "not UTF-8", "Save it as UTF-8"),
        (b"a: b\n\nc: \xff\n", 3, "not UTF-8", "Save it as UTF-8"),
        ("a: b".encode("utf-16"), 1, "not UTF-8", "Save it as UTF-8"),
        ("<<: 3\n", 1, "takes a mapping", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str | bytes, line: int | None, message: str, suggestion: str):
    found = fault(text)
    assert found[0] == line
    assert message in found[1]
    assert suggestion in found[2]


def test_a_key_twice_names_both_lines():
    assert fault("a: 1\nb: 2\na: 3\n") == (3, "`a` stands here and on line 1 already.", "Keep one of them.")


@pytest.mark.parametrize("empty", ["[]", "", "~", "{}", "''"])
def test_a_key_twice_is_harmless_where_the_first_is_empty(empty: str):
    document = load_yaml(f"a: {empty}\na: 3\n".encode())
    assert [found.is_harmless for found in document.faults] == [True]
    assert document.root == Mapping(1, (Entry("a", 2, Scalar(2, "3", "int")),))


def test_merge_keys_work():
    document = load_yaml(b"d: &d {x: 1, y: 1}\ne: &e {x: 2, z: 2}\nf:\n  <<: [*d, *e]\n  y: 3\n")
    assert document.faults == ()
    assert isinstance(document.root, Mapping)
    merged = document.root.entries[2].value
    assert isinstance(merged, Mapping)
    assert {entry.key: entry.value for entry in merged.entries} == {
        "x": Scalar(1, "1", "int"),
        "y": Scalar(5, "3", "int"),
        "z": Scalar(2, "2", "int"),
    }


def test_an_alias_bomb_is_refused():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(97 + n)}: &{chr(97 + n)} [{', '.join([f'*{chr(96 + n)}'] * 9)}]" for n in range(1, 12)]
    assert "aliases counted in full" in fault("\n".join(lines))[1]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    ["x" * (10 << 20), "a: 1\n" * 150_000, "- [a, b]\n" * 100_000, "- &a x\n" * 140_000],
    ids=["a word", "keys", "lists", "anchors"],
)
def test_a_large_file_is_refused_in_time(text: str):
    assert fault(text)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200), st.text(alphabet="ab:-[]{}&*!|>'\"#%@`\\\n\t 01~<,?", max_size=80).map(str.encode)
    )
)
def test_nothing_is_ever_raised(data: bytes):
    load_yaml(data)
