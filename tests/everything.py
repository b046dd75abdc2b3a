"""Two schools with a row in every table, for tests that ask of all tables at once."""

from __future__ import annotations

from uuid import UUID

import psycopg

from lti_tool.core.db import Database
from lti_tool.core.embedded import EmbeddedPostgres
from tests.classroom import Classroom, FakeEngine, judged, open_classroom

# What a story in the classroom does not leave behind by itself. Each names a row of this school.
MORE_ROWS = (
    "INSERT INTO platform_keys (id, platform_id, kid, private_pem)"
    " VALUES (gen_random_uuid(), %(platform)s, gen_random_uuid(), 'sealed')",
    "INSERT INTO line_items (id, platform_id, resource_link_id, url, renew, token)"
    " VALUES (gen_random_uuid(), %(platform)s, %(link)s, 'https://moodle.example/1', false, 0)",
    "INSERT INTO platform_health (id, platform_id, errand, unusable)"
    " VALUES (gen_random_uuid(), %(platform)s, 'keys', '{}')",
    "INSERT INTO rosters (id, platform_id, course_id, failures)"
    " VALUES (gen_random_uuid(), %(platform)s, %(course)s, 0)",
    "INSERT INTO unit_uses (id, platform_id, course_id, unit_id, decision)"
    " SELECT gen_random_uuid(), platform_id, course_id, id, 'shared' FROM units"
    " WHERE platform_id = %(platform)s",
    "INSERT INTO task_copies (id, platform_id, course_id, original_id, copy_id)"
    " VALUES (gen_random_uuid(), %(platform)s, %(course)s, gen_random_uuid(), %(task)s)",
    "INSERT INTO launch_sessions (id, platform_id, secret_hash, browser_hash, course_id, person_id,"
    " deployment_id, role, in_frame)"
    " VALUES (gen_random_uuid(), %(platform)s, '', '', %(course)s, %(ada)s, %(deployment)s,"
    " 'learner', true)",
    "INSERT INTO security_events (id, platform_id, reason, reference)"
    " VALUES (gen_random_uuid(), %(platform)s, 'expired', 'AB12CD34')",
    "INSERT INTO invitations (id, platform_id, secret_hash, school, share_names, expires_at)"
    " VALUES (gen_random_uuid(), %(platform)s, sha256(%(platform)s::text::bytea), 'Schule', true,"
    " now())",
    "INSERT INTO registration_changes (id, platform_id, client_id, auth_url, token_url, jwks_url)"
    " VALUES (gen_random_uuid(), %(platform)s, 'c', 'a', 't', 'j')",
    "WITH new AS (INSERT INTO tasks (id, platform_id, section_id, kind, title, prompt, prompt_html,"
    " solution_notes, position, version) SELECT gen_random_uuid(), platform_id, section_id,"
    " 'mastery', 'Merke', '', '', '', 9, 1 FROM tasks WHERE id = %(task)s RETURNING id)"
    " INSERT INTO mastery_tasks (id, platform_id, concept) SELECT id, %(platform)s, '' FROM new",
    "INSERT INTO uploads (id, platform_id, course_id, resource_link_id, person_id, name, size,"
    " received, state) VALUES (gen_random_uuid(), %(platform)s, %(course)s, %(link)s, %(ada)s,"
    " 'a.jpg', 9, 0, 'arriving')",
    "INSERT INTO attachments (id, platform_id, course_id, resource_link_id, person_id, position,"
    " name, sha256, size, width, height) VALUES (%(task)s, %(platform)s, %(course)s, %(link)s,"
    " %(ada)s, 1, 'a.jpg', '', 9, 3, 3)",
    "INSERT INTO transcripts (id, platform_id, course_id, person_id, attachment_id, read_text,"
    " unsure, drawings, engine, model, model_digest, prompt_version) VALUES (gen_random_uuid(),"
    " %(platform)s, %(course)s, %(ada)s, %(task)s, 'Licht', '[]', '{}', '', '', '', '')",
    "INSERT INTO draft_versions (id, platform_id, course_id, resource_link_id, person_id, text,"
    " saved_at) VALUES (gen_random_uuid(), %(platform)s, %(course)s, %(link)s, %(ada)s, 'Licht',"
    " now())",
    "INSERT INTO deadlines (id, platform_id, course_id, resource_link_id, until)"
    " VALUES (gen_random_uuid(), %(platform)s, %(course)s, %(link)s, now() + interval '1 day')",
    "INSERT INTO deadlines (id, platform_id, course_id, resource_link_id, person_id, until)"
    " VALUES (gen_random_uuid(), %(platform)s, %(course)s, %(link)s, %(ada)s, now())",
    "INSERT INTO told_prose (id, platform_id, course_id, person_id, submission_id, strengths,"
    " next_step, question) SELECT gen_random_uuid(), platform_id, course_id, person_id, id, 'Gut',"
    " '', '' FROM submissions WHERE platform_id = %(platform)s LIMIT 1",
    "INSERT INTO phone_links (id, platform_id, course_id, resource_link_id, person_id,"
    " secret_hash, expires_at) VALUES (gen_random_uuid(), %(platform)s, %(course)s,"
    " %(link)s, %(ada)s, '', now())",
    "INSERT INTO upload_allowances (id, platform_id, course_id, until)"
    " VALUES (gen_random_uuid(), %(platform)s, %(course)s, now())",
)


def fill_every_table(database: Database, postgres: EmbeddedPostgres) -> tuple[UUID, UUID]:
    """The ids of both platforms."""
    rooms = [
        open_classroom(database, issuer=f"https://moodle.{name}.example")
        for name in ("schule", "andere")
    ]
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        for room in rooms:
            judged(room, FakeEngine(), room.ada.hands_in())
            room.ben.writes("Zu spät", attempt=7)
            for statement in MORE_ROWS:
                connection.execute(statement, _ids(room))
    return rooms[0].school.platform_id, rooms[1].school.platform_id


def _ids(room: Classroom) -> dict[str, UUID]:
    return {
        "platform": room.school.platform_id,
        "course": room.school.bio,
        "ada": room.school.ada,
        "deployment": room.school.deployment,
        "link": room.link_id,
        "task": room.task_id,
    }
