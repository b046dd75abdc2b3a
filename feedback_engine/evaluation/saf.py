"""Compares an engine with expert scores of the German Short Answer Feedback data (Filighera 2022).

Usage: `python -m feedback_engine.evaluation.saf FOLDER`, where FOLDER holds `training` and
`unseen_answers`. The data are not part of this repository. The model-free engine runs by default;
`--kind ollama --host … --model …` takes a model, and `--limit n` only every so many answers.
"""

import argparse
import re
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from feedback_engine.build import build_engine
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import Criterion, FeedbackEngine, FeedbackRequest
from feedback_engine.errors import EngineRefused
from feedback_engine.evaluation import measures

_LEVELS = (
    "nichts davon",
    "ein kleiner Teil davon",
    "etwa die Hälfte davon",
    "das meiste davon",
    "alles davon",
)
_POINTS_IN_NOTES = re.compile(r"\(\s*\d[.,]?\d*\s*P\.?\s*\)")


@dataclass(frozen=True, slots=True)
class Scored:
    """One answer as a request, with the experts' score between 0 and 1."""

    request: FeedbackRequest
    score: float


def read(folder: Path) -> list[Scored]:
    """All answers of one part of the data set, in the order of its files."""
    return [scored for path in sorted(folder.glob("*.xml")) for scored in _read_question(path)]


def _read_question(path: Path) -> Iterator[Scored]:
    question = ET.parse(path).getroot()  # noqa: S314 - a file the operator chose, never an upload
    notes = " ".join(element.text or "" for element in question.iter("referenceAnswer"))
    criterion = Criterion(question.get("id") or path.stem, "Inhalt", "", 1, _LEVELS)
    for answer in question.iter("studentAnswer"):
        request = FeedbackRequest(
            task_title="",
            task_prompt=question.findtext("questionText") or "",
            criteria=(criterion,),
            answer=answer.findtext("response") or "",
            solution_notes=_POINTS_IN_NOTES.sub("", notes),
        )
        yield Scored(request, float(answer.findtext("score") or 0))


def judged(engine: FeedbackEngine, data: Sequence[Scored]) -> list[float | None]:
    """The engine's score for each answer, None where it gave none."""
    return [_score(engine, scored.request) for scored in data]


def _score(engine: FeedbackEngine, request: FeedbackRequest) -> float | None:
    try:
        level = engine.give_feedback(request).verdicts[0].level
    except EngineRefused:
        return None
    return None if level is None else level / (len(_LEVELS) - 1)


def report(name: str, given: Sequence[float | None], data: Sequence[Scored]) -> str:
    """One line: how many, how many of them judged, and how well."""
    pairs = [(g, s.score) for g, s in zip(given, data, strict=True) if g is not None]
    mine, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    steps = [round(a * 4) for a in mine], [round(b * 4) for b in theirs]
    return (
        f"{name:<20} n={len(data)} assessed={len(pairs) / len(data):.0%} "
        f"MAE={measures.mean_absolute_error(mine, theirs):.3f} "
        f"r={measures.correlation(mine, theirs):.3f} "
        f"rho={measures.rank_correlation(mine, theirs):.3f} "
        f"QWK={measures.weighted_kappa(*steps):.3f}"
    )


def baselines(train: Sequence[Scored], test: Sequence[Scored]) -> dict[str, list[float]]:
    """What costs nothing: always the training median, and a straight line on the word count."""
    lengths = [float(len(s.request.answer.split())) for s in train]
    line = statistics.linear_regression(lengths, [s.score for s in train])
    median = statistics.median(s.score for s in train)
    by_length = [line.intercept + line.slope * len(s.request.answer.split()) for s in test]
    return {
        "constant": [median] * len(test),
        "length": [min(1.0, max(0.0, value)) for value in by_length],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=[kind.value for kind in EngineKind], default="lexical")
    parser.add_argument("--host", default="http://127.0.0.1:11434")
    parser.add_argument("--model", default="")
    parser.add_argument("--limit", type=int, default=1_000_000)
    chosen = parser.parse_args()

    engine = build_engine(EngineConfig(EngineKind(chosen.kind), chosen.host, chosen.model))
    test = read(chosen.folder / "unseen_answers")
    test = test[:: max(1, len(test) // chosen.limit)]
    for name, given in baselines(read(chosen.folder / "training"), test).items():
        print(report(name, given, test))
    print(report(chosen.kind, judged(engine, test), test))


if __name__ == "__main__":
    main()
