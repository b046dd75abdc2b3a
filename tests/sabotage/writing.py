"""What pupils type: checks whose loss would lose a text unseen, or take one after the deadline."""

from tests.sabotage.shape import Sabotage

DRAFTS = "lti_tool/submissions/drafts.py"
DEVICES = ("tests/submissions/test_drafts.py",)
DEADLINES = ("tests/submissions/test_deadlines.py",)

WRITING = (
    Sabotage(
        "a newer text displaces the other device's for good",
        DRAFTS,
        "    _put_aside(db, launch, current)\n    (kept,)",
        "    (kept,)",
        DEVICES,
    ),
    Sabotage(
        "any save passes for one that knew the newest draft",
        DRAFTS,
        "AND (version = %(version)s OR (client_key = %(page)s AND turn < %(turn)s))",
        "AND %(version)s >= 0",
        DEVICES,
    ),
    Sabotage(
        "handing in forgets what another device saved",
        DRAFTS,
        "if current.text != handed_in.text and not known:",
        "if False:",
        DEVICES,
    ),
    Sabotage(
        "older texts are the whole course's to read",
        "lti_tool/migrations/versions/0021_texts_of_two_devices.py",
        " AND person_id = app_person()",
        "",
        DEVICES,
    ),
    Sabotage(
        "an answer is taken after the deadline",
        "lti_tool/submissions/service.py",
        "if work.closed:",
        "if False:",
        DEADLINES,
    ),
    Sabotage(
        "pupils set deadlines",
        "lti_tool/migrations/versions/0023_deadlines.py",
        "write=teaches)",
        'write=f"({teaches}) OR {HERE}")',
        DEADLINES,
    ),
)
