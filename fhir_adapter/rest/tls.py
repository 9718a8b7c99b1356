"""Whom a connection trusts, and what it shows of itself: a private authority, a certificate of the client."""

import os
import ssl
from functools import lru_cache
from pathlib import Path

import httpx

_KEPT = 16  # contexts


def tls_context(authority: str = "", certificate: str = "", key: str = "") -> ssl.SSLContext:
    """The context of all connections to the FHIR server and its token endpoint.

    Connections share it, since reading all public authorities takes longer than a request. A file that was
    replaced is read again.

    Args:
        authority: PEM file of further authorities to trust, such as a hospital's own.
        certificate: PEM file of the certificate that the client shows, with its chain (mutual TLS).
        key: PEM file of its private key, not encrypted; "" where it stands in the certificate's file.

    Raises:
        ValueError: a file cannot be used; one sentence that names it.
    """
    for what, path in (("authorities", authority), ("certificate", certificate), ("key", key)):
        if path and not Path(path).is_file():
            raise ValueError(f"there is no file {path} with the {what} of the connection")
    # Where httpx finds the public authorities, if not with certifi.
    public = [os.environ.get(name, "") for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")]
    return _context(authority, certificate, key, tuple(map(_state, (*public, authority, certificate, key))))


def _state(path: str) -> tuple[str, int, int, int]:
    """What tells one content of a file from the next, without reading it."""
    try:
        found = os.stat(path)
    except OSError:
        return path, 0, 0, 0
    return path, found.st_ino, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=_KEPT)
def _context(authority: str, certificate: str, key: str, _states: object) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    if authority:
        try:
            context.load_verify_locations(cafile=authority)
        except (ssl.SSLError, OSError):
            raise ValueError(f"{authority} holds no certificate of an authority in PEM") from None
    if certificate:
        try:
            # An empty password instead of a prompt on the terminal, where the key is encrypted.
            context.load_cert_chain(certificate, key or None, password="")
        except (ssl.SSLError, OSError):
            raise ValueError(f"{certificate} and its key do not belong together, or are encrypted") from None
    return context
