"""Makes engines and readers from their configuration. For the process that works: a web process
needs none.
"""

from typing import TYPE_CHECKING

from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import FeedbackEngine, PageReader

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


def build_reader(
    config: EngineConfig, transport: "httpx.BaseTransport | None" = None
) -> PageReader | None:
    """The reader on the model that `config` names; None without a model, or with a blind one."""
    if config.kind is EngineKind.LEXICAL or not config.sees:
        return None
    from feedback_engine.models import model_host  # noqa: PLC0415 - see above
    from feedback_engine.transcribe import VisionReader  # noqa: PLC0415 - see above

    return VisionReader(model_host(config, transport), config)
