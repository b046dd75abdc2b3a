"""A small LTI 1.3 platform to try and test the tool with: Moodle 4.5 as it was seen, or stricter.

It knows nothing of the tool's code and speaks only HTTP. It is a toy for one machine: whoever can
reach it may be any of its invented people, its forms carry no CSRF token, and anyone may switch
faults on. Never let it face a network.
"""

from flask import Flask, Response, redirect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from .lms import Lms, NotLoggedInError, PageError
from .routes import add_routes
from .settings import (
    COURSES,
    PEOPLE,
    Course,
    Person,
    PlatformUrls,
    PracticeSettings,
    Role,
    ToolRegistration,
    platform_urls,
    whole_class,
)
from .shell import error_page, secure

__all__ = [
    "COURSES",
    "PEOPLE",
    "Course",
    "Person",
    "PlatformUrls",
    "PracticeSettings",
    "Role",
    "ToolRegistration",
    "create_app",
    "platform_urls",
    "register_tool",
    "whole_class",
]

_KEY = "practice_lms"


def create_app(settings: PracticeSettings) -> Flask:
    """A WSGI application with all its state inside; two of them share nothing but a `data_dir`."""
    app = Flask(__name__)
    lms = Lms(settings)
    app.extensions[_KEY] = lms
    add_routes(app, lms)

    @app.errorhandler(PageError)
    def show_error(error: PageError) -> Response:
        return error_page(error)

    @app.errorhandler(NotLoggedInError)
    def ask_who(_: NotLoggedInError) -> AnyResponse:
        return redirect("/", 303)

    @app.errorhandler(404)
    def not_found(_: HTTPException) -> Response:
        return error_page(PageError(404, "Nicht gefunden", "Diese Seite gibt es hier nicht."))

    @app.after_request
    def add_headers(answer: Response) -> Response:
        return secure(lms, answer)

    return app


def register_tool(app: Flask, tool: ToolRegistration) -> None:
    """Make known, or change, the one tool of this LMS."""
    lms: Lms = app.extensions[_KEY]
    lms.registered_tool = tool
