"""The tables."""

from podium.platform.models.base import Base, now
from podium.platform.models.competitions import (
    Bundle,
    Column,
    Competition,
    Dataset,
    Leaderboard,
    Page,
    Participant,
    Phase,
    PhaseTask,
    Solution,
    Task,
    TermsAcceptance,
)
from podium.platform.models.people import Agent, Person, Pool, Token, TokenKind
from podium.platform.models.submissions import (
    Attempt,
    Evaluation,
    Event,
    LeaderboardEntry,
    LogText,
    Output,
    Score,
    Submission,
)

__all__ = [
    "Agent",
    "Attempt",
    "Base",
    "Bundle",
    "Column",
    "Competition",
    "Dataset",
    "Evaluation",
    "Event",
    "Leaderboard",
    "LeaderboardEntry",
    "LogText",
    "Output",
    "Page",
    "Participant",
    "Person",
    "Phase",
    "PhaseTask",
    "Pool",
    "Score",
    "Solution",
    "Submission",
    "Task",
    "TermsAcceptance",
    "Token",
    "TokenKind",
    "now",
]
