"""What was handed in but is no answer, told without a model. Pure.

Careful on one side: a short answer, a formula, another language or an abbreviation is an answer. A
drawing may be one that needs no words, and what was read on a page may be badly read, so with pages
nothing is called nonsense here.
"""

import re

from feedback_engine.contract import FeedbackRequest
from feedback_engine.intake import is_wordless
from feedback_engine.text import fold, words

_ROWS = ("qwertzuiopü", "qwertyuiop", "asdfghjklöä", "yxcvbnm", "zxcvbnm")
_VOWELS = frozenset("aeiouyäöüáàâãåæéèêëíìîïóòôõøœúùûıőű")
_LETTERS = re.compile(r"[^\W\d_]+")
# Fewer could be a cry, an answer or a poem.
_REPEATED = 6
_WORDS_OF_TASK = 8


def is_no_answer(request: FeedbackRequest) -> bool:
    """Nothing a model could judge: no words, keys pressed at random, one word over and over, or
    the task itself handed back."""
    if request.images or request.drawings:
        return False
    answer = request.answer
    return (
        is_wordless(answer)
        or _is_mashed(answer)
        or _is_one_word(answer)
        or _is_the_task(answer, request)
    )


def _is_mashed(answer: str) -> bool:
    """Every word looks like keys pressed at random, and there is nothing else that could count."""
    spoken = _LETTERS.findall(answer)
    if not spoken or any(character.isdigit() for character in answer):
        return False
    return all(_looks_pressed(word) for word in spoken)


def _looks_pressed(word: str) -> bool:
    lower = word.casefold()
    if not lower.isascii() and not set(lower) <= _VOWELS | set("".join(_ROWS)):
        return False
    return _is_along_a_row(lower) or _is_a_stutter(lower) or _has_no_vowel(word)


def _is_along_a_row(word: str) -> bool:
    """Five keys side by side, in either direction, are most of it ("asdfghj", "lkjhgf")."""
    runs = 0
    for start in range(len(word) - 4):
        piece = word[start : start + 5]
        runs += any(piece in row or piece[::-1] in row for row in _ROWS)
    return runs > 0 and runs + 4 >= len(word) * 0.6


def _is_a_stutter(word: str) -> bool:
    """One to three letters over and over ("aaaaaa", "asdasdasd", "hahahaha")."""
    if len(word) < _REPEATED:
        return False
    return any(word == (word[:unit] * len(word))[: len(word)] for unit in (1, 2, 3))


def _has_no_vowel(word: str) -> bool:
    """Seven letters and no vowel, and no abbreviation: Czech says "scvrkl", nobody "hjkdfgs"."""
    return len(word) >= 7 and not word.isupper() and _VOWELS.isdisjoint(word.casefold())


def _is_one_word(answer: str) -> bool:
    spoken = words(answer)
    return len(spoken) >= _REPEATED and len(set(spoken)) == 1 and not spoken[0][0].isdigit()


def _is_the_task(answer: str, request: FeedbackRequest) -> bool:
    """Most of the task and nothing besides. A sentence quoted from a long task is an answer."""
    mine = fold(answer).letters
    task = fold(f"{request.task_title} {request.task_prompt}").letters
    if len(words(answer)) < _WORDS_OF_TASK or mine not in task:
        return False
    return len(mine) >= len(fold(request.task_prompt).letters) * 0.6
