"""The evaluation reads its data and computes what the literature calls by those names."""

from pathlib import Path

import pytest

from feedback_engine.evaluation import measures
from feedback_engine.evaluation.saf import baselines, judged, read, report
from feedback_engine.lexical import LexicalEngine

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("training", "unseen_answers"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "1.xml").write_text(QUESTION, encoding="utf-8")
    return tmp_path


def test_answers_are_read_with_their_scores_and_without_the_points_in_the_notes(
    folder: Path,
) -> None:
    data = read(folder / "training")

    assert [scored.score for scored in data] == [1.0, 0.0, 0.0]
    assert "P)" not in data[0].request.solution_notes
    assert "Traubenzucker" in data[0].request.solution_notes


def test_a_report_says_how_many_were_judged_and_how_well(folder: Path) -> None:
    data = read(folder / "unseen_answers")

    given = judged(LexicalEngine(), data)

    assert given == [1.0, 0.0, None]
    line = report("lexical", given, data)
    assert "n=3 assessed=67% MAE=0.000" in line
    assert "QWK=1.000" in line


def test_the_baselines_know_only_the_training_part(folder: Path) -> None:
    train = read(folder / "training")

    constant, length = baselines(train, train[:1]).values()

    assert constant == [0.0]
    assert 0 <= length[0] <= 1


def test_measures_of_known_rows() -> None:
    assert measures.mean_absolute_error([0, 1], [1, 1]) == 0.5
    assert measures.correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1)
    assert measures.correlation([1, 1, 1], [2, 4, 6]) == 0
    assert measures.rank_correlation([1, 2, 2, 9], [10, 20, 20, 21]) == pytest.approx(1)
    assert measures.weighted_kappa([0, 1, 2], [0, 1, 2]) == 1
    assert measures.weighted_kappa([0, 1, 2], [2, 1, 0]) == -1
    assert measures.weighted_kappa([1, 1], [1, 1]) == 0
