"""The picture of a competition, as organizers put it into their bundle: not to be trusted to be one."""

from __future__ import annotations

from podium.platform.errors import NotFound
from podium.platform.models import Competition
from podium.platform.storage import Storage

LARGEST_BYTES = 4 * 1024 * 1024
_SIGNATURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
_WEBP_AT = slice(8, 12)


def image_type(content: bytes) -> str | None:
    """The media type of a picture by its first bytes; `None` for anything else, SVG too, which may hold scripts."""
    for kind, beginnings in _SIGNATURES.items():
        if content.startswith(beginnings):
            return kind
    return "image/webp" if content.startswith(b"RIFF") and content[_WEBP_AT] == b"WEBP" else None


def read_image(competition: Competition, storage: Storage) -> tuple[bytes, str]:
    """A competition's picture and its media type.

    Raises:
        NotFound: It has none that can be shown.
    """
    if competition.image_content is None or competition.image_size > LARGEST_BYTES:
        raise NotFound(f"'{competition.slug}' has no picture.")
    with storage.open(competition.image_content) as file:
        content = file.read(LARGEST_BYTES)
    kind = image_type(content)
    if kind is None:
        raise NotFound(f"The picture of '{competition.slug}' is of no kind that is shown: PNG, JPEG, GIF or WebP.")
    return content, kind
