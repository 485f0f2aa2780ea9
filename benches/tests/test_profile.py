from suite.profile import shares_of

REPORT = """
    41.07%  perf-4711.map
    30.50%  libpython3.11.so.1.0
     9.00%  libarrow.so.2200
     8.25%  _multiarray_umath.cpython-311-x86_64-linux-gnu.so
     5.00%  libember_jni.so
     4.00%  libjvm.so
     1.18%  libc.so.6
     1.00%  [kernel.kallsyms]
"""


def test_each_library_counts_for_one_kind_of_code():
    shares = shares_of(REPORT)
    assert shares["Java, compiled"] == 41.07
    assert shares["Python: interpreter, modules written in C, Arrow, numpy, pandas"] == 47.75
    assert shares["Ember's native code"] == 5
    assert sum(shares.values()) == 100
    assert not shares["other"]
