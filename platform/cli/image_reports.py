"""What became of an import, and what is known of an image, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from podium.platform.cli.listings import Field, shown_time
from podium.platform.cli.terminal import printable
from podium.platform.cli.transfers import size_text
from podium.platform.lifecycle import ImportStatus
from podium.platform.records.images import ImageDetail, ImageRecord, ImportedFileRecord, ImportSessionRecord

_SHOWN_SOURCES = 20


@dataclass(frozen=True, slots=True)
class Rejection:
    """Files that were rejected alike.

    Attributes:
        files: The first of them, and how many more there are.
    """

    files: str
    reason: str
    detail: str
    remedy: str


def voxels_text(image: ImageRecord) -> str:
    """How many voxels there are along each axis, as `512x512x40`; times how many time points."""
    axes = "x".join(str(length) for length in (image.width, image.height, image.depth) if length is not None)
    return f"{axes}, {image.timepoints} times" if image.timepoints is not None else axes


def spacing_text(image: ImageRecord) -> str:
    """The spacing along each axis in millimetres; nothing where it is not known."""
    known = (image.voxel_width_mm, image.voxel_height_mm, image.voxel_depth_mm)
    return "x".join(f"{one:g}" for one in known if one is not None)


def values_text(image: ImageRecord) -> str:
    """What a voxel holds, such as `int16` or `uint8 RGB`."""
    return image.value_type if image.color_space.value == "GRAY" else f"{image.value_type} {image.color_space.value}"


REJECTION_FIELDS: Sequence[Field[Rejection]] = (
    Field("file", lambda one: one.files, may_wrap=True),
    Field("reason", lambda one: one.reason),
    Field("what is wrong", lambda one: one.detail, may_wrap=True),
    Field("what to do", lambda one: one.remedy, may_wrap=True),
)
FILE_FIELDS: Sequence[Field[ImportedFileRecord]] = (
    Field("file", lambda one: one.path, may_wrap=True),
    Field("bytes", lambda one: one.size, is_number=True),
    Field("outcome", lambda one: one.outcome.value),
    Field("image", lambda one: one.image_name, may_wrap=True),
    Field("reason", lambda one: one.reason),
    Field("what is wrong", lambda one: " ".join((one.detail, *one.others)), may_wrap=True),
    Field("what to do", lambda one: one.remedy, may_wrap=True),
)
IMAGE_FIELDS: Sequence[Field[ImageRecord]] = (
    Field("id", lambda one: one.id),
    Field("name", lambda one: one.name, may_wrap=True),
    Field("size", voxels_text),
    Field("mm", spacing_text),
    Field("values", values_text),
    Field("bytes", lambda one: one.size, is_number=True),
    Field("flags", lambda one: ", ".join(flag.kind for flag in one.flags), may_wrap=True),
)
SESSION_FIELDS: Sequence[Field[ImportSessionRecord]] = (
    Field("id", lambda one: one.id),
    Field("date", lambda one: one.created, may_wrap=True),
    Field("by", lambda one: one.imported_by),
    Field("status", lambda one: one.status.value),
    Field("images", lambda one: one.images, is_number=True),
    Field("rejected", lambda one: one.rejected, is_number=True),
    Field("ignored", lambda one: one.ignored, is_number=True),
    Field("uploads kept", lambda one: one.kept),
)


def session_lines(session: ImportSessionRecord) -> list[str]:
    """Where a session is, in a few lines."""
    lines = [f"Import session {session.id}", f"  of {printable(session.of)}", f"  {status_text(session)}"]
    if session.reasons:
        reasons = ", ".join(f"{count} {reason}" for reason, count in session.reasons.items())
        lines.append(f"  rejected for: {printable(reasons)}")
    return lines


def status_text(session: ImportSessionRecord) -> str:
    """Where a session is, in a line."""
    if session.status is ImportStatus.IMPORTING and session.step and not session.message:
        return f"{session.status.value}: {session.step} {session.done} of {session.total}"
    return printable(f"{session.status.value}: {session.message}" if session.message else session.status.value)


def rejections(files: Iterable[ImportedFileRecord]) -> list[Rejection]:
    """Rejected files, those together that were rejected alike: of a series, all slices are."""
    alike: dict[tuple[str, str, str], list[ImportedFileRecord]] = {}
    for file in files:
        alike.setdefault((file.reason, file.detail, file.remedy), []).append(file)
    return [
        Rejection(
            found[0].path if len(found) == 1 else f"{found[0].path} and {len(found) - 1} more", reason, detail, remedy
        )
        for (reason, detail, remedy), found in alike.items()
    ]


def next_lines(session: ImportSessionRecord) -> list[str]:
    """What may be done with a session now."""
    match session.status:
        case ImportStatus.IMPORTED if session.rejected:
            return [
                f"What was uploaded is kept until you accept this report: podium images accept {session.id}",
                f"To send what is missing and try again what was rejected: podium images retry {session.id} [PATH]...",
            ]
        case ImportStatus.IMPORTED:
            return [f"What was uploaded is kept until you accept this report: podium images accept {session.id}"]
        case ImportStatus.FAILED:
            return [f"Nothing is lost. To try again: podium images retry {session.id}"]
        case ImportStatus.UPLOADING:
            return [f"To go on with it: podium images retry {session.id} PATH..."]
        case _:
            return []


def image_lines(detail: ImageDetail) -> list[str]:
    """All that is known of an image."""
    image = detail.image
    told: list[tuple[str, object]] = [
        ("of", detail.of),
        ("id", image.id),
        ("session", image.session),
        ("file", f"{image.type.value}, {size_text(image.size)}, SHA-256 {image.sha256}"),
        ("imported", shown_time(image.created)),
        ("width", image.width),
        ("height", image.height),
        ("depth", image.depth),
        ("voxel_width_mm", image.voxel_width_mm),
        ("voxel_height_mm", image.voxel_height_mm),
        ("voxel_depth_mm", image.voxel_depth_mm),
        ("timepoints", image.timepoints),
        ("resolution_levels", image.resolution_levels),
        ("window_center", image.window_center),
        ("window_width", image.window_width),
        ("color_space", image.color_space.value),
        ("eye_choice", image.eye_choice.value),
        ("segments", None if image.segments is None else ", ".join(map(str, image.segments))),
        ("values", f"{image.value_type}, {image.channels} a voxel{_range(image)}"),
        ("origin", _numbers(detail.grid.origin)),
        ("direction", _numbers(detail.grid.direction)),
    ]
    lines = [printable(image.name), *_columns(told)]
    if headers := {**detail.headers, **detail.attributes}:
        lines += ["  kept of its headers:", *(f"  {line}" for line in _columns(list(headers.items())))]
    for flag in image.flags:
        lines.append(printable(f"  note: {flag.kind}: {flag.detail}"))
    if detail.removed:
        lines.append(f"  removed from its headers: {printable(', '.join(detail.removed))}")
    lines.append(f"  made of {len(detail.sources)} file{'' if len(detail.sources) == 1 else 's'}:")
    lines += [f"    {printable(source.path)}" for source in detail.sources[:_SHOWN_SOURCES]]
    if left := len(detail.sources) - _SHOWN_SOURCES:
        lines += [f"    and {left} more; --json names all"] if left > 0 else []
    return lines


def _columns(told: Sequence[tuple[str, object]]) -> list[str]:
    shown = [(printable(name), printable(str(value))) for name, value in told if value is not None]
    width = max(len(name) for name, _ in shown) + 2
    return [f"  {name:<{width}}{value}" for name, value in shown]


def _range(image: ImageRecord) -> str:
    return f", {image.low:g} to {image.high:g}" if image.low is not None and image.high is not None else ""


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)
