"""Recommendations out of Douban's lists: what is asked for, and the answer rendered from the facts.

One record a page of a list, and nothing in it that the list does not say: the decade, the region
and the score are named only where the list holds them for enough of its films.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import polars as pl

NAMED = pl.List(pl.Struct({"name": pl.String}))
SUBJECTS: dict[str, Any] = {
    **dict.fromkeys(
        ("id", "title", "subtype", "type", "year", "rate", "score", "card_subtitle"), pl.String
    ),
    **dict.fromkeys(("genres", "countries", "regions"), pl.List(pl.String)),
    "directors": NAMED,
    "casts": NAMED,
    "rating": pl.Struct({"average": pl.String, "value": pl.String}),
}
"""What is read of one film of a list."""

FEWEST = 3
"""Films that make a list."""
MOST = 10
"""Films that are asked for at most."""
HIGH = 8.5
"""From this score on, a list is one of high scores."""

NAMES = {"title": "片名", "year": "年份", "region": "地区", "genres": "类型", "director": "导演",
         "score": "评分"}  # fmt: skip
"""A fact -> what it is called in the question and the answer."""

WORDINGS = (
    "请推荐{count}部{which}{kind}，用{form}给出{fields}，按评分从高到低排列。",
    "我想看{which}{kind}，请推荐{count}部，以{form}列出{fields}，评分高的排在前面。",
    "请列出{count}部值得一看的{which}{kind}，按照评分排序，用{form}表示，包含{fields}。",
    "有哪些好看的{which}{kind}？推荐{count}部，输出为{form}，字段有{fields}，从高分到低分。",
)
FORMS = ("JSON 数组", "Markdown 列表", "表格")

SCHEMA: dict[str, Any] = {
    "key": pl.String,
    "instruction": pl.String,
    "output": pl.String,
    "task_minor": pl.List(pl.String),
    "metadata": pl.String,
    "votes": pl.Int64,
    "fault": pl.String,
}


def recommendations(lists: pl.DataFrame) -> pl.DataFrame:
    """One record a list: columns file, row, and those of SCHEMA."""
    made = []
    for row in lists.iter_rows(named=True):
        films = next(row[name] for name in ("subjects", "items", "data") if row[name])
        made.append({"file": row["file"], "row": row["row"], **_recommended(films)})
    return pl.DataFrame(made, schema={"file": pl.String, "row": pl.Int64} | SCHEMA)


def _recommended(subjects: list[dict[str, Any]]) -> dict[str, Any]:
    films = [film for one in subjects if one and (film := _film(one))]
    films.sort(key=lambda film: (-film["score"], film["title"]))
    names = "|".join(film["title"] for film in films)
    seed = int.from_bytes(hashlib.blake2b(names.encode(), digest_size=8).digest())
    which, chosen = _bucket(films, seed)
    if len(chosen) < FEWEST:
        return {"fault": "a list of fewer than three films with a title and a score"}
    chosen = chosen[:MOST]
    fields = [name for name in NAMES if all(film.get(name) for film in chosen)]
    form = FORMS[seed % len(FORMS)]
    kind = "电视剧" if all(film["series"] for film in chosen) else "电影"
    asked = WORDINGS[seed // 7 % len(WORDINGS)].format(
        count=len(chosen),
        which=which,
        kind=kind,
        form=form,
        fields="、".join(NAMES[name] for name in fields),
    )
    return {
        "key": f"list-{seed:016x}",
        "instruction": asked,
        "output": _rendered(chosen, fields, form),
        "task_minor": ["电视剧推荐" if kind == "电视剧" else "电影推荐", kind],
        "metadata": f"list:{len(films)}",
    }


def _film(one: dict[str, Any]) -> dict[str, Any] | None:
    """The facts of a film; None without a title or a score."""
    rating = one["rating"] or {}
    score = next((said for said in (one["rate"], one["score"], *rating.values()) if said), "")
    title = (one["title"] or "").strip()
    try:
        number = float(score)
    except ValueError:
        return None
    if not title or not 0 < number <= 10:
        return None
    # "1994 / 美国 / 剧情 犯罪 / 导演 / 主演": how the site's mobile lists show a film's facts.
    card = [part.strip() for part in (one["card_subtitle"] or "").split(" / ")]
    card += [""] * (4 - len(card))
    directors = [name["name"] for name in one["directors"] or [] if name and name["name"]]
    genres = one["genres"] or card[2].split()
    return {
        "title": title,
        "score": number,
        "year": (one["year"] or card[0])[:4],
        "region": " ".join(one["countries"] or one["regions"] or card[1].split()),
        "genres": " ".join(genres),
        "director": " ".join(directors) or card[3],
        "series": (one["subtype"] or one["type"] or "") in ("tv", "series"),
    }


def _bucket(films: list[dict[str, Any]], seed: int) -> tuple[str, list[dict[str, Any]]]:
    """The films of one decade, region or high score, where enough are, and what they are called."""
    buckets: dict[str, list[dict[str, Any]]] = {}
    for film in films:
        if film["year"].isdigit():
            buckets.setdefault(f"{film['year'][:3]}0年代的", []).append(film)
        if film["region"]:
            buckets.setdefault(film["region"].split()[0], []).append(film)
        if film["score"] >= HIGH:
            buckets.setdefault("高分", []).append(film)
    found = sorted((name, group) for name, group in buckets.items() if len(group) >= FEWEST)
    if not found:
        return "", films
    return found[seed // 31 % len(found)]


def _rendered(films: list[dict[str, Any]], fields: list[str], form: str) -> str:
    rows = [{NAMES[name]: film[name] for name in fields} for film in films]
    if form == FORMS[0]:
        text = orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode()
        return f'<pre><code class="language-json">{_escaped(text)}</code></pre>'
    if form == FORMS[1]:
        lines = ["，".join(f"{name}：{value}" for name, value in row.items()) for row in rows]
        return "<ol>" + "".join(f"<li>{_escaped(line)}</li>" for line in lines) + "</ol>"
    head = "".join(f"<th>{NAMES[name]}</th>" for name in fields)
    body = "".join(
        "<tr>" + "".join(f"<td>{_escaped(str(value))}</td>" for value in row.values()) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
