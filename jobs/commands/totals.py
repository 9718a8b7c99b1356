"""A pass in a few lines that a person understands."""

from rich.console import Console
from rich.table import Table

from fhir_adapter.reasons import reason_words
from jobs.passes.outcome import Totals


def show_totals(totals: Totals, out: Console) -> None:
    """The pass in a few lines that a person understands."""
    counts = totals.by_status
    out.print(
        f"{totals.seen} notes in {totals.seconds:.1f} s: {counts['written']} summarised, "
        f"{counts['unchanged']} unchanged, {counts['skipped']} skipped, {counts['failed']} failed."
    )
    if totals.missed is not None:
        out.print(f"{totals.missed} of them the passes had missed.")
    if totals.by_reason:
        table = Table("reason", "notes", "what it means", box=None, pad_edge=False)
        for reason, count in totals.by_reason.most_common():
            table.add_row(reason, str(count), reason_words(reason))
        out.print(table)
