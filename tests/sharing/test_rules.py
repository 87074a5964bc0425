from datetime import UTC, datetime, timedelta

import pytest

from bluelamp.sharing.rules import ShareFacts, Standing, email_fits, masked, standing

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expires", "revoked", "live", "expected"),
    [
        (NOW + timedelta(seconds=1), None, True, Standing.ACTIVE),
        (NOW, None, True, Standing.EXPIRED),
        (NOW + timedelta(days=1), NOW, True, Standing.REVOKED),
        (NOW - timedelta(days=1), NOW, True, Standing.REVOKED),
        (NOW + timedelta(days=1), None, False, Standing.GONE),
    ],
)
def test_a_share_stands_until_it_expires_is_revoked_or_its_footage_goes(expires, revoked, live, expected):
    assert standing(ShareFacts(expires, revoked, live), NOW) is expected


@pytest.mark.parametrize(
    ("email", "fits"),
    [
        ("a@cps.example", True),
        ("a@london.cps.example", True),
        ("a@CPS.example", True),
        ("a@evilcps.example", False),
        ("a@cps.example.evil.example", False),
        ("cps.example@mail.example", False),
    ],
)
def test_an_address_must_belong_to_the_organisation(email, fits):
    assert email_fits(email, ["cps.example"]) is fits


def test_an_organisation_without_domains_takes_any_address():
    assert email_fits("a@b.example", [])


def test_a_masked_address_shows_no_more_than_its_first_letter_and_domain():
    assert masked("jonathan@cps.example") == "j•••••••@cps.example"
    assert masked("j@cps.example") == "j•••@cps.example"
