from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cqia.errors import UserError
from cqia.raw.encoding import decode_page
from cqia.raw.plan import plan, read

WIKI = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/">
 <page><title>边际效用</title><ns>0</ns><id>7</id>
  <revision><id>99</id><text>'''边际效用'''是…</text></revision></page>
 <page><title>讨论:边际效用</title><ns>1</ns><id>8</id><revision><id>1</id><text>x</text></revision></page>
 <page><title>机会成本</title><ns>0</ns><id>9</id><revision><id>2</id><text>y</text></revision></page>
"""


def batches(
    path: Path, kind: str, columns: tuple[str, ...] = ()
) -> tuple[pl.DataFrame, pl.DataFrame]:
    found = [batch for task in plan([str(path)], [kind]) for batch in read(task, None, columns)]
    return (
        pl.concat([one.items for one in found], how="diagonal"),
        pl.concat([one.bad for one in found]),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_with_header_counts_lines_through_breaks_in_values(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes('问,答\n一,"甲\n乙"\n二\n三,丙\n'.encode(encoding))
    good, bad = batches(path, "csv")
    assert good.select("row", "问", "答").rows() == [(2, "一", "甲\n乙"), (5, "三", "丙")]
    assert bad.select("row", "reason").rows() == [(4, "1 columns, 2 are needed")]


def test_csv_without_header_and_tsv(tmp_path: Path) -> None:
    bare = tmp_path / "x.csv"
    bare.write_text("一,甲\n二,乙\n", encoding="utf-8")
    good, bad = batches(bare, "csv", ("q", "a"))
    assert good.select("row", "q", "a").rows() == [(1, "一", "甲"), (2, "二", "乙")]
    assert bad.is_empty()
    tabbed = tmp_path / "x.tsv"
    tabbed.write_text("q\ta\n一\t1,5\n", encoding="utf-8")
    assert batches(tabbed, "csv")[0].select("q", "a").rows() == [("一", "1,5")]


def test_csv_values_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n007,NA\n1e5,\n", encoding="utf-8")
    assert batches(path, "csv")[0].select("a", "b").rows() == [("007", "NA"), ("1e5", "")]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"q": ["一", "二"], "n": [1, 2]}).write_parquet(path)
    assert batches(path, "parquet")[0].select("row", "q", "n").rows() == [
        (1, "一", 1),
        (2, "二", 2),
    ]
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(UserError, match="not a Parquet file"):
        batches(path, "parquet")


def test_wiki_reads_articles_and_says_where_broken_xml_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(WIKI + "</mediawiki>", encoding="utf-8")
    good, bad = batches(path, "mediawiki")
    assert good.select("title", "page").rows() == [("边际效用", 7), ("机会成本", 9)]
    assert good["text"][0] == "'''边际效用'''是…"
    assert bad.is_empty()
    path.write_text(WIKI + "<page><title>x", encoding="utf-8")
    good, bad = batches(path, "mediawiki")
    assert good["title"].to_list() == ["边际效用", "机会成本"]
    assert "broken XML, nothing after this was read" in bad["reason"][0]


@pytest.mark.parametrize(
    ("page", "encoding"),
    [
        ('<meta charset="gb2312"><p>其实是统一码</p>', "utf-8"),
        ('<meta charset="utf-8"><p>其实是国标码，生僻字䶮</p>', "gb18030"),
        ("<p>什么也没说的国标码</p>", "gb18030"),
        ("<p>什么也没说的统一码</p>", "utf-8"),
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=big5"><p>繁體中文網頁</p>',
            "big5",
        ),
        ("<p>带标记的</p>", "utf-8-sig"),
    ],
)
def test_pages_are_decoded_whatever_they_declare(page: str, encoding: str) -> None:
    assert decode_page(page.encode(encoding)) == page


def test_broken_bytes_stay_visible() -> None:
    text = decode_page("<p>中文内容".encode() + b"\xff\xfe" + "继续</p>".encode())
    assert text.count("\ufffd") == 2
    assert "继续" in text


def test_pages_are_packed_and_an_empty_one_is_bad(tmp_path: Path) -> None:
    for name, body in (("a.html", "<p>一</p>"), ("b.html", ""), ("c.html", "<p>三</p>")):
        (tmp_path / name).write_text(body, encoding="utf-8")
    files = [str(tmp_path / f"{name}.html") for name in "abc"]
    (task,) = plan(files, ["html"])
    (batch,) = read(task, None)
    assert batch.items["html"].to_list() == ["<p>一</p>", "<p>三</p>"]
    assert batch.bad.select("file", "reason").rows() == [(files[1], "the file is empty")]


def test_real_pages_decode_without_loss(data: Path) -> None:
    for path in sorted((data / "html_pages").glob("*.html")):
        body = path.read_bytes()
        own = body.count("\ufffd".encode())
        assert decode_page(body).count("\ufffd") - own <= 2, path.name
