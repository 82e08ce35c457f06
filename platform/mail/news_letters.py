"""News as they are written: each by the file of its template, and the digest out of the brief words of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from podium.platform.mail.addresses import one_line
from podium.platform.mail.frame import frame
from podium.platform.mail.template_files import NEWS_GO_HERE, TemplateName, template, variables_of
from podium.platform.mail.variables import WRITTEN, Variable
from podium.platform.mail.wording import Wording, wording

PLATFORM = "Podium"
SHOWN = 150
"""Pieces of news that a digest tells, and competitions that it tells of; of more it tells how many there are."""
_BRIEF = 200
"""Characters of one value in a digest: what failed may say much."""
STOPS = "Stop such messages"
STOPS_DIGEST = "Stop these daily messages"


@dataclass(frozen=True, slots=True)
class Told:
    """One piece of news, with what is filled in."""

    template: TemplateName
    competition_id: UUID | None
    values: Mapping[str, str]


def news_wording(name: TemplateName, *, heading: str, link: str, stops: str) -> Wording:
    """A template in its frame.

    Args:
        heading: The title of the competition that it is about, or the platform's name.
        link: Where the heading leads to; empty for nowhere.
        stops: The words by which such messages are stopped; empty where they can't be.
    """
    text = template(name)
    around = frame(heading=heading, why=text.why, link=link, stops=stops)
    return wording(text.subject, text.body, around, variables=_variables(variables_of(name)))


def digest_wording(told: Sequence[Told]) -> tuple[Wording, dict[str, str]]:
    """A digest of news, in the order that they have, by competition; and what is to be filled in.

    The brief words of each template are put together as Markdown, and each gets variables of its own: so nothing that
    people wrote is read as Markdown here either.
    """
    text = template(TemplateName.DIGEST)
    parts, values = list[str](), dict[str, str]()
    groups = _by_competition(told)
    each = max(1, SHOWN // len(groups))
    for group, news in enumerate(groups[:SHOWN]):
        parts.append(_heading(group, news[0], values))
        parts += [_line(f"n{group}_{number}_", one, values) for number, one in enumerate(news[:each])]
        if len(news) > each:
            parts.append(f"* and {len(news) - each} more")
        parts.append("")
    if len(groups) > SHOWN:
        parts.append(f"And news of {len(groups) - SHOWN} more competitions.")
    values |= {"count": str(len(told))}
    names = variables_of(TemplateName.DIGEST) | values.keys()
    body = text.body.replace(NEWS_GO_HERE, "\n".join(parts))
    around = frame(heading=PLATFORM, why=text.why, stops=STOPS_DIGEST)
    return wording(text.subject, body, around, variables=_variables(names)), values


def _by_competition(told: Sequence[Told]) -> list[list[Told]]:
    groups: dict[UUID | None, list[Told]] = {}
    for one in told:
        groups.setdefault(one.competition_id, []).append(one)
    return sorted(groups.values(), key=lambda those: those[0].values.get("competition", PLATFORM).casefold())


def _heading(group: int, one: Told, values: dict[str, str]) -> str:
    if "competition" not in one.values:
        return f"## {PLATFORM}\n"
    values[f"c{group}"] = one.values["competition"]
    values[f"c{group}_link"] = one.values["competition_link"]
    return f"## [{{{{c{group}}}}}]({{{{c{group}_link}}}})\n"


def _line(prefix: str, one: Told, values: dict[str, str]) -> str:
    """The brief words of one piece of news, with variables that nothing else has."""
    brief = template(one.template).in_brief
    for name in WRITTEN.findall(brief):
        values[prefix + name] = one_line(one.values[name], most=_BRIEF)
    return f"* {WRITTEN.sub(lambda found: f'{{{{{prefix}{found[1]}}}}}', brief)}"


def _variables(names: frozenset[str] | set[str]) -> dict[str, Variable]:
    return {name: Variable("", is_link=name.endswith("_link")) for name in sorted({*names, "unsubscribe_link"})}
