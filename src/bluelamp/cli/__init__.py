"""The `bluelamp` command. Django is imported only inside the commands that need it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bluelamp.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from bluelamp.project.configuration import Configuration


def installation_ready(data: Path | None) -> None:
    """Set Django up for a command on an installation that there is: in `data`, else BLUELAMP_DATA.

    Raises NotFound where there is none, before anything is written: a mistyped folder must not become one.
    """
    found = configured(data)
    if not found.database_url and not (found.data / "instance.json").exists():
        raise NotFound(
            f"There is no Bluelamp installation in {found.data}.",
            "Nothing was changed.",
            "Give --data the folder that `bluelamp up` uses, or set BLUELAMP_DATA.",
        )
    django_ready()


def configured(data: Path | None, *, otherwise: str = "Nothing was changed.") -> Configuration:
    """The settings in force, with `data` in the place of BLUELAMP_DATA, also for what is imported after this.

    Raises Invalid where one cannot be understood; `otherwise` says what was not done.
    """
    if data is not None:
        os.environ["BLUELAMP_DATA"] = str(data)
    from bluelamp.project import configuration

    try:
        return configuration.load()
    except ValueError as error:
        raise Invalid(
            f"A BLUELAMP_ setting cannot be understood: {str(error).rstrip('.')}.",
            otherwise,
            "Compare your settings with docs/guides/settings.md.",
        ) from None


def django_ready() -> None:
    """Set Django up for a command that reads or changes data."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
