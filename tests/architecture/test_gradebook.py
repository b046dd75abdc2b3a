"""What no code of ours ever does to a gradebook, and what only one place does."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = [
    path
    for path in sorted((ROOT / "lti_tool").rglob("*.py"))
    if "practice_lms" not in path.parts  # that is a gradebook
]


def words(path: Path) -> set[str]:
    """All texts in the code, docstrings and comments aside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return found - said


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_no_column_is_ever_changed_or_removed_by_us(method):
    """In Moodle a PUT un-links or rescales, and a DELETE takes the grades of a class along."""
    assert [path.name for path in OURS if method in words(path)] == []


def test_scores_say_fully_graded_in_one_place_and_nothing_else_anywhere():
    """ATK-117: anything but FullyGraded makes Moodle clear the grade that stands there."""
    pending = {"Pending", "PendingManual", "Failed", "NotReady"}

    assert [path.name for path in OURS if "FullyGraded" in words(path)] == ["messages.py"]
    assert [path.name for path in OURS if pending & words(path)] == []
