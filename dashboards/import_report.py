"""What became of imports: how far each is, what is to be decided, and the end of every file."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.deeds import Deed, show_deeds, show_outcome
from podium.dashboards.image_target import ImageTarget
from podium.dashboards.markup import Html, element, join, sentence, text
from podium.dashboards.paging import PAGE, page_of, show_paging
from podium.dashboards.scores import size_text
from podium.dashboards.session import Viewer
from podium.dashboards.slice_figure import TIMES
from podium.dashboards.source import Answer
from podium.platform.lifecycle import ImportOutcome, ImportStatus
from podium.platform.records.images import ImportedFilePage, ImportedFileRecord, ImportSessionRecord

_RESTS = frozenset({ImportStatus.IMPORTED, ImportStatus.ACCEPTED, ImportStatus.FAILED})
_WORDS = {
    ImportStatus.UPLOADING: "files are being sent",
    ImportStatus.QUEUED: "waits for its turn",
    ImportStatus.IMPORTING: "is being imported",
    ImportStatus.IMPORTED: "imported",
    ImportStatus.ACCEPTED: "accepted",
    ImportStatus.FAILED: "failed",
}
_KEPT = "What was uploaded is kept until somebody accepts this report."
_MARKS = {
    ImportStatus.UPLOADING: "…",
    ImportStatus.QUEUED: "…",
    ImportStatus.IMPORTING: "●",
    ImportStatus.IMPORTED: "!",
    ImportStatus.ACCEPTED: "✓",
    ImportStatus.FAILED: "✕",
}
_OUTCOMES = {
    ImportOutcome.REJECTED: "Rejected",
    ImportOutcome.IMAGE: "Part of an image",
    ImportOutcome.IGNORED: "Ignored",
}


def show_imports(target: ImageTarget, answer: Answer[tuple[ImportSessionRecord, ...]], who: Viewer) -> None:
    """Show the imports of a dataset or a submission, the latest first."""
    _keep_up(target, answer.value)
    if answer.value is None:
        layout.inline(layout.notice("The reports of imports can't be had at the moment.", kind="warning"))
    elif not answer.value:
        st.caption("Nothing was imported yet.")
    for number, one in enumerate(answer.value or ()):
        _show_import(one, who, is_latest=number == 0)


@st.fragment(run_every="2s")
def _keep_up(target: ImageTarget, drawn: tuple[ImportSessionRecord, ...] | None) -> None:
    """Draw the page again when an import has moved; this itself shows nothing."""
    who = session.viewer()
    if who is None or (drawn is not None and all(one.status in _RESTS for one in drawn)):
        return
    latest = imports_of(target, who).value
    if latest is not None and latest != drawn:
        st.rerun()


def imports_of(target: ImageTarget, who: Viewer) -> Answer[tuple[ImportSessionRecord, ...]]:
    """The imports of a dataset or a submission, the latest first."""
    return source.ask(lambda: who.gateway.import_sessions(**target.named))


def _show_import(one: ImportSessionRecord, who: Viewer, *, is_latest: bool) -> None:
    with st.container(border=True, key=f"import-{one.id}"):
        layout.inline(import_card(one))
        with st.container(key=f"deeds-of-{one.id}"):
            if deeds := _deeds(one, who):
                show_deeds(f"import-{one.id}", deeds)
            else:
                show_outcome(f"import-{one.id}")
        if one.images or one.rejected or one.ignored:
            _show_files(one, who, is_open=is_latest and one.rejected > 0)


def import_card(one: ImportSessionRecord) -> Html:
    """An import: how far it is, and what came of it."""
    mark = element("span", text(_MARKS[one.status]), class_="mark", aria_hidden="true")
    state = element("span", mark, text(_WORDS[one.status]), class_=f"podium-state {one.status.value}")
    return join(
        element("h3", text(f"Import of {times.stamp(one.created)} UTC")),
        element("p", state, class_="podium-sentence"),
        element("p", text(_KEPT), class_="podium-quiet") if one.status is ImportStatus.IMPORTED and one.kept else "",
        _bar(one) if one.status is ImportStatus.IMPORTING and one.total else "",
        layout.notice(sentence(one.message), kind="bad" if one.status is ImportStatus.FAILED else "info")
        if one.message
        else "",
        layout.facts(
            (
                ("By", one.imported_by),
                ("Sent", f"{one.uploads:,} {'file' if one.uploads == 1 else 'files'}, {size_text(one.bytes)}"),
                ("Images", f"{one.images:,}"),
                ("Rejected", f"{one.rejected:,}"),
                ("Ignored", f"{one.ignored:,}"),
                ("Took", times.duration(one.seconds) if one.seconds is not None else ""),
            )
        )
        if one.status in _RESTS
        else "",
        element("p", text(f"Rejected: {_reasons(one)}."), class_="podium-quiet") if one.reasons else "",
    )


def _reasons(one: ImportSessionRecord) -> str:
    most = sorted(one.reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count:,} {TIMES} {reason_words(reason)}" for reason, count in most)


def reason_words(reason: str) -> str:
    """Why a file was rejected, as people say it."""
    return reason.replace("_", " ")


def _bar(one: ImportSessionRecord) -> Html:
    return join(
        element(
            "div",
            element("span", class_="finished", style=f"width:{100 * one.done / one.total:.2f}%"),
            class_="podium-bar",
            role="progressbar",
            aria_valuemin="0",
            aria_valuemax=str(one.total),
            aria_valuenow=str(one.done),
            aria_label=f"{one.done} of {one.total} {one.step}",
        ),
        element("p", text(f"{one.done:,} of {one.total:,} {one.step}"), class_="podium-quiet"),
    )


def _deeds(one: ImportSessionRecord, who: Viewer) -> list[Deed]:
    deeds = []
    if one.status is ImportStatus.IMPORTED:
        question = "What was uploaded is let go, also the files that were rejected. The images stay."
        deeds.append(
            Deed(
                "accept",
                "Accept the report",
                ":material/check:",
                partial(who.patient_gateway.accept_import, one.id),
                "The report is accepted.",
                question if one.rejected else "What was uploaded is let go. The images stay.",
                "Accept it",
                is_primary=True,
            )
        )
    if one.kept and (one.status is ImportStatus.FAILED or (one.status is ImportStatus.IMPORTED and one.rejected)):
        deeds.append(
            Deed(
                "retry",
                "Try the rejected files again",
                ":material/replay:",
                partial(who.patient_gateway.retry_import, one.id),
                "They are being imported again.",
            )
        )
    return deeds


def _show_files(one: ImportSessionRecord, who: Viewer, *, is_open: bool) -> None:
    counts = {
        ImportOutcome.REJECTED: one.rejected,
        ImportOutcome.IMAGE: one.images,
        ImportOutcome.IGNORED: one.ignored,
    }
    with st.expander("What became of each file", icon=":material/list:", expanded=is_open):
        place = f"files-{one.id}"
        options = [outcome for outcome, count in counts.items() if count]
        if st.session_state.get(f"outcome-{place}") not in options:
            st.session_state[f"outcome-{place}"] = options[0]
        chosen = str(
            st.segmented_control(
                "Which files",
                options,
                format_func=lambda outcome: _OUTCOMES.get(outcome, outcome),
                required=True,
                key=f"outcome-{place}",
                label_visibility="collapsed",
            )
        )
        outcome = ImportOutcome(chosen)
        answer = _files(one.id, outcome, page_of(place, outcome), who)
        if answer.value is None:
            layout.inline(layout.notice("The files can't be listed at the moment.", kind="warning"))
            return
        layout.inline(files_table(answer.value.files, outcome))
        total = answer.value.total
        show_paging(place, outcome, total, what="file" if total == 1 else "files")


def _files(session_id: UUID, outcome: ImportOutcome, page: int, who: Viewer) -> Answer[ImportedFilePage]:
    return source.ask(lambda: who.gateway.imported_files(session_id, outcome=outcome, limit=PAGE, offset=page * PAGE))


def files_table(files: tuple[ImportedFileRecord, ...], outcome: ImportOutcome) -> Html:
    """Files with what became of them: why they were rejected and what to do, or of which image they are."""
    words: tuple[str, ...] = ("File", "Size")
    if outcome is ImportOutcome.REJECTED:
        words += ("Reason", "What is wrong", "What to do")
    elif outcome is ImportOutcome.IMAGE:
        words += ("Image",)
    else:
        words += ("Why",)
    head = element("thead", element("tr", *(element("th", text(word), scope="col") for word in words)))
    table = element(
        "table", head, element("tbody", *(_row(file, words) for file in files)), class_="podium-table stacks"
    )
    label = f"Files: {_OUTCOMES[outcome].lower()}"
    return element("div", table, class_="podium-scroll tall", tabindex="0", role="region", aria_label=label)


def _row(file: ImportedFileRecord, words: tuple[str, ...]) -> Html:
    cells: list[tuple[str, Html]] = [("", text(size_text(file.size)))]
    if file.outcome is ImportOutcome.REJECTED:
        others = element("small", text(f"Also: {' '.join(file.others)}")) if file.others else ""
        cells += [
            ("", text(reason_words(file.reason))),
            ("why", join(text(file.detail), others)),
            ("why", text(file.remedy)),
        ]
    elif file.outcome is ImportOutcome.IMAGE:
        cells.append(("why", text(file.image_name)))
    else:
        cells.append(("why", text(file.detail)))
    return element(
        "tr",
        element("th", text(file.path), scope="row", class_="title path"),
        *(
            element("td", cell, data_label=word, class_=kind or None)
            for word, (kind, cell) in zip(words[1:], cells, strict=True)
        ),
    )
