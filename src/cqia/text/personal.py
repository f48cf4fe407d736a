"""What personal data looks like in Chinese text: one rule a kind.

A rule has three parts, from cheap to exact: a Rust regex that says which texts to look at, a Python
regex with the context that a number must stand in, and a check of the number itself. No pattern
nests quantifiers over the same characters, so every search is linear in the text.

Sources: GB 11643-1999 (identity number, check digit by ISO 7064 MOD 11-2), ISO/IEC 7812 (card
numbers, Luhn), the numbering plan of the mainland (mobile 1[3-9], area codes 010, 02x, 0[3-9]xx),
GA 36 (number plates). The contexts and the exceptions are this project's choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

BEFORE = 16
"""Characters before a number that tell whose it is (this project's choice)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one kind of personal data is found, and what stands there afterwards."""

    mark: str
    guard: str
    """Rust regex: a text that does not hit it holds none."""
    pattern: re.Pattern[str]
    """The group `it` is what is masked."""
    check: Callable[[str], bool]
    """Whether the found text is one indeed."""
    public: re.Pattern[str] | None = None
    """What stands before (within BEFORE characters) where the find belongs to no person."""

    def mask(self, text: str) -> str:
        """The text with every find replaced by the mark."""
        return self.pattern.sub(self._replaced, text)

    def count(self, text: str) -> int:
        """How many finds the text holds."""
        return len(self.spans(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the finds stand."""
        return [found.span("it") for found in self.pattern.finditer(text) if self._is_one(found)]

    def _is_one(self, found: re.Match[str]) -> bool:
        start = found.start("it")
        before = found.string[max(start - BEFORE, 0) : start]
        return self.check(found["it"]) and not (self.public and self.public.search(before))

    def _replaced(self, found: re.Match[str]) -> str:
        if not self._is_one(found):
            return found[0]
        start, end = (found.start("it") - found.start(), found.end("it") - found.start())
        return found[0][:start] + self.mark + found[0][end:]


_PROVINCES = {
    *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55),
    *range(61, 66), 71, 81, 82,
}  # fmt: skip
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def is_identity(number: str) -> bool:
    """Whether 18 characters are an identity number: province, birth date and check digit."""
    if int(number[:2]) not in _PROVINCES:
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[17].upper()


def is_card(number: str) -> bool:
    """Whether 16 to 19 digits, spaces aside, pass Luhn's check and are not all one digit."""
    digits = [int(one) for one in number if one.isdigit()]
    if not 16 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = (sum(divmod(2 * one, 10)) for one in digits[-2::-2])
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _is_email(address: str) -> bool:
    name, _, domain = address.lower().rpartition("@")
    end = domain.rpartition(".")[2]
    return (
        name != "git"
        and end not in {"png", "jpg", "jpeg", "gif", "webp", "svg", "js", "css", "html", "py"}
        and not re.search(r"(?:^|\.)example\.(?:com|org|net)$", domain)
    )


def _is_wechat(name: str) -> bool:
    return name.lower() not in {
        "weixin", "wechat", "iphone", "android", "windows", "harmonyos", "official", "javascript",
    }  # fmt: skip


def _is_plate(plate: str) -> bool:
    return sum(one.isdigit() for one in plate) >= 3


def _always(_: str) -> bool:
    return True


_AREA = r"(?:010|02[0-57-9]|0[3-9]\d\d)"
_FREE = r"(?:(?<![0-9A-Za-z_.=/%+-])|(?=[+(（]))"
"""Not inside a longer number or word. `+` and `(` begin a number whatever stands before, so that
masking the one before changes nothing."""
_UNIT = r"(?!\s?[元万亿%倍人次个美分])"

_HELP = re.compile(r"(?:热线|援助|求助|危机|干预|急救|举报|投诉|报警|监督)[^\d。；;\n]{0,10}[ ]?$")
"""A number right behind these words is an office's, and masking a helpline does harm."""

_PLATE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·• ]?"

RULES: dict[str, Rule] = {
    "email": Rule(
        mark="[邮箱]",
        guard=r"@[A-Za-z0-9]",
        pattern=re.compile(
            r"(?<![A-Za-z0-9._%+-])(?P<it>[A-Za-z0-9_][A-Za-z0-9._%+-]{0,63}"
            r"@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24})(?![A-Za-z0-9_@-]|\.[A-Za-z0-9])"
        ),
        check=_is_email,
    ),
    "id_card": Rule(
        mark="[身份证号]",
        guard=r"[1-9]\d{16}[\dXx]",
        pattern=re.compile(
            r"(?<![0-9A-Za-z_.=/%-])(?P<it>[1-8]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])"
            r"(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx])(?![0-9A-Za-z_%]|[.-]\d)",
            re.ASCII,
        ),
        check=is_identity,
    ),
    "bank_card": Rule(
        mark="[银行卡号]",
        guard=r"(?:62|4\d|5[1-5]|35|60)\d\d ?\d{4} ?\d{4} ?\d{4}",
        pattern=re.compile(
            r"(?<![0-9A-Za-z_.=/%-])(?P<it>(?:62|4\d|5[1-5]|35|60)\d\d"
            r"(?:\d{12,15}|(?: \d{4}){3}(?: \d{1,3})?))(?![0-9A-Za-z_%]|[.-]\d)",
            re.ASCII,
        ),
        check=is_card,
    ),
    "mobile": Rule(
        mark="[手机号]",
        guard=r"1[3-9]\d[ -]?\d{4}[ -]?\d{4}",
        pattern=re.compile(
            rf"{_FREE}(?P<it>(?:(?:\+|00)?86[- ]?)?1[3-9]\d"
            rf"(?P<gap>[ -]?)\d{{4}}(?P=gap)\d{{4}})(?![0-9A-Za-z_%]|[.-]\d){_UNIT}",
            re.ASCII,
        ),
        check=_always,
    ),
    "landline": Rule(
        mark="[座机号]",
        guard=r"0\d{2,3}[)）]?[-－— ]?\d{7,8}",  # noqa: RUF001
        pattern=re.compile(
            rf"{_FREE}(?P<it>(?:\+?86[- ])?(?:{_AREA}[-－—]|[(（]{_AREA}[)）] ?-?)"  # noqa: RUF001
            rf"[2-8]\d{{6,7}}(?:(?:-|转)\d{{1,6}})?)(?![0-9A-Za-z_%]|[.-]\d){_UNIT}",
            re.ASCII,
        ),
        check=_always,
        public=_HELP,
    ),
    "wechat": Rule(
        mark="[微信号]",
        guard=r"(?i)(?:微信|薇信|wechat|weixin|vx|v信|加v).{0,8}[a-z]",
        pattern=re.compile(
            r"(?:微信|薇信|(?<![a-z])(?:wechat|weixin|vx|v信)|(?<=加)v)"
            r"(?:号码?|id)?[ ]?(?:[:：是为]|(?<=[号加dvxX]))[ ]?"
            r"(?P<it>[a-z][-_a-z0-9]{5,19})(?![-_a-z0-9@.:/])",
            re.ASCII | re.IGNORECASE,
        ),
        check=_is_wechat,
    ),
    "qq": Rule(
        mark="[QQ号]",
        guard=r"(?i)(?:qq|扣扣|企鹅|q群).{0,12}\d{5}",
        pattern=re.compile(
            r"(?:(?<![a-z])(?:qq|q(?=群))|扣扣|企鹅)(?:交流|讨论|学习|技术)?(?:群|号)?(?:号码?|码)?"
            rf"[ ]?[:：是为=]?[ ]?(?P<it>[1-9]\d{{4,10}})(?![0-9a-z_%]|[.-]\d){_UNIT}",
            re.ASCII | re.IGNORECASE,
        ),
        check=_always,
    ),
    "plate": Rule(
        mark="[车牌号]",
        guard=_PLATE + r"[A-Z0-9]{5}",
        pattern=re.compile(
            rf"(?P<it>{_PLATE}"
            r"(?:[DF][A-HJ-NP-Z0-9]\d{4}|\d{5}[DF]|[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳]))"
            r"(?![0-9A-Za-z_-]|\.\d)",
            re.ASCII,
        ),
        check=_is_plate,
    ),
}
"""Kind -> rule, in the order they run: an address before the number inside it."""
