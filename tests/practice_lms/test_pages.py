"""What teacher and pupil see."""

import ast
import re
from pathlib import Path

import pytest

import lti_tool.practice_lms as package
from lti_tool.practice_lms.texts import ENDPOINT_NAMES, ENGLISH, MODE_NAMES, ROLE_NAMES, translate
from tests.practice_lms.bench import ADA, BEN, COURSE, CURIE, TOOL, Bench

FOLDER = Path(package.__file__).parent


def page(lms: Bench, path: str) -> str:
    return lms.get(path).get_data(as_text=True)


def test_the_tool_is_shown_in_a_frame_like_moodles(lms: Bench) -> None:
    link = lms.add_activity()
    lms.log_in(ADA)

    text = page(lms, f"/as/{ADA}/activity/{link}")

    frame = re.search(r"<iframe[^>]*>", text)
    assert frame
    assert 'height="600"' in frame[0]
    assert f'src="/as/{ADA}/activity/{link}/launch"' in frame[0]
    assert f"camera {TOOL};" in frame[0]
    assert "clipboard-write" not in frame[0]
    assert "In eigenem Fenster öffnen" in text


def test_pages_frame_only_the_tool_and_run_no_inline_script(lms: Bench) -> None:
    link = lms.add_activity()
    lms.log_in(ADA)

    answer = lms.get(f"/as/{ADA}/activity/{link}")

    policy = answer.headers["Content-Security-Policy"]
    assert f"frame-src 'self' {TOOL};" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "style=" not in answer.get_data(as_text=True)


def test_the_gradebook_shows_the_teacher_all_and_a_pupil_their_own(lms: Bench) -> None:
    item = lms.item_url(lms.add_activity())
    lms.score(item, ADA, scoreGiven=7.5, comment="Gut <erklärt>")
    lms.score(item, BEN, scoreGiven=3, comment="Nur für Ben")
    lms.log_in(CURIE, ADA)

    teacher = page(lms, f"/as/{CURIE}/course/{COURSE}/gradebook")
    pupil = page(lms, f"/as/{ADA}/course/{COURSE}/gradebook")

    assert "7,5 / 10" in teacher
    assert "Gut &lt;erklärt&gt;" in teacher
    assert "Nur für Ben" in teacher
    assert "7,5 / 10" in pupil
    assert "Nur für Ben" not in pupil
    assert "Speichern" not in pupil


def test_an_override_is_marked_and_can_be_locked(lms: Bench) -> None:
    item = lms.item_url(lms.add_activity()).split("/")[-2]
    lms.log_in(CURIE)
    cell = f"/as/{CURIE}/grades/{item}/{ADA}"

    lms.browser.post(cell, data={"points": "4", "feedback": "Von Hand", "action": "save"})
    lms.browser.post(cell, data={"action": "lock"})

    text = page(lms, f"/as/{CURIE}/course/{COURSE}/gradebook")
    assert "4 / 10" in text
    assert "überschrieben" in text
    assert "gesperrt" in text
    assert lms.browser.post(cell, data={"points": "5"}).status_code == 409


@pytest.mark.parametrize("typed", ["viel", "1,2,3"])
def test_points_must_be_a_number(lms: Bench, typed: str) -> None:
    item = lms.item_url(lms.add_activity()).split("/")[-2]
    lms.log_in(CURIE)

    answer = lms.browser.post(f"/as/{CURIE}/grades/{item}/{ADA}", data={"points": typed})

    assert answer.status_code == 400


def test_pupils_can_neither_grade_nor_lock_nor_delete(lms: Bench) -> None:
    link = lms.add_activity()
    item = lms.item_url(link).split("/")[-2]
    lms.log_in(ADA)

    for path in (f"grades/{item}/{ADA}", f"columns/{item}", f"activity/{link}/delete"):
        assert lms.browser.post(f"/as/{ADA}/{path}", data={"points": "9"}).status_code == 403


def test_a_deleted_activity_takes_its_column_along(lms: Bench) -> None:
    link = lms.add_activity()
    item = lms.item_url(link)
    lms.log_in(CURIE)

    lms.browser.post(f"/as/{CURIE}/activity/{link}/delete")

    assert "Die Aktivität wurde gelöscht." in page(lms, f"/as/{CURIE}/course/{COURSE}")
    assert lms.get(f"/as/{CURIE}/activity/{link}").status_code == 404
    assert lms.score(item).status_code == 404


def test_the_way_back_shows_what_the_tool_says(lms: Bench) -> None:
    lms.log_in(ADA)

    back = lms.get(f"/as/{ADA}/return?course={COURSE}&lti_msg=Bis+morgen")

    assert f'href="/as/{ADA}/course/{COURSE}"' in back.get_data(as_text=True)
    assert "Bis morgen" in page(lms, f"/as/{ADA}/course/{COURSE}")


@pytest.mark.parametrize(
    ("path", "header", "expected"),
    [
        ("/", "", "Wer möchten Sie sein?"),
        ("/", "en-GB,en;q=0.8", "Who would you like to be?"),
        ("/?lang=de", "en", "Wer möchten Sie sein?"),
        ("/?lang=en", "de", "Who would you like to be?"),
        ("/?lang=xx", "fr", "Wer möchten Sie sein?"),
    ],
)
def test_german_first_english_when_wished(
    lms: Bench, path: str, header: str, expected: str
) -> None:
    answer = lms.get(path, headers={"Accept-Language": header})

    assert expected in answer.get_data(as_text=True)


def test_a_chosen_language_stays(lms: Bench) -> None:
    lms.get("/?lang=en")

    assert "Who would you like to be?" in page(lms, "/")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/as/999/course", f"/as/{ADA}/course/9", f"/as/{ADA}/activity/9"]
)
def test_what_is_not_there_says_so_on_a_page(lms: Bench, path: str) -> None:
    lms.log_in(ADA)

    answer = lms.get(path)

    assert answer.status_code == 404
    assert "Nicht gefunden" in answer.get_data(as_text=True)


def test_the_way_to_a_persons_course_needs_no_number(lms: Bench) -> None:
    lms.log_in(ADA)

    assert lms.get(f"/as/{ADA}/course").location == f"/as/{ADA}/course/{COURSE}"


def test_every_german_text_has_its_english() -> None:
    templates = "".join(path.read_text("utf-8") for path in FOLDER.glob("templates/*.html"))
    used = set(re.findall(r"""\b_\(\s*["']([^"']+)["']""", templates))
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                used |= _texts(node.func.id, node.args)
    used |= {*ROLE_NAMES.values(), *MODE_NAMES.values(), *ENDPOINT_NAMES.values()}

    assert len(used) > 80
    assert used - set(ENGLISH) == set()
    assert set(ENGLISH) - used == set()


def _texts(called: str, arguments: list[ast.expr]) -> set[str]:
    position = {"say": 0, "PageError": 1, "ItemRefusedError": 0}.get(called)
    if position is None:
        return set()
    return {
        one.value
        for one in arguments[position:]
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def test_an_unknown_text_is_shown_as_it_is() -> None:
    assert translate("en", "Vom Werkzeug") == "Vom Werkzeug"


def test_grades_lead_to_the_work_behind_them(lms: Bench) -> None:
    link = lms.add_activity()
    lms.log_in(CURIE, ADA)
    to_grade = f"/activity/{link}/grade"

    gradebook = page(lms, f"/as/{CURIE}/course/{COURSE}/gradebook")
    own = page(lms, f"/as/{ADA}/course/{COURSE}/gradebook")

    assert f'href="/as/{CURIE}{to_grade}?user={ADA}"' in gradebook
    assert f'href="/as/{CURIE}{to_grade}"' in gradebook
    assert f'href="/as/{ADA}{to_grade}?user={ADA}"' in own
    frame = page(lms, lms.get(f"/as/{CURIE}{to_grade}?user={ADA}").location)
    assert f'src="/as/{CURIE}/activity/{link}/launch?action=gradeReport&amp;user={ADA}"' in frame


def test_a_pupil_may_not_follow_the_grade_of_another(lms: Bench) -> None:
    link = lms.add_activity()
    lms.log_in(ADA)

    assert lms.get(f"/as/{ADA}/activity/{link}/grade?user={BEN}").status_code == 403
    assert lms.get(f"/as/{ADA}/activity/{link}/grade?user={ADA}").status_code == 302
