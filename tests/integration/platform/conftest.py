"""What most of these tests begin with: a competition, its organizer, and one who takes part; and a mail server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mailing import Mailing, MailServer
from world import Known, World

from podium.platform.database import Database


@pytest.fixture
def olga(world: World) -> Known:
    return world.person("olga", organizer=True)


@pytest.fixture
def ada(world: World) -> Known:
    return world.person("ada")


@pytest.fixture
def slug(world: World, olga: Known, ada: Known) -> str:
    made = world.competition(olga)
    world.join(ada, made)
    return made


@pytest.fixture(scope="session")
def session_mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("mail")) as server:
        yield server


@pytest.fixture
def mail(session_mail: MailServer) -> MailServer:
    session_mail.reset()
    return session_mail


@pytest.fixture
def send(database: Database, mail: MailServer) -> Mailing:
    return Mailing(database, mail.port)
