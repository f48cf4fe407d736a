"""More of what the pages say: pairs and gold items, in Chinese and in English."""

from __future__ import annotations

MORE: dict[str, tuple[str, str]] = {
    "gold.title": ("金标", "Gold items"),
    "gold.lead": (
        "正确判定已知的记录，混进一轮审阅，看每个人判得准不准。在记录自己的页面上标，或从文件导入。",
        "Records whose right verdict is known. Mixed into a round they tell how well each person"
        " reads. Mark them on a record's own page, or bring in a file.",
    ),
    "gold.right": ("正确判定", "Right verdict"),
    "gold.away": ("取消金标", "Take away"),
    "gold.mark": ("标为金标", "Mark as gold"),
    "gold.mark.text": (
        "这条的正确判定是什么？审阅人看不出它是金标。",
        "What is right for this record? Reviewers can't tell it from the others.",
    ),
    "gold.in": ("从文件导入", "From a file"),
    "gold.in.text": (
        "CSV（列 id、action）、JSON，或每行“编号 空格 判定”。"
        "判定：approve、fix、reject，或 通过、修改、否决。",
        "CSV (columns id, action), JSON, or lines of an id, a space and a verdict. Verdicts:"
        " approve, fix, reject, or 通过, 修改, 否决.",
    ),
    "gold.taken": ("导入了 {n} 条金标。", "{n} gold items were taken in."),
    "gold.count": ("金标条数（已标 {n} 条，按种子抽）", "Gold items (of {n} marked, by lot)"),
    "gold.more": (
        "另加金标（每行：编号 空格 判定）",
        "More gold items (a line each: id, space, verdict)",
    ),
    "col.record": ("记录", "record"),
    "pairs.lead": (
        "机器找到的成对文本，差异已标出：划掉的只在左，下划线的只在右。",
        "Pairs that were found, their differences marked: struck out stands only in the first,"
        " underlined only in the second.",
    ),
    "pairs.none": (
        "没有成对的文本；先运行 cqia dedup。",
        "There are no pairs; run cqia dedup first.",
    ),
    "pairs.near": ("近似重复", "Near-duplicates"),
    "pairs.near.text": (
        "判“不是”的一对不再相连；没有别的一对把它连到留下的记录，被丢的那条就恢复。",
        "A refuted pair links nothing; a dropped record that no other pair links to one that"
        " stays comes back.",
    ),
    "pairs.hits.text": (
        "确认含有基准题的记录不进数据集；所有命中都被否定的，被丢的那条就恢复。",
        "A record in which an item is confirmed stays out; one whose every hit is refuted comes"
        " back.",
    ),
    "pairs.people": (
        "各人所说一致就作数；不一致时由负责人定。下次 cqia assemble 生效，重跑也不丢。",
        "What all who looked agree on counts; where they differ an owner decides. It takes effect"
        " at the next cqia assemble and outlives reruns.",
    ),
    "pairs.said": ("您说过", "You said"),
}
