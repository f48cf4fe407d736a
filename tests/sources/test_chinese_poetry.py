import json
from collections.abc import Callable

import polars as pl

from cqia.sources.chinese_poetry import CONTINUE, ORIGIN, RECITE, SCHEMA, read_works
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]
POEM = {
    "id": "a",
    "title": "江雪",
    "author": "柳宗元",
    "paragraphs": ["甲乙丙。", "丁戊己。", "庚。"],
}


def works(*values: object) -> pl.DataFrame:
    lines = [json.dumps(value) for value in values]
    raw = pl.Series("json", lines).str.json_decode(SCHEMA)
    rows = pl.int_range(1, pl.len() + 1)
    return read_works(raw.to_frame().unnest("json").with_columns(file=pl.lit("f.json"), row=rows))


def test_each_poem_gets_one_task_and_all_tasks_and_wordings_occur() -> None:
    made = works(*({**POEM, "id": f"p{n}"} for n in range(600)))
    fields = {"work": "柳宗元的《江雪》", "head": "甲乙丙。丁戊己。", "line": "甲乙丙"}
    wordings = []
    for template in CONTINUE + RECITE + ORIGIN:
        for name, text in fields.items():
            template = template.replace("{" + name + "}", text)
        wordings.append(template)
    assert set(made["instruction"]) == set(wordings)
    assert set(made["output"]) == {
        "庚。",
        "甲乙丙。\n丁戊己。\n庚。",
        "出自柳宗元的《江雪》。原文如下：\n甲乙丙。\n丁戊己。\n庚。",
    }
    counts = made["task_minor"].list.first().value_counts()
    assert dict(counts.iter_rows())["古诗续写"] > 150


def test_a_lyric_is_called_by_its_tune_and_its_first_words() -> None:
    lyric = {"rhythmic": "如梦令", "author": "李清照", "paragraphs": ["常记\u200b溪亭日暮。"]}
    made = works(lyric)
    assert "《如梦令·常记溪亭日暮》" in made["instruction"].item() + made["output"].item()


def test_the_analects_become_one_record_a_saying() -> None:
    book = {
        "chapter": "学而篇",
        "paragraphs": ["子曰：“学而时习之，不亦说乎？有朋自远方来。”", "乙。"],
    }
    made = works(book)
    assert made["row"].to_list() == [1, 1]
    first = made.row(0, named=True)
    assert "“学而时习之，不亦说乎？”" in first["instruction"]
    assert first["output"].startswith("出自《论语·学而篇》。原文如下：\n子曰：“学而时习之")


def test_an_unknown_author_is_not_named() -> None:
    made = works(*({**POEM, "id": f"p{n}", "author": "佚名"} for n in range(20)))
    assert not (made["instruction"] + made["output"]).str.contains("佚名").any()


def test_a_poem_of_one_line_is_never_continued() -> None:
    made = works(*({**POEM, "id": f"p{n}", "paragraphs": ["独此一句耳。"]} for n in range(50)))
    assert "古诗续写" not in set(made["task_minor"].list.first())


def test_missing_parts_are_faults() -> None:
    made = works(
        {"title": "空", "author": "甲", "paragraphs": []},
        {"chapter": "空篇", "paragraphs": []},
        {"paragraphs": ["有句无题。"]},
        {},
    )
    assert made["row"].to_list() == [1, 2, 3, 4]
    assert made["fault"].to_list() == [
        "a work without a text",
        "a work without a text",
        "a work without a name",
        "a work without a text",
    ]


def test_the_poems_are_simplified(sample: Sample) -> None:
    kept = sample("chinese_poetry").outcome.kept
    text = dict(kept.select("id", "output").iter_rows())
    poem = "chinese_poetry-3f2a0001-0000-4000-8000-000000000001"
    assert text[poem].endswith("床前明月光，疑是地上霜。\n举头望明月，低头思故乡。")
    assert not kept["output"].str.contains("[頭鄉□\u200b]").any()
