"""Sets of settings that belong together: which models a school runs, and how they are used.

A profile fills in what is not set. Every one of its values is a knob of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

Name = Literal["zwei-modelle", "ein-modell", "vllm"]
Engine = Literal["ollama", "openai", "lexical"]

NO_READER = "none"  # as GUSTAV_READING_MODEL: pupils type what is on the sheet


@dataclass(frozen=True)
class Profile:
    """Values of the settings of the same names."""

    engine: Engine
    model_host: str
    model_name: str
    model_sees: bool
    reading_model: str
    model_slots: tuple[int, ...]
    model_context: int
    keep_alive: str
    image_size: int


# For one graphics card with 16 GB: each model fits alone, and Ollama swaps them.
_TWO = Profile(
    engine="ollama",
    model_host="http://127.0.0.1:11434",
    model_name="gemma3:12b-it-q8_0",
    model_sees=True,
    reading_model="qwen2.5vl:7b-q8_0",
    model_slots=(2,),
    model_context=8192,
    keep_alive="30m",
    image_size=1600,
)
# For the same card: nothing is swapped, and four slots have room beside the model.
_ONE = Profile(
    engine="ollama",
    model_host="http://127.0.0.1:11434",
    model_name="gemma4:12b-it-qat",
    model_sees=True,
    reading_model="gemma4:12b-it-qat",
    model_slots=(4,),
    model_context=8192,
    keep_alive="30m",
    image_size=1600,
)
_VLLM = Profile(
    engine="openai",
    model_host="http://127.0.0.1:8000",
    model_name="Qwen/Qwen2.5-VL-7B-Instruct",
    model_sees=True,
    reading_model="Qwen/Qwen2.5-VL-7B-Instruct",
    model_slots=(8,),
    model_context=8192,
    keep_alive="30m",
    image_size=1600,
)
PROFILES: dict[Name, Profile] = {"zwei-modelle": _TWO, "ein-modell": _ONE, "vllm": _VLLM}
DEFAULT: Name = "zwei-modelle"


def filled_in(given: Mapping[str, object]) -> dict[str, object]:
    """The values that are given, and those of their profile for what is not.

    A profile's reader is one for its own kind of server. Of a model that is not the profile's own
    it is not known whether it sees: unless it is told, only the one that reads does.
    """
    named = given.get("model_profile", DEFAULT)
    profile = next((one for name, one in PROFILES.items() if name == named), None)
    if profile is None:
        return dict(given)  # the field itself says which there are
    values: dict[str, object] = {**asdict(profile), **given}
    if values["engine"] != profile.engine and "reading_model" not in given:
        values["reading_model"] = NO_READER
    if values["model_name"] != profile.model_name and "model_sees" not in given:
        values["model_sees"] = values["model_name"] == values["reading_model"]
    return values
