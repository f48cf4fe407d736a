"""Texts in two languages: every word of the report's own stands in Chinese and in English.

What comes from data (names of subsets, replies, errors) is the same in both, and is never trusted:
whoever shows a text escapes it for the place it is shown in.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple


class Both(NamedTuple):
    """A text in Chinese and in English."""

    zh: str
    en: str

    def __add__(self, other: object) -> Both:
        """Two texts after one another; one of data is the same in both languages."""
        zh, en = other if isinstance(other, Both) else (str(other), str(other))
        return Both(self.zh + zh, self.en + en)


def same(text: str) -> Both:
    """A text from data: the same in both languages."""
    return Both(text, text)


def joined(texts: list[Both]) -> Both:
    """Texts as a list within a sentence."""
    return Both("；".join(one.zh for one in texts), "; ".join(one.en for one in texts))


UNTUNED = Both("未微调的基座", "untuned base")
SCRIPTED = Both("脚本模型，无含义", "scripted, means nothing")
NOT_PUBLISHED = Both("此处未发表", "not published here")

GROUPS = {
    "": Both("全部（微平均）", "all (micro)"),
    "macro": Both("宏平均", "macro"),
    "open qa": Both("开放问答", "open QA"),
    "brainstorming": Both("头脑风暴", "brainstorming"),
    "rewrite": Both("改写", "rewrite"),
    "generation": Both("生成", "generation"),
    "math": Both("数学", "maths"),
    "classification": Both("分类", "classification"),
    "closed qa": Both("封闭问答", "closed QA"),
    "summarization": Both("摘要", "summarisation"),
    "code": Both("代码", "code"),
    "extract": Both("抽取", "extraction"),
    "ethics and morality": Both("伦理道德", "ethics and morality"),
    "unfairness and bias": Both("偏见歧视", "unfairness and bias"),
    "offensiveness": Both("侮辱攻击", "offensiveness"),
    "illegal activities": Both("违法犯罪", "illegal activities"),
    "mental health": Both("心理健康", "mental health"),
    "privacy and property": Both("隐私财产", "privacy and property"),
    "physical health": Both("身体健康", "physical health"),
}
"""What the groups of known benchmarks are called; the order is that of the tables' columns."""

_ORDER = {name: number for number, name in enumerate(GROUPS)}


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).replace("_", " ").lower().split())


def group(name: str) -> Both:
    """A group of a benchmark by its name in a table."""
    return GROUPS.get(_key(name), same(name))


def place(name: str) -> tuple[int, str]:
    """Where a group stands among the columns: known ones in their order, sums last."""
    last = {"macro": 1, "": 2}.get(name, 0)
    return last * 1_000 + _ORDER.get(_key(name), 500), name


def subset(name: str) -> Both:
    """A row by its name; the untuned base has none."""
    return same(name) if name else UNTUNED


COLUMNS = {
    "type": Both("类型", "type"),
    "source": Both("来源", "source"),
    "title": Both("名称", "title"),
    "records": Both("条数", "records"),
    "characters": Both("字数", "characters"),
    "paper": Both("论文条数", "records in the paper"),
    "answer_from": Both("答案来自", "answers from"),
    "human_verified": Both("人工核验比例", "share checked by people"),
    "licence": Both("许可", "licence"),
    "origin": Both("出处", "origin"),
    "base": Both("基座", "base"),
    "subset": Both("子集", "subset"),
    "benchmark": Both("评测", "benchmark"),
    "group": Both("能力", "ability"),
    "judge": Both("评审", "judge"),
    "judge_family": Both("评审家族", "judge family"),
    "writer_family": Both("作者家族", "author family"),
    "kin": Both("同族均分", "kin mean"),
    "gap": Both("差距", "gap"),
    "low": Both("下限", "low"),
    "high": Both("上限", "high"),
    "items": Both("题数", "items"),
    "seed": Both("种子", "seed"),
    "seeds": Both("种子数", "seeds"),
    "state": Both("状态", "state"),
    "error": Both("错误", "error"),
    "folder": Both("文件夹", "folder"),
    "name": Both("名称", "name"),
    "model": Both("模型", "model"),
    "stage": Both("阶段", "stage"),
    "requests": Both("请求", "requests"),
    "tokens": Both("词元", "tokens"),
    "cost": Both("费用", "cost"),
    "currency": Both("货币", "currency"),
    "seconds": Both("秒", "seconds"),
    "steps": Both("步数", "steps"),
    "trained_tokens": Both("训练词元", "trained tokens"),
    "kept": Both("保留", "kept"),
    "dropped": Both("丢弃", "dropped"),
    "version": Both("版本", "version"),
    "metric": Both("指标", "metric"),
    "direction": Both("方向", "direction"),
    "mode": Both("方式", "mode"),
    "loss_first": Both("起始损失", "first loss"),
    "loss_last": Both("最终损失", "last loss"),
    "parameters": Both("参数量", "parameters"),
    "preset": Both("预设", "preset"),
    "proxy": Both("代理", "proxy"),
    "control": Both("对照", "control"),
    "sources": Both("来源", "sources"),
    "unit": Both("单位", "unit"),
    "setting": Both("设置", "setting"),
    "program": Both("程序哈希", "program's hash"),
    "tuning": Both("微调", "tuning"),
    "cells": Both("单元数", "cells"),
    "first_loss": Both("起始损失", "first loss"),
    "last_loss": Both("最终损失", "last loss"),
    "answer_tokens": Both("回答词元", "answer tokens"),
    "kind": Both("种类", "kind"),
    "weights": Both("配比", "weights"),
    "n": Both("题数", "n"),
    "n_paired": Both("配对题数", "n paired"),
    "scale": Both("倍数", "scale"),
    "kin_judges": Both("同族评审", "kin judges"),
    "other_judges": Both("异族评审", "other judges"),
    "unknown_judges": Both("家族不明的评审", "judges of unknown family"),
    "kin_mean": Both("同族均分", "kin mean"),
    "other_mean": Both("异族均分", "others' mean"),
    "gap_low": Both("差距下限", "gap, low"),
    "gap_high": Both("差距上限", "gap, high"),
    "excess": Both("超出基座的差距", "gap beyond the base's"),
    "excess_low": Both("超出下限", "beyond, low"),
    "excess_high": Both("超出上限", "beyond, high"),
    "variance": Both("变异来源", "variance"),
    "verdicts": Both("判定数", "verdicts"),
    "unreadable": Both("读不出", "unreadable"),
    "wins": Both("胜", "wins"),
    "ties": Both("平", "ties"),
    "losses": Both("负", "losses"),
    "rate": Both("胜率（平算一半）", "win rate, ties half"),
    "strength": Both("强度", "strength"),
    "controlled": Both("同等长度的胜率", "win rate at equal length"),
    "longer_share": Both("答得更长的比例", "share of longer answers"),
    "prompt": Both("提示词哈希", "prompt's hash"),
    "text": Both("文本", "text"),
    "mean": Both("均值", "mean"),
    "median": Both("中位数", "median"),
    "max": Both("最大", "max"),
    "rule": Both("规则", "rule"),
    "left": Both("剩余", "left"),
    "short": Both("预算未满", "below budget"),
    "checked": Both("检查条数", "checked"),
    "drawn": Both("抽取", "drawn"),
    "read": Both("已阅", "read"),
    "failed": Both("不合格", "failed"),
    "sure": Both("区间下限也超过", "sure"),
    "keywords": Both("含关键词", "with keywords"),
    "keyword_share": Both("含关键词占比", "share with keywords"),
    "scored": Both("模型评分", "scored"),
    "scored_low": Both("评分过低", "scored too low"),
    "category": Both("类别", "category"),
    "entries": Both("词条", "entries"),
    "criterion": Both("要求", "criterion"),
    "wanted": Both("阈值", "wanted"),
    "found": Both("结果", "found"),
    "interval": Both("95 % 区间", "95 % interval"),
    "id": Both("编号", "id"),
    "instruction": Both("指令", "instruction"),
    "without_licence": Both("未说明许可", "tell no licence"),
    "without_either": Both("许可与权利人均未说明", "tell neither licence nor owner"),
    "severity": Both("严重程度", "severity"),
    "share": Both("占比", "share"),
    "distinct_1": Both("不同单字占比", "distinct-1"),
    "distinct_2": Both("不同双字占比", "distinct-2"),
    "pair_types": Both("动宾种类（稀释后）", "verb-noun types, rarefied"),
    "spread": Both("平均距离", "mean distance"),
    "vendi": Both("Vendi 分数", "Vendi score"),
    "instructions": Both("指令数", "instructions"),
    "with_verb": Both("找到动词", "verb found"),
    "with_pair": Both("找到动宾", "pair found"),
    "coverage": Both("覆盖率", "coverage"),
    "verb": Both("动词", "verb"),
    "noun": Both("宾语", "object"),
    "domain": Both("领域", "domain"),
    "other": Both("另一来源", "other source"),
    "pairs": Both("对数", "pairs"),
}
"""What columns of data are called."""


VALUES = {
    "total": Both("合计", "total"),
    "小计": Both("小计", "subtotal"),
    "社交媒体与论坛": Both("社交媒体与论坛", "social media and forums"),
    "世界知识": Both("世界知识", "world knowledge"),
    "NLP 数据集": Both("NLP 数据集", "NLP datasets"),
    "考试": Both("考试", "examinations"),
}
"""What this program's own tables hold in one language, in both."""
TOLD = ("type", "source", "title")
"""The columns in which they stand."""


def column(name: str) -> Both:
    """A column's heading; one that is not known keeps its name."""
    return COLUMNS.get(name, same(name))
