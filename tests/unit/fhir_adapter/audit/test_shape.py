"""A Composition of any shape, however odd, is judged and never stops an audit."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from fhir_adapter.audit.claims import read_claims
from fhir_adapter.audit.context import arranged
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.shape import against_source, shape
from fhir_adapter.narrative import FORM
from fhir_adapter.writing.summary import composition
from tests.unit.fhir_adapter.builders import BASE_URL, a_draft

LABEL = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "AIAST")
WRITTEN = a_draft(context=(0, 2))
UNTOUCHED = composition(WRITTEN)
ODD: list[Any] = [None, 5, True, "x", [], {}, [None], [[1]], [{"url": ["x"], "system": {}, "code": []}]]


def judged(resource: dict[str, Any]) -> list[Found]:
    claims = read_claims(resource, BASE_URL)
    found = shape(claims, resource, LABEL, FORM) + arranged(claims)
    return found + against_source(claims, resource, WRITTEN.reading, LABEL, BASE_URL, FORM)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every element of a resource."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield (*path, key)
        yield from places(value, (*path, key))


def test_nothing_is_found_in_an_untouched_one() -> None:
    assert judged(UNTOUCHED) == []


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_value_in_any_place_is_judged(odd: Any) -> None:
    found = 0
    for path in places(UNTOUCHED):
        altered = deepcopy(UNTOUCHED)
        holder: Any = altered
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = odd
        findings = judged(altered)
        assert all(isinstance(finding, Finding) for finding, _ in findings)
        found += bool(findings)
    assert found > len(UNTOUCHED)


@pytest.mark.parametrize("name", sorted(set(UNTOUCHED) - {"resourceType", "id", "author"}))
def test_every_element_that_is_lost_is_found(name: str) -> None:
    lost = {key: value for key, value in UNTOUCHED.items() if key != name}
    assert judged(lost)
