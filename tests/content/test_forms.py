"""What the task editor takes, what it refuses, and that it loses nothing that was typed."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from lti_tool.content.forms import LEVEL_FIELDS, TaskForm
from lti_tool.content.models import Mode
from lti_tool.content.spec import CriterionSpec, TaskSpec
from lti_tool.core.errors import Invalid
from tests.specs import FOTOSYNTHESE, LIGHT, OFFERED, WORDS, sent_for, spec

A_UNIT = UUID("019b0000-0000-7000-8000-000000000001")


def read(sent: dict[str, str]) -> TaskForm:
    return TaskForm.read(MultiDict(sent), OFFERED)


def problems(**changes: str) -> dict[str, str]:
    sent = sent_for(FOTOSYNTHESE) | {
        name.replace("__", "-"): value for name, value in changes.items()
    }
    with pytest.raises(Invalid) as refused:
        read(sent).check()
    return refused.value.problems


def test_a_well_filled_form_becomes_the_task() -> None:
    assert read(sent_for(FOTOSYNTHESE)).check() == FOTOSYNTHESE


def test_a_form_may_name_a_unit_instead_of_a_new_one() -> None:
    wanted = spec(unit_id=A_UNIT, unit_title="")

    assert read(sent_for(wanted)).check() == wanted


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": "  "}, {"title": "missing"}),
        ({"title": "x" * 256}, {"title": "too_long"}),
        ({"prompt": "\r\n"}, {"prompt": "missing"}),
        ({"prompt": "x" * 10_001}, {"prompt": "too_long"}),
        ({"solution_notes": "x" * 10_001}, {"solution_notes": "too_long"}),
        ({"score_maximum": "0"}, {"score_maximum": "not_in_range"}),
        ({"score_maximum": "101"}, {"score_maximum": "not_in_range"}),
        ({"score_maximum": "7,5"}, {"score_maximum": "not_in_range"}),
        ({"score_maximum": "-1"}, {"score_maximum": "not_in_range"}),
        ({"score_maximum": "1_0"}, {"score_maximum": "not_in_range"}),
        ({"score_maximum": "١٠"}, {"score_maximum": "not_in_range"}),
        ({"score_maximum": "9" * 5000}, {"score_maximum": "not_in_range"}),
        ({"max_attempts": ""}, {"max_attempts": "not_in_range"}),
        ({"max_attempts": "21"}, {"max_attempts": "not_in_range"}),
        ({"mode": "silent"}, {"mode": "mode"}),
        ({"unit_title": ""}, {"unit_title": "missing"}),
        ({"unit_title": "x" * 256}, {"unit_title": "too_long"}),
        ({"unit": "nonsense"}, {"unit": "unit"}),
        ({"section": "x" * 256}, {"section": "too_long"}),
        ({"criterion__0__title": ""}, {"criterion-0-title": "missing"}),
        ({"criterion__1__title": "x" * 201}, {"criterion-1-title": "too_long"}),
        ({"criterion__1__description": "x" * 1001}, {"criterion-1-description": "too_long"}),
        ({"criterion__0__weight": "11"}, {"criterion-0-weight": "not_in_range"}),
        ({"criterion__0__weight": "viel"}, {"criterion-0-weight": "not_in_range"}),
        ({"criterion__0__level__5": "x" * 301}, {"criterion-0-level-5": "too_long"}),
        (
            {"criterion__0__level__1": "", "criterion__0__level__2": " "},
            {"criterion-0-levels": "too_few"},
        ),
        ({"title": "", "mode": ""}, {"title": "missing", "mode": "mode"}),
    ],
)
def test_each_problem_is_named_at_its_field(
    changes: dict[str, str], expected: dict[str, str]
) -> None:
    assert problems(**changes) == expected


@pytest.mark.parametrize(("how_many", "code"), [(0, "too_few"), (1, "too_few"), (8, "too_many")])
def test_a_task_has_two_to_seven_criteria(how_many: int, code: str) -> None:
    sent = sent_for(spec(criteria=(WORDS,) * how_many))

    with pytest.raises(Invalid) as refused:
        read(sent).check()

    assert refused.value.problems == {"criteria": code}


def test_rows_that_nobody_touched_do_not_count() -> None:
    untouched = CriterionSpec("", "", 1, OFFERED)
    sent = sent_for(spec(criteria=(LIGHT, untouched, WORDS)))

    assert read(sent).check().criteria == (LIGHT, WORDS)


@pytest.mark.parametrize(
    "touched",
    [
        CriterionSpec("", "Hier steht schon etwas", 1, OFFERED),
        CriterionSpec("", "", 1, ("falsch", "richtig")),
        CriterionSpec("", "", 1, OFFERED, A_UNIT),
    ],
)
def test_a_row_with_something_in_it_is_never_dropped_silently(touched: CriterionSpec) -> None:
    sent = sent_for(spec(criteria=(LIGHT, WORDS, touched)))

    with pytest.raises(Invalid) as refused:
        read(sent).check()

    assert refused.value.problems == {"criterion-2-title": "missing"}


def test_empty_levels_between_others_fall_away() -> None:
    sent = sent_for(FOTOSYNTHESE) | {"criterion-0-level-1": ""}

    assert read(sent).check().criteria[0].levels == ("fehlt", "erklärt")


def test_in_reviewed_mode_no_rule_lets_scores_out() -> None:
    sent = sent_for(spec(mode=Mode.REVIEWED, reports_score=True))

    assert read(sent).check().reports_score is False


def test_what_cannot_be_stored_or_misleads_is_left_out() -> None:
    sent = sent_for(FOTOSYNTHESE) | {
        "title": "Wozu\u202e \x00 Licht?\r\n",
        "prompt": "Eins\r\n\x07\r\nZwei\ud800",
    }

    form = read(sent)

    assert form.title == "Wozu Licht?"
    assert form.prompt == "Eins\n\nZwei"


def test_a_refused_form_still_has_all_that_was_typed() -> None:
    sent = sent_for(FOTOSYNTHESE) | {
        "title": "",
        "score_maximum": "zehn",
        "criterion-1-weight": "viel",
        "version": "4",
    }

    form = read(sent)

    assert (form.score_maximum, form.rows[1].weight, form.version) == ("zehn", "viel", "4")
    assert form.prompt == FOTOSYNTHESE.prompt
    assert form.rows[0].filled_levels == LIGHT.levels


def test_a_form_with_nothing_in_it_is_refused_and_not_an_accident() -> None:
    with pytest.raises(Invalid) as refused:
        read({}).check()

    assert refused.value.problems == {
        "title": "missing",
        "prompt": "missing",
        "score_maximum": "not_in_range",
        "max_attempts": "not_in_range",
        "mode": "mode",
        "unit_title": "missing",
        "criteria": "too_few",
    }


def test_a_new_page_offers_two_rows_with_four_levels_each() -> None:
    form = TaskForm.blank(OFFERED, "new", "Bio 8b")

    assert [row.filled_levels for row in form.rows] == [OFFERED, OFFERED]
    assert {len(row.levels) for row in form.rows} == {LEVEL_FIELDS}
    assert form.unit_title == "Bio 8b"


def test_the_next_task_in_a_row_begins_in_the_same_place_with_the_same_rules() -> None:
    wanted = spec(mode=Mode.REVIEWED, score_maximum=20, max_attempts=1, section_title="2. Woche")

    form = read(sent_for(wanted)).followed_by(A_UNIT)

    assert (form.unit, form.section) == (str(A_UNIT), "2. Woche")
    assert (form.mode, form.score_maximum, form.max_attempts) == ("reviewed", "20", "1")
    assert (form.title, form.prompt, form.solution_notes, form.version) == ("", "", "", "")
    assert [row.filled_levels for row in form.rows] == [OFFERED, OFFERED]


def titles(form: TaskForm) -> list[str]:
    return [row.title for row in form.rows]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("add-criterion", ["A", "B", "C", ""]),
        ("remove-criterion-1", ["A", "C"]),
        ("remove-criterion-9", ["A", "B", "C"]),
        ("raise-criterion-2", ["A", "C", "B"]),
        ("raise-criterion-0", ["A", "B", "C"]),
        ("save", ["A", "B", "C"]),
        ("remove-criterion--1", ["A", "B", "C"]),
        ("", ["A", "B", "C"]),
    ],
)
def test_the_buttons_for_rows_change_the_rows_only(action: str, expected: list[str]) -> None:
    rows = tuple(CriterionSpec(title, "", 1, OFFERED) for title in "ABC")
    form = read(sent_for(spec(criteria=rows)))

    changed = form.changed_by(action)

    assert titles(changed) == expected
    assert changed.prompt == form.prompt


def test_there_is_no_eighth_row() -> None:
    form = read(sent_for(spec(criteria=(WORDS,) * 7)))

    assert len(form.changed_by("add-criterion").rows) == 7


def test_rows_keep_their_order_when_a_script_left_gaps_in_the_numbers() -> None:
    rows = {"criterion-10-title": "Zehn", "criterion-2-title": "Zwei", "criterion-x-title": "?"}

    assert titles(read(rows)) == ["Zwei", "Zehn"]


@given(st.dictionaries(st.sampled_from(sorted(sent_for(FOTOSYNTHESE))), st.text(max_size=40)))
def test_whatever_is_sent_is_either_a_task_or_a_list_of_problems(noise: dict[str, str]) -> None:
    form = read(sent_for(FOTOSYNTHESE) | noise)

    try:
        accepted: TaskSpec | None = form.check()
    except Invalid as refused:
        accepted, named = None, refused.problems

    if accepted is None:
        assert named
    else:
        assert read(sent_for(accepted)).check() == accepted
