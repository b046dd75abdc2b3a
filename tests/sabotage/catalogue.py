"""The sabotage list: every check whose loss would let somebody in, or a grade out, unseen.

One entry removes one check. Where two checks guard the same thing, each has an entry of its own.
"""

from tests.sabotage.engine import ENGINE_CHECKS
from tests.sabotage.faults import FAULTS
from tests.sabotage.files import FILES
from tests.sabotage.lanes import LANES
from tests.sabotage.live import LIVE
from tests.sabotage.pictures import PICTURES
from tests.sabotage.reading import READINGS
from tests.sabotage.registration import REGISTRATION
from tests.sabotage.shape import Sabotage
from tests.sabotage.uploads import UPLOADS
from tests.sabotage.writing import WRITING

VERIFY = "lti_tool/launch/verify.py"
READERS = "lti_tool/launch/readers.py"
KEYSETS = "lti_tool/launch/keysets.py"
OUTBOUND = "lti_tool/core/outbound"
GUARD = "lti_tool/launch/guard.py"
OIDC = "lti_tool/launch/oidc.py"
OPENING = "lti_tool/launch/opening.py"
ARRIVALS = "lti_tool/people/arrivals.py"
JOBS = "lti_tool/core/jobs.py"
ROWS = "lti_tool/migrations/rows.py"
PEOPLE = "lti_tool/migrations/versions/0001_people_and_jobs.py"
POLICY = "lti_tool/grades/policy.py"
TOKENS = "lti_tool/people/tokens.py"

VERIFIER = ("tests/launch/test_verify.py",)
MUTATED = ("tests/launch/test_mutations.py", "tests/launch/test_verify.py")
KEYS = ("tests/launch/test_keysets.py",)
ENTRANCE = ("tests/launch/test_entrance.py",)
DOOR = ("tests/core/test_outbound.py", "tests/core/test_outbound_faults.py")
ADDRESSES = ("tests/core/test_outbound_addresses.py",)
CLIENT = ("tests/core/test_outbound.py",)
MATRIX = ("tests/test_authorisation.py",)
ENTRANCE = ("tests/launch/test_entrance.py",)
CONNECTING = ("tests/launch/registration",)
TABLES = ("tests/architecture/test_tables.py",)
POLICIES = ("tests/core/test_row_policies.py",)

LAUNCH = (
    Sabotage(
        "any algorithm is accepted",
        VERIFY,
        'if header.get("alg") != "RS256":',
        'if header.get("alg") == "none":',
        VERIFIER,
    ),
    Sabotage(
        "critical header extensions are ignored",
        VERIFY,
        'if "crit" in header or "b64" in header:',
        "if False:",
        VERIFIER,
    ),
    Sabotage(
        "a token without a kid is looked up all the same",
        VERIFY,
        'if "kid" not in header:\n        raise LaunchRefused(Reason.KID_MISSING)\n',
        'header.setdefault("kid", "")\n',
        ("tests/launch/certification",),
    ),
    Sabotage(
        "any text is a kid",
        VERIFY,
        "if not isinstance(kid, str) or not _KID.fullmatch(kid):",
        "if not isinstance(kid, str):",
        VERIFIER,
    ),
    Sabotage(
        "the signature is not verified",
        VERIFY,
        "if not _RS256.verify(signed, key, signature):",
        "if not signature:",
        VERIFIER,
    ),
    Sabotage(
        "the issuer is not compared",
        VERIFY,
        "if issuer != expected.issuer or expected.client_id not in clients:",
        "if expected.client_id not in clients:",
        VERIFIER,
    ),
    Sabotage(
        "the audience is not compared",
        VERIFY,
        "if issuer != expected.issuer or expected.client_id not in clients:",
        "if issuer != expected.issuer:",
        VERIFIER,
    ),
    Sabotage(
        "azp is not compared",
        VERIFY,
        'if (azp_needed or "azp" in payload) and payload.get("azp") != expected.client_id:',
        'if azp_needed and "azp" not in payload:',
        VERIFIER,
    ),
    Sabotage(
        "azp is not demanded of several audiences",
        VERIFY,
        "azp_needed = len(clients) > 1",
        "azp_needed = False",
        VERIFIER,
    ),
    Sabotage(
        "a token may live as long as it likes",
        VERIFY,
        "if expires - issued > _MAX_LIFETIME:",
        "if False:",
        VERIFIER,
    ),
    Sabotage(
        "a token may be issued in the future",
        VERIFY,
        "if max(issued, not_before) > clock + _CLOCK_SKEW:",
        "if False:",
        VERIFIER,
    ),
    Sabotage(
        "not-before is not looked at",
        VERIFY,
        "if max(issued, not_before) > clock + _CLOCK_SKEW:",
        "if issued > clock + _CLOCK_SKEW:",
        VERIFIER,
    ),
    Sabotage(
        "a token may be as old as it likes",
        VERIFY,
        "if issued < clock - _MAX_AGE:",
        "if False:",
        VERIFIER,
    ),
    Sabotage(
        "an expired token is accepted",
        VERIFY,
        "if expires < clock - _CLOCK_SKEW:",
        "if False:",
        VERIFIER,
    ),
    Sabotage(
        "times may be anything that counts",
        VERIFY,
        "if not all(type(seconds) is int for seconds in (issued, expires, not_before)):",
        "if not all(isinstance(seconds, (int, float)) for seconds in (issued, expires)):",
        VERIFIER,
    ),
    Sabotage(
        "any nonce will do",
        VERIFY,
        "if not sent or not hmac.compare_digest(sent, expected.encode()):",
        "if not sent:",
        VERIFIER,
    ),
    Sabotage(
        "any version will do",
        VERIFY,
        'if payload[VERSION] != "1.3.0":',
        "if not payload[VERSION]:",
        VERIFIER,
    ),
    Sabotage(
        "the deployment need not be that of the login",
        VERIFY,
        "if hint is not None and payload[DEPLOYMENT_ID] != hint:",
        "if False:",
        VERIFIER,
    ),
    Sabotage(
        "the target need not be that of the login",
        VERIFY,
        "if target is not None and target != expected.target_link_uri:",
        "if False:",
        VERIFIER,
    ),
    Sabotage(
        "the target may lie on any host",
        VERIFY,
        "if ours is None or browser_origin(expected.target_link_uri) != ours:",
        "if ours is None:",
        VERIFIER,
    ),
    Sabotage(
        "of two equal keys the last one counts",
        VERIFY,
        "if len(members) != len(pairs):",
        "if False:",
        VERIFIER,
    ),
    Sabotage(
        "one signature may have several spellings",
        VERIFY,
        'if base64.urlsafe_b64encode(raw).decode("ascii") != padded:',
        "if not raw:",
        VERIFIER,
    ),
    Sabotage(
        "identifiers may hold control characters",
        READERS,
        "if _CONTROL.search(value):",
        "if False:",
        VERIFIER,
    ),
    Sabotage(
        "services may lie on any host",
        READERS,
        "if url and browser_origin(url) not in origins:",
        "if url and browser_origin(url) is None:",
        VERIFIER,
    ),
    Sabotage(
        "the browser may be sent back to any host",
        READERS,
        "and browser_origin(url) == home\n",
        "and browser_origin(url) is not None\n",
        VERIFIER,
    ),
    Sabotage(
        "custom parameters may be of any size",
        READERS,
        "if len(key.encode()) + len(value.encode()) <= _MAX_CUSTOM_BYTES:",
        "if key:",
        VERIFIER,
    ),
    Sabotage(
        "deep linking data may be of any size",
        READERS,
        "or len(data.encode()) > _MAX_DATA_BYTES",
        "",
        VERIFIER,
    ),
    Sabotage(
        "whatever ends in Instructor teaches",
        "lti_tool/launch/roles.py",
        "not _TEACHING.isdisjoint(roles)",
        'any(role.endswith("Instructor") for role in roles)',
        ("tests/launch/test_roles.py",),
    ),
)

KEY_SETS = (
    Sabotage(
        "two keys of one kid are both good",
        KEYSETS,
        '"kid_twice": count.get(str(jwk.get("kid")), 0) > 1,',
        '"kid_twice": False,',
        KEYS,
    ),
    Sabotage(
        "a key for encryption verifies signatures",
        KEYSETS,
        '"not_for_signatures": jwk.get("use", "sig") != "sig",',
        '"not_for_signatures": False,',
        KEYS,
    ),
    Sabotage(
        "short keys are good enough",
        KEYSETS,
        "_MIN_BITS, _MAX_BITS = 2048, 8192",
        "_MIN_BITS, _MAX_BITS = 512, 8192",
        KEYS,
    ),
    Sabotage(
        "unknown kids are asked for without end",
        KEYSETS,
        "if needed and shelf.may_ask(now):",
        "if needed:",
        KEYS,
    ),
    Sabotage(
        "old keys are good for ever",
        KEYSETS,
        "return _within(self.kept_at, now, USABLE)",
        "return self.kept_at is not None",
        KEYS,
    ),
)

DOOR_OUT = (
    Sabotage(
        "redirects are followed no more, but taken for answers",
        f"{OUTBOUND}/transport.py",
        "if 300 <= answer.status < 400 and answer.status != NOT_MODIFIED:",
        "if False:",
        CLIENT,
    ),
    Sabotage(
        "one good address among several is enough",
        f"{OUTBOUND}/addresses.py",
        "if not addresses or not all(fit):",
        "if not addresses or not any(fit):",
        (*ADDRESSES, *CLIENT),
    ),
    Sabotage(
        "the name is dialled, not the address that was checked",
        f"{OUTBOUND}/sockets.py",
        "addresses = self._checked_addresses(host, port, deadline)",
        "addresses = self._checked_addresses(host, port, deadline) and [host]",
        CLIENT,
    ),
    Sabotage(
        "any port may be reached",
        f"{OUTBOUND}/addresses.py",
        'if target.port != DEFAULT_PORTS["https"]:',
        "if False:",
        ADDRESSES,
    ),
    Sabotage(
        "a body may be of any size",
        f"{OUTBOUND}/transport.py",
        "if size > self._largest:",
        "if False:",
        ("tests/core/test_outbound_faults.py",),
    ),
    Sabotage(
        "packed answers are taken",
        f"{OUTBOUND}/transport.py",
        'if headers.get("content-encoding", "identity").lower() != "identity":',
        "if False:",
        ("tests/core/test_outbound_faults.py",),
    ),
    Sabotage(
        "one platform's token serves another",
        TOKENS,
        "return (endpoint.platform_id, endpoint.client_id, endpoint.token_url, scopes)",
        "return (UUID(int=0), '', endpoint.token_url, scopes)",
        ("tests/people/test_tokens.py",),
    ),
    Sabotage(
        "tokens are kept for as long as the platform says",
        TOKENS,
        "seconds = min(max(expires_in, 0), int(LONGEST_KEPT.total_seconds()))",
        "seconds = max(expires_in, 0)",
        ("tests/people/test_tokens.py",),
    ),
)

LOGINS = (
    Sabotage(
        "a state is good for ever",
        OIDC,
        "if begun <= (now - GOOD_FOR).timestamp():",
        "if begun < 0:",
        ENTRANCE,
    ),
    Sabotage(
        "a login begun in one browser serves in another",
        OIDC,
        "if not hmac.compare_digest(login.browser_hash, hashed(browser)):",
        "if not browser:",
        ENTRANCE,
    ),
    Sabotage(
        "a state need not be ours",
        "lti_tool/launch/secrets.py",
        "return content if fits else None",
        "return content",
        ENTRANCE,
    ),
    Sabotage(
        "a login serves twice",
        OPENING,
        "if not row.opened:",
        "if row.opened is None:",
        ENTRANCE,
    ),
    Sabotage(
        "a paused platform still lets people in who had begun",
        ARRIVALS,
        "WHERE id = %(platform)s AND state = 'active'",
        "WHERE id = %(platform)s",
        ENTRANCE,
    ),
    Sabotage(
        "a registration may change while somebody logs in",
        ARRIVALS,
        "    AND (issuer, client_id, auth_url, token_url, jwks_url)\n"
        "      = (%(issuer)s, %(client)s, %(auth_url)s, %(token_url)s, %(jwks_url)s)\n",
        "    AND concat(%(issuer)s::text, %(client)s::text, %(auth_url)s::text,\n"
        "      %(token_url)s::text, %(jwks_url)s::text) <> ''\n",
        ENTRANCE,
    ),
    Sabotage(
        "a deployment that waits is let in",
        ARRIVALS,
        "d.deployment_id = %(deployment)s AND d.state = 'active'",
        "d.deployment_id = %(deployment)s",
        ENTRANCE,
    ),
    Sabotage(
        "the person before keeps the session in this browser",
        OPENING,
        "person_id <> %(person)s AND ended_at IS NULL",
        "person_id <> %(person)s AND ended_at IS NOT NULL",
        ENTRANCE,
    ),
    Sabotage(
        "a teacher's session outlives the role",
        OPENING,
        "role <> %(role)s AND ended_at IS NULL",
        "role <> %(role)s AND ended_at IS NOT NULL",
        ENTRANCE,
    ),
)

SESSIONS = (
    Sabotage(
        "forms need no token",
        GUARD,
        "if not hmac.compare_digest(sent.encode(), launch.csrf_token.encode()):",
        "if sent is None:",
        MATRIX,
    ),
    Sabotage(
        "forms may come from any origin",
        GUARD,
        'if request.headers.get("Origin", door.origin) != door.origin:',
        "if False:",
        MATRIX,
    ),
    Sabotage(
        "every role may open every page",
        GUARD,
        "if launch.role not in roles:",
        "if not roles:",
        MATRIX,
    ),
)

CONTENT = "lti_tool/migrations/versions/0016_content_read_at_once.py"
WHO_MAY_READ = (
    Sabotage(
        "a pupil opens the task of another course's activity",
        CONTENT,
        "WHERE l.id = link AND l.course_id = course AND l.course_id = app_course()",
        "WHERE l.id = link AND l.course_id = app_course()",
        ("tests/content/test_access.py",),
    ),
    Sabotage(
        "a transaction in another course opens a task",
        CONTENT,
        "WHERE l.id = link AND l.course_id = course AND l.course_id = app_course()",
        "WHERE l.id = link AND l.course_id = course",
        ("tests/content/test_access.py",),
    ),
    Sabotage(
        "tasks linked in any course are seen in all",
        CONTENT,
        "WHERE r.course_id = app_course() AND u.deployment_id",
        "WHERE u.deployment_id",
        ("tests/content/test_access.py",),
    ),
    Sabotage(
        "tasks of another space are seen where they are linked",
        CONTENT,
        "WHERE r.course_id = app_course() AND u.deployment_id = (SELECT app_deployment())",
        "WHERE r.course_id = app_course()",
        ("tests/content", "tests/core"),
    ),
    Sabotage(
        "a paused platform is remembered for ever",
        "lti_tool/launch/remembered.py",
        "known is not None and timedelta(0) <= now - since < GOOD_FOR",
        "known is not None",
        ("tests/launch/test_remembered.py",),
    ),
)

WHO_MAY_STAY = (
    Sabotage(
        "a blocked person stays in",
        "lti_tool/launch/session.py",
        "if row.blocked:",
        "if False:",
        ENTRANCE,
    ),
    Sabotage(
        "who has left the course stays in",
        "lti_tool/launch/session.py",
        "if row.still_here is False:",
        "if False:",
        ("tests/people",),
    ),
    Sabotage(
        "a pupil may have another's work opened from the gradebook",
        READERS,
        'if role is not Role.INSTRUCTOR and person != payload["sub"]:',
        "if False:",
        ("tests/launch/test_submission_review.py",),
    ),
)

OPERATORS = (
    Sabotage(
        "an operator's link may be used again",
        "lti_tool/operator/entry.py",
        "link.used_at.is_(None),",
        "",
        ("tests/operator/test_entry.py",),
    ),
    Sabotage(
        "an operator's link is good for ever",
        "lti_tool/operator/entry.py",
        "link.created_at > func.now() - LINK_LIFE,",
        "",
        ("tests/operator/test_entry.py",),
    ),
)

ROWS_AND_JOBS = (
    Sabotage(
        "the owner of the tables is not held by the policies",
        ROWS,
        'op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")\n',
        "",
        TABLES,
    ),
    Sabotage(
        "row policies are written but not switched on",
        ROWS,
        'op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")\n',
        "",
        TABLES,
    ),
    Sabotage(
        "what may be read may be written",
        ROWS,
        "allowed = write or read",
        "allowed = read",
        POLICIES,
    ),
    Sabotage(
        "persons of every school are seen",
        PEOPLE,
        'read=f"({machine}) OR (platform_id = app_platform() AND (id = app_person()"',
        'read=f"({machine}) OR (app_platform() IS NOT NULL AND (true OR id = app_person()"',
        POLICIES,
    ),
    Sabotage(
        "a foreign key forgets the platform",
        PEOPLE,
        '["platform_id", "course_id"],\n            ["courses.platform_id", "courses.id"],\n'
        '            name=op.f("fk_memberships_platform_id_course_id_courses"),',
        '["course_id"],\n            ["courses.id"],\n'
        '            name=op.f("fk_memberships_platform_id_course_id_courses"),',
        TABLES,
    ),
    Sabotage(
        "a worker that was thought dead may write",
        JOBS,
        "Job.id == held.job_id, Job.token == held.token, Job.state == JobState.WORKING",
        "Job.id == held.job_id, Job.state == JobState.WORKING",
        ("tests/core/test_jobs.py",),
    ),
    Sabotage(
        "a job is given to everybody who asks",
        JOBS,
        "return or_(\n        (Job.state == JobState.WAITING) & (Job.ready_at <= func.now()),",
        "return or_(\n        Job.state != JobState.DONE,",
        ("tests/core/test_jobs.py",),
    ),
)

GRADES = (
    Sabotage(
        "a teacher's trial run gets a grade",
        "lti_tool/grades/service.py",
        "if submission.person_id in teachers_of(db, submission.course_id):",
        "if False:",
        ("tests/launch/test_who_comes.py",),
    ),
    Sabotage(
        "a worker whose turn is over keeps the column it made",
        "lti_tool/grades/columns.py",
        "LineItem.resource_link_id == turn.link_id, LineItem.token == turn.token)",
        "LineItem.resource_link_id == turn.link_id)",
        ("tests/grades/test_columns.py",),
    ),
    Sabotage(
        "a teacher's own grade is taken for ours",
        POLICY,
        "return Final(FailureReason.OVERRIDDEN)\n\n\ndef _after_conflict",
        "return Posted(verified=False)\n\n\ndef _after_conflict",
        ("tests/grades/test_policy.py",),
    ),
    Sabotage(
        "a conflict is always answered with a later timestamp",
        POLICY,
        "if theirs and not (attempt.insisted and not attempt.restamped):",
        "if False:",
        ("tests/grades/test_policy.py",),
    ),
    Sabotage(
        "a locked grade is tried for ever",
        POLICY,
        "if _says_locked(outcome):",
        "if False:",
        ("tests/grades/test_policy.py",),
    ),
    Sabotage(
        "two scores may carry the same second",
        POLICY,
        "*(moment + STEP for moment in (last, stored) if moment)",
        "*(moment for moment in (last, stored) if moment)",
        ("tests/grades/test_policy.py",),
    ),
    Sabotage(
        "tries go on after a day",
        POLICY,
        "if attempt.age + after > GIVE_UP_AFTER:",
        "if False:",
        ("tests/grades/test_policy.py",),
    ),
)

SABOTAGES = (
    *LAUNCH,
    *KEY_SETS,
    *DOOR_OUT,
    *SESSIONS,
    *LOGINS,
    *WHO_MAY_READ,
    *WHO_MAY_STAY,
    *OPERATORS,
    *REGISTRATION,
    *ROWS_AND_JOBS,
    *GRADES,
    *ENGINE_CHECKS,
    *FILES,
    *LIVE,
    *PICTURES,
    *LANES,
    *READINGS,
    *UPLOADS,
    *WRITING,
    *FAULTS,
)
