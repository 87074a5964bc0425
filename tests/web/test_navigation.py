import re


def links(page: str) -> list[str]:
    return re.findall(r'govuk-service-navigation__link" href="([^"]+)"', page)


def current(page: str) -> list[str]:
    return re.findall(r'href="([^"]+)" aria-current="true"', page)


def test_entries_stand_in_their_order_and_only_where_they_may_be_seen(site):
    assert links(site.get("/footage/").text) == ["/footage/", "/footage/search/", "/cases/", "/requests/"]


def test_nobody_signed_in_sees_no_navigation(site):
    page = site.get("/public/").text
    assert links(page) == []
    assert "Sign in" in page
    assert "Okafor" not in page


def test_the_nearest_entry_is_the_current_one(site):
    assert current(site.get("/footage/search/").text) == ["/footage/search/"]
    assert current(site.get("/footage/").text) == ["/footage/"]
    assert current(site.get("/public/").text) == []


def test_the_frame_names_the_force_the_person_and_the_demonstration(site):
    page = site.get("/footage/").text
    assert "Metropolitan Police Service" in page
    assert "PS Amara Okafor" in page
    assert "Supervisor, Lambeth" in page
    assert "Its clock is ahead by 31 days" in page
    assert 'action="/sign-out/"' in page
