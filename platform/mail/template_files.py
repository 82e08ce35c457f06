"""The texts of Podium's own messages: files in `templates`, read once.

A file has lines such as `Subject: ...`, then an empty line, then the message in Markdown. `In brief` is what stands of
it in a digest, and `Why` why somebody gets it. Variables are written `{{name}}`, as in organizers' messages, and what
is filled in never becomes markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

from podium.platform.mail.variables import used_in

FOLDER = Path(__file__).with_name("templates")
_HEADERS = {"Subject": "subject", "In brief": "in_brief", "Why": "why"}
LINKS = frozenset({"competition_link", "leaderboard_link", "submit_link", "submissions_link"})
"""Pages of a competition."""


class TemplateName(StrEnum):
    """The files, without their ending."""

    ADDRESS_CONFIRMATION = "address-confirmation"
    SUBMISSION_FINISHED = "submission-finished"
    SUBMISSION_FAILED = "submission-failed"
    REGISTRATION_ACCEPTED = "registration-accepted"
    REGISTRATION_DENIED = "registration-denied"
    PHASE_OPENS = "phase-opens"
    PHASE_CLOSES = "phase-closes"
    RANK_CHANGED = "rank-changed"
    AGENT_LOST = "agent-lost"
    POOL_EMPTY = "pool-empty"
    DIGEST = "digest"


OWN_VARIABLES: Mapping[TemplateName, frozenset[str]] = MappingProxyType(
    {
        TemplateName.ADDRESS_CONFIRMATION: frozenset({"confirm_link"}),
        TemplateName.SUBMISSION_FINISHED: frozenset({"number", "phase", "scores"}),
        TemplateName.SUBMISSION_FAILED: frozenset({"number", "phase", "verdict", "reason"}),
        TemplateName.REGISTRATION_ACCEPTED: frozenset(),
        TemplateName.REGISTRATION_DENIED: frozenset(),
        TemplateName.PHASE_OPENS: frozenset({"phase", "closes"}),
        TemplateName.PHASE_CLOSES: frozenset({"phase", "closes"}),
        TemplateName.RANK_CHANGED: frozenset({"phase", "old_rank", "new_rank", "reason"}),
        TemplateName.AGENT_LOST: frozenset({"agents", "pool", "seen", "left", "waiting"}),
        TemplateName.POOL_EMPTY: frozenset({"pool", "waiting"}),
        TemplateName.DIGEST: frozenset({"count", "day"}),
    }
)
"""What each has to say beside what all may: nothing of it is left out."""
OF_NO_COMPETITION = frozenset({TemplateName.ADDRESS_CONFIRMATION, TemplateName.AGENT_LOST, TemplateName.DIGEST})
NEWS_GO_HERE = "{{news}}"
"""In the digest, on a line of its own: where the day's news are put, which are Markdown themselves."""


@dataclass(frozen=True, slots=True)
class Template:
    """The text of a message.

    Attributes:
        in_brief: One line in a digest; empty for what is in none.
        why: Why somebody gets it, in a sentence.
        body: Markdown.
    """

    name: TemplateName
    subject: str
    in_brief: str
    why: str
    body: str

    @property
    def uses(self) -> frozenset[str]:
        """The names of all variables in it."""
        return used_in(self.subject, self.in_brief, self.body.replace(NEWS_GO_HERE, ""))


def variables_of(name: TemplateName) -> frozenset[str]:
    """All variables that a text may use."""
    competition = frozenset[str]() if name in OF_NO_COMPETITION else LINKS | {"competition"}
    return OWN_VARIABLES[name] | {"name", "username"} | competition


@cache
def template(name: TemplateName) -> Template:
    """The text of that name."""
    head, _, body = (FOLDER / f"{name}.md").read_text(encoding="utf-8").partition("\n\n")
    found = dict.fromkeys(_HEADERS.values(), "")
    for line in head.splitlines():
        header, _, words = line.partition(": ")
        found[_HEADERS[header]] = words.strip()
    return Template(name=name, body=body, **found)
