"""Messages quote what programs chose: names of files, keys of scores."""

from __future__ import annotations

from uuid import UUID

import pytest

from podium.platform.jobs import EvaluationResult, Handback
from podium.platform.lifecycle import AttemptOutcome


@pytest.mark.parametrize(
    ("chosen", "told"),
    [("a\0b", "a?b"), ("\ud800", "?"), ("\x1b[2J", "?[2J"), ("a\u202eb", "a?b"), ("fine\n\tå", "fine\n\tå")],
)
def test_what_can_not_be_stored_or_shown_is_replaced(chosen: str, told: str) -> None:
    result = EvaluationResult(evaluation_id=UUID(int=1), outcome=AttemptOutcome.USER_ERROR, message=chosen)
    assert result.message == told
    assert Handback(reason=chosen).reason == told
    assert EvaluationResult.model_validate_json(result.model_dump_json()) == result
