"""What is summed beside the work is the sum of all pieces in their order."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from podium.platform.background_digest import BackgroundDigest

SIZES = st.lists(st.sampled_from([0, 1, 1000, (1 << 17) - 1, 1 << 17, 1 << 20]), max_size=8)


@given(SIZES, st.integers(0, 255))
def test_the_sum_is_that_of_all_pieces(sizes: list[int], seed: int):
    pieces = [bytes([(seed + number) % 256]) * size for number, size in enumerate(sizes)]
    with BackgroundDigest() as digest:
        for piece in pieces:
            digest.add(piece)
        assert digest.hexdigest() == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_it_begins_again():
    with BackgroundDigest() as digest:
        digest.add(b"x" * (1 << 20))
        digest.begin_again()
        digest.add(b"y")
        assert digest.hexdigest() == hashlib.sha256(b"y").hexdigest()


def test_two_buffers_that_take_turns_are_enough():
    buffers = [bytearray(1 << 20), bytearray(1 << 20)]
    expected = hashlib.sha256()
    with BackgroundDigest() as digest:
        for number in range(20):
            buffer = buffers[number % 2]
            buffer[:] = bytes([number]) * len(buffer)
            expected.update(buffer)
            digest.add(memoryview(buffer))
        assert digest.hexdigest() == expected.hexdigest()
