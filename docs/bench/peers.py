"""Other programs that keep messages for somebody who is away, beside the relay. Run by `bench.py peers`.

Each peer stores messages of 1 KiB for an absent recipient, as fast as 1 and 32 senders can send who each wait for the
acknowledgement before the next, and then hands them over. Peers that are not installed are left out:

    apt install prosody beanstalkd redis-server mosquitto nats-server strace
    pip install magic-wormhole-mailbox-server        (with its `twist` in PATH)
    pip install nostr-relay                          (in a venv of its own, with its `nostr-relay` in PATH)
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import aiohttp
import common
from common import Person, Server, free_port, quartiles, raw_request, scratch_folder

PAYLOAD = base64.b64encode(secrets.token_bytes(768))  # 1 KiB that a text protocol can carry too
FETCH_AT_MOST = 5000
EVENTS = 20_000  # signed beforehand; more than a turn can use up
SENDERS = 32

Store = Callable[[], Awaitable[object]]


class Wire(asyncio.Protocol):
    """A connection in lock step: ask, and get what came back once `is_whole` says so."""

    _is_whole: Callable[[bytes], object] | None = None

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, octets: bytes) -> None:
        self._buffer += octets
        self._look()

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_whole and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"closed after {self._buffer[-200:]!r}"))

    async def ask(self, octets: bytes, is_whole: Callable[[bytes], object]) -> bytes:
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._is_whole = is_whole
        self._transport.write(octets)  # type: ignore[attr-defined]
        self._look()
        return await asyncio.wait_for(self._answer, 30) if octets == b"" else await self._answer

    def _look(self) -> None:
        if self._is_whole and self._is_whole(self._buffer):
            self._is_whole = None
            answer, self._buffer = self._buffer, b""
            self._answer.set_result(answer)


async def dial(port: int) -> Wire:
    _, wire = await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", port)
    return wire


def ends_with(tail: bytes) -> Callable[[bytes], bool]:
    return lambda buffer: buffer.endswith(tail)


def holds(part: bytes, times: int = 1) -> Callable[[bytes], bool]:
    return lambda buffer: buffer.count(part) >= times


class Peer:
    """A program to measure. `sender` connects and gives what stores one message; `fetch` takes `count` of them."""

    name: str
    short: str  # for the chart
    durability: str
    program: str

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        raise NotImplementedError

    async def prepare(self, port: int) -> None:
        """Make the absent recipient."""

    async def sender(self, port: int, number: int) -> Store:
        raise NotImplementedError

    async def fetch(self, port: int, count: int) -> None:
        raise NotImplementedError


class Relay(Peer):
    name, short, program = "io3233", "synced", sys.executable
    durability = "committed and synced, many messages a sync"
    script = common.ROOT / "relay.py"

    def __init__(self) -> None:
        self._people = [Person.make() for _ in range(SENDERS + 1)]

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        common.make_database(folder / "relay.db", self._people)
        settings = {
            **common.OPEN_SETTINGS,
            "JWT_SECRET": common.SECRET,
            "BIND": f"127.0.0.1:{port}",
            "DATABASE_URL": f"sqlite:{folder}/relay.db",
        }
        return ["env", *(f"{name}={value}" for name, value in settings.items()), sys.executable, self.script]

    async def sender(self, port: int, number: int) -> Store:
        wire = await dial(port)
        requests = common.posts([self._people[number]], self._people[-1:], 64)
        return lambda: wire.ask(
            random.choice(requests), lambda buffer: buffer.endswith(b"}") and buffer.startswith(b"HTTP/1.1 201")
        )

    async def fetch(self, port: int, count: int) -> None:
        wire, last = await dial(port), 0
        token = self._people[-1].token
        while count > 0:
            request = raw_request("GET", f"/v1/messages?after_id={last}&limit=200", token=token)
            body = (await wire.ask(request, ends_with(b"}"))).partition(b"\r\n\r\n")[2]
            rows = json.loads(body)["messages"]
            last, count = rows[-1]["id"], count - len(rows)


class UnsyncedRelay(Relay):
    name, short = "io3233, sync off", "no sync"
    durability = "before anything is on disk (not a setting: for comparison)"
    script = common.HERE / "unsynced.py"


class Redis(Peer):
    name, short, program = "redis, XADD, appendfsync always", "synced", "redis-server"
    durability = "synced, many messages a sync"

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        return [
            self.program,
            "--bind",
            "127.0.0.1",
            "--port",
            str(port),
            "--dir",
            folder,
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--save",
            "",
        ]

    async def sender(self, port: int, number: int) -> Store:
        wire = await dial(port)
        add = self._pack(b"XADD", b"inbox", b"*", b"m", PAYLOAD)
        return lambda: wire.ask(add, lambda buffer: buffer.startswith(b"$") and buffer.count(b"\r\n") == 2)

    async def fetch(self, port: int, count: int) -> None:
        wire, last = await dial(port), b"0"
        while count > 0:
            part = min(count, 200)
            read = self._pack(b"XREAD", b"COUNT", str(part).encode(), b"STREAMS", b"inbox", last)
            answer = await wire.ask(
                read, lambda buffer, part=part: buffer.count(PAYLOAD) == part and buffer.endswith(b"\r\n")
            )
            last, count = re.findall(rb"\r\n(\d+-\d+)\r\n", answer)[-1], count - part

    def _pack(self, *words: bytes) -> bytes:
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


class Beanstalkd(Peer):
    name, short, program = "beanstalkd -f 0", "synced", "beanstalkd"
    durability = "synced, each message alone"

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        return [self.program, "-l", "127.0.0.1", "-p", str(port), "-b", folder, "-f", "0", "-z", "100000"]

    async def sender(self, port: int, number: int) -> Store:
        wire = await dial(port)
        put = b"put 0 0 60 %d\r\n%b\r\n" % (len(PAYLOAD), PAYLOAD)
        return lambda: wire.ask(put, lambda buffer: buffer.startswith(b"INSERTED") and buffer.endswith(b"\r\n"))

    async def fetch(self, port: int, count: int) -> None:
        wire, ask = await dial(port), b"reserve-with-timeout 9\r\n"
        for _ in range(count):
            answer = await wire.ask(ask, lambda buffer: PAYLOAD + b"\r\n" in buffer)
            ask = b"delete %b\r\nreserve-with-timeout 9\r\n" % re.findall(rb"RESERVED (\d+)", answer)[0]


class Mosquitto(Peer):
    name, short, program = "mosquitto, QoS 1", "no sync", "mosquitto"
    durability = "before anything is on disk"

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        lines = [
            f"listener {port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {folder}/",
            "max_queued_messages 0",
        ]
        (folder / "mosquitto.conf").write_text("\n".join([*lines, "user root", ""]))
        return [self.program, "-c", folder / "mosquitto.conf"]

    async def prepare(self, port: int) -> None:
        wire = await self._join(port, b"absent", clean=False)
        await wire.ask(self._packet(0x82, b"\0\1" + self._text(b"inbox/#") + b"\1"), holds(b"\x90\x03"))
        await wire.ask(b"\xe0\0", lambda _: True)

    async def sender(self, port: int, number: int) -> Store:
        wire = await self._join(port, b"sender%d" % number, clean=True)
        publish = self._packet(0x32, self._text(b"inbox/absent") + b"\0\7" + PAYLOAD)
        return lambda: wire.ask(publish, ends_with(b"\x40\2\0\7"))

    async def fetch(self, port: int, count: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(self._connect(b"absent", clean=False))
        await reader.readexactly(4)
        size = len(self._packet(0x32, self._text(b"inbox/absent") + b"\0\0" + PAYLOAD))
        for _ in range(count):
            packet = await reader.readexactly(size)
            identifier = packet[-len(PAYLOAD) - 2 : -len(PAYLOAD)]
            writer.write(b"\x40\2" + identifier)

    async def _join(self, port: int, name: bytes, clean: bool) -> Wire:
        wire = await dial(port)
        await wire.ask(self._connect(name, clean), holds(b"\x20\2"))
        return wire

    def _connect(self, name: bytes, clean: bool) -> bytes:
        return self._packet(0x10, self._text(b"MQTT") + bytes([4, 2 * clean, 0, 0]) + self._text(name))

    def _text(self, text: bytes) -> bytes:
        return len(text).to_bytes(2, "big") + text

    def _packet(self, kind: int, content: bytes) -> bytes:
        size, digits = len(content), b""
        while size > 127:
            digits, size = digits + bytes([size % 128 | 128]), size // 128
        return bytes([kind]) + digits + bytes([size]) + content


class Nats(Peer):
    name, short, program = "NATS JetStream, file", "no sync", "nats-server"
    durability = "before anything is on disk"

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        return [self.program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", folder]

    async def prepare(self, port: int) -> None:
        wire = await self._join(port, b"_I.prepare")
        stream = {"name": "S", "subjects": ["inbox.>"], "storage": "file"}
        await self._call(wire, b"$JS.API.STREAM.CREATE.S", b"_I.prepare", stream)

    async def sender(self, port: int, number: int) -> Store:
        reply = b"_I.%d" % number
        wire = await self._join(port, reply)
        publish = b"PUB inbox.absent %b %d\r\n%b\r\n" % (reply, len(PAYLOAD), PAYLOAD)
        return lambda: wire.ask(publish, lambda buffer: b'"seq":' in buffer and buffer.endswith(b"\r\n"))

    async def fetch(self, port: int, count: int) -> None:
        wire = await self._join(port, b"_I.fetch")
        consumer = {"stream_name": "S", "config": {"durable_name": "C", "ack_policy": "none", "deliver_policy": "all"}}
        await self._call(wire, b"$JS.API.CONSUMER.DURABLE.CREATE.S.C", b"_I.fetch", consumer)
        while count > 0:
            part = min(count, 200)
            text = b'{"batch":%d}' % part
            await wire.ask(
                b"PUB $JS.API.CONSUMER.MSG.NEXT.S.C _I.fetch %d\r\n%b\r\n" % (len(text), text),
                holds(PAYLOAD + b"\r\n", part),
            )
            count -= part

    async def _join(self, port: int, reply: bytes) -> Wire:
        wire = await dial(port)
        await wire.ask(b'CONNECT {"verbose":false}\r\nSUB %b 1\r\nPING\r\n' % reply, holds(b"PONG\r\n"))
        return wire

    async def _call(self, wire: Wire, subject: bytes, reply: bytes, body: object) -> None:
        text = json.dumps(body).encode()
        answer = await wire.ask(
            b"PUB %b %b %d\r\n%b\r\n" % (subject, reply, len(text), text), lambda buffer: buffer.rstrip().endswith(b"}")
        )
        if b'"error"' in answer:
            raise SystemExit(f"NATS refuses: {answer!r}")


class Prosody(Peer):
    name, short, program = "prosody, offline messages", "no sync", "prosody"
    durability = "written, but not synced"

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        accounts = folder / "localhost" / "accounts"
        accounts.mkdir(parents=True)
        for name in ("absent", *(f"sender{number}" for number in range(SENDERS))):
            (accounts / f"{name}.dat").write_text('return { ["password"] = "secret"; };\n')
        (folder / "prosody.cfg.lua").write_text(
            f"""run_as_root = true; pidfile = "{folder}/pid"; data_path = "{folder}"; certificates = "{folder}"
modules_enabled = {{ "saslauth", "roster", "smacks", "offline" }}; modules_disabled = {{ "s2s" }}
authentication = "internal_plain"; storage = "internal"; c2s_require_encryption = false; allow_unencrypted_plain_auth = true
c2s_interfaces = {{ "127.0.0.1" }}; c2s_ports = {{ {port} }}; c2s_direct_tls_ports = {{}}; s2s_ports = {{}}; http_ports = {{}}; https_ports = {{}}
VirtualHost "localhost"
"""
        )
        return ["lua5.4", shutil.which(self.program) or self.program, "--config", folder / "prosody.cfg.lua", "-F"]

    async def sender(self, port: int, number: int) -> Store:
        wire = await self._join(port, f"sender{number}")
        await wire.ask(b"<enable xmlns='urn:xmpp:sm:3'/>", holds(b"<enabled"))
        message = (
            b"<message to='absent@localhost' type='chat'><body>%b</body></message><r xmlns='urn:xmpp:sm:3'/>" % PAYLOAD
        )
        return lambda: wire.ask(message, lambda buffer: b"<a " in buffer and buffer.endswith(b">"))

    async def fetch(self, port: int, count: int) -> None:
        wire = await self._join(port, "absent")
        await wire.ask(b"<presence/>", holds(b"</message>", count))

    async def _join(self, port: int, user: str) -> Wire:
        wire = await dial(port)
        opening = b"<stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        await wire.ask(opening, holds(b"</stream:features>"))
        proof = base64.b64encode(f"\0{user}\0secret".encode())
        await wire.ask(
            b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%b</auth>" % proof, holds(b"<success")
        )
        await wire.ask(opening, holds(b"</stream:features>"))
        await wire.ask(b"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", holds(b"</iq>"))
        return wire


class WormholeMailbox(Peer):
    name, short, program = "magic-wormhole-mailbox-server", "synced", "twist"
    durability = "committed and synced, each message alone"

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        return [
            self.program,
            "wormhole-mailbox",
            f"--port=tcp:{port}:interface=127.0.0.1",
            f"--channel-db={folder}/channels.sqlite",
        ]

    async def sender(self, port: int, number: int) -> Store:
        socket = await self._open(port, number, f"sender{number}")
        phases = iter(range(10**9))

        async def store() -> None:
            phase = str(next(phases))
            await socket.send_json({"type": "add", "phase": phase, "body": PAYLOAD.decode()})
            while (frame := await socket.receive_json())["type"] != "message" or frame["phase"] != phase:
                pass  # its early "ack" is no commit

        return store

    async def fetch(self, port: int, count: int) -> None:
        for number in range(SENDERS):
            socket = await self._open(port, number, "recipient")
            await socket.send_json({"type": "ping", "ping": 1})
            while count > 0 and (frame := await socket.receive_json())["type"] != "pong":
                count -= frame["type"] == "message"
            await socket.close()

    async def _open(self, port: int, number: int, side: str) -> aiohttp.ClientWebSocketResponse:
        socket = await SESSION.get().ws_connect(f"http://127.0.0.1:{port}/v1")
        await socket.send_json({"type": "bind", "appid": "bench", "side": side})
        await socket.send_json({"type": "open", "mailbox": f"mailbox{number}"})
        return socket


class NostrRelay(Peer):
    name, short, program = "nostr-relay", "synced late", "nostr-relay"
    durability = "committed, but synced only at the database's checkpoints"
    # Run by the Python that nostr-relay is installed for, which has its configuration and can sign. Each event has a time
    # of its own, two seconds from the next: pages end between any two, whether `until` counts as within or not.
    make = """
import sys, time
from importlib.resources import files
from json import dumps
from aionostr.event import Event
from aionostr.key import PrivateKey

count, content = int(sys.argv[1]), sys.argv[2]
sender, recipient, now = PrivateKey(), PrivateKey().public_key.hex(), int(time.time())
print(dumps([recipient, files("nostr_relay").joinpath("config.yaml").read_text()]))
for age in range(count):
    event = Event(sender.public_key.hex(), content, now - 2 * age, 4, [["p", recipient]])
    sender.sign_event(event)
    print(dumps(["EVENT", event.to_json_object()]))
"""

    def __init__(self) -> None:
        script = Path(shutil.which(self.program) or self.program)
        python = script.read_text().partition("\n")[0].removeprefix("#!")
        command = [python, "-c", self.make, str(EVENTS), PAYLOAD]
        head, *self._events = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        self._recipient, self._config = json.loads(head)

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        self._unsent = iter(self._events)
        config = self._config.replace("6969", str(port)).replace(":///nostr.sqlite3", f":///{folder}/nostr.sqlite3")
        (folder / "config.yaml").write_text(config)
        return ["env", f"HOME={folder}", self.program, "-c", folder / "config.yaml", "serve"]

    async def sender(self, port: int, number: int) -> Store:
        socket = await self._open(port)

        async def store() -> None:
            await socket.send_str(next(self._unsent))
            answer = await socket.receive_json()
            if answer[0] != "OK" or answer[2] is not True:
                raise SystemExit(f"nostr-relay refuses: {answer}")

        return store

    async def fetch(self, port: int, count: int) -> None:
        socket, until = await self._open(port), int(time.time()) + 60
        while count > 0:
            wanted = {"kinds": [4], "#p": [self._recipient], "until": until, "limit": min(count, 200)}
            await socket.send_json(["REQ", "inbox", wanted])
            while (frame := await socket.receive_json())[0] == "EVENT":
                until, count = min(until, frame[2]["created_at"] - 1), count - 1

    async def _open(self, port: int) -> aiohttp.ClientWebSocketResponse:
        return await SESSION.get().ws_connect(f"http://127.0.0.1:{port}/")


SESSION: ContextVar[aiohttp.ClientSession] = ContextVar("session")
PEERS = (Relay, UnsyncedRelay, Redis, Beanstalkd, Mosquitto, Nats, Prosody, WormholeMailbox, NostrRelay)


async def store_for(peer: Peer, port: int, senders: int, seconds: float) -> tuple[int, float]:
    """How many messages were acknowledged, and how busy this process was (1: it could do no more)."""
    stores = [await peer.sender(port, number) for number in range(senders)]
    start, cpu, count = time.perf_counter(), time.process_time(), 0

    async def send(store: Store) -> None:
        nonlocal count
        while time.perf_counter() < start + seconds:
            await store()
            count += 1

    await asyncio.gather(*map(send, stores))
    return count, (time.process_time() - cpu) / (time.perf_counter() - start)


async def take_turn(peer: Peer, port: int, seconds: float) -> dict[str, float]:
    async with aiohttp.ClientSession() as session:
        SESSION.set(session)
        await peer.prepare(port)
        many, busy = await store_for(peer, port, SENDERS, seconds)
        one, _ = await store_for(peer, port, 1, seconds)
        start = time.perf_counter()
        count = min(many + one, FETCH_AT_MOST)
        await asyncio.wait_for(peer.fetch(port, count), 120)
        return {
            "store_32": many / seconds,
            "store_1": one / seconds,
            "fetch": count / (time.perf_counter() - start),
            "busy": busy,
        }


async def count_stored(peer: Peer, port: int, seconds: float) -> int:
    async with aiohttp.ClientSession() as session:
        SESSION.set(session)
        await peer.prepare(port)
        return (await store_for(peer, port, SENDERS, seconds))[0]


def count_syncs(peer: Peer, folder: Path, seconds: float) -> float:
    """fsync and fdatasync calls a stored message, as strace sees them from the first message to the last acknowledgement."""
    seen, port = folder / "strace", free_port()
    command = ["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", seen, *peer.command(folder, port)]
    with Server(peer.name, command, port) as server:
        before = seen.read_text().count("sync(")  # making an empty database is not storing
        stored = asyncio.run(count_stored(peer, port, seconds))
        syncs = seen.read_text().count("sync(") - before
        strace = server.process.pid
        for child in Path(f"/proc/{strace}/task/{strace}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)
        server.process.wait(30)
    return syncs / stored


def measure(quick: bool) -> dict[str, Any]:
    rounds, seconds = (1, 1.0) if quick else (5, 4.0)
    if not shutil.which("strace"):
        raise SystemExit("strace counts the syncs: apt install strace")
    installed = [make() for make in PEERS if shutil.which(make.program)]
    skipped = [make.name for make in PEERS if not shutil.which(make.program)]
    turns: dict[str, list[dict[str, float]]] = {peer.name: [] for peer in installed}
    with common.on_core(common.LOAD_CORE):
        for _ in range(rounds):
            for peer in random.sample(installed, len(installed)):
                with scratch_folder() as folder:
                    port = free_port()
                    with Server(peer.name, peer.command(folder, port), port):
                        turns[peer.name].append(asyncio.run(take_turn(peer, port, seconds)))
        table = {}
        for peer in installed:
            with scratch_folder() as folder:
                syncs = count_syncs(peer, folder, min(seconds, 2))
            figures = {
                key: quartiles([turn[key] for turn in turns[peer.name]])[1]
                for key in ("store_1", "store_32", "fetch", "busy")
            }
            table[peer.name] = {**figures, "syncs_per_message": syncs, "durability": peer.durability, "short": peer.short}
            print(
                f"{peer.name:32} {figures['store_1']:7.0f}/s alone {figures['store_32']:7.0f}/s of 32, fetched {figures['fetch']:7.0f}/s,"
                f" {syncs:.3f} syncs a message, load generator {figures['busy']:.0%} busy",
                flush=True,
            )
    for name in skipped:
        print(f"{name}: not installed, skipped")
    return {"rounds": rounds, "seconds": seconds, "peers": table, "skipped": skipped}
