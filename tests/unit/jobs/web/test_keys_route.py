"""The public keys that the service publishes."""

from pathlib import Path

from fhir_adapter.rest.keys import new_key
from tests.unit.jobs.web.web_parts import Served


async def test_the_service_publishes_the_public_halves_to_anyone(served: Served, tmp_path: Path) -> None:
    """The keys in use first, then the next one; each once."""
    files = []
    for number, algorithm in enumerate(("ES384", "RS384", "ES384")):
        files.append(tmp_path / f"{number}.pem")
        files[-1].write_text(new_key("ES384" if algorithm == "ES384" else "RS384"))
    given = {
        "auth": "smart-backend",
        "client_id": "clinsum",
        "private_key_file": files[0],
        "key_id": "in-use",
        "write_private_key_file": files[2],
        "write_key_id": "in-use-there",
        "published_key_files": f"{files[1]},{files[1]}",
        "service_token": "a-token-for-the-tests-of-the-api",
    }
    async with served(**given) as client:
        answer = await client.get("/.well-known/jwks.json")
        assert (await client.get("/v1/notes")).status_code == 401
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=300"
    algorithms = [(key["alg"], key["use"]) for key in answer.json()["keys"]]
    assert algorithms == [("ES384", "sig"), ("ES384", "sig"), ("RS384", "sig")]
    assert [key["kid"] for key in answer.json()["keys"]][:2] == ["in-use", "in-use-there"]
    assert not any("d" in key for key in answer.json()["keys"])


async def test_without_a_key_there_is_no_set(served: Served) -> None:
    async with served() as client:
        answer = await client.get("/.well-known/jwks.json")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"
