"""Text that this service gives out and takes back only as it was: cursors, and the cookie of a session."""

import base64
import binascii
import hashlib
import hmac


class Signer:
    """Signs with HMAC-SHA-256 under a key of its own for each purpose (RFC 2104).

    Args:
        purpose: what is signed; text signed for one purpose is none for another.
        secret: what the key is made from; the same in every replica that shares it.
    """

    def __init__(self, purpose: str, secret: bytes) -> None:
        self._key = hashlib.sha256(f"clinsum {purpose}".encode() + secret).digest()

    def sign(self, text: str) -> str:
        """The text and its signature, in characters that an address or a cookie may hold."""
        data = text.encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, data, "sha256") + data).decode()

    def verified(self, signed: str) -> str | None:
        """The text that was signed; None where it was not, or not like this."""
        try:
            raw = base64.urlsafe_b64decode(signed.encode("ascii"))
        except (binascii.Error, ValueError):
            return None
        mark, data = raw[:32], raw[32:]
        if not hmac.compare_digest(mark, hmac.digest(self._key, data, "sha256")):
            return None
        return data.decode()
