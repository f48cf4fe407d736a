"""What the join of near-duplicates takes at sizes that don't fit here: a simulation.

python benchmarks/join.py [--records 1e6 1e7 1e8] [--rows 6] [--bands 42]

A key in memory is a hash above a row's number, 64 bits together, so texts that have nothing in
common collide: of n texts about n * (1 - exp(-n / 2**h)) in every band, h = 64 - log2(n) bits of
hash. Their sketches and texts are read for nothing, which grows faster than the input. The
script draws keys and counts, beside the formula, for these keys and for keys of 32 bits, and prints
what is read and held. A record's size is that of the generated corpus (`corpus.py`): 1.7 KB of
text, a fifth of the texts near-duplicates.
"""

from __future__ import annotations

import argparse

import numpy as np

TEXT = 1_700
PERMUTATIONS = 252
HEAD = 16 + PERMUTATIONS
DUPLICATES = 0.3
"""Rows in buckets of real duplicates that are still open in the first bands."""
ROW_BYTES = 4 + 2 + 1
"""What the driver holds a record: the forest's parent, two marks of copies, whether it is left."""


def bits(records: float) -> int:
    """Bits of hash beside a row's number."""
    return 64 - int(records - 1).bit_length()


def colliding(records: int, bits: int, seed: int = 1) -> int:
    """Rows that share their key with another, of so many random keys.

    They are drawn in slices of a key's range, as a search reads them.
    """
    rng = np.random.default_rng(seed)
    slices = max(1, records // 20_000_000)
    total = 0
    for size in rng.multinomial(records, [1 / slices] * slices):
        keys = rng.integers(0, (1 << bits) // slices, size, dtype=np.uint64)
        keys.sort()
        same = keys[1:] == keys[:-1]
        total += int((np.append(same, False) | np.append(False, same)).sum())
    return total


def expected(records: float, bits: float) -> float:
    """The formula for it."""
    return float(records * -np.expm1(-records / 2**bits))


def row(records: float, bands: int, drawn: tuple[int, int] | None) -> str:
    chance = expected(records, bits(records))
    once = DUPLICATES * records * (TEXT + HEAD)
    wasted = (1 + bands) * chance * (TEXT + HEAD)
    cells = [
        f"{records:,.0f}",
        f"{expected(records, 32) / records:.3%}",
        f"{drawn[0] / records:.3%}" if drawn else "",
        f"{chance / records:.5%}",
        f"{drawn[1] / records:.5%}" if drawn else "",
        f"{records * (TEXT + HEAD + 8 * (1 + bands)) / 1e9:,.0f}",
        f"{once / 1e9:,.1f}",
        f"{wasted / 1e9:,.1f}",
        f"{records * ROW_BYTES / 1e9:,.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description="the join of near-duplicates, simulated")
    parser.add_argument("--records", type=float, nargs="+", default=[1e6, 1e7, 1e8])
    parser.add_argument("--beyond", type=float, nargs="+", default=[1e9, 1e10])
    parser.add_argument("--bands", type=int, default=42)
    options = parser.parse_args()
    head = ("records", "32 bits", "drawn", "these keys", "drawn", "index GB",
            "read for duplicates GB", "read for chance GB", "driver GB")  # fmt: skip
    print("| " + " | ".join(head) + " |")
    print("|" + "---:|" * len(head))
    for records in options.records:
        drawn = colliding(int(records), 32), colliding(int(records), bits(records))
        print(row(records, options.bands, drawn), flush=True)
    for records in options.beyond:
        print(row(records, options.bands, None))


if __name__ == "__main__":
    main()
