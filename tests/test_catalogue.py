"""Every attack of the catalogue that concerns this version has a test that names it.

A test names an attack in its own name (`test_atk_49_…`), its docstring or beside its row of a table
(`ATK-49`). What a module's first lines say does not count: they only announce.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

# A-D: launch, registration and outbound, deep linking, sessions. E: uploads. G, H: rights,
# services.
CATALOGUE = {*range(1, 81), *range(93, 121)}

# With the reason why nothing here can be attacked so.
NOT_APPLICABLE: dict[int, str] = {}

# Shrinks to nothing.
NOT_YET = {
    101,  # nothing is cached or counted in Redis yet: it holds bells with ids
    102,  # no answer of a model is ever kept for another submission
    103,  # there are no statistics over pupils yet
}

NAMED = re.compile(r"(?:(?<![a-z])atk[-_]|TestAtk)(\d+)", re.IGNORECASE)


def named_in(text: str) -> set[int]:
    announced = ast.get_docstring(ast.parse(text), clean=False) or ""
    return {int(number) for number in NAMED.findall(text.replace(announced, "", 1))}


def test_every_attack_is_named_by_a_test() -> None:
    here = Path(__file__)
    files = [path for path in here.parent.rglob("test_*.py") if path != here]

    named = set().union(*(named_in(path.read_text(encoding="utf-8")) for path in files))

    assert named >= CATALOGUE - NOT_APPLICABLE.keys() - NOT_YET


def test_a_modules_first_lines_do_not_count() -> None:
    assert named_in('"""ATK-1."""\n\n\ndef test_atk_2_x():\n    """And ATK-3."""\n') == {2, 3}
