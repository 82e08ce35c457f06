"""An error reads the same in the client as where it was raised."""

import httpx
import pytest

from podium.platform import errors
from podium.platform.bundles.problems import BundleRefused, Problem, Severity
from podium.platform.client.refusals import ERRORS_BY_TYPE, error_from_response, unreachable
from podium.platform.errors import NotFound, PlatformFault, PodiumError, QuotaExceeded, TooManyRequests

GATEWAY = "https://podium.example.org"


def all_errors() -> list[type[PodiumError]]:
    return [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, PodiumError)]


def problem(status: int, **fields: object) -> httpx.Response:
    body = {"type": "x", "title": "t", "status": status, "detail": "Something is wrong."} | fields
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json; charset=utf-8"})


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_every_error_is_made_again_from_its_type(error: type[PodiumError]):
    made = error_from_response(problem(error.status, type=error.type, remedy="Do this."), GATEWAY)
    assert type(made) is error
    assert made.detail == "Something is wrong."
    assert made.remedy == "Do this."


def test_no_two_errors_share_a_type():
    assert len(ERRORS_BY_TYPE) == len({error.type for error in ERRORS_BY_TYPE.values()})
    assert {error.type for error in all_errors()} <= set(ERRORS_BY_TYPE)


def test_a_refused_bundle_brings_its_problems():
    one = {"severity": "error", "message": "No title.", "file": "competition.yaml", "line": 3}
    made = error_from_response(problem(422, type="bundle-refused", problems=[one]), GATEWAY)
    assert isinstance(made, BundleRefused)
    assert made.problems == (Problem(Severity.ERROR, "No title.", "competition.yaml", 3),)


def test_problems_of_fields_are_part_of_the_detail():
    one = {"severity": "error", "message": "Too short.", "field": "name"}
    made = error_from_response(problem(422, type="invalid-input", problems=[one]), GATEWAY)
    assert made.detail == "Something is wrong.\n- name: Too short."


def test_a_type_of_a_newer_gateway_goes_by_its_status():
    assert type(error_from_response(problem(404, type="no-such-moon"), GATEWAY)) is NotFound
    assert type(error_from_response(problem(418, type="teapot"), GATEWAY)) is PlatformFault


def test_too_many_requests_is_not_a_used_up_quota():
    assert isinstance(error_from_response(problem(429, type="quota-exceeded"), GATEWAY), QuotaExceeded)
    made = error_from_response(httpx.Response(429, headers={"retry-after": "7"}), GATEWAY)
    assert isinstance(made, TooManyRequests)
    assert made.remedy == "Try again in 7 seconds."


@pytest.mark.parametrize("content", [b"<html>nginx</html>", b"", b"\xff\xfe", b"[1]"])
def test_an_answer_that_is_no_problem_names_the_gateway(content: bytes):
    made = error_from_response(httpx.Response(502, content=content), GATEWAY)
    assert isinstance(made, PlatformFault)
    assert GATEWAY in made.detail
    assert "502" in made.detail
    assert "podium status" in made.remedy


def test_a_problem_that_lies_about_its_kind_is_no_crash():
    response = httpx.Response(500, content=b"\xff{", headers={"content-type": "application/problem+json"})
    assert isinstance(error_from_response(response, GATEWAY), PlatformFault)


def test_an_unreachable_gateway_is_named():
    made = unreachable(GATEWAY, httpx.ConnectError("Connection refused"))
    assert GATEWAY in made.detail
    assert "Connection refused" in made.detail
    assert "podium status" in made.remedy
    assert "in time" in unreachable(GATEWAY, httpx.ReadTimeout("")).detail
