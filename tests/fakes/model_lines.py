"""What model servers send, line by line, when they are well and when they are not. Pure.

Shapes, status codes and sentences are those of Ollama 0.24, compared with one that really ran, and
of commit fb307609, which ran with tiny models of random weights:
* After 30 equal tokens in a row Ollama ends the stream with status 200 and no last line, over both
  protocols.
* `keep_alive: 0` unloads after the answer; another `num_ctx` loads the same model anew;
  `load_duration` tells how long that took.
* An error before the first word has its status, later it is a line of the stream.
What it does with images and with too much text is told in `model_intake`.
"""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from tests.fakes.model_intake import prompt_tokens
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
    NO_PICTURE = "a kind of picture that it cannot open"
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


def lines(asked: Asked, mode: Mode, says: Speaker) -> Iterator[bytes]:
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
        counts = _counts(asked, len(words))
        yield json.dumps(_ollama_line(asked, "", reason) | counts).encode() + b"\n"
    else:
        yield _line(asked, "", reason)
        yield b"data: [DONE]\n\n"


def whole(asked: Asked, mode: Mode, says: Speaker) -> dict[str, Any]:
    """The answer in one piece, for those who do not want a stream."""
    words, reason = _outcome(asked, mode, says)
    if asked.path == "/api/chat":
        counts = _counts(asked, len(words))
        return _ollama_line(asked, "".join(words), reason) | counts
    usage = {"prompt_tokens": prompt_tokens(asked), "completion_tokens": len(words)}
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
    return head | {"system_fingerprint": "fp_ollama" if asked.is_ollama else "b1-0c1e570"}


def _ollama_line(asked: Asked, text: str, reason: str | None) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    line = {"model": asked.model, "created_at": CREATED, "message": message, "done": bool(reason)}
    return line | ({"done_reason": reason} if reason else {})


def _counts(asked: Asked, said: int) -> dict[str, int]:
    """What the last line counts."""
    read = prompt_tokens(asked)
    times = dict.fromkeys(("total_duration", "prompt_eval_duration"), 1_000_000)
    times["load_duration"] = asked.load
    return {**times, "prompt_eval_count": read, "eval_count": said, "eval_duration": 1_000_000}


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
