"""The `bluelamp` command. Django is imported only inside the commands that need it."""

from __future__ import annotations

import os


def django_ready() -> None:
    """Set Django up for a command that reads or changes data."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
