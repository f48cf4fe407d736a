"""LLaMA-Factory's `dataset_info.json`: which files there are, and what their columns mean.

Its source: `data/README.md` of github.com/hiyouga/LLaMA-Factory. Training names a dataset by its
key and the folder by `dataset_dir`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cqia import store


def write_info(folder: Path, files: Mapping[str, store.Facts]) -> None:
    """Write the description of a folder's files; the key of `train.jsonl` is `cqia_train`.

    Args:
        folder: where the files stand.
        files: each file's description beside its name.
    """
    info = {
        f"cqia_{place.removesuffix('.jsonl').replace('-', '_')}": {"file_name": place, **facts}
        for place, facts in files.items()
    }
    store.write_json(folder / "dataset_info.json", info)
