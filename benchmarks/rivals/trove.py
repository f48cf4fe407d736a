"""datatrove's side of the comparison; runs in datatrove's own environment.

python trove.py filters FOLDER OUT WORDS
python trove.py dedup FOLDER OUT WORDS

FOLDER holds the corpus cut into as many JSON-lines files as there are tasks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.filters import (
    C4QualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils.typeshelper import Languages

WORKERS = 2
CHINESE = Languages.mandarin_chinese__hani


class Characters:
    """A tokenizer whose words are characters."""

    def word_tokenize(self, text: str) -> list[str]:
        return list(text)


def reader(folder: str) -> JsonlReader:
    return JsonlReader(folder, text_key="output", id_key="id")


def writer(out: Path) -> JsonlWriter:
    return JsonlWriter(str(out / "kept"), compression=None)


def run(steps: list[PipelineStep], tasks: int, logs: Path) -> None:
    LocalPipelineExecutor(
        pipeline=steps, tasks=tasks, workers=min(tasks, WORKERS), logging_dir=str(logs)
    ).run()


def filters(folder: str, out: Path, words: Path) -> None:
    """Its nearest filters, with Chinese word segmentation and bounds that suit Chinese words."""
    stops = json.loads((words / "stopwords.json").read_text())["zh"]
    run(
        [
            reader(folder),
            GopherRepetitionFilter(language=CHINESE),
            GopherQualityFilter(
                language=CHINESE,
                min_avg_word_length=1,
                max_non_alpha_words_ratio=0.25,
                stop_words=stops,
                min_stop_words=None,
            ),
            C4QualityFilter(
                language=CHINESE,
                filter_no_terminal_punct=False,
                min_words_per_line=-1,
                min_num_sentences=-1,
            ),
            writer(out),
        ],
        WORKERS,
        out / "logs",
    )


def dedup(folder: str, out: Path) -> None:
    """Its four stages over character 5-grams."""
    config = MinhashConfig(n_grams=5, num_buckets=25, hashes_per_bucket=10)
    signature = MinhashDedupSignature(str(out / "signatures"), config=config)
    signature.word_tokenizer = Characters()
    run([reader(folder), signature], WORKERS, out / "logs1")
    buckets = MinhashDedupBuckets(str(out / "signatures"), str(out / "buckets"), config=config)
    run([buckets], config.num_buckets, out / "logs2")
    cluster = MinhashDedupCluster(str(out / "buckets"), str(out / "remove"), config=config)
    run([cluster], 1, out / "logs3")
    steps = [reader(folder), MinhashDedupFilter(str(out / "remove")), writer(out)]
    run(steps, WORKERS, out / "logs4")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("job", choices=["filters", "dedup"])
    parser.add_argument("folder")
    parser.add_argument("out", type=Path)
    parser.add_argument("words", type=Path)
    options = parser.parse_args()
    if options.job == "filters":
        filters(options.folder, options.out, options.words)
    else:
        dedup(options.folder, options.out)


if __name__ == "__main__":
    main()
