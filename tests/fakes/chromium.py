"""A real browser for what only one can tell: Debian's Chromium without a window, spoken to through
a pipe (Chrome DevTools Protocol), so that no package drives it. None where it is not installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

CHROMIUM = shutil.which("chromium")
PATIENCE = 30  # seconds
LONGEST = 180  # seconds for all that one tab does: a browser that hangs is ended


@dataclass
class Tab:
    """One page; `to` and `out` are the two ends of the pipe."""

    to: BinaryIO
    out: BinaryIO
    session: str = ""

    def __post_init__(self) -> None:
        self._numbers = count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One order, and what came of it. Events are passed over."""
        order = {"id": next(self._numbers), "method": method, "params": parameters}
        if self.session:
            order["sessionId"] = self.session
        self.to.write(json.dumps(order).encode() + b"\0")
        self.to.flush()
        while True:
            told = self._told()
            if told.get("id") == order["id"]:
                assert "error" not in told, told
                return told["result"]  # type: ignore[no-any-return]

    def _told(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self.out.read(1)) != b"\0":
            assert byte, "the browser has ended"
            message += byte
        return json.loads(message)  # type: ignore[no-any-return]

    def opens(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.waits_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def sees(self, expression: str) -> Any:
        """The value of an expression in the page."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return told["result"].get("value")

    def waits_for(self, expression: str) -> None:
        end = time.monotonic() + PATIENCE
        while not self.sees(expression):
            assert time.monotonic() < end, f"it did not come about: {expression}"
            time.sleep(0.05)

    def types(self, selector: str, text: str) -> None:
        self.sees(f"document.querySelector({selector!r}).focus()")
        self.call("Input.insertText", text=text)

    def is_offline(self, offline: bool) -> None:
        self.call(
            "Network.emulateNetworkConditions",
            offline=offline,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )


@contextmanager
def open_tab(*, width: int, hosts: str) -> Iterator[Tab]:
    """A tab so many pixels wide. `hosts`: where names lead, as `--host-resolver-rules` has it."""
    assert CHROMIUM is not None
    read, to = os.pipe()
    out, write = os.pipe()
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [
                *("bash", "-c", f'exec "$@" 3<&{read} 4>&{write}', "bash"),
                *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-dev-shm-usage", "--disable-background-networking"),
                *("--remote-debugging-pipe", f"--user-data-dir={folder}"),
                f"--host-resolver-rules={hosts}",
            ],
            pass_fds=(read, write),
            env={**os.environ, "HOME": folder},
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        ends = threading.Timer(LONGEST, process.kill)
        ends.start()
        try:
            with open(to, "wb") as orders, open(out, "rb") as answers:
                yield _attached(Tab(orders, answers), width)
        finally:
            ends.cancel()
            process.terminate()
            process.wait(PATIENCE)


def _attached(browser: Tab, width: int) -> Tab:
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    told = browser.call("Target.attachToTarget", targetId=target, flatten=True)
    browser.session = told["sessionId"]
    for area in ("Page", "Network", "Runtime"):
        browser.call(f"{area}.enable")
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=False,
    )
    return browser
