"""The error that an answer of the gateway stands for: the same class as where it was raised, by its problem type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

import httpx

from podium.platform import errors
from podium.platform.bundles.problems import BundleRefused, ContentRefused
from podium.platform.client.conversion import record_from_json
from podium.platform.errors import PlatformFault, PodiumError
from podium.platform.lifecycle import IllegalTransition
from podium.platform.records.service import ProblemRecord

ERRORS_BY_TYPE: Mapping[str, type[PodiumError]] = MappingProxyType(
    {
        error.type: error
        for error in (
            errors.PodiumError,
            errors.InvalidInput,
            errors.NotAuthenticated,
            errors.NotAllowed,
            errors.NotFound,
            errors.Conflict,
            errors.QuotaExceeded,
            errors.TooLarge,
            errors.TooManyRequests,
            errors.StorageFull,
            errors.PlatformFault,
            IllegalTransition,
        )
    }
)
"""Every problem type whose error is made from a detail and a remedy; the two refusals are made from their problems."""

# For types that a newer gateway knows and this client does not.
_ERRORS_BY_STATUS: Mapping[int, type[PodiumError]] = MappingProxyType(
    {
        400: errors.InvalidInput,
        401: errors.NotAuthenticated,
        403: errors.NotAllowed,
        404: errors.NotFound,
        409: errors.Conflict,
        413: errors.TooLarge,
        422: errors.InvalidInput,
    }
)


def error_from_response(response: httpx.Response, gateway: str) -> PodiumError:
    """The error that an answer of 400 or more stands for.

    Args:
        response: The answer, read to its end.
        gateway: The gateway's address, which the messages name.
    """
    problem = problem_from_response(response)
    if problem is not None:
        return _error_from_problem(problem, response)
    if response.status_code == 429:
        return _too_many_requests(response, "")
    return PlatformFault(
        f"{gateway} answered {response.status_code} ({response.reason_phrase or 'no reason'}), not as a gateway does.",
        remedy="Is it the address of a Podium gateway, and is the gateway running (`podium status` on its machine)?",
    )


def problem_from_response(response: httpx.Response) -> ProblemRecord | None:
    """The problem that an answer says, or `None` for an answer that is not `application/problem+json`."""
    if response.headers.get("content-type", "").partition(";")[0].strip() != "application/problem+json":
        return None
    try:
        return record_from_json(ProblemRecord, response.json())
    except (PlatformFault, json.JSONDecodeError, UnicodeDecodeError):
        return None


def unreachable(address: str, error: httpx.TransportError, *, who: str = "gateway") -> PlatformFault:
    """The fault of a gateway, or a store, that does not answer."""
    what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "can't be reached"
    reason = str(error) or type(error).__name__
    return PlatformFault(
        f"The {who} at {address} {what} ({reason}).",
        remedy="Is it running (`podium status` on its machine), and is the address right?",
    )


def _error_from_problem(problem: ProblemRecord, response: httpx.Response) -> PodiumError:
    if problem.type == BundleRefused.type:
        return BundleRefused(problem.problems)
    if problem.type == ContentRefused.type:
        return ContentRefused(problem.problems)
    # Some details list the problems already.
    unsaid = [one for one in problem.problems if one.message not in problem.detail]
    detail = "\n".join((problem.detail, *(f"- {one}" for one in unsaid)))
    if problem.type == errors.TooManyRequests.type:
        return errors.TooManyRequests(detail, remedy=problem.remedy, retry_after=_retry_after(response))
    error = ERRORS_BY_TYPE.get(problem.type) or _ERRORS_BY_STATUS.get(problem.status)
    if error is not None:
        return error(detail, remedy=problem.remedy)
    if problem.status == 429:
        return _too_many_requests(response, detail)
    return PlatformFault(detail, remedy=problem.remedy)


def _too_many_requests(response: httpx.Response, detail: str) -> errors.TooManyRequests:
    seconds = _retry_after(response)
    return errors.TooManyRequests(
        detail or "The gateway asks for fewer requests.",
        remedy=f"Try again in {seconds} seconds." if seconds else "Try again in a minute.",
        retry_after=seconds,
    )


def _retry_after(response: httpx.Response) -> int:
    seconds = response.headers.get("retry-after", "")
    return int(seconds) if seconds.isdecimal() else 0
