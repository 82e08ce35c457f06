"""Collaborators, and the audit log as they and others read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from world import Known, RunningGateway, World, problem_of

from podium.platform import competition_views
from podium.platform.client import Client
from podium.platform.errors import Conflict, NotAllowed, NotFound
from podium.platform.models import AuditEntry, Person

Connect = Callable[[str | None], Client]


@pytest.fixture
def cora(world: World) -> Known:
    return world.person("cora")


@pytest.fixture
def slug(world: World, olga: Known) -> str:
    return world.competition(olga, slug="iris", draft=True)


def test_a_collaborator_organizes_from_then_on_and_until_removed(
    connect: Connect, olga: Known, cora: Known, slug: str
) -> None:
    owner, friend = connect(olga.token), connect(cora.token)
    with pytest.raises(NotFound):
        friend.competition(slug)
    assert not friend.me().organizes
    for _ in range(2):
        added = owner.add_collaborator(slug, "CORA")
        assert (added.username, added.added_by) == ("cora", "person:olga")
    assert [one.username for one in friend.collaborators(slug)] == ["cora"]
    assert friend.me().organizes
    assert not friend.me().may_organize
    (listed,) = friend.competitions()
    assert (listed.slug, listed.may_organize, listed.collaborators) == (slug, True, ("cora",))
    assert friend.publish(slug).may_organize
    for act in (lambda: friend.add_collaborator(slug, "olga"), lambda: friend.remove_collaborator(slug, "cora")):
        with pytest.raises(NotAllowed, match="Only the owner"):
            act()
    owner.remove_collaborator(slug, "cora")
    with pytest.raises(NotAllowed):
        friend.unpublish(slug)
    with pytest.raises(NotFound, match="no collaborator"):
        owner.remove_collaborator(slug, "cora")


def test_who_owns_it_or_is_nobody_is_no_collaborator(connect: Connect, olga: Known, slug: str) -> None:
    with pytest.raises(Conflict, match="owns"):
        connect(olga.token).add_collaborator(slug, "olga")
    with pytest.raises(NotFound, match="no person"):
        connect(olga.token).add_collaborator(slug, "nobody")


def test_what_was_done_is_read_by_page_person_act_and_time(
    world: World, connect: Connect, olga: Known, cora: Known, slug: str
) -> None:
    owner, friend = connect(olga.token), connect(cora.token)
    root = connect(world.person("root", administrator=True).token)
    owner.add_collaborator(slug, "cora")
    for _ in range(2):
        friend.publish(slug)
        friend.unpublish(slug)
    owner.pause_phase(slug, 1, "A wrong label.")
    root.add_person("new", "new@example.org", may_organize=True)
    lines = owner.audit(slug)
    assert [(one.username, one.role, one.act) for one in lines] == [
        ("olga", "owner", "change a phase"),
        *[("cora", "collaborator", "publish or withdraw")] * 4,
        ("olga", "owner", "add a collaborator"),
    ]
    paused, withdrawn, *_, added = lines
    assert (paused.object, paused.before, paused.after) == ("phase 1", "pause: none", "pause: A wrong label.")
    assert (withdrawn.before, withdrawn.after, withdrawn.object) == ("published", "draft", "competition")
    assert (added.object, added.token, added.address, added.route) == (
        "collaborator cora",
        "tests",
        "127.0.0.1",
        "PUT /competitions/{slug}/collaborators/{username}",
    )
    assert [one.act for one in friend.audit(slug, actor="OLGA")] == ["change a phase", "add a collaborator"]
    assert len(owner.audit(slug, act="withdraw")) == 4
    assert owner.audit(slug, act="%") == ()
    page = owner.audit(slug, limit=2)
    assert owner.audit(slug, limit=2, before=page[-1].id) == lines[2:4]
    assert tuple(owner.each_audit_entry(slug)) == lines
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert (owner.audit(slug, since=soon), owner.audit(slug, until=soon)) == ((), lines)
    everything = root.audit()
    assert (everything[0].act, everything[0].object, everything[0].competition) == (
        "register a person",
        "person new",
        None,
    )
    assert everything[1:] == lines


def test_the_audit_log_of_another_is_not_read(
    world: World, gateway: RunningGateway, connect: Connect, olga: Known, slug: str
) -> None:
    otto = connect(world.person("otto", organizer=True).token)
    connect(olga.token).publish(slug)
    with pytest.raises(NotAllowed):
        otto.audit(slug)
    with pytest.raises(NotAllowed):
        otto.audit()
    for query in ("limit=0", "limit=1001", "before=0", "since=yesterday", "actor=" + "x" * 201):
        answer = gateway.call("GET", f"/competitions/{slug}/audit?{query}", olga.token)
        assert (query, answer.status_code, problem_of(answer)["type"]) == (query, 422, "invalid-input")


def test_what_is_rolled_back_leaves_no_line(
    world: World, connect: Connect, olga: Known, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Conflict("At the last moment.")

    monkeypatch.setattr(competition_views, "competition_record", fail)
    with pytest.raises(Conflict):
        connect(olga.token).publish(slug)
    with world.session() as session:
        assert session.scalars(select(AuditEntry.id)).all() == []


def test_what_changes_nothing_leaves_no_line(world: World, connect: Connect, olga: Known, slug: str) -> None:
    connect(olga.token).unpublish(slug)
    with world.session() as session:
        assert session.scalars(select(AuditEntry.id)).all() == []


def test_what_an_organizer_does_as_a_participant_is_nobodys_business(
    world: World, connect: Connect, olga: Known, slug: str
) -> None:
    connect(olga.token).publish(slug)
    otto, bob = world.person("otto", organizer=True), world.person("bob")
    for person in (otto, bob, olga):
        world.join(person, slug)
        connect(person.token).cancel(world.submit(person, slug))
    connect(bob.token).issue_token("bob", "of a participant")
    connect(olga.token).cancel(world.submit(bob, slug))
    with world.session() as session:
        lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(one.username, one.act) for one in lines] == [
            ("olga", "publish or withdraw"),
            ("olga", "cancel a submission"),
        ]
        assert session.scalars(select(Person.username).where(Person.id == lines[1].person_id)).one() == "olga"


def test_no_secret_is_in_the_log(connect: Connect, world: World, olga: Known) -> None:
    client = connect(olga.token)
    issued = client.issue_token("olga", "for scripts", days=1)
    client.revoke_token(issued.token.id)
    with world.session() as session:
        lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        written = " ".join(str(value) for one in lines for value in vars(one).values())
    assert [(one.object, one.after[:10]) for one in lines] == [
        ("token 'for scripts' of olga", "good until"),
        ("token 'for scripts' of olga", "revoked"),
    ]
    assert issued.secret not in written
    assert olga.token not in written
