"""The rules of CONTRIBUTING about who may import whom, and about lengths."""

import pytest

from tests.unit.source_graph import (
    PACKAGES,
    Import,
    circles,
    edges,
    imports,
    lines,
    long_functions,
    modules,
    room,
)

ALLOWED = {
    "summarizer": set(),
    "fhir_adapter": {"summarizer"},
    "training": {"summarizer"},
    "jobs": {"fhir_adapter", "summarizer", "training"},
}
# Of `summarizer` the FHIR side may know the plain data types and the rule of near repeats.
PLAIN = {"summarizer.types", "summarizer.selection.repeats"}

# From the lowest to the highest: a room may import what lies on a lower level, not beside or above it.
# A module beside the folders that is not named (`fhir_adapter.note`) is of the base, which imports the base
# alone.
LEVELS: dict[str, tuple[tuple[str, ...], ...]] = {
    "fhir_adapter": (
        ("text", "rest", "sandbox"),
        ("reading", "bulk"),
        ("writing",),
        ("filing",),
        ("audit",),
        ("timeline",),
        ("auditing",),
        ("profiles",),
    ),
    "summarizer": (
        ("encoder", "segmentation"),
        ("assertion", "pinned"),
        ("splitting",),
        ("bertsum",),
        ("engines",),
        ("selection",),
        ("checkpoint",),
        ("summarizer",),
        ("",),
    ),
    "training": (("corpora",), ("labels",), ("evaluation",), ("fit",)),
    "jobs": (
        ("settings",),
        ("public_keys", "unknown", "ledger", "memory"),
        ("exits", "known_patients"),
        ("passes",),
        ("runtime",),
        ("monitoring",),
        ("schedule", "sandboxes", "audits", "safety"),
        ("timelines", "diagnosis", "backfill"),
        ("demo",),
        ("web",),
        ("bench",),
        ("commands",),
        ("cli",),
        ("__main__",),
    ),
}

# What is not yet as the rules say. An entry that is not needed any more fails: take it out.
KNOWN_UPWARD: set[tuple[str, str]] = set()
KNOWN_LATE_CIRCLES: list[list[str]] = []
KNOWN_LONG_FUNCTIONS = {
    "jobs.commands.train.train": 133,
}

FILE_LINES = 400
FUNCTION_LINES = 50


def package(module: str) -> str:
    return module.partition(".")[0]


def level(module: str) -> int:
    """0 for the base, one more for each level above it."""
    own = package(module)
    name = room(module).partition(".")[2]
    found = [number for number, names in enumerate(LEVELS[own], 1) if name in names]
    assert found or room(module) == module, f"give {room(module)} a level in LEVELS"
    return found[0] if found else 0


def test_packages_import_each_other_one_way() -> None:
    wrong = [
        found
        for found in imports()
        if package(found.importer) != package(found.target)
        and package(found.target) not in ALLOWED[package(found.importer)]
    ]
    assert wrong == []


def test_the_fhir_side_knows_plain_types_of_the_summarizer_alone() -> None:
    of_it = {
        f for f in imports() if package(f.importer) == "fhir_adapter" and package(f.target) == "summarizer"
    }
    assert {found for found in of_it if found.target not in PLAIN} == set()
    assert {found.target for found in of_it} == PLAIN


@pytest.mark.parametrize("own", PACKAGES)
def test_rooms_import_lower_levels_alone(own: str) -> None:
    def upward(found: Import) -> bool:
        """A base module may need another; what lies higher may not need its own level's other rooms."""
        here, there = level(found.importer), level(found.target)
        return there > here or (there == here > 0)

    within = {
        found
        for found in imports()
        if package(found.importer) == package(found.target) == own
        and room(found.importer) != room(found.target)
    }
    known = {pair for pair in KNOWN_UPWARD if package(pair[0]) == own}
    assert {(room(found.importer), room(found.target)) for found in within if upward(found)} == known


def test_no_module_needs_itself_by_way_of_others() -> None:
    assert circles(edges(late=False)) == []


def test_no_late_import_closes_a_circle() -> None:
    assert circles(edges(late=True)) == KNOWN_LATE_CIRCLES


def test_commands_are_imported_by_the_command_line_alone() -> None:
    inside = "jobs.commands"
    from_outside = {
        found.importer
        for found in imports()
        if room(found.target) == inside and room(found.importer) != inside
    }
    assert from_outside <= {"jobs.cli"}


def test_no_file_is_long() -> None:
    assert {name: lines(name) for name in modules() if lines(name) > FILE_LINES} == {}


def test_no_function_is_long() -> None:
    """Those known may become shorter, never longer."""
    found = long_functions(FUNCTION_LINES)
    assert found.keys() == KNOWN_LONG_FUNCTIONS.keys()
    assert {name: count for name, count in found.items() if count > KNOWN_LONG_FUNCTIONS[name]} == {}


def test_a_circle_is_found() -> None:
    """The finder itself: three in a ring, a pair, and one that only looks on."""
    ring = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e", "a"}, "e": {"d"}, "f": {"a"}}
    assert circles({name: frozenset(needed) for name, needed in ring.items()}) == [
        ["a", "b", "c"],
        ["d", "e"],
    ]


def test_every_kind_of_import_is_seen() -> None:
    """By examples from the source: a plain one, one inside a function, one of a name out of a folder."""
    assert Import("jobs.exits", "jobs.settings", late=False) in imports()
    assert any(found.late for found in imports())
    assert any(modules()[found.target].name == "__init__.py" for found in imports())
