"""The least that a launch can be while every check is made: Flask, PyJWT and psycopg, no more.

Checked: signature by the platform's key, issuer, audience, times, nonce, version, message type,
deployment, state, the browser's cookie, and that nothing is used twice. Kept: the login, the person
and a session. It has no courses, roles, row policies, languages or pages; that is what we pay for.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from typing import Any
from urllib.parse import urlencode

import jwt
import psycopg
import requests
from flask import Flask, Response, redirect, request

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
SCHEMA = """
CREATE TABLE IF NOT EXISTS logins (state text PRIMARY KEY, nonce text NOT NULL,
  browser text NOT NULL, begun timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS persons (sub text PRIMARY KEY, name text);
CREATE TABLE IF NOT EXISTS sessions (id text PRIMARY KEY, sub text NOT NULL,
  begun timestamptz NOT NULL DEFAULT now());
"""
USE_LOGIN = """
DELETE FROM logins WHERE state = %s AND browser = %s AND nonce = %s
  AND begun > now() - interval '10 minutes' RETURNING true
"""
KEEP_PERSON = """
INSERT INTO persons VALUES (%s, %s) ON CONFLICT (sub) DO UPDATE SET name = excluded.name
"""


def create_app() -> Flask:  # noqa: C901  # short enough to be read at once
    app = Flask(__name__)
    platform: dict[str, str] = json.loads(os.environ["BENCH_PLATFORM"])
    store = Store(os.environ["BENCH_STORE"], SCHEMA)
    keys = Keys(platform["jwks_url"])

    @app.post("/login")
    def login() -> Response:
        asked = request.form
        if asked["iss"] != platform["issuer"] or asked["client_id"] != platform["client_id"]:
            return Response("unknown", 400)
        state, nonce, browser = (secrets.token_urlsafe(24) for _ in range(3))
        store.run("INSERT INTO logins VALUES (%s, %s, %s)", state, nonce, browser)
        query = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": platform["client_id"],
            "redirect_uri": asked["target_link_uri"],
            "login_hint": asked["login_hint"],
            "lti_message_hint": asked["lti_message_hint"],
            "state": state,
            "nonce": nonce,
        }
        answer = redirect(f"{platform['auth_url']}?{urlencode(query)}", 303)
        answer.set_cookie("browser", browser, httponly=True, secure=True, samesite="None")
        return answer  # type: ignore[return-value]

    @app.post("/launch")
    def launch() -> Response:
        try:
            claims = proven(request.form["id_token"])
        except (jwt.PyJWTError, KeyError, ValueError):
            return Response("refused", 403)
        state, browser = request.form.get("state", ""), request.cookies.get("browser", "")
        session = secrets.token_urlsafe(24)
        with store.connection.transaction():
            if not store.run(USE_LOGIN, state, browser, claims["nonce"]):
                return Response("refused", 403)
            store.run(KEEP_PERSON, claims["sub"], claims.get("name"))
            store.run("INSERT INTO sessions VALUES (%s, %s)", session, claims["sub"])
        answer = redirect("/page", 303)
        answer.set_cookie("session", session, httponly=True, secure=True, samesite="None")
        return answer  # type: ignore[return-value]

    @app.get("/page")
    def page() -> Response:
        session = request.cookies.get("session", "")
        found = store.run("SELECT name FROM sessions JOIN persons USING (sub) WHERE id=%s", session)
        if not found:
            return Response("gone", 401)
        return Response(f"<!doctype html><title>Aufgabe</title><p>{found[0][0]}")

    def proven(token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            keys.find(jwt.get_unverified_header(token)["kid"]),
            algorithms=["RS256"],
            audience=platform["client_id"],
            issuer=platform["issuer"],
            leeway=60,
            options={"require": ["exp", "iat", "nonce", "sub"]},
        )
        wanted = {
            "version": "1.3.0",
            "message_type": "LtiResourceLinkRequest",
            "deployment_id": platform["deployment_id"],
        }
        if any(claims[LTI + name] != value for name, value in wanted.items()):
            raise ValueError
        return claims

    return app


class Store:
    """A connection per thread, so that nobody waits for one."""

    def __init__(self, url: str, schema: str) -> None:
        self._url = url
        self._own = threading.local()
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(schema.encode())

    @property
    def connection(self) -> psycopg.Connection[Any]:
        if not hasattr(self._own, "connection"):
            self._own.connection = psycopg.connect(self._url, autocommit=True)
        connection: psycopg.Connection[Any] = self._own.connection
        return connection

    def run(self, statement: str, *values: str) -> list[Any]:
        cursor = self.connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


class Keys:
    """The platform's keys, fetched once for all launches."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, Any] = {}
        self._lock = threading.Lock()

    def find(self, kid: str) -> Any:
        with self._lock:
            if not self._keys:
                found = jwt.PyJWKSet.from_dict(requests.get(self._url, timeout=5).json())
                self._keys = {str(key.key_id): key.key for key in found.keys}
        return self._keys[kid]
