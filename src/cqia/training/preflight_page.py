"""The preflight as one HTML page: what each source trains, and records with their loss mask.

Nothing is loaded from anywhere and nothing runs: the switch of languages is a style sheet's. Every
text passes through `html.escape`, since records are what strangers wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import polars as pl

from cqia.tables import plain
from cqia.training.chat import Chat
from cqia.training.glance import Piece, Sample
from cqia.training.preflight import RULES, summary

DROPS = 200
"""Dropped records that the page lists at most; it says of how many."""

LENGTHS = ("词元：中位 · 95% · 最长", "tokens: median · 95 % · longest")
COLUMNS = {
    "source": ("来源", "source"),
    "read": ("读入", "read"),
    "kept": ("保留", "kept"),
    "dropped": ("丢弃", "dropped"),
    "EmptyPrompt": ("提示为空", "empty prompt"),
    "EmptyAnswer": ("回答为空", "empty answer"),
    "SpecialTokens": ("含特殊标记", "special tokens"),
    "TooLong": ("超长", "too long"),
    "truncated": ("截断", "truncated"),
    "zero_loss": ("零损失", "zero loss"),
    "same_prompt": ("提示重复", "same prompt"),
    "served_alike": ("与服务端一致", "served alike"),
    "prompt": ("提示词元", "prompt tokens"),
    "answer": ("回答词元", "answer tokens"),
    "learnt_tokens": ("学习的词元", "learnt tokens"),
}
"""A column of the summary -> its name in both languages."""

STYLE = """
:root{color-scheme:light dark;--ink:#1d2430;--dim:#5d6778;--paper:#fbfaf7;--card:#fff;
--line:#dcdfe4;--learnt:#0b6b3a;--wash:#d9f2e3;--mark:#7a3f9d;--bad:#a3261b}
@media(prefers-color-scheme:dark){:root{--ink:#e4e7ec;--dim:#98a2b3;--paper:#14171c;--card:#1b1f26;
--line:#333a45;--learnt:#8fe0b3;--wash:#123526;--mark:#cfa4ea;--bad:#ff9a8f}}
*{box-sizing:border-box}body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--paper);
color:var(--ink);font:16px/1.6 system-ui,
"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.lead,.note,.legend{color:var(--dim)}.scroll{overflow-x:auto;background:var(--card);
border:1px solid var(--line);border-radius:.5rem}table{border-collapse:collapse;width:100%;
font-size:.86rem}th,td{padding:.4rem .6rem;text-align:right;border-bottom:1px solid var(--line);
font-variant-numeric:tabular-nums}th{white-space:nowrap;font-weight:600;color:var(--dim)}
tr:last-child td{border-bottom:0}td:first-child,th:first-child,.left td,.left th{text-align:left}
.bad{color:var(--bad);font-weight:700}.sample{background:var(--card);border:1px solid var(--line);
border-radius:.5rem;margin:.8rem 0;padding:.7rem 1rem}.sample h3{font-size:.9rem;margin:0 0 .4rem;
font-weight:600;overflow-wrap:anywhere}.sample pre{margin:0;white-space:pre-wrap;
overflow-wrap:anywhere;font:inherit;font-size:.92rem;max-height:26rem;overflow-y:auto}
.prompt{color:var(--dim)}.learnt{color:var(--learnt);background:var(--wash);
text-decoration:underline;text-decoration-thickness:1px;text-underline-offset:3px}
.mark{font-family:ui-monospace,monospace;font-size:.8em;color:var(--mark);
border:1px solid currentColor;border-radius:.25rem;padding:0 .2em;text-decoration:none}
.switch{float:right;font-size:.9rem}.switch input{position:absolute;opacity:0}.switch label{
cursor:pointer;padding:.25rem .6rem;border:1px solid var(--line);border-radius:.4rem}
.switch input:checked+label{background:var(--ink);color:var(--paper)}
.switch input:focus-visible+label{outline:2px solid var(--learnt);outline-offset:2px}
body:has(#zh:checked) :lang(en){display:none}body:has(#en:checked) .zh{display:none}
details pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);padding:.8rem;
border:1px solid var(--line);border-radius:.5rem;font-size:.85rem}
"""


def page(rows: pl.DataFrame, shown: Sequence[Sample], chat: Chat, *, max_tokens: int) -> str:
    """The page.

    Args:
        rows: the preflight's, one a record.
        shown: records with their pieces.
        chat: by whose template they were written.
        max_tokens: the longest that is kept.
    """
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>训练前检查 · preflight</title><style>{STYLE}</style></head><body>\n"
        f"{_head(rows, chat, max_tokens)}{_sources(summary(rows))}{_samples(shown)}"
        f"{_dropped(rows.filter(~pl.col('kept')))}{_template(chat)}</body></html>\n"
    )


def text(value: object) -> str:
    """A text from anywhere that can do nothing."""
    return escape(plain(str(value)), quote=True)


def both(zh: str, en: str) -> str:
    """A text in both languages, of which one is shown."""
    return f'<span class="zh">{text(zh)}</span><span lang="en">{text(en)}</span>'


def _head(rows: pl.DataFrame, chat: Chat, max_tokens: int) -> str:
    kept, learnt = int(rows["kept"].sum()), rows.filter("kept")["answer_tokens"].sum()
    ways = {
        "marks": ("模板自带 generation 标记", "the template's own generation marks"),
        "prefixes": ("逐轮比较前缀", "comparing the text with and without each answer"),
    }
    way, way_en = ways[chat.way]
    given = ("；模板为本项目的 ChatML", "; the template is this project's ChatML")
    zh, en = given if chat.default else ("", "")
    return (
        '<div class="switch"><input type="radio" name="tongue" id="zh" checked>'
        '<label for="zh">中文</label> <input type="radio" name="tongue" id="en">'
        '<label for="en" lang="x">English</label></div>'
        f"<h1>{both('训练前检查', 'Preflight of a training run')}</h1>"
        '<p class="lead">'
        + both(
            f"读入 {len(rows):,} 条，保留 {kept:,} 条，学习 {learnt:,} 个回答词元；"
            f"上限 {max_tokens:,} 词元，不截断任何记录。回答的位置由此得知：{way}{zh}。",
            f"{len(rows):,} records read, {kept:,} kept, {learnt:,} answer tokens learnt; bound"
            f" {max_tokens:,} tokens; no record is ever cut. Answers are known by {way_en}{en}.",
        )
        + f'</p><p class="lead"><code>{text(chat.name)}</code></p>\n'
    )


def _sources(table: pl.DataFrame) -> str:
    for what in ("prompt", "answer"):
        three = [f"{what}_median", f"{what}_p95", f"{what}_max"]
        table = table.with_columns(pl.concat_str(three, separator=" · ").alias(what)).drop(three)
    head = "".join(f'<th scope="col">{both(*COLUMNS[name])}</th>' for name in table.columns)
    body = []
    for row in table.iter_rows(named=True):
        cells = []
        for name, value in row.items():
            wrong = (name == "zero_loss" and value) or (
                name == "served_alike" and value != row["kept"]
            )
            said = "–" if value is None else f"{value:,}" if isinstance(value, int) else text(value)
            cells.append(f'<td class="{"bad" if wrong else ""}">{said}</td>')
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f"<h2>{both('各来源', 'Sources')}</h2>"
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>\n"
        f'<p class="note">{both(*LENGTHS)}</p>\n'
    )


def _samples(shown: Sequence[Sample]) -> str:
    cards = []
    for one in shown:
        size = both(
            f"{one.tokens:,} 词元，学习 {one.learnt:,}",
            f"{one.tokens:,} tokens, {one.learnt:,} learnt",
        )
        cards.append(
            f'<article class="sample"><h3>{text(one.source)} · {text(one.id)} · {size}</h3>'
            f"<pre>{''.join(map(_piece, one.pieces))}</pre></article>\n"
        )
    legend = both(
        "模型读到的全文：绿底带下划线的是要学习的，灰色只是读入；方框是特殊标记。",
        "All that the model reads: green and underlined is learnt, grey is only read;"
        " framed are special tokens.",
    )
    title = both("记录与损失掩码", "Records and their loss mask")
    return f'<h2>{title}</h2><p class="legend">{legend}</p>{"".join(cards)}'


def _piece(one: Piece) -> str:
    said = f'<span class="mark">{text(one.text)}</span>' if one.special else text(one.text)
    return f'<span class="{"learnt" if one.learnt else "prompt"}">{said}</span>'


def _dropped(rows: pl.DataFrame) -> str:
    if not len(rows):
        return ""
    assert set(rows["rule"].to_list()) <= set(RULES)
    body = "".join(
        f"<tr><td>{text(row['source'])}</td><td>{text(row['id'])}</td>"
        f"<td>{both(*COLUMNS[row['rule']])}</td><td>{row['value']:,}</td>"
        f"<td>{'≥' if row['high'] is None else '≤'} {_bound(row):,}</td></tr>"
        for row in rows.head(DROPS).iter_rows(named=True)
    )
    names = (
        ("来源", "source"),
        ("编号", "id"),
        ("规则", "rule"),
        ("测得", "measured"),
        ("界限", "bound"),
    )
    head = "".join(f'<th scope="col">{both(*name)}</th>' for name in names)
    few = min(DROPS, len(rows))
    told = both(f"列出 {few} / {len(rows):,} 条", f"{few} of {len(rows):,} are listed")
    return (
        f"<h2>{both('丢弃的记录', 'Dropped records')}</h2>"
        f'<p class="note">{told}</p><div class="scroll left" tabindex="0"><table><thead>'
        f"<tr>{head}</tr></thead><tbody>{body}</tbody></table></div>\n"
    )


def _bound(row: dict[str, int | None]) -> int:
    bound = row["low"] if row["high"] is None else row["high"]
    assert bound is not None
    return bound


def _template(chat: Chat) -> str:
    title = both("对话模板", "Chat template")
    body = f"<pre>{text(chat.tokenizer.chat_template)}</pre>"
    return f"<h2>{title}</h2><details><summary>Jinja</summary>{body}</details>\n"
