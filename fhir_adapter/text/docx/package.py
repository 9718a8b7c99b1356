"""The parts of a DOCX package that hold text, read under limits of size."""

import io
import posixpath
import zipfile

from lxml import etree

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text.xmltree import attribute, local_name, parse_xml

_MAX_PART = 60_000_000
_MAX_TOTAL = 120_000_000
_MAX_MEMBERS = 20_000
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")


class DocxPackage:
    """An opened package.

    Raises:
        NoteError: `malformed`, `encrypted`, `unsupported-type` (another Office format).
    """

    def __init__(self, data: bytes) -> None:
        if data.startswith(_COMPOUND_FILE):
            if _ENCRYPTED_STREAM in data:
                raise NoteError(Reason.ENCRYPTED, "DOCX")
            raise NoteError(Reason.UNSUPPORTED_TYPE, "binary Office file")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
            raise NoteError(Reason.MALFORMED, "no ZIP package") from None
        members = self._zip.infolist()[:_MAX_MEMBERS]
        self._names = {info.filename.lstrip("/").lower(): info for info in members}
        self._read = 0
        self.main = self._main_part()

    def root(self, name: str) -> etree._Element | None:
        """The root element of a part; None where the package has none of that name.

        Raises:
            NoteError: `too-large`, `encrypted`, `malformed`.
        """
        info = self._names.get(name.lstrip("/").lower())
        if info is None:
            return None
        if info.flag_bits & 1:
            raise NoteError(Reason.ENCRYPTED, "ZIP")
        try:
            with self._zip.open(info) as part:
                data = part.read(_MAX_PART + 1)
        except MemoryError:
            raise
        except Exception as error:  # zlib.error and its kin have no common base but Exception
            raise NoteError(Reason.MALFORMED, f"damaged ZIP member ({type(error).__name__})") from None
        self._read += len(data)
        if len(data) > _MAX_PART or self._read > _MAX_TOTAL:
            raise NoteError(Reason.TOO_LARGE, f"more than {_MAX_PART} bytes unpacked")
        return parse_xml(data)[0]

    def related(self, kinds: frozenset[str]) -> list[tuple[str, str, str]]:
        """Relations of the main part of the given kinds: (id, kind, part name), in the file's order."""
        folder, name = posixpath.split(self.main)
        relations = self.root(f"{folder}/_rels/{name}.rels")
        found = []
        for relation in relations if relations is not None else ():
            kind = attribute(relation, "Type").rpartition("/")[2].lower()
            if kind in kinds and attribute(relation, "TargetMode").lower() != "external":
                target = posixpath.normpath(posixpath.join(folder, attribute(relation, "Target")))
                found.append((attribute(relation, "Id"), kind, target.lstrip("/")))
        return found

    def _main_part(self) -> str:
        relations = self.root("_rels/.rels")
        for relation in relations if relations is not None else ():
            if local_name(relation) == "relationship" and attribute(relation, "Type").endswith(
                "/officeDocument"
            ):
                target = attribute(relation, "Target").lstrip("/")
                if target.lower().startswith(("xl/", "ppt/", "visio/")):
                    raise NoteError(Reason.UNSUPPORTED_TYPE, "another Office format than Word")
                if target.lower() in self._names:
                    return target
        if "word/document.xml" in self._names:
            return "word/document.xml"
        raise NoteError(Reason.UNSUPPORTED_TYPE, "a ZIP file without a Word document")
