"""Participants who do not give up: what fails for the platform's own trouble they do again, as people would."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from podium.platform.client import Client
from podium.platform.client.packing import packed_submission
from podium.platform.client.progress import silent
from podium.platform.client.transfers import fingerprint, upload
from podium.platform.errors import InvalidInput, NotFound, PlatformFault
from podium.platform.records.submissions import SubmissionUpload

from .competition import QUESTIONS, SLUG

AnswerT = TypeVar("AnswerT")
PATIENCE_SECONDS = 60.0
_numbers = itertools.count(1)


@dataclass
class Participant:
    """Somebody who takes part, and what they have submitted.

    Attributes:
        expected: The score of each submission that is theirs, by its id.
        given_up: Submissions whose creation was not answered; they were cancelled.
    """

    name: str
    token: str
    gateway: str
    expected: dict[UUID, float] = field(default_factory=dict)
    given_up: set[UUID] = field(default_factory=set)
    _starting: threading.Lock = field(default_factory=threading.Lock)

    def client(self) -> Client:
        return Client(self.gateway, self.token)

    def submit(self, path: Path, right: int, *, linger: float = 0) -> UUID:
        """Submit, through all that happens meanwhile; linger between the steps."""
        with self.client() as client, packed_submission(path, silent) as parcel:
            file = fingerprint(parcel.path, parcel.name, silent)
            started = self._start(client, lambda: client.start_submission(SLUG, parcel.name, file))
            submission = started.submission.id
            self.expected[submission] = right / QUESTIONS
            give_up = time.monotonic() + PATIENCE_SECONDS
            while True:
                try:
                    time.sleep(linger)
                    upload(client._connection, started.upload, parcel.path, parcel.name, silent)
                    time.sleep(linger)
                    client.complete_submission(submission)
                except (PlatformFault, NotFound, InvalidInput):  # the two when the upload was lost on its way
                    if time.monotonic() > give_up:
                        raise
                    time.sleep(0.2)
                else:
                    return submission

    def _start(self, client: Client, start: Callable[[], SubmissionUpload]) -> SubmissionUpload:
        give_up = time.monotonic() + PATIENCE_SECONDS
        with self._starting:
            while True:
                try:
                    return start()
                except PlatformFault:
                    if time.monotonic() > give_up:
                        raise
                self._give_up_unanswered(client)

    def _give_up_unanswered(self, client: Client) -> None:
        """Cancel what was created without an answer: it holds a place in the quota, and can't be uploaded."""
        try:
            for one in client.submissions(SLUG):
                if one.id not in self.expected:
                    self.given_up.add(one.id)
                    client.cancel(one.id)
        except PlatformFault:
            time.sleep(0.2)


def new_participants(admin: Client, gateway: str, count: int) -> list[Participant]:
    """People who have joined the competition."""
    made = []
    for _ in range(count):
        name = f"person{next(_numbers)}"
        admin.add_person(name, f"{name}@example.org")
        made.append(Participant(name, admin.issue_token(name, "faults").secret, gateway))
        with made[-1].client() as client:
            client.join(SLUG, client.competition(SLUG).terms_sha256)
    return made
