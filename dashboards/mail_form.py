"""The form of a campaign: to whom it goes, with how many these are now, and what it says."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta

import streamlit as st

from podium.dashboards import layout, source, times
from podium.dashboards.deeds import forget_outcome, refusal_words, refuse, show_outcome, try_to
from podium.dashboards.first_values import give_first
from podium.dashboards.mail_wish import EVERY_PHASE, STATUSES, SUBMITTED, WHO, Wish, audience_of, wish_of
from podium.dashboards.mail_words import count_words
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer
from podium.platform.errors import Conflict, PodiumError
from podium.platform.mail.variables import VARIABLES
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.mail import AudienceRecord, CampaignRecord, RecipientCount

_COUNTED_FOR = timedelta(seconds=20)
_LONG = 300


def show_new_campaign(competition: CompetitionRecord, who: Viewer) -> None:
    """Show the form for a new campaign; what was typed stays until it is saved."""
    slug = competition.summary.slug
    place = _new(slug)
    _show_boxes(place, Wish(), competition, who)
    with st.container(horizontal=True, key=f"mail-end-{place}"):
        st.button(
            "Save as a draft",
            type="primary",
            icon=":material/save:",
            key=f"save-{place}",
            on_click=_draft,
            args=(competition, who),
            help="Nothing is sent. A draft can be previewed, and changed as often as you like.",
        )
    show_outcome(_said(slug))


def show_campaign_form(competition: CompetitionRecord, campaign: CampaignRecord, who: Viewer) -> None:
    """Show the form for a campaign that may still change."""
    place, base = form_place(competition.summary.slug, campaign), wish_of(campaign, competition.phases)
    _show_overtaken(place, competition, campaign)
    _show_boxes(place, base, competition, who)
    with st.container(horizontal=True, key=f"mail-end-{place}"):
        st.button(
            "Save",
            type="primary",
            icon=":material/save:",
            key=f"save-{place}",
            on_click=_change,
            args=(competition, campaign, who),
        )
        st.button("Throw my changes away", key=f"undo-{place}", on_click=_throw_away, args=(place,))
    with st.container(key=f"mail-standing-{place}"):
        if is_unsaved(competition, campaign):
            layout.inline(layout.notice("Changed and not saved yet."))
    show_outcome(place)


def is_unsaved(competition: CompetitionRecord, campaign: CampaignRecord) -> bool:
    """Whether what was typed differs from what is saved."""
    base = _base(competition, campaign)
    return _read(form_place(competition.summary.slug, campaign), base) != base


def form_place(slug: str, campaign: CampaignRecord) -> str:
    """What the form of a campaign is called."""
    return f"campaign-{slug}-{campaign.number}"


def count_now(slug: str, audience: AudienceRecord, who: Viewer) -> Answer[RecipientCount]:
    """To how many people a campaign would go now: asked when the audience changes, and again after a while."""
    key = f"mail-count-{slug}"
    known: dict[AudienceRecord, tuple[datetime, Answer[RecipientCount]]] = st.session_state.setdefault(key, {})
    at = times.now()
    for old in [old for old, (since, _) in known.items() if at - since > _COUNTED_FOR]:
        del known[old]
    if audience not in known:
        known[audience] = (at, source.ask(lambda: who.patient_gateway.count_recipients(slug, audience)))
    return known[audience][1]


def _show_boxes(place: str, base: Wish, competition: CompetitionRecord, who: Viewer) -> None:
    first = _typed(place) or base
    names = {phase.number: phase.name for phase in competition.phases}

    def box(name: str) -> str:
        return give_first(_key(place, name), getattr(first, name))

    to = st.radio("To", list(WHO), format_func=WHO.__getitem__, key=box("who"), horizontal=True)
    with st.container(key=f"mail-audience-{place}"):
        if to == "participants":
            with st.container(horizontal=True, vertical_alignment="bottom"):
                st.selectbox("Which", list(STATUSES), format_func=STATUSES.__getitem__, key=box("status"))
                st.selectbox("Submissions", list(SUBMITTED), format_func=SUBMITTED.__getitem__, key=box("submitted"))
                st.selectbox(
                    "Of phase",
                    [EVERY_PHASE, *names],
                    format_func=lambda number: names.get(number, "Any"),
                    key=box("phase"),
                    help="Who submitted in it. What else is chosen here is of that phase alone then.",
                )
                st.number_input(
                    "At one of the first ranks",
                    min_value=1,
                    step=1,
                    value=None,
                    key=box("top"),
                    placeholder="any rank, or none",
                    help="Such as 10 for the first ten; members of teams too.",
                )
            st.checkbox("Whose latest submission has failed", key=box("failed"))
        elif to == "people":
            st.text_area(
                "Usernames",
                key=box("names"),
                height=100,
                placeholder="ada, ben, cora",
                help="Of participants and organizers; with spaces, commas or line ends between.",
            )
        else:
            st.caption("To the owner of the competition and all who organize it with them.")
    _show_count(place, competition, who)
    st.text_input(
        "Subject", key=box("subject"), max_chars=200, placeholder="{{competition}}: one week left", autocomplete="off"
    )
    st.text_area(
        "Message, in Markdown",
        key=box("body"),
        height=_LONG,
        placeholder="Hello {{name}},\n\nyou are at rank {{rank}}. [Submit again]({{submit_link}}) until Sunday.",
    )
    with st.expander("What is filled in for each recipient", key=f"mail-variables-{place}"):
        rows = [(f"{{{{{name}}}}}", one.meaning) for name, one in VARIABLES.items()]
        layout.inline(scrolled_table("What is filled in", ("Written", "Filled in"), rows))
        st.caption("In the subject too. HTML is text like any other here, and pictures become links.")
    _keep(place, first)


def _show_count(place: str, competition: CompetitionRecord, who: Viewer) -> None:
    with st.container(key=f"mail-count-{place}"):
        wish = _read(place, Wish())
        if wish.who == "people" and not wish.names.strip():
            st.caption("Name the people to write to.")
            return
        answer = count_now(competition.summary.slug, audience_of(wish, competition.phases), who)
        if answer.value is not None:
            words = layout.notice(count_words(answer.value), kind="info" if answer.value.total else "warning")
            layout.inline(words)
        elif answer.trouble is not None:
            layout.inline(layout.notice(refusal_words(answer.trouble), kind="warning"))


def _show_overtaken(place: str, competition: CompetitionRecord, campaign: CampaignRecord) -> None:
    """That somebody else has changed what is being changed here, and the way on."""
    latest = (campaign.version, wish_of(campaign, competition.phases))
    began = st.session_state.setdefault(_began(place), latest)
    with st.container(key=f"mail-overtaken-{place}"):
        if began == latest:
            return
        if began[1] == latest[1] or not is_unsaved(competition, campaign):
            # Nothing of one's own is lost: the boxes show what is there now.
            if began[1] != latest[1]:
                _forget(place)
            st.session_state[_began(place)] = latest
            return
        words = f"{campaign.author} has changed this meanwhile. What you typed stays below: copy what you want to keep."
        layout.inline(layout.notice(words, kind="warning"))
        st.button("Read it again", key=f"reread-{place}", on_click=_throw_away, args=(place,))


def _base(competition: CompetitionRecord, campaign: CampaignRecord) -> Wish:
    """What the form began with."""
    began = st.session_state.get(_began(form_place(competition.summary.slug, campaign)))
    return began[1] if began is not None else wish_of(campaign, competition.phases)


def _draft(competition: CompetitionRecord, who: Viewer) -> None:
    slug, gateway = competition.summary.slug, who.patient_gateway
    wish = _read(_new(slug), Wish())
    audience = audience_of(wish, competition.phases)
    if not _is_written(_said(slug), wish):
        return
    try:
        campaign = gateway.draft_campaign(slug, subject=wish.subject, body=wish.body, audience=audience)
    except PodiumError as error:
        refuse(_said(slug), _all_words(slug, error, audience, who))
        return
    try_to(_said(slug), lambda: None, f"Campaign {campaign.number} is saved as a draft. It is shown below.")
    st.session_state[_generation(slug)] = st.session_state.get(_generation(slug), 0) + 1
    # The new one is what the organizer wants to see below.
    st.session_state.pop(f"campaign-of-{slug}", None)


def _change(competition: CompetitionRecord, campaign: CampaignRecord, who: Viewer) -> None:
    slug, place = competition.summary.slug, form_place(competition.summary.slug, campaign)
    wish, base = _read(place, _base(competition, campaign)), _base(competition, campaign)
    if wish == base:
        refuse(place, "Nothing was changed.")
        return
    if not _is_written(place, wish):
        return
    audience = audience_of(wish, competition.phases)
    version = st.session_state.get(_began(place), (campaign.version, base))[0]
    try:
        who.patient_gateway.change_campaign(
            slug, campaign.number, subject=wish.subject, body=wish.body, audience=audience, version=version
        )
    except Conflict as conflict:
        refuse(place, refusal_words(conflict))
    except PodiumError as error:
        refuse(place, _all_words(slug, error, audience, who))
    else:
        _throw_away(place)
        try_to(place, lambda: None, "Saved. Whoever has approved it before has to look at it again.")


def _is_written(place: str, wish: Wish) -> bool:
    """Whether there is something to send; else what is missing is said, all of it."""
    missing = [
        words
        for words, is_there in (
            ("It has no subject.", wish.subject.strip()),
            ("It says nothing.", wish.body.strip()),
            ("Name the people to write to.", wish.who != "people" or wish.names.strip()),
        )
        if not is_there
    ]
    if missing:
        refuse(place, f"{' '.join(missing)} Nothing was saved.")
    return not missing


def _all_words(slug: str, error: PodiumError, audience: AudienceRecord, who: Viewer) -> str:
    """All that is wrong: the gateway looks at what a campaign says first, and at its audience only then."""
    found = [refusal_words(error)]
    counted = source.ask(lambda: who.patient_gateway.count_recipients(slug, audience))
    if counted.trouble is not None and counted.trouble.detail != error.detail:
        found.append(refusal_words(counted.trouble))
    return " ".join([*found, "Nothing was saved."])


def _read(place: str, base: Wish) -> Wish:
    """What the boxes hold, in a callback too; what has no box now is as it was."""
    first, state = _typed(place) or base, st.session_state
    return Wish(**{one.name: state.get(_key(place, one.name), getattr(first, one.name)) for one in fields(Wish)})


def _keep(place: str, first: Wish) -> None:
    """Keep what was typed while another section is shown: boxes that are not shown lose it."""
    st.session_state[_kept(place)] = _read(place, first)


def _typed(place: str) -> Wish | None:
    kept = st.session_state.get(_kept(place))
    return kept if isinstance(kept, Wish) else None


def _throw_away(place: str) -> None:
    """In a callback: forget what was typed, and what was said of it."""
    forget_outcome(place)
    _forget(place)


def _forget(place: str) -> None:
    """Forget what was typed, and with which version it began."""
    state = st.session_state
    for key in (_kept(place), _began(place), *(_key(place, one.name) for one in fields(Wish))):
        state.pop(key, None)


def _new(slug: str) -> str:
    return f"new-campaign-{slug}-{st.session_state.get(_generation(slug), 0)}"


def _said(slug: str) -> str:
    return f"new-campaign-{slug}"


def _generation(slug: str) -> str:
    return f"new-campaigns-{slug}"


def _key(place: str, name: str) -> str:
    return f"mail-{name}-{place}"


def _kept(place: str) -> str:
    return f"mail-typed-{place}"


def _began(place: str) -> str:
    return f"mail-began-{place}"
