"""Numbers and names of people and units: one normaliser each, used by forms, imports, search and hashes alike.

Every normaliser is idempotent, takes what people type (full-width digits, blanks, invisible characters) and refuses
the rest with a sentence that says what to do.

>>> parse_id_number("３６０４２６ 19910101 007１").number
'360426199101010071'
>>> mask_id("360426199101010071"), mask_name("欧阳小梅"), mask_phone("13800138000")
('360***********0071', '欧***', '138****8000')
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from operator import mul

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
# What seventeen zeros come to when digits are weighed by their ASCII codes.
_OF_ZEROS = sum(_ID_WEIGHTS) * ord("0")
_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_ID_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
# zh: nearly every name: characters that have been in Unicode from the beginning, and nothing else
_COMMON_NAME = re.compile("[\u4e00-\u9fa5]{2,50}")
_INVISIBLE = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\u00a0\u3000]")
PAPER_NUMBER = 40  # letters and digits at most
# zh: the middle dots of every keyboard and script that stand in names
_DOTS = re.compile("[•‧∙⋅・･．.·\u0387\u2024\u16eb\u2e31\u2e33\ua78f\u1427\u318d\u30fb]")
# Eighty characters that GBK kept in the private area of Unicode until they were given places of their own: as older systems write them.
_SETTLED = {0xE815 + i: bytes((0xFE, 0x50 + i + (i >= 0x2F))).decode("gb18030") for i in range(80)}


class IdentityError(ValueError):
    """What was typed is no such number or name. `code` is stable; the message is for the person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A resident number (GB 11643-1999) and what it tells."""

    number: str
    birth_date: date
    gender: str


@dataclass(frozen=True, slots=True)
class BankCardNumber:
    """An account number; a failed Luhn check is only a warning (passbooks and union cards)."""

    number: str
    luhn_ok: bool


def _plain(text: str) -> str:
    if text.isascii() and text.isalnum():  # as nearly all are: nothing to normalise
        return text.upper()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).upper()


def check_character(first17: str) -> str:
    """The 18th character by ISO 7064 MOD 11-2."""
    return _ID_CHECKS[(sum(map(mul, first17.encode(), _ID_WEIGHTS)) - _OF_ZEROS) % 11]


def make_id_number(region: str, birth: date, order: int) -> str:
    """A valid number for demo and test people; an odd order is a man, an even one a woman."""
    first17 = f"{region}{birth:%Y%m%d}{order:03d}"
    return first17 + check_character(first17)


def parse_id_number(text: str, *, on: date | None = None) -> IdNumber:
    """The normalised number with birth date and gender. The check character and the birth date decide; an
    unknown region does not matter (codes are retired; residence permits begin with 81, 82, 83). With `on`, a birthday
    after that day is refused. IdentityError otherwise."""
    plain = _plain(text)
    if not plain:
        raise IdentityError("empty", "请填写身份证号")
    if not _ID_SHAPE.fullmatch(plain):
        raise _misshapen(plain)
    try:
        birth = date.fromisoformat(plain[6:14])
    except ValueError:
        raise IdentityError("birth", "身份证号中的出生日期不存在，请对照身份证再输一遍") from None
    if birth.year < 1900:
        raise IdentityError("birth", "身份证号中的出生年份不对，请对照身份证再输一遍")
    if on is not None and birth > on:
        raise IdentityError("future", "身份证号中的出生日期在今天之后，请对照身份证再输一遍")
    if check_character(plain[:17]) != plain[17]:
        raise IdentityError("check", "身份证号最后一位不对，请对照身份证再输一遍")
    return IdNumber(plain, birth, "male" if int(plain[16]) % 2 else "female")


def _misshapen(plain: str) -> IdentityError:
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?E\+?[0-9]+", plain):
        return IdentityError("scientific", "身份证号被表格软件变成了科学计数法，请把这一列设为“文本”后重新填写")
    if re.fullmatch(r"[0-9]{15}", plain):
        return IdentityError("old", "这是 15 位旧号码，请填写现在身份证上的 18 位号码")
    if re.fullmatch(r"[A-Z]{3}[0-9]{12}", plain):
        return IdentityError("old_permit", "这是旧版外国人永久居留身份证的号码，请换新版证件后填写 18 位号码，或联系办事处")
    return IdentityError("shape", "身份证号应为 18 位（最后一位可以是 X），请对照身份证再输一遍")


def parse_phone(text: str) -> str:
    """A mainland mobile number of eleven digits; +86 is taken off."""
    if _MOBILE.fullmatch(text):
        return text
    plain = re.sub(r"[-()]", "", _plain(text))
    plain = re.sub(r"^(\+?86)(?=1[3-9][0-9]{9}$)", "", plain)
    if not _MOBILE.fullmatch(plain):
        raise IdentityError("phone", "手机号应为 11 位数字，例如 13800138000")
    return plain


def parse_credit_code(text: str) -> str:
    """A unified social credit code (GB 32100-2015): 18 characters, check by MOD 31; letters may stand anywhere."""
    plain = _plain(text)
    if len(plain) != 18 or any(c not in _CODE_ALPHABET for c in plain):
        raise IdentityError("credit_code", "统一社会信用代码应为 18 位数字和大写字母（不含 I、O、Z、S、V），请对照证书再填")
    if credit_code_check(plain[:17]) != plain[17]:
        raise IdentityError("credit_code", "统一社会信用代码最后一位不对，请对照证书再填")
    return plain


def credit_code_check(first17: str) -> str:
    """The 18th character of a credit code."""
    total = sum(_CODE_ALPHABET.index(c) * w for c, w in zip(first17, _CODE_WEIGHTS, strict=True))
    return _CODE_ALPHABET[(31 - total % 31) % 31]


def parse_bank_card(text: str) -> BankCardNumber:
    """8 to 30 digits; an all-zero number is refused."""
    plain = re.sub(r"-", "", _plain(text))
    if not re.fullmatch(r"[0-9]{8,30}", plain) or not plain.strip("0"):
        raise IdentityError("bank_card", "银行账号应为 8 到 30 位数字，请对照银行卡再填")
    return BankCardNumber(plain, _luhn(plain))


def parse_paper_number(text: str) -> str:
    """The number of an invoice or a settlement, in the one form in which numbers are compared: letters and digits alone, capitals. Empty
    for nothing; refused when there is no digit in it ("无"), or more than any paper has.

    >>> parse_paper_number("００１２-3456 78"), parse_paper_number("京a—0012"), parse_paper_number(" ")
    ('0012345678', '京A0012', '')
    """
    plain = _plain(text)
    if plain and not any(c in "0123456789" for c in plain):
        raise IdentityError("paper_number", "号码里要有数字，请对照单据填写；单据上没有的，这一项不填")
    number = "".join(c for c in plain if c.isalnum())
    if len(number) > PAPER_NUMBER:
        raise IdentityError("paper_number", "号码最多 40 个字母和数字，请对照单据填写")
    return number


def _luhn(digits: str) -> bool:
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (2 if i % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


# Newer ideographs count as not assigned until Python knows of them; their planes hold nothing else.
_NO_LETTERS = {"Cs", "Cc", "Cn", "Co", "Nd", "No", "Sm", "Sc", "So"}


def parse_person_name(text: str) -> str:
    """A name of 2 to 50 characters; rare characters are kept, middle dots become ·, digits and signs are refused."""
    if _COMMON_NAME.fullmatch(text):
        return text
    name = _DOTS.sub("·", re.sub(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]", "", text))
    name = re.sub(r"[\s\u3000]+", " ", name.translate(_SETTLED)).strip()
    if re.search(r"[\u3400-\u9fff\U00020000-\U0003ffff]", name):
        name = name.replace(" ", "")
    if any(unicodedata.category(c) in _NO_LETTERS and not "\U00020000" <= c <= "\U0003fffd" for c in name):
        raise IdentityError("name", "姓名里有不能识别的字符，请只填写身份证上的姓名")
    if any(unicodedata.category(c)[0] == "P" and c not in "·-'’" for c in name):
        raise IdentityError("name", "姓名里有标点符号，请只填写身份证上的姓名")
    if not 2 <= len(name) <= 50:
        raise IdentityError("name", "请填写身份证上的姓名（2 到 50 个字）")
    return name


def mask_id(number: str) -> str:
    """First three and last four characters."""
    return number[:3] + "*" * max(0, len(number) - 7) + number[-4:]


def mask_phone(number: str) -> str:
    """First three and last four digits."""
    return number[:3] + "****" + number[-4:]


def mask_card(number: str) -> str:
    """Last four digits."""
    return "**** " + number[-4:]


def mask_name(name: str) -> str:
    """The first character and a star for each other."""
    return name[:1] + "*" * (len(name) - 1)
