"""Both verifiers on the same packages, and what they say without what only one of them can say."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page

from bluelamp.verify.package import verify_package

Judged = tuple[bytes, Sequence[str], Sequence[str]]

# Several at once: most of a small package's time is the start of a worker.
_IN_PAGE = """async (judged) => {
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  const results = []
  const next = async () => {
    for (let at = results.length; at < judged.length; at = results.length) {
      results.push(null)
      const [text, keys, witnesses] = judged[at]
      results[at] = await window.bluelampVerify(new Blob([bytes(text)]), keys, witnesses)
    }
  }
  await Promise.all([next(), next(), next()])
  return results
}"""


def by_command(judged: Judged) -> dict[str, Any]:
    """What the command's verifier says."""
    package, keys, witnesses = judged
    return plain(verify_package(io.BytesIO(package), keys, witnesses).document())


def by_page(page: Page, judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """What the page says, of each."""
    sent = [[base64.b64encode(package).decode(), list(keys), list(wits)] for package, keys, wits in judged]
    return [plain(report) for report in page.evaluate(_IN_PAGE, sent)]


def plain(report: dict[str, Any]) -> dict[str, Any]:
    """The report without technical details, which are each verifier's own."""
    for problem in report["problems"]:
        del problem["detail"]
    return report
