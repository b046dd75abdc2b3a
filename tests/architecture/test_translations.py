"""English is complete: every text of our pages has one, with the same places to fill in. And where
a task says Sie, no page of it has a du left."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
ENGLISH = ROOT / "lti_tool" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
FORMAL = ROOT / "lti_tool" / "translations" / "de" / "LC_MESSAGES" / "formal.po"
PLACE = re.compile(r"%\(\w+\)s")
# A task's pages, as its pupils see them. Whoever signs in, or meets a fault, is at no task yet.
PUPILS = (
    "submissions/templates/work",
    "uploads/templates/pages",
    "content/templates/content/_task",
)
ASKED = (
    "frag schreib lies sieh lass nimm teile fotografiere verbessere wähle zeige scanne kürze"
    " speichere gib öffne warte prüfe kopiere geh achte drück tippe"
)
DU = re.compile(
    r"\b([Dd]u|[Dd]ir|[Dd]ich|[Dd]ein\w*|[Vv]ersuch es)\b"
    rf"|(?:^|[.!?:;] |, |und |oder )(?i:{ASKED.replace(' ', '|')})\b"
)


def spoken() -> dict[str, str]:
    """Each text that a page may say, and a place where it does."""
    mapping = (ROOT / "config" / "babel.cfg").read_text(encoding="utf-8")
    methods, options = parse_mapping_cfg(io.StringIO(mapping))
    found = extract_from_dir(str(ROOT), methods, options)
    return {str(message): f"{name}:{line}" for name, line, message, *_ in found}


@pytest.fixture(scope="module")
def german() -> dict[str, str]:
    return spoken()


@pytest.fixture(scope="module")
def english() -> Catalog:
    with ENGLISH.open("rb") as file:
        return read_po(file, abort_invalid=True)


@pytest.fixture(scope="module")
def formal() -> Catalog:
    with FORMAL.open("rb") as file:
        return read_po(file, abort_invalid=True)


def test_every_text_has_an_english_one(german: dict[str, str], english: Catalog) -> None:
    translated = {str(m.id) for m in english if m.id and m.string}

    missing = {text: place for text, place in german.items() if text not in translated}
    assert missing == {}


def test_no_english_text_is_left_over_or_unsure(german: dict[str, str], english: Catalog) -> None:
    assert [m.id for m in english if m.id and (m.fuzzy or m.id not in german)] == []
    assert list(english.obsolete) == []


def test_what_is_filled_in_is_filled_in_in_both(english: Catalog, formal: Catalog) -> None:
    for message in (*english, *formal):
        places = (set(PLACE.findall(str(text))) for text in (message.id, message.string))
        assert len(set(map(frozenset, places))) == 1, message.id


def test_the_pages_are_found_at_all(german: dict[str, str]) -> None:
    assert "Abgeben" in german
    assert "Freigeben" in german


def test_no_text_with_du_is_left_where_a_task_says_sie(formal: Catalog) -> None:
    said = {str(m.id): str(m.string) for m in formal if m.id and m.string and not m.fuzzy}

    with_du = {text for text in texts_for_pupils() if DU.search(text)}
    assert "Dein nächster Schritt" in with_du
    assert with_du - said.keys() == set()
    assert {text for text in said.values() if DU.search(text)} == set()


def test_no_text_with_sie_is_left_over(formal: Catalog) -> None:
    assert {str(m.id) for m in formal if m.id} - texts_for_pupils() == set()


def texts_for_pupils() -> set[str]:
    mapping = (ROOT / "config" / "babel.cfg").read_text(encoding="utf-8")
    methods, options = parse_mapping_cfg(io.StringIO(mapping))
    found = extract_from_dir(str(ROOT), methods, options)
    return {str(text) for place, _, text, *_ in found if any(part in place for part in PUPILS)}
