"""What is said without a model, in both languages. Kind, short, and never more than was found.

The texts compare words and say so; none claims to have understood.
"""

from dataclasses import dataclass

from feedback_engine.contract import Language, Register


@dataclass(frozen=True, slots=True)
class Phrases:
    """Sentences with the places `{title}`, `{description}` and `{quote}`."""

    words_found: str
    some_words_found: str
    no_words_found: str
    found_here: str
    has_grown: str
    a_beginning: str
    only_words: str
    look_again: str
    add_a_sentence: str
    all_there: str
    question: str
    question_all_there: str
    no_text: str
    no_answer: str
    teacher_looks: str


_DU = Phrases(
    words_found="Hier stehen viele Wörter, die zu diesem Punkt passen.",
    some_words_found="Hier stehen einige Wörter, die zu diesem Punkt passen.",
    no_words_found="Dazu habe ich in deinem Text keine passenden Wörter gefunden.",
    found_here="Zu „{title}“ passen Wörter in deinem Text, zum Beispiel hier: „{quote}“.",
    has_grown="Bei „{title}“ ist seit deinem letzten Versuch etwas dazugekommen.",
    a_beginning="Du hast etwas aufgeschrieben. Damit kannst du weiterarbeiten.",
    only_words=(
        "Diese Rückmeldung vergleicht nur Wörter. Ob dein Gedanke stimmt, sieht sie nicht."
    ),
    look_again="Lies deinen Text noch einmal und achte auf „{title}“: {description}",
    add_a_sentence="Ergänze dazu einen Satz in deinen eigenen Worten.",
    all_there=(
        "Zu jedem Punkt gibt es in deinem Text passende Wörter. Lies ihn jemandem vor, der die "
        "Aufgabe nicht kennt: Wo fragt die Person nach?"
    ),
    question="Was würdest du antworten, wenn dich jemand nach „{title}“ fragt?",
    question_all_there="Woher weißt du, dass das stimmt, was du geschrieben hast?",
    no_text="In deiner Abgabe stehen noch keine Wörter.",
    no_answer=(
        "Das sieht noch nicht nach einer Antwort aus. Fang mit einem Satz an, der zur Aufgabe "
        "passt. Irre ich mich, dann sag es bitte deiner Lehrkraft."
    ),
    teacher_looks="Das kann ich nicht beurteilen. Deine Lehrkraft sieht es sich an.",
)
_SIE = Phrases(
    words_found="Hier stehen viele Wörter, die zu diesem Punkt passen.",
    some_words_found="Hier stehen einige Wörter, die zu diesem Punkt passen.",
    no_words_found="Dazu habe ich in Ihrem Text keine passenden Wörter gefunden.",
    found_here="Zu „{title}“ passen Wörter in Ihrem Text, zum Beispiel hier: „{quote}“.",
    has_grown="Bei „{title}“ ist seit Ihrem letzten Versuch etwas dazugekommen.",
    a_beginning="Etwas ist aufgeschrieben. Damit können Sie weiterarbeiten.",
    only_words="Diese Rückmeldung vergleicht nur Wörter. Ob Ihr Gedanke stimmt, sieht sie nicht.",
    look_again="Lesen Sie Ihren Text noch einmal und achten Sie auf „{title}“: {description}",
    add_a_sentence="Ergänzen Sie dazu einen Satz in eigenen Worten.",
    all_there=(
        "Zu jedem Punkt gibt es in Ihrem Text passende Wörter. Lesen Sie ihn jemandem vor, der die "
        "Aufgabe nicht kennt: Wo fragt die Person nach?"
    ),
    question="Was würden Sie antworten, wenn jemand Sie nach „{title}“ fragt?",
    question_all_there="Woher wissen Sie, dass das stimmt, was Sie geschrieben haben?",
    no_text="In Ihrer Abgabe stehen noch keine Wörter.",
    no_answer=(
        "Das sieht noch nicht nach einer Antwort aus. Fangen Sie mit einem Satz an, der zur "
        "Aufgabe passt. Irre ich mich, dann sagen Sie es bitte Ihrer Lehrkraft."
    ),
    teacher_looks="Das kann ich nicht beurteilen. Ihre Lehrkraft sieht es sich an.",
)
_ENGLISH = Phrases(
    words_found="There are many words here that belong to this point.",
    some_words_found="There are some words here that belong to this point.",
    no_words_found="I did not find any words in your text that belong to this point.",
    found_here="Words in your text belong to “{title}”, for example here: “{quote}”.",
    has_grown="You have added something to “{title}” since your last attempt.",
    a_beginning="You have written something down. That is something to work with.",
    only_words="This feedback only compares words. It cannot see whether your idea is right.",
    look_again="Read your text once more and look for “{title}”: {description}",
    add_a_sentence="Add a sentence about it in your own words.",
    all_there=(
        "There are fitting words for every point in your text. Read it to someone who does not "
        "know the task: where do they ask questions?"
    ),
    question="What would you answer if somebody asked you about “{title}”?",
    question_all_there="How do you know that what you have written is right?",
    no_text="There are no words in your answer yet.",
    no_answer=(
        "This does not look like an answer yet. Start with one sentence about the task. If I "
        "am wrong, please tell your teacher."
    ),
    teacher_looks="I cannot judge this. Your teacher will have a look at it.",
)


def phrases_for(language: Language, register: Register) -> Phrases:
    """The sentences in this language, speaking to the pupil in this way."""
    if language == "en":
        return _ENGLISH
    return _SIE if register == "sie" else _DU
