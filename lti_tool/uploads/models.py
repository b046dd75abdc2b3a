"""Files on their way, the pages that became of them, and links by which a phone may bring some."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.tables import Base, OfPlatform, enum_column, same_platform, within_platform


class UploadState(StrEnum):
    ARRIVING = "arriving"
    KEPT = "kept"  # its pages are there
    REFUSED = "refused"  # it was no picture that we can show


class Upload(OfPlatform, Base):
    """One file that a pupil sends, in parts. Its row stays for a day, because uploads are counted;
    `name` is shown to its pupil and used for nothing."""

    __tablename__ = "uploads"

    course_id: Mapped[UUID]
    resource_link_id: Mapped[UUID]
    person_id: Mapped[UUID]
    name: Mapped[str]
    size: Mapped[int]  # bytes, as announced
    received: Mapped[int] = mapped_column(default=0)
    state: Mapped[UploadState] = mapped_column(
        enum_column(UploadState), default=UploadState.ARRIVING
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = within_platform(
        same_platform("course_id", "courses"),
        same_platform("resource_link_id", "resource_links"),
        same_platform("person_id", "persons"),
        CheckConstraint("received BETWEEN 0 AND size", name="received"),
        Index("ix_uploads_person", "person_id", "created_at"),
    )


class Attachment(OfPlatform, Base):
    """One page as we made it from what was sent: a JPEG without a past. Without `submission_id` it
    belongs to the draft; with one it never changes again (a trigger sees to that), but that a
    teacher may hide it, and have its file deleted."""

    __tablename__ = "attachments"

    course_id: Mapped[UUID]
    resource_link_id: Mapped[UUID]
    person_id: Mapped[UUID]
    submission_id: Mapped[UUID | None]
    position: Mapped[int]  # in the order in which they are read
    name: Mapped[str]
    sha256: Mapped[bytes]
    size: Mapped[int]  # bytes
    width: Mapped[int]  # pixels
    height: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    hidden_at: Mapped[datetime | None]  # from then on nobody is shown it
    hidden_by: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]  # its file is gone; that there was one stays known

    __table_args__ = within_platform(
        same_platform("course_id", "courses"),
        same_platform("resource_link_id", "resource_links"),
        same_platform("person_id", "persons"),
        same_platform("submission_id", "submissions"),
        same_platform("hidden_by", "persons", ondelete="SET NULL (hidden_by)"),
        CheckConstraint("size > 0 AND width > 0 AND height > 0", name="size"),
        CheckConstraint(
            "(deleted_at IS NULL OR hidden_at IS NOT NULL) AND"
            " (hidden_at IS NULL OR submission_id IS NOT NULL)",
            name="withdrawn",
        ),
        Index("ix_attachments_draft", "resource_link_id", "person_id"),
        Index("ix_attachments_submission", "submission_id"),
    )

    @property
    def key(self) -> str:
        """Where its file is kept."""
        return page_key(self.platform_id, self.id)


class PhoneLink(OfPlatform, Base):
    """For five minutes one browser, the first that opens it, may add pages to one draft."""

    __tablename__ = "phone_links"

    course_id: Mapped[UUID]
    resource_link_id: Mapped[UUID]
    person_id: Mapped[UUID]
    secret_hash: Mapped[bytes]
    browser_hash: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]

    __table_args__ = within_platform(
        same_platform("course_id", "courses"),
        same_platform("resource_link_id", "resource_links"),
        same_platform("person_id", "persons"),
        Index("ix_phone_links_person", "person_id", "created_at"),
    )


class UploadAllowance(OfPlatform, Base):
    """Until then a course may upload as much as it likes in an hour: a teacher wanted it so."""

    __tablename__ = "upload_allowances"

    course_id: Mapped[UUID]
    until: Mapped[datetime]

    __table_args__ = within_platform(
        UniqueConstraint("course_id"), same_platform("course_id", "courses")
    )


def page_key(platform_id: UUID, attachment_id: UUID) -> str:
    return f"pages/{platform_id}/{attachment_id}"


def part_key(platform_id: UUID, upload_id: UUID, offset: int) -> str:
    """Parts of a file that is still arriving; in the order of their names."""
    return f"{parts_folder(platform_id, upload_id)}{offset:012d}"


def parts_folder(platform_id: UUID, upload_id: UUID) -> str:
    return f"arriving/{platform_id}/{upload_id}/"
