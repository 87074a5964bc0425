"""Reading JSON from strangers: whatever comes in, the result is an object or one FormatError."""

import json
from typing import Any, NoReturn

from bluelamp.formats.errors import FormatError


def load_object(document: str | bytes, *, what: str, max_bytes: int) -> dict[str, Any]:
    """The object of a UTF-8 JSON text. Raises FormatError naming `what`.

    Refused: anything longer than `max_bytes`, repeated names, NaN and infinities, anything but an object.
    """
    if len(document) > max_bytes:
        raise FormatError(f"The {what} is larger than {max_bytes} bytes.")
    try:
        text = document.decode("utf-8") if isinstance(document, bytes) else document
        loaded = json.loads(text, object_pairs_hook=_unique_names, parse_constant=_no_constant)
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"The {what} is not valid JSON.") from error
    if not isinstance(loaded, dict):
        raise FormatError(f"The {what} must be a JSON object.")
    return loaded


def exact_fields(document: object, fields: frozenset[str] | set[str], what: str) -> dict[str, Any]:
    """`document` as a dict that has exactly `fields`. Raises FormatError naming what does not fit."""
    if not isinstance(document, dict):
        raise FormatError(f"The {what} must be an object with named fields.")
    names = {name if isinstance(name, str) else repr(name) for name in document}
    if missing := sorted(fields - names):
        raise FormatError(f"The {what} lacks {_listed(missing)}.")
    if unknown := sorted(names - fields):
        raise FormatError(f"The {what} has fields that this format does not know: {_listed(unknown)}.")
    return document


def _listed(names: list[str]) -> str:
    shown = ", ".join(ascii(name[:40]) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise FormatError("A JSON object gives the same name twice.")
    return result


def _no_constant(name: str) -> NoReturn:
    raise FormatError(f"{name} is not a JSON value.")
