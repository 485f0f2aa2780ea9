import pyarrow as pa

from flights.compare import difference
from flights.functions import delay_category, minutes_late


def test_the_order_of_rows_is_no_difference():
    left = pa.table({"id": [1, 2], "x": [0.5, float("nan")]})
    right = pa.table({"id": [2, 1], "x": [float("nan"), 0.5]})
    assert difference(left, right) == ""


def test_a_null_is_not_a_nan():
    left = pa.table({"id": [1], "x": pa.array([None], pa.float64())})
    right = pa.table({"id": [1], "x": [float("nan")]})
    assert difference(left, right) == "values of x"


def test_a_missing_row_is_a_difference():
    left = pa.table({"id": [1, 2]})
    assert difference(left, left.slice(0, 1)) == "rows: 2 | 1"


def test_minutes_late_cross_midnight():
    assert minutes_late(5, 2350) == 15
    assert minutes_late(2350, 5) == -15
    assert minutes_late(None, 5) is None


def test_each_flight_has_a_category():
    assert delay_category(None, None) == "cancelled"
    assert delay_category(3, None) == "diverted"
    assert delay_category(3, -1) == "made up"
    assert delay_category(3, 60) == "very late"
