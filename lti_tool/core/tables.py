"""What all tables have in common: names of constraints, keys, and the border between platforms."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from uuid_utils.compat import uuid7


class Base(DeclarativeBase):
    """All tables. Names of constraints are fixed, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it off the class
        datetime: DateTime(timezone=True)
    }


class Keyed:
    """Time-ordered keys (UUIDv7, RFC 9562), made by us so that they are known before the insert."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)


class OfPlatform(Keyed):
    """A row of one platform. The second key lets others point at it without crossing the border."""

    @declared_attr
    def platform_id(cls) -> Mapped[UUID]:  # noqa: N805  # SQLAlchemy calls it with the class
        return mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805  # SQLAlchemy calls it with the class
        return within_platform()


def within_platform(*more: Any) -> tuple[Any, ...]:
    """Table arguments of an `OfPlatform` table, with its own constraints added."""
    return (UniqueConstraint("platform_id", "id"), *more)


def same_platform(column: str, table: str, ondelete: str = "CASCADE") -> ForeignKeyConstraint:
    """A foreign key that cannot cross platforms: foreign keys themselves bypass row policies."""
    return ForeignKeyConstraint(
        ["platform_id", column], [f"{table}.platform_id", f"{table}.id"], ondelete=ondelete
    )


def enum_column(kind: type[StrEnum], name: str = "") -> Enum:
    """A StrEnum as text with a CHECK, so that a new value is an ordinary migration."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name or kind.__name__.lower(),
        values_callable=lambda e: [member.value for member in e],
    )
