"""What a patient model would say: something that fits the schema and quotes the pupil."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_ANSWER = re.compile(
    r"\[\[ ## answer ## \]\]\n(.*?)"
    r"(?=\n\n\[\[ ## |\n\n(?:Ende des Materials|End of the material)|\Z)",
    re.DOTALL,
)
_SENTENCE = re.compile(r"[^.!?\n]{4,}")


@dataclass(frozen=True)
class Asked:
    """One request to chat, as the host received it."""

    path: str
    model: str
    messages: tuple[tuple[str, str], ...]
    schema: dict[str, Any] | None
    limit: int | None
    headers: dict[str, str] = field(repr=False)
    body: dict[str, Any] = field(repr=False)
    images: tuple[bytes, ...] = field(default=(), repr=False)
    load: int = 1_000_000  # nanoseconds until the model was in memory
    letters_per_token: int = 4
    sees: bool = True  # the model, as far as it is known
    older: bool = False  # as Ollama 0.24, which cuts what does not fit whatever one asks for
    is_ollama: bool = True  # and not llama-server alone, behind OpenAI's protocol
    trained: int = 131_072  # tokens that the model was made for

    @property
    def prompt(self) -> str:
        return "\n".join(text for _, text in self.messages)

    @property
    def answer(self) -> str:
        """The pupil's text in the prompt, "" if there is none."""
        found = _ANSWER.search(self.prompt)
        return found[1].strip() if found else ""

    @property
    def is_german(self) -> bool:
        return "Schreibe Deutsch" in self.prompt or "Antworte nur" in self.prompt

    @property
    def is_judging(self) -> bool:
        return "judgement" in (self.schema or {}).get("properties", {})

    @property
    def is_reading(self) -> bool:
        return "lines" in (self.schema or {}).get("properties", {})


Speaker = Callable[[Asked], str]


def fitting_answer(asked: Asked) -> str:
    """What a patient model would say: valid for the schema, quoting the pupil, in the language."""
    if asked.schema is None:
        return "Gut." if asked.is_german else "Good."
    return json.dumps(_fitting(asked.schema, asked.schema, "", asked), ensure_ascii=False)


def _fitting(schema: dict[str, Any], root: dict[str, Any], name: str, asked: Asked) -> Any:
    """A value for the part `schema` of the schema `root`; `name` is the property it is for."""
    kind = next((key for key in _WRITERS if key in schema), schema.get("type", "string"))
    write = _WRITERS.get(kind, _BY_TYPE.get(kind, _simple))
    return write(schema, root, name, asked)


def _referred(schema: dict[str, Any], root: dict[str, Any], name: str, asked: Asked) -> Any:
    target: Any = root
    for step in schema["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return _fitting(target, root, name, asked)


def _object(schema: dict[str, Any], root: dict[str, Any], name: str, asked: Asked) -> Any:
    parts = schema.get("properties", {})
    return {key: _fitting(part, root, key, asked) for key, part in parts.items()}


def _array(schema: dict[str, Any], root: dict[str, Any], name: str, asked: Asked) -> Any:
    count = max(1, schema.get("minItems", 1))
    return [_fitting(schema["items"], root, name, asked) for _ in range(count)]


def _simple(schema: dict[str, Any], root: dict[str, Any], name: str, asked: Asked) -> Any:
    values = {
        "integer": schema.get("minimum", 0),
        "number": schema.get("minimum", 0.0),
        "boolean": True,
        "null": None,
    }
    return values.get(schema.get("type", "string"), _text(name, asked))


_WRITERS: dict[str, Callable[..., Any]] = {
    "$ref": _referred,
    "const": lambda schema, *_: schema["const"],
    "enum": lambda schema, *_: schema["enum"][len(schema["enum"]) // 2],
    "anyOf": lambda schema, *rest: _fitting(schema["anyOf"][0], *rest),
}
_BY_TYPE: dict[str, Callable[..., Any]] = {"object": _object, "array": _array}


def _text(name: str, asked: Asked) -> str:
    if name == "quote":
        sentences: list[str] = _SENTENCE.findall(asked.answer)
        return max(sentences, key=len, default="").strip()
    german, english = _SAYINGS.get(name, ("Das ist dir gelungen.", "You have done this well."))
    return german if asked.is_german else english


_SAYINGS = {
    "lines": (
        "Die Pflanze(?) braucht Licht, weil es die Energie liefert.",
        "The plant(?) needs light because it brings the energy.",
    ),
    "drawings": ("Eine Pflanze im Topf, beschriftet.", "A plant in a pot, labelled."),
    "reason": (
        "Du sagst das an dieser Stelle schon mit eigenen Worten.",
        "You say this here in your own words already.",
    ),
    "strengths": (
        "Du hast dich auf die Aufgabe eingelassen und schreibst mit eigenen Worten.",
        "You have worked on the task and you write in your own words.",
    ),
    "next_step": (
        "Lies deinen Text noch einmal und prüfe, ob jemand anderes deinen Gedanken folgen kann.",
        "Read your text once more and check whether somebody else can follow your thoughts.",
    ),
    "question": (
        "Woran würdest du merken, dass deine Erklärung nicht stimmt?",
        "How would you notice that your explanation is not right?",
    ),
}


def read_request(path: str, body: dict[str, Any], headers: dict[str, str]) -> Asked:
    if path == "/api/chat":
        wanted, limit = body.get("format"), (body.get("options") or {}).get("num_predict")
    else:
        wanted = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
        limit = body.get("max_tokens")
    given = body.get("messages", [])
    messages = tuple((m["role"], _text_of(m["content"])) for m in given)
    images = tuple(image for m in given for image in _images_of(m))
    schema = wanted if isinstance(wanted, dict) else None
    return Asked(path, body.get("model", ""), messages, schema, limit, headers, body, images)


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def _images_of(message: dict[str, Any]) -> list[bytes]:
    """Ollama takes bare base64 beside the text, OpenAI's protocol data addresses within it."""
    coded = list(message.get("images") or [])
    if not isinstance(message["content"], str):
        parts = (part for part in message["content"] if part["type"] == "image_url")
        coded += [part["image_url"]["url"].split(";base64,")[1] for part in parts]
    return [base64.b64decode(image, validate=True) for image in coded]
