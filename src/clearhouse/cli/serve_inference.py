"""`serve inference`: the models of payments over HTTP."""

import typer

from clearhouse.cli.app import err, settings
from clearhouse.cli.options import Host, Port
from clearhouse.payments.services import INFERENCE_PORT


def register(group: typer.Typer) -> None:
    """Add the command to `serve`."""
    group.command("inference")(inference)


def inference(
    host: Host = "127.0.0.1",
    port: Port = INFERENCE_PORT,
) -> None:
    """Serve the models for fraud, retries and churn; the worker asks them at INFERENCE_URL."""
    from clearhouse.payments.inference import app

    config = settings()
    err.print(f"The models are served at [bold]http://{host}:{port}[/] (Ctrl-C ends it).")
    app.serve(config, host, port)
