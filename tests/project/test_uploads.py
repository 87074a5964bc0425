from __future__ import annotations

from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory, override_settings


def test_a_file_sent_to_a_page_is_kept_nowhere(tmp_path: Path) -> None:
    sent = SimpleUploadedFile("film.mp4", b"x" * 6_000_000)
    with override_settings(FILE_UPLOAD_TEMP_DIR=str(tmp_path)):
        request = RequestFactory().post("/public/follow/", {"reference": "R1", "film": sent})
        assert request.POST["reference"] == "R1"
        assert not request.FILES
        assert not list(tmp_path.iterdir())
