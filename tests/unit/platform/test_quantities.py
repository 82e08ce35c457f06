"""Amounts as people write and read them."""

from __future__ import annotations

import pytest

from podium.platform.quantities import InvalidAmount, Unit, read_amount, shown_amount


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("4 GiB", Unit.BYTES, 4 * 2**30),
        ("4GiB", Unit.BYTES, 4 * 2**30),
        ("4g", Unit.BYTES, 4 * 2**30),
        ("512MB", Unit.BYTES, 512_000_000),
        ("1.5 gib", Unit.BYTES, 1.5 * 2**30),
        ("1000", Unit.BYTES, 1000),
        ("10 KiB", Unit.BYTES, 10_240),
        ("1 byte", Unit.BYTES, 1),
        ("90", Unit.SECONDS, 90),
        ("90 s", Unit.SECONDS, 90),
        ("10 min", Unit.SECONDS, 600),
        ("1 h 30 min", Unit.SECONDS, 5400),
        ("1h30m", Unit.SECONDS, 5400),
        ("2 days", Unit.SECONDS, 172_800),
        ("0.5", Unit.CORES, 0.5),
        ("2 cores", Unit.CORES, 2),
        ("10_000", Unit.COUNT, 10_000),
        ("  7  ", Unit.COUNT, 7),
    ],
)
def test_amounts_are_read(text: str, unit: Unit, amount: float) -> None:
    assert read_amount(text, unit) == amount


@pytest.mark.parametrize(
    ("text", "unit", "remedy"),
    [
        ("", Unit.BYTES, "512 MiB"),
        ("lots", Unit.BYTES, "512 MiB"),
        ("-1", Unit.BYTES, "512 MiB"),
        ("1e9", Unit.BYTES, "512 MiB"),
        ("0x10", Unit.COUNT, "whole number"),
        ("4 GiB 2 MiB", Unit.BYTES, "512 MiB"),
        ("1 GiB", Unit.SECONDS, "10 min"),
        ("10:30", Unit.SECONDS, "10 min"),
        ("1 h 30", Unit.SECONDS, "10 min"),
        ("5 s", Unit.COUNT, "whole number"),
        ("nan", Unit.CORES, "number of cores"),
        ("inf", Unit.CORES, "number of cores"),
        ("9999999999999999 TiB", Unit.BYTES, "512 MiB"),
        ("9" * 5000, Unit.COUNT, "whole number"),
        ("1 " * 5000, Unit.SECONDS, "10 min"),
    ],
)
def test_what_is_no_amount_is_refused_with_what_to_write(text: str, unit: Unit, remedy: str) -> None:
    with pytest.raises(InvalidAmount) as refused:
        read_amount(text, unit)
    assert remedy in refused.value.remedy
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (4 * 2**30, Unit.BYTES, "4 GiB"),
        (1536 * 2**20, Unit.BYTES, "1.5 GiB"),
        (512_000_000, Unit.BYTES, "488.28 MiB"),
        (1000, Unit.BYTES, "1000 bytes"),
        (1, Unit.BYTES, "1 byte"),
        (0, Unit.BYTES, "0 bytes"),
        (90, Unit.SECONDS, "90 s"),
        (0.5, Unit.SECONDS, "0.5 s"),
        (600, Unit.SECONDS, "10 min"),
        (5400, Unit.SECONDS, "1 h 30 min"),
        (86_400, Unit.SECONDS, "1 d"),
        (121, Unit.SECONDS, "2 min 1 s"),
        (1, Unit.CORES, "1 core"),
        (0.5, Unit.CORES, "0.5 cores"),
        (10_000, Unit.COUNT, "10,000"),
    ],
)
def test_amounts_are_shown(amount: float, unit: Unit, text: str) -> None:
    assert shown_amount(amount, unit) == text


@pytest.mark.parametrize("amount", [1, 90, 119, 120, 600, 3599, 86_399, 86_400, 1_000_000])
def test_durations_that_are_shown_can_be_read_again(amount: float) -> None:
    assert read_amount(shown_amount(amount, Unit.SECONDS), Unit.SECONDS) == amount
