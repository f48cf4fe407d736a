"""All columns of the records (`cqia.record.SCHEMA`) and `writer` as Parquet, one file a split."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cqia.exporters.base import Exporter
from cqia.exporters.chosen import Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Parquet(Exporter):
    """One Parquet file a split; a row group a batch."""

    name: ClassVar[str] = "parquet"

    def write(self, chosen: Chosen, folder: Path) -> dict[str, int]:
        import pyarrow.parquet as pq

        rows: dict[str, int] = {}
        writers: dict[str, pq.ParquetWriter] = {}
        with ExitStack() as stack:
            for facts in chosen.sources:
                for split, records in chosen.batches(facts["source"]):
                    table = records.to_arrow()
                    place = f"{split}.parquet"
                    if place not in writers:
                        writer = pq.ParquetWriter(folder / place, table.schema, compression="zstd")
                        writers[place] = stack.enter_context(writer)
                    writers[place].write_table(table)
                    rows[place] = rows.get(place, 0) + len(records)
        return rows
