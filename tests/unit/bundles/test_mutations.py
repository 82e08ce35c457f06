"""Whatever is done to a bundle, reading it gives problems, and never raises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.platform.bundles.problems import Severity
from podium.platform.bundles.reader import read_bundle

MORE = """\
solutions:
  - {index: 0, tasks: [0], path: reference_data}
fact_sheet:
  method: {key: method, type: select, title: Method, selection: [a, b], is_required: "true", is_on_leaderboard: "false"}
"""

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.text(max_size=20),
    st.sampled_from(["../x", "/", ".", "pages", "0", "2026-13-45", "\0", "1e400", "<<", "=", "0x1F", "1:30", "~"]),
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3))

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def bundle(make_bundle: Callable[..., Path]) -> Path:
    return make_bundle(("phases:", MORE + "phases:"))


def places(node: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def check(bundle: Path, data: bytes) -> None:
    (bundle / "competition.yaml").write_bytes(data)
    with read_bundle(bundle) as reading:
        errors = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
        assert reading.refused == bool(errors)
        assert all(problem.message for problem in reading.problems)
        assert all(problem.line is None or problem.line >= 1 for problem in reading.problems)
        for problem in reading.problems:
            str(problem).encode()


def test_the_bundle_is_right_to_begin_with(bundle: Path):
    with read_bundle(bundle) as reading:
        assert reading.problems == ()


@quick
@given(data=st.data())
def test_any_value_may_be_replaced_by_another(data: st.DataObject, bundle: Path, competition_yaml: str):
    tree = yaml.safe_load(competition_yaml.replace("phases:", MORE + "phases:"))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(tree)[1:]))
        parent = tree
        for part in path[:-1]:
            parent = parent[part]
        if data.draw(st.booleans()):
            parent[path[-1]] = data.draw(values)
        elif isinstance(parent, dict):
            parent[data.draw(scalars)] = parent.pop(path[-1])
        else:
            parent.append(parent[path[-1]])
    check(bundle, yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


@quick
@given(data=st.data())
def test_any_characters_may_be_replaced_by_others(data: st.DataObject, bundle: Path, competition_yaml: str):
    text = bytearray(competition_yaml.replace("phases:", MORE + "phases:").encode())
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        piece = st.binary(max_size=4) | st.text(alphabet="\n\t -:[]{}&*!|>'\"#%0a~<", max_size=6).map(str.encode)
        text[start:end] = data.draw(piece)
    check(bundle, bytes(text))


@quick
@given(st.binary(max_size=300))
def test_any_bytes_may_be_a_zip(tmp_path: Path, data: bytes):
    path = tmp_path / "any.zip"
    path.write_bytes(data)
    with read_bundle(path) as reading:
        assert reading.refused
