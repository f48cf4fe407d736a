import gzip
import json
import re
from collections.abc import Callable

import polars as pl

from cqia.sources.segmentfault import SCHEMA, read_page, read_questions
from tests.sources.curated import SAMPLES, Curated

Sample = Callable[[str], Curated]
FENCE = re.compile(r"```\w*\n.*?```", re.DOTALL)


def questions(*lines: str) -> pl.DataFrame:
    raw = pl.Series("json", lines).str.json_decode(SCHEMA).to_frame().unnest("json")
    rows = pl.int_range(1, pl.len() + 1)
    return read_questions(raw.with_columns(file=pl.lit("f.jsonl"), row=rows))


NESTED = (
    '{"id": 7, "title": "甲？", "originalText": "乙 `<b>`", "tags": [{"name": "html"}],'
    ' "answers": [{"id": 9, "originalText": "丙 `<i>`", "votes": "1.2k", "created": 1600000000}]}'
)
PARSED = (
    '{"id": 7, "title": "甲？", "parsedText": "<p>乙 <code>&lt;b&gt;</code></p>",'
    ' "tags": [{"name": "html"}], "answers": [{"id": 9, "votes": 1200, "created": "1600000000",'
    ' "content": "<p>丙 <code>&lt;i&gt;</code></p>"}]}'
)
FLAT = (
    '{"question_id": 7, "title": "甲？", "body": "<p>乙 <code>&lt;b&gt;</code></p>", "answer_id": 9,'
    ' "answer": "<p>丙 <code>&lt;i&gt;</code></p>", "votes": "1200", "tags": [{"name": "html"}],'
    ' "created": "1600000000"}'
)


def test_markdown_html_and_flat_lines_read_alike() -> None:
    first, second, third = (questions(one).row(0, named=True) for one in (NESTED, PARSED, FLAT))
    assert first == second == third
    assert first["instruction"] == "甲？\n\n乙 `<b>`"
    assert first["output"] == "丙 `<i>`"
    assert (first["key"], first["question"], first["votes"]) == ("7-9", "7", 1_200)
    assert first["metadata"] == "qid:7, aid:9, tag:[html]"
    assert first["domain"] == ["html"]


def test_every_answer_is_a_record_and_none_is_a_fault() -> None:
    answers = '"answers": [{"id": 1, "originalText": "a"}, {"id": 2, "originalText": "b"}]'
    made = questions(
        f'{{"id": 7, "title": "甲？", {answers}}}',
        '{"id": 8, "title": "乙？", "answers": []}',
        "{}",
    )
    assert made["key"].to_list() == ["7-1", "7-2", None, None]
    assert made["fault"].to_list() == [
        None,
        None,
        "the question has no answer",
        "the item has no title",
    ]


def test_a_page_with_its_answers() -> None:
    html = (
        '<link rel="canonical" href="https://x/q/7"><h1>甲？</h1><article class="article"><p>乙</p>'
        '</article><a class="tag">html</a><a class="tag">html</a>'
        '<div class="answer-item" data-id="9"><span class="vote">12</span><div class="fmt">'
        "<p>丙</p><pre><code>&lt;a&gt; &amp;&amp; b\n  c</code></pre></div></div>"
    )
    (row,) = read_page(pl.DataFrame({"file": "a", "row": 1, "html": html})).iter_rows(named=True)
    assert (row["key"], row["instruction"], row["votes"]) == ("7-9", "甲？\n\n乙", 12)
    assert row["output"] == "丙\n\n```\n<a> && b\n  c\n```"
    assert row["metadata"] == "qid:7, aid:9, tag:[html]"


def test_no_step_of_the_recipe_touches_code(sample: Sample) -> None:
    """Every fence of the raw Markdown stands in the kept records, byte for byte."""
    kept = sample("segmentfault").outcome.kept
    texts = "\n".join(kept["instruction"]) + "\n".join(kept["output"])
    raw = gzip.decompress((SAMPLES / "segmentfault" / "questions.jsonl.gz").read_bytes()).decode()
    ids = set(kept["question"])
    fences = []
    for line in raw.splitlines():
        try:
            item = json.loads(line)
        except json.JSONDecodeError:
            continue
        if str(item["id"]) in ids:
            bodies = [item.get("originalText"), *(a.get("originalText") for a in item["answers"])]
            fences += [fence for body in bodies if body for fence in FENCE.findall(body)]
    assert len(fences) >= 20
    assert [fence for fence in fences if fence not in texts] == []
    assert sum("<" in fence for fence in fences) >= 5


def test_kept_records_are_clean(sample: Sample) -> None:
    kept = {row["id"]: row for row in sample("segmentfault").outcome.kept.iter_rows(named=True)}
    html = kept["segmentfault-204-2041"]
    assert html["instruction"].endswith("看到有人写 `<DIV>`，有人写 `<div>`，效果一样吗？")
    assert '```html\n<div id="a">\n  1 &lt; 2 &amp;&amp; 3 > 2\n</div>\n```' in html["output"]
    docker = kept["segmentfault-12-120"]["output"]
    assert "```dockerfile\nRUN apt-get update && apt-get install -y tzdata\n" in docker
    redis = kept["segmentfault-18-180"]["output"]
    assert redis.endswith("有问题可以发邮件到 [邮箱] 讨论。")
    assert kept["segmentfault-17-170"]["instruction"].startswith("如何在终端机里统计档案的行数？")
