"""Collaborators and the audit log on the page for organizers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from stand_in import StandIn, make_competition, make_person, make_phase
from stand_in_organizing import ago, make_audit
from streamlit.testing.v1 import AppTest

from podium.platform.records.access import CollaboratorRecord

Visit = Callable[..., AppTest]


def _html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))


@pytest.fixture
def organized(stand_in: StandIn) -> StandIn:
    """A competition that ada owns, in which cora collaborates."""
    stand_in.people["ada"] = make_person("ada", may_organize=True)
    stand_in.people["cora"] = make_person("cora", organizes=True)
    competition = make_competition("iris", "Iris", make_phase(1, "Final", start=-2, end=3), may_organize=True)
    summary = replace(competition.summary, may_organize=True, organizer="ada")
    stand_in.add(replace(competition, summary=summary))
    stand_in.organized.collaborators.append(CollaboratorRecord("cora", "Cora", "person:ada", ago(days=1)))
    return stand_in


def test_an_owner_adds_and_removes_collaborators(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", competition="iris", section="collaborators")
    assert "Cora" in _html(test)
    test.button(key="add-collaborators-iris").click().run()
    assert "Name the person." in _html(test)
    test.text_input(key="username-collaborators-iris").set_value("eve")
    test.button(key="add-collaborators-iris").click().run()
    assert "eve organizes it with you." in _html(test)
    test.button(key="remove-collaborator-iris-cora").click().run()
    assert organized.done == [("PUT", "/competitions/iris/collaborators/eve", {})]
    test.button(key="yes-collaborator-iris-cora").click().run()
    assert organized.done[-1] == ("DELETE", "/competitions/iris/collaborators/cora", {})
    assert [one.username for one in organized.organized.collaborators] == ["eve"]


def test_a_collaborator_finds_the_page_and_chooses_nobody(organized: StandIn, visit: Visit):
    test = visit("organize", "cora", section="collaborators")
    assert "Iris" in _html(test)
    assert not [button for button in test.button if button.key and button.key.startswith(("add-", "remove-"))]
    assert not test.text_input


def test_the_audit_log_is_shown_as_text(organized: StandIn, visit: Visit):
    test = visit("organize", "cora", competition="iris", section="audit-log")
    assert "No line" in _html(test)
    organized.organized.audit = [make_audit(2, username="cora", role="collaborator"), make_audit(1)]
    shown = _html(visit("organize", "ada", competition="iris", section="audit-log"))
    for words in ("cora (collaborator)", "ada (owner)", "change a phase", "&lt;b&gt;A wrong label", "192.0.2.7"):
        assert words in shown


def test_the_audit_log_is_searched(organized: StandIn, visit: Visit):
    organized.organized.audit = [make_audit(number) for number in range(50)]
    test = visit("organize", "ada", competition="iris", section="audit-log")
    test.text_input(key="audit-actor-iris").set_value("cora").run()
    asked = [path for path in organized.seen if "/audit?" in path]
    assert "actor=cora" in asked[-1]
    assert "limit=50" in asked[-1]
    test.button(key="audit-more-iris").click().run()
    assert "limit=100" in [path for path in organized.seen if "/audit?" in path][-1]
