"""Files that only their owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_secret(file: Path, text: str) -> None:
    """Write a file with mode 0600, whole or not at all: it is never readable by others, not even for a moment."""
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    new.rename(file)


def secret_once(file: Path) -> str:
    """Return the secret in this file; the first time, one of 256 random bits is made and kept.

    Returns:
        URL-safe text of 43 characters.
    """
    if not file.exists():
        write_secret(file, secrets.token_urlsafe(32))
    return file.read_text().strip()
