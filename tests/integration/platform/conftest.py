"""What most of these tests begin with: a competition, its organizer, and one who takes part."""

from __future__ import annotations

import pytest
from world import Known, World


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
