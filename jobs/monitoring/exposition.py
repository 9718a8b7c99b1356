"""The figures as Prometheus metrics."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.health import GOOD, SIGN
from jobs.monitoring.figures import Figures


class FiguresCollector(Collector):
    """Shows the figures that it was given last."""

    def __init__(self) -> None:
        self.figures = Figures()

    def collect(self) -> Iterator[Metric]:
        """One family each, also without a sample, so that the names are always there."""
        seen = self.figures
        notes = GaugeMetricFamily(
            "clinsum_notes", "Notes in the ledger by how they ended and why.", labels=("status", "reason")
        )
        for (status, reason), count in sorted(seen.notes.items()):
            notes.add_metric((status, reason), count)
        lag = GaugeMetricFamily(
            "clinsum_lag_seconds",
            "For how long the oldest change on the server that no pass has handled has waited.",
            labels=("resource_type",),
        )
        for kind, seconds in seen.lag.items():
            lag.add_metric((kind,), seconds)
        tokens = GaugeMetricFamily(
            "clinsum_token_expiry_timestamp_seconds",
            "When the token in hand for a server ends; short-lived ones are renewed by themselves.",
            labels=("server",),
        )
        for server, moment in seen.tokens.items():
            tokens.add_metric((server,), moment)
        up = GaugeMetricFamily(
            "clinsum_part_up", "1 where the part answered when these figures were gathered.", labels=("part",)
        )
        for part, there in seen.up.items():
            up.add_metric((part,), float(there))
        yield from (notes, lag, tokens, up)
        yield _moment(GOOD, "When the last pass over the server was completed.", seen.moments.good)
        yield _moment(
            SIGN, "When a pass last ended, however it did, or a note was last handled.", seen.moments.sign
        )


def _moment(name: str, words: str, moment: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words)
    if moment is not None:
        family.add_metric((), moment)
    return family
