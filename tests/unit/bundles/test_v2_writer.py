"""What is written as version 2 reads back as what it was written from."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.platform.bundles.content import (
    RANK_COMPUTATIONS,
    ColumnContent,
    CompetitionContent,
    CompetitionType,
    Computation,
    FactSheetQuestion,
    FactSheetType,
    FileInBundle,
    LeaderboardContent,
    PageContent,
    PhaseContent,
    Protocol,
    Ranking,
    Relaxations,
    SolutionContent,
    Sorting,
    StoredDataset,
    StoredTask,
    SubmissionRule,
    SubmissionWindow,
    TaskContent,
    TeamRules,
)
from podium.platform.bundles.problems import Severity
from podium.platform.bundles.reader import BundleReading, read_bundle
from podium.platform.bundles.submission_formats import (
    KINDS_WITH_COLUMNS,
    KINDS_WITH_ROWS,
    CellType,
    FormatColumn,
    FormatKind,
    SubmissionFormat,
)
from podium.platform.bundles.v2_writer import write_v2
from podium.platform.limits import TABLE
from podium.platform.quantities import Unit

FILES = {
    "logo.png": b"\x89PNG",
    "one.zip": b"PK\x05\x06" + bytes(18),
    "two/metadata.yaml": b"command: python3 score.py",
    "deeper/three/truth.csv": b"1",
}
SOURCES = tuple(FileInBundle(path, is_folder=not path.endswith(".zip")) for path in ("one.zip", "two", "deeper/three"))
CHARACTERS = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
WORDS = st.sampled_from(
    ["yes", "null", "~", "1e3", "2026-01-30", "<<", "=", "- a", "a: b", "# a", "a\n\n  b\n", "é", "{}"]
)


def built(kind: type[Any], /, **how: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a class of which every field is named: a new one has to be thought of here, and written."""
    assert set(how) == {field.name for field in fields(kind)}, f"{kind.__name__} has other fields than are tried"
    return st.builds(kind, **how)


def texts(least: int, most: int) -> st.SearchStrategy[str]:
    found = (st.text(CHARACTERS, max_size=12) | WORDS).map(lambda text: text[:most].strip())
    return found.filter(lambda text: len(text) >= least)


def distinct(values: st.SearchStrategy[Any], by: Callable[[Any], Any], least: int, most: int = 3) -> Any:  # noqa: ANN401
    return st.lists(values, min_size=least, max_size=most, unique_by=by).map(tuple)


SOURCE = st.sampled_from(SOURCES) | st.uuids().map(lambda key: StoredDataset(str(key)))
INDEX = st.integers(0, 30).map(str) | texts(1, 60).filter(lambda text: not text.lstrip("+-").isdigit())
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=365 * 8000)).map(datetime(1000, 1, 1, tzinfo=UTC).__add__)
QUOTA = st.none() | st.integers(0, 2**31 - 1)
PAGE_TEXT = st.text(CHARACTERS, min_size=1, max_size=30).filter(lambda text: bool(text.strip()))

TASK = built(
    TaskContent,
    index=INDEX,
    name=texts(1, 256),
    description=texts(0, 500),
    scoring_program=SOURCE,
    ingestion_program=st.none() | SOURCE,
    input_data=st.none() | SOURCE,
    reference_data=st.none() | SOURCE,
    ingestion_only_during_scoring=st.booleans(),
    protocol=st.sampled_from(Protocol),
)
STORED_TASK = built(StoredTask, index=INDEX, key=st.uuids().map(str))
RELAXATIONS = built(
    Relaxations,
    network=st.lists(st.sampled_from(["data.example:443", "10.0.0.7:22", "[2001:db8::1]:80"]), unique=True).map(tuple),
    root=st.booleans(),
)


@st.composite
def limits(draw: st.DrawFn) -> dict[str, float]:
    """Amounts of some limits, as far as they can be written; the wall clock has a field of its own."""
    found = {}
    for limit in draw(st.lists(st.sampled_from(TABLE[1:]), unique_by=lambda limit: limit.name, max_size=5)):
        amount = float(draw(st.integers(max(int(limit.least), 1), 2**40)))
        found[limit.name] = amount / 100 if limit.unit is Unit.CORES and amount < 2**20 else amount
    return found


@st.composite
def submission_format(draw: st.DrawFn) -> SubmissionFormat:
    kind = draw(st.sampled_from(FormatKind))
    names = st.sampled_from(["a", "deep/b", "é c"])
    column = built(
        FormatColumn,
        name=texts(1, 40),
        type=st.sampled_from(CellType),
        values=distinct(texts(0, 20), lambda text: text, 0),
        may_be_empty=st.booleans(),
    )
    return draw(
        built(
            SubmissionFormat,
            file=st.just("") if kind is FormatKind.ZIP else names.map(lambda name: f"{name}.{kind.value}"),
            kind=st.just(kind),
            columns=distinct(column, lambda one: one.name, 0) if kind in KINDS_WITH_COLUMNS else st.just(()),
            rows=st.none() | st.integers(0, 10**6) if kind in KINDS_WITH_ROWS else st.none(),
            shape=st.lists(st.integers(0, 9), max_size=3).map(tuple) if kind is FormatKind.NPY else st.just(()),
            files=st.lists(names, max_size=3).map(tuple) if kind is FormatKind.ZIP else st.just(()),
        )
    )


@st.composite
def question(draw: st.DrawFn) -> FactSheetQuestion:
    kind = draw(st.sampled_from(FactSheetType))
    answers = distinct(texts(0, 30), lambda text: text, 1) if kind is FactSheetType.SELECT else st.just(())
    return draw(
        built(
            FactSheetQuestion,
            key=st.text(CHARACTERS, min_size=1, max_size=20),
            type=st.just(kind),
            title=texts(1, 100),
            selection=answers,
            is_required=st.booleans(),
            is_on_leaderboard=st.booleans(),
        )
    )


@st.composite
def leaderboard(draw: st.DrawFn) -> LeaderboardContent:
    columns: list[ColumnContent] = []
    for index in sorted(draw(st.sets(st.integers(0, 50), min_size=1, max_size=4))):
        before = [column.index for column in columns]
        computation = draw(st.none() | st.sampled_from(Computation)) if before else None
        sources = draw(st.lists(st.sampled_from(before), min_size=1, unique=True)) if computation else []
        weighted = computation in RANK_COMPUTATIONS and draw(st.booleans())
        weights = [draw(st.floats(-1e9, 1e9, allow_subnormal=False)) for _ in sources] if weighted else []
        digits = draw(st.none() | st.integers(0, 15))
        columns.append(
            draw(
                built(
                    ColumnContent,
                    index=st.just(index),
                    title=texts(1, 36),
                    key=texts(1, 30).map(lambda text, index=index: f"{text}{index}"),  # type: ignore[misc]
                    sorting=st.sampled_from(Sorting),
                    computation=st.just(computation),
                    computation_indexes=st.just(tuple(sources)),
                    precision=st.integers(0, 15),
                    hidden=st.booleans(),
                    computation_weights=st.just(tuple(weights)),
                    ranking_precision=st.just(digits),
                    tie_tolerance=st.just(0.0) if digits is not None else st.floats(0, 1e9, allow_subnormal=False),
                    exclude_from_ranking=st.booleans(),
                )
            )
        )
    keys = [column.key for column in columns]
    if len(set(keys)) < len(keys):
        columns = columns[:1]
    primary = draw(st.sampled_from(columns))
    columns = [replace(one, exclude_from_ranking=False) if one is primary else one for one in columns]
    return draw(
        built(
            LeaderboardContent,
            title=texts(1, 64),
            key=texts(1, 36),
            submission_rule=st.sampled_from(SubmissionRule),
            hidden=st.booleans(),
            primary_index=st.just(primary.index),
            columns=st.just(tuple(columns)),
            ranking=st.sampled_from(Ranking),
            anonymous=st.booleans(),
            freeze_hours=st.none() | st.floats(0.01, 8000, allow_subnormal=False),
            rank_change_hours=st.floats(0, 8000, allow_subnormal=False),
            organizers_are_baselines=st.booleans(),
        )
    )


@st.composite
def phase(
    draw: st.DrawFn, window: tuple[datetime, datetime | None], tasks: list[Any], *, is_first: bool
) -> PhaseContent:
    chosen = draw(st.lists(st.sampled_from(tasks), min_size=1, unique_by=lambda task: task.index))
    ingesting = any(getattr(task, "ingestion_program", None) for task in chosen)
    accepted = draw(st.sampled_from(["any", "results", "any" if ingesting else "containers"]))
    return draw(
        built(
            PhaseContent,
            name=texts(1, 256),
            description=texts(0, 500),
            start=st.just(window[0]),
            end=st.just(window[1]),
            tasks=st.just(tuple(task.index for task in chosen)),
            max_submissions_per_day=QUOTA,
            max_submissions=QUOTA,
            execution_time_limit=st.integers(1, 10**6),
            auto_migrate_to_this_phase=st.sampled_from([False] if is_first else [False, True]),
            hide_output=st.booleans(),
            hide_prediction_output=st.booleans(),
            hide_score_output=st.booleans(),
            accepts_only_result_submissions=st.just(accepted == "results"),
            starting_kit=st.none() | SOURCE,
            public_data=st.none() | SOURCE,
            accepts_container_submissions=st.just(accepted == "containers"),
            limits=limits(),
            max_concurrent_submissions=QUOTA,
            time_zone=st.sampled_from(["UTC", "Europe/Paris"]),
            submission_window=st.sampled_from(SubmissionWindow),
            failed_submissions_given_back=st.integers(0, 99),
            submission_format=st.none() if accepted == "containers" else st.none() | submission_format(),
        )
    )


@st.composite
def competition(draw: st.DrawFn) -> CompetitionContent:
    tasks = draw(st.lists(TASK | STORED_TASK, min_size=1, max_size=3, unique_by=lambda task: task.index))
    moments = sorted(draw(st.lists(MOMENTS, min_size=2, max_size=6, unique=True)))
    begins = moments[::2] if len(moments) % 2 == 0 else moments[:-1]
    ends = moments[1::2] if len(moments) % 2 == 0 else moments[1:]
    windows: list[tuple[datetime, datetime | None]] = list(zip(begins, ends, strict=True))
    if draw(st.booleans()):
        windows[-1] = (windows[-1][0], None)
    opening = draw(st.none() | st.just(moments[0]))
    indexes = [task.index for task in tasks]
    solution = built(
        SolutionContent,
        index=INDEX,
        name=texts(1, 256),
        description=texts(0, 500),
        tasks=distinct(st.sampled_from(indexes), lambda index: index, 1),
        source=SOURCE,
    )
    pages = draw(st.lists(st.tuples(texts(1, 256), PAGE_TEXT, st.sampled_from(["md", "html"])), max_size=3))
    suffix = draw(st.sampled_from(["md", "html"]))
    return draw(
        built(
            CompetitionContent,
            title=texts(1, 256),
            description=texts(0, 500),
            image=st.just("logo.png"),
            terms=PAGE_TEXT,
            terms_file=st.just(f"terms.{suffix}"),
            registration_auto_approve=st.booleans(),
            docker_image=st.sampled_from(["codalab/codalab-legacy:py37", "a/b@sha256:" + "0" * 64]),
            queue=st.none() | texts(1, 60),
            enable_detailed_results=st.booleans(),
            show_detailed_results_in_submission_panel=st.booleans(),
            show_detailed_results_in_leaderboard=st.booleans(),
            auto_run_submissions=st.booleans(),
            can_participants_make_submissions_public=st.booleans(),
            make_programs_available=st.booleans(),
            make_input_data_available=st.booleans(),
            competition_type=st.sampled_from(CompetitionType),
            reward=st.none() | texts(1, 256),
            contact_email=st.none() | st.just("olga@example.org"),
            forum_enabled=st.booleans(),
            fact_sheet=distinct(question(), lambda one: one.key, 0),
            pages=st.just(
                tuple(PageContent(title, f"pages/{at}.{kind}", text) for at, (title, text, kind) in enumerate(pages))
            ),
            tasks=st.just(tuple(tasks)),
            solutions=distinct(solution, lambda one: one.index, 0),
            phases=st.tuples(*(phase(window, tasks, is_first=at == 0) for at, window in enumerate(windows))),
            leaderboards=distinct(leaderboard(), lambda board: board.key, 1, 2),
            relaxations=RELAXATIONS,
            start=st.just(opening),
            end=st.none() | st.just(moments[-1] + timedelta(microseconds=1)),
            registration_start=st.just(opening),
            registration_end=st.none() | st.just(moments[-1]),
            teams=st.none() | st.builds(TeamRules, st.integers(2, 100), st.none() | st.just(moments[-1])),
        )
    )


def written(content: CompetitionContent, root: Path) -> None:
    """Put a written competition into a folder, with its files."""
    bundle = write_v2(content)
    everything = {**FILES, **{path: text.encode() for path, text in bundle.texts.items()}}
    for path, data in {**everything, "competition.yaml": bundle.document.encode()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


@given(content=competition())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_is_written_reads_back_as_it_was(content: CompetitionContent):
    with tempfile.TemporaryDirectory() as folder:
        written(content, Path(folder))
        with read_bundle(Path(folder)) as reading:
            assert [problem for problem in reading.problems if problem.severity is Severity.ERROR] == []
            assert reading.accepted() == content
    assert write_v2(content) == write_v2(content)


def content_classes(kind: object) -> set[type[Any]]:
    """The classes that a competition's content is made of."""
    if get_origin(kind) in (tuple, Union, UnionType) or get_origin(kind) is not None:
        return {found for part in get_args(kind) for found in content_classes(part)}
    if not (isinstance(kind, type) and is_dataclass(kind)):
        return set()
    hints = get_type_hints(kind, vars(sys.modules[kind.__module__]))
    return {kind, *(found for hint in hints.values() for found in content_classes(hint))}


def test_every_class_of_content_is_tried():
    # PageContent, FileInBundle and StoredDataset are made without their fields' names.
    assert [field.name for field in fields(PageContent)] == ["title", "file", "text"]
    assert [field.name for field in fields(FileInBundle)] == ["path", "is_folder"]
    assert [field.name for field in fields(StoredDataset)] == ["key"]
    tried = {
        PageContent,
        FileInBundle,
        StoredDataset,
        FactSheetQuestion,
        LeaderboardContent,
        ColumnContent,
        Relaxations,
        SubmissionFormat,
        FormatColumn,
    }
    tried |= {CompetitionContent, PhaseContent, TaskContent, StoredTask, SolutionContent, TeamRules}
    assert content_classes(CompetitionContent) == tried


def test_a_bundle_of_codalab_becomes_one_of_version_2(read_old: Callable[..., BundleReading], tmp_path: Path):
    closed = ("    max_submissions: 50\n", "    max_submissions: 0\n")
    reading = read_old(closed)
    content = reading.accepted()
    assert content.phases[0].max_submissions == 0
    bundle = write_v2(content)
    assert reading.files is not None
    for path, text in {**bundle.texts, "competition.yaml": bundle.document}.items():
        (tmp_path / path).write_text(text)
    for path in ("logo.png", "program.zip", "reference.zip"):
        reading.files.copy_file(path, tmp_path / path)
    with read_bundle(tmp_path) as again:
        assert again.accepted() == content
        assert content.tasks[0] == again.accepted().tasks[0]


@pytest.mark.parametrize(
    "line", ["start: '2026-01-01T00:00:00Z'", "max_submissions: closed", "memory: 8 GiB", "is_required: 'true'"]
)
def test_it_is_written_as_people_would(
    line: str, make_bundle: Callable[..., Path], accepted: Callable[..., CompetitionContent]
):
    sheet = "fact_sheet: {team: {key: team, type: text, title: Team, is_required: true}}\npages:"
    limits = "    limits: {memory: 8 GiB}\n    max_submissions: closed\n    tasks: [0]"
    content = accepted(("pages:", sheet), ("    tasks: [0]", limits))
    assert line in [one.strip() for one in write_v2(content).document.splitlines()]
