"""`clinsum keys`: makes a key to log in with, and shows the public half of those in use."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import Sets, console, print_json, settings_from
from jobs.exits import UsageError
from jobs.public_keys import key_in, published_keys
from summarizer.files import placed


class Kind(StrEnum):
    """The two kinds of key that SMART asks servers to take."""

    ES384 = "es384"
    RS384 = "rs384"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum keys --new es384 --out key.pem")(keys)


def keys(
    new: Annotated[
        Kind | None, typer.Option("--new", help="Makes a key: P-384, or RSA of 3072 bits. Needs --out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the new key goes; no file may be there yet.")
    ] = None,
    jwks: Annotated[
        bool, typer.Option("--jwks", help="Prints the public keys as a JWK Set, and nothing else.")
    ] = False,
    sets: Sets = None,
) -> None:
    """The keys for CLINSUM_AUTH=smart-backend; nothing of a private key is ever shown."""
    settings = settings_from(sets)
    if (new is None) != (out is None):
        raise UsageError("--new and --out go together: clinsum keys --new es384 --out key.pem.")
    if new is not None and out is not None:
        _make(new, out)
        found = {out: key_in(str(out))}
    else:
        found = published_keys(settings)
    if not found:
        raise UsageError(
            "There is no key yet: make one with `clinsum keys --new es384 --out key.pem` and name it in "
            "CLINSUM_PRIVATE_KEY_FILE."
        )
    if jwks:
        from fhir_adapter.rest.keys import jwks as jwk_set

        print_json(jwk_set(*found.values()))
        return
    for path, key in found.items():
        line = f"{key.algorithm}  kid {key.kid}  {path}"
        console().print(line, markup=False, soft_wrap=True)


def _make(kind: Kind, path: Path) -> None:
    """Writes a new key where its owner alone can read it."""
    from fhir_adapter.rest.keys import new_key

    pem = new_key("ES384" if kind is Kind.ES384 else "RS384")
    try:
        with placed(path, private=True, anew=True) as beside:
            beside.write_text(pem, "ascii")
    except FileExistsError:
        raise UsageError(f"{path} is there already, and no key is ever written over.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
