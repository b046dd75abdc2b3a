"""A small honest model host on 127.0.0.1: speaks Ollama's and OpenAI's protocol, thinks nothing.

It reads the JSON schema it is sent and writes an answer that fits, quoting the pupil's own text, so
that everything around a model can be tried without one. `mode` makes it fail in the ways hosts do.
Shapes, status codes and sentences are those of Ollama 0.24, compared with one that really ran.
"""

import json
import threading
from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.fakes.model_words import Asked, Speaker, fitting_answer, read_request

__all__ = ["Asked", "FakeOllama", "Mode", "Speaker", "fitting_answer"]

_CREATED = "2026-11-23T08:00:00.000000Z"


class Mode(StrEnum):
    """How the host behaves when it is asked to chat. Numbers are those of the fault catalogue."""

    WELL = "well"
    SILENT = "hangs before the headers"  # 48
    STALLED = "hangs between two tokens"  # 48
    ENDLESS = "never says that it is done"  # 48
    DRIP = "sends a byte now and then, for ever"  # 48, ATK-121
    DIES = "the connection breaks in the middle"  # 50
    ERROR_500 = "500"  # 49
    ERROR_503 = "503"
    BUSY = "429"
    NO_MODEL = "404"
    BAD_OPTION = "400"
    NO_MEMORY = "model requires more memory"  # 50
    NO_MEMORY_LATE = "an error line in the middle"  # 50
    HTML = "a web page with status 200"  # 51
    HALF_LINE = "half a line of JSON"  # 51
    NOT_UTF8 = "bytes that are not text"  # 51
    GZIP = "compressed although nobody asked"  # 51
    CUT_OFF = "done, because of the length"  # 52
    EMPTY = "done, without a word"  # 52
    ONLY_THINKING = "all words in the thinking"  # 52
    FLOOD = "far too many words"  # ATK-121


_STATUS: dict[Mode, tuple[int, str]] = {
    Mode.ERROR_500: (500, "llama runner process has terminated: exit status 2"),
    Mode.ERROR_503: (503, "server busy, please try again. maximum pending requests exceeded"),
    Mode.BUSY: (429, "too many requests"),
    Mode.BAD_OPTION: (400, "invalid option provided"),
    Mode.NO_MEMORY: (
        500,
        "model requires more system memory (9.6 GiB) than is available (3.1 GiB)",
    ),
}


class FakeOllama:
    """Start it with `with`. Everything a test sets may be changed while it runs."""

    def __init__(self, models: dict[str, str] | None = None) -> None:
        self.models = models if models is not None else {"gemma3:12b": "a" * 64}
        self.mode = Mode.WELL
        self.modes: deque[Mode] = deque()  # used up first, one for each request to chat
        self.says: Speaker = fitting_answer
        self.letters_per_token = 4
        self.pause = 0.05  # seconds between two bytes of a drip
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
            self._json(200, {"models": [_tag(n, d) for n, d in fake.models.items()]})
        elif self.path == "/api/version":
            self._json(200, {"version": "0.24.0"})
        elif self.path == "/v1/models":
            more = {"object": "model", "created": 1_795_387_836, "owned_by": "library"}
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
        name = body.get("model", "")
        if not self.server.fake.has(name):
            self._json(404, {"error": f"model '{name}' not found"})
            return
        shown = {"modelfile": "", "template": "", "details": _DETAILS, "model_info": {}}
        shown |= {"tensors": [], "capabilities": ["completion"], "modified_at": _CREATED}
        self._json(200, shown)

    def _chat(self, asked: Asked, mode: Mode) -> None:
        fake = self.server.fake
        if mode is Mode.NO_MODEL or not fake.has(asked.model):
            self._error(404, f"model '{asked.model}' not found", "not_found_error")
        elif mode in _STATUS:
            self._error(*_STATUS[mode])
        elif (refusal := _refusal(asked)) is not None:
            self._error(*refusal)
        elif mode is Mode.SILENT:
            fake.released.wait(30)
            self.close_connection = True
        elif mode is Mode.HTML:
            self._plain(200, "<html><body>Willkommen im Schul-WLAN</body></html>", "text/html")
        elif mode is Mode.GZIP:
            self._plain(200, "\x1f", "application/x-ndjson", {"Content-Encoding": "gzip"})
        elif asked.body.get("stream") is False:
            self._json(200, self._whole(asked, mode))
        else:
            self._stream(asked, mode)

    def _whole(self, asked: Asked, mode: Mode) -> dict[str, Any]:
        fake = self.server.fake
        words, reason = _outcome(asked, mode, fake.says)
        if asked.path == "/api/chat":
            counts = _counts(asked, len(words), fake.letters_per_token)
            return _ollama_line(asked, "".join(words), reason) | counts
        message = {"role": "assistant", "content": "".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return {"object": "chat.completion", **_openai_head(asked), "choices": [choice]}

    def _stream(self, asked: Asked, mode: Mode) -> None:
        is_ollama = asked.path == "/api/chat"
        kind = "application/x-ndjson" if is_ollama else "text/event-stream"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in _lines(asked, mode, self.server.fake):
            if mode is Mode.DRIP:
                self._drip(line)
            self._chunk(line)
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


def _outcome(asked: Asked, mode: Mode, says: Speaker) -> tuple[list[str], str]:
    """The words in pieces of a few letters, as tokens are, and why they end."""
    if mode in (Mode.EMPTY, Mode.ONLY_THINKING):
        return [], "stop"
    text = says(asked)
    words = [text[at : at + 4] for at in range(0, len(text), 4)]
    if mode is Mode.CUT_OFF:
        return words, "length"
    if mode is Mode.FLOOD:
        return ["viel zu viel " * 100] * 100, "stop"
    if asked.limit is not None and len(words) > asked.limit:
        return words[: asked.limit], "length"
    return words, "stop"


def _lines(asked: Asked, mode: Mode, fake: FakeOllama) -> Iterator[bytes]:
    words, reason = _outcome(asked, mode, fake.says)
    if mode is Mode.ONLY_THINKING:
        yield _line(asked, "", None, thinking="Hm, das muss ich mir überlegen.")
    half = len(words) // 2
    for count, word in enumerate(words):
        if count == half and mode is Mode.NOT_UTF8:
            yield _line(asked, "ab", None).replace(b"ab", b"\xff\xfe")
        if count == half and mode in _BREAKS:
            yield from _break(asked, mode)
            return
        yield _line(asked, word, None)
    if mode is Mode.ENDLESS:
        return
    if asked.path == "/api/chat":
        counts = _counts(asked, len(words), fake.letters_per_token)
        yield json.dumps(_ollama_line(asked, "", reason) | counts).encode() + b"\n"
    else:
        yield _line(asked, "", reason)
        yield b"data: [DONE]\n\n"


_BREAKS = (Mode.STALLED, Mode.DIES, Mode.HALF_LINE, Mode.NO_MEMORY_LATE)


def _break(asked: Asked, mode: Mode) -> Iterator[bytes]:
    if mode is Mode.HALF_LINE:
        line = _line(asked, "hal", None)
        yield line[: len(line) // 2]
    elif mode is Mode.NO_MEMORY_LATE:
        text = "an error was encountered while running the model: unexpected EOF"
        error = json.dumps({"error": text}).encode()
        yield error + b"\n" if asked.path == "/api/chat" else b"data: " + error + b"\n\n"


def _line(asked: Asked, text: str, reason: str | None, thinking: str = "") -> bytes:
    if asked.path == "/api/chat":
        line = _ollama_line(asked, text, reason)
        if thinking:
            line["message"]["thinking"] = thinking
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"
    delta = {"role": "assistant", "content": text}
    if thinking:
        delta["reasoning_content"] = thinking
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    event = {"object": "chat.completion.chunk", **_openai_head(asked), "choices": [choice]}
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def _openai_head(asked: Asked) -> dict[str, Any]:
    head = {"id": "chatcmpl-330", "created": 1_795_387_919, "model": asked.model}
    return head | {"system_fingerprint": "fp_ollama"}


def _ollama_line(asked: Asked, text: str, reason: str | None) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    line = {"model": asked.model, "created_at": _CREATED, "message": message, "done": bool(reason)}
    return line | ({"done_reason": reason} if reason else {})


def _counts(asked: Asked, said: int, letters_per_token: int) -> dict[str, int]:
    """What the last line counts. A prompt that does not fit is cut to num_ctx without a word."""
    context = (asked.body.get("options") or {}).get("num_ctx", 4096)
    read = min(len(asked.prompt) // letters_per_token, context)
    times = dict.fromkeys(("total_duration", "load_duration", "prompt_eval_duration"), 1_000_000)
    return {**times, "prompt_eval_count": read, "eval_count": said, "eval_duration": 1_000_000}


def _refusal(asked: Asked) -> tuple[int, str] | None:
    """What Ollama says to a request it does not understand; some of it with a 500."""
    wanted = asked.body.get("format")
    if wanted not in (None, "", "json") and not isinstance(wanted, dict):
        shown = json.dumps(json.dumps(wanted))
        return 500, f'invalid format: {shown}; expected "json" or a valid JSON Schema object'
    if asked.schema is not None and asked.schema.get("type") not in _SCHEMA_TYPES:
        return 500, "invalid JSON schema in format"
    if asked.body.get("think"):
        return 400, f'"{asked.model}" does not support thinking'
    for name in ("num_ctx", "num_predict", "seed"):
        if not isinstance((asked.body.get("options") or {}).get(name, 0), int):
            return 500, f'option "{name}" must be of type integer'
    return None


_SCHEMA_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")


_DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "12.2B",
    "quantization_level": "Q4_K_M",
}


def _tag(name: str, digest: str) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": _CREATED,
        "size": 8_149_190_253,
        "digest": digest,
        "details": _DETAILS,
    }
