"""What the stand-in for the gateway answers about images: slices of a made-up body, drawn as the gateway does."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np
from PIL import Image

from podium.platform.errors import InvalidInput, NotFound, PodiumError
from podium.platform.images.bricks import BrickedVoxels, layout_for, write_bricks
from podium.platform.images.metadata import ColorSpace, EyeChoice, Grid, ImageType
from podium.platform.lifecycle import ImportOutcome, ImportStatus
from podium.platform.records.images import (
    FlagRecord,
    GridRecord,
    ImageDetail,
    ImagePage,
    ImageRecord,
    ImageSourceRecord,
    ImportedFilePage,
    ImportedFileRecord,
    ImportSessionRecord,
)
from podium.platform.records.slices import ImageViews, SegmentRecord, ViewRecord, WindowRecord
from podium.platform.records.storage import SignedRequestRecord
from podium.platform.viewing.label_colours import colour_of, written
from podium.platform.viewing.orientation import VoxelAxis, views
from podium.platform.viewing.slices import Cut, OpenImage, Overlay, draw
from podium.platform.viewing.windowing import PRESETS, Window

SPACE = UUID("6ba7b813-9dad-11d1-80b4-00c04fd430c8")
DATASET = uuid5(SPACE, "dataset")
SIDE, DEPTH = 96, 40


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that is no JSON."""

    content: bytes
    headers: dict[str, str]


def body() -> tuple[np.ndarray, np.ndarray]:
    """A trunk with lungs, heart and spine in Hounsfield units, and its labels; the heart is on the left."""
    z, y, x = np.mgrid[:DEPTH, :SIDE, :SIDE].astype(np.float32)
    x, y, z = (x - SIDE / 2) / SIDE, (y - SIDE / 2) / SIDE, (z - DEPTH / 2) / DEPTH

    def ball(at: tuple[float, float, float], size: tuple[float, float, float]) -> np.ndarray:
        return ((x - at[0]) / size[0]) ** 2 + ((y - at[1]) / size[1]) ** 2 + ((z - at[2]) / size[2]) ** 2 < 1

    voxels = np.full(x.shape, -1000, np.int16)
    labels = np.zeros(x.shape, np.uint8)
    voxels[ball((0, 0, 0), (0.45, 0.32, 9))] = 40
    lungs = ball((-0.2, -0.02, 0.1), (0.15, 0.2, 0.4)) | ball((0.2, -0.02, 0.1), (0.15, 0.2, 0.4))
    heart = ball((0.06, -0.08, 0), (0.13, 0.11, 0.2))
    spine = ball((0, 0.22, 0), (0.06, 0.06, 9))
    for label, (where, value) in enumerate(((lungs, -800), (heart, 90), (spine, 700)), 1):
        voxels[where] = value
        labels[where] = label
    noise = np.random.default_rng(1).normal(0, 12, x.shape)
    return (voxels + noise).astype(np.int16), labels


def make_image(name: str, **changes: object) -> ImageRecord:
    image = ImageRecord(
        id=uuid5(SPACE, name),
        session=uuid5(SPACE, "session"),
        dataset=DATASET,
        submission=None,
        name=name,
        type=ImageType.MHD,
        size=12_345_678,
        sha256="5f" * 32,
        created=datetime.now(UTC) - timedelta(hours=2),
        width=SIDE,
        height=SIDE,
        depth=DEPTH,
        voxel_width_mm=4.0,
        voxel_height_mm=4.0,
        voxel_depth_mm=10.0,
        timepoints=None,
        resolution_levels=None,
        window_center=40.0,
        window_width=400.0,
        color_space=ColorSpace.GRAY,
        eye_choice=EyeChoice.NOT_APPLICABLE,
        segments=None,
        value_type="int16",
        channels=1,
        low=-1040.0,
        high=750.0,
        flags=(),
    )
    return replace(image, **changes)


def make_session(status: ImportStatus = ImportStatus.IMPORTED, **changes: object) -> ImportSessionRecord:
    session = ImportSessionRecord(
        id=uuid5(SPACE, "session"),
        dataset=DATASET,
        submission=None,
        of="dataset scans.zip",
        status=status,
        message="",
        version=7,
        imported_by="ada",
        uploads=43,
        bytes=98_765_432,
        kept=True,
        step="",
        done=0,
        total=0,
        images=2,
        rejected=3,
        ignored=1,
        reasons={"missing_slices": 2, "truncated": 1},
        runs=1,
        seconds=12.4,
        created=datetime.now(UTC) - timedelta(hours=2),
        started=None,
        ended=None,
        accepted=None,
    )
    return replace(session, **changes)


def make_file(path: str, outcome: ImportOutcome, **changes: object) -> ImportedFileRecord:
    file = ImportedFileRecord(path, 524_288, None, outcome, None, "", "", "", "", ())
    return replace(file, **changes)


FILES = (
    make_file(
        "patient-7/slice-004.dcm",
        ImportOutcome.REJECTED,
        reason="missing_slices",
        detail="Between the slices at 12 and 24 mm, one is missing.",
        remedy="Upload the whole series.",
    ),
    make_file(
        "patient-7/slice-005.dcm",
        ImportOutcome.REJECTED,
        reason="missing_slices",
        detail="Between the slices at 12 and 24 mm, one is missing.",
        remedy="Upload the whole series.",
        others=("Its header says nothing of its thickness.",),
    ),
    make_file(
        "a <b>bold</b> name.nii.gz",
        ImportOutcome.REJECTED,
        reason="truncated",
        detail="The end of it is missing.",
        remedy="Upload it again, whole.",
    ),
    make_file("trunk.mha", ImportOutcome.IMAGE, image=uuid5(SPACE, "trunk"), image_name="trunk"),
    make_file("organs.mha", ImportOutcome.IMAGE, image=uuid5(SPACE, "organs"), image_name="organs"),
    make_file(".DS_Store", ImportOutcome.IGNORED, detail="left behind by a system"),
)


@dataclass
class Images:
    """Images of one dataset, with the voxels of those that are looked at."""

    images: list[ImageRecord] = field(default_factory=list)
    opened: dict[UUID, OpenImage] = field(default_factory=dict)
    sessions: list[ImportSessionRecord] = field(default_factory=list)
    files: tuple[ImportedFileRecord, ...] = FILES
    submissions: set[UUID] = field(default_factory=set)
    fault: PodiumError | None = None
    """In the place of slices."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def add(self, image: ImageRecord, voxels: np.ndarray, *, window: Window | None = None) -> None:
        """Add an image with its voxels, along time, z, y and x."""
        depth, height, width = voxels.shape[-3:]
        size = (width, height, depth, *((voxels.shape[0],) if voxels.ndim > 3 else ()))
        direction = tuple(float(row == column) for row in range(len(size)) for column in range(len(size)))
        grid = Grid(size, (4.0, 4.0, 10.0, 1.0)[: len(size)], (0.0,) * len(size), direction)
        layout = layout_for(size, 1, voxels.dtype.name)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "voxels"
            with path.open("xb") as file:
                write_bricks(iter(voxels.reshape(-1, height, width)), layout, file)
            bricks = BrickedVoxels(path, layout)
        auto = Window(1.5, 3) if image.segments else Window(-100, 1800)
        self.images.append(image)
        self.opened[image.id] = OpenImage(bricks, grid, is_placed=True, suggested=window, auto=auto)

    def fill(self) -> None:
        """A trunk, its organs, and the report of what they came of."""
        voxels, labels = body()
        self.add(make_image("trunk"), voxels, window=Window(40, 400))
        organs = make_image("organs", segments=(0, 1, 2, 3), value_type="uint8", low=0.0, high=3.0)
        self.add(organs, labels)
        self.sessions.append(make_session())

    def answers(self, parts: list[str]) -> bool:
        return parts[0] in {"images", "import-sessions", "datasets"} or (
            parts[0] == "submissions" and parts[2:] in (["images"], ["import-sessions"])
        )

    def answer(self, parts: list[str], query: dict[str, str]) -> object:
        if parts[0] in {"datasets", "submissions"}:
            if UUID(parts[1]) not in {DATASET, *self.submissions}:
                raise NotFound(f"You have no {parts[0][:-1]} of that id.")
            return tuple(self.sessions) if parts[2] == "import-sessions" else self._page(query)
        if parts[0] == "import-sessions":
            return self._files(query)
        image = next((one for one in self.images if one.id == UUID(parts[1])), None)
        if image is None:
            raise NotFound("You have no image of that id.")
        return self._of_image(image, parts[2:], query)

    def act(self, parts: list[str]) -> object:
        status = ImportStatus.ACCEPTED if parts[2] == "accept" else ImportStatus.QUEUED
        self.sessions[0] = replace(self.sessions[0], status=status, version=self.sessions[0].version + 1)
        return self.sessions[0]

    def _page(self, query: dict[str, str]) -> ImagePage:
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
        return ImagePage(tuple(self.images[offset : offset + limit]), len(self.images))

    def _files(self, query: dict[str, str]) -> ImportedFilePage:
        found = tuple(file for file in self.files if file.outcome == query.get("outcome", file.outcome))
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
        return ImportedFilePage(found[offset : offset + limit], len(found))

    def _of_image(self, image: ImageRecord, rest: list[str], query: dict[str, str]) -> object:
        opened = self.opened[image.id]
        if not rest:
            grid = opened.grid
            return ImageDetail(
                image,
                "dataset scans.zip",
                GridRecord(grid.size, grid.spacing, grid.origin, grid.direction),
                {"SliceThickness": "10"},
                {"Modality": "CT"},
                ("PatientName", "PatientID"),
                (ImageSourceRecord(f"{image.name}.mha", 1000, "ab" * 32),),
            )
        if rest == ["views"]:
            return _views(image, opened)
        if rest[0] == "files":
            expires = datetime.now(UTC) + timedelta(hours=1)
            return SignedRequestRecord("GET", f"https://store.example.org/{image.id}", {}, expires)
        if rest == ["thumbnail"]:
            return Answered(draw(opened, Cut(VoxelAxis.Z, image.depth // 2, side=256)).content, {})
        if rest[0] == "slices":
            return self._slice(opened, rest, query)
        raise NotFound("There is no such call.")

    def _slice(self, opened: OpenImage, rest: list[str], query: dict[str, str]) -> Answered:
        self.asked.append(("/".join(rest), query))
        if self.fault is not None:
            raise self.fault
        window = Window(float(query["level"]), float(query["window"])) if "window" in query else None
        cut = Cut(VoxelAxis(rest[1]), int(rest[2]), int(query.get("time", 0)), window, "auto" in query)
        over = None
        if "overlay" in query:
            overlay = self.opened.get(UUID(query["overlay"]))
            if overlay is None:
                raise InvalidInput("You have no image of that id.")
            over = Overlay(overlay, float(query["opacity"]))
        picture = draw(opened, cut, over)
        headers = {"X-Podium-Window": f"{picture.window.center} {picture.window.width}"} if picture.window else {}
        headers["X-Podium-Segments"] = ",".join(f"{label}={written(colour_of(label))}" for label in picture.labels)
        headers["X-Podium-Overlay"] = "resampled" if picture.is_resampled else "same"
        return Answered(picture.content, headers)


def _views(image: ImageRecord, opened: OpenImage) -> ImageViews:
    windows = [WindowRecord("suggested", 40, 400)] if opened.suggested else []
    windows += [WindowRecord(name, window.center, window.width) for name, window in PRESETS.items()]
    return ImageViews(
        image=image.id,
        views=tuple(
            ViewRecord(view.axis.value, view.name, view.count, *view.letters, view.width, view.height)
            for view in views(opened.grid, is_placed=opened.is_placed)
        ),
        timepoints=opened.grid.size[3] if len(opened.grid.size) > 3 else 1,
        is_colour=False,
        is_measured=True,
        is_labels=True,
        windows=tuple(windows),
        low=image.low,
        high=image.high,
        segments=tuple(SegmentRecord(label, written(colour_of(label))) for label in image.segments or () if label),
    )


def flagged(image: ImageRecord) -> ImageRecord:
    """The same with something that its users should know."""
    return replace(image, flags=(FlagRecord("incomplete_series", "2 of its files are damaged and left out."),))


def pixel_of(content: bytes, x: int, y: int) -> tuple[int, ...]:
    """A pixel of a picture."""
    found = Image.open(io.BytesIO(content)).convert("RGB").getpixel((x, y))
    assert isinstance(found, tuple)
    return found
