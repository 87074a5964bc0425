import uuid

import httpx
import pytest

KINDS = {
    "not-signed-in": 401,
    "not-allowed": 403,
    "not-found": 404,
    "conflict": 409,
    "invalid": 422,
    "busy": 503,
    "full": 507,
}


@pytest.mark.parametrize(("kind", "status"), KINDS.items())
def test_an_error_becomes_a_page_that_says_what_it_means_and_what_to_do(site, kind, status):
    answer = site.get(f"/fail/{kind}/", accept="text/html")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    for words in (
        "Only the wearer and the officer in the case may watch this recording now.",
        "The recording is safe and nothing about it changed.",
        "Ask the post-incident manager, who decides when it is released.",
        answer.headers["x-request-id"],
    ):
        assert words in answer.text


@pytest.mark.parametrize("path", ["/api/v1/fail/not-allowed/", "/dock/fail/not-allowed/"])
def test_programs_get_a_problem_document(site, path):
    answer = site.get(path, accept="text/html")
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["title"] == "You may not do this"
    assert problem["status"] == 403
    assert problem["meaning"] == "The recording is safe and nothing about it changed."
    assert problem["instance"] == f"urn:uuid:{uuid.UUID(answer.headers['x-request-id'])}"


def test_whoever_prefers_json_gets_a_problem_document_from_any_address(site):
    answer = site.get("/fail/conflict/", accept="application/json, text/html;q=0.5")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_fault_gives_a_reference_and_no_secret_and_does_not_need_the_database(site):
    answer = site.get("/fail/crash/", accept="text/html")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "The footage is safe." in answer.text
    assert answer.headers["x-request-id"] in answer.text
    # The plain frame: who is signed in, and the navigation, would ask the database.
    assert "Okafor" not in answer.text


def test_a_fault_of_the_api_is_a_problem_document_too(site):
    answer = site.get("/api/v1/fail/crash/")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.text


def test_a_refusal_explains_how_access_works(site):
    assert "Refusals are recorded" in site.get("/fail/not-allowed/").text
    assert "Refusals are recorded" not in site.get("/fail/conflict/").text


def test_somebody_not_signed_in_is_led_to_sign_in_and_back(site):
    answer = site.get("/public/fail/not-signed-in/?unit=a%26b")
    assert 'href="/sign-in/?next=%2Fpublic%2Ffail%2Fnot-signed-in%2F%3Funit%3Da%2526b"' in answer.text


@pytest.mark.parametrize(("kind", "seconds"), [("busy", "10"), ("full", "300")])
def test_busy_says_when_to_try_again(site, kind, seconds):
    answer = site.get(f"/fail/{kind}/")
    assert answer.headers["retry-after"] == seconds
    assert "Try again" in answer.text


@pytest.mark.parametrize(("path", "status"), [("/nowhere/", 404), ("/fail/http404/", 404), ("/fail/http403/", 403)])
def test_what_django_refuses_is_said_in_words_as_well(site, path, status):
    answer = site.get(path)
    assert answer.status_code == status
    assert "What to do next" in answer.text


def test_opening_a_forms_address_is_explained(site):
    answer = site.get("/post-only/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert "not a page to open" in answer.text


def test_a_form_without_its_token_is_refused_in_words(site):
    answer = httpx.post(f"{site.url}/post-only/", headers={"accept": "text/html"})
    assert answer.status_code == 403
    assert "reload the page and send the form again" in answer.text
    assert "Refusals are recorded" not in answer.text


def test_an_unknown_host_is_refused_in_words(site):
    answer = site.get("/footage/", host="evil.example")
    assert answer.status_code == 400
    assert "could not be understood" in answer.text


def test_htmx_gets_a_fragment_that_fits_where_it_asked(site):
    answer = site.get("/fail/conflict/", hx_request="true")
    assert answer.status_code == 409
    assert "<html" not in answer.text
    assert 'role="alert"' in answer.text
    assert "HX-Request" in answer.headers["vary"]
