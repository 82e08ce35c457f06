"""States and legal transitions: pure, and the only place that knows them.

Every enum here is mirrored by an enum of the same name and members in Postgres. A change of state is one
conditional UPDATE made from these tables (`podium.platform.submissions.transitions`, `podium.platform.transitions`),
and leaves an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from podium.platform.errors import Conflict


class SubmissionStatus(StrEnum):
    """Where a submission is on its way."""

    SUBMITTED = "submitted"  # created; its file is on the way
    QUEUED = "queued"  # complete; waits for an agent
    PREPARING = "preparing"  # an agent has it and fetches what it needs
    RUNNING = "running"  # the submission's own code, or the ingestion program, runs
    SCORING = "scoring"  # the scoring program runs
    FINISHED = "finished"  # scores, outputs and logs are stored
    FAILED = "failed"  # ended with a verdict, or the platform gave up
    CANCELLED = "cancelled"  # by its owner or an organizer, or never uploaded


class SubmissionQueue(StrEnum):
    """Where in its pool a submission waits, in the order of these members: what is first never waits for the rest."""

    DEFAULT = "default"  # somebody has just submitted it
    RERUN = "rerun"  # reruns and migrated submissions


class EvaluationStatus(StrEnum):
    """Where one evaluation (a submission by one task) is."""

    WAITING = "waiting"  # no attempt has done it yet
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """What an attempt is doing; the submission's status follows it."""

    PREPARING = "preparing"
    RUNNING = "running"
    SCORING = "scoring"


class AttemptStatus(StrEnum):
    """Whether an attempt is under way, or how it ended."""

    ACTIVE = "active"
    SUCCEEDED = "succeeded"  # every evaluation has its scores
    USER_ERROR = "user_error"  # the submission's doing: a verdict says what
    PLATFORM_ERROR = "platform_error"  # Podium's doing: retried, costs no quota
    LOST = "lost"  # no heartbeat within the lease: retried, costs no quota
    CANCELLED = "cancelled"


class AttemptOutcome(StrEnum):
    """How an evaluation or an attempt ended, as an agent reports it."""

    SUCCEEDED = "succeeded"
    USER_ERROR = "user_error"
    PLATFORM_ERROR = "platform_error"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """Why an evaluation failed, where that is the submission's doing."""

    EXIT_STATUS = "exit_status"  # the program ended with a status other than 0
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    DISK_LIMIT = "disk_limit"
    PROCESS_LIMIT = "process_limit"
    NO_SCORES = "no_scores"  # the scoring program wrote neither scores.json nor scores.txt
    BAD_SCORES = "bad_scores"  # what it wrote is not a mapping from key to finite number
    BAD_SUBMISSION = "bad_submission"  # not an archive that can be used, or not what the phase asks for
    IMAGE_UNAVAILABLE = "image_unavailable"  # no such image on the host, and none to be had


class BundleStatus(StrEnum):
    """Where an uploaded bundle is on its way to becoming a competition."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    READING = "reading"
    CREATED = "created"  # the competition is there
    REFUSED = "refused"  # the bundle has problems, all of them listed
    FAILED = "failed"  # Podium's doing


class PhaseStatus(StrEnum):
    """What was last announced of a phase. Whether it takes submissions is decided by the clock alone."""

    UPCOMING = "upcoming"
    OPEN = "open"
    OVER = "over"


class MigrationStatus(StrEnum):
    """Where the auto-migration into a phase is."""

    RUNNING = "running"  # copies what is scored; some of the phase before may still be under way
    FINISHED = "finished"


class RerunStatus(StrEnum):
    """Where a rerun is: submissions scored again, whose results stand apart until they are adopted."""

    WAITING = "waiting"  # requested; its flow has not begun
    RUNNING = "running"
    PAUSED = "paused"  # what was begun ends, nothing new begins
    READY = "ready"  # all are scored; the new results wait to be adopted
    ADOPTED = "adopted"  # the new results are the ones that count
    CANCELLED = "cancelled"  # by an organizer; nothing of it counts


class ImportStatus(StrEnum):
    """Where an import session is: files that are made into images."""

    UPLOADING = "uploading"  # its files are on the way
    QUEUED = "queued"  # complete; waits for its flow
    IMPORTING = "importing"
    IMPORTED = "imported"  # there is a report, also where no file became an image; the uploads are kept
    ACCEPTED = "accepted"  # the report is; what was uploaded is let go
    FAILED = "failed"  # Podium's doing, or there is no room: nothing is lost, and it may be tried again


class ImportOutcome(StrEnum):
    """What became of one file of an import session."""

    IMAGE = "image"  # part of an image
    REJECTED = "rejected"  # with one reason
    IGNORED = "ignored"  # nobody meant to upload it, or it only held others


class CampaignStatus(StrEnum):
    """Where a campaign is: one message of organizers' to many people."""

    DRAFT = "draft"  # being written; whom it goes to is a question still
    PROPOSED = "proposed"  # waits for another organizer to approve it
    APPROVED = "approved"  # who gets it is fixed; waits to be sent, or for its time
    SENDING = "sending"
    PAUSED = "paused"  # nothing more is sent until somebody says so
    SENT = "sent"  # nothing is left to be sent
    CANCELLED = "cancelled"  # whoever has not got it never will


class MailStatus(StrEnum):
    """Where one message to one person is."""

    QUEUED = "queued"
    SENDING = "sending"  # a sender has it
    SENT = "sent"  # the mail server has taken it
    DEFERRED = "deferred"  # the mail server has put it off; it is tried again
    FAILED = "failed"  # refused for good, or returned
    UNSETTLED = "unsettled"  # the mail server may have it or not: never sent again unless somebody says so
    SUPPRESSED = "suppressed"  # its person must not get it: opted out, denied, returned mail before
    CANCELLED = "cancelled"  # with its campaign
    GATHERED = "gathered"  # told in the day's digest, not by itself


class CompetitionStatus(StrEnum):
    """Where a competition is, by its phases: exactly one applies at any moment."""

    OPEN = "open"  # a phase takes submissions now
    UPCOMING = "upcoming"  # none does, and one will
    OVER = "over"


class ParticipantStatus(StrEnum):
    """Whether a person may take part in a competition."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


TERMINAL_SUBMISSION_STATUSES = frozenset(
    {SubmissionStatus.FINISHED, SubmissionStatus.FAILED, SubmissionStatus.CANCELLED}
)
"""A submission in one of these never changes again."""

ACTIVE_SUBMISSION_STATUSES = frozenset({SubmissionStatus.PREPARING, SubmissionStatus.RUNNING, SubmissionStatus.SCORING})
"""An attempt holds a submission in one of these."""

_ENDS = TERMINAL_SUBMISSION_STATUSES
SUBMISSION_TRANSITIONS: Mapping[SubmissionStatus, frozenset[SubmissionStatus]] = MappingProxyType(
    {
        SubmissionStatus.SUBMITTED: frozenset({SubmissionStatus.QUEUED, SubmissionStatus.CANCELLED}),
        # An agent claims it; one that no agent can run waits, and says for what.
        SubmissionStatus.QUEUED: frozenset({SubmissionStatus.PREPARING, SubmissionStatus.CANCELLED}),
        # Back to queued when the attempt was lost or handed back. Several tasks go to and fro between running and
        # scoring; a result submission has nothing to run, so preparing goes on to scoring.
        SubmissionStatus.PREPARING: frozenset(
            {SubmissionStatus.RUNNING, SubmissionStatus.SCORING, SubmissionStatus.QUEUED} | _ENDS
        ),
        SubmissionStatus.RUNNING: frozenset({SubmissionStatus.SCORING, SubmissionStatus.QUEUED} | _ENDS),
        SubmissionStatus.SCORING: frozenset({SubmissionStatus.RUNNING, SubmissionStatus.QUEUED} | _ENDS),
        SubmissionStatus.FINISHED: frozenset(),
        SubmissionStatus.FAILED: frozenset(),
        SubmissionStatus.CANCELLED: frozenset(),
    }
)

ADOPTION_TRANSITIONS: Mapping[SubmissionStatus, frozenset[SubmissionStatus]] = MappingProxyType(
    {
        status: frozenset({SubmissionStatus.FINISHED, SubmissionStatus.FAILED})
        if status in {SubmissionStatus.FINISHED, SubmissionStatus.FAILED}
        else frozenset[SubmissionStatus]()
        for status in SubmissionStatus
    }
)
"""What adopting the results of a rerun may do to the submission: the one way to change one that has ended."""

PHASE_TRANSITIONS: Mapping[PhaseStatus, frozenset[PhaseStatus]] = MappingProxyType(
    # All ways are legal: organizers move dates, also those of a phase that is over.
    {status: frozenset(PhaseStatus) - {status} for status in PhaseStatus}
)

MIGRATION_TRANSITIONS: Mapping[MigrationStatus, frozenset[MigrationStatus]] = MappingProxyType(
    {MigrationStatus.RUNNING: frozenset({MigrationStatus.FINISHED}), MigrationStatus.FINISHED: frozenset()}
)

RERUN_TRANSITIONS: Mapping[RerunStatus, frozenset[RerunStatus]] = MappingProxyType(
    {
        RerunStatus.WAITING: frozenset({RerunStatus.RUNNING, RerunStatus.PAUSED, RerunStatus.CANCELLED}),
        RerunStatus.RUNNING: frozenset({RerunStatus.PAUSED, RerunStatus.READY, RerunStatus.CANCELLED}),
        RerunStatus.PAUSED: frozenset({RerunStatus.RUNNING, RerunStatus.CANCELLED}),
        RerunStatus.READY: frozenset({RerunStatus.ADOPTED, RerunStatus.CANCELLED}),
        RerunStatus.ADOPTED: frozenset(),
        RerunStatus.CANCELLED: frozenset(),
    }
)

LIVE_RERUN_STATUSES = frozenset({RerunStatus.WAITING, RerunStatus.RUNNING, RerunStatus.PAUSED, RerunStatus.READY})
"""A rerun in one of these holds its submissions: no other rerun may have them."""

CAMPAIGN_TRANSITIONS: Mapping[CampaignStatus, frozenset[CampaignStatus]] = MappingProxyType(
    {
        CampaignStatus.DRAFT: frozenset({CampaignStatus.PROPOSED, CampaignStatus.APPROVED, CampaignStatus.CANCELLED}),
        CampaignStatus.PROPOSED: frozenset({CampaignStatus.DRAFT, CampaignStatus.APPROVED, CampaignStatus.CANCELLED}),
        # Back to a draft only before the first message.
        CampaignStatus.APPROVED: frozenset({CampaignStatus.DRAFT, CampaignStatus.SENDING, CampaignStatus.CANCELLED}),
        CampaignStatus.SENDING: frozenset({CampaignStatus.PAUSED, CampaignStatus.SENT, CampaignStatus.CANCELLED}),
        CampaignStatus.PAUSED: frozenset({CampaignStatus.SENDING, CampaignStatus.CANCELLED}),
        # It goes on where somebody has an unsettled message sent again.
        CampaignStatus.SENT: frozenset({CampaignStatus.SENDING}),
        CampaignStatus.CANCELLED: frozenset(),
    }
)

MAIL_TRANSITIONS: Mapping[MailStatus, frozenset[MailStatus]] = MappingProxyType(
    {
        MailStatus.QUEUED: frozenset(
            {
                MailStatus.SENDING,
                MailStatus.FAILED,
                MailStatus.SUPPRESSED,
                MailStatus.CANCELLED,
                MailStatus.GATHERED,
            }
        ),
        # Back to the queue where it is certain that the mail server has not got it.
        MailStatus.SENDING: frozenset(
            {
                MailStatus.QUEUED,
                MailStatus.SENT,
                MailStatus.DEFERRED,
                MailStatus.FAILED,
                MailStatus.UNSETTLED,
                MailStatus.SUPPRESSED,
                MailStatus.CANCELLED,
            }
        ),
        MailStatus.DEFERRED: frozenset(
            {MailStatus.SENDING, MailStatus.FAILED, MailStatus.SUPPRESSED, MailStatus.CANCELLED}
        ),
        MailStatus.UNSETTLED: frozenset({MailStatus.SENT, MailStatus.QUEUED, MailStatus.FAILED}),
        MailStatus.SENT: frozenset({MailStatus.FAILED}),  # it came back later
        MailStatus.FAILED: frozenset(),
        MailStatus.SUPPRESSED: frozenset(),
        MailStatus.CANCELLED: frozenset(),
        MailStatus.GATHERED: frozenset(),
    }
)

WAITING_MAIL = frozenset({MailStatus.QUEUED, MailStatus.DEFERRED})
"""A message in one of these is sent when its time has come."""

BUNDLE_TRANSITIONS: Mapping[BundleStatus, frozenset[BundleStatus]] = MappingProxyType(
    {
        BundleStatus.UPLOADING: frozenset({BundleStatus.QUEUED, BundleStatus.REFUSED}),
        BundleStatus.QUEUED: frozenset({BundleStatus.READING, BundleStatus.FAILED}),
        # Reading again after a crash of the flow is legal: nothing of a half-read bundle is kept.
        BundleStatus.READING: frozenset(
            {BundleStatus.READING, BundleStatus.CREATED, BundleStatus.REFUSED, BundleStatus.FAILED}
        ),
        BundleStatus.CREATED: frozenset(),
        BundleStatus.REFUSED: frozenset(),
        BundleStatus.FAILED: frozenset(),
    }
)

IMPORT_TRANSITIONS: Mapping[ImportStatus, frozenset[ImportStatus]] = MappingProxyType(
    {
        ImportStatus.UPLOADING: frozenset({ImportStatus.QUEUED}),
        ImportStatus.QUEUED: frozenset({ImportStatus.IMPORTING, ImportStatus.FAILED}),
        # Importing again after a crash of the flow is legal: nothing of a half-done import is kept.
        ImportStatus.IMPORTING: frozenset({ImportStatus.IMPORTING, ImportStatus.IMPORTED, ImportStatus.FAILED}),
        # Once more, for what was rejected, as long as the uploads are there.
        ImportStatus.IMPORTED: frozenset({ImportStatus.QUEUED, ImportStatus.ACCEPTED}),
        ImportStatus.FAILED: frozenset({ImportStatus.QUEUED}),
        ImportStatus.ACCEPTED: frozenset(),
    }
)

StatusT = TypeVar("StatusT", bound=StrEnum)


class IllegalTransition(Conflict):
    """A change of state that the table does not have."""

    type = "illegal-transition"


def require_transition(table: Mapping[StatusT, frozenset[StatusT]], before: StatusT, after: StatusT) -> None:
    """Check one change of state against its table.

    Raises:
        IllegalTransition: The table does not have it.
    """
    if after not in table[before]:
        raise IllegalTransition(f"A thing that is {before} can't become {after}.")


def origins(table: Mapping[StatusT, frozenset[StatusT]], after: StatusT) -> frozenset[StatusT]:
    """All states from which `after` may be reached in one step."""
    return frozenset(before for before, afters in table.items() if after in afters)


def attempt_outcome(outcomes: Iterable[AttemptOutcome]) -> AttemptOutcome:
    """How an attempt ended, from how its evaluations did: the gravest wins.

    A cancelled evaluation cancels the attempt; one that the platform failed makes the attempt worth retrying;
    a user error of one task does not take the scores of the others away, but the submission has failed.
    """
    seen = frozenset(outcomes)
    for outcome in (AttemptOutcome.CANCELLED, AttemptOutcome.PLATFORM_ERROR, AttemptOutcome.USER_ERROR):
        if outcome in seen:
            return outcome
    return AttemptOutcome.SUCCEEDED
