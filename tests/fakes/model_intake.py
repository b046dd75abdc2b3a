"""What a model server takes of a request, what that costs, and what it says to the rest. Pure.

Seen at Ollama, commit fb307609 with llama-server 0c1e570, as it really ran with tiny models of
random weights, one of Qwen2.5-VL's and one of Gemma 3's shape, each with a projector of its own:
* An image costs what its model's shape says (`image_tokens`), and `prompt_eval_count` has it.
* Whatever one asks for, Ollama answers 400 to a message with images that fills num_ctx, and cuts
  nothing; a prompt of exactly num_ctx tokens is one too many. It gives models that see 2048 at
  least.
* What is no picture is a 400 about loading. Half a picture is read without a word. PNG, GIF and
  WebP are taken as well, and 400 megapixels of white; 900 are not.
* Its errors carry llama-server's whole JSON as a text, over both protocols; llama-server alone
  says the same in its own words.
* Over /v1/chat/completions each image is a message of its own before the text, num_ctx is 4096
  unless the server was started with another, and `truncate` is not to be had: messages are left
  out from the front until all fits, an image counted as 768. A page vanishes so, with status 200.
Of text, read or tried before: without `truncate: false` it is cut to about half of num_ctx; Ollama
0.24, whose images nobody has seen, cut it to num_ctx and knew no `truncate`.
"""

import io
import json
import math
from dataclasses import replace

from PIL import Image, UnidentifiedImageError

from tests.fakes.model_words import Asked

DEFAULT_CONTEXT = 4096
_LEAST_CONTEXT = 2048  # of models that see
_GUESSED = 768  # tokens for an image, when old messages are left out
_PATCH = 28
_AROUND = 3  # tokens before and behind an image


def image_tokens(image: bytes, model: str) -> int:
    """Qwen takes images in patches, between 1024 and 4096 of them, Gemma 3 all in 256 tokens."""
    if not model.startswith("qwen"):
        return 256 + _AROUND
    with Image.open(io.BytesIO(image)) as picture:
        width, height = picture.size
    across, down = (max(1, round(side / _PATCH)) for side in (width, height))
    if across * down < 1024:
        scale = math.sqrt(1024 / (width * height))
        across, down = math.ceil(width * scale), math.ceil(height * scale)
    elif across * down > 4096:
        scale = math.sqrt(4096 / (width * height))
        across, down = (max(1, math.floor(side * scale)) for side in (width, height))
    return across * down + _AROUND


def context_of(asked: Asked) -> int:
    """The tokens that there is room for."""
    if asked.path != "/api/chat":
        return DEFAULT_CONTEXT if asked.is_ollama else asked.trained
    context = (asked.body.get("options") or {}).get("num_ctx", DEFAULT_CONTEXT)
    least = _LEAST_CONTEXT if asked.sees else 4
    return max(least, context) if isinstance(context, int) else DEFAULT_CONTEXT


def as_it_arrives(asked: Asked) -> Asked:
    """The request without the images that Ollama leaves out over OpenAI's protocol."""
    if asked.path == "/api/chat" or not asked.is_ollama:
        return asked
    guessed = _text_tokens(asked) + _GUESSED * len(asked.images)
    return replace(asked, images=()) if guessed > context_of(asked) else asked


def prompt_tokens(asked: Asked) -> int:
    """What is counted as read. A text that does not fit is cut without a word."""
    tokens, context = _tokens(asked), context_of(asked)
    if tokens < context:
        return tokens
    return context if asked.older else context // 2 + 2


def refusal_of(asked: Asked) -> tuple[int, str] | None:
    """What a server says to a request it does not understand; some of it with a 500."""
    if (trouble := _refused_by_llama(asked)) is not None:
        return trouble
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
_BLIND = "Multimodal data provided, but model does not support multimodal requests."
_BLIND_ALONE = (
    "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
)
_NO_PICTURE = "Failed to load image or audio file"


def _refused_by_llama(asked: Asked) -> tuple[int, str] | None:
    kind, counts = "invalid_request_error", {}
    if asked.images and not asked.sees:
        if not asked.is_ollama:
            return 500, _BLIND_ALONE
        message = _BLIND
    elif not all(_is_picture(image) for image in asked.images):
        message = _NO_PICTURE
    elif _tokens(asked) >= context_of(asked) and _must_fit(asked):
        counts = {"n_prompt_tokens": _tokens(asked), "n_ctx": context_of(asked)}
        message = (
            f"request ({_tokens(asked)} tokens) exceeds the available context size "
            f"({context_of(asked)} tokens), try increasing it"
        )
        kind = "exceed_context_size_error"
    else:
        return None
    return _in_llamas_words(asked, message, kind, counts)


def no_picture(asked: Asked) -> tuple[int, str]:
    """What is said to a kind of picture that cannot be opened."""
    return _in_llamas_words(asked, _NO_PICTURE, "invalid_request_error", {})


def _in_llamas_words(
    asked: Asked, message: str, kind: str, counts: dict[str, int]
) -> tuple[int, str]:
    if not asked.is_ollama:
        return 400, message
    return 400, json.dumps({"error": {"code": 400, "message": message, "type": kind, **counts}})


def _must_fit(asked: Asked) -> bool:
    if asked.images or not asked.is_ollama:
        return True
    return asked.body.get("truncate") is False and not asked.older and asked.path == "/api/chat"


def _is_picture(image: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(image)):
            return True
    except UnidentifiedImageError:
        return False


def _text_tokens(asked: Asked) -> int:
    return len(asked.prompt) // asked.letters_per_token


def _tokens(asked: Asked) -> int:
    return _text_tokens(asked) + sum(image_tokens(image, asked.model) for image in asked.images)
