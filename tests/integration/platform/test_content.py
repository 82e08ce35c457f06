"""A competition's content, edited while it runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from world import Known, World

from podium.platform.bundles.problems import ContentRefused
from podium.platform.client import Client
from podium.platform.errors import Conflict, NotAllowed
from podium.platform.models import LeaderboardEntry, Phase
from podium.platform.records.competitions import PageRecord
from podium.platform.records.content import ContentRecord
from podium.platform.submissions.participation import NotParticipating

Connect = Callable[[str | None], Client]


@pytest.fixture
def owner(connect: Connect, olga: Known) -> Client:
    return connect(olga.token)


def phase_with(record: ContentRecord, **changes: object) -> dict[str, object]:
    first, *others = record.content.phases
    return {"phases": [replace(first, **changes), *others]}


def test_what_is_edited_is_saved_whole_shown_and_written_down(
    world: World, owner: Client, ada: Known, slug: str
) -> None:
    scored = world.score(ada, slug, {"accuracy": 0.75})
    before = owner.content(slug)
    pages = (PageRecord("First", "# One\n", is_html=False), PageRecord("Second", "<p>Two</p>", is_html=True))
    board = before.content.leaderboards[0]
    column = replace(board.columns[0], title="Exactness", precision=4)
    end = datetime(2070, 1, 1, tzinfo=UTC)
    changes = {
        "title": "Irises",
        "contact_email": "olga@example.org",
        "pages": pages,
        "leaderboards": [replace(board, columns=(column, *board.columns[1:]))],
        **phase_with(before, end=end, max_submissions=7),
    }
    preview = owner.preview_content(slug, changes)
    assert not preview.problems
    assert "phases[0].max_submissions" in {one.field for one in preview.changes}
    assert any("until" in words for words in preview.consequences)
    assert owner.content(slug) == before
    after = owner.change_content(slug, changes, version=before.version)
    assert after.version != before.version
    assert (after.content.pages, after.content.phases[0].end) == (pages, end)
    shown = owner.competition(slug)
    assert (shown.summary.title, shown.columns[0].title, shown.columns[0].precision) == ("Irises", "Exactness", 4)
    assert shown.terms_sha256 == owner.competition(slug).terms_sha256
    line = owner.audit(slug)[0]
    assert (line.act, line.username) == ("edit the competition", "olga")
    assert "title: Irises" in line.after
    with world.session() as session:
        assert session.scalars(select(LeaderboardEntry.scores)).one()[0] == 0.75
    assert world.submission(scored).on_leaderboard
    # The same again changes nothing, and leaves no line.
    assert owner.change_content(slug, {"title": "Irises"}, version=after.version).content == after.content
    assert owner.audit(slug)[0] == line


def test_all_problems_are_said_at_once_and_nothing_is_saved(owner: Client, slug: str) -> None:
    before = owner.content(slug)
    first = before.content.phases[0]
    changes = {
        "title": " ",
        "contact_email": "nobody",
        "pages": [PageRecord("", "", is_html=False)],
        **phase_with(
            before, end=first.start - timedelta(days=1), time_zone="Europe/Zurch", limits={"memory": "9 elephants"}
        ),
    }
    with pytest.raises(ContentRefused, match="nothing of it was saved") as refused:
        owner.change_content(slug, changes, version=before.version)
    fields = {problem.field for problem in refused.value.problems}
    assert {
        "title",
        "contact_email",
        "pages[0].title",
        "pages[0].text",
        "phases[0].end",
        "phases[0].time_zone",
        "phases[0].limits.memory",
    } <= fields
    for wrong in (
        {"tasks": []},
        {"phases": []},
        {"leaderboards": [{}]},
        {"pages": {"a": [1]}},
        {"terms": None},
        {"title": {"deep": [[[[[[[[[[[[[]]]]]]]]]]]]]}},
    ):
        with pytest.raises(ContentRefused):
            owner.change_content(slug, wrong, version=before.version)
    assert owner.content(slug) == before


def test_who_edits_what_another_has_changed_is_told_what(
    world: World, connect: Connect, owner: Client, slug: str
) -> None:
    cora = world.person("cora")
    owner.add_collaborator(slug, "cora")
    seen = owner.content(slug)
    friend = connect(cora.token)
    friend.change_content(slug, {"title": "Hers"}, version=friend.content(slug).version)
    with pytest.raises(Conflict, match=r"cora at .* edit the competition \(title: Hers\)"):
        owner.change_content(slug, {"title": "His"}, version=seen.version)
    assert owner.content(slug).content.title == "Hers"
    # A phase that is moved in another way counts too.
    seen = owner.content(slug)
    friend.change_phase(slug, 1, max_submissions=3)
    with pytest.raises(Conflict, match="change a phase"):
        owner.change_content(slug, {"title": "His"}, version=seen.version)


def test_of_two_who_save_at_once_one_is_told_of_the_other(owner: Client, slug: str) -> None:
    version = owner.content(slug).version

    def save(title: str) -> str:
        try:
            return owner.change_content(slug, {"title": title}, version=version).content.title
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        came = list(pool.map(save, ("A", "B", "C", "D")))
    assert came.count("refused") == 3
    assert owner.content(slug).content.title in came


def test_new_terms_are_asked_for_again(world: World, owner: Client, ada: Known, slug: str) -> None:
    before = owner.content(slug)
    changes = {"terms": "Be fair, and kind."}
    assert "The one participant has to accept the new terms" in owner.preview_content(slug, changes).consequences[0]
    owner.change_content(slug, changes, version=before.version)
    with pytest.raises(NotParticipating, match="terms have changed"):
        world.announce(ada, slug)
    world.join(ada, slug)
    world.announce(ada, slug)


def test_phases_that_touch_are_no_hindrance_and_what_is_not_changed_stays_as_stored(
    world: World, owner: Client, slug: str
) -> None:
    with world.session() as session:
        stored = session.scalars(select(Phase)).first()
        assert stored is not None
        stored.max_submissions = 0  # nobody may submit: a bundle writes no limit like that
        stored.limits = {"memory_bytes": 1_234_567_890.0}
    owner.change_content(slug, {"title": "Irises"}, version=owner.content(slug).version)
    with world.session() as session:
        kept = session.scalars(select(Phase)).first()
        assert kept is not None
        assert (kept.max_submissions, kept.limits) == (0, {"memory_bytes": 1_234_567_890.0})


def test_participants_edit_nothing(connect: Connect, ada: Known, slug: str) -> None:
    with pytest.raises(NotAllowed):
        connect(ada.token).content(slug)
