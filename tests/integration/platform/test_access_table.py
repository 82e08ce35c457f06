"""The access table, tried: every route by every role, with others' things; and what each leaves in the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from everybody import CANARY, Everybody, Somebody, files_of, fingerprint
from samples import SAMPLES, Sample
from sqlalchemy import text
from stand_in_prefect import StandInPrefect
from world import World

from podium.platform.database import Database
from podium.platform.gateway.access import ACCESS, faults_of
from podium.platform.gateway.app import ROUTES
from podium.platform.gateway.rules import Audited, NotAudited, Role, Rule, Scope
from podium.platform.rates import Traffic
from podium.platform.settings import ServerSettings
from podium.platform.storage import open_storage
from podium.platform.supervisor.postgres import PostgresCluster

METHODS = ("get", "head", "put", "post", "patch", "delete")
TEAM = {Role.COLLABORATOR, Role.ORGANIZER, Role.ADMINISTRATOR}


@pytest.fixture(scope="module")
def everybody(
    postgres: PostgresCluster, session_prefect: StandInPrefect, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Everybody]:
    folder: Path = tmp_path_factory.mktemp("everybody")
    settings = ServerSettings(
        database_url=postgres.create_database("everybody", template="podium_template"),
        storage_url=(folder / "store").as_uri(),
        secret_key="a key that only the tests know, of 32 characters and more",
        public_url="http://127.0.0.1:8400",
        prefect_api_url=session_prefect.address,
        rate_limits=dict.fromkeys(Traffic),
        mail_host="127.0.0.1",
        mail_security="none",
        mail_from="podium@podium.test",
    )
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    made = Everybody(World(settings, database, open_storage(settings), folder), settings)
    yield made
    made.close()
    database.close()
    postgres.drop_database("everybody")
    session_prefect.reset()


def is_let_in(rule: Rule, sample: Sample, who: Somebody) -> bool:
    """Whether the table says that somebody may make this request."""
    for role, scope in rule.who.items():
        if scope is Scope.OWN and (
            sample.of == who.name or (sample.of == "nobody" and role in who.here | who.elsewhere)
        ):
            return True
        if scope is Scope.POOL and (role in who.here or (sample.of == "nobody" and role in who.elsewhere)):
            return True
        if scope in {Scope.PUBLIC, Scope.COMPETITION, Scope.ANY} and role in who.here:
            return True
    return False


def refusal(rule: Rule, sample: Sample, who: Somebody) -> int:
    """The status that somebody is answered whom the table does not let in."""
    kinds = set(who.kinds)
    for role in (Role.ORGANIZER, Role.COLLABORATOR):
        has = who.here | who.elsewhere
        # Whoever owns a competition here may make some, and is one who collaborates.
        if rule.who.get(role) is Scope.OWN and not has & {role, Role.ORGANIZER, Role.ADMINISTRATOR}:
            kinds -= {role}
    if not kinds & rule.roles:
        return 401 if who.token is None else 403
    return 404 if rule.hidden and not (sample.seen_by_team and who.here & TEAM) else 403


def test_the_table_has_a_row_for_each_route_that_is_published_and_no_other(everybody: Everybody) -> None:
    published = {
        calls[method]["operationId"].partition("_api_v1_")[0]
        for path, calls in everybody.openapi["paths"].items()
        for method in set(calls) & set(METHODS)
        if path.startswith("/api/v1/")
    }
    assert published - set(ACCESS) == set(), "add a row for each to ACCESS in platform/gateway/access.py"
    assert set(ACCESS) - published == set(), "remove these rows of ACCESS: no route has that name"
    assert faults_of(module.router for module in ROUTES) == []
    assert all(path.startswith("/api/v1/") for path in everybody.openapi["paths"])


def test_every_row_has_a_sample() -> None:
    where = "tests/integration/support/samples.py"
    assert set(ACCESS) - set(SAMPLES) == set(), f"add a sample for each to SAMPLES in {where}"
    assert set(SAMPLES) - set(ACCESS) == set(), f"remove these of SAMPLES in {where}: no route has that name"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_role_is_let_in_where_the_table_says_so_and_nowhere_else(everybody: Everybody, name: str) -> None:
    rule, sample = ACCESS[name], SAMPLES[name]
    wrong = []
    with everybody.transaction() as connection:
        before = fingerprint(connection)
        everybody._refill()
        files = files_of(everybody.world)
        for who in everybody.somebodies.values():
            if is_let_in(rule, sample, who):
                continue
            answer, expected = everybody.ask(sample, who), refusal(rule, sample, who)
            if answer.status_code != expected:
                wrong.append(f"{who.name}: {answer.status_code} instead of {expected} {answer.text[:200]}")
            if CANARY in answer.text.replace("title", ""):
                wrong.append(f"{who.name} was told: {answer.text[:300]}")
        assert fingerprint(connection) == before, "somebody who was refused has changed something"
        assert files_of(everybody.world) == files, "somebody who was refused has changed a file"
    for who in everybody.somebodies.values():
        if is_let_in(rule, sample, who):
            with everybody.transaction():
                answer = everybody.ask(sample, who)
            if answer.status_code != sample.status:
                wrong.append(f"{who.name}: {answer.status_code} instead of {sample.status} {answer.text[:200]}")
    assert wrong == []


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if "/competitions/iris" in sample.path])
def test_a_draft_is_not_there_but_for_those_who_organize_it(everybody: Everybody, name: str) -> None:
    rule, sample = ACCESS[name], SAMPLES[name]
    wrong = []
    with everybody.transaction() as connection:
        connection.execute(text("UPDATE competitions SET published = false"))
        before = fingerprint(connection)
        for who in everybody.somebodies.values():
            if who.here & TEAM:
                continue
            expected = 404 if who.kinds & rule.roles else 401 if who.token is None else 403
            answer = everybody.ask(sample, who)
            if answer.status_code != expected or CANARY in answer.text:
                wrong.append(f"{who.name}: {answer.status_code} instead of {expected} {answer.text[:200]}")
        assert fingerprint(connection) == before
    assert wrong == []


ABOUT_SUBMISSIONS = {"cancel_submission", "start_import", "retry_import", "accept_import", "remove_import"}
MADE_BY_PEOPLE = [name for name, rule in ACCESS.items() if rule.audit is not None]


@pytest.mark.parametrize("name", MADE_BY_PEOPLE)
def test_an_organizers_act_leaves_one_line_in_the_audit_log(everybody: Everybody, name: str) -> None:
    rule, sample = ACCESS[name], SAMPLES[name]
    actors = [one for one in everybody.somebodies.values() if one.here & TEAM and is_let_in(rule, sample, one)]
    if isinstance(rule.audit, NotAudited):
        assert len(rule.audit.why) > 10
    for who in actors:
        with everybody.transaction() as connection:
            answer = everybody.ask(sample, who)
            assert answer.status_code == sample.status
            lines = [
                SimpleNamespace(**row) for row in connection.execute(text("SELECT * FROM audit_entries")).mappings()
            ]
        if isinstance(rule.audit, NotAudited) or sample.status >= 400:
            assert lines == []
            continue
        assert isinstance(rule.audit, Audited)
        assert len(lines) == 1, f"{name} by {who.name}: call record_event or audit.note where it changes something"
        (line,) = lines
        assert (line.username, line.act, line.token_name) == (who.name, rule.audit.act, "tests")
        assert line.object.startswith(rule.audit.subject)
        assert str(line.request_id) == answer.headers["x-request-id"]
        assert line.role == {"olga": "owner", "cora": "collaborator", "root": "administrator"}[who.name]
        assert line.after
        assert (line.competition == "iris") == ("/competitions/iris" in sample.path or name in ABOUT_SUBMISSIONS)
        written = " ".join(str(value) for value in vars(line).values())
        assert "pod_" not in written
        assert str(who.token) not in written


def test_the_audit_log_is_only_ever_added_to(everybody: Everybody) -> None:
    for statement in ("UPDATE audit_entries SET act = ''", "DELETE FROM audit_entries", "TRUNCATE audit_entries"):
        with everybody.transaction() as connection, pytest.raises(Exception, match="only ever added to"):
            connection.execute(text(statement))
