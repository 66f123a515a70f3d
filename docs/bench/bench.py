"""Measures the relay. `make bench`, or `python docs/bench/bench.py [--quick] [SECTION ...]`."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import socket
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import common
import peers
import report
from common import (
    Load,
    PeakWal,
    Person,
    Server,
    Slice,
    percentile,
    quartiles,
    raw_request,
    relay,
    scratch_folder,
    start_bare,
    start_relay,
)

MANY_RECIPIENTS = 1000


def measure_post(options: argparse.Namespace) -> dict[str, Any]:
    """Durable POST against a bare POST, in turns and random order, with one bare against itself as a control. There are
    as many senders as connections and as many recipients; and once, for 32 connections, many recipients."""
    rounds, seconds = (options.rounds or (3 if options.quick else 7)), (options.seconds or (3 if options.quick else 10))
    people = [Person.make() for _ in range(MANY_RECIPIENTS)]
    crowds = {str(connections): (connections, connections) for connections in options.connections}
    if 32 in options.connections:
        crowds[f"32 → {MANY_RECIPIENTS:,} people"] = 32, MANY_RECIPIENTS
    with scratch_folder() as folder, ExitStack() as stack:
        servers = {"bare": stack.enter_context(start_bare())}
        for name, program in {"relay": options.relay, **({"other": options.against} if options.against else {})}.items():
            database = common.make_database(folder / f"{name}.db", people, common.load(program))
            servers[name] = stack.enter_context(start_relay(database, name, program))
        table = {}
        for crowd, (connections, recipients) in crowds.items():
            drawn = random.choices(people[:recipients], k=4000)
            load = Load(common.posts(people[-connections:], drawn, len(drawn)), folder / "requests")
            slices: dict[str, list[Slice]] = {name: [] for name in (*servers, "control")}
            wal = dict.fromkeys(slices, 0)
            for turn in range(rounds + 1):
                order = list(slices)
                random.shuffle(order)
                for name in order:
                    server = servers["bare" if name == "control" else name]
                    with PeakWal(server.database) as peak:
                        result = load.run(server, connections, seconds if turn else 1)
                    server.settle()
                    wal[name] = max(wal[name], peak.bytes)
                    if turn:  # the first, short one only warms up
                        slices[name].append(result)
            table[crowd] = {name: summarize(slices[name], slices["bare"], wal[name]) for name in slices}
            print_post(crowd, table[crowd])
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


def print_post(crowd: str, row: dict[str, Any]) -> None:
    for name, seen in row.items():
        low, median, high = seen["ratio"]
        print(
            f"{crowd:>20} {name:8} {quartiles(seen['rates'])[1]:8.0f}/s  ratio {median:.3f} [{low:.3f} {high:.3f}]"
            f"  p50 {seen['p50'] * 1e3:6.2f} ms  p99 {seen['p99'] * 1e3:6.2f} ms ({seen['p99_ratio']:.2f}x)"
            f"  max {seen['max'] * 1e3:5.0f} ms  WAL {seen['wal_peak_bytes'] / 1e6:.1f} MB",
            flush=True,
        )


# Pushes that nobody takes

SUBSCRIPTIONS = 10_000


def measure_push(options: argparse.Namespace) -> dict[str, Any]:
    """POST by 32 senders to people who all are to be pushed to, at a service that takes connections and says nothing, beside the
    same with push off, in turns and random order. A turn outlasts the delay of a push."""
    rounds, seconds = (options.rounds or (2 if options.quick else 7)), (options.seconds or 15)
    people = [Person.make() for _ in range(SUBSCRIPTIONS)]
    drawn = random.choices(people, k=4000)
    with scratch_folder() as folder, socket.create_server(("127.0.0.1", 0)) as dead, ExitStack() as stack:
        host = f"localhost:{dead.getsockname()[1]}"
        pushes = {"PUSH": "on", "PUSH_HOSTS": host, "PUSH_CONTACT": "mailto:operator@example.org"}
        servers = {}
        for name, settings in {"off": {"PUSH": "off"}, "dead": pushes}.items():
            database = common.make_database(folder / f"{name}.db", people)
            common.add_subscriptions(database, people, f"https://{host}")
            servers[name] = stack.enter_context(start_relay(database, name, options.relay, **settings))
        load = Load(common.posts(people[:32], drawn, len(drawn)), folder / "requests")
        slices: dict[str, list[Slice]] = {name: [] for name in servers}
        for turn in range(rounds + 1):
            for name in random.sample(list(servers), len(servers)):
                result = load.run(servers[name], 32, seconds if turn else 1)
                servers[name].settle()
                if turn:
                    slices[name].append(result)
    table = {name: summarize(slices[name], slices["off"], 0) for name in slices}
    print_post("32, push off or dead", table)
    return {"rounds": rounds, "seconds": seconds, "subscriptions": SUBSCRIPTIONS, **table}


# One sender, nobody else


def measure_lone(options: argparse.Namespace) -> dict[str, Any]:
    """A lone sender's POST against one INSERT and COMMIT through an executor of one thread, as a plain program does it,
    and against a POST that stores nothing."""
    count, rounds = (200, 3) if options.quick else (1000, 7)
    people = [Person.make() for _ in range(2)]
    with scratch_folder() as folder:
        server = start_relay(common.make_database(folder / "relay.db", people), program=options.relay)
        load = Load(common.posts(people[:1], people[1:], 256), folder / "requests")
        times: dict[str, list[float]] = {"insert_and_commit": [], "add_message": [], "bare_post": [], "post": []}
        with server, start_bare() as bare, common.on_core(common.SERVER_CORE):

            def time_posts() -> None:
                for name, target in (("bare_post", bare), ("post", server)):
                    times[name].append(load.run(target, 1, 1 if options.quick else 3).p50)

            config = relay.Config(
                SECRET_BYTES, database=str(folder / "store.db"), mailbox_max_messages=10**9, mailbox_max_bytes=2**50
            )
            asyncio.run(time_writes(config, people, count, rounds, times, time_posts))
    seen = {name: quartiles(one)[1] for name, one in times.items()}
    base = times["insert_and_commit"]
    seen |= {
        f"{name}_ratio": quartiles([one / other for one, other in zip(times[name], base, strict=True)])[1]
        for name in ("add_message", "bare_post", "post")
    }
    print(
        "  ".join(
            f"{name} {value * 1e6:.0f} us" if "ratio" not in name else f"{name} {value:.2f}" for name, value in seen.items()
        )
    )
    return seen


SECRET_BYTES = common.SECRET.encode()


async def time_writes(
    config: relay.Config,
    people: list[Person],
    count: int,
    rounds: int,
    times: dict[str, list[float]],
    time_posts: Callable[[], None],
) -> None:
    """Append each round's median seconds of one INSERT and COMMIT, and of one add_message, each `count` times into one
    file, and time the posts. Before that its write-ahead log grows to the length that it keeps."""
    store, loop = relay.Store(config), asyncio.get_running_loop()
    store.open()
    for person in people:
        await store.add_identity(person.public_key, 1)
    body = people[0].message_to(people[1])
    envelope = relay.parse_envelope(body, people[0].fingerprint, config.max_message_bytes)
    row = (*envelope, 1, 1 << 50)
    connection = sqlite3.connect(config.database, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous=FULL")

    def insert_and_commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(relay.STATEMENTS["add_message"], row)
        connection.execute("COMMIT")

    async def add_message() -> None:
        await store.add_message(envelope, time.time())

    with ThreadPoolExecutor(1) as executor, closing(connection):
        await median_seconds(6000, add_message)
        for _ in range(rounds):
            plain = await median_seconds(count, lambda: loop.run_in_executor(executor, insert_and_commit))
            times["insert_and_commit"].append(plain)
            times["add_message"].append(await median_seconds(count, add_message))
            await asyncio.to_thread(time_posts)
    await store.close()


async def median_seconds(count: int, work: Callable[[], Awaitable[Any]]) -> float:
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        await work()
        seconds.append(time.perf_counter() - start)
    return quartiles(seconds)[1]


# What grows with what is stored


def compare_pages(options: argparse.Namespace) -> dict[str, Any]:
    """A page of 50 rows from this relay and from another, in turns on one core."""
    rounds, seconds, people, size = (options.rounds or 9), (options.seconds or 3), [Person.make() for _ in range(21)], 10**4
    with scratch_folder() as folder, ExitStack() as stack:
        programs, servers = {"relay": options.relay, "other": options.against}, {}
        for name, program in programs.items():
            module = common.load(program)
            database = common.make_database(folder / f"{name}.db", people, module)
            common.add_messages(database, people[0], people[1:], size, relay=module)
            servers[name] = stack.enter_context(start_relay(database, name, program))
        load = Load(page_requests(people[1:], size), folder / "pages")
        costs: dict[str, list[float]] = {name: [] for name in servers}
        for turn in range(rounds + 1):
            for name in random.sample(list(servers), len(servers)):
                before = servers[name].cpu_seconds
                answers = load.run(servers[name], 4, seconds).answers
                if turn:
                    costs[name].append((servers[name].cpu_seconds - before) / answers)
    ratios = quartiles([other / mine for mine, other in zip(costs["relay"], costs["other"], strict=True)])
    seen = {name: quartiles(each)[1] for name, each in costs.items()} | {"pages_for_the_same_cpu": ratios}
    print(f"{seen['relay'] * 1e6:.0f} us of CPU a page, the other {seen['other'] * 1e6:.0f}: {ratios[1]:.2f}x {ratios}")
    return seen


def measure_page(options: argparse.Namespace) -> dict[str, Any]:
    """A page of 50 rows, /v1/stats and key search, with few and many messages and identities in the database; or, with
    --against, a page from either relay."""
    if options.against:
        return compare_pages(options)
    sizes = [10**3, 10**5] if options.quick else [10**3, 10**5, 10**6]
    rounds, seconds = (3, 1) if options.quick else (7, 5)
    people = [Person.make() for _ in range(21)]
    with scratch_folder() as folder, ExitStack() as stack:
        servers, loads = {}, {}
        for size in sizes:
            database = common.make_database(folder / f"{size}.db", people)
            common.add_strangers(database, size - len(people))
            common.add_messages(database, people[0], people[1:], size)
            servers[size] = stack.enter_context(start_relay(database, f"{size} messages", options.relay))
            loads[size] = read_loads(people[1:], size, folder)
        table: dict[str, dict[str, Any]] = {}
        for kind in ("page", "stats", "search"):
            rates: dict[int, list[float]] = {size: [] for size in sizes}
            for turn in range(rounds + 1):
                for size in random.sample(sizes, len(sizes)):
                    rate = loads[size][kind].run(servers[size], 4, seconds).rate
                    if turn:
                        rates[size].append(rate)
            table[kind] = {
                str(size): {
                    "rate": quartiles(rates[size])[1],
                    "cost": quartiles([one / other for one, other in zip(rates[sizes[0]], rates[size], strict=True)]),
                }
                for size in sizes
            }
            for size in sizes:
                low, median, high = table[kind][str(size)]["cost"]
                print(
                    f"{kind:7} at {size:8,} stored: {table[kind][str(size)]['rate']:6.0f}/s, costs {median:.2f}x [{low:.2f} {high:.2f}]",
                    flush=True,
                )
    return table


def read_loads(readers: list[Person], size: int, folder: Path) -> dict[str, Load]:
    prefixes = [os.urandom(4).hex() for _ in range(1000)]
    return {
        "page": Load(page_requests(readers, size), folder / f"page{size}"),
        "stats": Load([raw_request("GET", "/v1/stats")], folder / f"stats{size}"),
        "search": Load([raw_request("GET", f"/v1/keys/search/{prefix}") for prefix in prefixes], folder / f"search{size}"),
    }


def page_requests(readers: list[Person], size: int) -> list[bytes]:
    """Pages of 50 rows each, beginning anywhere in the readers' mailboxes."""
    return [
        raw_request("GET", f"/v1/messages?after_id={random.randint(0, size - 50 * len(readers))}", token=reader.token)
        for _ in range(200)
        for reader in readers  # in turn, since one page at a time is written for each
    ]


# Sockets


class Socket(asyncio.Protocol):
    """A WebSocket that only listens: enough of RFC 6455 to be upgraded and to note when each hint came."""

    def __init__(self, token: str):
        self._request = raw_request(
            "GET",
            "/v1/ws",
            headers=[
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                f"Sec-WebSocket-Protocol: {relay.SUBPROTOCOL}, bearer.{token}",
            ],
        )
        self._buffer = b""
        self.connected = asyncio.get_running_loop().create_future()
        self.hints: dict[int, float] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, octets: bytes) -> None:
        now = time.perf_counter()
        self._buffer += octets
        if not self.connected.done() and b'"connected"' in self._buffer:
            self.connected.set_result(None)
        end = 0
        for match in re.finditer(rb'"new_message","id":(\d+)}', self._buffer):
            self.hints[int(match[1])] = now
            end = match.end()
        self._buffer = self._buffer[end:]

    def close(self) -> None:
        self._transport.close()


class Sender(asyncio.Protocol):
    """One keep-alive connection: `await post(request)` gives the id of the message."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, octets: bytes) -> None:
        self._buffer += octets
        if self._buffer.endswith(b"}"):
            self._answer.set_result(self._buffer)

    async def post(self, request: bytes) -> int:
        self._buffer, self._answer = b"", asyncio.get_running_loop().create_future()
        self._transport.write(request)  # type: ignore[attr-defined]
        answer = await self._answer
        if not answer.startswith(b"HTTP/1.1 201"):
            raise SystemExit(f"a message was refused: {answer.decode()}")
        return int(re.search(rb'"id": (\d+)', answer)[1])  # type: ignore[index]

    def close(self) -> None:
        self._transport.close()


async def connect(server: Server, make: Callable[[], Any]) -> Any:
    _, protocol = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", server.port)
    return protocol


async def open_sockets(server: Server, tokens: list[str]) -> list[Socket]:
    sockets = []
    for token in tokens:
        sockets.append(await connect(server, lambda token=token: Socket(token)))
        await sockets[-1].connected
    return sockets


def measure_sockets(options: argparse.Namespace) -> dict[str, Any]:
    """Memory of an idle socket at 2,000, and how long a hint takes at 1,000."""
    return asyncio.run(sockets_and_hints(options))


async def sockets_and_hints(options: argparse.Namespace) -> dict[str, Any]:
    people = [Person.make() for _ in range(1008)]
    tokens = [person.token for person in people]
    with scratch_folder() as folder:
        database = common.make_database(folder / "relay.db", people)
        with start_relay(database, program=options.relay) as server, common.on_core(common.LOAD_CORE):
            for one in await open_sockets(server, tokens[:20]):
                one.close()
            await asyncio.sleep(1)
            before = server.resident_bytes
            idle = await open_sockets(server, [*tokens[:1000], *tokens[:1000]])
            socket_bytes = (server.resident_bytes - before) / len(idle)
        with start_relay(database, program=options.relay) as server, common.on_core(common.LOAD_CORE):
            sockets = await open_sockets(server, tokens[8:])
            requests = [common.posts([sender], people[8:], 125) for sender in people[:8]]
            posted, hinted = await time_hints(server, sockets, requests, 5 if options.quick else 20)
    seen = {
        "idle_sockets": len(idle), "socket_bytes": socket_bytes, "sockets": len(sockets), "messages": len(posted),
        "post_p50": percentile(posted, 50), "post_p99": percentile(posted, 99),
        "hint_p50": percentile(hinted, 50), "hint_p99": percentile(hinted, 99),
    }  # fmt: skip
    print(
        f"{socket_bytes / 1024:.1f} KiB a socket at {len(idle)}; {len(posted)} messages: POST p99 {seen['post_p99'] * 1e3:.2f} ms,"
        f" hint p99 {seen['hint_p99'] * 1e3:.2f} ms ({seen['hint_p99'] / seen['post_p99']:.2f}x)"
    )
    return seen


async def time_hints(
    server: Server, sockets: list[Socket], requests: list[list[bytes]], seconds: float
) -> tuple[list[float], list[float]]:
    """Seconds from sending each POST to its answer, and to its hint. A hint may stand for the ones before it."""
    posted: dict[int, tuple[int, float, float]] = {}
    end = time.perf_counter() + seconds

    async def send(number: int) -> None:
        sender = await connect(server, Sender)
        count = 0
        while (start := time.perf_counter()) < end:
            position = count % len(requests[number])
            message_id = await sender.post(requests[number][position])
            posted[message_id] = position, start, time.perf_counter()
            count += 1
        sender.close()

    await asyncio.gather(*map(send, range(len(requests))))
    await asyncio.sleep(1)
    waits = []
    for message_id, (recipient, start, _) in posted.items():
        hints = [when for hint, when in sockets[recipient].hints.items() if hint >= message_id]
        if not hints:
            raise SystemExit(f"no hint came for message {message_id}")
        waits.append(min(hints) - start)
    return [answered - start for _, start, answered in posted.values()], waits


# Pruning and memory


def measure_prune(options: argparse.Namespace) -> dict[str, Any]:
    """The longest that a sender waits while expired rows are pruned, and just as long afterwards."""
    expired = 10**5 if options.quick else 10**6
    people = [Person.make() for _ in range(65)]
    with scratch_folder() as folder:
        database = common.make_database(folder / "relay.db", people)
        common.add_messages(database, people[0], people[1:], expired, expires=time.time() - 1000)
        requests = common.posts(people[:1], people[1:], 256)
        with (
            start_relay(database, program=options.relay) as server,
            common.on_core(common.LOAD_CORE),
            PeakWal(database) as wal,
        ):
            start = time.monotonic()
            waits = asyncio.run(send_while(server, requests, lambda: has_expired(database)))
            took = time.monotonic() - start
            after = asyncio.run(send_while(server, requests, lambda: time.monotonic() < start + took + min(took, 20)))
    seen = {"expired": expired, "seconds": took, "messages": len(waits), "p99": percentile(waits, 99), "max": max(waits)}
    seen |= {"after_p99": percentile(after, 99), "after_max": max(after), "wal_peak_bytes": wal.bytes}
    print(
        f"{expired:,} rows in {took:.0f} s: a sender waits {seen['p99'] * 1e3:.1f} ms (p99), {seen['max'] * 1e3:.0f} ms at worst;"
        f" afterwards {seen['after_p99'] * 1e3:.1f} and {seen['after_max'] * 1e3:.0f} ms; WAL {wal.bytes / 1e6:.1f} MB"
    )
    return seen


async def send_while(server: Server, requests: list[bytes], goes_on: Callable[[], bool]) -> list[float]:
    sender = await connect(server, Sender)
    waits: list[float] = []
    look = 0.0
    while look > time.monotonic() or goes_on():
        if look <= time.monotonic():
            look = time.monotonic() + 1
        start = time.perf_counter()
        await sender.post(requests[len(waits) % len(requests)])
        waits.append(time.perf_counter() - start)
    sender.close()
    return waits


def has_expired(database: Path) -> bool:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return (
            connection.execute(
                "SELECT 1 FROM messages WHERE expires_at <= ? LIMIT 1", (int(time.time() * 1000),)
            ).fetchone()
            is not None
        )


LIMITED = {"RATE_LIMIT": "on", "TRUST_FORWARDED_FOR": "1"}


def from_everywhere(count: int, method: str, path: str, body: object = None) -> list[bytes]:
    """The same request from `count` addresses."""
    hosts = random.sample(range(1 << 24), count)
    return [
        raw_request(method, path, body, headers=[f"X-Forwarded-For: 10.{n >> 16}.{n >> 8 & 255}.{n & 255}"]) for n in hosts
    ]


def measure_memory(options: argparse.Namespace) -> dict[str, Any]:
    """Resident memory before and after many addresses, challenges and messages; each twice, since caches fill once."""
    addresses, messages = (20_000, 50_000) if options.quick else (100_000, 1_000_000)
    people = [Person.make() for _ in range(1064)]
    challenge = {"public_key": relay.encode_base64(people[0].public_key)}
    seen = {"addresses": addresses, "messages": messages}
    with scratch_folder() as folder:
        database = common.make_database(folder / "relay.db", people)
        loads = {
            "address": (Load(from_everywhere(2 * addresses, "GET", "/v1/stats"), folder / "stats"), addresses, LIMITED),
            "challenge": (
                Load(from_everywhere(2 * addresses, "POST", "/v1/register/challenge", challenge), folder / "challenges"),
                addresses,
                LIMITED,
            ),
            "message": (Load(common.posts(people[:64], people[64:], 4256), folder / "posts"), messages // 2, {}),
        }
        for name, (load, count, settings) in loads.items():
            with start_relay(database, program=options.relay, **settings) as server:
                load.run(server, 32, 2, answers=1000)
                memory = [server.resident_bytes]
                for _ in range(2):
                    load.run(server, 32, 900, answers=count)
                    server.settle()
                    memory.append(server.resident_bytes)
            seen[name] = memory
            print(
                f"{name}: {' → '.join(f'{amount / 1e6:.1f}' for amount in memory)} MB after 0, {count:,} and more",
                flush=True,
            )
    return seen


# Files

PARTS = 256  # of a file of 16 MiB
PART_BYTES = 67_600  # a part of 64 KiB as the relay gets it: sealed twice and padded (PROTOCOL.md, "Files")
PART_EVERY_SECONDS = 0.125  # as the client sends them


def measure_file(options: argparse.Namespace) -> dict[str, Any]:
    """Files of 16 MiB in a row, as fast as they are taken: what one costs, and memory before and after; then how long others
    wait while one comes as the client sends it, and just as long without, in turns."""
    files, turns = (5, 1) if options.quick else (50, 3)
    people = [Person.make() for _ in range(66)]
    with scratch_folder() as folder:
        database = common.make_database(folder / "relay.db", people)
        parts = common.posts(people[:1], people[1:2], PARTS, PART_BYTES)
        words = common.posts(people[2:3], people[3:], 256)
        load = Load(parts, folder / "parts")
        with start_relay(database, program=options.relay) as server:
            load.run(server, 1, 60, answers=PARTS)  # caches fill once
            server.settle()
            memory, before = [server.resident_bytes], server.cpu_seconds
            with PeakWal(database) as wal:
                load.run(server, 1, 3600, answers=files * PARTS)
            server.settle()
            memory.append(server.resident_bytes)
            seen = {"files": files, "memory": memory, "cpu": (server.cpu_seconds - before) / files, "wal": wal.bytes}
            waits: dict[str, list[float]] = {"alone": [], "beside": []}
            with common.on_core(common.LOAD_CORE):
                for _ in range(turns):
                    waits["alone"] += asyncio.run(send_beside(server, words, []))
                    waits["beside"] += asyncio.run(send_beside(server, words, parts))
    for name, each in waits.items():
        seen |= {f"{name}_p50": percentile(each, 50), f"{name}_p99": percentile(each, 99), f"{name}_max": max(each)}
    print(
        f"a file: {seen['cpu']:.2f} s of CPU; {files} in a row: {memory[0] / 1e6:.1f} → {memory[1] / 1e6:.1f} MB, WAL {wal.bytes / 1e6:.1f} MB;"
        f" others wait {seen['alone_p99'] * 1e3:.2f} ms (p99), beside one {seen['beside_p99'] * 1e3:.2f} ms",
        flush=True,
    )
    return seen


async def send_beside(server: Server, words: list[bytes], parts: list[bytes]) -> list[float]:
    """How long each of one sender's words waits for as long as a file takes, while its parts come."""
    end = time.monotonic() + PARTS * PART_EVERY_SECONDS
    file = asyncio.create_task(send_parts(server, parts))
    waits = await send_while(server, words, lambda: time.monotonic() < end)
    await file
    return waits


async def send_parts(server: Server, parts: list[bytes]) -> None:
    sender = await connect(server, Sender)
    for part in parts:
        await asyncio.gather(sender.post(part), asyncio.sleep(PART_EVERY_SECONDS))
    sender.close()


def measure_peers(options: argparse.Namespace) -> dict[str, Any]:
    return peers.measure(options.quick)


SECTIONS = {
    "post": measure_post, "push": measure_push, "lone": measure_lone, "page": measure_page, "sockets": measure_sockets,
    "prune": measure_prune, "memory": measure_memory, "file": measure_file, "peers": measure_peers,
}  # fmt: skip


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"any of {', '.join(SECTIONS)} (default: all)")
    parser.add_argument(
        "--quick", action="store_true", help="short slices and small numbers; docs/BENCHMARKS.md stays as it is"
    )
    parser.add_argument("--connections", type=lambda text: [int(item) for item in text.split(",")], default=[1, 32, 128])
    parser.add_argument("--rounds", type=int, help="how often everybody has a turn")
    parser.add_argument("--seconds", type=float, help="length of a turn")
    parser.add_argument("--relay", type=Path, default=common.ROOT / "relay.py", help="the relay.py to measure")
    parser.add_argument("--against", type=Path, help="another relay.py that takes its turns beside it (post, page)")
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    for name in options.sections or SECTIONS:
        print(f"== {name}", flush=True)
        seen = SECTIONS[name](options)
        if not options.quick and not options.against:
            report.save(name, seen, common.versions(), f"{datetime.now(UTC):%Y-%m-%d}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
