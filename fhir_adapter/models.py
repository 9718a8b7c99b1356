"""The models of FHIR R4B that what we write is checked against, loaded when the first is needed.

They take a third of a second and some 20 MB, which a process that writes nothing does not spend.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel


def model_of(name: str) -> "type[BaseModel]":
    """The model of a resource or a data type, by its name in FHIR.

    Raises:
        KeyError: R4B has none of this name.
    """
    from fhir.resources.R4B import get_fhir_model_class

    model: type[BaseModel] = get_fhir_model_class(name)
    return model


def is_resource_type(name: str) -> bool:
    """Whether R4B has a resource type of this name."""
    from fhir.resources.R4B.resource import Resource

    try:
        return issubclass(model_of(name), Resource)
    except (KeyError, ValueError):
        return False
