"""A real HTTP server on the loopback interface that answers, dawdles, drips or hangs as told."""

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class Raw:
    """Bytes on the wire, with a pause before each piece; then hang until the end, or hang up."""

    pieces: tuple[bytes, ...] = ()
    pause: float = 0.0
    hang: bool = False


Handler = Callable[[Seen], Answer | Raw]


class LoopbackServer:
    """`with LoopbackServer(handler) as server:`; `seen` holds every request, in order."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.over = threading.Event()
        self.hung_up = threading.Semaphore(0)
        self._server = _Server(self, handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        """`host:port`, as it is written in an allow-list."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: LoopbackServer, handler: Handler) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.owner = owner
        self.answer = handler

    def process_request(self, request: object, client_address: object) -> None:
        self.owner.connections += 1
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        super().shutdown_request(request)  # type: ignore[arg-type]
        self.owner.hung_up.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of these tests hang up all the time."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        seen = Seen(self.command, self.path, self.headers, self.rfile.read(length))
        self.server.owner.seen.append(seen)
        answer = self.server.answer(seen)
        if isinstance(answer, Raw):
            self._write_raw(answer)
        else:
            self._write(answer)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - named by the standard library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status, answer.reason)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _write_raw(self, raw: Raw) -> None:
        self.close_connection = True
        for piece in raw.pieces:
            if self.server.owner.over.wait(raw.pause):
                return
            self.wfile.write(piece)
        if raw.hang:
            self.server.owner.over.wait(10)
