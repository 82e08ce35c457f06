"""Versions of tasks as a table."""

from __future__ import annotations

from collections.abc import Sequence

from podium.dashboards import times
from podium.dashboards.markup import Html, actor_words, element, join, text, unseen
from podium.dashboards.programs import short_digest
from podium.dashboards.scores import MISSING, size_text
from podium.platform.records.reruns import DatasetRecord, TaskVersionRecord

_WORDS = (
    "Version",
    "Since (UTC)",
    "Why",
    "By",
    "Results that count",
    "Scoring program",
    "Ingestion program",
    "Input data",
    "Reference data",
)


def versions_table(versions: Sequence[TaskVersionRecord]) -> Html:
    """All versions of a task, the latest first, with what each is made of."""
    caption = element("caption", unseen("Versions of the task, the latest first"))
    head = element("thead", element("tr", *(element("th", text(word), scope="col") for word in _WORDS)))
    earlier = [*versions[1:], None]
    rows = [_line(version, before) for version, before in zip(versions, earlier, strict=True)]
    table = element("table", caption, head, element("tbody", *rows), class_="podium-table")
    return element("div", table, class_="podium-scroll", tabindex="0", role="region", aria_label="Versions of the task")


def outdated_words(versions: Sequence[TaskVersionRecord]) -> str:
    """How many results that count come from another version than the present one; empty for none."""
    count = sum(version.submissions for version in versions if not version.is_current)
    if not count:
        return ""
    come = "1 result that counts comes" if count == 1 else f"{count} results that count come"
    return f"{come} from an earlier version. A rerun scores them by the present one."


def _line(version: TaskVersionRecord, before: TaskVersionRecord | None) -> Html:
    current = element("span", text("present"), class_="tag") if version.is_current else Html("")
    old: list[DatasetRecord | None] = [None] * 4 if before is None else _parts(before)
    return element(
        "tr",
        element("th", text(f"{version.number} "), current, scope="row"),
        element("td", text(times.stamp(version.created)), class_="time"),
        element("td", text(version.reason or ("as in the bundle" if version.number == 1 else MISSING)), class_="why"),
        element("td", text(actor_words(version.actor))),
        element("td", text(version.submissions), class_="number"),
        *(
            element("td", _dataset(dataset, one, is_first=before is None))
            for dataset, one in zip(_parts(version), old, strict=True)
        ),
    )


def _parts(version: TaskVersionRecord) -> list[DatasetRecord | None]:
    return [version.scoring_program, version.ingestion_program, version.input_data, version.reference_data]


def _dataset(dataset: DatasetRecord | None, old: DatasetRecord | None, *, is_first: bool) -> Html:
    if dataset is None:
        return text(MISSING)
    is_new = not is_first and (old is None or old.sha256 != dataset.sha256)
    mark = element("span", text("changed"), class_="tag") if is_new else Html("")
    digest = element("code", text(short_digest(dataset.sha256)), title=f"sha256:{dataset.sha256}")
    return join(text(f"{dataset.name} "), mark, element("small", text(f"{size_text(dataset.size)}, "), digest))
