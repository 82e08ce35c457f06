"""What people have in memory, as the file that a phase wants: by real NumPy and pandas, and checked before."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from podium.client.writing import prepared
from podium.platform.bundles.submission_formats import CellType, FormatColumn, FormatKind, SubmissionFormat
from podium.platform.client.packing import packed_submission
from podium.platform.client.progress import silent
from podium.platform.errors import InvalidInput, PlatformFault
from podium.platform.records.competitions import PhaseRecord

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPECIES = SubmissionFormat(
    "predictions.csv", FormatKind.CSV, (FormatColumn("species", values=("daisy", "poppy")),), rows=3
)
PAIRS = SubmissionFormat(
    "predictions.csv",
    FormatKind.CSV,
    (FormatColumn("id", CellType.INTEGER), FormatColumn("value", CellType.NUMBER)),
    rows=2,
)


def phase(expected: SubmissionFormat | None, **changes: object) -> PhaseRecord:
    fields = {
        "number": 1,
        "name": "Final",
        "description": "",
        "start": NOW,
        "end": None,
        "status": "open",
        "max_submissions_per_day": None,
        "max_submissions": None,
        "execution_time_limit": 60,
        "only_result_submissions": True,
        "tasks": (),
        "submission_format": expected,
    }
    return PhaseRecord(**{**fields, **changes})  # type: ignore[arg-type]


def written(value: object, expected: SubmissionFormat | None, **changes: object) -> dict[str, bytes]:
    """What would arrive: the files of the zip that is sent."""
    with prepared(value, phase(expected, **changes)) as ready, packed_submission(ready.path, silent) as parcel:
        if not zipfile.is_zipfile(parcel.path):
            return {parcel.name: parcel.path.read_bytes()}
        with zipfile.ZipFile(parcel.path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def refused(value: object, expected: SubmissionFormat | None, **changes: object) -> str:
    with pytest.raises(InvalidInput) as caught, prepared(value, phase(expected, **changes)):
        pass
    return str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        ["daisy", "poppy", "daisy"],
        ("daisy", "poppy", "daisy"),
        np.array(["daisy", "poppy", "daisy"]),
        np.array([["daisy"], ["poppy"], ["daisy"]]),
        {"species": ["daisy", "poppy", "daisy"]},
        {"species": np.array(["daisy", "poppy", "daisy"])},
        {"species": pd.Series(["daisy", "poppy", "daisy"])},
        [{"species": "daisy"}, {"species": "poppy"}, {"species": "daisy"}],
        pd.DataFrame({"species": ["daisy", "poppy", "daisy"]}),
        pd.DataFrame({"species": ["daisy", "poppy", "daisy"]}, index=[7, 3, 1]),
        pd.DataFrame({"species": pd.Categorical(["daisy", "poppy", "daisy"])}),
        pd.Series(["daisy", "poppy", "daisy"]),
        pd.Series(["daisy", "poppy", "daisy"], name="predicted"),
        pa.table({"species": ["daisy", "poppy", "daisy"]}),
        np.array([("daisy",), ("poppy",), ("daisy",)], dtype=[("species", "U10")]),
        (name for name in ["daisy", "poppy", "daisy"]),
        OrderedDict(species=["daisy", "poppy", "daisy"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_column_may_come_as_anything(value: object):
    assert written(value, SPECIES) == {"predictions.csv": b"species\ndaisy\npoppy\ndaisy\n"}


@pytest.mark.parametrize(
    "value",
    [
        {1: 0.5, 2: 1.25},
        [(1, 0.5), (2, 1.25)],
        [[1, 0.5], [2, 1.25]],
        np.array([[1, 0.5], [2, 1.25]]),
        {"value": [0.5, 1.25], "id": np.array([1, 2], dtype=np.int32)},
        pd.DataFrame({"value": [0.5, 1.25], "id": [1, 2]}),
        pd.DataFrame({"value": [0.5, 1.25]}, index=pd.Index([1, 2], name="id")),
        pd.Series([0.5, 1.25], index=pd.Index([1, 2], name="id")),
        [np.array([1, 0.5]), np.array([2, 1.25])],
        [{"value": np.float64(0.5), "id": np.int64(1)}, {"id": 2, "value": 1.25}],
    ],
    ids=lambda value: type(value).__name__,
)
def test_two_columns_come_in_the_order_that_the_phase_names(value: object):
    (content,) = written(value, PAIRS).values()
    lines = content.decode().splitlines()
    assert lines[0] == "id,value"
    assert [tuple(map(float, line.split(","))) for line in lines[1:]] == [(1, 0.5), (2, 1.25)]


def test_numbers_keep_all_of_their_digits():
    value = 0.1 + 0.2
    (content,) = written(pd.DataFrame({"id": [1, 2], "value": [value, 1e-300]}), PAIRS).values()
    assert content.decode().splitlines()[1:] == [f"1,{value!r}", "2,1e-300"]


def test_every_problem_of_a_table_is_told_at_once_with_its_rows():
    frame = pd.DataFrame(
        {"id": [1, 2.5, 3, 4], "valeu": [1, 2, 3, 4], "value": [np.nan, np.inf, "x", 1.0]}, dtype=object
    )
    text = refused(frame, PAIRS)
    for part in (
        "the phase 'Final' takes (predictions.csv: columns id (integer), value (number); 2 rows).",
        "Column 'valeu' is not wanted.",
        "It has 4 rows, and 2 are wanted.",
        "Column 'id' is not a whole number, such as 2.5 (row 2).",
        "Column 'value' is empty (row 1).",
        "Column 'value' is infinite, such as inf (row 2).",
        "Column 'value' is not a number, such as 'x' (row 3).",
        "Nothing was sent: this is not what the phase",
    ):
        assert part in text, text


def test_a_fault_of_many_rows_is_told_once():
    text = refused(["rose"] * 1000, SPECIES)
    assert "Column 'species' in 1,000 rows is none of daisy, poppy, such as 'rose' (rows 1, 2, 3, 4, 5, ...)." in text
    assert len(text.splitlines()) < 6


@pytest.mark.parametrize(
    ("value", "expected", "part"),
    [
        (np.zeros((2, 3)), PAIRS, "It has 3 columns without names, and 2 are wanted: id, value."),
        (np.zeros((2, 2, 2)), PAIRS, "An array of the shape (2, 2, 2) is no table"),
        (np.float64(3), PAIRS, "An array of the shape () is no table"),
        ({"id": [1, 2], "value": [1.0]}, PAIRS, "'id' has 2, 'value' has 1"),
        ({"id": [1, 2], "value": np.zeros((2, 2))}, PAIRS, "A column of the shape (2, 2) has several values"),
        ({"id": [1, 2], "value": 3}, PAIRS, "Some columns are no lists: value"),
        ([[1, 2], [3]], PAIRS, "Not every row has 2 cells, such as [3] (row 2)."),
        ([{"id": 1, "value": 2}, 7], PAIRS, "Item 1 is 7, and others are dicts"),
        ([{"id": 1, "value": 2}, {"id": 1}], PAIRS, "Column 'value' is empty (row 2)"),
        ([], PAIRS, "It has 0 rows, and 2 are wanted."),
        ({}, PAIRS, "Columns 'id', 'value' are missing."),
        (pd.DataFrame({"id": [1, 2], "value": [pd.NA, pd.NaT]}), PAIRS, "Column 'value' in 2 rows is empty"),
        (pd.DataFrame([[1, 2], [3, 4]]), PAIRS, "Columns '0', '1' are not wanted."),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["id", "id"]), PAIRS, "Column 'id' is there more than once."),
        ([True, False], SPECIES, "is none of daisy, poppy, such as True"),
        (3, SPECIES, "A int is no table."),
        (object(), SPECIES, "A object is no table."),
        ("nowhere.csv", SPECIES, "There is no file or folder nowhere.csv. A text is taken for a path"),
        (None, SPECIES, "A NoneType is no table."),
    ],
)
def test_what_does_not_fit_says_why(value: object, expected: SubmissionFormat, part: str):
    assert part in refused(value, expected)


def test_values_may_be_missing_where_the_phase_says_so():
    expected = SubmissionFormat("p.csv", FormatKind.CSV, (FormatColumn("a", CellType.NUMBER, may_be_empty=True),))
    assert written([1.5, None, float("nan")], expected) == {"p.csv": b'a\n1.5\n""\n""\n'}


def test_labels_that_became_numbers_are_known_again():
    expected = SubmissionFormat("p.csv", FormatKind.CSV, (FormatColumn("a", values=("0", "1")),))
    assert written(np.array([0.0, 1.0]), expected)


def test_json_and_json_lines():
    fields = (FormatColumn("id"), FormatColumn("box"))
    frame = pd.DataFrame({"id": ["ä", "b"], "box": [1, 2]})
    lines = SubmissionFormat("p.jsonl", FormatKind.JSONL, fields, rows=2)
    assert written(frame, lines) == {"p.jsonl": '{"id": "ä", "box": 1}\n{"id": "b", "box": 2}\n'.encode()}
    whole = SubmissionFormat("p.json", FormatKind.JSON, fields, rows=2)
    assert json.loads(written(frame, whole)["p.json"]) == [{"id": "ä", "box": 1}, {"id": "b", "box": 2}]
    boxes = {"id": ["a", "b"], "box": np.arange(4).reshape(2, 2)}
    assert json.loads(written(boxes, whole)["p.json"]) == {"id": ["a", "b"], "box": [[0, 1], [2, 3]]}
    text = refused([{"id": "a"}, {"id": "b", "box": 1, "more": 2}, 7], whole)
    for part in ("'box' is missing", "'more' is not wanted", "Not every item is an object", "3 rows, and 2 are wanted"):
        assert part in text, text
    assert "NaN and infinite numbers are no JSON: at $.a[1].b." in refused(
        {"a": [1, {"b": float("nan")}]}, SubmissionFormat("p.json", FormatKind.JSON)
    )
    assert "has no place in JSON" in refused({"a": object()}, SubmissionFormat("p.json", FormatKind.JSON))


def test_arrays():
    expected = SubmissionFormat("p.npy", FormatKind.NPY, shape=(0, 3))
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for value in (array, array.tolist(), pd.DataFrame(array)):
        assert np.load(io.BytesIO(written(value, expected)["p.npy"])).tolist() == array.tolist()
    assert "has the shape (3, 2), and (any, 3) is wanted" in refused(array.T, expected)
    assert "holds Python objects" in refused(np.array([[object()] * 3]), expected)
    array[1, 2] = np.nan
    assert "has 1 values that are NaN or infinite, at (1, 2)." in refused(array, expected)


def test_several_arrays():
    columns = (FormatColumn("mean"), FormatColumn("std"))
    expected = SubmissionFormat("p.npz", FormatKind.NPZ, columns, rows=2)
    content = written({"mean": np.zeros((2, 4)), "std": [1, 2]}, expected)["p.npz"]
    with np.load(io.BytesIO(content)) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {"mean": (2, 4), "std": (2,)}
    text = refused({"mean": np.zeros((3, 4)), "more": np.zeros(2)}, expected)
    for part in ("Field 'std' is missing", "Field 'more' is not wanted", "'mean' has 3 rows, and 2 are wanted"):
        assert part in text, text


def test_lines_of_text():
    expected = SubmissionFormat("answers", FormatKind.TXT, rows=2)
    assert written(np.array([1, 2]), expected) == {"answers": b"1\n2\n"}
    text = refused(["a\nb", "", "c"], expected)
    for part in ("has several lines", "is empty (row 2)", "3 rows, and 2 are wanted"):
        assert part in text, text


def test_several_files():
    expected = SubmissionFormat("", FormatKind.ZIP, files=("a.txt", "b/c.bin"))
    assert written({"a.txt": "ä", "b/c.bin": b"\0"}, expected) == {"a.txt": "ä".encode(), "b/c.bin": b"\0"}
    assert "'b/c.bin' is missing." in refused({"a.txt": "x"}, expected)
    assert "'../a.txt' is not the path" in refused({"../a.txt": "x", "a.txt": "", "b/c.bin": ""}, expected)
    assert "give a folder, a zip, or a dict" in refused([1], expected)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (pd.DataFrame({"a": [1]}), "predictions.csv"),
        ({"a": [1, 2], "b": np.arange(2)}, "predictions.csv"),
        ([{"a": 1}], "predictions.csv"),
        (np.arange(3), "predictions.npy"),
        ({"a": np.zeros((2, 2)), "b": np.zeros(3)}, "predictions.npz"),
        ([1, 2, 3], "predictions.txt"),
        ({"a": {"b": 1}}, "predictions.json"),
        ([[1, 2], [3, 4]], "predictions.json"),
    ],
)
def test_where_nothing_is_declared_there_is_a_guess_which_is_told(value: object, name: str):
    with prepared(value, phase(None)) as ready:
        assert "does not say what it takes" in ready.said
        assert ready.path.name == name
    assert list(written(value, None)) == [name]


def test_files_are_checked_and_get_the_name_that_is_wanted(tmp_path: Path):
    mine = tmp_path / "meine Tüte v3.csv"
    mine.write_text("\ufeffspecies\ndaisy\npoppy\ndaisy\n")
    assert written(mine, SPECIES) == {"predictions.csv": mine.read_bytes()}
    assert written(str(mine), SPECIES) == {"predictions.csv": mine.read_bytes()}
    with mine.open() as file:
        assert written(file, SPECIES)
    with mine.open("rb") as file:
        assert written(file, SPECIES)
    assert written(mine.read_bytes(), SPECIES) == {"predictions.csv": mine.read_bytes()}
    mine.write_text("Species;x\ndaisy;1\n")
    for part in ("Column 'species' is missing", "has ';' in it", "1 rows, and 3 are wanted"):
        assert part in refused(mine, SPECIES)
    mine.write_bytes(b"species\n\xff\xfe\n")
    assert "It is not UTF-8 text" in refused(mine, SPECIES)
    assert "file.seek(0)" in refused(io.BytesIO(), SPECIES)
    other = tmp_path / "notes.pdf"
    other.write_text("x")
    assert "'notes.pdf' is not a csv" in refused(other, SPECIES)


def test_folders_and_zips_are_looked_into(tmp_path: Path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "predictions.csv").write_text("species\ndaisy\n")
    (folder / "readme.md").write_text("x")
    assert "1 rows, and 3 are wanted" in refused(folder, SPECIES)
    (folder / "predictions.csv").write_text("species\ndaisy\npoppy\ndaisy\n")
    assert set(written(folder, SPECIES)) == {"predictions.csv", "readme.md"}
    archive = tmp_path / "s.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("results/predictions.csv", "species\n")
    text = refused(archive, SPECIES)
    assert "no 'predictions.csv' at the top: it is there as 'results/predictions.csv'" in text
    # Where code is taken too, what has no such file is code.
    assert written(archive, SPECIES, only_result_submissions=False)
    (folder / "predictions.csv").unlink()
    assert set(written(folder, SPECIES, only_result_submissions=False)) == {"readme.md"}


def test_numpys_files_are_checked_without_numpy(tmp_path: Path):
    expected = SubmissionFormat("p.npy", FormatKind.NPY, shape=(2, 3))
    np.save(tmp_path / "mine.npy", np.zeros((3, 2)))
    assert "has the shape (3, 2)" in refused(tmp_path / "mine.npy", expected)
    np.save(tmp_path / "mine.npy", np.zeros((2, 3)))
    assert list(written(tmp_path / "mine.npy", expected)) == ["p.npy"]
    (tmp_path / "mine.npy").write_bytes(b"PK")
    assert "does not begin as NumPy's files do" in refused(tmp_path / "mine.npy", expected)
    several = SubmissionFormat("p.npz", FormatKind.NPZ, (FormatColumn("a"),), rows=2)
    np.savez(tmp_path / "mine.npz", a=np.zeros(3))
    assert "'a' has 3 rows, and 2 are wanted" in refused(tmp_path / "mine.npz", several)


@pytest.mark.parametrize("name", ["../p.csv", "/tmp/p.csv", "a/../../p.csv", "", "a\\p.csv"])
def test_no_gateway_says_where_on_this_machine_something_is_written(name: str, tmp_path: Path):
    hostile = SubmissionFormat(name, FormatKind.CSV)
    mine = tmp_path / "mine.csv"
    mine.write_text("a\n1\n")
    for value in ({"a": [1]}, mine, b"a\n1\n"):
        with pytest.raises(PlatformFault, match="is not the path of a file in a submission"):
            written(value, hostile)


def test_a_phase_of_containers_takes_no_values():
    assert "takes images of containers, not a list" in refused([1], None, container_submissions=True)


def test_the_same_is_written_to_the_same_bytes_twice():
    def packed() -> bytes:
        with (
            prepared({"species": ["daisy"] * 3}, phase(SPECIES)) as ready,
            packed_submission(ready.path, silent) as one,
        ):
            return one.path.read_bytes()

    assert packed() == packed()


def test_many_rows_are_written_as_they_come():
    expected = SubmissionFormat("p.csv", FormatKind.CSV, (FormatColumn("v", CellType.NUMBER),), rows=200_000)
    with prepared(np.linspace(0, 1, 200_000), phase(expected)) as ready:
        assert ready.path.stat().st_size > 3_000_000


def test_nothing_of_numpy_is_loaded_for_what_is_not_numpys():
    code = """
import sys
from podium.client.writers import WRITERS
from podium.platform.bundles.submission_formats import FormatKind, SubmissionFormat
from pathlib import Path
import tempfile
with tempfile.TemporaryDirectory() as folder:
    WRITERS[FormatKind.CSV]({"a": [1, 2]}, SubmissionFormat("p.csv", FormatKind.CSV), Path(folder, "p.csv"))
print([name for name in ("numpy", "pandas", "IPython") if name in sys.modules])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
