"""`bluelamp verify --deleted`: is anything left of a recording that was deleted?"""

from __future__ import annotations

from uuid import UUID

import typer


def run(identifier: str) -> int:
    """Search for what is left of a recording, by its id or its certificate's. 0: nothing, 1: something, 2: unknown."""
    from bluelamp.cli import django_ready

    django_ready()
    from bluelamp.footage.models import Recording
    from bluelamp.kernel.errors import BluelampError
    from bluelamp.retention.models import Certificate
    from bluelamp.retention.services.proving import prove_gone

    try:
        wanted = UUID(identifier)
    except ValueError:
        typer.echo(f"{identifier} is the id of neither a recording nor a certificate.")
        return 2
    certificate = Certificate.objects.filter(pk=wanted).select_related("recording").first()
    recording = certificate.recording if certificate else Recording.objects.filter(pk=wanted).first()
    if recording is None:
        typer.echo("This installation knows no such recording and no such certificate.")
        return 2
    try:
        search = prove_gone(recording, actor="system:operator")
    except BluelampError as error:
        typer.echo(str(error))
        return 2
    for each in search.looked:
        typer.echo(f"{each.place}: {each.found} found, {len(each.left)} left over. {each.kept}".rstrip())
    for one in search.left:
        typer.echo(f"LEFT OVER: {one}")
    typer.echo("Nothing is left but what the tombstone keeps." if search.gone else "Something is left.")
    return 0 if search.gone else 1
