from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.errors import UserError
from cqia.text.personal import is_card, is_identity

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]

MASKED = {
    "13800138000 13900139000": "[手机号] [手机号]",
    "13800138000+8613900139000": "[手机号][手机号]",
    "010-62345678(010)62345679": "[座机号][座机号]",
    "电话13800138000。": "电话[手机号]。",
    "+86 138-0013-8000": "[手机号]",
    "手机：138 0013 8000，晚上打": "手机：[手机号]，晚上打",
    "座机010-62345678转": "座机[座机号]转",
    "(0571)87654321": "[座机号]",
    "证号11010519491231002X，": "证号[身份证号]，",
    "信a.b-c@qq.com。": "信[邮箱]。",
    "QQ：12345678": "QQ：[QQ号]",
    "加QQ群号 123456789 进来": "加QQ群号 [QQ号] 进来",
    "微信号：abc_12345": "微信号：[微信号]",
    "加V：abcdef1": "加V：[微信号]",
    "卡号6222021234567890128": "卡号[银行卡号]",
    "4111 1111 1111 1111": "[银行卡号]",
    "车牌京A·12345和粤BD12345": "车牌[车牌号]和[车牌号]",
}

KEPT = [
    "订单202013800138000123", "13800138000元", "3.13800138000", "https://a.b/13800138000", "热线400-161-9995和12355", "危机干预中心：010-82951332", "举报电话 021-62345678", "打110或95588",
    "110105194912310021", "ISBN 978-7-111-12345-6", "1234567890123456", "QQ空间有100000人", "QQ 2013", "微信公众号 abcdefg", "微信web开发者工具",
    "icon@2x.png", "git@github.com:a/b", "user@example.com", "2020-12345678", "川ABCDEF", "圆周率3.14159265358979323846", "1921年至1949年",
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), MASKED.items())
def test_personal_data_is_masked(clean: Clean, text: str, wanted: str) -> None:
    assert clean(MaskPersonalData(), text) == wanted


@pytest.mark.parametrize("text", KEPT)
def test_other_numbers_stay(clean: Clean, text: str) -> None:
    assert clean(MaskPersonalData(), text) == text


def test_kinds_are_chosen_and_counted(clean: Clean, count: Count) -> None:
    unit = MaskPersonalData(kinds=("mobile", "email"))
    text = "13800138000，a@b.cn，QQ：12345678"
    assert clean(unit, text) == "[手机号]，[邮箱]，QQ：12345678"
    assert count(unit, text) == {"email": 1, "mobile": 1}
    assert sum(count(MaskPersonalData(), text).values()) == 3


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(UserError, match="did you mean mobile"):
        MaskPersonalData(kinds=("mobil",))


def test_check_digits() -> None:
    assert is_identity("11010519491231002X")
    assert not is_identity("110105194912310021")
    assert not is_identity("99010519491231002X")
    assert not is_identity("11010519490231002X")
    assert is_card("4111111111111111")
    assert not is_card("4111111111111112")
    assert not is_card("0000000000000000")
