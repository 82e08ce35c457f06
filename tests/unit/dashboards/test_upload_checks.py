"""What is said of a file before it is sent."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from stand_in import make_phase

from podium.dashboards.upload_checks import check_upload, directory_bytes, may_be_sent
from podium.platform.bundles.submission_formats import CellType, FormatColumn, FormatKind, SubmissionFormat

PHASE = make_phase()
IMAGES = replace(PHASE, container_submissions=True)
RESULTS = replace(PHASE, only_result_submissions=True)


def zip_of(*names: str, content: bytes = b"1,2\n") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            # Of one date: the names of tests, made of these bytes, must be the same in every process.
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def said(name: str, content: bytes, phase: object = PHASE) -> tuple[list[str], str, bool]:
    findings = check_upload(name, len(content), io.BytesIO(content), phase)
    kinds = [finding.kind for finding in findings]
    return kinds, " ".join(finding.words for finding in findings), may_be_sent(findings)


@pytest.mark.parametrize(
    ("name", "content", "phase", "kinds", "words"),
    [
        ("p.zip", zip_of("predictions.csv"), PHASE, ["good"], "A zip with 1 file, 4 bytes unpacked: predictions.csv."),
        ("p.csv", b"1,2", PHASE, ["info"], "will be packed into one by itself"),
        ("p.zip", b"", PHASE, ["bad"], "is empty"),
        ("p.zip", b"PK but no zip", PHASE, ["bad"], "is called a zip but is none"),
        ("p.zip", zip_of(), PHASE, ["bad"], "There is no file in this zip."),
        ("p.zip", zip_of("out/p.csv", "out/q.csv"), PHASE, ["good", "warning"], "in the folder “out”"),
        ("c.zip", zip_of("code/metadata", "code/run.py"), PHASE, ["good"], "2 files"),
        ("c.zip", zip_of("metadata.yaml", "run.py"), RESULTS, ["good", "warning"], "scores results alone"),
        ("p.zip", zip_of("predictions.csv"), IMAGES, ["bad"], "takes images of containers"),
        ("m.tar.gz", b"\x1f\x8b", IMAGES, ["good"], "An image of 2 bytes"),
        ("m.tar.gz", b"\x1f\x8b", PHASE, ["bad"], "takes no images"),
    ],
)
def test_a_file_is_judged_before_it_is_sent(
    name: str, content: bytes, phase: object, kinds: list[str], words: str
) -> None:
    found, text, may = said(name, content, phase)
    assert found == kinds
    assert words in text
    assert may is ("bad" not in kinds)


def test_a_locked_and_a_broken_zip_can_not_be_sent() -> None:
    locked = bytearray(zip_of("p.csv"))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert said("p.zip", bytes(locked))[0] == ["bad"]
    broken = bytearray(zip_of("p.csv"))
    broken[broken.index(b"PK\x01\x02")] = 0
    assert said("p.zip", bytes(broken))[0] == ["bad"]


def test_an_enormous_list_of_contents_is_not_read() -> None:
    packed = bytearray(zip_of("p.csv"))
    at = packed.rindex(b"PK\x05\x06")
    packed[at + 12 : at + 16] = b"\xff\xff\xff\x0f"
    assert directory_bytes(io.BytesIO(bytes(packed)), len(packed)) == 0x0FFFFFFF
    kinds, words, may = said("p.zip", bytes(packed))
    assert may
    assert (kinds, "too long" in words) == (["info"], True)


PAIRS = replace(
    RESULTS,
    submission_format=SubmissionFormat(
        "predictions.csv", FormatKind.CSV, (FormatColumn("id"), FormatColumn("value", CellType.NUMBER)), rows=2
    ),
)
GOOD, BAD = b"id,value\n1,0.5\n2,1\n", b"id,value\n1,0.5\n2,high\n"


@pytest.mark.parametrize(
    ("name", "content", "kinds", "words"),
    [
        ("predictions.csv", GOOD, ["info"], "packed into one by itself"),
        ("trees.csv", GOOD, ["info"], "packed into one by itself, as predictions.csv"),
        ("predictions.csv", BAD, ["info", "bad", "bad"], "Column 'value' is not a number, such as 'high' (line 3)."),
        ("predictions.npy", GOOD, ["info", "bad", "bad"], "'predictions.npy' is not a csv."),
        ("p.zip", zip_of("predictions.csv", content=GOOD), ["good"], "1 file"),
        (
            "p.zip",
            zip_of("predictions.csv", content=BAD),
            ["good", "bad", "bad"],
            "(predictions.csv: columns id, value",
        ),
        (
            "p.zip",
            zip_of("out/predictions.csv"),
            ["good", "warning", "bad", "bad"],
            "is there as 'out/predictions.csv'",
        ),
        ("big.csv", b"id,value\n" + b"1,1\n" * 3_000_000, ["info", "info"], "too large to be looked through here"),
        ("bomb.zip", zip_of("predictions.csv", content=bytes(9_000_000)), ["good", "info"], "too large"),
    ],
    ids=["right", "renamed", "wrong", "kind", "zip", "wrong zip", "deeper", "large", "bomb"],
)
def test_what_a_phase_declares_is_looked_at(name: str, content: bytes, kinds: list[str], words: str) -> None:
    found, text, may = said(name, content, PAIRS)
    assert found == kinds
    assert words in text
    assert may is ("bad" not in kinds)


def test_code_is_not_held_against_what_is_declared_of_results() -> None:
    assert said("c.zip", zip_of("metadata", "run.py"), replace(PAIRS, only_result_submissions=False))[2]
