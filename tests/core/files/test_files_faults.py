"""What goes wrong below the store: no server, a broken one, no room, a sudden death."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from lti_tool.core.files import FileDamaged, FileMissing, FileStore, FilesUnavailable, open_store
from tests.core.files.conftest import access
from tests.fakes.http_server import Answer, LoopbackServer

ROOT = Path(__file__).parents[3]
LIKE_S3 = {"ETag": '"1"', "Last-Modified": "Wed, 25 Nov 2026 08:00:00 GMT"}
KEY = f"pages/{uuid4()}/{uuid4()}"


def everything_is_unavailable(store: FileStore) -> None:
    for use in (
        lambda: store.put(KEY, b"x"),
        lambda: store.get(KEY),
        lambda: store.delete([KEY]),
        lambda: store.list("pages/"),
    ):
        with pytest.raises(FilesUnavailable) as told:
            use()
        assert "secret" not in str(told.value)


def test_flt_44_nobody_listens() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        port = silent.getsockname()[1]

        everything_is_unavailable(open_store("s3://pages", access(f"http://127.0.0.1:{port}")))


@pytest.mark.parametrize("status", [403, 500, 503])
def test_flt_44_the_server_is_broken(status: int) -> None:
    with LoopbackServer(lambda _: Answer(status, b"<html>secret</html>")) as server:
        everything_is_unavailable(open_store("s3://pages", access(server.url)))


def test_flt_44_a_bucket_that_is_not_there(s3_server: str) -> None:
    store = open_store(f"s3://{uuid4()}", access(s3_server))

    with pytest.raises((FileMissing, FilesUnavailable)):
        store.put(KEY, b"x")


def test_flt_44_a_content_that_the_server_swapped_is_noticed_when_read() -> None:
    with LoopbackServer(lambda _: Answer(200, b"another page", LIKE_S3)) as server:
        store = open_store("s3://pages", access(server.url))

        with pytest.raises(FileDamaged):
            store.get(KEY, hashlib.sha256(b"a page").digest())


def test_flt_44_what_travels_carries_its_checksum() -> None:
    with LoopbackServer(lambda _: Answer(200, b"", LIKE_S3)) as server:
        open_store("s3://pages", access(server.url)).put(KEY, b"a page")

    (seen,) = server.seen
    told = base64.b64decode(seen.headers["x-amz-checksum-sha256"])
    assert told == hashlib.sha256(b"a page").digest()


def test_flt_44_another_content_than_was_written_is_noticed_when_read(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put(KEY, b"a page")
    (tmp_path / KEY).write_bytes(b"a qage")

    with pytest.raises(FileDamaged):
        store.get(KEY, bytes(32))


WRITER = """
import resource, sys
from lti_tool.core.files import FilesUnavailable, open_store
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
folder, key = sys.argv[1:]
store = open_store(folder)
store.put(key, b"old")
try:
    store.put(key, bytes(2_000_000))
except FilesUnavailable:
    print(store.get(key).decode())
"""


def test_flt_43_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path), KEY],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )

    assert done.stdout == "old\n"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / KEY]


# Stops itself between the last byte and the name, where a power cut is worst.
DIES = """
import os, signal, sys
from lti_tool.core import durable
from lti_tool.core.files import open_store
durable.os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
open_store(sys.argv[1]).put(sys.argv[2], b"half a page")
"""


def test_flt_4_a_writer_that_is_killed_leaves_no_file_and_the_retry_succeeds(
    tmp_path: Path,
) -> None:
    died = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path), KEY], cwd=ROOT, check=False, timeout=60
    )
    assert died.returncode == -signal.SIGKILL
    store = open_store(str(tmp_path))

    assert store.list("") == []
    with pytest.raises(FileMissing):
        store.get(KEY)
    store.put(KEY, b"a page")
    assert store.get(KEY) == b"a page"

    (left,) = (tmp_path / ".unfinished").iterdir()
    long_ago = time.time() - 2 * 3600
    os.utime(left, (long_ago, long_ago))
    open_store(str(tmp_path))
    assert list((tmp_path / ".unfinished").iterdir()) == []
    assert store.get(KEY) == b"a page"


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(FilesUnavailable):
        open_store(str(tmp_path / "file" / "files"))


@pytest.mark.parametrize("place", ["s3://", "s3:///prefix"])
def test_an_address_without_a_bucket_is_a_mistake(place: str) -> None:
    with pytest.raises(ValueError, match="bucket"):
        open_store(place, access("http://127.0.0.1:1"))


@pytest.mark.parametrize("step", ["content", "folder"])
def test_what_is_acknowledged_was_told_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A disk that fails at the last moment is not an acknowledged file."""

    def broken(handle: int) -> None:
        is_folder = os.path.isdir(f"/proc/self/fd/{handle}")
        if is_folder is (step == "folder"):
            raise OSError(5, "Input/output error")

    store = open_store(str(tmp_path))
    monkeypatch.setattr(os, "fsync", broken)

    with pytest.raises(FilesUnavailable):
        store.put(KEY, b"x")
