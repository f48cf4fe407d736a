"""datatrove's side of benchmarks/asking.py; runs in datatrove's own environment.

python trove_asking.py URL FOLDER UNDER_WAY     URL up to and with /v1

FOLDER/bodies.jsonl holds the requests' bodies. Prints the seconds of the run, with its request
cache on, and the replies that it wrote.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.writers.jsonl import JsonlWriter


def documents(folder: Path) -> Iterator[Document]:
    with (folder / "bodies.jsonl").open() as lines:
        for number, line in enumerate(lines):
            yield Document(text=line, id=str(number))


async def judged(document: Document, generate: Any) -> str:  # noqa: ANN401
    body = json.loads(document.text)
    body.pop("model")
    return str((await generate(body)).text)


def main(url: str, folder: Path, under_way: int) -> None:
    config = InferenceConfig(
        server_type="endpoint",
        endpoint_url=url.removesuffix("/v1"),
        model_name_or_path="stub",
        max_concurrent_generations=under_way,
        server_ready_delay_sec=0.05,
        metric_interval=3_600,
    )
    runner = InferenceRunner(
        rollout_fn=judged,
        config=config,
        output_writer=JsonlWriter(
            str(folder / "out"), "${rank}_chunk_${chunk_index}.jsonl", compression=None
        ),
        checkpoints_local_dir=str(folder / "checkpoints"),
        records_per_chunk=1_000,
    )
    steps = [list(documents(folder)), runner]
    began = time.perf_counter()
    LocalPipelineExecutor(pipeline=steps, tasks=1, logging_dir=str(folder / "logs")).run()
    seconds = time.perf_counter() - began
    done = sum(
        bool(json.loads(line)["metadata"]["rollout_results"])
        for path in (folder / "out").glob("*.jsonl")
        for line in path.read_text().splitlines()
    )
    print(json.dumps({"seconds": seconds, "done": done}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
