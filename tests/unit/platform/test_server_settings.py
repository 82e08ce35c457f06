"""The operator's maxima of limits, as they are written into the environment."""

from __future__ import annotations

import pytest

from podium.platform.errors import InvalidInput
from podium.platform.settings import read_settings


@pytest.fixture(autouse=True)
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_DATABASE_URL", "postgresql://podium@localhost/podium")
    monkeypatch.setenv("PODIUM_STORAGE_URL", "file:///tmp/podium")
    monkeypatch.setenv("PODIUM_SECRET_KEY", "x" * 32)


def test_maxima_are_written_in_the_words_of_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().limit_maxima == {}
    monkeypatch.setenv("PODIUM_LIMIT_MAXIMA", '{"memory": "16 GiB", "wall": "2 h", "gpus": 0}')
    assert read_settings().limit_maxima == {"memory_bytes": 16 * 2**30, "wall_seconds": 7200, "gpus": 0}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("16 GiB", 'PODIUM_LIMIT_MAXIMA: it is no JSON .*write {"memory": "16 GiB"}'),
        ('{"memroy": "16 GiB"}', "PODIUM_LIMIT_MAXIMA: There is no limit `memroy`. Did you mean `memory`?"),
        ('{"memory": "lots"}', "PODIUM_LIMIT_MAXIMA: The maximum of `memory`: `lots` is not an amount"),
        ('["memory"]', "PODIUM_LIMIT_MAXIMA: input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_names_the_variable(monkeypatch: pytest.MonkeyPatch, written: str, says: str) -> None:
    monkeypatch.setenv("PODIUM_LIMIT_MAXIMA", written)
    with pytest.raises(InvalidInput, match=says.replace("?", r"\?").replace("{", r"\{")):
        read_settings()
