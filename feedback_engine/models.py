"""Engine objects for DSPy 3.4, over Ollama or an OpenAI-like server: a request in, a response out.

Answers are read as they are written, so that a model that falls silent or never ends is cut off,
and its host notices. One attempt each: repeating is decided above.
"""

import contextlib
import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

import httpx
import ollama
from dspy import lm15

from feedback_engine.bodies import for_ollama, for_openai, messages, sampling, schema
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.errors import (
    EngineError,
    EngineMisconfigured,
    EngineRefused,
    RefusalReason,
)
from feedback_engine.health import listed_models, tagged
from feedback_engine.text import goes_in_circles
from feedback_engine.wire import (
    CLIENT,
    GuardedTransport,
    Patience,
    auth_headers,
    base_url,
    meaning_of,
    meaning_of_status,
    model_is_missing,
    plain_transport,
    wrong_way_to_ollama,
)

LONGEST_OUTPUT = 64 * 1024
# What Ollama signs with here. It has 4096 tokens on this way, unless it was started with more, and
# drops the images first: status 200, and a page is read that no model has seen (tried, fb307609).
_OLLAMA = "fp_ollama"
_OLLAMAS_ERROR = r'"{\"error\":'  # it hands on its own server's JSON as a text
_LOOK_EVERY = 1000  # characters after which one asks whether the model goes in circles


# Called with all that a model has written so far, while it writes.
Hear = Callable[[str], None]


class UnusableOutput(Exception):
    """The model spoke, but not in a form that can be used; asking once more may help."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A bit of the answer. `reason` is set on the last one."""

    text: str
    reason: str | None = None


class ModelHost(Protocol):
    """A model somewhere. Threads may share it; engine objects are made for one feedback each."""

    config: EngineConfig

    def digest(self, until: float) -> str:
        """What the model is right now, "" if the server does not tell. Raise `EngineError`."""
        ...

    def engine(self, until: float, hear: Hear | None = None) -> Any:
        """A DSPy engine whose calls end at `until`, a reading of `time.monotonic()`."""
        ...


class _Engine:
    """What both engines share: the limits, and turning failures into ours."""

    supports_response_schema = True
    supported_params = frozenset({"temperature", "max_tokens", "seed", "response_format"})

    def __init__(
        self,
        config: EngineConfig,
        transport: httpx.BaseTransport,
        until: float,
        hear: Hear | None = None,
    ) -> None:
        self._config = config
        self._hear = hear
        self._transport = GuardedTransport(transport, Patience.of(config, until))

    def complete(self, request: lm15.Request) -> lm15.Response:
        """Raise `lm15.TransportError` whose cause is an `EngineError` or `UnusableOutput`."""
        try:
            # An answer that is not read to its end must be closed here, or its connection stays
            # open as long as an error somewhere remembers this frame.
            with contextlib.closing(self._pieces(request)) as pieces:
                text = _collected(pieces, self._hear)
        except UnusableOutput as error:
            raise lm15.TransportError("unusable output") from error
        except (EngineError, httpx.HTTPError, OSError, ValueError, ollama.ResponseError) as error:
            raise lm15.TransportError("no output") from self._meaning(error)
        return lm15.Response(
            id=None,
            model=request.model,
            message=lm15.Message.assistant(text),
            finish_reason="stop",
            usage=lm15.Usage(),
        )

    def _meaning(self, error: Exception) -> EngineError:
        if isinstance(error, ollama.ResponseError):
            return meaning_of_status(error.status_code, str(error.error), self._config)
        return meaning_of(error)

    def _pieces(self, request: lm15.Request) -> Generator[_Piece, None, None]:
        raise NotImplementedError


class OllamaEngine(_Engine):
    """`POST /api/chat` through the official client, constrained to the schema that is asked for."""

    def _pieces(self, request: lm15.Request) -> Generator[_Piece, None, None]:
        # Making a client is cheap when the transport is given and the environment left alone.
        headers = auth_headers(self._config)
        client = _WholeOrNothing(
            self._config.host, transport=self._transport, headers=headers, **CLIENT
        )
        stream = client.chat(
            model=self._config.model,
            messages=messages(request, for_ollama),
            stream=True,
            think=False,
            format=schema(request),
            options={**sampling(request, "num_predict"), "num_ctx": self._config.num_ctx},
            keep_alive=self._config.keep_alive,
        )
        with contextlib.closing(
            cast("Generator[ollama.ChatResponse, None, None]", stream)
        ) as parts:
            for part in parts:
                self._refuse_forgotten(part)
                reason = (part.done_reason or "stop") if part.done else None
                yield _Piece(part.message.content or "", reason)

    def _refuse_forgotten(self, part: ollama.ChatResponse) -> None:
        """Ollama 0.24 drops the middle of what does not fit into num_ctx, whatever one asks for:
        status 200, and a count that has reached num_ctx is the only sign (tried).
        """
        if (part.prompt_eval_count or 0) + (part.eval_count or 0) >= self._config.num_ctx:
            raise EngineRefused(RefusalReason.ANSWER_TOO_LONG)


class _WholeOrNothing(ollama.Client):
    """Asks that nothing is cut away, neither before the answer nor while it grows: a model that
    has forgotten the criteria does not judge.

    Later Ollama cuts to about half of num_ctx without a word (tried with commit fb307609), unless
    it is told these two, which its client has no parameters for.
    """

    def _request(self, *what: Any, **how: Any) -> Any:
        how["json"] |= {"truncate": False, "shift": False}
        return super()._request(*what, **how)


class OpenAICompatibleEngine(_Engine):
    """`POST /v1/chat/completions` as vLLM and llama.cpp understand it, as a stream of events."""

    def _pieces(self, request: lm15.Request) -> Generator[_Piece, None, None]:
        body = {
            "model": self._config.model,
            "messages": messages(request, for_openai),
            "stream": True,
            **sampling(request, "max_tokens"),
        }
        if (wanted := schema(request)) is not None:
            named = {"name": "feedback", "schema": wanted, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        headers = auth_headers(self._config)
        address = f"{base_url(self._config)}/v1/chat/completions"
        with (
            httpx.Client(transport=self._transport, headers=headers, **CLIENT) as client,
            client.stream("POST", address, json=body) as response,
        ):
            if not response.is_success:
                text = response.read().decode("utf-8", "replace")
                if _OLLAMAS_ERROR in text:
                    raise EngineMisconfigured("this is Ollama", wrong_way_to_ollama(self._config))
                raise meaning_of_status(response.status_code, text, self._config)
            yield from self._events(response.iter_lines())

    def _events(self, lines: Iterator[str]) -> Iterator[_Piece]:
        for line in lines:
            data = line.removeprefix("data:").strip()
            if not line.startswith("data:") or data == "[DONE]":
                continue
            event = json.loads(data)
            if "error" in event:
                raise meaning_of_status(500, str(event["error"]), self._config)
            if event.get("system_fingerprint") == _OLLAMA:
                raise EngineMisconfigured("this is Ollama", wrong_way_to_ollama(self._config))
            for choice in event.get("choices", []):
                text = (choice.get("delta") or {}).get("content") or ""
                yield _Piece(text, choice.get("finish_reason"))


class OllamaHost:
    """A model on an Ollama server."""

    def __init__(self, config: EngineConfig, transport: httpx.BaseTransport) -> None:
        self.config = config
        self._transport = transport

    def digest(self, until: float) -> str:
        there = listed_models(self.config, self._transport, until)
        name = tagged(self.config.model)
        if name not in there:
            raise model_is_missing(self.config)
        return there[name]

    def engine(self, until: float, hear: Hear | None = None) -> OllamaEngine:
        return OllamaEngine(self.config, self._transport, until, hear)


class OpenAICompatibleHost:
    """A model on any server with the OpenAI interface. Such servers tell no digest."""

    def __init__(self, config: EngineConfig, transport: httpx.BaseTransport) -> None:
        self.config = config
        self._transport = transport

    def digest(self, until: float) -> str:  # noqa: ARG002 - there is nothing to ask
        return ""

    def engine(self, until: float, hear: Hear | None = None) -> OpenAICompatibleEngine:
        return OpenAICompatibleEngine(self.config, self._transport, until, hear)


def model_host(config: EngineConfig, transport: httpx.BaseTransport | None = None) -> ModelHost:
    """The host that `config` describes. Without a transport a plain one is made, once, for all."""
    carrier = transport or plain_transport()
    if config.kind is EngineKind.OLLAMA:
        return OllamaHost(config, carrier)
    return OpenAICompatibleHost(config, carrier)


def _collected(pieces: Iterator[_Piece], hear: Hear | None) -> str:
    """The whole answer. Only one that ended by itself counts, and one that says something."""
    text, looked = "", 0
    for piece in pieces:
        text += piece.text
        if len(text) > LONGEST_OUTPUT:
            raise UnusableOutput("too long")
        if len(text) - looked >= _LOOK_EVERY:
            looked = len(text)
            if goes_in_circles(text):
                raise UnusableOutput("in circles")
        if hear is not None:
            hear(text)
        if piece.reason == "stop" and text.strip():
            return text
        if piece.reason is not None:
            raise UnusableOutput("empty" if piece.reason == "stop" else "cut off")
    # So Ollama ends an answer of the same token again and again (tried): in order, but unfinished.
    raise UnusableOutput("no end")
