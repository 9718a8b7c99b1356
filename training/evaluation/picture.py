"""The figures as bars with their intervals."""

from pathlib import Path

from summarizer.files import placed
from training.evaluation.errors import EvaluationError
from training.evaluation.report import label
from training.evaluation.run import Evaluation

KINDS = (".svg", ".png", ".pdf")
# No date, and ids of elements from a fixed seed: the same figures give the same file.
_METADATA = {".svg": {"Date": None}, ".png": {"Software": None}, ".pdf": {"CreationDate": None}}


def check_picture(path: Path) -> None:
    """Says before the work whether a picture could be drawn after it.

    Raises:
        EvaluationError: matplotlib is not installed, or it draws no such kind of file.
    """
    if path.suffix not in KINDS:
        raise EvaluationError(f"{path} is no picture: give it one of {', '.join(KINDS)}.")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise EvaluationError(
            "The package matplotlib is needed: pip install 'clinical-ai-summarizer[train]'."
        ) from None


def draw(evaluation: Evaluation, path: Path, title: str) -> None:
    """One group of bars for each measure, one bar for each system, from 0, with 95% intervals.

    Raises:
        EvaluationError: see `check_picture`, or the file cannot be written.
    """
    check_picture(path)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows, measures = evaluation.rows, evaluation.measures
    width = 0.8 / len(rows)
    with mpl.rc_context({"svg.hashsalt": "clinsum", "svg.fonttype": "none"}):
        figure = Figure(figsize=(2.5 + 0.6 * len(rows) * len(measures), 4.5), layout="constrained")
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            at = [group + (place - (len(rows) - 1) / 2) * width for group in range(len(measures))]
            heights = [e.mean for e in row.estimates]
            below = [max(e.mean - e.low, 0.0) for e in row.estimates]
            above = [max(e.high - e.mean, 0.0) for e in row.estimates]
            axes.bar(at, heights, width * 0.92, label=row.name)
            axes.errorbar(at, heights, yerr=[below, above], fmt="none", ecolor="black", capsize=2)
            for x, estimate in zip(at, row.estimates, strict=True):
                axes.annotate(
                    f"{estimate.mean:.3f}",
                    (x, estimate.high),
                    (0, 3),
                    textcoords="offset points",
                    ha="center",
                    fontsize=7,
                )
        axes.set_xticks(range(len(measures)), [label(name) for name in measures])
        axes.set_ylabel("F1" if evaluation.task == "rouge" else "share found")
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(y=0.1)
        figure.legend(loc="outside right center", frameon=False)
        try:
            with placed(path) as beside:
                figure.savefig(beside, format=path.suffix[1:], metadata=_METADATA[path.suffix])
        except OSError as error:
            raise EvaluationError(f"{path} cannot be written: {error.strerror}.") from None
