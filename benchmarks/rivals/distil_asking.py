"""distilabel's side of benchmarks/asking.py; runs in distilabel's own environment.

python distil_asking.py URL FOLDER UNDER_WAY     URL up to and with /v1

FOLDER/bodies.jsonl holds the requests' bodies. Prints the seconds of the pipeline's run, its cache
on, and the replies in its dataset.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import ChatGeneration


def main(url: str, folder: Path, under_way: int) -> None:
    logging.disable(logging.INFO)
    bodies = [json.loads(line) for line in (folder / "bodies.jsonl").read_text().splitlines()]
    with Pipeline(name="asking", cache_dir=str(folder / "cache")) as pipeline:
        load = LoadDataFromDicts(
            data=[{"messages": one["messages"]} for one in bodies], batch_size=under_way
        )
        ask = ChatGeneration(
            llm=OpenAILLM(
                model="stub",
                base_url=url,
                api_key="none",
                generation_kwargs={"temperature": 0.0, "max_new_tokens": 1_024},
            ),
            input_batch_size=under_way,
        )
        load >> ask  # type: ignore[operator]
    began = time.perf_counter()
    made = pipeline.run(use_cache=True)
    seconds = time.perf_counter() - began
    done = sum(bool(one) for one in made["default"]["train"]["generation"])
    print(json.dumps({"seconds": seconds, "done": done}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
