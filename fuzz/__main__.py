"""Fuzz: `python -m fuzz [--seconds N] [--engine E] [TARGET…]`; a name may end in `*`; none: all.

Each target runs in a process of its own, so that a crash of a compiled library ends only that one.
With atheris the search is guided by coverage; without it hypothesis draws. What is found is kept
under `fuzz/found/TARGET/`, an input a finding; copied to `fuzz/regress/TARGET/`, the tests hold it
from then on.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

from fuzz.engines import LATER, run

FOUND = Path(__file__).resolve().parent / "found"


def main() -> None:
    """Run targets one after another; exit 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="TARGET", help="none: all; may end in *")
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU seconds for each target")
    parser.add_argument(
        "--engine", choices=("atheris", "hypothesis"), help="default: what is there"
    )
    parser.add_argument("--list", action="store_true", help="only print the targets' names")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    engine = given.engine or ("atheris" if importlib.util.find_spec("atheris") else "hypothesis")
    if given.alone:
        run(engine, given.names[0], given.seconds)
        return
    from fuzz.targets import chosen

    names = [target.name for target in chosen(tuple(given.names))]
    if given.list:
        print("\n".join(names))
        return
    print(f"{len(names)} targets, {given.seconds:g} s each, {engine}", flush=True)
    worst = [_one(engine, name, given.seconds) for name in names]
    print(f"targets {len(names)}, with findings {sum(worst)}")
    sys.exit(any(worst))


def _one(engine: str, name: str, seconds: float) -> bool:
    """Run a target in a process of its own; print its line."""
    before = _files(name)
    command = [sys.executable, "-m", "fuzz", "--alone", "--engine", engine]
    command += ["--seconds", str(seconds), name]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, check=False,
            timeout=LATER * seconds + 120,
        )  # fmt: skip
        output, code = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired as late:
        output, code = (late.stdout or b"") + b"\nnever came back", 1
    told = output.decode("utf-8", "replace").splitlines()
    lines = [line for line in told if line.startswith("fuzz: ")]
    new = _files(name) - before
    line = lines[-1].removeprefix("fuzz: ") if lines else "ended without a word"
    print(f"{name:42} {line}  {time.monotonic() - began:.0f} s", flush=True)
    if code and not new:
        print("    " + "\n    ".join(told[-12:]), flush=True)
    for file in sorted(new):
        print(f"    {file}", flush=True)
    return bool(new) or code != 0


def _files(name: str) -> set[Path]:
    folder = FOUND / name
    return {one for one in folder.iterdir() if one.suffix != ".txt"} if folder.is_dir() else set()


if __name__ == "__main__":
    main()
