"""The sabotage list of connecting a platform (ATK 31-41)."""

from tests.sabotage.shape import Sabotage

FOLDER = "lti_tool/launch/registration"
TESTS = "tests/launch/registration"
ATTACKS = f"{TESTS}/test_attacks.py"
CONNECTING = f"{TESTS}/test_connecting.py"
INVITATIONS = (f"{TESTS}/test_invitations.py",)

REGISTRATION = (
    Sabotage(
        "a platform may pose as another",
        f"{FOLDER}/documents.py",
        "if _target(issuer) != home or",
        "if",
        (f"{ATTACKS}::test_atk_38_nobody_registers_in_the_name_of_another",),
    ),
    Sabotage(
        "endpoints may lie on foreign machines",
        f"{FOLDER}/documents.py",
        "if target != home and not allowed.covers(target.host, target.port):",
        "if False:",
        (f"{ATTACKS}::test_atk_40_endpoints_on_foreign_machines_are_refused",),
    ),
    Sabotage(
        "an invitation is good for any host",
        f"{FOLDER}/service.py",
        "if invitation.host is not None and host_of(issuer) != invitation.host:",
        "if False:",
        (f"{ATTACKS}::TestAtk39",),
    ),
    Sabotage(
        "an invitation renews any platform",
        f"{FOLDER}/service.py",
        "if known is None or known.issuer != issuer:",
        "if False:",
        (f"{ATTACKS}::TestAtk39",),
    ),
    Sabotage(
        "another platform's client_id is taken over",
        f"{FOLDER}/service.py",
        "if holder.issuer != said.issuer or",
        "if False and",
        (f"{ATTACKS}::TestAtk39",),
    ),
    Sabotage(
        "an unnamed host is active at once",
        f"{FOLDER}/service.py",
        "invitation.host is not None and said.one_host",
        "said.one_host",
        (f"{CONNECTING}::TestConnecting",),
    ),
    Sabotage(
        "an invitation can be used twice",
        f"{FOLDER}/service.py",
        "            invitations.use(db, invitation.id, claimed)\n",
        "",
        (f"{CONNECTING}::TestOnceAndOnlyOnce",),
    ),
    Sabotage(
        "two at once both get the invitation",
        f"{FOLDER}/invitations.py",
        "Invitation.used_at.is_(None), free, still_open)",
        "Invitation.used_at.is_(None), still_open)",
        INVITATIONS,
    ),
    Sabotage(
        "whoever lost the claim may still finish",
        f"{FOLDER}/invitations.py",
        "        & (Invitation.claimed_at == claimed)\n",
        "",
        INVITATIONS,
    ),
    Sabotage(
        "an invitation never runs out",
        f"{FOLDER}/invitations.py",
        "    if expired:\n",
        "    if False:\n",
        INVITATIONS,
    ),
    Sabotage(
        "the address with the token travels on",
        f"{FOLDER}/views.py",
        '    response.headers["Referrer-Policy"] = "no-referrer"\n',
        "",
        (f"{ATTACKS}::TestAtk41",),
    ),
    Sabotage(
        "names are asked for against the school's wish",
        f"{FOLDER}/proposal.py",
        "*(NAME_CLAIMS if share_names else ())",
        "*NAME_CLAIMS",
        (f"{CONNECTING}::TestConnecting",),
    ),
)
