"""PyLTI1p3's own Flask adapter as its documentation shows it, with its store on the server: in the
same PostgreSQL that serves the others."""

from __future__ import annotations

import json
import os
from typing import Any

from flask import Flask, Response, redirect, request
from pylti1p3.contrib.flask import (
    FlaskCacheDataStorage,
    FlaskMessageLaunch,
    FlaskOIDCLogin,
    FlaskRequest,
)
from pylti1p3.tool_config import ToolConfDict

from tests.bench.peers.least_work import Store

SCHEMA = "CREATE TABLE IF NOT EXISTS kept (key text PRIMARY KEY, value text NOT NULL)"
KEEP = """
INSERT INTO kept VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""


class Cache:
    """What `FlaskCacheDataStorage` wants of a Flask-Caching cache."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str) -> Any:
        found = self._store.run("SELECT value FROM kept WHERE key = %s", key)
        return json.loads(found[0][0]) if found else None

    def set(self, key: str, value: Any, timeout: int | None = None) -> None:
        self._store.run(KEEP, key, json.dumps(value))


def create_app() -> Flask:
    app = Flask(__name__)
    app.secret_key = "nothing of worth is signed with it"
    platform: dict[str, str] = json.loads(os.environ["BENCH_PLATFORM"])
    remembers_keys = os.environ.get("BENCH_KEYS") == "remembered"
    cache = Cache(Store(os.environ["BENCH_STORE"], SCHEMA))
    registered = {
        "client_id": platform["client_id"],
        "auth_login_url": platform["auth_url"],
        "auth_token_url": platform["token_url"],
        "key_set_url": platform["jwks_url"],
        "deployment_ids": [platform["deployment_id"]],
    }
    tools = ToolConfDict({platform["issuer"]: [registered | {"default": True}]})

    @app.post("/login")
    def login() -> Response:
        asked = FlaskRequest()
        store = FlaskCacheDataStorage(cache)
        oidc = FlaskOIDCLogin(asked, tools, launch_data_storage=store)
        answer: Response = oidc.redirect(request.form["target_link_uri"])
        return answer

    @app.post("/launch")
    def launch() -> Response:
        store = FlaskCacheDataStorage(cache)
        message = FlaskMessageLaunch(FlaskRequest(), tools, launch_data_storage=store)
        if remembers_keys:
            message.set_public_key_caching(store, cache_lifetime=7200)
        try:
            message.get_launch_data()
        except Exception:  # noqa: BLE001  # some of its refusals are bare ones
            return Response("refused", 403)
        return redirect(f"/page/{message.get_launch_id()}", 303)  # type: ignore[return-value]

    @app.get("/page/<launch_id>")
    def page(launch_id: str) -> Response:
        store = FlaskCacheDataStorage(cache)
        message = FlaskMessageLaunch.from_cache(
            launch_id, FlaskRequest(), tools, launch_data_storage=store
        )
        name = message.get_launch_data()["name"]
        return Response(f"<!doctype html><title>Aufgabe</title><p>{name}")

    return app
