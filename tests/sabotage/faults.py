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
        "whoever has to give way to another transaction is told to come back",
        "lti_tool/core/retries.py",
        'GAVE_WAY = frozenset({"40001", "40P01"})',
        "GAVE_WAY = frozenset[str]()",
        (
            "tests/faults/test_deadlocks.py::test_flt_36_a_pupil_does_not_notice_that_locks_have"
            "_crossed",
            "tests/faults/test_deadlocks.py::test_flt_36_what_a_model_wrote_is_not_asked_for_again",
        ),
    ),
    Sabotage(
        "what ended a transaction is hidden by acting for oneself again",
        "lti_tool/core/db.py",
        "is TransactionStatus.INERROR:",
        "is TransactionStatus.UNKNOWN:",
        (
            "tests/faults/test_deadlocks.py::test_flt_36_who_acts_for_another_at_that_moment_is_no"
            "_exception",
        ),
    ),
    Sabotage(
        "a slow database counts as a healthy one",
        "lti_tool/web.py",
        "> database.statement_limit.total_seconds():",
        "> 3600:",
        (
            "tests/faults/test_postgres.py::test_flt_39_a_database_that_is_slow_with_everything_is"
            "_no_healthy_one",
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
