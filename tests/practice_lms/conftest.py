"""The noun of these tests: a practice LMS with its fake tool."""

import pytest

from tests.practice_lms.bench import Bench


@pytest.fixture
def lms() -> Bench:
    return Bench()
