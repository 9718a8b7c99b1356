"""The web service: who may ask, how much, and how records of patients open its pages."""

import re
from ipaddress import ip_network
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from jobs.settings.base import Names, SettingsGroup, http_address

# A page over TLS, or from this machine; CSP 3, section 2.3.1 (`host-source` without a path).
_ORIGIN = re.compile(
    r"https://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?",
    re.ASCII,
)


class WebSettings(SettingsGroup):
    """Of `clinsum serve`."""

    service_token: SecretStr = Field(
        SecretStr(""),
        description="What clients of `clinsum serve` show as bearer token: several by comma, each at least "
        "24 characters, or `sha256:` and its hash in hex.",
    )
    session_secret: SecretStr = Field(
        SecretStr(""),
        description="What the sessions of browsers are signed with, at least 32 characters, the same in "
        "every replica; empty for one that each process makes for itself.",
    )
    oidc_issuer: str = Field("", description="Takes tokens (JWT) of this OpenID Connect issuer as well.")
    oidc_audience: str = Field("", description="The audience that these tokens must name.")
    smart_client_id: str = Field(
        "", description="The name under which records know the patient page (SMART App Launch)."
    )
    smart_client_secret: SecretStr = Field(
        SecretStr(""), description="Its secret; empty for a public client, which PKCE alone protects."
    )
    smart_client_secret_file: str = Field("", description="A file that holds it instead.")
    smart_private_key_file: str = Field(
        "", description="Instead of a secret: its key, as PRIVATE_KEY_FILE (private_key_jwt)."
    )
    smart_key_id: str = Field("", description="As KEY_ID.")
    smart_servers: Names = Field(
        (), description="FHIR servers that may launch it, by their `iss`; empty for FHIR_BASE_URL alone."
    )
    cds_clients: Names = Field((), description="EHRs that call `/cds-services`: issuer|its JWK Set.")
    serve_frame_ancestors: Names = Field(
        (), description="Origins whose pages may show these in a frame, such as https://record.example.org."
    )
    serve_proxy: Names = Field((), description="Addresses or networks of the proxy in front of the service.")
    serve_certificate: str = Field("", description="PEM file of the service's TLS certificate chain.")
    serve_key: str = Field("", description="PEM file of its private key.")
    serve_batch_tokens: int = Field(
        4096, ge=1, le=1_000_000, description="The model is given about so many tokens at a time."
    )
    serve_wait: float = Field(
        5.0, ge=0, le=1000, description="Milliseconds that a request waits for others to fill a batch."
    )
    serve_queue: int = Field(
        64, ge=1, le=100_000, description="Requests that may wait for the model; beyond these: 503."
    )
    serve_queue_tokens: int = Field(
        200_000, ge=1, le=1_000_000_000, description="About so many tokens may wait for the model."
    )
    serve_timeout: float = Field(60.0, gt=0, description="Seconds that one request may take.")
    serve_rate: int = Field(600, ge=0, description="Requests a minute of one client; 0 sets no limit.")
    serve_connections: int = Field(
        1024, ge=1, le=1_000_000, description="Connections at a time; a new one ends the longest silent."
    )
    serve_client_connections: int = Field(
        128, ge=1, le=1_000_000, description="Of these, from one address, unless it is the proxy's."
    )
    serve_silence: float = Field(
        20.0, gt=0, description="Seconds for a request's head to come, and for an answer to be taken on."
    )
    serve_batch_items: int = Field(
        256, ge=1, le=100_000, description="Texts in one call of `/v1/summaries:batch`."
    )

    @field_validator("smart_servers")
    @classmethod
    def _launching(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(http_address, value))

    @field_validator("serve_frame_ancestors")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            if not _ORIGIN.fullmatch(item):
                raise ValueError(f"{item!r} is no origin such as https://record.example.org")
        return value

    @model_validator(mode="after")
    def _web_secrets(self) -> Self:
        self.take_from_files("smart_client_secret")
        if self.smart_private_key_file and self.smart_client_secret.get_secret_value():
            raise ValueError("set CLINSUM_SMART_CLIENT_SECRET or CLINSUM_SMART_PRIVATE_KEY_FILE, not both")
        return self

    @field_validator("serve_proxy")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            try:
                ip_network(item)
            except ValueError:
                raise ValueError(f"{item!r} is no address or network such as 10.0.0.0/8") from None
        return value
