"""Which models a host has. For `gustav doctor`, the start of a worker and the digest of a result.

Loads no DSPy.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
import ollama

from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.errors import EngineError, EngineMisconfigured
from feedback_engine.wire import (
    BLIND_MODEL,
    CLIENT,
    GuardedTransport,
    Patience,
    auth_headers,
    base_url,
    exchanged_model,
    meaning_of,
    meaning_of_status,
    missing_model,
    plain_transport,
    wrong_way_to_ollama,
)

_PATIENCE = 10.0
_OLLAMA = "library"  # whose models Ollama says they are, in OpenAI's protocol


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """What an operator wants to know. `digests` has every wanted model that is there.

    `what_to_do` are German sentences, empty if all is well.
    """

    reachable: bool
    digests: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    what_to_do: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.what_to_do


def check_models(
    config: EngineConfig,
    models: Sequence[str] = (),
    transport: httpx.BaseTransport | None = None,
) -> ModelHealth:
    """Look, within ten seconds, whether the host answers and has `models` (or `config.model`)."""
    if config.kind is EngineKind.LEXICAL:
        return ModelHealth(reachable=True)
    try:
        there = listed_models(config, transport or plain_transport(), time.monotonic() + _PATIENCE)
    except EngineMisconfigured as error:
        return ModelHealth(reachable=True, what_to_do=(error.what_to_do,))
    except EngineError:
        silence = f"Der Modell-Server unter {config.host} antwortet nicht. Läuft er?"
        return ModelHealth(reachable=False, what_to_do=(silence,))
    wanted = list(dict.fromkeys(models or [config.model]))
    names = {model: (model, tagged(model)) for model in wanted}
    digests = {m: there[n] for m, both in names.items() for n in both if n in there}
    missing = tuple(model for model in wanted if model not in digests)
    advice = [missing_model(config, model) for model in missing]
    advice += [said for model in digests for said in _unfit(config, model, transport)]
    if config.model in digests and not config.approves(digests[config.model]):
        advice.append(exchanged_model(config, digests[config.model]))
    return ModelHealth(True, digests, missing, tuple(advice))


def _unfit(
    config: EngineConfig, model: str, transport: httpx.BaseTransport | None
) -> Iterator[str]:
    """What a model on Ollama cannot do that it is wanted for; other servers do not tell."""
    if config.kind is not EngineKind.OLLAMA:
        return
    patience = Patience.of(config, time.monotonic() + _PATIENCE)
    guarded = GuardedTransport(transport or plain_transport(), patience)
    headers = auth_headers(config)
    client = ollama.Client(config.host, transport=guarded, headers=headers, **CLIENT)
    try:
        shown = client.show(model)
    except (ollama.ResponseError, EngineError, httpx.HTTPError, OSError, ValueError):
        return  # it answered a moment ago; whoever works with it will say what is the matter
    if config.sees and "vision" not in (shown.capabilities or ["vision"]):
        yield BLIND_MODEL.format(model=model)
    known = shown.modelinfo or {}
    longest = known.get(f"{known.get('general.architecture')}.context_length")
    if isinstance(longest, int) and longest < config.num_ctx:
        yield (
            f"Das Modell {model} fasst nur {longest} Tokens, eingestellt sind {config.num_ctx}. "
            "Bitte GUSTAV_MODEL_CONTEXT oder GUSTAV_IMAGE_SIZE verkleinern."
        )


def listed_models(
    config: EngineConfig, transport: httpx.BaseTransport, until: float
) -> dict[str, str]:
    """The digests of a host's models by full name, "" if it tells none. Raise `EngineError`."""
    guarded = GuardedTransport(transport, Patience.of(config, until))
    try:
        if config.kind is EngineKind.OLLAMA:
            client = ollama.Client(
                config.host, transport=guarded, headers=auth_headers(config), **CLIENT
            )
            listed = client.list().models
            return {tagged(m.model or ""): m.digest or "" for m in listed}
        with httpx.Client(transport=guarded, headers=auth_headers(config), **CLIENT) as http:
            answer = http.get(f"{base_url(config)}/v1/models")
            answer.raise_for_status()
            told = answer.json()["data"]
            if any(model.get("owned_by") == _OLLAMA for model in told):
                raise EngineMisconfigured("this is Ollama", wrong_way_to_ollama(config))
            return {str(model["id"]): "" for model in told}
    except ollama.ResponseError as error:
        raise meaning_of_status(error.status_code, "", config) from None
    except httpx.HTTPStatusError as error:
        raise meaning_of_status(error.response.status_code, "", config) from None
    except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
        raise meaning_of(error) from None


def tagged(model: str) -> str:
    """The full name: Ollama lists "gemma" as "gemma:latest", on its OpenAI side too."""
    return model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"
