"""Good launches are let in with what they say; attacks on the token (ATK-1 to ATK-30) are not."""

import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWS

from lti_tool.launch.claims import (
    AGS,
    CONTEXT,
    CUSTOM,
    DEEP_LINKING,
    DEPLOYMENT_ID,
    MESSAGE_TYPE,
    NRPS,
    PRESENTATION,
    RESOURCE_LINK,
    ROLES,
    TARGET_LINK_URI,
    VERSION,
    Context,
    DeepLinkingSettings,
    GradeService,
    MembershipService,
    MessageType,
    Presentation,
    ResourceLink,
)
from lti_tool.launch.keysets import KeySetUnavailable, public_jwk
from lti_tool.launch.readers import browser_origin
from lti_tool.launch.verify import LaunchRefused, Reason, verify_launch
from lti_tool.people.roles import Role
from tests.fakes.platform import (
    DROP,
    INSTRUCTOR,
    LEARNER,
    MEMBERSHIP,
    TOOL,
    FakePlatform,
    Path,
    as_json,
    base64url,
    changed,
    rsa_key,
)

PLATFORM = FakePlatform()
LAUNCH = PLATFORM.launch()
SELECTION = PLATFORM.deep_linking()
SECONDS = LAUNCH["iat"]
NAMES = ("name", "given_name", "family_name")


def without(claims: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in names}


# --- Launches that are let in -------------------------------------------------------------------


def test_a_launch_of_moodle_says_who_where_and_what() -> None:
    claims = PLATFORM.posts(LAUNCH)

    grades = f"{PLATFORM.issuer}/mod/lti/services.php/31/lineitems"
    assert claims.subject == "17"
    assert claims.role is Role.LEARNER
    assert claims.message_type is MessageType.RESOURCE_LINK
    assert claims.deployment_id == "4"
    assert claims.target_link_uri == f"{TOOL}/lti/launch"
    assert claims.context == Context("31", "Mathe 8b", "M8b")
    assert claims.resource_link == ResourceLink("9", "Brüche", "Lies genau.\nRechne.")
    assert (claims.name, claims.given_name, claims.family_name) == (
        "Ada Lovelace",
        "Ada",
        "Lovelace",
    )
    assert claims.locale == "de"
    assert claims.custom == {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}
    assert claims.presentation == Presentation("iframe", LAUNCH[PRESENTATION]["return_url"])
    assert claims.ags == GradeService(
        f"{grades}/12/lineitem?type_id=4",
        f"{grades}?type_id=4",
        frozenset({"https://purl.imsglobal.org/spec/lti-ags/scope/score"}),
    )
    assert claims.nrps == MembershipService(LAUNCH[NRPS]["context_memberships_url"])
    assert claims.deep_linking is None


def test_a_teacher_may_choose_what_goes_into_the_course() -> None:
    claims = PLATFORM.posts(SELECTION)

    assert claims.message_type is MessageType.DEEP_LINKING
    assert claims.role is Role.INSTRUCTOR
    assert claims.resource_link is None
    assert claims.deep_linking == DeepLinkingSettings(
        deep_link_return_url=SELECTION[DEEP_LINKING]["deep_link_return_url"],
        accept_types=("ltiResourceLink",),
        accept_multiple=True,
        data="give-this-back",
        title="Aufgabe",
        text="Eine Aufgabe wählen",
    )


def test_a_deep_linking_request_need_not_name_a_target() -> None:
    assert PLATFORM.is_refused(without(SELECTION, TARGET_LINK_URI)) is None


CERTIFICATION_ROLES: dict[str, tuple[list[str], Role]] = {
    "T1 instructor": ([INSTRUCTOR], Role.INSTRUCTOR),
    "T2 multiple roles": (
        [INSTRUCTOR, "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Faculty"],
        Role.INSTRUCTOR,
    ),
    "T3 short role": (["Instructor"], Role.INSTRUCTOR),
    "T4 unknown role": (["http://purl.imsglobal.org/vocab/lis/v2/uknownrole"], Role.LEARNER),
    "T5 no role": ([], Role.LEARNER),
    "S1 learner": ([LEARNER], Role.LEARNER),
    "S2 multiple roles": (
        [LEARNER, "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student"],
        Role.LEARNER,
    ),
    "S3 short role": (["Learner"], Role.LEARNER),
    "S4 unknown role": (["http://purl.imsglobal.org/vocab/lis/v2/unknown#Helper"], Role.LEARNER),
    "S5 no role": ([], Role.LEARNER),
    "as Moodle sends no role": ([""], Role.LEARNER),
}


@pytest.mark.parametrize("name", CERTIFICATION_ROLES)
def test_a_valid_launch_of_the_certification_lands_on_its_role(name: str) -> None:
    roles, role = CERTIFICATION_ROLES[name]

    assert PLATFORM.posts(LAUNCH | {ROLES: roles}).role is role


@pytest.mark.parametrize("role", [INSTRUCTOR, LEARNER])
def test_a_launch_without_names_or_course_is_let_in(role: str) -> None:
    full = PLATFORM.launch(role)

    only_email = PLATFORM.posts(without(full, *NAMES))  # T6, S6
    only_names = PLATFORM.posts(without(full, "email"))  # T7, S7
    nothing = PLATFORM.posts(without(full, "email", *NAMES))  # T8, S8
    no_course = PLATFORM.posts(without(full, CONTEXT, *NAMES))  # T9, S9

    assert only_email.name is nothing.name is None
    assert only_names.name == "Ada Lovelace"
    assert no_course.context is None
    assert no_course.resource_link == only_email.resource_link


def test_an_email_address_is_kept_nowhere() -> None:
    assert "ada@schule.example" not in str(vars_of(PLATFORM.posts(LAUNCH)))


def vars_of(claims: Any) -> dict[str, Any]:
    return {name: getattr(claims, name) for name in claims.__slots__}


def test_what_is_printed_by_accident_names_nobody() -> None:
    printed = repr(PLATFORM.posts(LAUNCH)) + repr(PLATFORM.posts(SELECTION))

    for secret in ("Ada", "Lovelace", "'17'", "sesskey", "give-this-back"):
        assert secret not in printed
    assert PLATFORM.nonce not in repr(PLATFORM.expected())


def test_the_least_launch_is_let_in() -> None:
    optional = (CONTEXT, PRESENTATION, CUSTOM, AGS, NRPS, "email", *NAMES)

    claims = PLATFORM.posts(without(LAUNCH, *optional))

    assert claims.presentation == Presentation()
    assert (claims.ags, claims.nrps, claims.locale) == (None, None, None)
    assert claims.custom == {}


def test_null_is_absent_where_a_claim_is_optional() -> None:
    optional = (CONTEXT, PRESENTATION, CUSTOM, AGS, NRPS, *NAMES)

    with_nulls = PLATFORM.posts(LAUNCH | dict.fromkeys(optional))

    assert with_nulls == PLATFORM.posts(without(LAUNCH, *optional))


def test_the_name_is_put_together_where_only_its_parts_are_shared() -> None:
    assert PLATFORM.posts(without(LAUNCH, "name")).name == "Ada Lovelace"
    assert PLATFORM.posts(without(LAUNCH, "name", "given_name")).name == "Lovelace"


def test_text_for_people_is_cleaned_and_clipped() -> None:
    claims = PLATFORM.posts(
        LAUNCH
        | {
            "name": " Ben\x00\ud800 \u202ereteP\n",
            "given_name": "B" * 300,
            "family_name": "\t",
            RESOURCE_LINK: {"id": "9", "title": "T" * 2000, "description": "D" * 9000},
        }
    )

    assert claims.name == "Ben reteP"
    assert claims.given_name == "B" * 200
    assert claims.family_name is None
    assert claims.resource_link == ResourceLink("9", "T" * 255, "D" * 4000)


def test_html_in_a_name_is_just_text() -> None:
    assert PLATFORM.posts(LAUNCH | {"name": "<b>Ada</b>"}).name == "<b>Ada</b>"


@pytest.mark.parametrize(
    ("of_page", "of_person", "locale"),
    [
        ("de", "en-US", "de"),
        (None, "en-US", "en-US"),
        ("de_kids", None, "de_kids"),
        ("", "en", "en"),
        ("../../etc", None, None),
        ("de\n", None, None),
    ],
)
def test_the_language_is_that_of_the_page_around_us(
    of_page: str | None, of_person: str | None, locale: str | None
) -> None:
    claims = changed(LAUNCH, (PRESENTATION, "locale"), of_page) | {"locale": of_person}

    assert PLATFORM.posts(claims).locale == locale


def test_an_unknown_document_target_is_none() -> None:
    claims = changed(LAUNCH, (PRESENTATION, "document_target"), "popup")

    assert PLATFORM.posts(claims).presentation.document_target is None


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c", "x5t", "cty", "foo"])
def test_atk_4_keys_and_other_strangers_in_the_header_are_ignored(name: str) -> None:
    evil = rsa_key("evil")
    header = PLATFORM.header | {name: public_jwk(evil, PLATFORM.kid)}

    assert PLATFORM.is_refused(PLATFORM.sign(LAUNCH, header)) is None
    by_evil = PLATFORM.sign(LAUNCH, header, key=evil)
    assert PLATFORM.is_refused(by_evil) is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("kind", ["JWT", "jwt"])
def test_the_type_in_the_header_is_jwt_or_absent(kind: str) -> None:
    assert PLATFORM.is_refused(PLATFORM.sign(LAUNCH, PLATFORM.header | {"typ": kind})) is None
    assert PLATFORM.is_refused(PLATFORM.sign(LAUNCH, without(PLATFORM.header, "typ"))) is None


def test_a_token_signed_by_another_library_is_let_in() -> None:
    token = PyJWS().encode(as_json(LAUNCH), PLATFORM.key, "RS256", {"kid": PLATFORM.kid})

    assert PLATFORM.is_refused(token) is None


@pytest.mark.parametrize(
    "audience", [PLATFORM.client_id, [PLATFORM.client_id], [PLATFORM.client_id, "other"]]
)
def test_an_audience_may_be_a_list_that_holds_us(audience: object) -> None:
    assert PLATFORM.is_refused(LAUNCH | {"aud": audience, "azp": PLATFORM.client_id}) is None


def test_no_verdict_is_given_when_the_keys_cannot_be_had() -> None:
    def find_key(_: str) -> RSAPublicKey | None:
        raise KeySetUnavailable

    with pytest.raises(KeySetUnavailable):
        verify_launch(PLATFORM.sign(LAUNCH), PLATFORM.expected(), find_key, PLATFORM.now)


# --- ATK-2, 3, 5, 14: the token and its header ---------------------------------------------------


def no_key(_: str) -> RSAPublicKey | None:
    raise AssertionError("a key was asked for")


def refusal_before_any_key(token: str) -> Reason:
    with pytest.raises(LaunchRefused) as refusal:
        verify_launch(token, PLATFORM.expected(), no_key, PLATFORM.now)
    return refusal.value.reason


HEADERS: dict[str, tuple[dict[str, Any], Reason]] = {
    **{
        f"alg {alg}": ({"alg": alg}, Reason.ALGORITHM_FORBIDDEN)
        for alg in (
            "none", "None", "nOnE", "", "HS256", "RS384", "RS512", "PS256", "ES256", "EdDSA",
            "rs256", "RS256 ", None, 256, ["RS256"], {"RS256": 1},
        )
    },
    "crit": ({"crit": ["exp"]}, Reason.CRITICAL_HEADER),
    "crit empty": ({"crit": []}, Reason.CRITICAL_HEADER),
    "b64": ({"b64": False}, Reason.CRITICAL_HEADER),
    "typ of an access token": ({"typ": "at+jwt"}, Reason.MALFORMED),
    "typ a number": ({"typ": 1}, Reason.MALFORMED),
    "kid a path": ({"kid": "../../etc/passwd"}, Reason.KID_INVALID),
    "kid SQL": ({"kid": "a' OR '1'='1"}, Reason.KID_INVALID),
    "kid of 10 kB": ({"kid": "a" * 10_000}, Reason.KID_INVALID),
    "kid a number": ({"kid": 1}, Reason.KID_INVALID),
    "kid null": ({"kid": None}, Reason.KID_INVALID),
    "kid empty": ({"kid": ""}, Reason.KID_INVALID),
    "kid with a line end": ({"kid": "a\n"}, Reason.KID_INVALID),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_a_bad_header_is_refused_before_any_key_is_asked_for(name: str) -> None:
    change, reason = HEADERS[name]

    assert refusal_before_any_key(PLATFORM.sign(LAUNCH, PLATFORM.header | change)) is reason


@pytest.mark.parametrize("kid", ["2018-05-18T22:33:20Z", "a+b/c==", "b86835b3_62@ef-1.~:x"])
def test_kids_of_common_platforms_are_looked_up(kid: str) -> None:
    asked: list[str] = []

    def find_key(name: str) -> None:
        asked.append(name)

    token = PLATFORM.sign(LAUNCH, PLATFORM.header | {"kid": kid})
    with pytest.raises(LaunchRefused) as refusal:
        verify_launch(token, PLATFORM.expected(), find_key, PLATFORM.now)

    assert asked == [kid]
    assert refusal.value.reason is Reason.KEY_UNKNOWN


GOOD_TOKEN = PLATFORM.sign(LAUNCH)
HEAD, BODY, SIGNATURE = GOOD_TOKEN.split(".")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "..",
        "...",
        HEAD,
        f"{HEAD}.{BODY}",
        f"{HEAD}.{BODY}.",
        f".{BODY}.{SIGNATURE}",
        f"{HEAD}..{SIGNATURE}",
        f"{GOOD_TOKEN}.{SIGNATURE}",
        f"{GOOD_TOKEN}\n",
        f" {GOOD_TOKEN}",
        f"{GOOD_TOKEN}=",
        f"{HEAD}=.{BODY}.{SIGNATURE}",
        f"{HEAD}.{BODY}.{SIGNATURE[:-1]}é",
        f"{HEAD}.{BODY}.A",
        GOOD_TOKEN.replace(".", "．"),
        f"{HEAD}.{BODY}.{'A' * 140_000}",
    ],
)
def test_what_is_no_compact_token_is_refused_before_any_key_is_asked_for(token: str) -> None:
    assert refusal_before_any_key(token) is Reason.MALFORMED
    assert Reason.MALFORMED.status == 400


def test_an_empty_or_foreign_signature_is_refused() -> None:
    for signature in (b"\x00", b"\x00" * 256, b"\xff" * 256, b"\x00" * 10_000):
        forged = f"{HEAD}.{BODY}.{base64url(signature)}"
        assert PLATFORM.is_refused(forged) is Reason.SIGNATURE_INVALID


def test_one_signature_has_one_spelling() -> None:
    # 256 bytes leave four spare bits in the last of 342 characters.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [f"{GOOD_TOKEN[:-1]}{last}" for last in alphabet]

    assert [token for token in spellings if PLATFORM.is_refused(token) is None] == [GOOD_TOKEN]


def test_atk_3_the_public_key_is_no_shared_secret() -> None:
    header = base64url(as_json(PLATFORM.header | {"alg": "HS256"}))
    secret = public_jwk(PLATFORM.key, PLATFORM.kid)["n"].encode()
    mac = hmac.digest(secret, f"{header}.{BODY}".encode(), "sha256")

    forged = f"{header}.{BODY}.{base64url(mac)}"

    assert refusal_before_any_key(forged) is Reason.ALGORITHM_FORBIDDEN


RAW = json.dumps(LAUNCH)
RAW_HEADER = json.dumps(PLATFORM.header)

DUPLICATES: dict[str, tuple[str, str]] = {
    "sub first": (RAW_HEADER, '{"sub": "1", ' + RAW[1:]),
    "sub last": (RAW_HEADER, RAW[:-1] + ', "sub": "1"}'),
    "alg": (RAW_HEADER[:-1] + ', "alg": "none"}', RAW),
    "kid, same value": (RAW_HEADER[:-1] + f', "kid": "{PLATFORM.kid}"' + "}", RAW),
    "escaped": (RAW_HEADER, RAW[:-1] + ', "\\u0073ub": "1"}'),
    "in an object inside": (RAW_HEADER, RAW.replace('{"id": "9"', '{"id": "8", "id": "9"')),
    "in what nobody reads": (RAW_HEADER, RAW[:-1] + ', "x": [{"a": 1, "a": 2}]}'),
}


@pytest.mark.parametrize("name", DUPLICATES)
def test_atk_14_the_same_key_twice_is_refused(name: str) -> None:
    header, payload = DUPLICATES[name]

    token = PLATFORM.sign(payload.encode(), header.encode())

    assert refusal_before_any_key(token) is Reason.DUPLICATE_KEY


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        RAW.encode() + b"}",
        b"\xef\xbb\xbf" + RAW.encode(),
        RAW.encode("utf-16"),
        RAW.replace("Br\\u00fcche", "Br\xfcche").encode("latin-1"),
        RAW.replace(f'"exp": {SECONDS + 60}', '"exp": NaN').encode(),
        RAW.replace(f'"exp": {SECONDS + 60}', '"exp": Infinity').encode(),
        RAW.replace(f'"exp": {SECONDS + 60}', '"exp": ' + "9" * 5000).encode(),
        b"[" * 50_000,
        b'{"a":' * 10_000,
    ],
)
def test_a_payload_that_is_no_strict_json_object_is_refused(payload: bytes) -> None:
    token = PLATFORM.sign(payload or b" ")

    assert refusal_before_any_key(token) is Reason.MALFORMED


def test_a_refusal_tells_nothing_of_the_token() -> None:
    token = PLATFORM.sign(RAW.encode() + b"!")

    with pytest.raises(LaunchRefused) as refusal:
        verify_launch(token, PLATFORM.expected(), no_key, PLATFORM.now)

    assert str(refusal.value) == "malformed"
    assert refusal.value.__cause__ is refusal.value.__context__ is None


# --- ATK-11 to 13, 15 to 24, 29, 42 to 44, 111: the claims ---------------------------------------

NUMBERS_THAT_ARE_NONE: tuple[object, ...] = (
    SECONDS + 0.0,
    str(SECONDS),
    True,
    [SECONDS],
    {},
    -SECONDS,
    0,
)
BAD_SUBJECTS: tuple[object, ...] = (
    *("x" * 256, "1\x007", "1\ud8007", "17\n", "\t17", "1\x7f"),
    *(17, True, ["17"], {}),
)
HOUR = 3600

CLAIMS: dict[str, tuple[Path, object, Reason]] = {
    # 11: times
    **{f"iat {n!r}": (("iat",), n, Reason.TIMES_INVALID) for n in NUMBERS_THAT_ARE_NONE},
    **{f"exp {n!r}": (("exp",), n, Reason.TIMES_INVALID) for n in NUMBERS_THAT_ARE_NONE},
    "iat 1e400": (("iat",), float("1e300"), Reason.TIMES_INVALID),
    "iat null": (("iat",), None, Reason.TIMES_INVALID),
    "exp before iat": (("exp",), SECONDS - 1, Reason.TIMES_INVALID),
    "exp at iat": (("exp",), SECONDS, Reason.TIMES_INVALID),
    "exp far": (("exp",), SECONDS + HOUR + 1, Reason.LIFETIME_TOO_LONG),
    "exp astronomical": (("exp",), 10**400, Reason.LIFETIME_TOO_LONG),
    "iat in the future": (("iat",), SECONDS + 61, Reason.TIMES_INVALID),
    "nbf in the future": (("nbf",), SECONDS + 62, Reason.ISSUED_IN_FUTURE),
    "nbf a text": (("nbf",), "now", Reason.TIMES_INVALID),
    "nbf null": (("nbf",), None, Reason.TIMES_INVALID),
    # 12: audience
    **{
        f"aud {aud!r}": (("aud",), aud, Reason.AUDIENCE_INVALID)
        for aud in (1, True, [], {}, [1], [PLATFORM.client_id, 1], {PLATFORM.client_id: 1}, [None])
    },
    "aud foreign": (("aud",), "other", Reason.REGISTRATION_MISMATCH),
    "aud list foreign": (("aud",), ["other"], Reason.REGISTRATION_MISMATCH),
    "aud list shared": (("aud",), [PLATFORM.client_id, "o"], Reason.AUTHORIZED_PARTY_INVALID),
    "aud in capitals": (("aud",), PLATFORM.client_id.upper(), Reason.REGISTRATION_MISMATCH),
    "azp null": (("azp",), None, Reason.AUTHORIZED_PARTY_INVALID),
    "azp list": (("azp",), [PLATFORM.client_id], Reason.AUTHORIZED_PARTY_INVALID),
    # 13: issuer
    **{
        f"iss {iss}": (("iss",), iss, Reason.REGISTRATION_MISMATCH)
        for iss in (
            f"{PLATFORM.issuer}/",
            PLATFORM.issuer.upper(),
            f"{PLATFORM.issuer}:443",
            PLATFORM.issuer.replace("https", "http"),
            PLATFORM.issuer.replace("o", "\u043e"),
            f" {PLATFORM.issuer}",
        )
    },
    "iss a list": (("iss",), [PLATFORM.issuer], Reason.ISSUER_INVALID),
    # 8, 9: nonce
    **{
        f"nonce {nonce!r}": (("nonce",), nonce, Reason.NONCE_MISMATCH)
        for nonce in ("other", 1, True, [PLATFORM.nonce], "\ud800", f"{PLATFORM.nonce}x", "")
    },
    # 16: deployment
    "deployment another": ((DEPLOYMENT_ID,), "5", Reason.DEPLOYMENT_MISMATCH),
    "deployment a number": ((DEPLOYMENT_ID,), 4, Reason.DEPLOYMENT_MISMATCH),
    "deployment empty": ((DEPLOYMENT_ID,), "", Reason.DEPLOYMENT_MISSING),
    # 17: target
    **{
        f"target {target}": ((TARGET_LINK_URI,), target, Reason.TARGET_MISMATCH)
        for target in (
            "https://evil.example/lti/launch",
            "javascript:alert(1)",
            "//evil.example",
            "https://gustav.schule.example@evil.example/",
            "https://evil.example\\@gustav.schule.example/",
            f"{TOOL}/lti/launch/",
            f"{TOOL}/other",
            f"{TOOL}/lti/launch?next=//evil.example",
            "",
            1,
            ["https://gustav.schule.example/lti/launch"],
        )
    },
    # 18: roles
    "roles null": ((ROLES,), None, Reason.ROLES_MISSING),
    "roles true": ((ROLES,), True, Reason.ROLES_INVALID),
    "roles with a number": ((ROLES,), [LEARNER, 1], Reason.ROLES_INVALID),
    "roles with a list": ((ROLES,), [[INSTRUCTOR]], Reason.ROLES_INVALID),
    "101 roles": ((ROLES,), [LEARNER] * 101, Reason.ROLES_INVALID),
    # 20: user
    **{f"sub {sub!r:.20}": (("sub",), sub, Reason.SUBJECT_INVALID) for sub in BAD_SUBJECTS},
    "sub empty": (("sub",), "", Reason.SUBJECT_MISSING),
    # 23: messages, version
    **{
        f"message {message!r}": ((MESSAGE_TYPE,), message, Reason.MESSAGE_TYPE_UNSUPPORTED)
        for message in (
            "LtiStartProctoring",
            "DataPrivacyLaunchRequest",
            "ltiresourcelinkrequest",
            1,
            ["LtiResourceLinkRequest"],
        )
    },
    **{
        f"version {version!r}": ((VERSION,), version, Reason.VERSION_UNSUPPORTED)
        for version in ("1.3", "1.3.0 ", "1.3.1", "LTI-1p0", 1.3, ["1.3.0"])
    },
    "version empty": ((VERSION,), "", Reason.VERSION_MISSING),
    # the activity and the course
    "link null": ((RESOURCE_LINK,), None, Reason.RESOURCE_LINK_MISSING),
    "link a list": ((RESOURCE_LINK,), ["9"], Reason.RESOURCE_LINK_INVALID),
    "link id empty": ((RESOURCE_LINK, "id"), "", Reason.RESOURCE_LINK_MISSING),
    "link id null": ((RESOURCE_LINK, "id"), None, Reason.RESOURCE_LINK_MISSING),
    "link id false": ((RESOURCE_LINK, "id"), False, Reason.RESOURCE_LINK_INVALID),
    "link id long": ((RESOURCE_LINK, "id"), "9" * 256, Reason.RESOURCE_LINK_INVALID),
    "link id with NUL": ((RESOURCE_LINK, "id"), "9\x00", Reason.RESOURCE_LINK_INVALID),
    "link title a number": ((RESOURCE_LINK, "title"), 9, Reason.CLAIM_INVALID),
    "context a string": ((CONTEXT,), "31", Reason.CLAIM_INVALID),
    "context without id": ((CONTEXT, "id"), DROP, Reason.CLAIM_INVALID),
    "context id a number": ((CONTEXT, "id"), 31, Reason.CLAIM_INVALID),
    "context id long": ((CONTEXT, "id"), "3" * 256, Reason.CLAIM_INVALID),
    "context id with a surrogate": ((CONTEXT, "id"), "\udfff", Reason.CLAIM_INVALID),
    "name a list": (("name",), ["Ada"], Reason.CLAIM_INVALID),
    "custom a list": ((CUSTOM,), ["a=b"], Reason.CLAIM_INVALID),
    "custom with a number": ((CUSTOM, "a"), 1, Reason.CLAIM_INVALID),
    "custom with an object": ((CUSTOM, "a"), {}, Reason.CLAIM_INVALID),
    "presentation a string": ((PRESENTATION,), "iframe", Reason.CLAIM_INVALID),
    # 111: services
    **{
        f"{key} {url}": ((claim, key), url, Reason.SERVICE_URL_FOREIGN)
        for claim, key in ((AGS, "lineitem"), (AGS, "lineitems"), (NRPS, "context_memberships_url"))
        for url in (
            "https://evil.example/mod/lti/services.php",
            "http://moodle.schule.example/mod",
            "https://moodle.schule.example:8443/mod",
            "https://moodle.schule.example@evil.example/",
            "https://moodle.schule.example\\@evil.example/",
            "https://moodle.schule.example.evil.example/",
            "//moodle.schule.example/",
            "javascript:alert(1)",
            "http://169.254.169.254/latest",
            "not a url",
        )
    },
    "lineitem a number": ((AGS, "lineitem"), 1, Reason.CLAIM_INVALID),
    "scope a string": ((AGS, "scope"), "score", Reason.CLAIM_INVALID),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_bad_claim_is_refused(name: str) -> None:
    path, value, reason = CLAIMS[name]

    assert PLATFORM.is_refused(changed(LAUNCH, path, value)) is reason


CHOICES: dict[str, tuple[Path, object, Reason]] = {
    **{
        f"return {url!r}": (
            (DEEP_LINKING, "deep_link_return_url"),
            url,
            Reason.DEEP_LINKING_INVALID,
        )
        for url in (
            "https://evil.example/",
            "javascript:alert(1)",
            "http://moodle.schule.example/back",
            "https://moodle.schule.example@evil.example/",
            "/mod/lti/contentitem_return.php",
            "",
            DROP,
            None,
            1,
        )
    },
    "no settings": ((DEEP_LINKING,), DROP, Reason.DEEP_LINKING_INVALID),
    "settings a string": ((DEEP_LINKING,), "x", Reason.DEEP_LINKING_INVALID),
    "no types": ((DEEP_LINKING, "accept_types"), DROP, Reason.DEEP_LINKING_INVALID),
    "types a string": (
        (DEEP_LINKING, "accept_types"),
        "ltiResourceLink",
        Reason.DEEP_LINKING_INVALID,
    ),
    "only files": ((DEEP_LINKING, "accept_types"), ["file"], Reason.DEEP_LINKING_UNSUPPORTED),
    "no targets": (
        (DEEP_LINKING, "accept_presentation_document_targets"),
        [],
        Reason.DEEP_LINKING_INVALID,
    ),
    "multiple as text": ((DEEP_LINKING, "accept_multiple"), "true", Reason.DEEP_LINKING_INVALID),
    "multiple as number": ((DEEP_LINKING, "accept_multiple"), 1, Reason.DEEP_LINKING_INVALID),
    "columns as text": ((DEEP_LINKING, "accept_lineitem"), "false", Reason.DEEP_LINKING_INVALID),
    "data an object": ((DEEP_LINKING, "data"), {"a": 1}, Reason.DEEP_LINKING_INVALID),
    "data too long": ((DEEP_LINKING, "data"), "x" * 65_537, Reason.DEEP_LINKING_INVALID),
    "data with NUL": ((DEEP_LINKING, "data"), "\x00", Reason.DEEP_LINKING_INVALID),
    "data with a surrogate": ((DEEP_LINKING, "data"), "\ud800", Reason.DEEP_LINKING_INVALID),
    "a learner": ((ROLES,), [LEARNER], Reason.DEEP_LINKING_FORBIDDEN),
    "an assistant": (
        (ROLES,),
        [MEMBERSHIP.replace("#", "/Instructor#TeachingAssistant")],
        Reason.DEEP_LINKING_FORBIDDEN,
    ),
    "target foreign": ((TARGET_LINK_URI,), "https://evil.example/", Reason.TARGET_MISMATCH),
}


@pytest.mark.parametrize("name", CHOICES)
def test_a_bad_deep_linking_request_is_refused(name: str) -> None:
    path, value, reason = CHOICES[name]

    assert PLATFORM.is_refused(changed(SELECTION, path, value)) is reason


@pytest.mark.parametrize("data", ["", "x" * 65_536, ' {"a" : "ü"}\r\n ', "\U0001f600"])
def test_atk_44_data_is_kept_byte_by_byte_up_to_64_kb(data: str) -> None:
    settings = PLATFORM.posts(changed(SELECTION, (DEEP_LINKING, "data"), data)).deep_linking

    assert settings is not None
    assert settings.data == data


def test_the_64_kb_of_data_are_bytes() -> None:
    claims = changed(SELECTION, (DEEP_LINKING, "data"), "ü" * 32_769)

    token = PLATFORM.sign(json.dumps(claims, ensure_ascii=False).encode())

    assert PLATFORM.is_refused(token) is Reason.DEEP_LINKING_INVALID


def test_without_data_there_is_none_to_give_back_and_one_item_is_the_cautious_choice() -> None:
    claims = changed(SELECTION, (DEEP_LINKING, "data"), DROP)
    claims = changed(claims, (DEEP_LINKING, "accept_multiple"), DROP)

    settings = PLATFORM.posts(claims).deep_linking

    assert settings is not None
    assert settings.data is None
    assert settings.accept_multiple is False
    assert settings.accept_lineitem is True


@pytest.mark.parametrize("said", [True, False])
def test_a_platform_may_say_whether_it_takes_grade_columns(said: bool) -> None:
    settings = PLATFORM.posts(changed(SELECTION, (DEEP_LINKING, "accept_lineitem"), said))

    assert settings.deep_linking is not None
    assert settings.deep_linking.accept_lineitem is said


AGES: dict[str, tuple[int, int, Reason | None]] = {
    # iat and exp in seconds from now
    "fresh": (0, 60, None),
    "an hour": (0, 3600, None),
    "over an hour": (0, 3601, Reason.LIFETIME_TOO_LONG),
    "Moodle's clock a minute ahead": (60, 120, None),
    "further ahead": (61, 121, Reason.ISSUED_IN_FUTURE),
    "Moodle's clock behind": (-110, -50, None),
    "just over": (-120, -60, None),
    "expired": (-121, -61, Reason.EXPIRED),
    "five minutes old": (-300, 60, None),
    "older": (-301, 60, Reason.ISSUED_TOO_LONG_AGO),
}


@pytest.mark.parametrize("name", AGES)
def test_atk_11_a_token_is_young_and_short_lived(name: str) -> None:
    issued, expires, reason = AGES[name]
    now = int(PLATFORM.now.timestamp())

    claims = LAUNCH | {"iat": now + issued, "exp": now + expires}

    assert PLATFORM.is_refused(claims) is reason


def test_atk_15_a_token_of_another_registration_is_refused_before_any_key_is_asked_for() -> None:
    other_school = FakePlatform("https://moodle.other.example")
    same_moodle = FakePlatform(client_id="another-client")

    for platform in (other_school, same_moodle):
        token = platform.sign(platform.launch())
        assert refusal_before_any_key(token) is Reason.REGISTRATION_MISMATCH


def test_atk_15_another_schools_key_does_not_verify_our_token() -> None:
    other_school = FakePlatform("https://moodle.other.example")

    own_kid = other_school.sign(LAUNCH)
    our_kid = other_school.sign(LAUNCH, PLATFORM.header)

    assert PLATFORM.is_refused(own_kid) is Reason.KEY_UNKNOWN
    assert PLATFORM.is_refused(our_kid) is Reason.SIGNATURE_INVALID


def test_atk_16_without_a_hint_in_the_login_any_deployment_is_the_callers_to_know() -> None:
    claims = LAUNCH | {DEPLOYMENT_ID: "99"}

    assert PLATFORM.posts(claims, deployment_hint=None).deployment_id == "99"
    assert (
        PLATFORM.is_refused(LAUNCH | {DEPLOYMENT_ID: 4}, deployment_hint=None)
        is Reason.DEPLOYMENT_INVALID
    )
    assert (
        PLATFORM.is_refused(LAUNCH | {DEPLOYMENT_ID: "4" * 256}, deployment_hint=None)
        is Reason.DEPLOYMENT_INVALID
    )


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example",
        "https://us@gustav.schule.example/",
        f"{TOOL}\\@evil.example",
        f"{TOOL}:8443/",
        "http://gustav.schule.example/",
        "",
    ],
)
def test_atk_17_a_target_elsewhere_is_refused_even_if_the_login_named_it(target: str) -> None:
    claims = LAUNCH | {TARGET_LINK_URI: target}

    assert PLATFORM.is_refused(claims, target_link_uri=target) is Reason.TARGET_MISMATCH
    selection = without(SELECTION, TARGET_LINK_URI)
    assert PLATFORM.is_refused(selection, target_link_uri=target) is Reason.TARGET_MISMATCH


def test_a_tool_that_does_not_know_its_own_address_lets_nobody_in() -> None:
    assert PLATFORM.is_refused(LAUNCH, tool_base_url="") is Reason.TARGET_MISMATCH
    odd = {"tool_base_url": "", "target_link_uri": "javascript:alert(1)"}
    claims = LAUNCH | {TARGET_LINK_URI: odd["target_link_uri"]}
    assert PLATFORM.is_refused(claims, **odd) is Reason.TARGET_MISMATCH


@pytest.mark.parametrize("nonce", ["", 0, False, []])
def test_a_login_without_a_nonce_lets_nobody_in(nonce: object) -> None:
    assert PLATFORM.is_refused(LAUNCH | {"nonce": nonce}, nonce="") is Reason.NONCE_MISMATCH


@pytest.mark.parametrize(
    "sub", ["0", " 17 ", "17", "é", "e\u0301", "\u202e71", "x" * 255, "\U0001f600", "Ada"]
)
def test_atk_20_a_user_is_taken_byte_by_byte(sub: str) -> None:
    assert PLATFORM.posts(LAUNCH | {"sub": sub}).subject == sub


def test_atk_24_custom_parameters_are_literal_text_of_at_most_4_kb() -> None:
    claims = PLATFORM.posts(
        LAUNCH
        | {
            CUSTOM: {
                "id": "7",
                "html": "<script>alert(1)</script>",
                "braces": "{{7*7}}",
                "unknown": "$ResourceLink.id.history",
                "mail": "$Person.email.primary",
                "null": None,
                "empty": "",
                "nul": "a\x00",
                "\ud800": "surrogate",
                "most": "x" * 4092,
                "more": "x" * 4093,
                "umlauts": "ü" * 2045,
            }
        }
    )

    assert claims.custom == {
        "id": "7",
        "html": "<script>alert(1)</script>",
        "braces": "{{7*7}}",
        "empty": "",
        "most": "x" * 4092,
    }


RETURNS = [
    ("https://moodle.schule.example", "https://moodle.schule.example/r?sesskey=a", True),
    ("https://moodle.schule.example", "https://MOODLE.schule.example:443/r", True),
    ("https://moodle.schule.example", "http://moodle.schule.example/r", False),
    ("https://moodle.schule.example", "https://moodle.schule.example:8443/r", False),
    ("https://moodle.schule.example", "https://evil.example/r", False),
    ("https://moodle.schule.example", "javascript:alert(1)", False),
    ("https://moodle.schule.example", "https://moodle.schule.example@evil.example", False),
    ("https://moodle.schule.example", "https:moodle.schule.example", False),
    ("https://moodle.schule.example", "https://moodle.schule.example/\n", False),
    ("https://moodle.schule.example", f"https://moodle.schule.example/{'r' * 2000}", False),
    ("https://schule.example/moodle", "https://schule.example/moodle/r", True),
    ("http://localhost:8000", "http://localhost:8000/r", True),
    ("http://127.0.0.1:8000", "http://127.0.0.1:8000/r", True),
    ("http://[::1]:8000", "http://[::1]:8000/r", True),
    ("http://moodle.localhost", "http://moodle.localhost/r", True),
    ("http://moodle.schule.example", "http://moodle.schule.example/r", False),
    ("http://localhost.evil.example", "http://localhost.evil.example/r", False),
    ("urn:moodle", "urn:moodle", False),
]


@pytest.mark.parametrize(("issuer", "url", "kept"), RETURNS)
def test_atk_29_and_42_the_browser_is_sent_back_to_the_issuer_only(
    issuer: str, url: str, kept: bool
) -> None:
    platform = FakePlatform()
    platform.issuer = issuer
    base = without(platform.launch(), AGS, NRPS)

    claims = platform.posts(changed(base, (PRESENTATION, "return_url"), url))
    choosing = changed(platform.deep_linking(), (DEEP_LINKING, "deep_link_return_url"), url)
    refusal = platform.is_refused(choosing)

    assert claims.presentation.return_url == (url if kept else None)
    assert refusal is (None if kept else Reason.DEEP_LINKING_INVALID)


def test_atk_111_services_may_lie_on_a_host_that_the_registration_names() -> None:
    url = "https://api.schule.example/scores"
    claims = changed(LAUNCH, (AGS, "lineitem"), url)

    assert PLATFORM.is_refused(claims) is Reason.SERVICE_URL_FOREIGN
    ags = PLATFORM.posts(
        claims, allowed_origins=frozenset({"https://api.schule.example/token.php"})
    ).ags
    assert ags is not None
    assert ags.lineitem == url


def test_a10_grades_degrade_where_the_platform_offers_less() -> None:
    offered = {"lineitem": LAUNCH[AGS]["lineitem"]}

    ags = PLATFORM.posts(LAUNCH | {AGS: offered}).ags

    assert ags == GradeService(offered["lineitem"], None, frozenset())
    assert PLATFORM.posts(LAUNCH | {NRPS: {}}).nrps is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example", "https://a.example"),
        ("HTTPS://A.Example:443/x", "https://a.example"),
        ("http://a.example:80?x", "http://a.example"),
        ("http://a.example:8080#x", "http://a.example:8080"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"),
        ("https://", None),
        ("https:///x", None),
        ("https://a b", None),
        ("https://ä.example", None),
        ("https://a.example/\u2028", None),
        ("ftp://a.example", None),
        ("https://a.example:", None),
        ("https://a.example:123456", None),
        ("https://a.example\\b", None),
        ("https://a.example/\\b", None),
        ("https://a.example@b.example", None),
    ],
)
def test_the_origin_of_a_url_is_known_or_doubtful(url: str, origin: str | None) -> None:
    assert browser_origin(url) == origin


def test_every_reason_answers_400_or_403_and_most_answer_403() -> None:
    bad_requests = {reason for reason in Reason if reason.status == 400}

    assert {reason.status for reason in Reason} == {400, 403}
    assert bad_requests == {
        Reason.MALFORMED,
        Reason.KID_INVALID,
        Reason.MESSAGE_TYPE_UNSUPPORTED,
        Reason.DEEP_LINKING_UNSUPPORTED,
    }
