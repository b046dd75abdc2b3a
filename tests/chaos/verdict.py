"""The judge: what pupils were told and what the gradebook holds, against what is there (I1-I8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import psycopg

from lti_tool import invariants
from lti_tool.core.clock import utc_now
from lti_tool.core.files import open_store
from lti_tool.practice_lms.ledger import Received
from lti_tool.uploads.orphans import compare
from tests.chaos.pupils import Told, Troubled, looks, shows
from tests.chaos.stage import Stage

_ROWS = """
SELECT p.sub, s.client_key, s.answer, s.state
FROM submissions s JOIN persons p ON p.id = s.person_id
"""
_LAST_SCORES = """
SELECT DISTINCT ON (p.sub) p.sub, g.score FROM grade_syncs g JOIN persons p ON p.id = g.person_id
ORDER BY p.sub, g.id DESC
"""
_OPEN = """
SELECT (SELECT count(*) FROM submissions WHERE state IN ('handed_in', 'to_check')),
       (SELECT count(*) FROM grade_syncs WHERE state IN ('planned', 'posting'))
"""
# Waits for a gradebook grow to an hour, on purpose; here they pass at once.
_TIME_PASSES = """
UPDATE jobs SET ready_at = now()
WHERE kind = 'post_score' AND state = 'waiting' AND ready_at > now()
"""


@dataclass(frozen=True)
class Row:
    answer: str
    state: str


def still_open(stage: Stage) -> tuple[int, int]:
    """Submissions without a result and scores on their way, while the waits for Moodle pass."""
    with psycopg.connect(stage.superuser_url, autocommit=True) as db:
        db.execute(_TIME_PASSES)
        submissions, scores = db.execute(_OPEN).fetchone() or (0, 0)
    return int(submissions), int(scores)


def violations(stage: Stage, crowd: list[Told]) -> list[str]:
    """Everything that is not as it must be, in words; empty is what we want."""
    kept = _kept(stage)
    return [
        *(f"{told.user_id}: {wrong}" for told in crowd for wrong in told.wrong),
        *receipts(kept, crowd),
        *_screens(crowd),
        *_gradebook(stage),
        *_rows(stage),
    ]


def states(stage: Stage) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for rows in _kept(stage).values():
        for row in rows.values():
            counts[row.state] += 1
    return dict(counts)


def _kept(stage: Stage) -> dict[str, dict[UUID, Row]]:
    found: dict[str, dict[UUID, Row]] = defaultdict(dict)
    with psycopg.connect(stage.superuser_url) as db:
        for sub, key, answer, state in db.execute(_ROWS):
            found[sub][key] = Row(answer, state)
    return found


def receipts(kept: dict[str, dict[UUID, Row]], crowd: list[Told]) -> list[str]:
    """I1: each receipt is a row with the very text; and no row is what nobody sent."""
    wrong = []
    for told in crowd:
        rows = kept.get(told.user_id, {})
        for key in told.receipts:
            if key not in rows:
                wrong.append(f"I1 {told.user_id}: abgegeben und verloren: {key}")
        for key, row in rows.items():
            if told.sent.get(key) != row.answer:
                wrong.append(f"I1 {told.user_id}: steht da, wurde so nicht gesendet: {key}")
    return wrong


def _screens(crowd: list[Told]) -> list[str]:
    """I8: whoever handed in sees it, with what became of it."""
    wrong = []
    for told in crowd:
        if not told.receipts:
            continue
        try:
            page = looks(told)
        except Troubled as trouble:
            wrong.append(f"I8 {told.user_id}: keine Seite: {trouble}")
            continue
        if not shows(page, told.newest()):
            wrong.append(f"I8 {told.user_id}: die Abgabe steht nicht auf der Seite")
        if "Dein nächster Schritt" not in page and "Lehrkraft" not in page:
            wrong.append(f"I8 {told.user_id}: weder Rückmeldung noch Lehrkraft auf der Seite")
    return wrong


def _gradebook(stage: Stage) -> list[str]:
    """I5: what stands in the gradebook is what was released last, and nothing arrived twice."""
    with psycopg.connect(stage.superuser_url) as db:
        last = {sub: Decimal(score) for sub, score in db.execute(_LAST_SCORES)}
    with stage.lms.store.reading() as state:
        there = {
            user: Decimal(str(grade.points))
            for (_, user), grade in state.grades.items()
            if grade.points is not None
        }
    wrong = [
        f"I5 {sub}: im Notenbuch {there.get(sub)}, freigegeben {last.get(sub)}"
        for sub in last.keys() | there.keys()
        if last.get(sub) != there.get(sub)
    ]
    return wrong + arrivals(stage.lms.ledger.rows())


def arrivals(ledger: Iterable[Received]) -> list[str]:
    """I5: each score was stored once, and a later one never before an earlier one."""
    arrived: dict[str, list[datetime]] = defaultdict(list)
    for row in ledger:
        if row.stored:
            arrived[str(row.user)].append(datetime.fromisoformat(str(row.timestamp)))
    return [
        f"I5 {user}: doppelt oder in falscher Reihenfolge angekommen"
        for user, moments in arrived.items()
        if moments != sorted(set(moments))
    ]


def _rows(stage: Stage) -> list[str]:
    """I2 to I6, by the queries that operators have; and every page has its file."""
    with psycopg.connect(stage.superuser_url) as db:
        platforms = [platform for (platform,) in db.execute("SELECT id FROM platforms")]
    found = invariants.check(stage.database.begin, platforms)
    wrong = [f"{one.invariant.number} {one.invariant.name}: {one.broken[:3]}" for one in found]
    store = open_store(str(stage.folder / "files"))
    missing = compare(stage.database.begin, store, platforms, utc_now()).missing
    return wrong + [f"I6 ohne Foto: {key}" for key in missing]
