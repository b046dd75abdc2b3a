"""A house with one school, and its operator."""

import pytest

from tests.entrance import House, open_house
from tests.operator.office import Operator


@pytest.fixture
def house(database) -> House:
    return open_house(database)


@pytest.fixture
def operator(house: House) -> Operator:
    """Logged in."""
    return Operator(house).enters()


@pytest.fixture
def passerby(house: House) -> Operator:
    """With a browser and nothing else."""
    return Operator(house)


@pytest.fixture
def school(house: House) -> str:
    """The address of the one school's page."""
    return f"/operator/platforms/{house.platform_id}"
