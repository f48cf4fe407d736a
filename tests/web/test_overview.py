"""The picture of the overview: its columns, and that every band leads to the records in it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from cqia import scores, store
from cqia.reviewing import outcomes
from cqia.reviewing.book import Book
from cqia.stages.assemble import assemble
from cqia.thresholds import Threshold
from tests.reviewing.made import folder, person
from tests.web.made import Visitor, application, visitor
from tests.workbench import doubles, kept

HEADS = ["清洗过滤 curate", "去重 dedup", "打分 score", "人工 review", "数据集 assemble"]


def whole(place: Path) -> Path:
    """A folder in which every stage turned something away, and people brought something back."""
    work = folder(place)
    doubles(work, ["one-k4", "one-k5"])
    ids = [*kept(work, "one"), *kept(work, "two")]
    made = pl.DataFrame({"id": ids, "source": [one[:3] for one in ids], "repeat": 0,
                         "state": "read", "score": [float(n % 5) for n in range(len(ids))],
                         "verdict": "", "reply": "", "reason": "", "prompt_tokens": 1,
                         "reply_tokens": 1})  # fmt: skip
    part = work / "score" / "quality@m" / "0001"
    store.write_frame(
        part / "scores.parquet", made.select(*scores.SCORES).cast(pl.Schema(scores.SCORES))
    )
    store.write_json(part.parent / "manifest.json", {"fingerprint": "x", "states": {}})
    book = Book(work)
    owner = person(book, "老板", "owner")
    for id_, action in (("one-k9", "restore"), ("one-k1", "drop"), ("two-k1003", "drop")):
        outcomes.rule(book, record=id_, source="one", person=owner.id, action=action, reason="看过")
    outcomes.export(book)
    low = Threshold(judge="quality", model="m", low=1.0, unscored="keep")
    assemble(work=work, total=20, thresholds=[low])
    return work


def bands(owner: Visitor) -> list[tuple[str, str, int]]:
    text = owner.get("/")
    found = re.findall(
        r'<a href="([^"]+)"><path class="band.*?<title>([^<]*): ([\d,]+)</title>', text
    )
    return [
        (html.unescape(link), title, int(count.replace(",", ""))) for link, title, count in found
    ]


def test_every_band_leads_to_the_records_in_it(tmp_path: Path) -> None:
    work = whole(tmp_path)
    owner = visitor(application(work))
    text = owner.get("/")
    assert re.findall(r'class="stage"[^>]*>([^<]*)<', text) == HEADS
    found = bands(owner)
    ends = {title.split(" → ")[1] for _, title, _ in found}
    assert ends == {
        "kept", "Length.output", "NearDuplicate", "Score.quality@m", "Reviewed", "NotSampled"
    }  # fmt: skip
    for link, title, count in found:
        query = dict(parse_qsl(urlsplit(link).query))
        page = owner.get("/records", **query)
        shown = re.search(r'id="total"><strong>([\d,]+)</strong>', page)
        assert shown, link
        assert int(shown[1]) == count, (title, link)
    assert "人工决定：留用 0，恢复 1，丢弃 2" in text
    assert "数据集比这些决定旧" not in text


def test_decisions_that_wait_for_assemble_are_told(tmp_path: Path) -> None:
    work = whole(tmp_path)
    owner = visitor(application(work))
    owner.get("/record", id="one-k2")
    owner.post("/record", id="one-k2", action="drop", reason="看过")
    assert "数据集比这些决定旧" in owner.get("/")
    assemble(work=work, total=20)
    assert "数据集比这些决定旧" not in owner.get("/")


def test_without_a_dataset_there_is_no_column_for_people(tmp_path: Path) -> None:
    text = visitor(application(folder(tmp_path))).get("/")
    assert re.findall(r'class="stage"[^>]*>([^<]*)<', text) == HEADS[:1]
