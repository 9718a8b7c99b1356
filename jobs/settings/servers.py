"""The FHIR servers: where they are, and how to log in there."""

import re
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from jobs.settings.base import Names, SettingsGroup, http_address

Auth = Literal["none", "basic", "bearer", "smart-backend", "client-secret"]

_NEEDED = {
    "basic": ("username", "password"),
    "bearer": ("token",),
    "smart-backend": ("client_id", "private_key_file"),
    "client-secret": ("client_id", "client_secret"),
}
_SECRETS = ("password", "token", "client_secret")


class ServerSettings(SettingsGroup):
    """Of the server that is read, and of another one that is written to."""

    fhir_base_url: str = Field("http://127.0.0.1:8080/fhir", description="Base of the FHIR R4 server.")
    auth: Auth = Field("none", description="How to log in there.")
    username: str = Field("", description="For AUTH=basic.")
    password: SecretStr = Field(SecretStr(""), description="For AUTH=basic.")
    password_file: str = Field("", description="A file that holds it instead.")
    token: SecretStr = Field(SecretStr(""), description="For AUTH=bearer.")
    token_file: str = Field("", description="A file that holds it instead.")
    client_id: str = Field("", description="For AUTH=smart-backend and client-secret.")
    client_secret: SecretStr = Field(SecretStr(""), description="For AUTH=client-secret.")
    client_secret_file: str = Field("", description="A file that holds it instead.")
    client_secret_in_body: bool = Field(False, description="Whether the secret goes as a form field.")
    private_key_file: str = Field(
        "", description="For AUTH=smart-backend: PEM or JSON Web Key, RSA (RS384) or P-384 (ES384)."
    )
    key_id: str = Field("", description="Its `kid`; else what the key says, else its thumbprint.")
    published_key_files: Names = Field(
        (), description="Further keys that `clinsum keys` and `clinsum serve` publish: the next, the former."
    )
    token_url: str = Field("", description="Token endpoint, where the server's SMART configuration has none.")
    token_audience: str = Field("", description="What a signed statement is for, if not the endpoint.")
    token_resource: str = Field("", description="The field `resource` for endpoints that want it.")
    scope: str = Field("", description="What to ask for; for smart-backend what is needed, unless set.")
    ca_file: str = Field("", description="PEM file of further authorities to trust.")
    client_certificate: str = Field("", description="PEM file of the certificate to show (mutual TLS).")
    client_certificate_key: str = Field("", description="PEM file of its key, if not in the same file.")
    proxy: SecretStr = Field(
        SecretStr(""),
        description="The proxy to the FHIR server and its login: http://host:port, none, or empty for what "
        "HTTPS_PROXY and its like say.",
    )
    write_base_url: str = Field(
        "", description="Base of another server for what is written; FHIR_BASE_URL is then only read."
    )
    write_as: Literal["composition", "document"] = Field(
        "composition",
        description="How summaries stand there: each as a Composition with its Provenance, or filed in a "
        "DocumentReference, for servers that take neither Compositions nor transactions.",
    )
    write_auth: Auth = Field("none", description="How to log in there.")
    write_username: str = Field("", description="For WRITE_AUTH=basic.")
    write_password: SecretStr = Field(SecretStr(""), description="For WRITE_AUTH=basic.")
    write_password_file: str = Field("", description="A file that holds it instead.")
    write_token: SecretStr = Field(SecretStr(""), description="For WRITE_AUTH=bearer.")
    write_token_file: str = Field("", description="A file that holds it instead.")
    write_client_id: str = Field("", description="For WRITE_AUTH=smart-backend and client-secret.")
    write_client_secret: SecretStr = Field(SecretStr(""), description="For WRITE_AUTH=client-secret.")
    write_client_secret_file: str = Field("", description="A file that holds it instead.")
    write_private_key_file: str = Field("", description="For WRITE_AUTH=smart-backend.")
    write_key_id: str = Field("", description="As KEY_ID.")
    write_token_url: str = Field("", description="As TOKEN_URL.")
    write_scope: str = Field("", description="As SCOPE.")

    @field_validator("fhir_base_url", "write_base_url")
    @classmethod
    def _server_address(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name == "fhir_base_url":
            raise ValueError("it must be an http:// or https:// address")
        return http_address(value)

    @field_validator("token_url", "write_token_url")
    @classmethod
    def _no_credentials_in_it(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/@?#]+([/?][^\s#]*)?", value):
            raise ValueError("it must be an http:// or https:// address without credentials")
        return value

    @model_validator(mode="after")
    def _server_secrets(self) -> Self:
        self.take_from_files(*_SECRETS, *(f"write_{name}" for name in _SECRETS))
        return self

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        for prefix in ("", "write_"):
            kind = getattr(self, f"{prefix}auth")
            missing = [name for name in _NEEDED.get(kind, ()) if not self._given(prefix, name)]
            if missing:
                needed = " and ".join(f"CLINSUM_{prefix}{name}".upper() for name in _NEEDED[kind])
                raise ValueError(f"{prefix.upper()}AUTH={kind} needs {needed}")
        return self

    def _given(self, prefix: str, name: str) -> bool:
        value = getattr(self, f"{prefix}{name}")
        shown = name == "client_secret" and self.client_certificate
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value) or bool(shown)

    @property
    def server_named(self) -> bool:
        """Whether somebody named the FHIR server, as against the default."""
        return "fhir_base_url" in self.model_fields_set

    @property
    def written_to(self) -> str:
        """Base of the server that summaries are written to."""
        return self.write_base_url or self.fhir_base_url
