"""Measures the relay. `make bench`, or `python docs/bench/bench.py [--quick] [SECTION ...]`."""

from __future__ import annotations

import argparse
import random
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import common
from common import Load, PeakWal, Person, Server, Slice, quartiles, scratch_folder, start_bare, start_relay


def measure_post(options: argparse.Namespace) -> dict[str, Any]:
    """Durable POST against a bare POST, in turns and random order, with one bare against itself as a control."""
    rounds, seconds = (options.rounds or (3 if options.quick else 7)), (options.seconds or (3 if options.quick else 10))
    people = [Person.make() for _ in range(1064)]
    with scratch_folder() as folder, ExitStack() as stack:
        load = Load(common.posts(people[:64], people[64:], 4256), folder / "requests")
        servers = {"bare": stack.enter_context(start_bare())}
        for name, program in {"relay": options.relay, **({"other": options.against} if options.against else {})}.items():
            database = common.make_database(folder / f"{name}.db", people)
            servers[name] = stack.enter_context(start_relay(database, name, program))
        table = {}
        for connections in options.connections:
            slices: dict[str, list[Slice]] = {name: [] for name in (*servers, "control")}
            wal = {name: 0 for name in servers}
            for turn in range(rounds + 1):
                order = list(slices)
                random.shuffle(order)
                for name in order:
                    server = servers["bare" if name == "control" else name]
                    with PeakWal(server.database) as peak:
                        result = load.run(server, connections, seconds if turn else 1)
                    server.settle()
                    wal[server.name if server.name in wal else "bare"] = max(wal.get(server.name, 0), peak.bytes)
                    if turn:  # the first, short one only warms up
                        slices[name].append(result)
            table[str(connections)] = {name: summarize(slices[name], slices["bare"], wal.get(name, 0)) for name in slices}
            print_post(connections, table[str(connections)])
    return {"rounds": rounds, "seconds": seconds, "connections": table}


def summarize(slices: list[Slice], bare: list[Slice], wal: int) -> dict[str, Any]:
    return {
        "rates": [round(one.rate) for one in slices],
        "ratio": quartiles([one.rate / other.rate for one, other in zip(slices, bare, strict=True)]),
        "p50": quartiles([one.p50 for one in slices])[1],
        "p99": quartiles([one.p99 for one in slices])[1],
        "p99_ratio": quartiles([one.p99 / other.p99 for one, other in zip(slices, bare, strict=True)])[1],
        "max": max(one.max for one in slices),
        "wal_peak_bytes": wal,
    }


def print_post(connections: int, row: dict[str, Any]) -> None:
    for name, seen in row.items():
        low, median, high = seen["ratio"]
        print(
            f"{connections:4} connections {name:8} {quartiles(seen['rates'])[1]:8.0f}/s  ratio {median:.3f} [{low:.3f} {high:.3f}]"
            f"  p50 {seen['p50'] * 1e3:6.2f} ms  p99 {seen['p99'] * 1e3:6.2f} ms ({seen['p99_ratio']:.2f}x)"
            f"  max {seen['max'] * 1e3:5.0f} ms  WAL {seen['wal_peak_bytes'] / 1e6:.1f} MB",
            flush=True,
        )


SECTIONS = {"post": measure_post}


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"any of {', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="short slices and small numbers; docs/BENCHMARKS.md stays as it is")
    parser.add_argument("--connections", type=lambda text: [int(item) for item in text.split(",")], default=[1, 32, 128])
    parser.add_argument("--rounds", type=int, help="how often everybody has a turn")
    parser.add_argument("--seconds", type=float, help="length of a turn")
    parser.add_argument("--relay", type=Path, default=common.ROOT / "relay.py", help="the relay.py to measure")
    parser.add_argument("--against", type=Path, help="another relay.py that takes its turns beside it (post)")
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    for name in options.sections or SECTIONS:
        print(f"== {name}", flush=True)
        SECTIONS[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
