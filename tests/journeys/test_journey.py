"""The main job, end to end, as `gustav journey` walks it: real processes, real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

STEPS = 13


def gustav(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "lti_tool.cli", *arguments],
        # A model that happens to answer on this machine would take its time.
        env={**os.environ, "GUSTAV_ENGINE": "lexical"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    return done.returncode, done.stdout, done.stderr


def test_from_adding_an_activity_to_the_grade_in_the_gradebook() -> None:
    code, out, err = gustav("journey", "--json")

    answer: dict[str, Any] = json.loads(out)
    assert [step for step in answer.get("steps", [answer]) if step.get("problem", err)] == []
    assert code == 0
    assert len(answer["steps"]) == STEPS


def test_where_no_demo_runs_the_journey_says_so() -> None:
    code, out, err = gustav("journey", "--lms-port", "1", "--json")

    assert code == 1
    assert "http://localhost:1" in json.loads(out)["error"]
    assert err.count("\n") == 1


def test_a_class_hands_in_at_once_and_everybody_has_their_own_work_and_grade() -> None:
    code, out, err = gustav("lesson", "--pupils", "6", "--json")

    answer: dict[str, Any] = json.loads(out)
    assert (answer.get("problems", err), code) == ([], 0)
    assert answer["pupils"] == 6


def test_where_no_demo_runs_the_lesson_says_so() -> None:
    code, out, _ = gustav("lesson", "--lms-port", "1", "--json")

    assert code == 1
    assert json.loads(out)["error"].startswith("Die Stunde kam nicht zustande")
