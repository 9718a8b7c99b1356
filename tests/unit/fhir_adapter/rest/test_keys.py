"""Keys of the login: read from PEM and JSON Web Keys, and shown without what is private."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fhir_adapter.rest.auth import Credentials, auth_from
from fhir_adapter.rest.keys import KeyFileError, jwks, new_key, read_key

CANARY = "canary-7f3e"


def pem_of(private, password=None):
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    return private.private_bytes(serialization.Encoding.PEM, form, protection).decode()


def test_a_key_is_read_from_pem_and_from_json_and_shows_no_private_part():
    key = read_key(new_key("ES384"))
    private = jwt.algorithms.ECAlgorithm.to_jwk(key.private, as_dict=True)
    for text in (json.dumps(private), json.dumps({"keys": [key.public(), {**private, "kid": "mine"}]})):
        again = read_key(text)
        assert {**again.public(), "kid": ""} == {**key.public(), "kid": ""}
    assert read_key(json.dumps({**private, "kid": "mine"})).kid == "mine"
    assert read_key(json.dumps(private), "given").kid == "given"
    assert key.kid == read_key(pem_of(key.private)).kid
    assert private["d"] not in json.dumps(jwks(key)) + repr(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        CANARY,
        "{}",
        '{"keys": []}',
        '{"kty": "EC", "d": "x"}',
        "-----BEGIN PRIVATE KEY-----\n" + CANARY,
        pem_of(ec.generate_private_key(ec.SECP256R1())),
        pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        pem_of(ec.generate_private_key(ec.SECP384R1()), b"password"),
    ],
    ids=[
        "empty",
        "words",
        "no-jwk",
        "no-keys",
        "broken-jwk",
        "broken-pem",
        "p-256",
        "short-rsa",
        "encrypted",
    ],
)
def test_a_key_that_cannot_be_used_is_one_sentence(text):
    with pytest.raises(KeyFileError, match=r"[Kk]ey") as caught:
        read_key(text)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        Credentials("smart-backend", client_id="c"),
        Credentials("smart-backend", private_key=CANARY),
        Credentials("smart-backend", client_id="c", private_key=CANARY),
        Credentials("client-secret", client_secret=CANARY),
        Credentials("client-secret", client_id="c"),
    ],
)
def test_what_a_kind_lacks_is_said(given):
    with pytest.raises(ValueError, match=r"needs|holds no private key") as caught:
        auth_from(given)
    assert CANARY not in str(caught.value)
