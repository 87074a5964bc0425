"""Where blocking work of the dock routes runs: beside the event loop, in few threads of a fixed number each."""

from __future__ import annotations

import os

from bluelamp.kernel.threads import Crew, Pool

# Each thread of the first two holds one database connection.
in_database = Pool("dock-database", 4).run
"""Short work with the database."""

settling = Pool("dock-settling", 4).run
"""Work with database and store that may take long, as moving gigabytes to an object store does."""

on_disk = Pool("dock-disk", max(4, 2 * (os.cpu_count() or 1)), database=False).run
"""Files, without the database."""

sealing = Crew("dock-sealing", 4 * (os.cpu_count() or 1))
"""Hashes, seals and writes what arrives; four times the cores, since most wait for the disk (docs/decisions/009)."""
