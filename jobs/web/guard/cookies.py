"""Cookies of sign-ins and sessions, as far as other sites' pages may take part in them."""

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response


def set_cookie(
    response: Response,
    request: Request,
    name: str,
    value: str,
    *,
    seconds: int,
    path: str = "/",
    same_site: Literal["lax", "strict"] = "lax",
    framed: bool = False,
) -> None:
    """Sets a cookie that no script reads.

    Args:
        response: of the answer.
        request: tells whether it came over TLS.
        name: of the cookie.
        value: of the cookie; "" with 0 seconds takes it away.
        seconds: that it lasts.
        path: below which it is sent.
        same_site: whether it comes along from another site's page: by a link (`lax`), or not.
        framed: the page may stand in a frame of another site, and the cookie is one for that site alone
            (`SameSite=None; Secure; Partitioned`, which browsers take over TLS alone).
    """
    secure = request.url.scheme == "https"
    apart = framed and secure
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        httponly=True,
        samesite="none" if apart else same_site,
        secure=secure,
    )
    if apart:  # starlette writes this attribute from Python 3.14 on
        key, line = response.raw_headers[-1]
        response.raw_headers[-1] = (key, line + b"; Partitioned")
