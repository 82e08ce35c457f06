"""An attempt in an agent's hands: claimed, kept alive by heartbeats, ended by a result or given back."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from podium.platform.errors import NotAuthenticated, PodiumError
from podium.platform.jobs import Claim, Handback, Heartbeat, LogStream, ScoringJob
from podium.platform.lifecycle import Stage
from podium.tasks.gateway import GatewayRefused
from podium.tasks.log_sending import LogSender
from podium.tasks.programs import Holder
from podium.tasks.staging import release_datasets
from podium.tasks.tree_removal import remove_tree
from podium.tasks.workplace import Workplace

logger = logging.getLogger(__name__)
LAST_WORDS = 60.0
"""Seconds for which a result or a handback is offered to a gateway that does not answer."""
STAGE_SECONDS = 0.2
"""How long a stage lasts before the gateway is told of it: nobody could see one that is over so soon."""
BATCHED_STAGE_SECONDS = 1.0
"""The same of a submission of a batch, which is one of many and hardly watched."""


class AttemptInHand:
    """What the steps of an attempt share.

    Attributes:
        folder: The attempt's own folder, removed at its end.
        stop: Set when the attempt is not wanted any more, or its lease could not be renewed.
        timings: Seconds by step of the attempt.
        holder: In whose name images and datasets stay on the host, until the end.
    """

    def __init__(self, workplace: Workplace, job: ScoringJob, *, stage_seconds: float = STAGE_SECONDS) -> None:
        self.workplace = workplace
        self.job = job
        self.folder: Path = workplace.attempts / str(job.attempt_id)
        workplace.held.add(self.folder.name)
        self.folder.mkdir(parents=True, mode=0o711)
        self.gateway = workplace.gateway.with_token(job.attempt_token)
        self.logs = LogSender(self.gateway, job.attempt_id, stream_bytes=job.limits.log_bytes)
        self.stop = threading.Event()
        self.timings: dict[str, float] = {}
        self.holder = Holder(str(job.attempt_id), self.say, self.stop)
        self._stage = Stage.PREPARING
        self._stage_seconds = stage_seconds
        self._beat_now = threading.Event()
        self._over = threading.Event()
        self._ending = threading.Event()
        self._heart = threading.Thread(target=self._beat, name=f"heart-{job.attempt_id}", daemon=True)
        self._heart.start()

    def enter(self, stage: Stage) -> None:
        """Say what the attempt does now; watchers see it in a moment, if it is not over by then."""
        self._stage = stage
        self._beat_now.set()

    def has_ended(self) -> None:
        """There is a result: no stage is told any more, and only the lease is kept until the gateway has it."""
        self._ending.set()

    def say(self, text: str) -> None:
        """Tell the participant, in the log of every evaluation, what the platform is at."""
        for job in self.job.evaluations:
            self.logs.note(job.evaluation_id, LogStream.PREDICTION_STDERR, f"[podium: {text}]")

    def close(self) -> None:
        """End the heartbeats, let go of images and datasets, and remove the folder."""
        self._over.set()
        self._ending.set()
        self._beat_now.set()
        self._heart.join(timeout=5)
        self.logs.close()
        self.gateway.close()
        try:
            remove_tree(self.folder)
        except OSError as error:
            # Something still writes to it, since the engine failed; the next sweep finds the folder.
            logger.warning("the folder of attempt %s could not be removed yet: %s", self.job.attempt_id, error)
        self.workplace.executor.release_images(self.holder)
        release_datasets(self.holder.key)
        self.workplace.held.discard(self.folder.name)

    def _beat(self) -> None:
        last_answer = time.monotonic()
        while not self._over.is_set():
            is_news = self._beat_now.wait(self.job.heartbeat_seconds)
            self._beat_now.clear()
            if is_news and self._ending.wait(self._stage_seconds) and not self._over.is_set():
                continue
            if self._over.is_set():
                return
            try:
                answer = self.gateway.heartbeat(self.job.attempt_id, Heartbeat(stage=self._stage))
            except NotAuthenticated as error:
                # The token of this agent was revoked, and with it all that was claimed with it.
                logger.warning("attempt %s is over: %s", self.job.attempt_id, error)
                self.stop.set()
                return
            except PodiumError as error:
                logger.warning("a heartbeat of attempt %s was not heard: %s", self.job.attempt_id, error)
                if time.monotonic() - last_answer > self.job.lease_seconds:
                    self.stop.set()
            else:
                last_answer = time.monotonic()
                if answer.stop:
                    self.stop.set()


@contextmanager
def claimed(
    workplace: Workplace, submission_id: UUID, flow_run_id: UUID, *, stage_seconds: float = STAGE_SECONDS
) -> Iterator[AttemptInHand]:
    """Claim a submission for as long as the block runs; whatever is raised in it gives the attempt back.

    Raises:
        GatewayRefused: The submission is not to be had.
    """
    claim = Claim(submission_id=submission_id, flow_run_id=flow_run_id)
    job = workplace.claims.pop(submission_id, None) or workplace.gateway.claim(claim, agent=workplace.agent)
    attempt = AttemptInHand(workplace, job, stage_seconds=stage_seconds)
    try:
        with workplace.holding(job.attempt_id, attempt.stop):
            yield attempt
    except GatewayRefused:
        raise  # the attempt is over already
    except BaseException as error:
        _hand_back(attempt, error)
        raise
    finally:
        attempt.close()


def _hand_back(attempt: AttemptInHand, error: BaseException) -> None:
    reason = reason_of(error)
    try:
        handback = Handback(reason=reason[:4000], stopping=attempt.workplace.stopping.is_set())
        attempt.gateway.hand_back(attempt.job.attempt_id, handback, patience=LAST_WORDS)
    except PodiumError as refused:
        logger.warning("attempt %s could not be handed back: %s", attempt.job.attempt_id, refused)


def reason_of(error: BaseException) -> str:
    """Why an attempt is given up, for people; nothing of the host's is told but that its disk is full."""
    if isinstance(error, PodiumError):
        return str(error)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "The disk of the agent's host is full."
    return f"{type(error).__name__} on the agent's host"
