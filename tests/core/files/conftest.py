"""The two kinds of store, the second on a real S3 server in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import pytest

from lti_tool.cli.demo.plan import free_port
from lti_tool.core.files import FileStore, S3Access, open_store

PATIENCE = 60  # seconds


def access(endpoint: str) -> S3Access:
    return S3Access(endpoint, "us-east-1", "key", "secret")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Its address. It keeps everything in memory."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


@pytest.fixture
def bucket(s3_server: str) -> str:
    """The name of a fresh one."""
    name = f"pages-{uuid4()}"
    connection = HTTPConnection(s3_server.removeprefix("http://"), timeout=PATIENCE)
    connection.request("PUT", f"/{name}")
    assert connection.getresponse().status == 200
    connection.close()
    return name


@pytest.fixture(params=["folder", "s3", "s3 with a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "folder":
        return open_store(str(tmp_path / "files"))
    server, bucket = request.getfixturevalue("s3_server"), request.getfixturevalue("bucket")
    prefix = "" if request.param == "s3" else "/schule/gustav"
    return open_store(f"s3://{bucket}{prefix}", access(server))


def _wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise AssertionError("the S3 server does not answer")
