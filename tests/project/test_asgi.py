from __future__ import annotations

import subprocess
import sys
import time
import urllib.request

from django.conf import settings

from tests.web.sending import answer, post, send, serving


def test_a_web_process_has_loaded_its_pages_before_the_first_request_but_nothing_that_decodes_footage() -> None:
    script = (
        "import sys, bluelamp.project.asgi\n"
        "print('pages:', 'bluelamp.rights.public_views' in sys.modules)\n"
        "print('decoders:', sorted({'av', 'PIL', 'numpy', 'boto3'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["pages: True", "decoders: []"]


def test_slow_senders_do_not_keep_anybody_from_a_page() -> None:
    from bluelamp.project.asgi import application

    with serving(application) as port:
        slow = [
            send(port, post("/account/login/", length=1000, body=b"ab"))
            for _ in range(2 * settings.BLUELAMP.web_threads)
        ]
        time.sleep(0.2)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=20) as page:
            assert page.status == 200
        for connection in slow:
            connection.close()


def test_a_form_larger_than_any_of_ours_is_refused_before_it_is_read() -> None:
    from bluelamp.project.asgi import application

    with serving(application) as port:
        told = answer(send(port, post("/public/follow/", length=settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)))
    assert told.startswith("HTTP/1.1 413")
