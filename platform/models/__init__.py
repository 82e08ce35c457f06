"""The tables."""

from podium.platform.models.audit import AuditEntry
from podium.platform.models.base import Base, now
from podium.platform.models.chores import Chore, FlowLease
from podium.platform.models.competitions import (
    Bundle,
    Collaborator,
    Column,
    Competition,
    Dataset,
    DatasetUpload,
    ExtraAllowance,
    Leaderboard,
    Page,
    Participant,
    Phase,
    PhaseMigration,
    PhaseTask,
    Solution,
    Task,
    TaskVersion,
    TermsAcceptance,
)
from podium.platform.models.identities import Identity, PendingSignIn
from podium.platform.models.people import Agent, Person, Pool, PoolUser, Token, TokenKind
from podium.platform.models.reruns import Adoption, Rerun, RerunItem
from podium.platform.models.scaling import ScaledAgent, ScalingDecision, ScalingPolicy
from podium.platform.models.storage import StorageCharge, Upload
from podium.platform.models.submissions import (
    Attempt,
    Batch,
    Evaluation,
    Event,
    LeaderboardEntry,
    LogText,
    Output,
    Score,
    Submission,
)
from podium.platform.models.teams import Team, TeamMember

__all__ = [
    "Adoption",
    "Agent",
    "Attempt",
    "AuditEntry",
    "Base",
    "Batch",
    "Bundle",
    "Chore",
    "Collaborator",
    "Column",
    "Competition",
    "Dataset",
    "DatasetUpload",
    "Evaluation",
    "Event",
    "ExtraAllowance",
    "FlowLease",
    "Identity",
    "Leaderboard",
    "LeaderboardEntry",
    "LogText",
    "Output",
    "Page",
    "Participant",
    "PendingSignIn",
    "Person",
    "Phase",
    "PhaseMigration",
    "PhaseTask",
    "Pool",
    "PoolUser",
    "Rerun",
    "RerunItem",
    "ScaledAgent",
    "ScalingDecision",
    "ScalingPolicy",
    "Score",
    "Solution",
    "StorageCharge",
    "Submission",
    "Task",
    "TaskVersion",
    "Team",
    "TeamMember",
    "TermsAcceptance",
    "Token",
    "TokenKind",
    "Upload",
    "now",
]
