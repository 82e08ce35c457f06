"""What a competition and its participants offer, what participants choose, and how competitions are found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from world import PREDICTIONS, Known, RunningGateway, World, board, hours, phase, problem_of

from podium.platform.client import Client
from podium.platform.errors import Conflict, NotAllowed, NotFound
from podium.platform.models import Phase

Connect = Callable[[str | None], Client]


def test_files_are_offered_when_their_phase_begins_to_who_takes_part(
    world: World, connect: Connect, olga: Known, ada: Known, tmp_path: Path
) -> None:
    phases = [
        phase(name="First", public_data="reference_data", end=hours(1)),
        phase(name="Later", starting_kit="scoring_program", start=hours(2), end=hours(3)),
    ]
    slug = world.competition(olga, phases=phases)
    visitor, own = connect(None), connect(ada.token)
    (file,) = visitor.offered_files(slug)
    assert (file.kind, file.phases) == ("public_data", ("First",))
    with pytest.raises(NotAllowed, match="not joined"):
        own.offered_file(slug, file.id)
    world.join(ada, slug)
    path = own.download_offered_file(slug, file, tmp_path / "data.zip")
    assert path.stat().st_size == file.size
    of_organizer = connect(olga.token).offered_files(slug)
    assert [one.kind for one in of_organizer] == ["public_data", "starting_kit"]
    with pytest.raises(NotFound):
        own.offered_file(slug, of_organizer[1].id)


def test_programs_and_input_data_are_offered_where_the_organizer_says_so(
    world: World, connect: Connect, olga: Known
) -> None:
    closed, opened = world.competition(olga), world.competition(olga, make_programs_available=True)
    assert connect(None).offered_files(closed) == ()
    assert [(file.kind, file.task) for file in connect(None).offered_files(opened)] == [("scoring_program", "Task 0")]


@pytest.mark.parametrize(
    ("rule", "standing", "may_go"),
    [("Add", [2], False), ("Add_And_Delete", [2], True), ("Add_And_Delete_Multiple", [1, 2], True)],
)
def test_participants_choose_where_the_rule_lets_them(
    world: World,
    connect: Connect,
    olga: Known,
    ada: Known,
    rule: str,
    standing: list[int],
    may_go: bool,  # noqa: FBT001 - pytest passes it
) -> None:
    slug = world.competition(olga, leaderboards=[board(submission_rule=rule)])
    world.join(ada, slug)
    first, second = (world.score(ada, slug, {"accuracy": value}) for value in (0.9, 0.5))
    own = connect(ada.token)
    assert own.put_on_leaderboard(second).on_leaderboard
    assert own.put_on_leaderboard(second).on_leaderboard  # saying it twice changes nothing

    def numbers() -> list[int]:
        return sorted(row.submission_number for row in own.leaderboard(slug).rows)

    assert numbers() == standing
    assert own.submission(first).on_leaderboard is (1 in standing)
    if may_go:
        versions = [own.submission(one).version for one in (first, second)]
        assert not own.take_off_leaderboard(second).on_leaderboard
        assert numbers() == [number for number in standing if number != 2]
        own.take_off_leaderboard(first)
        assert numbers() == []
        # Nothing comes back that was taken off, nor anything else in its place.
        world.score(ada, slug, {"accuracy": 1.0})
        assert numbers() == []
        seen = [own.submission(one).version - before for one, before in zip((first, second), versions, strict=True)]
        assert seen == [1 if 1 in standing else 0, 1]
        assert own.put_on_leaderboard(first).on_leaderboard
    else:
        with pytest.raises(Conflict, match="can't be taken off"):
            own.take_off_leaderboard(second)
    assert connect(olga.token).verify_leaderboard(slug) == ()
    with pytest.raises(NotAllowed):
        connect(olga.token).put_on_leaderboard(first)
    with world.session() as session:
        session.execute(update(Phase).values(starts=hours(-3), ends=hours(-1)))
    with pytest.raises(Conflict, match="is over"):
        own.put_on_leaderboard(first)


def test_nobody_chooses_where_the_rule_does(world: World, connect: Connect, olga: Known, ada: Known) -> None:
    slug = world.competition(olga)
    world.join(ada, slug)
    submission = world.score(ada, slug, {"accuracy": 0.9})
    with pytest.raises(Conflict, match="the rule chooses"):
        connect(ada.token).put_on_leaderboard(submission)


def test_a_submission_is_shared_and_taken_back(
    world: World, connect: Connect, gateway: RunningGateway, olga: Known, ada: Known
) -> None:
    slug, closed = world.competition(olga), world.competition(olga, can_participants_make_submissions_public=False)
    for one in (slug, closed):
        world.join(ada, one)
    submission, refused = (world.score(ada, one, {"accuracy": 0.9}) for one in (slug, closed))
    own, bob = connect(ada.token), connect(world.person("bob").token)
    assert bob.shared_submissions(slug) == ()
    with pytest.raises(NotFound):
        bob.shared_submission(slug, submission)
    with pytest.raises(Conflict, match="don't let"):
        own.share_submission(refused)
    assert own.share_submission(submission).shared
    (shared,) = connect(None).shared_submissions(slug)
    assert (shared.participant, [score.value for score in shared.scores]) == ("ada", [0.9])
    request = bob.shared_submission(slug, submission)
    assert (
        gateway.send({"method": request.method, "url": request.url, "headers": request.headers}).content == PREDICTIONS
    )
    assert not own.unshare_submission(submission).shared
    with pytest.raises(NotFound):
        bob.shared_submission(slug, submission)


def test_of_an_anonymous_board_submissions_are_shared_without_names(
    world: World, connect: Connect, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga, leaderboards=[board(anonymous=True)])
    world.join(ada, slug)
    own = connect(ada.token)
    own.share_submission(world.score(ada, slug, {"accuracy": 0.9}))
    bob = connect(world.person("bob").token)
    names = [one.shared_submissions(slug)[0].participant for one in (own, connect(olga.token), bob, connect(None))]
    assert names == ["ada", "ada", *[bob.leaderboard(slug).rows[0].participant] * 2]
    assert names[2].startswith("Participant ")


def test_competitions_are_found_by_words_state_and_part(
    world: World, connect: Connect, olga: Known, ada: Known
) -> None:
    now_open = world.competition(olga, slug="open", title="Sign language", description="Twenty hands")
    coming = world.competition(olga, slug="coming", phases=[phase(start=hours(1))])
    over = world.competition(olga, slug="over", title="100% hands", phases=[phase(end=hours(-1))])
    visitor, own = connect(None), connect(ada.token)

    def slugs(client: Client, **query: object) -> list[str]:
        return [summary.slug for summary in client.competitions(**query)]  # type: ignore[arg-type]

    assert slugs(visitor) == [over, coming, now_open]
    assert slugs(visitor, search="HANDS olga") == [over, now_open]
    assert slugs(visitor, search="hands sign") == [now_open]
    assert slugs(visitor, search="100%") == [over]
    assert [slugs(visitor, status=status) for status in ("open", "upcoming", "over")] == [[now_open], [coming], [over]]
    assert slugs(own, mine=True) == slugs(visitor, mine=True) == []
    world.join(ada, over)
    assert slugs(own, mine=True) == [over]
    assert slugs(connect(olga.token), mine=True, status="upcoming") == [coming]
    summary = own.competitions(search="100%")[0]
    assert (summary.status, summary.participation, summary.has_image) == ("over", "approved", True)
    assert own.competition_image(over).startswith(b"GIF89a")


def test_which_terms_were_accepted_is_told_to_who_did(
    world: World, connect: Connect, gateway: RunningGateway, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga)
    own = connect(ada.token)
    before = own.competition(slug)
    assert (before.terms_accepted, before.accepted_terms_sha256) == (None, "")
    world.join(ada, slug)
    after = own.competition(slug)
    assert after.accepted_terms_sha256 == after.terms_sha256
    assert after.terms_accepted is not None
    assert connect(None).competition(slug).terms_accepted is None
    answer = gateway.call("GET", "/competitions", params={"status": "someday"})
    assert problem_of(answer)["status"] == 422
