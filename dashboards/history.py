"""A person's submissions as HTML: the list, and one of them in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from podium.dashboards import times
from podium.dashboards.advice import (
    STEPS,
    VERDICTS,
    is_platforms_fault,
    queue_sentence,
    status_sentence,
    submission_verdicts,
)
from podium.dashboards.layout import facts, notice
from podium.dashboards.markup import Html, element, join, text, unseen
from podium.dashboards.origins import origin_marks, origin_sentences
from podium.dashboards.programs import measured_programs
from podium.dashboards.scores import MISSING, full_score_text, score_text, size_text
from podium.dashboards.waiting import expectation_words
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES, EvaluationStatus, SubmissionStatus
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.submissions import SubmissionRecord, excluded_words

_STATUS_MARKS = {
    SubmissionStatus.FINISHED: "✓",
    SubmissionStatus.FAILED: "✕",
    SubmissionStatus.CANCELLED: MISSING,
    SubmissionStatus.QUEUED: "…",
    SubmissionStatus.SUBMITTED: "↑",
}


def submissions_table(submissions: Sequence[SubmissionRecord], columns: Sequence[ColumnRecord]) -> Html:
    """A person's submissions, newest first."""
    words = (("#", ""), ("Status", ""), ("Phase", ""), *((column.title, "number") for column in columns))
    cells = [
        element("th", text(word), scope="col", class_=kind or None)
        for word, kind in (*words, ("File", ""), ("Note", ""), ("Submitted (UTC)", ""))
    ]
    head = element("thead", element("tr", *cells))
    body = element("tbody", *(_line(submission, columns) for submission in submissions))
    return element(
        "table",
        element("caption", unseen("Your submissions, newest first")),
        head,
        body,
        class_="podium-table stacks podium-submissions",
    )


def status_mark(submission: SubmissionRecord) -> Html:
    """A submission's status as a word with a mark."""
    return status_mark_of(submission.status)


def status_mark_of(status: SubmissionStatus) -> Html:
    """A status as a word with a mark; a moving one where something is going on."""
    mark = _STATUS_MARKS.get(status, "●")
    return element(
        "span",
        element("span", text(mark), class_="mark", aria_hidden="true"),
        text(status),
        class_=f"podium-state {status}",
    )


def score_cells(scores: Mapping[str, float], columns: Sequence[ColumnRecord]) -> Iterator[Html]:
    """A submission's scores as cells of a table, a column each."""
    for column in columns:
        shown = text(score_text(scores.get(column.key), column.precision))
        yield element("td", shown, class_="number", data_label=column.title)


def _line(submission: SubmissionRecord, columns: Sequence[ColumnRecord]) -> Html:
    scores = {score.key: score.value for score in submission.scores}
    place = queue_sentence(submission) if submission.status is SubmissionStatus.QUEUED else _marks(submission)
    return element(
        "tr",
        element("th", text(submission.number), scope="row", class_="title"),
        element("td", status_mark(submission), element("small", text(place)) if place else "", data_label="Status"),
        element("td", text(submission.phase), data_label="Phase"),
        *score_cells(scores, columns),
        element("td", text(submission.filename), class_="name", data_label="File", title=submission.filename),
        element("td", text(submission.message or MISSING), class_="name", data_label="Note", title=submission.message),
        element("td", text(times.stamp(submission.created)), class_="time", data_label="Submitted (UTC)"),
    )


def _marks(submission: SubmissionRecord) -> str:
    """What else there is to know of one in a list, in a few words."""
    marks = (
        origin_marks(submission),
        "on the leaderboard" if submission.on_leaderboard else "",
        "kept off the leaderboard" if submission.excluded else "",
        "public" if submission.shared else "",
    )
    return ", ".join(filter(None, marks))


def details_head(submission: SubmissionRecord, at: datetime, *, contact: str | None = None) -> Html:
    """Where a submission is, until when it will have been scored, where it comes from, and whether it may have a rank.

    Args:
        contact: Whom to ask about what the organizers did with it.
    """
    expectation = expectation_words(submission, at)
    return join(
        element("h2", text(f"Submission #{submission.number}"), class_="podium-section"),
        _way(submission),
        element("p", status_mark(submission), text(" "), text(status_sentence(submission)), class_="podium-sentence"),
        element("p", text(expectation), class_="podium-expectation") if expectation else "",
        *(notice(sentence) for sentence in origin_sentences(submission)),
        notice(excluded_words(contact), kind="warning") if submission.excluded else "",
    )


def details(submission: SubmissionRecord, columns: Sequence[ColumnRecord]) -> Html:
    """A submission in full: what came of it, what to do, and what was measured."""
    return join(
        _advice(submission),
        _scores(submission, columns),
        _notes(submission),
        facts(
            (
                ("File", submission.filename),
                ("Size", size_text(submission.size)),
                ("Submitted", times.clock(submission.created)),
                ("Took", _took(submission)),
                ("On the leaderboard", _standing_words(submission)),
                ("Public", "yes" if submission.shared else ""),
            )
        ),
        measured_programs(submission.evaluations),
    )


def _standing_words(submission: SubmissionRecord) -> str:
    if submission.excluded:
        return "kept off by an organizer"
    return "yes" if submission.on_leaderboard else "no"


def _way(submission: SubmissionRecord) -> Html:
    has_ended = submission.status in TERMINAL_SUBMISSION_STATUSES
    last = submission.status if has_ended else SubmissionStatus.FINISHED
    here = len(STEPS) if has_ended else STEPS.index(submission.status)
    steps = []
    for position, step in enumerate((*STEPS, last)):
        kind = "done" if position < here else "here" if position == here else "ahead"
        steps.append(
            element("li", text(step), class_=f"{kind} {step}", aria_current="step" if kind == "here" else None)
        )
    return element("ol", *steps, class_="podium-way", aria_label="The way of this submission")


def _advice(submission: SubmissionRecord) -> Html:
    if is_platforms_fault(submission):
        return element(
            "section",
            element("h3", text("This was Podium's failure, not yours")),
            element(
                "p",
                text("It costs none of your submissions. Submit it again; if it happens twice, tell the organizer."),
            ),
            class_="podium-advice",
        )
    boxes = [
        element(
            "section",
            element("h3", text(VERDICTS[verdict].happened)),
            *(element("p", text(words)) for words in _messages(submission, verdict)),
            element("p", element("strong", text("What to do: ")), text(VERDICTS[verdict].remedy)),
            class_="podium-advice",
        )
        for verdict in submission_verdicts(submission)
    ]
    return join(*boxes)


def _messages(submission: SubmissionRecord, verdict: str) -> tuple[str, ...]:
    messages = (evaluation.message for evaluation in submission.evaluations if evaluation.verdict == verdict)
    return tuple(dict.fromkeys(message for message in messages if message))


def _notes(submission: SubmissionRecord) -> Html:
    """What there is to say about scores that count, such as files that could not be kept."""
    succeeded = (one for one in submission.evaluations if one.status is EvaluationStatus.SUCCEEDED)
    messages = dict.fromkeys(evaluation.message for evaluation in succeeded if evaluation.message)
    return join(*(notice(message, kind="warning") for message in messages))


def _scores(submission: SubmissionRecord, columns: Sequence[ColumnRecord]) -> Html:
    by_key = {column.key: column for column in columns}
    pairs = [
        (by_key[score.key].title, score_text(score.value, by_key[score.key].precision))
        if score.key in by_key
        else (score.key, full_score_text(score.value))
        for score in submission.scores
    ]
    return element("div", facts(pairs), class_="podium-scores") if pairs else Html("")


def _took(submission: SubmissionRecord) -> str:
    if submission.ended is None:
        return ""
    return times.duration((submission.ended - submission.created).total_seconds())
