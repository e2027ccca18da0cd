"""Numbers and names as people type them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unionaid.lib.identity import (
    IdentityError,
    credit_code_check,
    make_id_number,
    parse_bank_card,
    parse_credit_code,
    parse_id_number,
    parse_person_name,
    parse_phone,
)

anything = st.text(st.characters(), max_size=40)


@given(anything)
def test_no_text_breaks_a_normaliser(text: str) -> None:
    for parse in (parse_id_number, parse_phone, parse_credit_code, parse_bank_card, parse_person_name):
        try:
            once = parse(text)
        except IdentityError as error:
            assert error.message
            continue
        plain = getattr(once, "number", once)
        again = parse(plain)
        assert getattr(again, "number", again) == plain


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 999))
def test_a_made_number_is_read_back(birth: date, order: int) -> None:
    read = parse_id_number(make_id_number("610802", birth, order))
    assert (read.birth_date, read.gender) == (birth, "male" if order % 2 else "female")


@given(st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_found(place: int, shift: int) -> None:
    good = "360426199101010071"
    if place == 17:
        bad = good[:17] + "X0123456789"[(int(good[17]) + 1 + shift) % 11]
    else:
        bad = good[:place] + str((int(good[place]) + shift) % 10) + good[place + 1 :]
    if bad != good:
        with pytest.raises(IdentityError):
            parse_id_number(bad)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("6.10802E+17", "scientific"),
        ("610802900308128", "old"),
        ("36042619910101007", "shape"),
        ("360426199113010071", "birth"),
        ("360426199101010072", "check"),
        ("①②③④⑤⑥⑦⑧⑨①②③④⑤⑥⑦⑧⑨", "birth"),
    ],
)
def test_a_wrong_number_says_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(IdentityError) as refused:
        parse_id_number(text)
    assert refused.value.code == code


def test_a_birthday_in_the_future_is_refused() -> None:
    with pytest.raises(IdentityError) as refused:
        parse_id_number(make_id_number("610802", date(2030, 1, 1), 1), on=date(2026, 1, 1))
    assert refused.value.code == "future"


@pytest.mark.parametrize("region", ["810000", "820000", "830000", "999999"])
def test_residence_permits_and_unknown_regions_pass(region: str) -> None:
    assert parse_id_number(make_id_number(region, date(1990, 1, 1), 1)).gender == "male"


@pytest.mark.parametrize("name", ["张三", "阿卜杜拉·买买提", "䶮小𠮷", "O'Brien Mary"])
def test_real_names_pass(name: str) -> None:
    assert parse_person_name(name) == name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("张\ue863", "张䶮"),  # as GBK kept it before it had a place of its own
        ("张\U00031350", "张\U00031350"),  # an ideograph that is newer than Python's tables
        *((f"买买提{dot}阿不都", "买买提·阿不都") for dot in "·•‧∙⋅・･．.\u0387\u2024\u2e31\ua78f\u318d"),
    ],
)
def test_every_way_to_write_a_rare_character_or_a_middle_dot_is_one_name(typed: str, name: str) -> None:
    assert parse_person_name(typed) == parse_person_name(name) == name


def test_credit_codes_with_letters_in_front_pass() -> None:
    for first in ("91110000600037341", "N2610800MA70A1B2C", "81610800MC1234567"):
        assert parse_credit_code(first + credit_code_check(first)).startswith(first)
