"""Every setting is documented, and nothing else is."""

import re
from pathlib import Path

from bluelamp.project.configuration import SETTINGS

GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "settings.md"


def test_the_guide_lists_every_setting_with_its_default_and_no_other():
    rows = re.findall(r"^\| `(BLUELAMP_[A-Z_]+)` \| `?([^|`]*)`? \|", GUIDE.read_text(), re.MULTILINE)
    assert {name: default.strip() for name, default in rows} == {s.name: s.default for s in SETTINGS}
