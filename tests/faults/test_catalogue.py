"""Every fault of the catalogue that this version can meet has a test that names it.

A test names a fault in its own name (`test_flt_12_…`), its docstring or beside its row of a table
(`FLT-12`). What a module's first lines say does not count: they only announce.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]

# Web and browser, worker and queue, PostgreSQL and storage, model, and Moodle as far as scores go.
CATALOGUE = set(range(1, 61))

NOT_APPLICABLE = {
    35: "there is one PostgreSQL and no standby; a restore is checked by check-invariants",
    41: "no version has been released yet, so that there is none before this one",
}

NAMED = re.compile(r"(?:(?<![a-z])flt[-_]|TestFlt)(\d+)((?:, \d+)*)(?: to (\d+))?", re.IGNORECASE)


def named_in(text: str) -> set[int]:
    announced = ast.get_docstring(ast.parse(text), clean=False) or ""
    found: set[int] = set()
    for first, more, last in NAMED.findall(text.replace(announced, "", 1)):
        found.update(range(int(first), int(last or first) + 1))
        found.update(int(number) for number in more.split(", ") if number)
    return found


def named() -> set[int]:
    files = [path for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    return set().union(*(named_in(path.read_text(encoding="utf-8")) for path in files))


def test_every_fault_is_named_by_a_test() -> None:
    assert named() >= CATALOGUE - NOT_APPLICABLE.keys()


def test_several_faults_may_be_named_at_once_and_first_lines_do_not_count() -> None:
    module = '"""FLT-1."""\n\n\ndef test_flt_2_x():\n    """And FLT-4, 6, and FLT-47 to 49."""\n'

    assert named_in(module) == {2, 4, 6, 47, 48, 49}
