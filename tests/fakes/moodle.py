"""Moodle's token endpoint, one gradebook column and a roster, with Moodle 4.5's own rules.

Use it as the handler of a LoopbackServer. Stricter than Moodle where a real platform might be:
the assertion's audience, issuer and single use are checked.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.fakes.http_server import Answer, Raw, Seen

TOKEN = "/mod/lti/token.php"
SERVICES = "/mod/lti/services.php/2"
COLUMN = f"{SERVICES}/lineitems/5/lineitem"
MEMBERS = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
NRPS_SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
NRPS_MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_COURSE_OF_ROSTER = re.compile(
    r"/mod/lti/services\.php/CourseSection/(\d+)/bindings/\d+/memberships"
)
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"


@dataclass
class Grade:
    """One cell of the gradebook, on the column's scale."""

    value: Decimal | None
    comment: str | None
    stored_at: datetime
    overridden: bool = False


@dataclass
class FakeMoodle:
    """`urgent`: answers given before anything is looked at, per path, first come first served."""

    client_id: str
    public_key: RSAPublicKey
    clock: Callable[[], datetime]
    grade_maximum: Decimal = Decimal(100)
    enrolled: set[str] = field(default_factory=lambda: {"7", "8"})
    rosters: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    share_names: bool = True
    roster_headers: dict[str, str] = field(default_factory=dict)  # Moodle itself sends none
    grades: dict[str, Grade] = field(default_factory=dict)
    locked: bool = False
    store_then_hang: bool = False
    urgent: dict[str, list[Answer | Raw]] = field(default_factory=dict)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    assertions: list[dict[str, Any]] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, seen: Seen) -> Answer | Raw:
        path = urlsplit(seen.target).path
        if self.urgent.get(path):
            return self.urgent[path].pop(0)
        if path == TOKEN:
            return self._token(seen)
        roster = _COURSE_OF_ROSTER.fullmatch(path)
        return self._roster(seen, roster[1]) if roster else self._grades(seen, path)

    def _grades(self, seen: Seen, path: str) -> Answer | Raw:
        rules: dict[tuple[str, str], tuple[str, str, Callable[[Seen], Answer | Raw]]] = {
            ("POST", f"{COLUMN}/scores"): ("score", "v1.score", self._score),
            ("GET", f"{COLUMN}/results"): ("result.readonly", "v2.resultcontainer", self._results),
            ("GET", f"{SERVICES}/lineitems"): (
                "lineitem",
                "v2.lineitemcontainer",
                self._list,
            ),
            ("POST", f"{SERVICES}/lineitems"): ("lineitem", "v2.lineitem", self._create),
        }
        if (seen.method, path) not in rules:
            return Answer(404, b"[]")
        scope, kind, answer = rules[seen.method, path]
        header = seen.headers["Accept" if seen.method == "GET" else "Content-Type"]
        if header != f"application/vnd.ims.lis.{kind}+json":
            return Answer(400, b"[]", reason="No handler found")
        if not self._authorised(seen, f"{AGS}{scope}"):
            return Answer(401, b"[]")
        return answer(seen)

    def _roster(self, seen: Seen, course: str) -> Answer:
        """Its own `limit` and `from`; names as the school shares them; never who is suspended."""
        if seen.headers["Accept"] != NRPS_MEDIA_TYPE:
            return Answer(400, b"[]", reason="No handler found")
        if not self._authorised(seen, NRPS_SCOPE):
            return Answer(401, b"[]")
        if course not in self.rosters:
            return Answer(404, b"[]")
        etag = self.roster_headers.get("ETag")
        if etag and seen.headers["If-None-Match"] == etag:
            return Answer(304, b"", self.roster_headers)
        asked = {key: int(value[0]) for key, value in parse_qs(urlsplit(seen.target).query).items()}
        everybody = self.rosters[course]
        start, limit = asked.get("from", 0), asked["limit"]
        shown = [self._member(member) for member in everybody[start : start + limit]]
        answer = page({"members": shown})
        headers = {**answer.headers, **self.roster_headers}
        if start + limit < len(everybody):
            where = f"http://{seen.headers['Host']}{urlsplit(seen.target).path}"
            headers["Link"] = f'<{where}?limit={limit}&from={start + limit}>; rel="next"'
        return Answer(200, answer.body, headers)

    def _member(self, member: dict[str, Any]) -> dict[str, Any]:
        hidden = () if self.share_names else ("name", "given_name", "family_name")
        return {key: value for key, value in member.items() if key not in hidden}

    def revoke_tokens(self) -> None:
        self.tokens.clear()

    def override(self, user_id: str, value: Decimal | None, comment: str | None = None) -> None:
        """A teacher types a grade into Moodle."""
        self.grades[user_id] = Grade(value, comment, self.clock(), overridden=True)

    def _authorised(self, seen: Seen, scope: str) -> bool:
        value = (seen.headers["Authorization"] or "").removeprefix("Bearer ")
        granted = self.tokens.get(value, set())
        return not granted.isdisjoint({scope, f"{scope}.readonly"})

    def _token(self, seen: Seen) -> Answer:
        form = {key: values[0] for key, values in parse_qs(seen.body.decode()).items()}
        text = form["client_assertion"]
        claims = jwt.decode(
            text,
            self.public_key,
            ["RS256"],
            audience=f"http://{seen.headers['Host']}{TOKEN}",
            options={"strict_aud": True, "verify_exp": False, "verify_iat": False},
        )
        now = self.clock().timestamp()
        known = {claims["iss"], claims["sub"]} == {self.client_id}
        fresh = claims["jti"] not in {earlier["jti"] for earlier in self.assertions}
        in_time = claims["iat"] <= now < claims["exp"]
        if not (known and fresh and in_time and "kid" in jwt.get_unverified_header(text)):
            return Answer(400, b'{"error": "Consumer key is incorrect"}')
        self.assertions.append(claims)
        value = f"token-{len(self.assertions)}"
        self.tokens[value] = set(form["scope"].split())
        answer = {"access_token": value, "token_type": "Bearer", "expires_in": 3600}
        return page({**answer, "scope": form["scope"]})

    def _score(self, seen: Seen) -> Answer | Raw:
        score = json.loads(seen.body, parse_float=Decimal)
        self.received.append(score)
        user, stamp = score["userId"], datetime.fromisoformat(score["timestamp"])
        if user not in self.enrolled:
            return Answer(400, b"[]", reason=f"Incorrect score received {seen.body.decode()}")
        grade = self.grades.get(user)
        if grade and int(grade.stored_at.timestamp()) >= int(stamp.timestamp()):
            return Answer(409, b"[]", reason="Refusing score with an earlier timestamp")
        if self.locked:
            return Answer(500, b"[]")
        if not (grade and grade.overridden):
            self.grades[user] = self._graded(score)
        return Raw(hang=True) if self.store_then_hang else Answer(200)

    def _graded(self, score: dict[str, Any]) -> Grade:
        value = None
        if score["gradingProgress"] == "FullyGraded" and "scoreGiven" in score:
            share = Decimal(score["scoreGiven"]) / Decimal(score["scoreMaximum"])
            value = round(share * self.grade_maximum, 5)
        return Grade(value, score.get("comment"), self.clock())

    def _results(self, seen: Seen) -> Answer:
        wanted = parse_qs(urlsplit(seen.target).query).get("user_id")
        return page(
            [
                {
                    "id": f"http://{seen.headers['Host']}{COLUMN}/results?user_id={user}",
                    "userId": user,
                    "resultMaximum": float(self.grade_maximum),
                    "comment": grade.comment,
                    "timestamp": grade.stored_at.astimezone(UTC).isoformat(timespec="seconds"),
                    **({} if grade.value is None else {"resultScore": float(grade.value)}),
                }
                for user, grade in self.grades.items()
                if wanted is None or user in wanted
            ]
        )

    def _list(self, seen: Seen) -> Answer:
        wanted = parse_qs(urlsplit(seen.target).query).get("resource_link_id")
        column = {"id": f"http://{seen.headers['Host']}{COLUMN}?type_id=1", "resourceLinkId": "3"}
        return page([column] if wanted in (None, ["3"]) else [])

    def _create(self, seen: Seen) -> Answer:
        item = json.loads(seen.body)
        host = seen.headers["Host"]
        return page({**item, "id": f"http://{host}{SERVICES}/lineitems/6/lineitem?type_id=1"}, 201)


def page(content: object, status: int = 200) -> Answer:
    """JSON under the content type that Moodle gives it."""
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "text/html"})
