"""Makes an engine from its configuration. For the process that works; a web process needs none."""

from typing import TYPE_CHECKING

from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import FeedbackEngine

if TYPE_CHECKING:
    import httpx


def build_engine(
    config: EngineConfig, transport: "httpx.BaseTransport | None" = None
) -> FeedbackEngine:
    """The engine that `config.kind` names. `transport` is the host's own way out, if it has one.

    Model libraries are imported only when a model is asked for: the model-free engine starts
    without them.
    """
    if config.kind is EngineKind.LEXICAL:
        from feedback_engine.lexical import LexicalEngine  # noqa: PLC0415 - see above

        return LexicalEngine()
    from feedback_engine.engine import DspyEngine  # noqa: PLC0415 - see above
    from feedback_engine.models import model_host  # noqa: PLC0415 - see above

    return DspyEngine(model_host(config, transport), config)
