"""A competition taken out as a bundle and made again of it, and its submissions as tables."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import select
from world import FUTURE, PAST, Known, World, board, phase, sha256_of, zip_of

from podium.platform.bundles.content import CompetitionContent, FileInBundle, PageContent, SolutionContent
from podium.platform.bundles.reader import read_bundle
from podium.platform.client import Client
from podium.platform.competition_export import export_content
from podium.platform.errors import Conflict, NotAllowed, NotFound
from podium.platform.models import Agent, AuditEntry, Competition, Submission
from podium.platform.records.exports import TableForm
from podium.platform.submissions.export import plan_export, read_rows
from podium.tasks.competitions import store_files, write_competition

EVERYTHING: dict[str, Any] = {
    "title": "Iris: all of it",
    "description": "Two\n  lines, - and a dash\n",
    "competition_type": "benchmark",
    "reward": "=1+1",
    "contact_email": "olga@example.org",
    "docker_image": "podium/python:3.11",
    "enable_detailed_results": True,
    "show_detailed_results_in_submission_panel": False,
    "show_detailed_results_in_leaderboard": False,
    "auto_run_submissions": False,
    "can_participants_make_submissions_public": False,
    "teams": {"max_members": 4, "deadline": "2100-01-01 00:00:00 UTC"},
    "make_programs_available": True,
    "make_input_data_available": True,
    "forum_enabled": False,
    "queue": "gpu",
    "start": PAST,
    "end": "2098-01-01T00:00:00.000001Z",
    "registration_start": PAST,
    "registration_end": "2097-01-01",
    "relaxations": {"network": ["data.example:443"], "root": True},
    "fact_sheet": {
        "team": {"key": "team", "type": "text", "title": "Team?", "is_required": True},
        "kind": {"type": "select", "title": "Kind?", "selection": ["a", "-b"], "is_on_leaderboard": True},
    },
    "tasks": [
        {"index": 0, "name": "One", "scoring_program": "scoring_program", "protocol": "v1.5"},
        {
            "index": "two",
            "name": "Two",
            "description": "The second",
            "scoring_program": "scoring_program",
            "ingestion_program": "scoring_program",
            "input_data": "reference_data",
            "reference_data": "reference_data",
            "ingestion_only_during_scoring": True,
        },
    ],
    "solutions": [{"index": 0, "name": "S", "description": "d", "tasks": ["two"], "path": "reference_data"}],
    "phases": [
        phase(
            tasks=[0],
            start=PAST,
            end=FUTURE,
            max_submissions_per_day="closed",
            max_submissions=0,
            max_concurrent_submissions=2,
            submission_window="sliding_week",
            time_zone="Europe/Paris",
            failed_submissions_given_back=3,
            execution_time_limit=90,
            limits={"memory": "3 GiB", "cpus": 0.5},
            accepts_container_submissions=True,
            hide_output=True,
            hide_prediction_output=True,
            hide_score_output=True,
        ),
        phase(
            name="Second",
            description="Later",
            tasks=["two", 0],
            start=FUTURE,
            end="2101-01-01",
            accepts_only_result_submissions=True,
            auto_migrate_to_this_phase=True,
            starting_kit="reference_data",
            public_data="reference_data",
            submission_format={
                "file": "predictions.csv",
                "columns": [
                    "id",
                    {"name": "label", "type": "text", "values": ["a", "b"], "may_be_empty": True},
                ],
                "rows": 10,
            },
        ),
        phase(
            name="Third",
            tasks=[0],
            start="2101-01-02",
            end="2102-01-01",
            submission_format={"kind": "zip", "files": ["a.csv", "b.csv"]},
        ),
        phase(
            name="Fourth",
            tasks=[0],
            start="2102-01-02",
            end="2103-01-01",
            submission_format={"file": "p.npy", "shape": [10, 0]},
        ),
    ],
    "leaderboards": [
        board(
            {
                "index": 3,
                "title": "Accuracy",
                "key": "accuracy",
                "precision": 4,
                "sorting": "asc",
                "hidden": True,
                "ranking_precision": 3,
            },
            {
                "index": 5,
                "title": "Rank",
                "key": "rank",
                "computation": "average_rank",
                "computation_indexes": [3],
                "computation_weights": [0.25],
                "tie_tolerance": 0.01,
                "exclude_from_ranking": True,
            },
            primary_index=3,
            hidden=True,
            submission_rule="Force_Best",
            ranking="mean_rank",
            anonymous=True,
            freeze_hours=12,
            rank_change_hours=48,
            organizers_are_baselines=True,
        )
    ],
}


def placeless(value: Any) -> Any:  # noqa: ANN401  # any content
    """A content without where its files lie and what its solutions are called, which is a bundle's own affair."""
    if isinstance(value, tuple):
        return tuple(placeless(one) for one in value)
    if isinstance(value, FileInBundle):
        return FileInBundle("", is_folder=False)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    value = replace(value, **{field.name: placeless(getattr(value, field.name)) for field in fields(value)})
    if isinstance(value, PageContent):
        return replace(value, file=value.file.rpartition(".")[2])
    if isinstance(value, CompetitionContent):
        return replace(value, image=value.image.rpartition("/")[2], terms_file=value.terms_file.rpartition(".")[2])
    return replace(value, index="") if isinstance(value, SolutionContent) else value


def content_of(world: World, slug: str) -> CompetitionContent:
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        return export_content(session, competition).content


def make_of(world: World, owner: Known, bundle: Path, slug: str) -> str:
    """A competition of a bundle, as the flow makes one."""
    with read_bundle(bundle) as reading:
        content = reading.accepted()
        assert reading.files is not None
        return write_competition.fn(
            world.database,
            world.bundle_row(owner, slug=slug),
            content,
            store_files.fn(world.database, world.storage, reading.files, content),
            reading.problems,
            None,
            world.settings.limit_maxima,
            world.settings.storage_quota_bytes,
        )


def instances(value: Any) -> Iterator[Any]:  # noqa: ANN401  # any content
    if isinstance(value, tuple):
        for one in value:
            yield from instances(one)
    elif is_dataclass(value):
        yield value
        for field in fields(value):
            yield from instances(getattr(value, field.name))


def test_everything_that_a_bundle_says_comes_back(
    world: World, olga: Known, connect: Callable[..., Client], tmp_path: Path
) -> None:
    with read_bundle(world.bundle_folder(**EVERYTHING)) as reading:
        said = reading.accepted()
    found = list(instances(said))
    for one in found:
        for field in fields(one):
            default = field.default_factory() if field.default_factory is not MISSING else field.default
            if default is not MISSING:
                alike = [getattr(other, field.name) for other in found if type(other) is type(one)]
                assert any(value != default for value in alike), f"{type(one).__name__}.{field.name} is not tried"
    slug = world.competition(olga, slug="first", **EVERYTHING)
    # On this platform olga may not use the pool `gpu` unless she is allowed to, and then it is another one.
    assert placeless(content_of(world, slug)) == placeless(replace(said, queue=content_of(world, slug).queue))
    client, target = connect(olga.token), tmp_path / "first.zip"
    assert client.export_competition(slug, target).warnings == ()
    again = make_of(world, world.person("otto", organizer=True), target, "second")
    assert content_of(world, again) == content_of(world, slug)
    # The same, byte by byte: from the copy as well.
    with pytest.raises(Conflict):
        client.export_competition(slug, target)
    connect(world.person("root", administrator=True).token).export_competition(again, tmp_path / "second.zip")
    assert (tmp_path / "second.zip").read_bytes() == target.read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*.zip*")) == ["first.zip", "second.zip"]
    assert list(tmp_path.glob(".*")) == []


def test_what_was_changed_since_is_exported(
    world: World, olga: Known, ada: Known, slug: str, connect: Callable[..., Client], tmp_path: Path
) -> None:
    client = connect(olga.token)
    client.change_phase(slug, 1, max_submissions=0, without_limits=("max_submissions_per_day",))
    client.pause_phase(slug, 1, "We look at it.")
    truth = tmp_path / "truth.zip"
    truth.write_bytes(zip_of({"truth.csv": "9"}))
    dataset = client.store_dataset("reference_data", truth)
    client.change_task(slug, "0", reason="It was wrong.", datasets={"reference_data": dataset.id})
    written = client.export_competition(slug, tmp_path / "b.zip")
    assert [warning for warning in written.warnings if "is paused" in warning] == list(written.warnings)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.read("reference_data/truth.zip") == truth.read_bytes()
        assert "max_submissions: closed" in archive.read("competition.yaml").decode()
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    with pytest.raises(NotAllowed):
        connect(ada.token).export_competition(slug, tmp_path / "c.zip")
    with pytest.raises(NotFound):
        client.exported_file(slug, "0" * 64)
    with world.session() as session:
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.competition == slug)).all()
    assert acts.count("export a competition") == 1


def test_an_export_goes_on_with_what_it_has(
    world: World, olga: Known, slug: str, connect: Callable[..., Client], tmp_path: Path
) -> None:
    client = connect(olga.token)
    export = client.competition_parts(slug)
    parts = tmp_path / ".b.zip.parts"
    parts.mkdir()
    first, second = export.files[0], export.files[1]
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        stored = {file.sha256: file.content for file in export_content(session, competition).files}
    (parts / first.sha256).write_bytes(world.storage.path(stored[first.sha256]).read_bytes())
    (parts / second.sha256).write_bytes(b"half of")
    names: list[str] = []
    client.export_competition(slug, tmp_path / "b.zip", on_progress=lambda progress: names.append(progress.name))
    assert first.path not in names
    assert second.path in names
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert sha256_of(archive.read(second.path)) == second.sha256


def test_submissions_come_as_tables(
    world: World, olga: Known, ada: Known, slug: str, connect: Callable[..., Client], tmp_path: Path
) -> None:
    scored_id = world.score(ada, slug, {"accuracy": 0.1 + 0.2}, filename="-p.zip")
    with world.session() as session:
        submission = session.get_one(Submission, scored_id)
        submission.message = "=HYPERLINK(1)"
        submission.attempts[0].agent = Agent(
            name="host-1", pool_id=submission.competition.pool_id, version="1", slots=1, executor="docker"
        )
    world.announce(ada, slug)
    client = connect(olga.token)
    client.export_submissions(slug, tmp_path / "s.csv")
    client.export_submissions(slug, tmp_path / "s.parquet", form=TableForm.PARQUET, phase=1)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text())))
    assert [row["number"] for row in rows] == ["1", "2"]
    scored, waiting = rows
    assert (scored["participant"], scored["status"], scored["on_leaderboard"]) == ("ada", "finished", "true")
    assert (scored["message"], scored["filename"]) == ("'=HYPERLINK(1)", "'-p.zip")
    assert (scored["score.accuracy"], scored["score[0].accuracy"]) == ("0.30000000000000004", "0.30000000000000004")
    assert (scored["pool"], scored["created"].endswith("+00:00")) == ("docker", True)
    assert (waiting["status"], waiting["score.accuracy"], waiting["ended"]) == ("submitted", "", "")
    table = parquet.read_table(tmp_path / "s.parquet")
    assert table.column_names == list(rows[0])
    assert table.schema.field("created").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("number").type == pa.int64()
    assert table.column("score.accuracy").to_pylist() == [0.1 + 0.2, None]
    assert table.column("message").to_pylist()[0] == "=HYPERLINK(1)"
    with world.session() as session:
        made = session.scalars(select(Submission.created).order_by(Submission.number)).all()
        lines = session.scalars(select(AuditEntry).where(AuditEntry.act == "export submissions")).all()
    assert table.column("created").to_pylist() == [moment.astimezone(UTC) for moment in made]
    assert [line.after for line in lines] == [
        "of all phases, taken out as csv",
        "of phase 'First', taken out as parquet",
    ]
    with pytest.raises(NotFound):
        client.export_submissions(slug, tmp_path / "t.csv", phase="None of them")
    with pytest.raises(NotAllowed):
        connect(ada.token).export_submissions(slug, tmp_path / "t.csv")
    assert [path.name for path in tmp_path.glob("*t.csv*")] == []


def test_the_pieces_of_a_table_are_all_of_it(world: World, ada: Known, slug: str) -> None:
    for _ in range(5):
        world.announce(ada, slug)
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        plan = plan_export(competition, competition.phases[0])
    pieces = list(read_rows(world.database, plan, at_once=2))
    assert [[row[0] for row in rows] for rows in pieces] == [[1, 2], [3, 4], [5]]
    assert {len(row) for rows in pieces for row in rows} == {len(plan.columns)}


def test_a_row_tells_of_every_task_and_of_all_programs(world: World, olga: Known, ada: Known) -> None:
    tasks = [{"index": index, "name": index, "scoring_program": "scoring_program"} for index in ("one", "two")]
    columns = ({"key": "a"}, {"key": "b"}, {"key": "both", "computation": "sum", "computation_indexes": [0, 1]})
    slug = world.competition(
        olga, tasks=tasks, phases=[phase(tasks=["one", "two"])], leaderboards=[board(*columns, primary_index=0)]
    )
    world.join(ada, slug)
    scored_id = world.score(ada, slug, {"a": 1.0, "b": 0.5}, {"a": 2.0, "b": 1.0})
    world.score(ada, slug, {"a": 1.0, "b": 0.5}, {"a": 2.0})
    measured = {"wall_seconds": 1.5, "cpu_seconds": None, "peak_memory_bytes": 7, "image_digest": "x@sha256:1"}
    with world.session() as session:
        first, second = session.get_one(Submission, scored_id).evaluations
        first.programs = [measured, measured | {"cpu_seconds": 0.25, "image_digest": "x@sha256:2"}]
        second.programs = [measured | {"peak_memory_bytes": 9, "wall_seconds": 1}, measured | {"image_digest": ""}]
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        plan = plan_export(competition, None)
    (rows,) = read_rows(world.database, plan)
    whole, partly = (dict(zip([column.name for column in plan.columns], row, strict=True)) for row in rows)
    assert {key: value for key, value in whole.items() if key.startswith("score")} == {
        "score.a": 1.5,
        "score.b": 0.75,
        "score.both": 2.25,
        "score[one].a": 1.0,
        "score[one].b": 0.5,
        "score[two].a": 2.0,
        "score[two].b": 1.0,
    }
    # A task gave nothing in one column: that is missing, and what is made of it.
    assert [partly[key] for key in ("score.a", "score.b", "score.both", "score[two].b")] == [1.5, None, None, None]
    measures = ("wall_seconds", "cpu_seconds", "peak_memory_bytes", "image_digest")
    assert [whole[name] for name in measures] == [5.5, 0.25, 9, "x@sha256:1 x@sha256:2"]
    assert [partly[name] for name in measures] == [None] * 4
