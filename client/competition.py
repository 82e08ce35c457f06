"""A competition as a participant holds it: submit to it, look at it, fetch its data."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from podium.client.boards import Leaderboard
from podium.client.connecting import LOG, connected
from podium.client.showing import Display, shown
from podium.client.submission import Submission
from podium.platform.client.phase_choice import chosen_phase
from podium.platform.errors import Conflict, InvalidInput, NotFound
from podium.platform.records.competitions import CompetitionRecord, PhaseRecord
from podium.platform.records.offers import OfferedFile
from podium.platform.records.people import Allowance, ParticipantRecord
from podium.platform.records.submissions import SubmissionRecord

if TYPE_CHECKING:
    from podium.platform.client.api import Client
    from podium.platform.client.expected_files import Prepared

Phase = str | int | None


class Competition:
    """One competition. Making the object asks nothing; what it says of itself is asked for once, when it is read.

    Example:
        >>> flowers = Competition("meadow-flowers")
        >>> submission = flowers.submit({"species": predicted}, message="nearest neighbours")
        >>> submission.wait().scores
    """

    def __init__(self, slug: str, *, gateway: str | None = None, token: str | None = None) -> None:
        """Name a competition.

        Args:
            slug: Its short name, which its address ends in.
            gateway: By default that of `PODIUM_URL` or `PODIUM_GATEWAY`, or of `podium login`.
            token: By default that of `PODIUM_TOKEN`, or of `podium login`.
        """
        self.slug = slug
        self._gateway = gateway
        self._token = token
        self._known: CompetitionRecord | None = None

    @property
    def record(self) -> CompetitionRecord:
        """All that is known of it; `refresh` asks for it again.

        Raises:
            NotFound: There is none of this name, or it is not published.
        """
        if self._known is None:
            self.refresh()
        assert self._known is not None
        return self._known

    def refresh(self) -> Competition:
        """Ask for it again."""
        self._known = self._client.competition(self.slug)
        return self

    @property
    def phases(self) -> tuple[PhaseRecord, ...]:
        """Its phases, with their dates, limits and the file that each takes."""
        return self.record.phases

    @property
    def terms(self) -> str:
        """What its participants accept."""
        return self.record.terms

    def join(self, *, accept_terms: bool = False) -> ParticipantRecord:
        """Take part in it.

        Args:
            accept_terms: That you have read `terms`, and accept them.

        Raises:
            InvalidInput: You do not say so.
        """
        if not accept_terms:
            raise InvalidInput(
                "Who takes part accepts the terms.", remedy="Read `terms`, then join(accept_terms=True)."
            )
        return self._client.join(self.slug, self.record.terms_sha256)

    def quota(self, phase: Phase = None) -> Allowance:
        """Whether you may submit now, what is left, and otherwise why not and until when."""
        return self._client.allowance(self.slug, phase)

    def submit(
        self,
        value: object,
        *,
        message: str | None = None,
        phase: Phase = None,
        answers: Mapping[str, object] | None = None,
        resume: Submission | str | UUID | None = None,
        show: bool | None = None,
    ) -> Submission:
        """Submit a file, a folder, or what you have in memory: it is written as the phase wants it, and checked.

        When the upload breaks off, the same call again goes on with it, in another process too, with what has not
        arrived yet. The submission's `notes` say what was made of the value.

        Args:
            value: A path, an open file, bytes, a data frame, an array, a dict of columns, a list, ...
            message: A note to yourself.
            phase: Its number, from 1, or name; by default the one that is open.
            answers: To the competition's questions, by their keys.
            resume: A submission whose upload broke off, to go on with just that one.
            show: Whether to show how far it is; by default where somebody watches.

        Raises:
            FormatMismatch: It is not what the phase takes, with every problem; nothing was sent.
            InvalidInput: Nothing that could be submitted can be made of it, or an answer is not valid.
            NotAllowed: You do not take part, or have not been approved yet.
            QuotaExceeded: The limit of the phase is used up.
            Conflict: No phase is open.
            PlatformFault: Podium can't be reached, or failed.
        """
        if resume is not None and (message is not None or answers is not None):
            raise InvalidInput("The submission to go on with has its note and answers already.")
        from podium.client.writing import prepared  # noqa: PLC0415

        self.refresh()
        chosen = self.phase(phase)
        with shown(show) as display, prepared(value, chosen) as ready:
            sending = _Sending(display, [ready.said] if ready.said else [])
            if ready.said:
                display.note(f"Submitting {ready.said}")
            with sending:
                record = self._send(ready, chosen, message, answers, resume, sending)
            display.status(record)
        return Submission.of(record, gateway=self._gateway, token=self._token, notes=tuple(sending.notes))

    def _send(
        self,
        ready: Prepared,
        phase: PhaseRecord,
        message: str | None,
        answers: Mapping[str, object] | None,
        resume: Submission | str | UUID | None,
        sending: _Sending,
    ) -> SubmissionRecord:
        progress = sending.display.progress
        if resume is not None:
            begun = resume if isinstance(resume, Submission) else self._submission(resume)
            return self._client.resume_submission(begun.id, ready.path, on_progress=progress)
        return self._client.submit(
            self.slug,
            ready.path,
            message=message,
            phase=phase.number,
            fact_sheet=None if answers is None else {key: _answer(value) for key, value in answers.items()},
            go_on=True,
            on_created=sending.created,
            on_notice=sending.notice,
            on_progress=progress,
        )

    def phase(self, named: Phase = None) -> PhaseRecord:
        """A phase by its number or name; without one the one that is open, else the latest that began.

        Raises:
            NotFound: There is none of that name.
        """
        return chosen_phase(self.record, named)

    def submission(self, number: int) -> Submission:
        """Your submission of this number."""
        return Submission(f"{self.slug}/{number}", gateway=self._gateway, token=self._token)

    def submissions(self, phase: Phase = None, *, limit: int = 100) -> tuple[Submission, ...]:
        """Your submissions, the latest first."""
        records = self._client.submissions(self.slug, phase, limit=limit)
        return tuple(Submission.of(record, gateway=self._gateway, token=self._token) for record in records)

    def leaderboard(self, phase: Phase = None, *, limit: int | None = None) -> Leaderboard:
        """A phase's leaderboard with all its rows, or the first `limit` of them.

        Raises:
            NotAllowed: The leaderboard is hidden.
        """
        return Leaderboard(self._client.whole_leaderboard(self.slug, phase, limit=limit))

    def data(self) -> tuple[OfferedFile, ...]:
        """What there is to download for those who take part."""
        return self._client.offered_files(self.slug)

    def download_data(
        self, path: str | PathLike[str] = "data", *, phase: Phase = None, show: bool | None = None
    ) -> Path:
        """Fetch the data and unpack it: `path/public_data`, `path/starting_kit`, `path/input_data`. Return the path.

        What is there already, and has not changed since, is not fetched again.

        Args:
            path: A folder, which is made if need be.
            phase: The data of this phase alone.
            show: Whether to show how far it is; by default where somebody watches.

        Raises:
            NotAllowed: You do not take part.
            NotFound: There is nothing to download.
            Conflict: There is a folder of that name that did not come from here.
        """
        folder = Path(path)
        name = self.phase(phase).name if phase is not None else None
        files = [file for file in self.data() if name is None or name in file.phases]
        if not files:
            raise NotFound(f"{self.slug} offers nothing to download{f' in {name}' if name else ''}.")
        folder.mkdir(parents=True, exist_ok=True)
        with shown(show) as display:
            for file, called in zip(files, _folder_names(files), strict=True):
                self._fetch(file, folder / called, display)
        return folder

    def _fetch(self, file: OfferedFile, target: Path, display: Display) -> None:
        from podium.platform.archives import extract_archive  # noqa: PLC0415

        mark = target.with_name(f".{target.name}.sha256")
        ours = mark.read_text() if mark.is_file() else None
        if target.exists() and ours is None:
            raise Conflict(f"{target} is there already, and not from here.", remedy="Move it, or name another folder.")
        if target.exists() and ours == file.sha256:
            return
        with tempfile.TemporaryDirectory(prefix=".podium-", dir=target.parent) as scratch:
            archive = self._client.download_offered_file(
                self.slug, file, Path(scratch, "data.zip"), on_progress=display.progress
            )
            unpacked = Path(scratch, "unpacked")
            unpacked.mkdir()
            extract_archive(archive, unpacked)
            # Written first: a folder without its mark would be taken for somebody's own.
            mark.write_text(file.sha256)
            if target.exists():
                shutil.rmtree(target)
            unpacked.rename(target)

    def _submission(self, reference: str | UUID) -> Submission:
        return Submission(reference, gateway=self._gateway, token=self._token)

    @property
    def _client(self) -> Client:
        return connected(self._gateway, self._token)

    def __repr__(self) -> str:
        return f"Competition('{self.slug}')"


class _Sending:
    """What happens while a submission is on its way; says how to go on when it breaks off."""

    def __init__(self, display: Display, notes: list[str]) -> None:
        self.display = display
        self.notes = notes
        self._created: SubmissionRecord | None = None

    def created(self, record: SubmissionRecord) -> None:
        """The submission has its id."""
        self._created = record

    def notice(self, text: str) -> None:
        """There is something to know."""
        self.notes.append(text)
        self.display.note(text)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._created is not None:
            LOG.warning(
                "The upload of submission %s broke off. The same call again goes on with it (or resume='%s').",
                self._created.number,
                self._created.id,
            )


def _answer(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _folder_names(files: Sequence[OfferedFile]) -> list[str]:
    """A folder for each: its kind, and a number from the second of a kind on."""
    seen: dict[str, int] = {}
    names = []
    for file in files:
        seen[file.kind] = seen.get(file.kind, 0) + 1
        # The gateway's word is no path: another gateway could say anything.
        kind = "".join(letter for letter in file.kind if letter.isalnum() or letter == "_") or "data"
        names.append(kind if seen[file.kind] == 1 else f"{kind}-{seen[file.kind]}")
    return names
