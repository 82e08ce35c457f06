"""A page that a scoring program wrote is served so that none of its scripts has an origin, a request or a cookie."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from case import PREDICT, Case
from proving_ground import ProvingGround

pytestmark = pytest.mark.docker
SCRIPT = "<script>fetch('/api/v1/people/me').then(_ => top.location = 'https://example.org')</script>"
PAGE = Case(
    "page-with-a-script",
    "writes a page whose script acts as whoever looks at it",
    program=PREDICT,
    scorer=(
        "open('/app/output/scores.json', 'w').write('{\"accuracy\": 0}')\n"
        f"open('/app/output/detailed_results.html', 'w').write({SCRIPT!r})\n"
    ),
)


def test_a_page_with_a_script_is_served_without_an_origin(grounds: Callable[[str], ProvingGround]) -> None:
    ground = grounds("docker")
    ended = ground.run(PAGE)
    path = f"/submissions/{ended.submission.id}/detailed-results/{ended.evaluation.id}"
    answer = ground.gateway.call("GET", path, ground.mallory.token)
    assert answer.status_code == 200, answer.text
    assert SCRIPT in answer.text
    parts = answer.headers["content-security-policy"].split(";")
    policy = {name: value for name, _, value in (part.strip().partition(" ") for part in parts)}
    assert "allow-same-origin" not in policy["sandbox"]
    assert not re.search(r"allow-(top-navigation|popups|forms|modals|downloads)", policy["sandbox"])
    assert policy["default-src"] == "'none'"
    assert policy.get("connect-src", "'none'") == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert ground.traces(ended) == []
