"""Which DocumentReferences are ours: they hold summaries and texts of this software, and are never notes.

On a server that takes no Compositions, summaries are filed as documents among the notes. Such a server may
drop tags, identifiers or contained resources, and another installation may have another canonical base; so
the first line of what people read says it too, and that a server has to keep.
"""

import base64

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject, as_dict, as_list, as_text, dicts, has_tag

MARK = "AI-extracted summary (unverified), filed by Clinical AI Summarizer."
"""The first line of the readable part of each document."""

_TAGS = (canonical.EXTRACTED_TEXT_TAG, canonical.FILED_TAG)
_OWN = f"{canonical.CANONICAL_BASE}/"
_WHOLE = len(MARK) // 3 * 3  # of so many bytes the base64 does not depend on what follows
_ENCODED = base64.b64encode(MARK.encode()[:_WHOLE]).decode()


def is_own(resource: JsonObject) -> bool:
    """Whether a DocumentReference holds a summary or a text of this software, by whatever the server kept."""
    if any(has_tag(resource, tag) for tag in _TAGS):
        return True
    contained = [one for one in dicts(resource.get("contained")) if one.get("resourceType") == "Device"]
    stated = [i for one in (resource, *contained) for i in dicts(as_list(one.get("identifier")))]
    if any((as_text(i.get("system")) or "").startswith(_OWN) for i in stated):
        return True
    attachments = [as_dict(content.get("attachment")) for content in dicts(resource.get("content"))]
    return any((as_text(one.get("data")) or "").lstrip().startswith(_ENCODED) for one in attachments)


def is_filed(resource: JsonObject) -> bool:
    """Whether it holds a summary, and is no mere text beside one."""
    stated = dicts(as_list(resource.get("identifier")))
    return has_tag(resource, canonical.FILED_TAG) or any(i.get("system") == canonical.FILED for i in stated)


def is_own_text(text: str) -> bool:
    """Whether a text is the readable part of such a document, however a server keeps white space."""
    return " ".join(text[: 2 * len(MARK)].split()).startswith(MARK)
