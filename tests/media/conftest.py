from pathlib import Path

import pytest

from tests.media import samples


@pytest.fixture(scope="session")
def plain_mp4() -> bytes:
    """Six seconds, H.264 and AAC, silent from the second to the fourth second."""
    return samples.video(6, quiet=(2, 4))


@pytest.fixture
def anyones_place(tmp_path: Path) -> Path:
    """A folder that an unprivileged child could reach if nothing else stopped it."""
    place = tmp_path
    place.chmod(0o777)
    return place
