"""The live process: tells waiting pages at once that there is news. See docs/adr/0013.

A roof: constructs, is imported by nobody, and loads neither Flask nor a model. What the news is,
the pages ask the web process; losing every event loses nothing but liveness.
"""

from __future__ import annotations

from config.logs import configure_logs
from config.settings import Settings, read_settings
from lti_tool.core.db import Database
from lti_tool.launch.secrets import Secrets
from lti_tool.live.app import LiveApp
from lti_tool.live.door import LOOKS_AT_ONCE, LiveDoor
from lti_tool.live.hub import Hub
from lti_tool.live.listener import Listener

__all__ = ["build", "create_app"]


def build() -> LiveApp:
    """The application from the environment, for an ASGI server."""
    settings = read_settings()
    configure_logs(settings.log_format)
    return create_app(settings)


def create_app(settings: Settings) -> LiveApp:
    """The whole live process as one ASGI application."""
    url = settings.database_url.get_secret_value()
    database = Database(url, pool_size=LOOKS_AT_ONCE)
    door = LiveDoor(
        begin=database.begin,
        secrets=Secrets(settings.secret_key.get_secret_value()),
        idle=settings.session_idle,
        life=settings.session_life,
    )
    hub = Hub()
    return LiveApp(hub, door, Listener(url, hub), database.close)
