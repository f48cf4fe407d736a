"""Every exporter by name. A new format adds one line here."""

from __future__ import annotations

from cqia.exporters.alpaca import Alpaca
from cqia.exporters.base import Exporter
from cqia.exporters.messages import Messages
from cqia.exporters.parquet import Parquet
from cqia.exporters.release import Release
from cqia.exporters.sharegpt import ShareGpt

EXPORTERS: dict[str, Exporter] = {
    exporter.name: exporter for exporter in (Release(), Alpaca(), ShareGpt(), Messages(), Parquet())
}
"""Name -> exporter."""
