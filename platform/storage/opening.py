"""The store that the settings name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from podium.platform.errors import InvalidInput
from podium.platform.settings import ServerSettings
from podium.platform.storage.files import FileStorage
from podium.platform.storage.interface import Storage

_FORMS = "file:///an/absolute/folder, s3://bucket/prefix or abfs://container@account/prefix"


def open_storage(settings: ServerSettings) -> Storage:
    """The storage that the settings name; nothing is asked of it yet.

    Raises:
        InvalidInput: They name none, or lack what it needs.
    """
    parts = urlsplit(settings.storage_url)
    match parts.scheme:
        case "file" if not parts.netloc and parts.path.startswith("/"):
            return FileStorage(
                Path(unquote(parts.path)),
                public_url=settings.public_url,
                secret_key=settings.secret_key.get_secret_value(),
                signed_seconds=settings.signed_seconds,
            )
        case "s3" if parts.netloc:
            return _s3(parts, settings)
        case "abfs" if parts.netloc:
            return _azure(parts, settings)
    raise InvalidInput(f"'{_shown(parts)}' is not a store that Podium can use.", remedy=f"Use {_FORMS}.")


def _shown(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.scheme else parts.path


# The libraries of object stores take half a second to load: they are, where they are needed.


def _s3(parts: SplitResult, settings: ServerSettings) -> Storage:
    from podium.platform.storage.s3 import S3Access, S3Storage  # noqa: PLC0415

    secret = _secret(settings)
    if bool(settings.storage_key_id) != bool(secret):
        raise InvalidInput(
            "Of the store's key there is only one half.",
            remedy="Set both PODIUM_STORAGE_KEY_ID and PODIUM_STORAGE_SECRET (or PODIUM_STORAGE_SECRET_FILE), or none "
            "for the credentials that AWS's own tools find.",
        )
    path_style = settings.storage_path_style
    return S3Storage(
        parts.netloc,
        prefix=parts.path,
        access=S3Access(
            endpoint=settings.storage_endpoint,
            public_endpoint=settings.storage_public_endpoint,
            region=settings.storage_region,
            # Other servers than AWS's seldom have a name for each bucket.
            path_style=bool(settings.storage_endpoint) if path_style is None else path_style,
            key_id=settings.storage_key_id,
            secret=secret,
        ),
        signed_seconds=settings.signed_seconds,
    )


def _azure(parts: SplitResult, settings: ServerSettings) -> Storage:
    from podium.platform.storage.azure import AzureAccess, AzureStorage  # noqa: PLC0415

    container, _, host = parts.netloc.partition("@")
    account = host.partition(".")[0] or settings.storage_key_id
    secret = _secret(settings)
    if not account or not secret:
        raise InvalidInput(
            "A store in Azure needs its account's name and key: Podium signs requests with it.",
            remedy="Write abfs://container@account, and set PODIUM_STORAGE_SECRET or PODIUM_STORAGE_SECRET_FILE.",
        )
    return AzureStorage(
        container,
        prefix=parts.path,
        access=AzureAccess(
            account=account,
            key=secret,
            endpoint=settings.storage_endpoint,
            public_endpoint=settings.storage_public_endpoint,
        ),
        signed_seconds=settings.signed_seconds,
    )


def _secret(settings: ServerSettings) -> str:
    """The key's secret half, from the environment or from a file.

    Raises:
        InvalidInput: The file can't be read.
    """
    if settings.storage_secret_file is None:
        return settings.storage_secret.get_secret_value() if settings.storage_secret is not None else ""
    try:
        return settings.storage_secret_file.read_text().strip()
    except OSError as error:
        raise InvalidInput(
            f"The key of the store can't be read from {settings.storage_secret_file}: {error.strerror}.",
            remedy="PODIUM_STORAGE_SECRET_FILE names a file with nothing but the key in it.",
        ) from None
