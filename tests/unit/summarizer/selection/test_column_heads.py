from summarizer import Budget, Summarizer
from summarizer.engines.base import Salience
from summarizer.segmentation.segment import segment
from summarizer.selection.column_heads import heads_last

TABLE = "Test      Result    Unit\nZinc      7.1       umol/L\nCopper    19.0      umol/L\n"


def test_a_row_that_names_columns_is_chosen_after_its_rows() -> None:
    [summary] = Summarizer.from_pretrained(engine="lead").summarize([TABLE], Budget(sentences=1))
    [chosen] = summary.summary
    assert chosen.text.startswith("Zinc")
    assert [TABLE[piece.start : piece.end].split()[0] for piece in chosen.context] == ["Test"]


def test_scores_of_all_others_stay() -> None:
    salience = heads_last(segment(TABLE).sentences, Salience((0.9, 0.4, 0.3), frozenset((0, 2))))
    assert salience == Salience((0.0, 0.4, 0.3), frozenset((2,)))


def test_without_a_table_nothing_changes() -> None:
    salience = Salience((0.9, 0.4))
    assert heads_last(segment("He is well. She is not.").sentences, salience) is salience
