"""Whoever writes a file has it there whole or not at all: by `summarizer.files`, or with a reason here."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.source_graph import modules

SAFELY = {"replaced", "placed", "filled"}
WRITES = {"write_text", "write_bytes", "savefig", "save_pretrained", "save_file", "copyfile", "copy", "copy2"}
SAVERS = {"torch", "np", "numpy", "shutil"}
READS = set("rbt")

# Where something else stands for it.
ALLOWED = {
    "fhir_adapter.sandbox.hapi_build._build": "a folder of its own, which is renamed",
    "fhir_adapter.sandbox.hapi_build.locked": "a lock without content",
    "jobs.bench.passes.loaded_server": "a temporary folder",
    "jobs.bench.sizes.write_random": "a temporary folder",
    "jobs.commands.bench.everything": "a line more in a history",
    "jobs.health.Heart._write": "written beside and renamed, each few seconds without waiting for the disk",
    "jobs.ledger.database.file_lock": "a lock without content",
    "jobs.sandboxes.running": "a temporary folder",
    "training.fit.run_folder.RunFolder.add": "a line more in a log",
    "training.fit.vectors._write_shard": "a folder of its own, which is renamed",
    "training.labels.label_file.open_labels": "goes on where it was cut short",
}


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _owner(call: ast.Call) -> str:
    found = call.func.value if isinstance(call.func, ast.Attribute) else None
    return getattr(found, "id", "")


def _mode(call: ast.Call) -> str:
    """Of an `open`, as a function or a method."""
    at = 0 if isinstance(call.func, ast.Attribute) and _owner(call) not in ("gzip", "lzma") else 1
    stated = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[at : at + 1]
    value = getattr(stated[0], "value", "r") if stated else "r"
    return value if isinstance(value, str) else "r"


def writes(call: ast.Call) -> bool:
    """Whether a call makes or changes a file."""
    name, owner = _name(call), _owner(call)
    if name == "open" and owner == "os":
        return any("O_CREAT" in ast.unparse(arg) for arg in call.args)
    if name == "open" and any(keyword.arg == "fileobj" for keyword in call.keywords):
        return False  # in memory
    if name == "open":
        return not set(_mode(call)) <= READS
    if name in ("copy", "copy2"):
        return owner == "shutil"
    return name in WRITES or (name == "save" and owner in SAVERS)


def unsafe(node: ast.AST, where: str, safe: bool = False) -> Iterator[str]:
    """Each function in which a file is written otherwise."""
    for child in ast.iter_child_nodes(node):
        inside, named = safe, where
        if isinstance(child, ast.With):
            inside |= any(
                isinstance(item.context_expr, ast.Call) and _name(item.context_expr) in SAFELY
                for item in child.items
            )
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            named = f"{where}.{child.name}"
        if isinstance(child, ast.Call) and not inside and writes(child):
            yield where
        yield from unsafe(child, named, inside)


def found_in(name: str, path: Path) -> set[str]:
    return set(unsafe(ast.parse(path.read_text("utf-8")), name))


def test_no_file_is_written_half() -> None:
    found = {
        one for name, path in modules().items() if name != "summarizer.files" for one in found_in(name, path)
    }
    assert found - ALLOWED.keys() == set(), "write it by summarizer.files, or say here why not"
    assert ALLOWED.keys() - found == set(), "not needed any more"


def test_every_way_of_writing_is_seen(tmp_path: Path) -> None:
    """The finder itself."""
    source = tmp_path / "source.py"
    source.write_text(
        "def read(path):\n    open(path)\n    path.open('rb')\n    path.open(encoding='utf-8')\n"
        "def plain(path):\n    path.write_text('x')\n"
        "def opened(path):\n    open(path, 'w')\n"
        "def method(path):\n    path.open(mode='a')\n"
        "def low(path):\n    os.open(path, os.O_WRONLY | os.O_CREAT)\n"
        "def saved(path):\n    torch.save({}, path)\n"
        "def kept(path):\n    with placed(path) as beside:\n        torch.save({}, beside)\n"
    )
    assert found_in("s", source) == {"s.plain", "s.opened", "s.method", "s.low", "s.saved"}
