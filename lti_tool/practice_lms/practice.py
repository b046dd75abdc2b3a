"""Practising faults: a page for people, JSON for tests."""

from dataclasses import asdict
from datetime import datetime

from flask import Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from . import enrolment
from .lms import Lms
from .modes import ENDPOINTS, EVERYWHERE, MODES, BadModeError, read_mode
from .shell import page
from .texts import ENDPOINT_NAMES, MODE_NAMES


def show(lms: Lms) -> Response:
    """What is switched on or off, and the latest twenty scores with their local time of day."""
    rows = lms.ledger.rows()[:-21:-1]
    received = [(f"{datetime.fromisoformat(row.time).astimezone():%H:%M:%S}", row) for row in rows]
    return page(
        "practice.html",
        endpoints=(EVERYWHERE, *ENDPOINTS),
        modes=MODES,
        active=lms.modes.all(),
        received=received,
        enrolled=enrolment.everybody(lms),
        shares_names=lms.registered_tool is None or lms.tool.share_names,
        mode_names=MODE_NAMES,
        endpoint_names=ENDPOINT_NAMES,
    )


def modes(lms: Lms) -> Response:
    return jsonify({name: asdict(mode) for name, mode in lms.modes.all().items()})


def set_mode(lms: Lms) -> AnyResponse:
    """JSON answers with the whole table, a form goes back to the page; nonsense is 400."""
    wish = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    try:
        if not isinstance(wish, dict):
            raise BadModeError("a JSON object is needed")
        lms.modes.set(str(wish.get("endpoint", EVERYWHERE)), read_mode(wish))
    except BadModeError as bad:
        answer = jsonify({"error": str(bad)})
        answer.status_code = 400
        return answer
    return modes(lms) if request.is_json else redirect("/practice", 303)


def ledger(lms: Lms) -> Response:
    return jsonify([asdict(row) for row in lms.ledger.rows()])


def rotate_key(lms: Lms) -> AnyResponse:
    """A new signing key at once; the old one is gone from the key set."""
    kid = lms.signing_key.rotate()
    return redirect("/practice", 303) if request.form.get("page") else jsonify({"kid": kid})
