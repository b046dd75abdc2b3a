"""Writes one file below a folder so that it survives a power cut: whole, or not at all.

obstore's own local writes are renamed into place but never told to the disk; a file that the
pupil saw as handed in could be empty after a power cut.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

# Beside the files, so that a rename stays within the file system; no listing looks here.
_UNFINISHED = ".unfinished"
_FORGOTTEN = timedelta(hours=1)  # no write takes so long: its writer is dead


def write_durably(folder: Path, key: str, content: bytes) -> None:
    """Content, then name, then the folders that hold the name, each told to the disk.

    Raises:
        OSError: nothing of it is left, whatever lay there before still does; except where only
            the last step failed: then it is there, but a power cut may take it.
    """
    target = folder / key
    unfinished = folder / _UNFINISHED / uuid4().hex
    unfinished.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        _write(unfinished, content)
        _rename(unfinished, target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    for parent in target.parents:
        _sync_folder(parent)
        if parent == folder:
            break


def sweep_unfinished(folder: Path) -> None:
    """Removes what killed writers left behind. Raises OSError."""
    oldest = time.time() - _FORGOTTEN.total_seconds()
    for path in (folder / _UNFINISHED).glob("*"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue  # finished, or swept by another process


def _write(path: Path, content: bytes) -> None:
    with open(path, "xb", opener=_for_us_alone) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _rename(source: Path, target: Path) -> None:
    """Twice, because a delete beside us may just have removed the folder it had emptied."""
    for _ in range(2):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            source.replace(target)
        except FileNotFoundError:
            continue
        return
    raise OSError(f"no folder for {target.name}")


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
