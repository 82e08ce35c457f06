"""Scores, as a scoring program writes them: `scores.json`, else `scores.txt`. Pure.

What matters are the keys that a column of the leaderboard takes: those must be finite numbers. Other keys may hold
anything and are kept where they are finite numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

import yaml

from podium.platform.errors import InvalidInput
from podium.tasks.metadata import check_brackets

JSON_NAME = "scores.json"
TEXT_NAME = "scores.txt"
MAX_BYTES = {JSON_NAME: 4 * 1024 * 1024, TEXT_NAME: 256 * 1024}
"""What is read of each; YAML takes the agent seconds where JSON takes milliseconds."""
MAX_KEYS = 1000
"""Keys that are kept besides those that are wanted."""
MAX_KEY_LENGTH = 100


class BadScores(InvalidInput):
    """What the scoring program wrote is not a mapping from key to finite number; the message says where."""

    type = "bad-scores"
    title = "The scores can't be used"


def parse_scores(name: str, content: bytes, wanted: Collection[str]) -> dict[str, float]:
    """Scores out of a file's content.

    Args:
        name: `scores.json` or `scores.txt`, which is read as YAML without tags and aliases.
        wanted: Keys that a column takes.

    Raises:
        BadScores: It can't be read, is no mapping, names a key twice, or a wanted key is not a finite number.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadScores(f"{name} is not UTF-8 text.") from None
    pairs = _pairs_of_json(name, text) if name == JSON_NAME else _pairs_of_text(name, text)
    scores: dict[str, float] = {}
    seen: set[str] = set()
    others = 0
    for key, value in pairs:
        if key in seen:
            raise BadScores(f"{name} has the key '{key[:80]}' twice.")
        seen.add(key)
        number = _number(value)
        if key in wanted:
            if number is None:
                raise BadScores(f"In {name}, '{key[:80]}' is {_shown(value)}, not a finite number.")
            scores[key] = number
        elif number is not None and others < MAX_KEYS and _can_be_kept(key):
            others += 1
            scores[key] = number
    return scores


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, in order, so that a key that stands twice is seen."""


def _pairs_of_json(name: str, text: str) -> list[tuple[str, Any]]:
    try:
        content = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise BadScores(f"{name} is no JSON: {str(error)[:200]}") from None
    if not isinstance(content, _Pairs):
        raise BadScores(f'{name} is not an object such as {{"accuracy": 0.9}}.')
    return content


def _pairs_of_text(name: str, text: str) -> list[tuple[str, Any]]:
    try:
        check_brackets(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise BadScores(f"{name} uses YAML aliases.")
    except (yaml.YAMLError, RecursionError) as error:
        if lines := _old_lines(text):
            return lines
        raise BadScores(f"{name} can't be read: {' '.join(str(error).split())[:200]}") from None
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        if lines := _old_lines(text):
            return lines
        raise BadScores(f"{name} has no lines such as 'accuracy: 0.9'.")
    return [(str(key.value), _plain_value(value)) for key, value in node.value]


def _old_lines(text: str) -> list[tuple[str, Any]]:
    """Lines such as `accuracy:0.9`, which CodaLab reads and YAML takes for text; nothing if a line is otherwise."""
    pairs: list[tuple[str, Any]] = []
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        try:
            pairs += [(key.strip(), float(value))] if line.strip() else []
        except ValueError:
            return []
        if line.strip() and (not colon or key.strip() in {"", "-"} or key.lstrip().startswith("- ")):
            return []
    return pairs


def _plain_value(node: yaml.Node) -> object:
    """A number where an unquoted word reads as one: YAML 1.1 takes `1e-3` for text, scoring programs do not."""
    if isinstance(node, yaml.ScalarNode) and node.style is None and node.tag.startswith("tag:yaml.org,2002:"):
        try:
            return float(node.value)
        except ValueError:
            return node.value
    return str(node.value) if isinstance(node, yaml.ScalarNode) else node.tag


def _can_be_kept(key: str) -> bool:
    # What can't be shown, such as a zero byte or half a character, can't be stored either.
    return len(key) <= MAX_KEY_LENGTH and key.isprintable()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _shown(value: object) -> str:
    if isinstance(value, _Pairs):
        return "an object"
    return repr(value)[:80]
