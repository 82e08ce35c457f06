"""Writes the tables of settings and of limits into docs/, from what says them in the code: `make docs`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from podium.agents.settings import AgentSettings
from podium.platform.limits import TABLE
from podium.platform.quantities import Unit
from podium.platform.settings import ServerSettings

DOCS = Path(__file__).resolve().parents[1] / "docs"
TABLES: dict[str, type[BaseSettings]] = {"server": ServerSettings, "agent": AgentSettings}
# What depends on the machine can't be read off the field.
DEFAULTS = {
    "PODIUM_SCALING_PROVIDERS": '`{"process": {"kind": "process"}}`',
    "PODIUM_AGENT_NAME": "the host's name",
    "PODIUM_AGENT_POOL": "the token's",
    "PODIUM_AGENT_SLOTS": "one for each core",
    "PODIUM_AGENT_PREPARED_CONTAINERS": "two for each slot",
}
_THAT = {Unit.SECONDS: "that", Unit.BYTES: "that", Unit.CORES: "that", Unit.COUNT: "that many"}
_LIMITS = re.compile(r"(<!-- limits -->\n).*?(<!-- end -->)", re.DOTALL)
_MARKED = re.compile(r"(<!-- settings: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(settings: type[BaseSettings]) -> str:
    """A Markdown table of settings."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        variable = str(field.validation_alias or f"{prefix}{name}".upper())
        default = "**required**" if field.is_required() else DEFAULTS.get(variable) or shown(field.get_default())
        lines.append(f"| `{variable}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def limits_table() -> str:
    """A Markdown table of all limits."""
    lines = ["| `limits` | default | up to | what it limits | who exceeds it |", "| --- | --- | --- | --- | --- |"]
    for limit in TABLE:
        ends = f"`{limit.verdict}`" if limit.verdict else limit.exceeded.format(value=_THAT[limit.unit])
        default, maximum = limit.shown(limit.default), limit.shown(limit.maximum)
        lines.append(f"| `{limit.key}` | {default} | {maximum} | {limit.meaning} | {ends} |")
    return "\n".join(lines) + "\n"


def shown(value: Any) -> str:  # noqa: ANN401  whatever a setting may be
    """A default value as people write it."""
    if value is None or value in ({}, frozenset(), ()) or isinstance(value, SecretStr):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int) and value >= 1024**3 and value % 1024**3 == 0:
        return f"`{value}` ({value // 1024**3} GiB)"
    return f"`{value}`"


def with_tables(text: str) -> str:
    """A page with its tables as they must be."""
    text = _MARKED.sub(lambda found: f"{found[1]}{table(TABLES[found[2]])}{found[3]}", text)
    return _LIMITS.sub(lambda found: f"{found[1]}{limits_table()}{found[2]}", text)


def main() -> None:
    """Write them all."""
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text()
        if (renewed := with_tables(text)) != text:
            page.write_text(renewed)


if __name__ == "__main__":
    main()
