"""A package of 3 GiB, in a browser without a network: how fast, and does it find one changed byte?"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bluelamp.verify import page as verifier
from bluelamp.verify.package import verify_package
from tests.verify.build import VKEY, Recipe, Repeated, write_zip

pytestmark = [pytest.mark.soak, pytest.mark.browser]

MEDIUM = "data/AB-1 four hours.mp4"
BLOCK = 2**24
TIMES = 3 * 2**30 // BLOCK


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "AB-1.zip"
    media = {MEDIUM: Repeated(random.Random(3).randbytes(BLOCK), TIMES)}
    with path.open("wb") as file:
        write_zip(file, Recipe(media=media, verifier=verifier.html()).files())
    return path


def _check(page: Page, package: Path) -> float:
    """Seconds from the click to the verdict."""
    page.set_input_files("#file", package)
    page.fill("#keys", VKEY)
    begun = time.perf_counter()
    page.locator("#start").click()
    page.wait_for_selector("#verdict", timeout=600_000)
    return time.perf_counter() - begun


def test_three_gibibytes_are_verified_offline_and_a_changed_byte_is_found(
    verifier_page: Page, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = package.stat().st_size
    begun = time.perf_counter()
    with package.open("rb") as file:
        assert verify_package(file, [VKEY]).exit_code == 0
    by_command = time.perf_counter() - begun
    by_page = []
    for _ in range(3):
        by_page.append(_check(verifier_page, package))
        expect(verifier_page.get_by_role("heading", name="Good", exact=True)).to_be_visible()
    with capsys.disabled():
        speeds = ", ".join(f"{size / seconds / 1e6:.0f}" for seconds in by_page)
        sys.stdout.write(
            f"\n{size:,} bytes: page {speeds} MB/s, command {size / by_command / 1e6:.0f} MB/s "
            f"(load {os.getloadavg()[0]:.1f})\n"
        )
    with package.open("r+b") as file:
        file.seek(size // 2)
        byte = file.read(1)[0]
        file.seek(size // 2)
        file.write(bytes([byte ^ 1]))
    _check(verifier_page, package)
    expect(verifier_page.get_by_role("heading", name="Evidence of tampering or damage")).to_be_visible()
    expect(verifier_page.locator(".problems li")).to_contain_text(MEDIUM)
