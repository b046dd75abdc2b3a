"""Measures an engine: `python -m feedback_engine.evaluation [--engine ollama --model …]`.

Without more it judges our own school answers. `--data FOLDER` takes the German SAF data as well,
`--limit n` only about so many answers of each set, `--json FILE` keeps the figures.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from feedback_engine.build import build_engine
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import FeedbackEngine
from feedback_engine.errors import EngineUnavailable
from feedback_engine.evaluation import saf
from feedback_engine.evaluation.figures import Figures, agreement, figures_of
from feedback_engine.evaluation.items import Item, school
from feedback_engine.evaluation.run import run
from feedback_engine.evaluation.tokens import CountingTransport
from feedback_engine.wire import plain_transport

Report = dict[str, dict[str, Figures]]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all was measured, 1 when the model host is not there."""
    chosen = _parser().parse_args(arguments)
    config = EngineConfig(EngineKind(chosen.engine), chosen.host, chosen.model)
    counter = CountingTransport(plain_transport())
    engine = build_engine(config, counter)
    sets = {"school": school()}
    if chosen.data is not None:
        sets["saf"] = saf.read(chosen.data / "unseen_answers")
    report: Report = {}
    try:
        for name, items in sets.items():
            some = _about(items, chosen.limit)
            report[name] = {
                chosen.engine: _measured(engine, some, counter, again=chosen.repeat > 1)
            }
            if name == "saf":
                report[name] |= _for_nothing(saf.read(chosen.data / "training"), some)
    except EngineUnavailable as missing:
        print(f"The model host is not there: {missing}", file=sys.stderr)
        return 1
    print("\n\n".join(table(name, columns) for name, columns in report.items()))
    if chosen.json is not None:
        said = json.dumps({"model": chosen.model, "sets": report}, indent=2)
        chosen.json.write_text(said + "\n", encoding="utf-8")
    return 0


def _measured(
    engine: FeedbackEngine, items: Sequence[Item], counter: CountingTransport, *, again: bool
) -> Figures:
    first = run(engine, items, lambda: counter.tokens)
    return figures_of(first, run(engine, items) if again else ())


def _for_nothing(train: Sequence[Item], test: Sequence[Item]) -> dict[str, Figures]:
    """What is reached without reading: the floor below the floor."""
    found = {}
    for name, levels in saf.baselines(train, test).items():
        judged = [
            (level, item.expected[0], item.request.criteria[0].top_level)
            for level, item in zip(levels, test, strict=True)
            if item.expected is not None
        ]
        found[name] = agreement(judged)
    return found


def _about(items: Sequence[Item], limit: int) -> Sequence[Item]:
    """About so many of them, spread evenly, so that all tasks stay in."""
    return items[:: max(1, len(items) // limit)]


def table(name: str, columns: dict[str, Figures]) -> str:
    """The figures of one set, a row each and a column for each engine."""
    rows = [[f"{name}:", *columns]]
    names = dict.fromkeys(figure for figures in columns.values() for figure in figures)
    rows += [[each, *(_shown(figures.get(each)) for figures in columns.values())] for each in names]
    return "\n".join(f"{row[0]:<20}" + "".join(f"{cell:>12}" for cell in row[1:]) for row in rows)


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return str(int(value)) if value == int(value) and value > 1 else f"{value:.3f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = [kind.value for kind in EngineKind]
    parser.add_argument("--engine", choices=kinds, default=EngineKind.LEXICAL.value)
    parser.add_argument("--host", default="http://127.0.0.1:11434")
    parser.add_argument("--model", default="")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--repeat", type=int, choices=(1, 2), default=2)
    parser.add_argument("--limit", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
