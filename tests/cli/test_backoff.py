from bluelamp.cli.supervisor.backoff import STABLE_SECONDS, Backoff


def test_waits_double_up_to_half_a_minute_with_jitter() -> None:
    backoff = Backoff()
    waits = [backoff.delay(ran_seconds=0.1) for _ in range(12)]
    for wait, middle in zip(waits, [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30], strict=True):
        assert middle * 0.75 <= wait <= middle * 1.25
    assert len(set(waits)) == len(waits)


def test_a_process_that_ran_well_starts_again_at_once() -> None:
    backoff = Backoff()
    for _ in range(10):
        backoff.delay(ran_seconds=0.1)
    assert backoff.delay(ran_seconds=STABLE_SECONDS) < 0.4
