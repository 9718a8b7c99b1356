"""Sound files of every format that notes come in, made in code, to be damaged."""

import base64
import gzip
import io
import json
import zipfile
from dataclasses import dataclass

SENTENCES = (
    "Patient admitted with chest pain radiating to the left arm.",
    "Troponin 0.8 ng/ml, rising; ECG with ST depression in V4–V6.",
    "Started on aspirin 81 mg q.d. and heparin drip.",
    "Größe 180 cm, Gewicht 82 kg – naïve to opioids.",
)


@dataclass(frozen=True, slots=True)
class Seed:
    """A sound file and the label that goes with it."""

    name: str
    data: bytes
    media_type: str


def plain() -> str:
    return "\n".join(["CHIEF COMPLAINT:", *SENTENCES, "", "PLAN:", *(f"- {each}" for each in SENTENCES)])


def html() -> str:
    rows = "".join(f"<tr><td>{n}</td><td>{each}</td></tr>" for n, each in enumerate(SENTENCES))
    items = "".join(f"<li>{each} <b>10<sup>9</sup></b>" for each in SENTENCES)
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><title>Note</title>'
        "<style>p {color: red}</style></head>"
        f"<body><h1>Note</h1><p style='margin:0'>{'<br>'.join(SENTENCES)}</p>"
        f"<table><tr><th>#<th>Text</tr>{rows}</table><ol start=2>{items}</ol>"
        "<div hidden>no</div><!-- no --><pre>\n a  b\n</pre>&amp;&#x2264;</body></html>"
    )


def cda(body: str | None = None) -> str:
    rows = "".join(f'<tr><td ID="r{n}">{each}</td><td>{n}</td></tr>' for n, each in enumerate(SENTENCES))
    items = "".join(f"<item>{each}</item>" for each in SENTENCES)
    structured = f"""<structuredBody>
    <component><section><code code="11450-4" codeSystem="2.16.840.1.113883.6.1"/><title>Problems</title>
    <text><table><thead><tr><th>Problem</th><th>No.</th></tr></thead><tbody>{rows}</tbody></table></text>
    <entry><observation classCode="OBS" moodCode="EVN"><value>
    <originalText><reference value="#r1"/></originalText></value></observation></entry></section></component>
    <component><section><code code="18776-5" codeSystem="2.16.840.1.113883.6.1"/><title>Plan</title>
    <text><list listType="ordered">{items}</list><paragraph>Done.<br/>Signed.</paragraph></text>
    </section></component>
    </structuredBody>"""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><typeId root="2.16.840.1.113883.1.3" '
        'extension="POCD_HD000040"/><code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/>'
        "<title>Summary</title>"
        f"<component>{body or structured}</component></ClinicalDocument>"
    )


def cda_around(data: bytes, media_type: str) -> str:
    text = base64.b64encode(data).decode()
    return cda(f'<nonXMLBody><text mediaType="{media_type}" representation="B64">{text}</text></nonXMLBody>')


def rtf() -> str:
    lines = "\\par\n".join(
        "".join(c if ord(c) < 128 else f"\\u{ord(c)}?" for c in each) for each in SENTENCES
    )
    cells = "".join(f"{n}\\cell value\\cell\\row\n" for n in range(4))
    return (
        "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fswiss Arial;}{\\f1\\ftech Symbol;}}"
        "{\\colortbl;\\red255\\green0\\blue0;}{\\*\\generator Writer;}{\\info{\\author Nobody}}\n"
        f"\\pard\\b Note\\b0\\par\n{lines}\\par caf\\'e9 {{\\f1 \\'a3}} 5\\par\n"
        f"\\trowd\\cellx1000\\cellx2000 {cells}{{\\pict\\wmetafile8 0102030405}}\\pard End.\\par}}"
    )


def pdf(streams: list[bytes] | None = None) -> bytes:
    """A PDF of one page per content stream, with a sound cross-reference table."""
    if streams is None:
        shown = [each.encode("cp1252").replace(b"(", b"\\(").replace(b")", b"\\)") for each in SENTENCES]
        lines = b"".join(b"(%s) Tj 0 -14 Td " % each for each in shown)
        streams = [b"BT /F1 11 Tf 60 740 Td " + lines + b"ET", b"BT /F1 11 Tf 60 740 Td (Page two.) Tj ET"]
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(streams)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, stream in enumerate(streams):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return pdf_of(objects)


def pdf_of(objects: list[bytes]) -> bytes:
    """A PDF file of numbered objects; the first is the catalog."""
    out, offsets = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table) + trailer


def docx(document: str | None = None) -> bytes:
    if document is None:
        paragraphs = "".join(f"<w:p><w:r><w:t>{each}</w:t></w:r></w:p>" for each in SENTENCES)
        cells = "".join(f"<w:tc><w:p><w:r><w:t>{n}</w:t></w:r></w:p></w:tc>" for n in range(3))
        document = f"{paragraphs}<w:tbl><w:tr>{cells}</w:tr></w:tbl>"
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    package = "http://schemas.openxmlformats.org/package/2006"
    xml = '<?xml version="1.0"?>'
    return zipped(
        {
            "[Content_Types].xml": f'{xml}<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{word}"/></Types>',
            "_rels/.rels": f'{xml}<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{relation}" Target="word/document.xml"/></Relationships>',
            "word/document.xml": f'{xml}<w:document xmlns:w="http://schemas.openxmlformats.org/'
            f'wordprocessingml/2006/main"><w:body>{document}</w:body></w:document>',
        }
    )


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def fhir_document() -> dict[str, object]:
    def section(title: str, code: str) -> dict[str, object]:
        div = "".join(f"<p>{each}</p>" for each in SENTENCES)
        return {
            "title": title,
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{div}</div>'},
        }

    composition = {
        "resourceType": "Composition",
        "title": "Summary",
        "section": [section("Problems", "11450-4"), section("Plan", "18776-5")],
    }
    return {"resourceType": "Bundle", "type": "document", "entry": [{"resource": composition}]}


def fhir_xml() -> str:
    div = "".join(f"<p>{each}</p>" for each in SENTENCES)
    narrative = (
        f'<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">{div}</div></text>'
    )
    section = f'<section><title value="Problems"/>{narrative}</section>'
    return (
        '<Bundle xmlns="http://hl7.org/fhir"><type value="document"/><entry><resource><Composition>'
        f'<title value="Summary"/>{section}</Composition></resource></entry></Bundle>'
    )


def seeds() -> list[Seed]:
    """One sound file of every kind."""
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    document = json.dumps(fhir_document()).encode()
    return [
        Seed("plain", plain().encode(), "text/plain"),
        Seed("windows-1252", plain().encode("cp1252"), "text/plain"),
        Seed("utf-16", plain().encode("utf-16"), "text/plain"),
        Seed("html", html().encode(), "text/html"),
        Seed("html-large", html().encode() * 60, "text/html"),
        Seed("html-utf-16", html().encode("utf-16"), "text/html"),
        Seed("cda", cda().encode(), "application/xml"),
        Seed("cda-embedded-rtf", cda_around(rtf().encode(), "text/rtf").encode(), "text/xml"),
        Seed("cda-embedded-pdf", cda_around(pdf(), "application/pdf").encode(), "text/xml"),
        Seed("rtf", rtf().encode(), "application/rtf"),
        Seed("pdf", pdf(), "application/pdf"),
        Seed("docx", docx(), word),
        Seed("fhir-json", document, "application/fhir+json"),
        Seed("fhir-xml", fhir_xml().encode(), "application/fhir+xml"),
        Seed("gzip-plain", gzip.compress(plain().encode(), mtime=0), "text/plain"),
        Seed("gzip-cda", gzip.compress(cda().encode(), mtime=0), "text/plain"),
        Seed("zip-html", zipped({"note.html": html()}), "application/zip"),
    ]
