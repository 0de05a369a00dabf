"""Pairloom as it ships against @y/websocket-server (yws) and Hocuspocus 4 (hocus4), in the same rounds.

Needs a kit: a folder with the load generator (``loadgen``), its driver (``bench.py``) and the installed peers
(``work/peers``), named by PAIRLOOM_BENCH_KIT. All figures are ratios within a round, medians of the rounds.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

# Read here, as no setting from outside reaches a test that runs.
ROUNDS = int(os.environ.get("PAIRLOOM_BENCH_ROUNDS", "3"))
KIT = os.environ.get("PAIRLOOM_BENCH_KIT")
WORKLOADS = os.environ.get("PAIRLOOM_BENCH_WORKLOADS", "w1,w2,w3,w4,w5,w6")
ROOT = Path(__file__).parents[2]
Row = dict[str, Any]

AT_MOST = [
    ("w1", "us_cpu_per_delivery", "yws", 0.75),
    ("w1", "p99_ms", "yws", 0.8),
    ("w3", "us_cpu_per_delivery", "yws", 0.9),
    ("w4", "join50_last_ms", "yws", 0.4),
    ("w4", "bystander_max_ms_during", "yws", 0.5),
    ("w5", "us_cpu_per_delivery", "yws", 0.7),
    ("w5", "p99_ms", "yws", 1.0),
    ("w6", "kb_per_connection", "yws", 1.3),
]
AT_LEAST = [
    ("w2", "sustained_deliveries_per_s", "yws", 20.0),
    ("w2", "sustained_deliveries_per_s", "hocus4", 2.0),
]


@pytest.fixture(scope="module")
def kit() -> Path:
    """The folder of the load generator and the peers."""
    if not KIT or not (Path(KIT) / "loadgen").exists():
        pytest.skip("needs PAIRLOOM_BENCH_KIT: the folder of the load generator, built, with its peers installed")
    return Path(KIT)


@pytest.fixture(scope="module")
def measured(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """All rows of all rounds, by workload."""
    folder = tmp_path_factory.mktemp("peers")
    start = folder / "serve.sh"
    start.write_text(
        "#!/bin/sh\n"
        f'export PAIRLOOM_DATA_DIR="$(mktemp -d -p {shlex.quote(str(folder))})"\n'
        f"cd {shlex.quote(str(ROOT))}\n"
        f'exec {shlex.quote(sys.executable)} -m server serve --port "$1" --no-open\n'
    )
    start.chmod(0o755)
    rows = folder / "rows.jsonl"
    command = [
        *(sys.executable, "bench.py", "--workloads", WORKLOADS),
        *("--peers", "yws,hocus4", "--extra", f"ours=y-websocket={start} {{port}}", "--path", "/yjs/"),
        *("--runs", str(ROUNDS), "--out", str(rows), "--doc", "work/data/doc.bin", "--nice", "-15"),
        *("--loadgen-args", "--max-rate 110000"),
    ]
    environment = {**os.environ, "PEERS_DIR": str(kit / "work" / "peers")}
    subprocess.run(command, cwd=kit, env=environment, check=True)
    found: dict[str, list[Row]] = {}
    for line in rows.read_text().splitlines():
        row = json.loads(line)
        found.setdefault(row["workload"], []).append(row)
    return found


def ratio(rows: list[Row], column: str, peer: str) -> float:
    """The median over the rounds of ours divided by the peer's."""
    by_round: dict[int, dict[str, Row]] = {}
    for row in rows:
        by_round.setdefault(row["run"], {})[row["label"]] = row
    ratios: list[float] = [
        row["ours"][column] / row[peer][column]
        for row in by_round.values()
        if column in row.get("ours", {}) and column in row.get(peer, {})
    ]
    assert ratios, f"no round has {column} of both"
    return statistics.median(ratios)


@pytest.mark.parametrize(("workload", "column", "peer", "most"), AT_MOST)
def test_a_figure_is_at_most_so_many_times_the_peers(
    measured: dict[str, list[Row]], workload: str, column: str, peer: str, most: float
) -> None:
    if workload not in measured:
        pytest.skip(f"{workload} is not among the workloads asked for")
    found = ratio(measured[workload], column, peer)
    print(f"\n{workload} {column}: {found:.2f} of {peer}, at most {most}")
    assert found <= most


@pytest.mark.parametrize(("workload", "column", "peer", "least"), AT_LEAST)
def test_a_figure_is_at_least_so_many_times_the_peers(
    measured: dict[str, list[Row]], workload: str, column: str, peer: str, least: float
) -> None:
    if workload not in measured:
        pytest.skip(f"{workload} is not among the workloads asked for")
    found = ratio(measured[workload], column, peer)
    print(f"\n{workload} {column}: {found:.1f} of {peer}, at least {least}")
    assert found >= least


def test_every_delivery_arrives(measured: dict[str, list[Row]]) -> None:
    for rows in measured.values():
        for row in rows:
            if row["label"] == "ours":
                assert "error" not in row
                assert row.get("complete", 1) == 1
                assert row.get("join50_failed", 0) == 0
