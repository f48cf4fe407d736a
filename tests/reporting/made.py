"""A statement made up for tests, in the form that train, evaluate and compare write."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl

from cqia import store

BASES = ("proxy-4m", "proxy-9m")
SUBSETS = ("ruozhiba", "zhihu", "baikemy", "baikemy-shuffled", "baikemy-swapped", "random")
SEEDS = (1, 2)
BELLE = ("open qa", "math", "code", "brainstorming")
SAFETY = ("Ethics_and_Morality", "Mental_Health", "Physical_Health")
BENCHMARKS: dict[str, tuple[str, ...]] = {
    "belle_eval": BELLE,
    "safetybench": SAFETY,
    "reference_loss": ("medical", "exam", "poetry"),
    "agieval": ("logic",),
}
EFFECT = {"ruozhiba": 0.12, "zhihu": 0.02, "baikemy": 0.08, "baikemy-shuffled": -0.3,
          "baikemy-swapped": -0.02, "random": 0.0, "": 0.0}  # fmt: skip
N = 40

Row = dict[str, Any]


def statement(work: Path, *, bad: str = "", proxy: bool = True) -> None:
    """Write a whole statement below `work`.

    Args:
        work: the working folder.
        bad: a hostile text that takes the place of a subset's name, of replies and of errors.
        proxy: whether the bases are said to be proxies.
    """
    names = {one: one for one in ("", *SUBSETS)} | ({"zhihu": bad} if bad else {})
    outcomes = _outcomes(names, bad)
    store.write_frame(work / "statement" / "outcomes.parquet", outcomes)
    cells = _cells(names)
    store.write_frame(work / "compare" / "cells.parquet", cells)
    store.write_frame(work / "compare" / "pairs.parquet", _pairs(names))
    kinship = {
        "writer_family": ["gpt", "human"],
        "judge_family": ["gpt", "gpt"],
        "gap": [0.04, None],
    }
    store.write_frame(work / "compare" / "kinship.parquet", pl.DataFrame(kinship))
    store.write_json(work / "compare" / "manifest.json", {"fingerprint": "c0", "level": 0.95})
    store.write_json(work / "statement" / "manifest.json", _manifest(names, bad, proxy))
    _folders(work, names)


def _outcomes(names: dict[str, str], bad: str) -> pl.DataFrame:
    chance = random.Random(7)
    rows: list[Row] = []
    for base in BASES:
        for subset, name in names.items():
            for seed in SEEDS if subset else (0,):
                for benchmark, groups in BENCHMARKS.items():
                    for n in range(N):
                        group = groups[n % len(groups)]
                        score, state = _score(chance, benchmark, subset), "read"
                        if benchmark == "safetybench" and n == 0:
                            state = "unreadable"
                        rows.append(
                            {
                                "item": f"{benchmark}-{n}",
                                "group": group,
                                "cluster": f"{benchmark}-{n}",
                                "question": f"{bad}第{n}问：为什么？",
                                "state": state,
                                "score": score if state == "read" else None,
                                "answer": "A",
                                "reply": (bad or f"{name or '基座'}的回答：先看题目，") + "再想一想。" * (n + 1),
                                "gold": "B",
                                "reason": None,
                                "base": base,
                                "subset": name,
                                "seed": seed,
                                "benchmark": benchmark,
                                "direction": "lower" if benchmark == "reference_loss" else "higher",
                                "writer_family": "gpt" if subset == "ruozhiba" else "human",
                                "judge_family": "gpt" if benchmark == "belle_eval" else "",
                            }
                        )  # fmt: skip
    return pl.DataFrame(rows)


def _score(chance: random.Random, benchmark: str, subset: str) -> float:
    effect = EFFECT[subset]
    if benchmark == "reference_loss":
        return 5.0 - 3 * effect + chance.gauss(0, 0.2)
    if benchmark == "belle_eval":
        return min(1.0, max(0.0, 0.5 + effect + chance.gauss(0, 0.2)))
    return float(chance.random() < 0.4 + effect)


def _cells(names: dict[str, str]) -> pl.DataFrame:
    chance = random.Random(3)
    rows: list[Row] = []
    for base in BASES:
        for benchmark, groups in BENCHMARKS.items():
            for group in (*groups, "", "macro"):
                for subset, name in names.items():
                    rows.append(_cell(chance, base, subset, name, benchmark, group))
    return pl.DataFrame(rows, infer_schema_length=None)


def _cell(
    chance: random.Random, base: str, subset: str, name: str, benchmark: str, group: str
) -> Row:
    loss = benchmark == "reference_loss"
    lower = -3.0 if loss else 1.0
    mean = (5.0 if loss else 0.4) + lower * EFFECT[subset] + chance.gauss(0, 0.01)
    half = 0.05 * abs(lower)
    difference = lower * EFFECT[subset] + chance.gauss(0, 0.01)
    tuned: Row = {
        "seed_sd": 0.01,
        "difference": difference,
        "difference_low": difference - half,
        "difference_high": difference + half,
        "simultaneous_low": difference - 1.3 * half,
        "simultaneous_high": difference + 1.3 * half,
        "p": 0.01,
        "p_adjusted": 0.04,
        "detectable": 1.5 * half,
        "n_paired": N - 2,
        "verdict": _says(difference * (-1 if loss else 1), 1.3 * half),
    }
    return {
        "base": base,
        "subset": name,
        "benchmark": benchmark,
        "group": group,
        "direction": "lower" if loss else "higher",
        "seeds": len(SEEDS) if subset else 1,
        "items": N,
        "read": N - 1,
        "unreadable": 1,
        "failed": 0,
        "mean": mean,
        "low": mean - half,
        "high": mean + half,
        **(tuned if subset else dict.fromkeys(tuned)),
        "rank": 1 if EFFECT[subset] > 0.05 else 2,
    }


def _says(gain: float, half: float) -> str:
    return "undecided" if abs(gain) <= half else "better" if gain > 0 else "worse"


def _pairs(names: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "base": [BASES[0]],
            "benchmark": ["reference_loss"],
            "group": [""],
            "first": [names["baikemy"]],
            "second": [names["baikemy-swapped"]],
            "difference": [-0.3],
            "difference_low": [-0.5],
            "difference_high": [-0.1],
            "p_adjusted": [0.01],
            "verdict": ["better"],
        }
    )


def _manifest(names: dict[str, str], bad: str, proxy: bool) -> store.Facts:
    subsets = [
        {
            "name": name,
            "sources": ["baikemy" if one.startswith("baikemy") else one],
            "control": one.split("-")[1] if "-" in one else "random" if one == "random" else None,
            "records": 200,
            "tokens": 40_000,
            "writer_family": "gpt" if one == "ruozhiba" else "human",
            "short": one == "ruozhiba",
        }
        for one, name in names.items()
        if one
    ]
    cells = [
        {
            "base": base,
            "subset": names[one],
            "seed": seed,
            "folder": f"train/{base}/{one}/{seed}",
            "state": "failed" if failed else "done",
            "error": (bad or "out of memory") if failed else None,
            "first_loss": 5.1,
            "last_loss": None if failed else 3.2,
            "steps": 60,
            "trained_tokens": 40_000,
            "kept": 200,
            "dropped": 0,
        }
        for base in BASES
        for one in SUBSETS
        for seed in SEEDS
        for failed in [base == BASES[1] and one == "random" and seed == SEEDS[1]]
    ]
    return {
        "fingerprint": "s0",
        "name": "小小陈述",
        "proxy": proxy,
        "seeds": list(SEEDS),
        "bases": [
            {"name": one, "preset": "proxy", "parameters": 4_000_000, "proxy": proxy, "licence": "none"}
            for one in BASES
        ],
        "subsets": subsets,
        "benchmarks": [
            {
                "name": one,
                "version": "1",
                "metric": "bits per character" if one == "reference_loss" else "accuracy",
                "direction": "lower" if one == "reference_loss" else "higher",
                "judge": "judge-a" if one == "belle_eval" else "",
                "mode": "zero-shot",
            }
            for one in BENCHMARKS
        ],
        "cells": cells,
    }  # fmt: skip


def _folders(work: Path, names: dict[str, str]) -> None:
    chance = random.Random(5)
    for base in BASES:
        for one in ("untuned", *SUBSETS):
            for seed in SEEDS if one != "untuned" else (0,):
                for benchmark in BENCHMARKS:
                    folder = work / "evaluate" / base / one / str(seed) / benchmark
                    store.write_json(folder / "manifest.json", {"benchmark": benchmark, "n": N})
                if one == "untuned":
                    continue
                loss = [5.0 - step * 0.03 + chance.gauss(0, 0.05) for step in range(60)]
                frame = pl.DataFrame({"step": range(60), "epoch": [s / 60 for s in range(60)],
                                      "loss": loss, "tokens": [s * 700 for s in range(60)]})  # fmt: skip
                folder = work / "train" / base / one / str(seed)
                store.write_frame(folder / "loss.parquet", frame)
                store.write_json(
                    folder / "manifest.json", {"fingerprint": "t", "tuning": {"epochs": 1}}
                )
                store.write_json(folder / "timing.json", {"seconds": 12.5})
