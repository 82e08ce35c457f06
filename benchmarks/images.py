"""Seconds and memory of importing images: Podium beside SimpleITK's series reader and beside panimg, in one run.

    .venv/bin/python benchmarks/images.py [--slices 1000] [--rounds 3] [--growth 100 250 500 1000 2000]

Each import is a process of its own, from its start to its end, in turns, so that all see the same machine:

- *podium*: `import_files`, with all of its checks, checksums, pictures and limited children; the result is packed;
- *sitk*: SimpleITK's series reader, and its writer without packing;
- *sitk packed*: the same, and its writer with packing, as panimg and Podium keep images;
- *panimg*: `convert`.

The CT is synthetic: a body with noise in it, in 512 x 512 pixels of 16 bits. It lies in files whose names and instance
numbers say nothing of the order of slices. `--growth` imports CTs of so many slices with Podium alone.

Memory is the most that any one process of an import had; *x voxels* is that without what it has before it begins (the
libraries), for each byte of voxels.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MB = 1_000_000
SIZE = 512


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", type=int, nargs="*", default=[100, 250, 500, 1000, 2000])
    parser.add_argument("--skip", nargs="*", default=[], choices=["ct", "mha", "png", "growth", "panimg"])
    parser.add_argument("--folder", type=Path, help="where to work; a few GB")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        how, source, target = arguments.run
        print(json.dumps(run(how, Path(source), Path(target))))
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        work = Path(folder)
        if "ct" not in arguments.skip:
            make_ct(work / "ct", arguments.slices)
            ways = ["podium", "sitk", "sitk packed", *([] if "panimg" in arguments.skip else ["panimg"])]
            compare(
                f"CT of {arguments.slices} slices",
                work / "ct",
                ways,
                arguments.rounds,
                arguments.slices * SIZE * SIZE * 2,
            )
            shutil.rmtree(work / "ct")
        for name, make, count in (("mha", make_mhas, 500), ("png", make_pngs, 200)):
            if name not in arguments.skip:
                make(work / name, count)
                compare(f"{count} files of {name.upper()}", work / name, ["podium", "panimg"], arguments.rounds, 0)
        if "growth" not in arguments.skip:
            growth(work, arguments.growth, arguments.rounds)
    return 0


def compare(title: str, source: Path, ways: list[str], rounds: int, voxel_bytes: int) -> None:
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            found[way].append(apart(way, source))
    floor = statistics.median(one["seconds"] for one in found["podium"])
    print(f"\n{title}, {rounds} rounds, medians\n\n| | seconds | podium / it | CPU | peak MB | x voxels | images |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for way, ones in found.items():
        seconds, cpu = (statistics.median(one[name] for one in ones) for name in ("seconds", "cpu"))
        peak = max(one["peak"] for one in ones)
        grown = max(one["peak"] - one["before"] for one in ones)
        times = f"{grown / voxel_bytes:.2f}" if voxel_bytes else ""
        images = ones[0]["images"]
        print(f"| {way} | {seconds:.2f} | {floor / seconds:.2f} | {cpu:.2f} | {peak / MB:.0f} | {times} | {images} |")
    if voxel_bytes:
        ratios = [p["seconds"] / s["seconds"] for p, s in zip(found["podium"], found["sitk"], strict=True)]
        print(f"\npodium / sitk round by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


def growth(work: Path, counts: list[int], rounds: int) -> None:
    print("\nGrowth, podium alone, least of the rounds\n\n| slices | seconds | ms a slice | peak MB |")
    print("| --- | --- | --- | --- |")
    for count in counts:
        make_ct(work / "ct", count)
        ones = [apart("podium", work / "ct") for _ in range(rounds)]
        seconds = min(one["seconds"] for one in ones)
        print(
            f"| {count} | {seconds:.2f} | {1000 * seconds / count:.2f} | {max(one['peak'] for one in ones) / MB:.0f} |"
        )
        shutil.rmtree(work / "ct")


def apart(way: str, source: Path) -> dict[str, Any]:
    """Run one way in a process of its own, and time all of it."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        command = [sys.executable, __file__, "--run", way, str(source), folder]
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        found["seconds"] = time.perf_counter() - began
        found["cpu"] += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return found


def run(way: str, source: Path, target: Path) -> dict[str, Any]:
    ways: dict[str, Callable[[Path, Path], Callable[[], tuple[int, int, float]]]] = {
        "podium": by_podium,
        "sitk": lambda source, target: by_sitk(source, target, packed=False),
        "sitk packed": lambda source, target: by_sitk(source, target, packed=True),
        "panimg": by_panimg,
    }
    act = ways[way](source, target)
    before = peak()
    images, of_children, cpu = act()
    return {"images": images, "peak": max(peak(), of_children), "before": before, "cpu": cpu}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def by_podium(source: Path, target: Path) -> Callable[[], tuple[int, int, float]]:
    from podium.platform.images.session import import_files  # noqa: PLC0415 -- timed with the rest

    def act() -> tuple[int, int, float]:
        report = import_files(source, target)
        return len(report.images), report.peak_bytes, report.cpu_seconds

    return act


def by_sitk(source: Path, target: Path, *, packed: bool) -> Callable[[], tuple[int, int, float]]:
    import SimpleITK as sitk  # noqa: PLC0415

    def act() -> tuple[int, int, float]:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(source)))
        sitk.WriteImage(reader.Execute(), str(target / "image.mha"), useCompression=packed)
        return 1, 0, 0.0

    return act


def by_panimg(source: Path, target: Path) -> Callable[[], tuple[int, int, float]]:
    from panimg import convert  # noqa: PLC0415

    def act() -> tuple[int, int, float]:
        return len(convert(input_directory=source, output_directory=target).new_images), 0, 0.0

    return act


def make_ct(folder: Path, count: int) -> None:
    import numpy as np  # noqa: PLC0415
    from pydicom.dataset import Dataset, FileMetaDataset  # noqa: PLC0415
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid  # noqa: PLC0415

    folder.mkdir()
    random = np.random.default_rng(1)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    body = np.where(x * x + y * y < (0.4 * SIZE) ** 2, 1064, 24)
    study, series = generate_uid(), generate_uid()
    for number in range(count):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.Modality, dataset.PatientName, dataset.PatientID = "CT", "Nobody", "0"
        dataset.StudyDate, dataset.StudyTime, dataset.Manufacturer = "20260101", "120000", "Nobody"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.KVP, dataset.Exposure, dataset.ConvolutionKernel = "120", "100", "B30"
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [-180, -180, number * 0.7], [1, 0, 0, 0, 1, 0]
        dataset.PixelSpacing, dataset.SliceThickness = [0.7, 0.7], "0.7"
        dataset.InstanceNumber = str(number * 7919 % count + 1)
        dataset.Rows = dataset.Columns = SIZE
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        dataset.WindowCenter, dataset.WindowWidth = 40, 400
        noisy = body + random.normal(0, 20, body.shape)
        dataset.PixelData = noisy.clip(0, 4095).astype(np.uint16).tobytes()
        dataset.save_as(folder / f"{number * 104729 % count:06}.dcm", enforce_file_format=True)


def make_mhas(folder: Path, count: int) -> None:
    import numpy as np  # noqa: PLC0415
    import SimpleITK as sitk  # noqa: PLC0415

    folder.mkdir()
    random = np.random.default_rng(2)
    for number in range(count):
        values = random.integers(-1000, 1000, (16, 16, 16)).astype(np.int16)
        sitk.WriteImage(sitk.GetImageFromArray(values), str(folder / f"{number}.mha"), useCompression=True)


def make_pngs(folder: Path, count: int) -> None:
    import numpy as np  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    folder.mkdir()
    random = np.random.default_rng(3)
    for number in range(count):
        Image.fromarray(random.integers(0, 255, (256, 256, 3)).astype(np.uint8)).save(folder / f"{number}.png")


if __name__ == "__main__":
    sys.exit(main())
