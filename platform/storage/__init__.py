"""Where files are kept: one interface, and a folder, S3 or Azure behind it.

Everything is content-addressed: an upload goes to `incoming/<id>`, and once its size and SHA-256 are checked it
stands under `content/<sha256>` too and never changes again. So a signed request that is used twice can't alter what
was accepted, and equal files are kept once. The upload itself is discarded when the database knows that it was
accepted: until then accepting can be repeated, and who only knows a checksum never gets the content of others by it.

`file://` is served by the gateway itself with tokens of itsdangerous. Object stores sign their own requests. What is
referred to, and what may go, the database alone knows: `podium.platform.stored`.
"""

from podium.platform.storage.files import FileStorage
from podium.platform.storage.interface import (
    FoundFile,
    Grant,
    SignatureRefused,
    Storage,
    StoredContent,
    StoredObject,
)
from podium.platform.storage.keys import content_key, incoming_key
from podium.platform.storage.opening import open_storage

__all__ = [
    "FileStorage",
    "FoundFile",
    "Grant",
    "SignatureRefused",
    "Storage",
    "StoredContent",
    "StoredObject",
    "content_key",
    "incoming_key",
    "open_storage",
]
