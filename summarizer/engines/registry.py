"""Which engines there are, and what can be said of one before anything heavy is loaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from summarizer.engines.base import Engine, Salience
from summarizer.errors import EngineError
from summarizer.types import ModelInfo, SplitDocument

__all__ = ["ENGINES", "DeferredEngine", "EngineOptions", "engine_model", "make_engine"]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What an engine is made with: see `Summarizer.from_pretrained`."""

    model: str | Path | None = None
    device: str = "auto"
    precision: str = "auto"


def _lead(options: EngineOptions) -> Engine:
    from summarizer.engines.baselines import LeadEngine

    return LeadEngine()


def _kmeans(options: EngineOptions) -> Engine:
    from summarizer.encoder.encoder import Encoder
    from summarizer.engines.baselines import KMeansEngine

    return KMeansEngine(Encoder.from_pretrained(options.model, options.device, options.precision))


def _lexrank(options: EngineOptions) -> Engine:
    from summarizer.encoder.encoder import Encoder
    from summarizer.engines.baselines import LexRankEngine

    return LexRankEngine(Encoder.from_pretrained(options.model, options.device, options.precision))


def _bertsum(options: EngineOptions) -> Engine:
    from summarizer.engines.bertsum import BertSumEngine

    return BertSumEngine.from_pretrained(options.model, options.device, options.precision)


ENGINES: dict[str, Callable[[EngineOptions], Engine]] = {
    "bertsum": _bertsum,
    "kmeans": _kmeans,
    "lead": _lead,
    "lexrank": _lexrank,
}


def make_engine(name: str, options: EngineOptions) -> Engine:
    """Makes an engine of the registry.

    Raises:
        EngineError: there is none of this name.
        ModelError: its model cannot be used.
    """
    _check(name)
    return ENGINES[name](options)


def engine_model(name: str, options: EngineOptions) -> ModelInfo:
    """Which model an engine would choose with, from its files alone: without torch, in milliseconds.

    Equal to `make_engine(name, options).model`. A hub name that is not in the local cache is downloaded.

    Raises:
        EngineError: there is no engine of this name.
        ModelError: the model cannot be found, or is not one that the engine can declare to use.
    """
    _check(name)
    if name == "lead":
        return ModelInfo("lead", "", "lead")
    from summarizer.encoder.files import find_model

    files = find_model(options.model)
    if name != "bertsum":
        return ModelInfo(files.name, files.sha256(), name)
    from summarizer.bertsum.folder import read_config

    config = read_config(files)
    return ModelInfo(files.name, files.sha256(), name, config.calibrated, config.threshold)


def quick_precision(name: str, options: EngineOptions) -> str:
    """`bf16` where an engine is much quicker with it on this machine, else `fp32`; loads nothing heavy.

    Raises:
        EngineError, ModelError: as for `make_engine`.
    """
    _check(name)
    if name != "bertsum":
        return "fp32"
    from summarizer.encoder.files import find_model
    from summarizer.encoder.runtime import choose, quick_in_bf16

    return "bf16" if quick_in_bf16(choose(find_model(options.model), options.device, "bf16")) else "fp32"


def exact_engine(engine: Engine) -> Engine:
    """The engine beside a quick one that decides in fp32 where its scores lie too close; loads it."""
    from summarizer.engines.bertsum import BertSumEngine

    loaded = engine.loaded if isinstance(engine, DeferredEngine) else engine
    if not isinstance(loaded, BertSumEngine):
        raise TypeError("only BERTSum has a quick precision")
    return loaded.in_precision("fp32")


class DeferredEngine:
    """An engine that loads its weights when the first document has to be scored, and not before.

    What can be wrong with a model's files is found when it is made; what is wrong with the weights
    themselves, or with the device, only then.
    """

    def __init__(self, name: str, options: EngineOptions) -> None:
        self.model = engine_model(name, options)
        self.fits_length = name == "kmeans"
        self._name, self._options = name, options
        self._engine: Engine | None = None

    @property
    def loaded(self) -> Engine:
        """The engine itself, loaded now if it was not before.

        Raises:
            SummarizerError: as for `make_engine`.
        """
        if self._engine is None:
            self._engine = make_engine(self._name, self._options)
        return self._engine

    @property
    def device(self) -> str:
        """Where it computes; loads the engine, as a device can be resolved by torch alone."""
        return self.loaded.device

    @property
    def precision(self) -> str:
        """What its encoder computes with; loads the engine."""
        return self.loaded.precision

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        """As the engine itself; without a document nothing is loaded."""
        return self.loaded.score(documents, asked) if documents else []


def _check(name: str) -> None:
    if name not in ENGINES:
        raise EngineError(f"There is no engine {name!r}; the engines are {', '.join(ENGINES)}.")
