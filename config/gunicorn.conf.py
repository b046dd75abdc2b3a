# ruff: noqa: N999  # the name is gunicorn's
"""How gunicorn serves the web process; `gustav web` starts it with this file.

The number of processes comes from gunicorn's own WEB_CONCURRENCY (default 1), see deploy/.
"""

from gunicorn.glogging import Logger

from config.settings import read_settings

bind = "127.0.0.1:8000"
worker_class = "gthread"
# A thread that waits for a connection to the database costs little; streams hold none.
threads = 32
timeout = 60
graceful_timeout = 20
keepalive = 75  # longer than Caddy's, so that never we close what the proxy is about to use
max_requests = 20_000
max_requests_jitter = 2_000
# Addresses of sessions stand in every path: no access log here; Caddy's leaves them out.
accesslog = None


class WithoutAccessLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """With a `logconfig_dict` gunicorn words a line per request even if nobody writes it down."""

    def access(self, resp: object, req: object, environ: object, request_time: object) -> None:
        """Nothing."""


logger_class = WithoutAccessLog
# What gunicorn has to say comes out like everything else, one line per event.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "ours": {"()": "config.logs.formatter", "log_format": read_settings().log_format}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
        "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
    },
}
# The container is read-only, and nobody talks to gunicorn at run time.
control_socket_disable = True
worker_tmp_dir = None
