"""A scripted server that gives pages of notes, and walks over it."""

from datetime import UTC, datetime, timedelta

from fhir_adapter.note import SourceNote
from fhir_adapter.reading.source import Source
from tests.unit.fhir_adapter.rest.scripted_server import ScriptedServer, bundle, capability

TAG = ("urn:test:tag", "derived")
START = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def at(second, zone="Z"):
    return (START + timedelta(seconds=second)).strftime(f"%Y-%m-%dT%H:%M:%S.000{zone}")


def doc(ident, second=0, version="1", status="current", **more):
    meta = {"versionId": version, "lastUpdated": at(second), **more.pop("meta", {})}
    return {"resourceType": "DocumentReference", "id": ident, "meta": meta, "status": status, **more}


def source_for(client, **options):
    return Source(client, derived_tag=TAG, **options)


async def walk(source, watermark=None, kind="DocumentReference"):
    return [page async for page in source.changed_since(kind, watermark)]


def ids(pages):
    return [n.id if isinstance(n, SourceNote) else n for page in pages for n in page.notes]


class Server(ScriptedServer):
    """Serves `pages` by number; `before` may answer first."""

    def __init__(self, *pages, params=("_lastUpdated", "relatesto", "date"), before=None):
        super().__init__(self.answer)
        self.pages = pages
        self.params = params
        self.before = before

    def answer(self, request):
        if request.path.endswith("/metadata"):
            return capability(*self.params)
        given = self.before(request) if self.before else None
        if given is not None:
            return given
        if any(name == "relatesto" for name, _ in request.params):
            return bundle()
        number = int(dict(request.params).get("_getpages", 0))
        following = f"{self.base_url}?_getpages={number + 1}" if number + 1 < len(self.pages) else None
        return bundle(*self.pages[number], next_url=following)

    def searches(self):
        return [dict(r.params) for r in self.requests if "_sort" in dict(r.params)]
