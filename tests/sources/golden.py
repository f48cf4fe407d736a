"""Write a source's golden fates down, after a person has read them.

    python -m tests.sources.golden NAME

prints what becomes of every sample item and writes it to `golden/NAME.json`, which the contract test
holds the source to from then on.
"""

import json
import sys
from pathlib import Path

from cqia.sources.catalogue import SOURCES
from tests.sources.curated import Curated, curated

GOLDEN = Path(__file__).parent / "golden"


def fates(made: Curated) -> dict[str, str]:
    """What becomes of each sample: id -> `kept` or a rule; file:row -> `bad: reason`."""
    kept = dict.fromkeys(made.outcome.kept["id"], "kept")
    dropped = dict(made.outcome.dropped.select("id", "rule").iter_rows())
    bad = {
        f"{Path(file).name}:{row}": f"bad: {reason}"
        for file, row, reason in made.bad.select("file", "row", "reason").iter_rows()
    }
    return kept | dropped | bad


def main(name: str) -> None:
    made = curated(SOURCES[name])
    found = dict(sorted(fates(made).items()))
    asked = dict(made.records.select("id", "instruction").iter_rows())
    for one, fate in found.items():
        print(f"{fate:40} {one:30} {asked.get(one, '')[:40]!r}")
    (GOLDEN / f"{name}.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
