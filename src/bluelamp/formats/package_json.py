"""The JSON of packages: one spelling for each document, so that no two readers can read it differently.

UTF-8 without a byte order mark; no white space outside of texts; whole numbers within 2**53 - 1 only; no name twice
in an object; at most 64 levels deep; texts as `json.dumps(ensure_ascii=False)` and `JSON.stringify` write them; a
newline at the end. Whoever reads one writes it again and compares.
"""

import json
from typing import Any, NoReturn

from bluelamp.formats.errors import FormatError
from bluelamp.formats.fields import MAX_INTEGER

MOST_LEVELS = 64


def write_json(document: object) -> str:
    """The document's one spelling, newline included."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def read_json(content: bytes, what: str, most: int) -> Any:
    """The document in `content`, of at most `most` bytes. Raises FormatError naming `what`."""
    if len(content) > most:
        raise FormatError(f"The {what} is larger than {most} bytes.")
    try:
        text = content.decode("utf-8")
        document = json.loads(
            text,
            object_pairs_hook=_unique_names,
            parse_int=_integer,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
        _check_depth(document)
        # Differs for white space, other escapes, and halves of surrogate pairs, which are never written.
        same = write_json(document) == text
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"The {what} is not valid JSON.") from error
    if not same:
        raise FormatError(f"The {what} is not written as the JSON of packages is.")
    return document


def _check_depth(document: object) -> None:
    level = _containers([document])
    for _ in range(MOST_LEVELS):
        level = [part for value in level for part in _containers(value)]
        if not level:
            return
    raise FormatError(f"The JSON is nested deeper than {MOST_LEVELS} levels.")


def _containers(value: object) -> list[object]:
    """The lists and objects that stand directly in one."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [part for part in parts if isinstance(part, dict | list)]


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise FormatError("A JSON object gives the same name twice.")
    return result


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        raise FormatError("The JSON holds a number that a browser does not hold exactly.")
    return int(digits)


def _no_number(text: str) -> NoReturn:
    raise FormatError(f"{text[:40]} is not a whole number, and packages know no other.")
