"""Each process loads what it needs and nothing of the other's, asked of a fresh interpreter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Blocks a package as if it were not installed, imports a roof, and tells what got loaded.
PROBE = """
import json, sys
module, *absent = sys.argv[1:]
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in absent:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
__import__(module)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def loaded_by(module: str, *absent: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, module, *absent],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_the_web_process_runs_where_no_model_library_is_installed():
    loaded = loaded_by("lti_tool.web", "dspy", "ollama", "litellm", "openai")

    assert "flask" in loaded
    assert not loaded & {"dspy", "ollama", "litellm"}


def test_the_live_process_runs_where_neither_flask_nor_a_model_library_is_installed():
    loaded = loaded_by("lti_tool.live", "flask", "flask_babel", "werkzeug", "dspy", "ollama")

    assert not loaded & {"flask", "werkzeug", "dspy", "ollama", "dramatiq"}


def test_the_worker_runs_where_flask_is_not_installed():
    loaded = loaded_by("lti_tool.worker", "flask", "flask_babel", "flask_wtf")

    assert "dramatiq" in loaded
    assert "flask" not in loaded


@pytest.mark.parametrize(
    "module",
    ["contract", "errors", "checks", "lexical"],
    ids=lambda name: f"feedback_engine.{name}",
)
def test_the_light_half_of_the_engine_needs_no_model_library(module):
    loaded = loaded_by(f"feedback_engine.{module}", "dspy", "ollama", "httpx", "sqlalchemy")

    assert not loaded & {"dspy", "ollama", "httpx", "sqlalchemy"}


@pytest.mark.parametrize("module", ["lti_tool.web", "lti_tool.worker", "lti_tool.core.pictures"])
def test_whoever_has_files_decoded_runs_where_no_decoder_is_installed(module):
    decoders = {"PIL", "pillow_heif", "pymupdf", "fitz"}

    assert not loaded_by(module, *decoders) & decoders


def test_the_practice_lms_loads_nothing_of_the_tool():
    code = (
        "import sys, lti_tool.practice_lms as p; p.create_app; "
        "print([m for m in sys.modules if m.startswith(('lti_tool.', 'config', 'feedback_engine'))"
        " and not m.startswith('lti_tool.practice_lms')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )

    assert done.stdout.strip() == "[]"
