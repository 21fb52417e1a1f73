"""The Typer application, where it speaks, and the settings that its commands work with."""

from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from clearhouse.cli.streams import visible
from clearhouse.core.errors import ExitCode

if TYPE_CHECKING:
    from clearhouse.settings import Settings


class _Console(Console):
    """Shows the control characters of a text, which may be a source's: a terminal obeys them."""

    def render_str(self, text: str, **how: Any) -> Text:
        """A text as it is shown."""
        return super().render_str(visible(text), **how)


out = _Console(highlight=False)
err = _Console(stderr=True, highlight=False)


def new_app() -> typer.Typer:
    """The application without its commands."""
    app = typer.Typer(
        help="A lakehouse for money, where the books balance.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 held by a gate, 4 unbalanced books.",
    )
    app.callback()(_before_commands)
    return app


def _say_version(is_asked: bool) -> None:
    if is_asked:
        from importlib import metadata  # slow to import, and of use to this alone

        typer.echo(f"clearhouse {metadata.version('clearhouse')}")
        raise typer.Exit


def _before_commands(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Say which version this is, and exit.",
            callback=_say_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """What stands before the name of a command on the command line."""


def settings() -> "Settings":
    """The settings, with logging set up as they say."""
    from clearhouse.cli.logs import set_up_logs
    from clearhouse.settings import load_settings

    loaded = load_settings()
    set_up_logs(loaded)
    return loaded


def settings_of_stores(*, makes_them_again: bool = False) -> "Settings":
    """The settings of a command that opens the stores, with their folders made.

    Args:
        makes_them_again: the command makes anew what names places, so the home may be a copy.

    Raises:
        SettingsError: a folder can't be made or written, or the home is a copy of another.
    """
    from clearhouse.home import check_home, make_folders

    loaded = settings()
    make_folders(loaded)
    if not makes_them_again:
        check_home(loaded)
    return loaded


def leave(code: ExitCode) -> NoReturn:
    """End the command with a code."""
    raise typer.Exit(int(code))
