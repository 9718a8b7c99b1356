"""Notes that an active Consent of their patient forbids to be processed (R4, resource Consent).

The rule is short, and when in doubt it forbids:

- The Consent is `active`, of the note's patient, and neither its scope nor a category is among those of
  `consent-apart.txt` (research, advance directives). Its period, where one is stated, holds now.
- Its provision, or one inside it, is of type `deny` and covers the note: each of `class`, `code`,
  `securityLabel` and `data` that it states names the note's resource type, its type, one of its labels or the
  note (or, where that is meant, its patient, encounter or author); what is stated of a period of the data, of
  purposes and of actions does not leave the note out. A provision that denies only certain actors is theirs
  and not ours, unless it names a Device.
- A provision of type `permit` inside a denying one gives back what it covers.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files

from fhir_adapter.elements import labels
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import JsonObject, as_dict, as_list, coded, dicts, relative
from fhir_adapter.note import SourceNote
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import search_by
from fhir_adapter.stamps import last_moment, nanoseconds

_AT_ONCE = 40
_KNOWN = 50_000


class Consents:
    """The active Consents of patients, asked once for each patient; make one for each pass."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client
        self._of: dict[str, list[JsonObject]] = {}
        self.notice = ""

    async def forbidden(self, notes: Sequence[SourceNote]) -> set[str]:
        """`Type/id` of those notes that a Consent forbids.

        A server that has no Consents, or does not let us see them, forbids nothing; `notice` then says so.

        Raises:
            HttpStatusError: the server failed. ServerUnreachableError: it does not answer.
        """
        patients = {note.reference: self._patient(note) for note in notes}
        await self._ask(sorted(set(filter(None, patients.values())) - self._of.keys()))
        return {
            note.reference
            for note in notes
            if any(
                forbids(one, note, self._client.base_url)
                for one in self._of.get(patients[note.reference], ())
            )
        }

    def _patient(self, note: SourceNote) -> str:
        target = relative(as_dict(note.subject).get("reference"), self._client.base_url)
        return target if target.startswith("Patient/") else ""

    async def _ask(self, wanted: Sequence[str]) -> None:
        if not wanted or self.notice:
            return
        if "patient" not in (await self._client.capability()).search_params("Consent"):
            return
        if len(self._of) > _KNOWN:
            self._of.clear()
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            patients, count = ("patient", ",".join(part)), ("_count", "200")
            active = ("status", "active")
            ways = [[patients, active, count], [patients, count], [active, count], [count]]
            found: dict[str, list[JsonObject]] = {patient: [] for patient in part}
            try:
                async for page in search_by(self._client, "Consent", ways):
                    for consent in page.resources:
                        whose = relative(
                            as_dict(consent.get("patient")).get("reference"), self._client.base_url
                        )
                        found.get(whose, []).append(consent)
            except HttpStatusError as error:
                if error.passing:
                    raise
                self.notice = f"Consents cannot be asked for (HTTP {error.status}), so none is obeyed"
                return
            self._of.update(found)


def forbids(consent: JsonObject, note: SourceNote, base_url: str, now: datetime | None = None) -> bool:
    """Whether a Consent of the note's patient forbids that the note is processed."""
    if consent.get("resourceType") != "Consent" or consent.get("status") != "active":
        return False
    concepts = [*as_list(consent.get("scope")), *as_list(consent.get("category"))]
    if any(coded(concept.get("coding")) & _APART for concept in dicts(concepts)):
        return False
    moment = int((now or datetime.now(UTC)).timestamp()) * 1_000_000_000
    return _denied(as_dict(consent.get("provision")), note, base_url, moment)


def _denied(provision: JsonObject, note: SourceNote, base_url: str, now: int) -> bool:
    inner = [one for one in dicts(provision.get("provision")) if _covers(one, note, base_url, now)]
    if provision.get("type") != "deny":
        return any(one.get("type") == "deny" and _denied(one, note, base_url, now) for one in inner)
    if not _covers(provision, note, base_url, now):
        return False
    return not any(one.get("type") == "permit" and not _denied(one, note, base_url, now) for one in inner)


def _covers(provision: JsonObject, note: SourceNote, base_url: str, now: int) -> bool:
    if not _within(as_dict(provision.get("period")), now, now):
        return False
    made, until = nanoseconds(note.date), last_moment(note.date)
    if made is not None and not _within(as_dict(provision.get("dataPeriod")), made, until or made):
        return False
    if _all_apart(provision.get("purpose")) or _all_apart(
        [coding for one in dicts(provision.get("action")) for coding in as_list(one.get("coding"))]
    ):
        return False
    actors = [as_dict(one.get("reference")) for one in dicts(provision.get("actor"))]
    if actors and not any("Device/" in str(one.get("reference", "")) for one in actors):
        return False
    kinds = {str(one.get("code")) for one in dicts(provision.get("class"))}
    codes = {pair for one in dicts(provision.get("code")) for pair in coded(one.get("coding"))}
    marked = coded(provision.get("securityLabel"))
    data = dicts(provision.get("data"))
    return (
        (not kinds or note.resource_type in kinds)
        and (not codes or bool(codes & coded(as_dict(note.type).get("coding"))))
        and (not marked or bool(marked & coded(labels(note.security))))
        and (not data or any(_names(one, note, base_url) for one in data))
    )


def _within(period: JsonObject, begin: int, end: int) -> bool:
    """Whether some of what is between two moments lies in a period; one that states no bound has none."""
    first, last = nanoseconds(period.get("start")), last_moment(period.get("end"))
    return (first is None or first <= end) and (last is None or last >= begin)


def _all_apart(codings: object) -> bool:
    """Purposes or actions are stated, and all are such as do not concern the reading of notes for care."""
    stated = coded(codings)
    return bool(stated) and stated <= _APART


def _names(data: JsonObject, note: SourceNote, base_url: str) -> bool:
    """Whether a provision's data name the note, or, where they mean more than that, what it belongs to."""
    named = relative(as_dict(data.get("reference")).get("reference"), base_url)
    belongs = [as_dict(one).get("reference") for one in (note.subject, note.encounter)]
    wider = data.get("meaning") not in (None, "instance")
    others = {relative(one, base_url) for one in [*belongs, *note.author_references]} if wider else set()
    return bool(named) and (named == note.reference or named in others)


def _apart() -> frozenset[tuple[str, str]]:
    text = (files("fhir_adapter.reading") / "consent-apart.txt").read_text("utf-8")
    names = [line.split()[0] for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return frozenset((system, code) for system, _, code in (name.partition("|") for name in names))


_APART = _apart()
