"""The administrator's page: paste a registration address, activate, show in the chooser, delete."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from .lms import Lms, PageError
from .registration import registration_token
from .shell import origin, page


def show(lms: Lms) -> Response:
    return page(
        "admin.html",
        tool=lms.registered_tool,
        active=lms.tool_is_active,
        in_chooser=lms.tool_is_in_chooser,
    )


def frame(lms: Lms) -> Response:  # noqa: ARG001  # every view gets it
    """The tool's registration page in a frame."""
    url = _address()
    answer = page(
        "registration.html", source=f"/admin/registration/start?{urlencode({'url': url})}"
    )
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'self'; frame-src 'self' {origin(url)}; frame-ancestors 'self';"
        " base-uri 'none'; object-src 'none'"
    )
    return answer


def start(lms: Lms) -> AnyResponse:
    """Inside that frame: on to the tool, with the two parameters added to its own query."""
    parts = urlsplit(_address())
    more = {
        "openid_configuration": f"{lms.base_url}/openid-configuration",
        "registration_token": registration_token(lms),
    }
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *more.items()])
    return redirect(urlunsplit(parts._replace(query=query)), 302)


def activate(lms: Lms) -> AnyResponse:
    lms.keep_tool(lms.registered_tool, active=True, in_chooser=lms.tool_is_in_chooser)
    return redirect("/admin", 303)


def chooser(lms: Lms) -> AnyResponse:
    shown = request.form.get("show") == "1"
    lms.keep_tool(lms.registered_tool, active=lms.tool_is_active, in_chooser=shown)
    return redirect("/admin", 303)


def delete(lms: Lms) -> AnyResponse:
    """The tool is told nothing, as with Moodle."""
    lms.keep_tool(None, active=False, in_chooser=False)
    return redirect("/admin", 303)


def _address() -> str:
    url = request.args.get("url", "").strip()
    parts = urlsplit(url)
    plain = parts.hostname and parts.netloc.replace(".", "").replace(":", "").replace("-", "")
    if parts.scheme not in ("http", "https") or not plain or not plain.isalnum():
        raise PageError(400, "Ungültige Anfrage", "Das ist keine Adresse eines Werkzeugs.")
    return url
