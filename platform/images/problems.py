"""Why a file is no image, and what a person should know of one that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The one reason for which a file is rejected; the words of the detail say more."""

    NOT_AN_IMAGE = "not_an_image"  # neither an image nor an archive of any known kind
    UNSUPPORTED_FORMAT = "unsupported_format"  # an image, of a kind that isn't read here
    EMPTY = "empty"  # a file of no bytes
    UNSAFE_FILE = "unsafe_file"  # a link or device, or it refers to a file outside of what was uploaded
    ARCHIVE_REFUSED = "archive_refused"  # damaged, unsafe, or over the caps
    TOO_LARGE = "too_large"  # more voxels or bytes than allowed
    TRUNCATED = "truncated"  # its end is missing
    CORRUPT = "corrupt"  # its content contradicts itself or a checksum
    BAD_HEADER = "bad_header"  # what its header says can't be
    MISSING_DATA_FILE = "missing_data_file"  # its header names a file that was not uploaded
    HEADER_REJECTED = "header_rejected"  # the data file of a header that is rejected
    UNSUPPORTED_SHAPE = "unsupported_shape"  # not two, three or four dimensions
    UNSUPPORTED_CHANNELS = "unsupported_channels"  # not one, three or four values for each voxel
    UNSUPPORTED_PIXELS = "unsupported_pixels"  # values of a kind, or packed in a way, that isn't read here
    NO_PIXELS = "no_pixels"  # DICOM that is no image, such as a report
    NO_SCALE = "no_scale"  # a TIFF that doesn't say how large its pixels are
    BAD_GEOMETRY = "bad_geometry"  # positions or directions that no image can have
    NO_POSITION = "no_position"  # a slice without a position, in a series that has them
    MISSING_SLICES = "missing_slices"  # gaps between slices that are a multiple of their distance
    UNEVEN_SLICES = "uneven_slices"  # slices at uneven distances
    TILTED = "tilted"  # slices shifted against each other, as by a tilted gantry
    DUPLICATE_SLICE = "duplicate_slice"  # the same slice as another one, which is kept
    AMBIGUOUS_SLICES = "ambiguous_slices"  # several different slices at one place, and nothing tells them apart
    LATE_SLICE = "late_slice"  # of a series of which an image was made before, without it
    UNEVEN_TIME_POINTS = "uneven_time_points"  # not every time point has every slice
    MIXED_SIZES = "mixed_sizes"  # not of the size of most slices of its series
    INCOMPLETE_SET = "incomplete_set"  # one of several files that make an image only together
    OUT_OF_MEMORY = "out_of_memory"  # reading it took more memory than allowed
    OUT_OF_TIME = "out_of_time"  # reading it took longer than allowed
    NO_ROOM = "no_room"  # the platform's disk was full, which is no fault of the file
    CRASHED = "crashed"  # the program that read it broke down


class FlagKind(StrEnum):
    """What was done to an image, or is not known of it."""

    SPACING_UNKNOWN = "spacing_unknown"
    SLICE_SPACING_UNKNOWN = "slice_spacing_unknown"
    SPACING_ASSUMED = "spacing_assumed"
    NO_POSITIONS = "no_positions"
    SLICES_SLIGHTLY_UNEVEN = "slices_slightly_uneven"
    SLIGHTLY_TILTED = "slightly_tilted"
    SPLIT_SERIES = "split_series"
    INCOMPLETE_SERIES = "incomplete_series"
    INCOMPLETE_FILE = "incomplete_file"
    DUPLICATES_DROPPED = "duplicates_dropped"
    NOT_FINITE = "not_finite"
    NOT_ORTHOGONAL = "not_orthogonal"
    NOT_PARALLEL = "not_parallel"
    INVERTED = "inverted"
    COLOURS_CONVERTED = "colours_converted"
    ALPHA_DROPPED = "alpha_dropped"
    ROTATED = "rotated"
    LOSSY = "lossy"
    BURNED_IN = "burned_in"


@dataclass(frozen=True, slots=True)
class Flag:
    """Something about an image that its users should know."""

    kind: FlagKind
    detail: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is rejected.

    Attributes:
        detail: What is wrong, in a sentence for the person who uploaded it.
        remedy: What to do about it, or an empty string.
    """

    reason: Reason
    detail: str
    remedy: str = ""


NO_ROOM = Refusal(Reason.NO_ROOM, "The platform had no room to unpack it.", "Try again later.")
"""Whatever file it happens to meet, it is no fault of that."""


class ImageRefused(Exception):
    """A file or a group of files that does not become an image.

    Attributes:
        refusal: Why.
        culprit: The number of the one file of the group that is to blame, where it is one.
    """

    def __init__(self, reason: Reason, detail: str, remedy: str = "", *, culprit: int | None = None) -> None:
        super().__init__(f"{detail} {remedy}".strip())
        self.refusal = Refusal(reason, detail, remedy)
        self.culprit = culprit
