"""The profiles of what we write, and the code systems and value sets that they need.

The JSON files beside this one are plain FHIR R4 definitions (differentials) with two placeholders: `{base}`
stands for the canonical base, which is a setting (`fhir_adapter/canonical.py`), and `{version}` for
`VERSION`. `definitions` fills them in and adds a narrative; `package.py` makes a FHIR package of them,
`upload.py` loads them onto a server.
"""

import json
from functools import cache
from pathlib import Path

from fhir_adapter.canonical import CANONICAL_BASE
from fhir_adapter.lenient import JsonObject
from fhir_adapter.narrative import paragraph

VERSION = "1.5.0"  # of the profiles; it grows when a definition changes

_FOLDER = Path(__file__).parent


@cache
def definitions(base: str = CANONICAL_BASE) -> tuple[JsonObject, ...]:
    """All definitions, by resource type and id: CodeSystems, StructureDefinitions, ValueSets.

    Args:
        base: the canonical base, without trailing slash.
    """
    return tuple(_filled(path.read_text("utf-8"), base) for path in sorted(_FOLDER.glob("*-*.json")))


def _filled(text: str, base: str) -> JsonObject:
    resource = json.loads(text.replace("{base}", json.dumps(base)[1:-1]).replace("{version}", VERSION))
    words = f"{resource['title']}. {resource['description']}"
    own = {"resourceType": resource["resourceType"], "id": resource["id"], "language": "en"}
    return {**own, "text": paragraph(words), **resource}


def structure(identifier: str) -> JsonObject:
    """The StructureDefinition with this id.

    Raises:
        KeyError: there is none.
    """
    for resource in definitions():
        if resource["resourceType"] == "StructureDefinition" and resource["id"] == identifier:
            return resource
    raise KeyError(identifier)
