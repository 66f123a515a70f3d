"""Attacks that one relay has to bear: `soak.py --attack`. Each runs against a relay of its own, with all its bounds, while a
victim from another address posts mail and notes its longest wait. What they cost is printed; nothing is written."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import common
from common import Person, Server, relay, scratch_folder, start_relay

SECONDS = 10
SOCKETS = 10_000 - 64  # the rest is for the victim and the page loads
BOUNDED = {"RATE_LIMIT": "on", "STATIC_DIR": str(common.ROOT / "static")}
LARGE = 260_000  # bytes of a plaintext

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def peak_bytes(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


async def connect(server: Server, request: bytes = b"", address: str = "127.0.0.2") -> Streams:
    streams = await asyncio.open_connection("127.0.0.1", server.port, local_addr=(address, 0))
    streams[1].write(request)
    return streams


async def write_on(streams: Streams, octets: bytes) -> None:
    """Write the same until the relay hangs up, for SECONDS at most."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(SECONDS):
            while True:
                streams[1].write(octets)
                await streams[1].drain()


def upgrade(person: Person) -> bytes:
    fields = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    return common.raw_request(
        "GET", f"/v1/ws?token={person.token}", headers=(*fields, "Sec-WebSocket-Key: " + "A" * 22 + "==")
    )


async def flood_sockets(server: Server, people: list[Person]) -> None:
    """16 WebSockets send empty pings as fast as they can, and come again when they are cut off."""
    end = time.monotonic() + SECONDS

    async def flood() -> None:
        while time.monotonic() < end:
            with contextlib.suppress(ConnectionError):
                streams = await connect(server, upgrade(people[0]))
                if b" 101 " in await streams[0].readline():
                    await write_on(streams, b"\x89\x80\0\0\0\0" * 1000)
                streams[1].close()
            await asyncio.sleep(0.1)

    await asyncio.gather(*(flood() for _ in range(16)))


async def hang_up(server: Server, people: list[Person]) -> None:
    """400 readers take the first bytes of a page of 4 MB, and leave."""
    for turn in range(400):
        with contextlib.suppress(ConnectionError):
            person = people[turn % 26]
            reader, writer = await connect(server, common.raw_request("GET", "/v1/messages?limit=200", token=person.token))
            await reader.read(12)
            writer.transport.abort()


async def send_heads(server: Server, people: list[Person]) -> None:
    """12 connections send heads of a megabyte, 32 at a time."""
    head = b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: %b\r\n" % (n, b"x" * 8000) for n in range(120)) + b"\r\n"
    await asyncio.gather(*[write_on(await connect(server), head * 32) for _ in range(12)])


async def send_ahead(server: Server, people: list[Person]) -> None:
    """12 connections send small requests without end, and read nothing."""
    await asyncio.gather(*[write_on(await connect(server), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2000) for _ in range(12)])


async def fetch_pages(server: Server, people: list[Person]) -> None:
    """26 people, on four connections each, fetch their 4 MB again and again."""
    end = time.monotonic() + SECONDS

    async def fetch(session: aiohttp.ClientSession, person: Person) -> None:
        headers = {"Authorization": f"Bearer {person.token}"}
        while time.monotonic() < end:
            async with session.get(f"http://127.0.0.1:{server.port}/v1/messages?limit=200", headers=headers) as answer:
                await answer.read()

    connector = aiohttp.TCPConnector(limit=0, local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(fetch(session, person) for person in people[:26] for _ in range(4)))


async def stall_bodies(server: Server, people: list[Person]) -> None:
    """3,000 bodies, from 15 addresses, of which the last bytes do not come."""
    request = common.raw_request("POST", "/v1/messages", {"filler": "x" * 350_000}, people[0].token)[:-10]
    held = []
    for number in range(3000):
        with contextlib.suppress(ConnectionError):
            held.append(await connect(server, request, f"127.0.1.{number % 15}"))
    await asyncio.sleep(SECONDS)
    for _, writer in held:
        writer.transport.abort()


async def stay_idle(server: Server, people: list[Person]) -> None:
    """10,000 WebSockets, of 45 addresses, 25 page loads beside them."""
    held = []
    for number in range(SOCKETS):
        with contextlib.suppress(ConnectionError):
            held.append(await connect(server, upgrade(people[number % len(people)]), f"127.0.2.{number % 45}"))
            await held[-1][0].readline()
    files = [path.relative_to(common.ROOT / "static") for path in (common.ROOT / "static").rglob("*") if path.is_file()]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=32)) as session:
        for path in files * 25:
            async with session.get(f"http://127.0.0.1:{server.port}/{path}") as answer:
                await answer.read()
    print(f"  {len(held)} WebSockets", flush=True)
    for _, writer in held:
        writer.transport.abort()


async def open_idle(server: Server, people: list[Person]) -> None:
    """10,000 connections of one address that send nothing."""
    held = [await connect(server) for _ in range(10_000)]
    await asyncio.sleep(1)
    for _, writer in held:
        writer.transport.abort()


async def come_and_go(server: Server, people: list[Person]) -> None:
    """Connections of one address that ask for what is no request, one after the other on each of 16 ways."""
    end = time.monotonic() + SECONDS

    async def come() -> None:
        while time.monotonic() < end:
            with contextlib.suppress(ConnectionError):
                reader, writer = await connect(server, b"GET /\x01 HTTP/1.1\r\n\r\n")
                with contextlib.closing(writer):
                    await reader.read()

    await asyncio.gather(*(come() for _ in range(16)))


ATTACKS = (flood_sockets, hang_up, send_heads, send_ahead, fetch_pages, stall_bodies, open_idle, stay_idle, come_and_go)


class Victim:
    """Posts from an address of its own until it is told to stop."""

    def __init__(self, server: Server, person: Person):
        self.waits: list[float] = []
        self.unanswered = 0
        self._server, self._person = server, person

    async def post(self) -> None:
        request = json.dumps(self._person.message_to(self._person))
        headers = {"Authorization": f"Bearer {self._person.token}"}
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.3", 0))
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
            while True:
                start = time.perf_counter()
                try:
                    async with session.post(
                        f"http://127.0.0.1:{self._server.port}/v1/messages", data=request, headers=headers
                    ) as answer:
                        self.unanswered += answer.status != 201
                except (aiohttp.ClientError, OSError):
                    self.unanswered += 1
                self.waits.append(time.perf_counter() - start)
                await asyncio.sleep(0.2)


async def bear(attack: Callable[[Server, list[Person]], Awaitable[None]], program: Path) -> None:
    people = [Person.make() for _ in range(SOCKETS // relay.MAX_SOCKETS_PER_IDENTITY + 1)]
    with scratch_folder() as folder:
        module = common.load(program)
        database = common.make_database(folder / "relay.db", people, module)
        common.add_messages(database, people[-1], people[:26], 16 * 26, ciphertext_bytes=LARGE, relay=module)
        with start_relay(database, program=program, **BOUNDED) as server:
            victim = Victim(server, people[-1])
            posting = asyncio.create_task(victim.post())
            await asyncio.sleep(1)
            before, cpu, start = server.resident_bytes, server.cpu_seconds, time.monotonic()
            await attack(server, people[:-1])
            took, cpu, peak = time.monotonic() - start, server.cpu_seconds - cpu, peak_bytes(server)
            await asyncio.sleep(2)
            after = server.resident_bytes
            posting.cancel()
    print(
        f"{attack.__name__}: memory {before / 1e6:.0f} MB, {peak / 1e6:.0f} at most, {after / 1e6:.0f} afterwards; {cpu:.1f} s of CPU"
        f" in {took:.0f} s; the victim sent {len(victim.waits)}, waited {max(victim.waits):.2f} s at most,"
        f" {victim.unanswered} not taken",
        flush=True,
    )


def run(program: Path, names: list[str]) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for attack in ATTACKS:
        if not names or attack.__name__ in names:
            asyncio.run(bear(attack, program))
