"""What the pages show, asked of the gateway once for all viewers.

Public answers are shared: fifty viewers of a board cost one call in `BOARD_SECONDS`. When the gateway does not
answer, the last good answer stays, with the trouble beside it, so that a page can show both.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar, cast
from uuid import UUID

import streamlit as st

from podium.dashboards import times
from podium.dashboards.gateway import open_gateway
from podium.platform.client.api import Client
from podium.platform.errors import PlatformFault, PodiumError, TooManyRequests
from podium.platform.records.competitions import CompetitionRecord, CompetitionSummary
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow, RankPoint
from podium.platform.records.offers import OfferedFile, SharedSubmission
from podium.platform.records.sign_in import SignInRecord
from podium.platform.records.submissions import DetailedResults

BOARD_SECONDS = 1.5
HISTORY_SECONDS = 30.0
COMPETITION_SECONDS = 3.0
SIGN_IN_SECONDS = 30.0
PAGE_ROWS = 100
_REMEMBERED = 256
_SHARED = 200

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Piece:
    """A page of a board that somebody looks at.

    Attributes:
        phase: Its number, as text.
        page: From 1.
        search: Part of the names of those who are looked for; empty for everybody.
        as_of: The moment as of which it is wanted; `None` for now.
    """

    slug: str
    phase: str
    page: int = 1
    search: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer(Generic[AnswerT]):
    """What is known of something.

    Attributes:
        value: The latest good answer, `None` when there never was one or the gateway refuses it now.
        trouble: What went wrong this time, `None` when nothing did.
        at: When `value` was good, or when the trouble came if there is no value.
    """

    value: AnswerT | None
    trouble: PodiumError | None
    at: datetime

    @property
    def is_stale(self) -> bool:
        """Whether the value is from before the gateway stopped answering."""
        return self.value is not None and self.trouble is not None


class _LastGood:
    """The latest good answers, the least recently used forgotten first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._answers: OrderedDict[tuple[object, ...], Answer[object]] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, key: tuple[object, ...], call: Callable[[], AnswerT]) -> Answer[AnswerT]:
        """Call, and fall back on the latest good answer where the gateway is down."""
        try:
            answer = Answer(call(), None, times.now())
        except (PlatformFault, TooManyRequests) as fault:
            with self._lock:
                known = self._answers.get(key)
            if known is None:
                return Answer(None, fault, times.now())
            return Answer(cast("AnswerT", known.value), fault, known.at)
        except PodiumError as refusal:
            # What may no longer be seen is no longer shown.
            with self._lock:
                self._answers.pop(key, None)
            return Answer(None, refusal, times.now())
        with self._lock:
            known = self._answers.get(key)
            if known is not None and known.value == answer.value:
                # What is the same stays the same object: what was drawn of it, is drawn.
                answer = Answer(cast("AnswerT", known.value), None, answer.at)
            self._answers[key] = cast("Answer[object]", answer)
            self._answers.move_to_end(key)
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)
        return answer


_last_good = _LastGood(_REMEMBERED)


@st.cache_resource(show_spinner=False)
def _visitor() -> Client:
    """The gateway as someone who is not signed in sees it; one connection pool for all."""
    return open_gateway(None)


# Records never change, so that viewers share them: `cache_resource` hands out the object, `cache_data` would copy it.
@st.cache_resource(ttl=COMPETITION_SECONDS, max_entries=_REMEMBERED, show_spinner=False)
def public_competitions(search: str, limit: int, status: str = "") -> Answer[tuple[CompetitionSummary, ...]]:
    """Published competitions, newest first; of a `status` alone where one is given."""
    return _last_good.ask(
        ("competitions", search, limit, status),
        lambda: tuple(_visitor().competitions(search=search or None, limit=limit, status=status or None)),
    )


@st.cache_resource(ttl=SIGN_IN_SECONDS, max_entries=1, show_spinner=False)
def sign_in_way() -> Answer[SignInRecord]:
    """Whether people can sign in at a provider."""
    return _last_good.ask(("sign-in",), lambda: _visitor().sign_in_way())


def public_image(slug: str) -> bytes | None:
    """The picture of a published competition, `None` where it can't be had."""
    return ask(lambda: _visitor().competition_image(slug)).value


@st.cache_resource(ttl=COMPETITION_SECONDS, max_entries=_REMEMBERED, show_spinner=False)
def _public_offers(slug: str) -> Answer[tuple[OfferedFile, ...]]:
    return _last_good.ask(("files", slug), lambda: _visitor().offered_files(slug))


@st.cache_resource(ttl=COMPETITION_SECONDS, max_entries=_REMEMBERED, show_spinner=False)
def _public_shares(slug: str) -> Answer[tuple[SharedSubmission, ...]]:
    return _last_good.ask(("shared", slug), lambda: _visitor().shared_submissions(slug, limit=_SHARED))


def offered_files(slug: str, own: Client | None) -> Answer[tuple[OfferedFile, ...]]:
    """What a competition offers for download; organizers, with access of their `own`, see more of it."""
    return _public_offers(slug) if own is None else ask(lambda: own.offered_files(slug))


def shared_submissions(slug: str, own: Client | None) -> Answer[tuple[SharedSubmission, ...]]:
    """Submissions that participants have made public, the latest first."""
    return _public_shares(slug) if own is None else ask(lambda: own.shared_submissions(slug, limit=_SHARED))


@st.cache_resource(ttl=COMPETITION_SECONDS, max_entries=_REMEMBERED, show_spinner=False)
def _public_competition(slug: str) -> Answer[CompetitionRecord]:
    return _last_good.ask(("competition", slug), lambda: _visitor().competition(slug))


@st.cache_resource(ttl=BOARD_SECONDS, max_entries=_REMEMBERED, show_spinner=False)
def _public_board(piece: Piece) -> Answer[LeaderboardRecord]:
    return _last_good.ask(("board", piece), lambda: _board_page(_visitor(), piece))


# By the version of the board: another one has another history.
@st.cache_resource(ttl=HISTORY_SECONDS, max_entries=_REMEMBERED, show_spinner=False)
def _public_history(slug: str, phase: str, participant: str | None, version: str) -> Answer[tuple[RankPoint, ...]]:
    key = ("history", slug, phase, participant, version)
    return _last_good.ask(key, lambda: _visitor().leaderboard_history(slug, phase, participant=participant))


@st.cache_resource(ttl=HISTORY_SECONDS, max_entries=16, show_spinner=False)
def _public_snapshot(slug: str, phase: str, version: str) -> Answer[LeaderboardRecord]:
    return _last_good.ask(("snapshot", slug, phase, version), lambda: _visitor().leaderboard_snapshot(slug, phase))


def competition(slug: str, own: Client | None) -> Answer[CompetitionRecord]:
    """A competition; `own` is the viewer's own access, for drafts and for what only its organizers see."""
    answer = _public_competition(slug)
    if own is None or not _needs_own_access(answer):
        return answer
    return ask(lambda: own.competition(slug))


def own_competition(slug: str, own: Client) -> Answer[CompetitionRecord]:
    """A competition as the viewer sees it, with the viewer's own part in it."""
    return ask(lambda: own.competition(slug))


def board(piece: Piece, own: Client | None) -> Answer[LeaderboardRecord]:
    """A page of a leaderboard, `PAGE_ROWS` rows of it."""
    answer = _public_board(piece)
    if own is None or isinstance(answer.trouble, PlatformFault) or not _differs_by_viewer(answer):
        return answer
    return ask(lambda: _board_page(own, piece))


def own_row(piece: Piece, own: Client) -> LeaderboardRow | None:
    """The viewer's best row on a board, wherever it stands; `None` where there is none, or no answer."""
    answer = ask(lambda: own.leaderboard(piece.slug, piece.phase, limit=1, as_of=piece.as_of))
    return answer.value.own if answer.value is not None else None


def history(
    slug: str, phase: str, participant: str | None, version: str, own: Client | None
) -> Answer[tuple[RankPoint, ...]]:
    """How a participant's scores changed, or without one those of whoever was best.

    Args:
        version: Of the board; what is known of another one is not given.
        own: The viewer's own access, for what only they may see.
    """
    if own is not None:
        return ask(lambda: own.leaderboard_history(slug, phase, participant=participant))
    return _public_history(slug, phase, participant, version)


def snapshot(slug: str, phase: str, version: str, own: Client | None) -> Answer[LeaderboardRecord]:
    """The first thousand rows of a board at once; arguments as for `history`."""
    if own is not None:
        return ask(lambda: own.leaderboard_snapshot(slug, phase))
    return _public_snapshot(slug, phase, version)


def detailed_results(submission: UUID, own: Client | None) -> Answer[DetailedResults]:
    """The detailed results of a submission that a viewer may see."""
    return ask(lambda: (own or _visitor()).detailed_results(submission))


def detailed_result_page(submission: UUID, evaluation: UUID, own: Client | None) -> bytes:
    """The HTML of one of them, not to be trusted.

    Raises:
        PodiumError: What the gateway says.
    """
    return (own or _visitor()).detailed_result_page(submission, evaluation)


def ask(call: Callable[[], AnswerT]) -> Answer[AnswerT]:
    """The answer to a call of the viewer's own; it is never shared."""
    try:
        return Answer(call(), None, times.now())
    except PodiumError as trouble:
        return Answer(None, trouble, times.now())


def _differs_by_viewer(answer: Answer[LeaderboardRecord]) -> bool:
    """Whether some see more of a board than a visitor: their own name, or what stands there since it froze."""
    return answer.value is None or answer.value.anonymous or answer.value.frozen_since is not None


def _needs_own_access(answer: Answer[CompetitionRecord]) -> bool:
    if answer.value is not None:
        return answer.value.leaderboard_hidden
    return not isinstance(answer.trouble, PlatformFault)


def _board_page(gateway: Client, piece: Piece) -> LeaderboardRecord:
    offset = (piece.page - 1) * PAGE_ROWS
    return gateway.leaderboard(
        piece.slug, piece.phase, limit=PAGE_ROWS, offset=offset, search=piece.search or None, as_of=piece.as_of
    )


def board_csv(slug: str, phase: str, own: Client | None, as_of: datetime | None = None) -> str:
    """A whole leaderboard as CSV, as it stands or stood."""
    return (own or _visitor()).leaderboard_csv(slug, phase, as_of=as_of)
