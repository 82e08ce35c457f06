"""The example notebook, run by Jupyter's own kernel against a whole Podium, and the client that it shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from podium.client import Client, Competition, Submission
from podium.platform.client.uploads import UploadCalls
from podium.platform.errors import PlatformFault

if TYPE_CHECKING:
    from conftest import Podium, User

ROOT = Path(__file__).parents[3]
NOTEBOOK = ROOT / "examples" / "notebooks" / "meadow_flowers.ipynb"
SUBMISSIONS = ROOT / "examples" / "meadow-flowers" / "submissions"


@pytest.fixture
def signed_in(ada: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> User:
    """Ada's environment is this process's."""
    for name in ("PODIUM_GATEWAY", "PODIUM_COMPETITION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PODIUM_URL", ada.gateway)
    monkeypatch.setenv("PODIUM_TOKEN", ada.token)
    monkeypatch.setenv("PODIUM_CONFIG", str(tmp_path / "none.json"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "jupyter"))
    return ada


def outputs(cell: Any) -> str:  # noqa: ANN401  # nbformat's own
    """Everything that a cell showed, as text."""
    texts = [output.get("text", "") + str(output.get("data", {})) for output in cell.get("outputs", ())]
    return "".join(texts)


def test_the_example_notebook_runs(signed_in: User, tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")] == []
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = "\n".join(outputs(cell) for cell in notebook.cells)
    for part in (
        "columns species (one of cornflower, field_scabious, oxeye_daisy); 120 rows",
        "It has 101 rows, and 120 are wanted.",
        "is none of cornflower, field_scabious, oxeye_daisy, such as 'rose' (row 101).",
        '<div role="status">',
        "120 plants,",
        "finished",
        signed_in.name,
    ):
        assert part in shown, shown
    with Client(signed_in.gateway, signed_in.token) as client:
        # The mistake was never announced: there is one submission.
        (made,) = client.submissions("meadow-flowers")
        assert made.message == "fifteen neighbours"
        accuracy = {score.key: score.value for score in made.scores}["accuracy"]
    assert accuracy > 0.8
    assert f"'accuracy': {accuracy!r}" in shown


def test_an_upload_that_broke_off_goes_on_and_a_repetition_is_told(
    signed_in: User, podium: Podium, monkeypatch: pytest.MonkeyPatch
) -> None:
    flowers = Competition("meadow-flowers")
    model = SUBMISSIONS / "nearest-neighbours"

    def broken(*_: object) -> None:
        raise PlatformFault("The cable is out.")

    with monkeypatch.context() as patch:
        patch.setattr(UploadCalls, "_send", broken)
        with pytest.raises(PlatformFault):
            flowers.submit(model, message="model")
    (left,) = flowers.submissions()
    assert left.require_record().status == "submitted"
    made = flowers.submit(model, message="model")
    assert made.id == left.id
    assert made.notes == (f"The upload of submission {left.number} goes on where it broke off.",)
    again = flowers.submit(model, message="model")
    assert again.notes == (f"It has the same content as your submission {left.number}.",)
    assert again.cancel().status == "cancelled"
    assert set(Submission(made.id).wait(timeout=100).scores) == {"accuracy", "hardest"}
    kinds = {output.kind for output in made.outputs()}
    assert {"scoring_output", "detailed_results"} <= kinds
    left_over = flowers.quota()
    assert left_over.can
