"""Has files decoded by children that may be killed, a few at a time, and trusts none of them.

What a child hands out is looked at again before anybody gets it. Never imports a decoder.
"""

from __future__ import annotations

import hashlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lti_tool.core.pictures import child
from lti_tool.core.pictures.contract import (
    Busy,
    Developed,
    PagePicture,
    PictureRefused,
    Unreadable,
)
from lti_tool.core.pictures.jpegs import size_of_plain
from lti_tool.core.pictures.kinds import HEAD, Kind, kind_of

_DECODER = Path(__file__).with_name("decoder.py")
_REASONS = {code: Unreadable(name) for name, code in child.EXIT_CODES.items()}


@dataclass(frozen=True)
class Limits:
    """What one file may cost: seconds of CPU, seconds on the clock, bytes of address space, bytes
    of pages."""

    cpu: int = 15
    wall: float = 30.0
    memory: int = 1_200_000_000
    output: int = 50_000_000


class Darkroom:
    """`slots` files at once per process; each costs up to a core and `limits.memory`."""

    def __init__(
        self,
        slots: int = 2,
        *,
        patience: float = 5.0,
        limits: Limits | None = None,
        decoder: Path = _DECODER,
    ) -> None:
        """`patience`: seconds to wait for a slot. `decoder`: a file like `decoder.py`."""
        self._slots = threading.BoundedSemaphore(slots)
        self._patience = patience
        self._limits = limits or Limits()
        self._decoder = decoder

    def develop(self, source: Path, *, most_pages: int = 30, longest: int = 2000) -> Developed:
        """All pages of one file, none of whose sides is longer than `longest` pixels.

        Raises:
            PictureRefused: it gives no pages, whatever the reason.
            Busy: no slot got free.
            OSError: `source` cannot be read, or no child be started.
        """
        with source.open("rb") as file:
            kind = _kind(file)
            with self._slot(), tempfile.TemporaryFile() as pages:
                self._decode(file, pages, (kind.value, str(most_pages), str(longest)))
                pages.seek(0)
                return _checked(pages.read(), most_pages, longest)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._patience):
            raise Busy
        try:
            yield
        finally:
            self._slots.release()

    def _decode(self, source: IO[bytes], pages: IO[bytes], wanted: tuple[str, ...]) -> None:
        """Raises PictureRefused unless the child says that all went well."""
        limits = self._limits
        bounds = (limits.cpu, limits.memory, limits.output)
        with tempfile.TemporaryDirectory(prefix="gustav-picture-") as folder:
            # Ours from the first word to the last; the file travels as an open handle. -I keeps
            # settings and folders of ours out; bytecode may be kept, it halves what a PDF costs.
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", child.__file__, str(self._decoder), *wanted]
                + [str(bound) for bound in bounds],
                stdin=source,
                stdout=pages,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={},
                close_fds=True,
                start_new_session=True,
            )
            try:
                in_time = _ends_within(process.pid, limits.wall)
            finally:
                code = _end(process)
        if code == -signal.SIGXCPU or not in_time:
            raise PictureRefused(Unreadable.TOOK_TOO_LONG)
        if code != 0:
            # Also where it crashed, or the machine had no memory left for it.
            raise PictureRefused(_REASONS.get(code, Unreadable.DAMAGED))


def _ends_within(pid: int, seconds: float) -> bool:
    """Waits for the end without taking note of it: until that is done the number stays its own."""
    handle = os.pidfd_open(pid)
    try:
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))
    finally:
        os.close(handle)


def _end(process: subprocess.Popen[bytes]) -> int:
    """The child's exit code, once it is gone with all that it may have started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _kind(file: IO[bytes]) -> Kind:
    head = file.read(HEAD)
    file.seek(0)
    if not head:
        raise PictureRefused(Unreadable.EMPTY)
    kind = kind_of(head)
    if kind is None:
        raise PictureRefused(Unreadable.NOT_A_PICTURE)
    return kind


def _checked(output: bytes, most_pages: int, longest: int) -> Developed:
    """The pages, believed only as far as they can be checked: a decoder that was taken over by
    its file may have written anything."""
    left_out, jpegs = child.unpacked(output)
    pages = tuple(page for page in map(_page, jpegs) if page is not None)
    fits = all(max(page.width, page.height) <= longest for page in pages)
    if not fits or not len(pages) == len(jpegs) <= most_pages or not pages:
        raise PictureRefused(Unreadable.DAMAGED)
    return Developed(pages, left_out)


def _page(jpeg: bytes) -> PagePicture | None:
    size = size_of_plain(jpeg)
    return PagePicture(jpeg, *size, hashlib.sha256(jpeg).digest()) if size else None
