"""What agents and their attempts call: greet, wait for work, claim, heartbeat, logs, result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload
from starlette.background import BackgroundTasks
from starlette.concurrency import run_in_threadpool

from podium.platform.database import notify
from podium.platform.errors import Conflict, NotAllowed, PodiumError
from podium.platform.gateway.requests import Wait
from podium.platform.gateway.services import Services
from podium.platform.gateway.several import answer_each, refusal_of
from podium.platform.identifiers import new_id
from podium.platform.identity import Caller, attempts_of_tokens
from podium.platform.jobs import (
    CONTRACT,
    AgentHello,
    AnnouncedRun,
    Claim,
    ClaimAnswer,
    ClaimAnswers,
    Claims,
    Handback,
    Heartbeat,
    HeartbeatAnswer,
    LogChunks,
    ResultAnswer,
    ResultAnswers,
    ScoringJob,
    ScoringResult,
    ScoringResults,
    Wake,
)
from podium.platform.models import Agent, Attempt, Pool, now
from podium.platform.placement import PLACEMENT_LABELS
from podium.platform.records import AgentRecord
from podium.platform.submissions import attempts, claiming, logs, results, waiting
from podium.platform.submissions.fitting import AGENT_ALIVE, offer_of_agent
from podium.platform.submissions.transitions import pool_topic

router = APIRouter(tags=["agents"])
AgentName = Annotated[str, Query(max_length=100)]


class ContractDiffers(Conflict):
    """The agent speaks another version of the wire contract."""

    type = "contract-differs"
    title = "Agent and gateway do not understand each other"


async def _services_at_once(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _caller_at_once(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


# Without a thread for each, as other routes have it: agents call for every submission, and several times.
WithServices = Annotated[Services, Depends(_services_at_once)]
WithCaller = Annotated[Caller, Depends(_caller_at_once)]


@router.get("/agents")
def list_agents(services: WithServices) -> list[AgentRecord]:
    """All agents, as they last said they were."""
    with services.database.session() as session:
        query = select(Agent).options(joinedload(Agent.pool)).order_by(Agent.name)
        return [_agent_record(agent) for agent in session.scalars(query)]


@router.post("/agent/hello", status_code=204)
def greet(services: WithServices, caller: WithCaller, body: AgentHello) -> None:
    """An agent says what it is, when it starts and from time to time."""
    _require_contract(body.contract)
    if body.pool != caller.pool:
        raise NotAllowed(f"This token is for pool '{caller.pool}', not for '{body.pool}'.")
    values = {
        "version": body.version,
        "slots": body.slots,
        "executor": body.executor,
        "labels": body.labels,
        "trouble": body.trouble,
        "last_seen": now(),
    }
    with services.database.session() as session:
        before = session.scalar(select(Agent.labels).where(Agent.pool_id == caller.pool_id, Agent.name == body.name))
        if before is None or any(before.get(name) != body.labels.get(name) for name in PLACEMENT_LABELS):
            notify(session, pool_topic(body.pool))  # what it was not offered may be for it now
        session.execute(
            insert(Agent)
            .values(id=new_id(), created=now(), pool_id=caller.pool_id, name=body.name, **values)
            .on_conflict_do_update(constraint="uq_agents_pool_id_name", set_=values)
        )


@router.get("/agent/wake")
async def wait_for_work(
    services: WithServices,
    caller: WithCaller,
    cursor: Annotated[int, Query()] = -1,
    wait: Wait = 0,
    agent: AgentName = "",
    gpus: Annotated[int, Query(ge=0)] = 0,
) -> Wake:
    """Answers when something was put into the agent's pool since `cursor`, or when `wait` is over; with its queue.

    The queue is as the `agent` of that name sees it, which has so many `gpus` free.
    """
    topic = pool_topic(caller.pool)
    work = await services.notices.wait(topic, cursor, wait)
    count = services.notices.count(topic)
    runs, stops = await run_in_threadpool(_news, services, caller, agent, gpus)
    return Wake(work=work, cursor=count, runs=runs, stops=stops)


@router.post("/agent/claims", status_code=201)
def claim(services: WithServices, caller: WithCaller, body: Claim, agent: AgentName = "") -> ScoringJob:
    """Take a queued submission and get all that is needed to score it."""
    _require_contract(body.contract)
    with services.database.session() as session:
        pool, known = _pool_and_agent(session, caller, agent)
        return claiming.claim_submission(
            session,
            body.submission_id,
            flow_run_id=body.flow_run_id,
            agent=known,
            gpus=body.gpus,
            pool=pool,
            storage=services.storage,
            settings=services.settings,
        )


@router.post("/agent/claims/several")
def claim_several(services: WithServices, caller: WithCaller, body: Claims, agent: AgentName = "") -> ClaimAnswers:
    """Take several queued submissions; each is granted or refused by itself."""
    for one in body.claims:
        _require_contract(one.contract)

    def take(session: Session, claims: Sequence[Claim]) -> dict[UUID, claiming.Answer]:
        pool, known = _pool_and_agent(session, caller, agent)
        return claiming.claim_submissions(
            session, claims, agent=known, pool=pool, storage=services.storage, settings=services.settings
        )

    answers = answer_each(services.database, body.claims, take, key=lambda claim: claim.submission_id)
    return ClaimAnswers(answers=tuple(_claim_answer(*one) for one in answers.items()))


def _claim_answer(submission_id: UUID, answer: ScoringJob | PodiumError) -> ClaimAnswer:
    if isinstance(answer, PodiumError):
        return ClaimAnswer(submission_id=submission_id, refusal=refusal_of(answer))
    return ClaimAnswer(submission_id=submission_id, job=answer)


@router.post("/agent/results")
def post_results(
    services: WithServices,
    caller: WithCaller,  # noqa: ARG001  # any agent may call; what it may end, each result's own token says
    body: ScoringResults,
    background: BackgroundTasks,
) -> ResultAnswers:
    """End several attempts with their results; each is stored or refused by itself.

    An agent's token is good for the whole pool, and would let whoever has it end the attempts of all agents there. So
    each result comes with the token of its attempt, which stays the only thing that ends it.
    """
    answers = _refused_tokens(services, body)
    sent = [one.result for one in body.results if one.result.attempt_id not in answers]
    if sent:
        answers |= answer_each(
            services.database,
            sent,
            lambda session, some: results.store_results(session, some, services.storage),
            key=lambda result: result.attempt_id,
        )
    for result in sent:
        stored = answers[result.attempt_id]
        if isinstance(stored, results.Stored):
            results.discard_uploads(result, services.storage)
            if stored.queued_again:
                background.add_task(services.dispatcher.dispatch_submission, stored.submission_id)
    return ResultAnswers(answers=tuple(_result_answer(*one) for one in answers.items()))


def _refused_tokens(services: Services, body: ScoringResults) -> dict[UUID, results.Stored | PodiumError]:
    """The attempts whose results come without a token that is good for them."""
    with services.database.session() as session:
        good = attempts_of_tokens(session, [one.token for one in body.results])
    refused = NotAllowed("This token is not for this attempt.")
    return {one.result.attempt_id: refused for one in body.results if good.get(one.token) != one.result.attempt_id}


def _result_answer(attempt_id: UUID, answer: results.Stored | PodiumError) -> ResultAnswer:
    return ResultAnswer(attempt_id=attempt_id, refusal=refusal_of(answer) if isinstance(answer, PodiumError) else None)


@router.post("/attempts/{attempt_id}/heartbeat")
def beat(attempt_id: UUID, services: WithServices, caller: WithCaller, body: Heartbeat) -> HeartbeatAnswer:
    """Renew the lease; the answer says whether to stop."""
    _require_own(attempt_id, caller)
    with services.database.session() as session:
        return attempts.heartbeat(session, attempt_id, body, settings=services.settings)


@router.post("/attempts/{attempt_id}/logs", status_code=204)
def append_logs(attempt_id: UUID, services: WithServices, caller: WithCaller, body: LogChunks) -> None:
    """Add log text."""
    _require_own(attempt_id, caller)
    with services.database.session() as session:
        logs.append_logs(session, _active(session, attempt_id), body)


@router.post("/attempts/{attempt_id}/result", status_code=204)
def post_result(
    attempt_id: UUID, services: WithServices, caller: WithCaller, body: ScoringResult, background: BackgroundTasks
) -> None:
    """End the attempt with its result."""
    _require_own(attempt_id, caller)
    if body.attempt_id != attempt_id:
        raise NotAllowed("The result is of another attempt.")
    with services.database.session() as session:
        again = results.store_result(session, body, services.storage)
        submission_id = session.get_one(Attempt, attempt_id).submission_id  # known by now: nothing is asked
    results.discard_uploads(body, services.storage)
    if again:
        background.add_task(services.dispatcher.dispatch_submission, submission_id)


@router.post("/attempts/{attempt_id}/handback", status_code=204)
def hand_back(
    attempt_id: UUID, services: WithServices, caller: WithCaller, body: Handback, background: BackgroundTasks
) -> None:
    """Give the attempt up; the submission is queued again."""
    _require_own(attempt_id, caller)
    with services.database.session() as session:
        submission_id = attempts.hand_back(session, attempt_id, body)
    background.add_task(services.dispatcher.dispatch_submission, submission_id)


def _news(
    services: Services, caller: Caller, name: str, gpus: int
) -> tuple[tuple[AnnouncedRun, ...], tuple[UUID, ...]]:
    """What an agent may take, and what it is to stop."""
    with services.database.session() as session:
        pool, agent = _pool_and_agent(session, caller, name)
        offer = replace(offer_of_agent(agent), gpus=gpus)
        runs = waiting.announced_runs(session, pool, offer, maxima=services.settings.limit_maxima)
        return runs, attempts.stopped_attempts(session, agent) if agent else ()


def _pool_and_agent(session: Session, caller: Caller, name: str) -> tuple[Pool, Agent | None]:
    """The caller's pool, and its agent of that name if it has said hello."""
    both = (
        select(Pool, Agent)
        .outerjoin(Agent, and_(Agent.pool_id == Pool.id, Agent.name == name))
        .where(Pool.id == caller.pool_id)
    )
    pool, agent = session.execute(both).one()
    return pool, agent


def _active(session: Session, attempt_id: UUID) -> Attempt:
    attempt, _ = attempts.require_active(session, attempt_id)
    return attempt


def _require_own(attempt_id: UUID, caller: Caller) -> None:
    if caller.attempt_id != attempt_id:
        raise NotAllowed("This token is for another attempt.")


def _require_contract(contract: int) -> None:
    if contract != CONTRACT:
        raise ContractDiffers(
            f"The agent speaks contract {contract}, the gateway {CONTRACT}.",
            remedy="Install the same version of Podium on the agent's host as the platform has.",
        )


def _agent_record(agent: Agent) -> AgentRecord:
    return AgentRecord(
        name=agent.name,
        pool=agent.pool.name,
        version=agent.version,
        slots=agent.slots,
        executor=agent.executor,
        labels=agent.labels,
        trouble=agent.trouble,
        last_seen=agent.last_seen,
        alive=now() - agent.last_seen < AGENT_ALIVE,
    )
