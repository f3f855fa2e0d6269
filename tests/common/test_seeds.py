"""Seeds depend on names alone."""

from scripts.common.seeds import seed_from


def test_the_same_names_give_the_same_seed():
    assert seed_from("batches", 1, 2) == seed_from("batches", 1, 2)
    assert 0 <= seed_from("batches", 1, 2) < 2**63


def test_names_do_not_run_together():
    assert len({seed_from("a", 11), seed_from("a", 1, 1), seed_from("a1", 1), seed_from(1, "a", 1)}) == 4
