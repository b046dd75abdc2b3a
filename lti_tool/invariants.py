"""What must be true of the rows whatever has crashed, been cut off or was restored: one query each.

Constraints and triggers keep most of it as it is written; this looks at what is there, after a
restore, a repair by hand or a fault nobody thought of. Nothing is changed. The numbers I1 to I6 are
those of the fault catalogue, P3 is that of storage limitation; what rows cannot prove (that a
browser's receipt is a row, that the gradebook holds the last score) the chaos run compares from
outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from lti_tool.core.db import Begin, service_of
from lti_tool.core.statements import ask


@dataclass(frozen=True)
class Invariant:
    """`query` names, in the column `broken`, the rows of one platform for which it is not so."""

    number: str
    name: str
    query: LiteralString


@dataclass(frozen=True)
class Violation:
    """Ids only: what they are of, the name of the invariant says."""

    invariant: Invariant
    broken: tuple[str, ...]


def check(begin: Begin, platforms: Sequence[UUID]) -> list[Violation]:
    """What does not hold, over all of these platforms, in the order of `INVARIANTS`."""
    found: dict[Invariant, list[str]] = {invariant: [] for invariant in INVARIANTS}
    for platform_id in platforms:
        with begin(service_of(platform_id)) as db:
            for invariant in INVARIANTS:
                found[invariant] += [row.broken for row in ask(db, invariant.query, {})]
    return [Violation(invariant, tuple(ids)) for invariant, ids in found.items() if ids]


# Every move writes an event: into the state a submission is in one more than out of it, into every
# other as many as out of it. Moves of one transaction have the same time, so they are counted.
_HISTORY = """
WITH steps AS (
  SELECT submission_id, to_state AS state, 1 AS step FROM submission_events
  UNION ALL
  SELECT submission_id, from_state, -1 FROM submission_events WHERE from_state IS NOT NULL
  UNION ALL
  SELECT id, state, -1 FROM submissions)
SELECT submission_id::text AS broken FROM (
  SELECT submission_id FROM steps GROUP BY submission_id, state HAVING sum(step) <> 0) AS uneven
GROUP BY submission_id
"""

_KEYS = """
SELECT unnest(array_agg(id))::text AS broken FROM submissions
GROUP BY resource_link_id, person_id, client_key HAVING count(*) > 1
"""

# 20 is the most a task may allow. A teacher may lower its limit later: that is no violation.
_ATTEMPTS = """
SELECT (array_agg(id ORDER BY attempt DESC))[1]::text AS broken FROM submissions
GROUP BY resource_link_id, task_id, person_id
HAVING min(attempt) <> 1 OR max(attempt) <> count(*) OR max(attempt) > 20
"""

_UNDER_WAY = """
SELECT s.id::text AS broken FROM submissions s
WHERE s.state IN ('handed_in', 'to_check') AND NOT EXISTS (
  SELECT FROM jobs j WHERE j.subject_id = s.id AND j.kind IN ('read_pages', 'give_feedback')
    AND j.state IN ('waiting', 'working'))
"""

_REASON = """
SELECT id::text AS broken FROM submissions
WHERE (state = 'needs_teacher') <> (coalesce(needs_teacher_reason, '') <> '')
"""

_STANDSTILL = """
SELECT id::text AS broken FROM jobs
WHERE state IN ('waiting', 'working') AND coalesce(lease_until, ready_at) < now() - interval '1 day'
"""

_CURRENT = """
SELECT s.id::text AS broken FROM submissions s
LEFT JOIN feedbacks f ON f.submission_id = s.id AND f.superseded_at IS NULL
GROUP BY s.id, s.state
HAVING count(f.id) > 1 OR (count(f.id) = 0 AND s.state IN ('awaiting_teacher', 'released'))
"""

# Of two acts at the same moment one sees the other's: a released submission shows what is released.
_RELEASED = """
SELECT s.id::text AS broken FROM submissions s
JOIN feedbacks f ON f.submission_id = s.id AND f.superseded_at IS NULL
WHERE (s.state = 'released') <> (f.released_at IS NOT NULL)
"""

_VERSIONS = """
SELECT submission_id::text AS broken FROM feedbacks GROUP BY submission_id
HAVING min(version) <> 1 OR max(version) <> count(*)
  OR count(*) FILTER (WHERE superseded_at IS NOT NULL) < count(*) - 1
"""

_WITHOUT_RELEASE = """
SELECT g.id::text AS broken FROM grade_syncs g LEFT JOIN feedbacks f ON f.id = g.feedback_id
WHERE f.released_at IS NULL OR f.release <> g.authority
"""

_ONCE = """
SELECT unnest(array_agg(id))::text AS broken FROM grade_syncs
GROUP BY feedback_id HAVING count(*) > 1
UNION
SELECT unnest(array_agg(id))::text FROM grade_syncs WHERE state IN ('planned', 'posting')
GROUP BY resource_link_id, person_id HAVING count(*) > 1
"""

# Keys are ordered by time: the score that was planned later carries the later timestamp.
_IN_ORDER = """
SELECT id::text AS broken FROM (
  SELECT id, sent_at, max(sent_at) OVER (PARTITION BY resource_link_id, person_id ORDER BY id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM grade_syncs WHERE sent_at IS NOT NULL) AS sent
WHERE sent_at <= before
"""

_ON_ITS_WAY = """
SELECT g.id::text AS broken FROM grade_syncs g
WHERE g.state IN ('planned', 'posting') AND NOT EXISTS (
  SELECT FROM jobs j WHERE j.subject_id = g.id AND j.kind = 'post_score'
    AND j.state IN ('waiting', 'working'))
"""

_SUBJECTS = """
SELECT j.id::text AS broken FROM jobs j WHERE NOT EXISTS (
  SELECT FROM submissions s WHERE s.id = j.subject_id AND j.kind IN ('read_pages', 'give_feedback')
  UNION ALL SELECT FROM grade_syncs g WHERE g.id = j.subject_id AND j.kind = 'post_score'
  UNION ALL SELECT FROM courses c WHERE c.id = j.subject_id AND j.kind = 'refresh_roster')
"""

# Rows of another platform are not seen here, so a reference across the border leads nowhere.
_REFERENCES = """
SELECT 'submissions ' || s.id AS broken FROM submissions s
WHERE NOT EXISTS (SELECT FROM persons p WHERE p.id = s.person_id)
   OR NOT EXISTS (SELECT FROM tasks t WHERE t.id = s.task_id)
   OR NOT EXISTS (SELECT FROM resource_links l
                  WHERE l.id = s.resource_link_id AND l.course_id = s.course_id)
UNION ALL
SELECT 'feedbacks ' || f.id FROM feedbacks f WHERE NOT EXISTS (
  SELECT FROM submissions s WHERE s.id = f.submission_id
    AND (s.person_id, s.course_id) = (f.person_id, f.course_id))
UNION ALL
SELECT 'criterion_results ' || r.id FROM criterion_results r
WHERE NOT EXISTS (SELECT FROM criteria c WHERE c.id = r.criterion_id)
UNION ALL
SELECT 'attachments ' || a.id FROM attachments a
WHERE a.submission_id IS NOT NULL AND NOT EXISTS (
  SELECT FROM submissions s WHERE s.id = a.submission_id
    AND (s.person_id, s.resource_link_id) = (a.person_id, a.resource_link_id))
UNION ALL
SELECT 'transcripts ' || t.id FROM transcripts t WHERE NOT EXISTS (
  SELECT FROM attachments a WHERE a.id = t.attachment_id AND a.person_id = t.person_id)
UNION ALL
SELECT 'grade_syncs ' || g.id FROM grade_syncs g WHERE NOT EXISTS (
  SELECT FROM feedbacks f JOIN submissions s ON s.id = f.submission_id
  WHERE f.id = g.feedback_id AND (s.id, s.person_id, s.resource_link_id)
    = (g.submission_id, g.person_id, g.resource_link_id))
"""

# Deleted by any worker within the hour; two days later none is at work, or it fails.
_KEPT_TOO_LONG = """
SELECT DISTINCT link::text AS broken FROM drafts_untouched_since(now() - interval '32 days')
WHERE platform = app_platform()
"""

INVARIANTS = (
    Invariant("I1", "history", _HISTORY),
    Invariant("I2", "keys", _KEYS),
    Invariant("I2", "attempts", _ATTEMPTS),
    Invariant("I3", "under_way", _UNDER_WAY),
    Invariant("I3", "reason", _REASON),
    Invariant("I3", "standstill", _STANDSTILL),
    Invariant("I4", "current", _CURRENT),
    Invariant("I4", "released", _RELEASED),
    Invariant("I4", "versions", _VERSIONS),
    Invariant("I5", "without_release", _WITHOUT_RELEASE),
    Invariant("I5", "once", _ONCE),
    Invariant("I5", "in_order", _IN_ORDER),
    Invariant("I5", "on_its_way", _ON_ITS_WAY),
    Invariant("I6", "subjects", _SUBJECTS),
    Invariant("I6", "references", _REFERENCES),
    Invariant("P3", "kept_too_long", _KEPT_TOO_LONG),
)
