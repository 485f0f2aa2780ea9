from suite.warmth import Warmth, warm_up


def run_with(compilers):
    """Give runs of one second of CPU time, of which the compilers have these."""
    left = iter(compilers)
    return lambda: {"jvm_cpu": 0.75, "python_cpu": 0.25, "compilers_cpu": next(left)}


def test_a_leg_is_warm_when_two_runs_in_a_row_hardly_compiled():
    assert warm_up(run_with([0.5, 0.04, 0.2, 0.05, 0.01]), 60) == Warmth(5, warm=True, cpu=1.0)


def test_a_leg_that_goes_on_compiling_is_measured_all_the_same_and_said_not_to_be_warm():
    assert warm_up(run_with([0.5] * 7), 7) == Warmth(7, warm=False, cpu=1.0)


def test_what_a_warm_run_takes_is_not_told_by_one_that_lost_an_account():
    runs = [{"jvm_cpu": 0.75, "python_cpu": at, "compilers_cpu": 0.5} for at in (0.25, -0.8, 0.35)]
    assert warm_up(iter(runs).__next__, 3).cpu == 1.0


def test_a_leg_is_warmed_for_a_limited_time(monkeypatch):
    monkeypatch.setattr("suite.warmth.SECONDS", -1.0)
    assert warm_up(run_with([0.5] * 7), 7) == Warmth(3, warm=False, cpu=1.0)


def test_without_warm_up_nothing_runs():
    assert warm_up(run_with([]), 0) == Warmth(0, warm=False, cpu=0.0)
