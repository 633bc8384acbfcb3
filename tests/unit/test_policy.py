"""Policy files at the border: rules as data, and faults told by file, key and value."""

from __future__ import annotations

import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from economy.errors import BadInput
from economy.policy import DATA_DIR, Policy, load_policy, policy_from

FOUNDING = (DATA_DIR / "policies" / "founding.toml").read_text(encoding="utf-8")


def written(tmp_path: Path, old: str, new: str) -> Path:
    """The founding policy with one passage changed, as a user's own file."""
    assert old in FOUNDING
    path = tmp_path / "mine.toml"
    path.write_text(FOUNDING.replace(old, new, 1), encoding="utf-8")
    return path


def test_both_shipped_policies_load_by_name() -> None:
    assert load_policy("founding").name == "founding"
    assert load_policy("sound").name == "sound"


def test_money_in_a_policy_is_exact_integers_and_fractions() -> None:
    policy = load_policy("founding")
    assert policy.credit.reference_value_nusd == 10_000_000
    assert policy.pack("volume").basis == Fraction(100, 11)
    assert policy.pricing.grid_ucr == 100
    assert policy.contribution.fee == Fraction(1, 10)


def test_packs_spread_their_price_over_all_their_credits() -> None:
    """Rules, section 1: bases $0.01 / 0.009 / 0.008 / 0.0090909..."""
    policy = load_policy("founding")
    bases = {pack.name: pack.basis / 1000 for pack in policy.packs}  # USD per Credit.
    assert bases == {
        "starter": Fraction(1, 100),
        "pro": Fraction(9, 1000),
        "enterprise": Fraction(8, 1000),
        "volume": Fraction(1, 110),
    }


@pytest.mark.parametrize(
    ("old", "new", "key", "told"),
    [
        # A misspelt rule must not fall back to a default.
        ("fee =", "fees =", "contribution.fees", "unknown key"),
        ('name = "founding"', 'name = "founding"\ncurrency = "EUR"', "currency", "unknown key"),
        ('price_usd = "90"', 'price_usd = "-90"', "packs.1.price_usd", "-90"),
        ('price_usd = "90"', "price_usd = 90.0", "packs.1.price_usd", "float"),
        ('fee = "0.10"', "fee = 0.10", "contribution.fee", "float"),
        ('fee = "0.10"', 'fee = "a tenth"', "contribution.fee", "a tenth"),
        ('price_usd = "90"', 'price_usd = "0"', "packs.1", "above zero"),
        ('price_usd = "90"', 'price_usd = "1e-10"', "packs.1.price_usd", "nano-dollar"),
        ('scheme = "upfront"', 'scheme = "sometimes"', "contribution.scheme", "sometimes"),
        ('name = "pro"', 'name = "starter"', None, "same name"),
        ("timeout_s = 600", "timeout_s = 0", "holds.timeout_s", "0"),
        ("timeout_s = 600", "timeout_s = true", "holds.timeout_s", "True"),
        ('low = "0.20", high', 'low = "0.60", high', "pricing.markup_range", "low"),
        ('increment_cr = "1"', 'increment_cr = "0"', "pricing.rounding", "above zero"),
        ('"referral", "purchased", "earned"]\n\n[holds]', '"referral"]\n\n[holds]', None, "order"),
        ("timeout_s = 600", "timeout_s = 600.0", "holds.timeout_s", "600.0"),
        ("schema_version = 1", "schema_version = 2", "schema_version", "2"),
    ],
)
def test_a_fault_is_told_by_file_key_and_value(
    tmp_path: Path, old: str, new: str, key: str | None, told: str
) -> None:
    path = written(tmp_path, old, new)
    with pytest.raises(BadInput) as caught:
        load_policy(str(path))
    error = caught.value
    assert error.where == str(path)
    if key is not None:
        assert error.field == key
    assert told in error.message


def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="required") as caught:
        load_policy(str(written(tmp_path, 'fee = "0.10"\n', "")))
    assert caught.value.field == "contribution.fee"


def test_an_unknown_key_is_told_first_and_the_other_faults_are_counted(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_policy(str(written(tmp_path, 'fee = "0.10"', 'fees = "0.10"')))
    assert caught.value.field == "contribution.fees"
    assert "1 more" in (caught.value.way_out or "")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"name = ", "not TOML"), (b"\xff\xfe", "not TOML"), (b"", "required")],
)
def test_a_file_that_is_no_policy_is_bad_input(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=told):
        load_policy(str(path))


def test_a_folder_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load_policy(str(tmp_path))


def test_a_number_of_absurd_length_is_bad_input(tmp_path: Path) -> None:
    path = written(tmp_path, "timeout_s = 600", f"timeout_s = {'9' * 5000}")
    with pytest.raises(BadInput):
        load_policy(str(path))


def test_a_policy_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(BadInput, match="founding, sound"):
        load_policy("fuonding")


def test_a_pack_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(BadInput, match="starter, pro, enterprise, volume"):
        load_policy("founding").pack("mega")


def test_no_float_stands_anywhere_in_a_loaded_policy() -> None:
    def floats(value: Any, path: str) -> list[str]:
        if isinstance(value, float):
            return [path]
        if isinstance(value, dict):
            return [f for key, part in value.items() for f in floats(part, f"{path}.{key}")]
        if isinstance(value, list | tuple):
            return [f for i, part in enumerate(value) for f in floats(part, f"{path}.{i}")]
        return []

    for name in ("founding", "sound"):
        assert floats(load_policy(name).model_dump(), name) == []


def test_sound_has_the_founding_prices_and_rounding() -> None:
    """Rules: ``sound`` is the same economy with its holes closed (same prices and rounding)."""
    founding, sound = load_policy("founding"), load_policy("sound")
    assert sound.pricing == founding.pricing
    assert sound.packs == founding.packs
    assert sound.contribution.scheme == "on_use"
    assert sound.redemption.origins == ("earned",)
    assert sound.contribution.payout_cap_usd_per_quota_usd == Fraction(9, 10)


def test_a_policy_cannot_be_changed_once_loaded() -> None:
    policy: Policy = policy_from(tomllib.loads(FOUNDING), "founding.toml")
    with pytest.raises(ValueError, match=re.compile("frozen", re.IGNORECASE)):
        policy.name = "mine"
