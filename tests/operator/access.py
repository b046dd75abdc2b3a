"""Every page of the operator's, and what the operator gets there. For everybody else none is there.

The values: status for the operator, and the smallest honest form where there is one.
"""

Form = dict[str, str]

OPERATORS: dict[str, tuple[int, Form]] = {
    "operator.platforms": (200, {}),
    "operator.platform": (200, {}),
    "operator.removing": (200, {}),
    "operator.moving": (200, {}),
    "operator.listed": (200, {}),
    "operator.invite": (200, {"school": "Gymnasium am See"}),
    "operator.invite_again": (200, {}),
    "operator.withdraw": (303, {}),
    "operator.activate": (409, {}),  # the school is active already
    "operator.pause": (303, {}),
    "operator.resume": (303, {}),
    "operator.rotate": (303, {}),
    "operator.allow": (303, {"deployment_id": "8"}),
    "operator.activate_change": (303, {}),
    "operator.reject_change": (409, {}),  # it has been activated just before
    "operator.move": (303, {"moodle": "https://neu.example", "name": "Schule am Park"}),
    "operator.remove": (303, {"name": "Schule am Park"}),
    "operator.leave": (200, {}),
}
