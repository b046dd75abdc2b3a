"""The last metre to a model host: how long it may take, how much it may send, what a failure means.

Knows httpx and our errors; nothing of prompts, DSPy or what the bytes are about.
"""

import codecs
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.errors import (
    EngineError,
    EngineFailed,
    EngineMisconfigured,
    EngineRefused,
    EngineUnavailable,
    RefusalReason,
)

# A token travels in an envelope of about 200 bytes, so this is far more than any real answer.
_MOST_BYTES = 4_000_000
NO_MODEL_SERVER = (
    "Unter der eingestellten Adresse antwortet kein Modell-Server. Bitte die Adresse prüfen."
)
_JSON_KINDS = ("application/json", "application/x-ndjson", "text/event-stream")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds; `until` is a reading of the same monotonic clock."""

    connect: float
    first_token: float
    idle: float
    until: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, config: EngineConfig, until: float) -> "Patience":
        return cls(config.connect, config.first_token, config.idle, until)

    def left(self) -> float:
        """Seconds left. Raise `EngineFailed` when there are none."""
        left = self.until - self.clock()
        if left <= 0:
            raise EngineFailed("the model took longer than allowed")
        return left


class GuardedTransport(httpx.BaseTransport):
    """Limits one exchange with a model host, around whatever transport really carries it.

    httpx limits each read, not the whole: a byte now and then would keep a worker for ever. So the
    clock is looked at with every piece that arrives, and silence is limited in between.
    """

    def __init__(self, inner: httpx.BaseTransport, patience: Patience) -> None:
        self._inner = inner
        self._patience = patience

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        patience = self._patience
        connect = min(patience.connect, patience.left())
        timeouts = {
            "connect": connect,
            "pool": connect,
            "write": min(patience.idle, patience.left()),
            "read": min(patience.first_token, patience.left()),
        }
        request.extensions = {**request.extensions, "timeout": timeouts}
        # A compressed body could grow without limit after it was counted.
        request.headers["accept-encoding"] = "identity"
        try:
            response = self._inner.handle_request(request)
        except httpx.ReadTimeout:
            patience.left()
            raise
        # httpcore looks at this again for the body: from now on tokens should be flowing.
        timeouts["read"] = min(patience.idle, max(0.1, patience.until - patience.clock()))
        _refuse_other_than_json(response)
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - for the type checker
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_WatchedStream(response.stream, patience),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Nothing: the transport inside is shared and belongs to who made it."""


class _WatchedStream(httpx.SyncByteStream):
    """Passes bytes on as long as they are in time, not too many, and text."""

    def __init__(self, inner: httpx.SyncByteStream, patience: Patience) -> None:
        self._inner = inner
        self._patience = patience

    def __iter__(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        size = 0
        try:
            for piece in self._inner:
                self._patience.left()
                size += len(piece)
                if size > _MOST_BYTES:
                    raise EngineFailed("the model sent too much")
                decoder.decode(piece)
                yield piece
            decoder.decode(b"", final=True)
        except httpx.ReadTimeout:
            raise EngineFailed("the model fell silent in the middle") from None
        except UnicodeDecodeError:
            # Without a cause: the error would carry the bytes, and they are about a pupil.
            raise EngineFailed("the model sent something that is not text") from None

    def close(self) -> None:
        self._inner.close()


def _refuse_other_than_json(response: httpx.Response) -> None:
    """A web page with status 200 is some other server on that address, or a portal before it."""
    kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
    if response.is_success and (
        kind not in _JSON_KINDS
        or response.headers.get("content-encoding", "identity") != "identity"
    ):
        response.close()
        raise EngineMisconfigured(
            f"the answer is {kind or 'of no kind'}",
            NO_MODEL_SERVER,
        )


def meaning_of(error: Exception) -> EngineError:
    """What a failed exchange means for the job. Says nothing of what was sent or received."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, httpx.HTTPError | ConnectionError | OSError):
        # Also when the line breaks in the middle: then the host has died, not the answer.
        return EngineUnavailable(f"the model host does not answer ({type(error).__name__})")
    return EngineFailed(f"the model host sent something unreadable ({type(error).__name__})")


def meaning_of_status(status: int, text: str, config: EngineConfig) -> EngineError:
    """What an error status means. `text` is the server's own and is only looked at, never kept.

    Ollama and its kin have no error codes, so a few of their sentences have to be recognised.
    """
    said = text.lower()
    if any(phrase in said for phrase in _TOO_LONG) or status == 413:
        return EngineRefused(RefusalReason.ANSWER_TOO_LONG)
    if _NO_PICTURE in said:
        return EngineRefused(RefusalReason.PAGES_UNREAD)
    for phrases, message, advice in _SENTENCES:
        if any(phrase in said for phrase in phrases):
            return EngineMisconfigured(message, advice.format(model=config.model))
    if status == 404 and "model" in said:
        return model_is_missing(config)
    if status in _WHAT_TO_DO or status in (404, 405) or 300 <= status < 400:
        advice = _WHAT_TO_DO.get(status, NO_MODEL_SERVER)
        return EngineMisconfigured(f"status {status}", advice)
    return EngineUnavailable(f"status {status}")


_TOO_LONG = ("context length", "context size", "context window")
BLIND_MODEL = (
    "Das Modell {model} kann keine Bilder sehen. Bitte ein anderes einstellen, etwa "
    "qwen2.5vl:7b-q8_0."
)
# llama.cpp's words, which Ollama passes on, and vLLM's.
_BLIND = ("support multimodal", "image input is not supported", "multimodal model", "0 image(s)")
_NO_PICTURE = "failed to load image"  # llama.cpp's: the next page may well be one
_NO_MEMORY = ("system memory", "out of memory", "cudamalloc failed")
# Ollama 0.24 answers 500 when it cannot make a grammar of a schema: no waiting will help.
_REJECTED = ("invalid json schema", "invalid format")
_WHAT_TO_DO = {
    400: (
        "Der Modell-Server lehnt die Anfrage ab. Bitte seine Version, num_ctx und keep_alive "
        "prüfen."
    ),
    401: "Der Modell-Server verlangt einen gültigen Schlüssel. Bitte den Schlüssel prüfen.",
    403: "Der Modell-Server verweigert den Zugriff. Bitte Schlüssel und Freigabe prüfen.",
    422: "Der Modell-Server lehnt die Anfrage ab. Bitte seine Version prüfen.",
}
_SENTENCES = (
    (
        _NO_MEMORY,
        "the model does not fit into memory",
        "Der Arbeitsspeicher reicht für das Modell {model} nicht. Bitte ein kleineres Modell "
        "einstellen oder andere Modelle entladen.",
    ),
    (_BLIND, "the model sees no images", BLIND_MODEL),
    (_REJECTED, "the schema is not understood", _WHAT_TO_DO[400]),
)


def model_is_missing(config: EngineConfig) -> EngineMisconfigured:
    return EngineMisconfigured("the model is missing", missing_model(config, config.model))


def missing_model(config: EngineConfig, model: str) -> str:
    """What an operator does about a model that is not there."""
    if config.kind is EngineKind.OLLAMA:
        return f"fehlt: ollama pull {model}"
    return f"fehlt: Der Modell-Server bietet {model} nicht an. Bitte dort laden oder umstellen."


def wrong_way_to_ollama(config: EngineConfig) -> str:
    """What an operator does about an Ollama that is asked in OpenAI's protocol."""
    return (
        f"Unter {config.host} antwortet Ollama. Auf diesem Weg lässt es Bilder und Text weg, ohne "
        "etwas zu sagen. Bitte ein Profil für Ollama einstellen (GUSTAV_MODEL_PROFILE)."
    )


def exchanged_model(config: EngineConfig, digest: str) -> str:
    """What an operator does about a model that is not the approved one."""
    found = f"hat jetzt die Prüfsumme {digest[:12]}" if digest else "nennt keine Prüfsumme"
    return (
        f"Das Modell {config.model} ist nicht mehr das freigegebene: Es {found}, freigegeben ist "
        f"{config.digest[:12]}. Bitte prüfen, ob es gewollt ist, und dann GUSTAV_MODEL_DIGEST oder "
        "GUSTAV_READING_DIGEST anpassen."
    )


# Neither a proxy from the environment nor a redirect may carry a pupil's text elsewhere.
CLIENT: dict[str, Any] = {"trust_env": False, "follow_redirects": False}


def plain_transport() -> httpx.BaseTransport:
    """A way out for those who bring none of their own. Make one and share it between threads.

    Connections are not kept: next to what a model takes, opening one costs nothing, and one that
    the host has closed meanwhile cannot be mistaken for a host that is down.
    """
    return httpx.HTTPTransport(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def base_url(config: EngineConfig) -> str:
    """The host's address without the "/v1" that some people add."""
    return config.host.rstrip("/").removesuffix("/v1")


def auth_headers(config: EngineConfig) -> dict[str, str]:
    return {"authorization": f"Bearer {config.api_key}"} if config.api_key else {}
