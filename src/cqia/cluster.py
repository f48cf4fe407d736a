"""A Ray cluster as workers: the same jobs, on the cores of several hosts.

Ray decides where a job runs and runs it again when its host dies. What is done is decided by our
own parts and manifests in the working folder, which every host must see under the same path (NFS,
a mounted bucket); a job that ran twice leaves the same bytes. Ray Data is not used: its checkpoints
kept nothing in a crash test, its shuffle took thirty seconds before the first record, and no other
result than the local one is wanted.
"""

from __future__ import annotations

import os
import socket
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from cqia import store
from cqia.errors import UserError, missing_extra

T = TypeVar("T")

AHEAD = 2
"""Jobs handed in for every core: the next one is there when one ends, and memory stays flat."""
TRIES = 3
"""How often a job is run again whose host or process died."""
REACH = 10
"""Seconds that the head of a cluster has to accept a connection."""
LOOPBACK = ("local", "127.0.0.1:")
"""Addresses of clusters that nobody outside this machine may reach: there Ray binds to loopback,
as it does by itself on systems that ask before opening a port."""
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""No reports to anyone; what the environment says wins."""
THREADS = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running Ray cluster; `with` connects to it.

    address: `HOST:PORT` of its head, `auto` for the one this host belongs to, or `local` for one
        that is started on this machine and ends with this process.
    cores: how many cores a cluster started here has; None: this machine's.
    """

    address: str = "auto"
    cores: int | None = None

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            UserError: ray isn't installed, or no cluster answers.
        """
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        if (Path.home() / ".ray" / "auth_token").exists() or "RAY_AUTH_TOKEN" in os.environ:
            os.environ.setdefault("RAY_AUTH_MODE", "token")
        if self.address.startswith(LOOPBACK):
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        ray = _ray()
        told: dict[str, Any] = {}
        if self.address == "local":
            told = {"include_dashboard": False, "num_cpus": self.cores}
        try:
            _reach(self.address)
            with _silent():
                ray.init(
                    address=self.address,
                    log_to_driver=False,
                    logging_level="error",
                    runtime_env={"env_vars": THREADS},
                    **told,
                )
        except (OSError, ValueError, RuntimeError) as fault:
            said = str(fault).splitlines()[0][:200]
            raise UserError(
                f"no Ray cluster answers: {said}",
                where=f"--cluster {self.address}",
                mend="start one (docs/scale.md), or use --cluster local",
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _ray().shutdown()

    @property
    def width(self) -> int:
        """How many jobs run at a time: the cluster's cores."""
        return max(2, int(_ray().cluster_resources().get("CPU", 1)))

    def spread(
        self, work: Callable[..., T], jobs: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, T]]:
        """Run `work(*job)` for every job somewhere; yield (jobs finished, what it returned).

        Raises:
            UserError: what a job raised, or hosts died again and again at one.
        """
        ray = _ray()
        task = ray.remote(max_retries=TRIES, num_cpus=1)(_run)
        here = os.getcwd()
        left = iter(jobs)

        def more(count: int) -> list[Any]:
            return [task.remote(here, work, *job) for job in islice(left, count)]

        running = more(AHEAD * self.width)
        done = 0
        try:
            while running:
                ready, running = ray.wait(running, num_returns=1)
                done += 1
                yield done, _result(ray, ready[0])
                running += more(1)
        finally:
            for one in running:
                with suppress(ray.exceptions.RayError):
                    ray.cancel(one, force=False)

    def share(self, value: Any) -> Any:  # noqa: ANN401
        """Bring a value to the hosts once; what is returned may stand for it in a job."""
        return _ray().put(value)

    def greet(self, folder: Path) -> None:
        """Make sure that every host runs this program and sees this folder.

        Raises:
            UserError: one doesn't.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ray = _ray()
        token, note = uuid.uuid4().hex, folder / "greeting"
        store.write_bytes(note, token.encode())
        try:
            hosts = [one for one in ray.nodes() if one["Alive"]]
            asked = [
                ray.remote(num_cpus=0)(_seen)
                .options(scheduling_strategy=NodeAffinitySchedulingStrategy(one["NodeID"], False))
                .remote(str(note.absolute()))
                for one in hosts
            ]
            for one, answer in zip(hosts, asked, strict=True):
                _check(str(one["NodeManagerAddress"]), _result(ray, answer), token, folder)
        finally:
            note.unlink(missing_ok=True)


def _run(here: str, work: Callable[..., T], *job: Any) -> T:  # noqa: ANN401
    """One job, where relative paths mean what they mean to who asks."""
    os.chdir(here)
    return work(*job)


def _seen(note: str) -> tuple[str, str]:
    """What a host sees: the program's hash, and what a file holds."""
    path = Path(note)
    return store.program(), path.read_text("utf-8") if path.exists() else ""


def _check(host: str, seen: tuple[str, str], token: str, folder: Path) -> None:
    program, found = seen
    if found != token:
        raise UserError(
            f"host {host} does not see the working folder",
            where=str(folder),
            mend="put it where all hosts have it under the same path (NFS, a mounted bucket)",
        )
    if program != store.program():
        raise UserError(
            f"host {host} has another version of cqia",
            mend="install the same one on every host",
        )


def _result(ray: Any, one: Any) -> Any:  # noqa: ANN401
    """What a job returned, or what it raised, as it was raised there."""
    try:
        return ray.get(one)
    except ray.exceptions.RayTaskError as fault:
        if isinstance(fault.cause, UserError):
            raise fault.cause from None
        raise
    except (
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.RaySystemError,
    ) as fault:
        said = type(fault).__name__
        raise UserError(
            f"hosts or processes of the cluster died {TRIES + 1} times at one job ({said})",
            mend="look at the hosts' memory and at ray's logs; the same command goes on from here",
        ) from None


def _reach(address: str) -> None:
    """Make sure that something listens at `HOST:PORT`: Ray asks a dead address for ten minutes.

    Raises:
        OSError: nothing does.
        ValueError: the address has no port.
    """
    if address not in {"auto", "local"}:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError("an address is HOST:PORT, auto or local")
        with socket.create_connection((host, int(port)), timeout=REACH):
            pass


@contextmanager
def _silent() -> Iterator[None]:
    """Without what Ray's compiled part writes to the terminal at every attempt to connect."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _ray() -> Any:  # noqa: ANN401
    try:
        import ray
    except ImportError:
        raise missing_extra("ray", "cluster") from None
    return ray
