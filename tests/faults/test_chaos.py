"""The judge of `make chaos`, shown what it has to see; and that a seed breaks the same again."""

from dataclasses import replace
from uuid import uuid4

from lti_tool.practice_lms.ledger import Received
from tests.chaos.faults import KINDS, drawn
from tests.chaos.pupils import NoticingBrowser, Told
from tests.chaos.verdict import Row, arrivals, receipts

KEY = uuid4()
SCORE = Received(
    time="",
    item="1",
    user="1001",
    given=1,
    max=10,
    comment="",
    progress="FullyGraded",
    timestamp="2026-11-27T08:00:00+00:00",
    status=200,
    stored=True,
    mode=None,
)
LATER = replace(SCORE, timestamp="2026-11-27T08:00:01+00:00")


def ada(acknowledged: bool = True) -> Told:
    told = Told("1001", NoticingBrowser(), sent={KEY: "Licht"})
    if acknowledged:
        told.receipts.add(KEY)
    return told


def test_what_was_acknowledged_and_is_there_is_fine():
    assert receipts({"1001": {KEY: Row("Licht", "released")}}, [ada()]) == []


def test_what_was_acknowledged_and_is_gone_is_lost():
    (wrong,) = receipts({}, [ada()])

    assert "verloren" in wrong


def test_half_an_answer_is_not_what_was_sent():
    (wrong,) = receipts({"1001": {KEY: Row("Li", "released")}}, [ada()])

    assert "wurde so nicht gesendet" in wrong


def test_what_nobody_sent_is_found():
    rows = {KEY: Row("Licht", "released"), uuid4(): Row("Licht", "released")}

    assert len(receipts({"1001": rows}, [ada()])) == 1


def test_what_is_there_without_an_answer_is_an_unknown_outcome_and_no_loss():
    assert receipts({"1001": {KEY: Row("Licht", "released")}}, [ada(acknowledged=False)]) == []


def test_a_score_that_arrives_twice_or_too_late_is_found():
    assert arrivals([SCORE, LATER]) == []
    assert len(arrivals([SCORE, SCORE])) == 1
    assert len(arrivals([LATER, SCORE])) == 1
    assert arrivals([SCORE, replace(SCORE, stored=False)]) == []


def test_a_seed_breaks_the_same_again_and_another_one_something_else():
    assert drawn(7, 60, 4) == drawn(7, 60, 4)
    assert drawn(7, 60, 4) != drawn(8, 60, 4)


def test_twenty_seeds_break_everything_there_is_to_break():
    broken = {fault.name for seed in range(1, 21) for fault in drawn(seed, 60, 4)}

    assert broken == KINDS.keys()
