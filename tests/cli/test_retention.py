"""`gustav retention` says what will go by itself, and deletes nothing."""

from datetime import timedelta
from uuid import uuid4

import psycopg

from lti_tool.core.db import Database
from lti_tool.submissions import drafts
from lti_tool.submissions.drafts import Typed
from tests.classroom import open_classroom
from tests.cli.console import Gustav


def test_drafts_are_announced_before_they_go(house: Gustav, database: Database, postgres) -> None:
    ada = open_classroom(database).ada
    with database.begin(ada.launch.actor) as db:
        drafts.save(db, ada.launch, Typed("Licht", 0, uuid4()))
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as superuser:
        superuser.execute("UPDATE drafts SET saved_at = saved_at - %s", [timedelta(days=25)])

    soon, later = house("retention"), house("retention", "--days", "4")

    assert "In den nächsten 7 Tagen betrifft das 1 Entwürfe mit 0 Fotos" in soon.out
    assert "In den nächsten 4 Tagen betrifft das 0 Entwürfe" in later.out
    assert house("retention", "--json").json == {"days": 7, "drafts": 1, "pages": 0, "older": 0}
    assert ada.sees().draft is not None
