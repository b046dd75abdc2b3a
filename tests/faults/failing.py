"""The web application with a trap: its process is killed at one place of a submission, once.

Run by `test_kills` in the place of `lti_tool.web:build`; nothing of it is in the tool. The trap is
set while a file named by `TRAP` exists; the place is the file's content.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from lti_tool import web
from lti_tool.submissions.models import Submission

TRAP = "GUSTAV_TEST_TRAP"
BEFORE_COMMIT, AFTER_COMMIT = "before commit", "after commit"


def build() -> Flask:
    trap = Path(os.environ[TRAP])
    event.listen(Submission, "after_insert", _remember)
    event.listen(Session, "before_commit", lambda db: _spring(db, trap, BEFORE_COMMIT))
    event.listen(Session, "after_commit", lambda db: _spring(db, trap, AFTER_COMMIT))
    return web.build()


def _remember(_mapper: Any, _connection: Any, submission: Submission) -> None:
    db = Session.object_session(submission)
    assert db is not None
    db.info["wrote a submission"] = True


def _spring(db: Session, trap: Path, place: str) -> None:
    """As the kernel does it when memory runs out: nothing is tidied up."""
    if db.info.get("wrote a submission") and trap.exists() and trap.read_text() == place:
        trap.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
