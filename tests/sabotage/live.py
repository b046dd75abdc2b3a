"""Streams of events: who is let in, and when they end."""

from tests.sabotage.shape import Sabotage

STREAMS = ("tests/live/test_streams.py",)

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
)
