"""What is known of an image, as HTML."""

from __future__ import annotations

from podium.dashboards import times
from podium.dashboards.layout import facts, notice
from podium.dashboards.markup import Html, join, text
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.scores import MISSING, size_text
from podium.dashboards.slice_figure import TIMES, number_text
from podium.platform.records.images import ImageDetail, ImageRecord
from podium.platform.records.slices import ImageViews

_BY = f" {TIMES} "
_KINDS = {1: "grey", 3: "colour", 4: "colour, with transparency"}


def size_words(image: ImageRecord) -> str:
    """How many voxels it has along its axes, and how many time points."""
    size = _BY.join(str(length) for length in (image.width, image.height, image.depth) if length)
    return f"{size}, {image.timepoints} time points" if image.timepoints else size


def spacing_words(image: ImageRecord) -> str:
    """How large its voxels are; empty where nobody knows."""
    steps = (image.voxel_width_mm, image.voxel_height_mm, image.voxel_depth_mm)
    known = [number_text(step) for step in steps if step is not None]
    return f"{_BY.join(known)} mm" if known else ""


def head_facts(image: ImageRecord) -> Html:
    """An image in a few facts."""
    return facts(
        (
            ("Voxels", size_words(image)),
            ("Each of", spacing_words(image) or "unknown size"),
            ("Values", f"{image.value_type}, {_KINDS.get(image.channels, f'{image.channels} channels')}"),
            ("Range", _range(image)),
            ("File", f"{image.type.value}, {size_text(image.size)}"),
        )
    )


def flag_notices(image: ImageRecord) -> Html:
    """What its users should know."""
    return join(*(notice(flag.detail, kind="warning") for flag in image.flags))


def metadata_table(detail: ImageDetail, views: ImageViews) -> Html:
    """All that is told of an image."""
    image, grid = detail.image, detail.grid
    rows = [
        ("Belongs to", detail.of),
        ("Imported", f"{times.stamp(image.created)} UTC"),
        ("SHA-256 of its file", image.sha256),
        ("Voxels along x, y, z", _BY.join(map(str, grid.size))),
        ("Spacing", _BY.join(map(number_text, grid.spacing)) + (" mm" if views.is_measured else " (not known)")),
        ("Origin", ", ".join(map(number_text, grid.origin))),
        ("Directions of its axes", _rows(grid.direction, len(grid.size))),
        ("Resolution levels", str(image.resolution_levels or "")),
        ("Colours", image.color_space.value),
        ("Eye", image.eye_choice.value if image.eye_choice.value != "NA" else ""),
        ("Labels", ", ".join(map(str, image.segments)) if image.segments else ""),
        *detail.headers.items(),
        *detail.attributes.items(),
    ]
    return scrolled_table("Metadata", ("What", "Value"), [row for row in rows if row[1]])


def sources_table(detail: ImageDetail) -> Html:
    """The files that an image was made of."""
    rows = [(source.path, size_text(source.size), source.sha256) for source in detail.sources]
    return scrolled_table("Files that it was made of", ("File", "Size", "SHA-256"), rows)


def removed_words(detail: ImageDetail) -> str:
    """What was taken out of its headers."""
    if not detail.removed:
        return ""
    return f"Taken out of its headers, since it may identify a person or is private: {', '.join(detail.removed)}."


def _range(image: ImageRecord) -> str:
    if image.low is None or image.high is None:
        return ""
    return f"{number_text(image.low)} to {number_text(image.high)}"


def _rows(direction: tuple[float, ...], count: int) -> str:
    rows = [direction[begin : begin + count] for begin in range(0, len(direction), count)]
    return "; ".join(" ".join(number_text(number) for number in row) for row in rows) or MISSING


def card_words(image: ImageRecord) -> Html:
    """What stands below an image in a list."""
    return text(", ".join(part for part in (size_words(image), spacing_words(image)) if part))
