"""`python -m podium.agents`: an agent, until it is told to stop."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from podium.agents.agent import run_agent
from podium.agents.settings import read_agent_settings
from podium.platform.errors import PodiumError


def main() -> int:
    """Read the command line and the environment, and run."""
    parser = argparse.ArgumentParser(prog="python -m podium.agents", description="Take work from a pool.")
    parser.add_argument("--pool")
    parser.add_argument("--name")
    parser.add_argument("--slots", type=int)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--executor", choices=["auto", "docker", "process", "none"])
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    try:
        run_agent(read_agent_settings().model_copy(update=given))
    except PodiumError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
