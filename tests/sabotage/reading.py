"""What a model reads on a page: checks whose loss would put words into a pupil's mouth."""

from tests.sabotage.shape import Sabotage

READING = "feedback_engine/reading.py"
MODELS = "feedback_engine/models.py"
TRANSCRIBE = "feedback_engine/transcribe.py"

RULES = ("tests/feedback_engine/test_reading.py",)
READER = ("tests/feedback_engine/test_transcribe.py",)
INJECTED = ("tests/feedback_engine/test_photographed_injection.py",)

READINGS = (
    Sabotage(
        "a page may come in any form",
        READING,
        'strict=True, extra="forbid"',
        'strict=False, extra="ignore"',
        RULES,
    ),
    Sabotage(
        "our own instructions count as a pupil's work",
        READING,
        'if _is_echo("\\n".join([written, *drawings]), instructions):',
        "if False:",
        INJECTED,
    ),
    Sabotage(
        "a model's excuse counts as a pupil's work",
        READING,
        "    if is_excuse(written):\n",
        "    if False:\n",
        RULES,
    ),
    Sabotage(
        "lines may repeat without end",
        READING,
        "if _is_stuck(lines):",
        "if False:",
        RULES,
    ),
    Sabotage(
        "a model may go in circles up to its limit",
        MODELS,
        "if goes_in_circles(text):",
        "if False:",
        READER,
    ),
    Sabotage(
        "Ollama may leave pages out without a word",
        MODELS,
        'if event.get("system_fingerprint") == _OLLAMA:',
        "if False:",
        ("tests/feedback_engine/test_wrong_way_to_ollama.py",),
    ),
    Sabotage(
        "half a picture counts as a page",
        "feedback_engine/images.py",
        "                page.load()",
        "                pass",
        READER,
    ),
    Sabotage(
        "a model may be swapped while it reads",
        TRANSCRIBE,
        "if self._host.digest(until) != digest:",
        "if False:",
        READER,
    ),
    Sabotage(
        "a hidden photo is shown to a model",
        "lti_tool/submissions/transcripts.py",
        " and one.page.hidden_at is None\n    ][:MOST_DRAWN_PAGES]",
        "\n    ][:MOST_DRAWN_PAGES]",
        ("tests/uploads/test_drawings.py",),
    ),
    Sabotage(
        "what is said of a drawing comes with its markers",
        "feedback_engine/showing.py",
        "neutralised(said)",
        "said",
        ("tests/feedback_engine/test_drawings.py",),
    ),
    Sabotage(
        "images push the criteria out of the context",
        "feedback_engine/showing.py",
        "int(room // image_tokens(size))",
        "MOST_IMAGES",
        ("tests/feedback_engine/test_drawings.py",),
    ),
    Sabotage(
        "a task goes to the reader with its markers",
        TRANSCRIBE,
        "neutralised(task[:_LONGEST_TASK])",
        "task[:_LONGEST_TASK]",
        INJECTED,
    ),
)
