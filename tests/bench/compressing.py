"""What stands before the tool in a school, as far as a page's size goes: it compresses texts."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXTS = ("text/", "application/json", "application/javascript", "image/svg")
OF_A_LINE = frozenset({"content-length", "transfer-encoding", "connection", "content-encoding"})


@contextmanager
def compressing(tool: tuple[str, int]) -> Iterator[int]:
    """The port at which it stands before `tool`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = HTTPConnection(*tool)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.request(self.command, self.path, body or None, dict(self.headers))
            answer = asked.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in OF_A_LINE:
                    self.send_header(name, value)
            if (answer.getheader("Content-Type") or "").startswith(TEXTS):
                content = gzip.compress(content)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            asked.close()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Not of interest."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
