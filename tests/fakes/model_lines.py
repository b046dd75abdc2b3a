"""What model servers send, line by line, when they are well and when they are not. Pure.

Shapes, status codes and sentences are those of Ollama 0.24, compared with one that really ran.
What concerns images, loading and repetition was read in Ollama's sources (commit fb307609):
* An image for a model without a projector is passed on to llama-server, whose 400 comes back with
  its whole JSON as the error's text.
* Of an image's tokens Ollama counts 768 to cut old messages.
* After 30 equal tokens in a row the stream ends with status 200 and no last line (`tokenRepeat`).
* What does not fit into num_ctx is cut to about half of it, without a word, unless the request says
  `truncate: false`: then it is the 400 about the context size (a built commit fb307609, which ran
  with a tiny model of random weights). Ollama 0.24 cut it to num_ctx and knew no `truncate`.
* `keep_alive: 0` unloads after the answer; another `num_ctx` loads the same model anew;
  `load_duration` tells how long that took.
"""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from tests.fakes.model_words import Asked, Speaker

CREATED = "2026-11-23T08:00:00.000000Z"


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
    LOOPS = "the same words again and again, up to the limit"
    GIVES_UP = "the same token thirty times, and no last line"


STATUS: dict[Mode, tuple[int, str]] = {
    Mode.ERROR_500: (500, "llama runner process has terminated: exit status 2"),
    Mode.ERROR_503: (503, "server busy, please try again. maximum pending requests exceeded"),
    Mode.BUSY: (429, "too many requests"),
    Mode.BAD_OPTION: (400, "invalid option provided"),
    Mode.NO_MEMORY: (
        500,
        "model requires more system memory (9.6 GiB) than is available (3.1 GiB)",
    ),
}


def _outcome(asked: Asked, mode: Mode, says: Speaker) -> tuple[list[str], str]:
    """The words in pieces of a few letters, as tokens are, and why they end."""
    if mode in (Mode.EMPTY, Mode.ONLY_THINKING):
        return [], "stop"
    text = says(asked)
    words = [text[at : at + 4] for at in range(0, len(text), 4)]
    if mode is Mode.CUT_OFF:
        return words, "length"
    if mode is Mode.LOOPS:
        return ['{"lines": ["', *['Ich soll lesen.", "'] * (asked.limit or 4000)], "length"
    if mode is Mode.FLOOD:
        return ["viel zu viel " * 100] * 100, "stop"
    if asked.limit is not None and len(words) > asked.limit:
        return words[: asked.limit], "length"
    return words, "stop"


def lines(asked: Asked, mode: Mode, says: Speaker, letters_per_token: int) -> Iterator[bytes]:
    """The answer as a stream of lines, as long as the mode lets it go."""
    words, reason = _outcome(asked, mode, says)
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
        counts = _counts(asked, len(words), letters_per_token)
        yield json.dumps(_ollama_line(asked, "", reason) | counts).encode() + b"\n"
    else:
        yield _line(asked, "", reason)
        yield b"data: [DONE]\n\n"


def whole(asked: Asked, mode: Mode, says: Speaker, letters_per_token: int) -> dict[str, Any]:
    """The answer in one piece, for those who do not want a stream."""
    words, reason = _outcome(asked, mode, says)
    if asked.path == "/api/chat":
        counts = _counts(asked, len(words), letters_per_token)
        return _ollama_line(asked, "".join(words), reason) | counts
    usage = {
        "prompt_tokens": len(asked.prompt) // letters_per_token,
        "completion_tokens": len(words),
    }
    usage["total_tokens"] = sum(usage.values())
    message = {"role": "assistant", "content": "".join(words)}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    head = {"object": "chat.completion", **_openai_head(asked)}
    return {**head, "choices": [choice], "usage": usage}


_BREAKS = (Mode.STALLED, Mode.DIES, Mode.HALF_LINE, Mode.NO_MEMORY_LATE, Mode.GIVES_UP)


def _break(asked: Asked, mode: Mode) -> Iterator[bytes]:
    if mode is Mode.GIVES_UP:
        yield from [_line(asked, "\n", None)] * 30
    elif mode is Mode.HALF_LINE:
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
    line = {"model": asked.model, "created_at": CREATED, "message": message, "done": bool(reason)}
    return line | ({"done_reason": reason} if reason else {})


def _counts(asked: Asked, said: int, letters_per_token: int) -> dict[str, int]:
    """What the last line counts. A prompt that does not fit is cut without a word."""
    tokens, context = _tokens(asked, letters_per_token), _context(asked)
    read = tokens if tokens <= context else context if asked.older else context // 2 + 2
    times = dict.fromkeys(("total_duration", "prompt_eval_duration"), 1_000_000)
    times["load_duration"] = asked.load
    return {**times, "prompt_eval_count": read, "eval_count": said, "eval_duration": 1_000_000}


IMAGE_TOKENS = 768


def _tokens(asked: Asked, letters_per_token: int) -> int:
    return len(asked.prompt) // letters_per_token + IMAGE_TOKENS * len(asked.images)


def _context(asked: Asked) -> int:
    context = (asked.body.get("options") or {}).get("num_ctx", 4096)
    return context if isinstance(context, int) else 4096


def refusal_of(asked: Asked, letters_per_token: int, *, sees: bool) -> tuple[int, str] | None:
    """What Ollama says to a request it does not understand; some of it with a 500."""
    if (trouble := _refused_by_llama(asked, letters_per_token, sees=sees)) is not None:
        return 400, trouble
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


_BLIND = "Multimodal data provided, but model does not support multimodal requests."
_OVERFULL = (
    "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it"
)


def _refused_by_llama(asked: Asked, letters_per_token: int, *, sees: bool) -> str | None:
    """llama-server's own JSON, which Ollama hands on as a text."""
    must_fit = asked.body.get("truncate") is False and not asked.older
    if asked.images and not sees:
        message, kind = _BLIND, "invalid_request_error"
    elif IMAGE_TOKENS * len(asked.images) >= _context(asked) or (
        must_fit and _tokens(asked, letters_per_token) > _context(asked)
    ):
        message, kind = _OVERFULL, "exceed_context_size_error"
    else:
        return None
    return json.dumps({"error": {"code": 400, "message": message, "type": kind}})


_SCHEMA_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")


DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "12.2B",
    "quantization_level": "Q4_K_M",
}


def tag(name: str, digest: str) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": CREATED,
        "size": 8_149_190_253,
        "digest": digest,
        "details": DETAILS,
    }
