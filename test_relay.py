"""Every test of io3233: one class a section of relay.py, then the faults, the command line and the browser.

    python -m pytest                   all of it
    python -m pytest -k "Tokens"       one section
    python test_relay.py vectors       the test vectors of docs/PROTOCOL.md, computed afresh

Nothing here is mocked but the clock: people have real NaCl keys, relays have real SQLite files and listen on real loopback
ports, and what must survive `kill -9` is a real process. No test measures how fast the machine is; where something has to
happen "soon", `until` polls for it with a generous deadline.

A test's name is a sentence, its body arranges, acts and asserts, with a blank line between.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import collections
import contextlib
import functools
import gc
import gzip
import hashlib
import hmac
import inspect
import itertools
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import types
import weakref
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from nacl.bindings import crypto_box, crypto_box_afternm
from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey
from nacl.secret import SecretBox
from yarl import URL

import relay as relay_module

TOP = Path(__file__).parent
STATIC = TOP / "static"
# Started through a link in a folder of its own, so that no `.env` of the tester's stands beside it.
RELAY_PY = Path(tempfile.mkdtemp(prefix="io3233-")) / "relay.py"
RELAY_PY.symlink_to(TOP / "relay.py")
atexit.register(shutil.rmtree, RELAY_PY.parent)
SECRET = "a secret of the tests, long enough for HS256"
MEMORY_DISK = Path("/dev/shm")
MEMORY_DISK_BYTES = 2 * 1024**3  # what the tests of a run and its browsers may keep there
PATIENCE_SECONDS = 30  # how long a test waits for what must happen; only a failing test ever waits so long

# Property tests: the same examples in every run, so that a red run means a change of ours. They may share one relay.
PROPERTY = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELD_VALUES = JSON_VALUES | st.sampled_from([24, 32, 48]).map(lambda size: base64.b64encode(bytes(size)).decode())


def has_room_in_memory() -> bool:
    """Whether there is a disk in memory with room, from which programs may run."""
    disk = os.statvfs(MEMORY_DISK) if MEMORY_DISK.is_dir() else None
    return disk is not None and disk.f_bavail * disk.f_frsize > MEMORY_DISK_BYTES and not disk.f_flag & os.ST_NOEXEC


# A relay syncs about ten times before its first message, and a run starts a thousand: that waits longer than all else that
# they do. What a killed process has written is as safe in memory as on a disk, and no test cuts the power.
if "TMPDIR" not in os.environ and has_room_in_memory():
    tempfile.tempdir = str(MEMORY_DISK)


# ------------------------------------------------------------------------------------------------------------------------
# Speaking the protocol
#
# Written from docs/PROTOCOL.md with PyNaCl and the standard library, and not with relay.py's own functions: where the two
# disagree, a test fails.
# ------------------------------------------------------------------------------------------------------------------------


def b64(raw: bytes) -> str:
    """Standard padded base64, as the relay emits it."""
    return base64.b64encode(raw).decode()


def unb64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def b64url(raw: bytes) -> str:
    """Unpadded base64url (RFC 7515 section 2), as in tokens."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed_token(claims: Any, *, header: Any = None, secret: str = SECRET, digest: str = "sha256") -> str:
    """A JWS in compact form (RFC 7515 section 3.1) over JSON, or over bytes as they are, made without relay.py."""
    parts = [{"alg": "HS256", "typ": "JWT"} if header is None else header, claims]
    signed = ".".join(b64url(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in parts)
    return f"{signed}.{b64url(hmac.new(secret.encode(), signed.encode(), digest).digest())}"


class Answer(NamedTuple):
    """What a relay answered: JSON parsed, anything else as bytes."""

    status: int
    body: Any
    headers: Mapping[str, str]

    def refused(self, status: int) -> str:
        """Hold a refusal to the form that every one has; its sentence."""
        assert self.status == status, self.body
        assert list(self.body) == ["error"] and len(self.body["error"].split()) > 1, self.body
        assert self.headers["Access-Control-Allow-Origin"] == "*"
        assert status != 401 or self.headers["WWW-Authenticate"] == "Bearer"
        assert status != 429 or int(self.headers["Retry-After"]) >= 1
        return self.body["error"]


class Person:
    """Somebody with a NaCl key pair and, once registered, a token of one relay."""

    def __init__(self, relay: AnyRelay, secret_key: PrivateKey | None = None) -> None:
        self.relay = relay
        self.secret_key = secret_key or PrivateKey.generate()
        self.public_key = bytes(self.secret_key.public_key)
        self.fingerprint = hashlib.sha256(self.public_key).hexdigest()
        self.token = ""

    async def challenge(self) -> dict[str, Any]:
        """The body of a challenge for this person's key."""
        answer = await self.relay.call("POST", "/v1/register/challenge", json={"public_key": b64(self.public_key)})
        assert answer.status == 200, answer.body
        return answer.body

    def prove(self, challenge: Mapping[str, Any], *, bound: bool = False, origin: str | None = None) -> dict[str, str]:
        """The body that answers a challenge: v1's boxed proof, or the one bound to an origin."""
        box = Box(self.secret_key, PublicKey(unb64(challenge["server_public_key"])))
        body = {"public_key": b64(self.public_key), "challenge": challenge["challenge"]}
        if bound:
            keys = self.public_key + unb64(challenge["server_public_key"])
            bound_to = b"io3233 register v1\0" + (origin or self.relay.url).encode() + b"\0"
            mac = hmac.digest(box.shared_key(), bound_to + keys + unb64(challenge["challenge"]), "sha256")
            return body | {"proof_mac": b64(mac)}
        sealed = box.encrypt(unb64(challenge["challenge"]))
        return body | {"proof_nonce": b64(sealed.nonce), "proof_ciphertext": b64(sealed.ciphertext)}

    async def register(self, *, bound: bool = False, **extra: str) -> Answer:
        """Challenge, proof, token; `extra` are further members of the proof, such as `invite`."""
        body = self.prove(await self.challenge(), bound=bound) | extra
        answer = await self.relay.call("POST", "/v1/register", json=body)
        if answer.status == 200:
            self.token = answer.body["token"]
        return answer

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        """A request with this person's token."""
        return await self.relay.call(method, path, token=self.token, **options)

    def seal(self, recipient: Person, plaintext: bytes) -> dict[str, str]:
        """The body that posts `plaintext` to `recipient`."""
        sealed = Box(self.secret_key, PublicKey(recipient.public_key)).encrypt(plaintext)
        return {
            "recipient_fingerprint": recipient.fingerprint,
            "ciphertext": b64(sealed.ciphertext),
            "nonce": b64(sealed.nonce),
            "sender_public_key": b64(self.public_key),
        }

    async def send(self, recipient: Person, plaintext: bytes) -> dict[str, Any]:
        """Post one message; its receipt."""
        answer = await self.call("POST", "/v1/messages", json=self.seal(recipient, plaintext))
        assert answer.status == 201, answer.body
        return answer.body

    async def fetch(self, after_id: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """One page of the own inbox."""
        answer = await self.call("GET", f"/v1/messages?after_id={after_id}&limit={limit}")
        assert answer.status == 200, answer.body
        return answer.body["messages"]

    async def fetch_all(self) -> list[dict[str, Any]]:
        """Every message of the own inbox, page by page."""
        messages: list[dict[str, Any]] = []
        while page := await self.fetch(after_id=messages[-1]["id"] if messages else 0, limit=200):
            messages += page
        return messages

    def open(self, message: Mapping[str, Any]) -> bytes:
        """The plaintext of a fetched message."""
        box = Box(self.secret_key, PublicKey(unb64(message["sender_public_key"])))
        return box.decrypt(unb64(message["ciphertext"]), unb64(message["nonce"]))

    async def connect(self, **options: Any) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket that the relay has greeted; the token travels as a subprotocol."""
        protocols = ("3233.v1", f"bearer.{self.token}")
        websocket = await self.relay.session.ws_connect(f"{self.relay.url}/v1/ws", protocols=protocols, **options)
        assert await frame(websocket) == {"type": "connected", "fingerprint": self.fingerprint}
        return websocket


async def frame(websocket: aiohttp.ClientWebSocketResponse) -> Any:
    """The next frame that a relay sends, parsed."""
    return await websocket.receive_json(timeout=PATIENCE_SECONDS)


async def close_code(websocket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read on until the relay closes; the code that it closed with."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for _ in websocket:
            pass
    return websocket.close_code


# ------------------------------------------------------------------------------------------------------------------------
# Running relays
# ------------------------------------------------------------------------------------------------------------------------


class Clock:
    """The one thing that tests fake: a clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = time.time()

    def now(self) -> float:
        return self.seconds

    __call__ = now

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


def growing_pauses(first_seconds: float = 0.004, last_seconds: float = 0.1) -> Iterator[float]:
    """How long to wait between two looks at something: what comes soon is seen soon, and what takes long is not kept busy."""
    pause = first_seconds
    while True:
        yield pause
        pause = min(1.5 * pause, last_seconds)


async def until(condition: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> Any:
    """Poll a condition, plain or awaitable, until it holds; its value."""
    deadline = time.monotonic() + seconds
    pauses = growing_pauses()
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {inspect.getsource(condition).strip()}"
        await asyncio.sleep(next(pauses))


# Of each process that tests run in, below those that the kernel gives to outgoing connections.
PORTS_EACH = 12_000 // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
FIRST_PORT = 20_000 + PORTS_EACH * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ports = (FIRST_PORT + number % PORTS_EACH for number in itertools.count(random.randrange(PORTS_EACH)))


def free_port() -> int:
    """A loopback port to listen on, and never one of a relay that is only stopped for a while."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", next(ports)))
            return probe.getsockname()[1]


class AnyRelay:
    """A relay on a loopback port with a SQLite file, seen from outside; subclasses know how it is run."""

    def __init__(self, folder: Path, environ: Mapping[str, str | None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = folder / "relay.db"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {
            "BIND": f"127.0.0.1:{self.port}",
            "DATABASE_URL": f"sqlite:{self.database}?mode=rwc",
            "JWT_SECRET": SECRET,
            "RATE_LIMIT": "off",
            **environ,
        }
        self.environ = {name: value.format(port=self.port) for name, value in settings.items() if value is not None}
        unix_socket = self.environ["BIND"].partition("unix:")[2]
        connector = aiohttp.UnixConnector(unix_socket, limit=0) if unix_socket else aiohttp.TCPConnector(limit=0)
        self.session = aiohttp.ClientSession(connector=connector)

    async def start(self) -> None:
        """Start, or start again on the same port and database."""
        raise NotImplementedError

    async def stop(self) -> Any:
        """Stop as an operator does; sessions, people and the database stay."""
        raise NotImplementedError

    async def is_healthy(self) -> bool:
        return (await self.call("GET", "/healthz")).status == 200

    async def register(self, secret_key: PrivateKey | None = None, *, bound: bool = False, **extra: str) -> Person:
        """A new person, or the one with that key, registered here."""
        person = Person(self, secret_key)
        answer = await person.register(bound=bound, **extra)
        assert answer.status == 200, answer.body
        return person

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Answer:
        """One request; `json=` or `data=` is its body."""
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        sent_headers = CIMultiDict(bearer)
        sent_headers.extend(headers or {})
        options.setdefault("allow_redirects", False)
        async with self.session.request(method, self.url + path, headers=sent_headers, **options) as answer:
            is_json = answer.content_type == "application/json" and method != "HEAD"
            return Answer(answer.status, await (answer.json() if is_json else answer.read()), answer.headers)

    async def close(self) -> None:
        """Stop for good."""
        await self.session.close()
        await self.stop()


class RunningRelay(AnyRelay):
    """A relay in this process: real sockets and files, and a clock that a test may move."""

    def __init__(self, folder: Path, environ: Mapping[str, str | None], clock: Callable[[], float] = time.time) -> None:
        super().__init__(folder, environ)
        self.clock = clock
        self.running = contextlib.AsyncExitStack()

    async def start(self) -> None:
        self.app = relay_module.make_app(relay_module.Config.from_env(self.environ), clock=self.clock)
        listening = self.running.enter_context(contextlib.closing(relay_module.listen_on(self.app[relay_module.CONFIG])))
        self.server = await self.running.enter_async_context(relay_module.taking_connections(self.app, listening))

    async def stop(self) -> None:
        await self.running.aclose()


class RelayProcess(AnyRelay):
    """`python relay.py` as a process of its own, for what only a process can show."""

    process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """All that the relay wrote since it was first started."""
        return (self.folder / "log").read_text()

    async def start(self, *wrapper: str) -> None:
        """Start and wait until it answers; `wrapper` is a command to run it under, such as strace."""
        command = [*wrapper, sys.executable, str(RELAY_PY)]
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, env=process_environ(self.folder, self.environ), stdout=log, stderr=log
            )
        await until(self.answers)

    async def answers(self) -> bool:
        assert self.process is not None and self.process.returncode is None, self.log
        with contextlib.suppress(aiohttp.ClientConnectionError):
            return (await self.call("GET", "/healthz")).status == 200
        return False

    async def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int | None:
        """Send the signal; the exit status."""
        if self.process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(with_signal)
        try:
            return await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            self.process.kill()
            raise
        finally:
            self.process = None


def process_environ(home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of ours: these settings and nothing of the tester's own."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **environ}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(name="relays")
async def relays_fixture(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Start one more relay: `await relays(INVITE_CODE="x", clock=clock)`; a setting of None is left unset."""
    running: list[RunningRelay] = []

    async def start(*, clock: Callable[[], float] = time.time, **environ: str | None) -> RunningRelay:
        running.append(RunningRelay(tmp_path / f"relay{len(running)}", environ, clock))
        await running[-1].start()
        return running[-1]

    yield start
    for each in running:
        await each.close()


@pytest.fixture(name="relay")
async def relay_fixture(relays: Callable[..., Any]) -> RunningRelay:
    """A relay with default settings, but for rate limits, which are off."""
    return await relays()


@pytest.fixture(name="relay_process")
async def relay_process_fixture(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Start one more `python relay.py`: `await relay_process(MESSAGE_TTL_DAYS="1")`."""
    running: list[RelayProcess] = []

    async def start(*wrapper: str, **environ: str | None) -> RelayProcess:
        running.append(RelayProcess(tmp_path / f"process{len(running)}", environ))
        await running[-1].start(*wrapper)
        return running[-1]

    yield start
    for each in running:
        await each.close()


# ------------------------------------------------------------------------------------------------------------------------
# A conversation, whole
# ------------------------------------------------------------------------------------------------------------------------


class TestConversation:
    """The relay in four lines: what two people can rely on."""

    async def test_recipient_reads_what_sender_sent(self, relay: RunningRelay) -> None:
        alice, bob = await relay.register(), await relay.register()

        sent = await alice.send(bob, b"hello")

        [message] = await bob.fetch()
        assert message["id"] == sent["id"]
        assert bob.open(message) == b"hello"


# ------------------------------------------------------------------------------------------------------------------------
# Configuration
# ------------------------------------------------------------------------------------------------------------------------

BAD_SETTINGS = [
    ("BIND", "nonsense"),
    ("BIND", "127.0.0.1"),
    ("BIND", "127.0.0.1:port"),
    ("BIND", "127.0.0.1:65536"),
    ("BIND", "127.0.0.1:-1"),
    ("BIND", "unix:relay.sock"),
    ("DATABASE_URL", "postgres://localhost/relay"),
    ("DATABASE_URL", "data.db"),
    ("DATABASE_URL", "sqlite:"),
    ("DATABASE_URL", "sqlite::memory:"),
    ("DATABASE_URL", "sqlite://:memory:"),
    ("ALLOW_INSECURE_JWT_SECRET", "maybe"),
    ("TRUST_FORWARDED_FOR", "maybe"),
    ("JWT_EXPIRY_SEC", "soon"),
    ("JWT_EXPIRY_SEC", "0"),
    ("JWT_EXPIRY_SEC", "-1"),
    ("JWT_EXPIRY_SEC", "1.5"),
    ("JWT_EXPIRY_SEC", "9" * 30),
    ("MESSAGE_TTL_DAYS", "fortnight"),
    ("MESSAGE_TTL_DAYS", "0"),
    ("MESSAGE_TTL_DAYS", "-1"),
    ("MESSAGE_TTL_DAYS", "9" * 30),
    ("MAX_MESSAGE_BYTES", "256K"),
    ("MAX_MESSAGE_BYTES", "0"),
    ("MAX_MESSAGE_BYTES", "-1"),
    ("ORIGIN", "chat.example.com"),
    ("ORIGIN", "ftp://chat.example.com"),
    ("ORIGIN", "https://chat.example.com/chats"),
    ("ORIGIN", "https://chat.example.com,nonsense"),
    ("MAILBOX_MAX_MESSAGES", "many"),
    ("MAILBOX_MAX_MESSAGES", "-1"),
    ("MAILBOX_MAX_BYTES", "64M"),
    ("MAILBOX_MAX_BYTES", "-1"),
    ("NEWCOMERS_MAX_BYTES", "half"),
    ("PUSH", "maybe"),
    ("PUSH_HOSTS", "https://push.example.com"),
    ("PUSH_HOSTS", "*"),
    ("PUSH_CONTACT", "operator@example.org"),
    ("PUSH_CONTACT", "http://example.org"),
    ("RATE_LIMIT", "maybe"),
]

ENV_LINES = ["A=b", "A=", "A='b c $d'", 'A="b c"', "A=a#b", "A=b\\ c", "A='it'\"'\"'s'", "A=é"]


class TestConfiguration:
    """Settings are checked before anything starts, all of them at once."""

    @pytest.mark.parametrize(("name", "value"), BAD_SETTINGS)
    def test_bad_value_is_named_with_its_variable(self, name, value):
        with pytest.raises(relay_module.ConfigError) as refusal:
            relay_module.Config.from_env({"JWT_SECRET": SECRET, name: value})

        assert name in str(refusal.value)
        assert value in str(refusal.value)

    def test_all_bad_values_are_named_at_once(self):
        bad = dict(BAD_SETTINGS)

        with pytest.raises(relay_module.ConfigError) as refusal:
            relay_module.Config.from_env(bad)

        assert all(name in str(refusal.value) for name in [*bad, "JWT_SECRET"])

    @pytest.mark.parametrize("environ", [{}, {"JWT_SECRET": ""}, {"JWT_SECRET": "x" * 31}])
    def test_weak_secret_is_refused_without_being_shown(self, environ):
        with pytest.raises(relay_module.ConfigError) as refusal:
            relay_module.Config.from_env(environ)

        assert "JWT_SECRET" in str(refusal.value)
        assert "x" * 31 not in str(refusal.value)

    @pytest.mark.parametrize("secret", [None, "short"])
    async def test_insecure_secret_is_taken_when_asked_for(self, relays, secret):
        relay = await relays(JWT_SECRET=secret, ALLOW_INSECURE_JWT_SECRET="1")

        alice = await relay.register()

        assert (await alice.call("GET", "/v1/me")).status == 200

    @pytest.mark.parametrize(
        "setting",
        [
            {"BIND": "[::1]:3233"},
            {"BIND": "unix:/run/io3233/relay.sock"},
            {"DATABASE_URL": "sqlite:///tmp/relay.db?mode=rwc"},
            {"DATABASE_URL": "sqlite:data.db"},
            {"ORIGIN": "https://chat.example.com,http://192.168.1.7:3233"},
            {"STATIC_DIR": ""},
            {"INVITE_CODE": "open sesame"},
            {"JWT_SECRET": "x" * 32},
        ],
    )
    def test_good_value_is_accepted(self, setting):
        relay_module.Config.from_env({"JWT_SECRET": SECRET} | setting)

    @pytest.mark.parametrize(
        ("word", "is_on"),
        [
            ("1", True),
            ("true", True),
            ("Yes", True),
            ("ON", True),
            ("0", False),
            ("False", False),
            ("no", False),
            ("off", False),
        ],
    )
    @pytest.mark.parametrize(
        ("name", "field"), [("TRUST_FORWARDED_FOR", "trust_forwarded_for"), ("RATE_LIMIT", "rate_limit")]
    )
    def test_switch_takes_the_words_that_people_use(self, name, field, word, is_on):
        config = relay_module.Config.from_env({"JWT_SECRET": SECRET, name: word})

        assert getattr(config, field) is is_on

    async def test_defaults_are_the_documented_ones(self, relay):
        alice = await relay.register()

        stats = (await relay.call("GET", "/v1/stats")).body
        token = (await alice.register()).body

        assert (stats["message_retention_days"], stats["max_message_bytes"]) == (14, 262144)
        assert token["expires_in"] == 604800

    @pytest.mark.parametrize("line", ENV_LINES)
    def test_a_line_of_the_env_file_means_what_it_means_to_a_shell(self, tmp_path, line):
        env_file = tmp_path / ".env"
        env_file.write_text(f"# settings\n\n  {line}\n")

        [(name, value)] = relay_module.read_env_file(env_file).items()

        assert run("sh", "-c", f'. {env_file}; printf %s "${name}"').stdout == value

    @pytest.mark.parametrize("line", ["A secret", "A=a secret", "A='a secret", "export A=secret", "=secret", "1=secret"])
    async def test_mistake_in_the_env_file_is_named_by_its_line_and_not_shown(self, tmp_path, line):
        (tmp_path / "relay.py").symlink_to(TOP / "relay.py")
        (tmp_path / ".env").write_text(f"# settings\n{line}\n")

        finished = await run_command(tmp_path, relay_py=tmp_path / "relay.py")

        assert f"{tmp_path}/.env, line 2 " in finished.refused(2)
        assert "secret" not in finished.stderr

    @pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"A=\xff")], ids=["folder", "not UTF-8"])
    async def test_env_file_that_can_not_be_read_is_said(self, tmp_path, make):
        (tmp_path / "relay.py").symlink_to(TOP / "relay.py")
        make(tmp_path / ".env")

        finished = await run_command(tmp_path, relay_py=tmp_path / "relay.py")

        assert f"{tmp_path}/.env cannot be read" in finished.refused(2)

    async def test_the_environment_wins_over_the_env_file(self, tmp_path):
        (tmp_path / "relay.py").symlink_to(TOP / "relay.py")
        (tmp_path / ".env").write_text("JWT_SECRET=short\nBIND=nonsense\n")

        finished = await run_command(tmp_path, relay_py=tmp_path / "relay.py", JWT_SECRET=SECRET)

        assert "BIND='nonsense'" in finished.refused(2) and "JWT_SECRET" not in finished.stderr


# ------------------------------------------------------------------------------------------------------------------------
# Encodings and fingerprints
# ------------------------------------------------------------------------------------------------------------------------

# Bytes whose base64 needs padding and both characters in which the alphabets differ.
AWKWARD_KEY = b"\xfb\xef\xff" * 10 + b"\x01\x02"
AWKWARD_TEXT = b64(AWKWARD_KEY)
RFC3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


def seconds_of(rfc3339: str) -> float:
    """Seconds since 1970 of a time on the wire, whose form is held too."""
    assert RFC3339_UTC.fullmatch(rfc3339), rfc3339
    return datetime.fromisoformat(rfc3339).timestamp()


class TestEncodings:
    """What strangers write is read generously where the protocol says so, and strictly otherwise."""

    @pytest.mark.parametrize(
        "spelling",
        [
            AWKWARD_TEXT,
            AWKWARD_TEXT.rstrip("="),
            AWKWARD_TEXT.replace("+", "-").replace("/", "_"),
            AWKWARD_TEXT.replace("+", "-").replace("/", "_").rstrip("="),
        ],
    )
    async def test_every_spelling_of_base64_is_read(self, relay, spelling):
        answer = await relay.call("POST", "/v1/register/challenge", json={"public_key": spelling})

        assert answer.status == 200

    @pytest.mark.parametrize(
        "public_key",
        [
            "",
            "=",
            AWKWARD_TEXT + "=",
            AWKWARD_TEXT[:-1] + "==",
            AWKWARD_TEXT[:-2],
            " " + AWKWARD_TEXT,
            AWKWARD_TEXT + "\n",
            AWKWARD_TEXT[:20] + "\n" + AWKWARD_TEXT[20:],
            AWKWARD_TEXT[:20] + "=" + AWKWARD_TEXT[20:],
            AWKWARD_TEXT.replace("+", "*"),
            AWKWARD_TEXT.replace("A", "Ａ", 1) + "é",
            "\ud800" * 43,
            AWKWARD_KEY.hex(),
            b64(AWKWARD_KEY[:31]),
            b64(AWKWARD_KEY + b"\x00"),
            "A" * 100_000,
            None,
            7,
            True,
            [AWKWARD_TEXT],
            {"key": AWKWARD_TEXT},
        ],
    )
    async def test_anything_but_base64_of_a_key_is_refused(self, relay, public_key):
        answer = await relay.call("POST", "/v1/register/challenge", json={"public_key": public_key})

        answer.refused(400)

    @pytest.mark.parametrize("text", ["AAAA=", "AAAA==", "AAAA====", "AA=", "AAA==", "AAAAA===", "===="])
    def test_padding_that_does_not_fit_is_refused(self, text):
        with pytest.raises(relay_module.RelayError, match="must be a base64 string"):
            relay_module.decode_base64(text, "ciphertext")

    @given(text=st.text("Aa0+/-_=\n é", max_size=12))
    @example("A+-_")
    def test_base64_is_read_in_each_alphabet_whole_or_without_padding_and_not_otherwise(self, text):
        canonical = re.fullmatch("([A0a+/_-]{4})*([A0a+/_-]{2}(==)?|[A0a+/_-]{3}=?)?", text)

        try:
            octets = relay_module.decode_base64(text, "ciphertext")
        except relay_module.RelayError:
            octets = None

        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        assert octets == (base64.urlsafe_b64decode(padded.replace("+", "-").replace("/", "_")) if canonical else None)

    @pytest.mark.parametrize(
        "fingerprint", ["ab " * 21 + "a", "ab" * 32 + " ", " " + "ab" * 32, "ab" * 31 + " a", ["ab"] * 32]
    )
    def test_fingerprint_is_hex_digits_and_nothing_between_them(self, fingerprint):
        with pytest.raises(relay_module.RelayError, match="must be 64 hex digits"):
            relay_module.parse_fingerprint(fingerprint)

    async def test_largest_message_may_come_from_an_encoder_that_escapes_slashes(self, relay):
        alice, bob = await relay.register(), await relay.register()
        body = alice.seal(bob, random.randbytes(262_144 - 24 - 32 - 16))

        escaped = json.dumps(body).replace("/", "\\/").encode()
        answer = await alice.call("POST", "/v1/messages", data=escaped)

        assert len(escaped) > len(json.dumps(body)) + 4096
        assert answer.status == 201, answer.body

    async def test_fingerprints_are_read_in_upper_case_and_written_in_lower(self, relay):
        alice, bob = await relay.register(), await relay.register()
        shouted = alice.seal(bob, b"hello") | {"recipient_fingerprint": bob.fingerprint.upper()}

        sent = await alice.call("POST", "/v1/messages", json=shouted)
        key = await relay.call("GET", f"/v1/keys/{alice.fingerprint.upper()}")
        found = await relay.call("GET", f"/v1/keys/search/{alice.fingerprint[:12].upper()}")

        assert (sent.status, key.body) == (201, {"public_key": b64(alice.public_key)})
        assert found.body == {"fingerprints": [alice.fingerprint]}
        assert (await bob.fetch())[0]["sender_fingerprint"] == alice.fingerprint

    async def test_what_was_sent_in_urlsafe_base64_comes_back_in_standard(self, relay):
        alice, bob = await relay.register(), await relay.register()
        body = {
            name: value.replace("+", "-").replace("/", "_").rstrip("=")
            for name, value in alice.seal(bob, bytes(999)).items()
        }

        await alice.call("POST", "/v1/messages", json=body)

        [message] = await bob.fetch()
        assert bob.open(message) == bytes(999)
        assert all(b64(unb64(message[name])) == message[name] for name in ("ciphertext", "nonce", "sender_public_key"))

    async def test_times_are_rfc_3339_in_utc_and_retention_days_apart(self, relays):
        relay = await relays(MESSAGE_TTL_DAYS="3")
        alice, bob = await relay.register(), await relay.register()

        receipt = await alice.send(bob, b"hello")

        [message] = await bob.fetch()
        assert {name: message[name] for name in receipt} == receipt
        assert abs(seconds_of(receipt["created_at"]) - time.time()) < 60
        assert seconds_of(receipt["expires_at"]) - seconds_of(receipt["created_at"]) == 3 * 86400


# ------------------------------------------------------------------------------------------------------------------------
# Tokens
# ------------------------------------------------------------------------------------------------------------------------

NOBODY = hashlib.sha256(b"nobody").hexdigest()
HOUR = 3600


def claims_of(person: Person, **changed: Any) -> dict[str, Any]:
    """Good claims, but for those that are changed; None leaves one out."""
    claims = {"sub": person.fingerprint, "exp": int(time.time()) + HOUR} | changed
    return {name: value for name, value in claims.items() if value is not None}


def raw_claims(person: Person, exp: str) -> bytes:
    """Claims with an `exp` that json.dumps would not write."""
    return f'{{"sub": "{person.fingerprint}", "exp": {exp}}}'.encode()


def with_other_spelling(token: str) -> str:
    """The same signature bytes with the spare bits of their last character set: not canonical base64url."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def with_part(token: str, index: int, part: str) -> str:
    parts = token.split(".")
    return ".".join([*parts[:index], part, *parts[index + 1 :]])


BAD_TOKENS: dict[str, Callable[[Person], str]] = {
    "alg none, unsigned": lambda p: with_part(signed_token(claims_of(p), header={"alg": "none"}), 2, ""),
    "alg none, signed": lambda p: signed_token(claims_of(p), header={"alg": "none"}),
    "alg HS384": lambda p: signed_token(claims_of(p), header={"alg": "HS384"}, digest="sha384"),
    "alg HS512": lambda p: signed_token(claims_of(p), header={"alg": "HS512"}, digest="sha512"),
    "alg RS256": lambda p: signed_token(claims_of(p), header={"alg": "RS256"}),
    "alg in lower case": lambda p: signed_token(claims_of(p), header={"alg": "hs256"}),
    "alg a list": lambda p: signed_token(claims_of(p), header={"alg": ["HS256"]}),
    "no alg": lambda p: signed_token(claims_of(p), header={"typ": "JWT"}),
    "a critical extension nobody knows": lambda p: signed_token(
        claims_of(p), header={"alg": "HS256", "crit": ["x"], "x": 1}
    ),
    "header a list": lambda p: signed_token(claims_of(p), header=["HS256"]),
    "header no JSON": lambda p: signed_token(claims_of(p), header=b"HS256"),
    "header nested deeply": lambda p: signed_token(claims_of(p), header=b"[" * 3000),
    "claims a list": lambda p: signed_token([p.fingerprint]),
    "claims no JSON": lambda p: signed_token(b"{"),
    "claims no UTF-8": lambda p: signed_token(b"\xff\xfe"),
    "claims altered": lambda p: with_part(p.token, 1, b64url(json.dumps(claims_of(p, exp=2**33)).encode())),
    "header altered": lambda p: with_part(p.token, 0, b64url(b'{"alg":"HS256"}  ')),
    "other secret": lambda p: signed_token(claims_of(p), secret=SECRET + "!"),
    "empty secret": lambda p: signed_token(claims_of(p), secret=""),
    "signature cut": lambda p: p.token[:-4],
    "signature empty": lambda p: with_part(p.token, 2, ""),
    "signature missing": lambda p: p.token.rpartition(".")[0],
    "a fourth part": lambda p: p.token + ".",
    "signature padded": lambda p: p.token + "=",
    "signature not canonical": lambda p: with_other_spelling(p.token),
    "signature with a space": lambda p: p.token[:-3] + " " + p.token[-3:],
    "signature not ASCII": lambda p: p.token[:-1] + "é",
    "claims padded": lambda p: signed_token(claims_of(p)).replace(".", "=.", 1),
    "expired": lambda p: signed_token(claims_of(p, exp=int(time.time()) - 1)),
    "exp zero": lambda p: signed_token(claims_of(p, exp=0)),
    "exp missing": lambda p: signed_token(claims_of(p, exp=None)),
    "exp null": lambda p: signed_token(raw_claims(p, "null")),
    "exp true": lambda p: signed_token(raw_claims(p, "true")),
    "exp a string": lambda p: signed_token(claims_of(p, exp=str(2**33))),
    "exp a list": lambda p: signed_token(claims_of(p, exp=[2**33])),
    "exp NaN": lambda p: signed_token(raw_claims(p, "NaN")),
    "exp Infinity": lambda p: signed_token(raw_claims(p, "Infinity")),
    "exp -Infinity": lambda p: signed_token(raw_claims(p, "-Infinity")),
    "exp overflowing to infinity": lambda p: signed_token(raw_claims(p, "1e999")),
    "sub nobody": lambda p: signed_token(claims_of(p, sub=NOBODY)),
    "sub missing": lambda p: signed_token(claims_of(p, sub=None)),
    "sub a number": lambda p: signed_token(claims_of(p, sub=7)),
    "sub a list": lambda p: signed_token(claims_of(p, sub=[p.fingerprint])),
    "sub too short": lambda p: signed_token(claims_of(p, sub=p.fingerprint[:-1])),
    "sub no hex": lambda p: signed_token(claims_of(p, sub="z" * 64)),
    "dots": lambda p: "..",
    "one word": lambda p: "token",
    "very long": lambda p: "a" * 6000,
}


async def refused_handshake(relay: AnyRelay, **options: Any) -> int:
    """The status that refused a WebSocket before the upgrade."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await relay.session.ws_connect(options.pop("url", f"{relay.url}/v1/ws"), **options)
    return refusal.value.status


class TestTokens:
    """Exactly what the relay signed, or would have, is let in."""

    @pytest.mark.parametrize("forge", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
    async def test_bad_token_is_refused(self, relay, forge):
        alice = await relay.register()
        headers = {"Authorization": f"Bearer {forge(alice)}"}

        answer = await relay.call("GET", "/v1/me", headers=headers)

        answer.refused(401)

    @pytest.mark.parametrize("forge", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
    async def test_bad_token_opens_no_socket(self, relay, forge):
        alice = await relay.register()

        status = await refused_handshake(relay, params={"token": forge(alice)})

        assert status == 401

    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token {token}", "{token}", "Bearer {token} x", "Bearer,{token}"]
    )
    async def test_header_that_is_no_bearer_token_is_refused(self, relay, header):
        alice = await relay.register()

        answer = await relay.call("GET", "/v1/me", headers={"Authorization": header.format(token=alice.token)})

        answer.refused(401)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/v1/me"),
            ("DELETE", "/v1/me"),
            ("GET", "/v1/messages"),
            ("POST", "/v1/messages"),
            ("DELETE", "/v1/messages?through_id=1"),
            ("DELETE", "/v1/messages/1"),
            ("POST", "/v1/push"),
            ("DELETE", "/v1/push"),
            ("GET", "/v1/ws"),
        ],
    )
    async def test_route_of_an_identity_wants_a_token(self, relay, method, path):
        answer = await relay.call(method, path)

        answer.refused(401)

    async def test_scheme_is_read_in_any_case(self, relay):
        alice = await relay.register()

        answer = await relay.call("GET", "/v1/me", headers={"Authorization": f"bearer {alice.token}"})

        assert answer.status == 200

    async def test_token_signed_elsewhere_with_the_same_secret_is_accepted(self, relay):
        alice = await relay.register()

        answer = await relay.call("GET", "/v1/me", token=signed_token(claims_of(alice, exp=time.time() + 60.5, jti="x")))

        assert answer.body == {"fingerprint": alice.fingerprint, "public_key": b64(alice.public_key)}

    async def test_token_is_a_jwt_that_anybody_with_the_secret_can_check(self, relay):
        alice = await relay.register()

        signed, _, signature = alice.token.rpartition(".")
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))

        assert signature == b64url(hmac.digest(SECRET.encode(), signed.encode(), "sha256"))
        assert header["alg"] == "HS256"
        assert claims["sub"] == alice.fingerprint
        assert abs(claims["exp"] - time.time() - 604800) < 60

    async def test_token_that_was_just_accepted_is_refused_once_it_expired(self, relays, clock):
        relay = await relays(clock=clock, JWT_EXPIRY_SEC="100")
        alice = await relay.register()
        assert (await alice.call("GET", "/v1/me")).status == 200

        clock.advance(101)

        (await alice.call("GET", "/v1/me")).refused(401)

    async def test_token_outlives_a_restart(self, relay):
        alice = await relay.register()

        await relay.stop()
        await relay.start()

        assert (await alice.call("GET", "/v1/me")).status == 200

    @pytest.mark.parametrize("later", [0, 10 * 86_400], ids=["at once", "when the clock is there again"])
    async def test_token_from_before_leaving_stays_dead_when_the_clock_is_set_back(self, relays, clock, later):
        relay = await relays(clock=clock, JWT_EXPIRY_SEC="100000000")
        clock.advance(10 * 86_400)
        alice = await relay.register()
        before = alice.token
        await alice.call("DELETE", "/v1/me")
        clock.advance(-10 * 86_400)
        await alice.register()

        clock.advance(later)

        (await relay.call("GET", "/v1/me", token=before)).refused(401)
        assert (await alice.call("GET", "/v1/me")).status == 200

    async def test_new_secret_revokes_every_token(self, relay):
        alice = await relay.register()
        await relay.stop()

        relay.environ["JWT_SECRET"] = SECRET + " rotated"
        await relay.start()

        (await alice.call("GET", "/v1/me")).refused(401)

    @PROPERTY
    @given(
        token=st.text(st.characters(min_codepoint=33, max_codepoint=126))
        | st.from_regex(r"\A[\w-]{1,40}\.[\w-]{1,40}\.[\w-]{43}\Z")
    )
    async def test_no_text_makes_the_relay_fail(self, relay, token):
        answer = await relay.call("GET", "/v1/me", headers={"Authorization": f"Bearer {token}"})

        answer.refused(401)

    @PROPERTY
    @given(header=JSON_VALUES, claims=JSON_VALUES | st.fixed_dictionaries({"sub": JSON_VALUES, "exp": JSON_VALUES}))
    async def test_no_signed_json_makes_the_relay_fail(self, relay, header, claims):
        answer = await relay.call("GET", "/v1/me", token=signed_token(claims, header=header or {"alg": "HS256"}))

        answer.refused(401)


# ------------------------------------------------------------------------------------------------------------------------
# Challenges and proofs
# ------------------------------------------------------------------------------------------------------------------------

BAD_PROOFS: dict[str, dict[str, Any]] = {
    "no public_key": {"public_key": None},
    "short public_key": {"public_key": b64(bytes(31))},
    "no challenge": {"challenge": None},
    "short challenge": {"challenge": b64(bytes(31))},
    "long challenge": {"challenge": b64(bytes(33))},
    "challenge never issued": {"challenge": b64(bytes(32))},
    "challenge far in the future": {"challenge": b64(b"\xff" * 32)},
    "challenge a number": {"challenge": 7},
    "no nonce": {"proof_nonce": None},
    "short nonce": {"proof_nonce": b64(bytes(23))},
    "no ciphertext": {"proof_ciphertext": None},
    "short ciphertext": {"proof_ciphertext": b64(bytes(47))},
    "long ciphertext": {"proof_ciphertext": b64(bytes(49))},
    "no proof": {"proof_nonce": None, "proof_ciphertext": None},
    "short mac": {"proof_nonce": None, "proof_ciphertext": None, "proof_mac": b64(bytes(31))},
    "mac no base64": {"proof_nonce": None, "proof_ciphertext": None, "proof_mac": "*"},
}


class TestChallengesAndProofs:
    """A token goes to whoever holds the secret key, and nobody else can use, cancel or pass on what proves it."""

    async def test_challenge_says_what_to_prove_and_by_when(self, relay):
        challenge = await Person(relay).challenge()

        assert len(unb64(challenge["challenge"])) == len(unb64(challenge["server_public_key"])) == 32
        assert challenge["expires_in"] == 60
        assert challenge["bound_proof"] is True
        assert challenge["origin"] == relay.url

    @pytest.mark.parametrize("bound", [False, True], ids=["v1 proof", "bound proof"])
    async def test_proof_earns_a_token(self, relay, bound):
        alice = Person(relay)

        answer = await alice.register(bound=bound)

        assert answer.status == 200
        assert answer.body == {"fingerprint": alice.fingerprint, "token": alice.token, "expires_in": 604800}
        assert (await alice.call("GET", "/v1/me")).body["public_key"] == b64(alice.public_key)

    async def test_registering_again_keeps_the_identity_and_its_mail(self, relay):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, b"hello")

        again = await relay.register(bob.secret_key)

        assert [again.open(message) for message in await again.fetch()] == [b"hello"]
        assert (await relay.call("GET", "/v1/stats")).body["registered_identities"] == 2
        assert (await bob.call("GET", "/v1/me")).status == 200

    @pytest.mark.parametrize("changed", BAD_PROOFS.values(), ids=BAD_PROOFS.keys())
    async def test_malformed_proof_is_refused(self, relay, changed):
        alice = Person(relay)
        proof = alice.prove(await alice.challenge()) | changed

        answer = await relay.call(
            "POST", "/v1/register", json={name: value for name, value in proof.items() if value is not None}
        )

        answer.refused(400)

    @pytest.mark.parametrize("position", [0, 7, 8, 15, 16, 31])
    async def test_altered_challenge_is_refused(self, relay, position):
        alice = Person(relay)
        challenge = await alice.challenge()
        altered = bytearray(unb64(challenge["challenge"]))
        altered[position] ^= 1

        answer = await relay.call("POST", "/v1/register", json=alice.prove(challenge | {"challenge": b64(bytes(altered))}))

        answer.refused(400)

    @pytest.mark.parametrize("bound", [False, True], ids=["v1 proof", "bound proof"])
    async def test_challenge_is_good_for_sixty_seconds_and_not_longer(self, relays, clock, bound):
        relay = await relays(clock=clock)
        alice = Person(relay)
        early, late = alice.prove(await alice.challenge(), bound=bound), alice.prove(await alice.challenge(), bound=bound)

        clock.advance(58)
        in_time = await relay.call("POST", "/v1/register", json=early)
        clock.advance(4)
        too_late = await relay.call("POST", "/v1/register", json=late)

        assert in_time.status == 200
        too_late.refused(400)

    @pytest.mark.parametrize("bound", [False, True], ids=["v1 proof", "bound proof"])
    async def test_challenge_is_spent_by_its_proof(self, relay, bound):
        alice = Person(relay)
        proof = alice.prove(await alice.challenge(), bound=bound)

        first, second = [await relay.call("POST", "/v1/register", json=proof) for _ in range(2)]

        assert first.status == 200
        second.refused(400)

    async def test_challenge_for_another_key_is_refused(self, relay):
        alice, mallory = Person(relay), Person(relay)

        answer = await relay.call("POST", "/v1/register", json=mallory.prove(await alice.challenge()))

        answer.refused(400)

    async def test_challenge_proved_twice_at_once_is_good_for_one_token(self, relay):
        alice = Person(relay)
        proof = alice.prove(await alice.challenge())

        answers = await asyncio.gather(*(relay.call("POST", "/v1/register", json=proof) for _ in range(10)))

        assert sorted(answer.status for answer in answers) == [200] + [400] * 9

    async def test_key_that_registers_many_times_at_once_is_one_identity(self, relay):
        alice = Person(relay)

        answers = await asyncio.gather(*(Person(relay, alice.secret_key).register() for _ in range(10)))

        assert {answer.status for answer in answers} == {200}
        assert (await relay.call("GET", "/v1/stats")).body["registered_identities"] == 1

    async def test_later_challenge_does_not_cancel_an_earlier_one(self, relay):
        alice = Person(relay)
        earlier, later = await alice.challenge(), await alice.challenge()

        answers = [await relay.call("POST", "/v1/register", json=alice.prove(each)) for each in (earlier, later)]

        assert earlier["challenge"] != later["challenge"]
        assert [answer.status for answer in answers] == [200, 200]

    async def test_failed_proof_does_not_spend_the_challenge_of_its_owner(self, relay):
        alice = Person(relay)
        proof = alice.prove(await alice.challenge())
        (await relay.call("POST", "/v1/register", json=proof | {"proof_ciphertext": b64(bytes(48))})).refused(401)

        answer = await relay.call("POST", "/v1/register", json=proof)

        assert answer.status == 200

    async def test_pending_challenge_needs_no_memory_and_so_outlives_a_restart(self, relay):
        alice = Person(relay)
        proof = alice.prove(await alice.challenge())

        await relay.stop()
        await relay.start()

        assert (await relay.call("POST", "/v1/register", json=proof)).status == 200

    async def test_registration_key_outlives_restarts_and_belongs_to_the_secret(self, relay, relays):
        before = (await Person(relay).challenge())["server_public_key"]
        other = (await Person(await relays(JWT_SECRET=SECRET + "!")).challenge())["server_public_key"]

        await relay.stop()
        await relay.start()

        assert (await Person(relay).challenge())["server_public_key"] == before != other

    async def test_box_of_other_bytes_is_refused(self, relay):
        alice = Person(relay)
        challenge = await alice.challenge()
        box_of_zeros = alice.prove(challenge | {"challenge": b64(bytes(32))})

        answer = await relay.call("POST", "/v1/register", json=box_of_zeros | {"challenge": challenge["challenge"]})

        answer.refused(401)

    @pytest.mark.parametrize("bound", [False, True], ids=["v1 proof", "bound proof"])
    async def test_proof_by_another_key_is_refused(self, relay, bound):
        alice, mallory = Person(relay), Person(relay)
        stolen = mallory.prove(await alice.challenge(), bound=bound) | {"public_key": b64(alice.public_key)}

        answer = await relay.call("POST", "/v1/register", json=stolen)

        answer.refused(401)

    @pytest.mark.parametrize("origin", ["https://evil.example.com", "http://127.0.0.1:1", "", "HTTP://127.0.0.1"])
    async def test_bound_proof_for_another_origin_is_refused(self, relay, origin):
        alice = Person(relay)
        proof = alice.prove(await alice.challenge(), bound=True, origin=origin or relay.url + "/")

        answer = await relay.call("POST", "/v1/register", json=proof)

        answer.refused(401)

    async def test_proof_passed_on_by_a_hostile_relay_is_refused(self, relays):
        relay, hostile = await relays(ORIGIN="https://chat.example.com"), await relays()
        alice = Person(hostile)
        passed_on = await Person(relay, alice.secret_key).challenge() | {"origin": hostile.url}

        answer = await relay.call(
            "POST", "/v1/register", json=alice.prove(passed_on, bound=True), headers={"Host": hostile.url[7:]}
        )

        answer.refused(401)

    @pytest.mark.parametrize("origin", ["https://chat.example.com", "http://192.168.1.7:3233"])
    async def test_each_origin_that_is_set_is_accepted(self, relays, origin):
        relay = await relays(ORIGIN="https://chat.example.com,http://192.168.1.7:3233")
        alice = Person(relay)
        challenge = await alice.challenge()

        answer = await relay.call("POST", "/v1/register", json=alice.prove(challenge, bound=True, origin=origin))

        assert challenge["origin"] in relay.environ["ORIGIN"].split(",")
        assert answer.status == 200

    async def test_challenge_names_the_origin_that_it_was_asked_at(self, relays):
        relay = await relays(ORIGIN="https://chat.example.com,http://192.168.1.7:3233")
        asked = {"public_key": b64(Person(relay).public_key)}
        path = "/v1/register/challenge"

        answers = [
            await relay.call("POST", path, json=asked, headers={"Host": host})
            for host in ("192.168.1.7:3233", "chat.example.com", "elsewhere.example.com")
        ]

        origins = [answer.body["origin"] for answer in answers]
        assert origins == ["http://192.168.1.7:3233", "https://chat.example.com", "https://chat.example.com"]

    @pytest.mark.parametrize(("trust", "status"), [("1", 200), ("0", 401)])
    async def test_forwarded_scheme_counts_only_behind_a_trusted_proxy(self, relays, trust, status):
        relay = await relays(TRUST_FORWARDED_FOR=trust)
        alice = Person(relay)
        proof = alice.prove(await alice.challenge(), bound=True, origin=relay.url.replace("http:", "https:"))

        answer = await relay.call("POST", "/v1/register", json=proof, headers={"X-Forwarded-Proto": "https"})

        assert answer.status == status

    @pytest.mark.parametrize("invite", [{}, {"invite": ""}, {"invite": "open sesam"}, {"invite": "öffne dich"}])
    async def test_closed_relay_turns_strangers_away(self, relays, invite):
        relay = await relays(INVITE_CODE="open sesame")

        answer = await Person(relay).register(**invite)

        answer.refused(403)
        assert (await relay.call("GET", "/v1/stats")).body["registered_identities"] == 0

    async def test_closed_relay_admits_who_was_invited_and_knows_them_later(self, relays):
        relay = await relays(INVITE_CODE="open sesame")
        alice = await relay.register(invite="open sesame")

        again = await alice.register()

        assert again.status == 200
        assert (await relay.call("GET", "/v1/stats")).body["registration"] == "invite"

    @PROPERTY
    @given(
        body=st.dictionaries(
            st.sampled_from(["public_key", "challenge", "proof_nonce", "proof_ciphertext", "proof_mac", "invite"]),
            FIELD_VALUES,
        )
    )
    async def test_no_members_make_the_relay_fail(self, relay, body):
        for path in ("/v1/register/challenge", "/v1/register"):
            assert (await relay.call("POST", path, json=body)).status in (200, 400, 401)

    async def test_challenge_of_a_clock_that_was_ahead_is_refused(self, relays, clock):
        relay = await relays(clock=clock)
        alice = Person(relay)
        clock.advance(365 * 86400)
        proof = alice.prove(await alice.challenge(), bound=True)

        clock.advance(-364 * 86400)
        answer = await relay.call("POST", "/v1/register", json=proof)

        answer.refused(400)

    async def test_clock_that_was_ahead_does_not_close_registration(self, relays, clock, monkeypatch):
        monkeypatch.setattr(relay_module, "MAX_SPENT_CHALLENGES", 3)
        relay = await relays(clock=clock)
        clock.advance(365 * 86400)
        for _ in range(3):
            await relay.register()
        clock.advance(-365 * 86400)

        for _ in range(4):
            await relay.register()
            clock.advance(61)

        assert (await relay.call("GET", "/v1/stats")).body["registered_identities"] == 7

    async def test_more_proofs_than_can_be_remembered_are_a_503_for_a_minute(self, relays, clock, monkeypatch):
        monkeypatch.setattr(relay_module, "MAX_SPENT_CHALLENGES", 3)
        relay = await relays(clock=clock)
        for _ in range(3):
            await relay.register()

        refusal = await Person(relay).register()
        clock.advance(61)
        await relay.register()

        refusal.refused(503)
        assert refusal.headers["Retry-After"] == "60"


# ------------------------------------------------------------------------------------------------------------------------
# Storage
# ------------------------------------------------------------------------------------------------------------------------


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """What another program reads from the file, on a connection of its own."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


KEPT = "SELECT * FROM mailboxes ORDER BY 1, 2"
COUNTED = "count(*), sum(length(ciphertext)) FROM messages GROUP BY"
MEASURED = f"""SELECT recipient_fingerprint, x'', {COUNTED} 1 UNION ALL
    SELECT recipient_fingerprint, sender_public_key, {COUNTED} 1, 2 ORDER BY 1, 2"""


async def writes_to(owner: Person, *others: Person) -> None:
    """Write to others, so that theirs is no stranger's share of the owner's mailbox."""
    for other in others:
        await owner.send(other, b"hello")


async def fill(recipient: Person, sender: Person, size: int = 1) -> int:
    """Send until the relay refuses; how many it took."""
    (await send_until(sender, recipient, {507}, bytes(size), acknowledged := {})).refused(507)
    return len(acknowledged)


async def steps_of(relay: RunningRelay, work: Callable[[], Any]) -> int:
    """Thousands of steps of SQLite's virtual machine that the writer takes for some work."""
    thousands: list[None] = []
    store = relay.app[relay_module.STORE]
    await store._write(lambda db: db.set_progress_handler(lambda: thousands.append(None), 1000))
    await work()
    return len(thousands)


VERSION_1 = """
    CREATE TABLE identities (
        fingerprint BLOB PRIMARY KEY, public_key BLOB NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, recipient_fingerprint BLOB NOT NULL, sender_public_key BLOB NOT NULL,
        nonce BLOB NOT NULL, ciphertext BLOB NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
    CREATE INDEX messages_by_recipient ON messages (recipient_fingerprint, id);
    CREATE INDEX messages_by_expiry ON messages (expires_at);
    PRAGMA user_version = 1;
"""  # as the first relay wrote it


def make_version_1(database: Path, people: list[Person], count: int, journal: str = "wal") -> None:
    """A database of the first schema, where each person has mail of 100 bytes from the next; the last id was deleted."""
    with contextlib.closing(sqlite3.connect(database)) as db, db:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute(f"PRAGMA journal_mode = {journal}")
        db.executescript(VERSION_1)
        known = [(bytes.fromhex(person.fingerprint), person.public_key) for person in people]
        db.executemany("INSERT INTO identities VALUES (?, ?, 1)", known)
        for index in range(count):
            recipient, sender = known[index % len(known)], known[(index + 1) % len(known)]
            row = (recipient[0], sender[1], bytes(24), bytes(100), 1, 2**50)
            db.execute("INSERT INTO messages VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
        db.execute("DELETE FROM messages WHERE id = ?", (count,))


class TestStorage:
    """201 means durable, ids are cursors for ever, and nobody's mailbox grows without end."""

    async def test_message_is_in_the_file_when_its_sender_hears_so(self, relay):
        alice, bob = await relay.register(), await relay.register()

        sent = await alice.send(bob, b"hello")

        assert (sent["id"],) in rows(relay.database, "SELECT id FROM messages")

    async def test_file_has_a_schema_version_and_a_write_ahead_log(self, relay):
        await relay.register()

        assert rows(relay.database, "PRAGMA journal_mode") == [("wal",)]
        assert rows(relay.database, "PRAGMA user_version")[0][0] >= 1

    async def test_ids_ascend_over_all_recipients(self, relay):
        alice, bob, carol = [await relay.register() for _ in range(3)]

        ids = [(await alice.send(recipient, b"hello"))["id"] for recipient in (bob, carol, bob, alice, carol)]

        assert ids == sorted(set(ids))

    @pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
    async def test_id_of_a_deleted_newest_message_is_never_used_again(self, relay, restart):
        alice, bob = await relay.register(), await relay.register()
        newest = [await alice.send(bob, b"hello") for _ in range(3)][-1]["id"]
        await bob.call("DELETE", f"/v1/messages?through_id={newest}")
        if restart:
            await relay.stop()
            await relay.start()

        again = await alice.send(bob, b"hello")

        assert again["id"] > newest

    async def test_messages_sent_at_once_are_each_stored_once(self, relay):
        alice, bob = await relay.register(), await relay.register()
        texts = [b"message %d" % number for number in range(300)]

        receipts = await asyncio.gather(*(alice.send(bob, text) for text in texts))

        ids = {receipt["id"]: text for receipt, text in zip(receipts, texts, strict=True)}
        assert {message["id"]: bob.open(message) for message in await bob.fetch_all()} == ids

    async def test_reader_with_a_cursor_misses_nothing_while_many_write(self, relay):
        *senders, bob = [await relay.register() for _ in range(9)]
        sending = asyncio.gather(*(send_many(sender, bob, 40) for sender in senders))

        read: list[int] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(read) < 320:
                read += [message["id"] for message in await bob.fetch(after_id=read[-1] if read else 0)]

        assert read == sorted(itertools.chain.from_iterable(await sending))

    async def test_restart_keeps_identities_and_mail(self, relay):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, b"hello")

        await relay.stop()
        await relay.start()

        assert [bob.open(message) for message in await bob.fetch()] == [b"hello"]
        assert (await relay.call("GET", "/v1/stats")).body["registered_identities"] == 2

    async def test_expired_message_is_not_returned_even_before_it_is_pruned(self, relays, clock):
        relay = await relays(clock=clock, MESSAGE_TTL_DAYS="1")
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, b"old")
        clock.advance(86400 - 60)
        young = await alice.send(bob, b"young")

        clock.advance(61)

        assert [message["id"] for message in await bob.fetch()] == [young["id"]]

    async def test_full_mailbox_is_a_507_to_the_sender_until_there_is_room(self, relays):
        relay = await relays(MAILBOX_MAX_MESSAGES="2")
        alice, bob, carol = [await relay.register() for _ in range(3)]
        await writes_to(bob, alice, carol)
        first, _ = await alice.send(bob, b"1"), await carol.send(bob, b"2")

        refusal = await alice.call("POST", "/v1/messages", json=alice.seal(bob, b"3"))
        await bob.call("DELETE", f"/v1/messages/{first['id']}")
        await alice.send(bob, b"4")

        refusal.refused(507)
        assert [bob.open(message) for message in await bob.fetch()] == [b"2", b"4"]
        await alice.send(alice, b"another mailbox is another matter")

    async def test_mailbox_is_bounded_in_bytes_too_and_over_a_restart(self, relays):
        relay = await relays(MAILBOX_MAX_BYTES="4000")
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, bytes(2000))
        await relay.stop()
        await relay.start()

        refusal = await bob.call("POST", "/v1/messages", json=bob.seal(bob, bytes(2000)))
        await bob.send(bob, bytes(1000))

        refusal.refused(507)

    @pytest.mark.parametrize("leave", ["acknowledged", "taken back", "expired"])
    async def test_mail_that_left_makes_room_in_the_mailbox(self, relays, clock, leave):
        relay = await relays(clock=clock, MAILBOX_MAX_MESSAGES="1")
        alice, bob = await relay.register(), await relay.register()
        sent = await alice.send(bob, b"1")

        if leave == "acknowledged":
            await bob.call("DELETE", f"/v1/messages?through_id={sent['id']}")
        elif leave == "taken back":
            await alice.call("DELETE", f"/v1/messages/{sent['id']}")
        else:
            clock.advance(15 * 86400)
            await alice.register()
            await relay.app[relay_module.STORE].prune(clock.now())

        await alice.send(bob, b"2")

    async def test_mailbox_is_counted_right_through_every_way_in_and_out(self, relays):
        relay = await relays(MAILBOX_MAX_MESSAGES="30")
        alice, bob = await relay.register(), await relay.register()
        await writes_to(bob, alice)
        chance = random.Random(3233)
        for _ in range(60):
            await asyncio.gather(*(alice.call("POST", "/v1/messages", json=alice.seal(bob, b"hello")) for _ in range(4)))
            ids = [message["id"] for message in await bob.fetch()]
            path = chance.choice([f"?through_id={chance.choice(ids)}", f"/{chance.choice(ids)}", f"/{ids[-1]}"])
            await bob.call("DELETE", f"/v1/messages{path}")
        there = len(await bob.fetch())

        fitting = await send_until(alice, bob, {507}, b"hello", acknowledged := {})

        fitting.refused(507)
        assert len(acknowledged) == 15 - there
        assert rows(relay.database, KEPT) == rows(relay.database, MEASURED)

    @pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
    async def test_one_stranger_fills_an_eighth_of_a_mailbox_and_all_together_a_quarter(self, relays, restart):
        relay = await relays(MAILBOX_MAX_MESSAGES="80")
        *strangers, bob = [await relay.register() for _ in range(5)]

        first = await fill(bob, strangers[0])
        if restart:
            await relay.stop()
            await relay.start()
        taken = [await fill(bob, stranger) for stranger in strangers]

        assert (first, taken) == (10, [0, 10, 0, 0])

    async def test_whom_the_owner_has_written_to_fills_half_a_mailbox_that_strangers_filled_before(self, relays):
        relay = await relays(MAILBOX_MAX_MESSAGES="80")
        alice, carol, *strangers, bob = [await relay.register() for _ in range(5)]
        await writes_to(bob, alice, carol)

        taken = [await fill(bob, sender) for sender in (*strangers, alice, carol, bob)]

        assert taken == [10, 10, 40, 20, 0]

    async def test_share_is_one_of_bytes_too_and_whoever_has_nothing_waiting_may_send_one_large_message(self, relays):
        relay = await relays(MAILBOX_MAX_BYTES="80000")
        alice, mallory, bob = [await relay.register() for _ in range(3)]

        taken = [await fill(bob, mallory, 14_000), await fill(bob, alice, 5_000 - 16), await fill(alice, mallory, 984)]

        assert taken == [1, 1, 10]

    def test_whom_people_have_written_to_costs_bounded_memory(self, tmp_path):
        store = relay_module.Store(relay_module.Config(SECRET.encode(), database=str(tmp_path / "relay.db")))

        def write(start: int, count: int, recipients: int) -> None:
            for sender, recipient in itertools.product(range(start, start + count), range(recipients)):
                store._remember_written_to(b"%032d" % sender, b"%032d" % (recipient + sender))

        for_each = memory_growth(lambda: write(0, 1, 64), lambda: write(0, 1, 5000))
        for_all = memory_growth(lambda: write(0, 4096, 2), lambda: write(5000, 10_000, 2))

        assert (for_each < 20_000, for_all < 200_000) == (True, True)

    async def test_mail_for_new_identities_takes_no_more_than_its_part_of_the_disk(self, relays, clock):
        relay = await relays(clock=clock, NEWCOMERS_MAX_BYTES="100000")
        old = await relay.register()
        clock.advance(86_401)
        await old.register()

        names = [await relay.register() for _ in range(30)]
        answers = [await each.call("POST", "/v1/messages", json=each.seal(each, bytes(20_000))) for each in names]
        await old.send(old, b"who has been here for a day is not concerned")

        assert [answer.status for answer in answers] == [201] * 4 + [507] * 26
        assert answers[-1].refused(507).startswith("this relay holds no more mail for identities younger than a day")

    @pytest.mark.parametrize("how", ["fetched", "a day old"])
    async def test_new_identities_have_room_again_once_their_mail_is(self, relays, clock, how, monkeypatch):
        monkeypatch.setattr(relay_module, "PRUNE_SECONDS", 0.05)
        relay = await relays(clock=clock, NEWCOMERS_MAX_BYTES="100000")
        alice, bob = await relay.register(), await relay.register()
        while (await alice.call("POST", "/v1/messages", json=alice.seal(bob, bytes(20_000)))).status == 201:
            pass

        if how == "fetched":
            await bob.call("DELETE", "/v1/messages?through_id=1000")
        else:
            clock.advance(86_401)
            await asyncio.gather(alice.register(), bob.register())
        carol = await relay.register()

        await until(lambda: taken_by(alice, carol))

    async def test_quarter_of_the_disk_that_was_free_at_start_is_for_new_identities(self, relay):
        limit = relay.app[relay_module.STORE]._newcomers_limit

        assert abs(limit - shutil.disk_usage(relay.folder).free / 4) < limit / 2

    async def test_first_message_to_a_large_mailbox_after_a_start_costs_no_more_than_any(self, relays):
        relay = await relays(MAILBOX_MAX_MESSAGES="1000000")
        alice, bob = await relay.register(), await relay.register()
        many = [(bytes.fromhex(bob.fingerprint), alice.public_key, bytes(24), b"x", 1, 2**50)] * 20_000
        await relay.app[relay_module.STORE]._write(
            lambda db: db.executemany(relay_module.STATEMENTS["add_message"], many) and None
        )
        await relay.stop()
        await relay.start()

        assert await steps_of(relay, lambda: alice.send(bob, b"hello")) < 3

    async def test_mail_that_comes_while_its_recipient_leaves_is_found_by_nobody(self, relay):
        alice, bob = await relay.register(), await relay.register()
        sending = [alice.call("POST", "/v1/messages", json=alice.seal(bob, b"hello")) for _ in range(100)]

        *answers, left, _ = await asyncio.gather(*sending, bob.call("DELETE", "/v1/me"), bob.call("DELETE", "/v1/me"))

        assert {answer.status for answer in answers} <= {201, 404}
        assert left.status == 204
        assert rows(relay.database, "SELECT count(*) FROM messages") == [(0,)]
        assert (await relay.call("GET", "/v1/stats")).body["registered_identities"] == 1

    @pytest.mark.parametrize("journal", ["wal", "delete"], ids=["as it was left", "as a backup is"])
    async def test_database_of_the_first_schema_is_taken_over_with_its_mail_and_ids(self, relays, tmp_path, journal):
        database = tmp_path / "relay0" / "relay.db"
        database.parent.mkdir()
        people = [Person(None) for _ in range(3)]
        make_version_1(database, people, 100, journal)

        relay = await relays()
        alice, bob, carol = [await relay.register(person.secret_key) for person in people]

        ids = [message["id"] for each in (alice, bob, carol) for message in await each.fetch()]
        assert sorted(ids) == [*range(1, 100)]
        assert (await alice.send(bob, b"hello"))["id"] == 101
        assert rows(database, KEPT) == rows(database, MEASURED)
        assert rows(database, "SELECT * FROM push_subscriptions") == []
        assert rows(database, "PRAGMA user_version") == [(2,)]

    async def test_who_leaves_takes_their_push_subscriptions_along(self, relay):
        alice, bob = await relay.register(), await relay.register()
        with contextlib.closing(sqlite3.connect(relay.database, timeout=PATIENCE_SECONDS)) as db, db:
            for each in (alice, bob):
                row = (bytes.fromhex(each.fingerprint), "https://push.example/1", 1)
                db.execute("INSERT INTO push_subscriptions VALUES (?, ?, ?)", row)

        await alice.call("DELETE", "/v1/me")

        assert rows(relay.database, "SELECT lower(hex(fingerprint)) FROM push_subscriptions") == [(bob.fingerprint,)]

    @pytest.mark.parametrize("how", ["by its path", "by a link to it"])
    async def test_second_relay_on_a_database_is_refused_and_the_first_goes_on(self, relay, tmp_path, how):
        alice, path = await relay.register(), relay.database
        if how == "by a link to it":
            path = tmp_path / "link.db"
            path.symlink_to(relay.database)

        finished = await run_command(tmp_path, JWT_SECRET=SECRET, BIND="127.0.0.1:0", DATABASE_URL=f"sqlite:{path}")

        assert "another relay" in finished.refused()
        await alice.send(alice, b"hello")

    async def test_message_beyond_the_year_9999_is_refused_and_not_stored(self, relays, clock):
        now = clock.now()
        relay = await relays(clock=clock)
        alice = await relay.register()
        clock.seconds = datetime(9999, 12, 25, tzinfo=UTC).timestamp()
        await alice.register()

        refusal = await alice.call("POST", "/v1/messages", json=alice.seal(alice, b"hello"))
        clock.seconds = now

        refusal.refused(503)
        assert await alice.fetch() == []

    @pytest.mark.parametrize("name", relay_module.STATEMENTS)
    async def test_statement_scans_no_table(self, relay, name):
        sql = relay_module.STATEMENTS[name]
        with contextlib.closing(sqlite3.connect(relay.database)) as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [0] * sql.count("?")).fetchall()

        assert not [step for *_, step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step]

    def test_every_statement_of_a_request_is_in_the_table_of_statements(self):
        source = RELAY_PY.read_text()

        inline = re.findall(r'execute\w*\(\s*f?"(?!PRAGMA|BEGIN|COMMIT|ROLLBACK)([^"]+)', source)

        assert {sql for sql in inline if "sqlite_s" not in sql} <= {
            "SELECT count(*) FROM identities",  # once, at start
            "SELECT 1 FROM identities LIMIT 1",  # /healthz
        }


async def taken_by(sender: Person, recipient: Person) -> bool:
    """Whether the relay takes one more message."""
    return (await sender.call("POST", "/v1/messages", json=sender.seal(recipient, b"hello"))).status == 201


async def send_many(sender: Person, recipient: Person, count: int) -> list[int]:
    """Ids of messages sent one after the other."""
    return [(await sender.send(recipient, b"hello"))["id"] for _ in range(count)]


# ------------------------------------------------------------------------------------------------------------------------
# Rate limits
# ------------------------------------------------------------------------------------------------------------------------

OPEN_ROUTES = {
    "register": ("POST", "/v1/register/challenge"),
    "keys": ("GET", f"/v1/keys/{NOBODY}"),
    "stats": ("GET", "/v1/stats"),
}


async def admitted(call: Callable[[], Any], tries: int = 200) -> int:
    """How many of so many requests, one after the other, a bucket let through; those after the first refusal count too."""
    answers = [await call() for _ in range(tries)]
    refused = [answer for answer in answers if answer.status == 429]
    assert all(answer.refused(429) for answer in refused)
    return tries - len(refused)


async def admitted_from(relay: AnyRelay, *forwarded: str) -> int:
    """How many of 70 look-ups pass that claim these client addresses in turn."""
    addresses = itertools.cycle(forwarded)
    return await admitted(lambda: relay.call("GET", "/v1/stats", headers={"X-Forwarded-For": next(addresses)}), tries=70)


class TestRateLimits:
    """Each address, and behind it each identity, has its own share, and nobody can take another's."""

    @pytest.fixture(name="relay")
    async def limited_relay(self, relays, clock):
        return await relays(clock=clock, RATE_LIMIT=None)

    @pytest.fixture
    async def proxied(self, relays, clock):
        return await relays(clock=clock, RATE_LIMIT=None, TRUST_FORWARDED_FOR="1")

    @pytest.mark.parametrize("kind", OPEN_ROUTES)
    async def test_address_has_sixty_and_one_more_each_second(self, relay, clock, kind):
        first = await admitted(lambda: relay.call(*OPEN_ROUTES[kind]), tries=70)

        clock.advance(3)
        later = await admitted(lambda: relay.call(*OPEN_ROUTES[kind]), tries=10)

        assert (first, later) == (60, 3)

    async def test_classes_do_not_share_a_bucket(self, relay):
        await admitted(lambda: relay.call("GET", "/v1/stats"), tries=61)

        assert (await relay.call("GET", f"/v1/keys/{NOBODY}")).status == 404
        assert (await relay.call("GET", "/healthz")).status == 200

    async def test_bucket_never_holds_more_than_sixty(self, relay, clock):
        await admitted(lambda: relay.call("GET", "/v1/stats"), tries=5)

        clock.advance(100_000)

        assert await admitted(lambda: relay.call("GET", "/v1/stats"), tries=70) == 60

    async def test_clock_that_goes_back_locks_nobody_out(self, relay, clock):
        await admitted(lambda: relay.call("GET", "/v1/stats"), tries=61)

        clock.advance(-100_000)
        await relay.call("GET", "/v1/stats")
        clock.advance(10)

        assert (await relay.call("GET", "/v1/stats")).status == 200

    async def test_retry_after_is_kept(self, relay, clock):
        await admitted(lambda: relay.call("GET", "/v1/stats"), tries=60)

        clock.advance(int((await relay.call("GET", "/v1/stats")).headers["Retry-After"]))

        assert (await relay.call("GET", "/v1/stats")).status == 200

    async def test_identity_has_a_hundred_and_twenty_and_ten_each_second(self, relay, clock):
        alice = await relay.register()

        first = await admitted(lambda: alice.call("GET", "/v1/me"))
        clock.advance(2)
        later = await admitted(lambda: alice.call("GET", "/v1/me"))

        assert (first, later) == (120, 20)

    async def test_household_behind_one_address_does_not_starve(self, relay):
        alice, bob = await relay.register(), await relay.register()

        await admitted(lambda: alice.call("GET", "/v1/me"))

        assert await admitted(lambda: bob.call("GET", "/v1/me")) == 120

    async def test_requests_without_a_valid_token_count_against_their_address(self, relay):
        alice = await relay.register()

        passed = await admitted(lambda: relay.call("GET", "/v1/me", token="forged"))

        assert 0 < passed < 200
        assert (await alice.call("GET", "/v1/me")).status == 200

    async def test_wrong_invite_codes_count_against_the_address(self, relays, clock):
        relay = await relays(clock=clock, RATE_LIMIT=None, INVITE_CODE="open sesame")
        mallory = Person(relay)
        proofs = [mallory.prove(await mallory.challenge()) | {"invite": f"guess {number}"} for number in range(25)]

        answers = [await relay.call("POST", "/v1/register", json=proof) for proof in proofs * 2]

        assert {answer.status for answer in answers[-10:]} == {429}

    async def test_forwarded_address_is_ignored_without_a_trusted_proxy(self, relay):
        assert await admitted_from(relay, "198.51.100.1", "198.51.100.2") == 60

    async def test_only_the_last_hop_is_believed(self, proxied):
        forged = [f"198.51.100.{number}, 203.0.113.7" for number in range(70)]

        assert await admitted_from(proxied, *forged) == 60
        assert await admitted_from(proxied, "203.0.113.7, 203.0.113.8") == 60

    async def test_last_of_several_headers_is_the_last_hop(self, proxied):
        def call(number: int) -> Any:
            headers = CIMultiDict([("X-Forwarded-For", f"198.51.100.{number}"), ("X-Forwarded-For", "203.0.113.7")])
            return proxied.call("GET", "/v1/stats", headers=headers)

        numbers = itertools.count()

        assert await admitted(lambda: call(next(numbers)), tries=70) == 60

    async def test_ipv6_client_is_its_64(self, proxied):
        assert await admitted_from(proxied, *(f"2001:db8:1:2:{number:x}::1" for number in range(70))) == 60
        assert await admitted_from(proxied, "2001:db8:1:3::1", "2001:DB8:1:3:0:0:0:2") == 60

    async def test_ipv4_client_seen_through_an_ipv6_socket_is_its_ipv4_address(self, proxied):
        assert await admitted_from(proxied, "::ffff:198.51.100.1", "198.51.100.1") == 60
        assert await admitted_from(proxied, "::ffff:198.51.100.2") == 60

    async def test_unparsable_hop_falls_back_to_the_peer(self, proxied):
        garbage = ["nonsense", "", "198.51.100.1, unknown", "1.2.3.4.5", "[::", "é", "1" * 3000]

        assert await admitted_from(proxied, *garbage) == 60

    async def test_limits_can_be_switched_off(self, relays):
        relay = await relays(RATE_LIMIT="off")

        assert await admitted(lambda: relay.call("GET", "/v1/stats")) == 200


# ------------------------------------------------------------------------------------------------------------------------
# Fan-out and WebSocket
# ------------------------------------------------------------------------------------------------------------------------

IGNORED_FRAMES = [
    "",
    "ping",
    "{",
    "null",
    "[]",
    "7",
    '"ping"',
    "{}",
    '{"type": null}',
    '{"type": ["ping"]}',
    '{"type": {"ping": 1}}',
    '{"type": "PING"}',
    '{"type": "unheard of"}',
    "[" * 2000,
    '{"type": "pong"}',
    "1" * 4000,
    b"\x00\xff",
    b'{"type": "unheard of"}',
]


def upgrade_request(person: Person) -> str:
    """What asks for a WebSocket (RFC 6455 section 4.1), the token in the query."""
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    return f"GET /v1/ws?token={person.token} HTTP/1.1\r\nHost: x\r\n{upgrade}\r\n\r\n"


async def stalling_connection(relay: AnyRelay) -> socket.socket:
    """A connection with a small receive buffer."""
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    stalled.setblocking(False)
    await asyncio.get_running_loop().sock_connect(stalled, ("127.0.0.1", relay.port))
    return stalled


async def shake_hands(relay: AnyRelay, person: Person) -> socket.socket:
    """A WebSocket with a small receive buffer, of which nothing more is read: what a phone in a tunnel looks like."""
    stalled, loop = await stalling_connection(relay), asyncio.get_running_loop()
    await loop.sock_sendall(stalled, upgrade_request(person).encode())
    assert (await loop.sock_recv(stalled, 12)) == b"HTTP/1.1 101"
    return stalled


async def read_on(stalled: socket.socket, until_seen: bytes) -> bytes:
    """All that a stalled socket gets once its owner reads again, up to some bytes."""
    received = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while until_seen not in received:
            piece = await asyncio.get_running_loop().sock_recv(stalled, 65536)
            assert piece, f"closed before {until_seen!r}, after {received[-200:]!r}"
            received += piece
    return received


class TestFanOut:
    """A hint goes to every socket of the recipient, to nobody else, and waits for no one."""

    async def test_every_socket_of_the_recipient_gets_a_hint(self, relay):
        alice, bob = await relay.register(), await relay.register()
        sockets = [await bob.connect() for _ in range(3)]

        sent = await alice.send(bob, b"hello")

        assert [await frame(each) for each in sockets] == [{"type": "new_message", "id": sent["id"]}] * 3

    async def test_nobody_else_gets_a_hint(self, relay):
        alice, bob, carol = [await relay.register() for _ in range(3)]
        hers, others = await carol.connect(), await alice.connect()
        await alice.send(bob, b"for bob")

        sent = await alice.send(carol, b"for carol")
        await others.send_json({"type": "ping"})

        assert (await frame(hers))["id"] == sent["id"]
        assert await frame(others) == {"type": "pong"}

    async def test_hinted_message_can_be_fetched_at_once(self, relay):
        alice, bob = await relay.register(), await relay.register()
        websocket = await bob.connect()
        sending = asyncio.create_task(send_many(alice, bob, 20))

        for _ in range(20):
            hint = await frame(websocket)
            assert (await bob.fetch(after_id=hint["id"] - 1))[0]["id"] == hint["id"]
        await sending

    async def test_seventeenth_socket_closes_the_oldest(self, relay):
        alice = await relay.register()
        oldest, *others = [await alice.connect() for _ in range(17)]

        code = await close_code(oldest)
        sent = await alice.send(alice, b"note to self")

        assert code == 4409
        assert [(await frame(each))["id"] for each in others] == [sent["id"]] * 16

    async def test_stalled_reader_delays_nobody_and_its_hints_collapse_into_the_newest(self, relays, monkeypatch):
        for patience in ("HEARTBEAT_SECONDS", "STALLED_SECONDS"):
            monkeypatch.setattr(relay_module, patience, 3600)  # for who reads only when all was sent
        relay = await relays()
        alice, bob = await relay.register(), await relay.register()
        stalled, attentive = await shake_hands(relay, bob), await bob.connect()

        newest = (await send_many(alice, bob, 1000))[-1]
        while (await frame(attentive))["id"] != newest:
            pass
        tasks = len(asyncio.all_tasks())

        with stalled:
            received = await read_on(stalled, until_seen=b'"id":%d}' % newest)
        assert received.count(b"new_message") < 900
        assert tasks < 50

    async def test_socket_that_vanished_is_forgotten(self, relay):
        alice, bob = await relay.register(), await relay.register()
        gone = await shake_hands(relay, bob)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        gone.close()
        await send_many(alice, bob, 20)

        await until(lambda: relay.app[relay_module.HUB].socket_count == 0)


# ------------------------------------------------------------------------------------------------------------------------
# Web Push
# ------------------------------------------------------------------------------------------------------------------------


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its address that is its own authority, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    made = run("openssl", "req", "-x509", *kind, *names, "-keyout", key, "-out", certificate)
    assert made.returncode == 0, made.stderr
    return certificate, key


class PushService:
    """A push service on loopback with TLS, which keeps what it was sent, and answers what a test tells it to."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self._key = make_certificate(folder)
        self.port = free_port()
        self.host, self.origin = f"localhost:{self.port}", f"https://localhost:{self.port}"
        self.pushes: list[tuple[str, Mapping[str, str], bytes]] = []  # (path, headers, body)
        self.connections = 0
        self.answers: list[Any] = []  # what comes next: a response, what makes one, or an event to wait for; then 201

    async def start(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self._key)
        context.sni_callback = lambda *_: self.count_connection()
        self.runner = web.ServerRunner(web.Server(self.take), shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port, ssl_context=context).start()

    def count_connection(self) -> None:
        self.connections += 1

    async def take(self, request: web.BaseRequest) -> web.Response:
        self.pushes.append((request.path, request.headers, await request.read()))
        answer = self.answers.pop(0) if self.answers else web.Response(status=201)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return web.Response(status=201)
        return await answer(request) if callable(answer) else answer

    async def subscribe(self, person: Person, path: str = "/one") -> Answer:
        return await person.call("POST", "/v1/push", json={"endpoint": self.origin + path})


@pytest.fixture(name="push_service")
async def push_service_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PushService]:
    """A push service whose certificate every relay trusts that starts from now on, and pushes without long waits."""
    pytest.importorskip("cryptography")
    service = PushService(tmp_path)
    await service.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(service.certificate))
    monkeypatch.setattr(relay_module, "PUSH_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(relay_module, "PUSH_STEP_SECONDS", 0.02)
    monkeypatch.setattr(relay_module, "PUSH_RETRY_SECONDS", (0.05, 0.05, 0.05))
    yield service
    await service.runner.cleanup()


@pytest.fixture(name="pushing")
async def pushing_fixture(relays: Callable[..., Any], push_service: PushService, clock: Clock) -> RunningRelay:
    """A relay that pushes to the service, which is the operator's own."""
    return await relays(
        clock=clock, PUSH_HOSTS=push_service.host, PUSH_CONTACT="mailto:operator@example.org", METRICS_TOKEN="m"
    )


async def begin_and_hang(request: web.BaseRequest) -> web.StreamResponse:
    """An answer that goes on for ever, after more bytes than anybody needs."""
    response = web.StreamResponse(status=201, headers={"Content-Length": "100000000"})
    await response.prepare(request)
    await response.write(bytes(2000))
    await asyncio.Event().wait()
    return response


async def hang_up(request: web.BaseRequest) -> web.StreamResponse:
    """No answer at all."""
    request.transport.abort()
    return web.Response()


class LateFailure:
    """An answer that says, once it is due, that the service failed."""

    def __init__(self) -> None:
        self.is_due = asyncio.Event()

    async def __call__(self, _: web.BaseRequest) -> web.Response:
        await self.is_due.wait()
        return web.Response(status=500)


def is_signed(authorization: str, folder: Path) -> bool:
    """Whether openssl finds the signature of a VAPID token (RFC 8292, section 2) to be by the key beside it."""
    token, key = re.fullmatch(r"vapid t=([\w.-]+), ?k=([\w-]+)", authorization).groups()
    signed, _, signature = token.rpartition(".")
    numbers = [base64.urlsafe_b64decode(signature + "==")[index:][:32].lstrip(b"\0") for index in (0, 32)]
    integers = [b"\0" * (number[0] >> 7) + number for number in numbers]
    sequence = b"".join(bytes([2, len(integer)]) + integer for integer in integers)
    (folder / "signature").write_bytes(bytes([0x30, len(sequence)]) + sequence)
    p256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")  # SubjectPublicKeyInfo, RFC 5480
    (folder / "key").write_bytes(p256 + base64.urlsafe_b64decode(key + "=="))
    (folder / "signed").write_text(signed)
    names = ("-keyform", "DER", "-verify", folder / "key", "-signature", folder / "signature", folder / "signed")
    return "Verified OK" in run("openssl", "dgst", "-sha256", *names).stdout


def claims_in(authorization: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(authorization.split(".")[1] + "=="))


async def pushes_counted(relay: AnyRelay, result: str) -> int:
    text = (await relay.call("GET", "/metrics", token="m")).body.decode()
    return int((re.findall(rf'io3233_pushes_total{{result="{result}"}} (\d+)', text) or ["0"])[0])


RFC_8292_EXAMPLE = (  # section 2.4
    "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsIn"
    "N1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9"
    "OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
)

STRANGE_ENDPOINTS = {
    "no text": 7,
    "no URL": "push",
    "http": "http://{host}/1",
    "another host": "https://example.com/1",
    "an address": "https://127.0.0.1:{port}/1",
    "a private address": "https://10.0.0.1/1",
    "an IPv6 address": "https://[::1]:{port}/1",
    "an IPv4 address in an IPv6 one": "https://[::ffff:127.0.0.1]:{port}/1",
    "an address as one number": "https://2130706433:{port}/1",
    "another port": "https://localhost:22/1",
    "no port": "https://localhost/1",
    "a port that is no number": "https://{host}x/1",
    "a user": "https://{host}@example.com/1",
    "a user before the host": "https://user@{host}/1",
    "a backslash": "https://example.com\\@{host}/1",
    "a fragment before the host": "https://example.com#@{host}/1",
    "capitals": "https://LOCALHOST:{port}/1",
    "a trailing dot": "https://localhost.:{port}/1",
    "a name that ends so": "https://evil-localhost:{port}/1",
    "a line break": "https://{host}/1\r\nX: y",
    "a space": "https://{host}/1 2",
    "too long": "https://{host}/" + "x" * 2048,
    "no path": "https://{host}",
}


class TestPush:
    """A device whose page is closed is woken, by services that the operator chose; nobody waits, and all of it is bounded."""

    async def test_push_carries_nothing_and_says_who_it_is(self, pushing, push_service, tmp_path):
        alice, bob = await pushing.register(), await pushing.register()
        assert (await push_service.subscribe(bob)).status == 201

        await alice.send(bob, b"hello")
        await until(lambda: push_service.pushes)

        [(path, headers, body)] = push_service.pushes
        assert (path, body, headers["Urgency"], headers["Topic"]) == ("/one", b"", "high", "mail")
        assert headers.keys().isdisjoint({"User-Agent", "Content-Type", "Cookie"})
        assert 0 <= 14 * 86_400 - int(headers["TTL"]) < 60
        assert is_signed(headers["Authorization"], tmp_path)
        claims = claims_in(headers["Authorization"])
        assert claims["aud"] == push_service.origin and claims["sub"] == "mailto:operator@example.org"
        assert pushing.clock() < claims["exp"] <= pushing.clock() + 86_400
        key = (await pushing.call("GET", "/v1/stats")).body["push"]
        assert headers["Authorization"].endswith(f", k={key}") and len(base64.urlsafe_b64decode(key + "=")) == 65

    def test_example_of_the_standard_is_found_to_be_signed_and_an_altered_one_is_not(self, tmp_path):
        assert is_signed(RFC_8292_EXAMPLE, tmp_path)
        assert not is_signed(RFC_8292_EXAMPLE.replace("t=eyJ0", "t=eyJ1"), tmp_path)

    async def test_key_outlives_a_restart_and_ends_with_the_secret(self, pushing):
        async def restarted() -> str:
            await pushing.stop()
            await pushing.start()
            return (await pushing.call("GET", "/v1/stats")).body["push"]

        first, second = await restarted(), await restarted()
        pushing.environ["JWT_SECRET"] += " rotated"

        assert first == second != await restarted()

    async def test_signature_is_made_once_in_hours_for_an_origin(self, pushing, push_service):
        vapid = pushing.app[relay_module.PUSHER].vapid
        now = relay_module.VAPID_SECONDS * 80_000

        tokens = [vapid.authorization("https://push.example", now + hours * 3600) for hours in (0, 5, 7)]

        assert tokens[0] == tokens[1] != tokens[2]
        assert 6 * 3600 < claims_in(tokens[1])["exp"] - (now + 5 * 3600) <= 12 * 3600
        for number in range(1000):
            vapid.authorization(f"https://{number}.push.example", now)
        assert vapid._token.cache_info().currsize <= relay_module.MAX_PUSH_ORIGINS

    @pytest.mark.parametrize("endpoint", STRANGE_ENDPOINTS.values(), ids=STRANGE_ENDPOINTS)
    async def test_endpoint_that_may_not_be_called_is_refused(self, pushing, push_service, endpoint):
        alice = await pushing.register()
        if isinstance(endpoint, str):
            endpoint = endpoint.format(host=push_service.host, port=push_service.port)

        refusal = await alice.call("POST", "/v1/push", json={"endpoint": endpoint})

        assert "endpoint" in refusal.refused(400)

    async def test_services_of_the_browsers_are_called_by_default_at_their_own_port_only(self, relays):
        pytest.importorskip("cryptography")
        relay = await relays(PUSH_CONTACT="https://example.org/contact")
        alice = await relay.register()
        names = ("fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com", "db5.notify.windows.com")
        urls = [f"https://{name}{port}/x" for port in ("", ":443", ":8443") for name in names] + [
            "https://push.apple.com/x",
            f"https://{'a' * 64}.push.apple.com/x",  # no name: to look it up raises an error of its own
        ]

        answers = [await alice.call("POST", "/v1/push", json={"endpoint": url}) for url in urls]

        assert [answer.status for answer in answers] == [201] * 4 + [400] * 10
        assert "PUSH_HOSTS: fcm.googleapis.com" in answers[-1].refused(400)

    @pytest.mark.parametrize(
        "name",
        [
            "localhost",
            "127.0.0.1",
            "10.0.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "224.0.0.1",
            "0.0.0.0",
            "::1",
            "::ffff:10.0.0.1",
            "fd00::1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "::10.0.0.1",
        ],
    )
    async def test_name_that_leads_into_this_network_is_not_followed_unless_it_is_the_operators_own(self, name):
        strangers, own = relay_module.OutsideResolver(set()), relay_module.OutsideResolver({name})
        family = socket.AF_INET6 if ":" in name else socket.AF_INET

        with pytest.raises(OSError, match="inside this network"):
            await strangers.resolve(name, 443, family)

        assert await own.resolve(name, 443, family)

    async def test_name_that_leads_outside_through_a_translator_is_followed(self):
        assert await relay_module.OutsideResolver(set()).resolve("64:ff9b::8.8.8.8", 443, socket.AF_INET6)

    async def test_listed_name_that_leads_into_this_network_is_not_even_connected_to(
        self, relays, push_service, monkeypatch
    ):
        monkeypatch.setattr(relay_module, "PUSH_HOSTS", (push_service.host,))
        relay = await relays(PUSH_HOSTS=push_service.host, PUSH_CONTACT="mailto:a@example.org", METRICS_TOKEN="m")
        alice = await relay.register()
        await push_service.subscribe(alice)

        await alice.send(alice, b"hello")

        await until(lambda: pushes_counted(relay, "failed"))
        assert push_service.connections == 0

    async def test_endpoint_whose_host_is_no_longer_listed_is_not_called(self, pushing, push_service):
        alice = await pushing.register()
        await push_service.subscribe(alice)
        await pushing.stop()
        pushing.environ["PUSH_HOSTS"] = "push.example"
        await pushing.start()

        await alice.send(alice, b"hello")

        await until(lambda: pushes_counted(pushing, "refused"))
        assert push_service.connections == 0

    @pytest.mark.parametrize("status", [404, 410])
    async def test_subscription_that_is_gone_is_forgotten(self, pushing, push_service, status):
        alice = await pushing.register()
        await push_service.subscribe(alice)
        push_service.answers = [web.Response(status=status)]

        await alice.send(alice, b"hello")

        await until(lambda: rows(pushing.database, "SELECT * FROM push_subscriptions") == [])
        assert len(push_service.pushes) == 1

    @pytest.mark.parametrize("status", [429, 500, 503])
    async def test_service_that_fails_is_asked_again_after_as_long_as_it_says(
        self, pushing, push_service, monkeypatch, status
    ):
        monkeypatch.setattr(relay_module, "PUSH_RETRY_SECONDS", (600.0, 0.05, 0.05))
        alice = await pushing.register()
        await push_service.subscribe(alice)
        push_service.answers = [web.Response(status=status, headers={"Retry-After": "1"}), web.Response(status=status)]

        started = time.monotonic()
        await alice.send(alice, b"hello")
        await until(lambda: pushes_counted(pushing, "sent"))

        assert len(push_service.pushes) == 3
        assert time.monotonic() - started > 0.9

    async def test_service_that_fails_again_and_again_is_given_up_and_called_for_the_next_message(
        self, pushing, push_service
    ):
        alice = await pushing.register()
        await push_service.subscribe(alice)
        push_service.answers = [web.Response(status=500) for _ in range(4)]

        await alice.send(alice, b"one")
        await until(lambda: pushes_counted(pushing, "failed"))
        await alice.send(alice, b"two")
        await until(lambda: pushes_counted(pushing, "sent"))

        assert len(push_service.pushes) == 5

    @pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 413])
    async def test_redirect_is_not_followed_and_a_refusal_not_repeated(self, pushing, push_service, status):
        alice = await pushing.register()
        await push_service.subscribe(alice)
        push_service.answers = [web.Response(status=status, headers={"Location": f"{push_service.origin}/elsewhere"})]

        await alice.send(alice, b"hello")

        await until(lambda: pushes_counted(pushing, "refused"))
        assert [path for path, *_ in push_service.pushes] == ["/one"]

    async def test_answer_without_end_is_not_read_to_it(self, pushing, push_service):
        alice = await pushing.register()
        await push_service.subscribe(alice)
        push_service.answers = [begin_and_hang]

        await alice.send(alice, b"hello")

        await until(lambda: pushes_counted(pushing, "sent"))
        assert len(push_service.pushes) == 1

    @pytest.mark.parametrize("how", ["fetching it", "coming back for more"])
    async def test_device_that_fetches_at_once_is_not_pushed_to(self, pushing, push_service, monkeypatch, how):
        alice, bob = await pushing.register(), await pushing.register()
        await push_service.subscribe(bob)
        monkeypatch.setattr(relay_module, "PUSH_DELAY_SECONDS", 60)

        sent = await alice.send(bob, b"hello")
        await bob.fetch(after_id=0 if how == "fetching it" else sent["id"])
        waiting = list(pushing.app[relay_module.PUSHER]._due)
        monkeypatch.setattr(relay_module, "PUSH_DELAY_SECONDS", 0.05)
        await alice.send(bob, b"and this nobody fetches")

        assert waiting == []
        assert await until(lambda: pushes_counted(pushing, "sent")) == 1

    async def test_many_messages_at_once_are_one_push_and_one_behind_it(self, pushing, push_service):
        alice, bob = await pushing.register(), await pushing.register()
        await push_service.subscribe(bob)
        pusher, push_service.answers = pushing.app[relay_module.PUSHER], [asyncio.Event()]
        [first_is_answered] = push_service.answers

        await alice.send(bob, b"the first")
        await until(lambda: push_service.pushes)
        for _ in range(20):
            await alice.send(bob, b"one of many")
            await until(lambda: not pusher._due)
        first_is_answered.set()

        await until(lambda: not pusher._tasks)
        assert len(push_service.pushes) == 2

    async def test_newer_message_waits_as_long_as_the_service_said_of_the_one_before(self, pushing, push_service):
        alice, bob = await pushing.register(), await pushing.register()
        await push_service.subscribe(bob)
        pusher, is_answered = pushing.app[relay_module.PUSHER], asyncio.Event()

        async def answer(_: web.BaseRequest) -> web.Response:
            await is_answered.wait()
            return web.Response(status=429, headers={"Retry-After": "600"})

        push_service.answers = [answer]
        for word in (b"one", b"behind it", b"after it"):
            await alice.send(bob, word)
            await until(lambda: push_service.pushes and not pusher._due)
            is_answered.set() if word == b"behind it" else None
            await until(lambda: bool(pusher._turns.wanted) != is_answered.is_set())

        assert len(push_service.pushes) == len(pusher._untold) == 1

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/v1/messages"), ("DELETE", "/v1/push"), ("DELETE", "/v1/me")],
        ids=["its mail is fetched", "its device turns push off", "its owner leaves"],
    )
    async def test_push_is_not_tried_again_when(self, pushing, push_service, method, path):
        alice, bob = await pushing.register(), await pushing.register()
        await push_service.subscribe(bob)
        pusher, answer = pushing.app[relay_module.PUSHER], LateFailure()
        push_service.answers = [answer]
        await alice.send(bob, b"hello")
        await until(lambda: push_service.pushes)
        await bob.call(method, path, json={"endpoint": push_service.origin + "/one"} if path == "/v1/push" else None)
        answer.is_due.set()

        await until(lambda: not pusher._due and not pusher._tasks)
        assert len(push_service.pushes) == 1

    @pytest.mark.parametrize("how", ["is cut off in the middle of its mail", "asks for the head of a page only"])
    async def test_push_is_tried_again_when_a_device(self, pushing, push_service, monkeypatch, how):
        monkeypatch.setattr(relay_module, "PIECE_BYTES", 2**20)  # more than all buffers on the way take
        alice, bob = await pushing.register(), await pushing.register()
        await push_service.subscribe(bob)
        pusher, answer = pushing.app[relay_module.PUSHER], LateFailure()
        push_service.answers = [answer]
        for _ in range(4):
            await alice.send(bob, bytes(200_000))
        await until(lambda: push_service.pushes and not pusher._due)

        await (bob.call("HEAD", "/v1/messages") if "head" in how else cut_off_in_a_page(pushing, bob))
        await until(lambda: not pushing.app[relay_module.TURNS].wanted)
        answer.is_due.set()

        await until(lambda: len(push_service.pushes) >= 2)

    async def test_push_for_another_of_the_same_device_is_tried_again_all_the_same(self, pushing, push_service):
        alice, bob = await pushing.register(), await pushing.register()
        pusher, answer = pushing.app[relay_module.PUSHER], LateFailure()
        push_service.answers = [answer]
        for person in (alice, bob):
            await push_service.subscribe(person)
            await person.send(person, b"hello")
            await until(lambda: push_service.pushes and not pusher._due)
        await alice.fetch()
        answer.is_due.set()

        await until(lambda: not pusher._due and not pusher._tasks)
        assert len(push_service.pushes) == 2

    async def test_service_that_does_not_answer_gets_one_call_at_a_time_until_it_does(self, pushing, push_service):
        pusher, is_answered = pushing.app[relay_module.PUSHER], asyncio.Event()
        push_service.answers = [hang_up, is_answered]
        people = [await pushing.register() for _ in range(5)]
        for number, person in enumerate(people):
            await push_service.subscribe(person, f"/{number}")
        for person in people:
            await person.send(person, b"hello")
        await until(lambda: len(push_service.pushes) == 2 and pusher._turns.wanted[push_service.host] == 5)

        assert len(pusher._tasks) == 5
        is_answered.set()
        await until(lambda: len(push_service.pushes) >= 6)

    async def test_device_that_turns_push_off_while_its_call_waits_is_not_called(self, pushing, push_service):
        alice, pusher = await pushing.register(), pushing.app[relay_module.PUSHER]
        await push_service.subscribe(alice)

        async with pusher._turns.take(push_service.host):
            await alice.send(alice, b"hello")
            await until(lambda: pusher._tasks)
            await alice.call("DELETE", "/v1/push", json={"endpoint": push_service.origin + "/one"})
        await until(lambda: not pusher._tasks)

        assert push_service.pushes == []

    async def test_who_has_no_device_to_wake_takes_no_place_among_those_who_may_fetch(self, pushing):
        alice, pusher = await pushing.register(), pushing.app[relay_module.PUSHER]

        await alice.send(alice, b"hello")
        await until(lambda: not pusher._due)

        assert not pusher._tasks and not pusher._unfetched

    @pytest.mark.parametrize("has_answered", [True, False], ids=["one that answers", "one that PUSH_HOSTS names"])
    async def test_origins_that_never_answer_leave_room_for(self, relays, push_service, has_answered):
        service = f"127.0.0.1:{push_service.port}"
        with socket.create_server(("0.0.0.0", 0), backlog=100) as silent:
            port = silent.getsockname()[1]
            hosts = f"*.0.1:{port},{'*.0.1:' + str(push_service.port) if has_answered else service}"
            relay = await relays(PUSH_HOSTS=hosts, PUSH_CONTACT="mailto:a@example.org", METRICS_TOKEN="m")
            alice = await relay.register()
            await alice.call("POST", "/v1/push", json={"endpoint": f"https://{service}/one"})
            if has_answered:
                await alice.send(alice, b"before the others come")
                await until(lambda: pushes_counted(relay, "sent"))
            for number in range(7):
                bob = await relay.register()
                for device in range(8):
                    endpoint = f"https://127.{8 * number + device}.0.1:{port}/"
                    await bob.call("POST", "/v1/push", json={"endpoint": endpoint})
                await bob.send(bob, b"hello")
            await until(lambda: len(relay.app[relay_module.PUSHER]._tasks) == 56)

            await alice.send(alice, b"hello")

            await until(lambda: len(push_service.pushes) == 1 + has_answered)
            assert relay.app[relay_module.PUSHER]._tried.locked()

    async def test_service_that_hangs_holds_nobody_up(self, pushing, push_service):
        alice, bob = await pushing.register(), await pushing.register()
        await push_service.subscribe(bob)
        await alice.send(bob, b"it is known to answer")
        await until(lambda: pushes_counted(pushing, "sent"))
        for number in range(7):
            await push_service.subscribe(bob, f"/{number}")
        push_service.answers = [asyncio.Event()] * 9

        await asyncio.wait_for(send_many(alice, bob, 50), PATIENCE_SECONDS)
        await until(lambda: len(push_service.pushes) >= 8)
        await asyncio.wait_for(pushing.stop(), PATIENCE_SECONDS)

        assert len(push_service.pushes) <= 9

    async def test_device_of_an_identity_that_left_meanwhile_is_not_remembered(self, pushing):
        with pytest.raises(relay_module.RelayError, match="register again"):
            await pushing.app[relay_module.STORE].add_push_subscription(bytes(32), "https://push.example/1", 0.0)

        assert rows(pushing.database, "SELECT * FROM push_subscriptions") == []

    async def test_one_address_names_only_so_many_endpoints_a_second(self, relays, push_service, clock):
        relay = await relays(PUSH_HOSTS=push_service.host, PUSH_CONTACT="mailto:a@b", RATE_LIMIT="on", clock=clock)
        people = [await relay.register() for _ in range(3)]
        long = "/".ljust(2000, "x")

        answers = [await push_service.subscribe(person, f"{long}{number}") for person in people for number in range(3)]
        clock.advance(60)
        later = await push_service.subscribe(people[2], "/later")

        assert [answer.status for answer in answers] == [201] * 4 + [429] * 5
        assert later.status == 201

    async def test_ninth_device_takes_the_place_of_the_oldest(self, pushing, push_service, clock):
        alice = await pushing.register()
        for number in range(9):
            clock.advance(1)
            await push_service.subscribe(alice, f"/{number}")
        again = await push_service.subscribe(alice, "/8")

        await alice.send(alice, b"hello")
        await until(lambda: len(push_service.pushes) == 8)

        assert again.status == 200
        assert sorted(path for path, *_ in push_service.pushes) == [f"/{number}" for number in range(1, 9)]

    async def test_device_that_turned_push_off_is_left_alone(self, pushing, push_service):
        alice = await pushing.register()
        await push_service.subscribe(alice, "/1")
        await push_service.subscribe(alice, "/2")

        answers = [await alice.call("DELETE", "/v1/push", json={"endpoint": push_service.origin + "/1"}) for _ in range(2)]
        await alice.send(alice, b"hello")
        await until(lambda: push_service.pushes)

        assert [answer.status for answer in answers] == [204, 204]
        assert [path for path, *_ in push_service.pushes] == ["/2"]

    async def test_what_waits_for_its_time_and_what_is_under_way_are_bounded(self, pushing, push_service, monkeypatch):
        monkeypatch.setattr(relay_module, "PUSH_DELAY_SECONDS", 60)
        monkeypatch.setattr(relay_module, "MAX_PUSHES", 100)
        pusher, receipt = pushing.app[relay_module.PUSHER], relay_module.Receipt(1, 0, 2**50)

        for number in range(250):
            pusher.notify(b"%032d" % number, receipt)

        assert list(pusher._due) == [b"%032d" % number for number in range(150, 250)]
        assert await pushes_counted(pushing, "dropped") == 150

    async def test_service_that_ceases_to_answer_takes_no_more_room_though_many_wait_to_call_it(
        self, pushing, push_service
    ):
        pusher, person, failing = pushing.app[relay_module.PUSHER], await pushing.register(), asyncio.Event()
        pusher._room = asyncio.Semaphore(2)
        await push_service.subscribe(person)
        await person.send(person, b"it is known to answer")
        await until(lambda: pushes_counted(pushing, "sent"))
        for number in range(6):
            await push_service.subscribe(person, f"/{number}")

        async def fail(request: web.BaseRequest) -> web.StreamResponse:
            await failing.wait()
            return await hang_up(request)

        push_service.answers = [fail, fail, *[asyncio.Event()] * 20]
        await person.send(person, b"seven devices")
        await until(lambda: len(pusher._tasks) == 7 and len(push_service.pushes) == 3)
        failing.set()
        await until(lambda: len(push_service.pushes) >= 4)

        assert not pusher._room.locked()

    async def test_devices_that_wait_to_be_called_are_bounded_however_many_a_recipient_has(
        self, pushing, push_service, monkeypatch
    ):
        monkeypatch.setattr(relay_module, "MAX_PUSHES", 10)
        pusher, receipt = pushing.app[relay_module.PUSHER], relay_module.Receipt(1, 0, 2**50)
        push_service.answers = [asyncio.Event()] * 100
        people = [await pushing.register() for _ in range(4)]
        for person in people:
            for number in range(8):
                await push_service.subscribe(person, f"/{person.fingerprint}/{number}")

        for person in people:
            pusher.notify(bytes.fromhex(person.fingerprint), receipt)
        await until(lambda: not pusher._due)

        assert await pushes_counted(pushing, "dropped") == 22
        assert len(pusher._tasks) == 10 and pusher._untold.keys() <= pusher._tasks.keys()

    @pytest.mark.parametrize(
        ("environ", "why"),
        [
            ({}, "PUSH_CONTACT"),
            ({"ORIGIN": "http://localhost:3233"}, "PUSH_CONTACT"),
            ({"PUSH": "off", "ORIGIN": "https://chat.example.com"}, "PUSH=off"),
        ],
        ids=["nobody to tell", "no https", "off"],
    )
    async def test_relay_without_push_says_why_once_and_is_as_before(self, relay_process, environ, why):
        relay = await relay_process(**environ)
        alice = await relay.register()

        refusal = await alice.call("POST", "/v1/push", json={"endpoint": "https://fcm.googleapis.com/x"})

        refusal.refused(404)
        assert "push" not in (await relay.call("GET", "/v1/stats")).body
        assert relay.log.count("push is off") == 1 and why in relay.log
        await alice.send(alice, b"hello")

    async def test_relay_without_the_package_says_so_and_runs(self, relays, monkeypatch):
        monkeypatch.setattr(relay_module, "ec", None)
        relay = await relays(PUSH_CONTACT="mailto:a@example.org")

        stats = (await relay.call("GET", "/v1/stats")).body

        assert "push" not in stats
        assert "cryptography" in relay_module.push_obstacle(relay.app[relay_module.CONFIG])


class TestWebSocket:
    """Frames, ways in, and every way out."""

    async def test_token_in_the_query_is_accepted(self, relay):
        alice = await relay.register()

        websocket = await relay.session.ws_connect(f"{relay.url}/v1/ws?token={alice.token}")

        assert await frame(websocket) == {"type": "connected", "fingerprint": alice.fingerprint}

    async def test_token_among_the_subprotocols_is_accepted_and_not_echoed(self, relay):
        alice = await relay.register()

        websocket = await alice.connect()

        assert websocket.protocol == "3233.v1"

    async def test_token_in_the_authorization_header_is_accepted(self, relay):
        alice = await relay.register()

        websocket = await relay.session.ws_connect(f"{relay.url}/v1/ws", headers={"Authorization": f"Bearer {alice.token}"})

        assert await frame(websocket) == {"type": "connected", "fingerprint": alice.fingerprint}

    @pytest.mark.parametrize("order", [1, -1])
    async def test_several_lines_of_subprotocols_are_one_list(self, relay, order):
        alice = await relay.register()
        lines = [("Sec-WebSocket-Protocol", value) for value in ("3233.v1", f"bearer.{alice.token}")][::order]

        websocket = await relay.session.ws_connect(f"{relay.url}/v1/ws", headers=CIMultiDict(lines))

        assert await frame(websocket) == {"type": "connected", "fingerprint": alice.fingerprint}
        assert websocket._response.headers.getall("Sec-WebSocket-Protocol") == ["3233.v1"]

    @pytest.mark.parametrize("protocols", [("3233.v1",), ("3233.v1", "bearer."), ("3233.v1", "bearer.forged"), ("bearer",)])
    async def test_subprotocols_without_a_good_token_are_refused(self, relay, protocols):
        assert await refused_handshake(relay, protocols=protocols) == 401

    async def test_request_that_is_no_upgrade_is_told_so(self, relay):
        alice = await relay.register()

        answer = await alice.call("GET", f"/v1/ws?token={alice.token}")

        assert answer.status in (400, 426)
        assert "WebSocket" in answer.refused(answer.status)

    async def test_ping_gets_a_pong_and_subscribe_is_accepted(self, relay):
        alice = await relay.register()
        websocket = await alice.connect()

        await websocket.send_json({"type": "subscribe"})
        await websocket.send_json({"type": "ping"})

        assert await frame(websocket) == {"type": "pong"}

    @pytest.mark.parametrize("ignored", IGNORED_FRAMES)
    async def test_unknown_or_malformed_frame_is_ignored(self, relay, ignored):
        websocket = await (await relay.register()).connect()

        await (websocket.send_str if isinstance(ignored, str) else websocket.send_bytes)(ignored)
        await websocket.send_json({"type": "ping"})

        assert await frame(websocket) == {"type": "pong"}

    @PROPERTY
    @given(frames=st.lists(st.text(max_size=500) | st.binary(max_size=500) | JSON_VALUES.map(json.dumps), max_size=5))
    async def test_no_frames_end_the_socket(self, relay, frames):
        websocket = await (await relay.register()).connect()

        for each in frames:
            await (websocket.send_str if isinstance(each, str) else websocket.send_bytes)(each)
        await websocket.send_json({"type": "ping"})

        assert await frame(websocket) == {"type": "pong"}

    @pytest.mark.parametrize("too_long", ["x" * 4097, b"x" * 4097, "x" * 1_000_000])
    async def test_frame_over_four_kib_closes_that_socket_only(self, relay, too_long):
        alice = await relay.register()
        one, other = await alice.connect(), await alice.connect()

        await (one.send_str if isinstance(too_long, str) else one.send_bytes)(too_long)
        await other.send_json({"type": "ping"})

        assert await close_code(one) == 1009
        assert await frame(other) == {"type": "pong"}

    async def test_frame_of_four_kib_is_read(self, relay):
        websocket = await (await relay.register()).connect()

        await websocket.send_str('{"type": "ping", "padding": "'.ljust(4094, "x") + '"}')

        assert await frame(websocket) == {"type": "pong"}

    async def test_socket_closes_when_its_token_expires(self, relays, clock):
        alice = await (await relays(clock=clock, JWT_EXPIRY_SEC="2")).register()  # which does not expire before it connects

        assert await close_code(await alice.connect()) == 4401

    async def test_sockets_close_with_1001_on_shutdown(self, relay):
        sockets = [await (await relay.register()).connect() for _ in range(3)]

        stopping = asyncio.create_task(relay.stop())

        assert [await close_code(each) for each in sockets] == [1001, 1001, 1001]
        await stopping

    async def test_sockets_of_who_leaves_are_closed(self, relay):
        alice = await relay.register()
        websocket = await alice.connect()

        await alice.call("DELETE", "/v1/me")

        assert await close_code(websocket) == 4401


# ------------------------------------------------------------------------------------------------------------------------
# Middleware
# ------------------------------------------------------------------------------------------------------------------------

STRANGE_BODIES: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"public_key=x",
    "cut": b'{"public_key": "',
    "a list": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "a number": b"1",
    "two documents": b"{}{}",
    "no UTF-8": b'{"public_key": "\xff\xfe"}',
    "UTF-16": '{"public_key": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"public_key": "x"}',
    "half a surrogate pair": b'{"public_key": "\\ud800"}',
    "a NUL": b'{"public_key": "\\u0000"}',
    "nested too deeply": b'{"public_key": ' * 5000,
    "lists nested too deeply": b"[" * 100_000,
    "a number of 5,000 digits": b'{"public_key": ' + b"9" * 5000 + b"}",
    "an infinite number": b'{"public_key": 1e999}',
    "NaN": b'{"public_key": NaN}',
}

STRANGE_HEADERS: list[dict[str, str]] = [
    {"Content-Type": "application/json; charset=nonsense"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Content-Type": "application/json; charset=base64"},
    {"Content-Type": ""},
    {"Content-Type": ";;;="},
    {"Content-Type": "multipart/form-data"},
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "deflate"},
    {"Content-Encoding": "br"},
    {"Content-Encoding": "zstd"},
    {"Content-Encoding": "nonsense"},
    {"Expect": "nonsense"},
    {"Range": "bytes=9-1"},
    {"Origin": "null"},
    {"Accept-Encoding": "\x01"},
    {"If-None-Match": '"'},
    {"Cookie": "=;=;"},
    {"Host": "[::"},
    {"Host": "a b"},
    {"Host": ""},
    {"X-Forwarded-Proto": "gopher"},
]


async def raw_head(relay: AnyRelay, request: bytes, address: str = "127.0.0.1") -> str:
    """The head of the answer to bytes that no well-behaved client sends; empty when the relay hung up instead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port, local_addr=(address, 0))
    with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        writer.write(request)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    return ""


class TestMiddleware:
    """Every refusal has one form, every answer may be read by any origin, and nothing that strangers send is a 5xx."""

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
    @pytest.mark.parametrize(
        "path", ["/v1", "/v1/", "/v1/nothing", "/v1/keys", "/v1/keys/", "/v1/register/", "/v1//stats", "/v1/%00"]
    )
    async def test_unknown_route_is_a_404(self, relay, method, path):
        answer = await relay.call(method, path)

        answer.refused(404)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("PUT", "/v1/messages"),
            ("GET", "/v1/register"),
            ("GET", "/v1/register/challenge"),
            ("POST", "/v1/stats"),
            ("POST", "/v1/me"),
            ("DELETE", f"/v1/keys/{NOBODY}"),
            ("PATCH", "/v1/messages/1"),
            ("POST", "/v1/ws"),
        ],
    )
    async def test_wrong_method_is_a_405_that_names_the_right_ones(self, relay, method, path):
        answer = await relay.call(method, path)

        answer.refused(405)
        assert answer.headers["Allow"]

    @pytest.mark.parametrize("path", ["/v1/stats", "/v1/me", f"/v1/keys/{NOBODY}", "/v1/nothing", "/v1/messages"])
    async def test_answer_may_be_read_by_any_origin(self, relay, path):
        answer = await relay.call("GET", path, headers={"Origin": "https://elsewhere.example.com"})

        assert answer.headers["Access-Control-Allow-Origin"] == "*"

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    @pytest.mark.parametrize("path", ["/v1/messages", "/v1/register", "/v1/messages/7", "/v1/nothing"])
    async def test_preflight_allows_every_method_and_header(self, relay, method, path):
        wish = {
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type, x-other",
        }

        answer = await relay.call("OPTIONS", path, headers={"Origin": "https://elsewhere.example.com"} | wish)

        allowed_headers = answer.headers["Access-Control-Allow-Headers"].lower()
        assert answer.status in (200, 204)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert (
            method in answer.headers["Access-Control-Allow-Methods"]
            or answer.headers["Access-Control-Allow-Methods"] == "*"
        )
        assert "authorization" in allowed_headers  # which "*" does not cover (Fetch standard, CORS protocol)
        assert "content-type" in allowed_headers

    @pytest.mark.parametrize("body", STRANGE_BODIES.values(), ids=STRANGE_BODIES.keys())
    @pytest.mark.parametrize("path", ["/v1/register/challenge", "/v1/register", "/v1/messages"])
    async def test_strange_body_is_a_400(self, relay, path, body):
        alice = await relay.register()

        answer = await alice.call("POST", path, data=body)

        answer.refused(400)

    @pytest.mark.parametrize("headers", STRANGE_HEADERS, ids=str)
    async def test_strange_header_does_not_make_the_relay_fail(self, relay, headers):
        lines = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": "x"} | headers).items())
        for method, path in [("POST", "/v1/register/challenge"), ("GET", "/v1/stats"), ("GET", "/"), ("GET", "/v1/ws")]:
            request = f"{method} {path} HTTP/1.1\r\n{lines}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"

            head = await raw_head(relay, request.encode())

            assert head.split()[1][0] in "24", head

    @pytest.mark.parametrize(
        "line",
        [b"nonsense", b"GET", b"GET / HTTP/9.9", b"GET http://[ HTTP/1.1", b"\x16\x03\x01\x02", b"G\x00T / HTTP/1.1"],
    )
    async def test_strange_request_line_is_a_400_or_the_end(self, relay, line):
        head = await raw_head(relay, line + b"\r\nHost: x\r\n\r\n")

        assert head[9:12] in ("400", "505", ""), head
        assert (await relay.call("GET", "/healthz")).status == 200

    async def test_oversized_body_is_refused_before_it_is_sent(self, relay):
        alice = await relay.register()
        head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\nContent-Length: 99999999\r\n\r\n"

        answer = await raw_head(relay, head.encode() + b'{"ciphertext": "')

        assert answer.startswith("HTTP/1.1 413")
        assert "access-control-allow-origin: *" in answer.lower()

    async def test_body_in_chunks_is_as_good_as_any(self, relay):
        alice = await relay.register()
        body = json.dumps(alice.seal(alice, bytes(100_000))).encode()

        async def in_pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 4000):
                yield body[start : start + 4000]

        answers = [await alice.call("POST", "/v1/messages", data=in_pieces()) for _ in range(3)]

        assert [answer.status for answer in answers] == [201] * 3

    @pytest.mark.parametrize(
        ("fields", "body", "status"),
        [
            ("Transfer-Encoding: gzip, chunked", b"", 411),
            ("Transfer-Encoding: chunked\r\nContent-Length: 2", b"2\r\n{}\r\n0\r\n\r\n", 411),
            ("Transfer-Encoding: chunked\r\nUpgrade: websocket", b"2\r\n{}\r\n0\r\n\r\n", 400),
            ("Transfer-Encoding: chunked", b"1\r\n \r\n" * 2000, 411),
            ("Transfer-Encoding: chunked", b"-2\r\n{}\r\n", 411),
            ("Transfer-Encoding: chunked", b"0\r\nX: y\r\n\r\n", 411),
            ("Transfer-Encoding: chunked", b"f" * 20_000, 411),
            ("Transfer-Encoding: chunked", b"10000\r\n" + b" " * 65536 + b"\r\n70000\r\n" + b" " * 0x70000, 413),
        ],
        ids=["coding", "with a length", "upgrade", "too many", "negative", "trailer", "no size", "too long"],
    )
    async def test_body_in_strange_chunks_is_refused(self, relay, fields, body, status):
        head = f"POST /v1/register HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n"

        answer = await raw_head(relay, head.encode() + body)

        assert answer.startswith(f"HTTP/1.1 {status}")

    async def test_body_that_does_not_come_is_a_408(self, relay, monkeypatch):
        monkeypatch.setattr(relay_module, "BODY_SECONDS", 0.1)

        answer = await raw_head(relay, b"POST /v1/register HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")

        assert answer.startswith("HTTP/1.1 408")

    async def test_body_is_waited_for_the_longer_the_larger_it_is(self, relay, monkeypatch):
        monkeypatch.setattr(relay_module, "BODY_SECONDS", 0)
        monkeypatch.setattr(relay_module, "BODY_BYTES_PER_SECOND", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        head = b"POST /v1/register/challenge HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99\r\n\r\n"

        writer.write(head)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(json.dumps({"public_key": b64(AWKWARD_KEY)}).encode().ljust(99))
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()

    async def test_answer_does_not_tell_which_versions_run_here(self, relay):
        answers = [await relay.call("GET", path) for path in ("/v1/stats", "/v1/nothing", "/", "/unknown")]

        assert {answer.headers.get("Server") for answer in answers} <= {"io3233", None}

    async def test_small_body_that_unpacks_to_a_large_one_is_refused_and_not_unpacked(self, relay_process):
        relay = await relay_process()
        alice, bomb = await relay.register(), gzip.compress(b" " * 200_000_000)
        before = peak_bytes(relay)

        for path in ("/v1/register/challenge", "/v1/messages"):
            answer = await alice.call("POST", path, data=bomb, headers={"Content-Encoding": "gzip"})
            answer.refused(400)

        assert peak_bytes(relay) - before < 20_000_000

    async def test_failure_says_no_more_than_internal_error_and_the_log_has_the_rest(self, relay, caplog):
        alice = await relay.register()
        relay.app[relay_module.STORE].get_page = lambda *_, **__: 1 / 0

        answer = await alice.call("GET", "/v1/messages")

        assert answer.refused(500) == "internal error"
        assert "ZeroDivisionError" in caplog.text

    @PROPERTY
    @given(body=st.binary(max_size=300) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
    async def test_no_body_makes_the_relay_fail(self, relay, body):
        alice = await relay.register()
        for path in ("/v1/register/challenge", "/v1/register", "/v1/messages"):
            answer = await alice.call("POST", path, data=body)

            answer.refused(400)

    @PROPERTY
    @given(
        path=st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
        query=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    )
    async def test_no_path_or_query_makes_the_relay_fail(self, relay, path, query):
        for start in ("/", "/v1/", "/v1/keys/", "/v1/keys/search/", "/v1/messages/", "/v1/messages?"):
            url = URL(f"{relay.url}{start}{quote(path)}?{quote(query)}", encoded=True)
            async with relay.session.get(url, allow_redirects=False) as answer:
                assert answer.status < 500


# ------------------------------------------------------------------------------------------------------------------------
# HTTP
# ------------------------------------------------------------------------------------------------------------------------

BAD_ENVELOPES: dict[str, dict[str, Any]] = {
    "no recipient": {"recipient_fingerprint": None},
    "short recipient": {"recipient_fingerprint": "ab" * 31},
    "recipient no hex": {"recipient_fingerprint": "z" * 64},
    "recipient in other digits": {"recipient_fingerprint": "１" * 64},
    "recipient a number": {"recipient_fingerprint": 7},
    "no ciphertext": {"ciphertext": None},
    "ciphertext no base64": {"ciphertext": "*"},
    "ciphertext a list": {"ciphertext": []},
    "no nonce": {"nonce": None},
    "short nonce": {"nonce": b64(bytes(23))},
    "long nonce": {"nonce": b64(bytes(25))},
    "no sender_public_key": {"sender_public_key": None},
    "short sender_public_key": {"sender_public_key": b64(bytes(31))},
    "somebody else's sender_public_key": {"sender_public_key": b64(bytes(PrivateKey.generate().public_key))},
}

NOT_INTEGERS = ["", "x", "1.5", "1e3", "0x10", "%2B1", "%201", "1_000", "--1", "NaN", "%EF%BC%91", "%00"]


class TestHttp:
    """Each route, good and bad."""

    @pytest.mark.parametrize("changed", BAD_ENVELOPES.values(), ids=BAD_ENVELOPES.keys())
    async def test_malformed_message_is_refused(self, relay, changed):
        alice, bob = await relay.register(), await relay.register()
        body = {name: value for name, value in (alice.seal(bob, b"hello") | changed).items() if value is not None}

        answer = await alice.call("POST", "/v1/messages", json=body)

        answer.refused(400)
        assert await bob.fetch() == []

    async def test_message_to_nobody_is_a_404(self, relay):
        alice = await relay.register()

        answer = await alice.call("POST", "/v1/messages", json=alice.seal(Person(relay), b"hello"))

        answer.refused(404)

    async def test_message_of_the_largest_size_passes_and_one_byte_more_is_a_413(self, relays):
        relay = await relays(MAX_MESSAGE_BYTES="1000")
        alice = await relay.register()
        largest, too_large = (alice.seal(alice, bytes(size - 24 - 32 - 16)) for size in (1000, 1001))

        answers = [await alice.call("POST", "/v1/messages", json=body) for body in (largest, too_large)]

        assert answers[0].status == 201
        answers[1].refused(413)

    @PROPERTY
    @given(
        body=st.dictionaries(
            st.sampled_from(["recipient_fingerprint", "ciphertext", "nonce", "sender_public_key"]), FIELD_VALUES
        )
    )
    async def test_no_members_of_a_message_make_the_relay_fail(self, relay, body):
        alice = await relay.register()

        answer = await alice.call("POST", "/v1/messages", json=body)

        answer.refused(400)

    async def test_page_holds_the_own_inbox_only(self, relay):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, b"for bob")
        sent = await bob.send(alice, b"for alice")

        [message] = await alice.fetch()

        assert message["id"] == sent["id"]
        assert message["sender_fingerprint"] == bob.fingerprint
        assert message["sender_public_key"] == b64(bob.public_key)
        assert sorted(message) == sorted([*sent, "sender_fingerprint", "ciphertext", "nonce", "sender_public_key"])

    async def test_page_has_the_length_that_was_asked_for_within_bounds(self, relay):
        alice = await relay.register()
        await asyncio.gather(*(alice.send(alice, b"hello") for _ in range(202)))
        asked = {
            "": 50,
            "?limit=7": 7,
            "?limit=0": 1,
            "?limit=-9": 1,
            "?limit=200": 200,
            "?limit=201": 200,
            f"?limit={10**40}": 200,
        }

        answers = {query: (await alice.call("GET", f"/v1/messages{query}")).body for query in asked}

        assert {query: len(answer["messages"]) for query, answer in answers.items()} == asked
        assert all(answer["more"] for answer in answers.values())

    async def test_pages_follow_the_cursor_in_ascending_order(self, relay):
        alice = await relay.register()
        ids = await send_many(alice, alice, 7)

        pages = [await alice.fetch(after_id=after, limit=3) for after in (0, ids[2], ids[5], ids[6], 10**40, -(10**40))]

        assert [[message["id"] for message in page] for page in pages] == [ids[:3], ids[3:6], ids[6:], [], [], ids[:3]]

    async def test_last_page_says_that_there_is_no_more(self, relay):
        alice = await relay.register()
        await send_many(alice, alice, 3)

        answer = await alice.call("GET", "/v1/messages?limit=3")

        assert not answer.body.get("more")

    async def test_page_ends_after_four_mib_and_says_that_there_is_more(self, relays):
        relay = await relays(MAX_MESSAGE_BYTES="2000000")
        alice = await relay.register()
        ids = [(await alice.send(alice, bytes(1_900_000)))["id"] for _ in range(3)]

        first = (await alice.call("GET", "/v1/messages")).body
        second = (await alice.call("GET", f"/v1/messages?after_id={ids[1]}")).body

        assert ([message["id"] for message in first["messages"]], first["more"]) == (ids[:2], True)
        assert ([message["id"] for message in second["messages"]], second.get("more", False)) == (ids[2:], False)

    async def test_message_larger_than_a_page_is_still_delivered(self, relays):
        relay = await relays(MAX_MESSAGE_BYTES="6000000")
        alice = await relay.register()

        await alice.send(alice, bytes(5_000_000))

        assert [len(alice.open(message)) for message in await alice.fetch()] == [5_000_000]

    @pytest.mark.parametrize("text", NOT_INTEGERS)
    @pytest.mark.parametrize(("method", "name"), [("GET", "after_id"), ("GET", "limit"), ("DELETE", "through_id")])
    async def test_number_that_is_no_integer_is_refused(self, relay, method, name, text):
        alice = await relay.register()

        answer = await alice.call(method, URL(f"/v1/messages?{name}={text}", encoded=True).raw_path_qs)

        answer.refused(400)

    async def test_acknowledged_mail_is_gone_up_to_that_id_and_only_there(self, relay):
        alice, bob = await relay.register(), await relay.register()
        ids = await send_many(alice, bob, 3)
        own = await bob.send(alice, b"another inbox")

        first = await bob.call("DELETE", f"/v1/messages?through_id={ids[1]}")
        again = await bob.call("DELETE", f"/v1/messages?through_id={ids[1]}")

        assert (first.status, first.body, again.body) == (200, {"deleted": 2}, {"deleted": 0})
        assert [message["id"] for message in await bob.fetch()] == ids[2:]
        assert [message["id"] for message in await alice.fetch()] == [own["id"]]

    async def test_a_thousand_messages_are_acknowledged_at_once(self, relay):
        alice = await relay.register()
        await asyncio.gather(*(alice.send(alice, b"hello") for _ in range(1000)))

        answer = await alice.call("DELETE", f"/v1/messages?through_id={10**30}")

        assert answer.body == {"deleted": 1000}
        assert await alice.fetch() == []

    async def test_acknowledgement_that_names_no_id_deletes_nothing(self, relay):
        alice = await relay.register()
        await alice.send(alice, b"hello")

        answer = await alice.call("DELETE", "/v1/messages")

        answer.refused(400)
        assert len(await alice.fetch()) == 1

    @pytest.mark.parametrize("who", ["sender", "recipient"])
    async def test_message_is_taken_back_by_its_sender_or_removed_by_its_recipient(self, relay, who):
        alice, bob = await relay.register(), await relay.register()
        sent, kept = await send_many(alice, bob, 2)
        party = alice if who == "sender" else bob

        answers = [await party.call("DELETE", f"/v1/messages/{sent}") for _ in range(2)]

        assert answers[0].status == 204
        answers[1].refused(404)
        assert [message["id"] for message in await bob.fetch()] == [kept]

    async def test_message_of_others_can_not_be_removed(self, relay):
        alice, bob, mallory = [await relay.register() for _ in range(3)]
        sent = await alice.send(bob, b"hello")

        answer = await mallory.call("DELETE", f"/v1/messages/{sent['id']}")

        answer.refused(404)
        assert len(await bob.fetch()) == 1

    @pytest.mark.parametrize("message_id", ["0", "-1", "9" * 40, "x", "1.5", "%00"])
    async def test_message_that_never_was_can_not_be_removed(self, relay, message_id):
        alice = await relay.register()

        answer = await alice.call("DELETE", f"/v1/messages/{message_id}")

        assert answer.status in (400, 404)
        answer.refused(answer.status)

    async def test_key_is_found_by_its_fingerprint(self, relay):
        alice = await relay.register()

        answer = await relay.call("GET", f"/v1/keys/{alice.fingerprint}")

        assert (answer.status, answer.body) == (200, {"public_key": b64(alice.public_key)})

    @pytest.mark.parametrize(
        ("fingerprint", "status"),
        [(NOBODY, 404), (NOBODY[:-1], 400), (NOBODY + "0", 400), ("z" * 64, 400), ("3233:" + NOBODY[:32], 400)],
    )
    async def test_key_of_nobody_is_not_found(self, relay, fingerprint, status):
        answer = await relay.call("GET", f"/v1/keys/{fingerprint}")

        answer.refused(status)

    @pytest.mark.parametrize("length", [8, 9, 33, 64])
    async def test_search_finds_those_that_begin_with_the_prefix(self, relay, length):
        alice, _ = await relay.register(), await relay.register()

        answer = await relay.call("GET", f"/v1/keys/search/{alice.fingerprint[:length]}")

        assert (answer.status, answer.body) == (200, {"fingerprints": [alice.fingerprint]})

    async def test_search_finds_ten_at_most_and_nobody_where_there_is_none(self, relay):
        await relay.register()
        with contextlib.closing(sqlite3.connect(relay.database)) as connection, connection:
            for last in range(12):
                connection.execute("INSERT INTO identities VALUES (?, ?, 0)", (b"\xab" * 31 + bytes([last]), bytes(32)))

        found, none = [(await relay.call("GET", f"/v1/keys/search/{prefix}")).body for prefix in ("ab" * 4, "cd" * 4)]

        assert found == {"fingerprints": ["ab" * 31 + f"{last:02x}" for last in range(10)]}
        assert none == {"fingerprints": []}

    @pytest.mark.parametrize("prefix", ["ab" * 3 + "a", "ab" * 32 + "a", "z" * 8, "%25" * 8, "3233:" + "ab" * 4, "１" * 8])
    async def test_search_wants_eight_to_sixty_four_hex_digits(self, relay, prefix):
        answer = await relay.call("GET", f"/v1/keys/search/{prefix}")

        answer.refused(400)

    async def test_stats_tell_what_a_client_needs_to_know(self, relays):
        relay = await relays(MESSAGE_TTL_DAYS="3", MAX_MESSAGE_BYTES="1234")
        await relay.register()

        answer = await relay.call("GET", "/v1/stats")

        told = {"registered_identities": 1, "message_retention_days": 3, "max_message_bytes": 1234, "registration": "open"}
        assert answer.body == told | {"version": relay_module.__version__}

    async def test_who_leaves_is_forgotten_with_their_mail_and_tokens(self, relay):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, b"hello")

        answer = await bob.call("DELETE", "/v1/me")

        assert answer.status == 204
        (await bob.call("GET", "/v1/me")).refused(401)
        (await relay.call("GET", f"/v1/keys/{bob.fingerprint}")).refused(404)
        (await alice.call("POST", "/v1/messages", json=alice.seal(bob, b"again"))).refused(404)
        assert (await relay.call("GET", "/v1/stats")).body["registered_identities"] == 1

    async def test_who_comes_back_finds_an_empty_inbox_and_old_tokens_stay_dead(self, relays, clock):
        relay = await relays(clock=clock)
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, b"hello")
        await bob.call("DELETE", "/v1/me")
        clock.advance(5)

        back = await relay.register(bob.secret_key)

        assert await back.fetch() == []
        (await bob.call("GET", "/v1/me")).refused(401)

    async def test_healthz_answers_while_the_database_does(self, relay):
        answer = await relay.call("GET", "/healthz")

        assert (answer.status, answer.body) == (200, {"status": "ok"})

    @pytest.mark.parametrize("work", ["_read", "_write"])
    async def test_healthz_is_a_503_when_a_thread_of_the_database_hangs(self, relay, monkeypatch, work):
        monkeypatch.setattr(relay_module, "CHECK_SECONDS", 0.1)
        hangs = threading.Event()
        hanging = asyncio.ensure_future(getattr(relay.app[relay_module.STORE], work)(lambda db: hangs.wait()))

        answer = await relay.call("GET", "/healthz")
        hangs.set()

        assert answer.status == 503
        assert await hanging
        await until(relay.is_healthy)

    async def test_healthz_refuses_other_methods_as_the_api_does(self, relay):
        preflight, post = [await relay.call(method, "/healthz") for method in ("OPTIONS", "POST")]

        assert preflight.status == 204
        post.refused(405)

    async def test_healthz_is_a_503_when_the_database_does_not_answer(self, relay):
        with contextlib.closing(sqlite3.connect(relay.database)) as connection:
            connection.executescript("DROP TABLE identities; DROP TABLE messages;")

        answer = await relay.call("GET", "/healthz")

        assert answer.status == 503


# ------------------------------------------------------------------------------------------------------------------------
# Static client
# ------------------------------------------------------------------------------------------------------------------------

VIEW_PATHS = ["/", "/newchat", "/chats", "/server", "/keys", "/library", "/about", "/me"]
CLIENT_FILES = {
    "index.html": b"<!doctype html><title>a page</title>" + b"<p>hello</p>" * 100,
    "app.js": b"export const answer = 42;\n" * 100,
    "style.css": b":root { color: black }\n" * 100,
    "manifest.webmanifest": b"{}",
    "icons/icon.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "icons/icon.png": b"\x89PNG\r\n\x1a\n",
    ".secret": b"a dot-file",
    ".git/config": b"in a dot-folder",
}
CONTENT_TYPES = {
    "/": "text/html; charset=utf-8",
    "/index.html": "text/html; charset=utf-8",
    "/app.js": "text/javascript; charset=utf-8",
    "/style.css": "text/css; charset=utf-8",
    "/manifest.webmanifest": "application/manifest+json",
    "/icons/icon.svg": "image/svg+xml",
    "/icons/icon.png": "image/png",
}
WAYS_OUT = [
    "/../outside.txt",
    "/../../etc/passwd",
    "/%2e%2e/outside.txt",
    "/..%2foutside.txt",
    "/icons/../../outside.txt",
    "/icons/..%2f..%2foutside.txt",
    "/%2e%2e%5coutside.txt",
    "/..\\outside.txt",
    "//etc/passwd",
    "/%2fetc/passwd",
    "/file:///etc/passwd",
    "/link.txt",
    "/linked/outside.txt",
    "/.secret",
    "/.git/config",
    "/icons",
    "/icons/",
    "/app.js/",
    "/app.js%00",
    "/APP.JS",
    "/relay.db",
    "/relay.py",
    "/unknown",
]
CLIENT_HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
CSP_DIRECTIVES = [
    "default-src 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "img-src 'self' blob:",
    "media-src blob:",
]


class TestStaticClient:
    """What is served is what was read at start, and nothing else."""

    @pytest.fixture
    def static_dir(self, tmp_path):
        for name, content in CLIENT_FILES.items():
            path = tmp_path / "client" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (tmp_path / "outside.txt").write_text("outside")
        (tmp_path / "client/link.txt").symlink_to(tmp_path / "outside.txt")
        (tmp_path / "client/linked").symlink_to(tmp_path)
        return tmp_path / "client"

    @pytest.fixture(name="relay")
    async def relay_with_a_client(self, relays, static_dir):
        return await relays(STATIC_DIR=str(static_dir))

    def test_page_says_what_it_is_to_whoever_previews_its_link(self):
        page = (STATIC / "index.html").read_text()

        properties = dict(re.findall(r'<meta (?:name|property)="([\w:]+)" content="([^"]+)">', page))

        assert properties["og:description"] == properties["description"]
        assert properties["og:title"] == "io3233"

    @pytest.mark.parametrize(
        ("path", "location"),
        [
            ("/chats/", "/chats"),
            ("/Chats", "/chats"),
            ("/NEWCHAT/", "/newchat"),
            ("/chats/?chat=ab&server=https%3A%2F%2Fa", "/chats?chat=ab&server=https%3A%2F%2Fa"),
            ("/chats%23chat=ab&server=https%3A%2F%2Fa", "/chats#chat=ab&server=https://a"),
            ("/%23chat=a%20b", "/#chat=a%20b"),
        ],
    )
    async def test_view_in_another_spelling_leads_to_the_view(self, relay, path, location):
        async with relay.session.get(URL(relay.url + path, encoded=True), allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (307, location)

    @pytest.mark.parametrize("path", ["//evil.example/", "//evil.example/chats", "/chats/more", "/v1/", "/V1/me"])
    async def test_what_is_no_view_leads_nowhere(self, relay, path):
        async with relay.session.get(URL(relay.url + path, encoded=True), allow_redirects=False) as answer:
            assert answer.status == 404

    async def test_what_browsers_ask_for_by_themselves_is_there(self, relays):
        relay = await relays()

        paths = ["/favicon.ico", "/apple-touch-icon.png", "/icon-192.png", "/manifest.json"]
        answers = {path: await relay.call("GET", path) for path in paths}

        kinds = {path: (answer.status, answer.headers["Content-Type"]) for path, answer in answers.items()}
        assert kinds == dict.fromkeys(paths[:3], (200, "image/png")) | {paths[3]: (200, "application/manifest+json")}

    @pytest.mark.parametrize("path", VIEW_PATHS)
    async def test_view_path_answers_with_the_page(self, relay, path):
        answer = await relay.call("GET", path)

        assert (answer.status, answer.body) == (200, CLIENT_FILES["index.html"])

    @pytest.mark.parametrize(("path", "content_type"), CONTENT_TYPES.items())
    async def test_file_has_its_type(self, relay, path, content_type):
        answer = await relay.call("GET", path)

        assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("path", ["/", "/index.html", "/icons/icon.svg", "/chats"])
    async def test_page_has_the_headers_that_keep_it_safe(self, relay, path):
        answer = await relay.call("GET", path)

        assert {name: answer.headers.get(name) for name in CLIENT_HEADERS} == CLIENT_HEADERS
        assert all(directive in answer.headers["Content-Security-Policy"].split("; ") for directive in CSP_DIRECTIVES)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "camera=(self), display-capture=()" in answer.headers["Permissions-Policy"]
        assert "magnetometer=(), microphone=(self), midi=()" in answer.headers["Permissions-Policy"]

    @pytest.mark.parametrize("path", WAYS_OUT)
    async def test_no_path_leads_out_of_the_folder(self, relay, path):
        head = await raw_head(relay, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

        assert head.split()[1] in ("400", "404"), head

    async def test_unknown_path_is_a_404_with_the_safe_headers_too(self, relay):
        answer = await relay.call("GET", "/unknown")

        assert answer.status == 404
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    async def test_page_can_only_be_read(self, relay, method):
        answer = await relay.call(method, "/")

        assert answer.status == 405

    @pytest.mark.parametrize(
        ("accepted", "coding"),
        [("gzip, br", "br"), ("br;q=0, gzip", "gzip"), ("gzip", "gzip"), ("identity", None), ("gzip;q=0", None)],
    )
    async def test_file_is_compressed_as_the_browser_takes_it(self, relay, accepted, coding):
        async with relay.session.get(f"{relay.url}/app.js", headers={"Accept-Encoding": accepted}) as answer:
            assert answer.headers.get("Content-Encoding") == coding
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert await answer.read() == CLIENT_FILES["app.js"]

    async def test_file_is_gzipped_where_the_relay_has_no_brotli(self, relay, monkeypatch):
        monkeypatch.setattr(relay_module, "COMPRESSORS", {"gzip": relay_module.COMPRESSORS["gzip"]})

        async with relay.session.get(f"{relay.url}/app.js", headers={"Accept-Encoding": "gzip, br"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert await answer.read() == CLIENT_FILES["app.js"]

    @pytest.mark.parametrize("accepted", ["br", "gzip", "identity"])
    async def test_file_that_the_browser_has_is_not_sent_again(self, relay, accepted):
        headers = {"Accept-Encoding": accepted}
        etag = (await relay.call("GET", "/app.js", headers=headers)).headers["ETag"]

        known, other = [
            await relay.call("GET", "/app.js", headers=headers | {"If-None-Match": tag}) for tag in (etag, '"other"')
        ]

        assert etag.startswith('"')
        assert (known.status, known.body, known.headers["ETag"]) == (304, b"", etag)
        assert (other.status, other.body) == (200, CLIENT_FILES["app.js"])

    async def test_each_encoding_has_a_strong_etag_of_its_own(self, relay):
        etags = {
            (await relay.call("GET", "/app.js", headers={"Accept-Encoding": each})).headers["ETag"]
            for each in ("br", "gzip", "identity")
        }

        assert len(etags) == 3

    async def test_file_is_served_as_it_was_at_start(self, relay, static_dir):
        (static_dir / "app.js").write_text("half an upgrade")
        (static_dir / "new.js").write_text("new")

        served, new = await relay.call("GET", "/app.js"), await relay.call("GET", "/new.js")

        assert (served.body, new.status) == (CLIENT_FILES["app.js"], 404)

    async def test_head_has_the_headers_and_no_body(self, relay):
        answer = await relay.call("HEAD", "/app.js", headers={"Accept-Encoding": "identity"})

        assert (answer.status, answer.headers["Content-Length"], answer.body) == (
            200,
            str(len(CLIENT_FILES["app.js"])),
            b"",
        )

    async def test_empty_setting_means_no_client(self, relays):
        relay = await relays(STATIC_DIR="")

        page, file, stats = [await relay.call("GET", path) for path in ("/", "/index.html", "/v1/stats")]

        assert (page.headers["Content-Type"].partition(";")[0], file.status, stats.status) == ("text/plain", 404, 200)

    async def test_own_client_is_served_by_default(self, relays):
        relay = await relays()

        answer = await relay.call("GET", "/chats")

        assert answer.body == (TOP / "static/index.html").read_bytes()

    async def test_part_of_a_page_is_spared_the_headers_of_a_page_and_the_service_worker_is_not(self, relays):
        relay = await relays()

        part, worker = [(await relay.call("GET", path)).headers for path in ("/app.js", "/sw.js")]

        of_a_page = {"Content-Security-Policy", "Permissions-Policy", "Cross-Origin-Opener-Policy", "Referrer-Policy"}
        assert of_a_page & set(part) == set()
        assert of_a_page & set(worker) == of_a_page
        assert part["X-Content-Type-Options"] == "nosniff"


# ------------------------------------------------------------------------------------------------------------------------
# Background work and bounds
# ------------------------------------------------------------------------------------------------------------------------


def memory_growth(start: Callable[[], Any], more: Callable[[], Any]) -> int:
    """Bytes that Python keeps after `more` beyond what it kept after `start`."""
    tracemalloc.start()
    try:
        start()
        before = tracemalloc.get_traced_memory()[0]
        more()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


class TestPruning:
    """What has expired goes by itself, gives its space back, and holds nobody up."""

    @pytest.fixture(name="relay")
    async def relay_that_prunes_often(self, relays, clock, monkeypatch):
        monkeypatch.setattr(relay_module, "PRUNE_SECONDS", 0.05)
        monkeypatch.setattr(relay_module, "HOLD_SECONDS", 0.2)
        return await relays(clock=clock, MAX_MESSAGE_BYTES="1000000", MAILBOX_MAX_MESSAGES="100000")

    async def test_expired_mail_leaves_the_file_and_fresh_mail_stays(self, relay, clock):
        alice, bob = await relay.register(), await relay.register()
        await send_many(alice, bob, 5)
        clock.advance(13 * 86400)
        await alice.register()
        fresh = await send_many(alice, bob, 2)

        clock.advance(1 * 86400)

        await until(lambda: len(rows(relay.database, "SELECT id FROM messages")) == 2)
        await bob.register()
        assert [message["id"] for message in await bob.fetch()] == fresh

    async def test_clock_that_is_wrong_for_a_while_deletes_nothing_and_is_said_once(
        self, relay, clock, monkeypatch, caplog
    ):
        monkeypatch.setattr(relay_module, "HOLD_SECONDS", 3600)
        alice = await relay.register()
        sent = await send_many(alice, alice, 5)

        clock.advance(15 * 86_400)
        await until(lambda: "clock" in caplog.text)
        await asyncio.sleep(0.3)  # six more looks at the clock
        clock.advance(-15 * 86_400)
        await asyncio.sleep(0.2)

        assert [message["id"] for message in await alice.fetch()] == sent
        assert caplog.text.count("nothing is pruned for an hour") == 1

    async def test_clock_that_was_set_while_the_relay_was_down_deletes_nothing_for_an_hour(
        self, relay, clock, monkeypatch, caplog
    ):
        alice = await relay.register()
        sent = await send_many(alice, alice, 5)
        await relay.stop()
        clock.advance(15 * 86_400)

        monkeypatch.setattr(relay_module, "HOLD_SECONDS", 3600)
        await relay.start()
        await until(lambda: "nothing is pruned for an hour" in caplog.text)
        clock.advance(-15 * 86_400)

        assert [message["id"] for message in await alice.fetch()] == sent

    async def test_restart_prunes_at_once_where_the_clock_went_on_as_time_did(self, relay, clock, monkeypatch, caplog):
        alice = await relay.register()
        with contextlib.closing(sqlite3.connect(relay.database, timeout=PATIENCE_SECONDS)) as connection, connection:
            row = (bytes.fromhex(alice.fingerprint), alice.public_key, bytes(24), bytes(100), 0, 1)
            connection.execute(relay_module.STATEMENTS["add_message"], row)
        monkeypatch.setattr(relay_module, "HOLD_SECONDS", 3600)
        await relay.stop()

        await relay.start()

        await until(lambda: rows(relay.database, "SELECT count(*) FROM messages") == [(0,)])
        assert "clock" not in caplog.text

    async def test_space_is_given_back_to_the_file_system(self, relay, clock):
        alice = await relay.register()
        for _ in range(8):
            await alice.send(alice, bytes(500_000))
        pages = rows(relay.database, "PRAGMA page_count")[0][0]

        await relay.app[relay_module.STORE].prune(clock.now() + 15 * 86400)

        assert rows(relay.database, "PRAGMA page_count")[0][0] < pages / 10

    async def test_senders_get_through_while_thousands_of_rows_are_pruned(self, relay, clock):
        alice, bob = await relay.register(), await relay.register()
        old = [(bytes.fromhex(bob.fingerprint), bob.public_key, bytes(24), bytes(500), 0, 1)] * 20_000
        with contextlib.closing(sqlite3.connect(relay.database, timeout=PATIENCE_SECONDS)) as connection, connection:
            connection.executemany(relay_module.STATEMENTS["add_message"], old)
        await until(lambda: rows(relay.database, "SELECT count(*) FROM messages") < [(20_000,)])

        await send_many(alice, bob, 20)
        left_then = rows(relay.database, "SELECT count(*) FROM messages WHERE expires_at = 1")[0][0]

        assert left_then > 0
        await until(lambda: rows(relay.database, "SELECT count(*) FROM messages") == [(20,)])


def resident_bytes(relay: RelayProcess) -> int:
    """What the relay's process holds in memory, all in all."""
    status = Path(f"/proc/{relay.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


def peak_bytes(relay: RelayProcess) -> int:
    """The most that the relay's process ever held in memory."""
    status = Path(f"/proc/{relay.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024


async def ask_and_stall(relay: AnyRelay, person: Person) -> socket.socket:
    """Ask for a page, and take no more than its first bytes."""
    stalled, loop = await stalling_connection(relay), asyncio.get_running_loop()
    request = f"GET /v1/messages?limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n\r\n"
    await loop.sock_sendall(stalled, request.encode())
    assert await asyncio.wait_for(loop.sock_recv(stalled, 12), PATIENCE_SECONDS) == b"HTTP/1.1 200"
    return stalled


async def cut_off_in_a_page(relay: AnyRelay, person: Person) -> None:
    """Ask for a page, and hang up after its first bytes."""
    (await ask_and_stall(relay, person)).close()


async def ask_for_pongs_and_stall(relay: AnyRelay, person: Person) -> socket.socket:
    """Ask a WebSocket for pongs until neither side can send any more."""
    stalled = await shake_hands(relay, person)
    ping = b"\x81\x8f" + bytes(4) + b'{"type":"ping"}'
    with contextlib.suppress(TimeoutError, ConnectionError):  # it may have been let go already
        while True:
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(stalled, ping * 500), 0.3)
    return stalled


async def is_dropped(reader: asyncio.StreamReader) -> bool:
    """Whether the relay has hung up on a connection, or does so now."""
    with contextlib.suppress(TimeoutError, ConnectionError):
        return await asyncio.wait_for(reader.read(65536), 0.01) == b""
    return reader.exception() is not None


async def fetches(person: Person, count: int) -> bool:
    return len(await person.fetch()) == count


async def with_large_mail(relay: AnyRelay) -> Person:
    """Somebody for whom 4 MB wait, in 16 messages."""
    person = await relay.register()
    await asyncio.gather(*(person.send(person, bytes(260_000)) for _ in range(16)))
    return person


async def send_most_of_a_message(relay: AnyRelay, person: Person) -> socket.socket:
    """A POST whose last bytes do not come."""
    request = json.dumps(person.seal(person, bytes(250_000))).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\nContent-Length: {len(request)}\r\n\r\n"
    peer, loop = socket.socket(), asyncio.get_running_loop()
    peer.setblocking(False)
    await loop.sock_connect(peer, ("127.0.0.1", relay.port))
    with contextlib.suppress(ConnectionError):
        await loop.sock_sendall(peer, head.encode() + request[:-10])
    return peer


def refusals(peers: list[socket.socket]) -> list[bytes]:
    """The answers that have come on some of these."""
    answers = []
    for peer in peers:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            answers.append(peer.recv(12, socket.MSG_PEEK))
    return answers


async def sends(person: Person) -> bool:
    return (await person.call("POST", "/v1/messages", json=person.seal(person, b"hello"))).status == 201


async def read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the relay hangs up."""
    received = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while piece := await reader.read(65536):
                received += piece
    return received


async def flood(peer: socket.socket, frame: bytes) -> None:
    """Send frames until the relay hangs up."""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                await asyncio.get_running_loop().sock_sendall(peer, frame * 1000)
    peer.close()


class TestBounds:
    """However many come by, memory stays where it is."""

    def test_addresses_beyond_the_limit_cost_nothing(self):
        limiter = relay_module.RateLimiter(True)

        def come_by(start: int) -> None:
            for number in range(start, start + 20_000):
                limiter.take("stats", f"198.51.100.{number}", now=0.0)

        assert memory_growth(lambda: come_by(0), lambda: come_by(20_000)) < 2_000_000

    async def test_address_with_nothing_under_way_costs_nothing(self, relays):
        relay = await relays(TRUST_FORWARDED_FOR="1")

        for number in range(5):
            await relay.call("GET", "/healthz", headers={"X-Forwarded-For": f"198.51.100.{number}"})

        assert not relay.app[relay_module.IN_FLIGHT]._by_address
        assert not relay.app[relay_module.UNDER_WAY]._by_address

    def test_challenges_cost_nothing(self):
        registrar = relay_module.Registrar(SECRET.encode())
        public_key = bytes(PrivateKey.generate().public_key)

        def ask() -> None:
            for _ in range(1000):
                registrar.challenge(public_key, now=0.0)

        assert memory_growth(ask, ask) < 10_000

    def test_verified_tokens_beyond_the_limit_cost_nothing(self):
        tokens = relay_module.Tokens(SECRET.encode(), 60)

        def remember(start: int) -> None:
            for number in range(start, start + 9000):
                token = signed_token({"sub": f"{number:064x}", "exp": 60})
                tokens.remember(token, tokens.verify(token, now=0.0), tokens.generation)

        assert memory_growth(lambda: remember(0), lambda: remember(9000)) < 1_000_000

    async def test_peer_that_answers_no_ping_is_forgotten(self, relay, monkeypatch):
        monkeypatch.setattr(relay_module, "HEARTBEAT_SECONDS", 0.2)
        alice = await relay.register()

        with await shake_hands(relay, alice):
            await until(lambda: relay.app[relay_module.HUB].socket_count == 1)

            await until(lambda: relay.app[relay_module.HUB].socket_count == 0)

    async def test_readers_who_stall_cost_bounded_memory_and_others_lose_nothing(self, relay_process):
        relay = await relay_process()
        readers = [await with_large_mail(relay) for _ in range(20)]
        before = resident_bytes(relay)

        stalled = [await ask_and_stall(relay, reader) for reader in readers[1:]]  # 5.7 MB each, when all is sent at once
        grown = resident_bytes(relay) - before
        page = (await readers[0].call("GET", "/v1/messages?limit=200")).body

        assert grown < 50_000_000
        assert page["more"] is True and 1 <= len(page["messages"]) < 16
        assert len(await readers[0].fetch_all()) == 16
        for each in stalled:
            each.close()

    async def test_one_page_at_a_time_is_written_for_an_identity_and_it_ends_early_for_who_waits(self, relay):
        alice = await with_large_mail(relay)
        stalled, wanted = await ask_and_stall(relay, alice), relay.app[relay_module.TURNS].wanted

        waiting = [asyncio.create_task(alice.fetch()) for _ in range(2)]
        await until(lambda: wanted[bytes.fromhex(alice.fingerprint)] == 3)
        have_waited = not any(each.done() for each in waiting)
        stalled.close()

        first, second = [len(page) for page in await asyncio.gather(*waiting)]
        assert have_waited
        assert first == 1 < second

    async def test_memory_that_a_busy_minute_took_is_given_back(self, relay_process):
        relay = await relay_process()
        alice, bob = await relay.register(), await relay.register()
        await writes_to(bob, alice)
        before, body = resident_bytes(relay), alice.seal(bob, bytes(250_000))

        for _ in range(2):
            for _ in range(16):
                await alice.send(bob, bytes(260_000))
            await asyncio.gather(*(bob.call("GET", "/v1/messages?limit=200") for _ in range(40)))
            await asyncio.gather(*(alice.call("POST", "/v1/messages", json=body) for _ in range(100)))
            await bob.call("DELETE", "/v1/messages?through_id=1000")

        await until(lambda: resident_bytes(relay) < before + 60_000_000)

    async def test_reader_who_hangs_up_in_the_middle_of_a_page_leaves_nothing(self, relay_process):
        relay = await relay_process()
        alice = await with_large_mail(relay)
        before = peak_bytes(relay)

        for _ in range(60):
            (await ask_and_stall(relay, alice)).close()
        await alice.fetch()

        assert peak_bytes(relay) - before < 30_000_000

    async def test_page_is_paid_for_by_its_size(self, relays, clock):
        relay = await relays(RATE_LIMIT="on", clock=clock)
        alice = await with_large_mail(relay)
        clock.advance(60)

        admitted = [(await alice.call("GET", "/v1/messages?limit=200")).status for _ in range(10)]

        assert 1 < admitted.count(200) < 6

    async def test_body_is_paid_for_by_its_size_though_it_is_of_no_use(self, relays, clock, monkeypatch):
        monkeypatch.setitem(relay_module.LIMITS, "address", (10, 1))
        monkeypatch.setattr(relay_module, "REFUSAL_SECONDS", 0)
        relay = await relays(RATE_LIMIT="on", clock=clock)

        garbage = b"{" + b" " * 3 * relay_module.TOKEN_BYTES
        statuses = [(await relay.call("POST", "/v1/register/challenge", data=garbage)).status for _ in range(4)]

        assert statuses == [400, 400, 400, 429]

    async def test_preflights_are_bounded_by_address_as_all_requests_are(self, relays, clock, monkeypatch):
        monkeypatch.setitem(relay_module.LIMITS, "address", (3, 1))
        monkeypatch.setattr(relay_module, "REFUSAL_SECONDS", 0)
        relay = await relays(RATE_LIMIT="on", clock=clock)

        answers = [await relay.call("OPTIONS", "/v1/messages") for _ in range(4)]

        assert [answer.status for answer in answers] == [204, 204, 204, 429]
        answers[-1].refused(429)

    async def test_bodies_in_flight_find_room_for_so_many_and_the_others_are_told_to_wait(self, relay_process):
        relay = await relay_process()
        alice = await relay.register()
        before = resident_bytes(relay)

        slow = [await send_most_of_a_message(relay, alice) for _ in range(300)]  # 100 MB
        refused = await until(lambda: refusals(slow))
        grown = resident_bytes(relay) - before

        assert {each.split()[1] for each in refused} == {b"503"}
        assert grown < 150_000_000
        for each in slow:
            each.close()
        await until(lambda: sends(alice))

    async def test_message_finds_room_however_large_it_may_be(self, relays):
        relay = await relays(MAX_MESSAGE_BYTES="30000000")
        alice = await relay.register()

        await alice.send(alice, bytes(29_000_000))

        [message] = await alice.fetch()
        assert len(alice.open(message)) == 29_000_000

    @pytest.mark.parametrize("stall", [ask_and_stall, ask_for_pongs_and_stall], ids=["page", "WebSocket"])
    async def test_peer_who_takes_nothing_any_more_is_let_go_with_what_was_meant_for_it(self, relays, monkeypatch, stall):
        monkeypatch.setattr(relay_module, "STALLED_SECONDS", 1)
        relay = await relays()
        alice = await relay.register()
        for _ in range(16):
            await alice.send(alice, bytes(260_000))
        others = len(relay.server.connections)
        connection = relay.server.connections[-1].transport.get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1000

        with await stall(relay, alice):
            await until(lambda: len(relay.server.connections) <= others)

    async def test_connection_too_many_is_dropped_quietly_until_there_is_room(self, relay_process):
        relay = await relay_process("prlimit", "--nofile=100")
        at_start = relay.log

        idle = [await asyncio.open_connection("127.0.0.1", relay.port) for _ in range(200)]

        async def most_are_dropped() -> bool:
            return sum([await is_dropped(reader) for reader, _ in idle]) > 100

        await until(most_are_dropped)
        for _, writer in idle:
            writer.close()
        await until(relay.answers)
        assert relay.log == at_start

    async def test_one_address_has_a_share_of_the_connections(self, relays):
        relay = await relays(RATE_LIMIT="on")

        idle = [await asyncio.open_connection("127.0.0.1", relay.port) for _ in range(300)]
        dropped = [reader for reader, _ in idle if await is_dropped(reader)]
        neighbour = await asyncio.open_connection("127.0.0.1", relay.port, local_addr=("127.0.0.2", 0))
        neighbour[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

        assert len(dropped) == 300 - relay_module.MAX_CONNECTIONS_PER_ADDRESS
        assert await neighbour[0].read(12) == b"HTTP/1.1 200"
        for _, writer in [*idle, neighbour]:
            writer.close()

    @pytest.mark.parametrize("octets", [b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /\x01 HTTP/1.1\r\n\r\n"])
    async def test_one_address_makes_only_so_many_connections_a_second(self, relays, clock, monkeypatch, octets):
        monkeypatch.setitem(relay_module.LIMITS, "connections", (5, 1))
        relay = await relays(RATE_LIMIT="on", clock=clock)

        answered = [bool(await raw_head(relay, octets, "127.0.0.2")) for _ in range(8)]
        neighbour = bool(await raw_head(relay, octets, "127.0.0.3"))
        clock.advance(2)
        later = [bool(await raw_head(relay, octets, "127.0.0.2")) for _ in range(3)]

        assert (answered, neighbour) == ([True] * 5 + [False] * 3, True)
        assert later == [True, True, False]

    async def test_proxy_makes_connections_without_end(self, relays, monkeypatch):
        monkeypatch.setitem(relay_module.LIMITS, "connections", (5, 1))
        relay = await relays(RATE_LIMIT="on", TRUST_FORWARDED_FOR="1")

        assert all([await raw_head(relay, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(8)])

    async def test_one_address_behind_a_proxy_has_a_share_of_what_is_under_way(self, relays):
        relay = await relays(RATE_LIMIT="on", TRUST_FORWARDED_FOR="1")
        people = [await relay.register() for _ in range(16)]

        mine = {"X-Forwarded-For": "192.0.2.1"}

        sockets = [await person.connect(headers=mine) for person in people for _ in range(16)]

        assert len(sockets) == relay_module.MAX_CONNECTIONS_PER_ADDRESS
        assert (await relay.call("GET", "/healthz", headers=mine)).status == 429
        assert (await relay.call("GET", "/healthz", headers={"X-Forwarded-For": "192.0.2.2"})).status == 200

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            (["X: " + "x" * 17_000], 431),
            ([f"X{number}: x" for number in range(100)], 431),
            ([f"X{number}: x" for number in range(60)], 200),
            (["Expect: 100-continue"], 100),
        ],
    )
    async def test_head_is_bounded_in_bytes_and_fields(self, relay, fields, status):
        answer = await raw_head(relay, "\r\n".join(["GET /healthz HTTP/1.1", "Host: x", *fields, "", ""]).encode())

        assert answer.startswith(f"HTTP/1.1 {status}")

    async def test_heads_cost_bounded_memory(self, relay_process):
        relay = await relay_process()
        before = peak_bytes(relay)
        head = b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X%d: %b\r\n" % (n, b"x" * 8000) for n in range(120))

        peers = [await asyncio.open_connection("127.0.0.1", relay.port) for _ in range(12)]
        for _, writer in peers:
            writer.write((head + b"\r\n") * 8)
        await asyncio.gather(*(read_to_the_end(reader) for reader, _ in peers))

        assert peak_bytes(relay) - before < 10_000_000

    async def test_requests_that_are_sent_ahead_are_answered_one_after_the_other(self, relay):
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)

        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 5)

        answers = [await reader.readuntil(b'{"status": "ok"}') for _ in range(5)]
        assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
        writer.close()

    async def test_page_that_fails_in_its_middle_ends_there_though_a_request_was_sent_ahead(self, relay):
        alice = await relay.register()
        for size in (10_000, 260_000):
            await alice.send(alice, bytes(size))
        relay.app[relay_module.IN_FLIGHT]._total = 100_000  # the second finds no room
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)

        page = f"GET /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n\r\n"
        writer.write(page.encode() + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = await read_to_the_end(reader)

        assert received.startswith(b"HTTP/1.1 200") and b'"ciphertext"' in received
        assert received.count(b"HTTP/1.1") == 1
        assert not received.endswith(b"\r\n0\r\n\r\n")  # so that nobody takes it for whole
        writer.close()

    async def test_peer_that_sends_requests_without_end_and_reads_nothing_is_cut_off(self, relay):
        alice = await with_large_mail(relay)
        stalled = await ask_and_stall(relay, alice)

        with pytest.raises(ConnectionError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    await asyncio.get_running_loop().sock_sendall(
                        stalled, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
                    )
        stalled.close()

    @pytest.mark.parametrize(
        "start", ["GET /v1/messages HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade", "CONNECT x:1 HTTP/1.1"]
    )
    async def test_body_that_aiohttp_would_keep_for_another_protocol_is_refused(self, relay, start):
        head = await raw_head(relay, f"{start}\r\nHost: x\r\nContent-Length: 900000000\r\n\r\n".encode())

        assert head.startswith("HTTP/1.1 400") and "Connection: close" in head

    @pytest.mark.parametrize("length", ["2 ", "0000000000000000000000000002"])
    async def test_length_is_understood_however_it_is_written(self, relay, length):
        request = f"POST /v1/register HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{{}}"

        assert (await raw_head(relay, request.encode())).startswith("HTTP/1.1 400")

    async def test_first_head_has_to_come_in_time(self, relay, monkeypatch):
        monkeypatch.setattr(relay_module, "HEAD_SECONDS", 0.1)
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)

        writer.write(b"GET /healthz HTTP/1.1\r\n")

        assert await until(lambda: is_dropped(reader))
        writer.close()

    @pytest.mark.parametrize("line", ["PRI * HTTP/2.0", "GET http://a:99999/ HTTP/1.1"])  # aiohttp may never answer them
    async def test_connection_whose_request_nobody_answers_ends(self, relay, monkeypatch, line):
        monkeypatch.setattr(relay_module, "ANSWER_SECONDS", 0.1, raising=False)
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)

        writer.write(f"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n{line}\r\n\r\n".encode())

        assert await until(lambda: is_dropped(reader))
        writer.close()

    @pytest.mark.parametrize("frame", [b"\x89\x80\0\0\0\0", b"\x8a\x80\0\0\0\0", b"\x81\x8f\0\0\0\0" + b'{"type":"ping"}'])
    async def test_sockets_that_flood_are_cut_off_and_keep_nobody_waiting(self, relay_process, frame):
        relay = await relay_process(RATE_LIMIT="on")
        alice, bob = await relay.register(), await relay.register()
        flooding = [await shake_hands(relay, alice) for _ in range(16)]

        floods = [asyncio.create_task(flood(each, frame)) for each in flooding]
        await bob.send(alice, b"hello")
        await asyncio.gather(*floods)

        assert len(await alice.fetch()) == 1

    async def test_limit_of_open_files_is_raised_as_far_as_may_be(self, relay_process):
        relay = await relay_process("prlimit", "--nofile=64:4000")

        assert resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE) == (4000, 4000)


class TestMetrics:
    """Numbers for whoever keeps the relay running, and for nobody else."""

    async def test_there_are_none_without_a_token_in_the_settings(self, relay):
        assert (await relay.call("GET", "/metrics", token="anything")).status == 404

    @pytest.mark.parametrize("token", [None, "guess", "watch me not"])
    async def test_wrong_token_is_refused(self, relays, token):
        relay = await relays(METRICS_TOKEN="watch me")

        assert (await relay.call("GET", "/metrics", token=token)).status == 401

    async def test_traffic_is_counted_and_nobody_named(self, relays):
        relay = await relays(METRICS_TOKEN="watch me")
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, b"hello")
        await bob.fetch()
        await relay.call("GET", "/v1/me", token="forged")

        text = (await relay.call("GET", "/metrics", token="watch me")).body.decode()

        counted = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert counted["io3233_messages_in_total"] == counted["io3233_messages_out_total"] == "1"
        assert counted['io3233_refusals_total{reason="unauthorized"}'] == "1"
        assert not any(secret in text for secret in (alice.fingerprint, bob.fingerprint, alice.token, "127.0.0.1"))


# ------------------------------------------------------------------------------------------------------------------------
# Command line
# ------------------------------------------------------------------------------------------------------------------------


class Finished(NamedTuple):
    """How a command ended."""

    status: int | None
    stdout: str
    stderr: str

    def refused(self, status: int = 1) -> str:
        """Hold a failure to the form that every one has: a status, a sentence, no traceback. The sentence."""
        assert self.status == status, self
        assert len(self.stderr.split()) > 3 and "Traceback" not in self.stderr, self.stderr
        return self.stderr


async def run_command(
    home: Path, *words: str | bytes, stdin: bytes = b"", relay_py: Path = RELAY_PY, **environ: str
) -> Finished:
    """`python relay.py WORDS` with a home folder and settings, to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, relay_py, *words, env=process_environ(home, environ),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    stdout, stderr = await asyncio.wait_for(process.communicate(stdin), PATIENCE_SECONDS)
    return Finished(process.returncode, stdout.decode(), stderr.decode())


class Listener:
    """`relay.py listen` as a process, whose lines are read as they come."""

    def __init__(self, home: Path) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, url: str, *options: str, **environ: str) -> None:
        with (self.home / "stderr").open("ab") as stderr:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, RELAY_PY, "listen", *options, url, env=process_environ(self.home, environ),
                stdout=asyncio.subprocess.PIPE, stderr=stderr,
            )  # fmt: skip
        await until(lambda: self.invite_link or self.process.returncode is not None)
        assert self.invite_link, self.stderr

    @property
    def stderr(self) -> str:
        return (self.home / "stderr").read_text()

    @property
    def invite_link(self) -> str:
        return (re.findall(r"\S+/chats#chat=[0-9a-f]{64}&server=\S+", self.stderr) or [""])[-1]

    @property
    def fingerprint(self) -> str:
        return self.invite_link.partition("#chat=")[2][:64]

    def cursor(self, relay: AnyRelay) -> int:
        """Where it has left off, as its record says."""
        return json.loads((self.home / ".config/io3233" / state_name(relay)).read_text())["cursor"]

    async def line(self) -> str:
        return (await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_SECONDS)).decode().rstrip("\n")

    async def stop(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.terminate()
        if self.process:
            await asyncio.wait_for(self.process.communicate(), PATIENCE_SECONDS)
        self.process = None


@pytest.fixture
async def listen(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Start one more listener: `await listen(relay, "--json", person=bob)`."""
    listeners: list[Listener] = []

    async def start(
        relay: AnyRelay | HostileRelay, *options: str, person: Person | None = None, **environ: str
    ) -> Listener:
        listeners.append(Listener(tmp_path / f"listener{len(listeners)}"))
        if person:
            write_key(listeners[-1].home, person)
        await listeners[-1].start(relay.url, *options, **environ)
        return listeners[-1]

    yield start
    for each in listeners:
        await each.stop()


def state_name(relay: AnyRelay) -> str:
    """The file beside the key in which `listen` keeps its place on a relay."""
    return "key." + quote(relay.url, safe="")


def open_record(home: Path, origin: str, fingerprint: str = "f" * 64) -> Any:
    """What `send` and `listen` keep of a relay beside the key."""
    return relay_module.RelayRecord.open(home / "key", origin, fingerprint)


def write_key(home: Path, person: Person) -> Path:
    """The person's secret key where the commands look for it."""
    path = home / ".config/io3233/key"
    path.parent.mkdir(parents=True)
    path.write_text(b64(bytes(person.secret_key)) + "\n")
    path.chmod(0o600)
    return path


def not_sqlite(path: Path) -> None:
    path.write_text("these are not the pages you are looking for " * 100)


def sqlite_with(sql: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(sql)

    return make


def damage(database: Path) -> None:
    """What a disk does that gives back other bytes than it was given, from the sixth page on."""
    pages = bytearray(database.read_bytes())
    pages[5 * 4096 :] = os.urandom(len(pages) - 5 * 4096)
    database.write_bytes(pages)


STRANGE_DATABASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no database": (not_sqlite, "not a database"),
    "a newer relay's": (sqlite_with("PRAGMA user_version = 99"), "newer"),
    "the original server's": (
        sqlite_with(
            "CREATE TABLE users (fingerprint TEXT); CREATE TABLE messages (id); CREATE TABLE _sqlx_migrations (version)"
        ),
        "docs/deploy/takeover.py",
    ),
    "another program's": (sqlite_with("CREATE TABLE recipes (id)"), "another program"),
    "a folder": (Path.mkdir, "relay.db"),
}


def addresses_of_default_routes() -> list[str]:
    """This machine's IPv4 address, where it has a default route, as Linux tells it."""
    if not shutil.which("ip"):
        return []
    return re.findall(r"src (\S+)", run("ip", "-4", "route", "get", "192.0.2.77").stdout)


class TestServe:
    """`python relay.py` starts, or says in a sentence why not."""

    async def test_start_line_tells_where_and_what(self, relay_process):
        relay = await relay_process()

        assert relay.url in relay.log
        assert str(relay.database) in relay.log
        assert "14 days" in relay.log

    async def test_missing_secret_is_answered_with_two_lines_that_work_as_typed(self, tmp_path):
        (tmp_path / "relay.py").symlink_to(TOP / "relay.py")
        finished = await run_command(tmp_path, relay_py=tmp_path / "relay.py")
        keep, start = [line for line in finished.refused(2).splitlines() if line.startswith("  ")]

        run("sh", "-c", keep)
        relay = RelayProcess(tmp_path, {"JWT_SECRET": None})
        await relay.start("sh", "-c", f"exec {start}")

        assert (await relay.register()).token
        assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
        await relay.close()

    async def test_missing_package_is_answered_with_what_to_type(self, tmp_path):
        finished = run(sys.executable, "-S", RELAY_PY)  # without any package

        assert "aiohttp" in Finished(finished.returncode, "", finished.stderr).refused()
        assert "python3 -m venv" in finished.stderr and "make run" in finished.stderr

    @pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
    async def test_start_line_has_the_addresses_that_can_be_typed_here_and_elsewhere(self, relay_process, host):
        relay = await relay_process(BIND=host + ":{port}")

        urls = re.findall(r"http://\S+:\d+", relay.log)

        assert urls[0] == relay.url
        assert set(urls) >= {f"http://{address}:{relay.port}" for address in addresses_of_default_routes()}
        for url in urls:
            async with relay.session.get(f"{url}/healthz") as answer:
                assert answer.status == 200

    async def test_unix_socket_takes_the_place_of_a_dead_relays_and_of_nothing_else(self, relay_process, tmp_path):
        path = tmp_path / "relay.sock"
        relay = await relay_process(BIND=f"unix:{path}")
        await relay.stop(signal.SIGKILL)

        await relay.start()

        second = await run_command(tmp_path, JWT_SECRET=SECRET, BIND=f"unix:{path}", DATABASE_URL=f"sqlite:{tmp_path}/2.db")
        assert f"cannot listen on unix:{path}" in second.refused()
        assert (await relay.register()).token and path.stat().st_mode & 0o777 == 0o666

    @pytest.mark.parametrize("path", ["notes.txt", "missing/relay.sock", "long/" * 30])
    async def test_unix_socket_that_can_not_be_made_is_said_and_no_file_is_lost(self, tmp_path, path):
        (tmp_path / "notes.txt").write_text("to keep")

        finished = await run_command(
            tmp_path, JWT_SECRET=SECRET, BIND=f"unix:{tmp_path}/{path}", DATABASE_URL=f"sqlite:{tmp_path}/relay.db"
        )

        assert "BIND" in finished.refused()
        assert (tmp_path / "notes.txt").read_text() == "to keep"

    async def test_unix_socket_without_a_trusted_proxy_is_warned_about(self, relay_process, tmp_path):
        relay = await relay_process(BIND=f"unix:{tmp_path}/relay.sock")

        assert "TRUST_FORWARDED_FOR=1" in relay.log

    async def test_bad_settings_stop_the_start_with_a_line_each(self, tmp_path):
        finished = await run_command(tmp_path, "serve", JWT_SECRET=SECRET, BIND="nonsense", JWT_EXPIRY_SEC="soon")

        assert all(name in finished.refused(2) for name in ("BIND", "'nonsense'", "JWT_EXPIRY_SEC", "'soon'"))
        assert len(finished.stderr.splitlines()) == 2

    async def test_insecure_secret_is_warned_about_loudly(self, relay_process):
        relay = await relay_process(JWT_SECRET=None, ALLOW_INSECURE_JWT_SECRET="1")

        assert "WARNING" in relay.log
        assert "ALLOW_INSECURE_JWT_SECRET" in relay.log

    async def test_port_in_use_is_said(self, tmp_path, relay):
        finished = await run_command(
            tmp_path, JWT_SECRET=SECRET, BIND=f"127.0.0.1:{relay.port}", DATABASE_URL=f"sqlite:{tmp_path}/relay.db"
        )

        assert "BIND" in finished.refused()

    @pytest.mark.parametrize("path", ["/dev/null/relay.db", "/nowhere/relay.db", "{}/relay.db?mode=rw"])
    async def test_database_that_can_not_be_written_is_said(self, tmp_path, path):
        path = path.format(tmp_path)

        finished = await run_command(tmp_path, JWT_SECRET=SECRET, BIND="127.0.0.1:0", DATABASE_URL=f"sqlite:{path}")

        assert path.partition("?")[0] in finished.refused()

    @pytest.mark.parametrize(("make", "hint"), STRANGE_DATABASES.values(), ids=STRANGE_DATABASES.keys())
    async def test_strange_database_is_left_alone_and_said(self, tmp_path, make, hint):
        make(tmp_path / "relay.db")
        before = (tmp_path / "relay.db").is_file() and (tmp_path / "relay.db").read_bytes()

        finished = await run_command(
            tmp_path, JWT_SECRET=SECRET, DATABASE_URL=f"sqlite:{tmp_path}/relay.db", BIND="127.0.0.1:0"
        )

        assert hint in finished.refused()
        assert before is False or (tmp_path / "relay.db").read_bytes() == before

    @pytest.mark.parametrize("folder", ["/nowhere", "."])
    async def test_missing_static_folder_is_said(self, tmp_path, folder):
        static_dir = str(tmp_path / folder)

        finished = await run_command(tmp_path, JWT_SECRET=SECRET, STATIC_DIR=static_dir, BIND="127.0.0.1:0")

        assert "STATIC_DIR" in finished.refused(2)
        assert static_dir in finished.stderr

    async def test_database_is_for_its_owner_only(self, relay_process):
        relay = await relay_process()

        assert {path.stat().st_mode & 0o777 for path in relay.folder.glob("relay.db*")} == {0o600}

    async def test_systemd_is_told_when_the_relay_is_ready_and_when_it_stops(self, relay_process, tmp_path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(tmp_path / "notify"))
            notify.settimeout(PATIENCE_SECONDS)
            relay = await relay_process(NOTIFY_SOCKET=str(tmp_path / "notify"))

            await relay.stop()

            assert [notify.recv(100) for _ in range(2)] == [b"READY=1", b"STOPPING=1"]

    @pytest.mark.parametrize(
        "words", [["--help"], ["send", "--help"], ["listen", "--help"], ["backup", "--help"], ["--version"]]
    )
    async def test_help_and_version_need_no_settings(self, tmp_path, words):
        finished = await run_command(tmp_path, *words)

        assert finished.status == 0
        assert (relay_module.__version__ if words == ["--version"] else "usage: relay.py") in finished.stdout

    @pytest.mark.parametrize("words", [["dance"], ["--dance"], ["backup"], ["send"], ["listen"], ["listen", "a", "b"]])
    async def test_wrong_words_get_the_usage(self, tmp_path, words):
        finished = await run_command(tmp_path, *words)

        assert "usage" in finished.refused(2)

    @pytest.mark.parametrize(
        ("name", "value", "status"),
        [
            ("NOTIFY_SOCKET", "/nowhere/notify", 1),
            ("BIND", "a..b:3233", 1),
            ("BIND", "é..b:3233", 1),
            ("DATABASE_URL", "sqlite:a%00b", 2),
        ],
    )
    async def test_start_that_fails_late_ends_with_a_sentence(self, tmp_path, name, value, status):
        settings = {"JWT_SECRET": SECRET, "BIND": "127.0.0.1:0", "DATABASE_URL": f"sqlite:{tmp_path}/relay.db"}

        finished = await run_command(tmp_path, **settings | {name: value})

        finished.refused(status)


class TestBackup:
    """`relay.py backup` copies the database of a relay that runs."""

    async def test_backup_of_a_running_relay_is_whole_and_starts(self, relay, relays, tmp_path):
        alice, bob = await relay.register(), await relay.register()
        await relay.app[relay_module.STORE]._write(
            lambda db: db.execute("INSERT INTO push_subscriptions VALUES (x'00', 'https://push.example/1', 1)") and None
        )
        sending = asyncio.create_task(send_many(alice, bob, 200))
        first = await alice.send(bob, b"before the backup")

        finished = await run_command(
            tmp_path, "backup", str(tmp_path / "copy.db"), DATABASE_URL=relay.environ["DATABASE_URL"]
        )
        await sending

        assert finished.status == 0, finished
        assert rows(tmp_path / "copy.db", "PRAGMA integrity_check") == [("ok",)]
        assert rows(tmp_path / "copy.db", "SELECT endpoint FROM push_subscriptions") == [("https://push.example/1",)]
        assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
        bob.relay = await relays(DATABASE_URL=f"sqlite:{tmp_path}/copy.db")
        assert first["id"] in [message["id"] for message in await bob.fetch_all()]

    @pytest.mark.parametrize("destination", ["existing.db", "nowhere/copy.db", "."])
    async def test_destination_that_can_not_be_is_said(self, relay, tmp_path, destination):
        (tmp_path / "existing.db").write_text("precious")

        finished = await run_command(
            tmp_path, "backup", str(tmp_path / destination), DATABASE_URL=relay.environ["DATABASE_URL"]
        )

        finished.refused()
        assert (tmp_path / "existing.db").read_text() == "precious"

    async def test_copy_of_a_damaged_database_is_said_and_not_left_behind(self, relay, tmp_path):
        alice = await relay.register()
        await send_many(alice, alice, 50)
        await relay.stop()
        damage(relay.database)

        finished = await run_command(
            tmp_path, "backup", str(tmp_path / "copy.db"), DATABASE_URL=relay.environ["DATABASE_URL"]
        )

        assert str(relay.database) in finished.refused()
        assert list(tmp_path.glob("copy.db*")) == []

    async def test_missing_source_is_said_and_not_made(self, tmp_path):
        finished = await run_command(tmp_path, "backup", str(tmp_path / "copy.db"), DATABASE_URL="sqlite:nowhere.db")

        finished.refused()
        assert not list(tmp_path.glob("*.db"))

    async def test_restored_relay_uses_no_id_again_that_was_given_since_the_backup(self, relay, tmp_path):
        alice, bob = await relay.register(), await relay.register()
        await send_many(alice, bob, 3)
        await run_command(tmp_path, "backup", str(tmp_path / "copy.db"), DATABASE_URL=relay.environ["DATABASE_URL"])
        cursor = (await send_many(alice, bob, 5))[-1]
        await relay.stop()
        for path in relay.folder.glob("relay.db*"):
            path.unlink()
        (tmp_path / "copy.db").rename(relay.database)

        await relay.start()
        sent = await alice.send(bob, b"after the restore")

        assert [message["id"] for message in await bob.fetch(after_id=cursor)] == [sent["id"]]


def envelope(sender: Person, recipient: Person, **changed: Any) -> bytes:
    """An envelope as our clients write it; None leaves a member out."""
    members = {
        "v": 1, "type": "text", "id": b64url(os.urandom(16)), "from": sender.fingerprint, "to": recipient.fingerprint,
        "ts": 1_700_000_000_000, "text": "hello", "pad": "",
    } | changed  # fmt: skip
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


BAD_ENVELOPE_PLAINTEXTS: dict[str, Callable[[Person, Person], bytes]] = {
    "32 bytes, which could be a proof": lambda alice, bob: bytes(32),
    "32 bytes of JSON, which could be one": lambda alice, bob: b'{"text":"hello"}'.ljust(32),
    "nothing": lambda alice, bob: b"",
    "my own words handed back": lambda alice, bob: envelope(bob, alice),
    "for somebody else": lambda alice, bob: envelope(alice, bob, to=NOBODY),
    "by somebody else": lambda alice, bob: envelope(alice, bob, **{"from": NOBODY}),
    "by nobody": lambda alice, bob: envelope(alice, bob, **{"from": None}),
    "for nobody": lambda alice, bob: envelope(alice, bob, to=None),
    "for a list": lambda alice, bob: envelope(alice, bob, to=[bob.fingerprint]),
    "with a short id": lambda alice, bob: envelope(alice, bob, id="x"),
    "with a list as its id": lambda alice, bob: envelope(alice, bob, id=["x"]),
    "of a newer client": lambda alice, bob: envelope(alice, bob, type="picture"),
    "of a type that is no word": lambda alice, bob: envelope(alice, bob, type={"text": 1}),
    "with a number as its text": lambda alice, bob: envelope(alice, bob, text=7),
    "without a text": lambda alice, bob: envelope(alice, bob, text=None),
    "no JSON": lambda alice, bob: b"{" * 64,
    "a list": lambda alice, bob: json.dumps(["x" * 64]).encode(),
    "nested too deeply": lambda alice, bob: b"[" * 50_000,
    "no UTF-8": lambda alice, bob: b"\xff" * 64,
    "an envelope 3": lambda alice, bob: envelope2(alice, bob, Receiver.new(), [], content(type="text", text="hi"), v=3),
    "an envelope 2 that ends early": lambda alice, bob: envelope2(alice, bob, Receiver.new(), [], b"", size=9_999),
    "an envelope 2 for somebody else": lambda alice, bob: envelope2(alice, bob, Receiver.new(), [], b"{}", to=NOBODY),
    "an envelope 2 without an id": lambda alice, bob: envelope2(
        alice, bob, Receiver.new(), [], content(text="hi"), id=None
    ),
    "an envelope 2 of a newer client": lambda alice, bob: envelope2(alice, bob, Receiver.new(), [], content(type="x")),
}


class TestSendAndListen:
    """Two terminals hold a conversation, and believe nothing of a relay that they can check."""

    async def test_two_terminals_talk_both_ways_over_a_restart_of_the_relay(self, relay_process, listen, tmp_path):
        relay = await relay_process()
        alice, bob = await listen(relay), await listen(relay)

        to_bob = await run_command(alice.home, "send", bob.invite_link, stdin=b"hello Bob\n")
        heard_by_bob = await bob.line()
        await relay.stop()
        await relay.start()
        to_alice = await run_command(bob.home, "send", relay.url, alice.fingerprint, "hello Alice")
        heard_by_alice = await alice.line()

        assert (to_bob.status, to_alice.status) == (0, 0), (to_bob, to_alice)
        assert heard_by_bob == f"{alice.fingerprint[:8]} hello Bob"
        assert heard_by_alice == f"{bob.fingerprint[:8]} hello Alice"

    async def test_standard_input_is_sent_and_arrives_as_one_line_of_json(self, relay, listen, tmp_path):
        bob = await listen(relay, "--json")
        text = "Filesystem  Size\n/dev/root    20G\n\ttab “quotes” 🙂"

        sent = await run_command(tmp_path, "send", "--register", bob.invite_link, stdin=(text + "\n").encode())

        received = json.loads(await bob.line())
        assert sent.status == 0, sent
        assert received["text"] == text
        assert re.fullmatch("[0-9a-f]{64}", received["from"])
        assert abs(received["ts"] / 1000 - time.time()) < 60
        assert str(received["id"]) in sent.stderr

    async def test_mail_that_waited_is_printed_once_over_two_runs(self, relay, listen, tmp_path):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, envelope(alice, bob, text="first"))
        listener = await listen(relay, person=bob)
        assert await listener.line() == f"{alice.fingerprint[:8]} first"
        await until(lambda: listener.cursor(relay))
        await listener.stop()
        await alice.send(bob, envelope(alice, bob, text="second"))

        await listener.start(relay.url)

        assert await listener.line() == f"{alice.fingerprint[:8]} second"

    async def test_envelope_is_padded_and_names_both_people(self, relay, tmp_path):
        alice, bob = Person(relay), await relay.register()
        write_key(tmp_path, alice)

        await run_command(tmp_path, "send", relay.url, bob.fingerprint, "hello")

        [message] = await bob.fetch()
        plaintext = json.loads(bob.open(message))
        assert len(bob.open(message)) % 256 == 0
        assert set(plaintext) == {"v", "type", "id", "from", "to", "ts", "text", "pad"}
        assert (plaintext["from"], plaintext["to"], plaintext["text"]) == (alice.fingerprint, bob.fingerprint, "hello")
        assert len(base64.urlsafe_b64decode(plaintext["id"] + "==")) == 16

    @pytest.mark.parametrize("length", [1, 50, 51, 52, 53, 300])
    def test_envelope_is_a_multiple_of_256_bytes_whatever_its_text(self, length):
        plaintext = relay_module.make_envelope("é" * length, bytes(32), bytes(32), 0.0, bytes(16))

        assert len(plaintext) % 256 == 0
        assert json.loads(plaintext)["text"] == "é" * length

    @pytest.mark.parametrize("make", BAD_ENVELOPE_PLAINTEXTS.values(), ids=BAD_ENVELOPE_PLAINTEXTS.keys())
    async def test_what_is_no_message_to_me_is_never_printed_as_one(self, relay, listen, make):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, make(alice, bob))
        await alice.send(bob, envelope(alice, bob, text="a good one"))

        listener = await listen(relay, person=bob)

        assert await listener.line() == f"{alice.fingerprint[:8]} a good one"
        assert "refused message" in listener.stderr or "newer client" in listener.stderr
        assert "Traceback" not in listener.stderr

    async def test_envelope_2_is_printed_where_it_is_not_sealed_once_more_and_else_told_of(self, relay, listen):
        alice, bob = await relay.register(), await relay.register()
        other = Receiver.new()
        said = content(type="text", text="not sealed twice")
        await alice.send(bob, envelope2(alice, bob, Receiver.new(), [other.announced], said))
        await alice.send(bob, envelope2(alice, bob, Receiver.new(), [], said))

        listener = await listen(relay, person=bob)

        assert await listener.line() == f"{alice.fingerprint[:8]} not sealed twice"
        assert "was sealed for another device of this address" in listener.stderr

    async def test_replay_under_another_spelling_of_the_sender_is_printed_once(self, relay, listen):
        alice, bob = Person(relay), Person(relay)
        once, then = (alice.seal(bob, envelope(alice, bob, text=text)) for text in ("once", "then"))
        spellings = [alice.fingerprint, alice.fingerprint.upper(), alice.fingerprint.title()]
        page = [{**once, "id": id, "sender_fingerprint": sender} for id, sender in enumerate(spellings, 1)]
        page.append({**then, "id": 9, "sender_fingerprint": alice.fingerprint.upper()})
        hostile = HostileRelay(messages=lambda: web.json_response({"messages": page}))

        async with hostile.running():
            listener = await listen(hostile, "--json", person=bob)
            printed = [json.loads(await listener.line()) for _ in range(2)]
            await listener.stop()

        assert [each["text"] for each in printed] == ["once", "then"]
        assert {each["from"] for each in printed} == {alice.fingerprint}

    async def test_listeners_on_two_relays_keep_their_places_apart(self, tmp_path):
        one, two = (open_record(tmp_path, origin) for origin in ("http://one", "http://two"))
        one.is_new("alice", "a message")

        one.keep(cursor=100, seen=one.seen)
        two.keep(cursor=7)

        again = open_record(tmp_path, "http://one")
        assert (again.cursor, again.is_new("alice", "a message")) == (100, False)

    async def test_sender_and_listener_of_one_key_change_only_their_own_in_the_record(self, tmp_path):
        listening, sending = (open_record(tmp_path, "http://one") for _ in range(2))

        listening.keep(cursor=100)
        sending.keep(token="a.b.c")

        kept = open_record(tmp_path, "http://one")
        assert (kept.cursor, kept.token) == (100, "a.b.c")

    async def test_record_of_another_key_is_not_gone_on_with(self, tmp_path):
        open_record(tmp_path, "http://one").keep(cursor=100)

        with pytest.raises(relay_module.CommandError, match="belongs to another key"):
            open_record(tmp_path, "http://one", fingerprint=NOBODY)

    async def test_replayed_envelope_is_printed_once(self, relay, listen):
        alice, bob = await relay.register(), await relay.register()
        once = envelope(alice, bob, text="once")
        for plaintext in (once, once, envelope(alice, bob, text="then")):
            await alice.send(bob, plaintext)

        listener = await listen(relay, person=bob)

        assert [await listener.line() for _ in range(2)] == [f"{alice.fingerprint[:8]} {text}" for text in ("once", "then")]

    @pytest.mark.parametrize("member", ["id", "from"], ids=["no id", "an old client's"])
    async def test_copy_of_a_box_without_an_id_is_dropped_and_other_boxes_are_shown(self, relay, listen, member):
        alice, bob = await relay.register(), await relay.register()
        unnamed = {"id": None} | ({"from": None, "to": None} if member == "from" else {})
        first, second = (alice.seal(bob, envelope(alice, bob, text=text, **unnamed)) for text in ("first", "second"))
        for body in (first, first, second):
            await alice.call("POST", "/v1/messages", json=body)

        listener = await listen(relay, person=bob)

        assert [(await listener.line()).split()[-1] for _ in range(2)] == ["first", "second"]

    async def test_message_of_an_old_client_is_shown_and_marked(self, relay, listen):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, b'{"text": "from an old client", "ts": 1700000000000}')
        await alice.send(bob, envelope(alice, bob, text="from an old client"))

        listener = await listen(relay, person=bob)

        old, new = await listener.line(), await listener.line()
        assert "from an old client" in old
        assert old != new == f"{alice.fingerprint[:8]} from an old client"

    @pytest.mark.parametrize("time", ["NaN", "Infinity", "-Infinity", "1e999", '"x"', "[" * 900 + "]" * 900, "{}", "true"])
    async def test_line_of_json_is_json_whatever_time_a_stranger_claims(self, relay, listen, time):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, envelope(alice, bob, ts="TIME").replace(b'"TIME"', time.encode()))
        await alice.send(bob, envelope(alice, bob, text="then"))

        listener = await listen(relay, "--json", person=bob)
        lines = [json.loads(await listener.line(), parse_constant=pytest.fail)]
        if lines[-1]["text"] != "then":
            lines.append(json.loads(await listener.line()))

        assert lines[-1]["text"] == "then"
        assert [line["ts"] for line in lines] in ([1_700_000_000_000], [None, 1_700_000_000_000])

    async def test_letter_that_the_terminal_can_not_show_stops_nobody(self, relay, listen):
        alice, bob = await relay.register(), await relay.register()
        for text in ("a 🙂 for you", "then"):
            await alice.send(bob, envelope(alice, bob, text=text))

        listener = await listen(relay, person=bob, PYTHONIOENCODING="ascii")

        assert await listener.line() == f"{alice.fingerprint[:8]} a \\U0001f642 for you"
        assert await listener.line() == f"{alice.fingerprint[:8]} then"

    async def test_listener_deletes_nothing_unless_told_to(self, relay, listen):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, envelope(alice, bob, text="first"))

        await (keeping := await listen(relay, person=bob)).line()
        await until(lambda: keeping.cursor(relay))
        await keeping.stop()

        assert len(await bob.fetch()) == 1

    async def test_listener_that_acknowledges_lets_the_relay_forget_what_was_printed(self, relay, listen):
        alice, bob = await relay.register(), await relay.register()
        for text in ("first", "second"):
            await alice.send(bob, envelope(alice, bob, text=text))

        listener = await listen(relay, "--acknowledge", person=bob)

        assert [(await listener.line()).split()[-1] for _ in range(2)] == ["first", "second"]
        await until(lambda: fetches(bob, 0))
        await alice.send(bob, envelope(alice, bob, text="third"))
        assert (await listener.line()).endswith("third")
        await until(lambda: fetches(bob, 0))

    async def test_listener_whose_reader_left_ends_quietly(self, relay, listen):
        alice, bob = await relay.register(), await relay.register()
        listener = await listen(relay, person=bob)
        listener.process.stdout._transport.close()

        for _ in range(2):
            await alice.send(bob, envelope(alice, bob))

        await asyncio.wait_for(listener.process.wait(), PATIENCE_SECONDS)
        assert "Traceback" not in listener.stderr

    @pytest.mark.parametrize(
        "content",
        ["nonsense", "[]", "\xff", '{"cursor": "x"}', '{"cursor": 1, "seen": 7}', '{"seen": [[]]}', '{"of": "later"}'],
    )
    async def test_state_file_that_can_not_be_read_is_left_alone_and_said(self, relay, tmp_path, content):
        state = write_key(tmp_path, await relay.register()).with_name(state_name(relay))
        state.write_text(content, encoding="latin-1")

        finished = await run_command(tmp_path, "listen", relay.url)

        assert str(state) in finished.refused()
        assert state.exists()

    async def test_text_can_not_play_tricks_with_the_terminal(self, relay, listen):
        alice, bob = await relay.register(), await relay.register()
        await alice.send(bob, envelope(alice, bob, text="a\x1b[2J\x07\r\nb\u202ec\u009b"))

        line = await (await listen(relay, person=bob)).line()

        assert line.isprintable()
        assert line.startswith(f"{alice.fingerprint[:8]} a")

    async def test_secret_key_is_made_once_and_for_its_owner_only(self, relay, tmp_path):
        bob = await relay.register()
        for _ in range(2):
            await run_command(tmp_path, "send", relay.url, bob.fingerprint, "hello")

        senders = {message["sender_fingerprint"] for message in await bob.fetch()}

        assert len(senders) == 1
        assert (tmp_path / ".config/io3233/key").stat().st_mode & 0o777 == 0o600

    def test_first_starts_at_once_all_get_the_key_that_one_of_them_makes(self, tmp_path):
        with ThreadPoolExecutor(4) as starts:
            for n in range(100):
                reading = [starts.submit(relay_module.read_key_file, tmp_path / str(n)) for _ in range(4)]

                assert len({each.result() for each in reading}) == 1

    async def test_key_file_can_be_named(self, relay, tmp_path):
        bob = await relay.register()

        finished = await run_command(tmp_path, "send", "--key", str(tmp_path / "mine"), relay.url, bob.fingerprint, "hello")

        assert finished.status == 0, finished
        assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600
        assert not (tmp_path / ".config").exists()

    @pytest.mark.parametrize("content", ["", "*", "AAAA", b64(bytes(33))])
    async def test_key_file_that_holds_no_key_is_left_alone_and_said(self, relay, tmp_path, content):
        (tmp_path / "mine").write_text(content)
        (tmp_path / "mine").chmod(0o600)

        finished = await run_command(tmp_path, "send", "--key", str(tmp_path / "mine"), relay.url, NOBODY, "hello")

        assert str(tmp_path / "mine") in finished.refused()
        assert (tmp_path / "mine").read_text() == content

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
    async def test_key_file_that_others_may_read_or_change_is_refused(self, relay, tmp_path, mode):
        bob = await relay.register()
        write_key(tmp_path, Person(relay)).chmod(mode)

        finished = await run_command(tmp_path, "send", relay.url, bob.fingerprint, "hello")

        assert "chmod 600" in finished.refused()
        assert await bob.fetch() == []

    async def test_key_file_that_is_a_link_is_refused(self, relay, tmp_path):
        bob = await relay.register()
        (tmp_path / "mine").symlink_to(write_key(tmp_path, Person(relay)))

        finished = await run_command(tmp_path, "send", "--key", str(tmp_path / "mine"), relay.url, bob.fingerprint, "hello")

        assert "is a link" in finished.refused()
        assert await bob.fetch() == []

    @pytest.mark.parametrize(
        "link",
        [
            "{url}/chats?chat={bob}", "{url}/chats?fp={bob}&server={url}", "{url}#chat={BOB}&server={url}/",
            "{url}/chats#chat={bob}&server={url}&name=Bob%20the%20Builder",
        ],
    )  # fmt: skip
    async def test_every_form_of_an_invite_link_is_understood(self, relay, tmp_path, link):
        bob = await relay.register()
        link = link.format(url=relay.url, bob=bob.fingerprint, BOB=bob.fingerprint.upper())

        finished = await run_command(tmp_path, "send", "--register", link, "hello")

        assert finished.status == 0, finished
        assert len(await bob.fetch()) == 1

    @pytest.mark.parametrize(
        ("words", "stdin"),
        [
            (["{url}", NOBODY, "hello"], b""),
            (["{url}/chats#chat=" + NOBODY[:20], "hello"], b""),
            (["{url}/chats", "hello"], b""),
            (["nonsense", "hello"], b""),
            (["ftp://127.0.0.1", NOBODY, "hello"], b""),
            (["http://[", NOBODY, "hello"], b""),
            (["http://[#chat=" + NOBODY, "hello"], b""),
            (["http://127.0.0.1:1", NOBODY, "hello"], b""),
            (["http://127.0.0.1:99999", NOBODY, "hello"], b""),
            (["{url}", "{bob}", "hello", "world"], b""),
            (["{url}", "{bob}", "   "], b""),
            (["{url}", "{bob}"], b""),
            (["{url}", "{bob}"], b" \n"),
            (["{url}", "{bob}"], b"\xff\xfe"),
            (["{url}", "{bob}"], b"x" * 300_000),
        ],
    )
    async def test_send_says_what_is_wrong(self, relay, tmp_path, words, stdin):
        bob = await relay.register()
        words = [word.format(url=relay.url, bob=bob.fingerprint) for word in words]

        finished = await run_command(tmp_path, "send", *words, stdin=stdin)

        finished.refused()
        assert await bob.fetch() == []

    async def test_link_registers_nowhere_until_told_to_and_then_for_good(self, relay, tmp_path):
        bob = await relay.register()
        link = f"{relay.url}/chats#chat={bob.fingerprint}"

        unasked = await run_command(tmp_path, "send", link, stdin=b"unasked")
        told, later = [await run_command(tmp_path, "send", *words, link, stdin=b"hi") for words in (["--register"], [])]

        assert "--register" in unasked.refused()
        assert (told.status, later.status) == (0, 0), (told, later)
        assert [json.loads(bob.open(each))["text"] for each in await bob.fetch()] == ["hi", "hi"]

    async def test_text_that_is_no_utf8_is_refused(self, relay, tmp_path):
        bob = await relay.register()

        finished = await run_command(tmp_path, "send", relay.url, bob.fingerprint, b"\xff")

        finished.refused()

    async def test_sending_to_oneself_is_refused(self, relay, tmp_path):
        alice = await relay.register()
        write_key(tmp_path, alice)

        finished = await run_command(tmp_path, "send", relay.url, alice.fingerprint, "hello")

        finished.refused()

    @pytest.mark.parametrize(("options", "status"), [([], 1), (["--invite", "wrong"], 1), (["--invite", "open sesame"], 0)])
    async def test_closed_relay_asks_for_its_invite_code(self, relays, tmp_path, options, status):
        relay = await relays(INVITE_CODE="open sesame")
        bob = await relay.register(invite="open sesame")

        finished = await run_command(tmp_path, "send", *options, relay.url, bob.fingerprint, "hello")

        assert finished.status == status, finished

    async def test_invite_code_is_read_from_a_file_that_nobody_sees_among_the_processes(self, relays, tmp_path):
        relay = await relays(INVITE_CODE="open sesame")
        bob = await relay.register(invite="open sesame")
        (tmp_path / "code").write_text("open sesame\n")

        words = ["--invite-file", tmp_path / "code", relay.url, bob.fingerprint]
        finished = await run_command(tmp_path, "send", *words, stdin=b"hello")

        assert finished.status == 0, finished

    async def test_file_that_holds_no_invite_code_is_answered_with_a_sentence(self, relays, tmp_path):
        relay = await relays(INVITE_CODE="open sesame")
        (tmp_path / "code").write_bytes(b"\xff\xfe")

        words = ["--invite-file", tmp_path / "code", relay.url, NOBODY]
        finished = await run_command(tmp_path, "send", *words, stdin=b"hello")

        assert "(403)" in finished.refused()

    @pytest.mark.parametrize("word", ["\x1b[2J", "http://\x1b[2J/#chat=" + NOBODY, "https://a/#chat=\x1b]0;owned\x07"])
    async def test_link_can_not_play_tricks_with_the_terminal(self, tmp_path, word):
        finished = await run_command(tmp_path, "send", word, "hello")

        assert finished.refused().rstrip("\n").isprintable()

    async def test_listen_needs_a_relay_to_start_with(self, tmp_path):
        finished = await run_command(tmp_path, "listen", "http://127.0.0.1:1")

        finished.refused()


async def send_parts(sender: Person, recipient: Person, octets: bytes, numbers: Sequence[int], **changed: Any) -> str:
    """Send these parts of a file as the command line does, its header being `changed`; the file's id."""
    header = file_header(octets, **({"id": b64url(os.urandom(16))} | changed))
    for n in numbers:
        said = {"type": "part", "file": header["id"], "n": n} if n else {"type": "file", "file": header}
        body = content(octets[n * PART_BYTES :][:PART_BYTES], **said)
        await sender.send(recipient, envelope2(sender, recipient, Receiver.new(), [], body))
    return str(header["id"])


def begin_file(folder: Any, octets: bytes = b"hello", sender: str = "f" * 64, **changed: Any) -> dict[str, Any]:
    """Have `listen` begin a file of somebody's; what it knows of it."""
    fields = {"type": "file", "file": file_header(octets, **changed), "octets": octets[:PART_BYTES], "ts": None}
    fields["file"] |= {name: float(fields["file"][name]) for name in ("size", "parts")}
    said = relay_module.read_file(fields) | {"message": 1}
    folder.begin(sender, said)
    folder.add(sender, said["id"], 0, fields["octets"])
    return said


def saved_in(folder: Path) -> dict[str, bytes]:
    """Whole files by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@contextlib.asynccontextmanager
async def terminal(home: Path, relay: AnyRelay, contact: Person) -> AsyncIterator[Any]:
    """The client behind `send`, with a key that `home` keeps."""
    async with relay_module.open_session() as session:
        key_file = home / "key"
        key = relay_module.read_key_file(key_file)
        yield relay_module.Client(session, relay.url, key, key_file, contact=contact.fingerprint)


class TestFilesOfTheCommandLine:
    """`send --file` and `listen --files`: byte for byte, once, under a name that harms nobody; whatever stops them, they go on."""

    async def test_file_arrives_byte_for_byte_with_its_words_and_one_line(self, relay, listen, tmp_path):
        bob, folder = await relay.register(), tmp_path / "in"
        listener = await listen(relay, "--json", "--files", str(folder), person=bob)
        (path := tmp_path / "a photo.jpg").write_bytes(os.urandom(2 * PART_BYTES + 5))

        sent = await run_command(tmp_path, "send", "--file", str(path), relay.url, bob.fingerprint, "look")
        line = json.loads(await listener.line())

        assert sent.status == 0, sent
        assert (line["text"], line["file"]) == ("look", str(folder / path.name))
        assert saved_in(folder) == {path.name: path.read_bytes()}
        await until(lambda: not list((folder / ".partial").iterdir()))

    async def test_each_envelope_has_the_id_that_its_part_has_to_have_and_a_length_that_tells_little(self, relay, tmp_path):
        bob = await relay.register()
        (path := tmp_path / "film.mp4").write_bytes(os.urandom(PART_BYTES + 1))

        await run_command(tmp_path, "send", "--file", str(path), relay.url, bob.fingerprint, stdin=b"not read")

        first, second = [bob.open(row) for row in await bob.fetch()]
        header, said = (json.loads(part) for part in first.split(b"\0", 2)[:2])
        assert said["file"]["mime"] == "video/mp4" and "text" not in said and "keys" not in header
        assert json.loads(second.partition(b"\0")[0])["id"] == part_id(said["file"]["id"], 1)
        assert (len(first) % 2048, len(second) % 256) == (0, 0)

    async def test_file_of_a_name_that_is_taken_gets_another_and_nothing_is_overwritten(self, relay, listen, tmp_path):
        alice, bob = await relay.register(), await relay.register()
        (folder := tmp_path / "in").mkdir()
        (folder / "film.bin").write_bytes(b"mine")
        (folder / "film (2).bin").symlink_to(tmp_path / "elsewhere")

        await send_parts(alice, bob, b"hello", [0])
        listener = await listen(relay, "--files", str(folder), person=bob)

        assert await listener.line() == f"{alice.fingerprint[:8]} {folder}/film (3).bin"
        assert saved_in(folder) == {"film.bin": b"mine", "film (3).bin": b"hello"}
        assert not (tmp_path / "elsewhere").exists()

    @pytest.mark.parametrize(
        ("name", "saved"),
        [
            ("../../x", "x"), ("a\u202egpj.exe", "agpj.exe"), ("C:\\temp\\a.txt", "a.txt"), (".bashrc", "bashrc"), ("..", "file"),
            ("/", "file"), ("a/", "a"), ("a\x1b[2J.txt", "a[2J.txt"), ("a:b?.txt", "a_b_.txt"), ("x" * 10_000, "x" * 180),
            ("日" * 255 + ".jpg", "日" * 60 + ".jpg"), ("a." + "b" * 300, "a." + "b" * 178), (" . ", "file"), ("\u200b", "file"),
        ],
        ids=lambda name: repr(name)[:20],
    )  # fmt: skip
    def test_name_is_made_safe(self, name, saved):
        assert relay_module.safe_name(name) == saved

    async def test_listener_that_is_killed_goes_on_with_the_parts_that_it_has(self, relay, listen, tmp_path):
        alice, bob, folder = await relay.register(), await relay.register(), tmp_path / "in"
        octets, file_id = os.urandom(3 * PART_BYTES), b64url(os.urandom(16))
        listener = await listen(relay, "--acknowledge", "--files", str(folder), person=bob)
        await send_parts(alice, bob, octets, [0, 2], id=file_id)
        await until(lambda: fetches(bob, 0))

        listener.process.kill()
        assert saved_in(folder) == {}
        await listener.start(relay.url, "--acknowledge", "--files", str(folder))
        await alice.send(
            bob,
            envelope2(
                alice, bob, Receiver.new(), [], content(octets[PART_BYTES:][:PART_BYTES], type="part", file=file_id, n=1)
            ),
        )

        assert (await listener.line()).endswith("/film.bin")
        assert saved_in(folder) == {"film.bin": octets}

    def test_file_that_had_its_name_when_the_listener_was_killed_is_not_saved_twice(self, tmp_path):
        said = begin_file(folder := relay_module.FileFolder(tmp_path))
        first = folder.add("f" * 64, said["id"], 0, b"hello")

        again = relay_module.FileFolder(tmp_path).add("f" * 64, said["id"], 0, b"hello")

        assert first == again and saved_in(tmp_path) == {"film.bin": b"hello"}

    async def test_sender_goes_on_with_the_part_at_which_it_was_stopped(self, relays, listen, tmp_path, monkeypatch):
        monkeypatch.setattr(relay_module, "FULL_ATTEMPTS", 1)
        relay = await relays(MAILBOX_MAX_MESSAGES="4")
        bob, folder = await relay.register(), tmp_path / "in"
        (path := tmp_path / "film.bin").write_bytes(os.urandom(2 * PART_BYTES))
        async with terminal(tmp_path, relay, bob) as client:
            with pytest.raises(relay_module.CommandError, match="507"):
                await client.send_file(path, "")
        listener = await listen(relay, "--acknowledge", "--files", str(folder), person=bob)
        await until(lambda: fetches(bob, 0))
        async with terminal(tmp_path, relay, bob) as client:
            last = await client.send_file(path, "")

        assert (await listener.line()).endswith("/film.bin")
        assert saved_in(folder) == {"film.bin": path.read_bytes()}
        assert last == 2  # and not the first once more

    async def test_full_mailbox_is_waited_for(self, relays, tmp_path, monkeypatch):
        monkeypatch.setattr(relay_module, "FULL_SECONDS", 0.05)
        relay = await relays(MAILBOX_MAX_MESSAGES="4")
        bob = await relay.register()
        (path := tmp_path / "film.bin").write_bytes(os.urandom(5 * PART_BYTES))

        async with terminal(tmp_path, relay, bob) as client:
            sending = asyncio.create_task(client.send_file(path, ""))
            while not sending.done():
                for row in await bob.fetch():
                    await bob.call("DELETE", f"/v1/messages/{row['id']}")

        assert await sending == 5

    @pytest.mark.parametrize(
        ("changed", "numbers", "why"),
        [
            ({"sha256": "0" * 64}, [0, 1], "is not what its sender hashed"),
            ({"size": 131_072}, [0, 1], "another length than it said"),
            ({"parts": 10**9}, [0], "breaks a rule"),
            ({"name": "x" * 10_000}, [0], "breaks a rule"),
        ],
        ids=["a wrong hash", "a part too short", "too many parts", "a long name"],
    )
    async def test_file_that_is_not_what_it_says_is_refused_and_leaves_nothing(
        self, relay, listen, tmp_path, changed, numbers, why
    ):
        alice, bob, folder = await relay.register(), await relay.register(), tmp_path / "in"
        await send_parts(alice, bob, os.urandom(PART_BYTES + 5), numbers, **changed)
        await alice.send(bob, envelope(alice, bob, text="then"))

        listener = await listen(relay, "--files", str(folder), person=bob)

        assert await listener.line() == f"{alice.fingerprint[:8]} then"
        assert why in listener.stderr
        assert [path.name for path in folder.rglob("*")] == [".partial"]

    async def test_part_and_file_that_came_before_change_nothing(self, relay, listen, tmp_path):
        alice, bob, folder = await relay.register(), await relay.register(), tmp_path / "in"
        file_id = await send_parts(alice, bob, b"hello", [0])
        await send_parts(alice, bob, b"other", [0], id=file_id)
        await send_parts(alice, bob, os.urandom(2 * PART_BYTES), [1])
        await alice.send(bob, envelope(alice, bob, text="then"))

        listener = await listen(relay, "--files", str(folder), person=bob)

        assert [(await listener.line())[9:] for _ in range(2)] == [f"{folder}/film.bin", "then"]
        assert saved_in(folder) == {"film.bin": b"hello"}

    def test_files_that_are_never_whole_are_bounded(self, tmp_path, monkeypatch):
        monkeypatch.setattr(relay_module, "MAX_PARTIAL_FILES", 4)
        folder = relay_module.FileFolder(tmp_path)

        begun = [begin_file(folder, bytes(PART_BYTES + 1))["id"] for _ in range(9)]

        kept = {path.name.split()[1] for path in (tmp_path / ".partial").iterdir()}
        assert len(kept) == 4 and begun[-1] in kept

    async def test_relay_that_goes_away_from_who_waits_for_room_is_told_of(self, relays, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(relay_module, "FULL_SECONDS", 0.05)
        relay = await relays(MAILBOX_MAX_MESSAGES="4")
        bob, said = await relay.register(), []
        (path := tmp_path / "film.bin").write_bytes(os.urandom(5 * PART_BYTES))

        async with terminal(tmp_path, relay, bob) as client:
            sending = asyncio.create_task(client.send_file(path, ""))
            await until(
                lambda: said.append(capsys.readouterr().err) or "".join(said).count("again") > relay_module.ATTEMPTS
            )
            await relay.stop()

            with pytest.raises(relay_module.CommandError, match="cannot reach"):
                await asyncio.wait_for(sending, PATIENCE_SECONDS)

    def test_unfinished_files_of_one_sender_take_no_place_of_anothers(self, tmp_path):
        folder = relay_module.FileFolder(tmp_path)
        mine = begin_file(folder, bytes(PART_BYTES + 1))["id"]

        for _ in range(relay_module.MAX_PARTIAL_FILES):
            begin_file(folder, bytes(PART_BYTES + 1), sender="b" * 64)

        kept = [path.name.split() for path in (tmp_path / ".partial").iterdir()]
        assert len(kept) == 1 + relay_module.MAX_PARTIAL_OF_SENDER and mine in {file_id for _, file_id in kept}

    async def test_folder_in_which_no_file_could_get_its_name_is_refused_at_once(self, relay, tmp_path):
        (tmp_path / "file").write_bytes(b"")

        finished = await run_command(tmp_path, "listen", "--files", str(tmp_path / "file"), relay.url)

        assert "name a folder on another disk" in finished.refused()

    def test_disk_that_is_almost_full_takes_no_file(self, tmp_path, monkeypatch):
        monkeypatch.setattr(relay_module, "LEAST_FREE", 1.1)

        with pytest.raises(relay_module.EnvelopeRefused, match="disk"):
            begin_file(relay_module.FileFolder(tmp_path))

    async def test_file_that_can_not_be_saved_now_is_saved_when_it_can(self, relay, listen, tmp_path):
        alice, bob, folder = await relay.register(), await relay.register(), tmp_path / "in"
        listener = await listen(relay, "--files", str(folder), person=bob)
        (folder / ".partial").rmdir()

        await send_parts(alice, bob, b"hello", [0])
        await until(lambda: "cannot save" in listener.stderr)
        (folder / ".partial").mkdir()

        assert (await listener.line()).endswith("film.bin")

    async def test_listener_whose_reader_left_ends_at_a_file_too(self, relay, listen, tmp_path):
        alice, bob = await relay.register(), await relay.register()
        listener = await listen(relay, "--files", str(tmp_path / "in"), person=bob)
        listener.process.stdout._transport.close()

        await send_parts(alice, bob, b"hello", [0])

        await asyncio.wait_for(listener.process.wait(), PATIENCE_SECONDS)
        assert "Traceback" not in listener.stderr and "cannot save" not in listener.stderr

    async def test_listener_without_a_folder_says_that_there_was_a_file(self, relay, listen):
        alice, bob = await relay.register(), await relay.register()
        await send_parts(alice, bob, os.urandom(PART_BYTES + 1), [0, 1])
        await alice.send(bob, envelope(alice, bob, text="then"))

        listener = await listen(relay, person=bob)

        assert (await listener.line()).endswith(" then")
        assert listener.stderr.count("was the file film.bin: listen --files DIR saves such") == 1
        assert "refused" not in listener.stderr

    @pytest.mark.parametrize("octets", [None, b"", bytes(2**24 + 1)], ids=["no file", "empty", "over 16 MiB"])
    async def test_file_that_can_not_be_sent_is_said(self, relay, tmp_path, octets):
        bob = await relay.register()
        if octets is not None:
            (tmp_path / "film.bin").write_bytes(octets)

        finished = await run_command(tmp_path, "send", "--file", str(tmp_path / "film.bin"), relay.url, bob.fingerprint)

        assert "film.bin" in finished.refused()
        assert await bob.fetch() == []

    async def test_folder_that_can_not_be_made_is_said(self, relay, tmp_path):
        finished = await run_command(tmp_path, "listen", "--files", "/dev/null/in", relay.url)

        assert "/dev/null/in" in finished.refused()


class HostileRelay:
    """Answers as it is told, and keeps what clients prove."""

    def __init__(self, **answers: Any) -> None:
        challenge = {"challenge": b64(os.urandom(32)), "server_public_key": b64(bytes(PrivateKey.generate().public_key))}
        self.challenge = challenge | {"expires_in": 60, "bound_proof": True, "origin": "http://127.0.0.1"}
        self.answers = {"key": {}, "post": {"id": 1}, "messages": {"messages": []}, "ws": self.hint} | answers
        self.proofs: list[dict[str, Any]] = []
        self.posted: list[dict[str, Any]] = []
        self.upgrades: list[web.Request] = []
        self.asked: list[str] = []
        self.refuses = 0
        self.hints: asyncio.Queue[int] = asyncio.Queue()
        self.url = f"http://127.0.0.1:{free_port()}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/v1/")
        self.asked.append(path)
        body = await request.json() if request.method == "POST" else {}
        if path == "register/challenge":
            return web.json_response(self.challenge)
        if path == "register":
            self.proofs.append(body)
            fingerprint = hashlib.sha256(unb64(body["public_key"])).hexdigest()
            return web.json_response({"fingerprint": fingerprint, "token": "a.b.c", "expires_in": 60})
        if path == "ws":
            self.upgrades.append(request)
            return await self.answers["ws"](request)
        if self.refuses and path.startswith("keys/"):
            self.refuses -= 1
            return web.json_response({"error": "who are you?"}, status=401)
        if path == "messages" and request.method == "POST":
            self.posted.append(body)
        answer = self.answers["key" if path.startswith("keys/") else "post" if request.method == "POST" else "messages"]
        if isinstance(answer, dict) and "messages" in answer and isinstance(answer["messages"], list):
            after_id = int(request.query.get("after_id", 0))
            answer = {"messages": [row for row in answer["messages"] if row["id"] > after_id]}
        response = web.json_response(answer) if isinstance(answer, dict | list) else answer()
        if response is None:
            request.transport.abort()
        return web.Response() if response is None else response

    def presents(self, key: PrivateKey) -> None:
        """Name another registration key, and refuse the tokens of before."""
        self.challenge["server_public_key"] = b64(bytes(key.public_key))
        self.refuses = len(self.posted)

    def downgrades(self) -> None:
        """Know nothing of the bound proof any more, and refuse the tokens of before."""
        self.challenge["bound_proof"] = False
        self.refuses = len(self.posted)

    async def hint(self, request: web.Request) -> web.StreamResponse:
        """A socket that gives each of `hints` as they come, until the client leaves."""
        websocket = web.WebSocketResponse(protocols=("3233.v1",))
        await websocket.prepare(request)

        async def give() -> None:
            while True:
                await websocket.send_json({"type": "new_message", "id": await self.hints.get()})

        giving = asyncio.create_task(give())
        async for _ in websocket:
            pass
        giving.cancel()
        return websocket

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(self.url.rpartition(":")[2])).start()
        try:
            yield self.url
        finally:
            await runner.cleanup()


async def no_upgrade(request: web.Request) -> web.Response:
    """What a proxy answers that knows nothing of WebSockets."""
    return web.Response(status=404, text="not found")


async def redirect(url: str) -> web.Response:
    return web.Response(status=302, headers={"Location": url})


LIES: dict[str, Any] = {
    "another key": {"public_key": b64(bytes(PrivateKey.generate().public_key))},
    "a key of low order": {"public_key": b64(bytes(32))},
    "no key": {},
    "half a key": {"public_key": b64(bytes(16))},
    "a list": [],
    "HTML": lambda: web.Response(text="<html>welcome</html>", content_type="text/html"),
    "JSON nested too deeply": lambda: web.Response(body=b"[" * 100_000, content_type="application/json"),
    "no UTF-8": lambda: web.Response(body=b'{"public_key": "\xff"}', content_type="application/json"),
    "a way elsewhere": lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    "an error": lambda: web.json_response({"error": "no \x1b[2J idea"}, status=500),
    "an error that is none": lambda: web.json_response(["what?"], status=500),
    "20 MiB": lambda: web.Response(body=b" " * 20 * 1024 * 1024, content_type="application/json"),
}


class TestHostileRelay:
    """What a relay that turned against its people gets out of our client: nothing."""

    @pytest.mark.parametrize("bound", [True, False, None, "true"])
    async def test_naming_a_contacts_key_yields_nothing_that_opens_as_a_message(self, relay, bound):
        alice, contact = Person(relay), Person(relay)
        hostile = HostileRelay()
        hostile.challenge |= {"server_public_key": b64(contact.public_key), "bound_proof": bound}

        async with hostile.running() as url, aiohttp.ClientSession() as session:
            client = relay_module.Client(session, url, bytes(alice.secret_key))
            with contextlib.suppress(relay_module.CommandError):
                await client.register()

        given = [
            unb64(value)
            for proof in hostile.proofs
            for name, value in proof.items()
            if name not in ("public_key", "challenge")
        ]
        assert [len(value) for value in given] == [32] * (bound is True)
        assert all(not opens(contact, alice, value, nonce) for value in given for nonce in (bytes(24), *given))

    async def test_relay_without_the_bound_proof_is_used_only_when_asked_for(self, tmp_path):
        hostile = HostileRelay()
        del hostile.challenge["bound_proof"]

        async with hostile.running() as url:
            refused = await run_command(tmp_path, "send", url, NOBODY, "hello")
            await run_command(tmp_path, "send", "--v1-proof", url, NOBODY, "hello")

        assert "--v1-proof" in refused.refused()
        assert [sorted(proof) for proof in hostile.proofs] == [
            ["challenge", "proof_ciphertext", "proof_nonce", "public_key"]
        ]

    @pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
    async def test_send_sees_through_a_lie_about_a_key(self, tmp_path, lie):
        posted = []
        hostile = HostileRelay(key=lie, post=lambda: posted.append(1) or web.json_response({"id": 1}))

        async with hostile.running() as url:
            finished = await run_command(tmp_path, "send", url, NOBODY, "hello")

        finished.refused()
        assert not posted
        assert "\x1b" not in finished.stderr

    async def test_reason_of_a_refusal_is_cut(self, tmp_path):
        hostile = HostileRelay(key=lambda: web.json_response({"error": "no, " * 100_000}, status=404))

        async with hostile.running() as url:
            finished = await run_command(tmp_path, "send", url, NOBODY, "hello")

        assert "no, no" in finished.refused() and len(finished.stderr) < 1000

    async def test_name_of_a_sender_is_cut(self, listen):
        hostile = HostileRelay(messages={"messages": [{"id": 1, "sender_fingerprint": "x" * 10_000}]})

        async with hostile.running():
            listener = await listen(hostile)
            await until(lambda: "refused message 1" in listener.stderr)
            await listener.stop()

        assert len(listener.stderr) < 1000

    async def test_answer_that_is_compressed_is_not_unpacked(self, tmp_path):
        bob = Person(None)
        packed = gzip.compress(json.dumps({"public_key": b64(bob.public_key)}).encode())
        hostile = HostileRelay(key=lambda: web.Response(body=packed, headers={"Content-Encoding": "gzip"}))

        async with hostile.running() as url:
            finished = await run_command(tmp_path, "send", url, bob.fingerprint, "hello")

        assert "does not answer as a relay does" in finished.refused()
        assert hostile.posted == []

    async def test_cookie_is_not_brought_back(self, listen):
        hostile = HostileRelay(messages=lambda: web.json_response({"messages": []}, headers={"Set-Cookie": "who=you"}))
        hostile.url = hostile.url.replace("127.0.0.1", "localhost")  # aiohttp takes none from a bare address

        async with hostile.running():
            listener = await listen(hostile)
            await until(lambda: hostile.upgrades)
            await listener.stop()

        assert "Cookie" not in hostile.upgrades[0].headers

    @pytest.mark.parametrize(
        "challenge",
        [
            {},
            {"challenge": 7},
            {"server_public_key": b64(bytes(32))},
            {"server_public_key": "*"},
            {"challenge": b64(bytes(31))},
        ],
    )
    async def test_send_sees_through_a_strange_challenge(self, tmp_path, challenge):
        hostile = HostileRelay()
        hostile.challenge = hostile.challenge | challenge if challenge else {}

        async with hostile.running() as url:
            finished = await run_command(tmp_path, "send", url, NOBODY, "hello")

        finished.refused()
        assert not hostile.proofs

    @pytest.mark.parametrize("page", [{"messages": None}, {"messages": 5}, {"messages": [1]}, {}, [1]], ids=str)
    async def test_listener_outlives_a_page_that_is_none(self, listen, page):
        hostile = HostileRelay(messages=lambda: web.json_response(page))

        async with hostile.running():
            listener = await listen(hostile)
            await until(lambda: "trying again" in listener.stderr)
            hostile.answers["messages"] = {"messages": []}
            asked = len(hostile.asked)
            await until(lambda: "messages" in hostile.asked[asked:])

            assert listener.process.returncode is None
            assert "Traceback" not in listener.stderr
            await listener.stop()

    @pytest.mark.parametrize("challenge", [{}, {"challenge": "AA=="}, {"server_public_key": 7}], ids=str)
    async def test_listener_outlives_a_strange_challenge_when_it_comes_back(self, listen, challenge):
        hostile = HostileRelay(messages=lambda: web.json_response({"error": "who are you?"}, status=401))

        async with hostile.running():
            listener = await listen(hostile)
            hostile.challenge = hostile.challenge | challenge if challenge else {}
            asked = len(hostile.asked)
            await until(lambda: hostile.asked[asked:].count("register/challenge") >= 2)

            assert listener.process.returncode is None
            assert "Traceback" not in listener.stderr
            await listener.stop()

    @pytest.mark.parametrize(("bound", "goes_on"), [(True, False), (False, True)])
    async def test_changed_registration_key_stops_where_it_is_pinned_and_is_told_at_a_relay_of_the_old_kind(
        self, tmp_path, bound, goes_on
    ):
        alice, bob = Person(None), Person(None)
        hostile = HostileRelay(key={"public_key": b64(bob.public_key)})
        hostile.challenge["bound_proof"] = bound
        write_key(tmp_path, alice)

        async with hostile.running() as url:
            words = ["send", "--v1-proof", url, bob.fingerprint, "hello"]
            assert (await run_command(tmp_path, *words)).status == 0
            hostile.presents(PrivateKey.generate())
            again = await run_command(tmp_path, *words)

        assert "presents another registration key than before" in again.stderr
        assert (again.status, len(hostile.posted)) == ((0, 2) if goes_on else (1, 1))

    async def test_relay_that_offered_the_bound_proof_gets_no_other(self, tmp_path):
        alice, bob = Person(None), Person(None)
        hostile = HostileRelay(key={"public_key": b64(bob.public_key)})
        write_key(tmp_path, alice)

        async with hostile.running() as url:
            assert (await run_command(tmp_path, "send", url, bob.fingerprint, "hello")).status == 0
            hostile.downgrades()
            refused = await run_command(tmp_path, "send", "--v1-proof", url, bob.fingerprint, "hello")

        assert "no longer knows the better proof" in refused.refused()
        assert len(hostile.proofs) == 1

    @pytest.mark.parametrize("whose", ["my own", "the contact's", "another relay's"])
    @pytest.mark.parametrize("bound", [True, False])
    async def test_relay_that_presents_somebodys_key_as_its_own_gets_no_proof(self, tmp_path, whose, bound):
        alice, bob, other = Person(None), Person(None), PrivateKey.generate()
        record = open_record(write_key(tmp_path, alice).parent, "https://other.example.com", alice.fingerprint)
        record.keep(server_public_key=b64(bytes(other.public_key)))
        hostile = HostileRelay()
        keys = {"my own": alice.secret_key, "the contact's": bob.secret_key, "another relay's": other}
        hostile.presents(keys[whose])
        hostile.challenge["bound_proof"] = bound

        async with hostile.running() as url:
            finished = await run_command(tmp_path, "send", "--v1-proof", url, bob.fingerprint, "hello")

        assert "presents the" in finished.refused()
        assert hostile.proofs == []

    async def test_relay_under_a_new_address_is_gone_on_with_once_its_record_is_renamed(self, tmp_path):
        alice, bob = Person(None), Person(None)
        hostile = HostileRelay(key={"public_key": b64(bob.public_key)})
        record = open_record(write_key(tmp_path, alice).parent, "https://old.example.com", alice.fingerprint)
        record.keep(server_public_key=hostile.challenge["server_public_key"], bound=True, cursor=42)

        async with hostile.running() as url:
            refused = await run_command(tmp_path, "send", url, bob.fingerprint, "hello")
            old, new = re.search(r"rename (\S+) to (\S+)", refused.refused()).groups()
            Path(old).rename(new)
            sent = await run_command(tmp_path, "send", url, bob.fingerprint, "hello")

        assert sent.status == 0, sent
        assert open_record(record.path.parent, url, alice.fingerprint).cursor == 42

    async def test_message_is_never_sealed_in_place_of_a_challenge(self, tmp_path):
        hostile = HostileRelay()
        hostile.challenge |= {"bound_proof": False, "challenge": b64(b'{"text":"no","ts":1700000000000}')}

        async with hostile.running() as url:
            finished = await run_command(tmp_path, "send", "--v1-proof", url, NOBODY, "hello")

        assert "seal a message" in finished.refused()
        assert hostile.proofs == []

    @pytest.mark.parametrize(
        "first",
        [
            lambda: web.json_response({"error": "later"}, status=503),
            lambda: web.json_response({"error": "later"}, status=429, headers={"Retry-After": "1"}),
            lambda: web.Response(status=200),
            lambda: web.json_response({"id": "1"}, status=201),
            lambda: web.Response(text="<html>timed out</html>", content_type="text/html"),
            lambda: None,
        ],
        ids=["503", "429", "an empty 200", "an id that is none", "a page of the proxy's", "the connection lost"],
    )
    async def test_message_without_a_receipt_is_sent_again_as_the_same_one(self, tmp_path, first):
        bob, answers = Person(None), [first, lambda: web.json_response({"id": 7}, status=201)]
        hostile = HostileRelay(key={"public_key": b64(bob.public_key)}, post=lambda: answers.pop(0)())

        async with hostile.running() as url:
            finished = await run_command(tmp_path, "send", url, bob.fingerprint, "hello")

        assert finished.status == 0 and "sent as 7" in finished.stderr, finished
        assert len(hostile.posted) == 2 and hostile.posted[0] == hostile.posted[1]

    async def test_retry_after_is_waited_out_before_anything_is_asked_again(self, tmp_path):
        bob, times = Person(None), []
        pause = web.json_response({"error": "wait"}, status=429, headers={"Retry-After": "3"})
        answers = [pause, web.json_response({"public_key": b64(bob.public_key)})]
        hostile = HostileRelay(key=lambda: times.append(time.monotonic()) or answers.pop(0))

        async with hostile.running() as url:
            finished = await run_command(tmp_path, "send", url, bob.fingerprint, "hello")

        assert finished.status == 0, finished
        assert times[1] - times[0] >= 3

    @pytest.mark.parametrize("status", [400, 401, 404, 413, 507])
    async def test_plain_text_of_an_old_relay_is_the_reason_and_nothing_is_asked_twice(self, tmp_path, status):
        bob = Person(None)
        hostile = HostileRelay(
            key={"public_key": b64(bob.public_key)}, post=lambda: web.Response(status=status, text="no such \x1b[2J luck")
        )

        async with hostile.running() as url:
            finished = await run_command(tmp_path, "send", url, bob.fingerprint, "hello")

        assert f"({status}): no such \\x1b[2J luck" in finished.refused()
        assert len(hostile.posted) == (2 if status == 401 else 1)

    @pytest.mark.parametrize("bound", [True, False])
    async def test_mail_comes_where_no_socket_opens_and_only_an_old_relay_gets_the_token_in_a_url(self, listen, bound):
        alice, bob = Person(None), Person(None)
        row = {**alice.seal(bob, envelope(alice, bob, text="hello")), "id": 1, "sender_fingerprint": alice.fingerprint}
        hostile = HostileRelay(ws=no_upgrade, messages={"messages": []})
        hostile.challenge["bound_proof"] = bound

        async with hostile.running():
            listener = await listen(hostile, "--v1-proof", person=bob)
            await until(lambda: hostile.upgrades and "no live connection" in listener.stderr)
            hostile.answers["messages"] = {"messages": [row]}
            line = await listener.line()
            await listener.stop()

        assert line == f"{alice.fingerprint[:8]} hello"
        assert {request.query.get("token") for request in hostile.upgrades} == ({None} if bound else {"a.b.c"})
        assert "a.b.c" not in listener.stderr

    async def test_token_follows_no_redirect_of_the_socket(self, listen):
        elsewhere, hostile = HostileRelay(), HostileRelay()
        hostile.answers["ws"] = lambda request: redirect(f"{elsewhere.url}/v1/ws")

        async with hostile.running(), elsewhere.running():
            listener = await listen(hostile)
            await until(lambda: "leads elsewhere" in listener.stderr)
            await listener.stop()

        assert elsewhere.asked == []

    async def test_hint_at_an_id_from_before_means_that_all_is_read_again_and_printed_once(self, listen):
        alice, bob = Person(None), Person(None)
        rows = [
            {**alice.seal(bob, envelope(alice, bob, text=text)), "sender_fingerprint": alice.fingerprint} for text in "abc"
        ]
        hostile = HostileRelay(messages={"messages": [{**rows[0], "id": 100}]})

        async with hostile.running():
            listener = await listen(hostile, person=bob)
            first = await listener.line()
            hostile.answers["messages"] = {"messages": [{**row, "id": id} for id, row in enumerate(rows, 1)]}
            hostile.hints.put_nowait(3)
            lines = [first, await listener.line(), await listener.line()]
            await listener.stop()

        assert [line[-1] for line in lines] == ["a", "b", "c"]

    async def test_token_refused_before_its_time_means_that_all_is_read_again(self, relays, listen):
        relay = await relays()
        alice, bob = await relay.register(), await relay.register()
        for text in ("first", "second"):
            await alice.send(bob, envelope(alice, bob, text=text))
        listener = await listen(relay, person=bob)
        assert [(await listener.line())[9:] for _ in range(2)] == ["first", "second"]
        await listener.stop()
        await relay.stop()
        relay.database.unlink()
        await relay.start()
        alice = await relay.register(alice.secret_key)
        await relay.register(bob.secret_key)
        await alice.send(bob, envelope(alice, bob, text="after the loss"))

        await listener.start(relay.url)

        assert (await listener.line())[9:] == "after the loss"

    async def test_row_with_another_senders_name_is_refused(self, relay):
        alice, bob, mallory = [Person(relay) for _ in range(3)]
        row = {**mallory.seal(bob, envelope(mallory, bob)), "id": 1, "sender_fingerprint": alice.fingerprint}

        with pytest.raises(relay_module.EnvelopeRefused):
            relay_module.open_envelope(row, bytes(bob.secret_key), bytes.fromhex(bob.fingerprint))

    @PROPERTY
    @given(
        row=JSON_VALUES
        | st.dictionaries(st.sampled_from(["sender_fingerprint", "sender_public_key", "ciphertext", "nonce"]), FIELD_VALUES)
    )
    def test_no_row_makes_the_client_fail(self, row):
        with pytest.raises(relay_module.EnvelopeRefused):
            relay_module.open_envelope(row, bytes(32), bytes(32))

    @PROPERTY
    @given(plaintext=st.binary(max_size=200) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
    def test_no_plaintext_makes_the_client_fail(self, plaintext):
        alice, bob = Person(None), Person(None)
        row = {**alice.seal(bob, plaintext), "id": 1, "sender_fingerprint": alice.fingerprint}

        with contextlib.suppress(relay_module.EnvelopeRefused):
            assert relay_module.open_envelope(row, bytes(bob.secret_key), bytes.fromhex(bob.fingerprint))["legacy"]


def opens(recipient: Person, sender: Person, ciphertext: bytes, nonce: bytes) -> bool:
    """Whether bytes open as a box from `sender`."""
    with contextlib.suppress(CryptoError, ValueError):
        Box(recipient.secret_key, PublicKey(sender.public_key)).decrypt(ciphertext, nonce)
        return True
    return False


async def knows_its_origin(relay: RunningRelay) -> None:
    """Start a relay again, with its address as ORIGIN."""
    await relay.stop()
    relay.environ["ORIGIN"] = relay.url
    await relay.start()


class TestDoctor:
    """`relay.py doctor` says what is wrong, and how to mend it."""

    async def doctor(self, home: Path, *words: str, **environ: str | None) -> Finished:
        settings = {
            "JWT_SECRET": SECRET,
            "ORIGIN": "https://chat.example.com",
            "DATABASE_URL": f"sqlite:{home}/relay.db",
            "PUSH_HOSTS": "localhost:1",  # where nobody listens
        } | environ
        return await run_command(
            home, "doctor", *words, **{name: value for name, value in settings.items() if value is not None}
        )

    async def test_sound_settings_are_all_ok(self, tmp_path, push_service):
        trusted = str(push_service.certificate)
        finished = await self.doctor(tmp_path, PUSH_HOSTS=push_service.host, SSL_CERT_FILE=trusted)

        assert finished.status == 0, finished
        assert {line[:4] for line in finished.stdout.splitlines()} == {"ok  "}, finished
        assert push_service.connections == 1 and not push_service.pushes

    async def test_push_service_that_can_not_be_called_is_named(self, tmp_path):
        finished = await self.doctor(tmp_path)

        assert finished.status == 0, finished
        assert re.search("^warn push: localhost:1 can't be called .*HOSTING.md", finished.stdout, re.MULTILINE)

    @pytest.mark.parametrize(("name", "value"), [("BIND", "nonsense"), ("JWT_SECRET", None), ("STATIC_DIR", "/nowhere")])
    async def test_bad_setting_is_named(self, tmp_path, name, value):
        finished = await self.doctor(tmp_path, **{name: value})

        assert finished.status == 1
        assert f"FAIL settings: {name}" in finished.stdout

    @pytest.mark.parametrize("make", [make for make, _ in STRANGE_DATABASES.values()], ids=STRANGE_DATABASES.keys())
    async def test_strange_database_is_named(self, tmp_path, make):
        make(tmp_path / "relay.db")

        finished = await self.doctor(tmp_path)

        assert finished.status == 1
        assert "FAIL database:" in finished.stdout
        assert "Traceback" not in finished.stderr

    async def test_damaged_database_is_named(self, tmp_path, relay):
        alice = await relay.register()
        await send_many(alice, alice, 50)
        await relay.stop()
        damage(relay.database)

        finished = await self.doctor(tmp_path, DATABASE_URL=relay.environ["DATABASE_URL"])

        assert finished.status == 1
        assert "FAIL database:" in finished.stdout

    async def test_mail_from_the_future_means_a_wrong_clock(self, tmp_path, relays, clock):
        clock.advance(86_400)
        relay = await relays(clock=clock)
        alice = await relay.register()
        await alice.send(alice, b"from tomorrow")

        finished = await self.doctor(tmp_path, DATABASE_URL=relay.environ["DATABASE_URL"])

        assert finished.status == 1
        assert "FAIL clock:" in finished.stdout

    async def test_relay_is_examined_from_outside_and_left_as_it_was(self, tmp_path, relays):
        relay = await relays(RATE_LIMIT=None)
        await knows_its_origin(relay)

        finished = await self.doctor(tmp_path, relay.url, ORIGIN=relay.url, DATABASE_URL=relay.environ["DATABASE_URL"])

        assert finished.status == 0, finished
        assert "WebSocket: the upgrade passes" in finished.stdout
        assert rows(relay.database, "SELECT count(*) FROM identities") == [(0,)]

    async def test_relay_that_takes_itself_for_any_host_is_told_to_set_its_origin(self, tmp_path, relays):
        relay = await relays(RATE_LIMIT=None)

        finished = await self.doctor(tmp_path, relay.url, DATABASE_URL=relay.environ["DATABASE_URL"])

        assert finished.status == 1
        assert f"FAIL ORIGIN: the relay takes itself for whatever Host says: set ORIGIN={relay.url}" in finished.stdout

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "http://["])
    async def test_relay_that_is_not_there_is_said(self, tmp_path, url):
        finished = await self.doctor(tmp_path, url)

        assert finished.status == 1
        assert f"FAIL {url}" in finished.stdout
        assert "Traceback" not in finished.stderr

    async def test_whoever_says_nothing_at_all_is_waited_for_no_longer_than_others(self, monkeypatch):
        monkeypatch.setattr(relay_module, "SOCKET_SECONDS", 0.05)

        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"https://127.0.0.1:{silent.getsockname()[1]}"
            async with asyncio.timeout(PATIENCE_SECONDS):
                findings = [finding async for finding in relay_module.examine_from_outside(url, None)]

        assert [(level, f"{url}: TimeoutError" in words) for level, words in findings] == [("FAIL", True)]

    async def test_wrong_origin_is_named(self, tmp_path, relays):
        relay = await relays(ORIGIN="https://chat.example.com")

        finished = await self.doctor(tmp_path, relay.url, DATABASE_URL=relay.environ["DATABASE_URL"])

        assert finished.status == 1
        assert f"set ORIGIN={relay.url}" in finished.stdout

    async def test_relay_can_not_play_tricks_with_the_terminal(self, tmp_path):
        tricks = "\x1b[2J\x1b]0;owned\x07"
        hostile = HostileRelay(messages={"version": tricks, "max_message_bytes": tricks})
        hostile.challenge["origin"] = tricks

        async with hostile.running() as url:
            finished = await self.doctor(tmp_path, url)

        assert finished.stdout
        assert "\x1b" not in finished.stdout + finished.stderr

    async def test_words_of_a_relay_are_cut(self, tmp_path):
        hostile = HostileRelay(messages={"version": "9" * 100_000})
        hostile.challenge["origin"] = "x" * 100_000

        async with hostile.running() as url:
            finished = await self.doctor(tmp_path, url)

        assert "warn version: 999" in finished.stdout and "the relay thinks it is xxx" in finished.stdout
        assert max(map(len, finished.stdout.splitlines())) < 1000

    async def test_invite_code_is_told_to_nobody_but_the_relay_of_these_settings(self, tmp_path, relays):
        relay, hostile = await relays(INVITE_CODE="open sesame", RATE_LIMIT=None), HostileRelay()
        hostile.challenge["origin"] = hostile.url

        async with hostile.running() as url:
            await self.doctor(tmp_path, url, INVITE_CODE="open sesame", ORIGIN=relay.url)
        ours = await self.doctor(tmp_path, relay.url, INVITE_CODE="open sesame", ORIGIN=relay.url)

        assert "open sesame" not in str(hostile.proofs)
        assert "FAIL" not in "".join(line for line in ours.stdout.splitlines() if "regist" in line), ours

    @pytest.mark.parametrize("challenge", [{}, {"challenge": 5}, {"server_public_key": "*"}], ids=str)
    async def test_strange_challenge_hides_no_finding(self, tmp_path, challenge):
        hostile = HostileRelay()
        hostile.challenge = hostile.challenge | challenge if challenge else {}

        async with hostile.running() as url:
            finished = await self.doctor(tmp_path, url)

        assert finished.status == 1
        assert "settings: " in finished.stdout
        assert "it does not have the JWT_SECRET of these settings" in finished.stdout

    async def test_page_of_another_program_is_no_relay(self, tmp_path):
        hostile = HostileRelay(messages=lambda: web.Response(text="<html>welcome</html>", content_type="text/html"))

        async with hostile.running() as url:
            finished = await self.doctor(tmp_path, url)

        assert finished.status == 1
        assert "FAIL" in finished.stdout
        assert "Traceback" not in finished.stderr


# ------------------------------------------------------------------------------------------------------------------------
# Faults
# ------------------------------------------------------------------------------------------------------------------------

Acknowledged = dict[int, bytes]  # what a sender was told is stored: id and plaintext


async def send_until_it_ends(sender: Person, recipient: Person, acknowledged: Acknowledged) -> None:
    """Post one message after the other until the relay is gone, or says that it is going."""
    with contextlib.suppress(aiohttp.ClientError):
        for number in itertools.count():
            text = f"{sender.fingerprint} {number}".encode()
            answer = await sender.call("POST", "/v1/messages", json=sender.seal(recipient, text))
            if answer.status != 201:
                return
            acknowledged[answer.body["id"]] = text


async def send_until(
    sender: Person, recipient: Person, statuses: set[int], text: bytes, acknowledged: Acknowledged
) -> Answer:
    """Post until an answer has one of these statuses; that answer."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = await sender.call("POST", "/v1/messages", json=sender.seal(recipient, text))
            if answer.status == 201:
                acknowledged[answer.body["id"]] = text
            if answer.status in statuses:
                return answer


async def is_turned_away(stranger: Person) -> bool:
    """Whether the relay has no room for one more identity."""
    answer = await stranger.register()
    return answer.status != 200 and bool(answer.refused(507))


async def lost(recipient: Person, acknowledged: Acknowledged) -> Acknowledged:
    """What was acknowledged and is not there; holds that all there is is there once, in order."""
    messages = await recipient.fetch_all()
    ids = [message["id"] for message in messages]
    assert ids == sorted(set(ids))
    found = {message["id"]: recipient.open(message) for message in messages}
    return {message_id: text for message_id, text in acknowledged.items() if found.get(message_id) != text}


ROOM_FOR_NEWCOMERS = {"NEWCOMERS_MAX_BYTES": str(2**30)}  # so that it is the disk that refuses


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", mounted], capture_output=True, check=False
    ).returncode:
        pytest.skip("mounting a small tmpfs takes root; the same is shown with max_page_count")
    yield mounted
    subprocess.run(["umount", "--lazy", mounted], check=True)


def strace(*expressions: str, output: Path | str = "/dev/null") -> list[str]:
    """A command to run a relay under, which stays the parent of nothing: signals reach the relay itself."""
    return ["strace", "-D", "-f", "-o", str(output), *(word for each in expressions for word in ("-e", each))]


def can_trace() -> bool:
    """Whether strace is here and allowed."""
    return (
        bool(shutil.which("strace"))
        and subprocess.run([*strace(), "true"], capture_output=True, check=False).returncode == 0
    )


needs_strace = pytest.mark.skipif(not can_trace(), reason="strace is not here, or not allowed to trace")


MOMENTS = [("pwrite64", count) for count in (1, 9, 18, 22, 26, 28, 30, 32, 36, 40)] + [("fdatasync", 3), ("fdatasync", 4)]


async def killed_migration(old: Path, folder: Path, syscall: str, count: int) -> int | None:
    """Bring a copy of a database up to this version, in a process that is killed as it begins its nth such call."""
    folder.mkdir()
    shutil.copy(old, folder / "relay.db")
    migrate = f"import relay; relay.open_database({str(folder / 'relay.db')!r}, create=False)"
    killing = strace(f"trace={syscall}", f"inject={syscall}:signal=KILL:when={count}")
    process = await asyncio.create_subprocess_exec(*killing, sys.executable, "-c", migrate, cwd=RELAY_PY.parent)
    return await process.wait()


async def at_most(limit: int, works: Iterator[Any]) -> list[Any]:
    """The results of works of which so many run at a time."""
    room = asyncio.Semaphore(limit)

    async def run(work: Any) -> Any:
        async with room:
            return await work

    return await asyncio.gather(*map(run, works))


def take_away(*suffixes: str, put: bool = False) -> Callable[[Path], Callable[[], None]]:
    """Harm to a database: some of its files are moved away, and perhaps copies put in their place. It returns the repair."""

    def harm(database: Path) -> Callable[[], None]:
        for suffix in suffixes:
            Path(f"{database}{suffix}").rename(f"{database}{suffix}.away")
            if put:
                shutil.copy(f"{database}{suffix}.away", f"{database}{suffix}")
        return lambda: [Path(f"{database}{suffix}.away").rename(f"{database}{suffix}") for suffix in suffixes] and None

    return harm


HARM = {
    "removed": take_away(""),
    "replaced": take_away("", put=True),
    "removed with its log": take_away("", "-wal", "-shm"),
    "its log removed": take_away("-wal"),
    "its log replaced": take_away("-wal", put=True),
}


class TestFaults:
    """What was acknowledged is there, whatever breaks, and service resumes."""

    async def test_ten_kills_under_load_lose_and_double_nothing(self, relay_process):
        relay = await relay_process(MAILBOX_MAX_MESSAGES="1000000", MAILBOX_MAX_BYTES="1000000000")
        *senders, bob = [await relay.register() for _ in range(9)]
        acknowledged: Acknowledged = {}

        for _ in range(10):
            sending = [asyncio.create_task(send_until_it_ends(sender, bob, acknowledged)) for sender in senders]
            had = len(acknowledged)
            await until(lambda had=had: len(acknowledged) > had + 20)
            await asyncio.sleep(random.random() / 5)
            await relay.stop(signal.SIGKILL)
            await asyncio.gather(*sending)
            await relay.start()

        assert await lost(bob, acknowledged) == {}
        assert rows(relay.database, "PRAGMA integrity_check") == [("ok",)]

    @needs_strace
    async def test_kill_at_any_write_of_the_migration_leaves_a_file_that_starts_with_all_mail(self, relays, tmp_path):
        old = tmp_path / "version1.db"
        people = [Person(None) for _ in range(3)]
        make_version_1(old, people, 1000)

        killed = await at_most(2, (killed_migration(old, tmp_path / f"{index}", *at) for index, at in enumerate(MOMENTS)))
        relay = await relays(DATABASE_URL=f"sqlite:{tmp_path / '1' / 'relay.db'}")

        assert killed.count(-signal.SIGKILL) > 7, killed
        for database in tmp_path.glob("*/relay.db"):
            assert rows(database, "PRAGMA integrity_check") == [("ok",)]
            assert rows(database, "SELECT count(*), max(id) FROM messages") == [(999, 999)]
            with contextlib.closing(relay_module.open_database(str(database), create=False)):
                assert rows(database, KEPT) == rows(database, MEASURED)
        assert len(await (await relay.register(people[0].secret_key)).fetch_all()) == 333

    @pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
    async def test_database_that_is_taken_away_stops_the_writing_is_said_once_and_loses_nothing(self, relay, caplog, harm):
        alice, bob = await relay.register(), await relay.register()
        acknowledged: Acknowledged = {}
        await send_until(alice, bob, {201}, b"before", acknowledged)
        repair = harm(relay.database)

        refusals = [await send_until(alice, bob, {503}, b"after", acknowledged) for _ in range(3)]
        health = await relay.call("GET", "/healthz")
        await relay.stop()
        repair()
        await relay.start()

        assert (len(refusals), health.status) == (3, 503)
        assert caplog.text.count("nothing is written to the database") == 1
        assert await lost(bob, acknowledged) == {}
        await alice.send(bob, b"again")

    @pytest.mark.parametrize("size", [0, 4096 * 5])
    async def test_database_that_is_cut_short_stops_the_writing_and_is_said(self, relay, caplog, size):
        alice, bob = await relay.register(), await relay.register()
        await relay.stop()
        await relay.start()
        await alice.send(bob, b"hello")

        os.truncate(relay.database, size)

        refusal = await alice.call("POST", "/v1/messages", json=alice.seal(bob, b"this would be lost"))
        refusal.refused(503)
        assert "cut short" in caplog.text

    async def test_damage_that_a_reader_meets_stops_the_writing_and_is_said(self, relay, caplog):
        alice, bob = await relay.register(), await relay.register()
        await send_many(alice, bob, 50)
        await relay.stop()
        await relay.start()
        with relay.database.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (relay.database.stat().st_size - 4096))

        (await bob.call("GET", "/v1/messages")).refused(503)
        (await alice.call("POST", "/v1/messages", json=alice.seal(bob, b"hello"))).refused(503)

        assert "is damaged" in caplog.text

    async def test_ids_go_on_rising_after_a_kill_and_the_newest_rows_are_gone(self, relay_process):
        relay = await relay_process()
        alice, bob = await relay.register(), await relay.register()
        newest = (await send_many(alice, bob, 5))[-1]
        await bob.call("DELETE", f"/v1/messages?through_id={newest}")

        await relay.stop(signal.SIGKILL)
        await relay.start()

        assert (await alice.send(bob, b"hello"))["id"] > newest

    async def test_full_disk_is_a_507_loses_nothing_and_passes(self, relay_process, small_disk):
        relay = await relay_process(DATABASE_URL=f"sqlite:{small_disk}/relay.db", **ROOM_FOR_NEWCOMERS)
        alice, bob = await relay.register(), await relay.register()
        acknowledged: Acknowledged = {}
        (small_disk / "ballast").write_bytes(bytes(500_000))

        refusal = await send_until(alice, bob, {507, 503}, bytes(20_000), acknowledged)
        read_meanwhile = await bob.fetch()
        (small_disk / "ballast").unlink()
        await send_until(alice, bob, {201}, b"there is room again", acknowledged)

        refusal.refused(507)
        assert read_meanwhile
        assert await lost(bob, acknowledged) == {}
        assert rows(small_disk / "relay.db", "PRAGMA integrity_check") == [("ok",)]

    async def test_full_database_is_a_507_loses_nothing_and_passes(self, relay):
        alice, bob = await relay.register(), await relay.register()
        acknowledged: Acknowledged = {}
        await set_max_page_count(relay, rows(relay.database, "PRAGMA page_count")[0][0] + 20)

        refusal = await send_until(alice, bob, {507, 503}, bytes(20_000), acknowledged)
        await set_max_page_count(relay, 1_000_000)
        await send_until(alice, bob, {201}, b"there is room again", acknowledged)

        refusal.refused(507)
        assert await lost(bob, acknowledged) == {}

    async def test_small_message_is_taken_where_a_large_one_beside_it_is_not(self, relay):
        alice, bob = await relay.register(), await relay.register()
        await set_max_page_count(relay, rows(relay.database, "PRAGMA page_count")[0][0] + 20)
        large, small = alice.seal(bob, bytes(150_000)), alice.seal(bob, b"small")

        answers = await asyncio.gather(*(alice.call("POST", "/v1/messages", json=body) for body in [large, small] * 5))

        assert [answer.status for answer in answers] == [507, 201] * 5

    async def test_failing_writes_are_a_503_lose_nothing_and_pass(self, relay_process):
        relay = await relay_process()
        alice, bob = await relay.register(), await relay.register()
        acknowledged: Acknowledged = {}
        limit = relay.database.with_name("relay.db-wal").stat().st_size + 100_000
        resource.prlimit(relay.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

        refusal = await send_until(alice, bob, {507, 503}, bytes(20_000), acknowledged)
        resource.prlimit(relay.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await send_until(alice, bob, {201}, b"writing works again", acknowledged)

        refusal.refused(503)
        assert await lost(bob, acknowledged) == {}
        assert rows(relay.database, "PRAGMA integrity_check") == [("ok",)]

    @needs_strace
    async def test_failing_syncs_are_a_503_lose_nothing_and_pass(self, relay_process):
        relay = await relay_process(*strace("trace=fdatasync,fsync", "inject=fdatasync,fsync:error=EIO:when=40..60"))
        alice, bob = await relay.register(), await relay.register()
        acknowledged: Acknowledged = {}

        refusal = await send_until(alice, bob, {507, 503}, b"hello", acknowledged)
        await send_until(alice, bob, {201}, b"syncing works again", acknowledged)

        refusal.refused(503)
        assert await lost(bob, acknowledged) == {}
        await relay.stop()
        await relay.start()
        assert await lost(bob, acknowledged) == {}
        assert rows(relay.database, "PRAGMA integrity_check") == [("ok",)]

    @needs_strace
    async def test_each_acknowledgement_waits_for_a_sync(self, relay_process, tmp_path):
        trace = tmp_path / "trace"
        relay = await relay_process(*strace("trace=fdatasync,fsync", output=trace))
        alice, bob = await relay.register(), await relay.register()
        before = trace.read_text().count("sync(")

        await send_many(alice, bob, 20)

        assert await until(lambda: trace.read_text().count("sync(") >= before + 20)

    async def test_half_sent_requests_delay_nobody(self, relay):
        alice, bob = await relay.register(), await relay.register()
        head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\nContent-Length: 1000\r\n\r\n".encode()
        halves = [b"", b"POST /v1/mess", head[:-2], head, head + b'{"ciphertext": "']
        writers = [(await asyncio.open_connection("127.0.0.1", relay.port))[1] for _ in range(200)]
        for writer, half in zip(writers, itertools.cycle(halves), strict=False):
            writer.write(half)

        await asyncio.wait_for(send_many(alice, bob, 20), PATIENCE_SECONDS)

        assert len(await bob.fetch()) == 20
        for writer in writers:
            writer.close()

    async def test_sender_who_hangs_up_leaves_the_relay_sound(self, relay):
        alice, bob = await relay.register(), await relay.register()
        body = json.dumps(alice.seal(bob, b"hello")).encode()
        head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\nContent-Length: {len(body)}\r\n\r\n"
        for _ in range(50):
            _, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            writer.write(head.encode() + body)
            writer.transport.abort()

        sent = await alice.send(bob, b"the last")

        assert (await bob.fetch_all())[-1]["id"] == sent["id"]

    async def test_connection_on_which_nothing_came_before_the_stop_is_served_no_more(self, relay):
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        await relay.call("GET", "/healthz")

        await relay.stop()
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""
        writer.close()

    async def test_sigterm_says_goodbye_to_everybody_and_ends_well(self, relay_process):
        relay = await relay_process()
        alice, bob = await relay.register(), await relay.register()
        sockets, stalled = [await alice.connect() for _ in range(3)], await shake_hands(relay, bob)
        _, half_sent = await asyncio.open_connection("127.0.0.1", relay.port)
        half_sent.write(b"POST /v1/messages HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")

        stopping, started = asyncio.create_task(relay.stop(signal.SIGTERM)), time.monotonic()
        codes = [await close_code(each) for each in sockets]
        status = await stopping

        assert (codes, status) == ([1001] * 3, 0)
        assert time.monotonic() - started < 10  # 2 s at most on an idle machine
        assert "Traceback" not in relay.log
        stalled.close()
        half_sent.close()

    async def test_sigterm_under_load_loses_nothing(self, relay_process):
        relay = await relay_process()
        *senders, bob = [await relay.register() for _ in range(9)]
        acknowledged: Acknowledged = {}
        sending = [asyncio.create_task(send_until_it_ends(sender, bob, acknowledged)) for sender in senders]
        await until(lambda: len(acknowledged) > 100)

        status = await relay.stop()
        await asyncio.gather(*sending)
        await relay.start()

        assert status == 0
        assert await lost(bob, acknowledged) == {}
        assert "Traceback" not in relay.log

    async def test_relay_whose_writer_dies_ends(self, tmp_path):
        dies = "import relay\ndef die(*_): raise SystemExit\nrelay.Store._commit = die\nrelay.main([])"
        environ = {"JWT_SECRET": SECRET, "BIND": f"127.0.0.1:{free_port()}", "PYTHONPATH": str(RELAY_PY.parent)}

        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", dies, cwd=tmp_path, env=process_environ(tmp_path, environ), stderr=asyncio.subprocess.PIPE
        )
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)

        assert process.returncode == 1
        assert b"the thread that writes the database has died" in said

    async def test_refused_message_does_not_stay_in_memory_until_garbage_is_collected(self, tmp_path):
        store = relay_module.Store(relay_module.Config(SECRET.encode(), database=str(tmp_path / "relay.db")))
        store.open()

        async def refuse() -> weakref.ref[relay_module.RelayError] | None:
            try:
                await store.add_message(relay_module.Envelope(bytes(32), bytes(32), bytes(24), bytes(1000)), 0)
            except relay_module.RelayError as refusal:  # pytest.raises would hold it
                return weakref.ref(refusal)
            return None

        gc.disable()
        try:
            refusal = await refuse()
            assert refusal
            await until(lambda: refusal() is None)
        finally:
            gc.enable()
            await store.close()

    async def test_disk_that_is_nearly_full_takes_no_mail_yet_lets_people_make_room(
        self, relays, small_disk, caplog, monkeypatch
    ):
        monkeypatch.setattr(relay_module, "PRUNE_SECONDS", 0.1)
        relay = await relays(DATABASE_URL=f"sqlite:{small_disk}/relay.db", **ROOM_FOR_NEWCOMERS)
        alice, bob = await relay.register(), await relay.register()
        acknowledged: Acknowledged = {}

        async def is_full_of_mail() -> bool:
            before = len(acknowledged)
            (await send_until(alice, bob, {507, 503}, bytes(20_000), acknowledged)).refused(507)
            return len(acknowledged) == before

        await until(is_full_of_mail)  # a refusal moves the WAL, and then there may be room again
        await until(lambda: is_turned_away(Person(relay)))  # who is smaller than a message
        complete = await lost(bob, acknowledged) == {}
        emptied = await bob.call("DELETE", f"/v1/messages?through_id={max(acknowledged)}")
        await send_until(alice, bob, {201}, b"there is room again", {})

        assert complete
        assert emptied.body == {"deleted": len(acknowledged)}
        assert caplog.text.count("disk") == 1, caplog.text

    async def test_disk_that_is_nearly_full_is_pruned_and_has_room_again(self, relays, small_disk, clock):
        relay = await relays(DATABASE_URL=f"sqlite:{small_disk}/relay.db", **ROOM_FOR_NEWCOMERS, clock=clock)
        alice, bob = await relay.register(), await relay.register()
        await send_until(alice, bob, {507}, bytes(20_000), {})
        clock.advance(15 * 86_400)
        await asyncio.gather(alice.register(), bob.register())

        pruned = await relay.app[relay_module.STORE].prune(clock.now())
        await send_until(alice, bob, {201}, b"there is room again", {})

        assert pruned > 0
        assert len(await bob.fetch_all()) == 1

    async def test_program_that_reads_for_long_holds_up_no_deletion_on_a_full_disk(self, relay):
        alice = await relay.register()
        ids = await send_many(alice, alice, 20)
        relay.app[relay_module.STORE].is_full = True  # so that each deletion moves the WAL, to make room
        with contextlib.closing(sqlite3.connect(relay.database, isolation_level=None)) as reader:
            reader.executescript("BEGIN; SELECT count(*) FROM messages;")

            async with asyncio.timeout(PATIENCE_SECONDS):
                answers = [await alice.call("DELETE", f"/v1/messages/{message_id}") for message_id in ids]

        assert [answer.status for answer in answers] == [204] * 20

    async def test_another_program_that_holds_the_lock_costs_each_batch_one_wait_and_not_each_sender_one(self, relay):
        alice, bob = await relay.register(), await relay.register()
        statements = await trace_writer(relay)
        with contextlib.closing(sqlite3.connect(relay.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            answers = await asyncio.gather(
                *(alice.call("POST", "/v1/messages", json=alice.seal(bob, b"hello")) for _ in range(30))
            )
            tries = statements.count("BEGIN IMMEDIATE")

        assert [answer.refused(503) and int(answer.headers["Retry-After"]) for answer in answers] == [5] * 30
        assert tries < 10
        await alice.send(bob, b"the lock is free again")

    async def test_write_ahead_log_that_a_long_reader_made_grow_shrinks_once_it_has_left(self, relays):
        relay = await relays(MAILBOX_MAX_BYTES="1000000000")
        alice, bob = await relay.register(), await relay.register()
        wal = relay.database.with_name("relay.db-wal")
        with contextlib.closing(sqlite3.connect(relay.database, isolation_level=None)) as reader:
            reader.executescript("BEGIN; SELECT count(*) FROM messages;")
            for _ in range(200):
                await alice.send(bob, bytes(250_000))
        assert wal.stat().st_size > 50_000_000

        async def shrank() -> bool:
            await alice.send(bob, b"hello")
            return wal.stat().st_size < 45_000_000

        await until(shrank)


async def set_max_page_count(relay: RunningRelay, pages: int) -> None:
    """Make SQLite itself take the disk for full, on the connection that writes."""
    await relay.app[relay_module.STORE]._write(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone())


async def trace_writer(relay: RunningRelay) -> list[str]:
    """The statements that the relay's writer begins from now on, as they come; it waits 0.2 s for locks, and not 5."""
    statements: list[str] = []

    def prepare(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA busy_timeout = 200")
        db.set_trace_callback(statements.append)

    await relay.app[relay_module.STORE]._write(prepare)
    return statements


# ------------------------------------------------------------------------------------------------------------------------
# The log
# ------------------------------------------------------------------------------------------------------------------------


class TestLog:
    """The log is for the operator: it names no one, and no stranger can fill it."""

    async def test_log_holds_no_token_no_query_and_no_traceback_for_anything_a_client_sends(self, relay_process):
        relay = await relay_process(INVITE_CODE="open sesame", METRICS_TOKEN="watch me")
        alice, bob = [await relay.register(invite="open sesame") for _ in range(2)]
        at_start = relay.log

        await alice.send(bob, b"hello")
        await bob.call("GET", "/v1/messages?after_id=0&secret=query")
        await every_kind_of_nonsense(relay, alice)
        await sockets_that_misbehave(relay, alice)

        assert relay.log == at_start

    @pytest.mark.parametrize("line", ["CONNECT a:b?token={0} HTTP/1.1", "GET http://a:99999/?token={0} HTTP/1.1"])
    async def test_address_that_is_none_leaves_nothing_in_the_log(self, relay_process, line):
        relay = await relay_process()
        alice = await relay.register()
        at_start = relay.log

        _, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(f"{line.format(alice.token)}\r\nHost: x\r\n\r\n".encode())
        await asyncio.sleep(0.5)  # aiohttp 3.11 does not answer it at all, and logs when the task is collected
        writer.close()

        assert await relay.stop() == 0
        assert relay.log == at_start

    async def test_disk_at_the_edge_is_one_line_in_the_log(self, relay, caplog, monkeypatch):
        alice, bob = await relay.register(), await relay.register()
        monkeypatch.setattr(relay_module, "measure_room", lambda *_: 100 * 1024)

        answers = [await alice.call("POST", "/v1/messages", json=alice.seal(bob, bytes(n))) for n in (100, 90_000) * 9]

        assert [answer.status for answer in answers] == [201, 507] * 9
        assert caplog.text.count("the disk is nearly full") == 1 and "again" not in caplog.text

    async def test_database_that_was_deleted_is_one_line_in_the_log(self, relay, caplog):
        alice = await relay.register()
        for path in relay.folder.glob("*.db*"):
            path.unlink()

        answers = [await alice.call("POST", "/v1/messages", json=alice.seal(alice, b"hello")) for _ in range(5)]

        assert [answer.refused(503) and answer.status for answer in answers] == [503] * 5
        assert len([each for each in caplog.records if each.levelname == "ERROR"]) == 1, caplog.text

    async def test_failing_disk_fills_no_log(self, relay_process):
        relay = await relay_process()
        alice = await relay.register()
        resource.prlimit(relay.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))

        answers = [await alice.call("POST", "/v1/messages", json=alice.seal(alice, b"hello")) for _ in range(50)]

        assert {answer.status for answer in answers} <= {503, 507}
        assert len(relay.log.splitlines()) < 10, relay.log

    async def test_peers_who_leave_right_after_the_upgrade_request_leave_nothing_in_the_log(self, relay_process):
        relay = await relay_process()
        at_start = relay.log

        for _ in range(60):
            alice = await relay.register()  # a token that the relay has to look up first
            _, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            writer.write(upgrade_request(alice).encode())
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()

        await relay.stop()
        assert relay.log == at_start

    @pytest.mark.parametrize("path", ["/v1/messages", "/v1/register", "/nowhere", "/"])
    async def test_peer_who_leaves_before_it_is_told_to_continue_leaves_nothing_in_the_log(self, relay_process, path):
        relay = await relay_process()
        at_start = relay.log

        for _ in range(20):
            with await stalling_connection(relay) as leaving:
                leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                leaving.send(
                    f"POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n".encode()
                )

        await relay.stop()
        assert relay.log == at_start

    @pytest.mark.parametrize("name", ["Key", "Version", "Protocol", "Extensions"])
    async def test_header_of_an_upgrade_that_is_not_ascii_is_a_client_error_and_not_logged(self, relay, caplog, name):
        alice = await relay.register()
        request = re.sub(f"Sec-WebSocket-{name}: [^\r]*\r\n", "", upgrade_request(alice))

        answer = await raw_head(relay, request[:-2].encode() + f"Sec-WebSocket-{name}: \xe9\r\n\r\n".encode("latin-1"))

        assert answer.split()[1] in ("101", "400")
        assert not [each for each in caplog.records if each.levelname == "ERROR"]

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "nonsense"])
    async def test_body_that_can_not_be_unpacked_leaves_nothing_in_the_log(self, relay_process, encoding):
        relay = await relay_process()
        at_start = relay.log
        head = f"POST /v1/register HTTP/1.1\r\nHost: x\r\nContent-Encoding: {encoding}\r\nContent-Length: 5\r\n\r\n"

        answers = [await raw_head(relay, head.encode() + b"abcde") for _ in range(5)]

        await relay.stop()
        assert all(answer.split()[1] in ("400", "415") for answer in answers), answers
        assert relay.log == at_start

    async def test_reads_that_fail_are_one_line_in_the_log(self, relay, caplog):
        alice = await relay.register()
        with contextlib.closing(sqlite3.connect(relay.database)) as connection:
            connection.executescript("ALTER TABLE messages RENAME TO elsewhere")

        answers = [await alice.call("GET", "/v1/messages") for _ in range(20)]

        assert [answer.refused(503) and answer.headers["Retry-After"] for answer in answers] == ["5"] * 20
        assert len(caplog.records) == 1, caplog.text


async def every_kind_of_nonsense(relay: AnyRelay, person: Person) -> None:
    """All that the tables of this file hold, each time with something that has no place in a log."""
    for forge in BAD_TOKENS.values():
        await relay.call("GET", "/v1/me?secret=query", headers={"Authorization": f"Bearer {forge(person)}"})
        await refused_handshake(relay, params={"token": forge(person), "secret": "query"})
    await (
        relay.session.close()
    )  # the relay ends a connection whose upgrade it refused, perhaps in the midst of the next request
    relay.session = aiohttp.ClientSession()
    for body in STRANGE_BODIES.values():
        await person.call("POST", "/v1/messages?secret=query", data=body)
    for request in strange_requests(person):
        await raw_head(relay, request)


def strange_requests(person: Person) -> Iterator[bytes]:
    """Requests that are hardly HTTP."""
    secret = f"/v1/ws?token={person.token}&secret=query"
    yield from (
        b"nonsense?secret=query\r\n\r\n",
        f"GET {secret}\r\n\r\n".encode(),
        f"\x00 {secret} HTTP/1.1\r\n\r\n".encode(),
    )
    for headers in STRANGE_HEADERS:
        lines = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": "x"} | headers).items())
        yield f"POST {secret} HTTP/1.1\r\n{lines}Content-Length: 1\r\nConnection: close\r\n\r\n{{".encode()
    for path in (
        secret,
        "/v1/me?secret=query",
        f"/{'x' * 9000}?secret=query",
        "/%ff?secret=query",
        "http://[?secret=query",
    ):
        yield f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\nConnection: close\r\n\r\n".encode()
    yield f"GET {secret} HTTP/1.1\r\nHost: x\r\nX: {'x' * 20_000}\r\n\r\n".encode()


async def sockets_that_misbehave(relay: AnyRelay, person: Person) -> None:
    """Every rude thing that a WebSocket can do."""
    url = f"{relay.url}/v1/ws?token={person.token}&secret=query"
    for protocols in (
        (),
        ("other",),
        ("bearer." + person.token,),
        ("x", "bearer." + person.token),
        ("3233.v1", "bearer." + person.token),
    ):
        with contextlib.suppress(aiohttp.WSServerHandshakeError):
            websocket = await relay.session.ws_connect(url, protocols=protocols)
            await websocket.send_str("x" * 5000)
            await websocket.close()
    websockets = [await person.connect() for _ in range(20)]
    for each in websockets:
        with contextlib.suppress(ConnectionError):
            await each.send_bytes(b"\xff" * 100)
    for rude in (b"\xff" * 100, b"\x81\x05hello", b"\x83\x80\0\0\0\0", b"\x89\xff" + b"\xff" * 20, b""):
        stalled = await shake_hands(relay, person)
        await asyncio.get_running_loop().sock_sendall(stalled, rude)
        stalled.close()
    await asyncio.gather(*(each.close() for each in websockets))


# ------------------------------------------------------------------------------------------------------------------------
# Test vectors of docs/PROTOCOL.md
# ------------------------------------------------------------------------------------------------------------------------

PROTOCOL_MD = TOP / "docs/PROTOCOL.md"


VECTOR_SECRET = "an example of a secret, and far too well known"
VECTOR_TIME = 1_700_000_000.0
VECTOR_NONCE = bytes(range(24))


VECTOR_PEOPLE = Person(None, PrivateKey(b"\x01" * 32)), Person(None, PrivateKey(b"\x02" * 32))


def key_id(public_key: bytes) -> str:
    """What a receiving key goes by in envelope 2."""
    return b64url(hashlib.sha256(public_key).digest()[:8])


class Announced(NamedTuple):
    """A device, and what others seal to it."""

    device: str
    public_key: bytes


class Receiver(NamedTuple):
    """A device, and the receiving key that it made for somebody."""

    device: str
    key: PrivateKey

    @classmethod
    def new(cls, fill: int | None = None) -> Receiver:
        """One of random bytes, or of one byte over and over."""
        make = os.urandom if fill is None else lambda length: bytes([fill]) * length
        return cls(b64url(make(8)), PrivateKey(make(32)))

    @property
    def announced(self) -> Announced:
        return Announced(self.device, bytes(self.key.public_key))

    @property
    def fields(self) -> dict[str, str]:
        """The same as an envelope has it."""
        return {"device": self.device, "key": b64(bytes(self.key.public_key))}


class Secrets(NamedTuple):
    """What one envelope 2 is sealed with, and nothing else ever."""

    one_time: PrivateKey
    content_key: bytes
    nonce: bytes

    @classmethod
    def new(cls) -> Secrets:
        return cls(PrivateKey.generate(), os.urandom(32), os.urandom(24))


def content(octets: bytes = b"", **fields: Any) -> bytes:
    """What envelope 2 carries."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\0" + octets


def padded(plaintext: bytes) -> bytes:
    """With zero bytes up to where a length tells little."""
    step = 256 if len(plaintext) < 65_536 else 2 ** (len(plaintext).bit_length() - 1) // 32
    return plaintext + bytes(-len(plaintext) % step)


def header2(sender: Any, recipient: Any, writer: Receiver, body: bytes, **changed: Any) -> dict[str, Any]:
    """The header of an envelope 2, but for the fields that are `changed`; None leaves one out."""
    fields = {
        "v": 2, "id": b64url(os.urandom(16)), "from": sender.fingerprint, "to": recipient.fingerprint,
        "ts": int(time.time() * 1000), **writer.fields, "size": len(body),
    }  # fmt: skip
    return {name: value for name, value in (fields | changed).items() if value is not None}


def sealed_body(said: bytes, receivers: Sequence[Announced], secrets: Secrets) -> tuple[bytes, dict[str, Any]]:
    """The body of an envelope 2, and the header's fields that open it, by PyNaCl alone."""
    rows = []
    for device, public_key in receivers:
        wrapped = Box(secrets.one_time, PublicKey(public_key)).encrypt(secrets.content_key, secrets.nonce).ciphertext
        rows.append([device, key_id(public_key), b64(wrapped)])
    body = SecretBox(secrets.content_key).encrypt(said, secrets.nonce).ciphertext
    return body, {"one_time": b64(bytes(secrets.one_time.public_key)), "nonce": b64(secrets.nonce), "keys": rows}


def envelope2(
    sender: Any, recipient: Any, writer: Receiver, receivers: Sequence[Announced], said: bytes, **changed: Any
) -> bytes:
    """The plaintext of an envelope 2 with this content, sealed for the receivers, or for none of them unsealed."""
    body, opens = sealed_body(said, receivers, Secrets.new()) if receivers else (said, {})
    header = header2(sender, recipient, writer, body, **(opens | changed))
    return padded(json.dumps(header, separators=(",", ":")).encode() + b"\0" + body)


def open_envelope2(plaintext: bytes, receiver: Receiver) -> dict[str, Any]:
    """The header and content of an envelope 2, as a device reads it that has this receiving key."""
    header_json, _, rest = plaintext.partition(b"\0")
    header = json.loads(header_json)
    body = rest[: header["size"]]
    if "keys" in header:
        row = next(row for row in header["keys"] if row[:2] == [receiver.device, key_id(bytes(receiver.key.public_key))])
        box = Box(receiver.key, PublicKey(unb64(header["one_time"])))
        body = SecretBox(box.decrypt(unb64(row[2]), unb64(header["nonce"]))).decrypt(body, unb64(header["nonce"]))
    return {"header": header, "content": json.loads(body.partition(b"\0")[0])}


def read_file_by_listen(opened: dict[str, Any]) -> bool:
    """Whether `listen` takes what an envelope says of a file, or a part of one."""
    read = relay_module.read_file if opened["type"] == "file" else relay_module.read_part
    with contextlib.suppress(relay_module.EnvelopeRefused):
        return bool(read(opened))
    return False


def shown_of_file(vector: dict[str, Any]) -> list[str]:
    """What a vector says of its file, by name."""
    file = json.loads(vector["json"]).get("file")
    return list(file) if isinstance(file, dict) else []


def read_by_listen(row: dict[str, Any], reader: Person) -> dict[str, Any]:
    """What `listen` makes of a row, in the vectors' words."""
    try:
        opened = relay_module.open_envelope(row, bytes(reader.secret_key), bytes.fromhex(reader.fingerprint))
    except relay_module.EnvelopeRefused:
        return {"read": "refused"}
    if "octets" in opened and opened["type"] in ("file", "part"):
        return {"read": opened["type"] if read_file_by_listen(opened) else "refused"}
    if opened["type"] != "text":
        return {"read": "unknown"}
    return {"read": "text"} | {name: opened[name] for name in ("text", "legacy", "ts")}


def format_vectors(vectors: dict[str, Any]) -> str:
    """JSON, with a line for each case of a table."""

    def shown(value: Any) -> str:
        if isinstance(value, list):
            return "[\n" + ",\n".join("    " + json.dumps(case, ensure_ascii=False) for case in value) + "\n  ]"
        return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n  ")

    return "{\n" + ",\n".join(f'  "{name}": {shown(value)}' for name, value in vectors.items()) + "\n}"


def protocol_vectors() -> dict[str, Any]:
    """What docs/PROTOCOL.md shows under "Test vectors": fixed inputs, and what relay.py makes of them."""
    alice, bob = VECTOR_PEOPLE
    people = {
        f"{name}_{part}": value if isinstance(value, str) else b64(bytes(value))
        for name, person in (("alice", alice), ("bob", bob))
        for part, value in (
            ("secret_key", person.secret_key),
            ("public_key", person.public_key),
            ("fingerprint", relay_module.fingerprint_of(person.public_key).hex()),
        )
    }
    return {
        "keys": people | {"safety_number": safety_number(alice.public_key, bob.public_key)},
        "registration": registration_vector(alice, "https://chat.example.com", bytes(range(32))),
        "token": token_vector(alice),
        "message": message_vector(alice, bob),
        "backup": backup_vector(),
        "envelopes": envelope_vectors(alice, bob),
        "envelope2": envelope2_vector(alice, bob),
        "headers": header_vectors(),
        "contents": content_vectors() + file_content_vectors(),
        "file": file_vector(),
        "links": link_vectors(alice, bob),
    }


def envelope_vectors(alice: Person, bob: Person) -> list[dict[str, Any]]:
    """Plaintexts from alice to bob, and what a reader makes of each: refused, unknown, or a text and its time."""
    bound = {"from": alice.fingerprint, "to": bob.fingerprint}
    read = {"read": "text", "text": "hi", "legacy": False, "ts": 1_700_000_000_000}
    at, old = {"ts": 1_700_000_000_000}, {**read, "legacy": True}

    def plain(**fields: Any) -> str:
        return json.dumps(fields, separators=(",", ":"))

    def nested(levels: int) -> str:
        return plain(text="hi", **bound, **at)[:-1] + ',"x":' + "[" * levels + "]" * levels + "}"

    no_time = {**read, "ts": None}
    pairs: list[tuple[str, dict[str, Any]]] = [
        (plain(text="hi", **bound, **at), read),
        (plain(type="text", id="AAECAwQFBgcICQoLDA0ODw", text="hi", **bound, **at), read),
        (plain(type=None, text="hi", **bound, **at), read),
        (plain(text="hi", note="from an old client", **at), old),
        (plain(text="hi", **at), old),
        (plain(text="hi", ts=1.5), {**old, "ts": 1}),
        (plain(text="hi", **bound, ts=1_700_000_000_000.75), read),
        (plain(text="hi", **bound), no_time),
        (plain(text="hi", **bound, ts=True), no_time),
        (plain(text="hi", **bound, ts=10**400), no_time),
        (plain(text="hi", **bound, ts=9 * 10**15), no_time),
        (plain(text="hi", **bound, ts="@").replace('"@"', "1e999"), no_time),
        (nested(15), read),
        (plain(type="hologram", **bound, **at), {"read": "unknown"}),
        (plain(type=7, text="hi", **bound, **at), {"read": "unknown"}),
        (plain(text="hi", **bound, **at, name="Ana"), {**read, "name": "Ana"}),
        (plain(text="hi", **bound, **at, name=" Ana\u00a0 María "), {**read, "name": "Ana María"}),
        (plain(type="hologram", **bound, **at, name="Ana"), {"read": "unknown", "name": "Ana"}),
        (plain(text="hi", note="from an old client", **at, name="Ana"), old),
        *(
            (plain(text="hi", **bound, **at, name=name), read)
            for name in ("", " ", "A\u202ena", "A\nna", "x" * 65, ["Ana"], None)
        ),
    ]
    refused = [
        "x" * 32, "{}", plain(text="hey"), plain(text="hi"), plain(text="hi", ts="1"), plain(text="hi", ts=True), plain(text="é!", ts=1),
        "x" * 33, "[" + plain(text="hi", **bound) + "]", "\ufeff" + plain(text="hi", **bound), nested(16), nested(40),
        plain(text="hi", **bound, ts="@").replace('"@"', "NaN"), plain(text="hi", **bound, ts="@").replace('"@"', "-Infinity"),
        plain(text="hi", **{"from": bob.fingerprint, "to": alice.fingerprint}), plain(text="hi", **(bound | {"to": NOBODY})),
        plain(text="hi", **(bound | {"from": NOBODY})), plain(text="hi", to=bob.fingerprint), plain(text="hi", **{"from": alice.fingerprint}),
        plain(text="hi", **(bound | {"from": alice.fingerprint.upper()})), plain(text="hi", **(bound | {"from": None, "to": None})),
        plain(text="hi", id="short", **bound), plain(text="hi", id=None, **bound), plain(text=7, **bound), plain(**bound, **at),
    ]  # fmt: skip
    pairs += [(plaintext, {"read": "refused"}) for plaintext in refused]
    return [{"plaintext": plaintext, **outcome} for plaintext, outcome in pairs]


def envelope2_vector(alice: Person, bob: Person) -> dict[str, Any]:
    """An envelope 2 from alice to two devices of bob's, and every secret that is in it."""
    writer, *receivers = (Receiver.new(fill) for fill in (3, 4, 5))
    secrets = Secrets(PrivateKey(b"\x06" * 32), b"\x07" * 32, VECTOR_NONCE)
    said = content(type="text", text="Hello, Bob! 👋")
    body, opens = sealed_body(said, [receiver.announced for receiver in receivers], secrets)
    known = {"id": b64url(bytes(range(16))), "ts": 1_700_000_000_000}
    header = json.dumps(header2(alice, bob, writer, body, **known, **opens), separators=(",", ":"))
    return {
        "from": "alice",
        "to": "bob",
        "key_secret": b64(bytes(writer.key)),
        "receivers": [
            {"device": device, "secret_key": b64(bytes(key)), "key_id": key_id(bytes(key.public_key))}
            for device, key in receivers
        ],
        "one_time_secret": b64(bytes(secrets.one_time)),
        "content_key": b64(secrets.content_key),
        "nonce": b64(secrets.nonce),
        "content": b64(said),
        "header": header,
        "body": b64(body),
        "plaintext": b64(padded(header.encode() + b"\0" + body)),
    }


def header_vectors() -> list[dict[str, Any]]:
    """Changes of the header in `envelope2`, None for a field that is left out, and what a reader makes of each."""
    row = ["BAQEBAQEBAQ", "BAQEBAQEBAQ", b64(bytes(48))]
    other = ["BQUFBQUFBQU", *row[1:]]
    small = b64(bytes([1]) + bytes(31))
    day = 86_400_000
    bad: list[dict[str, Any]] = [
        *({name: None} for name in ("v", "id", "from", "to", "ts", "device", "key", "size", "one_time", "nonce", "keys")),
        {"v": 1}, {"v": 3}, {"v": "2"}, {"id": "short"}, {"id": 7}, {"id": "A" * 23}, {"from": NOBODY}, {"from": 7}, {"to": NOBODY},
        {"to": "1A92F23852DC908D97316A3B13578281196C1DD73D9AE5E313F3FB6B8954BF55"}, {"ts": "1700000000000"}, {"ts": 1.5}, {"ts": True},
        {"ts": 1_700_000_000_000 + 3653 * day}, {"ts": 1_700_000_000_000 - 3653 * day}, {"ts": 0}, {"ts": 1e300},
        {"device": "short"}, {"device": "BAQEBAQEBAR"}, {"device": 7}, {"device": "A" * 64}, {"key": "AAAA"}, {"key": 7}, {"key": small},
        {"key": b64(b"\xff" * 32)}, {"key": f"{b64(b'k' * 32)}\0"}, {"size": -1}, {"size": 1.5}, {"size": "60"}, {"size": 9_999}, {"size": True},
        {"one_time": "AAAA"}, {"one_time": small}, {"nonce": b64(bytes(23))}, {"nonce": 7}, {"keys": []}, {"keys": {}}, {"keys": "all"}, {"keys": [row, row]},
        {"keys": [row[:2]]}, {"keys": [[*row, 1]]}, {"keys": [["short", *row[1:]]]}, {"keys": [[row[0], "short", row[2]]]}, {"keys": [[*row[:2], b64(bytes(47))]]},
        {"keys": [row, None]}, {"more": "\0"}, {"more": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]},
    ]  # fmt: skip
    good: list[dict[str, Any]] = [
        {}, {"more": "unknown"}, {"ts": 1_700_000_000_000 + 365 * day}, {"one_time": None, "nonce": None, "keys": None}, {"size": 0},
        {"keys": [row]}, {"keys": [row, other]},
    ]  # fmt: skip
    return [{"change": change, "read": read} for read, changes in (("taken", good), ("refused", bad)) for change in changes]


def content_vectors() -> list[dict[str, Any]]:
    """Contents, and what a reader makes of each: its type, unknown, or refused."""
    at, by = "AAECAwQFBgcICQoLDA0ODw", NOBODY
    reply = {"by": by, "of": at, "quote": "Hello"}
    good: list[dict[str, Any]] = [
        {"type": "text", "text": "hi"}, {"type": "text", "text": "hi", "name": "Ann", "re": reply, "lasts": 60, "more": [1]},
        {"type": "text", "text": "hi", "re": {"of": at, "quote": ""}}, {"type": "text", "text": "hi", "name": "👋" * 64},
        {"type": "edit", "of": at, "text": "ho"}, {"type": "delete", "of": at}, {"type": "react", "of": at, "emoji": "👍"},
        {"type": "react", "by": by, "of": at, "emoji": "👨‍👩‍👧‍👦"}, {"type": "react", "of": at, "emoji": ""}, {"type": "setting", "lasts": 0},
        {"type": "receipt", "delivered": [at], "read": []}, {"type": "receipt", "delivered": [], "read": []}, {"type": "profile", "name": "Ann"},
        {"type": "hello"}, {"type": "goodbye"}, {"type": "resend", "ids": [at]},
    ]  # fmt: skip
    unknown: list[dict[str, Any]] = [
        {"type": "hologram"},
        {"type": "text", "text": "hi", "group": at},
        {"type": "toString"},
    ]
    bad: list[Any] = [
        [], "text", {}, {"type": 7}, {"type": None}, {"type": "text"}, {"type": "text", "text": ""}, {"type": "text", "text": 7}, {"type": "text", "text": "a\0b"},
        {"type": "text", "text": "hi", "name": ""}, {"type": "text", "text": "hi", "name": "a" * 65}, {"type": "text", "text": "hi", "name": "a\nb"},
        {"type": "text", "text": "hi", "name": None}, {"type": "text", "text": "hi", "lasts": 0}, {"type": "text", "text": "hi", "lasts": 1.5},
        {"type": "text", "text": "hi", "lasts": "60"}, {"type": "text", "text": "hi", "lasts": 31_622_401}, {"type": "text", "text": "hi", "re": at},
        {"type": "text", "text": "hi", "re": None}, {"type": "text", "text": "hi", "re": {**reply, "by": "me"}}, {"type": "text", "text": "hi", "re": {**reply, "of": 7}},
        {"type": "text", "text": "hi", "re": {"of": at}}, {"type": "text", "text": "hi", "re": {**reply, "quote": "a" * 121}},
        {"type": "edit", "text": "ho"}, {"type": "edit", "of": "short", "text": "ho"}, {"type": "edit", "of": at}, {"type": "edit", "of": at, "text": ""},
        {"type": "delete"}, {"type": "delete", "of": [at]}, {"type": "react", "of": at}, {"type": "react", "emoji": "👍"}, {"type": "react", "of": at, "emoji": "👍👍"},
        {"type": "react", "of": at, "emoji": "👍" + "🏽" * 8}, {"type": "react", "of": at, "emoji": " "}, {"type": "react", "of": at, "emoji": "\u202e"},
        {"type": "react", "of": at, "emoji": 1}, {"type": "react", "by": "me", "of": at, "emoji": "👍"}, {"type": "setting"}, {"type": "setting", "lasts": -1},
        {"type": "receipt", "delivered": [at]}, {"type": "receipt", "read": [at]}, {"type": "receipt", "delivered": at, "read": []},
        {"type": "receipt", "delivered": ["short"], "read": []}, {"type": "receipt", "delivered": [at] * 100, "read": [at] * 101},
        {"type": "profile"}, {"type": "profile", "name": "\t"}, {"type": "resend"}, {"type": "resend", "ids": [at] * 201}, {"type": "resend", "ids": [None]},
    ]  # fmt: skip
    written = (
        [(said, said["type"]) for said in good]
        + [(said, "unknown") for said in unknown]
        + [(said, "refused") for said in bad]
    )
    plain = [(json.dumps(said, ensure_ascii=False, separators=(",", ":")), read) for said, read in written]
    twice = [
        '{"type":"text","text":"hi","text":"ho"}',
        f'{{"type":"text","text":"hi","re":{{"of":"{at}","of":"{at}","quote":""}}}}',
        "hi",
        "",
    ]
    return [{"json": said, "read": read} for said, read in [*plain, *((said, "refused") for said in twice)]]


PART_BYTES = 65_536


def file_header(octets: bytes, **changed: Any) -> dict[str, Any]:
    """What a `file` says of these bytes, but for the fields that are `changed`; None leaves one out."""
    fields = {
        "id": b64url(os.urandom(16)), "name": "film.bin", "mime": "application/octet-stream", "size": len(octets),
        "sha256": hashlib.sha256(octets).hexdigest(), "parts": -(-len(octets) // PART_BYTES),
    }  # fmt: skip
    return {name: value for name, value in (fields | changed).items() if value is not None}


def part_id(file_id: str, n: int) -> str:
    """The id of the envelope with part `n` of a file."""
    return b64url(hashlib.sha256(f"{file_id} {n}".encode()).digest()[:16])


def webp(width: int, height: int, length: int = 40) -> str:
    """A picture of these sides as far as its header goes, in base64."""
    sides = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return b64((b"RIFF" + bytes(4) + b"WEBPVP8 " + bytes(10) + sides).ljust(length, b"\0"))


def file_vector() -> dict[str, Any]:
    """A file of two parts, and the contents that carry it."""
    octets = bytes(number % 251 for number in range(PART_BYTES + 5))
    header = file_header(octets, id="AAECAwQFBgcICQoLDA0ODw", width=32, height=24, preview=webp(32, 24))
    part = content(octets[PART_BYTES:], type="part", file=header["id"], n=1)
    return {
        "octets": {"length": len(octets), "each": "its place modulo 251"},
        "file": header,
        "part_ids": [part_id(header["id"], n) for n in range(2)],
        "content_sha256": hashlib.sha256(content(octets[:PART_BYTES], type="file", file=header)).hexdigest(),
        "part": b64(part),
    }


def file_content_vectors() -> list[dict[str, Any]]:
    """Contents with so many octets, and what a reader makes of each."""
    at = "AAECAwQFBgcICQoLDA0ODw"
    header = file_header(b"hello", id=at)
    good: list[tuple[dict[str, Any], int]] = [
        ({}, 5), ({"name": "../../x"}, 5), ({"name": "a\u202egpj.exe"}, 5), ({"mime": "text/html"}, 5), ({"width": 1, "height": 65_535, "seconds": 0}, 5),
        ({"preview": webp(128, 128)}, 5), ({"size": 65_536, "parts": 1}, 65_536), ({"size": 65_537, "parts": 2}, 65_536), ({"size": 2**24, "parts": 256}, 65_536), ({"more": 1}, 5),
    ]  # fmt: skip
    bad: list[tuple[dict[str, Any], int]] = [
        *(({name: None}, 5) for name in header), ({}, 0), ({}, 4), ({}, 6), ({"parts": 10**9}, 5), ({"parts": 2}, 5), ({"parts": 0}, 5), ({"parts": "1"}, 5),
        ({"size": 0, "parts": 0}, 0), ({"size": 2**24 + 1, "parts": 257}, 65_536), ({"size": 1.5}, 5), ({"size": -1}, 5), ({"size": "5"}, 5), ({"id": "short"}, 5),
        ({"name": ""}, 5), ({"name": "x" * 256}, 5), ({"name": "x" * 10_000}, 5), ({"name": "a\nb"}, 5), ({"name": 7}, 5), ({"mime": ""}, 5), ({"mime": "image"}, 5),
        ({"mime": "Image/PNG"}, 5), ({"mime": "image/png; x=y"}, 5), ({"mime": f"image/{'x' * 64}"}, 5), ({"mime": ["image/png"]}, 5), ({"sha256": "AB" * 32}, 5), ({"sha256": "ab"}, 5),
        ({"width": 0}, 5), ({"width": 65_536}, 5), ({"height": 1.5}, 5), ({"seconds": -1}, 5), ({"seconds": 86_401}, 5), ({"preview": ""}, 5), ({"preview": "no!"}, 5),
        ({"preview": webp(129, 128)}, 5), ({"preview": webp(32, 24, 1537)}, 5), ({"preview": b64(b"\x89PNG\r\n\x1a\n" + bytes(40))}, 5),
    ]  # fmt: skip
    part = {"type": "part", "file": at, "n": 1}
    parts: list[tuple[dict[str, Any], int, str]] = [
        (part, 1, "part"), (part, 65_536, "part"), ({**part, "n": 255}, 1, "part"), ({**part, "n": 0}, 1, "part"),
        *((each, length, "refused") for each, length in ((part, 0), (part, 65_537), ({**part, "n": 256}, 1), ({**part, "n": -1}, 1), ({**part, "n": "1"}, 1))),
        *((each, 1, "refused") for each in ({**part, "file": "short"}, {"type": "part", "n": 1}, {"type": "part", "file": at})),
    ]  # fmt: skip
    said = [
        ({"type": "file", "file": file_header(b"hello", **{"id": at, **change})}, length, read)
        for read, changes in (("file", good), ("refused", bad))
        for change, length in changes
    ]
    bare = [{"type": "file"}, {"type": "file", "file": 7}, {"type": "file", "file": None}, {"type": "file", "file": [at]}]
    worded = [({"type": "file", "file": header, "text": "look", "re": {"of": at, "quote": ""}, "lasts": 60}, 5, "file")]
    worded += [
        ({"type": "file", "file": header, **wrong}, 5, "refused") for wrong in ({"text": ""}, {"lasts": 0}, {"re": 7})
    ]
    rows = [*said, *((each, 5, "refused") for each in bare), *worded, *parts]
    return [
        {"json": json.dumps(each, separators=(",", ":")), "octets": length, "read": read} for each, length, read in rows
    ]


def link_vectors(alice: Person, bob: Person) -> list[dict[str, str | None]]:
    """Texts with a link, and the relay and address that it names; None where it is refused."""
    a, b, here, there = alice.fingerprint, bob.fingerprint, "https://chat.example.com", "https://other.example.com:8443"
    good = [
        (f"{here}/chats#chat={a}&server={here}", here),
        (f"{here}/chats#chat={a}&server={quote(there, safe='')}", there),
        (f"{here}/chats#server={there}&chat={a}", there),
        (f"{here}/chats#chat={a}", here),
        (f"{here}/chats#chat={a}&server=", here),
        (f"{here}/chats#fp={a}&server={there}/", there),
        (f"{here}/chats#chat={a.upper()}&server=HTTPS://Other.Example.com:8443", there),
        (f"{here}:443/#chat={a}", here),
        (f"http://127.0.0.1:3233/chats#chat={a}", "http://127.0.0.1:3233"),
        (f"{here}/chats?chat={a}&server={there}", there),
        (f"{here}/?fp={a}", here),
        (f"{here}/chats?chat={b}&server={there}#chat={a}", here),
        (f"{here}/chats?chat={a}#elsewhere", here),
        (f"{here}/chats#fp={b}&chat={a}", here),
        (f"{here}/chats#chat={a}&chat={b}", here),
        (f"{here}/chats%23chat={a}&server={there}", there),
        (f"{here[8:]}/chats#chat={a}", here),
        (f"{here[8:]}/chats#chat={a}&server={there}", there),
        (f"Write to me: {here}/chats#chat={a}&server={there}.", there),
        (f"“Hi!” <{here}/chats#chat={a}>, she said", here),
    ]
    named = [
        (f"{here}/chats#chat={a}&server={here}&name=Ana", "Ana"),
        (f"{here}/chats#chat={a}&server={here}&name=Ana%20Mar%C3%ADa%20(mum%29.", "Ana María (mum)"),
        (f"{here}/chats#name=Dr+A%2E&chat={a}", "Dr A."),
        (f"{here}/chats#chat={a}&name=A%0Ana", ""),
        (f"{here}/chats#chat={a}&name=A%E2%80%AEna", ""),
        (f"{here}/chats#chat={a}&name={'x' * 65}", ""),
        (f"{here}/chats#chat={a}&name=%FF", ""),
    ]
    bad = [
        f"{here}/chats", f"{here}/chats#server={there}", f"{here}/chats&chat={a}", f"{here}/chats#chat=", f"{here}/chats#chat=&fp={a}",
        f"{here}/chats#chat={a[:8]}", f"{here}/chats#chat={a[:63]}", f"{here}/chats#chat={a}0", f"{here}/chats#chat=3233:{a[:32]}",
        f"{here}/chats#chat=3233:{a}", f"{here}/chats#chat={quote(b64(alice.public_key), safe='')}", f"{here}/chats#chat=%20{a}",
        f"{here}/chats#chat={a}&server={there}/path", f"{here}/chats#chat={a}&server={there}?x=1",
        f"{here}/chats#chat={a}&server=https://me@other.example.com", f"{here}/chats#chat={a}&server=ftp://other.example.com",
        f"{here}/chats#chat={a}&server=other.example.com", f"{here}/chats#chat={a}&server=nonsense", f"https://me@chat.example.com/#chat={a}",
        f"ftp://chat.example.com/chats#chat={a}", f"https://[/chats#chat={a}",
    ]  # fmt: skip
    return [
        *({"link": link, "server": server, "fingerprint": a} for link, server in good),
        *({"link": link, "server": here, "fingerprint": a} | ({"name": name} if name else {}) for link, name in named),
        *({"link": link, "server": None, "fingerprint": None} for link in bad),
    ]


def registration_vector(person: Person, origin: str, challenge: bytes) -> dict[str, str]:
    """Both proofs that answer a challenge."""
    server_key = relay_module.Registrar(VECTOR_SECRET.encode()).public_key
    shared = relay_module.shared_key(server_key, bytes(person.secret_key))
    return {
        "jwt_secret": VECTOR_SECRET,
        "server_secret_key": b64(relay_module.derive_key(VECTOR_SECRET.encode(), "io3233 registration key v1")),
        "server_public_key": b64(server_key),
        "challenge": b64(challenge),
        "proof_nonce": b64(VECTOR_NONCE),
        "proof_ciphertext": b64(crypto_box_afternm(challenge, VECTOR_NONCE, shared)),
        "origin": origin,
        "shared_key": b64(shared),
        "proof_mac": b64(relay_module.bound_proof(shared, origin, person.public_key, server_key, challenge)),
    }


def token_vector(person: Person) -> dict[str, Any]:
    """A token and what it claims."""
    token = relay_module.Tokens(VECTOR_SECRET.encode(), 604_800).issue(bytes.fromhex(person.fingerprint), 0, VECTOR_TIME)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return {"jwt_secret": VECTOR_SECRET, "claims": claims, "token": token}


def with_member(plaintext: bytes, name: str, value: str) -> bytes:
    """An envelope with one more member ahead of its padding."""
    fields = json.loads(plaintext)
    del fields["pad"]
    bare = json.dumps(fields | {name: value, "pad": ""}, ensure_ascii=False, separators=(",", ":")).encode()
    return bare[:-2] + b"0" * (-len(bare) % 256) + b'"}'


def message_vector(sender: Person, recipient: Person) -> dict[str, str]:
    """An envelope from alice to bob, and its box."""
    fingerprints = (bytes.fromhex(person.fingerprint) for person in (sender, recipient))
    plaintext = relay_module.make_envelope("Hello, Bob! 👋", *fingerprints, VECTOR_TIME, bytes(range(16)))
    ciphertext = crypto_box(plaintext, VECTOR_NONCE, recipient.public_key, bytes(sender.secret_key))
    return {
        "from": "alice",
        "to": "bob",
        "plaintext": plaintext.decode(),
        "plaintext_with_name": with_member(plaintext, "name", "Ana").decode(),
        "nonce": b64(VECTOR_NONCE),
        "ciphertext": b64(ciphertext),
        "fallback_id": "sha256:" + hashlib.sha256(sender.fingerprint.encode() + VECTOR_NONCE + ciphertext).hexdigest()[:32],
    }


def backup_content(alice: Person, bob: Person) -> dict[str, Any]:
    """What a backup holds of somebody with one contact, a message each way and a draft: every field of docs/PROTOCOL.md."""
    origin, day = "https://chat.example.com", 1_700_000_000_000
    both = {"contact": bob.fingerprint, "relay": origin, "kind": "text", "legacy": False, "reason": ""}
    received = {"seq": 1, "direction": "in", "text": "Hello, Alice!", "at": day, "written_at": day - 7_200_000}
    written = {"seq": 2, "direction": "out", "text": "Hello, Bob! 👋", "at": day, "state": "queued", "error": ""}
    unsent = {"retriable": False, "relay_id": None, "expires_at": ""}
    switches = {"verified": True, "muted": False, "blocked": False, "open": True, "request": False, "request_size": 0}
    latest = {"unread": 0, "last_seq": 2, "last_at": day, "last_text": "Hello, Bob! 👋", "last_direction": "out"}
    contact = {
        "fingerprint": bob.fingerprint,
        "name": "Bob",
        "their_name": "Bobby",
        "relay": origin,
        "public_key": {"base64": b64(bob.public_key)},
    }
    read_to = {"origin": origin, "cursor": 1, "erased_through": 0, "refused": 0, "requests_dropped": 0, "added_at": day}
    pinned = {
        "server_public_key": {"base64": b64(bob.public_key)},
        "bound": True,
        "allow_older_proof": False,
        "invite": "code",
    }
    figures = {"registered_identities": 2, "message_retention_days": 14, "max_message_bytes": 262144}
    says = {"version": "1.0.0", "registration": "open", "key_changed_at": None}
    edits = [{"id": "", "ts": day, "text": "Helo, Alice!"}, {"id": "C" * 22, "ts": day + 1, "text": "Hello, Alice!"}]
    reaction = {"by": alice.fingerprint, "emoji": "👋", "id": "D" * 22, "ts": day}
    changed = {
        "ts": day,
        "unsealed": False,
        "edits": edits,
        "edited_at": day + 1,
        "reactions": [reaction],
        "deleted_at": None,
        "event": None,
    }
    told = {
        "re": {"of": "A" * 22, "quote": "Hello, Alice!", "mine": False}, "sent_at": None, "delivered_at": None, "read_at": None,
        "lasts": 3600, "gone_at": None, "resent": 0,
    }  # fmt: skip
    device = {"device": "AwMDAwMDAwM", "key": {"base64": b64(bob.public_key)}}
    return {
        "created_at": day,
        "history": True,
        "secret_key": {"base64": b64(bytes(alice.secret_key))},
        "settings": {
            "home": origin,
            "notifications": False,
            "preview": True,
            "sound": True,
            "erase_on_relay": False,
            "receipts": True,
            "name": "Alice",
        },
        "contacts": [contact | switches | latest | {"refused": 0, "added_at": day, "lasts": 3600, "lasts_ts": day}],
        "drafts": [[bob.fingerprint, "half a thou"]],
        "relays": [read_to | pinned | figures | says],
        "messages": [
            both | received | {"envelope_id": "A" * 22} | changed,
            both | written | unsent | {"envelope_id": "B" * 22} | told,
        ],
        "seen": [f"{bob.fingerprint} {'A' * 22}"],
        "sessions": [{"contact": bob.fingerprint, "sealed": True, "devices": [device | {"since": day, "heard_at": day}]}],
    }


def sealed_backup(plaintext: bytes, passphrase: str, salt: bytes, nonce: bytes) -> dict[str, Any]:
    """A backup file's fields, by the standard library and PyNaCl alone."""
    kdf = {"n": 2**17, "r": 8, "p": 1}
    key = hashlib.scrypt(passphrase.encode(), salt=salt, dklen=32, maxmem=2**28, **kdf)
    box = SecretBox(key).encrypt(plaintext, nonce).ciphertext
    sealed = {"salt": b64(salt), "nonce": b64(nonce), "sha256": hashlib.sha256(box).hexdigest(), "box": b64(box)}
    return {"format": "io3233-backup", "version": 2, "kdf": "scrypt"} | kdf | sealed


@functools.cache
def backup_vector() -> dict[str, Any]:
    """A backup of alice's, and the passphrase that opens it."""
    content = backup_content(Person(None, PrivateKey(b"\x01" * 32)), Person(None, PrivateKey(b"\x02" * 32)))
    plaintext = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    passphrase = "wisdom zebra canal orbit lemon crisp"
    file = sealed_backup(plaintext.encode(), passphrase, bytes(range(16)), VECTOR_NONCE)
    return {"passphrase": passphrase, "plaintext": plaintext, "file": file}


def safety_number(one: bytes, other: bytes) -> str:
    """Sixty digits for two people to compare: five for each of the first twelve 40-bit groups of a SHA-512."""
    digest = hashlib.sha512(b"io3233 safety number v1\0" + b"".join(sorted((one, other)))).digest()
    return " ".join(f"{int.from_bytes(digest[start : start + 5]) % 100_000:05d}" for start in range(0, 60, 5))


class TestProtocolVectors:
    """The document's vectors are what the code computes, and hold by plain PyNaCl too."""

    def test_document_shows_what_the_code_computes(self):
        section = PROTOCOL_MD.read_text().partition("## Test vectors")[2]

        [block] = re.findall(r"^```json\n(.*?)^```", section.partition("\n## ")[0], re.DOTALL | re.MULTILINE)

        assert json.loads(block) == protocol_vectors()

    def test_token_of_the_vectors_is_accepted_in_its_time_and_not_later(self):
        vector = protocol_vectors()["token"]
        tokens = relay_module.Tokens(vector["jwt_secret"].encode(), 604_800)

        claims = tokens.verify(vector["token"], now=1_700_000_001.0)

        assert claims.fingerprint.hex() == vector["claims"]["sub"]
        with pytest.raises(relay_module.RelayError):
            tokens.verify(vector["token"], now=claims.expires)

    def test_message_of_the_vectors_opens_for_its_recipient(self):
        keys, vector = protocol_vectors()["keys"], protocol_vectors()["message"]
        row = {
            "sender_public_key": keys["alice_public_key"],
            "sender_fingerprint": keys["alice_fingerprint"],
            "ciphertext": vector["ciphertext"],
            "nonce": vector["nonce"],
        }

        opened = relay_module.open_envelope(row, unb64(keys["bob_secret_key"]), bytes.fromhex(keys["bob_fingerprint"]))

        assert opened["text"] == json.loads(vector["plaintext"])["text"]
        assert relay_module.unbox(row, unb64(keys["bob_secret_key"]))[2] == vector["fallback_id"]

    @pytest.mark.parametrize("vector", protocol_vectors()["envelopes"], ids=lambda vector: vector["plaintext"][:40])
    def test_envelope_of_the_vectors_is_read_or_refused_as_written(self, vector):
        alice, bob = VECTOR_PEOPLE
        row = {**alice.seal(bob, vector["plaintext"].encode()), "sender_fingerprint": alice.fingerprint}

        assert read_by_listen(row, bob) == {
            field: value for field, value in vector.items() if field not in ("plaintext", "name")
        }

    @pytest.mark.parametrize(
        "vector",
        [
            each
            for each in protocol_vectors()["contents"]
            if '"type":"file"' in each["json"] or '"type":"part"' in each["json"]
        ],
        ids=lambda vector: f"{vector['read']} {vector['json'][:300]}",
    )
    def test_file_of_the_vectors_is_read_or_refused_as_written(self, vector):
        alice, bob = VECTOR_PEOPLE
        said = vector["json"].encode() + b"\0" + bytes(vector["octets"])
        row = {**alice.seal(bob, envelope2(alice, bob, Receiver.new(), [], said)), "sender_fingerprint": alice.fingerprint}
        if {"re", "lasts", "width", "height", "seconds", "preview"} & {*json.loads(vector["json"]), *shown_of_file(vector)}:
            vector = vector | {"read": "file"}  # the command line makes no use of these, and so does not look at them

        assert read_by_listen(row, bob)["read"] == vector["read"]

    def test_parts_of_the_vectors_have_the_ids_that_are_written(self):
        vector = protocol_vectors()["file"]

        assert [relay_module.part_id(vector["file"]["id"], n) for n in range(2)] == vector["part_ids"]

    @pytest.mark.parametrize("vector", protocol_vectors()["links"], ids=lambda vector: vector["link"][:90])
    def test_link_of_the_vectors_names_whom_it_should_or_nobody(self, vector):
        named: tuple[str | None, str | None] = (None, None)

        with contextlib.suppress(relay_module.CommandError):
            named = relay_module.parse_link(vector["link"])

        assert named == (vector["server"], vector["fingerprint"])

    def test_envelope_2_of_the_vectors_opens_for_each_device_it_names_and_no_other(self):
        vector = protocol_vectors()["envelope2"]
        receivers = [Receiver(each["device"], PrivateKey(unb64(each["secret_key"]))) for each in vector["receivers"]]

        opened = [open_envelope2(unb64(vector["plaintext"]), receiver) for receiver in receivers]

        assert [each["content"]["text"] for each in opened] == ["Hello, Bob! 👋"] * 2
        assert len(unb64(vector["plaintext"])) % 256 == 0
        with pytest.raises(StopIteration):
            open_envelope2(unb64(vector["plaintext"]), Receiver(receivers[0].device, receivers[1].key))

    def test_backup_of_the_vectors_opens_by_plain_python(self):
        passphrase, plaintext, file = protocol_vectors()["backup"].values()
        kdf = {name: file[name] for name in "nrp"}

        key = hashlib.scrypt(passphrase.encode(), salt=unb64(file["salt"]), dklen=32, maxmem=2**28, **kdf)
        opened = SecretBox(key).decrypt(unb64(file["box"]), unb64(file["nonce"]))

        assert opened.decode() == plaintext
        assert hashlib.sha256(unb64(file["box"])).hexdigest() == file["sha256"]

    def test_proofs_of_the_vectors_hold_by_the_written_rule(self):
        keys, vector = protocol_vectors()["keys"], protocol_vectors()["registration"]
        box = Box(PrivateKey(unb64(vector["server_secret_key"])), PublicKey(unb64(keys["alice_public_key"])))

        opened = box.decrypt(unb64(vector["proof_ciphertext"]), unb64(vector["proof_nonce"]))
        bound_to = b"io3233 register v1\0" + vector["origin"].encode() + b"\0" + unb64(keys["alice_public_key"])
        mac = hmac.digest(box.shared_key(), bound_to + unb64(vector["server_public_key"]) + opened, "sha256")

        assert b64(opened) == vector["challenge"]
        assert b64(mac) == vector["proof_mac"]


# ------------------------------------------------------------------------------------------------------------------------
# Hosting: what surrounds a relay on a real machine
# ------------------------------------------------------------------------------------------------------------------------

TAKEOVER = TOP / "docs/deploy/takeover.py"
UNIT = TOP / "io3233.service"

ORIGINAL_SCHEMA = """
CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY);
CREATE TABLE users (fingerprint TEXT PRIMARY KEY, pubkey BLOB NOT NULL, created_at TEXT NOT NULL, last_seen TEXT);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, recipient_fingerprint TEXT, sender_fingerprint TEXT,
    ciphertext BLOB, nonce BLOB, sender_pubkey BLOB, created_at TEXT, expires_at TEXT);
"""


class OriginalServer:
    """A database as the original server leaves it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.executescript(ORIGINAL_SCHEMA)

    def add_user(self, person: Person, *, public_key: bytes | None = None) -> None:
        row = (person.fingerprint, public_key or person.public_key, "2026-01-02T03:04:05.678+00:00")
        self.database.execute("INSERT INTO users (fingerprint, pubkey, created_at) VALUES (?, ?, ?)", row)

    def add_message(self, sender: Person, recipient: Person, text: bytes, *, days: float = 1) -> int:
        """A message that expires in so many days; its id."""
        sealed = Box(sender.secret_key, PublicKey(recipient.public_key)).encrypt(text)
        times = [datetime.fromtimestamp(time.time() + each * 86400, UTC).isoformat() for each in (days - 14, days)]
        row = (recipient.fingerprint, sender.fingerprint, sealed.ciphertext, sealed.nonce, sender.public_key, *times)
        columns = "recipient_fingerprint, sender_fingerprint, ciphertext, nonce, sender_pubkey, created_at, expires_at"
        cursor = self.database.execute(f"INSERT INTO messages ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return cursor.lastrowid or 0


def run(*command: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command to its end, from the top of the repository, with its output."""
    env = process_environ(Path("/nonexistent"), environ)
    return subprocess.run(command, env=env, cwd=TOP, text=True, capture_output=True, timeout=600, check=False)


def take_over(source: Path, dest: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, TAKEOVER, source, dest)


@pytest.fixture
def original(tmp_path: Path) -> Iterator[OriginalServer]:
    server = OriginalServer(tmp_path / "original.db")
    yield server
    server.database.close()


class TestTakeover:
    """docs/deploy/takeover.py: from the original server's database to ours."""

    async def test_people_of_the_original_server_find_their_mail_under_the_same_ids(
        self, original: OriginalServer, tmp_path: Path, relays: Callable[..., Any]
    ) -> None:
        alice, bob = Person(None), Person(None)
        original.add_user(alice)
        original.add_user(bob)
        original.add_message(alice, bob, b"old", days=-1)
        kept = original.add_message(alice, bob, b"kept")

        done = take_over(original.path, tmp_path / "new.db")

        assert done.returncode == 0, done.stderr
        assert "Took 2 identities and 1 messages" in done.stdout and "Left 1 expired messages" in done.stdout
        relay = await relays(DATABASE_URL=f"sqlite:{tmp_path / 'new.db'}?mode=rw")
        bob = await relay.register(bob.secret_key)
        [message] = await bob.fetch()
        assert (message["id"], bob.open(message)) == (kept, b"kept")
        assert message["sender_fingerprint"] == alice.fingerprint

    async def test_ids_continue_after_the_highest_that_was_ever_given(
        self, original: OriginalServer, tmp_path: Path, relays: Callable[..., Any]
    ) -> None:
        alice, bob = Person(None), Person(None)
        original.add_user(bob)
        highest = [original.add_message(alice, bob, b"taken back") for _ in range(5)][-1]
        original.database.execute("DELETE FROM messages")

        take_over(original.path, tmp_path / "new.db")

        relay = await relays(DATABASE_URL=f"sqlite:{tmp_path / 'new.db'}")
        alice, bob = await relay.register(alice.secret_key), await relay.register(bob.secret_key)
        assert (await alice.send(bob, b"first here"))["id"] == highest + 1

    async def test_what_no_device_would_accept_is_left_behind_and_counted(
        self, original: OriginalServer, tmp_path: Path
    ) -> None:
        alice, bob, mallory = Person(None), Person(None), Person(None)
        original.add_user(alice)
        original.add_user(mallory, public_key=bob.public_key)
        original.add_message(alice, bob, b"for nobody registered")
        forged = original.add_message(bob, alice, b"forged sender")
        original.database.execute("UPDATE messages SET sender_fingerprint = ? WHERE id = ?", (mallory.fingerprint, forged))

        done = take_over(original.path, tmp_path / "new.db")

        assert "Took 1 identities and 0 messages" in done.stdout
        assert "Left 1 identities whose key does not match" in done.stdout
        assert "Left 1 messages for nobody" in done.stdout and "Left 1 messages that nobody could open" in done.stdout

    @pytest.mark.parametrize(
        "column", ["recipient_fingerprint", "sender_fingerprint", "ciphertext", "nonce", "sender_pubkey", "expires_at"]
    )
    async def test_a_row_with_nothing_in_a_column_is_left_behind(
        self, original: OriginalServer, tmp_path: Path, column: str
    ) -> None:
        alice, bob = Person(None), Person(None)
        original.add_user(bob)
        half, _ = (original.add_message(alice, bob, text) for text in (b"half", b"whole"))
        original.database.execute(f"UPDATE messages SET {column} = NULL WHERE id = ?", (half,))

        done = take_over(original.path, tmp_path / "new.db")

        assert done.returncode == 0, done.stderr
        assert "Took 1 identities and 1 messages" in done.stdout

    @pytest.mark.parametrize("journal", ["delete", "wal"])
    async def test_the_source_and_its_folder_stay_as_they_were(
        self, original: OriginalServer, tmp_path: Path, journal: str
    ) -> None:
        original.add_user(Person(None))
        original.database.execute(f"PRAGMA journal_mode={journal}")
        original.database.close()
        original.path.chmod(0o400)
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

        done = take_over(original.path, tmp_path / "new.db")

        assert done.returncode == 0, done.stderr
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "new.db"} == before
        assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        ("source", "says"),
        [
            ("missing.db", "there is no file"),
            ("text.db", "not a database"),
            ("other.db", "no tables `users` and `messages`"),
        ],
    )
    async def test_a_source_of_another_kind_is_refused_with_a_sentence(
        self, tmp_path: Path, source: str, says: str
    ) -> None:
        (tmp_path / "text.db").write_text("dear diary\n" * 100)
        with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as other:
            other.execute("CREATE TABLE recipes (name)")

        done = take_over(tmp_path / source, tmp_path / "new.db")

        assert (done.returncode, done.stdout) == (1, "")
        assert says in done.stderr and "Traceback" not in done.stderr
        assert not [path for path in tmp_path.iterdir() if path.name.startswith("new.db")]

    async def test_an_existing_dest_is_never_overwritten(self, original: OriginalServer, tmp_path: Path) -> None:
        (tmp_path / "new.db").write_text("precious")

        done = take_over(original.path, tmp_path / "new.db")

        assert done.returncode == 1 and "name another DEST" in done.stderr
        assert (tmp_path / "new.db").read_text() == "precious"

    async def test_a_damaged_row_stops_it_and_a_second_run_after_repair_succeeds(
        self, original: OriginalServer, tmp_path: Path
    ) -> None:
        original.add_user(Person(None))
        original.database.execute("UPDATE users SET created_at = 'yesterday'")

        failed = take_over(original.path, tmp_path / "new.db")
        original.database.execute("UPDATE users SET created_at = '2026-01-02 03:04:05'")
        repaired = take_over(original.path, tmp_path / "new.db")

        assert failed.returncode == 1 and "yesterday" in failed.stderr and "Nothing was changed" in failed.stderr
        assert repaired.returncode == 0, repaired.stderr

    async def test_a_relay_started_on_the_original_file_names_the_script(self, original: OriginalServer) -> None:
        settings = {"DATABASE_URL": f"sqlite:{original.path}", "JWT_SECRET": SECRET, "BIND": "127.0.0.1:0"}
        started = run(sys.executable, RELAY_PY, **settings)

        assert started.returncode != 0
        assert "docs/deploy/takeover.py" in started.stderr and "Traceback" not in started.stderr


class Proxy:
    """nginx or Caddy with the shipped configuration, on ports and files of its own."""

    def __init__(self, folder: Path, upstream: AnyRelay) -> None:
        self.folder, self.upstream = folder, upstream
        folder.mkdir()
        self.http_port, self.https_port = free_port(), free_port()
        self.process: asyncio.subprocess.Process | None = None

    def make_certificate(self) -> None:
        names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        files = ("-keyout", self.folder / "privkey.pem", "-out", self.folder / "fullchain.pem")
        made = run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", *names, *files)
        assert made.returncode == 0, made.stderr

    async def start_nginx(self, mistakes: Mapping[str, str] | None = None) -> None:
        """Start it with the shipped file, in which some text may be replaced."""
        self.make_certificate()
        site = (TOP / "docs/deploy/nginx.conf").read_text()
        for shipped, here in {
            "listen 80;": f"listen 127.0.0.1:{self.http_port};",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.https_port} ssl http2;",
            "server 127.0.0.1:3233;": f"server 127.0.0.1:{self.upstream.port};",
            "/etc/letsencrypt/live/chat.example.com": str(self.folder),
            "chat.example.com": "localhost",
            "/var/log/nginx": str(self.folder),
            "/var/www/html": str(self.folder),
            **(mistakes or {}),
        }.items():
            assert shipped in site
            site = site.replace(shipped, here)
        site = re.sub(r"listen \[::\].*", "", site)
        temporary = "".join(
            f"{what}_temp_path {self.folder}/{what};" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/main.log;"
            f"events {{}} http {{ {temporary}\n{site} }}"
        )
        await self.start("nginx", "-p", str(self.folder), "-e", "stderr", "-c", str(self.folder / "nginx.conf"))

    async def start_caddy(self, mistakes: Mapping[str, str] | None = None) -> None:
        """As with nginx."""
        self.make_certificate()
        site = (TOP / "docs/deploy/Caddyfile").read_text()
        tls = f"https://localhost:{self.https_port} {{\n\ttls {self.folder}/fullchain.pem {self.folder}/privkey.pem"
        for shipped, here in {
            "chat.example.com {": tls,
            "127.0.0.1:3233": f"127.0.0.1:{self.upstream.port}",
            "\tservers {": f"\tadmin off\n\thttp_port {self.http_port}\n\thttps_port {self.https_port}\n\tservers {{",
            **(mistakes or {}),
        }.items():
            assert shipped in site
            site = site.replace(shipped, here)
        (self.folder / "Caddyfile").write_text(site)
        await self.start("caddy", "run", "--adapter", "caddyfile", "--config", str(self.folder / "Caddyfile"))

    async def start(self, *command: str) -> None:
        with (self.folder / "output").open("ab") as output:
            environ = os.environ | {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
            self.process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=output, stderr=output)
        await until(self.listens)

    async def listens(self) -> bool:
        assert self.process is not None and self.process.returncode is None, self.logs()
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.https_port)
            writer.close()
            return True
        return False

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()

    def logs(self) -> str:
        """Everything that the proxy wrote."""
        return "".join(path.read_text() for path in [*self.folder.glob("*.log"), self.folder / "output"])


class ProxiedRelay(AnyRelay):
    """The relay behind a proxy, as the world sees it: over TLS, under the proxy's address."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(proxy.folder, {})
        self.url = f"https://localhost:{proxy.https_port}"
        self.proxy = proxy

    async def start(self) -> None:
        """Trust the proxy's certificate and no other."""
        trusted = ssl.create_default_context(cafile=str(self.proxy.folder / "fullchain.pem"))
        await self.session.close()
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted))

    async def stop(self) -> None:
        await self.proxy.stop()


@pytest.fixture(params=["nginx", "caddy"])
async def behind(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Put a relay behind each proxy that we ship a configuration for: `await behind(upstream, nginx={"this": "that"})`."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    started: list[ProxiedRelay] = []

    async def start(upstream: AnyRelay, **mistakes: Mapping[str, str]) -> ProxiedRelay:
        proxy = Proxy(tmp_path / request.param, upstream)
        start = proxy.start_nginx if request.param == "nginx" else proxy.start_caddy
        await start(mistakes.get(request.param))
        started.append(ProxiedRelay(proxy))
        await started[-1].start()
        return started[-1]

    yield start
    for each in started:
        await each.close()


@pytest.fixture
async def proxied(behind: Callable[..., Any], relays: Callable[..., Any]) -> ProxiedRelay:
    """A relay behind each proxy; rate limits are on."""
    return await behind(await relays(TRUST_FORWARDED_FOR="1", RATE_LIMIT="on"))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, nginx's workers for one."""
    with tempfile.TemporaryDirectory(prefix="io3233-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def post_half(relay: ProxiedRelay) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a message's head and the half of its body, and no more."""
    trusted = ssl.create_default_context(cafile=str(relay.proxy.folder / "fullchain.pem"))
    reader, writer = await asyncio.open_connection("localhost", relay.proxy.https_port, ssl=trusted)
    head = "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    writer.write(head.encode() + b" " * 500)
    await writer.drain()
    return reader, writer


class TestProxy:
    """docs/deploy/nginx.conf and Caddyfile, in front of a real relay."""

    async def test_two_people_talk_and_get_hints_through_it(self, proxied: ProxiedRelay) -> None:
        alice, bob = await proxied.register(bound=True), await proxied.register(bound=True)
        websocket = await bob.connect()

        sent = await alice.send(bob, b"hello")

        assert await frame(websocket) == {"type": "new_message", "id": sent["id"]}
        assert [bob.open(message) for message in await bob.fetch()] == [b"hello"]
        await websocket.close()

    async def test_an_old_client_connects_with_its_token_in_the_query(self, proxied: ProxiedRelay) -> None:
        alice = await proxied.register()

        websocket = await proxied.session.ws_connect(f"{proxied.url}/v1/ws?token={alice.token}")

        assert (await frame(websocket))["fingerprint"] == alice.fingerprint
        await websocket.close()

    async def test_a_forged_forwarded_for_does_not_refill_a_rate_limit(self, proxied: ProxiedRelay) -> None:
        forged = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(200)]

        statuses = {(await proxied.call("GET", "/v1/stats", headers=headers)).status for headers in forged}

        assert statuses == {200, 429}

    async def test_a_message_over_the_limit_gets_the_relays_own_refusal(self, proxied: ProxiedRelay) -> None:
        alice = await proxied.register()

        answer = await alice.call("POST", "/v1/messages", json=alice.seal(alice, bytes(300_000)))

        assert answer.status == 413
        assert answer.body["error"]

    async def test_four_people_of_one_address_open_the_whole_page_at_once(
        self, proxied: ProxiedRelay, browser: Browser
    ) -> None:
        people = [await browser.page() for _ in range(4)]

        await asyncio.gather(*(each.goto(f"{proxied.url}/newchat") for each in people))

        for each in people:
            await each.until("document.querySelector('#liveIndicator.live')")

    @pytest.mark.parametrize("behind", ["nginx"], indirect=True)
    async def test_sockets_of_an_address_are_counted_and_nothing_else(self, behind: Any, relay: RunningRelay) -> None:
        proxied = await behind(relay, nginx={"limit_conn io3233_sockets 128;": "limit_conn io3233_sockets 2;"})
        alice = await proxied.register()

        sockets = [await alice.connect() for _ in range(2)]

        with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
            await alice.connect()
        answers = await asyncio.gather(*(proxied.call("GET", "/healthz") for _ in range(20)))
        assert {answer.status for answer in answers} == {200}
        await asyncio.gather(*(websocket.close() for websocket in sockets))

    async def test_slow_bodies_wait_there_and_not_in_the_relay(self, proxied: ProxiedRelay) -> None:
        slow = [await post_half(proxied) for _ in range(20)]

        assert (await proxied.call("GET", "/healthz")).status == 200

        upstream = proxied.proxy.upstream
        assert len(upstream.server.connections) <= 2
        for _, writer in slow:
            writer.close()

    async def test_body_that_ends_too_late_is_answered_without_an_id(self, behind: Any, relay: RunningRelay) -> None:
        patience = {
            "nginx": {"client_body_timeout 20s": "client_body_timeout 1s"},
            "caddy": {"read_body 5m": "read_body 1s"},
        }
        proxied = await behind(relay, **patience)

        reader, _ = await post_half(proxied)
        answer = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)

        assert b'"id"' not in answer

    async def test_relay_on_a_unix_socket_is_reached_through_it(
        self, behind: Any, relay_process: Any, open_folder: Path
    ) -> None:
        path = open_folder / "relay.sock"
        upstream = await relay_process(BIND=f"unix:{path}", TRUST_FORWARDED_FOR="1", RATE_LIMIT="on")
        tcp = f"127.0.0.1:{upstream.port}"
        proxied = await behind(upstream, nginx={f"server {tcp}": f"server unix:{path}"}, caddy={tcp: f"unix/{path}"})

        alice, bob = await proxied.register(bound=True), await proxied.register(bound=True)
        websocket = await bob.connect()
        sent = await alice.send(bob, b"hello")

        assert await frame(websocket) == {"type": "new_message", "id": sent["id"]}
        statuses = {(await proxied.call("GET", "/v1/stats")).status for _ in range(200)}
        assert statuses == {200, 429}

    async def test_its_logs_hold_no_token_and_no_fingerprint(self, proxied: ProxiedRelay) -> None:
        alice = await proxied.register()
        await (await proxied.session.ws_connect(f"{proxied.url}/v1/ws?token={alice.token}")).close()
        await proxied.call("GET", f"/v1/keys/{alice.fingerprint}")

        await proxied.proxy.upstream.stop()
        failed = await alice.call(
            "GET", f"/v1/ws?token={alice.token}", headers={"Sec-WebSocket-Protocol": f"bearer.{alice.token}"}
        )
        await proxied.proxy.stop()

        assert failed.status == 502
        assert alice.token not in proxied.proxy.logs() and alice.fingerprint not in proxied.proxy.logs()


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
class TestDoctorBehindProxy:
    """relay.py doctor, on a hosted relay in good and bad health."""

    @pytest.fixture
    async def examine(self, tmp_path: Path, relays: Callable[..., Any]) -> AsyncIterator[Callable[..., Any]]:
        """Run the doctor on a relay behind nginx: `await examine({"a line of nginx.conf": "a mistake"}, ORIGIN=...)`."""
        proxies: list[Proxy] = []

        async def examine(
            mistakes: Mapping[str, str] | None = None, doctors: Mapping[str, str] = {}, **environ: str
        ) -> subprocess.CompletedProcess[str]:
            upstream = await relays(**{"TRUST_FORWARDED_FOR": "1", "RATE_LIMIT": "on"} | environ)
            proxies.append(Proxy(tmp_path / "nginx", upstream))
            await proxies[0].start_nginx(mistakes)
            url = f"https://localhost:{proxies[0].https_port}"
            await upstream.stop()
            upstream.environ.setdefault("ORIGIN", url)
            await upstream.start()
            settings = upstream.environ | {"ORIGIN": url, "SSL_CERT_FILE": str(tmp_path / "nginx/fullchain.pem")}
            settings["PUSH_HOSTS"] = f"localhost:{proxies[0].https_port}"  # whatever can be called by TLS
            return await asyncio.to_thread(run, sys.executable, RELAY_PY, "doctor", url, **settings | doctors)

        yield examine
        for proxy in proxies:
            await proxy.stop()

    async def test_a_well_hosted_relay_gets_nothing_but_ok(self, examine: Callable[..., Any]) -> None:
        said = await examine()

        assert said.returncode == 0, said.stdout + said.stderr
        assert {line[:4] for line in said.stdout.splitlines()} == {"ok  "}, said.stdout
        for what in ("settings", "database", "disk", "TLS", "headers", "registration", "WebSocket", "X-Forwarded-For"):
            assert f"ok   {what}:" in said.stdout

    @pytest.mark.parametrize(
        ("mistakes", "environ", "says"),
        [
            ({}, {"ORIGIN": "https://other.example"}, "FAIL ORIGIN: "),
            ({"proxy_set_header Upgrade $http_upgrade;": ""}, {}, "FAIL WebSocket: "),
            ({"X-Forwarded-For $remote_addr": "X-Forwarded-For $http_x_forwarded_for"}, {}, "FAIL X-Forwarded-For: "),
            ({"proxy_http_version 1.1;": "proxy_hide_header Content-Security-Policy;"}, {}, "FAIL headers: "),
            ({}, {"ORIGIN": ""}, "FAIL ORIGIN: the relay takes itself for whatever Host says"),
        ],
    )
    async def test_each_mistake_of_a_proxy_is_named(
        self, examine: Callable[..., Any], mistakes: dict[str, str], environ: dict[str, str], says: str
    ) -> None:
        said = await examine(mistakes, **environ)

        assert said.returncode == 1 and "Traceback" not in said.stderr
        assert says in said.stdout

    async def test_of_a_stopped_relay_nothing_else_is_said(self, examine: Callable[..., Any]) -> None:
        said = await examine({"proxy_connect_timeout 5s;": "return 502;"})

        failures = [line for line in said.stdout.splitlines() if line.startswith("FAIL")]
        assert len(failures) == 1 and "(502)" in failures[0] and "Is the relay running" in failures[0]

    async def test_of_a_bad_certificate_just_that_is_said(self, examine: Callable[..., Any]) -> None:
        said = await examine(doctors={"SSL_CERT_FILE": "/dev/null"})

        failures = [line for line in said.stdout.splitlines() if line.startswith("FAIL")]
        assert len(failures) == 1 and failures[0].startswith("FAIL TLS: browsers refuse the certificate")


needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze") or not (Path("/run/systemd").is_dir() or os.geteuid() == 0),
    reason="systemd is not installed, or does not run here and only root could make its folder",
)


class TestUnit:
    """io3233.service: what systemd itself says about it."""

    async def test_every_directive_has_a_plain_line_above_it(self) -> None:
        lines = UNIT.read_text().splitlines()

        undescribed = [
            line for above, line in itertools.pairwise(lines) if "=" in line and line[0] != "#" and above[:2] != "# "
        ]

        assert undescribed == []

    async def test_a_container_has_the_same_bounds(self) -> None:
        unit, compose = UNIT.read_text(), (TOP / "docs/deploy/compose.yaml").read_text()

        bounds = [re.search(rf"^{name}=(\d+)", unit, re.MULTILINE)[1] for name in ("MemoryMax", "TasksMax", "LimitNOFILE")]

        assert bounds == [re.search(rf"{name}: (\d+)", compose)[1] for name in ("mem_limit", "pids_limit", "nofile")]

    @needs_systemd
    async def test_its_exposure_is_at_most_one_and_a_half_of_ten(self) -> None:
        judged = run("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=15", UNIT)

        assert judged.returncode == 0, judged.stdout[-300:]

    @needs_systemd
    async def test_systemd_knows_every_word_of_the_units(self, tmp_path: Path) -> None:
        names = ("io3233.service", "docs/deploy/io3233-backup.service", "docs/deploy/io3233-backup.timer")
        for unit in (TOP / name for name in names):
            absent = r"^ExecStart=/usr/local.*"  # not installed on this machine
            (tmp_path / unit.name).write_text(re.sub(absent, "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE))

        judged = run("systemd-analyze", "verify", "--recursive-errors=yes", *tmp_path.iterdir())

        assert (judged.returncode, judged.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
class TestInstall:
    """make install, uninstall and run, into folders of the test's own."""

    def make(self, target: str, root: Path) -> str:
        """Make a target under `root`, on this Python instead of a new environment; what it printed."""
        made = run("make", target, f"DESTDIR={root}", "PREFIX=/opt/chat", f"SYSTEM_PYTHON={sys.executable}", "VENV=no")
        assert made.returncode == 0, made.stderr
        return made.stdout

    async def test_install_makes_everything_that_the_unit_needs_under_the_prefix(self, tmp_path: Path) -> None:
        self.make("install", tmp_path)

        unit = (tmp_path / "etc/systemd/system/io3233.service").read_text()
        assert f"ExecStart={sys.executable} /opt/chat/lib/io3233/relay.py serve" in unit and "/usr/local" not in unit
        assert (tmp_path / "opt/chat/bin/io3233").stat().st_mode & 0o777 == 0o755
        version = run(sys.executable, tmp_path / "opt/chat/lib/io3233/relay.py", "--version")
        assert relay_module.__version__ in version.stdout
        assert (tmp_path / "opt/chat/lib/io3233/static/index.html").stat().st_mode & 0o044 == 0o044

    async def test_the_settings_are_private_hold_a_fresh_secret_and_are_accepted(self, tmp_path: Path) -> None:
        self.make("install", tmp_path / "one")
        self.make("install", tmp_path / "two")

        one, two = (tmp_path / name / "etc/io3233.env" for name in ("one", "two"))
        settings = dict(line.split("=", 1) for line in one.read_text().splitlines() if line and line[0] != "#")
        assert relay_module.Config.from_env(settings).jwt_secret != b""
        assert one.stat().st_mode & 0o777 == 0o600
        assert one.read_text() != two.read_text()

    async def test_installing_again_upgrades_the_relay_and_keeps_the_settings(self, tmp_path: Path) -> None:
        self.make("install", tmp_path)
        settings, installed = tmp_path / "etc/io3233.env", tmp_path / "opt/chat/lib/io3233"
        settings.write_text("JWT_SECRET=mine\n")
        (installed / "relay.py").write_text("an old one")
        (installed / "static/old.js").write_text("gone from the new one")

        self.make("install", tmp_path)

        assert settings.read_text() == "JWT_SECRET=mine\n"
        assert (installed / "relay.py").read_bytes() == RELAY_PY.read_bytes()
        assert not (installed / "static/old.js").exists()

    async def test_uninstall_leaves_settings_and_data_and_says_where(self, tmp_path: Path) -> None:
        self.make("install", tmp_path)
        for unit in ("io3233-backup.service", "io3233-backup.timer"):
            shutil.copy(TOP / "docs/deploy" / unit, tmp_path / "etc/systemd/system")
        before = (tmp_path / "etc/io3233.env").read_text()

        said = self.make("uninstall", tmp_path)

        assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "etc/io3233.env"]
        assert (tmp_path / "etc/io3233.env").read_text() == before
        assert "/etc/io3233.env" in said and "/var/lib/io3233" in said

    async def test_every_command_that_the_hosting_page_names_is_one(self) -> None:
        page = (TOP / "docs/HOSTING.md").read_text()
        named = set(
            re.findall(
                r"\bio3233 ([a-z]+)\b", "".join(re.findall(r"^```sh.*?^```|`io3233 .*?`", page, re.MULTILINE | re.DOTALL))
            )
        )

        known = [name for name in named if run(sys.executable, RELAY_PY, name, "--help").returncode == 0]

        assert {"backup", "doctor"} <= named == set(known)

    async def test_every_setting_of_the_relay_is_in_the_example(self) -> None:
        wanted = {*relay_module.SETTINGS, "JWT_SECRET", "STATIC_DIR"}

        named = set(re.findall(r"^#?([A-Z_]+)=", (TOP / ".env.example").read_text(), re.MULTILINE))

        assert named == wanted

    async def test_run_needs_nothing_set_and_makes_a_secret_that_it_keeps(self, tmp_path: Path) -> None:
        for name in ("Makefile", ".env.example", "relay.py", "static"):
            (tmp_path / name).symlink_to(TOP / name)
        (tmp_path / ".venv/bin").mkdir(parents=True)
        (tmp_path / ".venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (tmp_path / ".venv/bin/python").chmod(0o755)
        (tmp_path / ".venv/.runtime").touch()

        secrets = []
        for _ in range(2):
            url = f"http://127.0.0.1:{free_port()}"
            served = await serve_by_make(tmp_path, url)
            secrets.append((tmp_path / ".env").read_text())
            assert url in served

        assert secrets[0] == secrets[1]
        assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


async def serve_by_make(folder: Path, url: str) -> str:
    """`make run` on the port of a URL until it answers there, then stop it as Ctrl-C does; what it printed."""
    process = await asyncio.create_subprocess_exec(
        *("make", "run", f"BIND={url.removeprefix('http://')}"),
        cwd=folder,
        env=process_environ(folder, {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )

    async def answers() -> bool:
        assert process.returncode is None, (await process.communicate())[0].decode()
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with aiohttp.request("GET", f"{url}/healthz") as answer:
                return answer.status == 200
        return False

    await until(answers)
    os.killpg(process.pid, signal.SIGINT)
    return (await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS))[0].decode()


# ------------------------------------------------------------------------------------------------------------------------
# Documents
# ------------------------------------------------------------------------------------------------------------------------

DOCUMENTS = sorted([*TOP.glob("*.md"), *TOP.glob("docs/**/*.md"), *TOP.glob("static/**/*.md")])


def table(document: str, heading: str) -> list[list[str]]:
    """The cells of the first table with a header under a heading, one list a row, without header and rule."""
    section = re.split(r"^##+ (.*)$", (TOP / document).read_text(), flags=re.MULTILINE)
    lines = re.search(r"(?:^\|.*\n)+", section[section.index(heading) + 1], re.MULTILINE)
    assert lines, f"{document} has no table under {heading}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[0].splitlines()[2:]]


def anchors(markdown: str) -> set[str]:
    """The fragments that headings get where such pages are shown."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


class Asked(dict[str, str]):
    """An environment that remembers which variables were looked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


class TestDocuments:
    """What README.md and docs/ say about names, numbers and places is so."""

    @pytest.mark.parametrize("document", DOCUMENTS, ids=[str(path.relative_to(TOP)) for path in DOCUMENTS])
    def test_every_relative_link_leads_somewhere(self, document):
        text = document.read_text()

        broken = []
        for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)", text):
            goal = document.parent / target if target else document
            if not goal.exists() or (anchor and goal.suffix == ".md" and anchor not in anchors(goal.read_text())):
                broken.append(f"{target}#{anchor}")

        assert broken == []

    async def test_route_table_is_the_router(self):
        app = relay_module.make_app(relay_module.Config(jwt_secret=SECRET.encode()))
        routes = {(route.method, route.resource.canonical) for route in app.router.routes() if route.method != "HEAD"}

        documented = {tuple(row[0].strip("`").split(" ")) for row in table("docs/PROTOCOL.md", "Routes")}

        assert documented == routes

    def test_settings_table_names_every_variable_that_is_read(self):
        environ = Asked({"JWT_SECRET": SECRET})
        relay_module.Config.from_env(environ)

        documented = [row[0].strip("`") for row in table("README.md", "Settings")]

        assert sorted(documented) == sorted(environ.names)

    def test_settings_table_gives_the_defaults(self):
        defaults = {row[0].strip("`"): row[1] for row in table("README.md", "Settings")}
        stated = {name: default.strip("`") for name, default in defaults.items() if default.startswith("`")}

        config = relay_module.Config.from_env({"JWT_SECRET": SECRET, **stated})

        assert len(stated) >= 10
        assert config == relay_module.Config.from_env({"JWT_SECRET": SECRET})
        unset = {name for name, default in defaults.items() if default == "none"} - {"JWT_SECRET"}
        assert config == relay_module.Config.from_env({"JWT_SECRET": SECRET, **dict.fromkeys(unset, "")})

    def test_example_file_has_the_variables_and_defaults_of_the_table(self):
        table_of = {row[0].strip("`"): row[1].strip("`") for row in table("README.md", "Settings")}
        example = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (TOP / ".env.example").read_text(), re.MULTILINE))

        assert set(example) == set(table_of)
        deliberate = {
            "BIND",
            "ORIGIN",
            "STATIC_DIR",
            "JWT_SECRET",
            "INVITE_CODE",
            "METRICS_TOKEN",
            "NEWCOMERS_MAX_BYTES",
        } | {"PUSH_CONTACT"}
        for name in set(example) - deliberate:
            assert example[name] == table_of[name], name

    def test_rate_limit_table_is_the_limiters(self):
        documented = [(int(burst), int(rate)) for _, _, _, burst, rate in table("docs/PROTOCOL.md", "Rate limits")]

        assert sorted(documented) == sorted(relay_module.LIMITS.values())

    def test_newest_version_of_the_changes_is_the_relays(self):
        heads = re.findall(r"^## (.*)$", (TOP / "docs/CHANGES.md").read_text(), re.MULTILINE)

        released = [head for head in heads if head != "next"]

        assert released[0] == relay_module.__version__
        assert "next" not in heads[1:]

    def test_line_counts_in_readme_are_about_right(self):
        for link, stated, _ in table("README.md", "Read it yourself"):
            path = TOP / re.search(r"\((.*)\)", link)[1]
            modules = [module for module in path.rglob("*.js") if "vendor" not in module.parts]
            files = [path] if path.is_file() else modules

            lines = sum(file.read_text().count("\n") for file in files)

            assert lines == pytest.approx(int(stated), rel=0.2), path

    def test_refusals_of_the_protocol_are_the_statuses_that_the_relay_gives(self):
        source = RELAY_PY.read_text()
        given = {int(status) for status in re.findall(r"(?:RelayError|_refuse)\(\s*(\d{3})", source)}
        given |= {404, 405, 413, 500}  # the router's and the middleware's

        documented = {int(row[0].split()[0]) for row in table("docs/PROTOCOL.md", "Statuses")}

        assert documented == given


# ------------------------------------------------------------------------------------------------------------------------
# Browser: driver and fixtures
#
# Debian's Chromium by the DevTools protocol. One browser serves the whole run, and one without windows, notifications and
# recording all that needs none of them; every test connects to it anew, and what it opens is gone with the connection. A person is a page in a browser context of its own: nothing is shared but the relay.
# ------------------------------------------------------------------------------------------------------------------------

LAN_NAME = "relay.test"  # that only this Chromium knows
CHROMIUM_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--ignore-certificate-errors",
    "--use-fake-device-for-media-stream",
    f"--host-resolver-rules=MAP {LAN_NAME} 127.0.0.1",
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",  # two pages of the address bar's for each window: half of its cost
)  # fmt: skip
PROFILED_CHROMIUM = (*CHROMIUM_FLAGS, "--user-data-dir={profile}")
KEY_CODES = {
    "Enter": 13,
    "Tab": 9,
    "Escape": 27,
    " ": 32,
    "End": 35,
    "Home": 36,
    "ArrowUp": 38,
    "ArrowDown": 40,
    "ArrowLeft": 37,
    "ArrowRight": 39,
}
KEY_TEXTS = {"Enter": "\r", " ": " "}
ALT, CONTROL, SHIFT = 1, 2, 8  # DevTools' bits for modifiers
MOST_PRESSES = 50  # of a button that moves away each time
UNREACHABLE = "net::ERR_"  # what Chromium itself logs for a relay that is not there
# Chromium loses a notification that is being shown while somebody asks which are: tests ask from outside, at any moment.
NOTICES_IN_TURN = """(() => {
    const { prototype } = globalThis.ServiceWorkerRegistration ?? {};
    if (!prototype || prototype.inTurn) return;
    prototype.inTurn = true;
    for (const name of ["showNotification", "getNotifications"]) {
        const call = prototype[name];
        prototype[name] = function (...given) { return navigator.locks.request("notices", () => call.apply(this, given)); };
    }
})()"""


class DevToolsError(Exception):
    """Chromium refused a command, or the page threw."""


class Browser:
    """A DevTools connection; what it opened is closed with it."""

    watches_nothing = False  # whether requests can't be seen in this engine
    has_workers = True  # whether pages may have a service worker: it fetches the page once more, which costs half of all that a page does

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.numbers = itertools.count(1)
        self.answers: dict[int, asyncio.Future[Any]] = {}
        self.targets: dict[str, Target] = {}
        self.contexts: list[str] = []
        self.expected: list[str] = []

    async def read(self) -> None:
        """Hand answers to their callers and events to their targets, until the connection closes."""
        async for message in self.socket:
            body = json.loads(message.data)
            if "id" not in body:
                if target := self.targets.get(body.get("sessionId", "")):
                    target.on_event(body["method"], body["params"])
            elif not (answer := self.answers.pop(body["id"])).done():
                answer.set_result(body)

    async def call(self, method: str, session: str | None = None, /, **params: Any) -> Any:
        """One DevTools command, to the browser or to a target's session; its result."""
        number = next(self.numbers)
        answer = self.answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        await self.socket.send_json(message)
        body = await asyncio.wait_for(answer, PATIENCE_SECONDS)
        if "error" in body:
            raise DevToolsError(f"{method}: {body['error']['message']}")
        return body["result"]

    async def attach(self, target: Target) -> Target:
        """Give a target the session that its commands go through."""
        attached = await self.call("Target.attachToTarget", targetId=target.id, flatten=True)
        target.session = attached["sessionId"]
        self.targets[target.session] = target
        return target

    async def context(self) -> str:
        """A new browser context: own storage, permissions and service workers."""
        opened = await self.call("Target.createBrowserContext", disposeOnDetach=True)
        self.contexts.append(opened["browserContextId"])
        return self.contexts[-1]

    async def page(
        self,
        context: str | None = None,
        *,
        size: tuple[int, int] | None = None,
        scheme: str = "light",
        watched: bool = False,
    ) -> Page:
        """A blank page in a new context, in that of another page or in the profile (""), perhaps as large as a phone's, or
        dark; `watched` writes down what it asks for, which costs a tenth of all that a page does."""
        context = await self.context() if context is None else context
        opened = await self.call(
            "Target.createTarget", url="about:blank", **({"browserContextId": context} if context else {})
        )
        page = Page(self, opened["targetId"], context)
        await self.attach(page)
        page.watched = watched
        for domain in ("Page", "Runtime", "Log", "Audits", *(["Network"] if watched else [])):
            await page.call(f"{domain}.enable")
        source = NOTICES_IN_TURN if self.has_workers else "delete Navigator.prototype.serviceWorker"
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=source)
        if size:
            await page.resize(*size)
        await page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        return page

    async def person(self, relay: AnyRelay, path: str = "/newchat", **context: Any) -> Page:
        """Somebody new who has opened the relay's page: keys made and relay reached."""
        page = await self.page(**context)
        await page.goto(relay.url + path)
        await page.has_keys()
        await page.until("document.querySelector('#liveIndicator.live')")
        return page

    async def service_worker(self, context: str) -> Target:
        """The running service worker of a context."""

        async def running() -> list[str]:
            targets = (await self.call("Target.getTargets"))["targetInfos"]
            mine = [each for each in targets if each.get("browserContextId") == context]
            return [each["targetId"] for each in mine if each["type"] == "service_worker"]

        worker = await self.attach(Target(self, (await until(running))[0], context))
        await worker.evaluate(NOTICES_IN_TURN)
        return worker

    async def begin(self) -> None:
        """What comes before all else; DevTools needs nothing."""

    async def end(self) -> None:
        """Close every page. Of one that is just loading anew Chromium may never say that it is gone; it is, with the connection."""
        for context in self.contexts:
            with contextlib.suppress(TimeoutError):
                await self.call("Target.disposeBrowserContext", browserContextId=context)

    async def close(self) -> None:
        """Report what the pages complained about, and close them, so that none talks to a relay that goes next. Storage that
        goes with them may make them complain once more."""
        complaints = [each for target in self.targets.values() for each in target.unexpected()]
        await self.end()
        assert not complaints, f"pages complained: {complaints}"


class Target:
    """Something that runs scripts: a page, or a service worker."""

    session = ""
    watched = False

    def __init__(self, browser: Browser, target_id: str, context: str) -> None:
        self.browser = browser
        self.id = target_id
        self.context = context
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self.asked_for: list[str] = []
        self.began: list[str] = []
        self.registrations: dict[str, str] = {}  # of service workers, ids by scope
        self.loads = asyncio.Event()

    @property
    def requests(self) -> list[str]:
        """Every address that was asked for."""
        assert self.watched, "nobody wrote them down: open the page with watched=True"
        return self.asked_for

    @property
    def documents(self) -> list[str]:
        """Those that began another document."""
        assert self.watched, "nobody wrote them down: open the page with watched=True"
        return self.began

    def on_event(self, method: str, params: dict[str, Any]) -> None:
        match method, params:
            case "Runtime.consoleAPICalled", {"type": "error" | "assert" | "warning", "args": args}:
                self.complaints.append(" ".join(str(arg.get("value", arg.get("description"))) for arg in args))
            case "Runtime.exceptionThrown", {"exceptionDetails": details}:
                self.complaints.append(details.get("exception", {}).get("description") or details["text"])
            case "Log.entryAdded", {"entry": {"level": "error", "text": text} as entry}:
                self.complaints.append(f"{text} {entry.get('url', '')}".strip())
            case "Audits.issueAdded", {"issue": {"code": "ContentSecurityPolicyIssue", "details": details}}:
                self.complaints.append(f"CSP: {json.dumps(details)}")
            case "Network.requestWillBeSent", {"request": {"url": url}} if url.startswith("data:"):
                pass  # an icon of Chromium's own: nobody is asked
            case "Network.requestWillBeSent", {"request": {"url": url}, "type": kind}:
                self.asked_for.append(url)
                self.began += [url] if kind == "Document" else []
            case "Network.webSocketCreated", {"url": url}:
                self.asked_for.append(url)
            case "Inspector.targetCrashed", _:
                self.complaints.append(method)
            case "Page.loadEventFired", _:
                self.loads.set()
            case "ServiceWorker.workerRegistrationUpdated", {"registrations": registrations}:
                self.registrations |= {each["scopeURL"]: each["registrationId"] for each in registrations}

    def expects(self, *complaints: str) -> None:
        """These parts of complaints are what the test is about."""
        self.expected += complaints

    def unexpected(self) -> list[str]:
        """Console errors and warnings, exceptions and CSP violations that no test expects."""
        expected = self.expected + self.browser.expected
        return [each for each in self.complaints if not any(part in each for part in expected)]

    async def call(self, method: str, **params: Any) -> Any:
        return await self.browser.call(method, self.session, **params)

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited, as JSON has it."""
        options = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = await self.call("Runtime.evaluate", expression=expression, **options)
        if details := answer.get("exceptionDetails"):
            raise DevToolsError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    async def until(self, expression: str, *, seconds: float = PATIENCE_SECONDS) -> Any:
        """Poll an expression until JavaScript holds it for true; its value."""
        deadline = time.monotonic() + seconds
        attempt = f"(async () => {{ const value = await ({expression}); return [Boolean(value), value] }})()"
        pauses = growing_pauses()
        while True:
            with contextlib.suppress(DevToolsError):  # between two documents there is none to ask
                holds, value = await self.evaluate(attempt)
                if holds:
                    return value
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {expression}\n{await self.describe()}")
            await asyncio.sleep(next(pauses))

    async def describe(self) -> str:
        return str(self.complaints)


class Page(Target):
    """A tab, and the person in front of it."""

    # -- what any page can do

    async def goto(self, url: str) -> None:
        """Load an address, from anew even where only the fragment differs."""
        if await self.evaluate("location.href") != "about:blank":
            await self.call("Page.navigate", url="about:blank")
            await self.until("location.href === 'about:blank'")  # else its load is taken for that of the address
        await self._load("Page.navigate", url=url)

    async def reload(self) -> None:
        await self._load("Page.reload")

    async def _load(self, method: str, **params: Any) -> None:
        await self.until("document.readyState === 'complete'")
        self.loads.clear()
        await self.call(method, **params)
        await asyncio.wait_for(self.loads.wait(), PATIENCE_SECONDS)

    async def text(self, selector: str) -> str:
        """The text of the first such element."""
        return await self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent.trim()")

    async def texts(self, selector: str) -> list[str]:
        """The text of every such element, as it is."""
        return await self.evaluate(
            f"[...document.querySelectorAll({json.dumps(selector)})].map((each) => each.textContent)"
        )

    async def value(self, selector: str) -> str:
        return await self.evaluate(f"document.querySelector({json.dumps(selector)}).value")

    async def shows(self, selector: str, text: str = "", *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for such an element, to be seen, with this in its text."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})]"
        matches = f"each.checkVisibility() && each.textContent.includes({json.dumps(text)})"
        await self.until(f"{found}.some((each) => {matches})", seconds=seconds)

    async def hides(self, selector: str) -> None:
        """Wait until none of these is to be seen."""
        await self.until(f"![...document.querySelectorAll({json.dumps(selector)})].some((each) => each.checkVisibility())")

    async def count(self, selector: str) -> int:
        """How many of these are to be seen."""
        return await self.evaluate(
            f"[...document.querySelectorAll({json.dumps(selector)})].filter((each) => each.checkVisibility()).length"
        )

    async def click(self, selector: str, text: str = "") -> None:
        """Click the middle of the element, once it is there and nothing covers it; `text` picks among several. If it
        moves away between the look and the press, press again, as a person does. One that was drawn anew meanwhile is the same."""
        find = f"""[...document.querySelectorAll({json.dumps(selector)})].find((element) =>
                element.checkVisibility() && element.textContent.includes({json.dumps(text)}))"""
        where = f"""(() => {{
            const find = () => {find};
            const element = find();
            element?.scrollIntoView({{ block: "nearest" }});
            const box = element?.getBoundingClientRect();
            const [x, y] = box ? [box.x + box.width / 2, box.y + box.height / 2] : [];
            if (!box || element.disabled || !element.contains(document.elementFromPoint(x, y))) return null;
            window.missed = true; // until a click arrives; not in another document. What slid aside may be clicked by its label
            const isHit = ({{ target }}) => [element, find()].some((each) => each?.contains(target) || (each && target.closest("label")?.control === each));
            const arrives = (event) => (window.missed = !isHit(event));
            addEventListener("click", arrives, {{ capture: true, once: true }});
            // While the page starts, start.js keeps it for later: then it has arrived, too.
            const stops = (Event.stops ??= Event.prototype.stopImmediatePropagation);
            Event.prototype.stopImmediatePropagation = function () {{
                if (this.type === "click") arrives(this);
                stops.call(this);
            }};
            return {{ x, y }};
        }})()"""
        for _ in range(MOST_PRESSES):
            await self.press(**await self.until(where))
            missed = False
            with contextlib.suppress(DevToolsError):  # the click led to another document
                missed = await self.evaluate("window.missed === true")
            if not missed:
                return
        raise AssertionError(f"{selector} took none of {MOST_PRESSES} clicks\n{await self.describe()}")

    async def press(self, x: float, y: float) -> None:
        """Press and release the left button of a mouse there."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, x=x, y=y)

    async def type(self, text: str) -> None:
        """Insert text where the focus is, as a keyboard does."""
        await self.call("Input.insertText", text=text)

    async def key(self, key: str, modifiers: int = 0) -> None:
        """Press and release one key; `modifiers` is a sum of ALT, CONTROL and SHIFT."""
        code = KEY_CODES.get(key) or ord(key.upper())
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        text = {"text": KEY_TEXTS[key]} if key in KEY_TEXTS and not modifiers & (ALT | CONTROL) else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **event, **text)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    async def fill(self, selector: str, text: str) -> None:
        """Replace what a field holds by typing."""
        await self.until(f"document.querySelector({json.dumps(selector)}).checkVisibility()")
        await self.evaluate(
            f"(() => {{ const field = document.querySelector({json.dumps(selector)}); field.focus(); field.select() }})()"
        )
        await self.type(text)

    async def resize(self, width: int, height: int) -> None:
        """Be as large as this, in CSS pixels; a phone under 600."""
        phone = width < 600
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        await self.call("Emulation.setDeviceMetricsOverride", **metrics)
        await self.call("Emulation.setTouchEmulationEnabled", enabled=phone)

    async def screenshot(self, path: Path) -> None:
        """What the page shows now, as PNG."""
        path.write_bytes(base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"]))

    async def permit(self, *names: str, setting: str = "granted") -> None:
        """Answer the browser's questions before it asks them: "notifications", "clipboard-read"…"""
        origin = await self.evaluate("location.origin")
        for name in names:
            permission = {"permission": {"name": name}, "origin": origin, "browserContextId": self.context}
            await self.browser.call("Browser.setPermission", setting=setting, **permission)

    async def upload(self, selector: str, path: Path) -> None:
        """Choose a file."""
        document = (await self.call("DOM.getDocument"))["root"]["nodeId"]
        field = (await self.call("DOM.querySelector", nodeId=document, selector=selector))["nodeId"]
        await self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=field)

    async def downloads_to(self, folder: Path) -> None:
        """Save downloads of this context there, under their own names."""
        behaviour = {"behavior": "allow", "downloadPath": str(folder), "browserContextId": self.context}
        await self.browser.call("Browser.setDownloadBehavior", **behaviour)

    async def another_tab(self) -> Page:
        """A second tab of the same browser, in front of this one, at the same address."""
        page = await self.browser.page(self.context, watched=self.watched)
        await page.goto(await self.evaluate("location.href"))
        await page.has_keys()
        return page

    async def to_front(self) -> None:
        await self.call("Page.bringToFront")

    async def service_worker(self) -> Target:
        """The running service worker of this page's context."""
        await self.until("navigator.serviceWorker.controller")
        return await self.browser.service_worker(self.context)

    async def describe(self) -> str:
        """Where a person is and what they see, for a failure's message."""
        seen = await self.evaluate("document.body.innerText")
        return f"at {await self.evaluate('location.href')}, seeing:\n{seen[:3000]}\ncomplaints: {self.complaints}"

    # -- what a person does with the client

    fingerprint = ""
    public_key = b""

    async def has_keys(self) -> None:
        """Wait until the page shows its address and key; messages can then be sealed for it as for a `Person`."""
        await self.until("/^[0-9a-f]{64}$/.test(document.querySelector('#fpFull').textContent)")
        self.fingerprint = await self.text("#fpFull")
        self.public_key = unb64(await self.value("#publicKeyShareInput"))

    async def opens(self, address: str) -> None:
        """Open a chat by the field on the home view."""
        await self.asks_for(address)
        await self.shows("#chatThread")  # with the thread before it on screen until this one is read
        await self.until("document.querySelector('.chat-tab.active')?.dataset.fingerprint === location.hash.slice(6, 70)")

    async def goes_to(self, view: str) -> None:
        """Open a view: where screens are one at a time, by way of the list, and of "Me" if it is no tab."""
        if await self.count("#threadBack"):
            await self.click("#threadBack")
        if not await self.count(f"#tab-{view}"):
            await self.click("#tab-me")
        await self.click(f"#tab-{view}")
        await self.shows(f"#view-{view}")

    async def chooses(self, button: str) -> None:
        """Choose from the menu at the head of the list."""
        await self.click("#listMenuOpen")
        await self.click(button)

    async def asks_for(self, address: str) -> None:
        """Put an address into that field and press Open."""
        await self.goes_to("newchat")
        await self.fill("#openChatFp", address)
        await self.click("#openChatBtn")

    async def switches_to(self, other: Page) -> None:
        """Open a thread from the list."""
        await self.click(f'#chatTabs [data-fingerprint="{other.fingerprint}"] .chat-tab-label')
        await self.until(f"location.hash.startsWith('#chat={other.fingerprint}')")
        await self.shows("#chatThread")
        await self.until(f"document.querySelector('.chat-tab.active')?.dataset.fingerprint === '{other.fingerprint}'")

    async def drafts(self, text: str) -> None:
        """Type into the composer, and leave it there."""
        await self.until("document.querySelector('#chatBody').checkVisibility()")
        await self.evaluate("document.querySelector('#chatBody').focus()")
        await self.type(text)

    async def says(self, text: str) -> None:
        """Type a message in the open thread and press Enter."""
        await self.drafts(text)
        await self.key("Enter")
        await self.until("!document.querySelector('#chatBody').value")

    async def is_told(self, text: str) -> None:
        """Wait for a line that is said in passing. Its words stay in the page when it is gone, and so no look comes too late."""
        await self.until(f"document.querySelector('#toastText').textContent.includes({json.dumps(text)})")

    async def sees(self, text: str, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the open thread shows exactly this as a message that came in."""
        await self.until(f"{IN_BUBBLES}.includes({json.dumps(text)})", seconds=seconds)

    async def received(self) -> list[str]:
        """The messages of the open thread that came in, oldest first."""
        return await self.texts(".chat-line-in .chat-bubble")

    async def sent(self) -> list[str]:
        """The own messages of the open thread, oldest first."""
        return await self.texts(".chat-line-out .chat-bubble")

    async def has_relayed(self, number: int) -> None:
        """Wait until this many of the own messages in the open thread are with the relay."""
        await self.until(f"document.querySelectorAll('.chat-line-out[data-state=relayed]').length === {number}")


IN_BUBBLES = "[...document.querySelectorAll('.chat-line-in .chat-bubble')].map((each) => each.textContent)"


def start_of(person: Any) -> str:
    """How an address begins where it tells two people of one name apart."""
    return f"{person.fingerprint[:4]} {person.fingerprint[4:8]}"


async def write(sender: Person, reader: Page, *texts: str) -> list[int]:
    """Send messages to a page by the protocol alone; their ids on the relay."""
    now = int(time.time() * 1000)
    return [(await sender.send(reader, envelope(sender, reader, text=text, ts=now)))["id"] for text in texts]


async def read_all(reader: Person) -> list[str]:
    """The texts that a person's inbox on the relay holds, oldest first."""
    return [json.loads(reader.open(message))["text"] for message in await reader.fetch_all()]


async def read_once(reader: Person) -> list[str]:
    """The same as a client shows it: what was sent again because the answer was lost has the same id, and shows once."""
    opened = [json.loads(reader.open(message)) for message in await reader.fetch_all()]
    return list({each["id"]: each["text"] for each in opened}.values())


class Firefox(Browser):
    """The same over WebDriver BiDi, which Firefox speaks: a context is a user context, a session is a tab."""

    @property
    def tab(self) -> type[FirefoxPage]:
        return FirefoxPage

    async def read(self) -> None:
        async for message in self.socket:
            body = json.loads(message.data)
            if body.get("id") is None:
                params = body["params"]
                if target := self.targets.get(params.get("context") or params.get("source", {}).get("context", "")):
                    target.on_event(body["method"], params)
            elif not (answer := self.answers.pop(body["id"])).done():
                answer.set_result(body if body["type"] == "success" else {"error": body})

    async def begin(self) -> None:
        """One session a connection, and one at a time."""
        await self.call("session.new", capabilities={})
        await self.call("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent", "browsingContext.load"])

    async def context(self) -> str:
        self.contexts.append((await self.call("browser.createUserContext"))["userContext"])
        return self.contexts[-1]

    async def page(self, context: str | None = None, **_: Any) -> Page:
        context = context or await self.context()
        opened = await self.call("browsingContext.create", type="tab", userContext=context)
        page = self.tab(self, opened["context"], context)
        page.session = page.id
        self.targets[page.id] = page
        return page

    async def end(self) -> None:
        for context in self.contexts:
            await self.call("browser.removeUserContext", userContext=context)
        await self.call("session.end")


class FirefoxPage(Page):
    """A tab of Firefox, and the person in front of it."""

    watched = True
    KEYS: ClassVar = {"Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "End": "\ue010", "Home": "\ue011"}

    def on_event(self, method: str, params: dict[str, Any]) -> None:
        match method, params:
            case "log.entryAdded", {"text": text} if "/icons/icon.svg’. A ServiceWorker intercepted" in text:
                pass  # the page was left before its icon had come
            case "log.entryAdded", {"level": "error" | "warn", "text": text}:
                self.complaints.append(text)
            case "network.beforeRequestSent", {"request": {"url": url}, "navigation": navigation}:
                self.asked_for.append(url)
                self.began += [url] if navigation else []
            case "browsingContext.load", _:
                self.loads.set()

    async def call(self, method: str, **params: Any) -> Any:
        return await self.browser.call(method, None, context=self.id, **params)

    async def script(self, expression: str) -> Any:
        """What WebDriver BiDi says of an expression's value."""
        options = {"awaitPromise": True, "userActivation": True, "target": {"context": self.id}}
        answer = await self.browser.call("script.evaluate", None, expression=expression, **options)
        if answer["type"] == "exception":
            raise DevToolsError(answer["exceptionDetails"]["text"])
        return answer["result"]

    async def evaluate(self, expression: str) -> Any:
        answer = await self.script(f"(async () => JSON.stringify((await ({expression})) ?? null))()")
        return json.loads(answer["value"])

    async def goto(self, url: str) -> None:
        await self.call("browsingContext.navigate", url="about:blank", wait="complete")
        await self.call("browsingContext.navigate", url=url, wait="complete")

    async def reload(self) -> None:
        """As the person does it: the driver's own would pass the service worker by."""
        self.loads.clear()
        await self.evaluate("setTimeout(() => location.reload())")
        await asyncio.wait_for(self.loads.wait(), PATIENCE_SECONDS)

    async def perform(self, kind: str, *actions: dict[str, Any], **parameters: Any) -> None:
        await self.call("input.performActions", actions=[{"type": kind, "id": kind, "actions": actions, **parameters}])

    async def press(self, x: float, y: float) -> None:
        move = {"type": "pointerMove", "x": round(x), "y": round(y)}
        await self.perform("pointer", move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0})

    async def type(self, text: str) -> None:
        await self.perform("key", *({"type": kind, "value": each} for each in text for kind in ("keyDown", "keyUp")))

    async def key(self, key: str, modifiers: int = 0) -> None:
        assert not modifiers, "no test in both browsers needs them yet"
        await self.type(self.KEYS[key])

    async def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode((await self.call("browsingContext.captureScreenshot"))["data"]))

    async def upload(self, selector: str, path: Path) -> None:
        field = await self.script(f"document.querySelector({json.dumps(selector)})")
        await self.call("input.setFiles", element={"sharedId": field["sharedId"]}, files=[str(path)])

    async def downloads_to(self, folder: Path) -> None:
        behaviour = {"type": "allowed", "destinationFolder": str(folder)}
        await self.browser.call(
            "browser.setDownloadBehavior", None, downloadBehavior=behaviour, userContexts=[self.context]
        )


class WebKit(Browser):
    """The same over WebDriver (W3C), which WebKitGTK speaks: a context is a driver with one browser, and a page is a window
    of it. What pages ask for and complain about is not to be had here."""

    watches_nothing = True

    def __init__(self, http: aiohttp.ClientSession, folder: Path) -> None:
        self.http = http
        self.folder = folder
        self.expected: list[str] = []
        self.drivers: dict[str, WebKitDriver] = {}

    async def context(self) -> str:
        home = self.folder / f"webkit{len(self.drivers)}"
        (home / ".config").mkdir(parents=True)
        (home / ".config/user-dirs.dirs").write_text('XDG_DOWNLOAD_DIR="$HOME/Downloads"')
        driver = self.drivers[str(home)] = WebKitDriver(self.http, home)
        await driver.begin()
        return str(home)

    async def page(self, context: str | None = None, **_: Any) -> Page:
        context = context or await self.context()
        return WebKitPage(self, await self.drivers[context].window(), context)

    async def aclose(self) -> None:
        for driver in self.drivers.values():
            await driver.end()


class WebKitDriver:
    """One WebKitWebDriver with one browser."""

    def __init__(self, http: aiohttp.ClientSession, home: Path) -> None:
        self.http = http
        self.home = home
        self.session = f"http://127.0.0.1:{free_port()}/session"
        self.turns = asyncio.Lock()  # a command goes to the window that was switched to last
        self.unused: list[str] = []

    async def begin(self) -> None:
        environ = {**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / ".config")}
        port = f"--port={URL(self.session).port}"
        self.process = await asyncio.create_subprocess_exec("WebKitWebDriver", port, env=environ)
        opened = await until(self.opens)
        self.session += f"/{opened['sessionId']}"
        self.unused = await self.command("GET", "window/handles")

    async def opens(self) -> Any:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            return await self.command("POST", "", capabilities={})
        return None

    async def command(self, method: str, path: str, **parameters: Any) -> Any:
        body = {"json": parameters} if method == "POST" else {}
        async with self.http.request(method, f"{self.session}/{path}".rstrip("/"), **body) as answer:
            value = (await answer.json(content_type=None))["value"]
        if answer.status != 200:
            raise DevToolsError(f"{method} {path}: {value['error']}: {value['message']}")
        return value

    async def window(self) -> str:
        """A window of its own: the one that the browser began with, or one more. No tab: its driver opens those behind the
        one before, where a press is never answered."""
        return self.unused.pop() if self.unused else (await self.command("POST", "window/new", type="window"))["handle"]

    async def end(self) -> None:
        """By the driver: killed itself, it would leave its browser behind."""
        with contextlib.suppress(DevToolsError, aiohttp.ClientConnectionError):
            await self.command("DELETE", "")
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        await self.process.wait()


WEBKIT_RESTS = """(async () => {
    const moment = () => new Promise((resolve) => setTimeout(resolve, 300));
    const { transaction } = IDBDatabase.prototype;
    let [begun, running] = [0, 0];
    IDBDatabase.prototype.transaction = function (...of) {
        const made = transaction.apply(this, of);
        [begun, running] = [begun + 1, running + 1];
        for (const type of ["complete", "abort"]) made.addEventListener(type, () => (running -= 1));
        return made;
    };
    for (let before = -1; running > 0 || begun !== before; await moment()) before = begun;
})()"""


class WebKitPage(FirefoxPage):
    """A window of WebKit, and the person in front of it."""

    watched = False

    @property
    def driver(self) -> WebKitDriver:
        return self.browser.drivers[self.context]

    async def call(self, method: str, **parameters: Any) -> Any:
        """One WebDriver command to this window: "POST url"."""
        async with self.driver.turns:
            await self.driver.command("POST", "window", handle=self.id)
            return await self.driver.command(*method.split(" "), **parameters)

    async def evaluate(self, expression: str) -> Any:
        promise = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        script = f"{promise}.then((json) => arguments[0]([json]), (error) => arguments[0]([null, String(error)]))"
        json_text, *error = await self.call("POST execute/async", script=script, args=[])
        if error:
            raise DevToolsError(error[0])
        return json.loads(json_text)

    async def rests(self) -> None:
        """Wait until the page stores nothing for a moment: WebKit holds a database for ever where a page goes away in the midst
        of transactions (its bug 324094)."""
        await self.evaluate(WEBKIT_RESTS)

    async def goto(self, url: str) -> None:
        await self.rests()
        await self.call("POST url", url="about:blank")
        await self.call("POST url", url=url)

    async def reload(self) -> None:
        await self.rests()
        await self.evaluate("(window.before = true, void setTimeout(() => location.reload()))")
        await self.until("!window.before && document.readyState === 'complete'")

    async def perform(self, kind: str, *actions: dict[str, Any], **parameters: Any) -> None:
        await self.call("POST actions", actions=[{"type": kind, "id": kind, "actions": actions, **parameters}])

    async def upload(self, selector: str, path: Path) -> None:
        [element] = (await self.call("POST element", using="css selector", value=selector)).values()
        await self.call(f"POST element/{element}/value", text=str(path))

    async def downloads_to(self, folder: Path) -> None:
        (Path(self.context) / "Downloads").symlink_to(folder)


def browser_or_skip(name: str) -> str:
    """Where a browser is; without it the test is skipped, or fails where REQUIRE_BROWSER=1."""
    if path := shutil.which(name):
        return path
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"REQUIRE_BROWSER=1, and there is no {name}: apt-get install {name}")
    pytest.skip(f"there is no {name}: apt-get install {name} to run its tests")


@contextlib.contextmanager
def started_browser(
    folder: Path, name: str, *flags: str, listens: Callable[[Path], str]
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A headless browser that keeps its profile in this folder: its process, and what `listens(folder)` reads of its address."""
    command = [browser_or_skip(name), *(flag.format(profile=f"{folder}/profile") for flag in flags), "about:blank"]
    with Path(folder, "log").open("wb") as log:
        environment = {**os.environ, "TMPDIR": str(folder)}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        yield process, address_of_browser(process, lambda: listens(folder), Path(folder, "log"))
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the headless shell's script is not the browser, and leaves it behind
        process.wait()


@contextlib.contextmanager
def running_browser(name: str, *flags: str, listens: Callable[[Path], str], disk: Path | None = None) -> Iterator[str]:
    """The same with a new profile, perhaps on a disk of its own; its address."""
    with tempfile.TemporaryDirectory(prefix="io3233-", ignore_cleanup_errors=True, dir=disk) as folder:
        Path(folder, "profile").mkdir()
        with started_browser(Path(folder), name, *flags, listens=listens) as (_, address):
            yield address


def address_of_browser(process: subprocess.Popen[bytes], listens: Callable[[], str], log: Path) -> str:
    """Wait until a browser has written where it listens."""
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if address := listens():
            return address
        time.sleep(0.05)
    raise AssertionError(f"the browser did not start: {log.read_text(errors='replace')[-2000:]}")


def chromium_listens(folder: Path) -> str:
    port_file = folder / "profile/DevToolsActivePort"
    lines = port_file.read_text().split() if port_file.exists() else []
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) == 2 else ""


def firefox_listens(folder: Path) -> str:
    found = re.search(r"WebDriver BiDi listening on (ws://\S+)", (folder / "log").read_text(errors="replace"))
    return f"{found[1]}/session" if found else ""


def running_chromium(disk: Path | None = None) -> contextlib.AbstractContextManager[str]:
    """A headless Chromium; the address of its DevTools."""
    return running_browser("chromium", *PROFILED_CHROMIUM, listens=chromium_listens, disk=disk)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder for a browser of the test's own: the path of its socket may have 107 characters, and pytest's folders are long."""
    with tempfile.TemporaryDirectory(prefix="io3233-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """One Chromium for the whole run."""
    with running_chromium() as address:
        yield address


def running_firefox() -> contextlib.AbstractContextManager[str]:
    """A headless Firefox; the address of its WebDriver BiDi."""
    flags = ("--headless", "--remote-debugging-port=0", "--profile", "{profile}")
    return running_browser("firefox-esr", *flags, listens=firefox_listens)


@pytest.fixture(scope="session")
def headless_shell(request: pytest.FixtureRequest) -> Iterator[str]:
    """The same engine without all that is Chrome around it: a page costs a third less. The whole one where there is none."""
    if not shutil.which("chromium-headless-shell"):
        yield request.getfixturevalue("chromium")
        return
    with running_browser("chromium-headless-shell", *PROFILED_CHROMIUM, listens=chromium_listens) as address:
        yield address


@pytest.fixture(scope="session")
def firefox() -> Iterator[str]:
    """One Firefox for the whole run."""
    with running_firefox() as address:
        yield address


@contextlib.asynccontextmanager
async def driven_webkit(folder: Path) -> AsyncIterator[Browser]:
    """WebKit for one test: a driver has one session, and so nothing is shared."""
    browser_or_skip("WebKitWebDriver")
    async with aiohttp.ClientSession() as http, contextlib.aclosing(WebKit(http, folder)) as browser:
        yield browser


ENGINES = {"chromium": Browser, "firefox": Firefox} | ({"webkit": WebKit} if os.environ.get("WEBKIT") == "1" else {})
in_both_browsers = pytest.mark.parametrize("browser", list(ENGINES), indirect=True)


@pytest.fixture(name="browser")
async def browser_fixture(request: pytest.FixtureRequest, relays: Any, tmp_path: Path) -> AsyncIterator[Browser]:
    """A connection of this test's own. It asks for `relays`, so that pages go before the relays that they talk to."""
    name = getattr(request, "param", "chromium")
    has_workers, is_whole = (bool(request.node.get_closest_marker(each)) for each in ("service_worker", "whole_browser"))
    running = "headless_shell" if name == "chromium" and not (has_workers or is_whole) else name
    webkit = name == "webkit"
    async with (
        driven_webkit(tmp_path) if webkit else connected_to(request.getfixturevalue(running), ENGINES[name]) as browser
    ):
        browser.has_workers = has_workers
        yield browser


@contextlib.asynccontextmanager
async def connected_to(address: str, engine: type[Browser]) -> AsyncIterator[Browser]:
    """A connection to a running browser; what it opened is closed with it, and what pages complained about is reported."""
    async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
        browser = engine(socket)
        reading = asyncio.create_task(browser.read())
        try:
            await browser.begin()
            yield browser
            await browser.close()
        finally:
            reading.cancel()


# ------------------------------------------------------------------------------------------------------------------------
# Browser: views
# ------------------------------------------------------------------------------------------------------------------------

VIEW_TITLES = {
    "newchat": "Home · io3233",
    "chats": "Chats · io3233",
    "server": "Server · io3233",
    "keys": "Keys · io3233",
    "library": "Library · io3233",
    "about": "About · io3233",
}
SHOWN_VIEWS = "[...document.querySelectorAll('[id^=view-]:not([hidden])')].map((each) => each.id)"
NAMES_IN_THE_PAGE = """
    headerNewKeys headerCopyInvite headerCopyAddress inviteLinkInput copyInviteLinkBtn publicKeyShareInput
    copyPublicKeyBtn openChatFp openChatBtn openChatStatus chatTabs chatEmptyHint chatThread chatThreadHead chatMessages
    chatBody chatSend chatSendStatus serverUrl saveServer serverStatus statsIdentities retentionDays fpFull fpShort
    pubKeyB64 privKeyB64 dlPublic dlPrivate qrContact qrPublic newKeys registerBtn regStatus librarySearch libraryList
    libraryPrev libraryNext libraryPageInfo liveIndicator liveHint notifToggle themeToggle
    view-newchat view-chats view-server view-keys view-library view-about
    tab-newchat tab-chats tab-server tab-keys tab-library tab-about myName guestCard guestName
"""


class TestBrowserViews:
    """Every view has a path of its own, and asks nobody but the relay. (The fixture fails a test whose page complains.)"""

    @in_both_browsers
    async def test_every_view_opens_by_its_path_and_after_reload(self, browser, relay):
        page = await browser.page(watched=True)

        for view, title in VIEW_TITLES.items():
            await page.goto(f"{relay.url}/{view}")
            await page.has_keys()
            await page.reload()
            await page.has_keys()

            assert await page.evaluate(SHOWN_VIEWS) == [f"view-{view}"]
            assert await page.evaluate("document.title") == title
        asked = [] if browser.watches_nothing else page.requests
        asked_of = {URL(url).authority for url in asked if not url.startswith("data:")}  # Firefox has a font in one
        assert browser.watches_nothing or asked_of == {URL(relay.url).authority}

    async def test_failure_that_nobody_handled_is_told_and_fails_the_test(self, browser, relay):
        page = await browser.person(relay)
        assert page.unexpected() == []

        await page.evaluate("void setTimeout(() => Promise.reject(new Error('made for this test')))")
        await page.is_told("This page failed: made for this test")

        assert "made for this test" in page.unexpected()[0]
        page.expects("made for this test")

    async def test_line_said_in_passing_is_seen_and_goes(self, browser, relay):
        page = await browser.person(relay)

        await page.evaluate("""new Promise((done) => {
            const look = () => (toast.checkVisibility() ? done() : requestAnimationFrame(look));
            copyInviteLinkBtn.click();
            look();
        })""")

        await page.hides("#toast")
        await page.is_told("Invite link copied")

    async def test_root_leads_home(self, browser, relay):
        page = await browser.person(relay, "/")

        assert await page.evaluate("location.pathname") == "/newchat"
        assert await page.evaluate(SHOWN_VIEWS) == ["view-newchat"]

    async def test_sidebar_walks_through_views_and_history_walks_back(self, browser, relay):
        page = await browser.person(relay)
        for view in VIEW_TITLES:
            await page.click(f"#tab-{view}")
            await page.until(f"location.pathname === '/{view}' && !document.querySelector('#view-{view}').hidden")

        for view in reversed(list(VIEW_TITLES)[:-1]):
            await page.evaluate("history.back()")
            await page.until(f"document.title === {json.dumps(VIEW_TITLES[view])}")
        await page.evaluate("history.forward()")

        await page.until(f"{SHOWN_VIEWS}.join() === 'view-chats'")

    async def test_phone_has_three_tabs_and_all_other_views_in_me(self, browser, relay):
        page = await browser.person(relay, size=(390, 844))

        for view in VIEW_TITLES:
            await page.goes_to(view)
            await page.until(f"location.pathname === '/{view}'")
            assert await page.count(".view-tabs > a") == 3
        await page.click("#tab-me")

        await page.until("document.title === 'Me · io3233'")
        assert await page.count(".me-rows :is(a, button, #live)") == 10
        assert await page.count("#headerNewKeys") == 0  # only in Keys, below the backup
        await page.goes_to("keys")
        await page.shows("#newKeys")

    async def test_me_is_home_where_there_is_a_rail_and_a_turned_phone_keeps_the_focus(self, browser, relay):
        page = await browser.person(relay, "/me", size=(390, 844))
        await page.evaluate("document.querySelector('#settingsOpen').focus()")

        await page.resize(1280, 800)

        await page.until("location.pathname === '/newchat' && document.querySelector('.view-tabs #settingsOpen')")
        assert await page.evaluate("document.activeElement.id") == "settingsOpen"
        assert await page.count(".view-tabs > a") == 6

    @pytest.mark.parametrize(
        ("size", "columns"),
        [((1280, 800), [72, 320, 888]), ((820, 1180), [64, 260, 496]), ((390, 844), [390]), ((844, 390), [844])],
    )
    async def test_page_is_a_rail_a_list_and_a_view_or_one_screen(self, browser, relay, size, columns):
        page = await browser.person(relay, size=size)

        widths = await page.evaluate("getComputedStyle(document.body).gridTemplateColumns.split(' ').map(parseFloat)")

        assert widths == columns

    async def test_menu_of_the_list_is_walked_by_arrows_and_gives_the_focus_back(self, browser, relay):
        page = await browser.person(relay)
        await page.click("#listMenuOpen")
        focus = "document.activeElement.id"
        assert await page.evaluate(focus) == "listPaste"

        for key, focused in [("ArrowDown", "listInvite"), ("ArrowUp", "listPaste"), ("ArrowUp", "headerNewKeys")]:
            await page.key(key)
            assert await page.evaluate(focus) == focused
        await page.key("Escape")

        await page.until("!document.querySelector('#listMenu').matches(':popover-open')")
        assert await page.evaluate(focus) == "listMenuOpen"

    async def test_back_closes_an_open_menu_and_stays(self, browser, relay):
        page = await browser.person(relay)
        await page.click("#tab-about")
        await page.click("#listMenuOpen")

        await page.evaluate("history.back()")

        await page.until("!document.querySelector('#listMenu').matches(':popover-open')")
        assert await page.evaluate("location.pathname") == "/about"

    async def test_paste_leads_to_the_field_for_a_link(self, browser, relay):
        page = await browser.person(relay, "/about")

        await page.chooses("#listPaste")

        await page.until("document.activeElement.id === 'openChatFp'")

    async def test_every_name_of_the_page_is_there_once(self, browser, relay):
        page = await browser.person(relay)
        names = NAMES_IN_THE_PAGE.split()
        counts = await page.evaluate(f"{json.dumps(names)}.map((id) => document.querySelectorAll('#' + id).length)")

        assert dict(zip(names, counts, strict=True)) == dict.fromkeys(names, 1)

    async def test_keys_and_server_views_say_what_is_so(self, browser, relay):
        page = await browser.person(relay, "/keys")
        digest = hashlib.sha256(unb64(await page.text("#pubKeyB64"))).hexdigest()

        await page.click("#tab-server")

        await page.until("document.querySelector('#retentionDays').textContent === '14'")
        assert await page.text("#statsIdentities") == "1"
        assert digest == page.fingerprint and await page.text("#fpShort") == f"3233:{digest[:32]}"
        assert await page.evaluate("document.querySelector('#privKeyB64').textContent") == ""

    async def test_theme_follows_the_system_until_it_is_chosen(self, browser, relay):
        page = await browser.person(relay, scheme="dark")
        assert await page.evaluate("document.documentElement.dataset.theme") == "dark"

        await page.click("#themeToggle")
        await page.reload()

        assert await page.evaluate("document.documentElement.dataset.theme") == "light"

    @pytest.mark.parametrize(
        "expression",
        [
            "document.body.innerHTML = '<img src=x onerror=\\'window.ran = true\\'>'",
            "document.body.setAttribute('onclick', 'window.ran = true')",
            "document.createElement('script').src = '/app.js'",
        ],
    )
    async def test_scripts_from_strings_are_refused(self, browser, relay, expression):
        page = await browser.person(relay)
        page.expects("Trusted", "CSP:")

        with pytest.raises(DevToolsError, match="Trusted"):
            await page.evaluate(expression)

        assert not await page.evaluate("window.ran")

    async def test_picture_of_another_host_is_not_asked_for_and_complained_about(self, browser, relay):
        page = await browser.person(relay)
        page.expects("img-src")

        await page.evaluate(f"void (new Image().src = '{relay.url.replace('127.0.0.1', '127.0.0.2')}/picture.png')")

        await until(lambda: [each for each in page.complaints if each.startswith("CSP:")])


# ------------------------------------------------------------------------------------------------------------------------
# Browser: conversation
# ------------------------------------------------------------------------------------------------------------------------

MARKUP = [
    "<b>bold</b> &amp; <script>window.ran = true</script>",
    '<img src=x onerror="window.ran = true">',
    "<svg onload='window.ran = true'></svg> {{7*7}} ${window.ran = true}",
    "</div></section><h1>not mine</h1><!-- ",
]
STRANGE = [
    "👋🏽 👨‍👩‍👧‍👦 🏳️‍🌈 ☕",
    "שלום עולם مرحبا",
    "\u202egnp.exe \u2066 zero\u200bwidth",
    "e\u0301 \ufffd \U0010ffff 漢字",
    "  two  spaces,\ttab\n\n\nblank lines ",
]
NO_ADDRESS = {
    "": "first",
    "hello": "not an invite link",
    "3233:": "not an invite link",
    "1234567": "not an invite link",
    "a" * 65: "not an invite link",
    b64(bytes(31)): "not an invite link",
    "http://relay.example/nobody": "names nobody",
    "http://relay.example/chats#chat=ffffffff": "no whole address",
    "f" * 64: "Nobody",
    "3233:" + "f" * 32: "Nobody",
    "ffffffff": "Nobody",
}
ADDRESS_FORMS: list[Callable[[Person], str]] = [
    lambda person: person.fingerprint,
    lambda person: person.fingerprint.upper(),
    lambda person: f"3233:{person.fingerprint[:32]}",
    lambda person: b64(person.public_key),
    lambda person: b64url(person.public_key),
    lambda person: f"{person.relay.url}/chats#chat={person.fingerprint}&server={person.relay.url}",
    lambda person: f"{person.relay.url}/?fp={person.fingerprint}",
    lambda person: f"  {person.fingerprint}\t",
]
INVITE_LINKS = ["/chats#chat={0}&server={1}", "/?chat={0}&server={1}", "/newchat?fp={0}", "/chats?chat={0}"]


class TestBrowserConversation:
    """Two people, each in a browser of their own."""

    @in_both_browsers
    async def test_messages_are_delivered_both_ways(self, browser, relay):
        alice, bob = await browser.person(relay), await browser.person(relay)

        await alice.opens(bob.fingerprint)
        await alice.says("hello")
        await bob.switches_to(alice)
        await bob.sees("hello")
        await bob.says("hello yourself")

        await alice.sees("hello yourself")
        await alice.has_relayed(1)
        assert await relay.call("GET", "/v1/stats") and await bob.sent() == ["hello yourself"]

    async def test_enter_sends_and_with_a_modifier_breaks_the_line(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        for modifier, line in ((SHIFT, "one"), (CONTROL, "two"), (ALT, "three"), (0, "four")):
            await alice.drafts(line)
            await alice.key("Enter", modifier)

        assert await until(lambda: read_all(bob)) == ["one\ntwo\nthree\nfour"]
        assert await alice.value("#chatBody") == ""

    async def test_enter_that_confirms_a_composition_does_not_send(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.drafts("")

        await alice.call("Input.imeSetComposition", text="にほん", selectionStart=3, selectionEnd=3)
        for code in (13, 229):  # with 229 browsers say that the key went to the input method
            await alice.call("Input.dispatchKeyEvent", type="rawKeyDown", key="Enter", windowsVirtualKeyCode=code)
        await alice.type("日本")
        await alice.key("Enter")

        assert await until(lambda: read_all(bob)) == ["日本"]

    async def test_messages_written_faster_than_they_are_stored_keep_their_order(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        texts = [str(number) for number in range(8)]

        await alice.evaluate(f"""for (const text of {texts}) {{
            document.querySelector("#chatBody").value = text;
            document.querySelector("#composer").requestSubmit();
        }}""")

        await alice.has_relayed(len(texts))
        assert await read_all(bob) == texts == await alice.sent()

    async def test_message_that_failed_says_why_and_is_sent_by_a_retry(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        alice.expects("404 (Not Found)")
        await alice.opens(bob.fingerprint)
        await bob.call("DELETE", "/v1/me")

        await alice.says("are you there?")
        await alice.shows(".chat-line-out", "Nobody with this address is at")
        await bob.register()
        await alice.click(".chat-retry")

        await alice.has_relayed(1)
        assert await read_all(bob) == ["are you there?"]
        assert await alice.count(".chat-retry") == await alice.count(".chat-discard") == 0

    async def test_message_that_failed_and_was_discarded_is_gone_from_thread_and_list(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        alice.expects("404 (Not Found)")
        await alice.opens(bob.fingerprint)
        await alice.says("first")
        await alice.has_relayed(1)
        await bob.call("DELETE", "/v1/me")
        await alice.says("second")
        await alice.shows(".chat-tab-last", "second")

        await alice.click(".chat-discard")

        await alice.shows(".chat-tab-last", "first")
        assert await alice.sent() == ["first"]

    async def test_mail_that_comes_while_a_thread_is_read_is_added_to_it(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "stored before")
        await alice.shows(".chat-tab-label", "stored before")

        shown = await alice.evaluate(f"""(async () => {{
            const names = ["store/database", "store/store", "views/message-window"];
            const [{{ Database }}, {{ Store }}, {{ MessageWindow }}] = await Promise.all(names.map((name) => import(`/${{name}}.js`)));
            const thread = new MessageWindow(new Store(await Database.open()));
            thread.reset("{bob.fingerprint}");
            const reading = thread.load();
            thread.append([{{ seq: 9, text: "came meanwhile" }}], {{ keep_first: false }});
            const early = thread.messages.length;
            await reading;
            return [early, ...thread.messages.map(({{ text }}) => text)];
        }})()""")

        assert shown == [0, "stored before", "came meanwhile"]

    async def test_older_page_that_was_asked_for_before_a_leap_to_the_end_is_not_joined_to_it(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, *(f"number {number}" for number in range(110)))
        await alice.shows(".chat-tab-label", "number 109")

        texts = await alice.evaluate(f"""(async () => {{
            const names = ["store/database", "store/store", "views/message-window"];
            const [{{ Database }}, {{ Store }}, {{ MessageWindow }}] = await Promise.all(names.map((name) => import(`/${{name}}.js`)));
            const thread = new MessageWindow(new Store(await Database.open()));
            thread.reset("{bob.fingerprint}");
            await thread.load({{ around: 50 }});
            await Promise.all([thread.load(), thread.extendOlder((alter) => alter())]);
            return thread.messages.map(({{ text }}) => text);
        }})()""")

        assert texts == [f"number {number}" for number in range(60, 110)]

    async def test_markup_arrives_as_text(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, *MARKUP)

        await alice.click(".chat-tab-label")
        await alice.sees(MARKUP[-1])

        assert await alice.received() == MARKUP
        assert await alice.evaluate("document.querySelectorAll('.chat-bubble > *').length") == 0
        assert not await alice.evaluate("window.ran")

    async def test_emoji_scripts_and_spaces_arrive_as_they_were_written(self, browser, relay):
        alice, bob = await browser.person(relay), await browser.person(relay)
        await alice.opens(bob.fingerprint)

        for text in STRANGE:
            await alice.says(text)

        await bob.switches_to(alice)
        await bob.sees(STRANGE[-1])
        assert await bob.received() == await alice.sent() == STRANGE

    async def test_long_text_arrives_whole_and_stays_in_the_page(self, browser, relay):
        alice, bob = await browser.person(relay, size=(320, 640)), await relay.register()
        long_texts = ["x" * 20_000, "many words " * 4_000]

        await write(bob, alice, *long_texts)
        await alice.until("document.querySelector('.chat-tab')")
        await alice.goto(f"{relay.url}/chats#chat={bob.fingerprint}")
        await alice.until("document.querySelectorAll('.chat-more:not([hidden])').length === 2")
        await alice.evaluate("document.querySelectorAll('.chat-more').forEach((each) => each.click())")
        await alice.sees(long_texts[-1])

        assert await alice.received() == long_texts
        assert await alice.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await alice.evaluate("[...document.querySelectorAll('*')].every((each) => each.scrollLeft === 0)")

    async def test_order_is_the_writers(self, browser, relay):
        alice, bob = await browser.person(relay), await browser.person(relay)
        await alice.opens(bob.fingerprint)
        texts = [f"message {number}" for number in range(25)]

        for text in texts:
            await alice.says(text)

        await bob.switches_to(alice)
        await bob.sees(texts[-1])
        assert await bob.received() == await alice.sent() == texts

    async def test_whitespace_alone_is_not_sent(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.drafts(" \n\t ")
        await alice.key("Enter")
        await alice.click("#chatSend")
        await alice.says("words")

        assert await until(lambda: read_all(bob)) == [" \n\t words"]

    async def test_chat_with_oneself_is_refused_with_a_sentence(self, browser, relay):
        alice = await browser.person(relay)
        invite = await alice.value("#inviteLinkInput")
        mine = [alice.fingerprint, f"3233:{alice.fingerprint[:32]}", alice.fingerprint[:8], b64(alice.public_key), invite]

        for address in mine:
            await alice.asks_for(address)
            await alice.shows("#openChatStatus", "your own address")
            await alice.evaluate("document.querySelector('#openChatStatus').textContent = ''")

        assert await alice.count(".chat-tab") == 0

    async def test_bad_contact_is_refused_with_a_sentence(self, browser, relay):
        alice = await browser.person(relay)
        alice.expects("404")

        for address, why in NO_ADDRESS.items():
            await alice.reload()
            await alice.has_keys()
            await alice.asks_for(address)

            await alice.shows("#openChatStatus.bad", why)
            assert await alice.value("#openChatFp") == address
        assert await alice.count(".chat-tab") == 0

    async def test_contact_is_found_by_every_form_of_an_address(self, browser, relay):
        alice = await browser.person(relay)

        for form in ADDRESS_FORMS:
            bob = await relay.register()
            await alice.opens(form(bob))
            await alice.until(f"location.hash === '#chat={bob.fingerprint}'")
            await alice.says("found you")
            assert await until(lambda bob=bob: read_all(bob)) == ["found you"]

    async def test_who_was_found_by_a_few_digits_is_compared_before_the_chat_opens(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()

        await alice.asks_for(bob.fingerprint[:8])
        await alice.shows("#confirmText", bob.fingerprint)
        await declines(alice, "Is this the whole address?")
        tabs_before = await alice.count(".chat-tab")
        await alice.asks_for(bob.fingerprint[:8])
        await agrees(alice, "Is this the whole address?")

        await alice.until(f"location.hash === '#chat={bob.fingerprint}'")
        assert tabs_before == 0

    async def test_key_that_is_held_answers_no_question(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()

        await alice.asks_for(bob.fingerprint[:8])
        await alice.shows("#confirmText", bob.fingerprint)
        held = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r", "autoRepeat": True}
        await alice.call("Input.dispatchKeyEvent", type="keyDown", **held)
        is_asked = await alice.evaluate("document.querySelector('#confirmDialog').open")
        await alice.call("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter", windowsVirtualKeyCode=13)
        await alice.key("Enter")

        await alice.until(f"location.hash === '#chat={bob.fingerprint}'")
        assert is_asked

    async def test_invite_link_opens_its_chat_and_leaves_the_address_bar(self, browser, relay):
        alice = await browser.page()

        for link in INVITE_LINKS:
            bob = await relay.register()
            await alice.goto(relay.url + link.format(bob.fingerprint, quote(relay.url, safe="")))
            await alice.until(f"location.href === '{relay.url}/chats#chat={bob.fingerprint}'")
            await alice.says("by your link")
            assert await until(lambda bob=bob: read_all(bob)) == ["by your link"]

    async def test_bytes_are_counted_near_the_limit_and_refused_over_it(self, browser, relays):
        relay = await relays(MAX_MESSAGE_BYTES="4096")
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.drafts("é" * 1_800)
        await alice.shows("#chatByteCount", "of 4 KiB")
        await alice.drafts("é" * 400)
        await alice.key("Enter")

        await alice.shows("#chatSendStatus.bad", "4096 bytes")
        assert await alice.value("#chatBody") == "é" * 2_200
        assert (await alice.sent(), await bob.fetch()) == ([], [])

    async def test_what_is_typed_already_is_counted_when_the_server_says_how_much_it_takes(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        alice.expects(UNREACHABLE, "WebSocket connection to")
        await alice.opens(bob.fingerprint)
        await alice.drafts("é" * 1_900)

        await relay.stop()
        relay.environ["MAX_MESSAGE_BYTES"] = "4096"
        await relay.start()

        await alice.shows("#chatByteCount", "of 4 KiB")

    async def test_only_web_addresses_become_links_and_none_is_fetched(self, browser, relay):
        alice, bob = await browser.person(relay, watched=True), await relay.register()
        web = ["https://chat.example.com/a_(b)?c=d&e#f", "http://a.example/"]
        other = "javascript:alert(1) data:text/html,x ftp://a.example file:///etc/passwd www.example.com blob:x"

        await write(bob, alice, f"see {web[0]}, or ({web[1]}).", other)
        await alice.click(".chat-tab-label")
        await alice.sees(other)

        links = "[...document.querySelectorAll('.chat-bubble a')].map(({ href, rel, target }) => [href, rel, target])"
        assert await alice.evaluate(links) == [[url, "noopener noreferrer", "_blank"] for url in web]
        assert {URL(url).authority for url in alice.requests} == {URL(relay.url).authority}


# ------------------------------------------------------------------------------------------------------------------------
# Browser: texts of strangers
#
# Anybody may write to anybody, so a text is whatever a text can be. The bounds on time compare two things of one run: a
# quadratic pattern over eight times the text takes 64 times as long, on whatever machine.
# ------------------------------------------------------------------------------------------------------------------------

# What patterns backtrack over, and what engines take long to lay out; repeated up to a length, between a beginning and an end.
HOSTILE = {
    "dots in an address": ("http://a", ".", "x"),
    "closing brackets": ("http://a", ")", "x"),
    "opening brackets": ("http://a", "([{", "x"),
    "stars and quotes": ("http://a", "*'", "x"),
    "at signs": ("http://", "a@", "x"),
    "addresses without a space": ("", "http://", ""),
    "addresses that a bracket ends": ("", "http://a)", ""),
    "addresses with a space": ("", "http://a.example ", ""),
    "equals signs": ("", "=", "x"),
    "base64 that is none": ("", "A", "!"),
    "digits": ("3233:", "0", "x"),
    "slashes": ("https:", "/", "\\x"),
    "spaces": ("", " ", "x"),
    "newlines": ("", "\n", "x"),
    "line separators": ("", "\u2028\x0b", "x"),
    "marks on a letter": ("a", "\u0301", ""),
    "marks of two classes": ("a", "\u0301\u0323", ""),
    "marks of Thai": ("ก", "\u0e48", ""),
    "marks of Arabic": ("ا", "\u064b\u0655", ""),
    "skin tones": ("👋", "🏽", ""),
    "joiners": ("", "👩\u200d", ""),
    "families": ("", "👨‍👩‍👧‍👦", ""),
    "turns": ("", "\u202e", "http://a.example/"),
    "isolates": ("", "\u2067a\u2069", ""),
    "both directions": ("", "a\u05d0", ""),
    "homographs": ("", "http://аррӏе.example ", ""),
    "userinfo": ("", "http://bank.example@b.example/ ", ""),
    "format characters": ("", "http://bank\u200b.example ", ""),
    "half characters": ("", "\ud83d", ""),
    "one word": ("", "x", ""),
    "backticks": ("", "`", "\nx"),
    "backticks with a space": ("", "` ", "x"),
    "backticks of two lengths": ("", "`` ` ", "```"),
    "pieces of code": ("", "`a` ", ""),
    "stars": ("", "*", "x"),
    "stars with a space": ("", "* ", "x"),
    "opening stars": ("", " *a", ""),
    "opening stars of each kind": ("", "***a **b *c ", ""),
    "closing stars": ("**a", "* ", "**"),
    "bold words": ("", "**a** ", ""),
    "fences": ("", "```\n", "x"),
    "fences with nothing below": ("", "```\n \n", ""),
    "blocks of code": ("", "```\nx\n```\n", ""),
    "a block of code": ("````x\n", "```\n", "x"),
    "points of a list": ("", "- a\n", ""),
    "points without words": ("", "- \n", "- x"),
    "numbers of a list": ("", "1. `a` *b*\n", ""),
    "digits of a number": ("", "1", ". x"),
}
HOSTILE_TEXTS = f"""const hostile = Object.entries({json.dumps(HOSTILE)});
const repeated = ([begin, unit, end], length) => begin + unit.repeat(length / unit.length) + end;"""


def module(name: str) -> str:
    """The address of a module of the client, in whatever folder it lives."""
    return "/" + next(STATIC.rglob(f"{name}.js")).relative_to(STATIC).as_posix()


def imported(**names: str) -> str:
    """JavaScript that imports names from modules: `imported(text="linkParts")`."""
    return "\n".join(f'const {{ {each} }} = await import("{module(name)}");' for name, each in names.items())


# A text, and where its links lead.
LINKS = [
    ("https://a.example/", ["https://a.example/"]),
    ("HTTP://A.Example:80/b", ["http://a.example/b"]),
    ("see https://a.example/b, or (https://a.example/c).", ["https://a.example/b", "https://a.example/c"]),
    ("(https://a.example/Blur_(band))", ["https://a.example/Blur_(band)"]),
    ("https://a.example/Blur_(band).", ["https://a.example/Blur_(band)"]),
    ("[a text](https://a.example/b)", ["https://a.example/b"]),
    ("[https://a.example/b](https://a.example/c)", ["https://a.example/b", "https://a.example/c"]),
    ("{https://a.example/b?c[]=d}", ["https://a.example/b?c[]=d"]),
    ("http://[::1]:8080/b]", ["http://[::1]:8080/b"]),
    ("https://a.example/b([{", ["https://a.example/b"]),
    ("**https://a.example/b**, *https://a.example/c*", ["https://a.example/b", "https://a.example/c"]),
    ("<https://a.example/b> \"https://a.example/c\" `https://a.example/d`", [f"https://a.example/{c}" for c in "bcd"]),
    ("'https://a.example/b', https://a.example/it's", ["https://a.example/b", "https://a.example/it's"]),
    ("“https://a.example/b”, ‘https://a.example/c’; «https://a.example/d»", [f"https://a.example/{c}" for c in "bcd"]),
    ("„https://a.example/b“ ›https://a.example/c‹…", ["https://a.example/b", "https://a.example/c"]),
    ("「https://a.example/b」を見て。https://a.example/c。", ["https://a.example/b", "https://a.example/c"]),
    ("（https://a.example/b），《https://a.example/c》！", ["https://a.example/b", "https://a.example/c"]),
    ("https://a.example/b۔ https://a.example/c؟ https://a.example/d।", [f"https://a.example/{c}" for c in "bcd"]),
    ("https://a.example/b։ https://a.example/c། https://a.example/d።", [f"https://a.example/{c}" for c in "bcd"]),
    ("https://a.example/b!?:;…", ["https://a.example/b"]),
    ("https://a.example/?b=https://c.example/", ["https://a.example/?b=https://c.example/"]),
    ("https://a.example/straße", ["https://a.example/stra%C3%9Fe"]),
    ("https://аррӏе.example/", ["https://xn--80ak6aa92e.example/"]),
    ("https://a.example．b", ["https://a.example/"]),
    ("https://bank.example\\@b.example/", ["https://bank.example/@b.example/"]),
    ("https:///a.example/", ["https://a.example/"]),
    ("https://a.example/" + "b" * 2_000, ["https://a.example/" + "b" * 2_000]),
    # none of these is a link
    ("https://a.example/" + "b" * 3_000, []),
    ("https://bank.example@b.example/", []),
    ("https://bank.example:443@b.example/ https://@b.example/ https:////c@b.example", []),
    ("https://a.exam\u00adple/ https://a.example/\u202egpj.exe https://a.example\u200b.b.example/", []),
    ("https://a.example/\u2066b https://a.example/\U000e0041 https://a.example/.\u202e", []),
    ("https://\ud83d.example/ http:// https://:80/ http://a.example:99999/", []),
    ("https://a.example／b", []),
    ("xhttps://a.example/ _http://a.example/ 3http://a.example/", []),
    ("javascript:alert(1) data:text/html,x ftp://a.example file:///etc/passwd www.example.com", []),
]  # fmt: skip
# A busy machine has lulls: what is quick is so once in ten times.
FASTEST = """const fastest = (task) => Math.min(...[0, 0, 0].map((before) => {
    before = performance.now();
    task();
    return performance.now() - before;
}));
const manages = (milliseconds, task) => new Array(10).fill(task).some((each) => fastest(each) < milliseconds);"""
# Every function that a stranger's text goes through as a whole.
READERS = """const attempt = (read) => (text) => { try { read(text) } catch (error) { if (!(error instanceof ClientError)) throw error } };
const readers = {
    linkParts: (text) => [...linkParts(text)], nextPiece: (text) => nextPiece(text, 0, { characters: 4000, lines: 60 }),
    oneLine: (text) => oneLine(text, 140), cut: (text) => cut(text, 400),
    characterStart: (text) => characterStart(text, text.length >> 1),
    fromBase64: attempt(fromBase64), parseAddress: attempt(parseAddress),
    readMarks: (text) => readMarks(text), isEmojiAlone: (text) => isEmojiAlone(text),
    codeAt: (text) => readMarks(text, 0, 99).nodes[0]?.kind === "fence" && codeAt(text, 0),
};"""
# A text, and how its marks are read: `<kind …>` around what they hold, without the signs themselves.
MARKED = [
    ("**bold**, *italic* and ***both***.", "<strong bold>, <em italic> and <both both>."),
    ("**a *b* c** *d **e** f*", "<strong a <em b> c> <em d <strong e> f>"),
    ("`code`, ``a ` in it`` and `**this**`", "<code code>, <code a ` in it> and <code **this**>"),
    ("**`a`** and *https://a.example/b*", "<strong <code a>> and <em <link https://a.example/b>>"),
    ("这是**重点**内容 (*so*)", "这是<strong 重点>内容 (<em so>)"),
    ("https://a.example/*b*/c `https://a.example/d`", "<link https://a.example/*b*/c> <code https://a.example/d>"),
    ("two\n- a\n- *b*\n", "two\n<list <item <bullet >a\n><item <bullet ><em b>\n>>"),
    ("1. a\n  12) b", "<list <item 1. a\n><item   12) b>>"),
    ("see\n```python\nx = **1**\n```\nso", "see\n<fence <label python\n><pre x = **1**\n>>so"),
    ("```\na\nb```", "<fence <pre a\nb>>"),
    ("```let a = 1;\nb```", "<fence <pre let a = 1;\nb>>"),
    ("````\n```\nx\n````", "<fence <pre ```\nx\n>>"),
    ("```\nto the end", "<fence <pre to the end>>"),
    ("```on one line```", "<code on one line>"),
    # none of these is a mark
    ("2*3*4, 2 * 3 * 4 and 5**2", "2*3*4, 2 * 3 * 4 and 5**2"),
    ("*args, **kwargs and snake_case_name __init__", "*args, **kwargs and snake_case_name __init__"),
    ("** a ** **** *a\nb*", "** a ** **** *a\nb*"),
    ("it`s 5 o`clock, `", "it`s 5 o`clock, `"),
    ("-1 --- * -\n- ", "-1 --- * -\n- "),
    ("```", "```"),
    ("```\n\n```", "```\n\n```"),
    ("<b>a</b> &lt; [a](b) # c\n> d", "<b>a</b> &lt; [a](b) # c\n> d"),
]  # fmt: skip
TOLD = """const told = ({ kind, text, nodes }) =>
    kind === "text" ? text : kind === "sign" ? "" : `<${kind === "block" ? "pre" : kind} ${nodes ? nodes.map(told).join("") : text}>`;
const written = ({ text, nodes }) => (nodes ? nodes.map(written).join("") : text);
const depth = ({ nodes }) => (nodes ? 1 + Math.max(0, ...nodes.map(depth)) : 0);"""


def in_sight(text: str) -> str:
    """JavaScript: is the message with this text in the visible part of the thread?"""
    row = f"[...document.querySelectorAll('.chat-line-in .chat-bubble')].find((each) => each.textContent === {json.dumps(text)})"
    return f"""((box, view) => box && box.top < view.bottom && box.bottom > view.top)(
        {row}?.getBoundingClientRect(), document.querySelector("#chatMessages").getBoundingClientRect())"""


class TestBrowserStrangers:
    """No text makes the page slow, shows what is false, or puts the rest of a thread out of reach."""

    async def test_links_lead_where_they_say_and_end_where_the_address_ends(self, browser, relay):
        page = await browser.person(relay)
        texts = [text for text, _ in LINKS]

        parts = await page.evaluate(f"""(async () => {{
            {imported(text="linkParts")}
            return {json.dumps(texts)}.map((text) => [...linkParts(text)]);
        }})()""")

        hrefs = [[part["href"] for part in each if part["href"]] for each in parts]
        assert list(zip(texts, hrefs, strict=True)) == LINKS
        assert [
            part for each, _, part in zip(texts, hrefs, parts, strict=True) if "".join(p["text"] for p in part) != each
        ] == []

    async def test_marks_are_read_where_people_mean_them(self, browser, relay):
        page = await browser.person(relay)
        texts = [text for text, _ in MARKED]

        read = await page.evaluate(f"""(async () => {{
            {imported(marks="readMarks")} {TOLD}
            return {json.dumps(texts)}.map((text) => readMarks(text).nodes.map(told).join(""));
        }})()""")

        assert list(zip(texts, read, strict=True)) == MARKED

    async def test_reading_marks_loses_nothing_of_any_text_and_goes_seven_deep_at_most(self, browser, relay):
        page = await browser.person(relay)

        wrong = await page.evaluate(f"""(async () => {{
            {imported(marks="readMarks")} {TOLD}
            const units = ["`", "``", "```", "*", "**", "***", " ", "\\n", "- ", "1. ", "a", "é", "(", ")", "https://a.example/", "\\r\\n"];
            const any = (length) => Array.from({{ length }}, () => units[Math.floor(Math.random() * units.length)]).join("");
            const texts = Array.from({{ length: 4000 }}, (_, index) => any(1 + (index % 60)));
            return texts.filter((text) => ((nodes) => nodes.map(written).join("") !== text || depth({{ nodes }}) > 8)(readMarks(text).nodes));
        }})()""")

        assert wrong == []

    async def test_reading_any_text_takes_time_in_proportion_to_its_length(self, browser, relay):
        page = await browser.person(relay)
        names = {
            "text": "characterStart, cut, isEmojiAlone, linkParts, nextPiece, oneLine",
            "encoding": "fromBase64",
        }
        names |= {"address": "parseAddress", "errors": "ClientError", "marks": "codeAt, readMarks"}

        await page.evaluate(f"""(async () => {{
            {imported(**names)} {HOSTILE_TEXTS} {FASTEST} {READERS}
            const inProportion = (read, short, long) => manages(3 * 8 * fastest(() => read(short)) + 500, () => read(long));
            window.slow = (kind) => {{
                const [short, long] = [repeated(kind, 15_625), repeated(kind, 125_000)];
                return Object.keys(readers).filter((reader) => !inProportion(readers[reader], short, long));
            }};
        }})()""")

        slow = {name: await page.evaluate(f"slow({json.dumps(kind)})") for name, kind in HOSTILE.items()}
        assert {name: readers for name, readers in slow.items() if readers} == {}

    async def test_any_message_is_laid_out_about_as_fast_as_4000_characters_of_words(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.evaluate(f"""(async () => {{
            {imported(**{"message-row": "messageRow"})} {HOSTILE_TEXTS} {FASTEST}
            const box = document.querySelector("#chatMessages");
            const row = (text) => messageRow({{ seq: 1, direction: "in", kind: "text", at: Date.now(), text }}, "Bob");
            const draw = (text) => () => {{ box.replaceChildren(row(text)); return box.scrollHeight }};
            const bound = 10 * fastest(draw("many אחד ".repeat(444))) + 50;
            window.isSlow = (kind) => !manages(bound, draw(repeated(kind, 250_000)));
        }})()""")

        assert [name for name, kind in HOSTILE.items() if await alice.evaluate(f"isSlow({json.dumps(kind)})")] == []

    async def test_thread_of_hostile_texts_scrolls_to_both_of_its_ends(self, browser, relay):
        alice, bob = await browser.person(relay, size=(360, 640)), await relay.register()
        texts = [begin + unit * (15_000 // len(unit)) + end for begin, unit, end in HOSTILE.values()]

        await write(bob, alice, "the first", *texts, *["\n" * 90_000] * 14, "the last")
        await alice.until("document.querySelector('.chat-tab')")
        await alice.goto(f"{relay.url}/chats#chat={bob.fingerprint}")
        await alice.until(f"(document.querySelector('#chatMessages').scrollTop = 1e9, {in_sight('the last')})")
        await alice.until(f"(document.querySelector('#chatMessages').scrollTop = 0, {in_sight('the first')})")

        await alice.until(f"(document.querySelector('#chatMessages').scrollTop = 1e9, {in_sight('the last')})")
        assert (
            await alice.evaluate("Math.max(...[...document.querySelectorAll('.chat-line')].map((row) => row.offsetHeight))")
            < 20_000
        )

    async def test_long_message_is_shown_in_part_until_all_is_asked_for(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        text = "\n".join(f"line {number} of https://a.example/{number}" for number in range(3_000))
        await write(bob, alice, text)
        await alice.click(".chat-tab-label")
        await alice.shows(".chat-more", "Show all")
        [part] = await alice.received()

        await alice.click(".chat-more")
        await alice.sees(text)

        assert part == "".join(text.splitlines(keepends=True)[:60])
        assert await alice.count(".chat-more") == 0 and await alice.count(".chat-bubble a") == 3_000
        assert await alice.evaluate("document.activeElement.matches('.chat-bubble')")

    async def test_block_of_code_that_is_cut_goes_on_as_code_and_is_copied_whole(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        code = "\n".join(f"line_{number} = *{number}*" for number in range(900))
        await alice.permit("clipboard-read", "clipboard-write")
        await write(bob, alice, f"this:\n```\n{code}\n```\n*so*")
        await alice.click(".chat-tab-label")
        await alice.click(".code-copy")
        await alice.is_told("Code copied")

        await alice.click(".chat-more")
        await alice.sees(f"this:\n```\n{code}\n```\n*so*")

        assert await alice.evaluate("navigator.clipboard.readText()") == code
        assert "".join(await alice.texts(".chat-bubble pre")).rstrip("\n") == code
        assert (await alice.count(".code-copy"), await alice.texts(".chat-bubble em")) == (1, ["*so*"])

    async def test_marked_words_are_selected_and_copied_as_they_were_written(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        texts = [text for text, _ in MARKED]
        await write(bob, alice, *texts)
        await alice.click(".chat-tab-label")
        await alice.sees(texts[-1])

        selected = await alice.evaluate("""[...document.querySelectorAll(".chat-bubble")].map((each) => {
            getSelection().selectAllChildren(each);
            return String(getSelection());
        })""")

        # a block of code has lines of its own
        ends = {text: text.replace("b```", "b\n```").replace("```let", "```\nlet") for text in texts}
        assert [each.rstrip("\n") for each in selected] == [ends[text].rstrip("\n") for text in texts]

    @pytest.mark.parametrize(
        ("text", "large"), [("👍", True), ("❤️ 🏳️‍🌈\n🇩🇪", True), ("👍👍👍👍", False), ("👍 yes", False), ("1", False)]
    )
    async def test_up_to_three_emoji_alone_are_large(self, browser, relay, text, large):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "a", text)
        await alice.click(".chat-tab-label")
        await alice.sees(text)

        sizes = await alice.evaluate(
            "[...document.querySelectorAll('.chat-bubble')].map((each) => parseFloat(getComputedStyle(each).fontSize))"
        )

        assert (sizes[1] >= 2 * sizes[0]) == large

    @pytest.mark.parametrize("at_end", [False, True], ids=["at the first unread message", "at the end"])
    async def test_opening_a_long_message_leaves_a_reader_where_they_are(self, browser, relay, at_end):
        alice, bob = await browser.person(relay), await relay.register()
        if at_end:
            await alice.opens(bob.fingerprint)
        await write(bob, alice, "x " * 20_000)
        await alice.click(".chat-tab-label", "x x")
        await alice.shows(".chat-more")
        below = "((box) => box.scrollHeight - box.scrollTop - box.clientHeight)(chatMessages)"
        await alice.until(f"!{json.dumps(at_end)} || ({SCROLL_TOP} > 0 && {below} < 2)")

        await alice.click(".chat-more")
        top = await alice.evaluate(SCROLL_TOP)
        await alice.sees("x " * 20_000)
        await write(bob, alice, "and another")
        await alice.shows("#newMessagesBtn", "1 new message")

        assert await alice.evaluate(SCROLL_TOP) == top

    async def test_link_is_shown_as_the_address_that_it_leads_to_and_nothing_before_it_turns_it(self, browser, relay):
        alice, bob = await browser.person(relay, size=(1600, 900)), await relay.register()
        await write(bob, alice, "\u202e\u2067 https://аррӏе.example/?moc.elppa//:sptth אבג")
        await alice.click(".chat-tab-label")
        await alice.shows(".chat-bubble a")

        text, href, places = await alice.evaluate("""(() => {
            const link = document.querySelector(".chat-bubble a");
            const letters = link.firstChild;
            const range = new Range();
            const left = (at) => (range.setStart(letters, at), range.setEnd(letters, at + 1), range.getBoundingClientRect().left);
            return [link.textContent, link.href, Array.from(letters.data, (_, at) => left(at))];
        })()""")

        assert text == href == "https://xn--80ak6aa92e.example/?moc.elppa//:sptth"
        assert places == sorted(places)

    async def test_marks_piled_up_on_a_letter_stay_in_their_bubble(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()

        await write(bob, alice, "true", "a" + "\u0301" * 500)
        await alice.click(".chat-tab-label")
        await alice.until("document.querySelectorAll('.chat-bubble').length === 2")

        assert await alice.evaluate("getComputedStyle(document.querySelector('.chat-body')).overflow") == "clip"

    @pytest.mark.service_worker
    @pytest.mark.parametrize(
        "text", ["\n \r\u2028 one\n\ntwo\tthree " + "👩‍👩‍👧" * 40, "x" * 250_000, "\u202eone", " " * 90_000 + "one"]
    )
    async def test_notification_has_one_line_of_at_most_140_characters(self, browser, relay, text):
        alice, bob = await with_notifications(browser, relay), await relay.register()
        await hide(alice)

        await write(bob, alice, text[:150_000])
        [[_, body]] = await alice.until(f"{NOTIFICATIONS}.then((all) => all.length && all)")

        line = " ".join(text.replace("\u202e", "").split())
        assert len(body.encode("utf-16-le")) // 2 <= 140
        assert body == line or (body.endswith("…") and line.startswith(body[:-1]))
        assert not line.removeprefix(body.removesuffix("…")).startswith("\u200d")  # half a family


# ------------------------------------------------------------------------------------------------------------------------
# Browser: what is shown of times, words and threads
# ------------------------------------------------------------------------------------------------------------------------

DAY_MS = 86_400_000
DAYS_SHOWN = "[...document.querySelectorAll('.chat-day')].map((each) => each.textContent)"
# A text, what is typed to find it, and what is marked.
FOUND = [
    ("a café here", "cafe", "café"),
    ("a cafe here", "café", "cafe"),
    ("a cafe\u0301 here", "CAFÉ", "cafe\u0301"),
    ("a caf\u00e9 here", "cafe\u0301", "caf\u00e9"),
    ("İİİ one two", "two", "two"),
    ("İstanbul", "istanbul", "İstanbul"),
    ("ΟΔΟΣ", "οδος", "ΟΔΟΣ"),
    ("Straße", "straße", "Straße"),
    ("the ﬁrst", "first", "ﬁrst"),
    ("ｆｕｌｌ", "full", "ｆｕｌｌ"),
    ("שָׁלוֹם", "שלום", "שָׁלוֹם"),
    ("مُحَمَّد", "محمد", "مُحَمَّد"),
    ("한국어", "한국", "한국"),
    ("👨‍👩‍👧 x", "x", "x"),
    ("\ud83d half", "half", "half"),
    ("nothing", "other", None),
]


async def sets_clock(page: Page, ahead_ms: int) -> None:
    """Set the page's clock by that much ahead of the true one, and look at the page."""
    await page.evaluate(f"(() => {{ Date.real ??= Date.now; Date.now = () => Date.real() + {ahead_ms} }})()")
    await page.evaluate("window.dispatchEvent(new Event('focus'))")


class TestBrowserShown:
    """What is shown stays true while clocks, days and places change, and can be found, copied and printed."""

    async def test_search_finds_words_without_accents_and_marks_what_it_found(self, browser, relay):
        page = await browser.person(relay)

        marked = await page.evaluate(f"""(async () => {{
            {imported(text="fold, locate")}
            return {json.dumps(FOUND)}.map(([text, typed]) => {{
                const found = locate(text, fold(typed));
                return found && text.slice(found.at, found.at + found.length);
            }});
        }})()""")

        assert [(text, typed, mark) for (text, typed, _), mark in zip(FOUND, marked, strict=True)] == FOUND

    async def test_excerpt_of_the_library_has_no_signs_of_marks_but_those_that_are_looked_for(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "a **bold** `needle`")
        await alice.shows(".chat-tab-last", "a bold needle")

        await searches(alice, "needle", "1–1 of 1")
        assert await alice.texts(".msg-text") == ["a bold needle"]
        await alice.fill("#librarySearch", "**b")

        await alice.shows(".msg-text", "a **bold** `needle`")

    async def test_excerpt_of_the_library_begins_and_ends_with_whole_characters(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "👨‍👩‍👧" * 15 + "İCafé" + "👨‍👩‍👧" * 80)
        await alice.shows(".chat-tab-label")

        await searches(alice, "cafe", "1–1 of 1")
        await alice.shows(".msg-text mark", "Café")

        [text] = await alice.texts(".msg-text")
        assert set(text.strip("…").replace("İCafé", "|").replace("👨‍👩‍👧", "")) == {"|"}

    async def test_today_becomes_yesterday_at_midnight(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "written today")
        await alice.click(".chat-tab-label")
        await alice.until(f"{DAYS_SHOWN}.join() === 'Today'")

        await sets_clock(alice, DAY_MS)

        await alice.until(f"{DAYS_SHOWN}.join() === 'Yesterday'")

    async def test_times_move_with_the_time_zone(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.call("Emulation.setTimezoneOverride", timezoneId="Etc/GMT-3")
        await write(bob, alice, "before")
        await alice.click(".chat-tab-label")
        await alice.sees("before")

        await alice.call("Emulation.setTimezoneOverride", timezoneId="Etc/GMT-9")
        await sets_clock(alice, 0)
        await write(bob, alice, "after")
        await alice.sees("after")

        assert await alice.evaluate("""[...document.querySelectorAll(".chat-line time")].map(({ dateTime, textContent }) =>
            textContent === new Date(dateTime).toLocaleTimeString([], { timeStyle: "short" }))""") == [
            True,
            True,
        ]

    async def test_thread_of_a_clock_ahead_does_not_stay_on_top(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(bob.fingerprint)
        await sets_clock(alice, 2 * DAY_MS)
        await alice.says("from the day after tomorrow")
        await alice.has_relayed(1)
        await sets_clock(alice, 0)

        await write(carol, alice, "from now")
        await alice.until("document.querySelectorAll('.chat-tab').length === 2")
        await alice.click("#chatBody")

        first = "document.querySelector('.chat-tab').dataset.fingerprint"
        await alice.until(f"{first} === '{carol.fingerprint}'")

    async def test_clock_that_is_two_days_ahead_gets_one_line_a_day(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        for number in range(3):
            await write(bob, alice, f"in {number}")
            await alice.sees(f"in {number}")
            await sets_clock(alice, 2 * DAY_MS)
            await alice.says(f"out {number}")
            await alice.has_relayed(number + 1)
            await sets_clock(alice, 0)

        await alice.until(f"{DAYS_SHOWN}.length === 2")
        ahead, today = await alice.texts(".chat-line-out time"), await alice.texts(".chat-line-in time")
        has_date = ["," in each for each in ahead + today]  # below another day
        assert has_date == [False] * 3 + [False, True, True]

    @pytest.mark.parametrize(
        ("ahead_ms", "told"), [(2 * DAY_MS, True), (-2 * 3_600_000, True), (-600_000, False), (0, False)]
    )
    async def test_written_time_is_shown_where_it_differs_by_over_an_hour(self, browser, relay, ahead_ms, told):
        alice, bob = await browser.person(relay), await relay.register()

        await bob.send(alice, envelope(bob, alice, text="when?", ts=int(time.time() * 1000) + ahead_ms))
        await alice.click(".chat-tab-label")
        await alice.sees("when?")

        [note] = await alice.texts(".chat-note")
        assert note.startswith("written ") == told and bool(note) == told

    @pytest.mark.parametrize("path", ["/newchat", "/library", "/keys", "/server", "/about"])
    async def test_view_at_400_percent_has_the_whole_page_to_itself(self, browser, relay, path):
        alice = await browser.person(relay, path, size=(320, 180))

        await alice.evaluate("document.querySelector('#main').scrollIntoView()")

        covered = (
            "[2, 60, 120, 177].map((y) => document.querySelector('#main').contains(document.elementFromPoint(160, y)))"
        )
        assert await alice.evaluate(covered) == [True] * 4
        assert await alice.evaluate("document.documentElement.scrollWidth <= innerWidth")

    async def test_thread_at_400_percent_has_half_of_the_page(self, browser, relay):
        alice, bob = await browser.person(relay, size=(320, 180)), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, *(f"line {number}" for number in range(20)))
        await alice.until(in_sight("line 19"))  # and read: a chat opens at the first that is not

        await alice.goto(f"{relay.url}/chats#chat={bob.fingerprint}")

        await alice.until(in_sight("line 19"))
        assert await alice.evaluate("document.querySelector('#chatMessages').clientHeight") >= 90
        assert await alice.evaluate("document.querySelector('#chatBody').getBoundingClientRect().bottom <= innerHeight")

    async def test_search_in_a_thread_at_400_percent_is_closed_by_its_button(self, browser, relay):
        alice, bob = await browser.person(relay, size=(320, 200)), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, *(f"line {number}" for number in range(20)))
        await alice.until(in_sight("line 19"))
        await alice.key("f", CONTROL | SHIFT)
        await alice.fill("#chatSearch", "line 1")
        await alice.shows("#chatSearchCount", "of")

        await alice.evaluate("newMessagesBtn.hidden = false")
        assert await are_reached(alice, "#chatSearchClose") == [True]
        await alice.click("#chatSearchClose")

        await alice.until("document.querySelector('#chatSearchBar').hidden")
        assert await alice.evaluate("document.activeElement.id") == "threadMenuOpen"  # its own button has no room here

    @pytest.mark.whole_browser
    async def test_voice_message_at_400_percent_moves_nothing_out_of_sight(self, browser, relay):
        alice, bob = await browser.person(relay, size=(320, 200)), await relay.register()
        await alice.opens(bob.fingerprint)

        await records(alice)
        await alice.click("#voiceStop")
        await alice.shows("#voicePreview .voice-play:enabled")

        assert await alice.evaluate("document.querySelector('.thread-head').getBoundingClientRect().top") == 0
        assert await are_reached(alice, "#voiceSend", "#voicePreview .voice-play", "#voiceDrop") == [True] * 3

    async def test_icon_is_told_the_number_of_unread_messages_at_every_start(self, browser, relay):
        alice = await browser.page()
        stub = "navigator.setAppBadge = async (total) => void (window.badge = total)"
        await alice.call("Page.addScriptToEvaluateOnNewDocument", source=stub)

        await alice.goto(relay.url)

        await alice.until("window.badge === 0 && 'a number'")

    async def test_megabytes_that_are_pasted_are_cut_at_once_and_it_is_said(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.drafts("before: ")
        await alice.permit("clipboard-read", "clipboard-write")
        await alice.evaluate("navigator.clipboard.writeText('many words '.repeat(270_000))")

        await alice.call("Input.dispatchKeyEvent", type="rawKeyDown", key="v", commands=["paste"])

        await alice.shows("#chatSendStatus.bad", "longer than a message can be")
        assert (await alice.value("#chatBody")).startswith("before: many words ")
        assert await alice.evaluate("document.querySelector('#chatBody').value.length") == 262_144
        await alice.fill("#chatBody", "short")
        assert await alice.text("#chatSendStatus") == ""

    async def test_long_draft_is_not_measured_at_every_key(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.drafts("x" * 240_000)
        await alice.shows("#chatByteCount", "of 256 KiB")
        encode = "TextEncoder.prototype.encode"
        await alice.evaluate(
            f"(() => {{ const real = {encode}; window.measured = 0; {encode} = function (text) {{ measured += text.length > 1e5; return real.call(this, text) }} }})()"
        )

        keys = "Array.from({ length: 5 }, () => document.execCommand('insertText', false, 'y'))"
        measured = await alice.evaluate(f"(measured = 0, {keys}, measured)")  # asked at once: it is when the typing pauses

        assert measured == 0

    @pytest.mark.parametrize(
        ("where", "event"),
        [
            ("chatBody", 'new ClipboardEvent("paste", { clipboardData: carried, bubbles: true })'),
            ("chatMessages", 'new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true })'),
        ],
        ids=["pasted", "dropped"],
    )
    async def test_picture_that_is_brought_to_the_chat_is_offered_to_be_sent(self, browser, relay, where, event):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.evaluate(f"""(() => {{
            const carried = new DataTransfer();
            carried.items.add(new File(["x"], "picture.png", {{ type: "image/png" }}));
            document.querySelector("#{where}").dispatchEvent({event});
        }})()""")

        await alice.shows("#filesDialog", "picture.png")
        await alice.click("#filesSend")
        await alice.shows("#filesStatus.bad", "does not open “picture.png”")

    async def test_copy_of_two_bubbles_holds_what_was_said_and_no_more(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "one")
        await alice.click(".chat-tab-label")
        await alice.sees("one")
        await alice.says("two")
        await alice.has_relayed(1)
        await alice.permit("clipboard-read", "clipboard-write")

        await alice.evaluate("getSelection().selectAllChildren(document.querySelector('#chatMessages'))")
        await alice.evaluate("document.execCommand('copy')")

        assert (await alice.evaluate("navigator.clipboard.readText()")).split() == ["one", "two"]

    async def test_thread_is_printed_whole(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, *(f"line {number} " * 9 for number in range(45)))
        await alice.click(".chat-tab-label")
        await alice.shows(".chat-bubble", "line 44")

        sheet = await alice.call("Page.printToPDF", paperWidth=4, paperHeight=4)

        assert base64.b64decode(sheet["data"]).count(b"/Type /Page\n") >= 5


# ------------------------------------------------------------------------------------------------------------------------
# Browser: the thread and its composer
# ------------------------------------------------------------------------------------------------------------------------

RULE = "[...document.querySelectorAll('.chat-new')].map((each) => each.textContent).join()"
NEW_BELOW_RULE = "document.querySelector('.chat-new + .chat-line .chat-bubble')?.textContent"
AT_END = "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 5)(chatMessages)"
BOX = "(({ left, right, top, bottom, height }) => ({ left, right, top, bottom, height }))"


async def box_of(page: Page, selector: str) -> dict[str, float]:
    """Where the first such element is, in CSS pixels of the window."""
    return await page.evaluate(f"{BOX}(document.querySelector({json.dumps(selector)}).getBoundingClientRect())")


async def are_reached(page: Page, *selectors: str) -> list[bool]:
    """Of each, whether a press on its middle gets to it: it is in sight, and nothing lies over it."""
    return await page.evaluate(f"""{json.dumps(selectors)}.map((selector) => {{
        const element = document.querySelector(selector);
        const {{ x, y, width, height }} = element.getBoundingClientRect();
        return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
    }})""")


class TestBrowserThread:
    """The open thread: where it opens, what stands in a bubble, and what says that something is wrong."""

    async def test_thread_opens_at_its_first_unread_message_and_says_how_many_are_new(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, *(f"line {number}" for number in range(30)))
        await alice.click(".chat-tab-label")
        await alice.sees("line 29")
        await alice.click("#tab-about")
        await write(bob, alice, *(f"new {number}" for number in range(90)))
        await alice.shows(".chat-tab-last", "new 89")

        await alice.click(".chat-tab-label")

        await alice.until(f"{RULE} === '90 new' && {NEW_BELOW_RULE} === 'new 0'")
        await alice.until(in_sight("new 0"))
        await alice.until(in_sight("line 29"))  # a little of what was read before

    async def test_old_message_that_changes_while_its_thread_is_read_leaves_no_gap(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, *(f"line {number}" for number in range(60)))
        await alice.sees("line 59")
        await alice.until("!document.title.startsWith('(')")
        await alice.opens(carol.fingerprint)
        await in_store(alice, "window.first = await store.message(await at('line 0'))")

        await holds_store(alice, "messages")
        await alice.switches_to(bob)
        await in_store(alice, "store.emit('message', { message: first }), store.emit('unread', { total: 7, threads: 1 })")
        await alice.until("document.title.startsWith('(7) ')")
        await alice.evaluate("window.release()")

        await alice.sees("line 59")
        shown = await alice.received()
        assert shown == [f"line {number}" for number in range(60 - len(shown), 60)]

    async def test_rule_is_kept_until_its_reader_leaves(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "one", "two")
        await alice.shows(".chat-tab-last", "two")
        await alice.click(".chat-tab-label")
        await alice.shows(".chat-new", "2 new")

        await alice.says("an answer")
        await write(bob, alice, "three")
        await alice.sees("three")
        kept = await alice.evaluate(RULE)
        await alice.click("#tab-about")
        await alice.click(".chat-tab-label")

        await alice.sees("three")
        assert (kept, await alice.evaluate(RULE)) == ("2 new", "")

    @pytest.mark.whole_browser
    async def test_what_comes_while_nobody_looks_is_below_a_rule(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, "seen")
        await alice.sees("seen")
        await hide(alice)

        await write(bob, alice, "one")
        await alice.until(f"{RULE} === '1 new'")
        await write(bob, alice, "two")

        await alice.until(f"{RULE} === '2 new' && {NEW_BELOW_RULE} === 'one'")

    async def test_home_and_end_go_all_the_way(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, *(f"line {number}" for number in range(210)))
        await alice.shows(".chat-tab-last", "line 209")
        await alice.click(".chat-tab-label")
        await alice.shows(".chat-new")
        await alice.evaluate("document.querySelector('#chatMessages').focus()")

        await alice.key("End")
        await alice.until(in_sight("line 209"))
        await alice.until(AT_END)
        await alice.key("Home")
        await alice.until(f"{SCROLL_TOP} === 0 && {in_sight('line 0')}")
        await alice.key("End")

        await alice.until(in_sight("line 209"))
        assert await alice.evaluate("document.activeElement.id") == "chatMessages"

    async def test_reader_more_than_a_screen_above_the_end_has_a_button_there(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, *(f"line {number}" for number in range(45)))
        await alice.shows(".chat-tab-last", "line 44")
        await alice.click(".chat-tab-label")
        await alice.sees("line 44")
        box = "document.querySelector('#chatMessages')"

        await alice.evaluate(f"{box}.scrollTop = {box}.scrollHeight - 1.5 * {box}.clientHeight")
        await alice.until("document.querySelector('#newMessagesBtn').hidden")
        await alice.evaluate(f"{box}.scrollTop = 0")
        await alice.shows("#newMessagesBtn", "To the newest")
        await alice.click("#newMessagesBtn")

        await alice.until(AT_END)
        await alice.hides("#newMessagesBtn")

    async def test_time_and_state_stand_in_the_last_line_of_the_bubble_and_are_none_of_its_words(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.says("hello")
        await alice.has_relayed(1)

        words, meta, body = [await box_of(alice, each) for each in (".chat-bubble", ".chat-meta", ".chat-body")]

        assert words["top"] < (meta["top"] + meta["bottom"]) / 2 < words["bottom"] + 8 and body["height"] < 45
        assert body["left"] < meta["left"] and meta["right"] < body["right"]
        assert await alice.texts(".chat-bubble") == ["hello"]

    async def test_bubble_leaves_room_for_the_longest_time_of_day_wherever_its_reader_lives(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.call("Emulation.setTimezoneOverride", timezoneId="Etc/GMT-1")
        await alice.opens(bob.fingerprint)
        await write(bob, alice, "hello")
        await alice.sees("hello")

        room = await alice.evaluate("document.querySelector('#chatMessages').style.getPropertyValue('--time')")

        longest = """Math.max(...Array.from({ length: 24 }, (_, hour) =>
            new Date(2026, 0, 1, hour).toLocaleTimeString([], { timeStyle: "short" }).length))"""
        assert room == f"{await alice.evaluate(longest)}ch"

    @pytest.mark.parametrize(
        ("fields", "mark", "words"),
        [
            ({"state": "queued"}, "#i-clock", "waiting"),
            ({"state": "queued", "error": "No answer."}, "#i-clock", "waiting: No answer."),
            ({"state": "relayed"}, "#i-check", "on the server"),
            ({"state": "relayed", "delivered_at": 5}, "#i-checks", "delivered"),
            ({"state": "relayed", "delivered_at": 5, "read_at": 6}, "#i-checks", "read"),
            ({"state": "failed", "error": "Full."}, "#i-failed", "not sent: Full."),
        ],
    )
    async def test_state_is_a_mark_with_words_on_hover_and_for_a_screen_reader(self, browser, relay, fields, mark, words):
        page = await browser.person(relay)

        told = await page.evaluate(f"""(async () => {{
            {imported(**{"message-row": "messageRow"})}
            const message = {{ seq: 1, direction: "out", kind: "text", text: "a", at: 1, ...{json.dumps(fields)} }};
            const shown = messageRow(message, "Bob").querySelector(".chat-state");
            return [shown.querySelector("use").getAttribute("href"), shown.title, shown.textContent];
        }})()""")

        assert told == [mark, words, words]

    async def test_what_was_not_sent_says_why_in_one_sentence_with_two_buttons(self, browser, relay):
        alice, bob = await browser.person(relay, size=(320, 640)), await relay.register()
        alice.expects("404 (Not Found)")
        await alice.opens(bob.fingerprint)
        await bob.call("DELETE", "/v1/me")

        await alice.says("are you there?")
        await alice.shows(".chat-reason", "! Not sent: Nobody with this address")

        assert await alice.text(".chat-reason") == f"! Not sent: Nobody with this address is at {relay.url}"
        whole = (
            "(({ clientHeight, scrollHeight }) => clientHeight === scrollHeight)(document.querySelector('.chat-reason'))"
        )
        assert (await alice.evaluate(whole), (await box_of(alice, ".chat-reason"))["height"] < 45) == (True, True)
        assert [(await box_of(alice, each))["height"] >= 44 for each in (".chat-retry", ".chat-discard")] == [True, True]
        assert await alice.evaluate("document.querySelector('.chat-reason').title.length") > 40

    async def test_messages_of_one_minute_have_one_time(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await sets_clock(alice, 0)
        await alice.opens(bob.fingerprint)
        minute = "(ahead) => { const now = (Date.first ??= Date.real()); Date.now = () => now - (now % 60_000) + ahead }"

        for ahead, text in ((10_000, "one"), (20_000, "two"), (70_000, "three")):
            await alice.evaluate(f"({minute})({ahead})")
            await alice.says(text)
            await alice.sent()
        await alice.has_relayed(3)

        timed = "[...document.querySelectorAll('.chat-line')].map((each) => each.matches('.timed'))"
        await alice.until(f"String({timed}) === 'false,true,true'")

    @pytest.mark.parametrize(("verified", "told"), [(True, "verified"), (False, "not verified")])
    async def test_head_says_what_matters_and_opens_the_contact(self, browser, relay, verified, told):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, "hello")
        await alice.sees("hello")

        await alice.click("#contactOpen")
        await alice.shows("#contactDialog")
        await alice.fill("#contactName", "Bob")
        await alice.click("#contactNameForm [type=submit]")
        if verified:
            await alice.click("#contactVerified")

        await alice.until(f"document.querySelector('#threadDetail').textContent === '{told}'")
        assert not re.search("[0-9a-f]{8}", await alice.text("#chatThreadHead"))

    @pytest.mark.service_worker
    async def test_banner_is_there_while_the_server_is_away_and_only_then(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await has_service_worker(alice)
        alice.expects(UNREACHABLE, "WebSocket connection")
        await alice.opens(bob.fingerprint)
        well = await alice.count("#banner")

        await relay.stop()
        await alice.shows(
            "#banner", f"No connection to {URL(relay.url).authority}. Messages wait here and go by themselves."
        )
        head = await alice.text("#chatThreadHead")
        await relay.start()

        await alice.until("document.querySelector('#banner').hidden")
        assert (well, "offline" in head, await alice.text("#chatSendStatus")) == (0, False, "")

    async def test_composer_grows_to_a_third_of_the_window_and_its_status_takes_no_room(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        empty, bar = await box_of(alice, "#chatBody"), await box_of(alice, "#composer")
        dimmed = "getComputedStyle(document.querySelector('#chatSend')).backgroundColor"
        colour = await alice.evaluate(dimmed)

        await alice.evaluate("document.querySelector('#chatBody').focus()")
        await alice.type("line\n" * 60)

        full = await box_of(alice, "#chatBody")
        assert (empty["height"], bar["height"] < 64) == (44, True)
        assert abs(full["height"] - 0.35 * await alice.evaluate("innerHeight")) < 2
        assert await alice.evaluate(dimmed) != colour

    async def test_box_that_shrinks_before_its_last_scroll_is_told_of_stays_at_the_end(self, browser, relay):
        alice, bob = await browser.person(relay, size=PHONE), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, *(f"line {number}" for number in range(30)))
        await alice.sees("line 29")
        await alice.until(in_sight("line 29"))

        await alice.evaluate(
            """((box) => (box.style.maxBlockSize = "200px", box.dispatchEvent(new Event("scroll"))))(
                document.querySelector("#chatMessages"))"""
        )

        await alice.until(f"document.querySelector('#chatMessages').clientHeight <= 200 && {in_sight('line 29')}")

    @pytest.mark.parametrize("resizes", [True, False], ids=["page", "visual-viewport"])
    async def test_composer_and_last_message_stay_in_sight_with_a_soft_keyboard(self, browser, relay, resizes):
        alice, bob = await browser.person(relay, size=PHONE), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, *(f"line {number}" for number in range(30)))
        await alice.sees("line 29")
        await alice.evaluate("document.querySelector('#chatBody').focus()")

        if resizes:
            await alice.resize(390, 400)
        else:  # as Safari does
            await alice.evaluate("Object.defineProperty(visualViewport, 'height', { get: () => 400 })")
            await alice.evaluate("visualViewport.dispatchEvent(new Event('resize'))")

        await alice.until("document.querySelector('#composer').getBoundingClientRect().bottom <= 400")
        await alice.until(in_sight("line 29"))
        assert (await box_of(alice, "#chatMessages"))["height"] > 150


# ------------------------------------------------------------------------------------------------------------------------
# Browser: attention
# ------------------------------------------------------------------------------------------------------------------------

# Not asked at once, and not often: Chromium loses a notification that is being shown while somebody asks for the list.
NOTIFICATIONS = """new Promise((resolve) => setTimeout(resolve, 500)).then(() => navigator.serviceWorker.ready)
    .then((registration) => registration.getNotifications())
    .then((shown) => shown.map(({ title, body }) => [title, body]))"""
# Shows what a stranger wrote, and a friend, as the page does.
STRANGER_AND_FRIEND = """(async () => {
    const { showNotices } = await import("/device/notifications.js");
    const arrived = ["stranger", "friend"].map((name) => ({ message: { text: "hello" }, contact: { fingerprint: name, name, request: name === "stranger" } }));
    await showNotices(await navigator.serviceWorker.ready, arrived, { preview: true });
})()"""
# Says when mail begins to be stored, and when a notification is shown: who asks what is shown before that can lose it in Chromium.
NOTES_ARRIVAL = """void ((transaction, showNotification) => {
    IDBDatabase.prototype.transaction = function (names, ...options) {
        window.storing ||= names.includes("seen");
        return transaction.call(this, names, ...options);
    };
    ServiceWorkerRegistration.prototype.showNotification = async function (...notice) {
        await showNotification.apply(this, notice);
        window.told = (window.told ?? 0) + 1;
    };
})(IDBDatabase.prototype.transaction, ServiceWorkerRegistration.prototype.showNotification)"""
POSTS_NEVER_LEAVE = """void (() => {
    const { fetch } = window;
    const never = () => new Promise(() => (window.posting = true));
    window.fetch = (url, request) => (request.method === "POST" ? never() : fetch(url, request));
})()"""
ALL_BUBBLES = "[...document.querySelectorAll('.chat-bubble')].map((each) => each.textContent)"
SCROLL_TOP = "document.querySelector('#chatMessages').scrollTop"
CLICK_NOTIFICATION = """(async () => {
    const [notification] = await self.registration.getNotifications();
    const click = new NotificationEvent("notificationclick", { notification });
    const handled = new Promise((resolve) => (click.waitUntil = resolve));
    self.dispatchEvent(click);
    return handled.then(() => "focused", (error) => error.name);
})()"""


# A worker gives up on a tab that does not answer in time, and a busy machine's may be late.
WAITS_LONGER = """void ((timer) => (self.setTimeout = (listener, wait, ...rest) => timer(listener, wait < 500 ? wait : 30 * wait, ...rest)))(setTimeout)"""


async def holds_store(page: Page, name: str) -> None:
    """Keep everybody waiting for one of the stores, as a long write of another tab does, until `window.release()`."""
    await page.evaluate(f"""new Promise((held) => {{
        const request = indexedDB.open("io3233");
        request.onsuccess = () => {{
            let holding = true;
            window.release = () => (holding = false);
            const store = request.result.transaction("{name}", "readwrite").objectStore("{name}");
            const goOn = () => (held(), holding ? (store.count().onsuccess = goOn) : request.result.close());
            goOn();
        }};
    }})""")


async def holds_store_over_a_reload(page: Page) -> Page:
    """Load the page anew, which waits for its stores until it is left, or until `window.release()` in the tab that this returns."""
    tab = await page.browser.page(page.context)
    tab.expects("favicon.ico")
    await tab.goto(f"{await page.evaluate('location.origin')}/v1/stats")
    await holds_store(tab, "kv")
    await page.reload()
    return tab


async def holds_keys(page: Page, *, first_fails: bool = False, next_load: bool = False) -> None:
    """Keep the page, or the next one, waiting for the next answer to "whose key is this?", until `window.release()`."""
    source = f"""(() => {{
        const {{ fetch }} = window;
        let failing = {json.dumps(first_fails)};
        window.fetch = async (url, options) => {{
            if (!url.includes("/v1/keys/") || window.release) return fetch(url, options);
            if (failing) throw new TypeError(`no network ${{(failing = false)}}`);
            await new Promise((released) => (window.release = released));
            return fetch(url, options);
        }};
    }})()"""
    if next_load:
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=source)
    else:
        await page.evaluate(source)


async def has_service_worker(page: Page) -> None:
    """Wait until the service worker has stored the app shell and answers for this page."""
    await page.until("navigator.serviceWorker.controller")


async def with_notifications(browser: Browser, relay: AnyRelay) -> Page:
    """Somebody who has rung the bell, and whose service worker runs."""
    page = await browser.person(relay)
    await page.permit("notifications")
    await page.click("#notifToggle")
    await page.until("document.querySelector('#notifToggle').getAttribute('aria-pressed') === 'true'")
    await has_service_worker(page)
    return page


async def scroll_up(page: Page) -> None:
    """Scroll up in the open thread until it stays there, once the page was told: what was arriving meanwhile may have moved it on."""
    looks = f"requestAnimationFrame(() => setTimeout(() => done({SCROLL_TOP} === 300), 300))"  # a frame's scroll events come first
    await page.until(f"new Promise((done) => {{ {SCROLL_TOP} = 300; {looks} }})")


async def hide(page: Page) -> None:
    """Put another tab in front of this one."""
    await page.browser.page(page.context)
    await page.until("document.visibilityState === 'hidden'")


@pytest.mark.service_worker
class TestBrowserAttention:
    """What arrives never takes over, and never goes unnoticed."""

    async def test_person_typing_to_one_is_not_disturbed_by_another(self, browser, relay):
        alice, bob, carol = await with_notifications(browser, relay), await relay.register(), await browser.person(relay)
        await write(bob, alice, *(f"line {number}" for number in range(45)))
        await alice.shows(".chat-tab", "line 44")  # the address of nobody who is here yet would lead nowhere
        await alice.goto(f"{relay.url}/chats#chat={bob.fingerprint}")
        await alice.sees("line 44")
        await alice.drafts("half a thou")
        await scroll_up(alice)
        state = f"[document.querySelector('#chatBody').value, location.hash, document.activeElement.id, {SCROLL_TOP}]"
        before = await alice.evaluate(state)

        await carol.opens(alice.fingerprint)
        await carol.says("me too")
        await alice.until("document.title.startsWith('(1) ')")

        await alice.shows(f'[data-fingerprint="{carol.fingerprint}"] .chat-tab-unread-dot')
        assert await alice.count(".chat-tab-unread-dot") == 1
        assert await alice.evaluate(state) == before == ["half a thou", f"#chat={bob.fingerprint}", "chatBody", 300]
        assert [body for _, body in await alice.until(f"{NOTIFICATIONS}.then((all) => all.length && all)")] == ["me too"]
        await alice.says("ght")
        assert await until(lambda: read_all(bob)) == ["half a thought"]
        await alice.switches_to(carol)
        await alice.until("document.title.startsWith('Chats')")
        await alice.hides(".chat-tab-unread-dot")

    async def test_notification_of_a_stranger_makes_no_sound(self, browser, relay):
        alice = await with_notifications(browser, relay)

        await alice.evaluate(STRANGER_AND_FRIEND)

        shown = "navigator.serviceWorker.ready.then((registration) => registration.getNotifications())"
        shown = await alice.until(
            f"{shown}.then((all) => all.length === 2 && all.map(({{ tag, silent }}) => [tag, silent]))"
        )
        assert dict(shown) == {"sender-stranger": True, "sender-friend": False}

    async def test_person_typing_to_one_is_not_disturbed_when_another_is_found(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await holds_keys(alice)
        await alice.asks_for(bob.fingerprint)
        await alice.until("window.release")

        await alice.switches_to(carol)
        await alice.drafts("for carol, ")
        await alice.evaluate("window.release()")
        await alice.shows(f'[data-fingerprint="{bob.fingerprint}"]')
        await alice.drafts("alone")

        assert await alice.evaluate("location.hash") == f"#chat={carol.fingerprint}"
        assert await alice.value("#chatBody") == "for carol, alone"

    @pytest.mark.parametrize("known", [True, False])
    async def test_person_typing_their_name_is_not_disturbed_when_an_address_was_looked_for(self, browser, relay, known):
        alice, bob = await browser.person(relay), await relay.register()
        alice.expects("404")
        await holds_keys(alice)
        await alice.asks_for(bob.fingerprint if known else "f" * 64)
        await alice.until("window.release")

        await alice.fill("#myName", "Al")
        await alice.evaluate("window.release()")
        await (alice.is_told("The chat is in your list.") if known else alice.shows("#openChatStatus.bad", "Nobody"))
        await alice.type("ice")

        assert (await alice.value("#myName"), await alice.value("#openChatFp")) == ("Alice", "" if known else "f" * 64)
        assert await alice.count(".chat-tab") == known

    async def test_person_typing_to_one_is_not_disturbed_when_an_invite_has_led_to_another(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await holds_keys(alice)
        await alice.evaluate(f"location.hash = '#chat={bob.fingerprint}&server={relay.url}'")
        await alice.until("window.release")

        await alice.switches_to(carol)
        await alice.evaluate("window.release()")
        await alice.shows(f'[data-fingerprint="{bob.fingerprint}"]')

        assert await alice.evaluate("location.hash") == f"#chat={carol.fingerprint}"

    async def test_reader_who_scrolled_up_gets_a_button(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, *(f"line {number}" for number in range(45)))
        await alice.until("document.title.startsWith('(45)')")
        await alice.goto(f"{relay.url}/chats#chat={bob.fingerprint}")
        await alice.sees("line 44")
        await scroll_up(alice)

        await write(bob, alice, "new one", "new two")
        await alice.shows("#newMessagesBtn", "2 new messages")
        assert await alice.evaluate(SCROLL_TOP) == 300
        await alice.click("#newMessagesBtn")

        await alice.until(
            "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 5)(chatMessages)"
        )
        await alice.hides("#newMessagesBtn")

    async def test_thread_at_its_end_follows_new_messages(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await write(bob, alice, *(f"line {number}" for number in range(45)))
        await alice.sees("line 44")

        await alice.until(
            "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 5)(chatMessages)"
        )
        assert await alice.evaluate("document.title") == VIEW_TITLES["chats"]

    async def test_draft_is_told_in_the_list_without_its_marks(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.drafts("**bold** and `code`")
        await goes_to(alice, "newchat")

        await alice.shows(".chat-tab-last", "bold and code")
        assert await alice.text(".chat-tab-last .said") == "bold and code"

    async def test_draft_belongs_to_its_thread(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await browser.person(relay), await browser.person(relay)
        await alice.opens(bob.fingerprint)
        await alice.drafts("for bob")

        await alice.opens(carol.fingerprint)
        await alice.drafts("for carol")
        await alice.switches_to(bob)

        await alice.until("document.querySelector('#chatBody').value === 'for bob'")
        await alice.reload()
        await alice.until("document.querySelector('#chatBody').value === 'for bob'")

    async def test_text_that_is_being_stored_is_no_draft_when_its_thread_is_opened_again(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await alice.opens(bob.fingerprint)

        await holds_store(alice, "messages")
        await alice.says("sent once")
        await alice.switches_to(carol)
        await alice.drafts("for carol")
        await alice.switches_to(bob)
        await alice.drafts("")
        await alice.evaluate("window.release()")

        await alice.has_relayed(1)
        assert await alice.value("#chatBody") == ""
        await alice.until(FROM_DATABASE % "(await result(drafts.getAll())).join() === 'for carol'")

    async def test_text_that_cannot_be_stored_is_given_back(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        alice.expects("newer version")
        newer = "indexedDB.open('io3233', 99)"

        await alice.evaluate(f"new Promise((done) => ({newer}.onsuccess = ({{ target }}) => done(target.result.close())))")
        await alice.drafts("hold on to this")
        await alice.key("Enter")

        await alice.shows("#chatSendStatus.bad", "in a newer version: reload this one")
        await alice.shows("#storageNotice", "in a newer version: reload this one")
        assert await alice.value("#chatBody") == "hold on to this"

    async def test_unread_mail_of_a_closed_chat_is_not_counted_for_ever(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "one", "two")
        await alice.until("document.title.startsWith('(2) ')")

        await archives(alice, bob)
        await alice.until("!document.title.startsWith('(')")
        await alice.reload()
        await goes_live(alice)

        assert not (await alice.evaluate("document.title")).startswith("(")
        await write(bob, alice, "three")
        await alice.until("document.title.startsWith('(3) ')")

    async def test_icon_shows_at_each_start_what_is_unread_now(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        source = "navigator.setAppBadge = async (number) => (window.badge = number)"
        await alice.call("Page.addScriptToEvaluateOnNewDocument", source=source)
        await alice.reload()
        await write(bob, alice, "unread")
        await alice.until("window.badge === 1")

        await comes_back_without(alice, relay, "indexeddb,local_storage,cache_storage")

        await alice.until("window.badge === 0")

    async def test_hidden_tabs_notify_once_a_message(self, browser, relay):
        alice, bob = await with_notifications(browser, relay), await relay.register()
        tab = await alice.another_tab()
        await hide(tab)
        await alice.until("document.visibilityState === 'hidden'")

        for number, text in enumerate(("one", "two"), 1):
            await write(bob, alice, text)
            await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 1 && all[0][1] === '{text}')")
            for each in (alice, tab):
                await each.until(f"document.title.startsWith('({number}) ')")

        [(title, body)] = await alice.evaluate(NOTIFICATIONS)  # a sender has one: the later takes the earlier one's place
        assert (title, body) == (f"New: {start_of(bob)} (2)", "two")

    async def test_many_messages_at_once_are_one_notification_a_thread(self, browser, relay):
        alice, bob, carol = await with_notifications(browser, relay), await relay.register(), await relay.register()
        await hide(alice)

        await write(bob, alice, *(f"line {number}" for number in range(9)))
        await write(carol, alice, "me too")

        expected = [(f"New: {start_of(bob)} (9)", "line 8"), (f"New: {start_of(carol)}", "me too")]
        await alice.until(f"{NOTIFICATIONS}.then((all) => all.some(([_, body]) => body === 'me too'))")
        assert sorted(map(tuple, await alice.evaluate(NOTIFICATIONS))) == sorted(expected)

    async def test_reading_one_thread_leaves_the_others_in_the_summary(self, browser, relay):
        alice, people = await with_notifications(browser, relay), [await relay.register() for _ in range(9)]
        for person in people:
            await write(person, alice, "one", "two")
        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 1 && all[0][1] === '18 new messages')")

        for person in people[:-1]:
            await alice.switches_to(person)
            await alice.shows(f'.chat-tab:not(.unread)[data-fingerprint="{person.fingerprint}"]')
        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 1 && all[0][1] === '2 new messages')")
        await alice.switches_to(people[-1])

        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 0)")

    async def test_strangers_without_room_are_in_no_notification(self, browser, relay):
        alice, strangers = await with_notifications(browser, relay), [await relay.register() for _ in range(24)]
        await hide(alice)

        for stranger in strangers:
            await write(stranger, alice, "hello")

        await alice.shows("#requestsDropped", "And 4 more from strangers")
        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 1 && all[0][1] === '20 new messages')")

    async def test_click_on_a_notification_opens_its_thread(self, browser, relay):
        alice, bob = await with_notifications(browser, relay), await relay.register()
        await alice.click("#settingsOpen")
        await hide(alice)
        await write(bob, alice, "come here")
        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 1)")
        worker = await alice.service_worker()
        await worker.evaluate(WAITS_LONGER)

        # The click is made up, since headless Chromium shows nothing to click; so it may not move the focus.
        assert await worker.evaluate(CLICK_NOTIFICATION) in ("focused", "InvalidAccessError")
        await alice.to_front()

        await alice.sees("come here")
        await alice.until("document.title.startsWith('Chats')")
        assert await alice.evaluate(NOTIFICATIONS) == []
        assert await alice.count("dialog") == 0

    async def test_click_on_a_notification_opens_a_window_where_no_page_of_ours_answers(self, browser, relay):
        alice, bob = await with_notifications(browser, relay), await relay.register()
        await hide(alice)
        await write(bob, alice, "come here")
        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 1)")
        worker = await alice.service_worker()
        await worker.evaluate("void (self.clients.openWindow = async (url) => (self.opened = url))")
        alice.expects("favicon.ico")
        await alice.goto(f"{relay.url}/v1/stats")

        await worker.evaluate(CLICK_NOTIFICATION)

        assert await worker.evaluate("self.opened") == f"/chats#chat={bob.fingerprint}"

    async def test_click_on_a_notification_opens_a_window_while_the_page_still_loads(self, browser, relay):
        alice, bob = await with_notifications(browser, relay), await relay.register()
        await hide(alice)
        await write(bob, alice, "come here")
        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 1)")
        worker = await alice.service_worker()
        await worker.evaluate("void (self.clients.openWindow = async (url) => (self.opened = url))")
        await holds_store_over_a_reload(alice)

        await worker.evaluate(CLICK_NOTIFICATION)

        assert await worker.evaluate("self.opened") == f"/chats#chat={bob.fingerprint}"

    async def test_preview_setting_hides_the_text(self, browser, relay):
        alice, bob = await with_notifications(browser, relay), await relay.register()
        await alice.click("#settingsOpen")
        await alice.click("label:has(#settingPreview)")
        await alice.click("#settingsDialog [data-close]")
        await hide(alice)

        await write(bob, alice, "a secret")

        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 1)")
        assert "a secret" not in json.dumps(await alice.evaluate(NOTIFICATIONS))

    async def test_thread_on_screen_is_not_notified(self, browser, relay):
        alice, bob, carol = await with_notifications(browser, relay), await relay.register(), await relay.register()
        await alice.opens(bob.fingerprint)

        await write(bob, alice, "seen at once")
        await alice.sees("seen at once")
        await write(carol, alice, "not seen")

        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length)")
        assert [body for _, body in await alice.evaluate(NOTIFICATIONS)] == ["not seen"]

    async def test_thread_that_was_left_before_it_had_loaded_gains_an_unread_mark(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.says("loaded")
        await alice.has_relayed(1)
        await alice.opens(carol.fingerprint)
        await alice.until(f"{ALL_BUBBLES}.length === 0")

        await holds_store(alice, "messages")
        await alice.switches_to(bob)
        await alice.click("#tab-newchat")
        await alice.evaluate("window.release()")
        await alice.until(f"{ALL_BUBBLES}.join() === 'loaded'")
        await write(bob, alice, "are you there?")

        await alice.shows(".chat-tab-label", "are you there?")
        await alice.until("document.title.startsWith('(1) ')")

    async def test_message_whose_thread_is_left_while_it_is_being_stored_is_unread_and_told_of(self, browser, relay):
        alice, bob = await with_notifications(browser, relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await holds_store(alice, "messages")
        await alice.evaluate(NOTES_ARRIVAL)

        await write(bob, alice, "are you there?")
        await alice.until("window.storing")
        await goes_elsewhere(alice)
        await alice.evaluate("window.release()")

        await alice.until("document.title.startsWith('(1) ') && window.told === 1")
        await alice.switches_to(bob)
        await alice.until("document.title.startsWith('Chats')")
        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 0)")

    async def test_bell_turns_notifications_on_and_off(self, browser, relay):
        alice, bob, carol = await with_notifications(browser, relay), await relay.register(), await relay.register()

        await alice.click("#notifToggle")
        await alice.until("document.querySelector('#notifToggle').getAttribute('aria-pressed') === 'false'")
        await write(bob, alice, "silent")
        await alice.until("document.title.startsWith('(1) ')")
        await alice.click("#notifToggle")
        await alice.until("document.querySelector('#notifToggle').getAttribute('aria-pressed') === 'true'")
        await write(carol, alice, "heard")

        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length)")
        assert [body for _, body in await alice.evaluate(NOTIFICATIONS)] == ["heard"]

    async def test_bell_says_when_the_browser_blocks_notifications(self, browser, relay):
        alice = await browser.person(relay)
        await alice.permit("notifications", setting="denied")
        await alice.reload()
        await alice.has_keys()

        await alice.click("#notifToggle")

        await alice.until("document.querySelector('#politeRegion').textContent.includes('blocks notifications')")
        assert await alice.evaluate("document.querySelector('#notifToggle').getAttribute('aria-pressed')") == "false"


# ------------------------------------------------------------------------------------------------------------------------
# Browser: push
# ------------------------------------------------------------------------------------------------------------------------

# Headless Chromium has no push service behind it: a subscription is kept by the page, and has another endpoint each time.
SUBSCRIBES = """(() => {
    const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
    const unsubscribe = async () => delete localStorage.subscription;
    const kept = () => {
        const { endpoint, key } = JSON.parse(localStorage.subscription ?? "{}");
        return endpoint ? { endpoint, options: { applicationServerKey: bytes(key).buffer }, unsubscribe } : null;
    };
    PushManager.prototype.getSubscription = async () => kept();
    PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey: key }) => {
        if (!userVisibleOnly || kept()) throw new DOMException("not so", "InvalidStateError");
        localStorage.subscription = JSON.stringify({ endpoint: `%s/${crypto.randomUUID()}`, key });
        return kept();
    };
})()"""
READS_MAIL = "navigator.serviceWorker.controller?.scriptURL.endsWith('/worker.js')"
IS_QUIET = "self.registration.getNotifications().then((shown) => shown.length === 0)"
SHOWN = """new Promise((resolve) => setTimeout(resolve, 300)).then(() => self.registration.getNotifications())
    .then((shown) => shown.map(({ title, body }) => [title, body]).sort())"""
LEADER = """navigator.locks.query().then(({ held }) => held.find(({ name }) => name === "io3233-leader")?.clientId)"""
KNOWS_NO_MODULES = """(() => {
    if (!globalThis.ServiceWorkerContainer) return;
    const { register } = ServiceWorkerContainer.prototype;
    ServiceWorkerContainer.prototype.register = async function (url, options) {
        if (options?.type === "module") throw new TypeError("no modules here");
        return register.call(this, url, options);
    };
})()"""
IS_IPHONE = "navigator.standalone = false; delete window.Notification; delete window.PushManager;"


class Sleeper:
    """Somebody who wants to be woken when the page is closed. The test is the browser's push service."""

    def __init__(self, browser: Browser, relay: AnyRelay, service: PushService, *scripts: str) -> None:
        self.browser, self.relay, self.service = browser, relay, service
        self.scripts = [SUBSCRIBES % service.origin, *scripts]

    async def begin(self) -> Sleeper:
        """Open the page, ring the bell, and be known to the relay."""
        self.page = await self.browser.page()
        self.context = self.page.context
        await self.opens_page(f"{self.relay.url}/newchat", self.page)
        await self.page.permit("notifications")
        await self.page.click("#notifToggle")
        await until(self.endpoints)
        self.fingerprint, self.public_key = self.page.fingerprint, self.page.public_key
        return self

    async def opens_page(self, url: str, page: Page | None = None) -> Page:
        page = page or await self.browser.page(self.context)
        for script in self.scripts:
            await page.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        await page.goto(url)
        await page.has_keys()
        await has_service_worker(page)
        return page

    async def closes_page(self) -> None:
        """What is left is a blank tab."""
        self.tab = await self.browser.page(self.context)
        await self.page.call("Page.close")
        await until(lambda: self.relay.app[relay_module.HUB].socket_count == 0)

    def endpoints(self) -> list[str]:
        """What the relay knows of this device, or of its others."""
        return [endpoint for (endpoint,) in rows(self.relay.database, "SELECT endpoint FROM push_subscriptions")]

    async def is_pushed_to(self) -> Target:
        """Once the relay has told the push service, do what that does: wake the worker. Returns it."""
        await until(lambda: self.service.pushes)
        self.service.pushes.clear()
        await self.is_woken()
        return await self.browser.service_worker(self.context)

    async def is_woken(self) -> None:
        await self.tab.call("ServiceWorker.enable")
        registration = await until(lambda: self.tab.registrations.get(f"{self.relay.url}/"))
        push = {"origin": self.relay.url, "registrationId": registration, "data": ""}
        await self.tab.call("ServiceWorker.deliverPushMessage", **push)


@pytest.fixture
async def sleeper(browser: Browser, pushing: RunningRelay, push_service: PushService) -> Sleeper:
    return await Sleeper(browser, pushing, push_service).begin()


async def shows(worker: Target, *notices: tuple[str, str]) -> None:
    """Wait until just these notifications, (title, body), are on screen."""
    await worker.until(
        f"{SHOWN}.then((all) => JSON.stringify(all) === {json.dumps(json.dumps(sorted(notices), separators=(',', ':')))})"
    )


@pytest.mark.service_worker
class TestBrowserPush:
    """Mail reaches a device whose page is closed."""

    async def test_closed_page_is_woken_and_says_who_wrote_what_and_a_click_leads_there(self, sleeper, tmp_path):
        await sleeper.closes_page()
        sent = await run_command(tmp_path, "send", "--register", sleeper.relay.url, sleeper.fingerprint, "come home")
        assert sent.status == 0, sent

        worker = await sleeper.is_pushed_to()

        [[title, body]] = await worker.until(f"{SHOWN}.then((all) => all.length && all)")
        assert title.startswith("New: ") and body == "come home"
        await worker.evaluate("void (self.clients.openWindow = async (url) => (self.opened = url))")
        await worker.evaluate(CLICK_NOTIFICATION)
        page = await sleeper.opens_page(sleeper.relay.url + await worker.evaluate("self.opened"))
        await page.sees("come home")
        assert await page.received() == ["come home"]

    @pytest.mark.parametrize("tabs", [1, 2])
    async def test_tab_that_is_awake_reads_the_mail_and_nothing_is_shown_twice(self, sleeper, tabs):
        bob, page = await sleeper.relay.register(), sleeper.page
        for _ in range(tabs - 1):
            await sleeper.opens_page(f"{sleeper.relay.url}/newchat")
        sleeper.tab = await sleeper.browser.page(sleeper.context)
        leader, worker = await page.evaluate(LEADER), await page.service_worker()
        await worker.evaluate(WAITS_LONGER)

        await write(bob, page, "one")
        await sleeper.is_woken()
        await shows(worker, (f"New: {start_of(bob)}", "one"))
        await sleeper.is_woken()
        await write(bob, page, "two")

        await shows(worker, (f"New: {start_of(bob)} (2)", "two"))
        assert await page.evaluate(LEADER) == leader
        await page.to_front()
        await page.click(".chat-tab-label")
        await page.sees("two")
        assert await page.received() == ["one", "two"]

    async def test_mail_of_a_frozen_tab_is_read_in_its_place_and_it_shows_nothing_again(self, sleeper):
        bob, page = await sleeper.relay.register(), sleeper.page
        sleeper.tab = await sleeper.browser.page(sleeper.context)
        await page.call("Page.setWebLifecycleState", state="frozen")
        page.expects("Back-Forward Cache")

        await write(bob, page, "come home")
        worker = await sleeper.is_pushed_to()
        await shows(worker, (f"New: {start_of(bob)}", "come home"))
        await page.call("Page.setWebLifecycleState", state="active")
        await page.to_front()
        await page.click(".chat-tab-label")

        await page.sees("come home")
        assert await page.received() == ["come home"]
        await worker.until(IS_QUIET)

    async def test_hint_promises_notifications_of_a_closed_page_where_it_is_woken(self, sleeper):
        bob, page = await sleeper.relay.register(), sleeper.page
        await page.permit("notifications", setting="prompt")
        await page.opens(bob.fingerprint)

        await write(bob, page, "hello")

        await page.shows("#hint", "even when this page is closed.")

    @pytest.mark.parametrize("how", ["muted", "blocked"])
    async def test_muted_and_blocked_contacts_wake_nobody(self, sleeper, how):
        bob, carol, page = await sleeper.relay.register(), await sleeper.relay.register(), sleeper.page
        await (blocks(page, bob) if how == "blocked" else mutes(page, bob))
        await sleeper.closes_page()

        await write(bob, sleeper, "not heard")
        worker = await sleeper.is_pushed_to()
        await write(carol, sleeper, "heard")
        await sleeper.is_woken()

        await shows(worker, (f"New: {start_of(carol)}", "heard"))

    async def test_text_is_not_shown_where_the_person_does_not_want_it(self, sleeper):
        bob = await sleeper.relay.register()
        await sleeper.page.click("#settingsOpen")
        await sleeper.page.click("label:has(#settingPreview)")
        await sleeper.page.until(FROM_DATABASE % "(await result(kv.get('settings'))).preview === false")
        await sleeper.closes_page()

        await write(bob, sleeper, "a secret")
        worker = await sleeper.is_pushed_to()

        await shows(worker, (f"New: {start_of(bob)}", "New message"))

    async def test_each_thread_has_one_notification_however_much_came(self, sleeper):
        people = [await sleeper.relay.register() for _ in range(6)]
        await sleeper.closes_page()

        for number in range(5):
            for person in people:
                await write(person, sleeper, f"line {number}")
        worker = await sleeper.is_pushed_to()

        await shows(worker, *((f"New: {start_of(person)} (5)", "line 4") for person in people))

    async def test_without_network_it_says_only_that_there_are_messages(self, sleeper):
        bob = await sleeper.relay.register()
        await sleeper.closes_page()
        await write(bob, sleeper, "come home")
        await until(lambda: sleeper.service.pushes)
        await sleeper.relay.stop()

        worker = await sleeper.is_pushed_to()
        await shows(worker, ("io3233", "You have new messages"))
        await sleeper.relay.start()
        page = await sleeper.opens_page(f"{sleeper.relay.url}/chats")
        await page.click(".chat-tab-label")
        await page.sees("come home")

        await worker.until(IS_QUIET)

    async def test_token_that_has_ended_is_renewed_by_the_way(self, sleeper, clock):
        await sleeper.closes_page()
        clock.advance(366 * 86_400)
        bob = await sleeper.relay.register()

        await write(bob, sleeper, "come home")
        worker = await sleeper.is_pushed_to()

        await shows(worker, (f"New: {start_of(bob)}", "come home"))

    async def test_new_keys_are_woken_for_and_the_old_ones_no_longer(self, sleeper):
        bob, page, [before] = await sleeper.relay.register(), sleeper.page, sleeper.endpoints()
        await page.chooses("#headerNewKeys")
        await agrees(page, "")
        [endpoint] = await until(lambda: set(sleeper.endpoints()) - {before})
        await page.until(f"document.querySelector('#fpFull')?.textContent !== '{sleeper.fingerprint}'")
        await page.has_keys()
        assert await page.evaluate("JSON.parse(localStorage.subscription).endpoint") == endpoint  # not the other any more
        await sleeper.closes_page()

        await write(bob, page, "to the new ones")
        worker = await sleeper.is_pushed_to()

        await shows(worker, (f"New: {start_of(bob)}", "to the new ones"))

    @pytest.mark.parametrize("change", ["its secret", "its database"])
    async def test_relay_that_is_another_than_before_is_subscribed_to_anew(self, sleeper, change):
        before, key = sleeper.endpoints(), "JSON.parse(localStorage.subscription).key"
        key_before = await sleeper.page.evaluate(key)
        sleeper.page.expects("401", UNREACHABLE)
        await sleeper.relay.stop()
        if change == "its secret":
            sleeper.relay.environ["JWT_SECRET"] += " rotated"
        else:
            sleeper.relay.database.unlink()
        await sleeper.relay.start()
        if change == "its secret":
            await sleeper.page.click("#relayNoticeBtn")
            await agrees(sleeper.page, "")

        assert await until(lambda: set(sleeper.endpoints()) - set(before))
        assert (await sleeper.page.evaluate(key) == key_before) == (change == "its database")

    async def test_turned_off_is_told_to_browser_and_relay_also_when_that_is_down_meanwhile(self, sleeper):
        await sleeper.relay.stop()
        sleeper.page.expects(UNREACHABLE)
        await sleeper.page.click("#notifToggle")
        await sleeper.page.until("localStorage.subscription === undefined")

        await sleeper.relay.start()

        await until(lambda: sleeper.endpoints() == [])

    async def test_subscription_that_the_browser_replaced_is_told_to_the_relay(self, sleeper):
        before, worker = sleeper.endpoints(), await sleeper.page.service_worker()
        key = await sleeper.page.evaluate("JSON.parse(localStorage.subscription).key")
        await sleeper.closes_page()

        replaced = json.dumps({"endpoint": "https://push.example/replaced", "key": key})
        await worker.evaluate(f"self.localStorage = {{ subscription: '{replaced}', getItem: () => null }}")
        await worker.evaluate(sleeper.scripts[0])
        await worker.evaluate("self.dispatchEvent(new ExtendableEvent('pushsubscriptionchange'))")

        assert len(await until(lambda: set(sleeper.endpoints()) - set(before))) == len(sleeper.endpoints()) == 1

    async def test_subscription_is_with_the_home_relay_alone_and_the_settings_say_so(self, sleeper, relays):
        other = await relays(JWT_SECRET=OTHER_SECRET, PUSH_CONTACT="mailto:a@example.org")
        await adds_relay(sleeper.page, other.url)

        await sleeper.page.until("document.querySelector('#notifyHint').textContent.includes('other servers only while')")
        assert rows(other.database, "SELECT * FROM push_subscriptions") == []

    async def test_newer_version_takes_over_from_a_worker_that_reads_mail(self, browser, pushing, push_service, tmp_path):
        browser.expected.append(UNREACHABLE)  # the page outlives what is before its relay
        async with Front(pushing, STATIC).running() as front:
            front.database = pushing.database
            sleeper = await Sleeper(browser, front, push_service).begin()
            page = sleeper.page
            await page.until(READS_MAIL)
            front.folder = newer_version(tmp_path)

            for name in ("worker.js", "mail/inbox.js", "views/dom.js"):
                front.spoils = {name: cut_off}
                assert await page.evaluate(UPDATE) in ("redundant", "refused")
            front.spoils = {}
            assert await page.evaluate(UPDATE) == "installed"
            await page.click("#updateNow")

            await page.until(f"{PAGE_VERSION} === '{version_of(front.folder)}'")
            await page.has_keys()
            assert await page.evaluate(READS_MAIL)

    async def test_browser_without_modules_in_a_worker_says_that_there_are_messages(self, browser, pushing, push_service):
        sleeper = await Sleeper(browser, pushing, push_service, KNOWS_NO_MODULES).begin()
        bob = await pushing.register()
        await sleeper.page.until("document.querySelector('#notifyHint').textContent.includes('only that there are')")
        await sleeper.closes_page()

        await write(bob, sleeper, "come home")
        worker = await sleeper.is_pushed_to()

        await shows(worker, ("io3233", "You have new messages"))

    async def test_iphone_is_told_of_the_home_screen(self, browser, relay):
        page = await browser.page()
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=IS_IPHONE)
        await page.goto(relay.url)
        await page.has_keys()

        await page.click("#notifToggle")

        await page.shows("#notifyHint", "1. Press Share, then Add to Home Screen. 2. Open io3233 there")

    async def test_server_that_does_not_push_is_said_to_be_so(self, browser, relay):
        alice = await with_notifications(browser, relay)

        assert "your server can't wake it" in await alice.text("#notifyHint")


# ------------------------------------------------------------------------------------------------------------------------
# Browser: outage
# ------------------------------------------------------------------------------------------------------------------------


async def goes_live(page: Page) -> None:
    await page.until("document.querySelector('#liveIndicator.live')")


async def loses_relay(page: Page, relay: RunningRelay) -> None:
    """Stop the relay, once the page has fetched all of itself, and wait until the page has noticed."""
    await page.until("!navigator.serviceWorker || navigator.serviceWorker.controller")
    page.expects(UNREACHABLE, "WebSocket connection to")
    await relay.stop()
    await page.until("!document.querySelector('#liveIndicator.live')")


# The page's mail once more, as if the transaction that it was stored with had ended unheard; what a store then tells.
STORED_ONCE_MORE = """(async () => {
    const [{ storeArrivals }, { getMessages }, { Store }, { Database }, { SharedKeys }] = await Promise.all(
        ["mail/inbox", "relay/api", "store/store", "store/database", "protocol/crypto"].map((name) => import(`/${name}.js`)));
    const store = new Store(Database.shared);
    const [identity, [{ origin, token }]] = await Promise.all([store.value("identity"), store.relays()]);
    const told = [];
    store.emit = (type, { contact, message } = {}) => (contact || message) && told.push([type, contact?.fingerprint ?? message.text]);
    const { messages: rows } = await getMessages(origin, token, { after_id: 0, limit: 50 });
    const person = { reading: async () => () => new Set(), receipts: true, home: origin };
    await storeArrivals(store, { identity, sharedKeys: new SharedKeys(identity.secret_key), origin, rows, after_id: 0, ...person });
    return told;
})()"""


def messages_on(relay: AnyRelay) -> int:
    """How many messages the relay's database holds."""
    return rows(relay.database, "SELECT count(*) FROM messages")[0][0]


def large_messages_on(relay: AnyRelay) -> int:
    """How many of them hold a whole part of a file."""
    return rows(relay.database, "SELECT count(*) FROM messages WHERE length(ciphertext) > 65536")[0][0]


class SleepyPath:
    """A TCP path to a relay. Over a sleep, connections that are open stay so, and swallow what both ends say from then on."""

    def __init__(self, relay: AnyRelay) -> None:
        self.relay = relay
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.awake: set[asyncio.Task[None]] = set()

    def sleep(self) -> int:
        """Let nothing more through what is open now; how many connections that are."""
        asleep, self.awake = self.awake, set()
        for task in asleep:
            task.cancel()
        return len(asleep) // 2

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.relay.port)
        for ends in ((reader, there_writer), (there_reader, writer)):
            self.awake.add(task := asyncio.create_task(self.carry(*ends)))
            task.add_done_callback(self.awake.discard)

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(65_536):
                target.write(chunk)
                await target.drain()
            target.close()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[SleepyPath]:
        server = await asyncio.start_server(self.join, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            self.sleep()


LOGINS = {
    "redirect": lambda: web.Response(status=302, headers={"Location": "/login"}),
    "page": lambda: web.Response(text="<h1>Log in</h1>", content_type="text/html"),
    "401": lambda: web.Response(status=401, text="<h1>Log in</h1>", content_type="text/html"),
}
KEPT_FILES = """(async () => {
    const [name] = await caches.keys();
    const cache = await caches.open(name);
    const answers = await Promise.all((await cache.keys()).map((request) => cache.match(request)));
    return [name, (await Promise.all(answers.map((answer) => answer.text()))).map((text) => text.length)];
})()"""
WAKING = {
    "online": "dispatchEvent(new Event('online'))",
    "visible": "document.dispatchEvent(new Event('visibilitychange'))",
    "pageshow": "dispatchEvent(new Event('pageshow'))",
    "the clock jumped": "Date.now = ((now) => () => now() + 3_600_000)(Date.now.bind(Date))",
}


async def erases_on_relay(page: Page) -> None:
    """Switch on that mail is erased on the relay once it is stored here."""
    await page.click("#settingsOpen")
    await page.click("label:has(#settingErase)")
    await page.click("#settingsDialog [data-close]")


async def restores_database(relay: RunningRelay, copy: Path) -> None:
    """Start the relay on an older copy of its database, and have it count on from there, as other relays do."""
    for path in relay.folder.glob("relay.db*"):
        path.unlink()
    copy.rename(relay.database)
    await relay.start()
    with contextlib.closing(sqlite3.connect(relay.database)) as database, database:
        database.execute("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'messages'")


@pytest.mark.service_worker
class TestBrowserOutage:
    """Relays stop, networks go, tokens end: nothing is lost, nothing comes twice."""

    @pytest.mark.parametrize("waking", WAKING.values(), ids=WAKING)
    async def test_mail_shows_at_once_after_a_sleep_that_left_dead_connections(self, browser, relay, waking):
        async with SleepyPath(relay).open() as path:
            alice, bob = await browser.person(path), await relay.register()
            await alice.opens(bob.fingerprint)
            await alice.evaluate("Promise.all([1, 2, 3].map(() => fetch('/v1/stats', { credentials: 'omit' })))")

            assert path.sleep() > 3
            await write(bob, alice, "while you slept")
            await alice.evaluate(f"void ({waking})")

            # 5 s at most, but not on a machine that is busy with other things; without asking again 31 s and more.
            await alice.sees("while you slept", seconds=25)
            await alice.goto("about:blank")

    async def test_answer_that_has_begun_is_waited_for_and_not_asked_for_again(self, browser, relay):
        alice = await browser.person(relay)

        answer = await alice.evaluate("""(async () => {
            const { doubtConnections, firstAnswer } = await import("/relay/http.js");
            const slowly = () => new Promise((done) => setTimeout(done, 1500));
            let asked = 0;
            doubtConnections();
            return firstAnswer(async (signal, begun) => (begun((asked += 1)), await slowly(), asked));
        })()""")

        assert answer == 1

    async def test_what_is_written_right_after_a_sleep_is_sent_soon(self, browser, relay):
        async with SleepyPath(relay).open() as path:
            alice, bob = await browser.person(path), await relay.register()
            await alice.opens(bob.fingerprint)
            await alice.evaluate("Promise.all([1, 2, 3].map(() => fetch('/v1/stats', { credentials: 'omit' })))")

            path.sleep()
            await alice.evaluate("void dispatchEvent(new Event('online'))")
            await alice.says("good morning")

            await alice.until("document.querySelector('.chat-line[data-state=relayed]')", seconds=25)
            await alice.goto("about:blank")

    @pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS)
    async def test_login_in_front_of_the_relay_is_said_and_replaces_nothing_that_is_kept(self, liar, browser, login):
        alice = await browser.person(liar)
        alice.expects("Failed to load resource", "WebSocket connection to", "SSL", "script")
        await has_service_worker(alice)
        kept = await alice.evaluate(KEPT_FILES)

        liar.login = login
        await alice.evaluate("navigator.serviceWorker.ready.then((worker) => worker.update()).catch((error) => error.name)")
        await alice.reload()

        await alice.shows("#liveHint", "If a login stands in front of it")
        await alice.until(f"document.querySelector('#fpFull').textContent === '{alice.fingerprint}'")
        assert await alice.evaluate(KEPT_FILES) == kept and kept
        liar.login = None
        await alice.evaluate("void dispatchEvent(new Event('online'))")
        await goes_live(alice)

    async def test_page_in_a_folder_of_another_site_says_that_it_wants_a_host_name(self, liar, browser):
        liar.sub_path = "/chat"
        page = await browser.page()
        page.expects("404", "MIME")

        await page.goto(f"{liar.url}/chat/")

        await page.shows("#notStarted", "it needs a host name of its own, not a folder of another site")

    async def test_page_behind_a_proxy_that_passes_no_sockets_says_that_it_looks_every_30_s(self, liar, browser):
        liar.upgrades = False
        alice, bob = await browser.page(), await liar.truth.register()
        alice.expects("WebSocket connection to")
        await alice.goto(liar.url)
        await alice.has_keys()

        await alice.shows("#liveHint", "No live connection here: messages are looked for every 30 s")
        await write(bob, alice, "by the post")
        await alice.evaluate("void dispatchEvent(new Event('online'))")

        await alice.shows(".chat-tab-label", "by the post")
        assert await alice.text("#liveIndicator") == "every 30 s"

    @in_both_browsers
    async def test_messages_written_without_a_relay_are_delivered_once_and_in_order(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await has_service_worker(alice)
        await loses_relay(alice, relay)

        await alice.says("one")
        await alice.says("two")
        await alice.until(f"{ALL_BUBBLES}.join() === 'one,two'")
        assert await alice.count(".chat-line-out[data-state=queued] .chat-state") == 2  # both say that they are queued
        await alice.reload()
        await alice.until(f"{ALL_BUBBLES}.join() === 'one,two'")
        await alice.says("three")
        await relay.start()
        await alice.has_relayed(3)
        await alice.reload()
        await goes_live(alice)

        await alice.has_relayed(3)
        assert await read_all(bob) == await alice.sent() == ["one", "two", "three"]

    @in_both_browsers
    async def test_history_and_drafts_are_there_with_the_relay_gone(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "keep this")
        await alice.opens(bob.fingerprint)
        await alice.sees("keep this")
        await alice.drafts("unfinished")
        await has_service_worker(alice)
        await loses_relay(alice, relay)

        await alice.goto(f"{relay.url}/library")
        await alice.shows(".msg", "keep this")
        await alice.click(".msg-link")

        await alice.sees("keep this")
        await alice.until("document.querySelector('#chatBody').value === 'unfinished'")

    @in_both_browsers
    async def test_every_view_starts_offline(self, browser, relay):
        alice = await browser.person(relay)
        await has_service_worker(alice)
        await loses_relay(alice, relay)

        for view in VIEW_TITLES:
            await alice.goto(f"{relay.url}/{view}")
            await alice.until(f"document.querySelector('#fpFull').textContent === '{alice.fingerprint}'")
            assert await alice.evaluate(SHOWN_VIEWS) == [f"view-{view}"]
            if view == "keys":  # its codes are drawn by a file that is fetched when they are
                await alice.until("document.querySelector('#qrPublic').childElementCount")
        await alice.shows("#liveIndicator.offline, #liveIndicator.connecting")

    async def test_refused_token_is_replaced_unnoticed(self, browser, relays, clock):
        relay = await relays(clock=clock, JWT_EXPIRY_SEC="3600")
        alice, bob = await browser.person(relay), await relay.register()
        await has_service_worker(alice)
        await alice.opens(bob.fingerprint)
        alice.expects("401", UNREACHABLE, "WebSocket connection to")

        clock.advance(7200)
        await relay.stop()
        await relay.start()
        await alice.says("still me")
        await alice.has_relayed(1)
        await bob.register()
        await write(bob, alice, "so I see")

        await alice.sees("so I see")
        await goes_live(alice)
        assert await read_all(bob) == ["still me"]
        assert await alice.text("#fpFull") == alice.fingerprint

    async def test_socket_that_was_closed_in_order_is_opened_again(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await loses_relay(alice, relay)

        await relay.start()
        await goes_live(alice)
        await write(bob, alice, "back again")

        await alice.click(".chat-tab-label")
        await alice.sees("back again")

    async def test_mail_of_which_only_the_answer_to_its_storing_was_lost_is_shown(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "stored, and nobody knew")
        await alice.shows(".chat-tab", "stored, and nobody knew")

        told = await alice.evaluate(STORED_ONCE_MORE)

        assert told == [["contact", bob.fingerprint], ["message", "stored, and nobody knew"]]

    async def test_mail_that_came_while_the_page_was_closed_is_fetched(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.goto("about:blank")
        await write(bob, alice, *(f"line {number}" for number in range(3)))

        await alice.goto(f"{relay.url}/chats")
        await alice.until("document.title.startsWith('(3) ')")
        await alice.click(".chat-tab-label")

        await alice.sees("line 2")
        assert await alice.received() == ["line 0", "line 1", "line 2"]

    async def test_history_outlives_the_relays_copy(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        [number] = await write(bob, alice, "for good")
        await alice.opens(bob.fingerprint)
        await alice.sees("for good")

        assert (await bob.call("DELETE", f"/v1/messages/{number}")).status == 204
        await alice.reload()
        await goes_live(alice)

        await alice.sees("for good")
        assert messages_on(relay) == 0

    async def test_relays_copy_stays_unless_erasing_is_on(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, "stays")
        await alice.sees("stays")
        assert messages_on(relay) == 1

        await alice.click("#settingsOpen")
        await alice.click("label:has(#settingErase)")
        await alice.click("#settingsDialog [data-close]")
        await write(bob, alice, "goes")

        await alice.sees("goes")
        await until(lambda: messages_on(relay) == 0)

    async def test_mail_of_a_restored_relay_is_read_from_its_start_and_only_then_erased(self, browser, relay, tmp_path):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await run_command(tmp_path, "backup", str(tmp_path / "copy.db"), DATABASE_URL=relay.environ["DATABASE_URL"])
        await write(bob, alice, "one", "two", "three")
        await alice.sees("three")
        await erases_on_relay(alice)  # what has not been erased yet, as where the relay was lost before it heard of it

        await loses_relay(alice, relay)
        await restores_database(relay, tmp_path / "copy.db")
        await alice.goto("about:blank")
        assert await write(bob, alice, "while away") == [1]
        await alice.goto(f"{relay.url}/chats")
        await goes_live(alice)
        await alice.click(".chat-tab-label")
        await write(bob, alice, "since")

        await alice.sees("since")
        await alice.sees("while away")
        await until(lambda: messages_on(relay) == 0)

    async def test_relays_copy_is_erased_only_once_it_is_stored(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.click("#settingsOpen")
        await alice.click("label:has(#settingErase)")
        await alice.click("#settingsDialog [data-close]")
        alice.expects("QuotaExceededError", "disk is full")

        full = "window.tries = (window.tries ?? 0) + 1; throw new DOMException('the disk is full', 'QuotaExceededError')"
        await alice.evaluate(f"void (IDBObjectStore.prototype.add = () => {{ {full} }})")
        await write(bob, alice, "not yet")
        await alice.until("window.tries >= 2")
        kept = messages_on(relay)
        await alice.reload()

        await alice.sees("not yet")
        await until(lambda: messages_on(relay) == 0)
        assert kept == 1


# ------------------------------------------------------------------------------------------------------------------------
# Browser: sending
# ------------------------------------------------------------------------------------------------------------------------

ROUNDS = int(os.environ.get("SENDING_ROUNDS", "20"))  # of pages that go right after Enter; 200 take ten minutes
BODY = "document.querySelector('#chatBody').value"
# As if the tab were gone before it could tell the others what it stored.
TELLS_NOBODY = """(() => {
    const { postMessage } = BroadcastChannel.prototype;
    BroadcastChannel.prototype.postMessage = function (told) {
        if (this.name !== "io3233-store") postMessage.call(this, told);
    };
})()"""
# What is told here, nothing unless a test puts it in place, comes behind all that other tabs have told of drafts.
ALL_IS_HEARD = """new Promise((heard) => {
    const [speaker, listener] = [1, 2].map(() => new BroadcastChannel("io3233-drafts"));
    listener.onmessage = heard;
    speaker.postMessage({});
})"""
# A reading that overtakes what another tab is storing: Chromium lets one, when that tab is closed or hidden.
OLD_DRAFT_READ_ONCE = """(() => {
    const fingerprint = "%s", { get } = IDBObjectStore.prototype;
    window.oldDraft = document.querySelector("#chatBody").value;
    window.looks = 0;
    IDBObjectStore.prototype.get = function (key) {
        const request = get.call(this, key);
        if (this.name !== "drafts" || key !== fingerprint) return request;
        const old = window.oldDraft;
        window.oldDraft = null;
        if (old !== null) Object.defineProperty(request, "result", { value: old });
        request.addEventListener("success", () => setTimeout(() => window.looks += 1));
        return request;
    };
})()"""
SENDS_WHEN_LOOKED_FOR = """(() => {
    const { get } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.get = function (key) {
        const request = get.call(this, key);
        if (this.name !== "drafts") return request;
        IDBObjectStore.prototype.get = get;
        document.querySelector("#composer").requestSubmit();
        return request;
    };
})()"""
# The one thing that is faked: ten seconds of the page's clock are one.
FAST_CLOCK = """for (const name of ["setTimeout", "setInterval"]) {
    const timer = window[name];
    window[name] = (listener, wait, ...rest) => timer(listener, wait / 10, ...rest);
}"""


async def has_full_disk(page: Page) -> None:
    """Let nothing more be written into the page's storage, until `window.makeRoom()`."""
    page.expects("the disk is full")
    await page.evaluate("""(() => {
        const { add, put } = IDBObjectStore.prototype;
        const full = () => { throw new DOMException("the disk is full", "QuotaExceededError") };
        Object.assign(IDBObjectStore.prototype, { add: full, put: full });
        window.makeRoom = () => void Object.assign(IDBObjectStore.prototype, { add, put });
    })()""")


async def has_slow_uplink(page: Page, bytes_per_second: int) -> None:
    """Throttle what the page sends; -1 ends that."""
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    await page.call("Network.enable")
    await page.call("Network.emulateNetworkConditions", **conditions)


async def is_offline(page: Page, offline: bool) -> None:
    """Cut the page off from the network, or end that."""
    conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    await page.call("Network.enable")
    await page.call("Network.emulateNetworkConditions", **conditions)


async def hurries(browser: Browser, relay: AnyRelay) -> Page:
    """Somebody whose page's clock runs ten times as fast."""
    page = await browser.page()
    await page.call("Page.addScriptToEvaluateOnNewDocument", source=FAST_CLOCK)
    await page.goto(f"{relay.url}/newchat")
    await page.has_keys()
    return page


class Device:
    """A browser with a profile that outlives it, at one thread."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.running = contextlib.AsyncExitStack()

    async def start(self) -> None:
        Path(self.folder, "profile/DevToolsActivePort").unlink(missing_ok=True)  # of one that was killed
        started = started_browser(self.folder, "chromium", *PROFILED_CHROMIUM, listens=chromium_listens)
        self.process, address = self.running.enter_context(started)
        self.browser = await self.running.enter_async_context(connected_to(address, Browser))
        await self.open()

    async def open(self) -> None:
        """A new tab at the thread."""
        self.page = await self.browser.page("")
        await self.page.goto(self.url)
        await self.page.has_keys()

    async def sends_or_holds(self, text: str) -> None:
        """Wait until the thread shows this as a message or as its draft, and send the draft: the one that is kept, for a tab
        hears a moment later that another one has sent it."""
        await self.page.evaluate(ALL_IS_HEARD)
        is_kept = FROM_DATABASE % f"(await result(drafts.getAll())).join() === '{text}'"
        await self.page.until(f"{ALL_BUBBLES}.includes('{text}') || ({BODY} === '{text}' && {is_kept})")
        if await self.page.value("#chatBody") == text:
            await self.page.drafts("")
            await self.page.key("Enter")


async def leaves(device: Device) -> None:
    await device.page.evaluate("document.querySelector('#tab-about').click()")
    await device.page.evaluate("history.back()")


async def navigates(device: Device) -> None:
    await device.page.call("Page.navigate", url="about:blank")
    await device.page.goto(device.url)


async def closes(device: Device) -> None:
    await device.page.call("Page.close")
    await device.open()


async def closes_beside_another(device: Device) -> None:
    await device.page.call("Page.close")
    device.page = device.beside


async def is_killed(device: Device) -> None:
    device.process.kill()
    await device.running.aclose()
    await device.start()


FATES = [leaves, navigates, closes, closes_beside_another, is_killed]


async def has_read(reader: Person, text: str) -> bool:
    """Whether this is in the inbox on the relay."""
    return text in await read_all(reader)


async def sends_before(device: Device, fate: Callable[[Device], Awaitable[None]], text: str, seconds: float) -> None:
    """Press Enter, and so much later this becomes of the page. By then the draft is kept: nobody types as fast as a test."""
    if fate is closes_beside_another:
        device.beside = device.page
        await device.open()
    await device.page.drafts(text)
    await device.page.until(FROM_DATABASE % f"(await result(drafts.getAll())).join() === '{text}'")
    await device.page.key("Enter")
    await asyncio.sleep(seconds)
    await fate(device)


# Two transactions that write and write, of stores that have nothing in common.
WRITES_WITHOUT_END = """(async () => {
    const { Database, result } = await import("/store/database.js");
    window.puts = 0;
    for (const [name, record] of [["drafts", ["x".repeat(3000), "nobody"]], ["relays", [{ origin: "x".repeat(3000) }]]])
        Database.shared.write([name], async (stores) => { for (;; window.puts += 1) await result(stores[name].put(...record)); });
})()"""
# Its work is done, but for the commit, and then aborted.
ABORTED_ONCE = """const { commit } = IDBTransaction.prototype;
IDBTransaction.prototype.commit = function () { this.objectStore("messages").count().onsuccess = () => this.abort(); };
await database.write(...transaction).catch(({ name }) => name);
IDBTransaction.prototype.commit = commit;"""


class TestBrowserSending:
    """What was written is sent once, whatever becomes of the page; what was not sent is still there, and in its place."""

    async def test_message_is_sent_once_whatever_becomes_of_the_page_after_enter(self, relay, short_path):
        bob = await relay.register()
        device = Device(short_path, f"{relay.url}/chats#chat={bob.fingerprint}&server={relay.url}")
        texts = [f"round {number}" for number in range(ROUNDS)]

        await device.start()
        for number, text in enumerate(texts):
            await sends_before(device, FATES[number % len(FATES)], text, number * 7 % 101 / 1000)
            await device.sends_or_holds(text)
            await until(lambda text=text: has_read(bob, text))
        await device.running.aclose()

        assert await read_once(bob) == texts

    async def test_keys_outlive_a_kill_whatever_is_being_written(self, relay, short_path):
        device = Device(short_path, f"{relay.url}/keys")

        await device.start()
        fingerprint = device.page.fingerprint
        await device.page.evaluate(WRITES_WITHOUT_END)
        await device.page.until("window.puts > 50")
        await is_killed(device)
        await device.running.aclose()

        assert device.page.fingerprint == fingerprint

    async def test_what_could_not_be_stored_comes_back_in_order_and_to_its_own_thread(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await alice.opens(bob.fingerprint)

        await has_full_disk(alice)
        await alice.evaluate(f"""(() => {{
            for (const text of ["one", "two"]) {{
                document.querySelector("#chatBody").value = text;
                document.querySelector("#composer").requestSubmit();
            }}
            document.querySelector('[data-fingerprint="{carol.fingerprint}"] .chat-tab-label').click();
        }})()""")
        await alice.is_told("is a draft again")
        assert await alice.value("#chatBody") == ""
        await alice.evaluate("window.makeRoom()")
        await alice.switches_to(bob)

        assert await alice.value("#chatBody") == "one\ntwo"
        await alice.until(FROM_DATABASE % "(await result(drafts.get('%s'))) === 'one\\ntwo'" % bob.fingerprint)

    async def test_figures_of_a_relay_for_which_there_is_no_room_are_nobodys_trouble(self, browser, relay):
        alice = await browser.person(relay, watched=True)
        alice.expects(UNREACHABLE, "WebSocket connection")
        await alice.shows("#liveIndicator.live")
        before = len([url for url in alice.requests if url.endswith("/v1/stats")])

        await has_full_disk(alice)
        await relay.stop()
        await relay.start()
        await until(lambda: len([url for url in alice.requests if url.endswith("/v1/stats")]) > before)
        await alice.shows("#liveIndicator.live")
        await alice.evaluate("fetch('/v1/stats').then((answer) => answer.json())")

        assert await alice.count("#toast") == 0
        assert alice.unexpected() == []

    async def test_draft_that_could_not_be_kept_says_so_until_it_is(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await has_full_disk(alice)
        await alice.drafts("hold on to this")
        await alice.shows("#chatSendStatus.bad", "not stored yet")
        await alice.evaluate("window.makeRoom()")
        await alice.until("document.querySelector('#chatSendStatus').textContent === ''")
        await alice.reload()

        await alice.until(f"{BODY} === 'hold on to this'")

    async def test_two_tabs_write_one_draft_and_neither_undoes_the_others(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        tab = await alice.another_tab()
        await tab.shows("#chatThread")

        await tab.drafts("begun here, ")
        await alice.until(f"{BODY} === 'begun here, '")
        await alice.to_front()
        await alice.drafts("gone on there")
        await tab.until(f"{BODY} === 'begun here, gone on there'")
        await tab.key("Enter")

        await alice.until(f"{BODY} === ''")
        assert await until(lambda: read_all(bob)) == ["begun here, gone on there"]

    async def test_sending_in_one_window_does_not_scroll_another(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, *(f"line {number}" for number in range(45)))
        await alice.shows(".chat-tab", "line 44")  # the address of nobody who is here yet would lead nowhere
        await alice.goto(f"{relay.url}/chats#chat={bob.fingerprint}")
        await alice.sees("line 44")
        tab = await alice.another_tab()
        await alice.to_front()
        await scroll_up(alice)

        await tab.says("from the other window")
        await alice.until(f"{ALL_BUBBLES}.includes('from the other window')")

        assert await alice.evaluate(SCROLL_TOP) == 300

    async def test_message_of_a_tab_that_told_nobody_of_it_is_sent(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        tab = await alice.another_tab()
        await tab.evaluate(TELLS_NOBODY)

        await tab.says("on my way out")

        assert await until(lambda: read_all(bob)) == ["on my way out"]

    async def test_draft_that_a_tab_sent_in_vain_before_it_was_gone_is_shown_again(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.drafts("still to be sent")
        await alice.until(FROM_DATABASE % "(await result(drafts.getAll())).join() === 'still to be sent'")
        told = {"type": "kept", "detail": {"fingerprint": bob.fingerprint, "text": ""}}

        await alice.evaluate(ALL_IS_HEARD.replace("{}", json.dumps(told)))

        await alice.until(f"{BODY} === 'still to be sent'")

    async def test_what_another_tab_sends_is_no_draft_here_though_it_was_looked_for_before_it_was_stored(
        self, browser, relay
    ):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        tab = await alice.another_tab()
        await tab.drafts("sent over there")
        await alice.until(f"{BODY} === 'sent over there'")

        await alice.evaluate(OLD_DRAFT_READ_ONCE % bob.fingerprint)
        await tab.key("Enter")

        await alice.until("window.oldDraft === null && window.looks > 1")
        await alice.until(f"{BODY} === ''")
        assert await until(lambda: read_all(bob)) == ["sent over there"]

    async def test_what_a_tab_sent_and_was_gone_is_no_draft_here_when_it_was_stored_a_moment_later(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.drafts("sent over there")
        await alice.until(FROM_DATABASE % "(await result(drafts.getAll())).join() === 'sent over there'")
        told = {"type": "kept", "detail": {"fingerprint": bob.fingerprint, "text": ""}}

        await alice.evaluate(OLD_DRAFT_READ_ONCE % bob.fingerprint)
        await alice.evaluate(f"""(async () => {{
            const {{ Database }} = await import("/store/database.js");
            new BroadcastChannel("io3233-drafts").postMessage({json.dumps(told)});
            while ({BODY}) await new Promise((resolve) => setTimeout(resolve));
            window.oldDraft = null; // now it is stored
            await Database.shared.write(["drafts"], ({{ drafts }}) => void drafts.clear());
        }})()""")

        await alice.until("window.looks > 0")
        assert await alice.value("#chatBody") == ""

    async def test_what_is_sent_while_it_is_looked_for_is_no_draft_again(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.drafts("sent here")
        await alice.until(FROM_DATABASE % "(await result(drafts.getAll())).join() === 'sent here'")
        told = {"type": "stored", "detail": {"fingerprint": bob.fingerprint}}

        await alice.evaluate(SENDS_WHEN_LOOKED_FOR)
        await alice.evaluate(ALL_IS_HEARD.replace("{}", json.dumps(told)))
        await alice.until(f"{ALL_BUBBLES}.includes('sent here')")

        assert await alice.value("#chatBody") == ""
        assert await until(lambda: read_all(bob)) == ["sent here"]

    async def test_contact_of_a_backup_without_a_relay_is_written_to_by_the_home_relay(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await in_store(alice, f"await store.putContact('{bob.fingerprint}', {{ relay: '' }})")
        await alice.reload()

        await alice.says("are you there?")

        assert await until(lambda: read_all(bob)) == ["are you there?"]

    async def test_what_is_typed_right_after_a_click_on_another_thread_is_for_that(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await alice.opens(bob.fingerprint)

        await alice.evaluate(f"""(() => {{
            document.querySelector('[data-fingerprint="{carol.fingerprint}"] .chat-tab-label').click();
            document.querySelector("#chatBody").value = "for carol";
            document.querySelector("#composer").requestSubmit();
        }})()""")

        assert await until(lambda: read_all(carol)) == ["for carol"]
        assert await read_all(bob) == []

    async def test_message_whose_storing_is_begun_again_takes_no_other_messages_place(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.evaluate(f"""(async () => {{
            {imported(queue="enqueue", database="Database")}
            const database = await Database.open();
            const again = {{ ...database, note: async () => null, write: async (...transaction) => {{
                {ABORTED_ONCE}
                await enqueue({{ db: database, emit() {{}}, emitContact() {{}} }}, {{ contact: "{bob.fingerprint}", text: "meanwhile" }});
                return database.write(...transaction);
            }} }};
            await enqueue({{ db: again, emit() {{}} }}, {{ contact: "{bob.fingerprint}", text: "begun twice" }});
        }})()""")

        stored = FROM_DATABASE % "(await result(messages.getAll())).map(({ text }) => text)"
        assert await alice.evaluate(stored) == ["meanwhile", "begun twice"]

    async def test_large_message_gets_through_a_slow_uplink(self, browser, relay, monkeypatch):
        monkeypatch.setattr(relay_module, "BODY_SECONDS", relay_module.BODY_SECONDS / 10)
        monkeypatch.setattr(relay_module, "BODY_BYTES_PER_SECOND", relay_module.BODY_BYTES_PER_SECOND * 10)
        alice, bob = await hurries(browser, relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await has_slow_uplink(alice, 10 * 8_000)  # 64 kbit/s by the page's clock

        await alice.says("x" * 240_000)
        await alice.has_relayed(1)

        assert [len(text) for text in await read_all(bob)] == [240_000]

    async def test_message_that_is_too_slow_lets_those_behind_it_go_first(self, browser, relay):
        alice, bob = await hurries(browser, relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await has_slow_uplink(alice, 10 * 1_000)  # less than is waited for

        await alice.says("x" * 100_000)
        await alice.says("are you there?")

        assert await until(lambda: read_all(bob)) == ["are you there?"]
        await has_slow_uplink(alice, -1)
        await alice.has_relayed(2)

    async def test_message_that_is_under_way_can_be_discarded_and_holds_nothing_up(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await has_slow_uplink(alice, 2_000)
        await alice.says("x" * 240_000)
        await alice.says("are you there?")
        await alice.until(f"{ALL_BUBBLES}.at(-1) === 'are you there?'")

        await alice.evaluate(
            "document.querySelector('.chat-line').dispatchEvent(new MouseEvent('contextmenu', { bubbles: true }))"
        )
        await alice.click("#messageMenu [data-action=take-back]")

        assert await until(lambda: read_all(bob)) == ["are you there?"]
        assert await alice.sent() == ["are you there?"]


# ------------------------------------------------------------------------------------------------------------------------
# Browser: actions on a message
# ------------------------------------------------------------------------------------------------------------------------


# Another tab of the page's store, and what it takes to ask its relay.
IN_STORE = """(async () => {
    const [{ Store }, { Database, result }, { takeBack }] =
        await Promise.all(["store/store", "store/database", "mail/erasure"].map((name) => import(`/${name}.js`)));
    const store = new Store(await Database.open());
    const relays = { pass: async () => (await store.relays())[0] };
    const at = async (text) => (await store.search(text)).messages[0].seq;
    %s
})()"""


async def in_store(page: Page, script: str) -> Any:
    return await page.evaluate(IN_STORE % script)


async def talks_to(page: Page, other: Person, *texts: str) -> None:
    """Have sent these in an open thread."""
    await page.opens(other.fingerprint)
    for text in texts:
        await page.says(text)
    await page.has_relayed(len(texts))


MENU_IS_OPEN = "document.querySelector('#messageMenu').matches(':modal')"
OFFERED = "[...document.querySelectorAll('#messageMenu [data-action]')].map((each) => each.dataset.action)"


async def middle_of(page: Page, text: str) -> dict[str, int]:
    """Where the bubble with this text is."""
    find = f"[...document.querySelectorAll('.chat-bubble')].find((each) => each.textContent === {json.dumps(text)})"
    return await page.until(f"""((bubble) => {{
        bubble?.scrollIntoView({{ block: "nearest" }});
        const box = bubble?.getBoundingClientRect();
        return box && {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }};
    }})({find})""")


async def points_at(page: Page, text: str) -> None:
    """Have the mouse over a message until its toolbar is there."""
    await page.call("Input.dispatchMouseEvent", type="mouseMoved", **await middle_of(page, text))
    await page.until("document.querySelector('#messageMenu.tools').open")


async def opens_menu(page: Page, text: str) -> None:
    """Open the menu of a message by a right click; once more if it has moved away meanwhile."""
    await page.until("!document.querySelector('dialog:modal')")
    for pause in itertools.islice(growing_pauses(), MOST_PRESSES):
        where = await middle_of(page, text)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await page.call("Input.dispatchMouseEvent", type=kind, button="right", clickCount=1, **where)
        chosen = await page.evaluate(f"{MENU_IS_OPEN} ? document.querySelector('.chosen .chat-bubble').textContent : null")
        if chosen == text:
            return
        if chosen is not None:
            await page.key("Escape")
        await asyncio.sleep(pause)
    raise AssertionError(f"no menu of {text}")


async def does(page: Page, action: str, text: str) -> None:
    """Choose an action from a message's menu."""
    await opens_menu(page, text)
    await page.click(f"#messageMenu [data-action={action}]")


async def focuses(page: Page, text: str) -> None:
    """Have the focus on a message's row by arrow keys, from the last one up."""
    await page.evaluate("document.querySelector('#chatMessages').focus()")
    for _ in range(MOST_PRESSES):
        await page.key("ArrowUp")
        if await page.evaluate("document.activeElement.querySelector('.chat-bubble')?.textContent") == text:
            return
    raise AssertionError(f"no row with {text}\n{await page.describe()}")


class TestBrowserActions:
    """What a person does with one message changes that message, wherever it shows, and can be taken back."""

    async def test_deleted_message_takes_its_preview_its_count_and_what_search_finds_along(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "stays", "goes")
        await alice.until("document.title.startsWith('(2)')")

        await in_store(alice, "await store.removeMessage(await at('goes'))")

        await alice.until("document.title.startsWith('(1)')")
        assert await alice.text(".chat-tab-last .said") == "stays"
        assert await in_store(alice, "return (await store.search('goes')).total") == 0
        await alice.click(".chat-tab-label")
        await alice.sees("stays")
        assert await alice.received() == ["stays"]

    async def test_message_read_long_ago_is_deleted_without_counting(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "long ago")
        await alice.click(".chat-tab-label")
        await alice.sees("long ago")
        await alice.until("!document.title.startsWith('(')")
        await goes_elsewhere(alice)
        await write(bob, alice, "unread")
        await alice.until("document.title.startsWith('(1)')")

        await in_store(alice, "await store.removeMessage(await at('long ago'))")

        assert await in_store(alice, "return (await store.unread()).total") == 1

    async def test_deleted_message_stays_away_when_the_relay_delivers_it_again(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "once", "and again")
        await alice.click(".chat-tab-label")
        await alice.sees("and again")

        await in_store(alice, "await store.removeMessage(await at('once'))")
        await in_store(alice, f"await store.putRelay('{relay.url}', {{ cursor: 0 }})")
        await alice.reload()

        await alice.until(FROM_DATABASE % "(await result(relays.getAll()))[0].cursor === 2")
        await alice.sees("and again")
        assert await alice.received() == ["and again"]

    async def test_deletion_is_undone_in_its_place(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "one", "two", "three")

        await in_store(alice, "window.removed = await store.removeMessage(await at('two'))")
        await alice.until(f"{ALL_BUBBLES}.join() === 'one,three'")
        assert await in_store(alice, "return store.restoreMessage(window.removed)")

        await alice.until(f"{ALL_BUBBLES}.join() === 'one,two,three'")
        assert "three" in await alice.text(".chat-tab-last")

    async def test_deletion_is_not_undone_where_the_contact_was_removed_meanwhile(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "one")

        await in_store(alice, "window.removed = await store.removeMessage(await at('one'))")
        await in_store(alice, f"await store.removeContact('{bob.fingerprint}')")

        assert await in_store(alice, "return store.restoreMessage(window.removed)") is False
        assert await in_store(alice, "return (await store.search('one')).total") == 0

    async def test_queued_message_whose_deletion_is_undone_is_sent_in_its_turn(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await loses_relay(alice, relay)
        await alice.says("first")
        await alice.says("second")

        await in_store(alice, "window.removed = await store.removeMessage(await at('first'))")
        await in_store(alice, "await store.restoreMessage({ ...window.removed, error: '' })")
        its_turn = "document.querySelector('.chat-state').title.startsWith('waiting: ')"
        await alice.until(f"{ALL_BUBBLES}.join() === 'first,second' && {its_turn}")
        await relay.start()

        await alice.has_relayed(2)
        assert await read_once(bob) == ["first", "second"]

    async def test_message_that_the_relay_holds_is_taken_back(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "too early", "as meant")

        await does(alice, "take-back", "too early")

        await alice.is_told("Taken back: the server has no copy any more. If")
        assert await read_all(bob) == ["as meant"]
        await alice.shows(".chat-state", "taken back")
        await opens_menu(alice, "too early")
        assert await alice.evaluate(OFFERED) == ["copy", "forward", "info", "delete-here"]

    async def test_message_that_was_fetched_and_erased_can_not_be_taken_back(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        alice.expects("status of 404")
        await talks_to(alice, bob, "too late")
        await bob.call("DELETE", "/v1/messages?through_id=1")

        await does(alice, "take-back", "too late")

        await alice.is_told("It can't be taken back: it was fetched already")
        assert await alice.count(".chat-state") == 1 and await alice.text(".chat-state") != "taken back"

    async def test_nothing_is_taken_back_while_the_relay_is_away(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "too soon")
        await loses_relay(alice, relay)

        await does(alice, "take-back", "too soon")

        await alice.is_told("Not taken back, the message is as it was.")
        assert await in_store(alice, "return (await store.message(await at('too soon'))).taken_back_at") is None

    async def test_message_of_a_relay_that_can_not_delete_is_not_offered_to_be_taken_back(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "for good")

        await in_store(alice, f"await store.putRelay('{relay.url}', {{ bound: false }})")
        await alice.reload()

        await opens_menu(alice, "for good")
        assert "take-back" not in await alice.evaluate(OFFERED)

    async def test_queued_message_is_taken_back_without_the_relay(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await loses_relay(alice, relay)
        await alice.says("never mind")
        await alice.says("but this")

        await does(alice, "take-back", "never mind")
        await alice.until(f"{ALL_BUBBLES}.join() === 'but this'")
        await relay.start()

        assert await until(lambda: read_all(bob)) == ["but this"]

    @pytest.mark.parametrize("way", ["the button", "Control Z"])
    async def test_deletion_is_undone_by_a_button_and_by_a_key(self, browser, relay, way):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "one", "two")

        await does(alice, "delete-here", "one")
        await alice.until(f"{ALL_BUBBLES}.join() === 'two'")
        await alice.shows("#toastUndo", "Undo")
        if way == "the button":
            await alice.click("#toastUndo")
        else:
            await alice.evaluate("document.querySelector('#chatMessages').focus()")
            await alice.key("z", CONTROL)

        await alice.until(f"{ALL_BUBBLES}.join() === 'one,two'")
        assert await alice.count("#toast") == 0

    async def test_toolbar_comes_with_the_mouse_and_takes_no_focus(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.permit("clipboard-read", "clipboard-write")
        await write(bob, alice, "**as** written")
        await alice.click(".chat-tab-label")
        await alice.until("(document.activeElement.id === 'chatBody')")

        await points_at(alice, "**as** written")
        assert await alice.evaluate("document.activeElement.id") == "chatBody"
        await alice.click("#messageMenu [data-action=copy]")

        await alice.is_told("Message copied")
        assert await alice.evaluate("navigator.clipboard.readText()") == "**as** written"

    @pytest.mark.parametrize("text", ["short", "long " * 40 + "!", "as wide as it gets: " + "x" * 300], ids=len)
    async def test_toolbar_never_covers_the_words_it_is_for(self, browser, relay, text):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, *["above it"] * 6, text)

        await points_at(alice, text)

        assert not await alice.evaluate("""(() => {
            const menu = document.querySelector("#messageMenu").getBoundingClientRect();
            const bubble = [...document.querySelectorAll(".chat-bubble")].at(-1).getBoundingClientRect();
            return menu.bottom > bubble.top + 1 && menu.top < bubble.bottom && menu.right > bubble.left && menu.left < bubble.right;
        })()""")

    async def test_menu_is_opened_walked_and_left_by_keys(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "one", "two")

        await focuses(alice, "one")
        await alice.key("Enter")
        await alice.until(MENU_IS_OPEN)
        walked = [await alice.evaluate("document.activeElement.dataset.action")]
        for key in ("ArrowDown", "ArrowUp", "ArrowUp", "ArrowDown"):
            await alice.key(key)
            walked.append(await alice.evaluate("document.activeElement.dataset.action"))
        await alice.key("Escape")

        assert walked == ["copy", "forward", "copy", "delete-here", "copy"]
        await alice.until("!document.querySelector('#messageMenu').open")
        assert await alice.evaluate("document.activeElement.querySelector('.chat-bubble').textContent") == "one"

    async def test_arrows_walk_among_messages_and_within_one_and_escape_leads_back(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "one", "see https://example.com/ there", "three")

        await focuses(alice, "see https://example.com/ there")
        named = await alice.evaluate("document.activeElement.getAttribute('aria-label')")
        places = []
        for key in ("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowDown", "Escape"):
            await alice.key(key)
            places.append(await alice.evaluate("document.activeElement.href ?? document.activeElement.id ?? ''"))

        assert "see https://example.com/ there" in named
        assert places == ["https://example.com/", "", "", "", "chatBody"]

    async def test_focus_goes_on_to_the_next_message_when_its_own_is_deleted(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "one", "two", "three")

        await focuses(alice, "two")
        await alice.key("Enter")
        await alice.until(MENU_IS_OPEN)
        await alice.key("End")
        await alice.key("Enter")

        await alice.until(f"{ALL_BUBBLES}.join() === 'one,three'")
        await alice.until("document.activeElement.querySelector('.chat-bubble')?.textContent === 'three'")

    async def test_long_press_opens_a_sheet_and_selects_nothing(self, browser, relay):
        alice, bob = await browser.person(relay, size=PHONE), await relay.register()
        await write(bob, alice, "press me")
        await alice.opens(bob.fingerprint)
        await alice.sees("press me")

        await alice.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[await middle_of(alice, "press me")])
        await alice.until(MENU_IS_OPEN)
        await alice.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

        assert await alice.evaluate("getSelection().toString()") == ""
        assert await alice.evaluate("document.querySelector('#messageMenu').className") == "message-menu sheet"
        assert await alice.evaluate(MENU_IS_OPEN)

    async def test_finger_that_moves_opens_nothing_and_one_that_lies_still_the_menu(self, browser, relay):
        alice, bob = await browser.person(relay, size=PHONE), await relay.register()
        await write(bob, alice, "hold on")
        await alice.opens(bob.fingerprint)
        await alice.sees("hold on")

        # Both in one task: a finger that lies still for as long as a busy machine may take in between does press long.
        finger = "{ pointerType: 'touch', isPrimary: true, bubbles: true, clientX: 100"
        opens = f"""(...heights) => new Promise((done) => {{
            for (const [at, clientY] of heights.entries())
                document.querySelector(".chat-bubble").dispatchEvent(new PointerEvent(at ? "pointermove" : "pointerdown", {finger}, clientY }}));
            setTimeout(() => done({MENU_IS_OPEN}), 700); // longer than a long press
        }})"""

        assert await alice.evaluate(f"({opens})(200, 260)") is False
        assert await alice.evaluate(f"({opens})(200)") is True

    async def test_toolbar_leaves_a_small_screen_to_the_words(self, browser, relay):
        alice, bob = await browser.person(relay, size=PHONE), await relay.register()
        await talks_to(alice, bob, "one")

        await alice.call("Input.dispatchMouseEvent", type="mouseMoved", **await middle_of(alice, "one"))
        await asyncio.sleep(0.3)  # longer than a toolbar waits

        assert not await alice.evaluate("document.querySelector('#messageMenu').open")

    async def test_choice_for_a_message_that_went_while_the_menu_was_open_says_so(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "one")
        await focuses(alice, "one")
        await alice.key("Enter")
        await alice.until(MENU_IS_OPEN)

        await in_store(alice, "await store.removeMessage(await at('one'))")
        await alice.until("!document.querySelector('.chat-line')")
        await alice.click("#messageMenu [data-action=copy]")

        await alice.is_told("This message is gone.")
        await alice.until("document.activeElement.id === 'chatMessages'")

    async def test_links_and_selected_words_keep_the_browsers_own_menu(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "https://example.com/", "selected", "other")
        await alice.click(".chat-tab-label")
        await alice.sees("other")
        asks = """(target) => !target.dispatchEvent(new PointerEvent("contextmenu", { bubbles: true, cancelable: true, button: 2 }))"""

        taken = await alice.evaluate(f"""(() => {{
            const [link, selected, other] = document.querySelectorAll(".chat-bubble");
            getSelection().selectAllChildren(selected);
            return [link.querySelector("a"), selected, other].map({asks});
        }})()""")

        assert taken == [False, False, True]

    async def test_only_what_applies_is_offered(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await post(bob, await address_of(alice), type="hologram")
        await write(bob, alice, "words")
        await alice.click(".chat-tab-label")
        await talks_to(alice, bob, "mine")

        offered = []
        for text in ("Sent with a newer client: update this page to read it.", "words", "mine"):
            await opens_menu(alice, text)
            offered.append(await alice.evaluate(OFFERED))
            await alice.key("Escape")

        assert offered[0] == ["info", "delete-here"]
        assert offered[1] == ["copy", "forward", "info", "delete-here"]
        assert offered[2] == ["copy", "forward", "info", "take-back", "delete-here"]

    async def test_forwarding_sends_the_words_and_leaves_the_draft_there(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await alice.drafts("half a thought")
        await talks_to(alice, bob, "for all to know")

        await does(alice, "forward", "for all to know")
        await alice.fill("#forwardSearch", carol.fingerprint[:12])
        await alice.until("document.querySelectorAll('#forwardList button').length === 1")
        await alice.evaluate("for (const press of [1, 2]) document.querySelector('#forwardForm').requestSubmit()")

        await alice.is_told("Forwarded to")
        assert await in_store(alice, "return (await store.search('for all to know')).total") == 2
        assert await until(lambda: read_all(carol)) == ["for all to know"]
        await alice.switches_to(carol)
        assert await alice.value("#chatBody") == "half a thought"

    async def test_enter_forwards_to_nobody_while_there_is_a_choice(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await talks_to(alice, bob, "not for all")

        await does(alice, "forward", "not for all")
        await alice.until("document.querySelectorAll('#forwardList button').length === 2")
        await alice.key("Enter")

        assert await alice.evaluate("document.querySelector('#forwardDialog').open")
        assert await in_store(alice, "return (await store.search('not for all')).total") == 1

    async def test_info_says_the_whole_reason_of_a_failure_and_ids_only_under_details(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await bob.call("DELETE", "/v1/me")
        alice.expects("status of 404")
        await alice.says("anybody there?")
        await alice.shows(".chat-line.failed")

        await does(alice, "info", "anybody there?")

        await alice.shows("#infoFacts", "Ask for a new invite link, or retry later.")
        assert await alice.text("#infoText") == "anybody there?"
        assert await alice.count("#infoTechnical") == 0
        await alice.click("#infoDetails summary")
        await alice.shows("#infoTechnical", relay.url)

    async def test_info_says_who_wrote_a_message_and_when_it_came(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await bob.send(
            await address_of(alice), json.dumps({"text": "from an old client", "ts": 1_700_000_000_000}).encode()
        )
        await alice.click(".chat-tab-label")

        await does(alice, "info", "from an old client")

        await alice.shows("#infoFacts", "Received here")
        assert "2023" in await alice.text("#infoFacts")
        assert "by the sender's clock" in await alice.text("#infoFacts")
        assert "Sent by an older client" in await alice.text("#infoFacts")

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", [(320, 640), (1280, 800)], ids=["phone", "desktop"])
    async def test_axe_finds_nothing_in_what_they_open(self, relay, browser, axe, size, scheme):
        alice, bob = await browser.person(relay, size=size, scheme=scheme), await relay.register()
        await talks_to(alice, bob, "one")
        found = {}
        for action, shown in {
            "": "#messageMenu",
            "info": "#infoDialog",
            "forward": "#forwardDialog",
            "delete-here": "#toastUndo",
        }.items():
            await opens_menu(alice, "one")
            if action:
                await alice.click(f"[data-action={action}]")
            await alice.shows(shown)
            found[shown] = await findings(alice, axe) + await alice.evaluate(OVERFLOWING)
            await alice.key("Escape")
            await alice.until("!document.querySelector('dialog:modal')")

        assert {where: each for where, each in found.items() if each} == {}


async def talk(browser: Browser, relay: AnyRelay, **context: Any) -> tuple[Page, Page]:
    """Two people who have written to each other, so that each knows the other's device: "hello", "hello back"."""
    alice, bob = await browser.person(relay, **context), await browser.person(relay, **context)
    await begin_to_talk(alice, bob)
    return alice, bob


async def begin_to_talk(alice: Page, bob: Page) -> None:
    """Have two people write to each other, "hello" and "hello back"."""
    await alice.opens(bob.fingerprint)
    await bob.opens(alice.fingerprint)
    for one, other, text in ((alice, bob, "hello"), (bob, alice, "hello back")):
        await one.says(text)
        await other.sees(text)


async def replies(page: Page, to: str, text: str) -> None:
    """Answer a message."""
    await does(page, "reply", to)
    await page.shows("#answerBar", to)
    await page.says(text)


async def kept_drafts(page: Page, number: int, words: str = "") -> None:
    """Wait until so many drafts are stored, what they answer or edit among them, with these words in one."""
    await page.until(
        FROM_DATABASE
        % f"(await result(drafts.count())) === {number} && `${{await result(drafts.getAll())}}`.includes('{words}')"
    )


QUOTES = "[...document.querySelectorAll('.chat-quote')].map((each) => [...each.children].map((part) => part.textContent))"
REACTIONS = "[...document.querySelectorAll('.reaction')].map((each) => each.textContent + each.ariaPressed)"


REMOVE_WHAT_IS_SHOWN = """
    const shown = [...document.querySelectorAll(".chat-line")].map(({ dataset }) => Number(dataset.seq));
    for (const seq of shown) await store.removeMessage(seq);
"""
CLICKED_NOTIFICATION = """void navigator.serviceWorker.dispatchEvent(
    new MessageEvent("message", { data: { type: "open-thread", fingerprint: "%s" } }),
)"""


class TestBrowserChanges:
    """What people do with messages that both know of shows on both sides, and is said as what it is."""

    async def test_reply_shows_what_it_answers_and_leads_there(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await write_lines(bob, alice, 30)

        await replies(alice, "hello", "about that first word")
        await bob.sees("about that first word")

        await bob.until(f"{QUOTES}[0][1] === 'hello'")
        await alice.until(f"{QUOTES}[0].join() === 'You,hello'")
        await alice.evaluate("document.querySelector('.chat-quote').click()")
        await alice.shows(".chat-line.found", "hello")

    async def test_line_between_thread_and_composer_is_there_once(self, browser, relay):
        alice, _ = await talk(browser, relay)
        line = "(({ borderTopWidth }) => borderTopWidth)(getComputedStyle(%s))"

        assert await alice.evaluate(line % "composer") == "1px"
        await opens_menu(alice, "hello")
        await alice.click("#messageMenu [data-action=reply]")
        await alice.shows("#answerBar")

        assert [await alice.evaluate(line % each) for each in ("composer", "answerBar")] == ["0px", "1px"]

    async def test_answer_is_given_up_by_escape_and_the_draft_stays(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await alice.drafts("half a thought")

        await does(alice, "reply", "hello back")
        await alice.shows("#answerBar")
        await alice.key("Escape")
        await alice.until("!document.querySelector('#answerBar').checkVisibility()")
        await alice.key("Enter")

        await bob.sees("half a thought")
        assert await bob.count(".chat-quote") == 0

    async def test_answer_that_is_begun_is_one_after_a_reload(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await does(alice, "reply", "hello back")
        await alice.drafts("after a while")
        await kept_drafts(alice, 2, "after a while")

        await alice.reload()
        await alice.shows("#answerBar", "hello back")
        await alice.until(f"{BODY} === 'after a while'")
        await alice.drafts("")
        await alice.key("Enter")

        await bob.sees("after a while")
        await bob.until(f"{QUOTES}[0][1] === 'hello back'")
        await kept_drafts(alice, 0)

    async def test_edit_that_is_begun_goes_on_after_a_reload_and_the_draft_stays(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await alice.drafts("a draft")
        await does(alice, "edit", "hello")
        await alice.fill("#chatBody", "hello again")
        await kept_drafts(alice, 2, "hello again")

        await alice.reload()
        await alice.shows("#answerBar", "hello")
        await alice.until(f"{BODY} === 'hello again'")
        await alice.drafts("")
        await alice.key("Enter")

        await bob.sees("hello again")
        await alice.until(f"{BODY} === 'a draft'")
        await kept_drafts(alice, 1)

    @pytest.mark.service_worker
    async def test_edit_that_is_begun_outlives_a_click_on_a_notification(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await alice.opens((await relay.register()).fingerprint)
        await alice.switches_to(bob)
        await does(alice, "edit", "hello")
        await alice.fill("#chatBody", "hello again")

        for other in await alice.evaluate(
            "[...document.querySelectorAll('.chat-tab')].map(({ dataset }) => dataset.fingerprint)"
        ):
            await alice.evaluate(CLICKED_NOTIFICATION % other)
            await alice.until(f"location.hash === '#chat={other}'")
        await alice.switches_to(bob)

        await alice.shows("#answerBar", "hello")
        assert await alice.value("#chatBody") == "hello again"

    @pytest.mark.parametrize("place", ["the list's search", "the contact's panel"])
    async def test_escape_elsewhere_leaves_an_edit_that_is_begun(self, browser, relay, place):
        alice, bob = await talk(browser, relay)
        await does(alice, "edit", "hello")
        await alice.fill("#chatBody", "hello again")
        if place == "the list's search":
            await alice.fill("#listSearch", "needle")
        else:
            await panel_of(alice, bob)
            await alice.evaluate("document.querySelector('#contactName').focus()")

        await alice.key("Escape")

        await alice.until("!document.querySelector('#contactDialog').open && !document.querySelector('#listSearch').value")
        assert (await alice.count("#answerBar"), await alice.value("#chatBody")) == (1, "hello again")

    async def test_edit_that_is_begun_waits_while_another_view_is_shown(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await does(alice, "edit", "hello")
        await alice.fill("#chatBody", "hello again")

        await goes_to(alice, "library")
        await alice.key("Escape")
        await alice.evaluate("history.back()")

        await alice.shows("#view-chats")
        assert await alice.evaluate("location.hash") == f"#chat={bob.fingerprint}"
        assert (await alice.text("#answerText"), await alice.value("#chatBody")) == ("hello", "hello again")
        await alice.key("Escape")  # there again it is given up, as it would have been
        await alice.hides("#answerBar")

    async def test_edit_goes_on_in_one_tab_while_another_writes_something_else(self, browser, relay):
        alice, bob = await talk(browser, relay)
        tab = await alice.another_tab()
        await alice.to_front()
        await does(alice, "edit", "hello")
        await alice.fill("#chatBody", "hello again")
        await kept_drafts(alice, 1, "hello again")

        await tab.to_front()
        await tab.says("by the way")
        await alice.until(f"{ALL_BUBBLES}.includes('by the way')")
        await alice.evaluate(ALL_IS_HEARD)

        assert (await alice.text("#answerText"), await alice.value("#chatBody")) == ("hello", "hello again")
        await kept_drafts(alice, 1, "hello again")
        await alice.to_front()
        await alice.key("Enter")
        await bob.sees("hello again")

    async def test_answer_that_one_tab_sends_is_begun_no_more_in_another(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await does(alice, "reply", "hello back")
        await alice.drafts("so it is")
        await kept_drafts(alice, 2, "so it is")
        tab = await alice.another_tab()
        await tab.shows("#answerBar", "hello back")

        await tab.drafts("")
        await tab.key("Enter")

        await alice.hides("#answerBar")
        await alice.until(f"{BODY} === ''")
        await alice.to_front()
        await alice.says("and no answer")
        await bob.sees("and no answer")
        assert await bob.count(".chat-line-in .chat-quote") == 1

    async def test_focus_stays_where_it_is_when_what_is_answered_goes(self, browser, relay):
        alice, _ = await talk(browser, relay)
        await does(alice, "reply", "hello back")
        await alice.evaluate("document.querySelector('#listSearch').focus()")

        await in_store(alice, "await store.removeMessage(await at('hello back'))")

        await alice.hides("#answerBar")
        assert await alice.evaluate("document.activeElement.id") == "listSearch"

    async def test_nothing_is_kept_of_an_edit_whose_message_is_deleted(self, browser, relay):
        alice, _ = await talk(browser, relay)
        await does(alice, "edit", "hello")
        await alice.fill("#chatBody", "other words")
        await kept_drafts(alice, 1, "other words")

        await goes_to(alice, "library")
        await alice.reload()  # nobody has opened the thread since
        await goes_live(alice)
        await in_store(alice, "await store.removeMessage((await store.search('hello')).messages.at(-1).seq)")

        await kept_drafts(alice, 0)

    async def test_quote_of_what_is_not_here_is_shown_as_theirs(self, browser, relay):
        alice, bob = await talk(browser, relay)

        await in_store(alice, "await store.removeMessage(await at('hello back'))")
        await replies(bob, "hello back", "as I said")

        await alice.sees("as I said")
        await alice.until(f"{QUOTES}[0]?.[1].includes('it is not on this device')")

    async def test_reaction_is_shown_on_both_sides_and_the_own_one_toggles(self, browser, relay):
        alice, bob = await talk(browser, relay)

        await does(alice, "react", "hello back")
        await alice.click("#reactChoices button", "👍")
        await bob.until(f"{REACTIONS}.join() === '👍1false'")
        await bob.evaluate("document.querySelector('.reaction').focus()")
        await in_store(
            bob, "store.emit('message', { message: { ...(await store.message(await at('hello back'))), read_at: 1 } })"
        )
        await bob.until("document.querySelector('.chat-line-out.read')")
        assert await bob.evaluate("document.activeElement.className") == "reaction"  # which a receipt takes from nobody
        await bob.click(".reaction")
        await alice.until(f"{REACTIONS}.join() === '👍2true'")
        await alice.click(".reaction")

        await bob.until(f"{REACTIONS}.join() === '👍1true'")

    async def test_reaction_takes_any_emoji_and_nothing_else(self, browser, relay):
        alice, bob = await talk(browser, relay)

        await does(alice, "react", "hello back")
        await alice.fill("#reactEmoji", "well done")
        await alice.key("Enter")
        await alice.shows("#reactStatus", "One emoji")
        await alice.fill("#reactEmoji", "👩🏽‍🚀")
        await alice.key("Enter")

        await bob.until(f"{REACTIONS}.join() === '👩🏽‍🚀1false'")

    async def test_edited_message_says_so_and_has_its_earlier_words_on_request(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await alice.drafts("a draft")

        await does(alice, "edit", "hello")
        assert await alice.value("#chatBody") == "hello"
        await alice.fill("#chatBody", "hello there")
        await alice.key("Enter")

        await bob.sees("hello there")
        await bob.click(".chat-edited")
        await bob.shows("#infoEarlierList", "hello")
        assert await alice.value("#chatBody") == "a draft"

    async def test_edit_too_long_for_the_server_is_refused_and_can_be_shortened(self, browser, relays):
        alice, bob = await talk(browser, await relays(MAX_MESSAGE_BYTES="4096"))
        await knows_limits(alice)

        await does(alice, "edit", "hello")
        await alice.fill("#chatBody", "x" * 4000)
        await alice.key("Enter")

        await alice.shows("#chatSendStatus", "too long for the server")
        await alice.fill("#chatBody", "hello there")
        await alice.key("Enter")
        await bob.sees("hello there")

    async def test_message_deleted_for_both_leaves_a_mark_and_can_not_be_answered(self, browser, relay):
        alice, bob = await talk(browser, relay)

        await does(alice, "delete-both", "hello")
        await agrees(alice, "Delete for both?")

        await bob.shows(".chat-line-in.deleted .chat-bubble", "Deleted")
        assert "hello there" not in await bob.text("#chatMessages")
        await opens_menu(bob, "Deleted")
        assert await bob.evaluate(OFFERED) == ["info", "delete-here"]

    async def test_deletion_for_both_is_asked_for_and_cancelled_with_enter(self, browser, relay):
        alice, _ = await talk(browser, relay)

        await does(alice, "delete-both", "hello")
        await alice.shows("#confirmDialog")
        await alice.key("Enter")

        await alice.until("!document.querySelector('#confirmDialog').open")
        assert await alice.count(".chat-line.deleted") == 0

    async def test_edit_is_not_offered_after_a_day_nor_of_theirs(self, browser, relay):
        alice, _ = await talk(browser, relay)

        await opens_menu(alice, "hello back")
        theirs = await alice.evaluate(OFFERED)
        await alice.key("Escape")
        await sets_clock(alice, 25 * 3_600_000)
        await opens_menu(alice, "hello")

        assert "edit" not in theirs and "delete-both" not in theirs
        offered = await alice.evaluate(OFFERED)
        assert "edit" not in offered and "delete-both" in offered

    async def test_client_that_reads_words_only_is_offered_words_only(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, "from an old client")
        await alice.sees("from an old client")

        await opens_menu(alice, "from an old client")

        assert await alice.evaluate(OFFERED) == ["copy", "forward", "info", "delete-here"]

    async def test_states_say_how_far_a_message_came(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await goes_elsewhere(bob)

        await alice.says("are you there?")
        state = "[...document.querySelectorAll('.chat-line-out .chat-state')].at(-1).title"
        await alice.until(f"{state} === 'delivered'")
        await bob.switches_to(alice)

        await alice.until(f"{state} === 'read'")

    @pytest.mark.whole_browser
    async def test_older_messages_are_shown_when_all_on_screen_went_behind_another_tab(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, *(f"line {number}" for number in range(60)))
        await alice.sees("line 59")
        await alice.reload()
        await alice.sees("line 59")

        await hide(alice)
        await in_store(alice, REMOVE_WHAT_IS_SHOWN)
        await alice.to_front()

        await alice.sees("line 0")

    async def test_timer_is_set_in_the_contact_and_counts_down_in_info(self, browser, relay):
        alice, bob = await talk(browser, relay)

        await panel_of(alice, bob)
        await chooses_filter(alice, "#contactTimer", "3600")
        await closes_panel(alice)
        await bob.shows(".chat-line.event", "Messages here go 1 hour after they were read.")
        await bob.says("not for long")
        await alice.sees("not for long")

        await does(alice, "info", "not for long")
        await alice.shows("#infoTimer", "Goes in 59 minutes")

    async def test_first_message_of_all_tells_of_no_new_device(self, browser, relay):
        alice, bob = await talk(browser, relay)

        assert await alice.count(".chat-line.event") == 0
        assert await bob.count(".chat-line.event") == 0

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(("size", "text"), [((320, 640), 100), ((390, 844), 200), ((1280, 800), 100)])
    async def test_axe_finds_nothing_in_what_was_changed(self, relay, browser, axe, size, text, scheme):
        alice, _ = await talk(browser, relay, size=size, scheme=scheme)
        await replies(alice, "hello back", "an answer")
        await does(alice, "react", "hello back")
        await alice.click("#reactChoices button", "👍")
        await does(alice, "edit", "hello")
        await alice.evaluate(f"document.documentElement.style.fontSize = '{text}%'")

        found = {"thread": await findings(alice, axe) + await alice.evaluate(OVERFLOWING)}
        await alice.key("Escape")
        await does(alice, "react", "hello back")
        found["dialog"] = await findings(alice, axe) + await alice.evaluate(OVERFLOWING)

        assert found == {"thread": [], "dialog": []}


async def write_lines(sender: Page, reader: Page, number: int) -> None:
    """Have many short messages sent and read."""
    for line in range(number):
        await sender.says(f"line {line}")
    await reader.sees(f"line {number - 1}")


ENDS_RIGHT_AFTER_A_KEY = """(async () => {
    document.querySelector("#chatSearch").dispatchEvent(new Event("input", { bubbles: true }));
    document.querySelector("#chatSearchClose").click();
    await new Promise((resolve) => setTimeout(resolve, 200)); // more than it waits for another key
})()"""


# The history can't be read until something has come.
SEARCHES_WHILE_ONE_COMES = """(async () => {
    const { Database, result } = await import("/store/database.js");
    let [isHeld, hasCome] = [false, false];
    const holding = Database.shared.write(["messages"], async ({ messages }) => {
        while (!hasCome) {
            await result(messages.count());
            isHeld = true;
        }
    });
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    while (!isHeld) await pause(1);
    document.querySelector("#chatSearchOpen").click();
    document.querySelector("#chatSearch").value = "needle";
    document.querySelector("#chatSearch").dispatchEvent(new Event("input", { bubbles: true }));
    await pause(200); // more than it waits for another key
    const [speaker, listener] = [1, 2].map(() => new BroadcastChannel("io3233-store"));
    const heard = new Promise((resolve) => listener.onmessage = resolve);
    speaker.postMessage({ type: "messages", detail: { messages: [], received: true } });
    await heard;
    hasCome = true;
    await holding;
})()"""


class TestBrowserSearchInChat:
    """Every message of the open thread that has the words is found, counted, shown and marked."""

    async def test_hits_of_this_chat_are_counted_and_gone_through_from_the_newest(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await write(carol, alice, "a needle of another chat")
        await write(bob, alice, "the first needle", *(f"hay {number}" for number in range(200)), "Nëedle again", "hay")
        await alice.until("document.title.startsWith('(204) ')")
        await alice.opens(bob.fingerprint)

        await alice.click("#chatSearchOpen")
        await alice.fill("#chatSearch", "needle")

        await alice.shows("#chatSearchCount", "1 of 2")
        await alice.until(in_sight("Nëedle again"))
        await alice.key("Enter")
        await alice.shows("#chatSearchCount", "2 of 2")
        await alice.until(in_sight("the first needle"))
        await alice.key("Enter", SHIFT)
        await alice.until(in_sight("Nëedle again"))

    async def test_head_of_the_chat_stays_in_sight_when_a_message_is_found(self, browser, relay):
        alice, bob = await browser.person(relay, size=(390, 400)), await relay.register()
        await write(bob, alice, "the needle", *(f"hay {number}" for number in range(30)))
        await alice.until("document.title.startsWith('(31) ')")
        await alice.goto(f"{relay.url}/chats#chat={bob.fingerprint}")
        await alice.sees("the needle")

        await alice.click("#chatSearchOpen")
        await alice.fill("#chatSearch", "needle")
        await alice.until("CSS.highlights.get('hit')?.size === 1")

        assert (await box_of(alice, "#chatThreadHead"))["top"] == 0
        scrolled = "[...document.querySelectorAll('#main, #view-chats, #chatThread')].map((each) => each.scrollTop)"
        assert await alice.evaluate(scrolled) == [0, 0, 0]

    async def test_words_that_are_found_are_marked_also_in_the_rest_of_a_long_message(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "word " * 5_000 + "ﬁne needle", "hay")
        await alice.click(".chat-tab-label")
        await alice.sees("hay")

        await alice.click("#chatSearchOpen")
        await alice.fill("#chatSearch", "fine NEEDLE")

        marked = "[...(CSS.highlights.get('hit') ?? [])].map((range) => range.toString())"
        await alice.until(f"{marked}.join() === 'ﬁne needle'")
        assert await alice.evaluate("document.activeElement.id") == "chatSearch"
        visible = "(([range], box) => box.bottom > range.getBoundingClientRect().top)"
        assert await alice.evaluate(
            f"{visible}([...CSS.highlights.get('hit')], document.querySelector('#chatMessages').getBoundingClientRect())"
        )

    async def test_count_keeps_up_with_what_arrives_and_goes(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "needle one", "needle two")
        await alice.click(".chat-tab-label", "needle two")
        await alice.click("#chatSearchOpen")
        await alice.fill("#chatSearch", "needle")
        await alice.shows("#chatSearchCount", "1 of 2")

        await write(bob, alice, "needle three")
        await alice.shows("#chatSearchCount", "2 of 3")
        await in_store(alice, "await store.removeMessage(await at('needle one'))")

        await alice.shows("#chatSearchCount", "2 of 2")

    @pytest.mark.parametrize("way", ["Escape", "the browser's history", "its button", "another thread"])
    async def test_search_ends_by_itself_and_without_leaving_the_thread(self, browser, relay, way):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await talks_to(alice, bob, "needle")
        await alice.click("#chatSearchOpen")
        await alice.fill("#chatSearch", "needle")
        await alice.shows("#chatSearchCount", "1 of 1")

        if way == "another thread":
            await alice.switches_to(carol)
        else:
            await {"Escape": lambda: alice.key("Escape"), "its button": lambda: alice.click("#chatSearchClose"),
                   "the browser's history": lambda: alice.evaluate("history.back()")}[way]()  # fmt: skip

        await alice.until("!document.querySelector('#chatSearch').checkVisibility()")
        shown = carol if way == "another thread" else bob
        assert await alice.evaluate("location.hash") == f"#chat={shown.fingerprint}"
        assert await alice.evaluate("[...CSS.highlights.get('hit')].length") == 0

    async def test_search_that_was_left_for_another_view_takes_no_step_back(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "needle")
        await alice.click("#chatSearchOpen")
        await goes_to(alice, "library")
        await alice.key("f", CONTROL | SHIFT)  # nothing is on screen that it could search

        await alice.evaluate("history.back()")

        await alice.shows("#view-chats")
        assert await alice.count("#chatSearch") == 0

    async def test_message_that_comes_where_nothing_was_found_is_counted_and_not_scrolled_to(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "hay")
        await alice.click("#chatSearchOpen")
        await alice.fill("#chatSearch", "needle")
        await alice.shows("#chatSearchCount", "none")

        await write(bob, alice, "a needle")
        await alice.shows("#chatSearchCount", "1 of 1")

        assert await alice.count("#chatMessages .chat-line.found") == 0

    async def test_message_that_comes_while_a_history_is_read_leaves_the_search_to_go_on(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "needle")

        await alice.evaluate(SEARCHES_WHILE_ONE_COMES)

        await alice.shows("#chatSearchCount", "1 of 1")
        await alice.shows("#chatMessages .chat-line.found", "needle")

    async def test_search_that_ends_right_after_a_key_asks_for_nothing(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await talks_to(alice, bob, "needle")
        await alice.click("#chatSearchOpen")

        await alice.evaluate(ENDS_RIGHT_AFTER_A_KEY)

        assert await alice.text("#toastText") == ""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", [(320, 640), (1280, 800)], ids=["phone", "desktop"])
    async def test_axe_finds_nothing_while_searching(self, relay, browser, axe, size, scheme):
        alice, bob = await browser.person(relay, size=size, scheme=scheme), await relay.register()
        await talks_to(alice, bob, "one needle", "another needle")

        await alice.key("f", CONTROL | SHIFT)
        await alice.fill("#chatSearch", "needle")
        await alice.shows("#chatSearchCount", "1 of 2")

        assert await findings(alice, axe) + await alice.evaluate(OVERFLOWING) == []


# ------------------------------------------------------------------------------------------------------------------------
# Browser: storage that goes away
# ------------------------------------------------------------------------------------------------------------------------


async def loses_storage(page: Page, relay: AnyRelay, *kinds: str) -> None:
    """Have the browser throw these kinds of the page's storage away, as it does when space runs short."""
    await page.call("Storage.clearDataForOrigin", origin=relay.url, storageTypes=",".join(kinds))


async def closes_connections(page: Page, relay: AnyRelay) -> None:
    """Have the browser close the page's connections to IndexedDB, as it does after a failed write."""
    inside = await page.browser.page(page.context)
    await inside.goto("chrome://indexeddb-internals")
    mine = f"[...document.querySelectorAll('.indexeddb-origin')].find((each) => each.textContent.includes({json.dumps(relay.url)}))"
    await inside.until(f"{mine}?.querySelector('.force-close')")
    await inside.evaluate(f"{mine}.querySelector('.force-close').click()")
    await inside.until(f"{mine}.querySelector('.connection-count').textContent.trim() === '0'")
    await inside.call("Page.close")
    await page.to_front()


# As in WebKit after its storage process has ended: the page that had the database does not get it again.
REFUSE_TO_OPEN = "void (IDBFactory.prototype.open = () => { throw new DOMException('Connection lost', 'UnknownError') })"


# It gets it again, but not before `window.release()`.
OPENS_LATE = """void ((open) => {
    IDBFactory.prototype.open = function (...called) {
        const held = {};
        window.release = () => {
            const request = open.apply(this, called);
            request.onsuccess = () => Object.assign(held, { result: request.result }).onsuccess();
        };
        return held;
    };
})(IDBFactory.prototype.open)"""


@pytest.fixture
async def page_on_small_disk(relays: Any) -> AsyncIterator[tuple[Page, Path]]:
    """A page of a browser whose whole profile is on a small disk, and a file there that fills it when it grows."""
    disk = Path(tempfile.mkdtemp(prefix="io3233-"))  # a short path: Chromium has a socket there
    mount = ["mount", "-t", "tmpfs", "-o", "size=96M", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        with running_chromium(disk) as address:
            async with connected_to(address, Browser) as browser:
                browser.has_workers = False  # what one leaves behind when it finds no room is room
                targets = (await browser.call("Target.getTargets"))["targetInfos"]
                on_disk = next(each["browserContextId"] for each in targets if each["type"] == "page")
                yield await browser.page(on_disk), disk / "filler"
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
        disk.rmdir()


def fill_up(filler: Path) -> None:
    """Leave not a byte on its disk."""
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(2**20)):
            pass


async def comes_back_without(page: Page, relay: AnyRelay, *kinds: str) -> None:
    """Close the page, lose its storage, and open it again."""
    await page.goto("about:blank")
    await loses_storage(page, relay, *kinds)
    await page.goto(relay.url)


# Whether keys were made: the number of identities stored.
IDENTITIES = """new Promise((done) => (indexedDB.open("io3233").onsuccess = ({ target: { result: db } }) =>
    (db.transaction("kv").objectStore("kv").count("identity").onsuccess = ({ target }) => done(target.result) || db.close())))"""


def version_1_of(key: PrivateKey, bob: Person, origin: str) -> dict[str, Any]:
    """What the database of the first version holds of somebody who chats with Bob; bytes are lists of numbers."""
    public_key = bytes(key.public_key)
    fingerprint = relay_module.fingerprint_of(public_key).hex()
    at = {"contact": bob.fingerprint, "relay": origin, "kind": "text", "at": 1_700_000_000_000}
    sent = {"direction": "out", "error": "", "retriable": False}
    flags = {"verified": True, "muted": False, "blocked": False, "open": True, "unread": 0, "refused": 0}
    latest = {"last_seq": 3, "last_at": at["at"], "last_text": "still to be sent", "last_direction": "out"}
    named = {"fingerprint": bob.fingerprint, "name": "Bobby", "relay": origin, "public_key": list(bob.public_key)}
    return {
        "identity": {"fingerprint": fingerprint, "public_key": list(public_key), "secret_key": list(bytes(key))},
        "contacts": [named | flags | latest | {"added_at": at["at"]}],
        "drafts": [[bob.fingerprint, "half a thought"]],
        "messages": [
            at | {"seq": 1, "direction": "in", "text": "from bob", "envelope_id": "A" * 22},
            at | sent | {"seq": 2, "text": "to bob", "envelope_id": "B" * 22, "state": "relayed"},
            at | sent | {"seq": 3, "text": "still to be sent", "envelope_id": "C" * 22, "state": "queued", "queued_for": bob.fingerprint},
        ],
        "seen": [f"{bob.fingerprint} {'A' * 22}"],
        "relays": [{"origin": origin, "cursor": 0, "erased_through": 0, "refused": 0, "added_at": at["at"]}],
    }  # fmt: skip


# Version 1 of the database as it was made then, from a page that runs none of the client.
FIRST_DATABASE = """async (kept) => {
    const request = indexedDB.open("io3233", 1);
    request.onupgradeneeded = () => {
        const made = (name, options) => request.result.createObjectStore(name, options);
        const [kv, drafts, seen] = ["kv", "drafts", "seen"].map((name) => made(name));
        const [contacts, relays] = [["contacts", "fingerprint"], ["relays", "origin"]].map(([name, keyPath]) => made(name, { keyPath }));
        const messages = made("messages", { keyPath: "seq", autoIncrement: true });
        messages.createIndex("thread", ["contact", "seq"]);
        messages.createIndex("queued", "queued_for");
        const { fingerprint, public_key, secret_key } = kept.identity;
        kv.put({ fingerprint, public_key: Uint8Array.from(public_key), secret_key: Uint8Array.from(secret_key) }, "identity");
        for (const contact of kept.contacts) contacts.put({ ...contact, public_key: Uint8Array.from(contact.public_key) });
        for (const [contact, text] of kept.drafts) drafts.put(text, contact);
        for (const message of kept.messages) messages.put(message);
        for (const key of kept.seen) seen.put(1, key);
        for (const relay of kept.relays) relays.put(relay);
    };
    await new Promise((resolve, reject) => Object.assign(request, { onsuccess: resolve, onerror: () => reject(request.error) }));
    request.result.close();
}"""


class TestBrowserStorage:
    """What this browser keeps may go away under the page: it says so, makes nothing up, and goes on where it can."""

    @pytest.mark.parametrize("kinds", ["indexeddb", "indexeddb,cache_storage", "indexeddb,local_storage"])
    async def test_lost_database_is_told_before_any_key_is_made(self, browser, relay, kinds):
        alice = await browser.person(relay)

        await comes_back_without(alice, relay, kinds)

        await alice.shows("#lost", f"3233:{alice.fingerprint[:32]}")
        assert await alice.count(".view, header, nav") == 0
        assert await alice.evaluate(IDENTITIES) == 0

    async def test_database_of_version_1_is_read_on_with_all_that_is_in_it(self, browser, relay):
        bob, key = await relay.register(), PrivateKey.generate()
        page = await browser.page()
        await page.goto(f"{relay.url}/healthz")
        await page.evaluate(f"({FIRST_DATABASE})({json.dumps(version_1_of(key, bob, relay.url))})")

        await page.goto(f"{relay.url}/chats#chat={bob.fingerprint}")
        await page.has_keys()
        await page.until(f"{ALL_BUBBLES}.join() === 'from bob,to bob,still to be sent'")
        await page.until(f"{BODY} === 'half a thought'")
        await page.shows("#threadName", "Bobby")
        assert page.public_key == bytes(key.public_key)
        assert await until(lambda: read_all(bob)) == ["still to be sent"]

        await post(bob, page, text="from bob", id="A" * 22)  # which the relay delivers again
        await post(bob, page, text="since")
        await page.until(f"{ALL_BUBBLES}.join() === 'from bob,to bob,still to be sent,since'")

    async def test_new_keys_are_made_in_place_of_lost_ones_only_after_asking(self, browser, relay):
        alice = await browser.person(relay)
        await comes_back_without(alice, relay, "indexeddb")

        await alice.click("#lostAnew")
        await declines(alice, "Start with new keys?")
        await alice.reload()
        await alice.click("#lostAnew")
        await agrees(alice, "Start with new keys?")

        await alice.until(f"/^[0-9a-f]{{64}}$/.test(fpFull.textContent) && fpFull.textContent !== '{alice.fingerprint}'")
        await alice.reload()
        await goes_live(alice)

    async def test_backup_brings_back_what_the_browser_lost(self, browser, relay, tmp_path):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.says("before")
        await alice.has_relayed(1)
        backup = await exports(alice, tmp_path)
        await comes_back_without(alice, relay, "indexeddb")

        await alice.click("#lostRestore")
        await opens_backup(alice, backup)
        await alice.shows("#importReplaces", "no keys here now")
        await alice.click("#importGo")

        await alice.until(f"document.querySelector('#fpFull')?.textContent === '{alice.fingerprint}'")
        await alice.click(".chat-tab-label")
        await alice.until(f"{ALL_BUBBLES}.join() === 'before'")

    async def test_keys_survive_a_database_that_is_deleted_under_the_page(self, browser, relay):
        alice = await browser.person(relay)

        await loses_storage(alice, relay, "indexeddb")
        await alice.shows("#lost", f"3233:{alice.fingerprint[:32]}")
        await alice.click("#lostKeep")

        await alice.until(f"!document.body.hasAttribute('data-lost') && fpFull.textContent === '{alice.fingerprint}'")
        await goes_live(alice)

    @pytest.mark.whole_browser
    async def test_connection_that_the_browser_closes_is_opened_again_unnoticed(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.drafts("typed be")

        await closes_connections(alice, relay)
        await alice.drafts("fore")
        await alice.key("Enter")
        await write(bob, alice, "and after")

        await alice.has_relayed(1)
        await alice.sees("and after")
        assert await alice.sent() == ["typed before"]
        assert await alice.count("#storageNotice") == 0

    @pytest.mark.whole_browser
    async def test_what_is_typed_while_nothing_can_be_stored_outlives_the_reload_that_helps(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.evaluate(REFUSE_TO_OPEN)
        await closes_connections(alice, relay)
        await alice.drafts("still here")
        await alice.shows("#storageNotice", "often only a reload helps")
        await alice.click("#storageReload")

        await alice.until("document.querySelector('#chatBody').value === 'still here'")
        await alice.until(FROM_DATABASE % "(await result(drafts.getAll())).join() === 'still here'")
        assert await alice.count("#storageNotice") == 0

    @pytest.mark.whole_browser
    async def test_what_is_sent_while_nothing_can_be_stored_is_a_draft_again_after_a_reload(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.evaluate(REFUSE_TO_OPEN)
        await closes_connections(alice, relay)
        await alice.says("sent in vain")
        await alice.drafts("typed since")
        await alice.reload()

        await alice.until(f"{BODY} === 'sent in vain\\ntyped since'")
        assert await alice.sent() == []

    @pytest.mark.whole_browser
    async def test_what_is_sent_before_storage_opens_again_is_sent_once_and_no_draft(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.evaluate(OPENS_LATE)
        await closes_connections(alice, relay)
        await alice.says("all in good time")
        await alice.until("window.release")  # it has heard that its connection is gone
        await alice.evaluate("window.release()")
        await alice.has_relayed(1)
        await alice.reload()

        await alice.until(f"{ALL_BUBBLES}.join() === 'all in good time'")
        assert await alice.value("#chatBody") == ""
        assert await read_once(bob) == ["all in good time"]

    async def test_full_disk_is_told_and_all_goes_on_once_there_is_room(self, relay, page_on_small_disk):
        (alice, filler), bob = page_on_small_disk, await relay.register()
        alice.expects("StorageError", "QuotaExceededError")
        await alice.goto(relay.url)
        await alice.has_keys()
        await alice.opens(bob.fingerprint)

        fill_up(filler)
        await alice.drafts("x" * 60_000)
        await write(bob, alice, "mail meanwhile")
        await alice.shows("#storageNotice", "no room left")
        filler.unlink()

        await alice.sees("mail meanwhile")
        await alice.until("document.querySelector('#storageNotice').hidden")
        await alice.until(FROM_DATABASE % "(await result(drafts.getAll())).join().length === 60000")
        await alice.key("Enter")
        await alice.has_relayed(1)

    async def test_page_that_starts_on_a_full_disk_waits_for_room(self, relay, page_on_small_disk):
        alice, filler = page_on_small_disk
        alice.expects("Failed to access storage")
        await alice.goto(relay.url)
        await alice.has_keys()
        await alice.goto("about:blank")

        fill_up(filler)
        await alice.goto(relay.url)
        await alice.shows("#storageNotice", "no room left")
        filler.unlink()

        await alice.until(f"fpFull.textContent === '{alice.fingerprint}'")
        await goes_live(alice)

    @pytest.mark.parametrize("storage", ["null", "(() => { throw new DOMException('off', 'SecurityError') })()"])
    async def test_page_starts_without_local_storage(self, browser, relay, storage):
        page = await browser.page()
        absent = "for (const name of ['localStorage', 'sessionStorage'])"
        source = f"{absent} Object.defineProperty(window, name, {{ get: () => {storage} }})"
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=source)

        await page.goto(relay.url)
        await page.has_keys()
        await goes_live(page)
        await page.reload()

        await page.until(f"fpFull.textContent === '{page.fingerprint}'")

    @pytest.mark.parametrize(
        ("open_it", "sentence"),
        [
            ("throw new DOMException('no', 'SecurityError')", "does not let the page store anything"),
            ("return {}", "does not open what is stored here yet"),
            ("throw new DOMException('no', 'UnknownError')", "often only a reload helps"),
        ],
    )
    async def test_page_that_can_keep_nothing_says_so_and_makes_no_keys(self, browser, relay, open_it, sentence):
        page = await browser.page()
        source = f"IDBFactory.prototype.open = () => {{ {open_it} }}"
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=source)

        await page.goto(relay.url)

        await page.shows("#storageNotice", sentence)
        assert await page.evaluate("inviteLinkInput.placeholder") == "no keys: see above"
        assert await page.text("#fpFull") == ""

    async def test_page_whose_storage_opens_and_does_not_read_says_so_until_it_does(self, browser, relay):
        other = await browser.person(relay)
        await holds_store(other, "kv")
        page = await browser.page(other.context)
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=FAST_CLOCK)

        await page.goto(f"{relay.url}/newchat")
        await page.shows("#storageNotice", "does not open what is stored here yet")
        await other.evaluate("window.release()")

        await page.hides("#storageNotice")
        await page.until(f"fpFull.textContent === '{other.fingerprint}'")

    async def test_settings_tell_that_the_browser_may_delete_everything(self, browser, relay):
        page = await browser.person(relay)
        await page.click("#settingsOpen")
        await page.shows("#persistenceHint", "may delete your keys")
        await page.click("#persistenceAsk")
        await page.is_told("The browser said no")

        await page.permit("persistent-storage")
        await page.click("#persistenceAsk")

        await page.shows("#persistenceHint", "until you delete it")
        assert await page.count("#persistenceAsk") == 0


# ------------------------------------------------------------------------------------------------------------------------
# Browser: tabs
# ------------------------------------------------------------------------------------------------------------------------


def sockets(*pages: Page) -> int:
    """How many WebSockets these pages have opened since they were made."""
    return sum(url.startswith("ws:") for page in pages for url in page.requests)


async def crashes(tab: Page) -> None:
    """End a tab without a word, as a lack of memory does."""
    tab.expects("Inspector.targetCrashed")
    await tab.call("Inspector.enable")
    never_answered = asyncio.create_task(tab.call("Page.crash"))
    await until(lambda: "Inspector.targetCrashed" in tab.complaints)
    never_answered.cancel()


class TestBrowserTabs:
    """Two tabs of one browser are one device."""

    async def test_tabs_share_one_socket_and_show_the_same_once(self, browser, relay):
        alice, bob = await browser.person(relay, watched=True), await relay.register()
        await alice.opens(bob.fingerprint)
        tab = await alice.another_tab()

        await tab.says("from the second")
        await write(bob, alice, "to both")

        for each in (alice, tab):
            await each.sees("to both")
            await each.has_relayed(1)
            assert sorted(await each.evaluate(ALL_BUBBLES)) == ["from the second", "to both"]
        assert await read_all(bob) == ["from the second"]
        assert sockets(alice, tab) == 1

    async def test_theme_that_another_tab_chose_is_the_one_that_settings_show(self, browser, relay):
        alice = await browser.person(relay)
        tab = await alice.another_tab()

        await tab.click("#themeToggle")

        await alice.until("document.documentElement.dataset.theme === 'dark'")
        await alice.until("document.querySelector('[name=theme][value=dark]').checked")

    async def test_second_tab_takes_over_when_the_first_is_closed(self, browser, relay):
        alice, bob = await browser.person(relay, watched=True), await relay.register()
        await alice.opens(bob.fingerprint)
        tab = await alice.another_tab()

        await alice.call("Page.close")
        await until(lambda: sockets(tab) == 1)
        await goes_live(tab)
        await tab.says("still here")
        await write(bob, tab, "so am I")

        await tab.sees("so am I")
        await tab.has_relayed(1)
        assert await tab.evaluate(ALL_BUBBLES) in (["still here", "so am I"], ["so am I", "still here"])

    async def test_reading_in_one_tab_is_reading_in_both(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        tab = await alice.another_tab()
        await write(bob, alice, "read me")
        for each in (alice, tab):
            await each.until("document.title.startsWith('(1) ')")

        await tab.click(".chat-tab-label")
        await tab.sees("read me")

        for each in (alice, tab):
            await each.until("!document.title.startsWith('(')")

    async def test_crashed_tab_reads_nothing(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, "seen")
        await alice.sees("seen")
        tab = await alice.another_tab()
        await tab.sees("seen")
        await goes_elsewhere(alice)

        await tab.to_front()
        await crashes(tab)
        await write(bob, alice, "seen by nobody")

        await alice.until("document.title.startsWith('(1) ')")

    async def test_tab_that_was_not_typed_in_leaves_the_other_tabs_draft_alone(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        tab = await alice.another_tab()
        await tab.shows("#chatThread")
        await alice.to_front()
        await alice.drafts("in the first tab")
        stored = FROM_DATABASE % "(await result(drafts.getAll())).join()"
        await alice.until(f"{stored}.then((drafts) => drafts === 'in the first tab')")

        await tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

        assert await tab.evaluate(stored) == "in the first tab"

    async def test_panel_and_question_about_a_contact_go_when_another_tab_removes_it(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        tab = await alice.another_tab()
        await panel_of(tab, bob)
        await tab.click("label:has(#contactBlocked)")
        await tab.shows("#confirmTitle", "Block")

        await alice.to_front()
        await panel_of(alice, bob)
        await alice.click("#contactRemove")
        await agrees(alice, "Remove")

        await tab.until("!document.querySelector('dialog[open]') && !document.querySelector('.chat-tab')")

    async def test_new_keys_in_one_tab_are_the_other_tabs_keys(self, browser, relay):
        alice = await browser.person(relay)
        tab = await alice.another_tab()

        await tab.chooses("#headerNewKeys")
        await tab.click("#confirmOk")

        for each in (alice, tab):
            await each.until(f"/^[0-9a-f]{{64}}$/.test(fpFull.textContent) && fpFull.textContent !== '{alice.fingerprint}'")
        assert await alice.text("#fpFull") == await tab.text("#fpFull")


# ------------------------------------------------------------------------------------------------------------------------
# Browser: keyboard
# ------------------------------------------------------------------------------------------------------------------------


class TestBrowserKeyboard:
    """The keyboard alone is enough."""

    async def tab_to(self, page: Page, selector: str) -> None:
        """Press Tab until the element has the focus, and can be seen to have it."""
        for _ in range(80):
            if await page.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
                assert await page.evaluate("document.activeElement.matches(':focus-visible')")
                return
            await page.key("Tab")
        pytest.fail(f"Tab never comes to {selector}")

    async def test_chat_is_opened_and_answered(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()

        await self.tab_to(alice, "#openChatFp")
        await alice.type(bob.fingerprint)
        await alice.key("Enter")
        await alice.until("document.activeElement.id === 'chatBody'")
        await alice.type("no mouse here")
        await alice.key("Enter")

        assert await until(lambda: read_all(bob)) == ["no mouse here"]
        assert await alice.evaluate("document.activeElement.id") == "chatBody"

    async def test_thread_is_switched_and_answered(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.opens(carol.fingerprint)
        await alice.until("document.activeElement.id === 'chatBody'")
        await alice.evaluate("document.activeElement.blur()")

        await self.tab_to(alice, f'[data-fingerprint="{bob.fingerprint}"] .chat-tab-label')
        await alice.key("Enter")
        await alice.until("document.activeElement.id === 'chatBody'")
        await alice.type("back to you")
        await alice.key("Enter")

        assert await until(lambda: read_all(bob)) == ["back to you"]
        assert await read_all(carol) == []

    @in_both_browsers
    async def test_message_is_searched_and_found_in_its_thread(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, *(f"line {number}" for number in range(90)), "the needle", "and more hay")
        await alice.until("document.title.startsWith('(92) ')")

        await self.tab_to(alice, "#tab-library")
        await alice.key("Enter")
        await self.tab_to(alice, "#librarySearch")
        await alice.type("NEEDLE")
        await alice.until("document.querySelectorAll('.msg').length === 1")
        await self.tab_to(alice, ".msg-link")
        await alice.key("Enter")

        await alice.shows(".chat-line", "the needle")
        assert await alice.evaluate("document.activeElement !== document.body")

    async def test_invite_is_copied(self, browser, relay):
        alice = await browser.person(relay)
        await alice.permit("clipboard-read", "clipboard-write")

        await self.tab_to(alice, "#listMenuOpen")
        await alice.key("Enter")
        await self.tab_to(alice, "#headerCopyInvite")
        await alice.key("Enter")

        await alice.until("document.querySelector('#politeRegion').textContent.includes('Invite link copied')")
        assert await alice.evaluate("navigator.clipboard.readText()") == await alice.value("#inviteLinkInput")

    async def test_dialog_keeps_the_focus_and_gives_it_back(self, browser, relay):
        alice = await browser.person(relay)

        await self.tab_to(alice, "#listMenuOpen")
        await alice.key("Enter")
        await self.tab_to(alice, "#headerNewKeys")
        await alice.key("Enter")
        await alice.shows("#confirmDialog")
        for _ in range(8):
            await alice.key("Tab")
            assert await alice.evaluate("document.activeElement.matches('dialog *, body')")
        await alice.key("Escape")

        await alice.until("document.activeElement.id === 'listMenuOpen'")
        assert await alice.text("#fpFull") == alice.fingerprint

    async def test_arrows_walk_the_list_and_alt_arrows_change_the_chat(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.opens(carol.fingerprint)  # above bob's from now on
        in_focus = "document.activeElement.closest('.chat-tab')?.dataset.fingerprint"
        await alice.until("document.activeElement.id === 'chatBody'")

        await alice.evaluate("document.querySelector('.chat-tab-label').focus()")
        await alice.key("ArrowDown")
        assert await alice.evaluate(in_focus) == bob.fingerprint
        await alice.key("ArrowUp")
        assert await alice.evaluate(in_focus) == carol.fingerprint
        for fingerprint in (bob.fingerprint, carol.fingerprint):
            await alice.key("ArrowDown", ALT)
            await alice.until(f"location.hash === '#chat={fingerprint}'")

    async def test_keys_are_told_by_a_question_mark_that_is_no_text(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.until("document.activeElement.id === 'chatBody'")

        await alice.key("?")
        assert not await alice.count("#keysDialog")
        await alice.evaluate("document.activeElement.blur()")
        await alice.key("?")
        await alice.shows("#keysDialog", "Search in this chat")
        await alice.key("Escape")

        await alice.until("!document.querySelector('#keysDialog').open")

    async def test_search_is_a_key_away(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.key("f", CONTROL | SHIFT)
        await alice.until("document.activeElement.id === 'chatSearch'")
        await alice.key("Escape")
        await alice.until("document.activeElement.id === 'chatSearchOpen'")
        await alice.key("k", CONTROL)

        await alice.until("document.activeElement.matches('[type=search]:not(#chatSearch)')")

    @pytest.mark.parametrize(("view", "field"), [("library", "listSearch"), ("server", "addRelayUrl")])
    async def test_focus_stays_where_the_person_put_it_before_the_view_had_loaded(self, browser, relay, view, field):
        alice = await browser.person(relay)

        await alice.evaluate(f"document.querySelector('#tab-{view}').click(), document.querySelector('#{field}').focus()")
        loaded = f"performance.getEntriesByType('resource').some(({{ name }}) => name.endsWith('/{view}-view.js'))"
        await alice.until(loaded)
        await asyncio.sleep(0.3)

        assert await alice.evaluate("document.activeElement.id") == field

    async def test_address_typed_before_the_view_had_loaded_stays(self, browser, relay):
        alice = await browser.person(relay)

        await alice.evaluate("""document.querySelector('#tab-server').click();
            document.querySelector('#serverUrl').focus();
            document.querySelector('#serverUrl').value = 'https://chat.example.com'""")
        await alice.until("document.querySelector('#retentionDays').textContent === '14'")

        assert await alice.value("#serverUrl") == "https://chat.example.com"


# ------------------------------------------------------------------------------------------------------------------------
# Browser: plain http on a LAN
# ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def lan_relay(relay: RunningRelay) -> types.SimpleNamespace:
    """The relay under a name that only Chromium knows (LAN_NAME): unlike 127.0.0.1 it makes no secure context over http."""
    return types.SimpleNamespace(url=f"http://{LAN_NAME}:{relay.port}", register=relay.register)


class TestBrowserPlainHttp:
    """Over plain http a page has no crypto.subtle, clipboard, service worker or locks: it chats all the same."""

    @pytest.fixture(autouse=True)
    def no_opener_policy(self, browser):
        browser.expected.append("Cross-Origin-Opener-Policy header has been ignored")

    async def test_what_is_missing_is_said_in_one_line(self, browser, lan_relay):
        alice = await browser.person(lan_relay)

        assert not await alice.evaluate("isSecureContext || 'subtle' in crypto || 'serviceWorker' in navigator")
        await alice.shows("#contextNotice", "plain http")
        assert await alice.count("#contextNotice") == 1

    async def test_home_warns_of_an_invite_link_that_leads_others_to_themselves(self, relay, browser, lan_relay):
        here, elsewhere = await browser.person(relay), await browser.person(lan_relay)

        await here.shows("#loopbackNotice", "works on this computer only")

        assert await elsewhere.count("#loopbackNotice") == 0

    async def test_keys_chat_and_history_work(self, browser, lan_relay):
        alice, bob = await browser.person(lan_relay), await browser.person(lan_relay)

        await alice.opens(bob.fingerprint)
        await alice.says("over the LAN")
        await bob.switches_to(alice)
        await bob.sees("over the LAN")
        await bob.says("loud and clear")
        await alice.sees("loud and clear")
        await alice.reload()

        await alice.until(f"{ALL_BUBBLES}.join() === 'over the LAN,loud and clear'")
        assert await alice.text("#fpFull") == alice.fingerprint

    async def test_invite_link_is_copied_without_a_clipboard_api(self, browser, lan_relay):
        alice = await browser.person(lan_relay)

        await alice.click("#copyInviteLinkBtn")
        await alice.until("document.querySelector('#politeRegion').textContent.includes('Invite link copied')")
        await alice.fill("#openChatFp", "")
        await alice.call("Input.dispatchKeyEvent", type="keyDown", key="v", modifiers=CONTROL, commands=["paste"])

        assert await alice.value("#openChatFp") == await alice.value("#inviteLinkInput")

    async def test_bell_says_why_it_is_silent(self, browser, lan_relay):
        alice = await browser.person(lan_relay)

        await alice.click("#notifToggle")

        await alice.until("document.querySelector('#politeRegion').textContent.includes('https')")

    async def test_two_tabs_show_and_send_everything_once(self, browser, lan_relay):
        alice, bob = await browser.person(lan_relay), await lan_relay.register()
        await alice.opens(bob.fingerprint)
        tab = await alice.another_tab()

        await tab.says("once only")
        await write(bob, alice, "once, too")

        for each in (alice, tab):
            await each.goto(f"{lan_relay.url}/chats#chat={bob.fingerprint}")
            await each.sees("once, too")
            await each.has_relayed(1)
            assert sorted(await each.evaluate(ALL_BUBBLES)) == ["once only", "once, too"]
        assert await read_once(bob) == ["once only"]

    async def test_reloaded_tab_goes_on_at_once_with_what_it_was_sending(self, browser, lan_relay):
        alice, bob = await browser.person(lan_relay), await lan_relay.register()
        await alice.opens(bob.fingerprint)
        await alice.evaluate(POSTS_NEVER_LEAVE)

        await alice.says("claimed by this tab")
        await alice.until("window.posting")
        await alice.goto(f"{lan_relay.url}/chats#chat={bob.fingerprint}")

        await alice.has_relayed(1)
        assert await read_all(bob) == ["claimed by this tab"]


# ------------------------------------------------------------------------------------------------------------------------
# Browser: the README's pictures
# ------------------------------------------------------------------------------------------------------------------------

README_PICTURES = {"desktop": (1280, 800), "phone": (390, 844), "guest": (390, 844)}
# Who says it, and what: a message; a photo; an answer to a message, which stands before "|"; an emoji at one.
CONVERSATION = """
    < Are you still up for the lake on Saturday?
    > Yes! 24 degrees and hardly any wind, they say.
    <photo lake.jpg
    < From last summer 🙂
    >react From last summer 🙂 | ❤️
    > Shall I bring the blue boat or the small one?
    <reply Shall I bring the blue boat or the small one? | The blue one. Mum wants to come along 🚣
    < And the kettle, please. Last time we had only cold tea.
    > Kettle, stove, the good biscuits. Noted.
    <react Kettle, stove, the good biscuits. Noted. | 👍
    > I'll be there at nine. With the dog.
"""
# A lake, as a camera would see it.
LAKE = """async () => {
    const canvas = new OffscreenCanvas(1600, 900);
    const context = canvas.getContext("2d");
    const paint = (colours, draw, top = 0, bottom = 900) => {
        context.fillStyle = context.createLinearGradient(0, top, 0, bottom);
        colours.forEach((colour, at) => context.fillStyle.addColorStop(at / (colours.length - 1), colour));
        context.beginPath();
        draw();
        context.fill();
    };
    const hills = (heights, base) => () => {
        context.moveTo(0, base);
        heights.forEach((height, at) => context.lineTo((1600 * at) / (heights.length - 1), base - height));
        context.lineTo(1600, base);
    };
    paint(["#3b6ea5", "#9cc3df", "#f6dcb0"], () => context.rect(0, 0, 1600, 900), 0, 520);
    paint(["#fff6d8", "#ffe9a8"], () => context.arc(1180, 300, 70, 0, 7), 230, 370);
    paint(["#7d90ad", "#a9b7c6"], hills([90, 250, 170, 330, 210, 290, 120, 230, 80], 520), 190, 520);
    paint(["#31553f", "#4f7a52"], hills([190, 120, 60, 90, 30, 50, 110, 150, 240], 530), 290, 530);
    paint(["#e8cfa4", "#7fa9c4", "#2d5878"], () => context.rect(0, 520, 1600, 380), 520, 900);
    for (let at = 0; at < 26; at += 1) paint(["#fff2c8", "#ffe3a0"], () => context.rect(1180 - (60 + (at * 37) % 90), 530 + at * 13, 2 * (50 + (at * 53) % 80), 3));
    paint(["#1d2b36", "#3a2a20"], () => { context.moveTo(420, 700); context.lineTo(760, 700); context.lineTo(700, 750); context.lineTo(480, 750); }, 700, 750);
    paint(["#f4f1e8", "#d9d2c0"], () => { context.moveTo(590, 440); context.lineTo(590, 690); context.lineTo(740, 690); }, 440, 690);
    const octets = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 })).arrayBuffer());
    return (await import("/protocol/encoding.js")).toBase64(octets);
}"""
OTHER_THREADS = {
    "Grandpa Jan": "The photographs arrived, thank you ❤",
    "Mila": "see you at rehearsal",
    "Ruth": "Keys are in the shed",
}
LAST_WORDS = "or under the flowerpot"


class Story:
    """A person's page, and perhaps another's, whose clock is the relay's: a conversation of a morning is told in seconds."""

    def __init__(self, clock: Clock, page: Page, noor: Page | None = None) -> None:
        self.clock = clock
        self.page = page
        self.noor = noor or page

    async def moves(self, seconds: float) -> None:
        """Let time pass, for the relay and for the pages."""
        self.clock.advance(seconds)
        shift = round((self.clock.seconds - time.time()) * 1000)
        for page in (self.page, self.noor):
            await page.evaluate(f"(() => {{ Date.real ??= Date.now; Date.now = () => Date.real() + {shift} }})()")

    async def names(self, name: str, *, verified: bool = False) -> None:
        """Give the contact of the open thread a name, and perhaps the verified mark."""
        await self.page.click("#contactOpen")
        await self.page.fill("#contactName", name)
        await self.page.key("Enter")
        if verified:
            await self.page.click("label:has(#contactVerified)")
        await self.page.click("#contactDialog [data-close]")
        await self.page.shows("#threadName", name)

    async def is_told(self, folder: Path) -> None:
        """Talk with Noor, line by line."""
        for line in CONVERSATION.strip().splitlines():
            side, _, said = line.strip().partition(" ")
            await self.moves(140)
            one, other = (self.page, self.noor) if side[0] == ">" else (self.noor, self.page)
            await self.has(side[1:], one, other, said, folder)

    @staticmethod
    async def has(what: str, one: Page, other: Page, said: str, folder: Path) -> None:
        """Have one do what a line says, and the other see it."""
        at, _, rest = said.partition(" | ")
        match what:
            case "photo":
                (folder / said).write_bytes(unb64(await one.evaluate(f"({LAKE})()")))
                await attaches(one, folder / said)
                await other.shows(".chat-file.picture.loaded")
            case "react":
                await does(one, "react", at)
                await one.click("#reactChoices button", rest)
                await other.shows(".reaction", rest)
            case "reply":
                await does(one, "reply", at)
                await one.says(rest)
                await other.sees(rest)
            case _:
                await one.says(said)
                await other.sees(said)

    async def is_pictured(self, path: Path, width: int, height: int) -> None:
        """Take the picture with nothing pointed at, and without the short-lived line that an action left; dark on a phone."""
        theme = "light" if width > 600 else "dark"
        await self.page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        await self.page.resize(width, height)
        await self.page.call("Emulation.setScrollbarsHidden", hidden=True)
        await self.page.call("Input.dispatchMouseEvent", type="mouseMoved", x=width / 2, y=2)
        await self.page.until("!document.querySelector('#toast').checkVisibility()")
        await self.page.evaluate("document.activeElement.blur(), document.querySelector('#chatMessages').scrollBy(0, 9999)")
        await self.page.screenshot(path)


@pytest.mark.skipif(os.environ.get("WRITE_SCREENSHOTS") != "1", reason="WRITE_SCREENSHOTS=1 writes docs/screenshot-*.png")
class TestBrowserPictures:
    """The README shows the client as it is: these are taken by `WRITE_SCREENSHOTS=1 make test ARGS="-k Pictures"`."""

    async def test_picture_of_a_guest_is_taken(self, browser, relay):
        host, path = await browser.person(relay), TOP / "docs/screenshot-guest.png"
        await calls_themselves(host, "Noor")
        await host.until("document.querySelector('#inviteLinkInput').value.includes('&name=')")
        link = await host.value("#inviteLinkInput")
        story = Story(Clock(), await browser.page(size=README_PICTURES["guest"]))

        await story.page.goto(link)
        await story.page.shows("#guestCard", "invited you")
        await story.is_pictured(path, *README_PICTURES["guest"])

        assert path.stat().st_size < 120_000

    @pytest.mark.parametrize("kind", ["desktop", "phone"])
    async def test_picture_of_a_conversation_is_taken(self, browser, relays, clock, kind, tmp_path):
        clock.seconds -= 5400
        relay = await relays(clock=clock)
        pages = [await browser.person(relay, size=README_PICTURES["desktop"]) for _ in range(2)]
        story = Story(clock, *pages)
        for each in pages:
            await each.call("Emulation.setLocaleOverride", locale="en-GB")
            await each.reload()
            await goes_live(each)
        for name, text in OTHER_THREADS.items():
            friend = await relay.register()
            await story.moves(600)
            await story.page.opens(friend.fingerprint)
            await story.names(name)
            await write(friend, story.page, text)
            await story.page.sees(text)
        await story.page.opens(story.noor.fingerprint)
        await story.names("Noor", verified=True)
        await story.noor.opens(story.page.fingerprint)
        await story.is_told(tmp_path)
        await write(friend, story.page, LAST_WORDS)
        await story.page.shows(".chat-tab-unread-dot")
        path = TOP / "docs" / f"screenshot-{kind}.png"

        await story.is_pictured(path, *README_PICTURES[kind])

        assert path.stat().st_size < 150_000


# ------------------------------------------------------------------------------------------------------------------------
# Browser: several relays, one of them a liar
# ------------------------------------------------------------------------------------------------------------------------

OTHER_SECRET = "another secret of the tests, just as long as that"
NOT_PASSED_ON = {
    "Content-Length",
    "Content-Encoding",
    "Transfer-Encoding",
    "Accept-Encoding",
    "Connection",
    "Upgrade",
    "Date",
    "Server",
}


class LyingRelay:
    """Stands before a real relay, the page's files included, and passes all on but for the lies that a test has it tell."""

    def __init__(self, truth: AnyRelay) -> None:
        self.truth = truth
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lies: dict[str, Callable[[Any], Any]] = {}
        self.told = 0
        self.heard: list[tuple[str, Any]] = []
        self.upgrades = True
        self.sub_path = ""
        self.login: Callable[[], web.Response] | None = None

    def lie(self, call: str, lie: Callable[[Any], Any]) -> None:
        """Answer calls that begin with `call`, such as "GET /v1/keys/", with what `lie` makes of the true answer."""
        self.lies[call] = lie

    def be_honest(self) -> None:
        self.lies.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.login is not None:
            return self.login()
        if not request.path.startswith(self.sub_path):
            return web.Response(status=404)
        if request.path == "/v1/ws" and self.upgrades:
            return await self.join(request)
        call, body = f"{request.method} {request.path_qs}", await request.read()
        self.heard.append((call, json.loads(body) if body else None))
        options = {"headers": passed_on(request.headers), "data": body or None, "allow_redirects": False}
        async with self.truth.session.request(
            request.method, self.truth.url + request.path_qs.removeprefix(self.sub_path), **options
        ) as answer:
            lie = next((self.lies[each] for each in self.lies if call.startswith(each)), None)
            if lie is None or answer.status >= 400:
                return web.Response(status=answer.status, body=await answer.read(), headers=passed_on(answer.headers))
            return self.tell(await answer.json() if answer.status != 204 else None, lie)

    def tell(self, truth: Any, lie: Callable[[Any], Any]) -> web.Response:
        told = lie(truth)
        self.told += told != truth
        response = told if isinstance(told, web.Response) else web.json_response(told)
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    async def join(self, request: web.Request) -> web.WebSocketResponse:
        """Carry a socket's frames both ways until either side closes."""
        protocols = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if each]
        async with self.truth.session.ws_connect(self.truth.url + request.path_qs, protocols=protocols) as behind:
            before = web.WebSocketResponse(protocols=("3233.v1",) if protocols else ())
            await before.prepare(request)
            carrying = {asyncio.create_task(carry(*ends)) for ends in ((before, behind), (behind, before))}
            _, still_carrying = await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
            for task in still_carrying:
                task.cancel()
            await before.close()
            return before

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[LyingRelay]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield self
        finally:
            await runner.cleanup()


def passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """All headers but those that belong to one connection."""
    return CIMultiDict((name, text) for name, text in headers.items() if name not in NOT_PASSED_ON)


async def carry(source: Any, target: Any) -> None:
    async for message in source:
        await target.send_str(message.data)


@pytest.fixture
async def liar(relays: Callable[..., Any]) -> AsyncIterator[LyingRelay]:
    """A relay that lies on demand, before one that does not."""
    async with LyingRelay(await relays(JWT_SECRET=OTHER_SECRET)).running() as liar:
        yield liar


async def goes_to(page: Page, view: str) -> None:
    await page.goes_to(view)


async def agrees(page: Page, title: str) -> None:
    """Read a question, and answer yes."""
    await page.shows("#confirmTitle", title)
    await page.click("#confirmOk")


async def declines(page: Page, title: str) -> None:
    await page.shows("#confirmTitle", title)
    await page.click("#confirmCancel")


# Notes which relays the device knows at the moment when it tells one to forget it.
NOTE_RELAYS_ON_DELETE = """(() => {
    const fetch = window.fetch;
    window.fetch = async (...request) => {
        if (request[1]?.method !== "DELETE") return fetch(...request);
        const [{ Database }, { Store }] = await Promise.all([import("/store/database.js"), import("/store/store.js")]);
        window.relaysOnDelete = (await new Store(await Database.open()).relays()).map(({ origin }) => origin);
        return fetch(...request);
    };
})()"""


async def adds_relay(page: Page, url: str) -> None:
    """Type a relay's address on the server view, and press Enter."""
    await goes_to(page, "server")
    await page.fill("#addRelayUrl", url)
    await page.key("Enter")


FORGOTTEN = "401 (Unauthorized)"  # of a poll that is under way when a relay is told to forget the person


async def joins(page: Page, url: str) -> None:
    """Add a relay, and wait until its mail comes: nothing more is on its way there then."""
    await adds_relay(page, url)
    await page.shows("#addRelayStatus", "Joined")
    await page.shows(f'.relay[data-origin="{url}"] .live-indicator.live')


async def relays_of(page: Page) -> list[str]:
    """The relays of the server view, the home relay first."""
    await goes_to(page, "server")
    await page.shows("#relayList .relay")
    return await page.texts("#relayList .relay-url")


async def home_of(page: Page) -> str:
    """The relay that this person's invite link names."""
    await goes_to(page, "newchat")
    return (await page.until("document.querySelector('#inviteLinkInput').value")).partition("/chats#")[0]


def queued(relay: AnyRelay) -> int:
    """How many messages wait at a relay."""
    return rows(relay.database, "SELECT count(*) FROM messages")[0][0]


OLD_INVITES = ["/chats?chat={}&server={}", "/chats?fp={}&server={}", "/chats?fp={}", "/?chat={}&server={}"]


class Moving:
    """A server that is reached at one address, and later at another: one database, one secret."""

    def __init__(self, old: RunningRelay, new: RunningRelay) -> None:
        self.old, self.new = old, new

    async def goes(self, page: Page) -> None:
        """The old address answers no more, the new one does."""
        await loses_relay(page, self.old)
        await self.new.start()
        self.old.url = self.new.url  # where its people reach it from now on


@pytest.fixture
async def moving(relays: Callable[..., Any]) -> Moving:
    old = await relays()
    await old.stop()  # a database is one relay's at a time
    new = await relays(DATABASE_URL=old.environ["DATABASE_URL"])
    await new.stop()
    await old.start()
    return Moving(old, new)


class TestBrowserRelays:
    """A contact belongs to a relay, and no relay and no link decides for the person."""

    @in_both_browsers
    async def test_invite_from_another_relay_asks_once_and_then_two_people_talk(self, relays, browser):
        here, there = await relays(), await relays(JWT_SECRET=OTHER_SECRET)
        alice, bob = await browser.person(here), await browser.person(there)

        await alice.asks_for(await bob.value("#inviteLinkInput"))
        await agrees(alice, "This contact is on another server")
        await alice.says("from here")
        await bob.click(".chat-tab-label")
        await bob.sees("from here")
        await bob.says("from there")

        await alice.sees("from there")
        await alice.has_relayed(1)
        assert queued(here) == 0 and queued(there) >= 2  # receipts follow
        assert await home_of(alice) == here.url
        assert await relays_of(alice) == [here.url, there.url]

    async def test_declining_an_invite_from_another_relay_changes_and_sends_nothing(self, relays, browser):
        here, there = await relays(), await relays(JWT_SECRET=OTHER_SECRET)
        alice, bob = await browser.person(here, watched=True), await there.register()

        await alice.goto(f"{here.url}/chats#chat={bob.fingerprint}&server={there.url}")
        await declines(alice, "This contact is on another server")

        await alice.until(f"!document.querySelector('#confirmDialog').open && location.href === '{here.url}/chats'")
        assert (await home_of(alice), await relays_of(alice)) == (here.url, [here.url])
        assert await alice.count(".chat-tab") == 0
        assert not [url for url in alice.requests if there.url.partition("//")[2] in url.partition("#")[0]]

    @pytest.mark.parametrize("invite", OLD_INVITES)
    async def test_old_invite_opens_the_chat_and_leaves_the_address_bar(self, relay, browser, invite):
        alice, bob = await browser.person(relay), await relay.register()

        await alice.goto(relay.url + invite.format(bob.fingerprint, quote(relay.url, safe="")))

        await alice.until(f"location.href === '{relay.url}/chats#chat={bob.fingerprint}'")
        await alice.shows("#chatThread")

    async def test_invite_where_home_is_an_original_relay_has_the_form_that_its_page_reads(self, liar, browser):
        alice = await browser.page()
        liar.lie("POST /v1/register/challenge", lambda body: {each: body[each] for each in V1_CHALLENGE})
        await alice.goto(liar.url)
        await alice.click("#relayNoticeBtn")
        await agrees(alice, "Use the older proof?")
        await alice.shows("#liveIndicator.live")

        invite = f"{liar.url}/chats?chat={await alice.text('#fpFull')}&server={quote(liar.url, safe='')}"
        await alice.until(f"document.querySelector('#inviteLinkInput').value === {json.dumps(invite)}")

    async def test_invite_that_failed_is_kept_where_it_can_be_tried_again(self, relay, browser):
        alice, bob = await browser.person(relay), Person(relay)
        invite = f"{relay.url}/chats#chat={bob.fingerprint}&server={relay.url}"
        alice.expects("404")

        await alice.goto(invite)
        await alice.shows("#openChatStatus.bad", "Nobody with this address")
        offered = "[document.querySelector('#openChatFp').value, location.href]"
        assert await alice.evaluate(offered) == [invite, f"{relay.url}/newchat"]
        await alice.reload()
        await alice.has_keys()
        assert await alice.evaluate(offered) == [invite, f"{relay.url}/newchat"]

        await bob.register()
        await alice.click("#openChatBtn")
        await alice.shows("#chatThread")
        await goes_to(alice, "newchat")
        assert await alice.value("#openChatFp") == ""

    async def test_contact_code_of_the_original_client_opens_the_chat(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()

        await alice.opens(json.dumps({"3233": 1, "server": relay.url, "fingerprint": bob.fingerprint.upper()}))

        assert await alice.evaluate("location.hash") == f"#chat={bob.fingerprint}"

    @pytest.mark.parametrize("code", ['{"3233": 2}', "{", '{"3233": 1, "server": 7, "fingerprint": "x"}', "{}"])
    async def test_code_that_is_no_contact_is_refused(self, relay, browser, code):
        alice = await browser.person(relay)

        await alice.asks_for(code)

        await alice.shows("#openChatStatus.bad", "This is no contact code")

    async def test_link_that_names_only_a_relay_changes_nothing_and_leaves_the_address_bar(self, relay, browser):
        alice = await browser.person(relay)

        await alice.goto(f"{relay.url}/newchat?server=http%3A%2F%2F127.0.0.1%3A9")

        await alice.shows("#liveIndicator.live")
        await alice.until("location.search === ''")
        assert (await home_of(alice), await relays_of(alice)) == (relay.url, [relay.url])

    async def test_invite_that_moves_a_known_contact_to_another_relay_asks_first(self, relays, browser):
        here, there = await relays(), await relays(JWT_SECRET=OTHER_SECRET)
        alice, bob = await browser.person(here), await here.register()
        await alice.opens(bob.fingerprint)
        await adds_relay(alice, there.url)
        await alice.shows("#addRelayStatus", "Joined")

        await alice.asks_for(f"{there.url}/chats#chat={bob.fingerprint}&server={there.url}")
        await declines(alice, "Write by another server?")
        await alice.says("still there?")

        await alice.has_relayed(1)
        assert (queued(here), queued(there)) == (1, 0)

    async def test_contact_who_moved_is_written_to_by_the_new_relay(self, relays, browser):
        here, there = await relays(), await relays(JWT_SECRET=OTHER_SECRET)
        alice, bob = await browser.person(here), await here.register()
        await alice.opens(bob.fingerprint)
        await adds_relay(alice, there.url)
        await alice.shows("#addRelayStatus", "Joined")
        await there.register(bob.secret_key)

        await alice.asks_for(f"{there.url}/chats#chat={bob.fingerprint}&server={there.url}")
        await agrees(alice, "Write by another server?")
        await alice.says("are you here?")

        await alice.has_relayed(1)
        assert (queued(here), queued(there)) == (0, 1)

    async def test_relay_that_presents_another_relays_key_gets_nothing_unless_the_person_says_it_is_the_same(
        self, relays, browser
    ):
        here, impostor = await relays(), await relays(JWT_SECRET=SECRET)
        alice = await browser.person(here)

        await adds_relay(alice, impostor.url)
        await alice.shows("#confirmText", f"presents the key of {here.url}")
        await declines(alice, "The same server under a new address?")

        await alice.shows("#addRelayStatus", "Nothing was changed.")
        assert await relays_of(alice) == [here.url]
        assert (await impostor.call("GET", "/v1/stats")).body["registered_identities"] == 0

    async def test_server_that_moved_keeps_its_people_after_one_question(self, browser, moving):
        alice, bob = await browser.person(moving.old), await moving.old.register()
        await alice.opens(bob.fingerprint)
        await write(bob, alice, "by the old address")
        await alice.sees("by the old address")
        await moving.goes(alice)

        await goes_to(alice, "server")
        await alice.fill("#serverUrl", moving.new.url)
        await alice.click("#saveServer")
        await agrees(alice, "The same server under a new address?")
        await alice.shows("#serverStatus", f"Your server is {moving.new.url}")
        await goes_to(alice, "chats")
        await write(bob, alice, "by the new one")

        await alice.sees("by the new one")
        await alice.says("I found you")
        await alice.has_relayed(1)
        assert await alice.received() == ["by the old address", "by the new one"]
        assert (await home_of(alice), await relays_of(alice)) == (moving.new.url, [moving.new.url])

    async def test_invite_that_names_a_servers_new_address_moves_what_is_there_and_opens_the_chat(self, browser, moving):
        alice, bob = await browser.person(moving.old), await moving.old.register()
        await alice.opens(bob.fingerprint)
        await moving.goes(alice)

        await alice.asks_for(f"{moving.new.url}/chats#chat={bob.fingerprint}&server={quote(moving.new.url)}")
        await agrees(alice, "This contact is on another server")
        await agrees(alice, "The same server under a new address?")
        await alice.says("here we are")

        await alice.has_relayed(1)
        assert await alice.count(".chat-tab") == 1
        assert await relays_of(alice) == [moving.new.url]

    async def test_page_of_another_address_is_offered_where_home_is_gone(self, relays, browser):
        here, home = await relays(), await relays(JWT_SECRET=OTHER_SECRET)
        alice = await browser.person(here)
        alice.expects(FORGOTTEN)
        await adds_relay(alice, home.url)
        await alice.click(f'.relay[data-origin="{home.url}"] .relay-make-home')
        await alice.click(f'.relay[data-origin="{here.url}"] .relay-leave')
        await agrees(alice, f"Leave {here.url}?")
        await alice.until("document.querySelectorAll('.relay').length === 1")

        await loses_relay(alice, home)
        await alice.shows("#relayNotice", f"{home.url} can't be reached, and this page comes from {here.url}")
        await alice.click("#relayNoticeBtn")

        await alice.until(f"document.querySelector('.relay[data-origin=\"{here.url}\"] .live-indicator.live')")
        await alice.until("document.querySelector('#relayNotice').hidden")

    async def test_key_that_comes_after_the_accepted_one_is_asked_about_again(self, liar, browser):
        alice = await browser.person(liar)
        first, second = Person(liar), Person(liar)
        liar.lie("POST /v1/register/challenge", lambda body: body | {"server_public_key": b64(first.public_key)})
        liar.heard.clear()

        await goes_to(alice, "keys")
        await alice.click("#registerBtn")
        await alice.shows("#confirmText", f"and is {first.fingerprint[:16]}")
        liar.lie("POST /v1/register/challenge", lambda body: body | {"server_public_key": b64(second.public_key)})
        await agrees(alice, "This server's key has changed")

        await alice.shows("#confirmText", f"It was {first.fingerprint[:16]}…, and is {second.fingerprint[:16]}")
        assert "POST /v1/register" not in dict(liar.heard)

    async def test_older_proof_is_asked_about_again_once_the_better_one_was_offered(self, relay, liar, browser):
        alice = await browser.person(relay)
        liar.lie("POST /v1/register/challenge", lambda body: {each: body[each] for each in V1_CHALLENGE})
        await adds_relay(alice, liar.url)
        await agrees(alice, "Use the older proof?")
        await alice.shows("#addRelayStatus", "Joined")

        liar.be_honest()
        await adds_relay(alice, liar.url)
        await until(lambda: "proof_mac" in dict(liar.heard)["POST /v1/register"])
        await alice.until("!document.querySelector('#addRelayUrl').value")  # it is registered, and the field empty again
        liar.lie("POST /v1/register/challenge", lambda body: {each: body[each] for each in V1_CHALLENGE})
        await adds_relay(alice, liar.url)

        await declines(alice, "Use the older proof?")

    async def test_relay_that_presents_a_contacts_key_is_refused(self, relay, liar, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        liar.lie("POST /v1/register/challenge", lambda body: body | {"server_public_key": b64(bob.public_key)})

        await adds_relay(alice, liar.url)

        await alice.shows("#addRelayStatus.bad", "presents the key of your contact")
        assert "POST /v1/register" not in dict(liar.heard)

    @pytest.mark.service_worker
    async def test_relay_with_a_new_key_is_used_only_once_the_person_accepts_it(self, relay, browser):
        alice = await browser.person(relay)
        await has_service_worker(alice)
        alice.expects(UNREACHABLE, "401", "WebSocket connection")
        await relay.stop()
        relay.environ["JWT_SECRET"] = OTHER_SECRET
        await relay.start()

        await alice.shows("#relayNotice", "presents another key than before")
        await alice.click("#relayNoticeBtn")
        await agrees(alice, "This server's key has changed")

        await alice.shows("#liveIndicator.live")
        await alice.until("document.querySelector('#relayNotice').hidden")

    async def test_older_proof_is_made_only_after_asking_and_then_remembered(self, relay, liar, browser):
        alice = await browser.person(relay)
        alice.expects("401")
        liar.lie("POST /v1/register/challenge", lambda body: {each: body[each] for each in V1_CHALLENGE})

        await adds_relay(alice, liar.url)
        await declines(alice, "Use the older proof?")
        await alice.shows("#addRelayStatus", "Nothing was changed.")
        proofs = [body for call, body in liar.heard if call == "POST /v1/register"]
        await alice.click("#addRelayBtn")
        await agrees(alice, "Use the older proof?")
        await alice.shows("#addRelayStatus", "Joined")
        await alice.shows(f'.relay[data-origin="{liar.url}"] .live-indicator.live')
        liar.heard.clear()

        def registered_again():
            return dict(liar.heard).get("POST /v1/register")

        liar.lie("GET /v1/messages", lambda page: page if registered_again() else web.Response(status=401))
        await alice.reload()

        again = await until(registered_again)
        assert proofs == []
        assert {"proof_nonce", "proof_ciphertext"} < set(again)
        assert await alice.count("#confirmDialog") == 0

    async def test_closed_relay_asks_for_its_invite_code_until_it_is_right(self, relays, browser):
        here, closed = await relays(), await relays(JWT_SECRET=OTHER_SECRET, INVITE_CODE="sesame")
        alice = await browser.person(here)
        alice.expects("403")

        await adds_relay(alice, closed.url)
        for code, question in [("simsim", "is a closed server"), ("sesame", "That code was not accepted")]:
            await alice.shows("#confirmText", question)
            await alice.type(code)
            await alice.key("Enter")

        await alice.shows("#addRelayStatus", "Joined")
        assert await relays_of(alice) == [here.url, closed.url]

    async def test_page_of_a_closed_relay_asks_for_the_code_where_the_person_sees_it(self, relays, browser):
        closed = await relays(INVITE_CODE="sesame")
        alice = await browser.page()
        alice.expects("403")
        await alice.goto(closed.url)

        await alice.click("#relayNoticeBtn")
        await alice.shows("#confirmText", "is a closed server")
        await alice.type("sesame")
        await alice.key("Enter")

        await alice.shows("#liveIndicator.live")
        await alice.until("document.querySelector('#relayNotice').hidden")

    async def test_left_relay_forgets_the_person(self, relays, browser):
        here, there = await relays(), await relays(JWT_SECRET=OTHER_SECRET)
        alice = await browser.person(here)
        alice.expects(FORGOTTEN)
        await joins(alice, there.url)

        await alice.evaluate(NOTE_RELAYS_ON_DELETE)
        await alice.click(f'.relay[data-origin="{there.url}"] .relay-leave')
        await agrees(alice, f"Leave {there.url}?")

        await alice.until("document.querySelectorAll('.relay').length === 1 && window.relaysOnDelete")
        assert await alice.evaluate("window.relaysOnDelete") == [here.url]  # nobody may register there again meanwhile
        await alice.is_told("Left")
        assert (await there.call("GET", f"/v1/keys/{alice.fingerprint}")).status == 404
        await alice.reload()
        await alice.until("document.querySelector('#liveIndicator.live')")
        assert await relays_of(alice) == [here.url]

    async def test_old_relay_that_knows_no_leaving_is_forgotten_here_and_that_is_said(self, relay, liar, browser):
        alice = await browser.person(relay)
        alice.expects("405", FORGOTTEN)
        await joins(alice, liar.url)

        liar.lie("DELETE /v1/me", lambda _: web.Response(status=405))
        await alice.click(f'.relay[data-origin="{liar.url}"] .relay-leave')
        await agrees(alice, f"Leave {liar.url}?")

        await alice.shows("#addRelayStatus", "is forgotten here. It is an older server that can't be told so")
        assert await relays_of(alice) == [relay.url]

    async def test_new_key_of_a_relay_without_bound_proof_is_told_and_not_asked_about(self, relay, liar, browser):
        alice = await browser.person(relay)
        alice.expects("Failed to load resource", UNREACHABLE, "WebSocket connection", "blocked by CORS policy")
        older = lambda body: {each: body[each] for each in V1_CHALLENGE}
        liar.lie("POST /v1/register/challenge", older)
        await adds_relay(alice, liar.url)
        await agrees(alice, "Use the older proof?")
        await alice.shows("#addRelayStatus", "Joined")

        liar.truth.environ["JWT_SECRET"] = "the third secret of the tests, as long as the others"
        await liar.truth.stop()
        await liar.truth.start()
        await alice.evaluate("void dispatchEvent(new Event('online'))")

        await alice.shows(f'.relay[data-origin="{liar.url}"]', "came with a new key")
        await alice.shows(f'.relay[data-origin="{liar.url}"] .live-indicator.live')
        assert await alice.count("#confirmDialog") == 0

    async def test_relay_that_can_not_be_told_is_not_left(self, relays, browser):
        here, there = await relays(), await relays(JWT_SECRET=OTHER_SECRET)
        alice = await browser.person(here)
        alice.expects(UNREACHABLE, "WebSocket connection")
        await joins(alice, there.url)
        await there.stop()

        await alice.click(f'.relay[data-origin="{there.url}"] .relay-leave')
        await agrees(alice, f"Leave {there.url}?")

        await alice.shows("#addRelayStatus.bad", there.url)
        assert await relays_of(alice) == [here.url, there.url]
        assert "Left" not in await alice.text("#toast")

    async def test_new_home_relay_is_in_the_invite_and_old_contacts_stay_where_they_are(self, relays, browser):
        here, there = await relays(), await relays(JWT_SECRET=OTHER_SECRET)
        alice, bob = await browser.person(here), await here.register()
        await alice.opens(bob.fingerprint)
        await goes_to(alice, "server")

        await alice.fill("#serverUrl", there.url)
        await alice.click("#saveServer")

        await alice.shows("#serverStatus", f"Your server is {there.url}")
        await alice.until(f"document.querySelector('#inviteLinkInput').value.startsWith('{there.url}/chats#')")
        await goes_to(alice, "chats")
        await alice.says("are you there?")
        await alice.has_relayed(1)
        assert (queued(here), queued(there)) == (1, 0)

    async def test_address_that_is_no_relay_is_refused_with_a_sentence(self, relay, browser):
        alice = await browser.person(relay)
        alice.expects(UNREACHABLE)

        for address, sentence in [("ftp://127.0.0.1", "looks like https://"), ("127.0.0.1:9", "can't be reached")]:
            await adds_relay(alice, address)
            await alice.shows("#addRelayStatus.bad", sentence)

        assert await relays_of(alice) == [relay.url]


V1_CHALLENGE = ("challenge", "server_public_key", "expires_in")


class Sealed(NamedTuple):
    """What somebody needs to know of a page to write to it."""

    fingerprint: str
    public_key: bytes


async def address_of(page: Page) -> Sealed:
    return Sealed(page.fingerprint, unb64(await page.text("#pubKeyB64")))


async def post(sender: Person, recipient: Any, **changed: Any) -> dict[str, Any]:
    """Send an envelope as our clients do, but for the members that are `changed`; its receipt."""
    return await sender.send(recipient, envelope(sender, recipient, **changed))


def first_row(**changed: Any) -> Callable[[Any], Any]:
    """A lie about the oldest row of a page."""
    return lambda page: page | {"messages": [row | (changed if not at else {}) for at, row in enumerate(page["messages"])]}


PAGES_THAT_BREAK_THE_PROTOCOL: dict[str, Callable[[Any], Any]] = {
    "reordered": lambda page: page | {"messages": page["messages"][::-1] if len(page["messages"]) > 1 else []},
    "the same row twice": lambda page: page | {"messages": page["messages"][:1] * 2},
    "a row from before the cursor": first_row(id=0),
    "an id that is no number": first_row(id="1"),
    "no list": lambda page: {"messages": {"id": 1}},
    "a row that is no object": lambda page: {"messages": ["row"]},
    "no JSON": lambda page: web.Response(text='{"messages": [', content_type="application/json"),
    "HTML": lambda page: web.Response(text="<h1>Welcome to nginx!</h1>", content_type="text/html"),
    "nothing": lambda page: web.Response(),
    "a list": lambda page: web.json_response([1]),
}
TROUBLES = {
    "500": (lambda page: web.Response(status=500, text="oops"), "has a problem of its own"),
    "503 in JSON": (lambda page: web.json_response({"error": "<b>down</b>"}, status=503), "<b>down</b>"),
    "429": (
        lambda page: web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": "1"}),
        "asks for a pause",
    ),
    "404": (lambda page: web.Response(status=404), "does not know this"),
}
BROKEN_ROWS = [
    {"ciphertext": "?"}, {"ciphertext": 7}, {"nonce": "AAAA"}, {"sender_public_key": None}, {"sender_fingerprint": "x"},
    {"created_at": "yesterday"},
]  # fmt: skip


class TestBrowserLyingRelay:
    """A relay chooses what it hands out; the page shows nothing false, says what is wrong, and goes on with real mail."""

    @pytest.fixture
    async def bob(self, liar):
        """Somebody who writes by way of the honest relay."""
        return await liar.truth.register()

    @pytest.fixture
    async def alice(self, liar, browser, bob):
        """A page of the lying relay, with Bob's chat open and one message from him in it."""
        alice = await browser.person(liar)
        alice.address = await address_of(alice)
        alice.expects("Failed to load resource", "WebSocket connection")
        await alice.opens(bob.fingerprint)
        await post(bob, alice.address, text="the first")
        await alice.sees("the first")
        return alice

    async def test_key_that_is_not_the_addresss_is_refused(self, liar, browser, bob):
        alice, mallory = await browser.person(liar), Person(liar.truth)
        liar.lie("GET /v1/keys/", lambda _: {"public_key": b64(mallory.public_key)})

        await alice.asks_for(bob.fingerprint)

        await alice.shows("#openChatStatus.bad", "gave a key that is not this address's")
        assert await alice.count(".chat-tab") == 0

    async def test_key_that_comes_late_and_wrong_gets_no_message(self, liar, alice, bob):
        carol, mallory = await liar.truth.register(), Person(liar.truth)
        liar.lie("GET /v1/keys/", lambda _: {"public_key": b64(mallory.public_key)})

        await alice.goto(f"{liar.url}/chats#chat={carol.fingerprint}&server={liar.url}")
        await alice.shows("#openChatStatus.bad", "gave a key that is not this address's")

        assert "POST /v1/messages" not in dict(liar.heard)

    async def test_search_that_finds_somebody_else_opens_no_chat(self, liar, browser, bob):
        alice, mallory = await browser.person(liar), await liar.truth.register()
        liar.lie("GET /v1/keys/search/", lambda _: {"fingerprints": [mallory.fingerprint]})

        await alice.asks_for(bob.fingerprint[:12])

        await alice.shows("#openChatStatus.bad", "breaks the protocol")
        assert await alice.count(".chat-tab") == 0

    async def test_strangers_words_under_a_contacts_name_are_refused(self, liar, alice, bob):
        carol = await liar.truth.register()
        liar.lie("GET /v1/messages", first_row(sender_fingerprint=bob.fingerprint))
        await post(carol, alice.address, text="send me money, Bob")

        await alice.shows(".chat-line-in.refused", "named a key that is not this sender's")
        liar.lie("GET /v1/messages", first_row(sender_fingerprint=bob.fingerprint, sender_public_key=b64(bob.public_key)))
        await post(carol, alice.address, text="send me money, Bob")

        await alice.shows(".chat-line-in.refused", "could not be decrypted")
        await goes_on(liar, alice, bob)
        assert "money" not in await alice.evaluate("document.body.textContent")

    async def test_other_spelling_of_a_key_makes_no_twin(self, liar, alice, bob):
        twin = bob.public_key[:31] + bytes([bob.public_key[31] | 0x80])
        address = hashlib.sha256(twin).hexdigest()
        liar.lie("GET /v1/messages", first_row(sender_fingerprint=address, sender_public_key=b64(twin)))

        await post(bob, alice.address, text="I am somebody else", **{"from": address})
        await until(lambda: liar.told)
        await goes_on(liar, alice, bob)
        await alice.asks_for(b64(twin))

        await alice.shows("#openChatStatus.bad", "another spelling of somebody's key")
        assert await alice.count(".chat-tab") == 1

    @pytest.mark.parametrize("created_at", ["1969-12-31T23:59:59Z", "-200000-01-01T00:00:00Z"])
    async def test_message_from_before_all_clocks_leaves_backups_possible(self, liar, alice, bob, tmp_path, created_at):
        liar.lie("GET /v1/messages", first_row(created_at=created_at))
        await post(bob, alice.address, text="from long ago")
        await alice.sees("from long ago")

        assert await alice.evaluate(FROM_DATABASE % "(await result(messages.getAll())).every(({ at }) => at > 1e12)")
        assert await exports(alice, tmp_path)

    async def test_mail_is_never_erased_by_an_id_that_a_relay_gave_before_it_lost_its_database(self, liar, alice, bob):
        carol = await liar.truth.register()
        await blocks(alice, bob)
        await alice.opens(carol.fingerprint)
        liar.heard.clear()
        liar.lie("DELETE /v1/messages/", lambda _: web.json_response({"error": "no such token"}, status=401))

        await post(bob, alice.address, text="dropped")
        await until(lambda: liar.told)
        await goes_on(liar, alice, carol)

        assert "POST /v1/register" not in dict(liar.heard)

    async def test_own_words_handed_back_are_refused(self, liar, alice, bob):
        await alice.says("I owe you 5")
        await alice.has_relayed(1)
        mine = next(body for call, body in liar.heard if call == "POST /v1/messages")
        theirs = {"sender_fingerprint": bob.fingerprint, "sender_public_key": b64(bob.public_key)}

        liar.lie("GET /v1/messages", first_row(ciphertext=mine["ciphertext"], nonce=mine["nonce"], **theirs))
        await post(bob, alice.address, text="never mind")

        await alice.shows(".chat-line-in.refused", "sent my own words back")
        await goes_on(liar, alice, bob)
        assert "I owe you 5" not in await alice.received()

    async def test_replayed_message_is_dropped_silently(self, liar, alice, bob):
        [row] = (await bob.relay.call("GET", "/v1/messages?after_id=0", token=await token_of(alice))).body["messages"]
        again = {name: row[name] for name in ("sender_fingerprint", "sender_public_key", "ciphertext", "nonce")}

        liar.lie("GET /v1/messages", first_row(**again))
        await post(bob, alice.address, text="withheld")

        await until(lambda: liar.told)
        await goes_on(liar, alice, bob)
        assert await alice.received() == ["the first", "and on it goes"]

    @pytest.mark.parametrize(
        ("plaintext", "reason"),
        [
            (b'{"text":"abc"}', "too short to be a message"),
            (bytes(32), "is not JSON that this client can read"),
            (bytes(33), "is not JSON that this client can read"),
            (b'["' + b"x" * 40 + b'"]', "is not a message that this client can read"),
        ],
    )
    async def test_plaintext_that_is_no_message_is_refused(self, liar, alice, bob, plaintext, reason):
        await bob.send(alice.address, plaintext)

        await alice.shows(".chat-line-in.refused", reason)
        await goes_on(liar, alice, bob)

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"to": NOBODY}, "It was written to somebody else"),
            ({"from": NOBODY}, "It was written by somebody other than the server says"),
            ({"from": None}, "It was written by somebody other than the server says"),
            ({"id": "short"}, "Its message id is malformed"),
        ],
    )
    async def test_envelope_that_is_bound_elsewhere_is_refused(self, liar, alice, bob, changed, reason):
        await post(bob, alice.address, text="not for you", **changed)

        await alice.shows(".chat-line-in.refused", reason)
        await goes_on(liar, alice, bob)
        assert "not for you" not in await alice.evaluate("document.body.textContent")

    async def test_unknown_kind_of_message_is_no_raw_json(self, liar, alice, bob):
        await post(bob, alice.address, type="hologram", text="{secret}")

        await alice.shows(".chat-line-in.unknown", "Sent with a newer client")
        await goes_on(liar, alice, bob)
        assert "{secret}" not in await alice.evaluate("document.body.textContent")

    @pytest.mark.parametrize("lie", PAGES_THAT_BREAK_THE_PROTOCOL.values(), ids=PAGES_THAT_BREAK_THE_PROTOCOL)
    async def test_page_that_breaks_the_protocol_is_said_and_nothing_of_it_used(self, liar, alice, bob, lie):
        liar.lie("GET /v1/messages", lie)
        for text in ("one", "two"):
            await post(bob, alice.address, text=text)

        await alice.shows("#liveHint", liar.url)
        liar.be_honest()

        await alice.sees("two")
        await alice.shows("#liveIndicator.live")
        assert await alice.received() == ["the first", "one", "two"]

    @pytest.mark.parametrize(("lie", "sentence"), TROUBLES.values(), ids=TROUBLES)
    async def test_relay_in_trouble_is_said_and_asked_again(self, liar, alice, bob, lie, sentence):
        liar.lie("GET /v1/messages", lie)
        await post(bob, alice.address, text="late")

        await alice.shows("#liveHint", sentence)
        liar.be_honest()

        await alice.sees("late")
        await alice.shows("#liveIndicator.live")

    async def test_broken_row_does_not_hold_up_the_mail_behind_it(self, liar, alice, bob):
        for number, changed in enumerate(BROKEN_ROWS):
            told = liar.told
            liar.lie("GET /v1/messages", first_row(**changed))
            await post(bob, alice.address, text="spoilt")
            await until(lambda told=told: liar.told > told)
            await goes_on(liar, alice, bob, f"behind {number}")

        shown = await alice.received()
        assert shown == ["the first", *(f"behind {number}" for number in range(5)), "spoilt", "behind 5"]

    async def test_pages_without_end_are_left_and_real_mail_still_arrives(self, liar, alice, bob):
        liar.lie("GET /v1/messages", lambda page: {"messages": endless_rows(liar), "more": True})
        await post(bob, alice.address, text="buried")
        for pages in range(20, 201, 20):
            await until(lambda pages=pages: liar.told >= pages)

        liar.be_honest()
        await post(bob, alice.address, text="and on it goes")

        await alice.sees("and on it goes")
        assert await alice.count(".chat-line-in") <= 3

    async def test_empty_pages_that_promise_more_are_not_believed(self, liar, alice, bob):
        liar.lie("GET /v1/messages", lambda page: {"messages": [], "more": True})
        await post(bob, alice.address, text="withheld")
        await until(lambda: liar.told)

        await goes_on(liar, alice, bob)

        assert await alice.received() == ["the first", "withheld", "and on it goes"]

    async def test_what_no_thread_can_show_is_counted_where_the_relay_is(self, liar, alice, bob):
        liar.lie("GET /v1/messages", first_row(sender_fingerprint=NOBODY))
        await post(bob, alice.address, text="from nobody")
        await until(lambda: liar.told)

        await goes_to(alice, "server")

        await alice.shows("#relayList .relay", "1 message from here failed verification")
        assert await alice.count(".chat-tab") == 1

    @pytest.mark.parametrize("told", [{"id": "yes"}, {}, None], ids=["word", "none", "empty"])
    async def test_receipt_without_an_id_is_no_receipt(self, liar, alice, bob, told):
        liar.lie("POST /v1/messages", lambda receipt: told if told is not None else web.Response())

        await alice.says("did you get this?")
        await alice.shows(".chat-line-out .chat-state", "waiting: ")
        liar.be_honest()

        await alice.has_relayed(1)
        texts = [json.loads(bob.open(message))["id"] for message in await bob.fetch()]
        assert len(texts) >= 2 and len(set(texts)) == 1

    async def test_registration_for_another_address_is_not_used(self, liar, browser):
        alice = await browser.page()
        liar.lie("POST /v1/register", lambda answer: answer | ({"fingerprint": NOBODY} if "token" in answer else {}))

        await alice.goto(liar.url)

        await alice.shows("#liveHint", "took down another address than this device's")

    async def test_stats_that_lie_about_numbers_show_none(self, liar, browser):
        liar.lie("GET /v1/stats", lambda _: {"registered_identities": "<b>9</b>", "message_retention_days": -1})
        alice = await browser.person(liar)

        await goes_to(alice, "server")

        assert (await alice.text("#statsIdentities"), await alice.text("#retentionDays")) == ("–", "–")


def endless_rows(liar: LyingRelay) -> list[Any]:
    """One more row that opens to nothing, with the next id."""
    last_id = max(
        int(call.partition("after_id=")[2].partition("&")[0] or 0) for call, _ in liar.heard if "after_id=" in call
    )
    return [{"id": last_id + 1}]


async def goes_on(liar: LyingRelay, alice: Any, bob: Person, text: str = "and on it goes") -> None:
    """Hold the page to it that real mail still arrives."""
    liar.be_honest()
    await post(bob, alice.address, text=text)
    await alice.sees(text)
    await alice.shows("#liveIndicator.live")


async def token_of(page: Page) -> str:
    """The token that the page holds for its home relay."""
    return await page.evaluate(FROM_DATABASE % "(await result(relays.getAll()))[0].token")


FROM_DATABASE = """(async () => {
    const { ALL_STORES, Database, result } = await import("/store/database.js");
    const database = await Database.open();
    return database.read(ALL_STORES, async ({ kv, contacts, drafts, messages, seen, relays }) => %s);
})()"""


# ------------------------------------------------------------------------------------------------------------------------
# Browser: versions of the page
# ------------------------------------------------------------------------------------------------------------------------

FIRST_VERSION = "ee02c799ef53d4a1a4a608bbd9ca2f15b3699f83"  # the last commit of 1.0.0
PAGE_VERSION = "document.querySelector('meta[name=version]')?.content"
KEPT_VERSIONS = """caches.keys().then((names) =>
    names.filter((name) => name.startsWith("io3233-")).map((name) => name.replace("io3233-", "")))"""
# Of what the page is made of, which came through the service worker or from the network.
NOT_FROM_CACHE = """["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
    .filter(({ name, workerFinalSourceType }) => workerFinalSourceType !== "cache" && !new URL(name).pathname.startsWith("/v1/"))
    .map(({ name }) => name)"""
# Looks for a newer version, and says what became of it: "installed", "redundant" or "refused" where it failed (the latter before it was
# a worker at all), "none" where there is none.
UPDATE = """(async () => {
    const registration = await navigator.serviceWorker.ready;
    const refused = await registration.update().then(() => false, () => true);
    const worker = registration.installing ?? registration.waiting;
    while (worker?.state === "installing") await new Promise((changed) => (worker.onstatechange = changed));
    return worker?.state ?? (refused ? "refused" : "none");
})()"""


# Sends, and types on from the same moment for as long as the page takes keys, while the update is agreed to.
TYPES_ON_UNTIL_THE_PAGE_GOES = """(text) => {
    const field = document.querySelector("#chatBody");
    const type = (words) => {
        field.focus();
        if (document.activeElement !== field || !document.execCommand("insertText", false, words)) return;
        sessionStorage.typed = field.value;
        if (took_none) sessionStorage.typed_late = field.value;
    };
    let took_none = false;
    type(text);
    document.querySelector("#composer").requestSubmit();
    type("x");
    document.querySelector("#updateNow").click();
    setInterval(() => {
        if (document.body.inert) took_none = sessionStorage.took_none = true;
        type("x");
    }, 20);
}"""


# The page that is left is still there for so long. The browser's own answer would not wait.
GIVES_ITS_PAGE_LATE = """
delete InstallEvent.prototype.addRoutes;
const { match } = CacheStorage.prototype;
CacheStorage.prototype.match = async function (path, options) {
    if (path === PAGE) await new Promise((late) => setTimeout(late, 1500));
    return match.call(this, path, options);
};
"""


class Front(LyingRelay):
    """Serves the page from a folder that a test may exchange, as an upgrade does, and one file not as it should be."""

    def __init__(self, truth: AnyRelay, folder: Path) -> None:
        super().__init__(truth)
        self.folder = folder
        self.spoils: dict[str, Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]] = {}
        self.takes_mail = True
        self.served = collections.Counter[str]()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/v1/"):
            if request.method == "POST" and request.path == "/v1/messages" and not self.takes_mail:
                request.transport.abort()
                return web.Response()  # which nobody gets
            return await super().answer(request)
        name = "index.html" if request.path in relay_module.VIEW_PATHS else request.path.removeprefix("/")
        if not (self.folder / name).is_file():
            return web.Response(status=404)
        self.served[name] += 1
        if spoil := self.spoils.get(name):
            return await spoil(request, (self.folder / name).read_bytes())
        return relay_module.StaticFile(self.folder / name).response(request)


async def cut_off(request: web.Request, content: bytes) -> web.StreamResponse:
    """Half of a file, and then nothing more of the connection."""
    response = web.StreamResponse(headers={"Content-Type": "text/javascript", "Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    request.transport.abort()
    return response


async def login_page(request: web.Request, content: bytes) -> web.StreamResponse:
    """What a proxy that wants a login puts in the place of a file."""
    return web.Response(text="<!doctype html><title>Log in</title>", content_type="text/html")


async def to_login(request: web.Request, content: bytes) -> web.StreamResponse:
    raise web.HTTPFound("/login")


def first_version(folder: Path) -> Path:
    """static/ as it was in 1.0.0, from this repository's history."""
    archive = subprocess.run(["git", "archive", FIRST_VERSION, "static"], check=False, cwd=TOP, capture_output=True)
    if archive.returncode:
        pytest.skip("the history of 1.0.0 is not here: clone the repository whole to run this")
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder / "static"


def newer_version(folder: Path) -> Path:
    """static/ as a later version may be: one module differs."""
    newer = folder / "newer"
    shutil.copytree(STATIC, newer)
    (newer / "version.js").write_text('export const VERSION = "99.0.0";\n')
    subprocess.run([sys.executable, TOP / ".ci/integrity.py", newer], check=True)
    return newer


def version_of(folder: Path) -> str:
    """The name that a version gives itself."""
    return re.search(r'name="version" content="([0-9a-f]{16})"', (folder / "index.html").read_text())[1]


@pytest.fixture
async def front(relay: AnyRelay) -> AsyncIterator[Front]:
    """A relay whose page a test may exchange."""
    async with Front(relay, STATIC).running() as front:
        yield front


@pytest.mark.service_worker
class TestBrowserVersions:
    """The page is one whole version, from its first file to its last, and a newer one waits for the person."""

    async def test_newer_version_is_kept_whole_or_not_at_all_wherever_the_connection_is_cut(self, front, browser, tmp_path):
        page = await browser.person(front)
        await has_service_worker(page)
        front.folder = newer_version(tmp_path)
        names = [
            path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file() and path.name != "sw.js"
        ]

        ends = {}
        for name in names:
            front.spoils = {name: cut_off}
            ends[name] = await page.evaluate(UPDATE)
        await page.reload()

        assert {name: end for name, end in ends.items() if end not in ("redundant", "refused")} == {}
        assert await page.evaluate(PAGE_VERSION) == version_of(STATIC)
        assert page.unexpected() == []

    async def test_first_visit_asks_for_no_view_twice(self, front, browser):
        page = await browser.person(front)
        await has_service_worker(page)

        views = {name: times for name, times in front.served.items() if name.startswith("views/")}
        assert len(views) > 20
        assert set(views.values()) == {1}

    async def test_stale_file_in_the_cache_of_the_browser_does_not_keep_a_first_visit_from_being_kept(
        self, front, browser, tmp_path
    ):
        page = await browser.page()
        page.expects("favicon")
        await page.goto(f"{front.url}/vendor/README.md")  # which the page itself does not load
        kept = "fetch('/vendor/README.md', { cache: 'only-if-cached', mode: 'same-origin' }).then(({ ok }) => ok)"
        assert await page.evaluate(kept)
        newer = newer_version(tmp_path)
        (newer / "vendor/README.md").write_text("another\n")
        subprocess.run([sys.executable, TOP / ".ci/integrity.py", newer], check=True)
        front.folder = newer

        await page.goto(front.url)
        await has_service_worker(page)

        assert front.served["vendor/README.md"] == 2

    async def test_page_starts_while_no_worker_runs_and_waits_for_none(self, front, browser):
        page = await browser.person(front)
        await has_service_worker(page)
        await page.call("ServiceWorker.enable")
        before = front.served.copy()

        for path in ("/", "/chats"):
            await page.call("ServiceWorker.stopAllWorkers")
            await page.goto(front.url + path)
            await page.has_keys()
            assert await page.evaluate(NOT_FROM_CACHE) == []

        assert set(front.served - before) <= {"worker.js"}  # whether there is a newer one

    @pytest.mark.parametrize("spoil", [login_page, to_login])
    async def test_login_page_in_place_of_a_file_is_never_kept(self, front, browser, tmp_path, spoil):
        page = await browser.person(front)
        await has_service_worker(page)
        front.folder = newer_version(tmp_path)

        front.spoils = dict.fromkeys(("index.html", "app.js", "style.css"), spoil)
        end = await page.evaluate(UPDATE)
        await page.reload()
        await page.has_keys()

        assert end == "redundant"
        assert await page.evaluate(PAGE_VERSION) == version_of(STATIC)

    @in_both_browsers
    async def test_newer_version_takes_over_in_every_tab_when_the_person_says_so(self, front, browser, tmp_path):
        page = await browser.person(front)
        await has_service_worker(page)
        tab = await page.another_tab()
        front.folder = newer_version(tmp_path)

        assert await page.evaluate(UPDATE) == "installed"
        await page.shows("#updateNotice", "A new version is ready")
        await tab.shows("#updateNotice")
        assert await page.evaluate(PAGE_VERSION) == version_of(STATIC)
        await tab.click("#updateNow")

        for each in (page, tab):
            await each.until(f"{PAGE_VERSION} === '{version_of(front.folder)}'")
            await each.has_keys()
        await page.until(f"{KEPT_VERSIONS}.then((all) => all.join() === '{version_of(front.folder)}')")

    @in_both_browsers
    async def test_newer_version_is_told_of_by_the_next_start(self, front, browser, tmp_path):
        page = await browser.person(front)
        await has_service_worker(page)
        front.folder = newer_version(tmp_path)

        await page.goto(f"{front.url}/chats")

        await page.shows("#updateNotice", "A new version is ready")

    async def test_update_while_one_writes_loses_neither_what_was_just_sent_nor_what_is_typed(
        self, front, browser, tmp_path
    ):
        alice, bob = await browser.person(front), await front.truth.register()
        await alice.opens(bob.fingerprint)
        await has_service_worker(alice)
        front.folder = newer_version(tmp_path)
        with (front.folder / "sw.js").open("a") as worker:
            worker.write(GIVES_ITS_PAGE_LATE)
        assert await alice.evaluate(UPDATE) == "installed"
        await alice.shows("#updateNotice")

        await alice.evaluate(f"({TYPES_ON_UNTIL_THE_PAGE_GOES})('just sent')")
        await alice.until(f"{PAGE_VERSION} === '{version_of(front.folder)}'")
        await alice.has_keys()

        await alice.until(f"{BODY} === sessionStorage.typed")
        assert await alice.value("#chatBody")
        assert await alice.evaluate("[sessionStorage.took_none, sessionStorage.typed_late ?? null]") == ["true", None]
        assert await until(lambda: read_once(bob)) == ["just sent"]

    @in_both_browsers
    async def test_newer_version_is_there_after_the_last_tab_is_gone(self, front, browser, tmp_path):
        page = await browser.person(front)
        await has_service_worker(page)
        front.folder = newer_version(tmp_path)

        async def comes_back_to_it() -> bool:  # a browser takes its time to see that the last tab is gone
            await page.goto("about:blank")
            await page.goto(f"{front.url}/about")
            await page.has_keys()
            return await page.text("#aboutClientVersion") == "99.0.0"

        await page.evaluate(UPDATE)

        await until(comes_back_to_it)

    async def test_page_of_the_first_version_ends_in_this_one_after_one_reload_with_nothing_lost(
        self, front, browser, tmp_path
    ):
        front.folder = first_version(tmp_path)
        alice, bob = await browser.person(front, watched=True), await front.truth.register()
        await alice.opens(bob.fingerprint)
        await has_service_worker(alice)
        tab = await alice.another_tab()
        front.takes_mail = False
        alice.browser.expected.append(UNREACHABLE)
        await alice.says("waits")
        await alice.drafts("unfinished")
        loads = [len(each.documents) for each in (alice, tab)]

        front.folder, front.takes_mail = STATIC, True
        await tab.reload()
        await tab.until(
            "navigator.serviceWorker.getRegistration().then(({ waiting, installing }) => !waiting && !installing)"
        )
        await goes_to(alice, "about")  # a module that version fetches late
        await alice.switches_to(bob)
        await alice.reload()

        for each in (alice, tab):
            await each.until(f"{PAGE_VERSION} === '{version_of(STATIC)}'")
            await each.until("document.querySelector('#chatBody').value === 'unfinished'")
        await alice.has_relayed(1)
        assert await read_all(bob) == ["waits"]
        assert [len(each.documents) for each in (alice, tab)] == [each + 1 for each in loads]


# Presses Open when somebody listens to the form, before the page has loaded its threads.
SENDS_AS_SOON_AS_IT_IS_WIRED = """(() => {
    const { addEventListener } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (type, ...rest) {
        addEventListener.call(this, type, ...rest);
        if (this.id !== "openChatForm" || type !== "submit") return;
        window.sent = (window.sent ?? 0) + 1;
        queueMicrotask(() => this.requestSubmit());
    };
})()"""


@pytest.mark.service_worker
class TestBrowserStart:
    """Where the page does not start, it says so in plain words instead of waiting for ever."""

    @pytest.mark.parametrize("name", ["app.js", "views/dom.js", "vendor/nacl-fast.min.js"])
    @pytest.mark.parametrize("spoil", [cut_off, login_page])
    async def test_file_that_does_not_come_as_it_should_is_said(self, front, browser, name, spoil):
        page = await browser.page()
        page.expects(UNREACHABLE, "integrity", "MIME type", "404")

        front.spoils = {name: spoil}
        await page.goto(front.url)
        await page.shows("#notStarted", "This page did not start")
        front.spoils = {}
        await page.click("#reloadPage")

        await page.has_keys()
        assert await page.count("#notStarted") == 0

    async def test_newcomer_is_welcomed_before_the_modules_came(self, front, browser):
        page, released = await browser.page(), asyncio.Event()
        front.spoils["client.js"] = held(released)

        await page.call("Page.navigate", url=front.url)
        await page.shows("#title-newchat > .for-new", "Send a link, start talking.")
        await page.shows("#welcomeLede", f", on {URL(front.url).authority}.")
        await page.fill("#myName", "Ana")
        released.set()

        await page.has_keys()
        assert await page.value("#myName") == "Ana"

    async def test_search_typed_and_sent_before_the_modules_came_is_done_when_they_are_there(self, front, browser):
        page, released = await browser.page(), asyncio.Event()
        front.spoils["client.js"] = held(released)

        await page.call("Page.navigate", url=f"{front.url}/about")
        await page.until("document.querySelector('#listSearch')?.checkVisibility()")
        await page.fill("#listSearch", "needle")
        await page.key("Enter")
        released.set()

        await page.shows("#nothingFound")
        assert await page.value("#listSearch") == "needle"

    async def test_link_pressed_before_the_modules_came_is_followed_and_what_was_typed_stays(self, front, browser):
        page, released = await browser.page(), asyncio.Event()
        front.spoils["client.js"] = held(released)

        await page.call("Page.navigate", url=front.url)
        await page.until("document.querySelector('#tab-about')?.checkVisibility()")
        await page.fill("#myName", "Ana")
        await page.click("#tab-about")
        released.set()

        await page.shows("#view-about")
        assert await page.value("#myName") == "Ana"

    async def test_button_pressed_before_the_page_has_its_stores_acts_once_when_it_has(self, browser, relay):
        alice = await browser.person(relay)
        tab = await holds_store_over_a_reload(alice)
        theme = await alice.evaluate("document.documentElement.dataset.theme")

        await alice.evaluate("settingsOpen.click(), themeToggle.click()")
        assert await alice.evaluate("document.documentElement.dataset.theme") == theme
        await tab.evaluate("window.release()")

        await alice.until(f"document.documentElement.dataset.theme !== '{theme}'")
        assert await alice.count("dialog[open]") == 0

    async def test_link_that_is_followed_at_once_takes_the_place_of_a_button_that_waits(self, browser, relay):
        alice = await browser.person(relay)
        tab = await holds_store_over_a_reload(alice)

        await alice.evaluate("settingsOpen.click()")
        await alice.click("#tab-about")
        await tab.evaluate("window.release()")

        await alice.has_keys()
        assert await alice.count("dialog[open]") == 0
        assert await alice.count("#view-about") == 1

    async def test_form_sent_before_the_page_has_its_stores_is_sent_when_it_has(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        tab = await holds_store_over_a_reload(alice)

        await alice.fill("#myName", "Alice")
        await alice.fill("#openChatFp", bob.fingerprint)
        await alice.key("Enter")
        await tab.evaluate("window.release()")

        await alice.until(f"location.hash === '#chat={bob.fingerprint}'")
        assert await alice.value("#myName") == "Alice"

    async def test_form_sent_while_the_views_are_being_wired_is_sent_when_they_are(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.call("Page.addScriptToEvaluateOnNewDocument", source=SENDS_AS_SOON_AS_IT_IS_WIRED)
        tab = await holds_store_over_a_reload(alice)

        await alice.fill("#openChatFp", bob.fingerprint)
        await tab.evaluate("window.release()")

        await alice.until(f"location.hash === '#chat={bob.fingerprint}'")
        assert await alice.evaluate("window.sent") == 1

    async def test_page_says_that_it_needs_javascript(self, browser, relay):
        page = await browser.page()

        await page.call("Emulation.setScriptExecutionDisabled", value=True)
        await page.goto(relay.url)

        await page.shows("#notStarted", "It needs JavaScript")


# ------------------------------------------------------------------------------------------------------------------------
# Browser: contacts, library, backup
# ------------------------------------------------------------------------------------------------------------------------


async def panel_of(page: Page, other: Any) -> None:
    """Open the panel of a contact."""
    if not await page.evaluate(f"location.hash.startsWith('#chat={other.fingerprint}')"):
        await page.opens(other.fingerprint)
    await page.click("#contactOpen")
    await page.shows("#contactDialog")


async def blocks(page: Page, other: Any) -> None:
    """Open a contact's panel, block them and close it."""
    await panel_of(page, other)
    await page.click("#contactBlocked")
    await agrees(page, "Block ")
    await page.shows(".thread-detail .blocked", "blocked")
    await closes_panel(page)


async def has_noise_to_erase(liar: LyingRelay, browser: Browser, number: int) -> tuple[Page, Person]:
    """Somebody who was sent so many messages by a person they blocked, which their relay does not erase, and then a "hello" by another."""
    alice, bob, carol = await browser.person(liar), await liar.truth.register(), await liar.truth.register()
    alice.expects("Failed to load resource", "WebSocket connection to")
    address = await address_of(alice)
    await blocks(alice, bob)
    liar.lie("DELETE /v1/messages/", lambda _: web.Response(status=503))
    for each in range(number):
        await post(bob, address, text=f"noise {each}")
    await post(carol, address, text="hello")
    await alice.shows(".chat-tab-label", "hello")
    return alice, bob


async def unblocks(page: Page, other: Any) -> None:
    """Open a contact's panel, unblock them and close it."""
    await panel_of(page, other)
    await page.click("#contactBlocked")
    await page.hides(".thread-detail .blocked")
    await closes_panel(page)


async def mutes(page: Page, other: Any) -> None:
    """Open a contact's panel and mute them."""
    await panel_of(page, other)
    await page.click("#contactMuted")
    await page.shows(".thread-detail .muted", "muted")
    await closes_panel(page)


async def closes_panel(page: Page) -> None:
    await page.click("#contactDialog [data-close]")
    await page.until("!document.querySelector('#contactDialog').open")


async def archives(page: Page, other: Any) -> None:
    """Put a chat into the archive, by the menu of its row."""
    await chooses_for(page, other, "archive")
    await page.until(f"!document.querySelector('#chatTabs [data-fingerprint=\"{other.fingerprint}\"]')")


async def chooses_for(page: Page, other: Any, what: str) -> None:
    """Choose "pin", "mute", "archive" or "block" from the menu of a row."""
    await page.click(f'#chatTabs [data-fingerprint="{other.fingerprint}"] .chat-tab-more')
    await page.click(f"#rowMenu [data-do={what}]")


async def names(page: Page, name: str) -> None:
    """Give the contact of the open thread a name."""
    await page.click("#contactOpen")
    await page.fill("#contactName", name)
    await page.key("Enter")
    await page.shows("#threadName", name)
    await page.key("Escape")


async def scanner(browser: Browser, relay: AnyRelay, *, camera: bool = True) -> Page:
    """Somebody whose browser reads QR codes, which Chromium does on phones: this one reads `window.code`, off a picture of its own."""
    page = await browser.page()
    await page.call("Page.addScriptToEvaluateOnNewDocument", source=READS_CODES + (HAS_A_CAMERA if camera else ""))
    await page.goto(relay.url)
    await page.has_keys()
    await page.until("document.querySelector('#liveIndicator.live')")
    return page


async def knows_limits(page: Page) -> None:
    """Wait until the page has what its relay says of itself."""
    await page.until("document.querySelector('#retentionDays').textContent === '14'")


async def goes_elsewhere(page: Page) -> None:
    """Leave the chats for a view where no thread is on screen."""
    await goes_to(page, "about")


async def chooses_filter(page: Page, selector: str, value: str) -> None:
    """Choose a chat or a day in the library."""
    choose = f"Object.assign(document.querySelector('{selector}'), {{ value: {json.dumps(value)} }})"
    await page.evaluate(f"void {choose}.dispatchEvent(new Event('change'))")


async def searches(page: Page, words: str, found: str) -> None:
    """Type words into the library's search; `found` is what the pager says."""
    await goes_to(page, "library")
    await page.fill("#librarySearch", words)
    await page.shows("#libraryPageInfo", found)


NOTIFICATION_BODIES = f"{NOTIFICATIONS}.then((all) => all.map(([, body]) => body))"


READS_CODES = """window.BarcodeDetector = class {
    detect = async () => (window.code ? [{ rawValue: window.code }] : []);
};"""
HAS_A_CAMERA = """if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {
    const canvas = document.createElement("canvas");
    canvas.getContext("2d").fillRect(0, 0, 9, 9);
    return (window.camera = canvas.captureStream());
};"""
# The first camera or microphone comes with `come()`, and is `came` then.
COMES_LATE = """void ((devices) => {
    const asks = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
        devices.getUserMedia = asks;
        await new Promise((resolve) => (window.come = resolve));
        return (window.came = await asks(wanted));
    };
})(%s)"""
# As if the relay had refused the last message for good.
FAILS = """(async () => {
    const [{ Database }, { Store }] = await Promise.all([import("/store/database.js"), import("/store/store.js")]);
    return new Store(await Database.open()).putContact("%s", { failed: [{ seq: 1, text: "never went" }] });
})()"""

# As if mail had been fetched while an answer is being stored: its transaction begins before the list of threads has that.
STORES_ANOTHER_BEHIND_EACH_ANSWER = """(fingerprint) => {
    const { commit } = IDBTransaction.prototype;
    IDBTransaction.prototype.commit = function () {
        commit.call(this);
        if (!this.objectStoreNames.contains("messages")) return;
        const contacts = this.db.transaction("contacts", "readwrite").objectStore("contacts");
        contacts.get(fingerprint).onsuccess = ({ target }) => contacts.put({ ...target.result, last_seq: 1000 });
    };
}"""


async def calls_themselves(page: Page, name: str) -> None:
    """Type my own name on the home view, and save it."""
    await goes_to(page, "newchat")
    await page.fill("#myName", name)
    await page.key("Enter")
    await page.until(
        f"document.querySelector('#toast').textContent.startsWith('Name saved') && document.querySelector('#settingName').value === {json.dumps(name)}"
    )


async def is_called(page: Page, name: str) -> None:
    """Wait until the list has one chat of exactly this name."""
    await page.until(
        f"[...document.querySelectorAll('#chatTabs bdi:first-child')].filter((each) => each.textContent === {json.dumps(name)}).length === 1"
    )


# What somebody may call themselves, and what is kept of it; "" where it is no name.
OWN_NAMES = [
    ("Ana", "Ana"), ("  Ana \u00a0 María  ", "Ana María"), ("e\u0301", "\u00e9"), ("O'Brien (mum)", "O'Brien (mum)"), ("x" * 64, "x" * 64),
    ("😀" * 64, "😀" * 64), ("👨‍👩‍👧‍👦 ❤️ 🇫🇷 👩🏽‍⚕️", "👨‍👩‍👧‍👦 ❤️ 🇫🇷 👩🏽‍⚕️"), ("نامه‌ها", "نامه‌ها"), ("क्‍ष", "क्‍ष"), ("<b>Ana</b>", "<b>Ana</b>"),
    ("", ""), ("   ", ""), ("x" * 65, ""), ("x" * 10_000, ""), ("😀" * 65, ""), ("A\nna", ""), ("A\0na", ""), ("A\tna", ""), ("A\x7fna", ""),
    ("A\u202ena", ""), ("\u2066Ana\u2069", ""), ("A\u200fna", ""), ("A\u200bna", ""), ("A\u200dna", ""), ("Ana\u200d", ""), ("A\u00adna", ""),
    ("Ana\ufe0f", ""), ("\u3164", ""), ("\u2800", ""), ("\u2028", ""), ("\ud83d", ""), ("\ue000", ""), ("A\U000e0041na", ""),
    ("Z\u0337\u0322\u031b\u031b\u0318a", ""), ("Ana ✓", ""), ("✅ Ana", ""), ("Ana (1b35 c384)", ""), ("Ana（１Ь35 с384）", ""), (7, ""), (None, ""), (["Ana"], ""),
]  # fmt: skip
CALLED_ALIKE = [
    ("Ana", "аnа"), ("Ana", "ANA"), ("Анна", "АННА"), ("AHHA", "Анна"), ("Ana", "Ａｎａ"), ("Ana", "Ána"), ("Ana", "𝓐𝓷𝓪"), ("Ana", "A n a."),
    ("Ian", "lan"), ("Arnold", "Amold"), ("Bob", "B0b"), ("Νικος", "ΝΙΚΟΣ"), ("José", "jose"), ("Łukasz", "Lukasz"), ("山田", "山田"),
]  # fmt: skip
CALLED_OTHERWISE = [("Ana", "Anna"), ("Marie", "Mary"), ("Иван", "Ivan"), ("Ana", "Ana 🌸"), ("山田", "山本"), ("👨", "👩")]


class TestBrowserNames:
    """People are called as they say, until I say otherwise, and nobody is taken for somebody else by it."""

    async def test_name_is_kept_in_one_form_or_not_at_all(self, relay, browser):
        page, given = await browser.page(), [given for given, _ in OWN_NAMES]
        await page.goto(f"{relay.url}/about")

        kept = await page.evaluate(
            f"(async () => {{ {imported(text='readName')} return {json.dumps(given)}.map(readName) }})()"
        )

        assert dict(zip(map(repr, given), kept, strict=True)) == {repr(name): form for name, form in OWN_NAMES}

    async def test_names_that_look_alike_count_as_the_same(self, relay, browser):
        page, pairs = await browser.page(), [*CALLED_ALIKE, *CALLED_OTHERWISE]
        await page.goto(f"{relay.url}/about")
        alike = "(([one, other]) => [...likenesses(one)].some((each) => likenesses(other).has(each)))"

        found = await page.evaluate(
            f"(async () => {{ {imported(text='likenesses')} return {json.dumps(pairs)}.map{alike} }})()"
        )

        assert dict(zip(pairs, found, strict=True)) == {pair: pair in CALLED_ALIKE for pair in pairs}

    async def test_name_goes_with_every_message_and_is_what_they_are_called_at_the_other_end(self, relay, browser):
        alice, bob = await browser.person(relay), await browser.person(relay)
        await calls_themselves(alice, "Alice <b>L</b>")
        await alice.opens(bob.fingerprint)

        await alice.says("hello")

        await is_called(bob, "Alice <b>L</b>")
        await bob.click(".chat-tab-label")
        await bob.shows("#threadName", "Alice <b>L</b>")
        await bob.click("#contactOpen")
        await bob.shows("#contactCalls", "Calls themselves Alice <b>L</b>.")
        await bob.reload()
        await bob.shows("#threadName", "Alice <b>L</b>")

    async def test_another_name_is_heard_of_without_a_message(self, relay, browser):
        alice, bob = await browser.person(relay), await browser.person(relay)
        await alice.opens(bob.fingerprint)
        await alice.says("hello")
        await bob.click(".chat-tab-label")
        await bob.sees("hello")
        await bob.says("who is this?")
        await alice.sees("who is this?")

        await calls_themselves(alice, "Alice")

        await bob.shows("#threadName", "Alice")

    async def test_old_client_gets_the_name_where_it_ignores_it(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await calls_themselves(alice, "Alice")
        await alice.opens(bob.fingerprint)

        await alice.says("hello")
        await alice.has_relayed(1)

        [plaintext] = [bob.open(message) for message in await bob.fetch()]
        assert json.loads(plaintext) | {"name": "Alice", "text": "hello"} == json.loads(plaintext)
        assert len(plaintext) % 256 == 0

    async def test_message_that_fills_the_limit_goes_without_the_name(self, relays, browser):
        relay = await relays(MAX_MESSAGE_BYTES="1096")
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await knows_limits(alice)

        await calls_themselves(alice, "x" * 64)
        await alice.opens(bob.fingerprint)
        for text in ("short", "l" * 700):
            await alice.says(text)
        await alice.has_relayed(2)

        sent = [json.loads(bob.open(message)) for message in await bob.fetch()]
        assert [each.get("name") for each in sent] == ["x" * 64, None]

    async def test_invite_link_holds_the_name_and_opens_with_it(self, relay, browser):
        alice, bob = await browser.person(relay), await browser.person(relay)
        await calls_themselves(alice, "Dr. Ána (mum) & co.")
        await alice.until("document.querySelector('#inviteLinkInput').value.includes('&name=')")
        link = await alice.value("#inviteLinkInput")
        assert link.endswith("&name=Dr%2E%20%C3%81na%20%28mum%29%20%26%20co%2E")

        await bob.goto(link)

        await bob.shows("#threadName", "Dr. Ána (mum) & co.")
        assert "name" not in await bob.evaluate("location.href")

    async def test_bad_name_in_a_link_is_ignored_and_a_good_one_renames_nobody(self, relay, browser):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await post(bob, alice, name="Bob")
        await is_called(alice, "Bob")

        await alice.opens(f"{relay.url}/chats#chat={carol.fingerprint}&name=A%E2%80%AEna")
        await alice.opens(f"{relay.url}/chats#chat={bob.fingerprint}&name=Mallory")

        await is_called(alice, "Somebody")
        await is_called(alice, "Bob")

    async def test_newest_name_counts_and_nothing_that_the_relay_could_have_made_up(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()

        await post(bob, alice, text="one", name="Bob")
        await post(bob, alice, text="two", name="Robert")
        await post(bob, alice, text="three", name="R\u202eobert")
        await post(bob, alice, text="four", name="Turned around", **{"from": None, "to": None})
        await post(bob, alice, text="five", name="Refused", to=NOBODY)
        await alice.click(".chat-tab-label")

        await alice.shows(".chat-line-in", "It was written to somebody else")
        await is_called(alice, "Robert")

    async def test_name_that_i_choose_stays_whatever_they_call_themselves(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await post(bob, alice, name="Bob")
        await panel_of(alice, bob)
        await alice.fill("#contactName", "Builder")
        await alice.key("Enter")

        await post(bob, alice, text="again", name="The Boss")

        await alice.shows("#contactCallsName", "The Boss")
        await is_called(alice, "Builder")
        await alice.fill("#contactName", "")
        await alice.key("Enter")
        await is_called(alice, "The Boss")

    @pytest.mark.parametrize("claimed", ["Ana", "аnа", "ＡＮＡ", "Ána", "A na."])
    async def test_who_takes_the_name_of_a_contact_is_told_apart_by_the_address(self, relay, browser, claimed):
        alice, ana, mallory = await browser.person(relay), await relay.register(), await relay.register()
        await panel_of(alice, ana)
        await alice.fill("#contactName", "Ana")
        await alice.key("Enter")
        await alice.click("#contactVerified")
        await closes_panel(alice)

        await post(mallory, alice, name=claimed)

        await is_called(alice, f"{claimed} ({start_of(mallory)})")
        await is_called(alice, "Ana")
        await alice.click(f'#chatTabs [data-fingerprint="{mallory.fingerprint}"] .chat-tab-label')
        await alice.shows("#threadName", f"{claimed} ({start_of(mallory)})")
        assert await alice.count(".thread-detail .verified") == 0

    async def test_two_who_say_the_same_are_both_told_apart_until_one_is_gone(self, relay, browser):
        alice, ana, other = await browser.person(relay), await relay.register(), await relay.register()
        for person in (ana, other):
            await alice.opens(f"{relay.url}/chats#chat={person.fingerprint}&name=Ana")

        for person in (ana, other):
            await is_called(alice, f"Ana ({start_of(person)})")
        await alice.click("#contactOpen")
        await alice.click("#contactRemove")
        await agrees(alice, "Remove ")

        await is_called(alice, "Ana")

    async def test_stranger_takes_no_name_from_whom_i_write_to(self, relay, browser):
        alice, ana, stranger = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(f"{relay.url}/chats#chat={ana.fingerprint}&name=Ana")

        await post(stranger, alice, name="Ana")

        await is_called(alice, f"Ana ({start_of(stranger)})")
        await is_called(alice, "Ana")

    async def test_nobody_is_called_as_i_am(self, relay, browser):
        alice, bob, you = await browser.person(relay), await relay.register(), await relay.register()
        await post(bob, alice, name="Alice")
        await post(you, alice, name="you")
        await is_called(alice, "Alice")

        await calls_themselves(alice, "Alice")

        await is_called(alice, f"Alice ({start_of(bob)})")
        await is_called(alice, f"you ({start_of(you)})")

    async def test_what_is_no_name_is_not_saved_and_says_why(self, relay, browser):
        alice = await browser.person(relay)
        await calls_themselves(alice, "Alice")

        await alice.fill("#myName", "Alice ✓")
        await alice.key("Enter")

        await alice.shows("#myNameStatus", "all be seen")
        assert "name=Alice" in await alice.value("#inviteLinkInput")
        assert await alice.value("#myName") == "Alice ✓"

    async def test_backup_brings_both_names_back(self, relay, browser, tmp_path):
        alice, bob = await browser.person(relay), await relay.register()
        await calls_themselves(alice, "Alice")
        await post(bob, alice, name="Bob")
        await is_called(alice, "Bob")
        device = await browser.person(relay)

        await restores(device, await exports(alice, tmp_path))

        await is_called(device, "Bob")
        assert await device.value("#myName") == "Alice"

    @pytest.mark.service_worker
    async def test_notification_has_their_name_and_words_without_the_signs_of_marks(self, relay, browser):
        alice, bob = await with_notifications(browser, relay), await relay.register()
        await hide(alice)

        await post(bob, alice, text="**psst**", name="Bob")

        await alice.until(f"{NOTIFICATIONS}.then((all) => all.length === 1)")
        assert await alice.evaluate(NOTIFICATIONS) == [["Bob", "psst"]]


def held(released: asyncio.Event) -> Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]:
    """What a front server does that gives a module only when it is told to."""

    async def answer(request: web.Request, content: bytes) -> web.StreamResponse:
        await released.wait()
        return web.Response(body=content, content_type="text/javascript")

    return answer


async def comes_by(page: Page, link: str) -> None:
    """Tap a link, and wait no longer than for the document's own markup. It is there for a moment only where no module is held."""
    await page.call("Page.navigate", url=link)
    await page.until("document.querySelector('#guestTitle')?.textContent.includes('Opening your')")


async def arrives(page: Page, link: str) -> None:
    """Tap a link, and wait until the chat is open."""
    await page.goto(link)
    await page.has_keys()
    await page.shows("#guestTitle", "invited you to a private chat")


async def inviting(browser: Browser, relay: AnyRelay, name: str = "Marie") -> tuple[Page, str]:
    """Somebody who calls themselves so, and their link."""
    host = await browser.person(relay)
    if name:
        await calls_themselves(host, name)
        await host.until("document.querySelector('#inviteLinkInput').value.includes('&name=')")
    return host, await host.value("#inviteLinkInput")


HEX_ON_SCREEN = "(document.body.innerText.match(/[0-9a-f]{8,}/gi) ?? []).join()"
# Before the page's own scripts: notes whatever hex is painted, at any time.
WATCHES_FOR_HEX = f"""window.hexSeen = new Set();
const look = () => {{ if (document.body && {HEX_ON_SCREEN}) hexSeen.add({HEX_ON_SCREEN}); requestAnimationFrame(look) }};
look();"""

# The same for a list of chats without any row, from when its markup is there on.
WATCHES_FOR_AN_EMPTY_LIST = """window.emptySeen = 0;
const isShown = (selector) => [...document.querySelectorAll(selector)].some((each) => each.checkVisibility());
const look = () => { emptySeen += Boolean(document.querySelector("#guestTitle")?.textContent) && !isShown(".chat-tab, #guestRow"); requestAnimationFrame(look) };
look();"""


class TestBrowserGuest:
    """Whoever opens a link sees whom it leads to and can write, at once; nothing that they write is lost, or goes to somebody else."""

    async def test_two_strangers_meet_by_a_link_and_see_no_hex(self, relay, browser):
        host, link = await inviting(browser, relay)
        guest = await browser.page(size=PHONE)
        await guest.call("Page.addScriptToEvaluateOnNewDocument", source=WATCHES_FOR_HEX)

        await arrives(guest, link)
        await guest.shows("#guestText", "Only you and Marie can read it. No account, no phone number.")
        await guest.fill("#guestName", "Ana")
        await guest.says("Hi Marie!")
        await is_called(host, "Ana")
        await host.click(".chat-tab-label")
        await host.sees("Hi Marie!")
        await host.says("Hi Ana!")

        await guest.sees("Hi Ana!")
        assert await guest.evaluate("[...hexSeen]") == []
        assert await guest.text("#threadName") == "Marie" and await guest.count("#guestCard") == 0

    async def test_list_beside_a_guest_is_never_an_empty_one(self, front, relay, browser):
        host, released = await relay.register(), asyncio.Event()
        front.spoils["client.js"] = held(released)
        guest = await browser.page()
        await guest.call("Page.addScriptToEvaluateOnNewDocument", source=WATCHES_FOR_AN_EMPTY_LIST)

        await comes_by(guest, f"{front.url}/chats#chat={host.fingerprint}&server={front.url}&name=Marie")
        await guest.shows("#guestRow", "Marie")
        released.set()
        await guest.shows(".chat-tab.active", "Marie")

        await guest.shows(".thread-detail .mark", "not verified")
        assert await guest.count("#guestRow") == await guest.evaluate("window.emptySeen") == 0

    async def test_link_without_a_name_says_so_in_words(self, front, relay, browser):
        host, released = await relay.register(), asyncio.Event()
        front.spoils["client.js"] = held(released)
        guest = await browser.page()
        await guest.call("Page.addScriptToEvaluateOnNewDocument", source=WATCHES_FOR_HEX)

        await comes_by(guest, f"{front.url}/chats#chat={host.fingerprint}&server={front.url}")
        opening = await guest.text("#guestTitle")
        released.set()
        await guest.shows("#guestTitle", "Somebody invited you to a private chat")

        assert opening == "Opening your private chat…"
        assert await guest.evaluate("[...hexSeen]") == []

    @pytest.mark.parametrize("name", ["A%E2%80%AEna", "A%0Ana", "x" * 65, "Ana%20%E2%9C%93", "%3Cb%3EAna", "%FF"])
    async def test_name_that_is_none_or_might_be_none_is_not_on_screen_before_it_was_looked_at(self, front, browser, name):
        front.spoils["client.js"] = held(asyncio.Event())
        guest = await browser.page()

        await comes_by(guest, f"{front.url}/chats#chat={NOBODY}&server={front.url}&name={name}")

        assert await guest.text("#guestTitle") == "Opening your private chat…"
        assert await guest.evaluate("document.querySelector('#chatBody').placeholder") == "Say hello…"

    async def test_composer_takes_words_before_anything_else_is_loaded_and_sends_them_then(self, front, relay, browser):
        host, released = await relay.register(), asyncio.Event()
        front.spoils["client.js"] = held(released)
        guest = await browser.page()

        await comes_by(guest, f"{front.url}/chats#chat={host.fingerprint}&server={front.url}&name=Marie")
        await guest.fill("#guestName", "Ana")
        for text in ("one", "two"):
            await guest.says(text)
        await guest.drafts("half a thou")
        assert await guest.sent() == ["one", "two"]
        released.set()

        await guest.has_relayed(2)
        assert await guest.value("#chatBody") == "half a thou"
        opened = [json.loads(host.open(message)) for message in await host.fetch()]
        assert [(each["text"], each["name"]) for each in opened] == [("one", "Ana"), ("two", "Ana")]

    async def test_words_outlive_a_reload_before_the_modules_came(self, front, relay, browser):
        host, released = await relay.register(), asyncio.Event()
        front.spoils["client.js"] = held(released)
        guest = await browser.page()

        link = f"{front.url}/chats#chat={host.fingerprint}&server={front.url}&name=Marie"
        await comes_by(guest, link)
        await guest.says("one")
        await guest.drafts("two")
        await guest.call("Page.reload")
        await guest.until("document.querySelector('#chatBody')?.value === 'one\\ntwo'")
        released.set()

        await guest.shows("#guestTitle", "Marie invited you")
        assert await guest.value("#chatBody") == "one\ntwo"
        assert await host.fetch() == []

    async def test_what_was_written_for_one_goes_to_nobody_else(self, relay, browser):
        marie, bob, guest = await relay.register(), await relay.register(), await browser.person(relay)
        await guest.opens(bob.fingerprint)
        await holds_keys(guest, next_load=True)

        await guest.goto(f"{relay.url}/chats#chat={marie.fingerprint}&server={relay.url}&name=Marie")
        await guest.until("window.release")
        await guest.click("#contactOpen")  # of whom nothing is known yet
        await guest.says("for Marie alone")
        await guest.drafts("and this")
        await guest.click(f'#chatTabs [data-fingerprint="{bob.fingerprint}"] .chat-tab-label')
        await guest.until("document.querySelector('#chatBody').value === ''")
        await guest.evaluate("window.release()")
        await guest.opens(marie.fingerprint)

        assert await guest.value("#chatBody") == "for Marie alone\nand this"
        assert await bob.fetch() == await marie.fetch() == []

    async def test_words_for_an_invite_that_fails_wait_as_a_draft(self, front, relay, browser):
        guest, marie, released = await browser.page(), Person(relay), asyncio.Event()
        front.spoils["client.js"] = held(released)
        guest.expects("404 (Not Found)")

        await comes_by(guest, f"{front.url}/chats#chat={marie.fingerprint}&server={front.url}&name=Marie")
        await guest.drafts("hello?")
        released.set()
        await guest.shows("#openChatStatus", "Nobody with this address")
        await marie.register()
        await guest.click("#openChatBtn")

        await guest.shows("#guestTitle", "Marie invited you")
        assert await guest.value("#chatBody") == "hello?"

    async def test_draft_of_a_chat_that_is_there_outlives_words_sent_before_the_modules_came(self, front, relay, browser):
        host, released, guest = await relay.register(), asyncio.Event(), await browser.page()
        link = f"{front.url}/chats#chat={host.fingerprint}&server={front.url}&name=Marie"
        await arrives(guest, link)
        await guest.drafts("half a thou")
        await kept_drafts(guest, 1, "half a thou")
        await guest.goto("about:blank")

        front.spoils["client.js"] = held(released)
        await comes_by(guest, link)
        await guest.says("one")
        released.set()

        await guest.has_relayed(1)
        assert await guest.value("#chatBody") == "half a thou"
        await kept_drafts(guest, 1, "half a thou")

    async def test_draft_of_a_chat_that_is_there_stays_when_its_link_is_opened_again(self, relay, browser):
        guest, marie = await browser.person(relay), await relay.register()
        link = f"{relay.url}/chats#chat={marie.fingerprint}&server={relay.url}&name=Marie"
        await arrives(guest, link)
        await guest.drafts("half a thou")
        await kept_drafts(guest, 1, "half a thou")

        await arrives(guest, link)

        await guest.until("document.querySelector('#chatBody').value === 'half a thou'")

    @pytest.mark.service_worker
    async def test_hints_come_one_at_a_time_after_the_first_answer_and_closed_ones_stay_away(self, relay, browser):
        marie = await relay.register()
        guest = await browser.page()
        await guest.goto(f"{relay.url}/about")
        await guest.permit("notifications", setting="prompt")
        await arrives(guest, f"{relay.url}/chats#chat={marie.fingerprint}&server={relay.url}&name=Marie")
        await goes_live(guest)
        assert await guest.count("#hint") == 0

        await post(marie, guest, text="Hi!")
        await guest.shows("#hint", "Know when Marie writes, as long as this page is open.")
        await chooses_for(guest, marie, "mute")
        await guest.until("document.querySelector('#hint').hidden")
        await chooses_for(guest, marie, "mute")
        await guest.click("#hintClose")
        await guest.until("document.querySelector('#hint').hidden")
        await guest.reload()
        await guest.sees("Hi!")
        assert await guest.count("#hint") == 0

        await sets_clock(guest, 2 * 86_400_000)
        await post(marie, guest, text="Still there?")
        await guest.shows("#hint", "Your key lives only in this browser.")

    @pytest.mark.service_worker
    async def test_turning_notifications_on_in_the_hint_is_all_it_takes(self, relay, browser):
        marie = await relay.register()
        guest = await browser.person(relay)
        await guest.permit("notifications")
        await arrives(guest, f"{relay.url}/chats#chat={marie.fingerprint}&server={relay.url}&name=Marie")
        await post(marie, guest, text="Hi!")

        await guest.click("#hintGo")

        await guest.until("document.querySelector('#hint').hidden")
        assert await guest.evaluate("document.querySelector('#notifToggle').getAttribute('aria-pressed')") == "true"

    @pytest.mark.service_worker
    async def test_whoever_made_a_backup_is_not_asked_for_one(self, relay, browser, tmp_path):
        marie = await relay.register()
        guest = await browser.person(relay)
        await arrives(guest, f"{relay.url}/chats#chat={marie.fingerprint}&server={relay.url}&name=Marie")
        await post(marie, guest, text="Hi!")
        await guest.click("#hintClose")
        await sets_clock(guest, 2 * 86_400_000)
        await post(marie, guest, text="Still there?")
        await guest.shows("#hint", "Your key lives only in this browser.")

        await exports(guest, tmp_path)

        await goes_to(guest, "chats")
        await guest.sees("Still there?")
        assert await guest.count("#hint") == 0


class TestBrowserWelcome:
    """Whoever has no chat yet is told in three steps how to get one."""

    async def test_home_welcomes_until_the_first_chat(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.shows("#title-newchat > .for-new", "Send a link, start talking.")
        await alice.shows("#welcomeLede", f"End-to-end encrypted, on {URL(relay.url).authority}. No account needed.")

        await alice.opens(bob.fingerprint)
        await goes_to(alice, "newchat")

        await alice.shows("#title-newchat > .for-known", "New chat")
        assert await alice.count(".for-new") == 0

    @pytest.mark.parametrize("shares", [True, False])
    async def test_one_button_is_the_primary_one(self, relay, browser, shares):
        page = await browser.page()
        share = "(shared) => { window.shared = shared }" if shares else "undefined"
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=f"navigator.share = {share}")

        await page.goto(f"{relay.url}/newchat")
        await page.has_keys()

        assert await page.texts("#view-newchat .button.primary:not([hidden])") == [
            "Share my link" if shares else "Copy my link"
        ]
        if shares:
            await page.click("#shareInviteBtn")
            await page.until(f"window.shared?.url === {json.dumps(await page.value('#inviteLinkInput'))}")

    async def test_name_is_one_setting_in_every_place_that_asks_for_it(self, relay, browser):
        alice = await browser.person(relay)
        await calls_themselves(alice, "Alice")

        await alice.click("#settingsOpen")
        await alice.fill("#settingName", "Alice L")
        await alice.key("Enter")

        await alice.until(
            "['myName', 'meName', 'settingName'].every((id) => document.getElementById(id).value === 'Alice L')"
        )
        await alice.reload()
        await alice.has_keys()
        assert await alice.value("#myName") == "Alice L"


ORDER = "[...document.querySelectorAll('.chat-tab')].map((tab) => tab.dataset.fingerprint)"
MARKED_LINES = {
    "**bold** and *it* and `code`": "bold and it and code",
    "```python\nprint(1)\n```": "print(1)",
    "- milk\n- eggs": "• milk • eggs",
    "2*3*4 and ** alone": "2*3*4 and ** alone",
    "a" * 90 + " **" + "b" * 200 + "**": "a" * 90 + " " + "b" * 28 + "…",
}
LISTED_TIMES = [  # days before a Thursday noon, and what the list says of it in en-GB
    (0, "12:00"),
    (-1, "12:00"),
    (1, "Wed"),
    (6, "Fri"),
    (7, "19 Nov"),
    (400, "Oct 2025"),
]

# Where the words of the first chat in the list are, once they stay there for some frames and nothing lies over them.
STILL_WORDS = """(async () => {
    const place = () => (({ x, y, height }) => ({ x: x + 3, y: y + height / 2 }))(document.querySelector(".chat-tab-last .said").getBoundingClientRect());
    const before = place();
    for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame);
    const { x, y } = place();
    return x === before.x && y === before.y && document.elementFromPoint(x, y)?.closest(".chat-tab") ? { x, y } : null;
})()"""


class TestBrowserList:
    """The list says who wants what, and every chat can be put away and found again."""

    async def test_time_is_as_short_as_it_can_be(self, browser, relay):
        page = await browser.page()
        await page.call("Emulation.setLocaleOverride", locale="en-GB")
        await page.goto(relay.url)

        told = await page.evaluate(f"""(async () => {{
            {imported(format="formatWhen")}
            const now = new Date(2026, 10, 26, 12).getTime();
            return {[days for days, _ in LISTED_TIMES]}.map((days) => formatWhen(new Date(2026, 10, 26 - days, 12).getTime(), now));
        }})()""")

        assert told == [word for _, word in LISTED_TIMES]

    async def test_press_on_words_that_are_written_anew_before_it_ends_opens_the_chat(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "one")
        await alice.shows(".chat-tab-last .said", "one")
        where = await alice.until(STILL_WORDS)  # the list may be drawn anew just then

        await alice.call("Input.dispatchMouseEvent", type="mousePressed", button="left", clickCount=1, **where)
        await alice.until("document.querySelector('.chat-tab:active')")
        await write(bob, alice, "two")
        await alice.shows(".chat-tab-last .said", "two")
        await alice.call("Input.dispatchMouseEvent", type="mouseReleased", button="left", clickCount=1, **where)

        await alice.sees("two")

    async def test_row_tells_what_failed_before_a_draft_and_a_draft_before_what_was_said(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.says("שלום hello")
        await alice.has_relayed(1)
        await alice.shows(".chat-tab-last", "You:שלום hello✓")
        await alice.drafts("half a thou")
        await goes_elsewhere(alice)
        await alice.shows(".chat-tab-last", "Draft:half a thou")

        await alice.evaluate(FAILS % bob.fingerprint)

        await alice.shows(".chat-tab-last", "! Not sent:never went")
        assert await alice.count(".chat-tab-last > bdi") == 2

    async def test_row_leads_to_what_failed_however_far_above(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        alice.expects("404 (Not Found)")
        await alice.opens(bob.fingerprint)
        await bob.call("DELETE", "/v1/me")
        await alice.says("never went")
        await alice.shows(".chat-failure")
        await bob.register()
        await write(bob, alice, *(f"line {number}" for number in range(70)))
        await alice.sees("line 69")
        await alice.shows(".chat-tab-last", "! Not sent:never went")
        await alice.evaluate("chatMessages.scrollTop = chatMessages.scrollHeight")
        await goes_elsewhere(alice)

        await alice.click(".chat-tab-label")

        await alice.shows(".chat-line.found .chat-failure", "! Not sent: Nobody with this address")
        await alice.until(IN_SIGHT % ".chat-line:has(.chat-failure)")

    async def test_row_tells_of_all_that_failed_until_it_is_sent_or_deleted(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        alice.expects("404 (Not Found)")
        await alice.opens(bob.fingerprint)
        await bob.call("DELETE", "/v1/me")
        for text in ("one", "two"):
            await alice.says(text)
        await alice.until("document.querySelectorAll('.chat-failure').length === 2")
        await bob.register()
        await alice.says("three")
        await alice.has_relayed(1)

        await alice.shows(".chat-tab-last", "! Not sent:two")
        await alice.click(".chat-line-out ~ .chat-line-out .chat-discard")
        await alice.shows(".chat-tab-last", "! Not sent:one")
        await alice.reload()
        await alice.click(".chat-retry")

        await alice.shows(".chat-tab-last", "You:three✓")

    async def test_row_shows_words_without_the_signs_of_marks(self, browser, relay):
        alice, bob = await browser.person(relay, "/about"), await relay.register()

        for marked, words in MARKED_LINES.items():
            await write(bob, alice, marked)
            await alice.until(f"document.querySelector('.chat-tab-last > .said')?.textContent === {json.dumps(words)}")

    async def test_state_of_what_i_said_last_is_there_after_a_reload(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.says("hello")
        await alice.has_relayed(1)

        await alice.reload()

        await alice.until("document.querySelector('.chat-tab-last > .state')?.ariaLabel === 'on the server'")

    async def test_what_begins_right_to_left_is_cut_where_it_ends(self, browser, relay):
        alice, bob = await browser.person(relay, "/chats", size=(320, 640)), await relay.register()
        await write(bob, alice, "שלום also to Noa, she will join with her laptop")
        await alice.click(".chat-tab-label")  # a request no more
        await alice.click("#requestAccept")
        await alice.click("#threadBack")
        await alice.shows(".chat-tab-last .said", "also to Noa")

        begins = """(() => {
            const said = document.querySelector(".chat-tab-last .said");
            const word = new Range();
            word.setStart(said.firstChild, said.textContent.indexOf("also"));
            word.setEnd(said.firstChild, said.textContent.indexOf(" to Noa"));
            return [word, said].map((each) => each.getBoundingClientRect().left);
        })()"""
        first_word, row = await alice.evaluate(begins)
        assert first_word >= row

    async def test_unread_are_counted_and_those_of_a_muted_chat_in_grey(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await write(bob, alice, "one", "two")
        await write(carol, alice, "one")
        await alice.until("document.querySelectorAll('.chat-tab').length === 2")

        await chooses_for(alice, carol, "mute")
        await alice.until("document.querySelectorAll('.chat-tab.muted').length === 1")

        background = "getComputedStyle(document.querySelector('[data-fingerprint=\"%s\"] .count')).backgroundColor"
        assert await alice.text(f'[data-fingerprint="{bob.fingerprint}"] .chat-tab-unread-dot') == "2"
        assert await alice.evaluate(background % carol.fingerprint) == "rgba(0, 0, 0, 0)"
        assert await alice.evaluate(background % bob.fingerprint) != "rgba(0, 0, 0, 0)"

    async def test_pinned_chat_stays_on_top_over_a_reload(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.opens(carol.fingerprint)

        await chooses_for(alice, bob, "pin")
        await alice.until("document.querySelector('.chat-tab-marks [href=\"#i-pin\"]')")
        await write(carol, alice, "hello")
        await alice.shows(".chat-tab-last", "hello")
        await alice.reload()

        await alice.until(f"{ORDER}.length === 2")
        assert await alice.evaluate(ORDER) == [bob.fingerprint, carol.fingerprint]

    async def test_archived_chat_is_found_again_and_taken_back(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await archives(alice, bob)
        await alice.reload()
        await alice.click("#archived > summary")
        await alice.click("#archivedList a")
        await alice.shows("#chatThread")
        assert await alice.count(".chat-tab") == 0  # who looks at it leaves it where it is
        await alice.click("#archivedList button")

        await alice.shows(".chat-tab.active")
        assert await alice.count("#archived") == 0

    async def test_archive_that_is_opened_below_the_screen_comes_into_sight(self, browser, relay):
        alice, bob = await browser.person(relay, "/chats"), await relay.register()
        await alice.opens(bob.fingerprint)
        for _ in range(3):
            await alice.opens((await relay.register()).fingerprint)
        await archives(alice, bob)
        await alice.resize(390, 330)
        await alice.goto(f"{relay.url}/chats")

        await alice.click("#archived > summary")

        reached = "document.elementFromPoint(x + width / 2, y + height / 2)?.closest('#archivedList a')"
        await alice.until(
            f"(({{ x, y, width, height }}) => {reached})(document.querySelector('#archivedList a').getBoundingClientRect()) !== null"
        )

    async def test_archiving_is_undone(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await archives(alice, bob)
        await alice.until("location.hash === ''")
        await alice.click("#toastUndo")

        await alice.shows(".chat-tab")

    @pytest.mark.parametrize("muted", [False, True])
    async def test_new_message_takes_a_chat_out_of_the_archive_unless_it_is_muted(self, browser, relay, muted):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        if muted:
            await chooses_for(alice, bob, "mute")
        await archives(alice, bob)

        await write(bob, alice, "still there?")

        await alice.until("document.querySelector('.chat-tab-last').textContent === 'still there?'")
        assert await alice.count(".chat-tab") == (not muted)

    async def test_contact_is_blocked_from_the_list_after_a_question(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await chooses_for(alice, bob, "block")
        await agrees(alice, "Block ")

        await alice.until("!document.querySelector('.chat-tab')")
        await alice.click("#settingsOpen")
        await alice.shows("#blockedList li", bob.fingerprint[:8])

    async def test_right_button_opens_the_menu_of_a_row_and_escape_gives_the_focus_back(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.until("document.activeElement.id === 'chatBody'")
        await alice.evaluate("document.querySelector('.chat-tab-label').focus()")

        await alice.evaluate(
            "document.querySelector('.chat-tab-label').dispatchEvent(new Event('contextmenu', { bubbles: true, cancelable: true }))"
        )
        await alice.shows("#rowMenu", "Archive")
        await alice.key("Escape")

        await alice.until("document.activeElement.matches('.chat-tab-label')")

    async def test_row_is_pushed_aside_by_a_finger_and_archived(self, browser, relay):
        alice, bob = await browser.person(relay, "/chats", size=(390, 844)), await relay.register()
        await write(bob, alice, "hello")
        await alice.shows(".chat-tab")

        await alice.call("Input.synthesizeScrollGesture", x=200, y=150, xDistance=-250, yDistance=0)
        await alice.click(".chat-tab-close")

        await alice.until("!document.querySelector('.chat-tab')")
        await alice.is_told("is archived")

    async def test_head_of_the_chat_has_the_menu_of_its_row_and_more(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        for choice, shown in [
            ("search", "#chatSearchBar"),
            ("mute", ".thread-detail .muted"),
            ("contact", "#contactDialog"),
        ]:
            await alice.click("#threadMenuOpen")
            await alice.click(f"#rowMenu [data-do={choice}]")
            await alice.shows(shown)
        await closes_panel(alice)
        await alice.evaluate("document.querySelector('.chat-tab-more').click()")

        await alice.shows("#rowMenu", "Unmute")
        assert await alice.count("#rowMenu button") == 4

    async def test_chat_is_archived_from_its_head_on_a_phone_and_the_list_has_the_focus(self, browser, relay):
        alice, bob = await browser.person(relay, size=(390, 844)), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.click("#threadMenuOpen")
        await alice.click("#rowMenu [data-do=archive]")

        await alice.until("location.pathname === '/chats' && document.activeElement.id === 'listMenuOpen'")
        await alice.shows("#toastUndo")

    async def test_search_finds_people_and_then_messages(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await write(carol, alice, "is Zoë there?")
        await alice.shows(".chat-tab", "is Zoë there?")
        await alice.opens(bob.fingerprint)
        await names(alice, "Zoé")

        await alice.key("k", CONTROL)
        await alice.until("document.activeElement.id === 'listSearch'")
        await alice.type("zoe")
        await alice.shows("#messagesFound mark", "Zoë")
        assert (await alice.texts("#peopleFound bdi"))[0] == "Zoé" and await alice.count("#chatTabs") == 0
        await goes_elsewhere(alice)
        await alice.evaluate("document.querySelector('#listSearch').focus()")
        await alice.key("Enter")

        await alice.until(f"location.hash === '#chat={bob.fingerprint}'")
        assert await alice.value("#listSearch") == "" and await alice.count("#chatTabs") == 1

    async def test_enter_opens_what_is_found_of_the_words_that_are_there_now(self, browser, relay):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        for person in (carol, bob):
            await alice.opens(person.fingerprint)

        await alice.fill("#listSearch", bob.fingerprint)
        await alice.shows("#peopleFound li")
        await alice.evaluate("listSearch.select()")
        await alice.evaluate(
            f"document.execCommand('insertText', false, '{carol.fingerprint}'),"
            "listSearchForm.requestSubmit(), listSearchForm.requestSubmit()"
        )

        await alice.until(f"location.hash === '#chat={carol.fingerprint}'")

    async def test_search_that_finds_nothing_says_so_and_escape_ends_it(self, browser, relay):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.fill("#listSearch", "<b>nobody")
        await alice.shows("#nothingFound", "Nobody and no message")
        await alice.key("Escape")

        await alice.shows(".chat-tab")


class TestBrowserContacts:
    """A contact is what a person says it is, on this device alone."""

    async def test_name_is_shown_everywhere_and_survives_a_reload(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await panel_of(alice, bob)
        await alice.fill("#contactName", "Bob <b>Builder</b>")
        await alice.key("Enter")
        await alice.shows("#contactStatus", "Name saved")
        await alice.reload()

        await alice.shows("#threadName", "Bob <b>Builder</b>")
        await alice.shows(".chat-tab-label", "Bob <b>Builder</b>")
        assert not [row for row in rows(relay.database, "SELECT * FROM messages") if "Builder" in str(row)]

    async def test_newest_contact_is_the_first_of_the_list_before_any_message(self, relay, browser):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.says("hello")
        await alice.has_relayed(1)
        await alice.opens(carol.fingerprint)

        await alice.reload()

        await alice.until("document.querySelectorAll('.chat-tab').length === 2")
        order = await alice.evaluate("[...document.querySelectorAll('.chat-tab')].map((tab) => tab.dataset.fingerprint)")
        assert order == [carol.fingerprint, bob.fingerprint]

    async def test_safety_number_is_the_same_on_both_sides(self, relay, browser):
        alice, bob = await browser.person(relay), await browser.person(relay)
        await alice.opens(bob.fingerprint)
        await bob.opens(alice.fingerprint)

        numbers = []
        for page, other in ((alice, bob), (bob, alice)):
            await panel_of(page, other)
            await page.shows("#safetyQr canvas, #safetyQr svg, #safetyQr img")
            numbers.append(await page.text("#safetyNumber"))

        keys = [(await address_of(page)).public_key for page in (alice, bob)]
        assert re.fullmatch(r"\d{5}( \d{5}){11}", numbers[0])
        assert numbers[0] == numbers[1] == safety_number(*keys)

    async def test_verified_mark_stays_over_a_reload_and_belongs_to_that_contact_alone(self, relay, browser):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)

        await panel_of(alice, bob)
        await alice.click("#contactVerified")
        await alice.shows(".thread-detail .verified", "verified")
        await alice.reload()

        await alice.shows(".thread-detail .verified", "verified")
        await alice.opens(carol.fingerprint)
        await alice.shows("#threadDetail", "not verified")
        assert await alice.count(".thread-detail .verified") == 0

    @pytest.mark.service_worker
    async def test_muted_contact_is_heard_of_by_no_notification_dot_or_title(self, relay, browser):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        address = await address_of(alice)
        await alice.permit("notifications")
        await alice.click("#notifToggle")
        await alice.until("document.querySelector('#notifToggle').getAttribute('aria-pressed') === 'true'")
        await panel_of(alice, bob)
        await alice.click("#contactMuted")
        await alice.shows(".thread-detail .muted", "muted")
        await closes_panel(alice)
        await goes_elsewhere(alice)
        await alice.evaluate(NOTES_ARRIVAL)

        await post(bob, address, text="psst")
        await post(carol, address, text="hello")

        await alice.until("window.told")
        assert await alice.evaluate(NOTIFICATION_BODIES) == ["hello"]
        await alice.until("document.title.startsWith('(1)')")

    async def test_blocked_contacts_mail_is_fetched_passed_and_dropped(self, relay, browser):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        address = await address_of(alice)
        await panel_of(alice, bob)
        await alice.click("#contactBlocked")
        await agrees(alice, "Block ")
        await alice.shows(".thread-detail .blocked", "blocked")
        await closes_panel(alice)

        sent = await post(bob, address, text="let me in")
        await post(carol, address, text="hello")
        await alice.shows(".chat-tab-label", "hello")

        assert await alice.evaluate(FROM_DATABASE % "(await result(relays.getAll()))[0].cursor") > sent["id"]
        await panel_of(alice, bob)
        await alice.click("#contactBlocked")
        await closes_panel(alice)
        await post(bob, address, text="thank you")
        await alice.sees("thank you")
        assert await alice.received() == ["thank you"]

    async def test_blocked_mail_is_erased_beside_the_fetches_and_holds_up_nobody(self, liar, browser):
        alice, bob = await has_noise_to_erase(liar, browser, 8)

        await until(lambda: any(call.startswith("DELETE /v1/messages/") for call, _ in liar.heard))
        seen = f"(await result(seen.getAllKeys())).filter((key) => key.startsWith('{bob.fingerprint}')).length"
        to_erase = "(await result(relays.getAll()))[0].erase_ids.length"
        assert await alice.evaluate(FROM_DATABASE % f"[{seen}, {to_erase} > 0]") == [8, True]
        assert await alice.text("#liveIndicator") == "live"
        liar.be_honest()
        await alice.reload()

        await until(lambda: queued(liar.truth) == 1)
        await alice.until(FROM_DATABASE % f"{to_erase} === 0")

    async def test_blocked_mail_that_a_backup_left_to_erase_is_erased_after_it_and_nothing_comes_twice(self, liar, browser):
        alice, _ = await has_noise_to_erase(liar, browser, 3)
        backup = await alice.evaluate(f"({SNAPSHOT})()")

        liar.be_honest()
        await comes_back_from(alice, backup)

        await until(lambda: not rows(liar.truth.database, "SELECT id FROM messages WHERE id <= 3"))
        await alice.shows(".chat-tab-label", "hello")
        assert await stored(alice, "messages.map(({ text }) => text)") == ["hello"]

    async def test_blocked_contact_does_not_come_back_by_the_browsers_history(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await blocks(alice, bob)
        await goes_elsewhere(alice)

        await alice.evaluate("history.back()")
        await alice.is_told("You blocked this contact")
        await alice.goto(f"{relay.url}/chats#chat={bob.fingerprint}")

        await alice.until("location.hash === ''")
        await alice.hides("#chatThread, .chat-tab")

    async def test_removed_contact_does_not_come_back_by_an_address_without_a_relay(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await panel_of(alice, bob)
        await alice.click("#contactRemove")
        await agrees(alice, "Remove ")
        await alice.until("!document.querySelector('.chat-tab')")

        await alice.goto(f"{relay.url}/chats#chat={bob.fingerprint}")

        await alice.is_told("This chat is not on this device")
        assert await alice.count("#chatThread, .chat-tab") == 0
        assert await alice.evaluate(FROM_DATABASE % "await result(contacts.count())") == 0

    async def test_invite_of_a_blocked_contact_asks_before_it_unblocks(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        invite = f"{relay.url}/chats#chat={bob.fingerprint}&server={relay.url}"
        await blocks(alice, bob)

        await alice.goto(invite)
        await declines(alice, "Unblock ")
        await alice.until("location.hash === ''")
        await alice.hides("#chatThread, .chat-tab")
        await alice.goto(invite)
        await agrees(alice, "Unblock ")

        await alice.shows("#chatThread")
        await alice.shows(f'.chat-tab[data-fingerprint="{bob.fingerprint}"]')

    async def test_settings_list_the_blocked_and_unblock_them(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await blocks(alice, bob)
        await goes_elsewhere(alice)

        await alice.click("#settingsOpen")
        await alice.shows("#blockedList li", bob.fingerprint[:8])
        await alice.click("#blockedList button")

        await alice.shows("#blockedNone")
        await alice.shows(f'.chat-tab[data-fingerprint="{bob.fingerprint}"]')

    async def test_stranger_asks_to_write_until_the_person_accepts(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "may I?")

        await alice.shows(".chat-tab-last", "Request:may I?")
        await alice.click(".chat-tab-label")
        await alice.sees("may I?")
        await alice.click("#requestAccept")

        await alice.until("document.querySelector('#requestBar').hidden && !document.querySelector('.chat-tab .mark')")

    async def test_stranger_is_not_heard_and_a_contact_is(self, relay, browser):
        alice, friend, stranger = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(friend.fingerprint)
        await goes_elsewhere(alice)
        count = "window.beeps += Number(data.type === 'beep')"
        await alice.evaluate(
            f"void ((window.beeps = 0), (new BroadcastChannel('io3233-tabs').onmessage = ({{ data }}) => ({count})))"
        )

        await write(stranger, alice, "psst")
        await alice.shows(".chat-tab-label", "psst")
        await write(friend, alice, "hello")
        await alice.shows(".chat-tab-label", "hello")

        await alice.until("window.beeps > 0")
        assert await alice.evaluate("window.beeps") == 1

    async def test_stranger_who_is_blocked_at_once_is_gone(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "buy this")
        await alice.click(".chat-tab-label")

        await alice.click("#requestBlock")
        await agrees(alice, "Block ")

        await alice.until("!document.querySelector('.chat-tab')")

    async def test_answer_accepts_a_stranger(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "may I?")
        await alice.click(".chat-tab-label")

        await alice.says("of course")

        await alice.until("document.querySelector('#requestBar').hidden")

    async def test_answer_accepts_a_stranger_whose_next_message_is_stored_right_behind_it(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await write(bob, alice, "may I?")
        await alice.click(".chat-tab-label")
        await alice.evaluate(f"({STORES_ANOTHER_BEHIND_EACH_ANSWER})('{bob.fingerprint}')")

        await alice.says("of course")

        await alice.until("document.querySelector('#requestBar').hidden")
        assert await alice.evaluate(FROM_DATABASE % "(await result(contacts.getAll()))[0].last_seq") == 1000

    async def test_relay_that_invents_people_fills_a_bounded_room(self, relay, browser):
        alice, friend = await browser.person(relay), await relay.register()
        await alice.opens(friend.fingerprint)
        strangers = [await relay.register() for _ in range(60)]
        await goes_elsewhere(alice)

        for stranger in strangers:
            await write(stranger, alice, "hello", "it is me")
        await write(friend, alice, "are you flooded?")
        await alice.until("document.querySelector('#chatTabs').textContent.includes('are you flooded?')")

        assert await alice.count(".chat-tab .mark") == 20
        await alice.shows(".chat-tab", f"New: {strangers[-1].fingerprint[:4]} {strangers[-1].fingerprint[4:8]}")
        await alice.shows("#requestsDropped", "And 40 more from strangers")
        left = "[await result(contacts.count()), await result(messages.count()), await result(seen.count())]"
        assert await alice.evaluate(FROM_DATABASE % left) == [21, 41, 41]

    async def test_stranger_fills_no_more_than_a_requests_room(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()

        await write(bob, alice, *("x" * 100_000 for _ in range(4)), "last")
        await alice.shows(".chat-tab-last", "last")
        assert await alice.evaluate(FROM_DATABASE % "await result(messages.count())") == 3
        assert await alice.evaluate(FROM_DATABASE % "(await result(relays.getAll()))[0].requests_dropped") == 2

    async def test_nothing_is_sent_to_a_blocked_contact(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await panel_of(alice, bob)
        await alice.click("#contactBlocked")
        await agrees(alice, "Block ")
        await alice.shows(".thread-detail .blocked", "blocked")
        await alice.hides("#contactArchive")  # no list has them
        await closes_panel(alice)

        await alice.drafts("hello")
        await alice.key("Enter")

        await alice.shows("#chatSendStatus.bad", "You blocked this contact")
        assert (await alice.value("#chatBody"), queued(relay)) == ("hello", 0)

    async def test_contact_who_writes_while_the_question_is_asked_is_blocked_all_the_same(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        address = await address_of(alice)
        await panel_of(alice, bob)
        await alice.click("#contactBlocked")
        await alice.shows("#confirmTitle", "Block ")

        await post(bob, address, text="one more thing")
        await alice.sees("one more thing")
        await agrees(alice, "Block ")

        await alice.shows(".thread-detail .blocked", "blocked")

    @pytest.mark.parametrize("box", ["contactVerified", "contactMuted", "contactBlocked"])
    async def test_switch_of_a_contact_shows_what_is_stored(self, relay, browser, box):
        alice, bob = await browser.person(relay), await relay.register()
        await panel_of(alice, bob)

        await has_full_disk(alice)
        await alice.click(f"label:has(#{box})")
        if box == "contactBlocked":
            await agrees(alice, "Block ")

        await alice.is_told("no room left")
        assert not await alice.evaluate(f"document.querySelector('#{box}').checked")

    async def test_timer_of_a_contact_shows_what_is_stored(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await panel_of(alice, bob)

        alice.expects("no room left")
        await has_full_disk(alice)
        await chooses_filter(alice, "#contactTimer", "3600")

        await alice.is_told("no room left")
        await alice.until("document.querySelector('#contactTimer').value === '0'")

    @pytest.mark.parametrize("box", ["settingNotify", "settingPreview", "settingSound", "settingErase"])
    async def test_setting_shows_what_is_stored(self, relay, browser, box):
        alice = await browser.person(relay)
        await alice.permit("notifications")
        await alice.click("#settingsOpen")
        checked = f"document.querySelector('#{box}').checked"
        before = await alice.evaluate(checked)

        await has_full_disk(alice)
        await alice.click(f"label:has(#{box})")

        await alice.is_told("no room left")
        await alice.until(f"{checked} === {json.dumps(before)}")

    async def test_back_closes_what_is_open_on_top_and_stays_in_the_thread(self, relay, browser):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await panel_of(alice, bob)
        await alice.click("#contactBlocked")
        await alice.shows("#confirmTitle", "Block ")

        for left in ("contactDialog", ""):
            await alice.evaluate("history.back()")
            await alice.until(f"[...document.querySelectorAll('dialog[open]')].map(({{ id }}) => id).join() === '{left}'")
            assert await alice.evaluate("location.hash") == f"#chat={bob.fingerprint}"
        await alice.evaluate("history.back()")

        await alice.until("location.pathname === '/newchat'")

    async def test_removed_contact_goes_with_history_and_does_not_come_back(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        address = await address_of(alice)
        await alice.opens(bob.fingerprint)
        await alice.says("forget me")
        await alice.has_relayed(1)
        await post(bob, address, text="and me")
        await alice.sees("and me")

        await panel_of(alice, bob)
        await alice.click("#contactRemove")
        await agrees(alice, "Remove ")
        await alice.until("document.querySelectorAll('.chat-tab').length === 0")
        await alice.reload()

        await alice.shows("#liveIndicator.live")
        await searches(alice, "me", "0 of 0")
        assert await alice.count(".chat-tab") == 0

    async def test_contact_who_is_removed_while_they_are_changed_does_not_come_back(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.evaluate(f"""(async () => {{
            const [{{ Store }}, {{ Database }}] = await Promise.all(["store", "database"].map((name) => import(`/store/${{name}}.js`)));
            const store = new Store(Database.shared);
            await Promise.allSettled([store.updateContact("{bob.fingerprint}", {{ muted: true }}), store.removeContact("{bob.fingerprint}")]);
        }})()""")

        assert await alice.evaluate(FROM_DATABASE % "await result(contacts.count())") == 0
        await alice.until("!document.querySelector('.chat-tab')")

    async def test_contact_who_is_removed_while_the_key_is_fetched_does_not_come_back(self, relay, browser):
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await holds_keys(alice, first_fails=True)
        await panel_of(alice, bob)
        await closes_panel(alice)
        await alice.says("second thoughts")
        await alice.until("window.release")

        await panel_of(alice, bob)
        await alice.click("#contactRemove")
        await agrees(alice, "Remove ")
        await alice.until("!document.querySelector('.chat-tab')")
        await alice.evaluate("window.release()")
        await alice.opens(carol.fingerprint)
        await alice.says("to carol")
        await alice.has_relayed(1)

        assert (await alice.count(".chat-tab"), await read_all(bob)) == (1, [])

    async def test_cancelled_removal_and_block_change_nothing(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await post(bob, await address_of(alice), text="still here")
        await alice.sees("still here")

        await panel_of(alice, bob)
        for button, question in [("#contactBlocked", "Block "), ("#contactRemove", "Remove ")]:
            await alice.click(button)
            await declines(alice, question)
            await alice.until("!document.querySelector('#confirmDialog').open")

        assert not await alice.evaluate("document.querySelector('#contactBlocked').checked")
        assert await alice.received() == ["still here"]

    async def test_library_is_narrowed_to_one_chat_to_who_wrote_and_to_days(self, relays, browser, clock):
        clock.advance(-30 * 86_400)
        relay = await relays(clock=clock, MESSAGE_TTL_DAYS="90", JWT_EXPIRY_SEC="9000000")
        alice, bob, carol = await browser.person(relay), await relay.register(), await relay.register()
        await write(bob, alice, "old of bob")
        clock.advance(20 * 86_400)
        day = time.strftime("%Y-%m-%d", time.localtime(clock.now()))
        await write(bob, alice, "new of bob")
        await write(carol, alice, "new of carol")
        await alice.until("document.title.startsWith('(3) ')")

        await searches(alice, "of", "1–3 of 3")
        await chooses_filter(alice, "#librarySince", day)
        await alice.shows("#libraryPageInfo", "1–2 of 2")
        await chooses_filter(alice, "#libraryContact", bob.fingerprint)
        await alice.shows("#libraryPageInfo", "1–1 of 1")
        assert await alice.texts(".msg-text") == ["new of bob"]
        await chooses_filter(alice, "#libraryWriter", "out")
        await alice.shows("#libraryPageInfo", "0 of 0")
        await chooses_filter(alice, "#libraryWriter", "in")
        await alice.shows("#libraryPageInfo", "1–1 of 1")
        await chooses_filter(alice, "#libraryUntil", "2001-01-01")
        await alice.fill("#librarySearch", "")

        await alice.shows("#libraryEmpty", "No message fits these choices.")

    async def test_address_of_a_contact_is_copied(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await panel_of(alice, bob)
        await alice.permit("clipboard-read", "clipboard-write")

        await alice.click("#contactDetails > summary")
        await alice.click("#contactCopy")

        await alice.until(f"navigator.clipboard.readText().then((text) => text === '{bob.fingerprint}')")

    async def test_panel_stands_beside_the_chat_and_goes_along_with_it(self, relay, browser):
        alice, bob, carol = await browser.person(relay, size=DESKTOP), await relay.register(), await relay.register()
        await alice.opens(carol.fingerprint)
        await panel_of(alice, bob)
        assert await alice.evaluate("document.querySelector('#contactDialog').offsetWidth") == 360

        await alice.says("beside it")
        await alice.click(f'#chatTabs [data-fingerprint="{carol.fingerprint}"] a')
        await alice.until(f"document.querySelector('#contactAddress').textContent === '{carol.fingerprint}'")
        await alice.evaluate("history.back()")
        await alice.until(f"document.querySelector('#contactAddress').textContent === '{bob.fingerprint}'")
        await goes_elsewhere(alice)

        assert await alice.count("#contactDialog") == 0

    @pytest.mark.parametrize("size", [(390, 844), (820, 1180)], ids=["phone", "tablet"])
    async def test_panel_lies_over_the_chat_and_back_closes_it(self, relay, browser, size):
        alice, bob = await browser.person(relay, size=size), await relay.register()
        await panel_of(alice, bob)
        assert await alice.evaluate("document.querySelector('#contactDialog').matches(':modal')")

        await alice.evaluate("history.back()")

        await alice.until("!document.querySelector('#contactDialog').open")
        await alice.shows("#chatThread")

    async def test_digits_of_an_address_are_technical_details_alone(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await names(alice, "Bob")
        await panel_of(alice, bob)

        hidden = await alice.evaluate("document.querySelector('#contactDialog').innerText")
        await alice.click("#contactDetails > summary")

        assert not re.search("[0-9a-f]{8}", hidden)
        assert bob.fingerprint in await alice.evaluate("document.querySelector('#contactDialog').innerText")

    async def test_chat_is_archived_from_the_panel(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await panel_of(alice, bob)

        await alice.click("#contactArchive")

        await alice.shows("#archived", "Archived 1")
        assert await alice.count("#contactDialog, .chat-tab") == 0

    @pytest.mark.parametrize("same", [True, False])
    async def test_scanned_number_verifies_only_where_it_is_the_same(self, relay, browser, same):
        alice, bob = await scanner(browser, relay), await browser.person(relay)
        await panel_of(alice, bob)
        await alice.until("/^\\d{5}/.test(document.querySelector('#safetyNumber').textContent)")
        number = (await alice.text("#safetyNumber")).replace(" ", "")

        await alice.click("#safetyScan")
        await alice.evaluate(f"window.code = '{number if same else number[::-1]}'")

        await alice.shows("#contactStatus", "The same number" if same else "This is not the same number")
        assert await alice.evaluate("document.querySelector('#contactVerified').checked") == same
        assert await alice.evaluate("window.camera.getTracks().every(({ readyState }) => readyState === 'ended')")

    async def test_invite_is_scanned(self, relay, browser):
        alice, bob = await scanner(browser, relay), await relay.register()

        await alice.chooses("#listScan")
        await alice.evaluate(f"window.code = '{relay.url}/chats#chat={bob.fingerprint}&server={relay.url}'")

        await alice.until(f"location.hash === '#chat={bob.fingerprint}'")

    async def test_scan_that_is_cancelled_before_the_camera_comes_closes_no_other(self, relay, browser):
        alice, bob = await scanner(browser, relay), await relay.register()
        await alice.evaluate(COMES_LATE % "navigator.mediaDevices")
        await alice.chooses("#listScan")
        await alice.until("window.come")
        await alice.click("#scanDialog [data-close]")
        await alice.until("!document.querySelector('#scanDialog').open")

        await alice.chooses("#listScan")
        await alice.shows("#scanDialog")
        await alice.evaluate("come()")
        await alice.until("came.getTracks().every(({ readyState }) => readyState === 'ended')")
        await alice.evaluate(f"window.code = '{relay.url}/chats#chat={bob.fingerprint}&server={relay.url}'")

        await alice.until(f"location.hash === '#chat={bob.fingerprint}'")

    async def test_scan_without_a_camera_says_so_and_is_cancelled(self, relay, browser):
        alice = await scanner(browser, relay, camera=False)

        await alice.chooses("#listScan")
        await alice.shows("#scanStatus", "camera")
        await alice.click("#scanDialog [data-close]")

        await alice.until("!document.querySelector('#scanDialog').open")
        assert await alice.evaluate("location.pathname") == "/newchat" and await alice.value("#openChatFp") == ""

    async def test_nothing_is_scanned_where_the_browser_cannot(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await panel_of(alice, bob)

        assert await alice.evaluate("'BarcodeDetector' in window") == bool(await alice.count("#safetyScan"))

    async def test_library_pages_through_all_history_of_all_contacts(self, relay, browser):
        alice, people = await browser.person(relay), [await relay.register() for _ in range(3)]
        address = await address_of(alice)
        for number, text in enumerate(["memo", *(f"note {number}" for number in range(45))]):
            await post(people[number % 3], address, text=text)
        await alice.shows(".chat-tab-label", "note 44")
        await goes_to(alice, "library")
        await alice.shows("#libraryPageInfo", "1–20 of 46")

        await searches(alice, "note", "1–20 of 45")
        newest = await alice.texts("#libraryList .msg-text")
        await alice.click("#libraryNext")
        await alice.shows("#libraryPageInfo", "21–40 of 45")
        await alice.click("#libraryNext")
        await alice.shows("#libraryPageInfo", "41–45 of 45")

        assert newest == [f"note {number}" for number in range(44, 24, -1)]
        assert await alice.texts("#libraryList .msg-text") == [f"note {number}" for number in range(4, -1, -1)]
        assert await alice.evaluate("document.querySelector('#libraryNext').disabled")
        await alice.click("#libraryPrev")
        await alice.shows("#libraryPageInfo", "21–40 of 45")
        for button, page in (("libraryPrev", "1–20 of 45"), ("libraryNext", "21–40 of 45")):
            await alice.evaluate(f"void ({button}.click(), {button}.click())")  # the second before the page is there
            await alice.shows("#libraryPageInfo", page)

    async def test_late_answer_to_typing_does_not_turn_the_page_back(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        address = await address_of(alice)
        for text in ["memo", *(f"note {number}" for number in range(25))]:
            await post(bob, address, text=text)
        await alice.shows(".chat-tab-label", "note 24")
        await searches(alice, "note", "1–20 of 25")

        await alice.evaluate(
            "document.querySelector('#librarySearch').dispatchEvent(new Event('input')), document.querySelector('#libraryNext').click()"
        )

        await alice.shows("#libraryPageInfo", "21–25 of 25")
        await asyncio.sleep(0.3)  # longer than the view waits for more typing
        assert await alice.text("#libraryPageInfo") == "21–25 of 25"

    async def test_found_message_is_shown_in_its_thread_however_old(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        address = await address_of(alice)
        await post(bob, address, text="The Key is under the MAT")
        for number in range(120):
            await post(bob, address, text=f"small talk {number}")
        await alice.shows(".chat-tab-label", "small talk 119")

        await searches(alice, "under the mat", "1–1 of 1")
        await alice.click("#libraryList .msg a")

        found = "#chatMessages .chat-line.found"  # for a few seconds, so all is asked at once
        await alice.until(f"document.querySelector('{found}').innerText.includes('under the MAT') && {IN_SIGHT % found}")
        assert "small talk 0" in await alice.received()

    async def test_search_that_finds_nothing_says_so(self, relay, browser):
        alice = await browser.person(relay)

        await searches(alice, "<img src=x onerror=alert(1)>", "0 of 0")

        await alice.shows("#libraryEmpty", "No message holds these words.")


IN_SIGHT = """(() => {
    const [box, row] = ["#chatMessages", "%s"].map((each) => document.querySelector(each).getBoundingClientRect());
    return row.top >= box.top && row.bottom <= box.bottom;
})()"""

PASSPHRASE = "four random words here"
EVERYTHING = (
    FROM_DATABASE
    % "JSON.stringify(await Promise.all([kv, contacts, messages, drafts].map((each) => result(each.getAll()))))"
)


async def exports(page: Page, folder: Path, *, history: bool = True, files: bool = True) -> Path:
    """Export a backup by the dialog; the file."""
    folder.mkdir(exist_ok=True)
    await page.downloads_to(folder)
    await goes_to(page, "keys")
    await page.click("#exportBackup")
    await page.shows("#exportDialog")
    await page.fill("#exportPass", PASSPHRASE)
    await page.fill("#exportPassAgain", PASSPHRASE)
    if not history:
        await page.click("#exportHistory")
    if not files:
        await page.click("#exportFiles")
    await page.click("#exportGo")
    await page.shows("#backupStatus", "Backup exported")
    return await until(lambda: whole_backup(folder))


def whole_backup(folder: Path) -> Path | None:
    """The backup that was saved there: Firefox puts an empty file in its place first."""
    return next((path for path in folder.glob("*.backup.json") if path.read_bytes().endswith(b"}")), None)


async def chooses(page: Page, backup: Path, passphrase: str = PASSPHRASE) -> None:
    """Open a backup by the import dialog."""
    await goes_to(page, "keys")
    await page.click("#importBackup")
    await opens_backup(page, backup, passphrase)


async def opens_backup(page: Page, backup: Path, passphrase: str = PASSPHRASE) -> None:
    """Choose a file in the import dialog and open it."""
    await page.shows("#importDialog")
    await page.upload("#importFile", backup)
    await page.fill("#importPass", passphrase)
    await page.click("#importGo")


async def restores(page: Page, backup: Path) -> None:
    """Import a backup, and read on in the page that comes back."""
    await chooses(page, backup)
    await page.shows("#importReplaces", "It replaces all that is here")
    await page.evaluate("window.before = true")
    await page.click("#importGo")
    await page.until("!window.before && document.readyState === 'complete'")
    await page.has_keys()


def cut(backup: bytes) -> bytes:
    return backup[: len(backup) // 2]


def altered(backup: bytes) -> bytes:
    """One bit of the box, and the sum over it left as it was."""
    fields = json.loads(backup)
    return json.dumps(fields | {"box": fields["box"][:-8] + "AAAA" + fields["box"][-4:]}).encode()


def forged(backup: bytes) -> bytes:
    """One bit of the box, and the sum over it made to match."""
    fields = json.loads(backup)
    box = bytearray(unb64(fields["box"]))
    box[-1] ^= 1
    return json.dumps(fields | {"box": b64(bytes(box)), "sha256": hashlib.sha256(box).hexdigest()}).encode()


def with_fields(**changed: Any) -> Callable[[bytes], bytes]:
    """The file with other fields around its box."""
    return lambda backup: json.dumps(json.loads(backup) | changed).encode()


# What costs whoever guesses too little, or this device too much.
OUT_OF_BOUNDS: list[dict[str, Any]] = [
    {"n": 2}, {"n": 2**17 + 1}, {"n": 2**30}, {"n": 1e300}, {"n": "131072"}, {"r": 1}, {"r": 2**20}, {"p": 0}, {"p": 1000},
    {"kdf": "PBKDF2-HMAC-SHA256", "iterations": 600_000}, {"version": 1, "kdf": "PBKDF2-HMAC-SHA256", "iterations": 1},
    {"version": 1}, {"version": None}, {"version": [1]}, {"salt": None}, {"nonce": "AAAA"}, {"box": 7}, {"sha256": None},
]  # fmt: skip
BAD_BACKUPS = [
    (cut, "damaged: it was cut or altered"),
    (altered, "damaged: it was cut or altered"),
    *((with_fields(**kdf), "damaged: it was cut or altered") for kdf in OUT_OF_BOUNDS),
    (forged, "does not open the backup"),
    (with_fields(version=3), "made by a newer client"),
    (lambda _: b"\x89PNG\r\n", "is not a backup"),
    (lambda _: b"", "is not a backup"),
]


MISSING = object()  # a field that is not there
Check = Callable[[Any], bool]


def numeric(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def whole(least: int, most: int) -> Check:
    return lambda value: numeric(value, least, most) and value == int(value)


def words(most: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= most


def one_of(*values: Any) -> Check:
    return lambda value: any(value is each or (isinstance(each, str) and value == each) for each in values)


def perhaps(check: Check) -> Check:
    return lambda value: value is MISSING or value is None or check(value)


def is_key(value: Any) -> bool:
    return isinstance(value, dict) and value.get("base64") == b64(b"\x02" * 32)


def is_origin(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"https?://[a-z0-9.-]+", value) is not None


def is_address(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def is_day(value: Any) -> bool:
    return numeric(value, 0, 253_402_300_799_999)


def is_empty(value: Any) -> bool:
    return value == [] and isinstance(value, list)


def is_clock(value: Any) -> bool:
    return numeric(value, -8.64e15, 8.64e15)


def is_nothing(_: Any) -> bool:
    """None of the values that are tried, but what was there, is taken."""
    return False


SWITCH, COUNT, LINE, ID = one_of(True, False), whole(0, 2**32), words(4096), whole(0, 2**53 - 1)
STATES = ("queued", "relayed", "failed", "")
EVENTS = (
    *("device", "verified-device", "own-device", "unopened", "impostor", "timer"),
    *(f"{change} refused" for change in ("edit", "react", "delete", "setting")),
)
CONTACT_FIELDS: dict[str, Check] = {
    "name": words(256), "their_name": perhaps(words(256)), "relay": lambda value: value == "" or is_origin(value), "public_key": perhaps(lambda _: False),
    "fingerprint": lambda _: False, "verified": SWITCH, "muted": SWITCH, "blocked": SWITCH, "open": SWITCH, "pinned": perhaps(SWITCH), "invited": perhaps(SWITCH), "request": perhaps(SWITCH), "request_size": perhaps(COUNT),
    "unread": COUNT, "last_seq": whole(0, 2**40), "last_at": is_day, "last_text": LINE, "last_direction": one_of("in", "out", ""),
    "last_state": perhaps(one_of(*STATES, "delivered", "read")), "lasts": perhaps(COUNT), "lasts_ts": perhaps(is_clock),
    "refused": COUNT, "added_at": is_day,
}  # fmt: skip
MESSAGE_FIELDS: dict[str, Check] = {
    "seq": lambda value: whole(1, 2**40)(value) and value != 1, "contact": is_address, "direction": one_of("in", "out"),
    "relay": lambda value: value == "" or is_origin(value), "kind": one_of("text", "refused", "unknown"), "text": words(2**24),
    "at": is_day, "written_at": perhaps(is_clock), "reason": perhaps(LINE),
    "legacy": perhaps(SWITCH), "envelope_id": perhaps(LINE), "state": perhaps(one_of(*STATES)),
    "error": perhaps(LINE), "retriable": perhaps(SWITCH), "relay_id": perhaps(ID), "expires_at": perhaps(LINE),
    "stored_at": perhaps(is_day), "taken_back_at": perhaps(is_day), "ts": perhaps(is_clock), "unsealed": perhaps(SWITCH),
    "sent_at": perhaps(is_day), "delivered_at": perhaps(is_day), "read_at": perhaps(is_day), "deleted_at": perhaps(is_day), "gone_at": perhaps(is_day),
    "edited_at": perhaps(is_clock), "lasts": perhaps(COUNT), "resent": perhaps(COUNT), "event": perhaps(one_of(*EVENTS)),
    "edits": perhaps(is_empty), "reactions": perhaps(is_empty), "re": perhaps(is_nothing), "file": perhaps(is_nothing),
}  # fmt: skip
INNER_FIELDS: dict[tuple[Any, ...], Check] = {
    **{("messages", 0, "edits", 0, name): check for name, check in {"id": LINE, "ts": is_clock, "text": words(2**24)}.items()},
    **{("messages", 0, "reactions", 0, name): check for name, check in {"by": is_address, "emoji": LINE, "id": LINE, "ts": is_clock}.items()},
    **{("messages", 1, "re", name): check for name, check in {"of": LINE, "quote": LINE, "mine": SWITCH}.items()},
    **{("sessions", 0, name): check for name, check in {"contact": is_address, "sealed": SWITCH, "devices": is_empty}.items()},
    **{("sessions", 0, "devices", 0, name): check for name, check in {"device": is_nothing, "key": is_key, "since": is_day, "heard_at": is_day}.items()},
}  # fmt: skip
RELAY_FIELDS: dict[str, Check] = {
    "origin": is_origin, "cursor": ID, "erased_through": ID, "refused": COUNT, "requests_dropped": perhaps(COUNT), "added_at": is_day,
    "server_public_key": perhaps(is_key), "bound": perhaps(SWITCH), "allow_older_proof": perhaps(SWITCH), "invite": perhaps(LINE),
    "key_changed_at": perhaps(is_day), "version": perhaps(LINE), "registration": perhaps(LINE), "push": perhaps(LINE),
    **dict.fromkeys(
        ("registered_identities", "message_retention_days", "max_message_bytes"),
        perhaps(lambda value: numeric(value, 0, sys.float_info.max)),
    ),
}  # fmt: skip
# docs/PROTOCOL.md, "Backup file", as predicates.
BACKUP_FIELDS: dict[tuple[Any, ...], Check] = {
    ("created_at",): is_day, ("history",): SWITCH, ("secret_key",): is_key, ("contacts",): is_empty, ("relays",): is_empty,
    ("messages",): is_empty, ("drafts",): is_empty, ("seen",): lambda value: isinstance(value, list) and all(map(LINE, value)),
    ("settings",): lambda value: isinstance(value, dict) and "base64" not in value, ("settings", "home"): perhaps(is_origin),
    **{("settings", name): perhaps(SWITCH) for name in ("notifications", "preview", "sound", "erase_on_relay", "receipts")},
    ("settings", "name"): perhaps(words(256)),
    ("drafts", 0, 0): is_address, ("drafts", 0, 1): words(2**24), ("drafts", 0): lambda value: value is MISSING,
    **{("contacts", 0, name): check for name, check in CONTACT_FIELDS.items()},
    **{("messages", 1, name): check for name, check in MESSAGE_FIELDS.items()},
    **{("relays", 0, name): check for name, check in RELAY_FIELDS.items()}, ("sessions",): perhaps(is_empty), **INNER_FIELDS,
}  # fmt: skip
BACKUP_VALUES = [
    MISSING, None, True, False, 0, 1, -1, 0.5, 2**32, 2**32 + 1, 2**40, 2**40 + 1, 2**53 - 1, 2**53, 253_402_300_800_000,
    8.64e15, 1e300, -1e300, 10**400, float("nan"), "", "1", "in", "text", "queued", "x" * 257, "x" * 5000, NOBODY, NOBODY.upper(),
    "https://chat.example.com", "https://chat.example.com/", "javascript:alert(1)", "ftp://chat.example.com", [], {}, [[]], [None],
    {"base64": b64(b"\x02" * 32)}, {"base64": b64(bytes(31))}, {"base64": "no!"}, {"__proto__": {"name": "x"}},
]  # fmt: skip


def documented_fields(of: str) -> set[str]:
    """The fields of one kind of record, as docs/PROTOCOL.md lists them."""
    table = Path("docs/PROTOCOL.md").read_text().partition(f"| of a {of} | |")[2].partition("\n\n")[0]
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def with_value(content: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The content with one field set to another value, or without it."""
    changed: Any = json.loads(json.dumps(content))
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    if value is not MISSING:
        inner[path[-1]] = value
    elif isinstance(inner, list) or path[-1] in inner:
        inner.pop(path[-1])
    return changed


TAKEN_BACKUPS = """async (texts) => {
    const [{ readBackup }, { utf8 }] = await Promise.all([import("/store/backup-content.js"), import("/protocol/encoding.js")]);
    return texts.map((text) => {
        try {
            return Boolean(readBackup(utf8(text)));
        } catch (error) {
            if (error.name === "DamagedBackupError") return false;
            throw error;
        }
    });
}"""


@pytest.fixture
async def backup_reader(browser: Browser, relay: AnyRelay) -> Callable[[list[str]], Any]:
    """Tells which plaintexts the page would take for a backup's."""
    page = await browser.person(relay)
    return lambda texts: page.evaluate(f"({TAKEN_BACKUPS})({json.dumps(texts)})")


# All that is stored but tokens, which stay where they were given.
RECORDS = (
    FROM_DATABASE
    % """JSON.stringify(await Promise.all([contacts, messages, drafts, seen, relays].map(async (each) =>
    [await result(each.getAllKeys()), await result(each.getAll())])), (name, value) => (/^token|^claimed/.test(name) ? undefined : value))"""
)


def without_history(records: list[Any]) -> list[Any]:
    """The same without messages and what the list of threads says of them."""
    (fingerprints, contacts), _, *others = records
    bare = [{name: value for name, value in each.items() if not re.match("last_|unread", name)} for each in contacts]
    return [fingerprints, bare, *others]


class TestBrowserBackup:
    """One file and a passphrase bring everything back, and nothing less than both does."""

    @pytest.fixture
    async def alice(self, relay, browser):
        """Somebody with a named contact, a draft and a message each way."""
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)
        await alice.says("to Bob")
        await alice.has_relayed(1)
        await post(bob, await address_of(alice), text="from Bob")
        await alice.sees("from Bob")
        await alice.drafts("half a thou")
        await panel_of(alice, bob)
        await alice.fill("#contactName", "Bob")
        await alice.key("Enter")
        await alice.shows("#threadName", "Bob")
        await closes_panel(alice)
        alice.bob = bob
        return alice

    @in_both_browsers
    async def test_restored_device_is_the_same_person_with_contacts_history_and_drafts(
        self, relay, alice, browser, tmp_path
    ):
        backup = await exports(alice, tmp_path / "alice")
        device = await browser.person(relay)

        await restores(device, backup)

        assert device.fingerprint == alice.fingerprint
        await device.click(".chat-tab-label", "Bob")
        await device.sees("from Bob")
        await device.until("document.querySelector('#chatBody').value === 'half a thou'")
        assert await device.sent() == ["to Bob"]
        await post(alice.bob, await address_of(alice), text="to both of you")
        for page in (alice, device):
            await goes_to(page, "chats")
            await page.sees("to both of you")
        assert (await device.received()) == ["from Bob", "to both of you"]

    async def test_backup_without_history_brings_keys_and_contacts(self, relay, alice, browser, tmp_path):
        backup = await exports(alice, tmp_path / "alice", history=False)
        device = await browser.person(relay)

        await chooses(device, backup)
        await device.shows("#importHolds", "not in this backup")
        await device.click("#importGo")

        await device.until(f"document.querySelector('#fpFull')?.textContent === '{alice.fingerprint}'")
        await device.shows(".chat-tab-label", "Bob")

    async def test_restored_draft_is_not_replaced_by_the_one_that_was_here(self, alice, tmp_path):
        backup = await exports(alice, tmp_path / "alice")
        await alice.click(".chat-tab-label", "Bob")
        await alice.fill("#chatBody", "another thought")

        await restores(alice, backup)
        await alice.click(".chat-tab-label", "Bob")

        await alice.until("document.querySelector('#chatBody').value === 'half a thou'")

    async def test_backup_file_tells_nothing_without_the_passphrase(self, alice, tmp_path):
        backup = (await exports(alice, tmp_path / "alice")).read_bytes()

        fields = json.loads(backup)

        told = [alice.fingerprint.encode(), alice.bob.fingerprint.encode(), b"from Bob", b"half a thou"]
        assert not [each for each in told if each in backup or each in unb64(fields["box"])]
        assert (fields["version"], fields["kdf"], fields["n"], fields["r"], fields["p"]) == (2, "scrypt", 2**17, 8, 1)

    @in_both_browsers
    async def test_wrong_passphrase_says_so_and_changes_nothing(self, relay, alice, browser, tmp_path):
        backup = await exports(alice, tmp_path / "alice")
        device = await browser.person(relay)
        before = await device.evaluate(EVERYTHING)

        await chooses(device, backup, "three random words here")

        await device.shows("#importStatus.bad", "This passphrase does not open the backup")
        assert await device.evaluate(EVERYTHING) == before
        await device.fill("#importPass", PASSPHRASE)
        await device.click("#importGo")
        await device.shows("#importReplaces", "It replaces all that is here")

    async def test_file_that_is_no_sound_backup_is_refused_and_changes_nothing(self, alice, tmp_path):
        backup = (await exports(alice, tmp_path / "alice")).read_bytes()
        before = await alice.evaluate(EVERYTHING)

        for spoil, sentence in BAD_BACKUPS:
            (tmp_path / "spoilt").write_bytes(spoil(backup))
            await chooses(alice, tmp_path / "spoilt")
            await alice.shows("#importStatus.bad", sentence)
            await alice.click("#importCancel")

        assert await alice.evaluate(EVERYTHING) == before

    async def test_cancelled_import_leaves_everything_as_it_was(self, relay, alice, browser, tmp_path):
        backup = await exports(alice, tmp_path / "alice")
        device = await browser.person(relay)
        before = await device.evaluate(EVERYTHING)

        await chooses(device, backup)
        await device.shows("#importReplaces", "The keys of this device are replaced")
        await device.click("#importCancel")
        await device.reload()

        assert await device.evaluate(EVERYTHING) == before

    async def test_import_that_is_cancelled_while_it_replaces_changes_nothing(self, alice, tmp_path):
        backup = await exports(alice, tmp_path / "alice")
        await alice.click(".chat-tab-label", "Bob")
        await alice.fill("#chatBody", "written since")
        await chooses(alice, backup)
        await alice.shows("#importReplaces", "It replaces all that is here")
        before = await alice.evaluate(EVERYTHING)

        await holds_store(alice, "messages")
        await alice.click("#importGo")
        await alice.until("document.querySelector('#importGo').disabled")
        await alice.click("#importCancel")
        await alice.evaluate("window.release()")

        await alice.until("!document.querySelector('#importGo').disabled")
        assert await alice.evaluate(EVERYTHING) == before

    async def test_cancelled_export_makes_no_file(self, alice, tmp_path):
        await alice.downloads_to(tmp_path)
        await goes_to(alice, "keys")
        await alice.click("#exportBackup")
        await alice.fill("#exportPass", PASSPHRASE)
        await alice.fill("#exportPassAgain", PASSPHRASE)

        await alice.evaluate("document.querySelector('#exportGo').click(), document.querySelector('#exportCancel').click()")

        await alice.until(
            "document.querySelector('#exportProgress').hidden && !document.querySelector('#exportDialog').open"
        )
        await alice.until("document.querySelector('#exportStatus').textContent.startsWith('Cancelled')")
        assert not list(tmp_path.glob("*.json*"))

    async def test_weak_or_mistyped_passphrase_is_refused(self, alice, tmp_path):
        await goes_to(alice, "keys")
        await alice.click("#exportBackup")

        for passphrase, again, sentence in [
            ("a b c d e", "a b c d f", "differ"),
            ("eleven char", "eleven char", "at least 12 characters"),
            ("aaaaabbbbbccccc", "aaaaabbbbbccccc", "6 different ones"),
        ]:
            await alice.fill("#exportPass", passphrase)
            await alice.fill("#exportPassAgain", again)
            await alice.click("#exportGo")
            await alice.shows("#exportStatus.bad", sentence)

    async def test_suggested_passphrase_is_six_words_to_type_again_and_stays_nowhere(self, alice, tmp_path):
        await goes_to(alice, "keys")
        await alice.click("#exportBackup")
        await alice.evaluate("void (exportSuggest.click(), exportCancel.click(), exportBackup.click())")
        await alice.until("!exportSuggest.disabled")
        assert await alice.value("#exportPass") == ""
        await alice.click("#exportSuggest")
        await alice.until("document.querySelector('#exportPass').value.split(' ').length === 6")
        words = await alice.value("#exportPass")
        assert await alice.value("#exportPassAgain") == ""

        await alice.downloads_to(tmp_path)
        await alice.fill("#exportPassAgain", words)
        await alice.click("#exportGo")
        await alice.shows("#backupStatus", "Backup exported")
        backup = await until(lambda: whole_backup(tmp_path))
        await chooses(alice, backup, words)
        await alice.shows("#importReplaces", "It replaces all that is here")

        assert (
            await alice.evaluate(
                "[...document.querySelectorAll('dialog input')].filter((each) => each.value.includes(' '))"
                ".map((each) => each.value)"
            )
            == ["io3233 backup"] * 2
        )

    async def test_backup_of_an_earlier_version_opens(self, alice, tmp_path):
        plaintext = protocol_vectors()["backup"]["plaintext"].encode()
        salt, nonce = bytes(16), bytes(24)
        box = SecretBox(hashlib.pbkdf2_hmac("sha256", b"12345678", salt, 100_000)).encrypt(plaintext, nonce).ciphertext
        sealed = {"salt": b64(salt), "nonce": b64(nonce), "sha256": hashlib.sha256(box).hexdigest(), "box": b64(box)}
        kdf = {"version": 1, "kdf": "PBKDF2-HMAC-SHA256", "iterations": 100_000}
        (tmp_path / "old").write_text(json.dumps({"format": "io3233-backup"} | kdf | sealed))

        await chooses(alice, tmp_path / "old", "12345678")

        await alice.shows("#importHolds", "2 messages")

    @pytest.mark.service_worker
    @pytest.mark.parametrize("history", [True, False])
    async def test_restored_device_holds_every_record_as_it_was(self, relay, alice, browser, tmp_path, history):
        device = await browser.person(relay)
        backup = await exports(alice, tmp_path / "alice", history=history)
        before = json.loads(await alice.evaluate(RECORDS))
        await alice.call("Page.close")
        await device.evaluate("history.pushState(null, '', '/about')")

        await chooses(device, backup)
        await device.shows("#importReplaces", "It replaces all that is here")
        await device.call("Network.enable")
        await device.call(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
        )
        device.expects(UNREACHABLE, "WebSocket")
        await device.click("#importGo")

        replaced = f"{RECORDS}.then((records) => records.includes('{alice.bob.fingerprint}') && records)"
        after = json.loads(await device.until(replaced))  # asked once: the page is about to load anew
        assert without_history(after) == without_history(before)
        assert not history or after == before

    @pytest.mark.service_worker
    async def test_mail_that_was_queued_in_a_backup_goes_only_when_asked(self, relay, alice, browser, tmp_path):
        await loses_relay(alice, relay)
        await alice.click(".chat-tab-label", "Bob")
        await alice.fill("#chatBody", "ninety days old")
        await alice.key("Enter")
        backup = await exports(alice, tmp_path / "alice")
        await alice.call("Page.close")
        await relay.start()
        device = await browser.person(relay)

        await restores(device, backup)
        await goes_live(device)
        await device.click(".chat-tab-label", "Bob")
        await device.shows(".chat-line-out .chat-failure", "Not sent when this backup was made")
        assert await read_all(alice.bob) == ["to Bob"]

        await device.click(".chat-retry")
        await device.has_relayed(2)
        assert await read_all(alice.bob) == ["to Bob", "ninety days old"]

    async def test_mail_read_before_a_backup_without_history_does_not_come_again(self, relay, alice, browser, tmp_path):
        backup = await exports(alice, tmp_path / "alice", history=False)
        device = await browser.person(relay)

        await restores(device, backup)
        await goes_live(device)
        await post(alice.bob, await address_of(alice), text="new")
        await device.click(".chat-tab-label", "Bob")
        await device.sees("new")

        assert await device.received() == ["new"]

    async def test_backup_that_breaks_its_format_is_refused_before_anything_can_be_replaced(self, alice, tmp_path):
        content = json.loads(protocol_vectors()["backup"]["plaintext"])
        content["messages"][0]["at"] = 1e300
        file = sealed_backup(json.dumps(content).encode(), PASSPHRASE, bytes(16), bytes(24))
        (tmp_path / "bad").write_text(json.dumps(file))

        await chooses(alice, tmp_path / "bad")

        await alice.shows("#importStatus.bad", "breaks its own format (messages[0].at)")
        assert await alice.text("#importGo") == "Open"

    @pytest.mark.parametrize(
        ("of", "tried"), [("contact", CONTACT_FIELDS), ("message", MESSAGE_FIELDS), ("relay", RELAY_FIELDS)]
    )
    def test_every_field_that_the_protocol_names_is_tried(self, of, tried):
        assert documented_fields(of) == set(tried)

    async def test_no_field_of_a_backup_is_taken_out_of_its_range(self, relay, browser):
        page = await browser.person(relay)
        content = json.loads(protocol_vectors()["backup"]["plaintext"])

        cases = [(path, value) for path in BACKUP_FIELDS for value in BACKUP_VALUES]
        texts = [json.dumps(with_value(content, path, value)) for path, value in cases]
        taken = await page.evaluate(f"({TAKEN_BACKUPS})({json.dumps(texts)})")

        allowed = [BACKUP_FIELDS[path](value) for path, value in cases]
        assert [case for case, *both in zip(cases, taken, allowed, strict=True) if both[0] != both[1]] == []
        assert any(allowed) and not all(allowed)

    @PROPERTY
    @given(path=st.sampled_from(sorted(BACKUP_FIELDS, key=str)), value=JSON_VALUES)
    async def test_no_value_in_a_backup_is_taken_that_its_field_does_not_allow(self, backup_reader, path, value):
        content = json.loads(protocol_vectors()["backup"]["plaintext"])

        [taken] = await backup_reader([json.dumps(with_value(content, path, value))])

        assert taken == BACKUP_FIELDS[path](value)

    async def test_new_keys_are_made_only_after_asking(self, alice):
        await alice.chooses("#headerNewKeys")
        await declines(alice, "Make new keys?")
        assert await alice.text("#fpFull") == alice.fingerprint

        await alice.chooses("#headerNewKeys")
        await agrees(alice, "Make new keys?")

        await alice.until(
            f"document.querySelector('#fpFull')?.textContent.replace('{alice.fingerprint}', '').length === 64"
        )
        await alice.click(".chat-tab-label", "Bob")
        await alice.sees("from Bob")

    async def test_keys_and_chats_of_an_earlier_client_are_taken_over_once(self, relay, browser):
        me, bob, page = Person(relay), await relay.register(), await browser.page()
        await keeps(page, relay, earlier_client(me, bob))

        await page.goto(relay.url)
        await page.has_keys()

        assert page.fingerprint == me.fingerprint
        await page.click(".chat-tab-label", "kept from before")
        await page.has_relayed(2)
        assert await page.sent() == ["first", "kept from before"]
        assert not await page.evaluate(
            "Object.keys(localStorage).filter((name) => /secret|public|chats|sent/.test(name)).length"
        )
        await page.reload()
        await page.has_relayed(2)
        assert await page.text("#fpFull") == me.fingerprint

    async def test_history_of_an_earlier_client_is_in_the_order_of_its_time_and_read_where_it_was_read(
        self, relays, browser, clock
    ):
        clock.advance(-5000)
        relay = await relays(clock=clock)
        me, bob, page = await relay.register(), await relay.register(), await browser.page()
        texts = ["one", "two", "three", "four"]
        ids, sent = [], []
        for text in texts:
            ids += await write(bob, me, f"{text} in")
            clock.advance(100)
            sent.append({"ts": int(clock.now() * 1000), "text": f"{text} out"})
            clock.advance(100)
        read = {"io3233_last_read_msg_id_by_fp_v1": json.dumps({bob.fingerprint: ids[2]})}
        await keeps(page, relay, earlier_client(me, bob, sent) | read)
        await page.evaluate("caches.open('3233-v3').then((cache) => cache.put('/old', new Response('old')))")

        await page.goto(relay.url)
        await page.until("document.title.startsWith('(1) ')")
        await page.click(".chat-tab-label", "four out")

        await page.until(f"{ALL_BUBBLES}.length === 8")
        assert await page.evaluate(ALL_BUBBLES) == [f"{text} {way}" for text in texts for way in ("in", "out")]
        assert not await page.evaluate("caches.has('3233-v3')")
        assert not await page.evaluate("Object.keys(localStorage).filter((name) => name.endsWith('_v1')).length")
        assert await page.count(".chat-tab .mark") == 0

    async def test_spoilt_data_of_an_earlier_client_does_not_stop_the_page(self, relay, browser):
        page = await browser.page()
        await keeps(page, relay, SPOILT_EARLIER_CLIENT)

        await page.goto(relay.url)

        await page.has_keys()
        await page.shows("#liveIndicator.live")
        assert await page.evaluate("localStorage.io3233_secret_key") == "not base64!"


async def keeps(page: Page, relay: AnyRelay, items: dict[str, str]) -> None:
    """Leave items in the localStorage of the relay's page before its scripts run for the first time."""
    page.expects("favicon.ico")
    await page.goto(f"{relay.url}/manifest.webmanifest")
    await page.evaluate(f"Object.assign(localStorage, {json.dumps(items)})")


SENT_BEFORE = [{"ts": 1_600_000_000_000, "text": "first"}, {"ts": 1_600_000_001_000, "text": "kept from before"}]


def earlier_client(me: Person, bob: Person, sent: Sequence[Mapping[str, Any]] = SENT_BEFORE) -> dict[str, str]:
    """What the first client of this protocol left in localStorage."""
    return {
        "io3233_secret_key": b64(bytes(me.secret_key)),
        "io3233_public_key": b64(me.public_key),
        "io3233_open_chats": json.dumps([bob.fingerprint.upper()]),
        "io3233_sent_by_contact_v1": json.dumps({bob.fingerprint: sent}),
    }


SPOILT_EARLIER_CLIENT = {
    "io3233_secret_key": "not base64!",
    "io3233_public_key": "",
    "io3233_open_chats": '["x", 7, null]',
    "io3233_sent_by_contact_v1": '{"x": 7, "' + NOBODY + '": [null, {"text": 1}]',
}


# ------------------------------------------------------------------------------------------------------------------------
# Browser: what else speaks this protocol
# ------------------------------------------------------------------------------------------------------------------------


class TestVendor:
    """Third-party code is what its README says, and nothing else is there."""

    def test_vendored_files_match_their_checksums(self):
        table = (STATIC / "vendor/README.md").read_text()
        stated = dict(re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", table, re.MULTILINE))
        licences = set(re.findall(r"`(LICENSE\.[\w-]+)`", table))

        files = {
            path.relative_to(STATIC / "vendor").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (STATIC / "vendor").rglob("*")
            if path.is_file()
        }

        assert set(files) == set(stated) | licences | {"README.md"}
        assert {name: files[name] for name in stated} == stated

    def test_service_worker_keeps_every_file_of_the_page(self):
        source = (STATIC / "sw.js").read_text()

        kept = json.loads(re.search(r"const FILES = (\{[^}]*\});", source)[1])

        files = {f"/{path.relative_to(STATIC)}": path.read_bytes() for path in STATIC.rglob("*") if path.is_file()}
        del files["/sw.js"]
        named = dict(re.findall(r'(?:href|src)="(/[^"]+)" integrity="([^"]+)"', (STATIC / "index.html").read_text()))
        assert {name for name, integrity in kept.items() if integrity is None} == set(named)
        hashes = {name: f"sha256-{b64(hashlib.sha256(content).digest())}" for name, content in files.items()}
        assert kept | named == hashes


class TestBrowserInterop:
    """The page, the command line and old clients are one network."""

    async def test_what_the_command_line_sends_shows_in_the_page(self, relay, browser, tmp_path):
        alice = await browser.person(relay)
        text = "hello from a terminal 🙂\n  <b>indented</b>"

        sent = await run_command(tmp_path, "send", "--register", await alice.value("#inviteLinkInput"), text)

        assert sent.status == 0, sent
        await alice.click(".chat-tab-label")
        await alice.sees(text)
        assert await alice.text(".chat-line-in .chat-note") == ""

    async def test_file_that_the_command_line_sends_is_whole_in_the_page_of_who_answered(self, relay, browser, tmp_path):
        alice = await browser.person(relay)
        link = await alice.value("#inviteLinkInput")
        await run_command(tmp_path, "send", "--register", link, "a camera speaks")
        await alice.click(".chat-tab-label")
        await alice.says("and I hear")
        await alice.has_relayed(1)  # or it comes from a stranger still, of whom no file is kept
        path = await photo(alice, tmp_path / "door.jpg", 320, 240)
        path.write_bytes(path.read_bytes() + os.urandom(2 * PART_BYTES))

        sent = await run_command(tmp_path, "send", "--file", str(path), link, "at the door")

        assert sent.status == 0, sent
        file = await has_file(alice, "file.state === 'here'")
        assert (file["name"], file["hash"]) == (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        assert file["image"]["width"] == 320
        await alice.sees("at the door")

    async def test_what_the_page_sends_is_printed_by_the_command_line(self, relay, browser, listen):
        alice, bob = await browser.person(relay), await listen(relay, "--json")

        await alice.opens(bob.invite_link)
        for text in ("hello terminal", "naïve “quotes” 🙂"):
            await alice.says(text)

        received = [json.loads(await bob.line()) for _ in range(2)]
        assert [each["text"] for each in received] == ["hello terminal", "naïve “quotes” 🙂"]
        assert {each["from"] for each in received} == {alice.fingerprint}

    async def test_message_of_an_old_client_shows_marked(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()

        await bob.send(await address_of(alice), json.dumps({"text": "hi from 2023", "ts": 1_700_000_000_000}).encode())

        await alice.click(".chat-tab-label")
        await alice.sees("hi from 2023")
        await alice.shows(".chat-line-in .chat-note", "not bound to this chat: sent by an older client")

    async def test_old_client_reads_what_the_page_sends(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        await alice.opens(bob.fingerprint)

        await alice.says("readable?")
        await alice.has_relayed(1)

        [message] = await bob.fetch()
        plaintext = bob.open(message)
        assert json.loads(plaintext)["text"] == "readable?"
        assert abs(json.loads(plaintext)["ts"] / 1000 - time.time()) < 3600
        assert len(plaintext) % 256 == 0

    @pytest.mark.parametrize("natively", [True, False])
    async def test_test_vectors_hold_in_the_page(self, relay, lan_relay, browser, natively):
        browser.expected.append("Cross-Origin-Opener-Policy header has been ignored")
        page, vectors = await browser.person(relay if natively else lan_relay), protocol_vectors()

        computed = await page.evaluate(f"({VECTORS_IN_THE_PAGE})({json.dumps(vectors)})")

        keys, registration, message = vectors["keys"], vectors["registration"], vectors["message"]
        assert computed == {
            "envelopes": vectors["envelopes"],
            "envelope2": vectors["envelope2"]["plaintext"],
            "multiplies_natively": natively,
            "contents_of_devices": [vectors["envelope2"]["content"]] * 2,
            "headers": vectors["headers"],
            "contents": vectors["contents"],
            "file": vectors["file"],
            "links": vectors["links"],
            "fallback_id": message["fallback_id"],
            "keys": [keys[name] for name in ("alice_public_key", "alice_fingerprint", "bob_public_key", "bob_fingerprint")],
            "safety_number": keys["safety_number"],
            "proof_ciphertext": registration["proof_ciphertext"],
            "proof_mac": registration["proof_mac"],
            "plaintext": message["plaintext"],
            "plaintext_with_name": message["plaintext_with_name"],
            "ciphertext": message["ciphertext"],
            "opened": json.loads(message["plaintext"])["text"],
            "backup": vectors["backup"]["file"],
            "restored": keys["alice_fingerprint"],
        }

    @in_both_browsers
    async def test_keys_that_the_browser_agrees_on_are_nacls_and_weak_ones_are_refused(self, relay, browser):
        page = await browser.person(relay)

        agreed = await page.evaluate(KEYS_AGREED_ON)

        assert agreed == {"natively": True, "as NaCl's": [True] * 16, "weak or twins": ["WeakKeyError"] * 3}

    async def test_client_hash_of_the_about_page_is_the_relays(self, relay_process, browser):
        relay = await relay_process()
        alice = await browser.person(relay)

        await goes_to(alice, "about")
        await alice.click("#showHashes")

        await alice.shows("#hashStatus", "All files together: ")
        combined = (await alice.text("#hashStatus")).removeprefix("All files together: ")
        assert f"client {combined}" in relay.log
        listed = dict(zip(await alice.texts("#hashRows td:first-child"), await alice.texts("#hashRows code"), strict=True))
        assert listed["app.js"] == hashlib.sha256((STATIC / "app.js").read_bytes()).hexdigest()


KEYS_AGREED_ON = """(async () => {
    const { agreedKey, keyPairFrom, multipliesNatively, publicKeyOf, randomBytes, sharedKey } = await import("/protocol/crypto.js");
    const same = (one, other) => one.length === 32 && one.every((byte, at) => byte === other[at]);
    const agrees = async () => {
        const [secret_key, { public_key }] = [randomBytes(32), keyPairFrom(randomBytes(32))];
        const key = same(await agreedKey(public_key, secret_key), sharedKey(public_key, secret_key));
        return key && same(await publicKeyOf(secret_key), keyPairFrom(secret_key).public_key);
    };
    const bad = [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(32).fill(0xff)];
    const refused = bad.map((key) => agreedKey(key, randomBytes(32)).then(() => "taken", (error) => error.name));
    return {
        natively: await multipliesNatively(),
        "as NaCl's": await Promise.all(Array.from({ length: 16 }, agrees)),
        "weak or twins": await Promise.all(refused),
    };
})()"""
VECTORS_IN_THE_PAGE = """async ({ keys, registration, message, envelopes, envelope2, headers, contents, file, links, backup }) => {
    const [{ sealBackup }, { readBackup }] = await Promise.all([import("/store/backup.js"), import("/store/backup-content.js")]);
    const names = ["crypto", "encoding", "envelope", "envelope2", "content", "files", "address"];
    const [crypto, encoding, envelope, second, content, files, { parseAddress }] = await Promise.all(names.map((name) => import(`/protocol/${name}.js`)));
    const { fromBase64: bytes, toBase64: base64, fromUtf8 } = encoding;
    const [alice, bob] = [keys.alice_secret_key, keys.bob_secret_key].map((key) => crypto.identityFrom(bytes(key)));
    const server_public_key = bytes(registration.server_public_key);
    const challenge = bytes(registration.challenge);
    const older = { identity: alice, server_public_key, challenge, nonce: bytes(registration.proof_nonce) };
    const { id, from, to, ts, text } = JSON.parse(message.plaintext);
    const plaintext = envelope.packEnvelope({ id, from, to, ts, text });
    const with_name = envelope.packEnvelope({ id, from, to, ts, text, name: "Ana" });
    const nonce = bytes(message.nonce);
    const ciphertext = crypto.sealBox(plaintext, nonce, crypto.sharedKey(bob.public_key, alice.secret_key));
    const row = { sender_fingerprint: alice.fingerprint, sender_public_key: alice.public_key, nonce, ciphertext };
    const sharedKeys = new crypto.SharedKeys(bob.secret_key);
    const seal = (text) => crypto.sealBox(encoding.utf8(text), nonce, crypto.sharedKey(bob.public_key, alice.secret_key));
    const read = (plaintext) => {
        const { kind, text, legacy, ts, name } = envelope.openEnvelope({ ...row, ciphertext: seal(plaintext) }, bob, sharedKeys);
        return { plaintext, read: kind, ...(kind === "text" && { text, legacy, ts }), ...(name && { name }) };
    };
    const receivers = envelope2.receivers.map(({ device, secret_key }) => ({ device, ...crypto.keyPairFrom(bytes(secret_key)) }));
    const header = JSON.parse(envelope2.header);
    const packed = await second.packEnvelope2(
        { ...header, key: crypto.keyPairFrom(bytes(envelope2.key_secret)).public_key },
        bytes(envelope2.content),
        receivers.map(({ device, public_key }) => ({ device, key: public_key })),
        { one_time: bytes(envelope2.one_time_secret), content_key: bytes(envelope2.content_key), nonce: bytes(envelope2.nonce) },
    );
    const readAt = (plaintext) => second.readEnvelope2(plaintext, { from: header.from, to: header.to, at: header.ts });
    const taken = (change) => {
        const fields = Object.entries({ ...header, ...change }).filter(([, value]) => value !== null);
        const text = JSON.stringify(Object.fromEntries(fields));
        return readAt(encoding.concat(encoding.utf8(text), new Uint8Array([0]), bytes(envelope2.body))).reason ? "refused" : "taken";
    };
    const told = (json, octets = 0) => {
        const { type, reason } = content.readContent(encoding.concat(encoding.utf8(json), new Uint8Array([0]), new Uint8Array(octets)));
        return reason ? "refused" : type;
    };
    const octets = Uint8Array.from({ length: file.octets.length }, (_, place) => place % 251);
    const { width, height, preview } = file.file;
    const header_of_file = files.fileHeader({ ...file.file, sha256: encoding.toHex(crypto.sha256(octets)), width, height, preview });
    const carried = content.packContent({ type: "file", file: header_of_file }, files.cutPart(octets, 0));
    const opened = receivers.map(({ device, public_key, secret_key }) =>
        second.openBody(readAt(packed), device, [{ id: second.keyId(public_key), secret_key }]).content);
    const named = (link) => {
        try {
            return { link, ...parseAddress(link) };
        } catch (error) {
            return { link, server: null, fingerprint: error.constructor.name === "AddressError" ? null : String(error) };
        }
    };
    return {
        envelopes: envelopes.map(({ plaintext }) => read(plaintext)),
        envelope2: base64(packed),
        multiplies_natively: await crypto.multipliesNatively(),
        contents_of_devices: opened.map((each) => base64(each)),
        headers: headers.map(({ change }) => ({ change, read: taken(change) })),
        contents: contents.map(({ json, octets }) => ({ json, ...(octets !== undefined && { octets }), read: told(json, octets) })),
        file: {
            octets: file.octets, file: header_of_file, part_ids: [0, 1].map((n) => files.partId(file.file.id, n)),
            content_sha256: encoding.toHex(crypto.sha256(carried)),
            part: base64(content.packContent({ type: "part", file: file.file.id, n: 1 }, files.cutPart(octets, 1))),
        },
        links: links.map(({ link }) => named(link)),
        keys: [alice, bob].flatMap(({ public_key, fingerprint }) => [base64(public_key), fingerprint]),
        safety_number: crypto.safetyNumber(bob.public_key, alice.public_key),
        proof_ciphertext: base64(crypto.olderProof(older).ciphertext),
        proof_mac: base64(crypto.boundProof({ ...older, origin: registration.origin })),
        plaintext: fromUtf8(plaintext),
        plaintext_with_name: fromUtf8(with_name),
        ciphertext: base64(ciphertext),
        opened: envelope.openEnvelope(row, bob, sharedKeys).text,
        fallback_id: envelope.openEnvelope({ ...row, sender_public_key: bob.public_key }, alice, sharedKeys).id,
        backup: await sealBackup(encoding.utf8(backup.plaintext), backup.passphrase, {
            salt: bytes(backup.file.salt), nonce: bytes(backup.file.nonce),
        }),
        restored: readBackup(encoding.utf8(backup.plaintext)).identity.fingerprint,
    };
}"""


# ------------------------------------------------------------------------------------------------------------------------
# Browser: envelope 2
#
# What one device says to another, and which keys it keeps. The rules about devices and keys are pure functions, so a model of
# two people with up to three devices each runs them over random orders of all that can happen; what stores and sends is
# watched in pages, with a correspondent who speaks the protocol by PyNaCl alone.
# ------------------------------------------------------------------------------------------------------------------------

SESSION_RUNS = int(os.environ.get("SESSION_RUNS", "1000"))  # of the model; 20000 take two minutes
# Symbolic keys, real rules: rows are opened by names of keys, and mailboxes are lists.
SESSION_MODEL = """async ({ seed, runs }) => {
    const rules = await import("/protocol/devices.js");
    const HOUR = 3_600_000;
    let state = seed;
    const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;
    const pick = (list) => list[Math.floor(random() * list.length)];
    let now, made, people, mailboxes, written, faults;

    const newKey = () => ({ id: `key ${(made += 1)}`, public_key: "", secret_key: "" });
    const newDevice = (person) => ({ id: `device ${(made += 1)}`, person, sessions: new Map(), shown: [], seen: new Set(), cursor: 0, queue: [], sent: new Map(), used: new Map(), numbers: new Map() });
    const sessionOf = (device, contact) => device.sessions.get(contact) ?? rules.newSession(contact);
    const keep = (device, session) => device.sessions.set(session.contact, session);
    const expect = (holds, fault) => holds || faults.push(fault);

    // A restored backup: history, what was seen, devices and the cursor, but no receiving keys and another device id.
    function restored(old) {
        const device = { ...newDevice(old.person), shown: [...old.shown], seen: new Set(old.seen), cursor: old.cursor, sent: new Map(old.sent) };
        for (const [contact, { devices, sealed }] of old.sessions) keep(device, rules.newSession(contact, { devices: devices.map((each) => ({ ...each, used: 0 })), sealed }));
        for (const contact of ["alice", "bob"]) queue(device, contact, "hello");
        return device;
    }

    function queue(device, to, type, fields = {}) {
        device.queue.push({ id: `message ${(made += 1)}`, at: now, to, type, ...fields });
    }

    // `cut`: the tab dies, or the answer is lost, after the relay has the message.
    function send(device, { cut }) {
        const mail = device.queue.find(({ to, type }) => sessionOf(device, to).devices.length > 0 || type === "text" || (type === "hello" && to === device.person));
        if (!mail) return false;
        const session = rules.prepared(sessionOf(device, mail.to), now, newKey);
        keep(device, session);
        for (const { id, n } of session.keys) device.numbers.set(id, n);
        expect(!session.keys.at(-1).used, "a key that was used is announced again");
        const keys = rules.receivers(session).map((each) => [each.device, each.key]);
        const unsealed = keys.length === 0;
        const known = session.devices.map((each) => each.device);
        mailboxes[mail.to].push({ ...mail, from: device.person, keys, unsealed, announced: { device: device.id, key: session.keys.at(-1).id } });
        if (unsealed && mail.type === "text") expect(!device.everKnew?.has(mail.to), "v1 after a device was known");
        if (mail.type === "text" && !written.has(mail.id)) written.set(mail.id, { to: mail.to, must: known, unsealed });
        if (cut) return true;
        device.queue.splice(device.queue.indexOf(mail), 1);
        device.sent.set(`${mail.to} ${mail.id}`, { ...mail, resent: 0, sent_at: now, ...device.sent.get(`${mail.to} ${mail.id}`) });
        const mine = sessionOf(device, device.person);
        if (mail.type === "text" && mail.to !== device.person && mine.devices.length > 0) device.queue.push({ ...mail, to: device.person, chat: mail.to });
        return true;
    }

    function take(device, row) {
        const { from, id, announced } = row;
        if (announced.device === device.id || device.seen.has(`${from} ${id}`)) return;
        const session = sessionOf(device, from);
        const [, key_id] = row.keys.find(([receiver]) => receiver === device.id) ?? [];
        const key = session.keys.find((each) => each.id === key_id);
        if (from === device.person && !rules.isHeardOf(session, announced.device)) queue(device, from, "hello");
        if (!row.unsealed && !key) return miss(device, row, session);
        device.seen.add(`${from} ${id}`);
        keep(device, row.unsealed ? rules.cameUnsealed(session, announced, now) : rules.opened(session, row, key_id, now));
        if (key) device.used.set(`${from} ${announced.device}`, Math.max(key.n, device.used.get(`${from} ${announced.device}`) ?? 0));
        if (row.type === "text") device.shown.push(id);
        if (row.type === "resend") for (const wanted of row.ids) sendAgain(device, row, wanted);
        (device.everKnew ??= new Set()).add(from);
    }

    function miss(device, row, session) {
        const [ids, asked] = rules.asking(rules.missed(session, row, now), [row.id]);
        keep(device, asked);
        if (ids.length > 0) queue(device, row.from, "resend", { ids });
        (device.everKnew ??= new Set()).add(row.from);
    }

    function sendAgain(device, { from, announced }, id) {
        const sent = device.sent.get(`${from} ${id}`);
        if (sent?.type !== "text" || rules.mayResend(sessionOf(device, from), announced.device, sent, now) !== true) return;
        sent.resent += 1;
        device.queue.push({ id: sent.id, at: sent.at, to: sent.to, type: sent.type });
    }

    function fetch(device, most = Infinity) {
        for (const row of mailboxes[device.person].slice(device.cursor, device.cursor + most)) take(device, row);
        device.cursor = Math.min(mailboxes[device.person].length, device.cursor + most);
        for (const session of device.sessions.values()) checkKeys(device, session);
    }

    // The rule, told from what this model has seen and not from what the session says of itself.
    function checkKeys(device, { contact, devices, keys }) {
        const used = devices.map((each) => device.used.get(`${contact} ${each.device}`) ?? 0);
        const oldest = devices.length > 0 ? Math.min(...used) : 0;
        expect(keys.every(({ n }) => n >= oldest), "a key that every device is past is still there");
        expect(keys.length <= 16, "too many keys");
        const held = new Set(keys.map(({ id }) => id));
        const recorded = mailboxes[device.person].filter((row) => row.from === contact).flatMap((row) => row.keys);
        for (const [receiver, key] of recorded) expect(receiver !== device.id || device.numbers.get(key) >= oldest || !held.has(key), "what was recorded opens still");
    }

    const events = [
        [6, (device) => queue(device, device.person === "alice" ? "bob" : "alice", "text")],
        [6, (device) => send(device, { cut: false })],
        [1, (device) => send(device, { cut: true })],
        [5, (device) => fetch(device)],
        [3, (device) => fetch(device, 1)],
        [1, (device) => people[device.person].length < 3 && people[device.person].push(restored(device))],
        [1, ({ person }) => mailboxes[person].length > 0 && mailboxes[person].push(pick(mailboxes[person]))], // the relay delivers an old one again
        [2, () => (now += random() * 5 * HOUR)],
    ];
    const bag = events.flatMap(([weight, event]) => new Array(weight).fill(event));

    function run() {
        [now, made, faults] = [1e12, 0, []];
        [people, mailboxes, written] = [{ alice: [newDevice("alice")], bob: [newDevice("bob")] }, { alice: [], bob: [] }, new Map()];
        const all = () => [...people.alice, ...people.bob];
        for (let step = 0; step < 60; step += 1) {
            now += 1000;
            pick(bag)(pick(all()));
        }
        for (let round = 0; round < 12; round += 1) {
            now += 20_000;
            for (const device of all()) while (send(device, { cut: false }));
            for (const device of all()) fetch(device);
        }
        for (const [id, { to, must, unsealed }] of written) {
            for (const device of people[to].filter((each) => must.includes(each.id))) expect(device.shown.includes(id), `lost ${id}`);
            if (unsealed) expect(people[to].some((device) => device.shown.includes(id)), `lost ${id} in v1's form`);
        }
        for (const { shown } of all()) expect(new Set(shown).size === shown.length, "shown twice");
        return faults;
    }

    const bad = [];
    for (let number = 0; number < runs && bad.length < 5; number += 1) {
        const begun = state;
        if (run().length > 0) bad.push({ seed: begun, faults: [...new Set(faults)].slice(0, 5) });
    }
    return { bad, made, written: written.size };
}"""


STORE_RUNS = int(os.environ.get("STORE_RUNS", "15"))  # of what follows: half a second each
# The same with the modules that store and send: a database and real keys for each device, and a list for the relay.
STORE_MODEL = """async ({ seed, steps }) => {
    const names = ["store/indexed-db", "store/store", "store/contacts", "store/backup-content", "mail/inbox", "mail/queue", "mail/posts",
        "protocol/content", "mail/sweeper", "protocol/crypto", "protocol/envelope"];
    const parts = Object.assign({}, ...(await Promise.all(names.map((name) => import(`/${name}.js`)))));
    const { ALL_STORES, VERSION, newContact, newDeviceId, newRelay, result, settled, upgrade } = parts;
    let state = seed;
    const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;
    const pick = (list) => list[Math.floor(random() * list.length)];
    const origin = location.origin;
    const people = ["alice", "bob"].map(() => ({ ...parts.newIdentity(), mailbox: [], devices: [] }));
    const otherOf = (person) => people.find((each) => each !== person);
    const written = new Map();
    const LATER = 3_600_000; // what is gathered goes at once

    async function openStore(name) {
        const request = indexedDB.open(name, VERSION);
        request.onupgradeneeded = ({ oldVersion }) => upgrade(request.result, request.transaction, oldVersion);
        const connection = await result(request);
        const transact = (mode) => (stores, work) => settled(connection.transaction(stores, mode, { durability: "relaxed" }), stores, work);
        const db = { read: transact("readonly"), write: transact("readwrite"), note: transact("readwrite"), close: () => connection.close() };
        return { db, name, emit: () => undefined, emitContact: () => undefined, emitUnread: () => undefined };
    }

    async function newDevice(person, backup) {
        const device = { person, id: newDeviceId(), store: await openStore(`model ${seed} ${Math.random()}`), sharedKeys: new parts.SharedKeys(person.secret_key) };
        const { store } = device;
        const other = otherOf(person);
        if (backup) await parts.replaceEverything(store, parts.readBackup(new TextEncoder().encode(backup)));
        await store.db.write(ALL_STORES, ({ kv, contacts, relays }) => {
            kv.put({ fingerprint: person.fingerprint, public_key: person.public_key, secret_key: person.secret_key }, "identity");
            kv.put(device.id, "device");
            if (backup) return void kv.put(true, "hello_due");
            contacts.put(newContact(other.fingerprint, { relay: origin, public_key: other.public_key }));
            return void relays.put(newRelay(origin));
        });
        await parts.greet(store, person.fingerprint);
        person.devices.push(device);
        return device;
    }

    const read = (device, name) => device.store.db.read([name], (stores) => result(stores[name].getAll()));

    async function write(device) {
        const id = parts.newEnvelopeId();
        written.set(id, { to: otherOf(device.person), must: null });
        await parts.enqueue(device.store, { contact: otherOf(device.person).fingerprint, relay: origin, text: `text ${id}`, envelope_id: id });
    }

    // `cut`: the answer is lost, or the tab is killed, after the relay has the message.
    async function send({ person, store, id: device, sharedKeys }, cut) {
        for (const contact of await parts.waitingContacts(store)) {
            const { record, post } = await parts.claimNext(store, contact, "leader", new Set(), Date.now() + LATER);
            if (!record && !post) continue;
            const to = people.find(({ fingerprint }) => fingerprint === contact);
            const session = await parts.readyToWrite(store, { fingerprint: contact });
            const said = record ? { id: record.envelope_id, at: record.at, content: parts.contentOf(record) } : post;
            const plaintext = await parts.pack(said, { identity: { ...person, device }, session, to: contact, name: "", limit: Infinity });
            const nonce = parts.randomBytes(24);
            const ciphertext = parts.sealBox(plaintext, nonce, sharedKeys.with(to.public_key));
            to.mailbox.push({ id: to.mailbox.length + 1, sender_fingerprint: person.fingerprint, sender_public_key: person.public_key, nonce, ciphertext, created_at: Date.now() });
            if (record) written.get(record.envelope_id).must ??= session.devices.length > 0 ? session.devices.map((each) => each.device) : to.devices.map(({ id }) => id);
            if (cut) return true;
            if (record) await parts.settle(store, record, { state: "relayed", relay: origin, relay_id: to.mailbox.length, expires_at: "" }, person.fingerprint);
            else await parts.settlePost(store, person.fingerprint, post);
            return true;
        }
        return false;
    }

    async function fetch({ person, store, sharedKeys }, most = Infinity) {
        const [{ cursor }] = await store.db.read(["relays"], ({ relays }) => result(relays.getAll()));
        const rows = person.mailbox.slice(cursor, cursor + most);
        if (rows.length > 0) await parts.storeArrivals(store, { identity: person, sharedKeys, origin, rows, after_id: cursor, reading: async () => () => new Set(), receipts: true, home: origin });
    }

    for (const person of people) await newDevice(person);
    const events = [
        [5, write], [6, (device) => send(device, false)], [1, (device) => send(device, true)], [4, (device) => fetch(device)], [3, (device) => fetch(device, 1)],
        [1, async (device) => device.person.devices.length < 3 && newDevice(device.person, await parts.snapshot(device.store, { history: true }))],
        [1, ({ person: { mailbox } }) => mailbox.length > 0 && mailbox.push({ ...pick(mailbox), id: mailbox.length + 1 })],
    ];
    const bag = events.flatMap(([weight, event]) => new Array(weight).fill(event));
    const all = () => people.flatMap(({ devices }) => devices);
    for (let step = 0; step < steps; step += 1) await pick(bag)(pick(all()));
    for (let round = 0, busy = true; busy && round < 12; round += 1) {
        busy = false;
        for (const device of all()) while (await send(device, false)) busy = true;
        for (const device of all()) await fetch(device);
    }
    const faults = [];
    for (const device of all()) {
        const texts = (await read(device, "messages")).filter(({ kind, event }) => kind === "text" && !event).map(({ envelope_id }) => envelope_id);
        if (new Set(texts).size < texts.length) faults.push("shown twice");
        for (const [id, { to, must }] of written) if (to === device.person && must?.includes(device.id) && !texts.includes(id)) faults.push(`lost ${id}`);
        for (const { contact, keys, devices, unopened } of await read(device, "sessions")) {
            const used = Math.min(...devices.map((each) => each.used), Infinity);
            if (devices.length > 0 && keys.some(({ n }) => n < used)) faults.push("a key that every device is past is still there");
            if (contact !== device.person.fingerprint && unopened.some(({ id }) => texts.includes(id))) faults.push("still asked for");
        }
    }
    for (const { store } of all()) {
        store.db.close();
        indexedDB.deleteDatabase(store.name);
    }
    return { faults, written: written.size, devices: all().length };
}"""
AGEING = """(async () => {
    const rules = await import("/protocol/devices.js");
    const DAY = 86_400_000;
    let made = 0;
    const make = () => ({ id: `key ${(made += 1)}`, public_key: "", secret_key: "" });
    const heard = (session, device, now) => rules.heard(session, { device, key: "" }, now);
    const use = (session, now) => rules.opened(session, { id: `${now}`, announced: { device: "a", key: "" } }, session.keys.at(-1).id, now);
    const one = heard(rules.newSession("x"), "a", 0);
    const two = heard(one, "b", 40 * DAY);
    const turned = rules.prepared(use(rules.prepared(heard(two, "a", 40 * DAY), 40 * DAY, make), 40 * DAY), 40 * DAY, make);
    let unanswered = one;
    for (let turn = 0; turn < 20; turn += 1) unanswered = rules.prepared({ ...unanswered, keys: unanswered.keys.map((key) => ({ ...key, used: true })) }, 0, make);
    const fresh = rules.prepared(one, 0, make);
    let missed = rules.missed(one, { id: "m", announced: { device: "a", key: "" } }, 0);
    const asked = [1, 2, 3, 4].map(() => { const [ids, next] = rules.asking(missed, ["m"]); missed = next; return ids.length; });
    const old = rules.cameUnsealed(one, null, 1);
    const told = rules.unanswered(missed, 1.05 * DAY);
    return {
        "devices after 44 and 46 days": [44, 46].map((days) => rules.swept(two, days * DAY).devices.length),
        "last device after a year": rules.swept(one, 365 * DAY).devices.length,
        "superseded key after 29 and 31 days": [69, 71].map((days) => rules.swept(turned, days * DAY).keys.length),
        "keys of twenty turns that nobody answered": unanswered.keys.length,
        "a key of 29 and of 31 days is announced": [29, 31].map((days) => rules.prepared(fresh, days * DAY, make) === fresh),
        "last device that says goodbye": rules.without(one, "a").devices.length,
        "asked for three times at most": asked,
        "asks about the old form after 13 and 15 days, and not again": [
            rules.wantsOldForm(old, 13 * DAY), rules.wantsOldForm(old, 15 * DAY), rules.wantsOldForm({ ...old, old_form_asked: true }, 15 * DAY)],
        "says that something did not open after 23 and 25 hours, and not again": [
            rules.unanswered(missed, 0.95 * DAY)[0], told[0], rules.unanswered(told[1], 2 * DAY)[0]],
    };
})()"""


class Correspondent(Person):
    """Somebody with one device that keeps its keys by hand."""

    async def meets(self, page: Page) -> None:
        """Write to a page in v1's form, announcing the device; read its answer, and remember its device and key."""
        self.device, self.page = Receiver.new(), await address_of(page)
        await post(self, self.page, text="a first word", ts=int(time.time() * 1000), **self.device.fields)
        await page.click(f'#chatTabs [data-fingerprint="{self.fingerprint}"] .chat-tab-label')
        await page.sees("a first word")
        await page.says("an answer")
        await self.catches_up()

    async def catches_up(self, number: int = 1) -> None:
        """Wait for so many texts, and remember the page's device and the key that it named last."""
        header = (await until(lambda: self.reads_texts(number)))[-1]["header"]
        self.theirs = Announced(header["device"], unb64(header["key"]))

    async def reads(self, by: Receiver | None = None) -> list[dict[str, Any]]:
        """What the inbox on the relay holds that was sealed for this device, or for another one of this person."""
        receiver = by or self.device
        rows = [self.open(row) for row in await self.fetch_all()]
        sealed = [row for row in rows if b"\0" in row and key_id(receiver.announced.public_key).encode() in row]
        return [open_envelope2(row, receiver) for row in sealed]

    async def reads_texts(self, number: int, by: Receiver | None = None) -> list[dict[str, Any]]:
        """So many texts of them, or more; else none."""
        texts = [each for each in await self.reads(by) if each["content"]["type"] == "text"]
        return texts if len(texts) >= number else []

    async def hears(self, kind: str, number: int = 1) -> dict[str, Any]:
        """Wait for so many contents of this type; the newest."""

        async def such() -> list[dict[str, Any]]:
            found = [each["content"] for each in await self.reads() if each["content"]["type"] == kind]
            return found if len(found) >= number else []

        return (await until(such))[-1]

    async def says(
        self,
        *,
        writer: Receiver | None = None,
        header: dict[str, Any] | None = None,
        unsealed: bool = False,
        octets: bytes = b"",
        **fields: Any,
    ) -> str:
        """Send a content, sealed for the page's device unless `unsealed`; its envelope's id."""
        known = {"id": b64url(os.urandom(16))} | (header or {})
        receivers = [] if unsealed else [self.theirs]
        await self.send(
            self.page, envelope2(self, self.page, writer or self.device, receivers, content(octets, **fields), **known)
        )
        return str(known["id"])


async def stored(page: Page, expression: str) -> Any:
    """What a page's database holds, as JSON: `expression` over the stores' records by name."""
    return await page.evaluate(f"""(async () => {{
        const {{ Database }} = await import("/store/database.js");
        const names = ["contacts", "messages", "parts", "posts", "references", "sessions"];
        const lists = await Database.shared.read(names, (stores) => Promise.all(names.map((name) => new Promise((resolve) => {{
            const request = stores[name].getAll();
            request.onsuccess = () => resolve(request.result);
        }}))));
        const {{ contacts, messages, parts, posts, references, sessions }} = Object.fromEntries(names.map((name, index) => [name, lists[index]]));
        return {expression};
    }})()""")


async def changes(page: Page, call: str) -> Any:
    """Calls the page's own `client.changes`, as its views do; `last` and `first` are the thread's messages."""
    return await page.evaluate(f"""(async () => {{
        const {{ Changes }} = await import("/mail/changes.js");
        const {{ Store }} = await import("/store/store.js");
        const {{ Database }} = await import("/store/database.js");
        const {{ Settings }} = await import("/store/person.js");
        const store = new Store(Database.shared);
        const parts = {{ identity: await store.value("identity"), settings: await Settings.load(store, {{ home: location.origin }}) }};
        const client = new Changes({{ store, relays: {{ pass: () => Promise.reject(new Error("not asked")) }}, ...parts, reading: () => null }});
        const contact = location.hash.slice(6, 70);
        const {{ messages }} = await store.thread(contact);
        const [received, sent] = ["in", "out"].map((direction) => messages.filter((each) => each.direction === direction && !each.event));
        return await client.{call};
    }})()""")


BAD_SEALED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a header of another version": ({"v": 3}, {"type": "text", "text": "hi"}),
    "no device": ({"device": None}, {"type": "text", "text": "hi"}),
    "a key of small order": ({"key": b64(bytes(32))}, {"type": "text", "text": "hi"}),
    "ten thousand keys": ({"keys": [["A", "A", ""]] * 10_000}, {"type": "text", "text": "hi"}),
    "a clock ten years ahead": ({"ts": int((time.time() + 3650 * 86_400) * 1000)}, {"type": "text", "text": "hi"}),
    "somebody else's name in it": ({"from": NOBODY}, {"type": "text", "text": "hi"}),
    "a text that is none": ({}, {"type": "text", "text": 7}),
    "a text with a NUL": ({}, {"type": "text", "text": "a\0b"}),
    "two reactions at once": ({}, {"type": "react", "of": "A" * 22, "emoji": "👍👍"}),
    "a receipt for too many": ({}, {"type": "receipt", "delivered": ["A" * 22] * 201, "read": []}),
}


async def has_receipt(reader: Correspondent, number: str, of: str = "delivered") -> bool:
    """Whether they were told that this message has arrived, or that it was "read"."""
    receipts = [each["content"] for each in await reader.reads() if each["content"]["type"] == "receipt"]
    return any(number in each[of] for each in receipts)


async def comes_back_from(page: Page, backup: str) -> None:
    """Have a backup's content take the place of all that is there."""
    await page.evaluate(f"(window.before = true, void ({RESTORE})({json.dumps(backup)}))")
    await page.until("!window.before")
    await page.has_keys()


REFUSED_CHANGES = (
    "Somebody does not get your edit, so the words are as before. Nobody with this address is at ",
    "Somebody does not get your reaction, so it is as before. Nobody with this address is at ",
    "Somebody was not told how long messages stay, so it is as before. Nobody with this address is at ",
)


class TestBrowserSealed:
    """Envelope 2: who reads what, which keys are kept, and what people make of messages that are there."""

    @pytest.fixture
    async def alice(self, browser, relay):
        return await browser.person(relay)

    @pytest.fixture
    async def bob(self, relay, alice):
        """A correspondent whom Alice has answered."""
        bob = Correspondent(relay)
        await bob.register()
        await bob.meets(alice)
        return bob

    async def test_no_order_of_events_loses_a_message_or_keeps_a_key(self, alice):
        found = {"bad": [], "written": 0}

        for seed in range(1, SESSION_RUNS, 250):
            found = await alice.evaluate(f"({SESSION_MODEL})({{ seed: {seed}, runs: 250 }})")
            assert found["bad"] == []

        assert found["written"] > 0

    async def test_no_order_of_events_loses_or_doubles_what_is_stored_and_sent(self, alice):
        runs = [
            await alice.evaluate(f"({STORE_MODEL})({{ seed: {seed}, steps: 40 }})") for seed in range(1, STORE_RUNS + 1)
        ]

        assert [run["faults"] for run in runs] == [[]] * STORE_RUNS
        assert sum(run["written"] for run in runs) > STORE_RUNS
        assert max(run["devices"] for run in runs) > 2 or STORE_RUNS < 5

    async def test_what_is_too_old_goes_but_never_a_contacts_last_device(self, alice):
        aged = await alice.evaluate(AGEING)

        assert aged == {
            "devices after 44 and 46 days": [2, 1],
            "last device after a year": 1,
            "superseded key after 29 and 31 days": [2, 1],
            "keys of twenty turns that nobody answered": 16,
            "a key of 29 and of 31 days is announced": [True, False],
            "last device that says goodbye": 1,
            "asked for three times at most": [1, 1, 1, 0],
            "asks about the old form after 13 and 15 days, and not again": [False, True, False],
            "says that something did not open after 23 and 25 hours, and not again": [0, 1, 0],
        }

    async def test_answer_is_sealed_once_more_and_the_identity_keys_do_not_open_it(self, alice, bob):
        await alice.says("for this device alone")

        said = await bob.hears("text", number=2)

        assert said["text"] == "for this device alone"
        assert all(b"for this device" not in bob.open(row) for row in await bob.fetch_all())

    async def test_nothing_goes_in_v1s_form_once_a_device_is_known(self, relay, alice, bob):
        first = (await bob.fetch_all())[0]
        await post(bob, bob.page, text="an old client now?")
        await alice.sees("an old client now?")

        await alice.says("still sealed")

        assert (await bob.hears("text", number=2))["text"] == "still sealed"
        assert all(b"\0" in bob.open(row) for row in await bob.fetch_all() if row["id"] >= first["id"])

    async def test_message_in_v1s_form_is_marked_where_a_device_is_known(self, alice, bob):
        await bob.says(type="text", text="sealed twice")
        await alice.sees("sealed twice")

        await post(bob, bob.page, text="sealed once")
        await bob.says(type="text", text="in envelope 2, but not sealed", unsealed=True)
        await alice.sees("in envelope 2, but not sealed")

        notes = zip(await alice.received(), await alice.texts(".chat-line-in .chat-note"), strict=True)
        marked = [words for words, note in notes if "sealed with the address key only" in note]
        assert marked == ["sealed once", "in envelope 2, but not sealed"]

    async def test_what_is_not_sealed_changes_nothing_once_the_contact_seals(self, alice, bob):
        number = await bob.says(type="text", text="true words")
        [own] = await stored(
            alice, "messages.filter(({ direction }) => direction === 'out').map((each) => each.envelope_id)"
        )

        for change in ({"type": "edit", "of": number, "text": "words of a thief"}, {"type": "delete", "of": number}):
            await bob.says(unsealed=True, **change)
        await bob.says(unsealed=True, type="receipt", delivered=[own], read=[own])
        await bob.says(type="text", text="done")
        await alice.sees("done")

        assert (await alice.received())[1:] == ["true words", "done"]
        assert await stored(alice, "messages.every(({ delivered_at }) => !delivered_at)")

    @pytest.mark.parametrize("bad", BAD_SEALED)
    async def test_what_breaks_a_rule_is_refused_with_a_reason_and_teaches_no_key(self, alice, bob, bad):
        header, fields = BAD_SEALED[bad]
        before = await stored(alice, "sessions.map(({ devices }) => devices.map(({ device }) => device))")

        await bob.says(writer=Receiver.new(), header=header, **fields)
        await alice.until("document.querySelector('.chat-line.refused')?.textContent.includes('Refused: ')")

        assert await stored(alice, "sessions.map(({ devices }) => devices.map(({ device }) => device))") == before
        assert (
            await stored(alice, "messages.filter(({ kind, direction }) => kind === 'text' && direction === 'in').length")
            == 1
        )

    async def test_key_that_opened_a_message_is_gone_with_the_turn_after_it(self, alice, bob):
        used = bob.theirs
        await bob.says(type="text", text="one")
        await alice.sees("one")
        await alice.says("two")

        await bob.catches_up(number=2)
        await bob.says(type="text", text="three")
        await alice.sees("three")

        held = await stored(alice, "sessions.flatMap(({ keys }) => keys.map(({ id }) => id))")
        assert key_id(used.public_key) not in held
        assert key_id(bob.theirs.public_key) in held

    async def test_what_does_not_open_is_asked_for_and_shows_once_it_comes_again(self, alice, bob):
        good, bob.theirs = bob.theirs, Receiver.new().announced  # another device, that is
        number = await bob.says(type="text", text="sealed for another key")

        asked = await bob.hears("resend")
        bob.theirs = good
        for _ in range(2):
            await bob.says(type="text", text="sealed for another key", header={"id": number})
        await bob.says(type="text", text="and the next")
        await alice.sees("and the next")

        assert asked["ids"] == [number]
        assert (await alice.received())[1:] == ["sealed for another key", "and the next"]

    async def test_key_that_this_device_never_made_betrays_who_writes_in_its_name(self, alice, bob):
        good, bob.theirs = bob.theirs, Receiver.new().announced._replace(device=bob.theirs.device)

        await bob.says(type="text", text="sealed for a thief of Alice's key")
        await alice.sees(
            "A message for this device has a key that it never made. Unless Somebody plays a trick, somebody else has your keys: ask them by another way."
        )
        bob.theirs = good
        await bob.says(type="text", text="sealed for Alice")

        await alice.sees("sealed for Alice")
        await goes_to(alice, "library")
        await alice.until("document.querySelectorAll('.msg-who').length >= 2")
        assert (await alice.texts(".msg-who"))[:2] == ["Somebody", "Chat with Somebody"]  # nobody wrote that line

    async def test_new_device_of_a_contact_is_told_of_and_gets_no_older_message_unless_the_person_agrees(self, alice, bob):
        await alice.says("before the new device")
        known = [each["header"]["id"] for each in await until(lambda: bob.reads_texts(2))]
        newer = Receiver.new()

        await bob.says(writer=newer, type="resend", ids=known)
        await until(lambda: stored(alice, "contacts[0].asks_again === 2"))
        await alice.shows(".chat-line", "Somebody uses a new device.")
        assert await bob.reads_texts(1, newer) == []
        await alice.shows("#askText", "Somebody’s new device could not read 2 messages from before. Send again?")
        await alice.click("#askYes")
        await alice.hides("#askBar")

        assert {each["header"]["id"] for each in await until(lambda: bob.reads_texts(2, newer))} == set(known)

    async def test_lines_are_told_in_their_words_and_messages_without_their_marks_to_a_screen_reader(self, alice, bob):
        await alice.until("politeRegion.textContent.endsWith(': a first word')")  # told before or after it was opened
        await bob.says(writer=Receiver.new(), type="text", text="**from** `another`")
        await alice.until("politeRegion.textContent === 'Somebody uses a new device. Somebody: from another'")

        await alice.evaluate("chatMessages.focus()")
        await alice.key("ArrowUp")
        await alice.until("document.activeElement.ariaLabel?.startsWith('Somebody: from another ')")
        await alice.key("ArrowUp")

        await alice.until("document.activeElement.ariaLabel?.startsWith('Somebody uses a new device. ')")
        await goes_to(alice, "library")
        await alice.shows(".msg-text", "Somebody uses a new device.")

    async def test_file_is_told_to_a_screen_reader_as_what_it_is(self, alice, bob):
        await alice.until("politeRegion.textContent.endsWith(': a first word')")  # told before or after it was opened
        photo = {"id": "A" * 22, "name": "x.png", "mime": "image/png", "size": 9, "sha256": "0" * 64, "parts": 1}

        await bob.says(type="file", file=photo, octets=bytes(9))

        await alice.until("politeRegion.textContent === 'Somebody: Photo'")

    async def test_new_device_of_somebody_who_was_verified_is_to_be_asked_about(self, alice, bob):
        await panel_of(alice, bob)
        await alice.click("#contactVerified")
        await alice.shows(".thread-detail .verified", "verified")
        await closes_panel(alice)

        await bob.says(writer=Receiver.new(), type="text", text="from another")

        await alice.shows(".chat-line.event", "You have verified Somebody: ask them by another way whether it is theirs.")

    async def test_person_who_says_no_sends_nothing_again(self, alice, bob):
        await alice.says("before the new device")
        known = [each["header"]["id"] for each in await until(lambda: bob.reads_texts(2))]

        await bob.says(writer=Receiver.new(), type="resend", ids=known)
        await alice.click("#askNo", "No")
        await alice.hides("#askBar")

        assert await stored(alice, "posts.filter(({ content }) => content.type === 'text')") == []
        assert await stored(alice, "sessions.map(({ wanted }) => wanted ?? null)") == [None]

    @pytest.mark.parametrize("agrees", [True, False])
    async def test_old_form_is_written_again_only_once_the_person_says_so(self, alice, bob, agrees):
        await post(bob, bob.page, text="from an old client")
        await alice.sees("from an old client")
        await alice.evaluate(OLD_FORM_FOR_15_DAYS)
        await post(bob, bob.page, text="from an old client still")
        await alice.shows("#askText", "For two weeks Somebody has written with an older client")

        await alice.click("#askYes" if agrees else "#askNo")
        await alice.hides("#askBar")
        await alice.says("the answer")
        await alice.has_relayed(2)

        plain = [json.loads(bob.open(row))["text"] for row in await bob.fetch_all() if b"\0" not in bob.open(row)]
        assert plain == (["the answer"] if agrees else [])
        assert await stored(alice, "contacts[0].asks_old_form") is False

    async def test_no_replay_removal_or_reload_brings_an_older_key_or_v1s_form_back(self, alice, bob):
        old = bob.seal(bob.page, envelope(bob, bob.page, text="with the first key", **bob.device.fields))
        newer = bob.device._replace(key=PrivateKey.generate())
        await bob.call("POST", "/v1/messages", json=old)
        await bob.says(writer=newer, type="text", text="with a newer key")
        await bob.call("POST", "/v1/messages", json=old)
        await bob.says(writer=newer, type="text", text="after the replay")
        await alice.sees("after the replay")

        await in_store(alice, f"await store.removeContact('{bob.fingerprint}')")
        await alice.until("!document.querySelector('.chat-tab')")
        await alice.reload()
        await alice.opens(bob.fingerprint)
        await alice.says("sealed still")

        said = await until(lambda: bob.reads_texts(1, newer))
        assert [each["content"]["text"] for each in said] == ["sealed still"]

    async def test_answer_to_a_message_without_an_id_is_sent_without_what_it_answers(self, relay, alice, bob):
        await bob.send(bob.page, json.dumps({"text": "from an old client", "ts": 1_700_000_000_000}).encode())
        await alice.sees("from an old client")
        [of] = await stored(alice, "messages.filter(({ legacy }) => legacy).map((each) => each.envelope_id)")

        await alice.evaluate(f"({SENDS})({json.dumps(bob.fingerprint)}, 'an answer to it', {json.dumps(of)})")
        refused = await changes(alice, "react(received.at(-1).seq, '👍').catch((error) => error.name)")

        said = await bob.hears("text", number=2)
        assert said == {"type": "text", "text": "an answer to it"}
        assert refused == "UnchangeableError"

    async def test_edit_changes_the_words_and_keeps_the_earlier_ones_whatever_comes_first(self, alice, bob):
        number, written = b64url(os.urandom(16)), int(time.time() * 1000)
        for later in (2, 1):
            await bob.says(type="edit", of=number, text=f"words {later}", header={"ts": written + later})
        await bob.says(type="edit", of=number, text="too late", header={"ts": written + 86_400_001})

        await bob.says(type="text", text="words 0", header={"id": number, "ts": written})
        await alice.sees("words 2")

        assert [each["text"] for each in await changes(alice, "earlier(received.at(-1).seq)")] == ["words 0", "words 1"]
        assert await stored(alice, "references") == []

    async def test_nobody_edits_or_deletes_what_they_did_not_write(self, alice, bob):
        [own] = await stored(
            alice, "messages.filter(({ direction }) => direction === 'out').map((each) => each.envelope_id)"
        )

        await bob.says(type="edit", of=own, text="words of another")
        await bob.says(type="delete", of=own)
        await bob.says(type="text", text="done")
        await alice.sees("done")

        assert await alice.sent() == ["an answer"]

    async def test_deleted_message_leaves_nothing_but_that_it_was(self, alice, bob):
        number = await bob.says(type="text", text="a secret needle")
        await bob.says(type="edit", of=number, text="another needle")
        await alice.sees("another needle")

        await bob.says(type="delete", of=number)
        await alice.sees("Deleted")

        assert "needle" not in json.dumps(await stored(alice, "[contacts, messages, posts, references]"))
        assert await stored(alice, "messages.at(-1).deleted_at > 0")

    async def test_search_finds_edited_words_and_no_deleted_ones(self, alice, bob):
        edited, deleted = [await bob.says(type="text", text=f"an old needle {number}") for number in (1, 2)]
        await bob.says(type="edit", of=edited, text="a new haystack")
        await bob.says(type="delete", of=deleted)
        await alice.sees("Deleted")
        await alice.until("document.querySelectorAll('.chat-line-in').length === 3")

        await goes_to(alice, "library")
        await alice.fill("#librarySearch", "haystack")
        await alice.until("document.querySelectorAll('.msg').length === 1")
        await alice.fill("#librarySearch", "needle")

        await alice.until("document.querySelectorAll('.msg').length === 0")

    async def test_reaction_is_one_a_person_and_the_newest_wins_in_any_order(self, alice, bob):
        [own] = await stored(
            alice, "messages.filter(({ direction }) => direction === 'out').map((each) => each.envelope_id)"
        )
        now = int(time.time() * 1000)

        for emoji, later in (("👍", 1), ("❤️", 3), ("😀", 2)):
            await bob.says(type="react", by=alice.fingerprint, of=own, emoji=emoji, header={"ts": now + later})
        await bob.says(type="text", text="done")
        await alice.sees("done")
        await changes(alice, "react(received.at(-1).seq, '🎉')")

        assert await stored(alice, "messages[1].reactions.map(({ by, emoji }) => [by, emoji])") == [[bob.fingerprint, "❤️"]]
        assert (await bob.hears("react"))["emoji"] == "🎉"

    async def test_change_that_the_relay_refuses_for_good_is_undone_and_told_of(self, alice, bob):
        alice.expects("404 (Not Found)")
        await changes(alice, "react(sent[0].seq, '👍')")
        await bob.hears("react")
        await bob.call("DELETE", "/v1/me")

        await changes(alice, "edit(sent[0].seq, 'nobody reads this')")
        for emoji in "🎉", "❤️":
            await changes(alice, f"react(sent[0].seq, '{emoji}')")
        await changes(alice, "setTimer(contact, 60)")

        for what in REFUSED_CHANGES:
            await alice.shows(".chat-line.event", what)
        shown = "[...document.querySelectorAll('.chat-line-out :is(.chat-bubble, .reaction, .chat-edited)')]"
        await alice.until(f"{shown}.map((each) => each.textContent).join() === 'an answer,👍1'")
        assert await stored(alice, "contacts.map(({ last_text, lasts }) => [last_text, lasts])") == [["an answer", 0]]

    async def test_deletion_that_the_relay_refuses_for_good_is_told_of_and_the_words_come_back(self, alice, bob):
        alice.expects("404 (Not Found)")
        await changes(alice, "react(sent[0].seq, '👍')")
        await bob.hears("react")
        await bob.call("DELETE", "/v1/me")

        await changes(alice, "remove(sent[0].seq)")

        await alice.shows(
            ".chat-line.event", "Somebody was not told that you deleted a message, and may have it still. Nobody with this"
        )
        shown = "[...document.querySelectorAll('.chat-line-out :is(.chat-bubble, .reaction)')]"
        await alice.until(f"{shown}.map((each) => each.textContent).join() === 'an answer,👍1'")
        assert await stored(alice, "contacts.map(({ last_text }) => last_text)") == ["an answer"]

    async def test_words_that_are_deleted_for_both_are_nowhere_once_a_relay_was_told(self, alice, bob):
        await changes(alice, "remove(sent[0].seq)")

        await bob.hears("delete")
        await until(
            lambda: stored(alice, "posts.some(({ content, queued_for }) => content.type === 'delete' && !queued_for)")
        )
        assert "an answer" not in json.dumps(await stored(alice, "[contacts, messages, posts, references]"))

    async def test_words_of_a_deletion_that_waits_go_when_their_time_is_over(self, browser, liar):
        alice, bob = await browser.person(liar), Correspondent(liar.truth)
        await bob.register()
        await bob.meets(alice)
        await changes(alice, "setTimer(contact, 60)")
        await alice.says("gone in a minute")
        await bob.hears("text", number=2)
        await until(lambda: stored(alice, "messages.some(({ gone_at }) => gone_at)"))
        alice.expects("Failed to load resource", "WebSocket connection to")

        liar.lie("POST /v1/messages", lambda _: web.Response(status=503))
        await changes(alice, "remove(sent.at(-1).seq)")
        assert "gone in a minute" in json.dumps(await stored(alice, "posts"))
        await alice.evaluate(A_MINUTE_LATER)

        assert "gone in a minute" not in json.dumps(await stored(alice, "[messages, posts]"))
        assert await stored(alice, "posts.some(({ content, queued_for }) => content.type === 'delete' && queued_for)")

    async def test_receipts_say_what_came_and_what_was_read(self, alice, bob):
        number = await bob.says(type="text", text="did you get this?")
        await alice.sees("did you get this?")
        await until(lambda: has_receipt(bob, number, "read"))  # the first word may have one of its own before
        [own] = await stored(
            alice, "messages.filter(({ direction }) => direction === 'out').map((each) => each.envelope_id)"
        )

        await bob.says(type="receipt", delivered=[own], read=[])
        await until(lambda: stored(alice, "messages.some(({ delivered_at, read_at }) => delivered_at && !read_at)"))
        await bob.says(type="receipt", delivered=[], read=[own, "A" * 22])

        await until(lambda: stored(alice, "messages.some(({ read_at }) => read_at)"))

    async def test_receipts_begin_with_the_first_message_of_a_client_that_reads_them(self, relay, alice):
        bob, first = Correspondent(relay), b64url(os.urandom(16))
        await bob.register()
        bob.device, bob.page = Receiver.new(), await address_of(alice)
        await alice.opens(bob.fingerprint)
        await alice.says("plain words")
        await alice.has_relayed(1)
        await post(bob, bob.page, text="from an old client")
        await alice.sees("from an old client")
        await changes(alice, "confirm(contact, { reading: true })")

        await post(bob, bob.page, text="from a new one", id=first, **bob.device.fields)
        receipt = await bob.hears("receipt")

        assert {*receipt["delivered"], *receipt["read"]} == {first}

    async def test_who_gives_no_receipts_of_reading_sees_none(self, alice, bob):
        await alice.click("#settingsOpen")
        await alice.click("label:has(#settingReceipts)")
        await alice.until(FROM_DATABASE % "(await result(kv.get('settings'))).receipts === false")
        await alice.click("#settingsDialog [data-close]")
        [own] = await stored(
            alice, "messages.filter(({ direction }) => direction === 'out').map((each) => each.envelope_id)"
        )

        number = await bob.says(type="text", text="did you read this?")
        await bob.says(type="receipt", delivered=[], read=[own])
        await until(lambda: stored(alice, "messages.some(({ delivered_at }) => delivered_at)"))
        await until(lambda: has_receipt(bob, number))

        receipts = [each["content"] for each in await bob.reads() if each["content"]["type"] == "receipt"]
        assert [number in each["read"] for each in receipts] == [False] * len(receipts)
        assert await stored(alice, "messages.every(({ read_at }) => !read_at)")

    async def test_nothing_is_sent_to_a_stranger_until_they_are_accepted(self, relay, alice):
        bob = Correspondent(relay)
        await bob.register()
        bob.device, bob.page, bob.theirs = Receiver.new(), await address_of(alice), Receiver.new().announced

        await post(bob, bob.page, text="a request", **bob.device.fields)
        missed = await bob.says(type="text", text="does not open")
        await alice.click(".chat-tab-label")
        await alice.sees("a request")
        await alice.shows(".chat-line", "A message could not be opened.")
        assert await stored(alice, "posts") == []
        await alice.says("accepted")

        assert (await bob.hears("resend"))["ids"] == [missed]
        assert len((await bob.hears("receipt"))["read"]) == 1

    async def test_stranger_fills_no_more_room_by_what_is_no_message(self, relay, alice):
        bob, carol = Correspondent(relay), await relay.register()
        await bob.register()
        bob.device, bob.page = Receiver.new(), await address_of(alice)
        number = await bob.says(unsealed=True, type="text", text="a request")

        for at in range(8):
            header = {"ts": int(time.time() * 1000) + at}
            await bob.says(unsealed=True, header=header, type="edit", of=number, text=f"{at}" * 60_000)
            await bob.says(unsealed=True, header=header, type="setting", lasts=at + 1)
        await post(carol, bob.page, text="the last one")
        await alice.until("document.querySelectorAll('.chat-tab').length === 2")

        assert (
            200_000 < len(await stored(alice, "JSON.stringify(messages)")) < 320_000
        )  # each edit, and the newest once more

    async def test_message_with_a_timer_goes_on_both_sides_once_it_was_read(self, alice, bob):
        await changes(alice, "setTimer(contact, 1)")
        assert (await bob.hears("setting"))["lasts"] == 1

        number = await bob.says(type="text", text="gone in a second", lasts=1)
        await alice.says("mine as well")
        assert (await bob.hears("text", number=2))["lasts"] == 1
        await alice.until(FROM_DATABASE % f"(await result(seen.getAllKeys())).includes('{bob.fingerprint} {number}')")
        await until(lambda: stored(alice, "messages.every(({ lasts, event, gone_at }) => !lasts || event || gone_at)"))

        await alice.until("!document.querySelector('#chatMessages').textContent.includes('gone in a second')")
        await until(lambda: stored(alice, "messages.every(({ lasts, event }) => !lasts || event)"))

    async def test_no_words_of_a_message_with_a_timer_are_left_once_it_is_gone(self, alice, bob):
        await changes(alice, "setTimer(contact, 60)")
        await alice.says("a needle")
        await alice.has_relayed(2)
        await changes(alice, "edit(sent.at(-1).seq, 'another needle')")
        await until(
            lambda: stored(alice, "posts.some(({ content, queued_for }) => content.type === 'edit' && !queued_for)")
        )

        await alice.evaluate(A_MINUTE_LATER)

        assert "needle" not in json.dumps(await stored(alice, "[contacts, messages, posts]"))

    async def test_what_v1_can_not_say_waits_until_a_device_of_the_contact_is_known(self, relay, alice):
        bob = Correspondent(relay)
        await bob.register()
        await alice.opens(bob.fingerprint)
        await alice.says("plain words")
        await alice.has_relayed(1)

        await changes(alice, "edit(sent[0].seq, 'edited words')")
        assert [json.loads(bob.open(row))["text"] for row in await bob.fetch_all()] == ["plain words"]
        bob.device, bob.page = Receiver.new(), await address_of(alice)
        await post(bob, bob.page, text="hello", **bob.device.fields)

        assert (await bob.hears("edit"))["text"] == "edited words"

    async def test_greeting_that_did_not_open_is_sealed_again(self, alice, bob):
        await alice.evaluate(HELLO_DUE)
        await alice.reload()
        await bob.hears("hello")
        [greeted] = [each["header"]["id"] for each in await bob.reads() if each["content"]["type"] == "hello"]

        await bob.says(type="resend", ids=[greeted])
        await bob.hears("hello", number=2)

        assert {each["header"]["id"] for each in await bob.reads() if each["content"]["type"] == "hello"} == {greeted}

    async def test_longest_text_is_read_and_stops_no_mail(self, alice):
        read = await alice.evaluate("""import("/protocol/content.js").then(({ packContent, readContent }) =>
            readContent(packContent({ type: "text", text: "a".repeat(2 ** 24) })).text.length)""")

        assert read == 2**24

    async def test_backup_that_takes_a_devices_place_says_hello_and_then_its_goodbye(self, alice, bob):
        before = await alice.evaluate(DEVICE_ID)

        await comes_back_from(alice, await alice.evaluate(f"({SNAPSHOT})()"))
        await bob.hears("goodbye")

        said = [(each["content"]["type"], each["header"]["device"] == before) for each in await bob.reads()]
        assert [each for each in said if each[0] in ("goodbye", "hello")] == [("hello", False), ("goodbye", True)]

    async def test_new_keys_are_made_once_the_old_ones_have_said_goodbye(self, alice, bob):
        before = await alice.evaluate(DEVICE_ID)

        await alice.chooses("#headerNewKeys")
        await agrees(alice, "Make new keys?")
        await alice.until(f"/^[0-9a-f]{{64}}$/.test(fpFull.textContent) && fpFull.textContent !== '{alice.fingerprint}'")

        assert [each["header"]["device"] for each in await bob.reads() if each["content"]["type"] == "goodbye"] == [before]

    async def test_new_keys_have_nobody_to_greet(self, alice, bob):
        await alice.evaluate(HELLO_DUE)

        await alice.evaluate(NEW_KEYS)

        assert await alice.evaluate(FROM_DATABASE % "(await result(kv.get('hello_due'))) === undefined")

    async def test_new_keys_without_room_are_told_of_and_those_that_stay_greet_again(self, alice, bob):
        alice.expects("the disk is full")
        await alice.evaluate(NO_ROOM_FOR_KEYS)

        await alice.chooses("#headerNewKeys")
        await agrees(alice, "Make new keys?")
        await alice.is_told("No new keys were made")
        await bob.hears("hello")

        said = [each["content"]["type"] for each in await bob.reads()]
        assert [each for each in said if each in ("goodbye", "hello")] == ["goodbye", "hello"]
        await alice.says("still here")
        await bob.hears("text", number=2)

    async def test_backup_with_other_keys_replaces_those_that_have_said_goodbye(self, alice, bob, browser, relay, tmp_path):
        backup = await exports(await browser.person(relay), tmp_path)

        await restores(alice, backup)

        assert (await bob.hears("goodbye"))["type"] == "goodbye"

    async def test_restore_that_is_cancelled_takes_its_goodbye_back(self, alice, bob):
        told = await alice.evaluate(CANCELS_RESTORE)

        await bob.hears("hello")
        said = [each["content"]["type"] for each in await bob.reads()]
        assert [each for each in said if each in ("goodbye", "hello")] == ["goodbye", "hello"]
        assert told == "Cancelled. Nothing was changed."

    async def test_keys_that_stay_after_their_goodbye_greet_at_the_next_start(self, alice, bob):
        await alice.evaluate(GOODBYE_FOR_A_WHILE)
        await alice.reload()

        await bob.hears("hello")

    async def test_server_that_takes_no_goodbye_holds_new_keys_up_no_longer_than_is_said(self, browser, liar):
        alice, bob = await browser.person(liar), Correspondent(liar.truth)
        alice.expects("Failed to load resource", "WebSocket connection to")
        await bob.register()
        await bob.meets(alice)

        liar.lie("POST /v1/messages", lambda _: web.Response(status=503))
        await alice.evaluate(GOODBYE_FOR_A_WHILE)

        assert (
            await stored(
                alice, "posts.filter(({ content, queued_for }) => content.type === 'goodbye' && queued_for).length"
            )
            == 1
        )

    async def test_device_that_says_goodbye_is_written_to_no_more(self, alice, bob):
        other = Receiver.new()
        await bob.says(writer=other, type="text", text="from another device")
        await alice.sees("from another device")

        await bob.says(writer=other, type="goodbye")
        await bob.says(writer=Receiver.new(), type="goodbye")  # of one that nobody heard of
        await bob.says(type="text", text="from the first one")
        await alice.sees("from the first one")

        assert await stored(alice, "sessions[0].devices.map(({ device }) => device)") == [bob.device.device]
        assert await stored(alice, "messages.filter(({ event }) => event).map(({ event }) => event)") == ["device"]

    async def test_mail_goes_on_after_an_old_backup_that_knows_a_dead_device_alone(self, alice, bob):
        newer, backup = Receiver.new(), await alice.evaluate(f"({SNAPSHOT})()")

        await comes_back_from(alice, backup)
        await bob.hears("hello")  # sealed for the dead one
        [greeting] = [each["header"] for each in await bob.reads() if each["content"]["type"] == "hello"]
        bob.theirs = Announced(greeting["device"], unb64(greeting["key"]))
        await bob.says(writer=newer, type="resend", ids=[greeting["id"]])
        await bob.says(writer=newer, type="text", text="from the new device")
        await alice.sees("from the new device")
        await alice.says("for the new device")

        said = await until(lambda: bob.reads_texts(1, newer))
        assert [each["content"]["text"] for each in said] == ["for the new device"]

    async def test_restored_device_has_another_id_greets_and_never_falls_back(self, browser, relay, alice, bob, tmp_path):
        before = await alice.evaluate(DEVICE_ID)
        backup = await alice.evaluate(f"({SNAPSHOT})()")
        assert before not in backup
        assert '"secret_key":' in backup
        assert backup.count("secret_key") == 1

        other = await browser.person(relay)
        await comes_back_from(other, backup)
        assert await other.evaluate(DEVICE_ID) != before
        assert (await bob.hears("hello"))["type"] == "hello"
        await until(lambda: stored(alice, "sessions.length === 2"))  # one of them with the other device of Alice's own

        await alice.sees(
            "Another device with your keys gets what you write from now on. If it is not yours, make new keys."
        )
        await alice.says("written on the first device")
        await goes_to(other, "chats")
        await other.click(".chat-tab-label")
        await other.until(
            "[...document.querySelectorAll('.chat-line-out .chat-bubble')].some((each) => each.textContent === 'written on the first device')"
        )


SENDS = """async (fingerprint, text, of) => {
    const [{ Database }, { Store }, { Outbox }] = await Promise.all(["store/database", "store/store", "mail/outbox"].map((name) => import(`/${name}.js`)));
    const store = new Store(Database.shared);
    const relays = Object.assign(new EventTarget(), { home: location.origin, get: () => undefined });
    const outbox = new Outbox({ store, relays, identity: await store.value("identity") });
    await outbox.send(await store.contact(fingerprint), text, { was_draft: false, re: { of, quote: "", mine: false } });
}"""
OLD_FORM_FOR_15_DAYS = """(async () => (await import("/store/database.js")).Database.shared.write(["sessions"], ({ sessions }) =>
    void (sessions.getAll().onsuccess = ({ target }) => target.result.forEach((each) => sessions.put({ ...each, old_since: Date.now() - 15 * 86_400_000 })))))()"""
A_MINUTE_LATER = """(async () => {
    const [{ removeGone }, { Database }, { Store }] = await Promise.all(["mail/sweeper", "store/database", "store/store"].map((name) => import(`/${name}.js`)));
    const store = new Store(Database.shared);
    await removeGone(store, (await store.value("identity")).fingerprint, Date.now() + 61_000);
})()"""
GOODBYE_FOR_A_WHILE = """(async () => {
    const [{ sayGoodbye }, { Database }, { Store }] = await Promise.all(["mail/sweeper", "store/database", "store/store"].map((name) => import(`/${name}.js`)));
    const store = new Store(Database.shared);
    await sayGoodbye(store, (await store.value("identity")).fingerprint, { most_ms: 300 });
})()"""
HELLO_DUE = """(async () => (await import("/store/database.js")).Database.shared.write(["kv"], ({ kv }) => void kv.put(true, "hello_due")))()"""
NEW_KEYS = """Promise.all(["store/identity", "store/store", "store/database"].map((name) => import(`/${name}.js`)))
    .then(([{ replaceIdentity }, { Store }, { Database }]) => replaceIdentity(new Store(Database.shared)))"""
NO_ROOM_FOR_KEYS = """void (() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (...written) {
        if (written[1] === "identity") throw new DOMException("the disk is full", "QuotaExceededError");
        return put.apply(this, written);
    };
})()"""
DEVICE_ID = """(async () => (await import("/store/database.js")).Database.shared.read(["kv"], ({ kv }) =>
    new Promise((resolve) => (kv.get("device").onsuccess = ({ target }) => resolve(target.result)))))()"""
SNAPSHOT = """async (files = false) => {
    const [{ snapshot }, { Database }, { Store }] = await Promise.all(["backup-content", "database", "store"].map((name) => import(`/store/${name}.js`)));
    return snapshot(new Store(Database.shared), { history: true, files });
}"""
# A backup with other keys is about to be restored, and is cancelled once these keys have said goodbye.
CANCELS_RESTORE = f"""(async () => {{
    const [{{ Client }}, {{ sealBackup }}, {{ newIdentity }}, {{ toBase64, utf8 }}] = await Promise.all(
        ["client", "store/backup", "protocol/crypto", "protocol/encoding"].map((name) => import(`/${{name}}.js`)));
    const client = await Client.open();
    const content = {{ ...JSON.parse(await ({SNAPSHOT})()), secret_key: {{ base64: toBase64(newIdentity().secret_key) }} }};
    const backup = new Blob([JSON.stringify(await sealBackup(utf8(JSON.stringify(content)), "correct horse battery"))]);
    const [opened, cancelling] = [await client.openBackup(backup, "correct horse battery"), new AbortController()];
    client.store.addEventListener("posts", () => cancelling.abort(), {{ once: true }});
    return opened.apply({{ signal: cancelling.signal }}).catch(({{ message }}) => message);
}})()"""
RESTORE = """async (text) => {
    const [{ readBackup, replaceEverything }, { Database }, { Store }] = await Promise.all(
        ["backup-content", "database", "store"].map((name) => import(`/store/${name}.js`)));
    await replaceEverything(new Store(Database.shared), readBackup(new TextEncoder().encode(text)));
}"""


# ------------------------------------------------------------------------------------------------------------------------
# Browser: files
# ------------------------------------------------------------------------------------------------------------------------

# A picture of so many pixels, in base64, as a camera's would be but for what it says of its place.
PHOTO = """async ([width, height]) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    const colours = context.createLinearGradient(0, 0, width, height);
    [["0", "teal"], ["0.5", "gold"], ["1", "purple"]].forEach(([at, colour]) => colours.addColorStop(at, colour));
    context.fillStyle = colours;
    context.fillRect(0, 0, width, height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
    return (await import("/protocol/encoding.js")).toBase64(new Uint8Array(await blob.arrayBuffer()));
}"""
# Of the newest message with a file: its header, what is here of it, and its octets by hash.
FILE_HERE = """async () => {
    const [{ Database, result }, { readParts }, { imageSize }, { sha256 }, { toHex }] = await Promise.all(
        ["store/database", "store/messages", "protocol/files", "protocol/crypto", "protocol/encoding"].map((name) => import(`/${name}.js`)));
    const [records, parts] = await Database.shared.read(["messages", "parts"], async (stores) => {
        const files = (await result(stores.messages.getAll())).filter(({ file }) => file);
        return [files, files.length > 0 ? await readParts(stores, files.at(-1).seq) : []];
    });
    if (records.length === 0) return null;
    const octets = new Uint8Array(await new Blob(parts.map((part) => part.octets)).arrayBuffer());
    const text = new TextDecoder("latin1").decode(octets);
    return { ...records.at(-1).file, relay_id: records.at(-1).relay_id, contact: records.at(-1).contact, image: imageSize(octets), place: text.includes("52 N 13 E"), hash: toHex(sha256(octets)) };
}"""
PLACE = b"\xff\xe1" + (2 + 6 + 9).to_bytes(2, "big") + b"Exif\0\0" + b"52 N 13 E"


# Names, and what such photos begin with; the last two are known by their names alone.
PHOTOS = {
    "tiff": b"II*\0",
    "tiff of the other order": b"MM\0*",
    "orf": b"IIRO",
    "rw2": b"IIU\0",
    "raf": b"FUJIFILM",
    "heic": b"\0\0\0\x18ftypheic",
    "avif": b"\0\0\0\x1cftypavif",
    "cr3": b"\0\0\0\x18ftypcrx ",
    "1.NEF": b"",
    "2.pef": b"",
}


async def photo(page: Page, path: Path, width: int, height: int) -> Path:
    """A JPEG that says where it was taken."""
    jpeg = unb64(await page.evaluate(f"({PHOTO})([{width}, {height}])"))
    path.write_bytes(jpeg[:2] + PLACE + jpeg[2:])
    return path


def png(width: int, height: int) -> bytes:
    """A black PNG: small, and four bytes a pixel once it is decoded."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x01\0\0\0\0"  # a bit a pixel, in grey
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def picks(page: Page, *paths: Path) -> None:
    """Choose files by the composer's button."""
    document = (await page.call("DOM.getDocument"))["root"]["nodeId"]
    field = (await page.call("DOM.querySelector", nodeId=document, selector="#attachInput"))["nodeId"]
    await page.call("DOM.setFileInputFiles", files=[str(path) for path in paths], nodeId=field)
    await page.shows("#filesDialog")


async def attaches(page: Page, *paths: Path, as_files: bool = False, text: str = "") -> None:
    """Choose files, and send them."""
    await picks(page, *paths)
    if as_files:
        await page.click("#filesAsFiles")
    if text:
        await page.fill("#filesText", text)
    await page.click("#filesSend")


# Of a message in a backup, whose file has two parts, and of its parts: how it comes back as [file's state, sent, message's state, retriable].
RESTORED_FILES = {
    ("in", "", "all"): ["", None, "", None],
    ("in", "", "one"): ["gone", None, "", None],
    ("in", "", "none"): ["gone", None, "", None],
    ("in", "", "short"): ["gone", None, "", None],
    ("out", "relayed", "all"): ["", 2, "relayed", None],
    ("out", "queued", "all"): ["here", 0, "failed", True],
    ("out", "queued", "one"): ["gone", None, "failed", False],
    ("out", "failed", "all"): ["here", 0, "failed", None],
    ("out", "failed", "none"): ["gone", None, "failed", False],
}
READ_FILES = """async (texts) => {
    const [{ readBackup }, { utf8 }] = await Promise.all([import("/store/backup-content.js"), import("/protocol/encoding.js")]);
    const told = ({ messages: [{ file, state, retriable }] }) => [file.state, file.sent ?? null, state, retriable ?? null];
    return texts.map((text) => told(readBackup(utf8(text))));
}"""


# The event of the dialog that was closed comes a frame after the next one has opened.
PUTS_AWAY_AND_PICKS = """(async () => {
    const [input, dialog] = ["#attachInput", "#filesDialog"].map((each) => document.querySelector(each));
    const carried = new DataTransfer();
    carried.items.add(new File(["words"], "late.txt"));
    const closed = new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.open), { once: true }));
    await new Promise(requestAnimationFrame);
    dialog.close();
    input.files = carried.files;
    input.dispatchEvent(new Event("change"));
    return closed;
})()"""
POSTS = """([enctype, action, texts, name, octets]) => {
    const form = Object.assign(document.createElement("form"), { method: "post", enctype, action });
    for (const [name, value] of Object.entries(texts)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    const files = new DataTransfer();
    if (name) files.items.add(new File([Uint8Array.from(atob(octets), (each) => each.charCodeAt(0))], name, { type: "image/jpeg" }));
    form.append(Object.assign(document.createElement("input"), { type: "file", name: "files", files: files.files }));
    document.body.append(form);
    setTimeout(() => form.submit());
}"""


async def posts(page: Page, *form: Any) -> None:
    """Post a form from elsewhere, see POSTS."""
    await page.call("Page.navigate", url="about:blank")
    await page.until("location.href === 'about:blank'")
    await page.evaluate(f"({POSTS})({json.dumps(form)})")


async def shares(page: Page, relay: AnyRelay, path: Path | None = None, **texts: str) -> None:
    """Share words, and perhaps a picture, from another app: a form that goes where the manifest says."""
    manifest = json.loads((await relay.call("GET", "/manifest.webmanifest")).body)["share_target"]
    assert (manifest["method"], manifest["enctype"]) == ("POST", "multipart/form-data")
    fields = {manifest["params"][name]: text for name, text in texts.items()}
    octets = [path.name, b64(path.read_bytes())] if path else ["", ""]
    await posts(page, manifest["enctype"], relay.url + manifest["action"], fields, *octets)
    await page.shows("#forwardDialog")


RECORDED_A_SECOND = "voiceTime.checkVisibility() && voiceTime.textContent >= '0:01'"
# It may have ended since, and stand at its beginning again.
HEARD = "(({ played }) => played.length > 0 && played.end(played.length - 1) > 0.2)(document.querySelector('%s'))"


async def records(page: Page) -> None:
    """Begin a voice message, from Chromium's own microphone, and have a second of it."""
    await page.permit("microphone")
    await page.shows("#voiceRecord")
    await page.evaluate("document.querySelector('#voiceRecord').focus()")
    await page.key("Enter")  # a press would be a long one, which ends by itself, where its release comes late
    await page.until(RECORDED_A_SECOND)


async def right_clicks(page: Page, selector: str) -> None:
    """Open the menu of a message that is not found by its words."""
    click = "dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true }))"
    await page.evaluate(f"document.querySelector('{selector}').{click}")
    await page.until(MENU_IS_OPEN)


async def points(page: Page, kind: str, x: float, y: float) -> None:
    """Do one thing with a mouse there."""
    await page.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, x=x, y=y)


async def holds_parts(page: Page, after: int = 3) -> None:
    """Keep the page's parts of files waiting once so many have gone, as a line that stalls does, until `window.release()`."""
    await page.evaluate(f"""void ((fetch, released, sent = 0) => {{
        window.fetch = async (url, request) => {{
            if (request?.body?.length > {PART_BYTES} && (sent += 1) > {after}) await released;
            return fetch(url, request);
        }};
    }})(window.fetch, new Promise((release) => (window.release = release)))""")


async def has_file(page: Page, condition: str, *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
    """Wait until this holds for the newest `file` in the page's store, and give what is known of it."""
    await page.until(f"({FILE_HERE})().then((file) => Boolean(file && ({condition})))", seconds=seconds)
    return dict(await page.evaluate(f"({FILE_HERE})()"))


def large_file(folder: Path, parts: int) -> Path:
    """A file of so many whole parts."""
    path = folder / f"{parts}.bin"
    path.write_bytes(os.urandom(parts * PART_BYTES))
    return path


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


DRAWN = "[...document.querySelectorAll('#filesList canvas')].map((each) => each.checkVisibility())"
# Whether Send is elsewhere before the first picture is drawn: a click would hit what is above it, which is "as files".
MOVES_WHEN_DRAWN = """(() => {
    const top = () => document.querySelector("#filesSend").getBoundingClientRect().top;
    const drawn = top();
    document.querySelector("#filesList canvas").removeAttribute("width");
    return drawn !== top();
})()"""
FIVE_MINUTES_LATER = "void ((now) => (performance.now = () => now.call(performance) + 300_000))(performance.now)"
# There is a microphone, and nothing that records it.
RECORDS_NOTHING = """void (() => {
    const { getUserMedia } = MediaDevices.prototype;
    MediaDevices.prototype.getUserMedia = async function (wanted) {
        return (window.microphone = await getUserMedia.call(this, wanted));
    };
    window.MediaRecorder = class extends MediaRecorder {
        constructor(stream) { super(stream, { mimeType: "audio/none" }) }
    };
})()"""
# As if nothing had come for long of any file that is on its way to this page.
OVERDUE = """(async () => (await import("/store/database.js")).Database.shared.write(["messages"], ({ messages }) =>
    void (messages.getAll().onsuccess = ({ target }) =>
        target.result.filter(({ moving }) => moving).forEach((each) => messages.put({ ...each, moving: "from 2000" })))))()"""
# A thousand files like the one that is on its way; and what many looks at them have asked for by then.
THOUSAND_BEGUN = """(async () => {
    const [{ Database, result }, { askForParts }, { Store }] = await Promise.all(
        ["store/database", "mail/files", "store/store"].map((name) => import(`/${name}.js`)));
    await Database.shared.write(["messages"], async ({ messages }) => {
        const { seq, ...begun } = (await result(messages.getAll())).find(({ moving }) => moving);
        for (let n = 0; n < 1000; n += 1) messages.add({ ...begun, moving: "from 2000", file: { ...begun.file, id: `${n}`.padStart(22, "A") } });
    });
    const store = new Store(Database.shared);
    const { fingerprint } = await store.value("identity");
    for (let look = 0; look < 20; look += 1) await askForParts(store, fingerprint);
})()"""
# Spends what the relay grants a person.
SPENDS_ALL = """(async () => {
    const { Database, result } = await import("/store/database.js");
    const [{ token }] = await Database.shared.read(["relays"], ({ relays }) => result(relays.getAll()));
    const headers = { Authorization: `Bearer ${token}` };
    await Promise.all(Array.from({ length: 150 }, () => fetch("/v1/messages", { headers })));
    return token;
})()"""
# Takes back a file's beginning and its other parts, while nothing is left of that.
TAKES_BACK = f"""(async () => {{
    const [{{ Database, result }}, {{ takeBack, takeBackParts }}, {{ Store }}] = await Promise.all(
        ["store/database", "mail/erasure", "store/store"].map((name) => import(`/${{name}}.js`)));
    const spend = () => {SPENDS_ALL};
    const store = new Store(Database.shared);
    const relays = {{ pass: async () => ({{ token: await spend() }}) }};
    const all = await Database.shared.read(["messages"], ({{ messages }}) => result(messages.getAll()));
    const {{ seq, relay, file }} = all.find((each) => each.file);
    await takeBack({{ store, relays }}, seq);
    await takeBackParts({{ relays }}, relay, file.relay_ids);
}})()"""
# Deletes a file for both, while the relay's answer for its last part is on its way.
DELETED_TOO_EARLY = """(async () => {
    const [{ Database, result }, { Changes }, { Store }] = await Promise.all(
        ["store/database", "mail/changes", "store/store"].map((name) => import(`/${name}.js`)));
    const store = new Store(Database.shared);
    const write = (change) => Database.shared.write(["messages"], change);
    const [{ token }] = await Database.shared.read(["relays"], ({ relays }) => result(relays.getAll()));
    const parts = { relays: { pass: async () => ({ token }) }, settings: new EventTarget(), identity: await store.value("identity"), reading: () => null };
    const { file, ...record } = (await Database.shared.read(["messages"], ({ messages }) => result(messages.getAll()))).find((each) => each.file);
    await write(({ messages }) => void messages.put({ ...record, file: { ...file, relay_ids: file.relay_ids.slice(0, -1) } }));
    const removed = new Changes({ store, ...parts }).remove(record.seq);
    await Promise.all([removed, write(({ messages }) => void messages.put({ ...record, file }))]);
})()"""
TIMERS_ARE_OVER = """(async () => {
    const [{ Database }, { removeGone }, { Store }] = await Promise.all(
        ["store/database", "mail/sweeper", "store/store"].map((name) => import(`/${name}.js`)));
    await removeGone(new Store(Database.shared), "", Date.now() + 86_400_000);
})()"""
# The page's own client.files.
FILES = """async (call, ...values) => {
    const [{ Database }, { Files }, { Store }] = await Promise.all(["store/database", "mail/files", "store/store"].map((name) => import(`/${name}.js`)));
    return new Files(new Store(Database.shared))[call](...values);
}"""
# The second part of the last file is still to be sent, and another tab is at it.
HALF_SENT = """(async () => {
    const { Database, result } = await import("/store/database.js");
    await Database.shared.write(["messages"], async ({ messages }) => {
        const record = (await result(messages.getAll())).at(-1);
        const claimed = { claimed_by: "another tab", claimed_until: Date.now() + 40_000 };
        messages.put({ ...record, ...claimed, moving: `to ${record.contact}`, file: { ...record.file, sent: 1 } });
    });
})()"""
# A copy of the last file for another device of the same person, which goes in an hour.
COPY_WAITS = """(async () => {
    const [{ Database, result }, { queuePost }] = await Promise.all(["store/database", "mail/posts"].map((name) => import(`/${name}.js`)));
    await Database.shared.write(["messages", "posts"], async ({ messages, posts }) => {
        const { seq, contact, file } = (await result(messages.getAll())).at(-1);
        queuePost({ posts }, contact, { type: "part", file: file.id, n: 0 }, { seq, after: Date.now() + 3_600_000 });
    });
})()"""
NAMES = {
    "invoice.pdf" + "\u00a0" * 200 + ".exe": "invoice.pdf .exe",
    "a" * 250 + ".exe": "a" * 20 + "…" + "a" * 15 + ".exe",
    "\u3164holiday\u200b.jpg": "holiday.jpg",
    "..\\..\\x": "x",
    "///": "file",
}
BAD_FILES: dict[str, dict[str, Any]] = {
    "a thousand million parts": {"parts": 10**9},
    "a size of a gigabyte": {"size": 2**30, "parts": 2**14},
    "a name of ten thousand characters": {"name": "x" * 10_000},
    "a type with parameters": {"mime": "text/html; charset=utf-8"},
    "a preview that would take a gigabyte": {"preview": webp(16_383, 16_383)},
    "a preview that is none": {"preview": b64(b"<svg/>" * 20)},
}


def jpeg_frame(side: int) -> bytes:
    """A JPEG's frame header."""
    return b"\xff\xc0\x00\x11\x08" + side.to_bytes(2, "big") * 2 + b"\x03" + bytes(9)


def gif(screen: int, image: int) -> bytes:
    """A GIF of one image, behind colours and a comment."""
    sides = [side.to_bytes(2, "little") * 2 for side in (screen, image)]
    return b"GIF89a" + sides[0] + b"\x80\0\0" + bytes(6) + b"!\xfe\x02hi\0," + bytes(4) + sides[1] + b"\0\x02\0;"


# What these take when they are decoded is more than their header seems to say.
BOMBS = {
    "a JPEG with a frame behind a marker that has no length": b"\xff\xd8\xff\xd0\0\x15"
    + jpeg_frame(30_000)
    + jpeg_frame(10),
    "a JPEG with a frame behind a fill byte": (
        b"\xff\xd8\xff\xff\xfe\0\x04\0\0" + jpeg_frame(30_000) + bytes(4 + 0xFE00 - 28) + jpeg_frame(10)
    ),
    "a JPEG that tells its height later": b"\xff\xd8" + jpeg_frame(20).replace(b"\x08\0\x14", b"\x08\0\0") + bytes(9),
    "a GIF with an image larger than its screen": gif(1, 30_000),
    "a PNG that begins with something else": b"\x89PNG\r\n\x1a\n\0\0\0\x08tEXt" + bytes([0, 0, 0, 1] * 5),
}
PICTURES = {
    "a GIF": gif(20, 10),
    "a JPEG": b"\xff\xd8\xff\xfe\0\x04hi" + jpeg_frame(20) + bytes(9),
    "a WebP": unb64(webp(20, 20)),
}


class TestBrowserFiles:
    """Files go through the mailbox beside the words, arrive as they were sent, and nothing of them is believed or run."""

    @pytest.fixture
    async def alice(self, browser, relay):
        return await browser.person(relay)

    @pytest.fixture
    async def bob(self, relay, alice):
        """A correspondent whom Alice has answered."""
        bob = Correspondent(relay)
        await bob.register()
        await bob.meets(alice)
        return bob

    async def test_photo_arrives_smaller_and_without_its_place(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)

        await attaches(alice, await photo(alice, tmp_path / "IMG 1.jpeg", 4000, 3000))

        await bob.shows(".chat-line-in .chat-file.picture.loaded")
        file = await has_file(bob, "file.state === 'here'")
        assert file["image"] == {"mime": "image/jpeg", "width": 2048, "height": 1536}
        assert (file["width"], file["height"], file["name"], file["place"]) == (2048, 1536, "IMG 1.jpg", False)
        assert 0 < len(unb64(file["preview"])) <= 1536

    async def test_photo_sent_as_a_file_is_as_it_was(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        path = await photo(alice, tmp_path / "IMG.jpg", 300, 200)

        await attaches(alice, path, as_files=True)

        file = await has_file(bob, "file.state === 'here'")
        assert (file["hash"], file["place"]) == (hashlib.sha256(path.read_bytes()).hexdigest(), True)

    async def test_pictures_are_seen_before_they_are_sent_but_for_what_would_take_too_much_memory(
        self, alice, bob, tmp_path
    ):
        (tmp_path / "large.png").write_bytes(png(7000, 6000))
        (tmp_path / "words.txt").write_text("words")
        path = await photo(alice, tmp_path / "1.jpg", 60, 40)

        await picks(alice, tmp_path / "large.png", tmp_path / "words.txt", path)
        await alice.until(f"{DRAWN}.join() === 'false,false,true'")  # the last is drawn last
        await alice.key("Escape")
        await alice.hides("#filesDialog")
        await alice.until("document.querySelectorAll('#filesList li').length === 0")
        await picks(alice, path)
        await alice.until(f"{DRAWN}.join() === 'true'")

        assert await alice.evaluate(MOVES_WHEN_DRAWN) is False

    async def test_photo_whose_name_has_no_ending_loses_its_place_too(self, alice, bob, tmp_path):
        path = await photo(alice, tmp_path / "IMG", 300, 200)

        await attaches(alice, path)

        file = await has_file(alice, "file.sent === 1")
        assert (file["name"], file["mime"], file["place"]) == ("IMG.jpg", "image/jpeg", False)

    async def test_photo_that_the_browser_does_not_open_goes_only_as_a_file(self, alice, bob, tmp_path):
        for name, beginning in PHOTOS.items():
            (tmp_path / name).write_bytes(beginning + bytes(60) + PLACE)

        await attaches(alice, *[tmp_path / name for name in PHOTOS])
        await alice.shows("#filesStatus.bad", f"“{list(PHOTOS)[-1]}” to make it smaller")

        assert await alice.texts("#filesList bdi") == list(PHOTOS)
        await alice.shows("#filesAsFilesRow")
        assert await stored(alice, "messages.filter(({ file }) => file).length") == 0

    async def test_file_that_went_since_it_was_chosen_is_told_and_the_others_are_sent_once(self, alice, bob, tmp_path):
        paths = [tmp_path / f"{number}.txt" for number in range(2)]
        for path in paths:
            path.write_text("words")
        await picks(alice, *paths)

        paths[0].unlink()
        for _ in range(2):
            await alice.click("#filesSend")
            await alice.shows("#filesStatus.bad", "“0.txt” can't be read")

        assert await stored(alice, "messages.flatMap(({ file }) => file?.name ?? [])") == ["1.txt"]

    async def test_closed_dialog_sends_no_more(self, alice, bob, tmp_path):
        paths = [tmp_path / f"{number}.txt" for number in range(4)]
        for path in paths:
            path.write_text("words")
        await picks(alice, *paths[:3])

        await alice.evaluate(
            "void (document.querySelector('#filesSend').click(), document.querySelector('#filesDialog').close())"
        )
        await alice.until("!document.querySelector('#filesSend').disabled")
        await alice.is_told("Not all files were sent")
        await attaches(alice, paths[3])

        await alice.until("document.querySelector('.file-name')")
        assert await alice.texts(".file-name") == ["3.txt"]

    async def test_files_chosen_at_once_after_others_were_put_away_are_sent(self, alice, bob, tmp_path):
        (tmp_path / "early.txt").write_text("words")
        await picks(alice, tmp_path / "early.txt")

        await alice.evaluate(PUTS_AWAY_AND_PICKS)
        await alice.shows("#filesDialog")
        await alice.click("#filesSend")

        await alice.hides("#filesDialog")
        assert await stored(alice, "messages.flatMap(({ file }) => file?.name ?? [])") == ["late.txt"]

    async def test_large_file_arrives_byte_for_byte_and_words_overtake_it(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        path = tmp_path / "archive.bin"
        path.write_bytes(os.urandom(16 * 2**20))

        await attaches(alice, path)
        await bob.shows(".chat-file.moving .file-name", "archive.bin")
        await alice.says("and words")
        await bob.sees("and words")

        await bob.until("document.querySelector('.chat-file:not(.moving)')", seconds=300)
        file = await has_file(bob, "file.state === 'here'")
        assert file["hash"] == hashlib.sha256(path.read_bytes()).hexdigest()
        sent = await has_file(alice, "file.sent === file.parts")
        [words] = await stored(alice, "messages.filter(({ text }) => text === 'and words').map((each) => each.relay_id)")
        assert sent["relay_id"] < words < max(sent["relay_ids"])

    async def test_file_goes_on_where_it_was_after_a_reload_of_either_side(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        path = tmp_path / "archive.bin"
        path.write_bytes(os.urandom(20 * PART_BYTES))
        before = messages_on(relay)

        await attaches(alice, path)
        await has_file(bob, "file.have > 3")
        await alice.reload()
        await has_file(bob, "file.have > 6")
        await bob.reload()

        file = await has_file(bob, "file.state === 'here'", seconds=60)
        assert file["hash"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert await stored(bob, "messages.filter(({ file }) => file).length") == 1
        parts = await stored(alice, "messages.at(-1).file.relay_ids.length")
        assert (parts, messages_on(relay) - before >= 20) == (19, True)

    async def test_file_goes_on_after_its_relay_was_away(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        path = tmp_path / "archive.bin"
        path.write_bytes(os.urandom(20 * PART_BYTES))
        await attaches(alice, path)
        await has_file(bob, "file.have > 3")

        bob.expects(UNREACHABLE, "WebSocket connection to")
        await loses_relay(alice, relay)
        await relay.start()

        file = await has_file(bob, "file.state === 'here'", seconds=90)
        assert file["hash"] == hashlib.sha256(path.read_bytes()).hexdigest()

    async def test_file_goes_on_where_it_was_after_the_browser_is_killed_on_either_side(
        self, browser, relay, short_path, tmp_path
    ):
        bob, path = await browser.person(relay), large_file(tmp_path, 16)
        device = Device(short_path, f"{relay.url}/chats#chat={bob.fingerprint}&server={relay.url}")
        await device.start()
        await begin_to_talk(device.page, bob)

        for one, other in ((lambda: device.page, lambda: bob), (lambda: bob, lambda: device.page)):
            await attaches(one(), path)
            await has_file(other(), "!('sent' in file) && file.have > 3")
            await is_killed(device)
            file = await has_file(other(), "file.state === 'here' && !('sent' in file)", seconds=60)
            assert file["hash"] == sha256_of(path)

        assert await stored(bob, "messages.filter(({ file }) => file).length") == 2
        assert large_messages_on(relay) <= 16 + 1 + 16  # the relay may have had one that was not known to be there
        await device.running.aclose()

    async def test_pause_that_the_relay_asks_for_is_made_when_sending_and_when_taking_back(self, browser, relays, tmp_path):
        relay = await relays(RATE_LIMIT="on")
        alice, bob = await browser.person(relay), Correspondent(relay)
        await bob.register()
        await bob.meets(alice)
        alice.expects("429")
        await attaches(alice, large_file(tmp_path, 12))
        await has_file(alice, "file.sent > 2")
        await alice.evaluate(SPENDS_ALL)
        await has_file(alice, "file.sent === file.parts", seconds=60)
        numbers = [each["content"].get("n", 0) for each in await bob.reads() if "file" in each["content"]]

        await alice.evaluate(TAKES_BACK)

        assert sorted(numbers) == [*range(12)]
        assert large_messages_on(relay) == 0

    async def test_part_that_comes_through_while_its_file_is_deleted_is_taken_back(self, relay, alice, bob, tmp_path):
        await attaches(alice, large_file(tmp_path, 4))
        await has_file(alice, "file.sent === file.parts")

        await alice.evaluate(DELETED_TOO_EARLY)

        await until(lambda: large_messages_on(relay) == 0)

    async def test_parts_take_turns_whoever_they_are_for(self, relay, alice, bob, tmp_path):
        carol = Correspondent(relay)
        await carol.register()
        await carol.meets(alice)
        alice.expects("ERR_INTERNET_DISCONNECTED", "WebSocket connection")

        await is_offline(alice, True)
        for person in (bob, carol):
            await alice.click(f'#chatTabs [data-fingerprint="{person.fingerprint}"] .chat-tab-label')
            await attaches(alice, large_file(tmp_path, 20))
            await has_file(alice, f"file.sent === 0 && file.contact === '{person.fingerprint}'")
        await is_offline(alice, False)
        await until(lambda: stored(alice, "messages.filter(({ file }) => file?.sent === 20).length === 2"), seconds=60)

        times = await alice.evaluate(
            "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/v1/messages')).map(({ startTime }) => startTime)"
        )
        assert max(times) - sorted(times)[-38] > 26 * 125  # two lines that knew nothing of each other took 19 times as long

    async def test_full_mailbox_is_told_of_and_waited_for(self, browser, relays, tmp_path):
        relay = await relays(MAILBOX_MAX_MESSAGES="30")
        alice, bob, carol = *await talk(browser, relay), await relay.register()
        path = tmp_path / "archive.bin"
        path.write_bytes(os.urandom(20 * PART_BYTES))

        alice.expects("507")
        await attaches(alice, path)
        await alice.shows(".chat-file.moving .file-detail", "The server keeps no more for them now")
        await erases_on_relay(bob)
        await write(carol, bob, "something that has the page look")

        file = await has_file(bob, "file.state === 'here'", seconds=90)
        assert file["hash"] == hashlib.sha256(path.read_bytes()).hexdigest()

    async def test_full_disk_is_told_and_the_file_is_sent_once_there_is_room(self, alice, bob, tmp_path):
        await picks(alice, large_file(tmp_path, 2))

        alice.expects("StorageError")  # of what is being sent meanwhile
        await has_full_disk(alice)
        await alice.click("#filesSend")
        await alice.shows("#filesStatus.bad", "no room left")
        await alice.evaluate("window.makeRoom()")
        assert await stored(alice, "parts.length + messages.filter(({ file }) => file).length") == 0
        await alice.click("#filesSend")

        await has_file(alice, "file.sent === file.parts")

    async def test_file_to_somebody_who_is_blocked_meanwhile_stops_and_goes_on_after(self, alice, bob, tmp_path):
        await holds_parts(alice)
        await attaches(alice, large_file(tmp_path, 6))
        await has_file(alice, "file.sent === 3")
        await blocks(alice, bob)
        await alice.evaluate("window.release()")
        await alice.shows(".chat-failure", "You blocked this contact")
        await unblocks(alice, bob)
        await alice.shows(".chat-tab", "Not sent")

        await alice.click(".chat-failure .chat-retry")

        await has_file(alice, "file.sent === file.parts")
        await alice.until("!document.querySelector('.chat-tab').textContent.includes('Not sent')")
        assert sorted(each["content"].get("n", 0) for each in await bob.reads() if "file" in each["content"]) == [*range(6)]

    async def test_file_that_stopped_is_deleted_on_both_sides(self, alice, bob, tmp_path):
        await holds_parts(alice)
        await attaches(alice, large_file(tmp_path, 6))
        await has_file(alice, "file.sent === 3")
        await blocks(alice, bob)
        await alice.evaluate("window.release()")
        await alice.shows(".chat-failure", "You blocked this contact")
        await unblocks(alice, bob)
        await right_clicks(alice, ".chat-line.failed")
        await alice.shows("#messageMenu [data-action=delete-both]")
        assert await alice.count("#messageMenu [data-action=delete-here]") == 0  # they would keep the beginning
        await alice.key("Escape")

        await alice.click(".chat-failure .chat-discard")

        await alice.shows(".chat-line.deleted")
        await alice.hides(".chat-failure")
        await alice.shows(".chat-tab-label", "Deleted")
        assert (await bob.hears("delete"))["of"]
        assert await stored(alice, "parts.length") == 0

    @pytest.mark.parametrize("meanwhile, failures", [("null", 0), (HALF_SENT, 1)])
    async def test_deletion_of_a_file_that_the_relay_refuses_is_told_of_and_its_row_comes_back(
        self, alice, bob, tmp_path, meanwhile, failures
    ):
        alice.expects("404 (Not Found)")
        await attaches(alice, large_file(tmp_path, 2), text="the plans")
        await has_file(alice, "file.sent === 2")
        await alice.evaluate(meanwhile)
        await bob.call("DELETE", "/v1/me")

        await changes(alice, "remove(sent.at(-1).seq)")

        await alice.shows(".chat-line.event", "Somebody was not told that you deleted a message, and may have it still")
        await alice.shows(".chat-line:has(.chat-file.ended) .chat-bubble", "the plans")
        await alice.shows(".chat-file .file-detail", "Not on this device any more.")
        await alice.until(f"document.querySelectorAll('.chat-failure .chat-retry[hidden]').length === {failures}")
        assert await stored(alice, "parts.length") == 0
        await does(alice, "delete-here", "the plans")
        await alice.hides(".chat-file, .chat-failure")

    async def test_file_whose_end_was_taken_back_says_so_where_its_deletion_is_refused(self, browser, liar, tmp_path):
        alice, bob = await browser.person(liar), Correspondent(liar.truth)
        await bob.register()
        await bob.meets(alice)
        alice.expects("Failed to load resource", "WebSocket connection to")
        await attaches(alice, large_file(tmp_path, 2), text="the plans")
        await has_file(alice, "file.sent === 2")
        await bob.call("DELETE", f"/v1/messages/{await stored(alice, 'messages.at(-1).relay_id')}")  # its beginning arrived
        liar.lie("POST /v1/messages", lambda _: web.Response(status=404))

        await does(alice, "delete-both", "the plans")
        await agrees(alice, "Delete for both?")

        await alice.shows(".chat-line.event", "Somebody was not told that you deleted a message")
        await alice.shows(".chat-line:has(.chat-file.ended) .chat-state", "taken back")

    async def test_file_whose_deletion_was_refused_in_the_middle_is_told_of_so_after_a_backup(self, alice, bob, tmp_path):
        alice.expects("404 (Not Found)")
        await attaches(alice, large_file(tmp_path, 2), text="the plans")
        await has_file(alice, "file.sent === 2")
        await alice.evaluate(HALF_SENT)
        await bob.call("DELETE", "/v1/me")
        await changes(alice, "remove(sent.at(-1).seq)")
        await alice.shows(".chat-failure", "Not all of it was sent, and it is not on this device")

        await comes_back_from(alice, await alice.evaluate(f"({SNAPSHOT})(true)"))

        await alice.shows(".chat-failure", "Not all of it was sent, and it is not in the backup")
        await alice.hides(".chat-failure .chat-retry")

    async def test_file_that_was_on_its_way_at_a_backup_is_sent_by_retry(self, alice, bob, tmp_path):
        await attaches(alice, large_file(tmp_path, 2))
        await has_file(alice, "file.sent === file.parts")
        await alice.evaluate(HALF_SENT)

        await comes_back_from(alice, await alice.evaluate(f"({SNAPSHOT})(true)"))
        await alice.shows(".chat-failure", "Not all of it was sent")
        await alice.click(".chat-failure .chat-retry")

        assert (await bob.hears("part", number=2))["n"] == 1
        await has_file(alice, "file.sent === file.parts")

    async def test_file_whose_copies_wait_for_another_device_is_not_to_be_freed(self, alice, bob, tmp_path):
        await attaches(alice, large_file(tmp_path, 1))
        await has_file(alice, "file.sent === 1")
        assert await alice.evaluate(f"({FILES})('kept').then(([chat]) => chat.bytes)") == PART_BYTES

        await alice.evaluate(COPY_WAITS)

        assert await alice.evaluate(f"({FILES})('kept')") == []

    async def test_new_keys_stop_a_file_that_is_on_its_way(self, alice, bob, tmp_path):
        await holds_parts(alice)
        await attaches(alice, large_file(tmp_path, 6))
        await has_file(alice, "file.sent === 3")

        await alice.evaluate(NEW_KEYS)
        await alice.reload()

        await alice.shows(".chat-failure", "Your keys are new")
        await alice.shows(".chat-tab", "Not sent")
        assert await alice.count(".chat-failure .chat-retry:not([hidden])") == 0

    async def test_other_device_gets_a_copy_and_its_cancel_is_for_this_device_alone(
        self, browser, relay, alice, bob, tmp_path
    ):
        other, path = await browser.person(relay), large_file(tmp_path, 12)
        await comes_back_from(other, await alice.evaluate(f"({SNAPSHOT})()"))
        await until(lambda: stored(alice, "sessions.length === 2"))  # one of them with the other device
        await other.opens(bob.fingerprint)

        await attaches(alice, path)
        copy = await has_file(other, "file.state === 'here'", seconds=60)
        await holds_parts(alice, after=16)  # twelve to Bob at most, and so four copies at least
        await attaches(alice, path)
        await has_file(other, "file.state === '' && file.have > 1")
        await other.click(".chat-file.moving .file-cancel")

        await other.shows(".chat-file.ended .file-detail", "Cancelled")
        await alice.evaluate("window.release()")
        await until(lambda: stored(alice, "messages.filter(({ file }) => file?.sent === 12).length === 2"), seconds=60)
        assert copy["hash"] == sha256_of(path)
        assert await stored(other, "[parts.length, messages.filter(({ deleted_at }) => deleted_at).length]") == [12, 0]

    async def test_ten_at_once_keep_their_order_and_more_are_told_of(self, alice, bob, tmp_path):
        paths = [tmp_path / f"{number}.bin" for number in range(11)]
        for path in paths:
            path.write_bytes(os.urandom(PART_BYTES + 1))

        await picks(alice, *paths)
        await alice.shows("#filesStatus", "The first 10 of 11")
        await alice.click("#filesSend")

        await bob.hears("part", number=10)
        files = [each["content"] for each in await bob.reads() if "file" in each["content"]]
        names = [each["file"]["name"] for each in files if each["type"] == "file"]
        assert names == [path.name for path in paths[:10]]

    async def test_several_keep_their_order_and_one_that_is_empty_stays_with_its_reason(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        paths = [tmp_path / f"{number}.txt" for number in range(3)]
        for path, text in zip(paths, ("first", "", "third"), strict=True):
            path.write_text(text)

        await attaches(alice, *paths)

        await alice.shows("#filesStatus.bad", "“1.txt” is empty")
        await bob.until(
            "[...document.querySelectorAll('.file-name')].map((each) => each.textContent).join() === '0.txt,2.txt'"
        )
        assert await alice.texts("#filesList bdi") == ["1.txt"]

    async def test_file_larger_than_may_be_is_refused_before_anything_is_stored(self, alice, bob, tmp_path):
        path = tmp_path / "film.mkv"
        path.write_bytes(bytes(2**24 + 1))

        await attaches(alice, path)

        await alice.shows("#filesStatus.bad", "“film.mkv” is larger than 16 MiB")
        assert await stored(alice, "parts.length") == 0

    async def test_cancel_of_the_reader_keeps_nothing_and_takes_no_more(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        await holds_parts(alice)
        await attaches(alice, large_file(tmp_path, 6))
        await has_file(bob, "file.have === 3")

        await bob.click(".chat-file.moving .file-cancel")

        await bob.shows(".chat-file.ended .file-detail", "Cancelled")
        await alice.evaluate("window.release()")
        await has_file(alice, "file.sent === file.parts")
        await alice.says("still talking")
        await bob.sees("still talking")
        assert await stored(bob, "parts.length") == 0

    async def test_cancel_of_the_writer_deletes_it_on_both_sides_and_takes_its_parts_back(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        await holds_parts(alice)
        await attaches(alice, large_file(tmp_path, 6))
        await has_file(bob, "file.have === 3")

        await alice.click(".chat-file.moving .file-cancel")
        await alice.shows(".chat-line.deleted")
        await alice.evaluate("window.release()")  # the fourth comes through all the same

        for page in (alice, bob):
            await page.shows(".chat-line.deleted")
            await page.hides(".chat-file")
            assert await stored(page, "parts.length") == 0
        await until(lambda: large_messages_on(relay) == 0)

    async def test_picture_opens_large_and_the_focus_comes_back(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        await attaches(alice, *[await photo(alice, tmp_path / f"{number}.jpg", 60, 40) for number in range(2)])
        await bob.until("document.querySelectorAll('.chat-file.loaded').length === 2")

        await bob.click(".chat-line:has(.file-name) .file-picture")
        await bob.shows("#viewer[open] #viewerName", "0.jpg")
        await bob.key("ArrowRight")
        await bob.shows("#viewerName", "1.jpg")
        await bob.key("Escape")

        await bob.hides("#viewer")
        await bob.until("document.activeElement.matches('.file-picture')")

    async def test_picture_in_the_viewer_is_enlarged_by_button_key_and_click_up_to_four_times(self, alice, bob, tmp_path):
        octets = (await photo(alice, tmp_path / "1.jpg", 60, 40)).read_bytes()
        await bob.says(type="file", file=file_header(octets, name="1.jpg", mime="image/jpeg"), octets=octets)
        await alice.shows(".chat-file.picture.loaded")
        await alice.click(".file-picture")
        await alice.until("document.querySelector('#viewerImage').complete")
        width = await alice.evaluate("document.querySelector('#viewerImage').offsetWidth")

        acts = ("#viewerLarger", "+", "+", "-", "0", "#viewerImage", "#viewerImage")
        for act, times in zip(acts, (2, 4, 4, 2, 1, 2, 1), strict=True):
            if act.startswith("#"):  # the middle of what is enlarged may lie outside
                await alice.evaluate(f"document.querySelector('{act}').click()")
            else:
                await alice.key(act)
            await alice.until(f"Math.abs(document.querySelector('#viewerImage').offsetWidth - {times * width}) < 8")

    async def test_picture_that_is_deleted_meanwhile_leaves_the_viewer(self, alice, bob, tmp_path):
        octets = (await photo(alice, tmp_path / "1.jpg", 60, 40)).read_bytes()
        number = await bob.says(type="file", file=file_header(octets, name="1.jpg", mime="image/jpeg"), octets=octets)
        await alice.shows(".chat-file.picture.loaded")
        await alice.click(".file-picture")
        await alice.shows("#viewer[open] #viewerName", "1.jpg")

        await bob.says(type="delete", of=number)

        await alice.hides("#viewer")

    async def test_words_go_with_one_picture_and_after_several_which_make_an_album(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        paths = [await photo(alice, tmp_path / f"{number}.jpg", 60, 40) for number in range(3)]

        await attaches(alice, paths[0], text="the first")
        await bob.shows(".chat-line-in:has(.chat-file.loaded) .chat-bubble", "the first")
        await attaches(alice, *paths, text="and three")

        await bob.sees("and three")
        await bob.until("document.querySelectorAll('.chat-album .chat-file.loaded').length === 3")
        tops = await bob.evaluate(
            "[...document.querySelectorAll('.chat-album > .chat-line')].map((each) => each.offsetTop)"
        )
        assert tops[0] < tops[1] == tops[2]
        assert await bob.texts(".chat-line-in:not(.tile) .chat-bubble") == ["hello", "the first", "and three"]

    async def test_picture_has_its_place_before_it_is_there(self, alice, bob, tmp_path):
        octets = (await photo(alice, tmp_path / "1.jpg", 60, 40)).read_bytes().ljust(PART_BYTES + 5, b"\0")
        header = file_header(octets, name="1.jpg", mime="image/jpeg", width=60, height=40)
        height = "document.querySelector('.chat-line:has(.picture)').offsetHeight"
        await bob.says(type="file", file=header, octets=octets[:PART_BYTES])
        await alice.shows(".chat-file.picture.moving .file-cancel")
        before = await alice.evaluate(height)

        await bob.says(
            type="part", file=header["id"], n=1, octets=octets[PART_BYTES:], header={"id": part_id(header["id"], 1)}
        )

        await alice.shows(".chat-file.picture.loaded:not(.moving)")
        assert await alice.evaluate(height) == before

    async def test_reader_saves_it_under_its_last_name(self, alice, bob, tmp_path):
        await alice.downloads_to(tmp_path)
        octets = b"<script>document.title = 'ran'</script>"
        header = file_header(octets, name="../../pa\u202egpj.html", mime="text/html")

        await bob.says(type="file", file=header, octets=octets)
        await alice.shows(".chat-line-in .file-name", "pagpj.html")
        await alice.click(".file-save")

        await until(lambda: (tmp_path / "pagpj.html").exists() and (tmp_path / "pagpj.html").read_bytes() == octets)
        assert await alice.count(".chat-file :is(img, video, audio, iframe)[src]") == 0
        await alice.hides(".chat-file[data-load]")  # what is not shown is not read

    async def test_name_can_not_hide_its_ending(self, browser, relay):
        page = await browser.page()
        await page.goto(relay.url)

        shown = {
            name: await page.evaluate(
                f"import('/protocol/files.js').then(({{ shortName }}) => shortName({json.dumps(name)}))"
            )
            for name in NAMES
        }

        assert shown == NAMES

    @pytest.mark.parametrize("bad", BAD_FILES)
    async def test_header_that_breaks_a_bound_is_refused_with_a_reason(self, alice, bob, bad):
        await bob.says(type="file", file=file_header(b"hello", **BAD_FILES[bad]), octets=b"hello")

        await alice.until("document.querySelector('.chat-line.refused')?.textContent.includes('Refused: ')")
        assert await stored(alice, "parts.length + messages.filter(({ file }) => file).length") == 0

    async def test_wrong_hash_is_told_and_nothing_of_it_is_kept(self, alice, bob):
        await bob.says(type="file", file=file_header(b"hello", sha256="ab" * 32), octets=b"hello")

        await alice.shows(".chat-file.ended .file-detail", "Damaged")
        assert await stored(alice, "parts.length") == 0

    async def test_parts_come_in_any_order_twice_or_too_many_and_make_one_file(self, alice, bob):
        octets = os.urandom(2 * PART_BYTES + 7)
        header = file_header(octets)
        pieces = [octets[at : at + PART_BYTES] for at in range(0, len(octets), PART_BYTES)]
        await bob.says(type="file", file=header, octets=pieces[0])

        for n, piece in (
            (2, pieces[2]),
            (2, b"another"),
            (0, os.urandom(PART_BYTES)),
            (9, b"too many"),
            (1, pieces[1]),
            (1, b"late"),
        ):
            await bob.says(type="part", file=header["id"], n=n, octets=piece, header={"id": part_id(header["id"], n)})
        await bob.says(type="file", file=header, octets=pieces[0])

        file = await has_file(alice, "file.state === 'here'")
        assert file["hash"] == header["sha256"]
        assert await stored(alice, "[parts.length, messages.filter(({ file }) => file).length]") == [3, 1]

    async def test_part_of_another_length_ends_the_file(self, alice, bob):
        header = file_header(bytes(PART_BYTES + 5))
        await bob.says(type="file", file=header, octets=bytes(PART_BYTES))

        await bob.says(type="part", file=header["id"], n=1, octets=bytes(6))

        await alice.shows(".chat-file.ended .file-detail", "Damaged")
        assert await stored(alice, "parts.length") == 0

    async def test_picture_that_would_take_gigabytes_is_a_row(self, alice, bob):
        sides = (30_000).to_bytes(4, "big") * 2
        octets = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR" + sides + bytes(100)

        await bob.says(type="file", file=file_header(octets, name="bomb.png", mime="image/png"), octets=octets)

        await alice.shows(".chat-file.plain .file-name", "bomb.png")
        assert await alice.count(".file-picture") == 0

    async def test_size_of_a_picture_is_what_a_decoder_makes_room_for(self, browser, relay):
        page = await browser.page()
        await page.goto(relay.url)
        measure = """async (base64) => (await import("/protocol/files.js"))
            .shownPicture((await import("/protocol/encoding.js")).fromBase64(base64))?.width ?? null"""

        widths = {
            name: await page.evaluate(f"({measure})({json.dumps(b64(octets))})")
            for name, octets in (BOMBS | PICTURES).items()
        }

        assert widths == dict.fromkeys(BOMBS, None) | dict.fromkeys(PICTURES, 20)

    async def test_parts_make_no_unread_mark(self, alice, bob):
        octets = os.urandom(PART_BYTES + 5)
        header = file_header(octets)
        await alice.goes_to("about")
        await bob.says(type="file", file=header, octets=octets[:PART_BYTES])
        await has_file(alice, "file.have === 1")

        await bob.says(type="part", file=header["id"], n=1, octets=octets[PART_BYTES:])

        await has_file(alice, "file.state === 'here'")
        assert await stored(alice, "contacts.map(({ unread }) => unread)") == [1]

    async def test_part_that_is_asked_for_is_sent_again(self, alice, bob, tmp_path):
        path = tmp_path / "two.bin"
        path.write_bytes(os.urandom(PART_BYTES + 5))
        await attaches(alice, path)
        header = (await bob.hears("file"))["file"]
        await bob.hears("part")

        await bob.says(type="resend", ids=[part_id(header["id"], n) for n in range(2)])

        assert (await bob.hears("part", number=3))["file"] == header["id"]

    async def test_what_is_missing_is_asked_for_and_makes_it_whole(self, alice, bob):
        octets = os.urandom(2 * PART_BYTES + 7)
        header = file_header(octets)
        await bob.says(type="file", file=header, octets=octets[:PART_BYTES])
        await has_file(alice, "file.have === 1")

        await alice.evaluate(OVERDUE)
        asked = (await bob.hears("resend"))["ids"]
        await alice.shows(".chat-file.moving .file-detail", "The rest has not come yet")
        for n in (1, 2):
            piece = octets[n * PART_BYTES : (n + 1) * PART_BYTES]
            await bob.says(type="part", file=header["id"], n=n, octets=piece, header={"id": asked[n - 1]})

        file = await has_file(alice, "file.state === 'here'")
        assert (asked, file["hash"]) == ([part_id(header["id"], n) for n in (1, 2)], header["sha256"])

    async def test_thousand_files_that_never_come_are_asked_for_a_few_at_a_time(self, alice, bob):
        header = file_header(os.urandom(256 * PART_BYTES))
        await bob.says(type="file", file=header, octets=bytes(PART_BYTES))
        await has_file(alice, "file.have === 1")

        await alice.evaluate(THOUSAND_BEGUN)

        questions = await stored(alice, "posts.filter(({ content }) => content.type === 'resend').length")
        assert 0 < questions < 10

    async def test_files_of_two_people_with_one_id_are_two(self, relay, alice, bob):
        carol = Correspondent(relay)
        await carol.register()
        await carol.meets(alice)
        files = {person: os.urandom(2 * PART_BYTES) for person in (bob, carol)}
        headers = {person: file_header(octets, id="A" * 22) for person, octets in files.items()}

        for person, octets in files.items():
            await person.says(type="file", file=headers[person], octets=octets[:PART_BYTES])
        for person, octets in files.items():
            known = {"id": part_id("A" * 22, 1)}
            await person.says(type="part", file="A" * 22, n=1, octets=octets[PART_BYTES:], header=known)

        whole = "messages.filter(({ file }) => file?.state === 'here').map(({ file }) => file.sha256)"
        hashes = await until(lambda: stored(alice, f"{whole}.length === 2 && {whole}"))
        assert set(hashes) == {header["sha256"] for header in headers.values()}

    async def test_file_lasts_as_long_as_its_chat_says_when_it_is_sent(self, alice, bob, tmp_path):
        await picks(alice, large_file(tmp_path, 1))

        await in_store(alice, f"await store.putContact('{bob.fingerprint}', {{ lasts: 3600 }})")
        await alice.click("#filesSend")

        await has_file(alice, "file.sent > 0")
        assert await stored(alice, "messages.find(({ file }) => file).lasts") == 3600

    async def test_timer_of_a_file_begins_once_it_is_here(self, alice, bob):
        octets = os.urandom(PART_BYTES + 7)
        header = file_header(octets)
        await bob.says(type="file", file=header, lasts=3600, octets=octets[:PART_BYTES])
        await until(lambda: stored(alice, "messages.some(({ was_read }) => was_read)"))
        await alice.evaluate(TIMERS_ARE_OVER)
        known = {"id": part_id(header["id"], 1)}
        await bob.says(type="part", file=header["id"], n=1, octets=octets[PART_BYTES:], header=known)
        await has_file(alice, "file.state === 'here'")

        begun = await stored(alice, "messages.find(({ file }) => file).gone_at")
        await alice.evaluate(f"({FILES})('free', [{await stored(alice, 'messages.find(({ file }) => file).seq')}])")
        assert await stored(alice, "messages.find(({ file }) => file).gone_at") == begun
        await alice.evaluate(TIMERS_ARE_OVER)

        await alice.hides(".chat-file")
        assert await stored(alice, "parts.length") == 0

    @pytest.mark.whole_browser
    async def test_reply_by_a_photo_or_a_voice_message_shows_what_it_answers_on_both_sides(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        quoted = "[...document.querySelectorAll('.chat-line:has(.chat-file) .chat-quote-text')].map((each) => each.textContent).join()"
        await alice.drafts("half a thought")

        await does(alice, "reply", "hello back")
        await attaches(alice, await photo(alice, tmp_path / "1.jpg", 60, 40), large_file(tmp_path, 1))
        await alice.until("!document.querySelector('#answerBar').checkVisibility()")
        await bob.shows(".file-name", "1.bin")
        await right_clicks(bob, ".chat-line:has(.file-picture)")
        await bob.click("#messageMenu [data-action=reply]")
        await bob.shows("#answerBar", "Photo")
        await records(bob)
        await bob.click("#voiceSend")

        for page in (alice, bob):
            await page.until(f"{quoted} === 'hello back,Photo'")
        await bob.until("!document.querySelector('#answerBar').checkVisibility()")
        assert await alice.value("#chatBody") == "half a thought"
        await kept_drafts(alice, 1, "half a thought")

    @pytest.mark.whole_browser
    async def test_voice_message_is_heard_before_it_goes_and_plays_at_the_other_end(self, browser, relay):
        alice, bob = await talk(browser, relay)
        await records(alice)

        await alice.click("#voiceStop")
        await alice.click("#voicePreview .voice-play:enabled")
        await alice.until(HEARD % "#voicePreview audio")
        await alice.evaluate("for (const id of ['voiceSend', 'voiceDrop']) document.getElementById(id).click()")

        await bob.click(".chat-line-in .voice-play:enabled")
        await bob.until(HEARD % ".chat-line-in audio")
        file = await has_file(bob, "file.state === 'here'")
        assert (file["mime"], file["name"]) == ("audio/webm", "Voice message.webm")
        assert 1 <= file["seconds"] <= 300 and file["size"] > 1000
        assert await alice.count("#voice") == 0
        assert await alice.evaluate("document.querySelector('#toastText').textContent") == ""

    @pytest.mark.whole_browser
    async def test_voice_message_that_nobody_watches_ends_and_waits_in_its_chat(self, browser, relay):
        alice, carol = (await talk(browser, relay))[0], await relay.register()
        await records(alice)

        await alice.goes_to("about")
        await alice.until("document.querySelector('#voicePreview audio')")
        await alice.opens(carol.fingerprint)
        await alice.click("#voiceRecord")

        await alice.shows("#chatSendStatus.bad", "is not sent yet")
        assert await alice.count("#voice") == 0
        await alice.click("#chatTabs .chat-tab:not(.active) .chat-tab-label")
        await alice.shows("#voicePreview .voice-play:enabled")

    @pytest.mark.whole_browser
    async def test_voice_message_ends_by_itself_after_five_minutes(self, alice, bob):
        await records(alice)

        await alice.evaluate(FIVE_MINUTES_LATER)
        await alice.shows("#chatSendStatus", "Five minutes are the most.")
        await alice.click("#voiceSend")

        assert (await has_file(alice, "file.sent > 0"))["seconds"] == 300

    @pytest.mark.whole_browser
    async def test_voice_message_ends_behind_another_tab(self, alice, bob):
        await records(alice)

        await hide(alice)

        await alice.until("document.querySelector('#voicePreview audio')")

    @pytest.mark.whole_browser
    async def test_voice_message_is_thrown_away_by_escape_and_comes_back_by_undo(self, alice, bob):
        await records(alice)

        await alice.key("Escape")
        await alice.hides("#voice")
        await alice.click("#toastUndo")

        await alice.shows("#voicePreview .voice-play:enabled")

    @pytest.mark.whole_browser
    async def test_short_press_begins_one_recording_that_goes_on_after_it(self, alice, bob):
        await alice.permit("microphone")
        await alice.shows("#voiceRecord")

        await alice.evaluate("""(() => {
            const asks = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            window.asked = 0;
            navigator.mediaDevices.getUserMedia = (wanted) => ((window.asked += 1), asks(wanted));
            for (const type of ["pointerdown", "pointerup"])
                voiceRecord.dispatchEvent(new PointerEvent(type, { bubbles: true }));
            voiceRecord.click();
        })()""")

        await alice.until(RECORDED_A_SECOND)
        assert (await alice.evaluate("window.asked"), await alice.count("#voiceTaking")) == (1, 1)

    @pytest.mark.whole_browser
    async def test_held_button_records_until_it_is_released_and_throws_away_by_a_slide(self, alice, bob):
        await alice.permit("microphone")
        box = await box_of(alice, "#voiceRecord")
        x, y = box["left"] + 10, box["top"] + 10

        await points(alice, "mousePressed", x, y)
        await alice.until(RECORDED_A_SECOND)
        await points(alice, "mouseReleased", x, y)
        await alice.shows("#voicePreview .voice-play:enabled")
        await alice.click("#voiceDrop")
        await points(alice, "mousePressed", x, y)
        await alice.shows("#voiceTaking")
        await points(alice, "mouseMoved", x - 200, y)

        await alice.hides("#voice")
        await alice.is_told("Voice message thrown away")

    @pytest.mark.whole_browser
    @pytest.mark.parametrize("way", ["slides away", "shows another tab"])
    async def test_microphone_that_comes_once_nobody_wants_it_is_let_go(self, alice, bob, way):
        await alice.permit("microphone")
        await alice.shows("#voiceRecord")
        await alice.evaluate(COMES_LATE % "navigator.mediaDevices")

        await alice.evaluate("void voiceRecord.dispatchEvent(new PointerEvent('pointerdown', { clientX: 300 }))")
        if way == "slides away":
            await alice.evaluate("void document.dispatchEvent(new PointerEvent('pointermove', { clientX: 10 }))")
        else:
            await hide(alice)
        await alice.until("window.come")
        await alice.evaluate("come()")

        await alice.until("window.came?.getTracks().every(({ readyState }) => readyState === 'ended')")
        assert await alice.count("#voice") == 0

    @pytest.mark.whole_browser
    async def test_microphone_that_comes_once_it_is_wanted_again_records(self, alice, bob):
        await alice.permit("microphone")
        await alice.shows("#voiceRecord")
        await alice.evaluate(COMES_LATE % "navigator.mediaDevices")

        for target, event in (("voiceRecord", "down"), ("document", "move"), ("document", "up"), ("voiceRecord", "down")):
            x = 10 if event == "move" else 300
            await alice.evaluate(f"void {target}.dispatchEvent(new PointerEvent('pointer{event}', {{ clientX: {x} }}))")
        await alice.until("window.come")
        await alice.evaluate("come()")

        await alice.until(RECORDED_A_SECOND)

    @pytest.mark.whole_browser
    async def test_microphone_that_is_not_allowed_is_told_of_in_words(self, alice, bob):
        await alice.permit("microphone", setting="denied")

        await alice.click("#voiceRecord")

        await alice.shows("#chatSendStatus.bad", "The microphone is not allowed here")
        assert await alice.count("#voice") == 0

    @pytest.mark.whole_browser
    async def test_browser_that_does_not_record_is_told_of_with_what_to_do_and_the_microphone_let_go(self, alice, bob):
        await alice.permit("microphone")
        await alice.evaluate(RECORDS_NOTHING)

        await alice.click("#voiceRecord")

        await alice.shows("#chatSendStatus.bad", "send what another app has recorded as a file")
        assert await alice.evaluate("microphone.getTracks().map(({ readyState }) => readyState)") == ["ended"]
        assert await alice.count("#voice") == 0

    async def test_settings_tell_what_files_take_by_chat_and_free_it(self, alice, bob):
        octets = os.urandom(2048)
        for name in ("one.bin", "two.bin"):
            await bob.says(type="file", file=file_header(octets, name=name), octets=octets)
            await has_file(alice, f"file.name === '{name}' && file.state === 'here'")

        await alice.click("#settingsOpen")
        await alice.shows("#roomHint", "Pictures and files take 4 KiB")
        await alice.shows("#roomList li", "2 files, 4 KiB")
        await alice.click("#roomList button")
        await alice.click("#confirmOk")

        await alice.shows("#roomHint", "No pictures or files")
        assert await alice.count("#roomList li") == await stored(alice, "parts.length") == 0
        assert await alice.texts(".chat-file.ended .file-detail") == ["Not on this device any more."] * 2

    async def test_file_without_room_is_told_of_and_goes_once_there_is(self, alice, bob, tmp_path):
        path = tmp_path / "archive.bin"
        path.write_bytes(bytes(3 * PART_BYTES))

        alice.expects("StorageError")  # of what is being sent meanwhile
        await has_full_disk(alice)
        await attaches(alice, path)
        await alice.shows("#filesStatus.bad", "no room left")
        kept = await alice.texts("#filesList bdi"), await stored(alice, "parts.length")
        await alice.evaluate("window.makeRoom()")
        await alice.click("#filesSend")

        await alice.hides("#filesDialog")
        assert (kept, await stored(alice, "parts.length")) == ((["archive.bin"], 0), 3)

    @pytest.mark.parametrize(
        "files, shown", [(True, "#chatMessages .chat-file.loaded"), (False, "#chatMessages .chat-file.ended")]
    )
    async def test_backup_has_pictures_or_says_that_it_has_none(self, browser, alice, bob, relay, tmp_path, files, shown):
        octets = (await photo(alice, tmp_path / "1.jpg", 60, 40)).read_bytes()
        await bob.says(type="file", file=file_header(octets, name="1.jpg", mime="image/jpeg"), octets=octets)
        await has_file(alice, "file.state === 'here'")
        backup = await exports(alice, tmp_path / "backup", files=files)
        device = await browser.person(relay)

        await restores(device, backup)
        await goes_to(device, "chats")
        await device.click(".chat-tab-label")

        await device.shows(shown)
        assert await stored(device, "parts.length") == files

    async def test_file_in_a_backup_is_there_only_where_all_of_it_is(self, browser, relay):
        octets, page = os.urandom(PART_BYTES + 5), await browser.person(relay)
        content = json.loads(protocol_vectors()["backup"]["plaintext"])
        message = {
            "seq": 99,
            "contact": NOBODY,
            "relay": "",
            "kind": "text",
            "text": "",
            "at": 1,
            "file": file_header(octets),
        }
        pieces = [{"seq": 99, "n": n, "octets": {"base64": b64(octets[n * PART_BYTES :][:PART_BYTES])}} for n in range(2)]
        short = {"seq": 99, "n": 1, "octets": {"base64": b64(b"four")}}

        parts = {"all": pieces, "one": pieces[:1], "none": [], "short": [pieces[0], short]}
        backups = [
            content | {"messages": [message | {"direction": way, "state": state}], "parts": parts[which]}
            for way, state, which in RESTORED_FILES
        ]

        read = await page.evaluate(f"({READ_FILES})({json.dumps(list(map(json.dumps, backups)))})")
        assert read == list(RESTORED_FILES.values())

    @pytest.mark.service_worker
    async def test_what_another_app_shares_goes_to_the_chat_that_is_picked(self, browser, relay, tmp_path):
        alice, bob = await talk(browser, relay)
        await has_service_worker(alice)
        path = await photo(alice, tmp_path / "lake.jpg", 60, 40)

        await shares(alice, relay, text="words", url="https://example.com/")
        await alice.click("#forwardList button")
        await alice.until("document.querySelector('#chatBody').value === 'words\\nhttps://example.com/'")
        await shares(alice, relay, path, text="the lake")
        await alice.shows("#forwardText", "lake.jpg")
        await alice.click("#forwardList button")
        await alice.shows("#filesList li", "lake.jpg")
        await alice.click("#filesSend")

        await bob.shows(".chat-line-in:has(.chat-file.loaded) .chat-bubble", "the lake")
        assert await alice.evaluate("location.search") == ""

    async def test_share_that_could_not_be_kept_is_told_of(self, browser, relay):
        page = await browser.person(relay)

        await page.goto(f"{relay.url}/chats?shared")

        await page.is_told("Nothing was shared")

    @pytest.mark.service_worker
    async def test_what_any_site_posts_that_is_no_form_of_files_is_not_kept(self, browser, relay):
        page = await browser.person(relay)
        await has_service_worker(page)

        await posts(page, "text/plain", relay.url + "/share", {"text": "words"}, "", "")

        await page.is_told("Nothing was shared")
        assert await page.evaluate("location.pathname + location.search") == "/chats"

    async def test_what_was_shared_and_never_taken_goes_at_the_next_start(self, browser, relay):
        page = await browser.person(relay)
        kept = "caches.open('shared-with-io3233').then((cache) => cache.match('/share'))"
        put = "put('/share', new Response('words', { headers: { Date: new Date(Date.now() - 61_000).toUTCString() } }))"
        await page.evaluate(f"caches.open('shared-with-io3233').then((cache) => cache.{put})")
        assert await page.evaluate(f"{kept}.then((each) => each?.status)") == 200

        await page.goto(f"{relay.url}/chats")

        await page.until(f"{kept}.then((each) => !each)")

    async def test_of_a_stranger_the_header_alone_is_kept(self, relay, alice):
        carol = Correspondent(relay)
        await carol.register()
        carol.device, carol.page = Receiver.new(), await address_of(alice)

        preview = webp(32, 24, 1500)
        await carol.says(unsealed=True, type="file", file=file_header(b"hello", preview=preview), octets=b"hello")
        await alice.click(f'#chatTabs [data-fingerprint="{carol.fingerprint}"] .chat-tab-label')

        await alice.shows(".chat-file.ended .file-detail", "Not kept")
        assert await stored(alice, "parts.length") == 0
        assert await stored(alice, "contacts.map((each) => each.request_size)") == [256 + len(preview)]


# ------------------------------------------------------------------------------------------------------------------------
# Browser: for everyone, and light
# ------------------------------------------------------------------------------------------------------------------------

AXE = TOP / ".cache/node_modules/axe-core/axe.min.js"
VIEWS = ("newchat", "chats", "library", "keys", "server", "about")
PHONE, DESKTOP = (390, 844), (1280, 800)
DIALOGS = {
    "#confirmDialog": ("keys", "#newKeys"),
    "#exportDialog": ("keys", "#exportBackup"),
    "#importDialog": ("keys", "#importBackup"),
    "#qrDialog": ("newchat", "#showInviteQr"),
    "#settingsDialog": ("about", "#settingsOpen"),
    "#contactDialog": ("chats", "#contactOpen"),
}


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script; without it the test is skipped, or fails where REQUIRE_BROWSER=1."""
    if not AXE.exists() and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail("REQUIRE_BROWSER=1, and axe-core is missing: make axe")
    if not AXE.exists():
        pytest.skip("axe-core is missing: make axe to check the page with it")
    return AXE.read_text()


async def furnished(relay: AnyRelay, browser: Browser, **context: Any) -> Page:
    """Somebody whose page has all kinds of messages, an open and an unread thread, and the open one on screen."""
    page = await browser.person(relay, **context)
    bob, carol, address = await relay.register(), await relay.register(), await address_of(page)
    await page.opens(bob.fingerprint)
    await page.says("hello https://example.com/ 🙂")
    await page.has_relayed(1)
    await post(bob, address, text="hello back")
    await post(bob, address, text="**all** `marks`\n```sh\n" + "a long line of code " * 9 + "\n```\n- *a point*\n- שלום")
    await post(bob, address, text="🎉")
    await post(bob, address, text="not for you", to=NOBODY)
    await post(bob, address, type="hologram")
    await bob.send(address, json.dumps({"text": "from an old client", "ts": 1_700_000_000_000}).encode())
    await post(carol, address, text="unread")
    await page.shows(".chat-line-in .chat-bubble", "from an old client")
    await page.until("document.querySelectorAll('.chat-tab').length === 2")
    return page


async def furnished_with_files(relay: AnyRelay, browser: Browser, folder: Path, **context: Any) -> Page:
    """Somebody in whose open thread a film is coming, and three pictures are."""
    page, bob, octets = await browser.person(relay, "/chats", **context), Correspondent(relay), bytes(PART_BYTES)
    await bob.register()
    await bob.meets(page)
    await bob.says(type="file", file=file_header(octets + b"more", name="film.mkv"), octets=octets)
    await page.shows(".chat-file.moving")
    await attaches(page, *[await photo(page, folder / f"{number}.jpg", 60, 40) for number in range(3)])
    await page.until("document.querySelectorAll('.chat-album .loaded').length === 3")
    return page


async def flaws(page: Page, axe: str) -> list[str]:
    """What axe-core finds in the page as it is now, and what is wider than the screen."""
    return [*await findings(page, axe), *await page.evaluate(OVERFLOWING)]


async def findings(page: Page, axe: str) -> list[str]:
    """What axe-core finds in the page as it is now, each with where."""
    await page.evaluate(
        "Promise.all(document.getAnimations().map((each) => each.finished.catch(() => null))).then(() => 1)"
    )
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(f"{axe}; 1")
    return await page.evaluate(
        "axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id} at ${node.target}: ${node.failureSummary}`)))"
    )


async def views(page: Page) -> AsyncIterator[str]:
    """Go through all views."""
    for view in VIEWS:
        await goes_to(page, view)
        yield view


class TestBrowserAccessible:
    """Keys, eyes and fingers of all kinds."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
    async def test_axe_finds_nothing_in_any_view_or_dialog(self, relay, browser, axe, size, scheme):
        page = await furnished(relay, browser, size=size, scheme=scheme)
        assert await page.evaluate("document.documentElement.dataset.theme") == scheme

        found = {"the open thread": await findings(page, axe)}
        async for view in views(page):
            found[view] = await findings(page, axe)
        for dialog, (view, button) in DIALOGS.items():
            await goes_to(page, view)
            found[dialog] = await findings_in_dialog(page, axe, dialog, button)

        assert {where: each for where, each in found.items() if each} == {}

    @pytest.mark.parametrize(("scheme", "size"), [("light", (320, 640)), ("dark", DESKTOP)])
    @pytest.mark.whole_browser
    async def test_axe_finds_nothing_in_pictures_files_and_voice_messages(
        self, relay, browser, axe, tmp_path, scheme, size
    ):
        page = await furnished_with_files(relay, browser, tmp_path, size=size, scheme=scheme)

        await records(page)
        found = await flaws(page, axe)
        await page.click("#voiceStop")
        await page.shows("#voicePreview .voice-play:enabled")
        found += await flaws(page, axe)
        await page.click("#voiceSend")
        await page.shows(".chat-line-out .voice-play:enabled")
        found += await flaws(page, axe)

        assert found == []

    @pytest.mark.parametrize("size", [(320, 640), (844, 390)])
    async def test_dialog_begins_at_its_title_with_its_buttons_in_sight(self, relay, browser, size):
        page = await browser.person(relay, "/about", size=size)

        await page.key("?")
        await page.shows("#keysDialog")

        assert await page.evaluate("(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)(keysDialog)")
        assert await are_reached(page, "#keysTitle", "#keysDialog [data-close]") == [True, True]

    async def test_contact_is_closed_from_its_end_too(self, relay, browser):
        page, bob = await browser.person(relay, size=(390, 500)), await relay.register()
        await page.opens(bob.fingerprint)
        await page.click("#contactOpen")

        await page.evaluate("contactDialog.scrollTo(0, contactDialog.scrollHeight)")

        assert await page.evaluate("contactDialog.scrollTop") > 100
        assert await are_reached(page, "#contactDialog [data-close]") == [True]

    @pytest.mark.parametrize("size", [(820, 1180), DESKTOP])
    async def test_state_of_the_connection_has_room_in_the_rail(self, relay, browser, size):
        page = await browser.person(relay, size=size)

        await page.evaluate("liveIndicator.textContent = 'connecting'")

        assert await page.evaluate("viewTabs.scrollWidth <= viewTabs.clientWidth")

    @pytest.mark.parametrize(
        ("size", "text"), [((320, 640), 100), ((390, 844), 200), ((1280, 800), 200), ((640, 400), 100)]
    )
    async def test_nothing_is_wider_than_the_screen(self, relay, browser, size, text):
        page = await furnished(relay, browser, size=size)
        await page.evaluate(f"document.documentElement.style.fontSize = '{text}%'")

        assert await page.evaluate(FIELD_LINES) == 1
        overflowing = {"the open thread": await page.evaluate(OVERFLOWING)}
        await page.evaluate("document.querySelector('#chatSearchOpen').click()")
        overflowing["its search"] = await page.evaluate(OVERFLOWING)
        async for view in views(page):
            overflowing[view] = await page.evaluate(OVERFLOWING)

        assert {view: each for view, each in overflowing.items() if each} == {}

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(("size", "text"), [((320, 640), 100), (PHONE, 200), (DESKTOP, 100), ((390, 400), 100)])
    async def test_card_of_an_invite_has_no_findings_and_fits(self, relay, browser, axe, size, text, scheme):
        marie = await relay.register()
        guest = await browser.page(size=size, scheme=scheme)
        await arrives(guest, f"{relay.url}/chats#chat={marie.fingerprint}&server={relay.url}&name={'Marie%20' * 8}")
        await guest.evaluate(f"document.documentElement.style.fontSize = '{text}%'")

        assert await findings(guest, axe) == []
        assert not await guest.evaluate(OVERFLOWING)

    async def test_focus_is_seen_on_everything_that_takes_it(self, relay, browser):
        page = await furnished(relay, browser)

        unseen = set()
        async for view in views(page):
            await page.evaluate("document.activeElement.blur()")
            for _ in range(25):
                await page.key("Tab")
                if element := await page.evaluate(UNSEEN_FOCUS):
                    unseen.add(f"{view}: {element}")

        assert unseen == set()

    @pytest.mark.parametrize(("preference", "moving"), [("no-preference", True), ("reduce", False)])
    async def test_nothing_moves_for_who_asked_for_less_motion(self, relay, browser, preference, moving):
        page = await furnished(relay, browser)

        await page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": preference}])
        await page.click("#settingsOpen")
        await page.shows("#settingsDialog")

        assert bool(await page.evaluate(MOVING)) == moving

    async def test_axe_finds_nothing_where_keys_were_lost(self, relay, browser, axe):
        page = await browser.person(relay)
        await comes_back_without(page, relay, "indexeddb")
        await page.shows("#lost")

        found = await findings(page, axe)
        await page.click("#lostRestore")
        await page.shows("#importDialog")

        assert found + await findings(page, axe) == []

    @pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
    async def test_every_button_and_link_has_a_name(self, relay, browser, size):
        page = await furnished(relay, browser, size=size)

        nodes = (await page.call("Accessibility.getFullAXTree"))["nodes"]
        controls = [
            node for node in nodes if node.get("role", {}).get("value") in ("button", "link", "textbox", "checkbox")
        ]
        names = [node["name"]["value"].strip() for node in controls if not node["ignored"]]

        assert len(names) > 5 and all(names), names

    async def test_settings_come_without_the_keyboard_of_a_phone(self, relay, browser):
        page = await browser.person(relay, size=(390, 844))
        await goes_to(page, "me")

        await page.click("#settingsOpen")

        await page.until("document.activeElement.id === 'settingsTitle'")

    async def test_dialog_keeps_the_focus_and_gives_it_back(self, relay, browser):
        page = await browser.person(relay)

        await page.click("#settingsOpen")
        await page.shows("#settingsDialog")
        for _ in range(12):
            await page.key("Tab")
            outside = "!document.activeElement.closest('#settingsDialog') && document.activeElement !== document.body"
            assert not await page.evaluate(outside)
        await page.key("Escape")

        await page.until("!document.querySelector('#settingsDialog').open")
        assert await page.evaluate("document.activeElement.id") == "settingsOpen"


async def findings_in_dialog(page: Page, axe: str, dialog: str, button: str) -> list[str]:
    """Open a dialog, let axe-core look, and close it."""
    if button == "#contactOpen" and not await page.count("#chatThread"):
        await page.click(".chat-tab-label")
    if not await page.count(button):
        await page.click("#tab-me")
    await page.click(button)
    await page.shows(dialog)
    found = await findings(page, axe)
    await page.key("Escape")
    await page.until(f"!document.querySelector('{dialog}').open")
    return found


OVERFLOWING = """(() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll("body *")].filter((each) => {
        const { left, right, height } = each.getBoundingClientRect();
        const scrolls = each.parentElement.closest(".table-box, .view-tabs, .chat-tab, .voice-levels, .chat-line:not(.timed, .open) .chat-meta");
        return each.checkVisibility() && height > 1 && !scrolls && (right > width + 1 || left < -1);
    });
    return [...(document.documentElement.scrollWidth > width ? [`${document.documentElement.scrollWidth} px`] : []),
        ...wide.map((each) => each.id || each.className || each.tagName)];
})()"""
# How many lines the empty field of a thread has.
FIELD_LINES = """(() => {
    const field = document.querySelector("#chatBody");
    const { lineHeight, paddingTop, paddingBottom } = getComputedStyle(field);
    return Math.round((field.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom)) / parseFloat(lineHeight));
})()"""
UNSEEN_FOCUS = """(() => {
    const element = document.activeElement;
    if (element.tabIndex < 0 || element === document.body) return "";
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
    const seen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1 && !/, 0\\)$/.test(outlineColor);
    const { width, height } = element.getBoundingClientRect();
    return seen && width > 0 && height > 0 ? "" : element.id || element.outerHTML.slice(0, 80);
})()"""
MOVING = """[...document.querySelectorAll("*")].filter((each) => {
    const style = getComputedStyle(each);
    const seconds = `${style.animationDuration},${style.transitionDuration}`.split(",").map(parseFloat);
    return Math.max(...seconds) > 0.001 || style.scrollBehavior === "smooth";
}).length"""

MOST_BYTES = 220_000 if relay_module.brotli else 257_500
LONG_HISTORY = """(async () => {
    const [{ Database }, { newContact }, { withLatest }] =
        await Promise.all(["store/database", "store/contacts", "store/messages"].map((name) => import(`/${name}.js`)));
    const people = Array.from({ length: 50 }, (_, index) => index.toString(16).padStart(64, "a"));
    const start = Date.now() - 10_000_000;
    await (await Database.open()).write(["contacts", "messages"], ({ contacts, messages }) => {
        const latest = new Map();
        for (let seq = 1; seq <= 10_000; seq += 1) {
            const contact = people[seq <= 5_000 ? 0 : seq % 50];
            const text = `message ${seq} of a long history, as people write them${seq === 77 ? ", with a needle" : ""}`;
            const record = { seq, contact, relay: location.origin, direction: seq % 3 ? "in" : "out", kind: "text", text,
                at: start + seq * 1000, ...(seq % 3 ? {} : { state: "relayed" }) };
            messages.put(record);
            latest.set(contact, record);
        }
        for (const [contact, record] of latest) {
            contacts.put(withLatest(newContact(contact, { relay: location.origin, added_at: start }), record));
        }
    });
    return people[0];
})()"""


class TestBrowserWeight:
    """The page is small, stays small, and asks nobody else for anything."""

    async def test_first_load_is_small_and_asks_no_other_host(self, relay, browser):
        page = await browser.person(relay, watched=True)

        loaded = {url.partition("#")[0] for url in page.requests if not url.startswith("about:")}
        files = {url for url in loaded if "/v1/" not in url}
        sizes = {url: await compressed_bytes(relay, url) for url in files}

        assert {URL(url).authority for url in loaded} == {URL(relay.url).authority}
        assert len(sizes) > 10
        heaviest = sorted(sizes.items(), key=lambda each: -each[1])
        assert sum(sizes.values()) < MOST_BYTES, heaviest

    async def test_long_history_opens_and_is_searched(self, relay, browser):
        page = await browser.person(relay)
        largest = await page.evaluate(LONG_HISTORY)
        await page.reload()
        await page.until("document.querySelectorAll('.chat-tab').length === 50")

        await page.click(f'#chatTabs [data-fingerprint="{largest}"] .chat-tab-label')
        await page.shows(".chat-bubble", "message 9950 of a long history")
        rows_shown = await page.count(".chat-line")
        await searches(page, "needle", "1–1 of 1")
        await page.click("#libraryList .msg a")

        await page.shows("#chatMessages .chat-line.found", "message 77 of a long history")
        assert max(rows_shown, await page.count(".chat-line")) <= 150

    async def test_page_does_not_grow_over_a_thousand_arriving_messages(self, relay, browser):
        alice, bob = await browser.person(relay), await relay.register()
        address = await address_of(alice)
        await alice.opens(bob.fingerprint)

        sizes = []
        for hundred in range(0, 1200, 200):
            await asyncio.gather(*(post(bob, address, text=f"{hundred} and {number}") for number in range(200)))
            await post(bob, address, text=f"so much for {hundred}")
            await alice.sees(f"so much for {hundred}")
            sizes.append(await alice.evaluate("document.querySelectorAll('*').length"))

        assert max(sizes[1:]) <= sizes[0] * 1.05, sizes


async def compressed_bytes(relay: AnyRelay, url: str) -> int:
    """How many bytes a file takes on the wire, its headers aside."""
    async with relay.session.get(url, headers={"Accept-Encoding": "br, gzip"}) as answer:
        await answer.read()
        return int(answer.headers["Content-Length"])


if __name__ == "__main__" and sys.argv[1:] == ["vectors"]:
    print(format_vectors(protocol_vectors()))
