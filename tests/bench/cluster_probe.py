"""How long a node leaves somebody waiting: asks it over one connection again and again, in a process of its own.

``python -m tests.bench.cluster_probe --port P`` asks until its standard input ends, and then prints one line of
JSON.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import statistics
import sys
import time

EVERY_SECONDS = 0.005
REQUEST = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def ask(link: socket.socket) -> float:
    """Seconds until the answer is there."""
    start = time.perf_counter()
    link.sendall(REQUEST)
    answer = link.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    while not answer.endswith(b"}"):
        answer += link.recv(65_536)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    waits: list[float] = []
    with socket.create_connection(("127.0.0.1", given.port)) as link:
        while not select.select([sys.stdin], [], [], EVERY_SECONDS)[0]:
            waits.append(1000 * ask(link))
    row = {"count": len(waits), "p99_ms": statistics.quantiles(waits, n=100)[98], "max_ms": max(waits)}
    sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
