"""How near each stage comes to what this machine allows: records a CPU second, limit, share.

python benchmarks/limits.py [--docs 20000] [--rounds 5]

One process, one thread, one generated file; what is compared runs in turns, and the median counts.
A limit is the same work without the product: the sum of the filters' own kernels, a loop in C that
gives the same signatures, reading and writing the same files. Results go to work/bench/limits.json
and .md.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np
import polars as pl
from corpus import corpus
from rivals import machine
from words import write_words

from cqia import store
from cqia.cleaners.base import Cleaner
from cqia.raw.plan import plan, read
from cqia.recipe import apply
from cqia.stages.assemble import assemble, export
from cqia.stages.curate import curate, records_of
from cqia.stages.dedup import dedup
from cqia.stages.describe import describe
from cqia.text import shingles
from cqia.text.buffers import flat
from cqia.text.matching import matching_view
from cqia.text.shingles import MinHash

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE / "rivals"))

from ours import recipe, source  # noqa: E402

HEAD = ("what", "records per CPU s", "MB per CPU s", "limit", "records per CPU s", "share")


class Line(NamedTuple):
    """A stage or a part of one, what bounds it, and the CPU seconds of both."""

    what: str
    seconds: float
    limit: str
    bound: float | None


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of this process, all threads."""
    before = time.process_time()
    work()
    return time.process_time() - before


def turns(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The median CPU seconds of each, run in turns; the first turn warms up and doesn't count."""
    found = [[cpu(work) for work in works] for _ in range(rounds + 1)][1:]
    return [statistics.median(each) for each in zip(*found, strict=True)]


def generated(folder: Path, docs: int) -> Path:
    file = folder / f"limits-{docs}.jsonl"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8") as out:
            for rows, _ in corpus(docs, seed=1):
                out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return file


def compiled(folder: Path) -> ctypes.CDLL:
    """The loop in C, built for this machine."""
    library = folder / "signatures.so"
    command = ["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library]
    subprocess.run([*command, HERE / "signatures.c"], check=True)
    return ctypes.CDLL(str(library))


def loop(library: ctypes.CDLL, minhash: MinHash, text: pl.Series) -> np.ndarray:
    data, offsets = flat(text)
    numbers = shingles._numbers(minhash.seed, 2 * minhash.permutations)
    factors, flips = numbers[0::2] | np.uint32(1), numbers[1::2].copy()
    factors = np.ascontiguousarray(factors)
    out = np.empty((len(text), minhash.permutations), np.uint32)
    arrays = (data, np.ascontiguousarray(offsets), factors, flips, out)
    at = [ctypes.c_void_p(one.ctypes.data) for one in arrays]
    size = ctypes.c_int64
    library.signatures(at[0], at[1], size(len(text)), size(minhash.ngram), at[2], at[3],
                       size(minhash.permutations), at[4])  # fmt: skip
    return out


def kernels(records: pl.DataFrame, steps: tuple[object, ...]) -> list[Callable[[], object]]:
    """Each step's own expressions over the text that reaches it, and nothing else."""
    works: list[Callable[[], object]] = []
    frame = records
    for step in steps:
        if isinstance(step, Cleaner):
            columns = [step.clean(pl.col(field)).alias(field) for field in step.fields]
            counts = [step.counts(pl.col(field)) for field in step.fields]
            every = [
                *columns,
                *(one.alias(f"n{n}") for n, one in enumerate(counts) if one is not None),
            ]
            works.append(lambda frame=frame, every=every: frame.select(every))
            frame = frame.with_columns(columns)
        else:
            works.append(lambda frame=frame, step=step: frame.select(step.measure()))
    return works


def filters(records: pl.DataFrame, steps: tuple[object, ...], rounds: int) -> list[Line]:
    whole, *each = turns(rounds, lambda: apply(records, steps), *kernels(records, steps))
    lines = [Line(f"  {type(step).__name__}", one, "", None)
             for step, one in zip(steps, each, strict=True)]  # fmt: skip
    return [Line("filters and cleaners", whole, "sum of their kernels", sum(each)), *lines]


def near(records: pl.DataFrame, library: ctypes.CDLL, rounds: int) -> list[Line]:
    text, minhash = matching_view(records["output"]).fill_null(""), MinHash()
    assert (minhash.signatures(text)[0] == loop(library, minhash, text)).all()
    view, ours, theirs = turns(
        rounds,
        lambda: matching_view(records["output"]),
        lambda: minhash.signatures(text),
        lambda: loop(library, minhash, text),
    )
    return [
        Line("signatures", ours, "the same in C", theirs),
        Line("matching view", view, "", None),
    ]


def stages(file: Path, folder: Path, steps: tuple[object, ...], parts: dict[str, float],
           rounds: int) -> list[Line]:  # fmt: skip
    """Whole stages in a fresh working folder each time."""
    works: dict[str, Path] = {}
    seconds: dict[str, list[float]] = {}
    for turn in range(rounds + 1):
        work = folder / f"stages-{turn}"
        shutil.rmtree(work, ignore_errors=True)
        done: dict[str, Callable[[], object]] = {
            "curate": lambda work=work: curate(source(steps), [str(file)], work=work),
            "dedup": lambda work=work: dedup(work=work, near="output", prefer=()),
            "assemble": lambda work=work: assemble(work=work, takes=()),
            "export": lambda work=work: export(
                work=work, folder=work / "dataset", formats=("release",)
            ),
            "describe": lambda work=work: describe(work=work),
        }
        for name, one in done.items():
            spent = cpu(one)
            if turn:
                seconds.setdefault(name, []).append(spent)
        works["last"] = work
    kept = [part / "kept.parquet" for part in store.parts(works["last"] / "curate/generated")]
    frames = [pl.read_parquet(one, columns=["instruction", "output"]) for one in kept]
    again, lines, written = turns(
        rounds,
        lambda: [pl.read_parquet(one) for one in kept],
        lambda: [one.write_ndjson(folder / "copy.jsonl") for one in frames],
        lambda: [store.write_frame(folder / "copy.parquet", pl.read_parquet(one)) for one in kept],
    )
    parts |= {"read": again, "write": written - again}
    for place in folder.glob("stages-*"):
        shutil.rmtree(place)
    found = {name: statistics.median(some) for name, some in seconds.items()}
    bounds = {
        "curate": ("parse, kernels, write", parts["parse"] + parts["kernels"] + parts["write"]),
        "dedup": ("read, matching view, signatures in C", again + parts["view"] + parts["C"]),
        "export": ("read the records, write their texts as JSON lines", again + lines),
        "describe": ("read the records", again),
    }
    return [Line(name, one, *bounds.get(name, ("", None))) for name, one in found.items()]


def table(lines: list[Line], docs: int, size: int) -> str:
    head = ["| " + " | ".join(HEAD) + " |", "|---|" + "---:|" * 2 + "---|" + "---:|" * 2]
    for what, seconds, limit, bound in lines:
        cells = [what, f"{docs / seconds:,.0f}", f"{size / seconds / 1e6:,.0f}", limit]
        cells += [f"{docs / bound:,.0f}", f"{bound / seconds:.0%}"] if bound else ["", ""]
        head.append("| " + " | ".join(cells) + " |")
    return "\n".join(head)


def main() -> None:
    parser = argparse.ArgumentParser(description="each stage beside what the machine allows")
    parser.add_argument("--docs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=HERE.parent / "work/bench")
    options = parser.parse_args()
    folder = options.work.resolve() / "limits"
    file, size = generated(folder, options.docs), 0
    size = file.stat().st_size
    words = folder / "words"
    write_words(words)
    steps = recipe(words)
    own = source(steps)
    form = own.forms[0]
    tasks = plan([str(file)], {"json"})
    batches = [batch for task in tasks for batch in read(task, form.schema)]
    records = pl.concat([records_of(batch, own, form)[0] for batch in batches])
    body = np.frombuffer(file.read_bytes(), np.uint8)
    parse, ours, digest, copy = turns(
        options.rounds,
        lambda: pl.read_ndjson(file),
        lambda: [batch for task in tasks for batch in read(task, form.schema)],
        lambda: records["output"].hash(),
        lambda: body.copy(),
    )
    lines = [
        Line("reading JSON lines", ours, "polars.read_ndjson", parse),
        Line("hashing the answers", digest, "", None),
        Line("copying the file in memory", copy, "", None),
    ]
    found = filters(records, steps, options.rounds)
    lines += found
    signed = near(records, compiled(folder), options.rounds)
    lines += signed
    parts = {"parse": parse, "kernels": found[0].bound or 0.0, "view": signed[1].seconds,
             "C": signed[0].bound or 0.0}  # fmt: skip
    lines += stages(file, folder, steps, parts, options.rounds)
    said = table(lines, len(records), size)
    print(said)
    facts = machine({"cqia": Path(sys.executable)})
    body = {"machine": facts, "docs": len(records), "lines": [line._asdict() for line in lines]}
    (options.work / "limits.json").write_text(json.dumps(body, indent=2))
    note = "\n".join(f"- {key}: {value}" for key, value in facts.items())
    (options.work / "limits.md").write_text(f"{said}\n\n{note}\n")


if __name__ == "__main__":
    main()
