from collections.abc import Callable

import polars as pl

from cqia.sources.baikemy import BAIKEMY, SCHEMA, read_entries, read_page
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def entries(*lines: str) -> pl.DataFrame:
    raw = pl.Series("json", lines).str.json_decode(SCHEMA).to_frame().unnest("json")
    rows = pl.int_range(1, pl.len() + 1)
    return read_entries(raw.with_columns(file=pl.lit("f.jsonl"), row=rows))


ENTRY = (
    '{{"id": {id}, "name": "甲病", "type": "疾病", "department": "内科", "summary": "甲病是病。",'
    ' "sections": [{{"title": "发病原因", "content": "因为乙。\\n还有丙。"}}, {{"title": "治疗",'
    ' "content": "<p>休息。</p>"}}, {{"title": "空", "content": " "}}], "expert": "某医师"}}'
)


def test_an_entry_is_asked_whole_or_by_its_sections_and_never_both() -> None:
    made = entries(*(ENTRY.format(id=number) for number in range(60)))
    shapes = set(made.group_by("row").agg(pl.len(), "key").select("len").to_series())
    assert shapes == {1, 2}
    for row in made.partition_by("row"):
        keys = row["key"].to_list()
        whole = [key for key in keys if "-" not in key]
        assert not (whole and len(keys) > 1)


def test_sections_have_questions_and_the_whole_has_headings() -> None:
    made = entries(*(ENTRY.format(id=number) for number in range(60)))
    single = made.filter(pl.col("key").str.ends_with("-病因"))
    assert set(single["output"]) == {"因为乙。<br>还有丙。"}
    assert single["instruction"].str.contains("甲病").all()
    whole = made.filter(~pl.col("key").str.contains("-"))
    (output,) = set(whole["output"])
    assert output.startswith("甲病是病。\n<h2>甲病的病因</h2>\n因为乙。")
    assert "空" not in output
    assert len(set(whole["instruction"])) > 5
    assert set(made["copyright"]) == {"某医师"}
    assert made["domain"].to_list()[0] == ["医学", "内科"]


def test_a_symptom_is_no_patients_disease() -> None:
    asked = entries(
        *(f'{{"id": {n}, "name": "咳嗽", "type": "症状", "summary": "咳。"}}' for n in range(60))
    )["instruction"]
    assert not asked.str.contains("患者，请给我|被诊断|家里人得了|体检说").any()


def test_a_flat_row_reads_like_an_entry() -> None:
    flat = '{"疾病名称": "甲病", "科室": "内科", "简介": "甲病是病。", "病因": "因为乙。"}'
    (row,) = entries(flat).iter_rows(named=True)
    assert row["output"] == "甲病是病。\n<h2>甲病的病因</h2>\n因为乙。"
    assert row["metadata"] == "entry:甲病, type:疾病"


def test_a_page_is_cut_into_sections() -> None:
    html = (
        '<div class="breadcrumb">首页 &gt; 疾病</div><h1>甲病</h1><article><p>是病。</p>'
        "<h2>一、临床表现</h2><p>疼。</p><h2>推荐医生</h2><p>某</p></article>"
    )
    (row,) = read_page(pl.DataFrame({"file": "a", "row": 1, "html": html})).iter_rows(named=True)
    assert row["output"] == "<p>是病。</p>\n<h2>甲病的症状</h2>\n<p>疼。</p>"
    assert row["fault"] is None


def test_what_is_no_entry_is_a_fault() -> None:
    faults = entries("{}", '{"name": "甲"}', '{"summary": "乙"}')["fault"].to_list()
    assert faults == [
        "the entry has no name",
        "the entry has no text",
        "the entry has no name",
    ]


def test_every_wording_names_the_entry() -> None:
    assert all("{name}" in wording for wording in BAIKEMY.templates)


def test_kept_records_are_clean(sample: Sample) -> None:
    kept = {row["id"]: row for row in sample("baikemy").outcome.kept.iter_rows(named=True)}
    assert kept["baikemy-1013"]["output"].startswith("糖尿病是一组以血糖长期增高为特征的代谢性疾病")
    assert kept["baikemy-1014"]["output"].endswith("应立即就医。")
    assert "[手机号]" in kept["baikemy-1015-治疗"]["output"]
    assert kept["baikemy-1001-病因"]["output"] == (
        "主要有三类原因：\n\n- 摄入不足，如长期偏食；\n- 需要增加，如婴幼儿、孕妇；\n"
        "- 丢失过多，如月经量多、消化道慢性出血。"
    )
