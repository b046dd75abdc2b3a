"""The sabotage list of decoding what strangers send (ATK 63-71, 74, 76)."""

from tests.sabotage.shape import Sabotage

FOLDER = "lti_tool/core/pictures"
TESTS = "tests/core/pictures"
BOMBS = f"{TESTS}/test_bombs.py"
ROGUES = (f"{TESTS}/test_rogues.py",)
HONEST = (f"{TESTS}/test_darkroom.py",)
SEES = (f"{TESTS}/test_rogues.py::test_atk_67_it_sees_nothing_of_ours",)

PICTURES = (
    Sabotage(
        "pixels are not counted before they are read",
        f"{FOLDER}/decoder.py",
        "if photo.width * photo.height > MOST_PIXELS:",
        "if False:",
        (f"{BOMBS}::test_atk_66_too_many_pixels_are_counted_before_any_is_read",),
    ),
    Sabotage(
        "any kind of picture is decoded",
        f"{FOLDER}/decoder.py",
        "formats=[kind]",
        "formats=None",
        (f"{BOMBS}::test_atk_65_a_picture_behind_another_mark_is_not_decoded",),
    ),
    Sabotage(
        "a PDF with a password is not noticed",
        f"{FOLDER}/decoder.py",
        "if document.needs_pass:",
        "if False:",
        (f"{BOMBS}::test_atk_71_a_pdf_with_a_password_is_told_as_locked",),
    ),
    Sabotage(
        "all pages of a PDF are drawn",
        f"{FOLDER}/decoder.py",
        "min(count, most_pages)",
        "count",
        (f"{BOMBS}::test_atk_68_of_five_thousand_pages_thirty_are_drawn_and_the_rest_is_told",),
    ),
    Sabotage(
        "pages are handed on as the decoder gave them",
        f"{FOLDER}/jpegs.py",
        "or marker not in _ALLOWED or",
        "or",
        (*ROGUES, f"{TESTS}/test_jpegs.py"),
    ),
    Sabotage(
        "a decoder may use memory as it likes",
        f"{FOLDER}/child.py",
        "(resource.RLIMIT_AS, memory),",
        "",
        SEES,
    ),
    Sabotage(
        "a decoder may compute as long as it likes",
        f"{FOLDER}/child.py",
        "resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))",
        "pass",
        SEES,
    ),
    Sabotage(
        "a decoder may fill the disk",
        f"{FOLDER}/child.py",
        "(resource.RLIMIT_FSIZE, output),",
        "",
        SEES,
    ),
    Sabotage(
        "a decoder sees the settings",
        f"{FOLDER}/darkroom.py",
        "env={},",
        "",
        SEES,
    ),
    Sabotage(
        "what a decoder started lives on",
        f"{FOLDER}/darkroom.py",
        "os.killpg(process.pid, signal.SIGKILL)",
        "process.kill()",
        (f"{TESTS}/test_rogues.py::test_atk_67_what_it_started_ends_with_it",),
    ),
)
