"""What the picker's form is read as, whatever it holds."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from lti_tool.content.models import Mode
from lti_tool.content.picking import PickForm, TaskFilter, Whose
from lti_tool.core.errors import NotFound

A, B = UUID(int=1), UUID(int=2)


def sent(*pairs: tuple[str, object]) -> MultiDict[str, str]:
    return MultiDict([(name, str(value)) for name, value in pairs])


def test_what_is_ticked_is_read_once_and_in_its_order() -> None:
    form = PickForm.read(sent(("task", B), ("task", A), ("task", B), ("unit", A), ("open", B)))

    assert (form.tasks, form.units, form.opened) == ((B, A), {A}, {B})


@pytest.mark.parametrize("name", ["task", "unit", "section", "open", "edit"])
def test_what_is_no_id_names_nothing(name: str) -> None:
    with pytest.raises(NotFound):
        PickForm.read(sent((name, "1 OR 1=1")))


def test_the_filter_typed_and_the_filter_shown_are_two() -> None:
    form = PickForm.read(sent(("q", " licht  zellen "), ("shown-q", "lunge"), ("shown-in", A)))

    assert form.wanted == TaskFilter(words="licht zellen")
    assert form.shown == TaskFilter(words="lunge", unit_id=A)


filters = st.builds(
    TaskFilter,
    words=st.text(st.characters(categories=["L", "N"]), max_size=100),
    unit_id=st.none() | st.uuids(),
    mode=st.none() | st.sampled_from(Mode),
    whose=st.none() | st.sampled_from(Whose),
    unlinked=st.booleans(),
)


@given(filters)
def test_a_filter_survives_the_fields_of_the_page(wanted: TaskFilter) -> None:
    fields = {f"shown-{name}": value for name, value in wanted.fields.items() if value}

    assert TaskFilter.read(MultiDict(fields), "shown-") == wanted
    assert wanted.narrows == (wanted != TaskFilter())


@given(st.dictionaries(st.sampled_from(["q", "in", "mode", "whose", "unlinked"]), st.text()))
def test_nonsense_narrows_nothing_and_breaks_nothing(noise: dict[str, str]) -> None:
    read = TaskFilter.read(MultiDict(noise))

    assert read == TaskFilter.read(MultiDict(read.fields))
