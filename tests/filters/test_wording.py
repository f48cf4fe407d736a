"""The filters that look for telling words: what they must find, and what they must leave alone."""

import pytest

from cqia.errors import UserError
from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.base import TextFilter
from cqia.filters.context import MissingContext
from cqia.filters.phrases import phrases, shelf
from cqia.filters.refusals import Refusals
from cqia.filters.sensitive import CATEGORIES, SensitiveWords
from cqia.filters.truncation import Truncation
from tests.filters.measuring import measure


def dropped(rule: TextFilter, text: str) -> bool:
    """Whether the text's number is above the bound."""
    (value,) = measure(rule, **{rule.field: [text]})
    assert value is not None
    assert rule.high is not None
    return value > rule.high


ADVERTS = (
    "姐妹们快来，加我微信领试用装",
    "本周转发抽奖，揪三位送口红",
    "领券后到手价三十九，戳链接",
    "评论区抽两个朋友，免费送一整套",
    "有需要的宝子点左下角小黄车",
    "厂家直销，假一赔十",
)
HONEST = (
    "商家常用优惠券吸引顾客，这种做法叫价格歧视。",
    "营销方案：第一周预热，第二周发放满减，第三周总结。",
    "抽奖的概率可以用超几何分布计算。",
    "微信支付怎样设置密码？打开设置，再点支付。",
    "这本书的正品保证了作者的权益。",
    "警方提醒：推荐股票的多半是荐股诈骗。",
)


@pytest.mark.parametrize("text", ADVERTS)
def test_adverts_are_found(text: str) -> None:
    assert dropped(Adverts(), text)


@pytest.mark.parametrize("text", HONEST)
def test_text_about_marketing_survives(text: str) -> None:
    assert not dropped(Adverts(), text)


def test_an_advert_phrase_counts_once_and_by_its_weight() -> None:
    assert measure(Adverts(), output=["优惠券，优惠券", "优惠券和满减", "加微信"]) == [1, 2, 2]


@pytest.mark.parametrize(
    "text",
    [
        "这个品、牌真的好用",
        "想要的薇 信找我",
        "去淘❤️宝搜同名",
        "加-v-信领取",
        "我的v❤信",
        "➕V 看主页",
        "威❤️信聊",
        "要的话加vx abc_12345",
        "直接去t.b搜",
        "拼*多*多有卖",
        "优·惠·券在主页",
    ],
)
def test_disguised_adverts_are_found(text: str) -> None:
    assert dropped(ObfuscatedAdverts(), text)


@pytest.mark.parametrize(
    "text",
    [
        "品牌和微信都是常见的词，淘宝也是。",
        "食品、牌照、税务都要检查。",
        "隐私、信息安全和财产。",
        "北京、东京、首尔是三座都城。",
        "由 v = s/t 得 u+v=10，加v后再乘以t。",
        "对象 t.b 是属性，写作 obj.t.b 也行。",
        "以下 单元格需要合并。",
        "产品 牌子 价格",
        "权威 信息来自官网。",
        "口红、包包和鞋子。",
    ],
)
def test_honest_gaps_survive(text: str) -> None:
    assert not dropped(ObfuscatedAdverts(), text)


@pytest.mark.parametrize(
    "text",
    [
        "作为一个人工智能语言模型，我无法体会情感。",
        "作为AI，我没有身体。",
        "很抱歉，我无法提供这类信息。",
        "对不起，我不能回答这个问题。",
        "由于我是一个AI助手，不能上网。",
        "As an AI language model, I cannot do that.",
    ],
)
def test_refusals_are_found(text: str) -> None:
    assert dropped(Refusals(), text)


@pytest.mark.parametrize(
    "text",
    [
        "人工智能作为一种技术，正在改变医疗。",
        "作为人工智能专业的学生，我每天写代码。",
        "作为一个人工智能系统，我们需要先评估它的风险。",
        "他说自己无法回答老师的问题。",
        "对不起，我来晚了。",
        "语言模型是一种概率模型。",
    ],
)
def test_text_about_machines_survives(text: str) -> None:
    assert not dropped(Refusals(), text)


LONG = "先把糖放进锅里用小火慢慢熬，等颜色变深以后再加半碗热水，然后"


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        LONG + "盖上锅盖焖上二十分钟直到汤汁",
        "步骤如下：",
        "第一点，",
        "例如以下代码：\n```python\nprint(1)",
        "他写了《",
        LONG + "，",
    ],
)
def test_broken_off_answers_are_found(text: str) -> None:
    assert dropped(Truncation(), text)


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "鲁迅",
        "本题应选B",
        LONG + "就好了。",
        LONG + "就好了。”",
        LONG + "就好了。）**",
        LONG + "就好了🎉🎉",
        LONG + "就好了~",
        LONG + "\n```python\nprint(1)\n```",
        LONG + "，得到 $x^2 + y^2 = 1$",
        "| 名称 | 价格 |\n|---|---|\n| 盖上锅盖焖上二十分钟直到汤汁收干，再放一勺盐和一勺糖 | 3 |",
        "- " + LONG + "盛盘",
        "3. " + LONG + "盛盘",
        "床前明月光\n疑是地上霜\n举头望明月\n低头思故乡",
        "更多内容见下面的网址，那里有完整的说明和示例：\nhttps://example.com/a/b/c/d/e/f/g/h",
        "今天穿得很舒服，也很好看，下次还要这样搭配 #秋天的第一件毛衣",
        "这首曲子的作者是聂耳，词作者是田汉，首唱于一九三五年的电影《风云儿女》",
    ],
)
def test_finished_answers_survive(text: str) -> None:
    assert not dropped(Truncation(), text)


def test_truncation_says_nothing_of_an_empty_answer() -> None:
    assert measure(Truncation(), output=["", " \n ", None]) == [None, None, None]
    assert measure(Truncation(short=3), output=["甲乙，丙丁", "甲乙，"]) == [1, 1]
    assert measure(Truncation(short=9), output=["甲乙，丙丁"]) == [0]


@pytest.mark.parametrize(
    "text",
    [
        "如图所示，求阴影部分的面积。",
        "根据下图回答问题",
        "由图1可知甲的速度，如图1所示",
        "实验结果见下表：",
        "解释这幅漫画",
        "请看图写话",
        "下列句子中加点的字读音正确的是",
        "把画横线的句子译成现代汉语",
        "视频中的人在做什么？",
        "听录音，选出正确答案",
        "合同条款（见附件）有无问题？",
    ],
)
def test_missing_context_is_found(text: str) -> None:
    assert dropped(MissingContext(), text)


@pytest.mark.parametrize(
    "text",
    [
        "他试图说服我，但意图不明。",
        "画一张中国地图中的省会分布，写出地图1000字说明。",
        "上图书馆借书要带什么？",
        "介绍一下图灵的生平",
        "比如图书、图片和影像资料。",
        "写一段代码画出折线图",
        "从以下列表中找出以A开头的名字：Adam，Anna",
        "给出下表的合计：\n| 物品 | 重量 |\n|---|---|\n| 笔 | 2 |",
        "怎样拍好短视频？",
        "如表面有水，先擦干。",
        "户型图中常用哪些符号？",
    ],
)
def test_words_that_look_alike_survive(text: str) -> None:
    assert not dropped(MissingContext(), text)


SENSITIVE = {
    "abuse": ("你这个王八蛋", "滚你妈的"),
    "drugs": ("现货冰毒，货到付款", "一起吸毒吗"),
    "fraud": ("专业办假证，代开发票", "收购银行卡四件套"),
    "gambling": ("百家乐在线开户", "赌博平台注册送彩金"),
    "pornography": ("免费成人视频", "裸聊加我"),
    "violence": ("自制炸弹的步骤", "买凶杀人多少钱"),
}
HARMLESS = {
    "abuse": ("我爸妈的工作很忙", "做操时把体操你学会了吗", "她送了一盒你妈妈做的糕点"),
    "drugs": (
        "走私、贩卖、运输、制造毒品罪的主观方面是故意。",
        "六月二十六日是国际禁毒日，我们要远离毒品。",
        "非法持有毒品数量较大的，处三年以下有期徒刑。",
        "麻醉前给药可用吗啡，术后停用。",
        "林则徐虎门销烟，鸦片战争爆发。",
        "大麻哈鱼洄游产卵。",
        "漂白粉的有效成分是次氯酸钙。",
    ),
    "fraud": (
        "诈骗罪要求行为人以非法占有为目的。",
        "洗钱罪的上游犯罪有哪些？",
        "银行应当履行反洗钱义务。",
        "把闲置资金盘活，提高周转率。",
    ),
    "gambling": (
        "赌博罪与开设赌场罪的区别。",
        "湿热下注，治宜清热利湿。",
        "遗传算法常用轮盘赌选择。",
        "抽水机把河水引到田里。",
    ),
    "pornography": (
        "强奸罪侵犯的客体是妇女的性自主权。",
        "传播淫秽物品罪的构成要件是什么？",
        "苏铁是裸子植物。",
        "术后一个月内避免性生活。",
        "红绿灯设在路口交通繁忙处。",
        "词语的感情色彩分褒义和贬义。",
        "用PCR扩增DNA片段。",
        "人口交往促进了民族融合。",
    ),
    "violence": (
        "绑架罪与敲诈勒索罪的区别在于手段。",
        "南京大屠杀死难者国家公祭日是哪天？",
        "项羽本纪记载斩首数万。",
        "以买卖枪支罪定罪处罚。",
    ),
}


@pytest.mark.parametrize(
    ("category", "text"), [(name, text) for name, texts in SENSITIVE.items() for text in texts]
)
def test_sensitive_words_are_found(category: str, text: str) -> None:
    assert dropped(SensitiveWords(category=category), text)


@pytest.mark.parametrize("text", [text for texts in HARMLESS.values() for text in texts])
def test_harmless_text_survives_every_category(text: str) -> None:
    for category in CATEGORIES:
        assert not dropped(SensitiveWords(category=category), text)


def test_an_allowed_phrase_covers_only_itself() -> None:
    texts: list[object] = ["禁毒宣传：远离毒品", "远离毒品？现货冰毒找我"]
    assert measure(SensitiveWords(category="drugs"), output=texts) == [0, 1]


def test_words_of_the_user() -> None:
    more = SensitiveWords(category="fraud", words=("某某币",), allow=("某某币骗局",))
    assert measure(more, output=["买某某币", "揭穿某某币骗局"]) == [1, 0]
    less = SensitiveWords(category="pornography", allow=("做爱",))
    assert measure(less, output=["做爱"]) == [0]


def test_distinct_words_are_counted_without_case() -> None:
    assert measure(SensitiveWords(category="abuse"), output=["傻B傻b王八蛋"]) == [2]


def test_the_key_names_the_category() -> None:
    assert SensitiveWords(category="fraud").key == "SensitiveWords.fraud.output"


def test_an_unknown_category_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match="violence"):
        SensitiveWords(category="violense")
    with pytest.raises(UserError, match="word list"):
        phrases("nothing")


def test_every_category_has_its_two_lists() -> None:
    lists = {name for name in shelf() if name.split(".")[0] in CATEGORIES}
    assert lists == {*CATEGORIES, *(f"{name}.allow" for name in CATEGORIES)}


@pytest.mark.parametrize("name", shelf())
def test_a_list_is_well_formed(name: str) -> None:
    listed = phrases(name)
    assert len(listed) >= 5
    assert all(len(phrase) >= 2 and phrase == phrase.strip().lower() for phrase in listed)
    assert not any(phrase.isascii() and len(phrase) < 4 for phrase in listed)


@pytest.mark.parametrize("name", [*CATEGORIES, "adverts", "disguised"])
def test_an_allowed_phrase_is_needed(name: str) -> None:
    listed, allowed = phrases(name), phrases(f"{name}.allow")
    assert not set(listed) & set(allowed)
    if name != "disguised":
        assert not [one for one in allowed if not any(word in one for word in listed)]
