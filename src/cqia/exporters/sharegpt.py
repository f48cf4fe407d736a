"""ShareGPT's form: turns from human and gpt, the system text beside them.

{"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}], "system": ""}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cqia.exporters.base import Exporter, JsonLines
from cqia.exporters.chosen import Chosen
from cqia.exporters.llama_factory import write_info
from cqia.exporters.turns import conversation

DESCRIPTION = {
    "formatting": "sharegpt",
    "columns": {"messages": "conversations", "system": "system"},
    "tags": {
        "role_tag": "from",
        "content_tag": "value",
        "user_tag": "human",
        "assistant_tag": "gpt",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareGpt(Exporter):
    """One JSON lines file a split."""

    name: ClassVar[str] = "sharegpt"

    def write(self, chosen: Chosen, folder: Path) -> dict[str, int]:
        files = JsonLines(folder)
        for facts in chosen.sources:
            for split, records in chosen.batches(facts["source"]):
                turns = conversation(
                    records, who="from", what="value", user="human", assistant="gpt"
                )
                rows = records.select(turns.alias("conversations"), "system")
                files.append(f"{split}.jsonl", rows)
        write_info(folder, dict.fromkeys(files.rows, DESCRIPTION))
        return files.rows
