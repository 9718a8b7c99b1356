"""Prometheus metrics: counts, sizes and seconds, by route and status; nothing of a note or a client."""

from collections.abc import Callable, Sized

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from jobs.monitoring.exposition import FiguresCollector
from jobs.monitoring.figures import Figures
from jobs.web.batching import BatchDone, ModelState, ModelWorker

NONE = Figures()
"""Of a service that has no passes to look at."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128)
_TOKENS = (256, 512, 1024, 2048, 4096, 8192, 16384, 65536)


class Metrics:
    """One registry per application, so that several in one process do not share counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        ProcessCollector(registry=registry)
        labels = ("method", "route", "status")
        self._requests = Counter("clinsum_http_requests", "Requests answered.", labels, registry=registry)
        self._seconds = Histogram(
            "clinsum_http_seconds", "From request to answer.", ("route",), buckets=_SECONDS, registry=registry
        )
        self._refused = Counter(
            "clinsum_requests_refused", "Requests answered with a problem.", ("code",), registry=registry
        )
        self._texts = Counter("clinsum_texts_summarized", "Texts that the model read.", registry=registry)
        self._tokens = Counter("clinsum_tokens", "Tokens that the model read, about.", registry=registry)
        self._batch_texts = Histogram(
            "clinsum_batch_texts", "Texts given to the model at once.", buckets=_TEXTS, registry=registry
        )
        self._batch_tokens = Histogram(
            "clinsum_batch_tokens", "Tokens in one batch, about.", buckets=_TOKENS, registry=registry
        )
        self._batch_seconds = Histogram(
            "clinsum_batch_seconds", "Time of one batch in the model.", buckets=_SECONDS, registry=registry
        )
        self._waiting = Gauge("clinsum_queue_waiting", "Requests that wait for the model.", registry=registry)
        self._loaded = Gauge("clinsum_model_loaded", "1 once the model is loaded.", registry=registry)
        self._left = Counter(
            "clinsum_clients_gone", "Clients that left before the answer.", registry=registry
        )

        self.figures = FiguresCollector()
        registry.register(self.figures)
        self._connections = Gauge("clinsum_connections", "Connections that are open.", registry=registry)
        self._ended = Counter(
            "clinsum_connections_ended",
            "Connections that were ended: silent, stalled, or for lack of room.",
            ("reason",),
            registry=registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answer; `route` is the template of the path, never the path."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, code: str) -> None:
        """Counts one problem by its code."""
        self._refused.labels(code).inc()

    def client_left(self) -> None:
        """Counts a client that did not wait for its answer."""
        self._left.inc()

    def batch_done(self, batch: BatchDone) -> None:
        """Counts one batch of the model."""
        self._texts.inc(batch.texts)
        self._tokens.inc(batch.tokens)
        self._batch_texts.observe(batch.texts)
        self._batch_tokens.observe(batch.tokens)
        self._batch_seconds.observe(batch.seconds)

    def connection_ended(self, reason: str) -> None:
        """Counts a connection that the service ended."""
        self._ended.labels(reason).inc()

    def watch_connections(self, room: Sized) -> None:
        """Reads how many connections are open whenever somebody asks."""
        self._connections.set_function(lambda: len(room))

    def watch(self, model: ModelWorker) -> None:
        """Reads the queue's length and the model's state whenever somebody asks."""
        self._waiting.set_function(lambda: model.waiting)
        self.watch_loaded(lambda: model.state is ModelState.READY)

    def watch_loaded(self, loaded: Callable[[], bool]) -> None:
        """Reads whether the model is loaded whenever somebody asks."""
        self._loaded.set_function(lambda: float(loaded()))

    def page(self, figures: Figures = NONE) -> bytes:
        """All of it in Prometheus' text format, with the figures of the passes as they are now."""
        self.figures.figures = figures
        return generate_latest(self.registry)
