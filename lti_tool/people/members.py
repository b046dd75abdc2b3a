"""Writes down a course's list of members, set by set: a handful of statements for any number.

Only what differs is written, so that a list that says nothing new touches no row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    FromClause,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.statements import set_against_set
from lti_tool.people.models import Membership, Person
from lti_tool.people.roles import Role
from lti_tool.people.roster_client import Member

LONG = 500


def welcome(db: Session, platform_id: UUID, course_id: UUID, members: Iterable[Member]) -> int:
    """Everybody the list calls active is in the course; returns how many that are.

    A name that the platform no longer shares is forgotten; if it shares none at all any more, then
    also those of members who have left.
    """
    active = [member for member in members if member.active]
    if not active:
        return 0
    if len(active) > LONG:
        set_against_set(db)
    listed = _listed(active)
    _know_persons(db, platform_id, listed)
    _know_memberships(db, platform_id, course_id, listed)
    if all(member.name is None for member in active):
        _forget_names(db, course_id)
    return len(active)


def leaving(
    db: Session, course_id: UUID, members: Sequence[Member], asked_at: datetime
) -> tuple[int, Mapping[UUID, Role]]:
    """How many pupils are in the course, and whose membership (id and role) the list ends.

    Who is called inactive leaves, whoever it is. Who is merely missing leaves as a pupil, or if
    nobody but an earlier list ever said that they were here: Moodle leaves out administrators and
    managers who are not enrolled, and a launch has proven that they teach here. A launch since the
    question was asked is newer than the answer.
    """
    if len(members) > LONG:
        set_against_set(db)
    named = {member.user_id: member.active for member in members}
    here = db.execute(
        select(Membership.id, Membership.role, Membership.launched_at, Person.sub)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.course_id == course_id, Membership.active)
    ).all()
    pupils = sum(row.role is Role.LEARNER for row in here)
    return pupils, {row.id: row.role for row in here if _is_over(row, named, asked_at)}


def _is_over(
    row: Row[UUID, Role, datetime | None, str], named: Mapping[str, bool], asked_at: datetime
) -> bool:
    if row.launched_at is not None and row.launched_at >= asked_at:
        return False
    if row.sub in named:
        return not named[row.sub]
    return row.role is Role.LEARNER or row.launched_at is None


def dismiss(db: Session, memberships: Collection[UUID]) -> None:
    """These have left. Nothing of theirs is deleted, and a launch or a list brings them back."""
    if memberships:
        gone = select(func.unnest(cast(list(memberships), ARRAY(Uuid))))
        db.execute(update(Membership).where(Membership.id.in_(gone)).values(active=False))


def digest(db: Session, course_id: UUID) -> str:
    """Who is in the course, as one short value."""
    everybody = func.string_agg(Person.sub, aggregate_order_by(literal("\n"), Person.sub))
    value: str = db.execute(
        select(func.md5(func.coalesce(everybody, "")))
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.course_id == course_id, Membership.active)
    ).scalar_one()
    return value


def _listed(members: Sequence[Member]) -> FromClause:
    """The members as a table of their own inside a statement, with keys for those who are new."""
    return (
        func.unnest(
            cast([uuid7() for _ in members], ARRAY(Uuid)),
            cast([uuid7() for _ in members], ARRAY(Uuid)),
            cast([member.user_id for member in members], ARRAY(Text)),
            cast([member.name for member in members], ARRAY(Text)),
            cast([member.role.value for member in members], ARRAY(Text)),
        )
        .table_valued(
            column("person_id", Uuid),
            column("membership_id", Uuid),
            column("sub", Text),
            column("name", Text),
            column("role", Membership.role.type),
            name="listed",
        )
        .render_derived()
    )


def _know_persons(db: Session, platform_id: UUID, listed: FromClause) -> None:
    known = and_(Person.platform_id == platform_id, Person.sub == listed.c.sub)
    differs = or_(Person.id.is_(None), Person.name.is_distinct_from(listed.c.name))
    news = (
        select(listed.c.person_id, literal(platform_id), listed.c.sub, listed.c.name)
        .select_from(listed)
        .outerjoin(Person, known)
        .where(differs)
        .order_by(listed.c.sub)  # two courses at once lock the same people in the same order
    )
    new = insert(Person).from_select(["id", "platform_id", "sub", "name"], news)
    db.execute(
        new.on_conflict_do_update(
            index_elements=["platform_id", "sub"], set_={"name": new.excluded.name}
        )
    )


def _know_memberships(db: Session, platform_id: UUID, course_id: UUID, listed: FromClause) -> None:
    """Present again, or new."""
    db.execute(select(func.lock_numbers(course_id)))
    new = insert(Membership).from_select(
        ["id", "platform_id", "course_id", "person_id", "role", "active", "number"],
        _news(platform_id, course_id, listed),
    )
    role = case(
        (Membership.launched_at.is_(None), new.excluded.role),
        else_=Membership.role,
    )
    db.execute(
        new.on_conflict_do_update(
            index_elements=["course_id", "person_id"], set_={"active": True, "role": role}
        )
    )


def _news(platform_id: UUID, course_id: UUID, listed: FromClause) -> Select[Any]:
    """Memberships that are not as the list says. New ones get their numbers in an order that says
    nothing: Moodle's own is that of the family names."""
    highest = select(func.coalesce(func.max(Membership.number), 0)).where(
        Membership.course_id == course_id
    )
    is_new = Membership.id.is_(None)
    order = func.row_number().over(partition_by=is_new, order_by=func.md5(listed.c.sub))
    other_role = Membership.launched_at.is_(None) & (Membership.role != listed.c.role)
    here = and_(Membership.course_id == course_id, Membership.person_id == Person.id)
    return (
        select(
            listed.c.membership_id,
            literal(platform_id),
            literal(course_id),
            Person.id,
            listed.c.role,
            true(),
            highest.scalar_subquery() + order,
        )
        .select_from(listed)
        .join(Person, and_(Person.platform_id == platform_id, Person.sub == listed.c.sub))
        .outerjoin(Membership, here)
        .where(or_(is_new, ~Membership.active, other_role))
    )


def _forget_names(db: Session, course_id: UUID) -> None:
    here = select(Membership.person_id).where(Membership.course_id == course_id)
    db.execute(
        update(Person).where(Person.id.in_(here), Person.name.is_not(None)).values(name=None)
    )
