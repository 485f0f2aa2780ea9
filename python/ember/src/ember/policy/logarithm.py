"""Natural logarithms that are the same bits on every processor.

Those of numpy and of C libraries differ in the last place by version and by what the processor can
do, and then so may splits. Here a logarithm is additions, multiplications and divisions in one
order, each of which IEEE 754 rounds the same everywhere; ``logarithm.rs`` has the same ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

#: The first 32 bits of ln 2, which times an exponent is exact, and the rest.
_HIGH: Final = float.fromhex("0x1.62e42feep-1")
_LOW: Final = float.fromhex("0x1.a39ef35793c76p-33")
_ROOT_OF_HALF: Final = 0.7071067811865476

#: Of ln((1 + s) / (1 - s)) = 2 s (1 + s**2 / 3 + s**4 / 5 + ...): what is left out is below 2**-60.
_DIVISORS: Final = tuple(range(23, 1, -2))


def log(values: Values) -> Values:
    """Return natural logarithms of positive doubles that are not subnormal."""
    fraction, exponent = np.frexp(values)
    low = fraction < _ROOT_OF_HALF
    fraction = np.where(low, fraction + fraction, fraction)
    exponent = exponent - low
    s = (fraction - 1.0) / (fraction + 1.0)
    square = s * s
    series = np.zeros_like(s)
    for divisor in _DIVISORS:
        series = (series + 1.0 / divisor) * square
    twice = s + s
    found: Values = exponent * _HIGH + (exponent * _LOW + (twice + twice * series))
    return found
