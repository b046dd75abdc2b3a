"""A process that is asked to end does, at whatever step the signal finds it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

ROUNDS = 60

# A wait that never sleeps spends much of its time holding the event's lock, so that a signal soon
# finds it there. Each round is a wait of its own, and says when it has begun and when it is over.
WAITS_FOR_SIGNALS = f"""
from lti_tool.cli.processes import stop_at_signals

for _ in range({ROUNDS}):
    stop = stop_at_signals()
    print("waits", flush=True)
    while not stop.wait(0):
        pass
    print("ends", flush=True)
"""


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS_FOR_SIGNALS], stdout=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(60, process.kill)  # one that hangs says nothing more: no line
    watchdog.start()
    yield process
    watchdog.cancel()
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_wait_whatever_step_it_finds_it_at(child, number: signal.Signals):
    for _ in range(ROUNDS):
        assert child.stdout.readline() == "waits\n"
        child.send_signal(number)
        assert child.stdout.readline() == "ends\n"

    assert child.wait(timeout=20) == 0
