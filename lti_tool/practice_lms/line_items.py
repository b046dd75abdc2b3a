"""AGS line items: list, make, read, change, remove, with the quirks of Moodle 4.5."""

import json
from dataclasses import replace
from urllib.parse import urlencode

from flask import Response, request

from .grading import as_number, rescaled
from .lms import Lms
from .services import (
    LINE_ITEM,
    LINE_ITEMS,
    RefusedError,
    header_text,
    json_answer,
    need_accept,
    need_content,
    number,
)
from .store import LineItem, State
from .tokens import LINE_ITEM_READ_SCOPE, LINE_ITEM_SCOPE, need_token


def find(lms: Lms, course_id: str, item_id: str) -> LineItem:
    """Raises `RefusedError` 404 when the course has no such column (any more)."""
    with lms.store.reading() as state:
        item = state.line_items.get(item_id)
    if item is None or item.course_id != course_id:
        raise RefusedError(404, f"Not Found: Grade item {item_id} doesn't exist")
    return item


def claimed_item(state: State, link_id: str) -> str | None:
    """The id for the launch's `lineitem` claim: only when exactly one column hangs on the link."""
    linked = [item.item_id for item in state.line_items.values() if item.link_id == link_id]
    own = [item.item_id for item in state.line_items.values() if item.column_of == link_id]
    if len(linked) > 1:
        return None
    if not own:
        return linked[0] if linked else None
    return own[0] if not linked or linked == own else None


def list_all(lms: Lms, course_id: str) -> Response:
    """GET …/lineitems, filtered by resource_id, resource_link_id, tag; cut by limit and from."""
    need_accept(LINE_ITEMS)
    need_token(lms, LINE_ITEM_SCOPE, LINE_ITEM_READ_SCOPE)
    lms.course(course_id)
    asked = request.args
    with lms.store.reading() as state:
        found = [
            item
            for item in state.items_of(course_id)
            if asked.get("resource_id", item.resource_id) == item.resource_id
            and asked.get("resource_link_id", item.link_id) == item.link_id
            and asked.get("tag", item.tag) == item.tag
        ]
    limit, start = number("limit"), number("from")
    page = found[start : start + limit] if limit > 0 else found
    answer = json_answer([as_json(lms, item) for item in page], LINE_ITEMS)
    if limit > 0:
        answer.headers["Link"] = header_text(
            _broken_links(lms, course_id, start, limit, len(found))
        )
    return answer


def _broken_links(lms: Lms, course_id: str, start: int, limit: int, total: int) -> str:
    """Moodle's header has curly quotes and `&amp;`: nobody can page with it."""
    filters = ("resource_id", "resource_link_id", "tag")
    query = {name: request.args[name] for name in filters if name in request.args}
    query |= {"type_id": lms.tool.deployment_id, "limit": str(limit)}
    pages = {"first": 0, "canonical": start}
    if start + limit < total:
        pages["next"] = start + limit
    url = lms.items_url(course_id)
    links = [
        f"<{url}?{urlencode(query | {'from': str(begin)}).replace('&', '&amp;')}>; rel=“{name}”"
        for name, begin in pages.items()
    ]
    return ", ".join(links)


def make(lms: Lms, course_id: str) -> Response:
    """POST …/lineitems makes a manual column; answers 201 with what was sent, and its id."""
    need_content(LINE_ITEM)
    need_token(lms, LINE_ITEM_SCOPE)
    lms.course(course_id)
    sent = _sent_item()
    with lms.store.changing() as state:
        item = LineItem(
            item_id=str(state.new_id()),
            course_id=course_id,
            label=str(sent["label"]),
            maximum=_maximum(sent),
            resource_id=str(sent.get("resourceId") or ""),
            tag=str(sent.get("tag") or ""),
            link_id=_link(state, course_id, sent),
        )
        state.line_items[item.item_id] = item
    return json_answer(sent | {"id": _url(lms, item)}, LINE_ITEM, 201)


def show(lms: Lms, course_id: str, item_id: str) -> Response:
    need_accept(LINE_ITEM, or_any=True)
    need_token(lms, LINE_ITEM_SCOPE, LINE_ITEM_READ_SCOPE)
    lms.course(course_id)
    return json_answer(as_json(lms, find(lms, course_id, item_id)), LINE_ITEM)


def change(lms: Lms, course_id: str, item_id: str) -> Response:
    """PUT replaces all: without resourceLinkId the column is un-linked; a new maximum rescales."""
    need_content(LINE_ITEM)
    need_token(lms, LINE_ITEM_SCOPE)
    lms.course(course_id)
    with lms.store.changing() as state:
        old = find(lms, course_id, item_id)
        sent = _sent_item()
        new = replace(
            old,
            label=str(sent["label"]),
            maximum=_maximum(sent),
            resource_id=str(sent.get("resourceId") or ""),
            tag=str(sent.get("tag") or ""),
            link_id=_link(state, course_id, sent),
        )
        state.line_items[item_id] = new
        if new.maximum != old.maximum:
            for key in [key for key in state.grades if key[0] == item_id]:
                state.grades[key] = rescaled(state.grades[key], old.maximum, new.maximum)
    return json_answer(sent | {"id": _url(lms, new)}, LINE_ITEM)


def remove(lms: Lms, course_id: str, item_id: str) -> Response:
    """DELETE works on an activity's own column, too, and takes its grades along."""
    need_token(lms, LINE_ITEM_SCOPE)
    lms.course(course_id)
    with lms.store.changing() as state:
        find(lms, course_id, item_id)
        state.remove_item(item_id)
    return Response(status=204)


def as_json(lms: Lms, item: LineItem) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": _url(lms, item),
        "label": item.label,
        "scoreMaximum": item.maximum,
        "resourceId": item.resource_id,
        "tag": item.tag,
    }
    if item.link_id is not None:
        shown |= {"resourceLinkId": item.link_id, "ltiLinkId": item.link_id}
    return shown


def _url(lms: Lms, item: LineItem) -> str:
    return f"{lms.item_url(item.course_id, item.item_id)}?type_id={lms.tool.deployment_id}"


def _sent_item() -> dict[str, object]:
    """An object with a label and a numeric scoreMaximum. Raises `RefusedError` 400."""
    try:
        sent = json.loads(request.get_data())
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or sent.get("label") is None or sent.get("scoreMaximum") is None:
        raise RefusedError(400, "No label or Score Maximum")
    if as_number(sent["scoreMaximum"]) is None:
        raise RefusedError(400)
    return sent


def _maximum(sent: dict[str, object]) -> float:
    return as_number(sent["scoreMaximum"]) or 0.0


def _link(state: State, course_id: str, sent: dict[str, object]) -> str | None:
    """Raises `RefusedError` 403 for a link that is not in this course."""
    link_id = sent.get("resourceLinkId")
    if link_id is None:
        return None
    activity = state.activities.get(str(link_id))
    if activity is None or activity.course_id != course_id:
        raise RefusedError(403)
    return activity.link_id
