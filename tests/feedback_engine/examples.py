"""Answers of invented pupils to one invented task, in both languages."""

from feedback_engine.contract import Criterion, EarlierAttempt, FeedbackRequest, Language

LIGHT = Criterion(
    "9f1c-light",
    "Rolle des Lichts",
    "Du erklärst, dass Lichtenergie in chemische Energie umgewandelt wird.",
    2,
    ("fehlt", "teilweise erklärt", "vollständig erklärt"),
)
SUGAR = Criterion(
    "9f1c-sugar",
    "Produkte",
    "Du nennst Traubenzucker und Sauerstoff.",
    1,
    ("fehlt", "ein Produkt genannt", "beide Produkte genannt"),
)
NOTES = (
    "Chlorophyll fängt die Lichtenergie ein und wandelt sie in chemische Energie um. "
    "Aus Kohlenstoffdioxid und Wasser entstehen Traubenzucker und Sauerstoff."
)
ADAS_ANSWER = (
    "Die Pflanze nimmt Wasser und Luft auf. Mit dem Licht wandelt sie das in Energie um, "
    "und es entsteht Traubenzucker. Den „Abfall“, also Sauerstoff, gibt sie ab."
)

COLD = Criterion(
    "fire-1",
    "Role of oxygen",
    "You explain that a flame needs oxygen and goes out without it.",
    1,
    ("missing", "partly there", "complete"),
)
BENS_ANSWER = "The candle goes out because there is no oxygen left under the glass for the flame."


def plants(
    answer: str = ADAS_ANSWER,
    *,
    notes: str = NOTES,
    criteria: tuple[Criterion, ...] = (LIGHT, SUGAR),
    earlier: EarlierAttempt | None = None,
    names: tuple[str, ...] = (),
) -> FeedbackRequest:
    return FeedbackRequest(
        task_title="Fotosynthese",
        task_prompt="Wozu braucht die Pflanze Licht? Erkläre in drei Sätzen.",
        criteria=criteria,
        answer=answer,
        language="de",
        solution_notes=notes,
        earlier=earlier,
        names_to_withhold=names,
    )


def candle(answer: str = BENS_ANSWER, language: Language = "en") -> FeedbackRequest:
    return FeedbackRequest(
        task_title="A candle under a glass",
        task_prompt="Why does the candle go out?",
        criteria=(COLD,),
        answer=answer,
        language=language,
        solution_notes="Burning uses up the oxygen in the glass; without oxygen the flame dies.",
    )
