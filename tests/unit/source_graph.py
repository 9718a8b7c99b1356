"""What the source says of itself without being run: modules, who imports whom, how long things are.

Read with `ast` and not with a linter of imports, since the same reading answers all four questions that the
rules ask (levels, circles, who may import one folder, lengths), and a rule can be as fine as a module.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.places import ROOT

PACKAGES = ("fhir_adapter", "summarizer", "training", "jobs")


@dataclass(frozen=True, slots=True)
class Import:
    """`importer` needs `target`, both modules of ours.

    Attributes:
        late: inside a function, or for the type checker alone: not needed to load the module.
    """

    importer: str
    target: str
    late: bool


@cache
def modules() -> Mapping[str, Path]:
    """Every module of the four packages by its dotted name; a folder's `__init__` has the folder's name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports() -> tuple[Import, ...]:
    """Every import of one module of ours by another."""
    return tuple(
        found
        for name, path in modules().items()
        for found in _imports(name, ast.parse(path.read_text("utf-8")), late=False)
    )


def _imports(importer: str, node: ast.AST, *, late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = late or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            inside = True
        targets: list[str] = []
        if isinstance(child, ast.Import):
            targets = [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{importer} imports by dots"
            whole = child.module or ""
            deeper = (f"{whole}.{alias.name}" for alias in child.names)
            targets = [name if name in modules() else whole for name in deeper]
        for target in dict.fromkeys(targets):
            if target in modules() and target != importer:
                yield Import(importer, target, inside)
        yield from _imports(importer, child, late=inside)


def room(module: str) -> str:
    """The folder under the package that a module lies in; a module beside the folders is its own room."""
    parts = module.split(".")
    top = ".".join(parts[:2])
    return top if top in modules() and modules()[top].name == "__init__.py" else module


def circles(edges: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Groups in which each one needs each other, by any number of steps (Tarjan 1972)."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_ones: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        open_ones.append(name)
        for needed in sorted(edges.get(name, ())):
            if needed not in index:
                visit(needed)
                lowest[name] = min(lowest[name], lowest[needed])
            elif needed in open_ones:
                lowest[name] = min(lowest[name], index[needed])
        if lowest[name] == index[name]:
            group = open_ones[open_ones.index(name) :]
            del open_ones[open_ones.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(edges):
        if name not in index:
            visit(name)
    return found


def edges(*, late: bool) -> dict[str, frozenset[str]]:
    """Who needs whom; with `late`, the imports inside functions too."""
    wanted = [found for found in imports() if late or not found.late]
    return {name: frozenset(found.target for found in wanted if found.importer == name) for name in modules()}


def lines(module: str) -> int:
    """Lines of a file."""
    return modules()[module].read_text("utf-8").count("\n")


def long_functions(limit: int) -> dict[str, int]:
    """Functions of more lines than that, without their docstrings: `module.name` to lines."""
    found = {}
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                words = ast.get_docstring(node, clean=False)
                count = (node.end_lineno or 0) - node.lineno + 1
                count -= words.count("\n") + 1 if words else 0
                if count > limit:
                    found[f"{module}.{node.name}"] = count
    return found
