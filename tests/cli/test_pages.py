"""The journey's reader sees what a person sees, and sends what a browser would."""

from __future__ import annotations

import pytest

from lti_tool.cli.journey.pages import NotOnPage, Page, read_page

URL = "http://localhost:8080/s/1/content/pick"


def page(html: str) -> Page:
    return read_page(URL, 200, html)


def test_text_is_what_can_be_read() -> None:
    html = "<title>T</title><script>x()</script><h1>Fast  fertig</h1><p>Los&nbsp;geht’s.</p>"

    assert page(html).text == "Fast fertig Los geht’s."


def test_links_and_frames_lead_from_where_the_page_is() -> None:
    read = page('<a href="../tasks/new"><b>Neue</b> Aufgabe</a><iframe src="/lti"></iframe>')

    assert read.link("Neue Aufgabe") == "http://localhost:8080/s/1/tasks/new"
    assert read.link("tasks/new") == "http://localhost:8080/s/1/tasks/new"
    assert read.frame() == "http://localhost:8080/lti"


def test_fields_are_sent_as_they_stand() -> None:
    form = page(
        '<form method="post"><input type="hidden" name="csrf" value="a&amp;b">'
        '<input name="title" value="Licht"><textarea name="prompt">\nZeile 1\nZeile 2</textarea>'
        '<input type="checkbox" name="yes" checked><input type="checkbox" name="no">'
        '<input type="radio" name="mode" value="a">'
        '<input type="radio" name="mode" value="b" checked>'
        '<select name="unit"><option value="1">Eins</option><option selected>Zwei</option></select>'
        '<select name="first"><option>Erste</option><option>Zweite</option></select></form>'
    ).forms[0]

    assert dict(form.fields) == {
        "csrf": "a&b",
        "title": "Licht",
        "prompt": "Zeile 1\nZeile 2",
        "yes": "on",
        "mode": "b",
        "unit": "Zwei",
        "first": "Erste",
    }
    assert form.action == URL


def test_what_is_typed_replaces_what_stands_there() -> None:
    form = page('<form><input name="title" value="alt"><input name="rest" value="r"></form>').forms[
        0
    ]

    assert form.filled({"title": "neu", "ticked": "on"}, None) == (
        ("title", "neu"),
        ("rest", "r"),
        ("ticked", "on"),
    )


def test_a_pressed_button_goes_along_and_may_lead_elsewhere() -> None:
    form = page(
        '<form action="/a"><button name="action" value="save">Speichern</button>'
        '<button type="button">nichts</button>'
        '<button name="action" value="preview" formaction="#preview">Vorschau</button></form>'
    ).forms[0]

    save, preview = form.buttons

    assert form.filled({}, save) == (("action", "save"),)
    assert save.action == "http://localhost:8080/a"
    assert preview.action == f"{URL}#preview"


@pytest.mark.parametrize(
    "look",
    [
        lambda read: read.link("fehlt"),
        lambda read: read.frame(),
        lambda read: read.form_with("fehlt"),
        lambda read: read.says("da", "fehlt"),
        lambda read: read.says_one_of("fehlt", "auch"),
    ],
)
def test_what_is_not_there_is_named(look: object) -> None:
    with pytest.raises(NotOnPage):
        look(page("<p>da</p>"))  # type: ignore[operator]


def test_a_place_does_not_tell_whose_session_it_is() -> None:
    read = read_page(f"http://localhost:1/s/{'0' * 36}/work/", 200, "")

    assert read.place == "s/work"
