"""How a DSPy request is put into the words of Ollama's and of OpenAI's protocol. Pure."""

import base64
from collections.abc import Callable
from typing import Any

from dspy import lm15


def messages(
    request: lm15.Request, shaped: Callable[[str, list[bytes]], dict[str, Any]]
) -> list[dict[str, Any]]:
    """All that is said, each message `shaped` as its protocol has text and images."""
    system = request.system or ""
    text = system if isinstance(system, str) else "".join(part.text for part in system)
    spoken = [{"role": m.role, **shaped(_text(m), _images(m))} for m in request.messages]
    return [{"role": "system", "content": text}, *spoken] if text else spoken


def _text(message: lm15.Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, lm15.TextPart))


def _images(message: lm15.Message) -> list[bytes]:
    parts = (part for part in message.parts if isinstance(part, lm15.ImagePart))
    return [base64.b64decode(part.data) for part in parts]


def for_ollama(text: str, images: list[bytes]) -> dict[str, Any]:
    """Bytes, because the client takes a string for the name of a file, if there is such a file."""
    return {"content": text, **({"images": images} if images else {})}


def for_openai(text: str, images: list[bytes]) -> dict[str, Any]:
    """Images as data addresses, before the text."""
    if not images:
        return {"content": text}
    addresses = (f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" for jpeg in images)
    shown = [{"type": "image_url", "image_url": {"url": address}} for address in addresses]
    return {"content": [*shown, {"type": "text", "text": text}]}


def schema(request: lm15.Request) -> dict[str, Any] | None:
    """The JSON schema that an answer has to fit, None if any will do."""
    wanted = request.config.response_format
    return None if wanted is None else wanted.get("schema")


def sampling(request: lm15.Request, limit_name: str) -> dict[str, Any]:
    """How the answer is drawn; `limit_name` is the protocol's word for the most tokens."""
    config = request.config
    chosen = {
        "temperature": config.temperature,
        "seed": config.seed,
        limit_name: config.max_tokens,
    }
    return {name: value for name, value in chosen.items() if value is not None}
