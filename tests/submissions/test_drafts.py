"""What is typed on several devices, in any order: the newest counts, no text is lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select

from lti_tool.core.clock import utc_now
from lti_tool.core.db import WORKER
from lti_tool.core.errors import Invalid, NotFound
from lti_tool.submissions import drafts
from lti_tool.submissions.drafts import MOST_OLDER, SavedDraft, Typed
from lti_tool.submissions.models import ANSWER_LIMIT, DraftVersion
from tests.classroom import Classroom, Pupil, open_classroom
from tests.visitor import open_browsers


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


class Device:
    """A page on which Ada writes."""

    def __init__(self, pupil: Pupil) -> None:
        self.pupil = pupil
        self.page = uuid4()
        self.turn = 0
        draft = pupil.sees().draft
        self.version = draft.version if draft else 0

    def saves(self, text: str, *, answer_arrives: bool = True) -> SavedDraft:
        self.turn += 1
        kept = self.sends(Typed(text, self.version, self.page, self.turn))
        if answer_arrives:
            self.version = kept.version
        return kept

    def sends(self, typed: Typed) -> SavedDraft:
        with self.pupil.database.begin(self.pupil.launch.actor) as db:
            return drafts.save(db, self.pupil.launch, typed)


def older(pupil: Pupil) -> list[str]:
    with pupil.database.begin(pupil.launch.actor) as db:
        return [version.text for version in drafts.older(db, pupil.launch)]


def test_one_device_alone_leaves_no_older_texts(room: Classroom):
    tablet = Device(room.ada)

    for text in ("Die", "Die Pflanze", "Die Pflanze braucht Licht"):
        assert not tablet.saves(text).overtook

    assert room.ada.sees().draft.text == "Die Pflanze braucht Licht"
    assert older(room.ada) == []


def test_the_newer_of_two_devices_counts_is_told_and_the_other_text_is_kept(room: Classroom):
    """FLT-10."""
    tablet, phone = Device(room.ada), Device(room.ada)
    tablet.saves("Auf dem Tablet getippt")

    kept = phone.saves("Auf dem Handy getippt")

    assert kept.overtook
    assert room.ada.sees().draft.text == "Auf dem Handy getippt"
    assert older(room.ada) == ["Auf dem Tablet getippt"]
    assert not phone.saves("Auf dem Handy weiter").overtook


def test_an_answer_that_never_arrived_is_not_taken_for_another_device(room: Classroom):
    tablet = Device(room.ada)
    tablet.saves("Eins")
    tablet.saves("Eins zwei", answer_arrives=False)

    assert not tablet.saves("Eins zwei drei").overtook

    assert older(room.ada) == []


def test_a_save_that_arrives_after_a_later_one_changes_nothing(room: Classroom):
    tablet = Device(room.ada)
    tablet.saves("Eins")
    slow = Typed("Eins zw", tablet.version, tablet.page, tablet.turn + 1)
    tablet.turn += 1
    tablet.saves("Eins zwei")

    tablet.sends(slow)

    assert room.ada.sees().draft.text == "Eins zwei"
    assert older(room.ada) == []


def test_the_same_text_from_two_devices_is_one_text(room: Classroom):
    tablet, phone = Device(room.ada), Device(room.ada)
    tablet.saves("Gleich")

    assert not phone.saves("Gleich").overtook

    assert older(room.ada) == []


def test_two_devices_in_turns_leave_the_newest_text_of_the_other_one(room: Classroom):
    tablet, phone = Device(room.ada), Device(room.ada)
    for number in range(4):
        tablet.saves(f"Tablet {number}")
        phone.saves(f"Handy {number}")

    assert room.ada.sees().draft.text == "Handy 3"
    assert set(older(room.ada)) == {"Tablet 3", "Handy 2"}


def test_a_page_from_before_an_attempt_never_displaces_the_next_draft_unseen(room: Classroom):
    tablet = Device(room.ada)
    tablet.saves("Zum ersten Versuch")
    room.ada.hands_in("Zum ersten Versuch")
    Device(room.ada).saves("Zum zweiten Versuch")

    assert tablet.saves("Vom alten Tab").overtook

    assert older(room.ada) == ["Zum zweiten Versuch"]


def test_what_another_device_wrote_is_kept_when_this_one_hands_in(room: Classroom):
    Device(room.ada).saves("Auf dem Handy, noch nicht fertig")

    room.ada.hands_in("Auf dem Tablet, fertig")

    assert room.ada.sees().draft is None
    assert older(room.ada) == ["Auf dem Handy, noch nicht fertig"]


def test_an_answer_that_is_not_taken_displaces_no_draft_unseen(room: Classroom):
    room.ada.hands_in("Erster Versuch")
    Device(room.ada).saves("Schon am zweiten")

    room.ada.writes("Aus dem alten Tab", attempt=1)

    assert room.ada.sees().draft.text == "Aus dem alten Tab"
    assert older(room.ada) == ["Schon am zweiten"]


def test_saves_of_many_devices_at_once_lose_no_text(room: Classroom):
    devices = [Device(room.ada) for _ in range(MOST_OLDER)]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: devices[n].saves(f"Gerät {n}"), range(MOST_OLDER)))

    there = [*older(room.ada), room.ada.sees().draft.text]
    assert sorted(there) == sorted(f"Gerät {n}" for n in range(MOST_OLDER))


def test_only_the_newest_older_texts_are_kept(room: Classroom):
    for number in range(MOST_OLDER + 3):
        Device(room.ada).sends(Typed(f"Text {number}", 0, uuid4(), 1))

    assert older(room.ada) == [f"Text {n}" for n in range(MOST_OLDER + 1, 1, -1)]


def test_going_back_to_an_older_text_puts_the_present_one_aside(room: Classroom):
    Device(room.ada).saves("Vom Tablet")
    Device(room.ada).sends(Typed("Vom Handy", 0, uuid4(), 1))

    with room.database.begin(room.ada.launch.actor) as db:
        drafts.restore(db, room.ada.launch, drafts.older(db, room.ada.launch)[0].id)

    assert room.ada.sees().draft.text == "Vom Tablet"
    assert older(room.ada) == ["Vom Handy"]


def test_an_older_text_of_somebody_else_does_not_exist(room: Classroom):
    Device(room.ada).saves("Vom Tablet")
    Device(room.ada).sends(Typed("Vom Handy", 0, uuid4(), 1))
    with room.database.begin(room.ada.launch.actor) as db:
        theirs = drafts.older(db, room.ada.launch)[0].id

    with pytest.raises(NotFound), room.database.begin(room.ben.launch.actor) as db:
        drafts.restore(db, room.ben.launch, theirs)
    for actor in (room.ben.launch.actor, room.curie.actor):  # no teacher sees drafts either
        with room.database.begin(actor) as db:
            assert db.scalars(select(DraftVersion)).all() == []


def test_older_texts_are_gone_after_a_month(room: Classroom, postgres):
    Device(room.ada).saves("Von gestern")
    Device(room.ada).sends(Typed("Von heute", 0, uuid4(), 1))
    Device(room.ada).sends(Typed("Von jetzt", 0, uuid4(), 1))
    aged(postgres, "Von gestern")

    with room.database.begin(WORKER) as db:
        drafts.forget_old_versions(db)

    assert older(room.ada) == ["Von heute"]


def test_a_draft_that_is_too_long_is_refused_and_the_one_before_stays(room: Classroom):
    tablet = Device(room.ada)
    tablet.saves("Kurz")

    with pytest.raises(Invalid, match="too_long"):
        tablet.saves("x" * (ANSWER_LIMIT + 1))

    assert room.ada.sees().draft.text == "Kurz"


def aged(postgres, text: str) -> UUID:
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", ""), autocommit=True) as db:
        row = db.execute(
            "UPDATE draft_versions SET saved_at = %s WHERE text = %s RETURNING id",
            [utc_now() - timedelta(days=31), text],
        ).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    "typed",
    [
        "Größe, und zerlegt: u\u0308ber",  # no normal form is forced
        "Familie 👩‍👩‍👧 und 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "مرحبا 123 \u202bשלום\u202c",
        "\n\nerst leer,\tdann  eingerückt \n",
        "</textarea><b>&amp;&#13;\u2028\x0b\ufeff",
    ],
)
def test_a_text_comes_back_byte_for_byte(room: Classroom, typed: str):
    ada = open_browsers(room).ada()

    ada.post("/work/draft", text=typed.replace("\n", "\r\n"), version="0")  # as browsers send it

    assert room.ada.sees().draft.text.encode() == typed.encode()
    shown = re.search(r"<textarea[^>]*>\n(.*)</textarea>", ada.get("/work/").html, re.S)
    assert unescape(shown[1]).encode() == typed.encode()


def test_a_character_that_cannot_be_kept_is_refused_in_words(room: Classroom):
    page = open_browsers(room).ada().post("/work/draft", text="vor\x00nach", version="0")

    assert page.status == 400
    assert "ein Zeichen, das sich nicht speichern lässt" in page.text
    assert page.fields()["text"] == "vornach"
    assert room.ada.sees().draft is None
