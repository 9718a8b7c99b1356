"""What the first process of a cluster makes of what the last stage tells, and what it says without Ray."""

import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs.backfill.actors import Control, Told
from jobs.backfill.cluster import _Progress, _start
from jobs.cli import run
from jobs.exits import UsageError
from jobs.ledger.backfills import Reached, keep, reached
from jobs.ledger.ledger import Ledger
from jobs.passes.pace import parse_pace
from jobs.passes.watch import Watch


def test_a_place_is_kept_when_all_before_it_is_written(tmp_path: Path) -> None:
    """Batches come in any order, and a piece may be read twice, since a process died."""
    with Ledger(f"sqlite:///{tmp_path / 'l.sqlite'}", server="http://a/fhir", pipeline="p") as ledger:
        progress = _Progress(ledger, 10, 0, Watch())

        def mark(attempt: str, number: int, place: str) -> None:
            then = partial(keep, walk="w", piece="x", now=Reached(place))
            progress.take(Told("x", attempt, number, then=then))

        def places() -> dict[str, Reached]:
            return reached(ledger, "w")

        mark("first", 2, "1000")
        progress.take(Told("x", "first", 1))
        mark("second", 1, "17")
        assert places() == {}
        progress.take(Told("x", "first", 0))
        assert places() == {"x": Reached("1000")}
        mark("first", 3, "2000")
        assert places() == {"x": Reached("2000")}


def test_no_more_is_read_than_is_soon_written() -> None:
    now = [0.0]
    control = Control(parse_pace("2/s"), 4, lambda: now[0])
    assert [control.room(32) for _ in range(5)] == [True, True, True, False, False]
    control.done(32)
    assert [control.room(32), control.room(32)] == [True, False]
    now[0] = 301.0  # those that had them in hand are gone
    assert control.room(32)
    assert Control(None, 1).room(5_000), "a batch alone is never too much"


def test_without_ray_one_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ray.data", None)
    code = run(["backfill", f"--set=DATABASE_URL=sqlite:///{tmp_path / 'l.sqlite'}"])
    assert code == 2
    said = capsys.readouterr().err
    assert "clinical-ai-summarizer[ray]" in said
    assert "--local" in said


class Failing:
    """A Ray that cannot be started."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        nothing = SimpleNamespace(get_node=len, start_raylet=len, start_ray_process=len)
        self._private = SimpleNamespace(services=nothing)

    def init(self, **_: object) -> None:
        self.calls.append("init")
        raise TimeoutError("The current node timed out during startup.")

    def shutdown(self) -> None:
        self.calls.append("shutdown")


def test_a_start_that_fails_ends_in_a_sentence() -> None:
    ray = Failing()
    with pytest.raises(UsageError, match="--local"):
        _start(ray, {})
    assert ray.calls == ["init", "shutdown"]
