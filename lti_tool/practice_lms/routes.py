"""Every address of the practice LMS and what answers there."""

from functools import partial

from flask import Flask, Response, jsonify

from . import (
    admin,
    courses,
    deep_linking,
    enrolment,
    gradebook,
    line_items,
    nrps,
    oidc,
    pages,
    practice,
    registration,
    scores,
    tokens,
)
from .lms import Lms
from .services import service

COURSE = "/as/<user_id>/course/<course_id>"
ACTIVITY = "/as/<user_id>/activity/<link_id>"
ITEMS = "/services/<course_id>/lineitems"
ITEM = f"{ITEMS}/<item_id>/lineitem"
MEMBERS = "/services/CourseSection/<course_id>/bindings/<type_id>/memberships"

PAGES = (
    ("GET", "/", pages.start),
    ("POST", "/login", pages.login),
    ("GET", "/as/<user_id>/course", pages.first_course),
    ("GET", COURSE, pages.course),
    ("GET", f"{COURSE}/add", pages.add),
    ("GET", f"{COURSE}/select", pages.select),
    ("POST", f"{COURSE}/copy", courses.copy),
    ("POST", f"{COURSE}/enrol", courses.enrol),
    ("POST", f"{COURSE}/delete", courses.delete),
    ("GET", f"{COURSE}/gradebook", gradebook.show),
    ("GET", ACTIVITY, pages.activity),
    ("GET", f"{ACTIVITY}/launch", pages.launch),
    ("GET", f"{ACTIVITY}/grade", pages.grade),
    ("POST", f"{ACTIVITY}/delete", pages.delete),
    ("POST", "/as/<user_id>/grades/<item_id>/<pupil_id>", gradebook.set_grade),
    ("POST", "/as/<user_id>/columns/<item_id>", gradebook.change_column),
    ("GET", "/as/<user_id>/return", pages.come_back),
    ("POST", "/as/<user_id>/deep-linking/return", deep_linking.take_back),
    ("GET POST", "/auth", oidc.authenticate),
    ("GET", "/admin", admin.show),
    ("GET", "/admin/registration", admin.frame),
    ("GET", "/admin/registration/start", admin.start),
    ("POST", "/admin/activate", admin.activate),
    ("POST", "/admin/chooser", admin.chooser),
    ("POST", "/admin/delete", admin.delete),
    ("GET", "/openid-configuration", registration.configuration),
    ("POST", "/openid-registration", registration.register),
    ("GET", "/practice", practice.show),
    ("GET", "/practice/modes", practice.modes),
    ("POST", "/practice/modes", practice.set_mode),
    ("GET", "/practice/ledger", practice.ledger),
    ("POST", "/practice/rotate-key", practice.rotate_key),
    ("POST", "/practice/enrolment", enrolment.enrol),
    ("POST", "/practice/names", enrolment.share_names),
)


def key_set(lms: Lms) -> Response:
    return jsonify(lms.signing_key.jwks())


# The third column is the name in the table of practised faults.
SERVICES = (
    ("GET", "/jwks", "jwks", key_set),
    ("POST", "/token", "token", tokens.give),
    ("GET", ITEMS, "lineitems", line_items.list_all),
    ("POST", ITEMS, "lineitems", line_items.make),
    ("GET", ITEM, "lineitems", line_items.show),
    ("PUT", ITEM, "lineitems", line_items.change),
    ("DELETE", ITEM, "lineitems", line_items.remove),
    ("POST", f"{ITEM}/scores", "scores", scores.receive),
    ("GET", f"{ITEM}/results", "results", scores.results),
    ("GET", MEMBERS, "members", nrps.members),
)


def add_routes(app: Flask, lms: Lms) -> None:
    for methods, rule, view in PAGES:
        app.add_url_rule(rule, _name(view), partial(view, lms), methods=methods.split())
    for methods, rule, endpoint, answer in SERVICES:
        note = partial(scores.note_fault, lms) if endpoint == "scores" else None
        guarded = service(lms, endpoint, partial(answer, lms), note)
        app.add_url_rule(rule, _name(answer), guarded, methods=[methods])


def _name(view: object) -> str:
    return f"{getattr(view, '__module__', '').rpartition('.')[2]}_{getattr(view, '__name__', '')}"
