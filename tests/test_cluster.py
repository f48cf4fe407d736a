"""The same run on a cluster: the same bytes, whatever dies on the way.

Everything runs in processes of its own: a cluster that hangs fails its test and no other.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cqia.cli.main import main
from tests.test_kill import digest, write

pytest.importorskip("ray")
RAY = str(Path(sys.executable).with_name("ray"))
STORE = "100000000"


def played(folder: Path, work: str, *given: str) -> list[str]:
    code = (
        "import sys\n"
        "from cqia.raw import plan\n"
        "plan.TASK_FILES = 1\n"
        "from cqia.cli.main import main\n"
        f"sys.argv = ['cqia', *{['run', 'e.toml', '--work', work, *given]!r}]\n"
        "main()\n"
    )
    return [sys.executable, "-c", code]


def run(folder: Path, work: str, *given: str, limit: float = 240) -> None:
    done = subprocess.run(
        played(folder, work, *given), cwd=folder, timeout=limit, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


CASES = """
import os, signal, sys
from pathlib import Path
from cqia.cluster import Cluster
from cqia.errors import UserError

def twice(n):
    return 2 * n

def once(n, mark):
    "Its process is killed the first time."
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n

def never(n):
    os.kill(os.getpid(), signal.SIGKILL)

def wrong(n):
    raise UserError("no such file", where=f"x.jsonl:{n}", mend="check the path")

def bug(n):
    return 1 / n

def said(work, jobs):
    try:
        return list(cluster.spread(work, jobs))
    except UserError as error:
        return str(error)
    except ZeroDivisionError as error:
        return "bug"

with Cluster("local", 2) as cluster:
    assert cluster.width == 2
    cluster.greet(Path.cwd())
    assert not Path("greeting").exists()
    found = list(cluster.spread(twice, [(n,) for n in range(50)]))
    assert [done for done, _ in found] == list(range(1, 51))
    assert sorted(n for _, n in found) == [2 * n for n in range(50)]
    assert sorted(n for _, n in cluster.spread(once, [(n, "dead") for n in range(6)])) == [*range(6)]
    assert said(wrong, [(7,)]) == "x.jsonl:7: no such file; check the path"
    assert said(bug, [(0,)]) == "bug"
    assert said(never, [(1,)]).startswith("hosts or processes of the cluster died 4 times at one job")
    whole = cluster.share([1, 2, 3])
    assert [n for _, n in cluster.spread(sum, [(whole,)])] == [6]
print("all cases", file=sys.stderr)
"""


def test_jobs_on_a_cluster_end_or_say_why(tmp_path: Path) -> None:
    (tmp_path / "cases.py").write_text(CASES, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "cases.py"],
        cwd=tmp_path,
        timeout=240,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert done.stderr.endswith("all cases\n"), done.stderr


def test_a_run_on_a_cluster_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path, files=3, rows=40)
    run(tmp_path, "here")
    run(tmp_path, "there", "--cluster", "local", "--workers", "2")
    assert digest(tmp_path / "there") == digest(tmp_path / "here")


@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1:1", "no Ray cluster answers"), ("head", "HOST:PORT"), (":99999x", "HOST:PORT")],
)
def test_an_address_without_a_cluster_is_one_line(
    address: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["cqia", "dedup", "--cluster", address])
    with pytest.raises(SystemExit) as error:
        main()
    assert error.value.code == 2
    line = capsys.readouterr().err
    assert said in line
    assert len(line.splitlines()) == 1


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def host(*given: str) -> subprocess.Popen[bytes]:
    """A host of a cluster on this machine: a process group of its own."""
    return subprocess.Popen(
        [RAY, "start", "--block", "--node-ip-address", "127.0.0.1", "--num-cpus", "2",
         "--object-store-memory", STORE, "--disable-usage-stats", *given],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def end(one: subprocess.Popen[bytes]) -> None:
    """kill -9 to a process and to all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(one.pid, signal.SIGKILL)
    one.wait(30)


@pytest.fixture
def hosts() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a cluster of two hosts, and the second of them."""
    port = free_port()
    head = host("--head", "--port", str(port), "--include-dashboard", "false")
    until = time.monotonic() + 90
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.3)
    second = host("--address", f"127.0.0.1:{port}")
    time.sleep(8)
    yield f"127.0.0.1:{port}", second
    for one in (second, head):
        end(one)


@pytest.mark.slow
def test_two_hosts_give_the_same_bytes_though_one_dies(
    tmp_path: Path, hosts: tuple[str, subprocess.Popen[bytes]]
) -> None:
    address, second = hosts
    write(tmp_path, files=24, rows=400)
    run(tmp_path, "here")
    run(tmp_path, "both", "--cluster", address)
    assert digest(tmp_path / "both") == digest(tmp_path / "here")
    going = subprocess.Popen(played(tmp_path, "one", "--cluster", address), cwd=tmp_path)
    until = time.monotonic() + 120
    while time.monotonic() < until and not list((tmp_path / "one").glob("curate/*/*-000000")):
        time.sleep(0.05)
    end(second)
    assert going.wait(240) == 0
    assert digest(tmp_path / "one") == digest(tmp_path / "here")


@pytest.mark.slow
def test_a_driver_that_is_killed_goes_on_from_what_is_done(
    tmp_path: Path, hosts: tuple[str, subprocess.Popen[bytes]]
) -> None:
    address, _ = hosts
    write(tmp_path, files=24, rows=400)
    run(tmp_path, "here")
    going = subprocess.Popen(
        played(tmp_path, "again", "--cluster", address), cwd=tmp_path, start_new_session=True
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and not list((tmp_path / "again").glob("curate/*/*-000000")):
        time.sleep(0.05)
    end(going)
    made = len(list((tmp_path / "again").glob("curate/*/*.done")))
    assert 0 < made < 48
    run(tmp_path, "again", "--cluster", address)
    assert digest(tmp_path / "again") == digest(tmp_path / "here")


@pytest.mark.slow
def test_a_vanished_file_is_one_line_and_mended_by_its_return(
    tmp_path: Path, hosts: tuple[str, subprocess.Popen[bytes]]
) -> None:
    address, _ = hosts
    write(tmp_path, files=6, rows=100)
    run(tmp_path, "here")
    going = subprocess.Popen(
        played(tmp_path, "gone", "--cluster", address), cwd=tmp_path, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and not (tmp_path / "gone/curate/t/fingerprint").exists():
        time.sleep(0.01)
    shutil.move(tmp_path / "y3.jsonl", tmp_path / "away")
    _, said = going.communicate(timeout=240)
    assert going.returncode == 2, said
    assert b"y3.jsonl" in said
    assert b"Traceback" not in said
    shutil.move(tmp_path / "away", tmp_path / "y3.jsonl")
    run(tmp_path, "gone", "--cluster", address)
    assert digest(tmp_path / "gone") == digest(tmp_path / "here")


NETWORK = """
ip netns add {a}; ip netns add {b}
ip link add {a}v type veth peer name {b}v
ip link set {a}v netns {a}; ip link set {b}v netns {b}
ip -n {a} addr add 10.77.0.1/24 dev {a}v; ip -n {b} addr add 10.77.0.2/24 dev {b}v
ip -n {a} link set {a}v up; ip -n {b} link set {b}v up
ip -n {a} link set lo up; ip -n {b} link set lo up
"""


@pytest.fixture
def apart() -> Iterator[tuple[str, str]]:
    """Two network namespaces with a link: hosts that have nothing in common but the disk."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("network namespaces need root and iproute2")
    names = {"a": f"qa{os.getpid()}", "b": f"qb{os.getpid()}"}
    made = subprocess.run(["sh", "-ec", NETWORK.format(**names)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no network namespaces here: {made.stderr.strip()}")
    yield names["a"], names["b"]
    for name in names.values():
        subprocess.run(["ip", "netns", "del", name], check=False)


def within(name: str, command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["ip", "netns", "exec", name, *command],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.slow
def test_a_link_between_hosts_that_breaks_costs_time_and_nothing_else(
    tmp_path: Path, apart: tuple[str, str]
) -> None:
    first, second = apart
    write(tmp_path, files=30, rows=400)
    run(tmp_path, "here")
    start = [RAY, "start", "--block", "--num-cpus", "2", "--object-store-memory", STORE,
             "--disable-usage-stats", "--node-ip-address"]  # fmt: skip
    hosts = [within(first, [*start, "10.77.0.1", "--head", "--port", "6399",
                            "--include-dashboard", "false"], tmp_path)]  # fmt: skip
    time.sleep(12)
    hosts += [within(second, [*start, "10.77.0.2", "--address", "10.77.0.1:6399"], tmp_path)]
    time.sleep(15)
    try:
        whole = within(first, played(tmp_path, "two", "--cluster", "10.77.0.1:6399"), tmp_path)
        assert whole.wait(240) == 0
        assert digest(tmp_path / "two") == digest(tmp_path / "here")
        going = within(first, played(tmp_path, "cut", "--cluster", "10.77.0.1:6399"), tmp_path)
        until = time.monotonic() + 120
        while time.monotonic() < until and not list((tmp_path / "cut").glob("curate/*/*-000000")):
            time.sleep(0.05)
        subprocess.run(["ip", "-n", first, "link", "set", f"{first}v", "down"], check=True)
        assert going.wait(240) == 0
        assert digest(tmp_path / "cut") == digest(tmp_path / "here")
    finally:
        for one in hosts:
            end(one)
