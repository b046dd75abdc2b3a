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
)
