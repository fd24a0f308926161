"""Random numbers depend on seed, sample and position alone, and look random in each."""

import numpy as np

from whetstone_engine.randomness import uniforms


def drawn(seeds, samples, first, count):
    return uniforms(np.array(seeds, np.int64), np.array(samples, np.int64), first, count)


def test_a_number_depends_on_its_three_coordinates_alone():
    block = drawn([5, 6, 2**47], [0, 3, 1], 0, 200)
    for row, (seed, sample) in enumerate(((5, 0), (6, 3), (2**47, 1))):
        assert np.array_equal(drawn([seed], [sample], 64, 64)[0], block[row, 64:128])
        assert drawn([seed], [sample], 199, 1)[0, 0] == block[row, 199]


def test_the_numbers_are_splitmix_and_fixed_for_ever():
    """A stored seed must mean the same sample in every later version."""
    golden, mask = 0x9E3779B97F4A7C15, 2**64 - 1

    def mix(state: int) -> int:
        state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & mask
        state = ((state ^ state >> 27) * 0x94D049BB133111EB) & mask
        return state ^ state >> 31

    for seed, sample, position in ((0, 0, 0), (1, 0, 63), (2**47 + 12345, 7, 1000)):
        row = mix((mix((seed + golden) & mask) + sample * golden + 1) & mask)
        expected = (mix((row + (position + 1) * golden) & mask) >> 40) / 2**24
        assert drawn([seed], [sample], position, 1)[0, 0] == expected
    assert drawn([1], [2], 3, 1)[0, 0] == 0.5227654576301575


def test_each_coordinate_alone_is_uniform_and_uncorrelated():
    count = 100_000
    streams = {
        "position": drawn([7], [0], 0, count)[0],
        "sample": drawn([7] * count, range(count), 3, 1)[:, 0],
        "seed": drawn(range(count), [0] * count, 3, 1)[:, 0],
    }
    for name, stream in streams.items():
        assert stream.dtype == np.float32
        assert stream.min() >= 0, name
        assert stream.max() < 1, name
        bins = np.bincount((stream * 100).astype(int), minlength=100)
        # The 0.9999 quantile of chi-square with 99 degrees of freedom.
        assert ((bins - count / 100) ** 2 / (count / 100)).sum() < 160, name
        for lag in (1, 2, 64):
            assert abs(np.corrcoef(stream[:-lag], stream[lag:])[0, 1]) < 0.015, name
    assert abs(np.corrcoef(streams["position"], streams["sample"])[0, 1]) < 0.015
    assert abs(np.corrcoef(streams["sample"], streams["seed"])[0, 1]) < 0.015
