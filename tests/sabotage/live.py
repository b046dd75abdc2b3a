"""Streams of events: who is let in, and when they end."""

from tests.sabotage.shape import Sabotage

PROSE = "lti_tool/submissions/prose.py"
STREAMS = ("tests/live/test_streams.py",)
TOLD = ("tests/submissions/test_told.py",)

LIVE = (
    Sabotage(
        "a stream goes on when its session is over",
        "lti_tool/live/app.py",
        "            except (SessionGone, NotFound):\n                break\n",
        "            except (SessionGone, NotFound):\n                now = phase\n",
        STREAMS,
    ),
    Sabotage(
        "a stream does not hear that its session has ended",
        "lti_tool/live/hub.py",
        'if about == "session":',
        'if about == "nothing":',
        STREAMS,
    ),
    Sabotage(
        "a session may hold any number of streams",
        "lti_tool/live/hub.py",
        "if held >= PER_SESSION or self.count >= IN_ALL:",
        "if self.count >= IN_ALL:",
        STREAMS,
    ),
    Sabotage(
        "who lost the connection to the database does not look again",
        "lti_tool/live/listener.py",
        "            self._hub.wake_all()\n",
        "",
        STREAMS,
    ),
    Sabotage(
        "who does not read keeps the stream",
        "lti_tool/live/app.py",
        "async with asyncio.timeout(self._pace.reading):",
        "async with asyncio.timeout(None):",
        ("tests/live/test_pace.py",),
    ),
    Sabotage(
        "who lost the job goes on telling its feedback",
        PROSE,
        " AND j.token = %(token)s AND",
        " AND",
        TOLD,
    ),
    Sabotage(
        "feedback that a teacher must see first is told to the pupil",
        PROSE,
        "if db.get_one(RegularTask, submission.task_id).mode is not Mode.PRACTICE:",
        "if False:",
        TOLD,
    ),
    Sabotage(
        "what was told stays when the work on it has ended",
        "lti_tool/migrations/versions/0024_prose_is_told.py",
        "WHEN (OLD.state = 'working' AND NEW.state <> 'working'",
        "WHEN (OLD.state = 'done' AND NEW.state <> 'working'",
        TOLD,
    ),
    Sabotage(
        "classmates and teachers read feedback that is being written",
        "lti_tool/migrations/versions/0024_prose_is_told.py",
        "OR ({OWN} AND app_role() = 'learner')",
        "OR ({HERE})",
        TOLD,
    ),
)
