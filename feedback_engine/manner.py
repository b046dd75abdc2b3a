"""How a pupil is spoken to: du or Sie, and in sentences that can be followed. Pure."""

import re

from feedback_engine.contract import Language, Register
from feedback_engine.text import sentences, words

# A sentence this long is beyond what plain German allows, and beyond what most read at a glance.
_LONGEST_SENTENCE = 30

# What stands in quotation marks are the pupil's words, and they may address whom they like.
_QUOTED = re.compile(r"[„“\"»«][^„“”\"»«]*[“”\"«»]")
# At the start of a sentence "Sie" may be "she" or "they", so only those within one are counted.
_FORMAL = re.compile(r"[\w,;)][^\S\n]+(?:Sie|Ihnen|Ihr(?:e[mnrs]?)?)\b(?!\w)")
_FAMILIAR = re.compile(r"\b(?:du|dir|dich|dein(?:e[mnrs]?)?)\b", re.IGNORECASE)


def is_wrong_register(text: str, language: Language, register: Register) -> bool:
    """Whether a German text says Sie where du was wished for, or du where Sie was."""
    if language != "de":
        return False
    own_words = _QUOTED.sub(" ", text)
    return bool((_FORMAL if register == "du" else _FAMILIAR).search(own_words))


def is_hard_to_read(text: str) -> bool:
    """Whether a sentence is too long to be plain language."""
    return any(len(words(sentence)) > _LONGEST_SENTENCE for sentence in sentences(text))
