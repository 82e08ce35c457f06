"""News of agents: that some are lost, to those who see them; that nothing scores a competition, to its organizers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from podium.platform.lifecycle import SubmissionStatus
from podium.platform.mail.news import news_rules, tell
from podium.platform.mail.queueing import Addressed
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import (
    Agent,
    Collaborator,
    Competition,
    MailKind,
    Person,
    Phase,
    Pool,
    PoolUser,
    ScalingPolicy,
    Submission,
    now,
)
from podium.platform.scaling.fleet import ended_by_scaling
from podium.platform.submissions.fitting import live_agents

QUIET = timedelta(hours=6)
"""How long nobody is told again of an agent that comes and goes, or of a pool that is empty."""
STALE = timedelta(days=1)
"""That an agent was lost is no news after this, as where nobody could be told before."""
_NAMED = 5


def loss_is_news(last_seen: datetime, told: datetime | None, after: timedelta, moment: datetime) -> bool:
    """Whether people are to be told now that an agent is lost.

    Args:
        told: When they were last told of it.
        after: How long it is not heard of before it is lost.
    """
    silent = moment - last_seen
    if not after <= silent <= after + STALE:
        return False
    return told is None or (told < last_seen and moment - told >= QUIET)


def tell_of_lost_agents(session: Session, heard_for: timedelta) -> int:
    """Tell people of agents that are lost, once for each loss; return how many messages these are.

    Args:
        heard_for: For how long agents could have been heard of. Where that is too short, nobody knows whether any is
            lost: the gateway may have been away.
    """
    rules, moment = news_rules(session), now()
    if rules is None or heard_for <= rules.agent_lost:
        return 0
    # Of two gateways that look at the same time, one has each.
    silent = session.scalars(
        select(Agent)
        .join(Pool, Pool.id == Agent.pool_id)
        .where(
            Agent.last_seen.between(moment - rules.agent_lost - STALE, moment - rules.agent_lost),
            or_(Agent.loss_told.is_(None), Agent.loss_told < Agent.last_seen),
            Agent.cordoned.is_(None),
            Pool.cordoned.is_(None),
            ~ended_by_scaling(),
        )
        .options(joinedload(Agent.pool))
        .order_by(Agent.pool_id, Agent.name)
        .with_for_update(of=Agent, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    lost = [one for one in silent if loss_is_news(one.last_seen, one.loss_told, rules.agent_lost, moment)]
    for one in lost:
        one.loss_told = moment
    return sum(_tell_of(session, list(those), moment) for _, those in groupby(lost, lambda one: one.pool_id))


def _tell_of(session: Session, lost: Sequence[Agent], moment: datetime) -> int:
    """Tell of agents of one pool, in one message."""
    pool = lost[0].pool
    left, waiting = len(live_agents(session, pool.id)), _waiting(session, pool)
    seen = max(one.last_seen for one in lost)
    filled_in = {
        "agents": names_in_words([one.name for one in lost]),
        "pool": pool.name,
        "seen": f"{seen:%Y-%m-%d %H:%M} UTC",
        "left": str(left),
        "waiting": str(waiting),
    }
    who = _who_sees(session, pool)
    told = tell(session, MailKind.AGENT, TemplateName.AGENT_LOST, [Addressed(one, filled_in=filled_in) for one in who])
    # Where agents are started as they are needed, that there is none means nothing.
    if left or session.get(ScalingPolicy, pool.id) is not None:
        return told
    return told + _tell_organizers(session, pool, waiting, frozenset(who), moment)


def names_in_words(names: Sequence[str]) -> str:
    """Names in a sentence; of many, the first few."""
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return ", ".join(names)


def _who_sees(session: Session, pool: Pool) -> Sequence[UUID]:
    """Who sees a pool's agents: its owner and those it is shared with; of the platform's own, administrators."""
    if pool.owner_id is None:
        query = select(Person.id).where(Person.is_administrator)
    else:
        shared = select(PoolUser.person_id).where(PoolUser.pool_id == pool.id)
        query = select(Person.id).where(or_(Person.id == pool.owner_id, Person.id.in_(shared)))
    return session.scalars(query.order_by(Person.id)).all()


def _tell_organizers(session: Session, pool: Pool, waiting: int, knowing: Collection[UUID], moment: datetime) -> int:
    """Tell organizers whose competition is under way that nothing scores it; those who know of the agent need not."""
    takes_submissions = exists().where(
        Phase.competition_id == Competition.id,
        Phase.starts <= moment,
        or_(Phase.ends.is_(None), Phase.ends > moment),
    )
    competitions = session.scalars(
        select(Competition)
        .where(
            Competition.pool_id == pool.id,
            Competition.published,
            or_(Competition.ends.is_(None), Competition.ends > moment),
            takes_submissions,
        )
        .order_by(Competition.id)
    ).all()
    shared = session.execute(
        select(Collaborator.competition_id, Collaborator.person_id).where(
            Collaborator.competition_id.in_([one.id for one in competitions])
        )
    )
    organizers = {(one.id, one.organizer_id) for one in competitions} | {(row[0], row[1]) for row in shared}
    # Agents that come and go by turns leave a pool empty again and again.
    span = int(moment.timestamp() // QUIET.total_seconds())
    addressed = [
        Addressed(
            person_id,
            key=f"empty:{competition_id}:{span}",
            competition_id=competition_id,
            filled_in={"pool": pool.name, "waiting": str(waiting)},
        )
        for competition_id, person_id in sorted(organizers)
        if person_id not in knowing
    ]
    return tell(session, MailKind.AGENT, TemplateName.POOL_EMPTY, addressed)


def _waiting(session: Session, pool: Pool) -> int:
    queued = session.scalar(
        select(func.count())
        .select_from(Submission)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(Submission.status == SubmissionStatus.QUEUED, Submission.ended.is_(None), Competition.pool_id == pool.id)
    )
    return queued or 0
