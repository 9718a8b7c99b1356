"""Whom a connection trusts, and what it shows of itself: a private authority, a certificate of the client."""

import ssl
from pathlib import Path

import httpx


def tls_context(authority: str = "", certificate: str = "", key: str = "") -> ssl.SSLContext:
    """The context of all connections to the FHIR server and its token endpoint.

    Args:
        authority: PEM file of further authorities to trust, such as a hospital's own.
        certificate: PEM file of the certificate that the client shows, with its chain (mutual TLS).
        key: PEM file of its private key, not encrypted; "" where it stands in the certificate's file.

    Raises:
        ValueError: a file cannot be used; one sentence that names it.
    """
    context = httpx.create_ssl_context()
    for what, path in (("authorities", authority), ("certificate", certificate), ("key", key)):
        if path and not Path(path).is_file():
            raise ValueError(f"there is no file {path} with the {what} of the connection")
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
