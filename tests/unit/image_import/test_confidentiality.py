"""Nothing that may identify a person leaves an import: not in the file, not beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from dicom_files import dataset, ramp, write
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from podium.platform.images.confidentiality import kept_attributes, profile

SECRET = "SECRET"


def identifying() -> Dataset:
    """A slice with every attribute of the profile that takes a text."""
    made = dataset(ramp(0), Manufacturer="Maker", ConvolutionKernel="B30", KVP="120", BodyPartExamined="CHEST")
    for tag in profile():
        kind, *_ = DicomDictionary.get(tag, ("", ""))
        if tag >> 16 in (0, 2) or tag >> 16 >= 0x5000 or keyword_for_tag(tag) in ("SOPInstanceUID", ""):
            continue
        if kind in ("LO", "SH", "LT", "ST", "UT", "PN", "UC", "CS"):
            setattr(made, keyword_for_tag(tag), SECRET)
        elif kind in ("DA", "DT", "TM"):
            setattr(made, keyword_for_tag(tag), {"DA": "19121212", "DT": "19121212121212", "TM": "121212"}[kind])
    made.add_new(0x00091001, "LO", SECRET)
    item = Dataset()
    item.CodeMeaning, item.PatientName = SECRET, SECRET
    made.ProcedureCodeSequence = DicomSequence([item])
    made.SeriesDescription = f"{SECRET} series"
    made.PatientID, made.PatientName, made.PatientBirthDate = SECRET, SECRET, "19121212"
    return made


def test_what_identifies_is_in_none_of_the_results(uploads: Path, imported: Callable[..., Any]):
    write(uploads / "1.dcm", identifying())
    made = imported()
    folder = made.folder / made.report.images[0].folder
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    told = repr(asdict(made.only))
    for word in (SECRET, "19121212", "1.2.826.0.1.3680043.8.498"):
        assert word not in told
        assert word.encode() not in content
    assert made.only.attributes["Manufacturer"] == "Maker"
    assert made.only.attributes["KVP"] == "120"
    assert {"PatientName", "PatientID", "StudyInstanceUID", "ProcedureCodeSequence"} <= set(made.only.removed)
    assert "1 private attributes" in made.only.removed


def test_every_attribute_of_the_profile_is_removed_by_its_tag(tmp_path: Path):
    kept, removed = kept_attributes(write(tmp_path / "1.dcm", identifying()))
    listed = {keyword_for_tag(tag) for tag in profile()}
    assert not set(kept) & listed
    assert len(set(removed) & listed) > 200


def test_the_profile_is_that_of_the_standard():
    assert len(profile()) > 600
    assert {0x00100010, 0x00100020, 0x00080050, 0x0020000D, 0x00080090} <= profile()


def test_times_of_day_become_time_since_the_first(uploads: Path, imported: Callable[..., Any]):
    for number, time in enumerate(("235958", "000001.5")):
        given = {"ImagePositionPatient": [0, 0, 0], "TemporalPositionIdentifier": number, "ContentTime": time}
        write(uploads / f"{number}.dcm", dataset(ramp(number), Exposure=100 + number, **given))
    made = imported()
    assert made.only.headers["ContentTimes"] == "000000 000003.500"
    assert made.only.headers["Exposures"] == "100 101"


def test_burned_in_text_is_flagged(uploads: Path, imported: Callable[..., Any]):
    write(uploads / "1.dcm", dataset(ramp(0), BurnedInAnnotation="YES"))
    assert "burned_in" in imported().flags


@pytest.mark.parametrize("header", ["PatientID = SECRET", "PatientName = SECRET", "Comment = SECRET"])
def test_headers_of_ones_own_are_dropped(header: str, uploads: Path, imported: Callable[..., Any]):
    text = f"ObjectType = Image\nNDims = 2\n{header}\nDimSize = 2 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
    (uploads / "a.mha").write_bytes(text.encode() + bytes(4))
    made = imported()
    assert b"SECRET" not in (made.folder / made.report.images[0].folder / made.only.file).read_bytes()
