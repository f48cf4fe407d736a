"""How long do the web app's search and filters take, with twenty people at once over many records?

    python benchmarks/searching.py --records 200000 --clients 20 --seconds 20

Makes a working folder of made-up records once, starts the server as its own process, and asks it in
a closed loop: every client has a session of its own and asks again as soon as it has its answer.
Side by side in one run: the index, Polars scanning all texts, and SQLite's FTS5 with trigrams (of a
tenth of the records, since it takes long to build).
"""

from __future__ import annotations

import argparse
import http.client
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import polars as pl

from cqia import store
from cqia.record import DEFAULTS, SCHEMA, TEXT
from cqia.reviewing import people
from cqia.reviewing.book import Book
from cqia.reviewing.search import Query, opened
from cqia.web.guard import COOKIE

COMMON = (
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以"
    "会家可下而过天去能对小多然于心学么之都好看起发当没成只如事把还用第样道想作种开美"
    "总从无情己面最女但现前些所同日手又行意动方期它头经长儿回位分爱老因很给名法间斯知"
    "世什两次使身者被高已亲其进此话常与活正感"
)
RARE = (
    "租房押金合同律师医院处方春分秋分函数变量接口缓存量子卫星稻田茶叶瓷器篆刻围棋京剧"
    "昆曲蝴蝶鲸鱼珊瑚冰川沙漠峡谷湖泊瀑布"
)


def text(rng: random.Random, low: int, high: int) -> str:
    pieces = []
    for _ in range(rng.randint(low, high)):
        if rng.random() < 0.1:
            at = rng.randrange(len(RARE) // 2) * 2
            pieces.append(RARE[at : at + 2])
        else:
            pieces.append(rng.choice(COMMON[: 1 + int(len(COMMON) * rng.random() ** 2)]))
    return "".join(pieces)


def made(work: Path, records: int) -> None:
    rng = random.Random(1)
    part = 10_000
    for number in range(5):
        name, read, kept = f"source{number}", records // 5, 0
        for start in range(0, read, part):
            n = min(part, read - start)
            frame = pl.DataFrame(
                {"id": [f"{name}-{start + i}" for i in range(n)], "source": [name] * n}
                | {"instruction": [text(rng, 8, 40) for _ in range(n)]}
                | {"output": [text(rng, 100, 700) for _ in range(n)]}
                | {"file": ["made"] * n, "row": list(range(start, start + n))}
                | {"task_minor": [[rng.choice(["问答", "影评", "书评"])] for _ in range(n)]}
            )
            missing = {name: value for name, value in DEFAULTS.items() if name not in frame.columns}
            frame = frame.with_columns(**missing).select(*SCHEMA).cast(SCHEMA)  # type: ignore[arg-type]
            length = frame["output"].str.len_chars()
            low = {"rule": pl.lit("Length.output"), "value": length.cast(pl.Float64)}
            low |= {"low": pl.lit(200.0), "high": pl.lit(None, pl.Float64)}
            place = work / "curate" / name / f"{start:08d}-000000"
            store.write_frame(place / "kept.parquet", frame.filter(length >= 200))
            dropped = frame.with_columns(**low).filter(length < 200)
            store.write_frame(place / "dropped.parquet", dropped)
            measures = frame.select("id", "file", "row", SameId=pl.lit(1))
            measures = measures.with_columns(length.alias("Length.output"))
            store.write_frame(place / "measures.parquet", measures)
            kept += int((length >= 200).sum())
        facts = {"source": name, "family": name, "type": "social", "answers": None, "steps": []}
        facts |= {
            "bounds": {"Length.output": [200.0, None]},
            "rules": {"Length.output": read - kept},
        }
        facts |= {"read": read, "kept": kept, "dropped": read - kept, "items": read, "bad": 0}
        facts |= {"unmeasured": {}}
        store.seal(work / "curate" / name, store.fingerprint(facts), facts)


def asked(rng: random.Random) -> dict[str, str]:
    kind = rng.random()
    query: dict[str, str] = {}
    if kind < 0.7:
        at = rng.randrange(len(RARE) // 2) * 2
        query["text"] = rng.choice([RARE[at : at + 2], RARE[at : at + 2], rng.choice(COMMON),
                                    rng.choice(COMMON) + rng.choice(COMMON)])  # fmt: skip
    if rng.random() < 0.4:
        query["source"] = f"source{rng.randrange(5)}"
    if rng.random() < 0.4:
        query["rule"] = rng.choice(["kept", "dropped", "Length.output"])
    if rng.random() < 0.3:
        query["low"] = str(rng.randrange(100, 600))
    if rng.random() < 0.2:
        query |= {"measure": "Length.output", "least": str(rng.randrange(100, 600))}
    if rng.random() < 0.2:
        query["task"] = rng.choice(["问答", "影评"])
    return query


def client(port: int, cookie: str, seed: int, until: float, times: list[float]) -> None:
    rng = random.Random(seed)
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while time.monotonic() < until:
        begin = time.perf_counter()
        line.request("GET", "/records?" + urlencode(asked(rng)), headers={"cookie": cookie})
        answer = line.getresponse()
        answer.read()
        times.append(time.perf_counter() - begin)
        if answer.status != 200:
            raise RuntimeError(f"status {answer.status}")


def memory(pid: int) -> str:
    told = Path(f"/proc/{pid}/status").read_text().splitlines()
    wanted = ("VmHWM", "VmRSS", "RssAnon", "RssFile")
    return ", ".join(" ".join(one.split()) for one in told if one.startswith(wanted))


def served(work: Path, clients: int, seconds: float, port: int) -> None:
    book = Book(work)
    names = [people.named(book, f"client {n}", "viewer") for n in range(clients)]
    cookies = [f"{COOKIE}={people.signed(book, one.id, time.time())}" for one in names]
    program = [
        sys.executable,
        "-m",
        "cqia.cli.main",
        "web",
        "--work",
        str(work),
        "--port",
        str(port),
    ]
    server = subprocess.Popen(program, stdout=subprocess.DEVNULL)
    try:
        while True:
            time.sleep(0.5)
            try:
                line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
                line.request("GET", "/records")
                line.getresponse().read()
                break
            except ConnectionRefusedError:
                continue
        times: list[float] = []
        until = time.monotonic() + seconds
        threads = [
            threading.Thread(target=client, args=(port, cookie, number, until, times))
            for number, cookie in enumerate(cookies)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        mine = sorted(times)
        print(
            f"server     {len(mine)} answers in {seconds:g} s to {clients} clients in a closed loop"
        )
        middle, late = statistics.median(mine), mine[int(0.95 * len(mine))]
        print(f"           median {1e3 * middle:.0f} ms, 95th percentile {1e3 * late:.0f} ms")
        print(f"           slowest {1e3 * mine[-1]:.0f} ms")
        print(f"           {memory(server.pid)}")
    finally:
        server.terminate()
        server.wait()


def alone(work: Path) -> None:
    begin = time.perf_counter()
    index = opened(work)
    print(f"index      opened (made where it was not there) in {time.perf_counter() - begin:.1f} s")
    words = [RARE[at : at + 2] for at in range(0, len(RARE), 2)]
    table = pl.concat(index.texts)

    def timed(name: str, find: object) -> None:
        assert callable(find)
        spent = []
        for word in words:
            start = time.perf_counter()
            find(word)
            spent.append(1e3 * (time.perf_counter() - start))
        print(f"{name:<10} median {statistics.median(spent):.1f} ms, slowest {max(spent):.1f} ms")

    timed("index", lambda word: index.find(Query(text=word)))
    held = pl.any_horizontal
    timed("scan", lambda word: table.select(
        held(pl.col(name).str.contains(word, literal=True) for name in TEXT)).sum())  # fmt: skip
    few = table.head(len(table) // 10)
    db = sqlite3.connect(":memory:")
    begin = time.perf_counter()
    db.execute("create virtual table f using fts5(t, tokenize='trigram')")
    rows = few.select(pl.concat_str(TEXT, separator=" ")).iter_rows()
    db.executemany("insert into f values (?)", rows)
    print(f"trigrams   a tenth of the records indexed in {time.perf_counter() - begin:.1f} s")
    query = "select count(*) from f where t like ?"
    timed("trigrams", lambda word: db.execute(query, (f"%{word}%",)).fetchone())
    found = db.execute(query, (f"%{words[0]}%",)).fetchone()[0]
    print(f"           {words[0]}: {found} hits in that tenth;"
          f" {index.find(Query(text=words[0])).total} in all by the index")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--port", type=int, default=8_799)
    parser.add_argument("--work", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = given.work or Path(place) / "work"
        if not (work / "curate").exists():
            made(work, given.records)
        alone(work)
        served(work, given.clients, given.seconds, given.port)
