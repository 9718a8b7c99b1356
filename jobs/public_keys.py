"""The public halves of the keys that this installation logs in with, for the servers that check them."""

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.settings import Settings, SettingsError
from jobs.values import read_secret

if TYPE_CHECKING:  # its libraries are loaded where there is a key
    from fhir_adapter.rest.keys import SigningKey


def published_keys(settings: Settings) -> dict[Path, "SigningKey"]:
    """The keys in use first, then those that are published beside it, each once.

    A key is changed without a gap in this way: the next one is published before it is used, and the former
    one until no statement that it has signed can still be on its way.

    Raises:
        SettingsError: a file cannot be read, or holds no key that can be used; nothing of its content.
    """
    named = [
        (settings.private_key_file, settings.key_id),
        (settings.write_private_key_file, settings.write_key_id),
        (settings.smart_private_key_file, settings.smart_key_id),
    ]
    named = [(path, kid) for path, kid in named if path]
    named += [(path, "") for path in settings.published_key_files]
    found: dict[Path, SigningKey] = {}
    kids: set[str] = set()
    for path, kid in named:
        key = key_in(path, kid)
        if key.kid not in kids:
            kids.add(key.kid)
            found[Path(path)] = key
    return found


def key_in(path: str, kid: str = "") -> "SigningKey":
    """The key in this file.

    Raises:
        SettingsError: it cannot be read, or holds no key that can be used.
    """
    from fhir_adapter.rest.keys import KeyFileError, read_key

    try:
        return read_key(read_secret(path), kid)
    except KeyFileError as error:
        raise SettingsError(f"{path}: {error}.") from None
    except ValueError as error:
        message = str(error)
        raise SettingsError(f"{message[:1].upper()}{message[1:]}.") from None
