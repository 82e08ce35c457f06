"""Whatever is done to a bundle, reading it gives problems, and never raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


OLD_PHASES = """\
  3: {phasenumber: 3, label: All, start_date: 2026-08-01, is_parallel_parent: true, is_scoring_only: true}
  4:
    phasenumber: 4
    label: One
    start_date: 2026-08-01
    parent_phasenumber: 3
    scoring_program: program.zip
    reference_data: reference.zip
leaderboard:
"""
OLD_GROUPS = "  column_groups:\n    Ranks: &RANKS {label: Ranks}\n"
OLD_COLUMN = """\
    average:
      leaderboard: *RESULTS
      column_group: *RANKS
      sort: asc
      computed: {operation: Avg, fields: "accuracy, loss", weights: "0.5, 0.5"}
"""


@dataclass(frozen=True)
class Whole:
    """A bundle that is right, and the text of its `competition.yaml`."""

    folder: Path
    text: str


@pytest.fixture(params=["version 2", "version 1.8"])
def whole(
    request: pytest.FixtureRequest, make_bundle: Callable[..., Path], make_old_bundle: Callable[..., Path]
) -> Whole:
    if request.param == "version 2":
        folder = make_bundle(("phases:", MORE + "phases:"))
    else:
        folder = make_old_bundle(("leaderboard:\n", OLD_PHASES), ("  leaderboards:", f"{OLD_GROUPS}  leaderboards:"))
        file = folder / "competition.yaml"
        file.write_text(file.read_text() + OLD_COLUMN)
    return Whole(folder, (folder / "competition.yaml").read_text())


def places(node: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def check(folder: Path, data: bytes) -> None:
    (folder / "competition.yaml").write_bytes(data)
    with read_bundle(folder) as reading:
        errors = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
        assert reading.refused == bool(errors)
        assert all(problem.message for problem in reading.problems)
        assert all(problem.line is None or problem.line >= 1 for problem in reading.problems)
        for problem in reading.problems:
            str(problem).encode()


def test_the_bundle_is_right_to_begin_with(whole: Whole):
    with read_bundle(whole.folder) as reading:
        assert not reading.refused
        assert all("becomes one phase" in problem.message for problem in reading.problems)


@quick
@given(data=st.data())
def test_any_value_may_be_replaced_by_another(data: st.DataObject, whole: Whole):
    tree = yaml.safe_load(whole.text)
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
    check(whole.folder, yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


@quick
@given(data=st.data())
def test_any_characters_may_be_replaced_by_others(data: st.DataObject, whole: Whole):
    text = bytearray(whole.text.encode())
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        piece = st.binary(max_size=4) | st.text(alphabet="\n\t -:[]{}&*!|>'\"#%0a~<", max_size=6).map(str.encode)
        text[start:end] = data.draw(piece)
    check(whole.folder, bytes(text))


@quick
@given(st.binary(max_size=300))
def test_any_bytes_may_be_a_zip(tmp_path: Path, data: bytes):
    path = tmp_path / "any.zip"
    path.write_bytes(data)
    with read_bundle(path) as reading:
        assert reading.refused
