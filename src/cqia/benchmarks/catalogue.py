"""Every benchmark by name, with its usual setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from cqia.benchmarks.base import Benchmark
from cqia.benchmarks.belle_eval import BelleEval
from cqia.benchmarks.multiple_choice import AGI_EVAL, C_EVAL, C_MMLU
from cqia.benchmarks.pairwise import Pairwise
from cqia.benchmarks.reference_loss import ReferenceLoss
from cqia.benchmarks.refusal import Refusal
from cqia.benchmarks.safetybench import SafetyBench
from cqia.errors import UserError, unknown

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        BelleEval(),
        SafetyBench(),
        C_EVAL,
        C_MMLU,
        AGI_EVAL,
        ReferenceLoss(),
        Refusal(),
        Pairwise(),
    )
}


def benchmark(name: str, settings: Mapping[str, object]) -> Benchmark:
    """A benchmark by name, with settings other than its usual ones; None leaves one as it is.

    Raises:
        UserError: no such benchmark, or it has no such setting.
    """
    if name not in BENCHMARKS:
        raise unknown("benchmark", name, BENCHMARKS)
    found = BENCHMARKS[name]
    known = {one.name for one in fields(found)}  # type: ignore[arg-type]
    given = {key: value for key, value in settings.items() if value is not None}
    for key in given:
        if key not in known:
            problem = f"{name} has no --{key.replace('_', '-')}"
            raise UserError(problem, mend="leave it out")
    return replace(found, **given)  # type: ignore[type-var]
