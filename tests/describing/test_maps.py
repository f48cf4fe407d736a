from __future__ import annotations

from pathlib import Path

import polars as pl

from cqia import store
from cqia.describing import maps
from tests.workbench import cure, rows

RECORDS = pl.DataFrame(
    {
        "id": ["a1", "a2", "b1"],
        "source": ["a", "a", "b"],
        "domain": [["医学", "法律", "医学"], [], ["历史"]],
        "licence": ["MIT", "answers by users; no licence stated", ""],
        "copyright": ["", "张三", None],
    }
)


def test_a_record_counts_once_in_each_of_its_domains() -> None:
    assert sorted(maps.domains(RECORDS).rows()) == [
        ("a", "", 1), ("a", "医学", 1), ("a", "法律", 1), ("b", "历史", 1),
    ]  # fmt: skip


def test_rare_domains_stand_together_and_count_a_record_once() -> None:
    many = pl.DataFrame(
        {"id": ["1", "2"], "source": ["a", "a"], "domain": [["x", "y", "z"], ["x"]]}
    )
    assert sorted(maps.domains(many, most=1).rows()) == [("a", "x", 2), ("a", "…", 1)]


def test_rights_that_are_not_told_are_counted() -> None:
    known = [
        {"source": name, "title": name, "origin": "o", "licence": "L"} for name in ("a", "b", "c")
    ]
    found = maps.rights(RECORDS, known)
    assert found["records"].to_list() == [2, 1, 0]
    assert found["without_licence"].to_list() == [1, 1, 0]
    assert found["without_either"].to_list() == [0, 1, 0]
    assert found["licence"].to_list() == ["MIT、answers by users; no licence stated", "L", "L"]


def test_pairs_count_once_whatever_their_order(tmp_path: Path) -> None:
    cure(tmp_path, "b", rows(3))
    cure(tmp_path, "a", rows(3, start=10))
    assert maps.alike(tmp_path, ["a", "b"]) is None
    pairs = pl.DataFrame({"a": ["b-k0", "a-k10", "a-k11"], "b": ["a-k10", "b-k1", "a-k12"],
                          "similarity": [0.9, 0.8, 0.7]})  # fmt: skip
    store.write_frame(tmp_path / "dedup" / "pairs.parquet", pairs)
    store.write_json(tmp_path / "dedup" / "manifest.json", {"fingerprint": "x"})
    found = maps.alike(tmp_path, ["a", "b"])
    assert found is not None
    assert found.rows() == [("a", "a", 1), ("a", "b", 2)]


def test_defects_are_counted_by_record_and_file_wide_ones_left_out() -> None:
    findings = pl.DataFrame(
        {
            "file": ["/x/a.jsonl"] * 3 + ["/x/b.jsonl"],
            "line": [1, 1, 0, 2],
            "item": [1, 1, 0, 2],
            "severity": ["warning", "warning", "note", "error"],
            "kind": ["markup", "markup", "licence_gap", "empty"],
        }
    )
    found = maps.defects(findings, {"a": 4, "b": 2, "c": 9})
    assert found.rows() == [
        ("b", "error", "empty", 1, 2, 0.5), ("a", "warning", "markup", 1, 4, 0.25),
    ]  # fmt: skip
