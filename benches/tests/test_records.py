import pyarrow as pa

from suite.records import mixed, records, scaled, write_tables


def test_the_same_seed_gives_the_same_records():
    assert records(500).equals(records(500))
    assert mixed(500).equals(mixed(500))
    assert records(500).num_rows == mixed(500).num_rows == 500


def test_words_have_twenty_characters_and_amounts_two_digits_behind_the_point():
    table = mixed(500)
    assert {len(word) for word in table["word"].to_pylist()} == {20}
    assert table.schema.field("amount").type == pa.decimal128(12, 2)
    assert {amount.as_tuple().exponent for amount in table["amount"].to_pylist()} == {-2}


def test_a_scale_makes_every_table_smaller_but_never_empty(tmp_path):
    assert scaled(100_000, 0.5) == 50_000
    assert scaled(10, 0.001) == 1
    assert set(write_tables(tmp_path, 0.0001)) == {"records", "mixed"}
