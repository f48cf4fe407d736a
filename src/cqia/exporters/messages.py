"""The form of chat models' APIs: a list of messages with roles.

{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}
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
    "columns": {"messages": "messages"},
    "tags": {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages(Exporter):
    """One JSON lines file a split; a system text is the first message."""

    name: ClassVar[str] = "messages"

    def write(self, chosen: Chosen, folder: Path) -> dict[str, int]:
        files = JsonLines(folder)
        for facts in chosen.sources:
            for split, records in chosen.batches(facts["source"]):
                turns = conversation(
                    records,
                    who="role",
                    what="content",
                    user="user",
                    assistant="assistant",
                    system="system",
                )
                files.append(f"{split}.jsonl", records.select(turns.alias("messages")))
        write_info(folder, dict.fromkeys(files.rows, DESCRIPTION))
        return files.rows
