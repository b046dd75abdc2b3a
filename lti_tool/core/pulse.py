"""Signs of life of the worker processes, for whoever asks whether one is there."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from lti_tool.core.tables import Base, Keyed

FORGOTTEN_AFTER = timedelta(days=1)


class WorkerPulse(Keyed, Base):
    """One running worker process; its id is made at its start."""

    __tablename__ = "worker_pulses"

    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


def beat(db: Session, worker_id: UUID) -> None:
    """This worker is alive; those of yesterday are forgotten."""
    new = insert(WorkerPulse).values(id=worker_id)
    db.execute(new.on_conflict_do_update(index_elements=["id"], set_={"seen_at": func.now()}))
    db.execute(delete(WorkerPulse).where(WorkerPulse.seen_at < func.now() - FORGOTTEN_AFTER))


def last_beat(db: Session) -> datetime | None:
    """When any worker was last alive; None: not in the last day."""
    return db.scalar(select(func.max(WorkerPulse.seen_at)))
