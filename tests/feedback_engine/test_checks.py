"""What a model claims is believed only as far as the answer carries it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_engine.checks import (
    Claim,
    checked_verdict,
    clean_prose,
    find_quote,
    flags_for_prose,
    gives_solution_away,
    is_wrong_language,
    names_person,
)
from feedback_engine.contract import Flag, Language, VerdictStatus
from feedback_engine.intake import neutralised
from tests.feedback_engine.examples import ADAS_ANSWER, LIGHT, plants

ANSWER = "Die Pflanze braucht  Licht,\num „Zucker“ herzustellen. Das heißt  Foto-\nsynthese: 6 CO2."


@pytest.mark.parametrize(
    ("quote", "passage"),
    [
        ("Die Pflanze braucht Licht", "Die Pflanze braucht  Licht"),
        ("die pflanze braucht licht.", "Die Pflanze braucht  Licht"),
        ('um "Zucker" herzustellen', "um „Zucker“ herzustellen"),
        ("»um ‚Zucker‘ herzustellen«", "um „Zucker“ herzustellen"),
        ("… Licht, um Zucker herzustellen …", "Licht,\num „Zucker“ herzustellen"),
        ("Die Pflanze […] um Zucker herzustellen", "um „Zucker“ herzustellen"),
        ("Fotosynthese", "Foto-\nsynthese"),
        ("Das hei\u00dft", "Das heißt"),
        ("6 CO\u2082", "6 CO2"),
    ],
)
def test_a_quote_is_found_as_it_stands_in_the_answer(quote: str, passage: str) -> None:
    assert find_quote(quote, ANSWER) == passage


@pytest.mark.parametrize(
    "quote",
    [
        "",
        "  „ “ ",
        "…",
        "die",
        "Die Pflanze braucht kein Licht",
        "Pflanze Die braucht",
        "Zucker und Sauerstoff",
    ],
)
def test_a_quote_that_is_not_in_the_answer_or_says_nothing_is_no_quote(quote: str) -> None:
    assert find_quote(quote, ANSWER) is None


def test_a_decomposed_umlaut_is_the_same_letter() -> None:
    assert find_quote("Bäume", "Viele Ba\u0308ume wachsen.") == "Ba\u0308ume"


def test_a_very_short_answer_may_be_quoted_whole() -> None:
    assert find_quote("Öl", "Öl.") == "Öl"
    assert find_quote("42", "Es sind 42 Stück") == "42"


def test_a_quote_is_never_longer_than_a_reader_wants() -> None:
    answer = "Wort " * 300

    passage = find_quote(answer, answer)

    assert passage is not None
    assert len(passage) <= 400
    assert passage in answer


@given(st.text(max_size=200), st.text(max_size=60))
def test_whatever_is_found_stands_in_the_answer(answer: str, quote: str) -> None:
    passage = find_quote(quote, answer)

    assert passage is None or (passage != "" and passage in answer)


@given(st.text(alphabet="ab <|>[]#im_startINST\u200bÄ.\n", max_size=60))
def test_a_passage_is_found_again_after_neutralising(text: str) -> None:
    answer = f"Anfang {text} Ende der Antwort"

    assert find_quote(neutralised(answer), answer) is not None


@pytest.mark.parametrize(
    ("claim", "status", "level"),
    [
        (Claim(2, "es entsteht Traubenzucker", "Du sagst es."), VerdictStatus.ASSESSED, 2),
        (Claim(0, "nimmt Wasser und Luft auf", "Das ist noch nicht gemeint."), "assessed", 0),
        (Claim(0, "", "Dazu steht nichts da."), VerdictStatus.NOTHING_FOUND, 0),
        (Claim(0, " „“ ", ""), VerdictStatus.NOTHING_FOUND, 0),
        (None, VerdictStatus.NOT_ASSESSED, None),
        (Claim(1, "", "Ohne Beleg."), VerdictStatus.NOT_ASSESSED, None),
        (Claim(2, "Chlorophyll fängt Licht", "Erfunden."), VerdictStatus.NOT_ASSESSED, None),
        (Claim(0, "Chlorophyll fängt Licht", "Erfunden."), VerdictStatus.NOT_ASSESSED, None),
        (Claim(3, "es entsteht Traubenzucker", "Zu hoch."), VerdictStatus.NOT_ASSESSED, None),
        (Claim(-1, "es entsteht Traubenzucker", "Zu tief."), VerdictStatus.NOT_ASSESSED, None),
    ],
)
def test_a_claim_becomes_only_the_verdict_that_its_evidence_carries(
    claim: Claim | None, status: VerdictStatus, level: int | None
) -> None:
    verdict = checked_verdict(LIGHT, claim, ADAS_ANSWER)

    assert (verdict.status, verdict.level) == (status, level)
    assert verdict.quote in ADAS_ANSWER


@pytest.mark.parametrize(
    ("text", "language", "is_wrong"),
    [
        ("Du nennst die Rolle des Lichts und auch, was dabei entsteht.", "de", False),
        ("You name the role of light and also what is made from it.", "en", False),
        ("You name the role of light and also what is made from it.", "de", True),
        ("Du nennst die Rolle des Lichts und auch, was dabei entsteht.", "en", True),
        ("Tu as bien expliqué le rôle de la lumière dans cette réponse.", "de", True),
        ("Good work!", "de", False),
        (
            "Du schreibst sehr schön: „the plant needs the light and the water to grow“.",
            "de",
            False,
        ),
    ],
)
def test_the_language_is_looked_at(text: str, language: Language, is_wrong: bool) -> None:
    assert is_wrong_language(text, language) == is_wrong


@pytest.mark.parametrize(
    ("text", "gives_away"),
    [
        ("Schau noch einmal, was mit dem Licht in der Pflanze geschieht.", False),
        ("Du nennst schon Traubenzucker und Sauerstoff, das ist gut.", False),
        ("Das Chlorophyll fängt die Lichtenergie ein, schreib das noch dazu.", True),
        ("Kohlenstoffdioxid und Wasser entstehen Traubenzucker und Sauerstoff", True),
        ("Denk an das Chlorophyll und an Kohlenstoffdioxid.", True),
        ("Wo kommt das Chlorophyll ins Spiel?", False),
    ],
)
def test_prose_may_not_say_what_only_the_teacher_knows(text: str, gives_away: bool) -> None:
    assert gives_solution_away(text, plants()) == gives_away


@pytest.mark.parametrize(
    ("notes", "text", "gives_away"),
    [
        ("1848", "Es war im Jahr 1848.", True),
        ("Osmose", "Das nennt man Osmose.", True),
        ("", "Es ist Osmose und war 1848.", False),
        ("Osmose", "Wie nennt man diesen Vorgang?", False),
    ],
)
def test_a_short_solution_is_given_away_by_its_one_word(
    notes: str, text: str, gives_away: bool
) -> None:
    assert gives_solution_away(text, plants("Wasser geht durch die Haut.", notes=notes)) == (
        gives_away
    )


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("Frag doch Charles, wie er das gelöst hat.", True),
        ("Du machst das wie Frau Babbage.", True),
        ("Frag doch jemanden aus deiner Klasse.", False),
        ("Ada wandelt das Licht um.", False),  # the answer itself speaks of an Ada
        ("Das ist ein babbagehafter Satz.", False),
    ],
)
def test_no_classmate_is_named(text: str, is_named: bool) -> None:
    request = plants("Ada die Pflanze braucht Licht.", names=("Charles Babbage", "Ada Lovelace"))

    assert names_person(text, request) == is_named


def test_each_fault_of_the_prose_has_its_flag() -> None:
    request = plants("Licht ist wichtig.", names=("Charles Babbage",))

    def flags(*prose: str) -> list[Flag]:
        return flags_for_prose(prose, request, "kxabc123")

    assert flags("Du hast das gut erklärt.", "Lies es noch einmal.") == []
    assert flags("Das Chlorophyll fängt die Lichtenergie ein.") == [Flag.SOLUTION_GIVEN_AWAY]
    assert flags("You have explained this well and it is clear.") == [Flag.WRONG_LANGUAGE]
    assert flags("Frag Charles.") == [Flag.PERSON_NAMED]
    assert flags("Die Kennung ist KXABC 123.") == [Flag.PROMPT_ECHOED]
    assert flags("Das war dumm? Nein, nur bescheuert.") == [Flag.UNKIND]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Gut   gemacht. ", "Gut gemacht."),
        ("Sieh ![Bild](http://evil.example/x.png) an.", "Sieh Bild an."),
        ("Lies [hier](javascript:alert(1)).", "Lies hier)."),
        ("Mehr auf https://evil.example/?q=1 dazu.", "Mehr auf dazu."),
        ("Un\u200bsicht\u202ebar\x00", "Unsichtbar"),
        ("Erster Satz. Zweiter Satz ist zu lang.", "Erster Satz."),
        ("EinWortOhneEndeUndOhneLeerzeichen", "EinWortOhneEndeUndOhneLe…"),
    ],
)
def test_prose_is_plain_and_short(text: str, cleaned: str) -> None:
    assert clean_prose(
        text, 25 if len(text) > 30 and "://" not in text and "(" not in text else 99
    ) == (cleaned)
