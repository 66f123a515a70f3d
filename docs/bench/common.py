"""What the benchmarks share: people with real keys, prepared databases, servers on a core of their own, and wrk."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import secrets
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Self

import nacl.bindings

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

import relay

SERVER_CORE, LOAD_CORE = 0, 1
CIPHERTEXT_BYTES = 1024
SECRET = "a secret that only benchmarks use"
FAR = time.time() + 864_000

# What the load brings out of a relay that would otherwise protect itself from it.
OPEN_SETTINGS = {"RATE_LIMIT": "off", "MAILBOX_MAX_MESSAGES": str(10**9), "MAILBOX_MAX_BYTES": str(2**50), "STATIC_DIR": ""}


# People and their messages


@dataclasses.dataclass(frozen=True)
class Person:
    public_key: bytes
    secret_key: bytes

    @classmethod
    def make(cls) -> Person:
        return cls(*nacl.bindings.crypto_box_keypair())

    @property
    def fingerprint(self) -> bytes:
        return relay.fingerprint_of(self.public_key)

    @property
    def token(self) -> str:
        return relay.Tokens(SECRET.encode(), 864_000).issue(self.fingerprint, 0, time.time())

    def message_to(self, recipient: Person, ciphertext_bytes: int = CIPHERTEXT_BYTES) -> dict[str, str]:
        """The body of a POST /v1/messages: random words, really boxed."""
        nonce = secrets.token_bytes(24)
        plaintext = secrets.token_bytes(ciphertext_bytes - 16)
        box = nacl.bindings.crypto_box(plaintext, nonce, recipient.public_key, self.secret_key)
        return {
            "recipient_fingerprint": recipient.fingerprint.hex(),
            "ciphertext": relay.encode_base64(box),
            "nonce": relay.encode_base64(nonce),
            "sender_public_key": relay.encode_base64(self.public_key),
        }


def raw_request(method: str, path: str, body: object = None, token: str = "", headers: Sequence[str] = ()) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def posts(
    senders: Sequence[Person], recipients: Sequence[Person], count: int, ciphertext_bytes: int = CIPHERTEXT_BYTES
) -> list[bytes]:
    tokens = [sender.token for sender in senders]
    return [
        raw_request(
            "POST",
            "/v1/messages",
            senders[i % len(senders)].message_to(recipients[i % len(recipients)], ciphertext_bytes),
            tokens[i % len(senders)],
        )
        for i in range(count)
    ]


# Databases


def load(program: Path) -> ModuleType:
    """A relay.py as a module: an older one has a schema of its own."""
    spec = importlib.util.spec_from_file_location("other_relay", program)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    sys.modules["other_relay"] = module
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def make_database(path: Path, people: Iterable[Person], relay: ModuleType = relay) -> Path:
    with closing(relay.open_database(str(path), True)) as connection:
        connection.execute("BEGIN")
        rows = ((person.fingerprint, person.public_key, 0) for person in people)
        connection.executemany(relay.STATEMENTS["add_identity"], rows)
        connection.execute("COMMIT")
    return path


def add_strangers(path: Path, count: int) -> None:
    """Identities that nobody uses; made of random bytes, because a million key pairs would take a while."""
    with closing(relay.open_database(str(path), True)) as connection:
        connection.execute("BEGIN")
        rows = ((fingerprint, fingerprint, 0) for fingerprint in sorted(secrets.token_bytes(32) for _ in range(count)))
        connection.executemany(relay.STATEMENTS["add_identity"], rows)
        connection.execute("COMMIT")


def add_subscriptions(path: Path, people: Iterable[Person], origin: str) -> None:
    """A device of each person's that is to be pushed to."""
    with closing(relay.open_database(str(path), True)) as connection:
        connection.execute("BEGIN")
        rows = ((person.fingerprint, f"{origin}/{person.fingerprint.hex()}", 0) for person in people)
        connection.executemany(relay.STATEMENTS["add_push_subscription"], rows)
        connection.execute("COMMIT")


def add_messages(
    path: Path,
    sender: Person,
    recipients: Sequence[Person],
    count: int,
    expires: float = FAR,
    ciphertext_bytes: int = CIPHERTEXT_BYTES,
    relay: ModuleType = relay,
) -> None:
    """`count` messages, one recipient after the other in turn, so that no mailbox lies in one piece."""
    filler = secrets.token_bytes(ciphertext_bytes * 64)
    fingerprints = [recipient.fingerprint for recipient in recipients]

    def row(i: int) -> tuple[object, ...]:
        start = i * 37 % (ciphertext_bytes * 63)
        ciphertext = filler[start : start + ciphertext_bytes]
        return fingerprints[i % len(fingerprints)], sender.public_key, filler[:24], ciphertext, 0, int(expires * 1000)

    with closing(relay.open_database(str(path), True)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        connection.executemany(relay.STATEMENTS["add_message"], map(row, range(count)))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder on the disk that holds the project: /tmp may be memory, where a sync costs nothing."""
    base = ROOT / ".cache"
    base.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=base, prefix="bench-") as folder:
        yield Path(folder)


# Servers


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])


class Server:
    """A process on SERVER_CORE that listens on 127.0.0.1."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        port: int,
        environ: dict[str, str] | None = None,
    ):
        self.name, self.port, self.database = name, port, Path()
        self.process = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CORE), *map(str, command)],
            env={**os.environ, **(environ or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.process.kill()
        raise SystemExit(f"{self.name} does not listen on port {self.port}")

    @property
    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self) -> None:
        """Return once the process has been idle for a moment, so that what it does late is not paid for by the next."""
        while True:
            before = self.cpu_seconds
            time.sleep(0.6)
            if self.cpu_seconds - before <= 0.02:
                return

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_bare() -> Server:
    port = free_port()
    return Server("bare aiohttp", [sys.executable, HERE / "bare.py", str(port)], port)


def start_relay(
    database: Path, name: str = "relay", program: Path = ROOT / "relay.py", port: int = 0, **settings: str
) -> Server:
    port = port or free_port()
    environ = {
        "JWT_SECRET": SECRET,
        "BIND": f"127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:{database}",
        "ORIGIN": "http://127.0.0.1",
    }
    server = Server(name, [sys.executable, program], port, {**environ, **OPEN_SETTINGS, **settings})
    server.database = database
    return server


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep this process, and the threads that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# Load


@dataclasses.dataclass(frozen=True)
class Slice:
    """What one run of wrk saw; times in seconds."""

    answers: int
    seconds: float
    errors: int
    p50: float
    p99: float
    max: float

    @property
    def rate(self) -> float:
        return self.answers / self.seconds


class Load:
    """Requests that wrk sends in turn, going on where the last slice ended."""

    def __init__(self, requests: Sequence[bytes], file: Path):
        file.write_bytes(b"\0".join(requests))
        self._file, self._count, self._position = file, len(requests), 0

    def run(self, server: Server, connections: int, seconds: float, answers: int | None = None) -> Slice:
        """One slice; `answers` ends it after so many. Exits when anything but 2xx and 3xx came back."""
        command = [
            "taskset",
            "-c",
            str(LOAD_CORE),
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            "30s",
        ]
        command += ["-s", HERE / "load.lua", f"http://127.0.0.1:{server.port}", "--", self._file, str(self._position)]
        output = subprocess.run(
            [*map(str, command), *([str(answers)] if answers else [])], check=True, capture_output=True, text=True
        ).stdout
        result = Slice(**json.loads(output.strip().splitlines()[-1]))
        if result.errors or not result.answers:
            raise SystemExit(f"{server.name} refused {result.errors} requests and answered {result.answers}")
        self._position = (self._position + result.answers) % self._count
        return result


class PeakWal:
    """Watches the size of a database's write-ahead log: `with PeakWal(path) as wal: ...; wal.bytes`."""

    def __init__(self, database: Path):
        self._path = Path(f"{database}-wal")
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.bytes = 0

    def _watch(self) -> None:
        while not self._end.wait(0.05):
            if self._path.exists():
                self.bytes = max(self.bytes, self._path.stat().st_size)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


# Figures


def quartiles(numbers: Sequence[float]) -> list[float]:
    """Lower quartile, median, upper quartile."""
    if len(numbers) < 2:
        return [numbers[0]] * 3
    return statistics.quantiles(numbers, n=4, method="inclusive")


def percentile(numbers: Sequence[float], percent: float) -> float:
    return sorted(numbers)[min(len(numbers) - 1, int(len(numbers) * percent / 100))]


def versions() -> dict[str, str]:
    import aiohttp

    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "",
    )
    kernel = ".".join(os.uname().release.split(".")[:2])
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split(" [")[0]
    return {
        "machine": f"{os.cpu_count()} cores, {model}, Linux {kernel}",
        "python": sys.version.split()[0],
        "aiohttp": aiohttp.__version__,
        "sqlite": sqlite3.sqlite_version,
        "relay": relay.__version__,
        "wrk": wrk.removeprefix("wrk ").removeprefix("debian/"),
    }
