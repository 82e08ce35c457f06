"""Azure's blobs."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

import adlfs
from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient, BlobSasPermissions, ContainerClient, generate_blob_sas

from podium.platform.jobs import SignedRequest
from podium.platform.storage.interface import FoundFile, StoredObject, require_parts
from podium.platform.storage.objects import ObjectStorage, store_fault, utc_now_plus

_COPY_SECONDS = 3600.0
_POLL_SECONDS = 0.2
_DAMAGED = "its copy was not finished"


@dataclass(frozen=True, slots=True)
class AzureAccess:
    """How an account is reached.

    Attributes:
        account: Its name.
        key: Its key, in base64: without it nothing can be signed.
        endpoint: The address of its blobs; empty for Azure's own.
        public_endpoint: The same as clients and agents reach it; empty where that is the same.
    """

    account: str
    key: str
    endpoint: str = ""
    public_endpoint: str = ""

    @property
    def address(self) -> str:
        """Where Podium reaches it."""
        return (self.endpoint or f"https://{self.account}.blob.core.windows.net").rstrip("/")


class AzureStorage(ObjectStorage):
    """Blobs in a container.

    Azure can't bound what a signed request uploads: what is too large is thrown away when it is to be accepted.
    """

    kind: ClassVar[str] = "abfs"
    bounds_uploads: ClassVar[bool] = False

    def __init__(self, container: str, *, prefix: str, access: AzureAccess, signed_seconds: int) -> None:
        connection = f"AccountName={access.account};AccountKey={access.key};BlobEndpoint={access.address};"
        files = adlfs.AzureBlobFileSystem(
            account_name=access.account,
            connection_string=connection,
            use_listings_cache=False,
            skip_instance_cache=True,
            max_concurrency=8,
        )
        super().__init__(files, place=container, prefix=prefix, signed_seconds=signed_seconds)
        self._access = access
        self._public = (access.public_endpoint or access.address).rstrip("/")
        self._container = ContainerClient.from_connection_string(connection, container)

    def sign_put(self, key: str, *, max_bytes: int, is_exact: bool = False, work_seconds: float = 0) -> SignedRequest:
        """A signed PUT of a whole blob."""
        del is_exact
        return self._sign(
            "PUT",
            key,
            BlobSasPermissions(create=True, write=True),
            work_seconds,
            max_bytes=max_bytes,
            headers={"x-ms-blob-type": "BlockBlob"},
        )

    def sign_get(self, key: str, *, filename: str, work_seconds: float = 0) -> SignedRequest:
        """A signed GET, which answers as a download."""
        return self._sign(
            "GET",
            key,
            BlobSasPermissions(read=True),
            work_seconds,
            content_type="application/octet-stream",
            content_disposition=f"attachment; filename*=utf-8''{quote(filename, safe='')}",
        )

    def _sign(
        self,
        method: str,
        key: str,
        permission: BlobSasPermissions,
        work_seconds: float,
        *,
        max_bytes: int | None = None,
        headers: dict[str, str] | None = None,
        query: str = "",
        **answer: str,
    ) -> SignedRequest:
        name = self._name(key)
        expires = utc_now_plus(self._expires_in(work_seconds))
        token = generate_blob_sas(
            self._access.account,
            self._place,
            name,
            account_key=self._access.key,
            permission=permission,
            expiry=expires,
            **answer,  # type: ignore[arg-type]  # its options have many types, and these are texts
        )
        return SignedRequest(
            method=method,  # type: ignore[arg-type]  # one of the two, by the callers here
            url=f"{self._public}/{self._place}/{quote(name)}?{token}{query}",
            headers=headers or {},
            expires=expires,
            max_bytes=max_bytes,
        )

    def begin_parts(self, key: str) -> str:
        """Nothing is to be begun: blocks belong to the name of their blob."""
        self._name(key)
        return ""

    def sign_part(self, key: str, reference: str, number: int, *, size: int) -> SignedRequest:
        """A signed upload of a block."""
        del reference
        return self._sign(
            "PUT",
            key,
            BlobSasPermissions(create=True, write=True),
            0,
            max_bytes=size,
            query=f"&comp=block&blockid={quote(base64.b64encode(_block_id(number).encode()), safe='')}",
        )

    def parts(self, key: str, reference: str) -> dict[int, int]:
        """The blocks that are not part of a blob yet."""
        del reference
        try:
            with self._faults():
                _, waiting = self._blob(key).get_block_list("uncommitted")
        except FileNotFoundError:
            return {}
        return {int(block.id): block.size for block in waiting if str(block.id).isdecimal()}

    def join_parts(self, key: str, reference: str, sizes: Sequence[int]) -> None:
        """Commit the list of blocks; done before, it is done."""
        there = self.parts(key, reference)
        found = self.find(key)
        if not there and found is not None and found.size == sum(sizes):
            return
        require_parts(there, sizes)
        with self._faults():
            self._blob(key).commit_block_list([BlobBlock(_block_id(number)) for number in range(1, len(sizes) + 1)])

    def forget_parts(self, key: str, reference: str) -> None:
        """Write an empty blob over the blocks and remove it: Azure has no other way, but to wait for a week."""
        if self.parts(key, reference):
            with self._faults():
                self._blob(key).upload_blob(b"", overwrite=True)
            self._remove(key)

    def find(self, key: str) -> FoundFile | None:
        """The blob's properties; the version is the ETag."""
        try:
            with self._faults():
                found = self._blob(key).get_blob_properties()
        except FileNotFoundError:
            return None
        return FoundFile(int(found.size), str(found.etag), found.last_modified)

    def _copy(self, source: str, target: str, *, version: str) -> None:
        blob = self._container.get_blob_client(target)
        try:
            blob.start_copy_from_url(
                self._container.get_blob_client(source).url,
                source_etag=version,
                source_match_condition=MatchConditions.IfNotModified,
            )
        except ResourceModifiedError:
            self._require_kept(False)  # noqa: FBT003
        deadline = time.monotonic() + _COPY_SECONDS
        while (state := blob.get_blob_properties().copy.status) == "pending" and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if state != "success":
            raise store_fault(self._access.address, _DAMAGED)

    def _remove(self, key: str) -> None:
        try:
            with self._faults():
                self._blob(key).delete_blob()
        except FileNotFoundError:
            return

    def content(self, shard: str) -> Iterator[StoredObject]:
        """The blobs that begin with the shard's folder."""
        yield from self._listed(f"{self._prefix}content/{shard}/")

    def remove_uploads(self, before: datetime) -> int:
        """Remove old blobs. Blocks that were never made a blob, Azure itself drops after a week."""
        removed = 0
        for found in self._listed(f"{self._prefix}incoming/"):
            if found.modified < before:
                self._remove(found.key)
                removed += 1
        return removed

    def _listed(self, prefix: str) -> Iterator[StoredObject]:
        with self._faults():
            for found in self._container.list_blobs(name_starts_with=prefix):
                yield StoredObject(self._key_of(found.name), int(found.size), found.last_modified)

    def _blob(self, key: str) -> BlobClient:
        return self._container.get_blob_client(self._name(key))

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except ResourceNotFoundError as error:
            if getattr(error, "error_code", "") == "ContainerNotFound":
                raise store_fault(self._access.address, f"there is no container '{self._place}'") from error
            raise FileNotFoundError from error
        except (AzureError, OSError) as error:
            raise store_fault(self._access.address, _said(error)) from error


def _block_id(number: int) -> str:
    """Names of blocks are all of one length. On the wire they are base64, which the library sees to."""
    return f"{number:06}"


def _said(error: Any) -> str:  # noqa: ANN401  # an exception
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return first.rstrip(".")
