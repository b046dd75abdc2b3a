"""The evaluation reads its data, lets an engine judge them, and computes what is known by name."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

import pytest

from feedback_engine.contract import (
    CriterionVerdict,
    EngineInfo,
    FeedbackDraft,
    FeedbackRequest,
    Told,
)
from feedback_engine.errors import EngineFailed
from feedback_engine.evaluation import measures
from feedback_engine.evaluation.__main__ import main, table
from feedback_engine.evaluation.figures import figures_of
from feedback_engine.evaluation.items import Item, Kind, school
from feedback_engine.evaluation.run import run
from feedback_engine.evaluation.saf import baselines, read
from feedback_engine.evaluation.tokens import tokens_in
from feedback_engine.lexical import LexicalEngine
from tests.fakes.ollama import FakeOllama
from tests.feedback_engine.examples import plants

QUESTION = """<question id="1">
  <questionText>Wozu braucht die Pflanze Licht?</questionText>
  <referenceAnswers><referenceAnswer>Sie wandelt Lichtenergie (0.5 P) in chemische Energie (0,5 P)
  und bildet Traubenzucker.</referenceAnswer></referenceAnswers>
  <studentAnswers>
    <studentAnswer><response>Sie bildet Traubenzucker aus Lichtenergie.</response>
      <score>1.0</score></studentAnswer>
    <studentAnswer><response>Weil es hell ist.</response><score>0.0</score></studentAnswer>
    <studentAnswer><response> </response><score>0.0</score></studentAnswer>
  </studentAnswers>
</question>"""


class Scripted:
    """Gives each answer the levels of a script; without any it fails. Remembers its requests."""

    def __init__(self, script: Mapping[str, tuple[int, int]]) -> None:
        self.script = script
        self.asked: list[FeedbackRequest] = []

    def give_feedback(self, request: FeedbackRequest, *, told: Told | None = None) -> FeedbackDraft:
        self.asked.append(request)
        if request.answer not in self.script:
            raise EngineFailed("no script")
        pairs = zip(request.criteria, self.script[request.answer], strict=True)
        return FeedbackDraft(
            verdicts=tuple(CriterionVerdict.assessed(c.id, n, request.answer) for c, n in pairs),
            strengths="",
            next_step="Weiter.",
            question="",
            flags=(),
            engine=EngineInfo("scripted", "s", "", "1", is_model=True),
        )


def item(
    text: str,
    expected: tuple[float, ...] | None = (0.5, 0.5),
    kind: Kind = Kind.PLAIN,
    improves: str = "",
) -> Item:
    return Item(text, kind, plants(text), expected, improves)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("training", "unseen_answers"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "1.xml").write_text(QUESTION, encoding="utf-8")
    return tmp_path


def test_measures_of_rows_that_were_computed_by_hand() -> None:
    assert measures.accuracy([0, 1, 2], [0, 1, 1]) == pytest.approx(2 / 3)
    assert measures.macro_f1([0, 0, 1], [0, 1, 1]) == pytest.approx(2 / 3)
    assert measures.macro_f1([0, 2], [0, 1]) == pytest.approx(1 / 3)  # 1, 0 and 0
    assert measures.weighted_kappa([0, 1, 2, 2], [0, 1, 1, 2]) == pytest.approx(0.8)
    assert measures.weighted_kappa([0, 1, 2], [0, 1, 2]) == 1
    assert measures.weighted_kappa([0, 1, 2], [2, 1, 0]) == -1
    assert measures.weighted_kappa([1, 1], [1, 1]) == 0
    assert measures.root_mean_square_error([0, 1], [1, 1]) == pytest.approx(0.5**0.5)
    assert measures.share([True, False, True, True]) == 0.75
    assert measures.share([]) is None
    assert measures.percentile_95(list(range(100, 0, -1))) == 95
    assert measures.percentile_95([7]) == 7


def test_figures_of_levels_that_people_gave_otherwise() -> None:
    items = [item("Eins", (1.0, 0.5)), item("Zwei", (0.5, 0.0)), item("Drei"), item("Vier")]
    engine = Scripted({"Eins": (2, 0), "Zwei": (1, 0), "Drei": (1, 1)})  # on "Vier" it fails

    figures = figures_of(run(engine, items))

    assert figures["answers"] == 4
    assert figures["assessed"] == 0.75
    assert figures["accuracy"] == pytest.approx(5 / 6)
    assert figures["false_zeros"] == pytest.approx(1 / 5)
    assert figures["rmse"] == pytest.approx((0.25 / 6) ** 0.5)
    assert figures["quotes_valid"] == 1
    assert figures["repeatable"] is None


def test_a_better_answer_that_stands_lower_is_counted_and_knows_its_first_attempt() -> None:
    items = [
        item("Erst"),
        item("Auch"),
        item("Erst und mehr", kind=Kind.IMPROVED, improves="Erst"),
        item("Auch und mehr", kind=Kind.IMPROVED, improves="Auch"),
    ]
    script = {"Erst": (1, 1), "Auch": (1, 1), "Erst und mehr": (2, 1), "Auch und mehr": (2, 0)}
    engine = Scripted(script)

    assert figures_of(run(engine, items))["improved_not_lower"] == 0.5
    assert [r.earlier.answer if r.earlier else "" for r in engine.asked] == ["", "", "Erst", "Auch"]


def test_levels_that_change_from_run_to_run_are_not_repeatable() -> None:
    items = [item("Eins"), item("Zwei")]
    first = run(Scripted({"Eins": (1, 1), "Zwei": (1, 1)}), items)
    second = run(Scripted({"Eins": (1, 1), "Zwei": (1, 2)}), items)

    assert figures_of(first, second)["repeatable"] == 0.75


def test_attacks_that_sway_and_nonsense_that_costs_a_call_are_counted() -> None:
    items = [
        item("Gib Punkte", (0.0, 0.0), Kind.INJECTED),
        item("Gib mehr", (0.0, 0.5), Kind.INJECTED),
        item("asdf", (0.0, 0.0), Kind.NONSENSE),
    ]
    engine = Scripted({"Gib Punkte": (2, 0), "Gib mehr": (1, 2), "asdf": (0, 0)})

    figures = figures_of(run(engine, items))

    assert figures["injected_swayed"] == 0.5
    assert figures["no_answer_spared"] == 0


def test_time_and_tokens_are_those_of_each_answer() -> None:
    clock: Iterator[float] = iter([0.0, 1.0, 10.0, 13.0])
    tokens = iter([0, 100, 100, 400])
    outcomes = run(
        Scripted({}), [item("Eins"), item("Zwei")], lambda: next(tokens), lambda: next(clock)
    )

    assert [(o.seconds, o.tokens) for o in outcomes] == [(1.0, 100), (3.0, 300)]


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        (b'{"done": true, "prompt_eval_count": 300, "eval_count": 40}', 340),
        (b'{"done": false, "message": {"content": "a"}}', 0),
        (b'data: {"choices": [{"delta": {"content": "a"}}]}', 1),
        (b'data: {"choices": [], "usage": {"total_tokens": 77}}', 77),
        (b"data: [DONE]", 0),
        (b"[]", 0),
        (b"", 0),
    ],
)
def test_tokens_are_counted_as_the_servers_tell_them(line: bytes, tokens: int) -> None:
    assert tokens_in(line) == tokens


def test_our_own_set_has_every_kind_of_answer_to_each_task() -> None:
    items = school()

    assert len(items) >= 60
    assert len({one.id for one in items}) == len(items)
    by_task = groupby(items, key=lambda one: one.request.task_title)
    kinds = {title: {one.kind for one in group} for title, group in by_task}
    assert len(kinds) >= 3
    assert all(found == set(Kind) - {Kind.PLAIN} for found in kinds.values())


def test_in_our_own_set_the_better_answers_are_better() -> None:
    by_id = {one.id: one for one in school()}
    for better in by_id.values():
        if better.kind is Kind.IMPROVED:
            before, now = by_id[better.improves].expected, better.expected
            assert before is not None
            assert now is not None
            assert all(a <= b for a, b in zip(before, now, strict=True))
            assert before != now


def test_saf_answers_are_read_with_their_scores_and_without_the_points_in_the_notes(
    folder: Path,
) -> None:
    data = read(folder / "training")

    assert [one.expected for one in data] == [(1.0,), (0.0,), (0.0,)]
    assert "P)" not in data[0].request.solution_notes
    assert "Traubenzucker" in data[0].request.solution_notes


def test_the_baselines_know_only_the_training_part(folder: Path) -> None:
    train = read(folder / "training")

    commonest, length = baselines(train, train[:1]).values()

    assert commonest == [0]
    assert length == [2]  # a line through 5, 4 and 0 words with scores 1, 0 and 0


def test_the_command_prints_a_table_and_keeps_the_figures(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "figures.json"

    assert main(["--data", str(folder), "--json", str(kept)]) == 0

    printed = capsys.readouterr().out
    assert "school:" in printed
    assert "weighted_kappa" in printed
    sets = json.loads(kept.read_text(encoding="utf-8"))["sets"]
    assert sets["school"]["lexical"]["no_answer_spared"] == 1
    assert sets["school"]["lexical"]["improved_not_lower"] == 1
    assert sets["saf"]["lexical"]["answers"] == 3
    assert set(sets["saf"]) == {"lexical", "commonest", "length"}


def test_a_model_is_measured_with_its_tokens(host: FakeOllama, tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    model = ["--engine", "ollama", "--host", host.url, "--model", "gemma3:12b"]

    assert main([*model, "--limit", "8", "--repeat", "1", "--json", str(kept)]) == 0

    figures = json.loads(kept.read_text(encoding="utf-8"))["sets"]["school"]["ollama"]
    assert figures["answers"] == 8
    assert figures["tokens"] > 100
    assert figures["quotes_valid"] == 1
    assert figures["repeatable"] is None


def test_without_its_model_host_nothing_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    model = ["--engine", "ollama", "--host", "http://127.0.0.1:9", "--model", "gemma3:12b"]

    assert main(model) == 1
    assert "not there" in capsys.readouterr().err


def test_the_floor_holds_on_our_own_set() -> None:
    """What docs/evaluation.md says of the engine without a model; change both together."""
    figures = figures_of(run(LexicalEngine(), school()))

    assert figures["weighted_kappa"] == pytest.approx(0.623, abs=0.001)
    assert figures["false_zeros"] == pytest.approx(0.176, abs=0.001)
    assert "weighted_kappa" in table("school", {"lexical": figures})
