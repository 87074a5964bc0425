"""Addresses of packages' bytes. Who may have them is decided at each request, in `delivery`."""

from __future__ import annotations

from bluelamp.sharing.packages import queries
from bluelamp.sharing.packages.models import PackageDownload


def download_url(download: PackageDownload) -> str:
    """/media/package/<download>/<name>.zip"""
    return f"/media/package/{download.pk}/{queries.file_name(download.package)}"
