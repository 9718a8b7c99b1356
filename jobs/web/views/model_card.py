"""Which model the settings name, and its card, without loading the model.

The card is the `README.md` of a model folder: Markdown, by whoever made the model. It is shown as HTML in
which nothing but text, tables, lists, code and links to other sites is left.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from jobs.settings import Settings
from summarizer.encoder.files import PRETRAINED, PRETRAINED_NAME, read_folder
from summarizer.errors import ModelError

CARD = "README.md"
PICTURE = "reliability.svg"  # as `clinsum train` draws it
_LARGEST = 1_000_000  # bytes of a card or a picture
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)  # data for a model hub, before the card
_LOWEST = 6  # level of a heading


@dataclass(frozen=True, slots=True)
class NamedModel:
    """What can be known of a model from its files.

    Attributes:
        name: what a result will call it; the folder's path is not told.
        sha256: of its weights, as in every result; "" where it has none or they are not on this machine.
        card: its card as HTML; None where it has none.
        picture: whether its folder holds a picture of its calibration.
    """

    name: str
    sha256: str
    card: Markup | None = None
    picture: bool = False


def named_model(settings: Settings) -> NamedModel:
    """Reads what the settings' model says of itself; files only, never the network. It blocks."""
    if settings.engine == "lead":
        return NamedModel("lead", "")
    if settings.engine == "bertsum" and settings.model.endswith(".pt"):
        path = Path(settings.model)
        return NamedModel(path.stem, _sha256((path,)))
    folder = _folder(settings)
    if folder is None:
        return NamedModel(settings.model, "")
    name = PRETRAINED_NAME if folder == PRETRAINED else folder.resolve().name
    try:
        digest = _sha256(read_folder(folder, name).hashed)
    except ModelError:
        digest = ""
    if settings.engine != "bertsum":  # only its encoder is used, of which the card says nothing
        return NamedModel(name, digest)
    card = _read(folder / CARD)
    shown = None if card is None else as_html(card.decode("utf-8", "replace"))
    return NamedModel(name, digest, shown, _read(folder / PICTURE) is not None)


def picture_of(settings: Settings) -> bytes | None:
    """The picture of the calibration (SVG) in the folder of a BERTSum model, if there is one. It blocks."""
    folder = _folder(settings) if settings.engine == "bertsum" else None
    return _read(folder / PICTURE) if folder else None


def as_html(card: str) -> Markup:
    """A card as HTML: its own HTML and pictures as the text they are written in, headings one level down."""
    card = _FRONT_MATTER.sub("", card.replace("\r\n", "\n"))
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = reader.parse(card)
    tables = 0
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(_LOWEST, int(token.tag[1]) + 1)}"
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        elif token.type == "table_open":
            tables += 1
            token.meta["number"] = tables
        _keep_outer_links(token.children or ())
    reader.add_render_rule("table_open", _table_open)
    reader.add_render_rule("table_close", lambda *_: "</table></div>")
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - escaped by the renderer


def _table_open(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    """A table may be wider than the window: it scrolls by itself, with the keyboard too."""
    number = tokens[index].meta["number"]
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Table {number} of the card"><table>'


def _keep_outer_links(tokens: Sequence[Token]) -> None:
    """Links to other sites stay; those to files beside the card lead nowhere here and become words."""
    outer: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            outer.append(str(token.attrGet("href")).lower().startswith(("https://", "http://")))
            if outer[-1]:
                token.attrSet("rel", "noopener noreferrer")
            else:
                token.tag, token.attrs = "span", {}
        elif token.type == "link_close" and not outer.pop():
            token.tag = "span"


def _folder(settings: Settings) -> Path | None:
    """The model's folder on this machine; None for a name of the hub."""
    if not settings.model:
        return PRETRAINED
    folder = Path(settings.model).expanduser()
    return folder if folder.is_dir() else None


def _read(path: Path) -> bytes | None:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _sha256(weights: Sequence[Path]) -> str:
    try:
        stamps = tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in weights)
        return _digest(stamps)
    except OSError:
        return ""


@lru_cache(maxsize=4)
def _digest(stamps: tuple[tuple[str, int, int], ...]) -> str:
    """Over the files one after the other, once for each state that they are in."""
    digest = hashlib.sha256()
    for name, _, _ in stamps:
        with Path(name).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
