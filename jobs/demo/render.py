"""Attachment bytes made in code, so that no binary file lies in the project: a PDF and a picture."""

import struct
import zlib

_LINES_PER_PAGE = 58
_FONT_SIZE = 9.5
_LEADING = 12


def pdf_bytes(text: str) -> bytes:
    """A PDF 1.4 file that shows the text line by line in Courier on US Letter pages.

    Args:
        text: lines of at most 85 characters, all of them in windows-1252.
    """
    lines = text.expandtabs().splitlines()
    pages = [lines[i : i + _LINES_PER_PAGE] for i in range(0, len(lines), _LINES_PER_PAGE)] or [[]]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode("ascii"),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        contents = 5 + 2 * number
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            b"/Resources << /Font << /F1 3 0 R >> >> /Contents " + f"{contents} 0 R >>".encode("ascii")
        )
        objects.append(_stream(page))
    return _assemble(objects)


def _stream(lines: list[str]) -> bytes:
    shown = [
        b"T*" if not line else b"(" + _escaped(line) + b") Tj T*"  # T* moves to the next line
        for line in lines
    ]
    body = b"\n".join([f"BT /F1 {_FONT_SIZE} Tf {_LEADING} TL 54 738 Td".encode("ascii"), *shown, b"ET"])
    packed = zlib.compress(body, 9)
    head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode("ascii")
    return head + packed + b"\nendstream"


def _escaped(line: str) -> bytes:
    data = line.encode("windows-1252")
    for mark in (b"\\", b"(", b")"):
        data = data.replace(mark, b"\\" + mark)
    return data


def _assemble(objects: list[bytes]) -> bytes:
    """Header, numbered objects, cross-reference table and trailer (PDF 1.4, section 3.4)."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode("ascii") + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode("ascii")
    out += b"".join(f"{offset:010d} 00000 n \n".encode("ascii") for offset in offsets)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode("ascii")
    return bytes(out)


def png_bytes(side: int = 48) -> bytes:
    """A small RGB picture: a dark disc on a skin-coloured ground."""
    centre, radius = (side - 1) / 2, side / 4
    rows = bytearray()
    for y in range(side):
        rows.append(0)  # filter type "none"
        for x in range(side):
            inside = (x - centre) ** 2 + (y - centre) ** 2 < radius**2
            rows += bytes((122, 44, 40) if inside else (224, 180 - y, 160 - y))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
