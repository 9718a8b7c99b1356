from hypothesis import given
from hypothesis import strategies as st

from summarizer.encoder.windows import MARKS, plan_windows, split_evenly


@given(st.lists(st.integers(0, 200), max_size=60), st.integers(3, 64), st.integers(0, 63))
def test_every_token_of_every_sentence_is_owned_once_and_in_order(
    lengths: list[int], limit: int, context: int
) -> None:
    windows = plan_windows(lengths, limit, context)

    owned = [piece for w in windows for piece in w.pieces[w.own[0] : w.own[1]]]
    assert [(p.sentence, i) for p in owned for i in range(p.start, p.end)] == [
        (sentence, i) for sentence, length in enumerate(lengths) for i in range(length)
    ]
    assert sorted({p.sentence for p in owned}) == list(range(len(lengths)))
    for window in windows:
        assert sum(piece.cost for piece in window.pieces) <= limit
        assert 0 <= window.own[0] < window.own[1] <= len(window.pieces)


def test_a_short_document_is_one_window() -> None:
    [window] = plan_windows([3, 0, 5], limit=20, context=5)

    assert [(p.sentence, p.start, p.end) for p in window.pieces] == [(0, 0, 3), (1, 0, 0), (2, 0, 5)]
    assert window.own == (0, 3)


def test_sentences_stay_whole_where_they_fit() -> None:
    windows = plan_windows([6, 6, 6], limit=20, context=0)

    assert [[p.sentence for p in w.pieces] for w in windows] == [[0, 1], [2]]


def test_windows_overlap_and_a_sentence_is_read_away_from_the_edge() -> None:
    windows = plan_windows([2] * 12, limit=8 * (2 + MARKS), context=4 * (2 + MARKS))

    assert [[p.sentence for p in w.pieces] for w in windows] == [list(range(8)), list(range(4, 12))]
    assert [w.own for w in windows] == [(0, 6), (2, 8)]


def test_a_sentence_longer_than_a_window_is_cut_evenly() -> None:
    windows = plan_windows([100], limit=42, context=0)

    assert [(p.start, p.end) for w in windows for p in w.pieces] == [(0, 33), (33, 66), (66, 100)]


def test_no_sentence_no_window() -> None:
    assert plan_windows([], limit=10, context=2) == []


@given(st.integers(0, 5000), st.integers(1, 600))
def test_spans_are_few_full_and_even(length: int, limit: int) -> None:
    spans = split_evenly(length, limit)
    sizes = [end - start for start, end in spans]

    assert sum(sizes) == length
    assert len(spans) == max(1, -(-length // limit))
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= limit
