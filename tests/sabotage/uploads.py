"""Photos and PDF: checks whose loss would let a file do harm, or somebody see another's page."""

from tests.sabotage.shape import Sabotage

PHONE = "lti_tool/uploads/phone.py"
SERVICE = "lti_tool/uploads/service.py"
ROWS = "lti_tool/migrations/versions/0018_photos_and_transcripts.py"

FORGOTTEN = "lti_tool/migrations/versions/0029_drafts_are_forgotten.py"
WITHDRAWN = "lti_tool/migrations/versions/0019_photos_withdrawn.py"

PAGES = ("tests/uploads/test_pages.py",)
LINKS = ("tests/uploads/test_phone.py",)
LATE = ("tests/uploads/test_late.py",)
RETENTION = ("tests/privacy/test_retention.py",)

UPLOADS = (
    Sabotage(
        "a phone's link opens twice",
        PHONE,
        "            PhoneLink.browser_hash.is_(None),\n",
        "",
        LINKS,
    ),
    Sabotage(
        "a phone's link never ends",
        PHONE,
        "            PhoneLink.expires_at > func.now(),\n",
        "",
        LINKS,
    ),
    Sabotage(
        "a part may be as long as it likes",
        SERVICE,
        "if not 0 < len(part.content) <= min(PART, upload.size - part.offset):",
        "if False:",
        PAGES,
    ),
    Sabotage(
        "a teacher sees the pages of drafts",
        ROWS,
        "OR ({TEACHES} AND submission_id IS NOT NULL)",
        "OR ({TEACHES})",
        PAGES,
    ),
    Sabotage(
        "what was handed in may change",
        WITHDRAWN,
        "      IF to_jsonb(NEW) - '{hidden_at,hidden_by,deleted_at}'::text[] IS DISTINCT FROM",
        "      IF false AND to_jsonb(NEW) IS DISTINCT FROM",
        PAGES,
    ),
    Sabotage(
        "a photo that was hidden is shown all the same",
        "lti_tool/uploads/pages.py",
        "            Attachment.hidden_at.is_(None),\n",
        "",
        ("tests/uploads/test_withdrawing.py",),
    ),
    Sabotage(
        "drafts may be deleted that are not over",
        FORGOTTEN,
        '"drafts": f"saved_at < {MONTH}"',
        '"drafts": "true"',
        RETENTION,
    ),
    Sabotage(
        "a photo added today goes with a text of last month",
        FORGOTTEN,
        "HAVING max(at) < moment",
        "HAVING min(at) < moment",
        RETENTION,
    ),
    Sabotage(
        "a file is announced after the deadline",
        "lti_tool/uploads/views.py",
        "            need_time(db, launch, g.began)\n        upload = in_one(",
        "            pass\n        upload = in_one(",
        LATE,
    ),
    Sabotage(
        "a whole file comes after the deadline",
        "lti_tool/uploads/views.py",
        "                need_time(db, launch, g.began)\n            service.take_whole(",
        "                pass\n            service.take_whole(",
        LATE,
    ),
)
