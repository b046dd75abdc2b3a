"""A small honest model host on 127.0.0.1: speaks Ollama's and OpenAI's protocol, thinks nothing.

It reads the JSON schema it is sent and writes an answer that fits, quoting the pupil's own text, so
that everything around a model can be tried without one. `mode` makes it fail in the ways hosts do.
"""

import json
import threading
from collections import deque
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.fakes.model_intake import as_it_arrives, context_of, no_picture, refusal_of
from tests.fakes.model_lines import CREATED, DETAILS, STATUS, Mode, lines, tag, whole
from tests.fakes.model_words import Asked, Speaker, fitting_answer, read_request

__all__ = ["Asked", "FakeOllama", "Mode", "Speaker", "fitting_answer"]


class FakeOllama:
    """Start it with `with`. Everything a test sets may be changed while it runs."""

    def __init__(self, models: dict[str, str] | None = None) -> None:
        self.models = models if models is not None else {"gemma3:12b": "a" * 64}
        self.sees = {"gemma3:12b", "qwen2.5vl:7b-q8_0"}  # the others refuse images
        self.context = 131_072  # tokens, as the model was trained
        self.loads: list[tuple[str, int]] = []  # each time a model came into memory, with num_ctx
        self.loaded: dict[str, int] = {}  # one model at a time, with its num_ctx
        self.mode = Mode.WELL
        self.modes: deque[Mode] = deque()  # used up first, one for each request to chat
        self.says: Speaker = fitting_answer
        self.letters_per_token = 4
        self.is_ollama_for_all = False  # else llama-server speaks OpenAI's protocol
        self.older = False  # as Ollama 0.24 in what becomes of a prompt that does not fit
        self.pause = 0.05  # seconds between two bytes of a drip
        self.piece = 0  # bytes to a packet, wherever letters end; 0: a line each
        self.pause_line = 0.0  # seconds between two lines of a stream
        self.pause_before = 0.0  # seconds before each answer, as on a slow machine
        self.barrier: threading.Barrier | None = None
        self.asked: list[Asked] = []
        self.paths: list[str] = []
        self.released = threading.Event()  # lets hanging connections go
        self._lock = threading.Lock()
        self._server = _Server(self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def hear(self, asked: Asked) -> Mode:
        """Note a request to chat and decide how it will go. Several threads may ask at once."""
        with self._lock:
            self.asked.append(asked)
            mode = self.modes.popleft() if self.modes else self.mode
        if self.barrier is not None:
            self.barrier.wait(timeout=10)
        self.released.wait(self.pause_before)
        return mode

    def knowing(self, asked: Asked) -> Asked:
        """The request with what this host and its model are like."""
        is_ollama = asked.path == "/api/chat" or self.is_ollama_for_all
        return replace(
            asked,
            letters_per_token=self.letters_per_token,
            sees=asked.model in self.sees,
            older=self.older,
            is_ollama=is_ollama,
            trained=self.context,
        )

    def load(self, asked: Asked) -> int:
        """Bring the model into memory, alone, and say how many nanoseconds that took."""
        context = context_of(asked)
        with self._lock:
            is_there = self.loaded.get(asked.model) == context
            if not is_there:
                self.loads.append((asked.model, context))
            self.loaded = {} if asked.body.get("keep_alive") in (0, "0") else {asked.model: context}
        return 1_000_000 if is_there else 9_000_000_000

    def has(self, model: str) -> bool:
        """Ollama knows "gemma:latest" by "gemma" as well."""
        return model in self.models or f"{model}:latest" in self.models

    def visited(self, path: str) -> None:
        with self._lock:
            self.paths.append(path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, fake: FakeOllama) -> None:
        self.fake = fake
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what many tests are about, not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: a prompt holds a pupil's text."""

    def do_GET(self) -> None:
        fake = self.server.fake
        fake.visited(self.path)
        if self.path == "/api/tags":
            self._json(200, {"models": [tag(n, d) for n, d in fake.models.items()]})
        elif self.path == "/api/ps":
            loaded = [
                tag(n, fake.models[n]) | {"context_length": c} for n, c in fake.loaded.items()
            ]
            self._json(200, {"models": loaded})
        elif self.path == "/api/version":
            self._json(200, {"version": "0.24.0"})
        elif self.path == "/v1/models":
            owner = "library" if fake.is_ollama_for_all else "llamacpp"
            more = {"object": "model", "created": 1_795_387_836, "owned_by": owner}
            data = [{"id": name, **more} for name in fake.models]
            self._json(200, {"object": "list", "data": data})
        elif self.path in ("/api/chat", "/api/show", "/v1/chat/completions"):
            self._plain(405, "405 method not allowed")
        else:
            self._plain(404, "404 page not found")

    def do_POST(self) -> None:
        fake = self.server.fake
        fake.visited(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        if self.path == "/api/show":
            self._show(body)
        elif self.path in ("/api/chat", "/v1/chat/completions"):
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = read_request(self.path, body, headers)
            self._chat(asked, fake.hear(asked))
        else:
            self._plain(404, "404 page not found")

    def _show(self, body: dict[str, Any]) -> None:
        name, fake = body.get("model", ""), self.server.fake
        if not fake.has(name):
            tagged = name if ":" in name else f"{name}:latest"
            self._json(404, {"error": f"model '{tagged}' not found"})
            return
        info = {"general.architecture": "gemma3", "gemma3.context_length": fake.context}
        shown = {"modelfile": "", "template": "", "details": DETAILS, "model_info": info}
        can = ["completion", "vision"] if name in fake.sees else ["completion"]
        shown |= {"tensors": [], "capabilities": can, "modified_at": CREATED}
        self._json(200, shown)

    def _chat(self, asked: Asked, mode: Mode) -> None:
        fake = self.server.fake
        asked = as_it_arrives(fake.knowing(asked))
        if mode is Mode.NO_MODEL or not fake.has(asked.model):
            self._error(404, f"model '{asked.model}' not found", "not_found_error")
        elif mode in STATUS:
            self._error(*STATUS[mode])
        elif mode is Mode.NO_PICTURE:
            self._error(*no_picture(asked))
        elif (refusal := refusal_of(asked)) is not None:
            self._error(*refusal)
        else:
            self._answer(replace(asked, load=fake.load(asked)), mode)

    def _answer(self, asked: Asked, mode: Mode) -> None:
        fake = self.server.fake
        if mode is Mode.SILENT:
            fake.released.wait(30)
            self.close_connection = True
        elif mode is Mode.HTML:
            self._plain(200, "<html><body>Willkommen im Schul-WLAN</body></html>", "text/html")
        elif mode is Mode.GZIP:
            self._plain(200, "\x1f", "application/x-ndjson", {"Content-Encoding": "gzip"})
        elif not asked.body.get("stream", asked.path == "/api/chat"):
            self._json(200, whole(asked, mode, fake.says))
        else:
            self._stream(asked, mode)

    def _stream(self, asked: Asked, mode: Mode) -> None:
        is_ollama = asked.path == "/api/chat"
        kind = "application/x-ndjson" if is_ollama else "text/event-stream"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        fake = self.server.fake
        for line in lines(asked, mode, fake.says):
            if mode is Mode.DRIP:
                self._drip(line)
            for part in _parts(line, fake.piece or len(line)):
                self._chunk(part)
            fake.released.wait(fake.pause_line)
        if mode in (Mode.STALLED, Mode.ENDLESS):
            self.server.fake.released.wait(30)
        if mode in (Mode.STALLED, Mode.ENDLESS, Mode.DIES):
            self.close_connection = True
            return
        self._chunk(b"")

    def _drip(self, line: bytes) -> None:
        """One byte at a time, and after the last one blank lines for ever."""
        fake = self.server.fake
        for byte in line[:-1]:
            self._chunk(bytes([byte]))
            if fake.released.wait(fake.pause):
                break

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _error(self, status: int, text: str, kind: str = "api_error") -> None:
        if self.path == "/api/chat":
            self._json(status, {"error": text})
        else:
            self._json(
                status, {"error": {"message": text, "type": kind, "param": None, "code": None}}
            )

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._plain(status, json.dumps(body), "application/json; charset=utf-8")

    def _plain(
        self,
        status: int,
        text: str,
        kind: str = "text/plain",
        more: dict[str, str] | None = None,
    ) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _parts(line: bytes, size: int) -> list[bytes]:
    return [line[at : at + size] for at in range(0, len(line), size)]
