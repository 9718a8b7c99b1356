"""`clinsum serve`: the web service, in the foreground."""

import sys
from typing import Annotated

import typer

from jobs.commands.options import Sets, settings_from


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum serve --port 8000 --preload")(serve)


def serve(
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; others than this machine's need "
            "credentials, and TLS or a proxy that does it."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8000,
    preload: Annotated[bool, typer.Option("--preload", help="Load the model at start.")] = False,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="For anyone, on any address: summaries of pasted text, and nothing of the server."
        ),
    ] = False,
    model: Annotated[str | None, typer.Option(help="Which model, as CLINSUM_MODEL.")] = None,
    proxy: Annotated[
        str | None, typer.Option(help="Addresses or networks of the proxy in front, by comma.")
    ] = None,
    sets: Sets = None,
) -> None:
    """The inference API, described at /docs, until SIGTERM, which ends it after the requests in hand."""
    settings = settings_from(sets, model=model, serve_proxy=proxy)
    from jobs.web.server import run

    def ready(address: str) -> None:
        sys.stderr.write(f"clinsum serves on {address} - Ctrl-C ends it\n")

    run(settings, host=host, port=port, preload=preload, demo=demo, ready=ready)
