"""How a signature becomes a prompt, and an answer becomes fields: plainly out, strictly in.

DSPy's own JSON adapter repairs broken answers until they parse and expands markers in a pupil's
text into message parts. Neither is wanted here, so both directions are written out.
"""

import base64
import json
from typing import Any

import dspy
from dspy.utils.exceptions import LMError

from feedback_engine.contract import FeedbackRequest
from feedback_engine.errors import EngineError, EngineFailed
from feedback_engine.models import UnusableOutput
from feedback_engine.showing import section

_REMINDER = {
    "de": "Ende des Materials. Antworte nur mit dem JSON-Objekt.",
    "en": "End of the material. Answer with the JSON object only.",
}


def ask(signature: Any, fields: dict[str, str], sampling: dict[str, object]) -> Any:
    """Put one question to the model of the current DSPy context.

    Raise `UnusableOutput` or an `EngineError`: whatever our engine object gave to DSPy as the cause
    of its own error. DSPy's errors go no further.
    """
    try:
        return dspy.Predict(signature)(**fields, config=sampling)
    except LMError as error:
        raise cause_of(error) from None


def cause_of(error: BaseException) -> Exception:
    """What our engine object meant by an error that DSPy or its protocol has wrapped."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, EngineError | UnusableOutput):
            return cause
        cause = cause.__cause__
    return EngineFailed(f"DSPy gave up ({type(error).__name__})")


class PlainAdapter(dspy.JSONAdapter):  # type: ignore[misc]  # DSPy ships no types
    """The instructions as system message, the inputs as named sections of one user message."""

    def __init__(self, request: FeedbackRequest) -> None:
        super().__init__(use_native_function_calling=False)
        self._language = request.language
        self._drawings = section(request)
        self._images = [_image(page.jpeg) for page in request.images]

    def format(
        self,
        signature: Any,
        demos: Any,  # noqa: ARG002 - there are none: examples would be other pupils' work
        inputs: dict[str, str],
    ) -> list[dict[str, Any]]:
        """Two messages. Every input is a string that has been neutralised before."""
        sections = [f"[[ ## {name} ## ]]\n{inputs[name]}" for name in signature.input_fields]
        sections += [f"[[ ## drawings ## ]]\n{self._drawings}"] if self._drawings else []
        text = "\n\n".join([*sections, _REMINDER[self._language]])
        spoken: Any = [*self._images, {"type": "text", "text": text}] if self._images else text
        return [
            {"role": "system", "content": signature.instructions},
            {"role": "user", "content": spoken},
        ]

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        """The answer's top-level fields, values unchecked. Raise `UnusableOutput`."""
        fields = read_object(completion)
        if not set(signature.output_fields) <= set(fields):
            raise UnusableOutput("fields are missing")
        return {name: fields[name] for name in signature.output_fields}


def _image(jpeg: bytes) -> dict[str, Any]:
    address = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return {"type": "image_url", "image_url": {"url": address}}


def read_object(text: str) -> dict[str, Any]:
    """One JSON object and nothing else, perhaps in a code fence. Raise `UnusableOutput`.

    Without a cause, as the decoder's error carries the text. RecursionError is what deep nesting
    ends in.
    """
    body = text.strip()
    if body.startswith("```") and body.endswith("```"):
        body = body.strip("`").removeprefix("json")
    try:
        found = json.loads(body, object_pairs_hook=_distinct)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise UnusableOutput("not JSON") from None
    if not isinstance(found, dict):
        raise UnusableOutput("not an object")
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)
