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
import base64
import contextlib
import hashlib
import hmac
import inspect
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiohttp import web
from nacl.public import Box, PrivateKey, PublicKey


import relay as relay_module

RELAY_PY = Path(__file__).with_name("relay.py")
SECRET = "a secret of the tests, long enough for HS256"
PATIENCE_SECONDS = 30  # how long a test waits for what must happen; only a failing test ever waits so long


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


async def until(condition: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> Any:
    """Poll a condition, plain or awaitable, until it holds; its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {inspect.getsource(condition).strip()}"
        await asyncio.sleep(0.02)


def free_port() -> int:
    """A loopback port to listen on, below those that the kernel gives to outgoing connections."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            return probe.getsockname()[1]


class AnyRelay:
    """A relay on a loopback port with a SQLite file, seen from outside; subclasses know how it is run."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = folder / "relay.db"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {
            "BIND": f"127.0.0.1:{self.port}",
            "DATABASE_URL": f"sqlite:{self.database}?mode=rwc",
            "JWT_SECRET": SECRET,
            "RATE_LIMIT": "off",
            **environ,
        }
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def start(self) -> None:
        """Start, or start again on the same port and database."""
        raise NotImplementedError

    async def stop(self) -> Any:
        """Stop as an operator does; sessions, people and the database stay."""
        raise NotImplementedError

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
        options.setdefault("allow_redirects", False)
        async with self.session.request(method, self.url + path, headers=bearer | dict(headers or {}), **options) as answer:
            is_json = answer.content_type == "application/json" and method != "HEAD"
            return Answer(answer.status, await (answer.json() if is_json else answer.read()), answer.headers)

    async def close(self) -> None:
        """Stop for good."""
        await self.session.close()
        await self.stop()


class RunningRelay(AnyRelay):
    """A relay in this process: real sockets and files, and a clock that a test may move."""

    def __init__(self, folder: Path, environ: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        super().__init__(folder, environ)
        self.clock = clock
        self.runner: web.AppRunner | None = None

    async def start(self) -> None:
        self.app = relay_module.make_app(relay_module.Config.from_env(self.environ), clock=self.clock)
        self.runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=2)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self.runner:
            await self.runner.cleanup()
        self.runner = None


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
    """Start one more relay: `await relays(INVITE_CODE="x", clock=clock)`."""
    running: list[RunningRelay] = []

    async def start(*, clock: Callable[[], float] = time.time, **environ: str) -> RunningRelay:
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

    async def start(*wrapper: str, **environ: str) -> RelayProcess:
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
