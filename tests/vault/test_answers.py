"""What an object store's refusals are taken for."""

import pytest

from bluelamp.kernel.errors import StorageFull
from bluelamp.vault.errors import ObjectMissing, StoreRefused, StoreUnavailable
from bluelamp.vault.stores.answers import code_of, meant, said

NAME = "recordings/0190a6c0-0000-7000-8000-000000000000/original"


@pytest.mark.parametrize(
    "code", ["", "500", "503", "408", "429", "RequestTimeout", "SlowDown", "ServiceUnavailable", "TooManyRequests"]
)
def test_not_now_is_no_refusal(code):
    error = meant(code, NAME)
    assert isinstance(error, StoreUnavailable)
    assert not isinstance(error, StoreRefused)
    assert "credentials" not in str(error)


@pytest.mark.parametrize(
    "code", ["AccessDenied", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "NoSuchBucket", "403"]
)
def test_a_refusal_is_for_the_operator(code):
    assert isinstance(meant(code, NAME), StoreRefused)


def test_a_full_store_is_neither():
    assert isinstance(meant("QuotaExceeded", NAME), StorageFull)


@pytest.mark.parametrize("answer", ["<Code>NoSuchUpload</Code>", "<Code>NoSuchKey</Code>", "status code: 404", ""])
def test_what_is_missing_while_it_is_put_is_a_put_that_somebody_gave_up(answer):
    with pytest.raises(ObjectMissing), said(NAME):
        raise FileNotFoundError(answer)
    with pytest.raises(StoreUnavailable) as caught, said(NAME, putting=True):
        raise FileNotFoundError(answer)
    assert not isinstance(caught.value, StoreRefused)


def test_a_missing_bucket_is_said_while_something_is_put_as_well():
    with pytest.raises(StoreRefused, match="NoSuchBucket"), said(NAME, putting=True):
        raise FileNotFoundError("<Code>NoSuchBucket</Code>")


def test_the_status_is_found_in_an_answer_without_a_code_of_its_own():
    assert code_of(Exception("Server returned non-2xx status code: 429 Too Many Requests: ")) == "429"


def test_what_a_puts_source_misses_is_still_missing(store):
    def source():
        yield b"x"
        raise ObjectMissing("recordings/another/original")

    with pytest.raises(ObjectMissing, match="another"):
        store.put_stream(NAME, source())
    assert not store.exists(NAME)
