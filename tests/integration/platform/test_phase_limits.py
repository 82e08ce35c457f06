"""What organizers ask of limits, what the operator allows, and what agents, participants and verdicts see of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import update
from world import Known, RunningGateway, World, phase, sha256_of

from podium.flows import competition as flow
from podium.platform.jobs import MIB, Limits, OutputKind
from podium.platform.lifecycle import BundleStatus
from podium.platform.models import Bundle, Phase
from podium.platform.transitions import move_bundle

GIB = 1024 * MIB


def created(world: World, owner: Known, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """What the flow makes of a bundle, its steps called as plain functions."""
    for name in ("begin_reading", "store_files", "write_competition", "refuse_bundle", "fail_bundle"):
        monkeypatch.setattr(flow, name, getattr(flow, name).fn)
    monkeypatch.setattr(flow, "read_settings", lambda: world.settings)
    archive = Path(shutil.make_archive(str(world.folder / str(uuid4())), "zip", folder))
    with world.session() as session:
        data = archive.read_bytes()
        bundle = Bundle(owner_id=owner.id, filename="b.zip", size=len(data), sha256=sha256_of(data))
        session.add(bundle)
        session.flush()
        move_bundle(
            session,
            bundle,
            BundleStatus.QUEUED,
            actor="tests",
            content=world.storage.store(archive, sha256_of(data)).key,
        )
        bundle_id = bundle.id
    flow.create_competition.fn(bundle_id)
    with world.session() as session:
        return session.get_one(Bundle, bundle_id)


def test_more_than_the_operator_allows_is_refused_with_each_limit_named(
    world: World, olga: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.settings, "limit_maxima", {"memory_bytes": 2.0 * GIB, "wall_seconds": 300.0})
    asks = phase(execution_time_limit=301, limits={"memory": "3 GiB", "gpus": 9, "cpus": 4})
    bundle = created(world, olga, world.bundle_folder(phases=[asks]), monkeypatch)
    assert bundle.status is BundleStatus.REFUSED
    assert [(problem["field"], problem["message"]) for problem in bundle.problems] == [
        (
            "phases[0].execution_time_limit",
            "Phase 'First' asks for a limit `wall` of 5 min 1 s; the operator of this platform allows up to 5 min.",
        ),
        (
            "phases[0].limits.memory",
            "Phase 'First' asks for a limit `memory` of 3 GiB; the operator of this platform allows up to 2 GiB.",
        ),
        (
            "phases[0].limits.gpus",
            "Phase 'First' asks for a limit `gpus` of 9; the operator of this platform allows up to 8.",
        ),
    ]


def test_what_is_asked_for_reaches_the_agent_and_everyone_beforehand(
    world: World, gateway: RunningGateway, olga: Known
) -> None:
    slug = world.competition(
        olga, phases=[phase(execution_time_limit=1800, limits={"processes": 1000, "output": "100 MiB"})]
    )
    (shown,) = gateway.call("GET", f"/competitions/{slug}").json()["phases"]
    assert shown["execution_time_limit"] == 1800
    assert shown["limits"]["memory_bytes"] == 4 * GIB
    assert shown["limits"]["processes"] == 1000
    assert "cpu_seconds" not in shown["limits"]
    ada = world.person("ada")
    world.join(ada, slug)
    job = world.claim(world.submit(ada, slug))
    assert job.limits == Limits(wall_seconds=1800, processes=1000, output_bytes=100 * MIB)
    assert job.asked_limits == {}
    assert job.evaluations[0].outputs[OutputKind.SCORING_OUTPUT].max_bytes == 100 * MIB + MIB + 10_000 * 1024


def test_a_maximum_that_is_lowered_later_holds_and_is_said(
    world: World, gateway: RunningGateway, olga: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = world.competition(olga, phases=[phase(limits={"disk": "8 GiB", "log": "1 MiB"})])
    ada = world.person("ada")
    world.join(ada, slug)
    submission = world.submit(ada, slug)
    for settings in (world.settings, gateway.services.settings):
        monkeypatch.setattr(settings, "limit_maxima", {"disk_bytes": 2.0 * GIB, "processes": 100.0})
    job = world.claim(submission)
    assert (job.limits.disk_bytes, job.limits.processes, job.limits.log_bytes) == (2 * GIB, 100, MIB)
    assert job.asked_limits == {"disk_bytes": 8 * GIB}
    (shown,) = gateway.call("GET", f"/competitions/{slug}").json()["phases"]
    assert shown["limits"]["disk_bytes"] == 2 * GIB


@pytest.mark.parametrize(
    ("hides", "may_quote"),
    [
        ({"hide_output": False}, ("prediction", "scoring")),
        ({"hide_output": True}, ()),
        ({"hide_score_output": True}, ("prediction",)),
        ({"hide_prediction_output": True}, ("scoring",)),
    ],
)
def test_messages_may_quote_only_what_participants_may_see(
    world: World, olga: Known, hides: dict[str, bool], may_quote: tuple[str, ...]
) -> None:
    slug = world.competition(olga)
    ada = world.person("ada")
    world.join(ada, slug)
    with world.session() as session:
        session.execute(update(Phase).values(**hides))
    assert world.claim(world.submit(ada, slug)).may_quote == may_quote
