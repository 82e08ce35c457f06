"""The document that shows a page of anybody's. What a browser makes of it is tested with a browser."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from stand_in import StandIn, make_competition, make_person, make_submission
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from podium.dashboards import detailed
from podium.dashboards.detailed import framed
from podium.platform.lifecycle import EvaluationStatus, SubmissionStatus
from podium.platform.records.submissions import EvaluationRecord

Visit = Callable[..., AppTest]


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements_of(document: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(document)
    parser.close()
    return parser.found


@pytest.mark.parametrize(
    "page",
    [
        "<p>hello",
        '"></iframe><script>alert(1)</script>',
        "'></iframe>",
        "&quot;><script>",
        "<!-- ",
        "</title></style></iframe>",
        '<meta http-equiv=Content-Security-Policy content="script-src *">',
        "\x00\ufffd\r\n",
    ],
)
def test_a_page_stays_in_its_attribute(page: str) -> None:
    found = elements_of(framed(page, f"Title {page}"))
    assert [tag for tag, _ in found] == ["meta", "meta", "title", "style", "iframe"]
    frame = found[-1][1]
    assert frame["sandbox"] == "allow-scripts"
    inner = frame["srcdoc"]
    assert inner is not None
    assert inner.endswith(page)
    policies = [attributes["content"] for tag, attributes in (found[1], elements_of(inner)[1]) if tag == "meta"]
    assert len(policies) == 2
    for policy in policies:
        assert policy is not None
        for rule in ("default-src 'none'", "connect-src 'none'", "frame-src 'none'", "form-action 'none'"):
            assert rule in policy


@pytest.fixture
def shown(stand_in: StandIn, visit: Visit) -> Callable[..., AppTest]:
    """The page of a submission's results."""

    def shown(page: str, **more: object) -> AppTest:
        submission = make_submission(SubmissionStatus.FINISHED, 71)
        stand_in.add_result(submission, page, **more)
        return visit("results", submission=str(submission.id))

    return shown


def captions(test: AppTest) -> str:
    return "\n".join(caption.value for caption in test.caption)


def test_a_result_is_shown_and_says_that_it_is_written_still(shown: Callable[..., AppTest]) -> None:
    test = shown("<p>half", is_live=True)
    (frame,) = test.get("iframe")
    assert "&lt;p&gt;half" in frame.proto.srcdoc
    assert "still writing this" in captions(test)


def place_of(block: Block, kind: str) -> list[int] | None:
    """Where the first element of a kind stands: its index among its neighbours, from the page's root down."""
    for index, child in block.children.items():
        if child.type == kind:
            return [index]
        below = place_of(child, kind) if isinstance(child, Block) else None
        if below is not None:
            return [index, *below]
    return None


def test_a_result_stays_in_its_place_when_it_is_no_longer_written(stand_in: StandIn, visit: Visit) -> None:
    submission = make_submission(SubmissionStatus.FINISHED, 74)
    stand_in.add_result(submission, "<p>half", is_live=True)
    test = visit("results", submission=str(submission.id))
    place = place_of(test.main, "iframe")
    assert place is not None
    stand_in.add_result(submission, "<p>whole", version="2")
    test = visit("results", submission=str(submission.id))
    (frame,) = test.get("iframe")
    assert "whole" in frame.proto.srcdoc
    assert "still writing this" not in captions(test)
    assert place_of(test.main, "iframe") == place


def test_a_page_too_large_to_be_shown_can_be_fetched(
    shown: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detailed, "SHOWN_BYTES", 3)
    test = shown("<p>large")
    assert not test.get("iframe")
    assert "--what detailed_results" in captions(test)


@pytest.mark.parametrize("submission", ["", "no id", "00000000-0000-0000-0000-000000000000"])
def test_a_result_that_is_not_there_is_said(submission: str, stand_in: StandIn, visit: Visit) -> None:
    test = visit("results", submission=submission)
    shown = "\n".join(element.proto.body for element in test.get("html"))
    assert "There is no such submission" in shown or "No submission chosen" in shown


def test_a_result_is_fetched_once_for_each_version(stand_in: StandIn, visit: Visit) -> None:
    submission = make_submission(SubmissionStatus.FINISHED, 72)
    stand_in.people["token"] = make_person("lin")
    stand_in.add(make_competition("iris", "Iris"))
    stand_in.submissions["iris"] = [submission]
    stand_in.add_result(submission, "<p>one")
    test = visit("submissions", token="token", competition="iris")
    test.run()
    fetched = [path for path in stand_in.seen if "/detailed-results/" in path]
    assert len(fetched) == 1
    assert "Detailed results" in "\n".join(element.proto.body for element in test.get("html"))


def test_files_that_could_not_be_kept_are_told_beside_the_scores(stand_in: StandIn, visit: Visit) -> None:
    evaluation = EvaluationRecord(
        id=uuid4(),
        task="Classify",
        status=EvaluationStatus.SUCCEEDED,
        verdict=None,
        message="The scores count, but `<b>` is refused.",
        scores=(),
        outputs=(),
        programs=(),
        timings={},
    )
    stand_in.people["token"] = make_person("lin")
    stand_in.add(make_competition("iris", "Iris"))
    stand_in.submissions["iris"] = [make_submission(SubmissionStatus.FINISHED, 73, evaluations=(evaluation,))]
    test = visit("submissions", token="token", competition="iris")
    assert "The scores count, but `&lt;b&gt;` is refused." in "\n".join(one.proto.body for one in test.get("html"))
