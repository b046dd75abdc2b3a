"""Faults: checks whose loss would let something be lost, or kept that is not whole."""

from tests.sabotage.shape import Sabotage

CUTS = ("tests/faults/test_cuts.py::test_flt_12_a_request_cut_at_every_byte",)

FAULTS = (
    Sabotage(
        "a form that was cut off counts as whole",
        "lti_tool/core/http.py",
        '        request.environ.pop("wsgi.input_terminated", None)\n',
        "",
        CUTS,
    ),
    Sabotage(
        "a resend with the same key is another attempt",
        "lti_tool/submissions/service.py",
        "    if sent is not None and sent.answer == answer.text:\n        return HandedIn(sent)\n",
        "",
        (
            "tests/faults/test_kills.py::test_flt_2_killed_after_the_commit_it_is_there_once_and_the"
            "_form_finds_it",
        ),
    ),
    Sabotage(
        "a migration stands in everybody's way",
        "lti_tool/core/schema.py",
        "TRIES, BETWEEN_TRIES = 5, 3.0",
        "TRIES, BETWEEN_TRIES = 1, 3.0",
        (
            "tests/faults/test_postgres.py::test_flt_40_a_migration_gives_way_to_those_who_read_and"
            "_tries_again",
        ),
    ),
)
