"""What the page of an audit shows, as plain data for its template."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.record import Attester, Maker
from fhir_adapter.audit.standing import ended_words
from fhir_adapter.audit.verdict import Examined, Kind, SectionAudit
from fhir_adapter.lenient import as_dict
from fhir_adapter.note import Reading
from fhir_adapter.timeline.clinical_time import readable as readable_time
from fhir_adapter.writing.sections import left_out_words, notice_words
from jobs.audits import checks as audit_checks
from jobs.audits.shown import AuditRow
from jobs.audits.view import FoundRow, Ruled, Segment, found_rows, rows, ruled, segments
from jobs.web.views.links import history, on_server, patient_page
from summarizer.types import LeftOutSection

_STATUS = {
    "preliminary": "preliminary: written by a machine, not approved by a person",
    "entered-in-error": "entered in error",
}


# Findings about a sentence that look like nothing where its words stand beside those of the note.
_OF_ROWS = frozenset(
    {
        Finding.SENTENCE_CUT,
        Finding.CONTEXT_MISSING,
        Finding.CONTEXT_DIFFERS,
        Finding.CONTEXT_ADDED,
        Finding.WRONG_ORDER,
        Finding.SPAN_MALFORMED,
    }
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is known; `code` for what is read letter by letter."""

    name: str
    value: str
    url: str = ""
    code: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """A group of them."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Everything on the page.

    Attributes:
        notices: what somebody must know besides the verdict, e.g. that the summary is no longer current.
        ruled: lines that rules found, apart from the sentences.
        left_out: sections of the note of which no sentence is shown.
        left_out_words: how much is not shown, in a sentence; "" where nothing is told.
        segments: the note's text with its marks; None for a timeline, and where it cannot be read.
        apart: why there is no text to be shown, or "".
        history: address of all versions of the Composition on the server.
        subject: address of the timeline of whom it is about, or "".
        patient: whom it is about, as `Type/id`.
    """

    composition: str
    title: str
    timeline: bool
    verdict: audit_checks.Verdict
    notices: tuple[str, ...]
    checks: tuple[audit_checks.Checked, ...]
    found: tuple[FoundRow, ...]
    rows: tuple[AuditRow, ...]
    ruled: tuple[Ruled, ...]
    left_out: tuple[LeftOutSection, ...]
    left_out_words: str
    segments: tuple[Segment, ...] | None
    apart: str
    facts: tuple[Facts, ...]
    server: str
    when: str
    history: str
    subject: str
    patient: str

    def findings_of(self, check: audit_checks.Check) -> list[FoundRow]:
        """Those that belong to one part of the audit."""
        return [one for one in self.found if audit_checks.CHECKS[one.finding] is check]

    def about(self, row: AuditRow) -> list[FoundRow]:
        """Those that are about a sentence and that its places do not show."""
        return [one for one in self.found if one.row == row.number and one.finding in _OF_ROWS]

    @property
    def key(self) -> str:
        """The id of the Composition."""
        return self.composition.partition("/")[2]


def audit_view(examined: Examined, server: str, when: datetime | None = None) -> AuditPage:
    """Puts the page together; pure, but slow enough for a long note to be done beside the event loop."""
    shown = rows(examined)
    reading, timeline = _text_of(examined), examined.kind is Kind.TIMELINE
    by_rule, left_out = ruled(examined, shown), examined.audit.left_out
    return AuditPage(
        composition=examined.audit.composition,
        title=examined.record.title or ("Timeline" if timeline else "Summary"),
        timeline=timeline,
        verdict=audit_checks.verdict(examined, sum(row.ok for row in shown), len(shown)),
        notices=_notices(examined),
        checks=audit_checks.checked(examined),
        found=found_rows(examined, shown),
        rows=shown,
        ruled=by_rule,
        left_out=left_out.sections,
        left_out_words=left_out_words(left_out),
        segments=None if reading is None else segments(reading.text.text, shown, by_rule),
        apart=_apart(examined),
        facts=tuple(_facts(examined, server)),
        server=server,
        when=(when or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S UTC"),
        history=history(server, examined.audit.composition),
        subject=patient_page(examined.record.subject),
        patient=examined.record.subject,
    )


def _text_of(examined: Examined) -> Reading | None:
    """The note with its text, where the page shows it: of a summary that could be read again."""
    readings = (section.source.reading for section in examined.sections)
    return next((reading for reading in readings if reading is not None), None)


def _apart(examined: Examined) -> str:
    if examined.kind is Kind.TIMELINE or _text_of(examined) is not None:
        return ""
    (section,) = examined.sections
    if not section.claims.source:
        return "The Composition names no note."
    if section.source.stated is None:
        return "The version of the note that was summarised is not on the server any more."
    return "The note is on the server, but its text could not be read again."


def _notices(examined: Examined) -> tuple[str, ...]:
    found = [*filter(None, [notice_words(examined.audit.reading)]), *examined.audit.notices]
    if examined.record.needs_review:
        found.append(
            "Waits for review: it came after a summary that a person changed or attested. Somebody should "
            "compare the two."
        )
    return tuple(found)


def _facts(examined: Examined, server: str) -> list[Facts]:
    found = [Facts("The Composition", tuple(_composition(examined, server)))]
    if examined.kind is Kind.SUMMARY:
        found.append(Facts("The note", tuple(_source(examined.sections[0], server))))
    else:
        found.append(Facts("The notes", tuple(_sources(examined, server))))
    makers = [Facts("What made it", tuple(_maker(maker, server))) for maker in examined.makers]
    return found + (makers or [Facts("What made it", tuple(_no_maker(examined)))])


def _composition(examined: Examined, server: str) -> list[Fact]:
    record, reference = examined.record, examined.audit.composition
    status = _STATUS.get(record.status, record.status or "none stated")
    facts = [
        Fact("On the server", reference, on_server(server, reference), code=True),
        Fact("Version", record.version or "none", on_server(server, reference, record.version)),
        Fact("Status", status),
        Fact("Life cycle", f"no longer current: {ended_words(record.ended)}" if record.ended else "current"),
        *(Fact("Attested by", _signed(one)) for one in record.attesters),
    ]
    if record.status == "entered-in-error" and not record.ended:
        facts[3] = Fact("Life cycle", "entered in error")
    if not record.attesters:
        facts.append(Fact("Attested by", "nobody"))
    if record.needs_review:
        facts.append(Fact("Review", "waits for it"))
    labels = [f"{label.code} {label.display}".strip() for label in record.labels]
    facts.append(Fact("Labels", "; ".join(labels) or "none"))
    facts.append(Fact("Confidentiality", record.confidentiality or "none stated"))
    patient = patient_page(record.subject)
    facts.append(Fact("Filed under", record.subject or "nobody", patient, code=bool(record.subject)))
    facts.append(Fact("Dated", readable_time(record.date)))
    facts.append(Fact("Last changed", readable_time(record.last_updated)))
    facts += [Fact("Provenance", one, on_server(server, one), code=True) for one in examined.provenances]
    return facts if examined.provenances else [*facts, Fact("Provenance", "none")]


def _signed(attester: Attester) -> str:
    when = f", {readable_time(attester.time)}" if attester.time else ""
    return f"{attester.party or 'somebody not named'} ({attester.mode or 'no mode stated'}){when}"


def _source(section: SectionAudit, server: str) -> list[Fact]:
    claims, source = section.claims, section.source
    if not claims.source:
        return [Fact("On the server", "none named")]
    now = str(as_dict((source.current or {}).get("meta")).get("versionId", ""))
    reading = source.reading
    facts = [
        Fact("On the server", claims.source, on_server(server, claims.source), code=True),
        Fact(
            "Version summarised",
            claims.version or "none stated",
            on_server(server, claims.source, claims.version) if claims.version else "",
        ),
        Fact(
            "Newest version",
            (now or "the server states none") if source.current else "deleted, or never there",
        ),
        Fact("Text taken from", claims.path or "not stated", code=bool(claims.path)),
        *_texts(claims, server),
        Fact("Kind of file", reading.text.media_type if reading else "could not be read"),
        Fact("Extracted by", claims.normalization or "not stated", code=bool(claims.normalization)),
    ]
    if reading and reading.text.normalization != claims.normalization:
        facts.append(Fact("Extracted now by", reading.text.normalization, code=True))
    length = f"{claims.length:,} characters (Unicode code points)" if claims.length >= 0 else "not stated"
    same = reading is not None and reading.text.sha256 == claims.sha256
    facts.append(Fact("Length", length))
    facts.append(Fact("SHA-256 of the text", claims.sha256 or "not stated", code=bool(claims.sha256)))
    if reading is None:
        facts.append(Fact("SHA-256 now", "could not be read"))
    else:
        facts.append(Fact("SHA-256 now", "the same" if same else reading.text.sha256, code=not same))
    return facts


def _texts(claims: Claims, server: str) -> list[Fact]:
    """What the offsets point into, where that is not the note itself."""
    others = dict.fromkeys(s.reference for s in claims.spans if s.reference and s.reference != claims.source)
    return [Fact("Offsets point into", one, on_server(server, one), code=True) for one in others]


def _sources(examined: Examined, server: str) -> list[Fact]:
    return [
        Fact(
            f"Version {claims.version}" if claims.version else "Note",
            claims.source or "none named",
            on_server(server, claims.source, claims.version),
            code=True,
        )
        for claims in (section.claims for section in examined.sections)
    ]


def _maker(maker: Maker, server: str) -> list[Fact]:
    return [
        Fact("Device", maker.reference, on_server(server, maker.reference), code=True),
        Fact("Software", f"Clinical AI Summarizer {maker.software}" if maker.software else "not stated"),
        Fact("Engine", maker.engine or "not stated"),
        Fact("Model", maker.model or "not stated"),
        Fact("SHA-256 of its weights", maker.weights or "it has none", code=bool(maker.weights)),
        Fact("Pipeline version", maker.pipeline or "not stated", code=bool(maker.pipeline)),
        Fact("State", f"recalled ({maker.recalled})" if maker.recalled else "in use"),
    ]


def _no_maker(examined: Examined) -> list[Fact]:
    pipeline = next((section.claims.pipeline for section in examined.sections), "")
    return [
        Fact(
            "Device",
            f"{examined.audit.author} (not on the server)" if examined.audit.author else "none named",
        ),
        Fact("Pipeline", pipeline or "not stated", code=bool(pipeline)),
    ]
