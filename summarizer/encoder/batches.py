"""Which sequences go through a network together, by their lengths alone."""

from collections.abc import Iterator, Sequence

BATCH = 2048  # tokens of one pass on a CPU: more gains nothing there and costs memory
_PASS_OVERHEAD = 24  # what a pass costs before its first token, in the time of one token (measured)


def packs(lengths: Sequence[int], most: int = BATCH) -> Iterator[list[int]]:
    """Indices by length, in packs of at most `most` tokens, unless one sequence alone has more."""
    pack: list[int] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        if pack and tokens + lengths[index] > most:
            yield pack
            pack, tokens = [], 0
        pack.append(index)
        tokens += lengths[index]
    if pack:
        yield pack


def padded_batches(lengths: Sequence[int], most: int = BATCH) -> list[list[int]]:
    """Indices by length, cut so that padding and the overhead of a pass together cost least.

    At most `most` padded tokens a batch, unless one sequence alone has more.
    """
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    widths = [lengths[i] for i in order]
    # Cuts make sense only where the width changes, so there are few places for them, however many the rows.
    cuts = [i for i in range(len(widths)) if i == 0 or widths[i] != widths[i - 1]] + [len(widths)]
    best: list[tuple[int, int]] = [
        (0, 0)
    ]  # per cut: least cost of all before it, where its last group starts
    for end in range(1, len(cuts)):
        width = widths[cuts[end] - 1]
        best.append(min((best[k][0] + _cost(cuts[end] - cuts[k], width, most), k) for k in range(end)))
    batches: list[list[int]] = []
    end = len(cuts) - 1
    while end > 0:
        start = best[end][1]
        rows = max(1, most // widths[cuts[end] - 1])
        group = order[cuts[start] : cuts[end]]
        batches += [group[i : i + rows] for i in range(0, len(group), rows)]
        end = start
    return batches


def _cost(rows: int, width: int, most: int) -> int:
    """Of a group of rows of one width, in the time of one token."""
    passes = -(-rows // max(1, most // width))
    return rows * width + passes * _PASS_OVERHEAD
