"""The body-worn video manager works through a gap, and watches the docks while cameras upload."""

from __future__ import annotations

import pytest

from tests.ingest import force as ingest_force
from tests.ingest.docks import Camera, Docking
from tests.journeys.conftest import Force, Visitors

pytestmark = [pytest.mark.browser, pytest.mark.server]

MEGABYTE = 1_000_000


def test_a_gap_is_found_comes_back_in_part_and_is_closed_with_a_reason(force: Force, visitor: Visitors) -> None:
    camera = force.cameras[4]
    for hours_ago in (5, 4, 3, 2):
        force.record(camera, hours_ago)
    force.lose(camera, 2, 3)
    force.dock(camera)
    force.server.call(_compare)

    manager = visitor("manager")
    manager.go("/")
    assert "2 recordings are missing" in manager.text
    manager.look("home")
    manager.press("Go to what is missing")
    assert "Cameras say that they made 2 recordings that are not here." in manager.text
    manager.look("list")
    manager.press(f"{camera['serial']}, recordings 2 to 3")
    assert "The camera offered recording 4, and never recordings 2 to 3." in manager.text
    assert camera["name"] in manager.text, "who had the camera then"
    assert "What it means for the footage" in manager.text
    assert "2 to 3 Missing" in manager.text
    manager.look("gap")
    manager.press("Close")
    manager.look("no-reason", refused=422)

    manager.go("/fleet/docking/missing/close/?kind=gap")
    assert "2 recordings stay missing" in manager.text
    manager.look("several")

    force.find(camera, 2)
    force.dock(camera)
    force.server.call(_compare)
    manager.go("/fleet/docking/missing/")
    manager.press(f"{camera['serial']}, recordings 2 to 3")
    assert "Not here 1 recording" in manager.text
    manager.page.get_by_label("Reason").fill("The memory of the camera was damaged; the supplier recovered one of two")
    manager.press("Close")
    assert "Nothing is missing" in manager.text
    manager.look("closed")
    manager.go("/fleet/docking/missing/?state=closed")
    manager.press(f"{camera['serial']}, recordings 2 to 3")
    assert "the supplier recovered one of two" in manager.text
    assert "What to do next" not in manager.text
    manager.look("answered")
    manager.go(f"/fleet/cameras/{camera['serial']}/")
    assert "Recorded and arrived" in manager.text
    manager.look("camera")
    manager.go("/oversight/")
    manager.look("oversight")


def test_the_page_of_docks_follows_an_upload_by_itself(force: Force, visitor: Visitors) -> None:
    token = force.server.call(ingest_force.cameras_and_dock, serials=["BL4997"])
    manager = visitor("manager")
    manager.go("/fleet/docking/")
    manager.look("nothing-uploads")
    with Docking(force.server.base_url, token, Camera("BL4997")) as dock:
        content = bytes(5 * MEGABYTE)
        dock.camera.record(content)
        dock.camera.record(b"the next one")
        address = dock.open()[1]["upload_url"]
        assert dock.patch(address, 0, content[:MEGABYTE]).status_code == 204
        manager.go("/fleet/docking/")
        assert "1.00 MB of 5.00 MB" in manager.text
        manager.page.get_by_role("link", name="BL4997").first.focus()
        for part in (1, 2):
            at = part * MEGABYTE
            assert dock.patch(address, at, content[at : at + MEGABYTE]).status_code == 204
            manager.wait(f"document.querySelector('main').innerText.includes('{part + 1}.00 MB of 5.00 MB')", 12)
        manager.wait("document.querySelector('main').innerText.includes('a second')", 12)
        assert manager.page.evaluate("document.activeElement.innerText") == "BL4997", "the focus stays where it was"
        manager.page.evaluate("document.activeElement.blur()")
        manager.look("uploading")
        manager.press("Let this page stand still")
        assert "Let this page follow by itself" in manager.text
        manager.look("still")
    force.server.call(_forget)


def test_without_scripts_the_page_of_docks_is_a_plain_page(force: Force, visitor: Visitors) -> None:
    manager = visitor("manager", java_script_enabled=False)
    manager.go("/fleet/docking/")
    assert "Reload to see how far it is" in manager.text
    manager.look("without-scripts")


def test_an_officer_is_told_why_the_docks_are_closed_to_officers(force: Force, visitor: Visitors) -> None:
    officer = visitor(force.cameras[1]["wearer"])
    officer.go("/fleet/docking/missing/")
    assert officer.status == 403
    officer.look("closed-to-officers", refused=403)


def _compare() -> int:
    from bluelamp.ingest import services

    return services.reconcile_docked()


def _forget() -> int:
    """Give up what the journey left half way, for the journeys that come after it."""
    from bluelamp.ingest import services
    from bluelamp.ingest.models import Upload

    left = list(Upload.objects.filter(camera__serial="BL4997").values_list("pk", flat=True))
    return sum(services.abandon(upload, actor="system:test", reason="The journey is over.") for upload in left)
