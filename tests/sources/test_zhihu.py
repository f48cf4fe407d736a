from collections.abc import Callable

import orjson
import polars as pl
import pytest

from cqia.sources.zhihu import SCHEMA, read_answers, read_page
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]
ANSWER = {
    "id": 31,
    "type": "answer",
    "answer_type": "normal",
    "is_collapsed": False,
    "question": {"id": 7, "title": "a<b 吗？", "detail": "", "topics": [{"name": "数学"}]},
    "content": "<p>是。</p>",
    "voteup_count": 60,
    "comment_count": 2,
    "created_time": 1600012800,
}


def answers(*values: object) -> pl.DataFrame:
    lines = [orjson.dumps(value).decode() for value in values]
    raw = pl.Series("json", lines).str.json_decode(SCHEMA)
    rows = pl.int_range(1, pl.len() + 1)
    return read_answers(
        raw.to_frame().unnest("json").with_columns(file=pl.lit("f.jsonl"), row=rows)
    )


def page(state: object) -> pl.DataFrame:
    script = orjson.dumps(state).decode().replace("</", "<\\/")
    html = f'<script id="js-initialData" type="text/json">{script}</script>'
    return read_page(pl.DataFrame({"file": ["q.html"], "row": [1], "html": [html]}))


def test_a_page_of_answers_and_a_bare_answer_are_read_alike() -> None:
    listed, bare = answers({"data": [ANSWER]}, ANSWER).rows(named=True)
    assert {**listed, "row": 0} == {**bare, "row": 0}
    assert (bare["key"], bare["question"], bare["votes"]) == ("31", "7", 60)
    assert bare["metadata"] == "qid:7, aid:31, tag:[数学]"
    assert bare["instruction"] == "a&lt;b 吗？"


def test_the_web_page_says_the_same_as_the_api() -> None:
    answer = {"id": 31, "type": "answer", "answerType": "normal", "isCollapsed": False} | {
        "question": {"id": 7},
        "content": "<p>是。</p>",
        "voteupCount": 60,
        "commentCount": 2,
        "createdTime": 1600012800,
    }
    entities = {"questions": {"7": ANSWER["question"]}, "answers": {"31": answer}}
    made = page({"initialState": {"entities": entities}})
    assert made.drop("file").equals(answers(ANSWER).drop("file"))


@pytest.mark.parametrize("state", [{}, [], {"initialState": 3}, {"initialState": {"entities": []}}])
def test_a_page_without_answers_is_a_fault(state: object) -> None:
    assert page(state)["fault"].to_list() == ["no answer with a question here"]


def test_the_description_stands_under_about_half_the_titles() -> None:
    question = {"id": 7, "title": "题", "detail": "<p>细节</p>"}
    made = answers(*({**ANSWER, "id": n, "question": question} for n in range(2_000)))
    share = made["instruction"].str.contains("细节").mean()
    assert isinstance(share, float)
    assert 0.45 < share < 0.55
    assert set(made["instruction"]) == {"题", "题<br>细节</p>"}


@pytest.mark.parametrize(
    ("change", "mark"),
    [
        ({"is_collapsed": True}, "状态:收起"),
        ({"answer_type": "paid"}, "状态:付费"),
        ({"type": "article"}, "状态:article"),
    ],
)
def test_what_the_site_holds_back_is_marked(change: dict[str, object], mark: str) -> None:
    assert answers({**ANSWER, **change})["metadata"].item().endswith(mark)


def test_missing_parts_are_faults() -> None:
    made = answers({"data": []}, {**ANSWER, "question": None}, {**ANSWER, "content": None})
    assert made["fault"].to_list() == [
        "no answer with a question here",
        "no answer with a question here",
        "the answer has no content",
    ]


def test_html_becomes_markdown(sample: Sample) -> None:
    kept = dict(sample("zhihu").outcome.kept.select("id", "output").iter_rows())
    assert (
        "```python\nnames = [user.name for user in users if user.age >= 18]\n"
        in kept["zhihu-880008"]
    )
    assert "$x^2+\\frac{b}{a}x=-\\frac{c}{a}$" in kept["zhihu-880016"]
    assert "\n- 出门前用湿毛巾擦一下手" in kept["zhihu-880004"]


def test_what_is_no_answer_is_cleaned_away(sample: Sample) -> None:
    kept = dict(sample("zhihu").outcome.kept.select("id", "output").iter_rows())
    assert kept["zhihu-880012"].startswith("我面试过 300 多个人")
    assert kept["zhihu-880022"].endswith("正好在你需要的那一秒。")
    assert "一个号码 [手机号] 给所有人" in kept["zhihu-880011"]
    assert "周代就有专门管冰的官" in kept["zhihu-880014"]
    assert "[doge]" not in kept["zhihu-880002"]


def test_kept_answers_are_long_enough(sample: Sample) -> None:
    kept = sample("zhihu").outcome.kept
    assert kept["output"].str.len_chars().to_frame().min().item() >= 280
    assert kept["votes"].to_frame().min().item() >= 50
