"""Every error leaves the gateway as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from podium.platform.bundles.problems import BundleRefused, ContentRefused, Problem, Severity
from podium.platform.errors import PodiumError, TooManyRequests
from podium.platform.records.service import ProblemRecord

logger = logging.getLogger(__name__)


def answer(record: ProblemRecord, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem as an HTTP answer."""
    return JSONResponse(asdict(record), record.status, headers, media_type="application/problem+json")


def record_of(error: PodiumError) -> ProblemRecord:
    """An error of Podium's as a problem."""
    problems = error.problems if isinstance(error, BundleRefused | ContentRefused) else ()
    return ProblemRecord(error.type, error.title, error.status, error.detail, error.remedy, tuple(problems))


def answer_to(error: PodiumError) -> JSONResponse:
    """An error of Podium's as an HTTP answer, with the headers that belong to it."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    return answer(record_of(error), headers)


def install(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Make the application answer all errors as problems.

    Args:
        headers: Of the answer to an error that nobody expected, which passes by all middleware.
    """

    @app.exception_handler(PodiumError)
    async def podium_error(_request: Request, error: PodiumError) -> JSONResponse:
        return answer_to(error)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(_request: Request, error: RequestValidationError) -> JSONResponse:
        problems = tuple(
            Problem(Severity.ERROR, str(fault["msg"]), field=".".join(str(part) for part in fault["loc"][1:]))
            for fault in error.errors()
        )
        detail = "; ".join(f"{problem.field or 'body'}: {problem.message}" for problem in problems)
        return answer(ProblemRecord("invalid-input", "The request is not valid", 422, detail, "", problems))

    @app.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        record = ProblemRecord(phrase.lower().replace(" ", "-"), phrase, error.status_code, str(error.detail))
        return answer(record, dict(error.headers) if error.headers else None)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        request_id = getattr(request.state, "request_id", "")
        logger.error("%s %s failed (request %s)", request.method, request.url.path, request_id, exc_info=error)
        return answer(
            ProblemRecord(
                "platform-fault",
                "Podium is having trouble",
                500,
                "Something went wrong on Podium's side; it was logged.",
                f"Try again, and tell the operators if it stays; this was request {request_id}.",
            ),
            {**headers, "X-Request-Id": str(request_id)},
        )
