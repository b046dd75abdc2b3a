"""A school in the database of the run, its teachers, and the browsers they sit at."""

import pytest
from flask import Flask

from lti_tool.core.db import Database
from lti_tool.launch.session import LaunchSession
from tests.content.browser import Visit, build, give_key, launch_in
from tests.school import CHOOSING_MANY, School, found_school, launch_of


@pytest.fixture
def school(database: Database) -> School:
    return found_school(database, "https://moodle.schule.example")


@pytest.fixture
def curie(school: School) -> LaunchSession:
    return launch_of(school, school.curie, school.bio)


@pytest.fixture
def planck(school: School) -> LaunchSession:
    return launch_of(school, school.planck, school.physics)


@pytest.fixture
def app(database: Database, school: School) -> Flask:
    give_key(database, school)
    return build(database)


@pytest.fixture
def picking(app: Flask, database: Database, school: School) -> Visit:
    """Frau Curie chooses content for her course."""
    return launch_in(app, database, school, school.curie, deep_linking=CHOOSING_MANY)


@pytest.fixture
def teaching(app: Flask, database: Database, school: School) -> Visit:
    """Frau Curie in an activity of her course."""
    return launch_in(app, database, school, school.curie)
