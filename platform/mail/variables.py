"""What organizers may have filled in for each recipient: `{{name}}` and the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

WRITTEN = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
"""A variable, as it is written."""


@dataclass(frozen=True, slots=True)
class Variable:
    """Something that is another for each recipient.

    Attributes:
        meaning: What it is, for organizers.
        is_link: Whether it is an address of the platform's own, which may be linked to.
        of_board: Whether it comes from a leaderboard.
    """

    meaning: str
    is_link: bool = False
    of_board: bool = False


VARIABLES: Mapping[str, Variable] = MappingProxyType(
    {
        "name": Variable("the recipient's name, else the username"),
        "username": Variable("the recipient's username"),
        "rank": Variable("the rank on the phase's leaderboard, as everybody sees it", of_board=True),
        "score": Variable("the score that stands there, in its first column", of_board=True),
        "competition": Variable("the competition's title"),
        "phase": Variable("the phase's name"),
        "competition_link": Variable("the competition's page", is_link=True),
        "leaderboard_link": Variable("the leaderboard's page", is_link=True),
        "submit_link": Variable("the page where one submits", is_link=True),
        "submissions_link": Variable("the page of one's own submissions", is_link=True),
        "unsubscribe_link": Variable("where the recipient stops these messages; it stands below each", is_link=True),
    }
)


def used_in(*texts: str) -> frozenset[str]:
    """The names of all variables in some texts, also of those that there are none of."""
    return frozenset(name for text in texts for name in WRITTEN.findall(text))
