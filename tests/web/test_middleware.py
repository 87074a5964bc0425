import re
import time


def policy(site, path="/footage/"):
    answer = site.get(path)
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return answer, {name: value for name, _, value in parts}


def test_every_answer_confines_the_page(site):
    for path in ("/footage/", "/nowhere/", "/fail/crash/", "/api/v1/fail/busy/"):
        answer, csp = policy(site, path)
        assert csp["default-src"] == "'self'"
        assert csp["media-src"] == "'self' blob:"
        assert csp["img-src"] == "'self' data:"
        assert csp["object-src"] == csp["base-uri"] == csp["frame-ancestors"] == "'none'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"


def test_inline_scripts_carry_this_answers_nonce_and_no_other(site):
    first, csp = policy(site)
    nonce = re.search(r"'nonce-([^']+)'", csp["script-src"]).group(1)
    assert re.findall(r'nonce="([^"]+)"', first.text) == [nonce]
    assert f"'nonce-{nonce}'" in csp["style-src"]
    second, _ = policy(site)
    assert nonce not in second.text


def test_no_page_relies_on_what_the_policy_forbids(site):
    page = site.get("/_components").text
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page)


def test_the_access_log_names_the_route_and_never_an_address_with_a_secret(site):
    request_id = site.get("/share/s3cret-token/?code=918273").headers["x-request-id"]
    line = next(line for line in _log(site, request_id) if request_id in line)
    assert "share/<str:token>/" in line
    assert "s3cret-token" not in site.log.read_text()
    assert "918273" not in site.log.read_text()


def test_each_request_has_its_own_id_whatever_the_client_sends(site):
    first = site.get("/footage/", x_request_id="mine").headers["x-request-id"]
    second = site.get("/footage/", x_request_id="mine").headers["x-request-id"]
    assert len({first, second, "mine"}) == 3


def _log(site, request_id):
    # The line is written just after the answer has gone out.
    for _ in range(100):
        if request_id in site.log.read_text():
            break
        time.sleep(0.02)
    return site.log.read_text().splitlines()
