"""What the tests of attachments share: a note, its base64, and fetching it with a server or without."""

import base64
import json

import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Attachment
from fhir_adapter.reading.attachment import FetchLimits, fetch
from fhir_adapter.rest.client import FhirClient
from tests.unit.fhir_adapter.rest.scripted_server import Answer

NOTE = b"Chest X-ray normal.\n"
PATH = "DocumentReference.content[0].attachment"


def b64(data=NOTE):
    return base64.b64encode(data).decode()


def attached(**parts):
    return Attachment(PATH, **parts)


async def offline(attachment, **limits):
    async with FhirClient("http://localhost:1/fhir") as client:
        return await fetch(attachment, client, FetchLimits(**limits))


async def refusal(attachment, client=None, **limits):
    got = (
        offline(attachment, **limits) if client is None else fetch(attachment, client, FetchLimits(**limits))
    )
    with pytest.raises(NoteError) as caught:
        await got
    return caught.value.reason


def binary(data, content_type="text/plain", element="data"):
    body = {"resourceType": "Binary", "id": "1", "contentType": content_type, element: b64(data)}
    return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/fhir+json;charset=utf-8"})
