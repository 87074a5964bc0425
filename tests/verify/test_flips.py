"""One byte changed, anywhere: in each file of a package and in the ZIP file's own structures. Nothing may pass."""

from __future__ import annotations

import base64
import io
import random
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from bluelamp.formats import package as bag
from bluelamp.verify import page as verifier
from bluelamp.verify.package import verify_package
from tests.verify.build import VKEY, WITNESS_VKEY, Recipe, streamed_zip

pytestmark = pytest.mark.browser

Flip = tuple[int, int]
"""Where, and what the byte is then."""

_IN_PAGE = """async ([text, flips, keys]) => {
  const whole = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  const results = []
  const next = async () => {
    for (let at = results.length; at < flips.length; at = results.length) {
      results.push(null)
      const [offset, value] = flips[at]
      const changed = whole.slice()
      if (offset >= 0) changed[offset] = value
      const report = await window.bluelampVerify(new Blob([changed]), keys, [])
      results[at] = [report.exit_code, report.problems.map(({ step, code, where }) => [step, code, where])]
    }
  }
  await Promise.all([next(), next(), next()])
  return results
}"""


def _package() -> bytes:
    return streamed_zip(Recipe(verifier=verifier.html()).files())


def _parts(package: bytes) -> dict[str, range]:
    """The bytes of each file, and under "" those of the ZIP file around them."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        parts = {}
        for info in archive.infolist():
            begin = info.header_offset + 30 + len(info.filename.encode())
            parts[info.filename.partition("/")[2]] = range(begin, begin + info.file_size)
    return parts


def _flips(package: bytes, chance: random.Random, each: int) -> Iterator[tuple[str, Flip]]:
    parts = _parts(package)
    covered = {at for part in parts.values() for at in part}
    around = [at for at in range(len(package)) if at not in covered]
    for path, places in [*parts.items(), ("", around)]:
        chosen = {places[0], places[-1], *(chance.choice(places) for _ in range(each))}
        for at in sorted(chosen):
            yield path, (at, chance.choice([value for value in range(256) if value != package[at]]))


def _by_command(package: bytes, flip: Flip) -> list[Any]:
    changed = bytearray(package)
    changed[flip[0]] = flip[1]
    report = verify_package(io.BytesIO(bytes(changed)), [VKEY])
    return [report.exit_code, [[each.step, each.code, each.where] for each in report.problems]]


def _campaign(page: Page, chance: random.Random, each: int) -> None:
    package = _package()
    assert verify_package(io.BytesIO(package), [VKEY], [WITNESS_VKEY]).exit_code == 0
    flips = list(_flips(package, chance, each))
    assert {path for path, _ in flips} >= {*bag.TAG_FILES, *bag.PAPERS, bag.TAG_MANIFEST, bag.SEAL, ""}
    sent = [base64.b64encode(package).decode(), [[-1, 0], *(flip for _, flip in flips)], [VKEY]]
    untouched, *found = page.evaluate(_IN_PAGE, sent)
    assert untouched == [0, []]
    for (path, flip), by_page in zip(flips, found, strict=True):
        by_command = _by_command(package, flip)
        assert by_page == by_command, (path, flip)
        assert by_page[0] == 1, (path, flip)
        # A file that hashes name is named itself; the rest is named by the step that it breaks.
        if path not in ("", bag.TAG_MANIFEST, bag.SEAL):
            assert [2, "file-changed", path] in by_page[1] or [2, "manifest", path] in by_page[1], (path, flip)


def test_one_byte_changed_anywhere_is_found_by_both_verifiers(verifier_page: Page) -> None:
    _campaign(verifier_page, random.Random(1829), each=4)


@pytest.mark.soak
def test_ten_thousand_changed_bytes_are_found_by_both_verifiers(verifier_page: Page) -> None:
    _campaign(verifier_page, random.Random(1829_09_29), each=10_000 // 14)
