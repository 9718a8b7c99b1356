"""What all groups of settings have in common: where they are read from, and how a value of text is read."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from jobs.values import read_secret


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence that says what to change."""


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Several values, separated by commas."""


class SettingsGroup(BaseSettings):
    """Some of the settings. A line under each says what it does."""

    model_config = SettingsConfigDict(
        env_prefix="CLINSUM_", env_file=".env", extra="ignore", str_strip_whitespace=True
    )

    def take_from_files(self, *names: str) -> None:
        """Reads secrets out of files, as orchestrators mount them.

        Raises:
            ValueError: a file cannot be read, or stands beside the value itself, which is a mistake.
        """
        for name in names:
            path = getattr(self, f"{name}_file")
            if not path:
                continue
            if getattr(self, name).get_secret_value():
                upper = name.upper()
                raise ValueError(f"set CLINSUM_{upper} or CLINSUM_{upper}_FILE, not both")
            setattr(self, name, SecretStr(read_secret(path)))


def http_address(value: str) -> str:
    """An address without the slash at its end; "" stays.

    Raises:
        ValueError: it is none of http or https.
    """
    if value and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise ValueError("it must be an http:// or https:// address")
    return value.rstrip("/")
