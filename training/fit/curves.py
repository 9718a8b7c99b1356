"""Pictures of a run: how loss and ROUGE went, and what the probabilities are worth."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from summarizer.files import placed
from training.errors import RunError
from training.fit.calibration import Calibration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVES, RELIABILITY = "training.svg", "reliability.svg"
# Ids of elements from a fixed seed and no date: the same run gives the same picture.
_STYLE: Any = {"svg.hashsalt": "clinsum", "svg.fonttype": "none"}


def check_pictures() -> None:
    """Says before the work whether pictures could be drawn after it.

    Raises:
        RunError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise RunError("The package matplotlib is needed; install the extra `train`.") from None


def draw_curves(log: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Loss by step, and ROUGE of the validation documents below it.

    Args:
        log: the lines of a run's log.
        path: an SVG.
    """
    steps = [line for line in log if line["event"] == "step"]
    checks = [line for line in log if line["event"] == "validation"]
    at = [line["step"] for line in checks]
    with _figure((7, 5.5)) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True)
        upper.plot([s["step"] for s in steps], [s["loss"] for s in steps], lw=0.8, label="training")
        upper.plot(at, [line["loss"] for line in checks], marker="o", ms=3, label="validation")
        upper.set_ylabel("cross-entropy of a sentence")
        for name, label in (("rouge1", "ROUGE-1"), ("rouge2", "ROUGE-2")):
            lower.plot(at, [line[name] for line in checks], marker="o", ms=3, label=label)
        lower.set_ylabel("F1, validation")
        lower.set_xlabel("step")
        _finish(upper, "upper right")
        _finish(lower, "lower right")
        with placed(path) as beside:
            figure.savefig(beside, format=path.suffix[1:], metadata={"Date": None})


def draw_reliability(found: Calibration, path: Path) -> None:
    """The share chosen against the probability said; on the diagonal they agree."""
    with _figure((4.5, 4.5)) as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="grey", lw=0.8, ls="--", label="agreement")
        said, chosen = [b.probability for b in found.bins], [b.chosen for b in found.bins]
        axes.plot(said, chosen, marker="o", ms=4, label=f"expected error {found.error:.3f}")
        for part in found.bins:
            axes.annotate(
                str(part.count),
                (part.probability, part.chosen),
                (4, -9),
                textcoords="offset points",
                fontsize=7,
            )
        axes.set_xlabel("probability said")
        axes.set_ylabel("share of sentences chosen")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        _finish(axes, "upper left")
        with placed(path) as beside:
            figure.savefig(beside, format=path.suffix[1:], metadata={"Date": None})


@contextmanager
def _figure(size: tuple[float, float]) -> Iterator["Figure"]:
    """A figure, drawn in our style."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        yield Figure(figsize=size, layout="constrained")


def _finish(axes: "Axes", legend: Literal["lower right", "upper left", "upper right"]) -> None:
    """No frame; the legend has a place of its own, as the search for the best one can take seconds."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc=legend, frameon=False, fontsize=8)
