"""Calls that bring several things at once, of which none may spoil the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from podium.platform.database import Database
from podium.platform.errors import PlatformFault, PodiumError
from podium.platform.jobs import Refusal

logger = logging.getLogger(__name__)
ThingT = TypeVar("ThingT")
AnswerT = TypeVar("AnswerT")


def answer_each(
    database: Database,
    things: Sequence[ThingT],
    call: Callable[[Session, Sequence[ThingT]], Mapping[UUID, AnswerT]],
    *,
    key: Callable[[ThingT], UUID],
) -> dict[UUID, AnswerT | PodiumError]:
    """Do something with several things in one transaction; where that fails, with each in one of its own.

    What can be foreseen is an answer of `call` and fails nothing. This is for the rest: a value that the database
    does not take, a file that is gone.

    Raises:
        PlatformFault: The database can't be reached.
    """
    try:
        with database.session() as session:
            return dict(call(session, things))
    except Exception:
        if not database.answers():
            raise
        if len(things) > 1:
            logger.warning("several could not be done at once; each is tried by itself", exc_info=True)
    answers: dict[UUID, AnswerT | PodiumError] = {}
    for thing in things:
        try:
            with database.session() as session:
                answers |= call(session, [thing])
        except PodiumError as refused:
            answers[key(thing)] = refused
        except Exception:
            logger.exception("one of several could not be done")
            answers[key(thing)] = PlatformFault("Something went wrong here; it is in the gateway's log.")
    return answers


def refusal_of(error: PodiumError) -> Refusal:
    """What a call of its own would have been answered with."""
    return Refusal(type=error.type, status=error.status, words=str(error))
