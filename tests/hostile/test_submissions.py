"""Each hostile submission is contained, gets the verdict that it deserves, and leaves no trace."""

from __future__ import annotations

import re
from collections.abc import Callable

import archives
import commands
import exhaustion
import outputs
import privileges
import pytest
import reach
import scores
from case import Case
from proving_ground import ProvingGround, is_over

FAMILIES = (exhaustion, outputs, archives, commands, scores, reach, privileges)
CASES = tuple(case for family in FAMILIES for case in family.CASES)

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(
    ("case", "executor"),
    [pytest.param(case, executor, id=f"{case.name}-{executor}") for case in CASES for executor in case.executors],
)
def test_it_is_contained(case: Case, executor: str, grounds: Callable[[str], ProvingGround]) -> None:
    ground = grounds(executor)
    ended = ground.run(case)
    told = f"{ended.evaluation.verdict}: {ended.evaluation.message}\n{ended.log[-2000:]}"
    assert is_over(ended), told
    assert ended.evaluation.verdict == case.verdict, told
    for said in case.says:
        assert re.search(said, ended.evaluation.message), told
    for shown in case.shows:
        assert shown in ended.log, told
    for hidden in case.hides:
        assert hidden not in ended.log, told
    found = {score.key: score.value for score in ended.evaluation.scores}
    assert found == (case.scores if case.verdict is None else {}), told
    predicted = ended.outputs.get("prediction_output")
    names = set(predicted.namelist()) if predicted else set()
    assert names >= set(case.outputs)
    assert not names & set(case.lacks)
    assert ground.traces(ended) == []


def test_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
