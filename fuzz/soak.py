"""Soak: runs that are killed, starved of disk, lied to and robbed, for as long as you like.

    python -m fuzz.soak --minutes 30

Each round disturbs whole runs of an experiment, or the scoring of its records, until the work is
done all the same, and then looks: is the result the same, byte for byte, as that of a run that was
left alone? Was a request paid twice? Did anything hang? Did each stop say so in one line? Full
disks need root (a small tmpfs); without it that round is left out and told.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from fuzz.soak_rounds import ROUNDS, Round, Tally
from fuzz.soak_world import World


def main() -> None:
    """Soak for some minutes; exit 1 when anything was lost, doubled or hung, or told badly."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--work", type=Path, default=Path("work/soak"))
    parser.add_argument("--json", type=Path, help="where the table is written  [WORK/soak.json]")
    parser.add_argument("--only", nargs="*", default=[], choices=sorted(ROUNDS))
    given = parser.parse_args()
    began, draw = time.monotonic(), random.Random(given.seed)
    world = World(given.work.resolve(), draw)
    offered = {name: one for name, one in ROUNDS.items() if not given.only or name in given.only}
    names = [name for name, one in offered.items() if one.offered(world)]
    left_out = sorted(set(offered) - set(names))
    print(f"seed {given.seed}; rounds: {', '.join(names)}"
          + (f"; not here: {', '.join(left_out)}" if left_out else ""), flush=True)  # fmt: skip
    tallies: dict[str, Tally] = {name: Tally() for name in names}
    order: list[str] = []
    while time.monotonic() - began < 60 * given.minutes or not all(
        one.rounds for one in tallies.values()
    ):
        order = order or draw.sample(names, len(names))
        _one(order.pop(), world, tallies)
    path = given.json or given.work / "soak.json"
    minutes = (time.monotonic() - began) / 60
    sys.exit(_told(tallies, path, given.seed, minutes))


def _one(name: str, world: World, tallies: dict[str, Tally]) -> None:
    """Play a round and add what came of it."""
    tally, before = tallies[name], len(tallies[name].faults)
    round_: Round = ROUNDS[name]
    began = time.monotonic()
    round_.play(world, tally)
    tally.rounds += 1
    tally.seconds += time.monotonic() - began
    for fault in tally.faults[before:]:
        print(f"  {name}: {fault}", flush=True)


def _told(tallies: dict[str, Tally], path: Path, seed: int, minutes: float) -> int:
    """Print the table, write it as JSON, and return the exit code."""
    heads = ("round", "rounds", "starts", "killed", "stopped", "lost", "doubled", "hung", "untold")
    rows: list[tuple[object, ...]] = [
        (name, one.rounds, one.starts, one.killed, one.stopped, one.lost, one.doubled, one.hung,
         one.untold) for name, one in tallies.items()]  # fmt: skip
    total: Counter[str] = Counter()
    for row in rows:
        total.update({head: int(str(cell)) for head, cell in zip(heads[1:], row[1:], strict=True)})
    rows.append(("all", *(total[head] for head in heads[1:])))
    for row in (heads, *rows):
        print(
            "".join(f"{cell:<12}" if place == 0 else f"{cell:>9}" for place, cell in enumerate(row))
        )
    faults = [f"{name}: {fault}" for name, one in tallies.items() for fault in one.faults]
    facts = {"seed": seed, "minutes": round(minutes, 1), "faults": faults,
             "rounds": [dict(zip(heads, row, strict=True)) for row in rows]}  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(f"{minutes:.1f} minutes, {total['starts']} starts, {total['killed']} killed,"
          f" {total['stopped']} stopped with a line, {total['untold']} without")  # fmt: skip
    print(f"lost {total['lost']}, doubled {total['doubled']}, hung {total['hung']}", flush=True)
    return int(any(total[one] for one in ("lost", "doubled", "hung", "untold")))


if __name__ == "__main__":
    main()
