"""Seeds of different random streams differ."""

from vaeline.system.seeds import derive_seed


def test_names_and_numbers_make_different_seeds() -> None:
    seeds = [derive_seed(*each) for each in [("a",), ("b",), ("a", 0), ("a", 0, 0), ("a", 1), ("a", 0, 1), ("a", 1, 0)]]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_seed_is_the_same_in_every_process_and_version() -> None:
    assert derive_seed("weights", 0) == 2545154282492514957
