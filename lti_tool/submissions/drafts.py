"""What a pupil is typing. The newest save counts; what it did not know of is kept beside it.

A page says with each save on which version of the draft its text was written. Where somebody else
saved since, on another device or in another tab, the newer text becomes the draft all the same, and
the one it displaces stays as an older text. Nothing is merged, nothing is dropped unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.errors import Invalid, NotFound
from lti_tool.core.statements import ask, in_single_file
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions.models import ANSWER_LIMIT, Draft, DraftVersion

MOST_OLDER = 10  # older texts of one draft; of more, the oldest go
KEPT_DAYS = 30  # the same number stands in migration 0021


@dataclass(frozen=True)
class Typed:
    """What a page sends. `version`: of the draft that its text was written on, 0 for none; `page`:
    its own name; `turn`: how many times it has saved, 0 without scripts."""

    text: str
    version: int
    page: UUID | None = None
    turn: int = 0


@dataclass(frozen=True)
class SavedDraft:
    """What is being typed, as it was kept last. `overtook`: another text was put aside for it."""

    text: str
    version: int
    saved_at: datetime
    overtook: bool = False


def save(db: Session, launch: LaunchSession, typed: Typed) -> SavedDraft:
    """Keep what is being typed; the newer save counts.

    Raises:
        Invalid: "answer": "too_long".
    """
    check_length(typed.text)
    kept = ask(db, _GO_ON, _who(launch) | _said(typed))
    if kept:
        return SavedDraft(*kept[0])
    lock(db, launch)
    current = _current(db, launch)
    if current is None:
        return SavedDraft(*ask(db, _BEGIN, _who(launch) | _said(typed) | _new(launch))[0])
    if current.text == typed.text or _comes_late(current, typed):
        return SavedDraft(current.text, current.version, current.saved_at)
    _put_aside(db, launch, current)
    (kept,) = ask(db, _OVERTAKE, _who(launch) | _said(typed))
    return SavedDraft(kept.text, kept.version, kept.saved_at, overtook=True)


def forget(db: Session, launch: LaunchSession, handed_in: Typed) -> None:
    """The draft was handed in. What somebody else saved meanwhile is put aside, not forgotten."""
    current = _current(db, launch)
    if current is None:
        return
    known = current.version == handed_in.version or current.client_key == handed_in.page
    if current.text != handed_in.text and not known:
        _put_aside(db, launch, current)
    db.execute(delete(Draft).where(_mine(Draft, launch)))


def newer(db: Session, launch: LaunchSession, version: int) -> SavedDraft | None:
    """The draft, if it is another than this version."""
    current = _current(db, launch)
    if current is None or current.version == version:
        return None
    return SavedDraft(current.text, current.version, current.saved_at)


def older(db: Session, launch: LaunchSession) -> Sequence[DraftVersion]:
    """The texts that were put aside, newest first."""
    return db.scalars(
        select(DraftVersion)
        .where(_mine(DraftVersion, launch))
        .order_by(DraftVersion.saved_at.desc(), DraftVersion.id.desc())
    ).all()


def restore(db: Session, launch: LaunchSession, version_id: UUID) -> None:
    """An older text becomes the draft again; the present one takes its place. Raises NotFound."""
    lock(db, launch)
    wanted = db.scalar(
        select(DraftVersion).where(_mine(DraftVersion, launch), DraftVersion.id == version_id)
    )
    if wanted is None:
        raise NotFound("draft_version")
    db.delete(wanted)
    db.flush()
    current = _current(db, launch)
    typed = _who(launch) | _said(Typed(wanted.text, 0, uuid7()))
    if current is None:
        ask(db, _BEGIN, typed | _new(launch))
        return
    if current.text != wanted.text:
        _put_aside(db, launch, current)
    ask(db, _OVERTAKE, typed)


def forget_old_versions(db: Session) -> None:
    """Older texts are kept for a month, whoever left them. Reads none of them."""
    db.execute(text("SELECT forget_old_draft_versions()"))


def check_length(written: str) -> None:
    """Raises Invalid: "answer": "too_long"."""
    if len(written) > ANSWER_LIMIT:
        raise Invalid({"answer": "too_long"})


def lock(db: Session, launch: LaunchSession) -> None:
    """One pupil's writing at one activity happens in single file."""
    in_single_file(db, launch.resource_link_id, launch.person_id)


def _comes_late(current: Any, typed: Typed) -> bool:
    """The page has saved again since it sent this."""
    return typed.turn > 0 and current.client_key == typed.page and current.turn >= typed.turn


def _put_aside(db: Session, launch: LaunchSession, current: Any) -> None:
    """Of each page that wrote, its newest text stays."""
    if not current.text.strip():
        return
    mine = _mine(DraftVersion, launch)
    db.execute(delete(DraftVersion).where(mine, DraftVersion.client_key == current.client_key))
    db.add(
        DraftVersion(
            id=uuid7(),
            platform_id=launch.platform_id,
            course_id=launch.course_id,
            resource_link_id=launch.resource_link_id,
            person_id=launch.person_id,
            client_key=current.client_key,
            text=current.text,
            saved_at=current.saved_at,
        )
    )
    db.flush()
    newest = select(DraftVersion.id).where(mine)
    newest = newest.order_by(DraftVersion.saved_at.desc(), DraftVersion.id.desc())
    db.execute(delete(DraftVersion).where(mine, DraftVersion.id.not_in(newest.limit(MOST_OLDER))))


def _current(db: Session, launch: LaunchSession) -> Any:
    """The draft, held until the transaction ends: no save of another device gets in between."""
    kept = ask(db, _HELD, _who(launch))
    return kept[0] if kept else None


def _mine(table: type[Draft] | type[DraftVersion], launch: LaunchSession) -> Any:
    return (table.resource_link_id == launch.resource_link_id) & (
        table.person_id == launch.person_id
    )


def _who(launch: LaunchSession) -> dict[str, object]:
    return {"link": launch.resource_link_id, "person": launch.person_id}


def _said(typed: Typed) -> dict[str, object]:
    return {
        "text": typed.text,
        "version": typed.version,
        "page": typed.page,
        "turn": typed.turn,
    }


def _new(launch: LaunchSession) -> dict[str, object]:
    return {"id": uuid7(), "platform": launch.platform_id, "course": launch.course_id}


# By hand, because all pupils of a class save every few seconds. Nearly all saves are this one
# statement: the page knew the newest version, or made it itself and the answer never arrived.
_GO_ON = """
UPDATE drafts SET text = %(text)s, version = version + 1, saved_at = now(),
  client_key = %(page)s, turn = %(turn)s
WHERE resource_link_id = %(link)s AND person_id = %(person)s
  AND (version = %(version)s OR (client_key = %(page)s AND turn < %(turn)s))
RETURNING text, version, saved_at
"""
_OVERTAKE = """
UPDATE drafts SET text = %(text)s, version = version + 1, saved_at = now(),
  client_key = %(page)s, turn = %(turn)s
WHERE resource_link_id = %(link)s AND person_id = %(person)s
RETURNING text, version, saved_at
"""
# A draft's first version comes from the clock: it is never one of an earlier draft, which was
# handed in meanwhile and which an old page may still go on from.
_BEGIN = """
INSERT INTO drafts
  (id, platform_id, course_id, resource_link_id, person_id, text, version, client_key, turn)
VALUES (%(id)s, %(platform)s, %(course)s, %(link)s, %(person)s, %(text)s,
  (extract(epoch FROM clock_timestamp()) * 1000)::bigint, %(page)s, %(turn)s)
RETURNING text, version, saved_at
"""
_HELD = """
SELECT text, version, saved_at, client_key, turn FROM drafts
WHERE resource_link_id = %(link)s AND person_id = %(person)s
FOR UPDATE
"""
