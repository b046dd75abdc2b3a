"""What happens to text before an engine works with it: refuse, neutralise, notice. Pure.

Nothing here decides about points. Noticing only means that a teacher looks first (ATK-130 to 138).
"""

import base64
import binascii
import re

from feedback_engine.contract import FeedbackRequest, Flag
from feedback_engine.errors import EngineRefused, RefusalReason
from feedback_engine.text import INVISIBLE, fold, visible, words

# Turn and role markers of common chat templates, and DSPy's own: field headers, and the marks
# between which its adapters would take a pupil's text for a picture or another message part.
_CHAT_TOKEN = re.compile(
    r"<[|｜]([^|｜>]{0,40})[|｜]>"
    r"|</?(s|bos|eos|pad|unk|think|system|user|assistant|student|answer|instructions?"
    r"|start_of_turn|end_of_turn|start_of_image|tool_calls?|tool_response)>"
    r"|<<([^<>]{1,60})>>"
    # Where images go: Ollama puts one in place of the first "[img]" that it finds.
    r"|\[(img(?:-\d{1,9})?)\]|<(__[a-z0-9_]{1,60}__|image)>"
    r"|\[/?(INST|SYSTEM_PROMPT|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\]",
    re.IGNORECASE,
)
_ROLE_LINE = re.compile(
    r"(?im)^([ \t]*(?:#{1,6}[ \t]*)?)(system|assistant|user|human|instruction|response)[ \t]*:"
)
_FIELD_OPENS = re.compile(r"\[\s*\[(?=\s*##)")
_FIELD_CLOSES = re.compile(r"(?<=##)(\s*)\]\s*\]")

_LEET = str.maketrans("013457@$", "oieastas")

# Matched against folded text: lower case, no accents, no spaces, no punctuation.
_INSTRUCTION = re.compile(
    r"ignorier(e|en|t)?(sie|bitte|nun|jetzt)*(alle|deine|die|vorherige|bisherige|obige)"
    r".{0,30}(anweisung|regel|instruktion|vorgabe|kriteri|befehl)"
    r"|vergiss(bitte)?(alle|deine|die|alles).{0,30}(anweisung|regel|instruktion|vorgabe|kriteri)"
    r"|gib(mir|uns|bitte|dafur|die|hier)*(volle|alle|maximal|hochst|\d{1,3})[a-z]{0,3}punkt"
    r"|gib(mir|uns|bitte)*(die)?(beste|hochste)(note|stufe|bewertung)"
    r"|bewerte(das|dies|diese|mich|bitte|meine|antwort)*mit(der)?(voll|best|hochst|\d{1,2}punkt)"
    r"|dubist(jetzt|nun|abjetzt)|systemprompt|neueanweisung(en)?(fur|an)(dich|die)"
    r"|(ignore|disregard|forget)(all|any|the|your|previous|prior|above|everything)"
    r".{0,30}(instruction|rule|prompt|criteri|above)"
    r"|give(me|this|it|us)?(the)?(full|maximum|highest|top|all|\d{1,3})[a-z]{0,3}(mark|point|score|grade)"
    r"|youarenowa|newinstructions|assignthe(highest|maximum|top)"
    r"|talimat.{0,20}(yoksay|gormezden|unut)|ignorez(toutes|les).{0,20}(instruction|consigne)"
    r"|(игнорируи|забудь).{0,30}инструкци|تجاهل.{0,30}تعليمات"
)
_DISTRESS = re.compile(
    r"ich(will|mochte|mag)(einfach)?nichtmehrleben|ich(will|mochte)(nurnoch)?sterben"
    r"|ichbringemichum|michumbringen|mirdaslebennehmen|ichritzemich|michselbst(zu)?verletz"
    r"|iwanttodie|idontwanttolive|killmyself|endmylife|hurtmyself"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_TAG_BLOCK = 0xE0000


def refuse_unfit(request: FeedbackRequest, longest: int) -> None:
    """Raise `EngineRefused` for a blank answer or one of more than `longest` characters.

    A blank answer is not the lowest level: the work may be on a photo that nobody could read.
    """
    if not visible(request.answer).strip():
        raise EngineRefused(RefusalReason.EMPTY_ANSWER)
    if len(request.answer) > longest:
        raise EngineRefused(RefusalReason.ANSWER_TOO_LONG)


def is_wordless(answer: str) -> bool:
    """Only emoji, dots or question marks: there is nothing a model could be asked about."""
    return not words(answer)


def neutralised(text: str) -> str:
    """The text as data: no invisible characters, and no marker that a template or model obeys.

    Applied to everything that enters a prompt, the teacher's words included, since they may be
    pasted from anywhere (ATK-134). `checks.find_quote` finds passages across these changes.
    """
    text = visible(text)
    before = ""
    while text != before:
        before = text
        text = _CHAT_TOKEN.sub(lambda m: f"‹{next(filter(None, m.groups()), '')}›", text)
    text = _ROLE_LINE.sub(r"\1‹\2›", text)
    return _FIELD_CLOSES.sub(r"\1))", _FIELD_OPENS.sub("((", text))


def noticed(request: FeedbackRequest) -> tuple[Flag, ...]:
    """What a teacher should know about the answer itself, whatever an engine makes of it."""
    # What is drawn is described in words, and those may be orders, too.
    handed_in = "\n".join([request.answer, *request.drawings])
    readings = _readings(handed_in)
    flags = []
    if _carries_markers(handed_in) or any(_INSTRUCTION.search(r) for r in readings):
        flags.append(Flag.INSTRUCTION_IN_ANSWER)
    if _DISTRESS.search(readings[0]):
        flags.append(Flag.READ_IN_PERSON)
    if _is_copied(request):
        flags.append(Flag.COPIED_TEXT)
    return tuple(flags)


def _carries_markers(answer: str) -> bool:
    text = visible(answer)
    return bool(_CHAT_TOKEN.search(text) or _FIELD_OPENS.search(text))


def _readings(answer: str) -> list[str]:
    """The answer as a reader, a code book and a decoder would read it."""
    hidden = "".join(
        chr(ord(c) - _TAG_BLOCK) for c in INVISIBLE.findall(answer) if ord(c) > _TAG_BLOCK + 31
    )
    texts = [answer, answer.casefold().translate(_LEET), hidden]
    texts += [_decoded(token) for token in _BASE64.findall(answer)[:20]]
    return [fold(text).letters for text in texts]


def _decoded(token: str) -> str:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4)).decode("utf-8", "ignore")
    except (binascii.Error, ValueError):
        return ""


def _is_copied(request: FeedbackRequest) -> bool:
    """Half of the answer's five-word runs stand in what the pupil should not have written.

    The task's own words do not count: to take up the question is what pupils are taught.
    """
    sources = [request.solution_notes, request.earlier.next_step if request.earlier else ""]
    for criterion in request.criteria:
        sources += [criterion.description, *criterion.levels]
    known = {run for source in sources for run in runs(words(source), 5)}
    mine = runs(words(request.answer), 5)
    return len(mine) >= 8 and sum(run in known for run in mine) >= len(mine) / 2


def runs(sequence: list[str], length: int) -> list[tuple[str, ...]]:
    """All runs of `length` neighbouring words, in order."""
    return [tuple(sequence[i : i + length]) for i in range(len(sequence) - length + 1)]
