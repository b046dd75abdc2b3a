"""Errors that every context may raise; `web.py` maps each class to one answer."""


class ToolError(Exception):
    """Root of what the tool itself says no to."""


class NotFound(ToolError):
    """It does not exist, or not for this person: the answer is the same."""


class Forbidden(ToolError):
    """This role may not do this at all, whatever the object."""


class Conflict(ToolError):
    """The world has moved on since the page was drawn; `code` names how, for the page to say."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Invalid(ToolError):
    """What was typed cannot be taken as it is; `problems` maps a field to a code."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(", ".join(f"{field}: {code}" for field, code in problems.items()))
        self.problems = problems
