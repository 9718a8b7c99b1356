"""How the head reads documents of more sentences than it takes at once."""

import pytest

from summarizer.engines import bertsum


@pytest.mark.parametrize("count", [1, 10, 11, 23, 100])
def test_every_sentence_is_scored_once_and_has_others_around_it(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bertsum, "_TOGETHER", 10)
    monkeypatch.setattr(bertsum, "_AROUND", 2)
    found = bertsum._stretches(count)
    assert [i for _, start, end, _ in found for i in range(start, end)] == list(range(count))
    for low, start, end, high in found:
        assert high - low <= 10
        assert start - low == 2 or low == 0
        assert high - end == 2 or high == count
