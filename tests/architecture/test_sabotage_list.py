"""The sabotage list itself: it must not rot while the code moves."""

from pathlib import Path

import pytest

from tests.sabotage.catalogue import SABOTAGES
from tests.sabotage.shape import Sabotage

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.name)
def test_a_sabotage_still_finds_its_place_and_its_tests(sabotage: Sabotage):
    assert sabotage.applied(ROOT) != (ROOT / sabotage.file).read_text(encoding="utf-8")
    assert [test for test in sabotage.tests if not (ROOT / test.split("::")[0]).exists()] == []


def test_there_are_at_least_forty_and_no_two_alike():
    assert len(SABOTAGES) >= 40
    assert len({sabotage.name for sabotage in SABOTAGES}) == len(SABOTAGES)
    assert len({(s.file, s.old, s.new) for s in SABOTAGES}) == len(SABOTAGES)
