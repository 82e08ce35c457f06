"""Results on their way to the gateway, several in a call: the slot is free as soon as the result is here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from podium.platform.errors import PlatformFault, PodiumError
from podium.platform.jobs import (
    MIB,
    TOGETHER,
    Handback,
    Heartbeat,
    Refusal,
    ScoringJob,
    ScoringResult,
    ScoringResults,
    TokenedResult,
)
from podium.platform.lifecycle import Stage
from podium.tasks.gateway import GatewayClient, GatewayRefused

logger = logging.getLogger(__name__)
LINGER_SECONDS = 0.4
"""How long the first of several waits for others."""
CALL_BYTES = 8 * MIB
"""What one call brings at most, well below what the gateway takes; a result that is larger goes by itself."""
WAITING = 64
"""As many results may wait; whoever brings one more waits with its slot."""
PATIENCE = 120.0
"""Seconds for which a result is offered to a gateway that does not answer."""
LAST_PATIENCE = 20.0
"""The same when the agent ends."""
LONGEST_PAUSE = 3.0
SERVER_TROUBLE = 500


@dataclass(slots=True)
class _Waiting:
    """A result that is not taken yet.

    Attributes:
        until: When it is given up; `queued` and `beat_at` are of the same clock.
        beat_at: When its lease has to be renewed.
    """

    job: ScoringJob
    result: ScoringResult
    size: int
    queued: float
    until: float
    beat_at: float


class ResultSender:
    """Sends results from one thread of its own, which begins with the first of them.

    Each keeps its lease, and is offered again while the gateway is away or in trouble. What is refused is over: the
    attempt was lost or cancelled meanwhile.

    Args:
        gateway: Calls with the agent's token.
    """

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def put(self, job: ScoringJob, result: ScoringResult) -> None:
        """Leave a result to be sent; waits while too many others do."""
        size, moment = len(result.model_dump_json()), time.monotonic()
        one = _Waiting(job, result, size, moment, moment + PATIENCE, moment + job.heartbeat_seconds)
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < WAITING or self._closing)
            self._waiting.append(one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_forever, name="podium-results", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Send what waits, without lingering; give up soon if the gateway does not answer."""
        with self._changed:
            self._closing = True
            last = time.monotonic() + LAST_PATIENCE
            for one in self._waiting:
                one.until = min(one.until, last)
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=LAST_PATIENCE + 15)

    def _send_forever(self) -> None:
        pause = 0.2
        while batch := self._next():
            try:
                done = self._send(batch)
            except Exception:  # the thread must outlive anything: nobody else sends results
                logger.exception("results could not be sent")
                done = []
            with self._changed:
                self._waiting = [one for one in self._waiting if one not in done]
                self._changed.notify_all()
            if len(done) == len(batch):
                pause = 0.2
                continue
            self._give_up_old()
            self._renew_leases()
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _next(self) -> list[_Waiting]:
        """What is to be sent now; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return []
            linger = self._waiting[0].queued + LINGER_SECONDS - time.monotonic()
            if linger > 0:
                self._changed.wait_for(lambda: len(self._waiting) >= TOGETHER or self._closing, linger)
            batch, size = self._waiting[:1], self._waiting[0].size
            for one in self._waiting[1:TOGETHER]:
                size += one.size
                if size > CALL_BYTES:
                    break
                batch.append(one)
            return batch

    def _send(self, batch: Sequence[_Waiting]) -> list[_Waiting]:
        """Offer results; return those that are settled: taken, or refused for good."""
        message = ScoringResults(
            results=tuple(TokenedResult(token=one.job.attempt_token, result=one.result) for one in batch)
        )
        try:
            answers = self._gateway.post_results(message)
        except GatewayRefused as refused:
            # Nobody knows which of them it is for.
            logger.warning("%d results were refused together, and are sent one by one: %s", len(batch), refused)
            return [one for one in batch if self._send_alone(one)]
        except PodiumError as error:
            logger.warning("%d results were not heard: %s", len(batch), error)
            return []
        refusals = {answer.attempt_id: answer.refusal for answer in answers.answers}
        return [one for one in batch if self._is_settled(one, refusals)]

    def _is_settled(self, one: _Waiting, refusals: Mapping[UUID, Refusal | None]) -> bool:
        attempt_id = one.result.attempt_id
        if attempt_id not in refusals:
            return False
        refusal = refusals[attempt_id]
        if refusal is not None:
            logger.info("the result of attempt %s was not taken: %s", attempt_id, refusal.words)
            return refusal.status < SERVER_TROUBLE
        return True

    def _send_alone(self, one: _Waiting) -> bool:
        try:
            self._gateway.with_token(one.job.attempt_token).post_result(one.result, patience=0)
        except PlatformFault:
            return False
        except PodiumError as refused:
            logger.info("the result of attempt %s was not taken: %s", one.result.attempt_id, refused)
        return True

    def _give_up_old(self) -> None:
        """Hand back what was offered for too long, so that it need not wait for its lease to run out."""
        with self._changed:
            old = [one for one in self._waiting if time.monotonic() > one.until]
            self._waiting = [one for one in self._waiting if one not in old]
            self._changed.notify_all()
        for one in old:
            logger.warning("the result of attempt %s is given up", one.result.attempt_id)
            handback = Handback(reason="Its result could not be sent.")
            try:
                self._gateway.with_token(one.job.attempt_token).hand_back(one.result.attempt_id, handback, patience=0)
            except PodiumError as error:
                logger.warning("attempt %s could not be handed back: %s", one.result.attempt_id, error)

    def _renew_leases(self) -> None:
        for one in list(self._waiting):
            if time.monotonic() < one.beat_at:
                continue
            gateway = self._gateway.with_token(one.job.attempt_token)
            try:
                gateway.heartbeat(one.result.attempt_id, Heartbeat(stage=Stage.SCORING))
            except PodiumError:
                return  # it is away for the others too
            one.beat_at = time.monotonic() + one.job.heartbeat_seconds
