"""How an engine is reached: plain values for the host's settings. Reads no environment."""

import math
from dataclasses import dataclass, field
from enum import StrEnum


class EngineKind(StrEnum):
    """OPENAI is any server that speaks `/v1/chat/completions`: vLLM, llama.cpp and others."""

    OLLAMA = "ollama"
    OPENAI = "openai"
    LEXICAL = "lexical"


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """One model on one host. Times in seconds, sizes in tokens.

    `timeout` is the wall-clock limit for one page, and for one feedback of ordinary length with all
    its calls (`time_for` gives more to longer ones), `first_token` the
    patience for loading the model and reading the prompt, `idle` the patience between two tokens.
    `sees`: the model takes images, of `image_size` pixels along their longer edge at most.
    `digest` pins the model, by its beginning or the whole of it: with another one under the same
    name nothing is judged or read, nor with one whose host does not tell (ATK-125).
    """

    kind: EngineKind = EngineKind.LEXICAL
    host: str = ""
    model: str = ""
    timeout: float = 180.0
    first_token: float = 120.0
    idle: float = 20.0
    connect: float = 3.0
    num_ctx: int = 8192
    max_output: int = 2000
    keep_alive: str = "30m"
    seed: int = 7
    digest: str = ""
    sees: bool = False
    image_size: int = 1600
    api_key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.kind is not EngineKind.LEXICAL and not (self.host and self.model):
            raise ValueError("a model needs a host and a name")
        if self.num_ctx <= 2 * self.max_output:
            raise ValueError("num_ctx must be more than twice max_output")

    def approves(self, digest: str) -> bool:
        """Whether the model that a host has under this name may be asked."""
        return digest.removeprefix("sha256:").startswith(self.digest)


MOST_TIME = 3.0  # so many times `timeout` the longest feedback may take
_ORDINARY = 4000  # letters: an answer of a page, and four criteria
_CRITERION = 500  # letters of an answer that cost as much time as one more criterion


def time_for(config: EngineConfig, answer: str, criteria: int) -> float:
    """Seconds for one feedback, by the clock on the wall: a slow drip has no more than silence."""
    length = len(answer) + _CRITERION * criteria
    return config.timeout * min(MOST_TIME, max(1.0, length / _ORDINARY))


READING_OUTPUT = 3000  # tokens: a page filled by hand takes about 600, a printed one 1800
_INSTRUCTIONS = 1000


# Ollama makes small images larger for Qwen, to 1024 tokens at least and then whole rows: 1083 were
# the most for a shape that pages have (tried, fb307609).
_SMALL_IMAGE = 1120
_AROUND_IMAGE = 3  # tokens that say where it begins and ends


def image_tokens(image_size: int) -> int:
    """What an image costs at most: a token for 28 x 28 pixels, as Qwen2.5-VL counts; models
    with a fixed price (Gemma 3: 256) cost less."""
    return max(_SMALL_IMAGE, math.ceil(image_size / 28) ** 2 + _AROUND_IMAGE)


def reading_context(image_size: int) -> int:
    """The num_ctx for reading one page. It follows from the settings and not from each page, as
    Ollama loads a model anew whenever num_ctx changes."""
    needed = READING_OUTPUT + max(READING_OUTPUT, image_tokens(image_size)) + _INSTRUCTIONS
    return math.ceil(needed / 1024) * 1024
