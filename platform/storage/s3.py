"""S3, and what speaks its language: AWS, MinIO, Ceph, Swift, ..."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

import botocore.session
import s3fs
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from podium.platform.jobs import SignedRequest
from podium.platform.storage.interface import FoundFile, StoredObject, require_parts
from podium.platform.storage.objects import ObjectStorage, store_fault, utc_now_plus

_LONGEST = timedelta(days=7)
"""What S3 signs for at most."""
_COPY_BYTES = 5 << 30
"""What S3 copies in one call at most."""
_COPY_PART_BYTES = 512 << 20
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class S3Access:
    """How an S3 is reached.

    Attributes:
        endpoint: Its address; empty for AWS.
        public_endpoint: Its address as clients and agents reach it; empty where that is the same.
        path_style: Whether the bucket stands in the path and not in the host's name.
        key_id: The access key's name; empty for what AWS's own tools would find, in the environment or from the host.
    """

    endpoint: str = ""
    public_endpoint: str = ""
    region: str = "us-east-1"
    path_style: bool = False
    key_id: str = ""
    secret: str = ""


class S3Storage(ObjectStorage):
    """Objects in a bucket.

    The size of an upload is signed where it is known: it is the only bound that S3 has for a PUT.
    """

    kind: ClassVar[str] = "s3"
    bounds_uploads: ClassVar[bool] = True

    def __init__(self, bucket: str, *, prefix: str, access: S3Access, signed_seconds: int) -> None:
        options = {
            "signature_version": "s3v4",
            "s3": {"addressing_style": "path" if access.path_style else "virtual"},
            # Checksums of the kinds that only AWS knows would be refused elsewhere.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            "max_pool_connections": 32,
        }
        files = s3fs.S3FileSystem(
            key=access.key_id or None,
            secret=access.secret or None,
            endpoint_url=access.endpoint or None,
            client_kwargs={"region_name": access.region},
            config_kwargs=options,
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        super().__init__(files, place=bucket, prefix=prefix, signed_seconds=signed_seconds)
        self._endpoint = access.endpoint or f"AWS in {access.region}"
        # Signing asks nobody, so it needs no loop; and what clients reach may have another address.
        self._signer = botocore.session.get_session().create_client(
            "s3",
            region_name=access.region,
            endpoint_url=access.public_endpoint or access.endpoint or None,
            aws_access_key_id=access.key_id or None,
            aws_secret_access_key=access.secret or None,
            config=Config(**options),
        )

    def sign_put(self, key: str, *, max_bytes: int, is_exact: bool = False, work_seconds: float = 0) -> SignedRequest:
        """A presigned PUT; of that very size, where it is known."""
        size = {"ContentLength": max_bytes} if is_exact else {}
        return self._sign("put_object", key, work_seconds, max_bytes=max_bytes, **size)

    def sign_get(self, key: str, *, filename: str, work_seconds: float = 0) -> SignedRequest:
        """A presigned GET, which answers as a download."""
        disposition = f"attachment; filename*=utf-8''{quote(filename, safe='')}"
        return self._sign(
            "get_object",
            key,
            work_seconds,
            ResponseContentType="application/octet-stream",
            ResponseContentDisposition=disposition,
        )

    def _sign(
        self,
        operation: str,
        key: str,
        work_seconds: float,
        *,
        max_bytes: int | None = None,
        **parameters: Any,  # noqa: ANN401  # S3's own
    ) -> SignedRequest:
        span = min(self._expires_in(work_seconds), _LONGEST)
        expires = utc_now_plus(span)
        with self._faults():
            url = self._signer.generate_presigned_url(
                operation,
                Params={"Bucket": self._place, "Key": self._name(key), **parameters},
                ExpiresIn=int(span.total_seconds()),
            )
        method = "GET" if operation == "get_object" else "PUT"
        # A conditional of two literals is a plain text to mypy.
        return SignedRequest(method=method, url=url, expires=expires, max_bytes=max_bytes)  # type: ignore[arg-type]

    def begin_parts(self, key: str) -> str:
        """Begin a multipart upload; the reference is its id."""
        return str(self._call("create_multipart_upload", key)["UploadId"])

    def sign_part(self, key: str, reference: str, number: int, *, size: int) -> SignedRequest:
        """A presigned upload of a part, of that very size."""
        return self._sign(
            "upload_part", key, 0, max_bytes=size, UploadId=reference, PartNumber=number, ContentLength=size
        )

    def parts(self, key: str, reference: str) -> dict[int, int]:
        """The parts that S3 lists."""
        return {part["PartNumber"]: part["Size"] for part in self._parts(key, reference)}

    def _parts(self, key: str, reference: str) -> Iterator[dict[str, Any]]:
        after = 0
        while True:
            try:
                page = self._call("list_parts", key, UploadId=reference, PartNumberMarker=after, MaxParts=_PAGE)
            except FileNotFoundError:
                return
            found = page.get("Parts", [])
            yield from found
            if not page.get("IsTruncated") or not found:
                return
            after = found[-1]["PartNumber"]

    def join_parts(self, key: str, reference: str, sizes: Sequence[int]) -> None:
        """Complete the multipart upload; done before, it is done."""
        there = list(self._parts(key, reference))
        found = self.find(key)
        if not there and found is not None and found.size == sum(sizes):
            return
        require_parts({part["PartNumber"]: part["Size"] for part in there}, sizes)
        chosen = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in there[: len(sizes)]]
        self._call("complete_multipart_upload", key, UploadId=reference, MultipartUpload={"Parts": chosen})

    def forget_parts(self, key: str, reference: str) -> None:
        """Abort the multipart upload."""
        try:
            self._call("abort_multipart_upload", key, UploadId=reference)
        except FileNotFoundError:
            return

    def find(self, key: str) -> FoundFile | None:
        """What HEAD says; the version is the ETag."""
        try:
            answer = self._call("head_object", key)
        except FileNotFoundError:
            return None
        return FoundFile(int(answer["ContentLength"]), str(answer["ETag"]), answer["LastModified"])

    def _copy(self, source: str, target: str, *, version: str) -> None:
        place = {"Bucket": self._place, "Key": source}
        size = int(self._files.call_s3("head_object", Bucket=self._place, Key=source)["ContentLength"])
        try:
            if size <= _COPY_BYTES:
                self._files.call_s3(
                    "copy_object",
                    Bucket=self._place,
                    Key=target,
                    CopySource=place,
                    CopySourceIfMatch=version,
                    MetadataDirective="REPLACE",
                )
            else:
                self._copy_in_parts(place, target, size, version)
        except (ClientError, OSError) as error:
            self._require_kept("PreconditionFailed" not in repr(error) and "412" not in str(error))
            raise

    def _copy_in_parts(self, place: dict[str, str], target: str, size: int, version: str) -> None:
        common = {"Bucket": self._place, "Key": target}
        upload = self._files.call_s3("create_multipart_upload", **common)["UploadId"]
        parts = []
        for number, begin in enumerate(range(0, size, _COPY_PART_BYTES), start=1):
            end = min(begin + _COPY_PART_BYTES, size) - 1
            answer = self._files.call_s3(
                "upload_part_copy",
                **common,
                UploadId=upload,
                PartNumber=number,
                CopySource=place,
                CopySourceIfMatch=version,
                CopySourceRange=f"bytes={begin}-{end}",
            )
            parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
        self._files.call_s3("complete_multipart_upload", **common, UploadId=upload, MultipartUpload={"Parts": parts})

    def _remove(self, key: str) -> None:
        self._call("delete_object", key)

    def content(self, shard: str) -> Iterator[StoredObject]:
        """The objects that begin with the shard's folder."""
        yield from self._listed(f"{self._prefix}content/{shard}/")

    def remove_uploads(self, before: datetime) -> int:
        """Remove old objects, and abort old multipart uploads."""
        removed = 0
        for found in self._listed(f"{self._prefix}incoming/"):
            if found.modified < before:
                self._remove(found.key)
                removed += 1
        with self._faults():
            answer = self._files.call_s3(
                "list_multipart_uploads", Bucket=self._place, Prefix=f"{self._prefix}incoming/"
            )
        for upload in answer.get("Uploads", []):
            if upload["Initiated"] < before:
                self.forget_parts(self._key_of(upload["Key"]), upload["UploadId"])
                removed += 1
        return removed

    def _listed(self, prefix: str) -> Iterator[StoredObject]:
        marker: dict[str, str] = {}
        while True:
            with self._faults():
                page = self._files.call_s3("list_objects_v2", Bucket=self._place, Prefix=prefix, **marker)
            for found in page.get("Contents", []):
                yield StoredObject(self._key_of(found["Key"]), int(found["Size"]), found["LastModified"])
            if not page.get("IsTruncated"):
                return
            marker = {"ContinuationToken": page["NextContinuationToken"]}

    def _call(self, operation: str, key: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401  # S3's own
        """One call about an object.

        Raises:
            FileNotFoundError: There is no such object or upload.
        """
        with self._faults():
            answer: dict[str, Any] = self._files.call_s3(
                operation, Bucket=self._place, Key=self._name(key), **parameters
            )
            return answer

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            if "bucket" in str(error):
                raise store_fault(self._endpoint, _said(error)) from error
            raise
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey", "NoSuchUpload"}:
                raise FileNotFoundError from error
            raise store_fault(self._endpoint, error) from error
        except (BotoCoreError, OSError) as error:
            raise store_fault(self._endpoint, _said(error)) from error


def _said(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
