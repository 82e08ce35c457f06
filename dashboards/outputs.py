"""What a submission has left behind, to be downloaded: its own file, and what its programs wrote."""

from __future__ import annotations

from functools import partial

from podium.dashboards.links import download_link
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.scores import size_text
from podium.platform.client.api import Client
from podium.platform.records.submissions import SubmissionRecord

_OUTPUT_WORDS = {
    "prediction_output": "Output of the prediction step",
    "scoring_output": "Output of the scoring step",
    "detailed_results": "Detailed results",
}


def downloads(submission: SubmissionRecord, own: Client) -> Html:
    """Links to the files of a submission; those of each task where there are several."""
    several = len(submission.evaluations) > 1
    items = [
        _item(
            f"What you submitted: {submission.filename}",
            submission.size,
            download_link(
                "Download",
                submission.filename,
                f"submitted-{submission.id}",
                partial(own.submission_file, submission.id),
            ),
        )
    ]
    for evaluation in submission.evaluations:
        for output in evaluation.outputs:
            words = _OUTPUT_WORDS.get(output.kind, output.kind)
            what = f"{words}, {evaluation.task}" if several else words
            sign = partial(own.output_file, submission.id, evaluation.id, output.kind)
            link = download_link("Download", what, f"{output.kind}-{evaluation.id}-{output.sha256}", sign)
            items.append(_item(what, output.size, link))
    return join(
        element("h3", text("Files")),
        element("ul", *items, class_="podium-files"),
    )


def _item(what: str, size: int, link: Html) -> Html:
    return element(
        "li",
        element("span", text(what), class_="what"),
        element("span", text(size_text(size)), class_="podium-quiet"),
        link,
    )
