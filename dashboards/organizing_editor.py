"""The editor of a competition: boxes for what may be changed, a look at what that would do, and then the change."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import editor_parts, layout, source
from podium.dashboards.deeds import Deed, forget_outcome, refusal_words, refuse, show_deeds, show_outcome, try_to
from podium.dashboards.editor_draft import Draft, changes_of, others_changes
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.session import Viewer
from podium.platform.bundles.problems import ContentRefused, Severity
from podium.platform.errors import Conflict, PodiumError
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.content import ContentPreview

_PARTS = {
    "About": editor_parts.show_about,
    "Pages": editor_parts.show_pages,
    "Terms": editor_parts.show_terms,
    "Phases": editor_parts.show_phases,
    "Leaderboard": editor_parts.show_boards,
}
_NOTHING = "Nothing was changed."


def show_editor(competition: CompetitionRecord, who: Viewer) -> None:
    """Show the editor; what was typed stays until it is saved or thrown away."""
    slug = competition.summary.slug
    _show_visibility(competition, who)
    draft = st.session_state.get(_key(slug))
    if not isinstance(draft, Draft):
        answer = source.ask(lambda: who.gateway.content(slug))
        if answer.value is None:
            if answer.trouble is not None:
                layout.trouble(answer.trouble, what="competition")
            return
        draft = Draft(answer.value, list(range(len(answer.value.content.pages))))
        st.session_state[_key(slug)] = draft
    with st.container(key=f"editor-said-{slug}"):
        _show_overtaken(slug, draft, who)
        _show_misplaced(draft)
    for tab, (name, show) in zip(st.tabs([_label(name, draft) for name in _PARTS]), _PARTS.items(), strict=True):
        with tab, st.container(key=f"editor-{name.lower()}"):
            show(draft)
    draft.keep()
    _show_end(slug, draft, who)


def _show_visibility(competition: CompetitionRecord, who: Viewer) -> None:
    slug, gateway = competition.summary.slug, who.patient_gateway
    if competition.summary.published:
        layout.inline(layout.notice("Everyone sees this competition.", kind="good"))
        deed = Deed(
            "hide",
            "Hide it",
            ":material/visibility_off:",
            lambda: gateway.unpublish(slug),
            "Only organizers see it now.",
            question="Nobody but its organizers will see it, not even who takes part, until it is published again.",
            yes="Hide the competition",
        )
    else:
        layout.inline(layout.notice("Only its organizers see this competition: it is a draft.", kind="warning"))
        deed = Deed(
            "publish",
            "Publish it",
            ":material/visibility:",
            lambda: gateway.publish(slug),
            "Everyone sees it now.",
            is_primary=True,
        )
    show_deeds(f"visibility-{slug}", [deed])


def _label(name: str, draft: Draft) -> str:
    fields = {"Pages": ("pages",), "Terms": ("terms",), "Phases": ("phases",), "Leaderboard": ("leaderboards",)}
    others = tuple(word for words in fields.values() for word in words)
    count = sum(
        one.severity is Severity.ERROR
        and (one.field.startswith(fields[name]) if name in fields else not one.field.startswith(others))
        for one in draft.problems
    )
    return f"{name} ({count} to mend)" if count else name


def _show_misplaced(draft: Draft) -> None:
    """What is wrong as a whole, and stands beside no box."""
    for one in draft.problems:
        if not one.field:
            layout.inline(layout.notice(f"{one.message} {one.suggestion}".strip(), kind="warning"))


def _show_end(slug: str, draft: Draft, who: Viewer) -> None:
    # Never disabled: what was typed last arrives with the press itself.
    with st.container(horizontal=True, key=f"editor-end-{slug}"):
        look, save, undo = (f"{name}-{slug}" for name in ("look", "save", "undo"))
        st.button("Save", type="primary", icon=":material/save:", key=save, on_click=_save, args=(slug, draft, who))
        st.button(
            "Preview", icon=":material/visibility:", key=look, help="Changes nothing", on_click=_look, args=(draft, who)
        )
        st.button("Throw my changes away", key=undo, on_click=_throw_away, args=(slug,))
    _show_standing(draft)
    show_outcome(_place(slug))
    if draft.preview is not None and draft.preview.changes:
        layout.inline(preview_of_change(draft.preview))


def _show_standing(draft: Draft) -> None:
    """What is to be mended, and what is not saved yet."""
    changes = changes_of(draft)
    errors = sum(one.severity is Severity.ERROR for one in draft.problems)
    with st.container(key=draft.key("standing")):
        if errors:
            words = "1 thing is to be mended" if errors == 1 else f"{errors} things are to be mended"
            layout.inline(layout.notice(f"{words}, each said below its box. Nothing was saved.", kind="warning"))
        elif changes:
            layout.inline(layout.notice(f"Changed and not saved yet: {', '.join(_named(changes))}."))


def preview_of_change(preview: ContentPreview) -> Html:
    """What a change would do: what follows from it, and each field before and after."""
    rows = [(one.field, one.before, one.after) for one in preview.changes]
    return join(
        element("h3", text("What it would do")),
        *(layout.notice(words, kind="warning") for words in preview.consequences),
        scrolled_table("What it would change", ("Field", "Before", "After"), rows),
    )


def _show_overtaken(slug: str, draft: Draft, who: Viewer) -> None:
    if not draft.overtaken:
        return
    latest = source.ask(lambda: who.gateway.content(slug)).value
    layout.inline(layout.notice(draft.overtaken, kind="warning"))
    if latest is not None:
        changed = others_changes(changes_of(draft), draft.base.content, latest.content)
        if changed:
            layout.inline(layout.notice(f"Others have changed: {', '.join(changed)}."))
    with st.container(horizontal=True):
        st.button("Read it again", type="primary", key=f"reread-{slug}", on_click=_forget, args=(slug,))
    st.caption("What you typed stays below until then: copy what you want to keep.")


def _look(draft: Draft, who: Viewer) -> None:
    slug = draft.base.competition
    forget_outcome(_place(slug))
    changes = changes_of(draft)
    if not changes:
        refuse(_place(slug), _NOTHING)
        return
    try:
        draft.preview = who.patient_gateway.preview_content(slug, changes)
        draft.problems = draft.preview.problems
    except PodiumError as error:
        _say(draft, error)


def _save(slug: str, draft: Draft, who: Viewer) -> None:
    forget_outcome(_place(slug))
    changes = changes_of(draft)
    if not changes:
        refuse(_place(slug), _NOTHING)
        return
    try:
        who.patient_gateway.change_content(slug, changes, version=draft.base.version)
    except ContentRefused as refused:
        draft.problems, draft.preview = refused.problems, None
    except Conflict as conflict:
        draft.overtaken, draft.preview = refusal_words(conflict), None
    except PodiumError as error:
        _say(draft, error)
    else:
        _forget(slug)
        try_to(_place(slug), lambda: None, f"Saved: {', '.join(_named(changes))}.")


def _say(draft: Draft, error: PodiumError) -> None:
    def fail() -> None:
        raise error

    draft.preview = None
    try_to(_place(draft.base.competition), fail, "")


def _named(changes: dict[str, object]) -> list[str]:
    return [name.replace("_", " ") for name in changes]


def _throw_away(slug: str) -> None:
    forget_outcome(_place(slug))
    _forget(slug)


def _forget(slug: str) -> None:
    """Throw a draft away, and what its boxes hold."""
    draft = st.session_state.pop(_key(slug), None)
    if isinstance(draft, Draft):
        for key in [key for key in st.session_state if str(key).startswith(draft.key(""))]:
            del st.session_state[key]


def _place(slug: str) -> str:
    return f"editor-{slug}"


def _key(slug: str) -> str:
    return f"draft-of-{slug}"
