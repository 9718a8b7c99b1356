"""What a finished export consists of (FHIR Bulk Data Access 2.0, "Complete Status")."""

from dataclasses import dataclass

from fhir_adapter.errors import NotFhirError
from fhir_adapter.lenient import JsonObject, as_count, as_scalar, as_text, dicts


@dataclass(frozen=True, slots=True)
class Output:
    """One file of an export.

    Attributes:
        resource_type: of all its lines; "" where it is not said.
        url: where it is.
        count: lines, as the server says; -1 where it does not.
    """

    resource_type: str
    url: str
    count: int = -1


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a finished export.

    Attributes:
        transaction_time: of everything that had changed by then the export has the state; "" if not said.
        login: the files want the credentials of the server.
        output: files of resources.
        error: files of OperationOutcomes: what the export lacks.
        deleted: files of Bundles that name what was deleted.
    """

    transaction_time: str
    login: bool
    output: tuple[Output, ...]
    error: tuple[Output, ...] = ()
    deleted: tuple[Output, ...] = ()


def parse_manifest(found: JsonObject) -> Manifest:
    """Reads a manifest.

    Raises:
        NotFhirError: it names no files, not even none.
    """
    if not isinstance(found.get("output"), list):
        raise NotFhirError("export: the server's answer is no manifest: it has no list of output")
    return Manifest(
        transaction_time=as_text(found.get("transactionTime")) or "",
        login=found.get("requiresAccessToken") is not False,
        output=_outputs(found.get("output")),
        error=_outputs(found.get("error")),
        deleted=_outputs(found.get("deleted")),
    )


def _outputs(entries: object) -> tuple[Output, ...]:
    found = []
    for entry in dicts(entries):
        url = as_text(entry.get("url"))
        if url is None:
            raise NotFhirError("export: a file of the manifest has no address")
        found.append(Output(as_scalar(entry.get("type")) or "", url, as_count(entry.get("count"))))
    return tuple(found)
