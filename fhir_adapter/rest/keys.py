"""The private key of a client, and its public half as others need it (RFC 7517)."""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

Algorithm = Literal["RS384", "ES384"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_LEAST_BITS = 2048
# What a thumbprint is taken over, by kind (RFC 7638, section 3.2).
_THUMBPRINT = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}


class KeyFileError(ValueError):
    """The key cannot be used; one sentence without anything of it."""


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key with its name.

    Attributes:
        kid: names it among the client's public keys.
        algorithm: RS384 for RSA, ES384 for the curve P-384: the two that SMART asks servers for.
    """

    private: PrivateKey
    kid: str
    algorithm: Algorithm

    def __repr__(self) -> str:
        """Without the key."""
        return f"SigningKey(kid={self.kid!r}, algorithm={self.algorithm!r})"

    def signed(self, claims: dict[str, Any]) -> str:
        """A JWT with these claims."""
        headers = {"kid": self.kid, "typ": "JWT"}
        return jwt.encode(claims, self.private, algorithm=self.algorithm, headers=headers)

    def public(self) -> dict[str, Any]:
        """The public half as a JSON Web Key."""
        return {**_public(self.private), "kid": self.kid, "use": "sig", "alg": self.algorithm}


def jwks(*keys: SigningKey) -> dict[str, Any]:
    """The public halves as a JWK Set, as a server fetches it or takes it as a file."""
    return {"keys": [key.public() for key in keys]}


def read_key(text: str, kid: str = "") -> SigningKey:
    """A key from PEM, a JSON Web Key, or the first private one of a JWK Set.

    Args:
        text: the content of the file.
        kid: its name; "" takes what the key says of itself, else its thumbprint (RFC 7638).

    Raises:
        KeyFileError: it is none, is encrypted, or is too weak.
    """
    private, stated = _jwk(text, kid) if text.lstrip().startswith("{") else (_pem(text), "")
    if isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < _LEAST_BITS:
            raise KeyFileError(f"the RSA key has fewer than {_LEAST_BITS} bits")
        return SigningKey(private, kid or stated or _thumbprint(private), "RS384")
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name == "secp384r1":
        return SigningKey(private, kid or stated or _thumbprint(private), "ES384")
    raise KeyFileError("the key must be RSA (RS384) or of the curve P-384 (ES384)")


def new_key(algorithm: Algorithm) -> str:
    """A new private key as PEM (PKCS 8), not encrypted: keep it in a file that its owner alone can read."""
    private: PrivateKey
    if algorithm == "RS384":
        private = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    else:
        private = ec.generate_private_key(ec.SECP384R1())
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def _pem(text: str) -> object:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError:
        raise KeyFileError("the key is encrypted; give one that is not, in a file of its own") from None
    except Exception:
        raise KeyFileError("the file holds no private key in PEM, nor a JSON Web Key") from None


def _jwk(text: str, kid: str) -> tuple[object, str]:
    try:
        found = json.loads(text)
        keys = found.get("keys", [found])
        keys = [key for key in keys if "d" in key and (not kid or key.get("kid") in (kid, None))]
        read = RSAAlgorithm.from_jwk if keys[0]["kty"] == "RSA" else ECAlgorithm.from_jwk
        return read(keys[0]), str(keys[0].get("kid", ""))
    except Exception:
        raise KeyFileError("the file holds no private JSON Web Key that can be used") from None


def _public(private: PrivateKey) -> dict[str, Any]:
    if isinstance(private, rsa.RSAPrivateKey):
        found = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    else:
        found = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {name: value for name, value in found.items() if name in _THUMBPRINT[found["kty"]]}


def _thumbprint(private: PrivateKey) -> str:
    members = json.dumps(_public(private), sort_keys=True, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode("ascii")
