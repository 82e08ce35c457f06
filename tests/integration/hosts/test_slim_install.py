"""What organizers install on their hosts is small, and has nothing of the platform's own.

That it scores is shown by the other tests of this folder: the agents there are started from it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import slim_environment

from .conftest import Participant, Site, ended

FOREIGN = ("sqlalchemy", "psycopg", "alembic", "s3fs", "adlfs", "streamlit", "prefect.server.orchestration")
_TRY = """
import importlib.util, json, sys
import podium.agents.agent, podium.agents.worker, podium.flows.scoring, podium.platform.cli.app
from prefect.plugins import load_prefect_collections
from prefect.workers.base import BaseWorker
load_prefect_collections()
def there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
print(json.dumps({
    "found": [name for name in sys.argv[1:] if there(name)],
    "worker": str(BaseWorker.get_worker_class_from_type("podium")),
}))
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=environment)


def test_it_is_small_and_has_nothing_of_the_server(site: Site) -> None:
    assert slim_environment.megabytes() < 100
    packages = slim_environment.packages()
    assert {"podium", "prefect_client", "docker"} <= packages
    assert not {"prefect", *FOREIGN} & packages
    python = str(slim_environment.SLIM / "bin" / "python")
    tried = run(python, "-c", _TRY, *FOREIGN)
    assert tried.returncode == 0, tried.stderr
    said: dict[str, Any] = json.loads(tried.stdout)
    assert said["found"] == []
    # By its entry point, as `prefect worker start --type podium` finds it.
    assert "podium.agents.worker.PodiumWorker" in said["worker"]
    nobody = run(python, "-m", "podium.agents")
    assert nobody.returncode == 2
    assert "PODIUM_AGENT_TOKEN" in nobody.stderr


def test_the_agents_that_score_are_started_from_it(site: Site, pat: Participant) -> None:
    for host in site.hosts:
        assert pat.wait(pat.submit(host, 0.5), ended).status == "finished", host.log()
        assert host.process is not None
        maps = Path(f"/proc/{host.process.pid}/maps").read_text()
        assert str(slim_environment.SLIM) in maps
        assert "/.venv/" not in maps
