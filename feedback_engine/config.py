"""How an engine is reached: plain values for the host's settings. Reads no environment."""

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

    `timeout` is the wall-clock limit for one feedback with all its calls, `first_token` the
    patience for loading the model and reading the prompt, `idle` the patience between two tokens.
    `sees`: the model takes images.
    `digest` pins the model: with another one under the same name no feedback is given (ATK-125).
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
    api_key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.kind is not EngineKind.LEXICAL and not (self.host and self.model):
            raise ValueError("a model needs a host and a name")
        if self.num_ctx <= 2 * self.max_output:
            raise ValueError("num_ctx must be more than twice max_output")
