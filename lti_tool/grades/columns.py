"""Which gradebook column belongs to an activity: remembered, looked up, or made; never made twice.

The launch names it, unless a second one hangs on the activity (Moodle). Then it is looked up, and
made only where there never was one. No transaction is open while the LMS is asked, so a turn with
a lease sees to it that only one worker at a time looks and makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.content.deep_linking import TAG
from lti_tool.core.errors import Conflict
from lti_tool.grades.ags import LINE_ITEM_READ_SCOPE, LINE_ITEM_SCOPE, SCORE_SCOPE, Wanted
from lti_tool.grades.messages import FailureReason, NotSent
from lti_tool.grades.models import LineItem
from lti_tool.launch.models import ResourceLink
from lti_tool.launch.session import LaunchSession

_GONE = NotSent(FailureReason.COLUMN_GONE)
TURN = timedelta(minutes=3)  # longer than looking and making can take, deadlines included


@dataclass(frozen=True)
class Turn:
    """The right to look for an activity's column, and maybe to make it, until the lease runs out.

    `known`: the column as another worker found it meanwhile. `taken`: those of other activities.
    """

    link_id: UUID
    token: int
    may_make: bool
    known: str | None
    taken: frozenset[str]


def has_column(link: ResourceLink) -> bool:
    """Whether the LMS takes scores for this activity, as far as its launches said: it named the
    column, or it lets us look for it."""
    if SCORE_SCOPE not in link.ags_scopes:
        return False
    return link.lineitem_url is not None or _reading_scope(link) is not None


def known_column(link: ResourceLink, item: LineItem | None) -> str | None:
    """The column's address, as the launches named it or as it was found; None: look it up.

    Where looking up is not possible, the launch's address is all there is, gone or not.
    """
    gone = item.gone_url if item else None
    for url in (link.lineitem_url, item.url if item else None):
        if url is not None and url != gone:
            return url
    return None if _reading_scope(link) else link.lineitem_url


def wanted_column(link: ResourceLink, task_id: UUID) -> Wanted | None:
    """What to look for; None where the platform does not let us look. A column made with its
    activity goes by the name that the LMS keeps, also where the course has its own copy by now."""
    scope = _reading_scope(link)
    if link.lineitems_url is None or scope is None:
        return None
    name = link.named_id or task_id
    return Wanted(link.lineitems_url, scope, link.link_id, str(name), TAG)


def may_make_new(db: Session, launch: LaunchSession) -> bool:
    """Whether a teacher can have a new column made in the place of one that is gone."""
    link = db.get(ResourceLink, launch.resource_link_id)
    item = _item(db, launch.resource_link_id)
    if link is None or item is None or item.gone_url is None:
        return False
    return known_column(link, item) is None and _may_make(link)


def ask_for_new(db: Session, launch: LaunchSession) -> None:
    """A teacher wants a new column in the place of the one that is gone.

    Raises:
        Conflict: "column_not_gone", also where it cannot be made.
    """
    if not may_make_new(db, launch):
        raise Conflict("column_not_gone")
    db.execute(
        update(LineItem)
        .where(LineItem.resource_link_id == launch.resource_link_id)
        .values(renew=True)
    )


def take_turn(db: Session, link_id: UUID) -> Turn | None:
    """Take the turn to look for the column; None while somebody else has it."""
    link = db.get_one(ResourceLink, link_id)
    new = insert(LineItem).values(
        id=uuid7(), platform_id=link.platform_id, resource_link_id=link_id, renew=False, token=0
    )
    db.execute(new.on_conflict_do_nothing())
    mine = (
        update(LineItem)
        .where(
            LineItem.resource_link_id == link_id,
            func.coalesce(LineItem.looking_until, func.now()) <= func.now(),
        )
        .values(looking_until=func.now() + TURN, token=LineItem.token + 1)
    )
    item = db.scalar(mine.returning(LineItem))
    if item is None:
        return None
    first = not any((link.lineitem_url, item.url, item.gone_url))
    return Turn(
        link_id=link_id,
        token=item.token,
        may_make=_may_make(link) and (first or item.renew),
        known=known_column(link, item),
        taken=_taken(db, link),
    )


def end_turn(db: Session, turn: Turn, found: object, missing: str | None) -> None:
    """Keep what came of looking, unless the turn has run out meanwhile. `found`: the column's
    address, or why there is none; `missing`: the address that answered "not found" before."""
    values: dict[str, object] = {"looking_until": None}
    gone = missing is not None and (found == _GONE or isinstance(found, str))
    if isinstance(found, str):
        values |= {"url": found, "renew": False, "found_at": func.now()}
    if gone and found != missing:
        values["gone_url"] = missing
    elif isinstance(found, str):  # what was gone may be there again
        values["gone_url"] = case((LineItem.gone_url != found, LineItem.gone_url))
    db.execute(
        update(LineItem)
        .where(LineItem.resource_link_id == turn.link_id, LineItem.token == turn.token)
        .values(**values)
    )


def _item(db: Session, link_id: UUID | None) -> LineItem | None:
    return db.scalar(select(LineItem).where(LineItem.resource_link_id == link_id))


def _reading_scope(link: ResourceLink) -> str | None:
    offered = (s for s in (LINE_ITEM_READ_SCOPE, LINE_ITEM_SCOPE) if s in link.ags_scopes)
    return next(offered, None) if link.lineitems_url else None


def _may_make(link: ResourceLink) -> bool:
    return link.lineitems_url is not None and LINE_ITEM_SCOPE in link.ags_scopes


def _taken(db: Session, link: ResourceLink) -> frozenset[str]:
    """The columns of the other activities in the course."""
    rows = db.execute(
        select(ResourceLink.lineitem_url, LineItem.url)
        .outerjoin(LineItem, LineItem.resource_link_id == ResourceLink.id)
        .where(ResourceLink.course_id == link.course_id, ResourceLink.id != link.id)
    )
    return frozenset(url for row in rows for url in row if url is not None)
