import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Attachment
from fhir_adapter.reading.attachment import FetchLimits, fetch
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.auth import Credentials, auth_from
from fhir_adapter.rest.foreign import listed, permitted
from fhir_adapter.rest.scope import parsed
from tests.unit.fhir_adapter.rest.scripted_server import Answer, ScriptedServer, client_for

NOTE = b"Outside note."


async def get(client, url, *hosts, allow_private=True, max_bytes=1000):
    limits = FetchLimits(max_bytes=max_bytes, allowed_hosts=frozenset(hosts), allow_private=allow_private)
    return await fetch(Attachment("x", url=url), client, limits)


async def refusal(client, url, *hosts, **options):
    with pytest.raises(NoteError) as caught:
        await get(client, url, *hosts, **options)
    return caught.value.reason


async def test_a_listed_host_is_asked_without_credentials():
    async with (
        ScriptedServer([Answer(404)]) as fhir,
        ScriptedServer([Answer(200, NOTE)]) as files,
        client_for(fhir, auth=auth_from(Credentials("bearer", token="t"))) as client,
    ):
        url = f"http://localhost:{files.port}/a%20b?sig=1"
        content = await get(client, url, f"LOCALHOST:{files.port}")
    assert content.data == NOTE
    (request,) = files.requests
    assert request.target == "/a%20b?sig=1"
    assert request.headers["host"] == f"localhost:{files.port}"
    assert "authorization" not in request.headers
    assert fhir.requests == []


async def test_private_addresses_are_refused_unless_allowed():
    async with ScriptedServer([Answer(200, NOTE)]) as files, client_for(files) as client:
        for host in ("localhost", "127.0.0.1"):
            url = f"http://{host}:{files.port}/x"
            assert (
                await refusal(client, url, f"{host}:{files.port}", allow_private=False) is Reason.FOREIGN_HOST
            )
        assert files.requests == []


async def test_the_servers_own_redirect_to_a_listed_store_is_followed_without_credentials():
    def handle(request):
        return Answer(307, headers={"Location": f"http://localhost:{store.port}/blob?sig=2"})

    async with (
        ScriptedServer([Answer(200, NOTE)]) as store,
        ScriptedServer(handle) as fhir,
        client_for(fhir, auth=auth_from(Credentials("bearer", token="t"))) as client,
    ):
        assert (await get(client, "Binary/1", f"localhost:{store.port}")).data == NOTE
        assert await refusal(client, "Binary/1") is Reason.FOREIGN_HOST
    assert len(store.requests) == 1
    assert "authorization" not in store.requests[0].headers
    assert fhir.requests[0].headers["authorization"] == "Bearer t"


async def test_each_redirect_is_checked_again():
    targets = {
        "/metadata-service": "http://169.254.169.254/latest",
        "/unlisted": "http://unlisted.example/x",
        "/file": "file:///etc/passwd",
        "/user": "http://u:p@localhost/x",
        "/loop": "/loop",
        "/ok": "/note",
    }

    def handle(request):
        location = targets.get(request.path)
        return Answer(302, headers={"Location": location}) if location else Answer(200, NOTE)

    async with (
        ScriptedServer(handle) as files,
        client_for(files, base_url="http://localhost:1/fhir") as client,
    ):
        hosts = (f"localhost:{files.port}", "169.254.169.254")
        for path in ("/metadata-service", "/unlisted", "/file", "/user"):
            assert (
                await refusal(client, f"http://localhost:{files.port}{path}", *hosts) is Reason.FOREIGN_HOST
            )
        assert await refusal(client, f"http://localhost:{files.port}/loop", *hosts) is Reason.WRONG_ANSWER
        assert (await get(client, f"http://localhost:{files.port}/ok", *hosts)).data == NOTE


async def test_from_one_listed_host_to_another_and_round_in_circles():
    def first(request):
        return Answer(302, headers={"Location": f"http://127.0.0.1:{other.port}{request.path}"})

    def second(request):
        if request.path == "/note":
            return Answer(200, NOTE)
        return Answer(302, headers={"Location": f"http://localhost:{one.port}{request.path}"})

    async with (
        ScriptedServer(first) as one,
        ScriptedServer(second) as other,
        client_for(one, base_url="http://localhost:1/fhir") as client,
    ):
        url = f"http://localhost:{one.port}"
        hosts = (f"localhost:{one.port}", f"127.0.0.1:{other.port}")
        assert (await get(client, f"{url}/note", *hosts)).data == NOTE
        assert await refusal(client, f"{url}/round", *hosts) is Reason.FOREIGN_HOST


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(404), Reason.NOT_FOUND),
        (Answer(403), Reason.FORBIDDEN),
        (Answer(200, b"x" * 2000), Reason.TOO_LARGE),
    ],
)
async def test_limits_and_errors_are_the_same_there(answer, reason):
    async with (
        ScriptedServer([answer]) as files,
        client_for(files, base_url="http://localhost:1/fhir") as client,
    ):
        assert await refusal(client, f"http://localhost:{files.port}/x", f"localhost:{files.port}") is reason


async def test_an_unknown_name_is_a_server_error():
    async with ScriptedServer([]) as server, client_for(server, retries=0) as client:
        assert (
            await refusal(client, "http://no-such-host.invalid/x", "no-such-host.invalid")
            is Reason.SERVER_ERROR
        )


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("93.184.216.34", True, True),
        ("2606:2800:220:1::1", True, True),
        ("10.1.2.3", False, True),
        ("192.168.0.1", False, True),
        ("172.16.0.1", False, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("2002:a9fe:a9fe::1", False, False),
        ("fe80::1%eth0", False, False),
        ("fd00:ec2::254", False, False),
        ("100.100.100.200", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("224.0.0.1", False, False),
        ("64:ff9b:1::a00:1", False, False),
        ("64:ff9b::5db8:d822", True, True),
        ("::a9fe:a9fe", False, False),
        ("::10.0.0.1", False, True),
        ("::ffff:0:a9fe:a9fe", False, False),
        ("fec0::1", False, False),
    ],
)
def test_which_addresses_may_be_connected_to(address, public, private):
    assert permitted(address, allow_private=False) is public
    assert permitted(address, allow_private=True) is private


@pytest.mark.parametrize(
    ("url", "hosts", "expected"),
    [
        ("https://files.example/x", ["files.example"], True),
        ("https://FILES.example./x", ["files.example"], True),
        ("https://files.example/x", ["files.example:443"], True),
        ("https://files.example:8443/x", ["files.example:443"], False),
        ("https://files.example:8443/x", ["files.example"], False),
        ("http://files.example:443/x", ["files.example"], False),
        ("http://metadata.google.internal/x", ["metadata.google.internal"], False),
        ("http://Metadata./x", ["metadata"], False),
        ("https://files.example.evil/x", ["files.example"], False),
        ("https://evilfiles.example/x", ["files.example"], False),
        ("https://u@files.example/x", ["files.example"], False),
        ("ftp://files.example/x", ["files.example"], False),
        ("http://[::1]:80/x", ["[::1]:80"], True),
        ("http://[::1]/x", ["::1"], True),
        ("https://files.example/x", [], False),
    ],
)
def test_which_hosts_are_listed(url, hosts, expected):
    assert listed(parsed(url), hosts) is expected
