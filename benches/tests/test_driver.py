import pytest

from suite.driver import Driver, OrderFailedError


class FailingDriver(Driver):
    """A child whose first runs fail."""

    def __init__(self, name, failing):
        self.name, self.failing, self.failures = name, failing, []

    def ask(self, verb, **_words):
        self.failing -= 1
        if self.failing >= 0:
            raise OrderFailedError(self.name, verb, "ClosedChannelException", "")
        return {"wall": 1.0}


def test_a_run_of_sparks_that_fails_is_told_and_run_again():
    driver = FailingDriver("pipelined", 2)
    assert driver.run() == {"wall": 1.0}
    assert driver.told() == ["pipelined: ClosedChannelException"] * 2
    assert driver.told() == []


def test_plans_of_sparks_that_fail_are_made_again():
    assert FailingDriver("pipelined", 1).insist("plan", times=12) == {"wall": 1.0}
    with pytest.raises(OrderFailedError, match="'ember' failed at 'plan'"):
        FailingDriver("ember", 1).insist("plan", times=12)


def test_a_run_of_sparks_that_always_fails_ends_the_measuring():
    with pytest.raises(OrderFailedError, match="'pipelined' failed at 'run'"):
        FailingDriver("pipelined", 3).run()


def test_a_run_of_embers_that_fails_is_not_run_again():
    with pytest.raises(OrderFailedError, match="'ember' failed at 'run'"):
        FailingDriver("ember", 1).run()
