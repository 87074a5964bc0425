"""`verify.html`: the verifier that travels in every package, one self-contained page built from frontend/verify."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "verify.html"


@cache
def html() -> bytes:
    """The page, the same bytes in every package of this version. Raises FileNotFoundError where it was not built."""
    try:
        return _FILE.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{_FILE} is missing: run `npm ci && npm run build` in the source folder.") from error
