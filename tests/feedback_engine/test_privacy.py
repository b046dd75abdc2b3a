"""Nothing a pupil wrote stays behind: not on disk, not in memory, not in another's feedback."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from feedback_engine.contract import FeedbackDraft, FeedbackEngine
from tests.fakes.ollama import FakeOllama
from tests.feedback_engine.examples import plants

ROOT = Path(__file__).parents[2]

WORKER = """
import sys
from feedback_engine.build import build_engine
from feedback_engine.config import EngineConfig, EngineKind
from tests.feedback_engine.examples import plants

engine = build_engine(EngineConfig(EngineKind.OLLAMA, sys.argv[1], "gemma3:12b"))
for answer in ("Die Pflanze braucht Licht.", "Die Pflanze braucht Licht."):
    assert not engine.give_feedback(plants(answer)).needs_teacher

import dspy
from dspy.clients.base_lm import GLOBAL_HISTORY

assert GLOBAL_HISTORY == [], "history"
assert dspy.settings.trace == [], "trace"
assert dspy.cache.enable_disk_cache is False and dspy.cache.enable_memory_cache is False, "cache"
loaded = {name.split(".")[0] for name in sys.modules}
print(sorted(loaded & {"litellm", "openai", "numpy", "flask", "sqlalchemy", "dramatiq"}))
"""


def run_fresh(code: str, home: Path, *arguments: str) -> str:
    """Run Python code in a new interpreter with a home of its own; what it printed."""
    environment = {"HOME": str(home), "DSPY_CACHEDIR": str(home / "dspy"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=home,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_worker_keeps_no_answer_and_loads_no_stranger(host: FakeOllama, tmp_path: Path) -> None:
    printed = run_fresh(WORKER, tmp_path, host.url)

    assert printed == "[]"
    assert list(tmp_path.rglob("*")) == []
    assert len(host.asked) == 4  # the same answer twice is judged twice: nothing is remembered


@pytest.mark.parametrize(
    "modules",
    [
        "feedback_engine",
        "feedback_engine.contract, feedback_engine.errors",
        "feedback_engine.checks, feedback_engine.intake",
        "feedback_engine.lexical, feedback_engine.build, feedback_engine.config",
    ],
)
def test_a_process_without_models_never_loads_what_speaks_to_them(
    modules: str, tmp_path: Path
) -> None:
    code = f"""
import sys, {modules}
loaded = {{name.split(".")[0] for name in sys.modules}}
print(sorted(loaded & {{"dspy", "ollama", "httpx", "litellm", "openai"}}))
"""
    assert run_fresh(code, tmp_path) == "[]"


def test_the_doctor_looks_without_loading_dspy(tmp_path: Path) -> None:
    code = "import sys, feedback_engine.health; print('dspy' in sys.modules)"

    assert run_fresh(code, tmp_path) == "False"


def test_four_pupils_at_once_each_get_their_own_words(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    """All four are held together at the model, so that anything shared would be mixed up."""
    names = ("Ada", "Ben", "Cem", "Dana")
    answers = [f"Hier schreibt {name} selbst, dass Licht nötig ist" for name in names]
    host.barrier = Barrier(4)

    def feedback_on(answer: str) -> FeedbackDraft:
        return engine.give_feedback(plants(answer))

    with ThreadPoolExecutor(4) as threads:
        drafts = list(threads.map(feedback_on, answers))

    assert [draft.verdicts[0].quote for draft in drafts] == answers
    assert not any(draft.needs_teacher for draft in drafts)


def test_one_prompt_holds_one_pupil(host: FakeOllama, engine: FeedbackEngine) -> None:
    engine.give_feedback(plants("Ada sagt: Licht macht Zucker."))
    engine.give_feedback(plants("Ben sagt: Licht macht warm."))

    assert all(("Ada sagt" in a.prompt) != ("Ben sagt" in a.prompt) for a in host.asked)
