"""What agents and their attempts call: greet, wait for work, claim, heartbeat, logs, result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import and_, select
from sqlalchemy.orm import Session
from starlette.background import BackgroundTasks
from starlette.concurrency import run_in_threadpool

from podium.platform import agent_views, greetings
from podium.platform.errors import NotAllowed, NotAuthenticated, PodiumError
from podium.platform.events import pool_topic
from podium.platform.gateway.requests import Wait
from podium.platform.gateway.services import Services
from podium.platform.gateway.several import answer_each, refusal_of
from podium.platform.identity import Caller, attempts_of_tokens
from podium.platform.jobs import (
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
    Welcome,
)
from podium.platform.models import Agent, Attempt, Pool, Token
from podium.platform.records.pools import AgentRecord
from podium.platform.submissions import attempts, claiming, logs, results, waiting
from podium.platform.submissions.fitting import offer_of_agent, why_closed
from podium.platform.version import VERSION

router = APIRouter(tags=["agents"])
AgentName = Annotated[str, Query(max_length=100)]


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
def list_agents(services: WithServices, caller: WithCaller) -> list[AgentRecord]:
    """The agents of the caller's pools, as they last said they were; all of them for administrators."""
    with services.database.session() as session:
        return agent_views.list_agents(session, caller, version=VERSION)


@router.get("/agent/self")
def read_own_pool(services: WithServices, caller: WithCaller) -> Welcome:
    """Which pool the agent's token is for."""
    with services.database.session() as session:
        pool, _ = _pool_and_agent(session, caller, "")
        return greetings.welcome(pool, None, agent_version="", version=VERSION)


@router.post("/agent/hello")
def greet(services: WithServices, caller: WithCaller, body: dict[str, Any]) -> Welcome:
    """An agent says what it is (`AgentHello`), when it starts and from time to time."""
    try:
        hello = greetings.read_hello(body, version=VERSION)
    except greetings.ContractDiffers as error:
        with services.database.session() as session:
            greetings.note_refused(session, body, caller, str(error))
        raise
    with services.database.session() as session:
        return greetings.greet(session, hello, caller, version=VERSION)


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
    greetings.require_contract(body.contract, version=VERSION)
    with services.database.session() as session:
        pool, known = _pool_and_agent(session, caller, agent, lock_token=True)
        return claiming.claim_submission(
            session,
            body.submission_id,
            flow_run_id=body.flow_run_id,
            agent=known,
            gpus=body.gpus,
            token_id=caller.token_id,
            pool=pool,
            storage=services.storage,
            settings=services.settings,
        )


@router.post("/agent/claims/several")
def claim_several(services: WithServices, caller: WithCaller, body: Claims, agent: AgentName = "") -> ClaimAnswers:
    """Take several queued submissions; each is granted or refused by itself."""
    for one in body.claims:
        greetings.require_contract(one.contract, version=VERSION)

    def take(session: Session, claims: Sequence[Claim]) -> dict[UUID, claiming.Answer]:
        pool, known = _pool_and_agent(session, caller, agent, lock_token=True)
        return claiming.claim_submissions(
            session,
            claims,
            agent=known,
            token_id=caller.token_id,
            pool=pool,
            storage=services.storage,
            settings=services.settings,
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
        runs: tuple[AnnouncedRun, ...] = ()
        if not why_closed(pool, agent):
            offer = replace(offer_of_agent(agent), gpus=gpus)
            runs = waiting.announced_runs(session, pool, offer, maxima=services.settings.limit_maxima)
        return runs, attempts.stopped_attempts(session, agent) if agent else ()


def _pool_and_agent(
    session: Session, caller: Caller, name: str, *, lock_token: bool = False
) -> tuple[Pool, Agent | None]:
    """The caller's pool, and its agent of that name if it has said hello.

    Args:
        lock_token: Let nobody revoke the caller's token before this transaction ends, and sees what it has made.

    Raises:
        NotAuthenticated: The token was revoked since the call began.
    """
    both = (
        select(Pool, Agent, Token.revoked)
        .select_from(Pool)
        .join(Token, Token.id == caller.token_id)
        .outerjoin(Agent, and_(Agent.pool_id == Pool.id, Agent.name == name))
        .where(Pool.id == caller.pool_id)
    )
    if lock_token:
        both = both.with_for_update(of=Token, read=True)
    pool, agent, revoked = session.execute(both).one()
    if revoked is not None:
        raise NotAuthenticated("This token was revoked.", remedy="Ask the pool's owner for another.")
    return pool, agent


def _active(session: Session, attempt_id: UUID) -> Attempt:
    attempt, _ = attempts.require_active(session, attempt_id)
    return attempt


def _require_own(attempt_id: UUID, caller: Caller) -> None:
    if caller.attempt_id != attempt_id:
        raise NotAllowed("This token is for another attempt.")
