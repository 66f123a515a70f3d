#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["aiohttp>=3.11.16", "pynacl>=1.5", "cryptography>=43", "brotli>=1.0.9"]
# ///
"""io3233: a relay for end-to-end encrypted chat, in one file.

What it stores: public keys, and for each queued message its ciphertext, nonce, the sender's public key,
the recipient's fingerprint and two times. Queued mail goes when it is acknowledged, taken back or expired.
What it cannot read: the messages. They are NaCl boxes between keys that it never has. It does see who writes
to whom, when, how much and from which address; docs/SECURITY.md says what follows from that.

Routes (docs/PROTOCOL.md has every field, status and frame):

    POST   /v1/register/challenge    ask for 32 bytes to prove a key with
    POST   /v1/register              prove it; receive a token
    GET    /v1/me                    who the token belongs to           DELETE: forget me and my mail
    GET    /v1/keys/{fingerprint}    somebody's public key
    GET    /v1/keys/search/{prefix}  fingerprints that begin so
    POST   /v1/messages              queue one ciphertext               GET: a page of my inbox
    DELETE /v1/messages?through_id=  I have stored everything up to it  DELETE /v1/messages/{id}: this one
    GET    /v1/stats                 identities, retention, limits
    GET    /v1/ws                    WebSocket: a hint for each new message
    POST   /v1/push                  wake this device when mail comes   DELETE: no longer
    GET    /healthz, /metrics        for whoever keeps it running
    GET    /…                        the web client, from the static folder

How to read on: top to bottom. Nothing is used before it is defined, and each banner opens with what its section
promises and why. Section 6 (storage) is the heart; sections 11 and 12 are the protocol.

Known limits: one process, one machine, one SQLite file. Whoever registers can be sent mail by anybody registered.
Search by prefix tells anyone whether a fingerprint is registered, as the v1 protocol does. A challenge proved in the
minute before a restart could be presented once more after it, by somebody who could read the TLS stream. Bounds are
kept by address (section 7), so some hundred addresses together can keep everybody else out.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import collections
import contextvars
import ctypes
import dataclasses
import fcntl
import functools
import glob
import gzip
import hashlib
import hmac
import http
import io
import ipaddress
import itertools
import json
import logging
import math
import mimetypes
import os
import queue
import re
import resource
import secrets
import shlex
import shutil
import signal
import socket
import sqlite3
import ssl
import sys
import threading
import time
import unicodedata
import urllib.parse
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

try:
    import aiohttp
    import nacl.bindings
    import nacl.exceptions
    from aiohttp import web
    from aiohttp.http_exceptions import HttpProcessingError
    from aiohttp.typedefs import Handler
    from multidict import CIMultiDict
    from yarl import URL

    if tuple(map(int, re.findall(r"\d+", aiohttp.__version__)[:3])) < (3, 11, 16):
        raise ImportError(f"aiohttp {aiohttp.__version__} is too old: 3.11.16 or newer is wanted")
except ImportError as error:
    folder = shlex.quote(os.path.dirname(os.path.abspath(__file__)))
    sys.exit(f"""relay.py: {error}. `make run` fetches what it needs (`make install` again, where that installed it), and so do
these two lines, on Debian after `apt install python3-venv`:
  python3 -m venv {folder}/.venv && {folder}/.venv/bin/python -m pip install aiohttp pynacl
  {folder}/.venv/bin/python {folder}/relay.py""")

try:  # for Web Push alone; without it the relay does all else
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, utils
except ImportError:
    ec = None  # type: ignore[assignment]

try:  # for a first visit that is a sixth smaller
    import brotli  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    brotli = None

__version__ = "2.1.0"

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
log = logging.getLogger("io3233")

# ======================================================================================================================
# 1. Configuration
#
# Everything comes from the environment and is checked before anything is opened. A relay that started with a value
# it only half understood would fail later, at night; so every bad value stops the start, and all of them are named
# at once. Secrets are never repeated in a message.

KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16  # what a NaCl box adds
MIN_JWT_SECRET_BYTES = 32  # RFC 7518, section 3.2: an HS256 key is at least as long as the hash

ENV_FILE = Path(os.path.abspath(__file__)).with_name(".env")  # beside the relay.py that was named, though it be a link
HOW_TO_START = f"""JWT_SECRET is not set: it signs everybody's tokens. Type these two lines; the first keeps a secret for next time:
  (umask 077; echo "JWT_SECRET=$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')" >> {shlex.quote(str(ENV_FILE))})
  {shlex.join(sys.orig_argv)}"""


class ConfigError(Exception):
    """The environment cannot be used; the message has one line for each mistake."""


def web_origin(text: str) -> str:
    """The origin of a web address as browsers write it (RFC 6454): lower case, no default port, no trailing slash."""
    url = URL(text.rstrip("/"))
    rest = (url.path.strip("/"), url.query_string, url.fragment, url.user)
    if url.scheme not in ("http", "https") or not url.host or any(rest):
        raise ValueError(text)
    return str(url.origin())


# Parsers of settings: the Config fields that a text gives, or ValueError.
Parser = Callable[[str], dict[str, Any]]


def parse_bind(text: str) -> dict[str, Any]:
    if text.startswith("unix:/"):
        return {"unix_socket": Path(text.removeprefix("unix:"))}
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\s]+):([0-9]{1,5})", text)
    if not match or int(match[2]) > 65535:
        raise ValueError(text)
    return {"host": match[1].strip("[]"), "port": int(match[2])}


def parse_database_url(text: str) -> dict[str, Any]:
    match = re.fullmatch(r"sqlite:(?!(?://)?:memory:)(?://)?([^?]+)(?:\?mode=(rwc|rw))?", text)
    if not match or "%00" in match[1]:
        raise ValueError(text)
    return {"database": urllib.parse.unquote(match[1]), "create_database": match[2] != "rw"}


def parse_origins(text: str) -> dict[str, Any]:
    return {"origins": tuple(web_origin(item.strip()) for item in text.split(",") if item.strip())}


def parse_push_hosts(text: str) -> dict[str, Any]:
    hosts = tuple(item.strip().lower().removesuffix(":443") for item in text.split(",") if item.strip())
    if not all(re.fullmatch(r"(\*\.)?[a-z0-9.-]+(:[1-9][0-9]{0,4})?", host) for host in hosts):
        raise ValueError(text)
    return {"push_hosts": hosts}


def parse_push_contact(text: str) -> dict[str, Any]:
    if not re.fullmatch(r"mailto:[^@\s]+@[^@\s]+|https://[^\s]+", text):
        raise ValueError(text)
    return {"push_contact": text}


def string(field: str) -> tuple[Parser, str]:
    return lambda text: {field: text}, "a text"


OFF, ON = ("0", "false", "no", "off"), ("1", "true", "yes", "on")


def switch(field: str) -> tuple[Parser, str]:
    def parse(text: str) -> dict[str, Any]:
        if text.lower() not in (*OFF, *ON):
            raise ValueError(text)
        return {field: text.lower() in ON}

    return parse, f"{', '.join(ON)}, or {', '.join(OFF)}"


def whole_number(field: str, low: int, high: int, unit: str) -> tuple[Parser, str]:
    def parse(text: str) -> dict[str, Any]:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return {field: int(text)}

    return parse, f"a whole number of {unit} from {low} to {high}"


SETTINGS: dict[str, tuple[Parser, str]] = {
    "BIND": (parse_bind, "host:port, such as 127.0.0.1:3233 or [::]:3233, or unix:/PATH"),
    "DATABASE_URL": (parse_database_url, "sqlite:PATH or sqlite:PATH?mode=rw, a file"),
    "ALLOW_INSECURE_JWT_SECRET": switch("insecure_secret"),
    "TRUST_FORWARDED_FOR": switch("trust_forwarded_for"),
    "JWT_EXPIRY_SEC": whole_number("jwt_expiry_seconds", 1, 315_360_000, "seconds"),
    "MESSAGE_TTL_DAYS": whole_number("message_ttl_days", 1, 3650, "days"),
    "MAX_MESSAGE_BYTES": whole_number("max_message_bytes", 1, 67_108_864, "bytes"),
    "MAILBOX_MAX_MESSAGES": whole_number("mailbox_max_messages", 1, 10**9, "messages"),
    "MAILBOX_MAX_BYTES": whole_number("mailbox_max_bytes", 1, 2**50, "bytes"),
    "NEWCOMERS_MAX_BYTES": whole_number("newcomers_max_bytes", 1, 2**50, "bytes"),
    "ORIGIN": (parse_origins, "web origins such as https://chat.example.com, comma-separated, without a path"),
    "INVITE_CODE": string("invite_code"),
    "METRICS_TOKEN": string("metrics_token"),
    "PUSH": switch("push"),
    "PUSH_HOSTS": (parse_push_hosts, "host names, comma-separated, such as *.push.apple.com or ntfy.example.com:8443"),
    "PUSH_CONTACT": (parse_push_contact, "mailto:ADDRESS or https://ADDRESS"),
    "RATE_LIMIT": switch("rate_limit"),
}  # and JWT_SECRET and STATIC_DIR, in `from_env`


def read_jwt_secret(text: str, insecure: bool, mistakes: list[str]) -> bytes:
    secret = text.encode(errors="surrogateescape")
    if not secret and insecure:
        return secrets.token_bytes(MIN_JWT_SECRET_BYTES)
    if not secret:
        mistakes.append(HOW_TO_START)
    elif len(secret) < MIN_JWT_SECRET_BYTES and not insecure:
        mistakes.append(f"JWT_SECRET is {len(secret)} bytes: make it {MIN_JWT_SECRET_BYTES} or more (openssl rand -hex 32)")
    return secret


def read_static_dir(text: str | None, mistakes: list[str]) -> Path | None:
    """Unset: the folder beside this file, when there is one. Empty: no web client."""
    path = Path(__file__).resolve().parent / "static" if text is None else Path(text)
    if text == "" or (text is None and not path.is_dir()):
        return None
    if not (path / "index.html").is_file():
        mistakes.append(f"STATIC_DIR={str(path)!r} cannot be used: it wants a folder with an index.html in it, or nothing")
    return path


PUSH_HOSTS = ("fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com")


@dataclasses.dataclass(frozen=True)
class Config:
    """The relay's settings. README.md has the table of their variables."""

    jwt_secret: bytes
    host: str = "0.0.0.0"  # noqa: S104 - a relay is there to be reached
    port: int = 3233
    unix_socket: Path | None = None  # instead of host and port
    database: str = "data.db"
    create_database: bool = True
    trust_forwarded_for: bool = False
    jwt_expiry_seconds: int = 604_800
    message_ttl_days: int = 14
    max_message_bytes: int = 262_144  # ciphertext + nonce + public key
    mailbox_max_messages: int = 10_000
    mailbox_max_bytes: int = 67_108_864
    newcomers_max_bytes: int = 0  # 0: a quarter of the disk that is free at start
    static_dir: Path | None = None
    origins: tuple[str, ...] = ()
    invite_code: str = ""
    metrics_token: str = ""
    push: bool = True
    push_hosts: tuple[str, ...] = PUSH_HOSTS
    push_contact: str = ""  # or else the first origin
    rate_limit: bool = True
    insecure_secret: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Config:
        """Read the settings. Raises ConfigError naming every variable that cannot be used."""
        fields: dict[str, Any] = {}
        mistakes: list[str] = []
        for variable, (parse, accepted) in SETTINGS.items():
            try:
                fields |= parse(environ[variable]) if environ.get(variable) else {}
            except ValueError:
                mistakes.append(f"{variable}={environ[variable]!r} cannot be used: it wants {accepted}")
        fields["static_dir"] = read_static_dir(environ.get("STATIC_DIR"), mistakes)
        fields["jwt_secret"] = read_jwt_secret(environ.get("JWT_SECRET", ""), bool(fields.get("insecure_secret")), mistakes)
        if mistakes:
            raise ConfigError("\n".join(mistakes))
        return cls(**fields)


def read_env_file(path: Path) -> dict[str, str]:
    """The NAME=value lines of a file, quoted as for a shell; none when it is not there. Raises ConfigError."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): let this user read it, or remove it") from None
    settings: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                [assignment] = shlex.split(line)
                name, value = assignment.split("=", 1)
                if not name.isidentifier() or "\0" in value:
                    raise ValueError(line)
            except ValueError:
                mend = "put single quotes around a value with spaces or other special characters"
                raise ConfigError(f"{path}, line {number} is not NAME=value: {mend}") from None
            settings[name] = value
    return settings


# ======================================================================================================================
# 2. Errors
#
# Anything may raise RelayError; section 10 turns it into the JSON answer. The message is for the person or programmer
# at the other end, so it says what to do. `reason` is the name that the refusal is counted under.


class CommandError(Exception):
    """The command cannot go on, or the database not be opened; the message says why and what to do."""


class RelayError(Exception):
    """A request that is answered with `status` and {"error": message}."""

    def __init__(self, status: int, message: str, *, reason: str = "", retry_after: int = 0):
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason or f"status_{status}"
        self.headers = {"Retry-After": str(retry_after)} if retry_after else {}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"


def bad_request(message: str) -> RelayError:
    return RelayError(400, message, reason="malformed")


def unauthorized(message: str) -> RelayError:
    return RelayError(401, message, reason="unauthorized")


# ======================================================================================================================
# 3. Encodings and fingerprints
#
# Strangers write these strings. They are read strictly, so that two readers can never take one string for different
# bytes, and every refusal names the field. Inside the relay keys and fingerprints are 32 raw bytes and times are whole
# milliseconds; base64, hex and RFC 3339 exist only at the edge.


def decode_base64(value: Any, field: str) -> bytes:
    """Bytes of a base64 string (RFC 4648, either alphabet, padded or not). Raises RelayError 400 for anything else."""
    try:
        value = value.replace("-", "+").replace("_", "/")
        if len(value) % 4 and "=" not in value:
            value += "=" * (-len(value) % 4)
        octets = binascii.a2b_base64(value, strict_mode=True)
        if len(value) != (len(octets) + 2) // 3 * 4:  # Python takes more padding than fits
            raise ValueError(field)
    except (AttributeError, TypeError, ValueError):
        raise bad_request(f"{field} must be a base64 string") from None
    return octets


def encode_base64(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode()


def decode_octets(value: Any, field: str, length: int) -> bytes:
    octets = decode_base64(value, field)
    if len(octets) != length:
        raise bad_request(f"{field} must be {length} bytes in base64, not {len(octets)}")
    return octets


def decode_key(value: Any, field: str) -> bytes:
    return decode_octets(value, field, KEY_BYTES)


def fingerprint_of(public_key: bytes) -> bytes:
    """A person's address: the SHA-256 of their public key."""
    return hashlib.sha256(public_key).digest()


def parse_fingerprint(value: Any, field: str = "fingerprint") -> bytes:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Fa-f]{64}", value):
        raise bad_request(f"{field} must be 64 hex digits")
    return bytes.fromhex(value)


def parse_integer(text: str, field: str) -> int:
    """A decimal integer of any size, clamped to what SQLite can compare an id with."""
    if not re.fullmatch(r"-?[0-9]{1,1000}", text):
        raise bad_request(f"{field} must be an integer")
    return max(-(2**63), min(int(text), 2**63 - 1))


LAST_TIME = 253_402_300_799_999  # milliseconds: the end of the year 9999, and of what RFC 3339 can say


def json_object(text: str | bytes | bytearray, **options: Any) -> dict[str, Any] | None:
    """The JSON object in a stranger's text (bytes are UTF-8), or None."""
    try:
        value = json.loads(text if isinstance(text, str) else text.decode(), **options)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@functools.lru_cache(256)
def rfc3339_seconds(seconds: int) -> str:
    return f"{datetime.fromtimestamp(min(seconds, LAST_TIME // 1000), UTC):%Y-%m-%dT%H:%M:%S}"


def rfc3339(milliseconds: int) -> str:
    return f"{rfc3339_seconds(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


def to_milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def put_last(entries: dict[K, V], key: K, value: V, limit: int) -> None:
    """Set an entry as the newest; beyond the limit the oldest goes."""
    entries.pop(key, None)
    entries[key] = value
    if len(entries) > limit:
        del entries[next(iter(entries))]


# ======================================================================================================================
# 4. Tokens
#
# A token is a JWT (RFC 7519) signed with HMAC-SHA256 (RFC 7515, RFC 7518). Only the one form that this relay writes is
# read: `alg` is exactly HS256, each part is canonical unpadded base64url (so a token has one spelling), nothing is
# `crit`ical. A signature that was checked a moment ago is remembered, because checking it costs more than the rest of
# a request; the memory is bounded, honours `exp`, and is emptied of an identity that leaves.

MAX_TOKEN_CHARACTERS = 2048
MAX_VERIFIED_TOKENS = 8192
TOKEN_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()


@dataclasses.dataclass(frozen=True, slots=True)
class Claims:
    fingerprint: bytes
    expires: float  # seconds since 1970, as `exp` is
    issued: float  # likewise; infinity where the token does not say
    registered_at: int | None  # milliseconds; None where the token does not say


def encode_base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Bytes of canonical unpadded base64url (RFC 7515, section 2); ValueError for any other spelling."""
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(octets) != text:
        raise ValueError("not canonical base64url")
    return octets


class Tokens:
    """Issues and verifies the tokens of one relay."""

    def __init__(self, secret: bytes, expiry_seconds: int):
        self._secret = secret
        self._expiry_seconds = expiry_seconds
        self.verified: dict[str, Claims] = {}  # oldest first; `remember` keeps it at MAX_VERIFIED_TOKENS
        self.generation = 0  # rises whenever an identity leaves; see `remember`

    def issue(self, fingerprint: bytes, registered_at: int, now: float) -> str:
        """A token that is good from now on. Its `iat` is never before the identity registered, in milliseconds, not
        even when the clock was set back since; `verify_token` refuses what is older than the identity, and what was made
        for an earlier registration of it."""
        issued_at = max(to_milliseconds(now), registered_at)
        claims = {"sub": fingerprint.hex(), "iat": issued_at / 1000, "exp": int(now) + self._expiry_seconds}
        claims["registered_at"] = registered_at
        signed = f"{TOKEN_HEADER}.{encode_base64url(json.dumps(claims).encode())}"
        return f"{signed}.{encode_base64url(hmac.digest(self._secret, signed.encode(), 'sha256'))}"

    def verify(self, token: str, now: float) -> Claims:
        """The token's claims. Raises RelayError 401 when they cannot be believed."""
        try:
            claims = self.verified.get(token) or self._read(token)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise unauthorized("the token is not one of this relay's: register again") from None
        if claims.expires <= now:
            raise unauthorized("the token has expired: register again")
        return claims

    def remember(self, token: str, claims: Claims, generation: int) -> None:
        """Skip the checks for this token from now on. `generation` is from before its identity was looked up: if
        anybody left since, the look-up may be stale and nothing is remembered."""
        if generation == self.generation:
            put_last(self.verified, token, claims, MAX_VERIFIED_TOKENS)

    def forget(self, fingerprint: bytes) -> None:
        self.generation += 1
        self.verified = {token: claims for token, claims in self.verified.items() if claims.fingerprint != fingerprint}

    def _read(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise ValueError("too long")
        header_text, claims_text, signature_text = token.split(".")
        signature = hmac.digest(self._secret, f"{header_text}.{claims_text}".encode(), "sha256")
        if not hmac.compare_digest(decode_base64url(signature_text), signature):
            raise ValueError("wrong signature")
        header, claims = json.loads(decode_base64url(header_text)), json.loads(decode_base64url(claims_text))
        if header["alg"] != "HS256" or "crit" in header:
            raise ValueError("not HS256")
        expires, issued = claims["exp"], claims.get("iat", math.inf)
        if type(expires) not in (int, float) or type(issued) not in (int, float) or not math.isfinite(expires):
            raise ValueError("exp must be a finite number")
        if not re.fullmatch(r"[0-9A-Fa-f]{64}", claims["sub"]):
            raise ValueError("sub must be a fingerprint")
        return Claims(bytes.fromhex(claims["sub"]), float(expires), float(issued), claims.get("registered_at"))


# ======================================================================================================================
# 5. Challenges and proofs
#
# To register, a client shows that it holds the secret key of the public key that it names. The challenge is not kept:
# it carries its own expiry and a MAC that binds it to the key, so asking costs the relay no memory, and nobody can
# cancel another's. Only proved challenges are remembered, until they expire, so that none is used twice.
#
# v1 proves by boxing the challenge. A hostile relay can abuse such a client as an oracle (name a contact's key as the
# relay's own and have bytes of its choice boxed to that contact), or pass on another relay's challenge. The bound
# proof is a MAC over the challenge, both keys and the relay's web origin: it opens nothing and is good for one relay.

CHALLENGE_TTL_SECONDS = 60
MAX_SPENT_CHALLENGES = 65_536
BOUND_PROOF_LABEL = b"io3233 register v1"


def derive_key(secret: bytes, label: str) -> bytes:
    return hmac.digest(secret, label.encode(), "sha256")


def shared_key(public_key: bytes, secret_key: bytes) -> bytes:
    """crypto_box_beforenm. Raises RelayError 400 for a public key of low order, with which nothing is secret."""
    try:
        return nacl.bindings.crypto_box_beforenm(public_key, secret_key)
    except (nacl.exceptions.CryptoError, RuntimeError):
        raise bad_request("public_key is not a usable X25519 key: make a new key pair") from None


def bound_proof(key: bytes, origin: str, client_public_key: bytes, server_public_key: bytes, challenge: bytes) -> bytes:
    """proof_mac (docs/PROTOCOL.md, "Bound proof"): 32 bytes. `key` is crypto_box_beforenm of the two parties' keys."""
    statement = b"\0".join((BOUND_PROOF_LABEL, origin.encode(), client_public_key + server_public_key + challenge))
    return hmac.digest(key, statement, "sha256")


def is_current(expiry: int, now: float) -> bool:
    """Whether a challenge can be used. One from further ahead than any was ever issued is of a clock set back since."""
    return 0 < expiry - to_milliseconds(now) <= CHALLENGE_TTL_SECONDS * 1000


class Registrar:
    """Issues challenges and judges proofs, for the relay whose JWT_SECRET is `secret`."""

    def __init__(self, secret: bytes):
        self._secret_key = derive_key(secret, "io3233 registration key v1")
        self._challenge_key = derive_key(secret, "io3233 challenge key v1")
        self.public_key = nacl.bindings.crypto_scalarmult_base(self._secret_key)
        self._spent: collections.OrderedDict[bytes, int] = collections.OrderedDict()  # challenge -> expiry; see `_spend`

    def challenge(self, public_key: bytes, now: float) -> bytes:
        """32 bytes: expiry (8, milliseconds), random (8), and a MAC (16) over both and the public key."""
        shared_key(public_key, self._secret_key)
        head = to_milliseconds(now + CHALLENGE_TTL_SECONDS).to_bytes(8) + secrets.token_bytes(8)
        return head + self._mac(head, public_key)

    def prove(self, body: dict[str, Any], public_key: bytes, challenge: bytes, origins: Iterable[str], now: float) -> None:
        """Returns when the proof in a request's body holds, and spends the challenge; else raises RelayError 400 or 401."""
        expiry = int.from_bytes(challenge[:8])
        if not hmac.compare_digest(challenge[16:], self._mac(challenge[:16], public_key)):
            raise bad_request("challenge was not issued for this key: ask for a new one")
        if not is_current(expiry, now):
            raise bad_request("challenge has expired: ask for a new one")
        if challenge in self._spent:
            raise bad_request("challenge has been used: ask for a new one")
        if not self._holds(body, public_key, challenge, origins):
            raise unauthorized("the proof does not match: make it with the key's own secret key, for this relay's origin")
        self._spend(challenge, expiry, now)

    def _holds(self, body: dict[str, Any], public_key: bytes, challenge: bytes, origins: Iterable[str]) -> bool:
        key = shared_key(public_key, self._secret_key)
        if "proof_mac" in body:
            mac = decode_key(body["proof_mac"], "proof_mac")
            expected = [bound_proof(key, origin, public_key, self.public_key, challenge) for origin in origins]
            return any([hmac.compare_digest(mac, each) for each in expected])  # noqa: C419 - all, so that time tells nothing
        nonce = decode_octets(body.get("proof_nonce"), "proof_nonce", NONCE_BYTES)
        box = decode_octets(body.get("proof_ciphertext"), "proof_ciphertext", KEY_BYTES + TAG_BYTES)
        try:
            return hmac.compare_digest(nacl.bindings.crypto_box_open_afternm(box, nonce, key), challenge)
        except nacl.exceptions.CryptoError:
            return False

    def _mac(self, head: bytes, public_key: bytes) -> bytes:
        return hmac.digest(self._challenge_key, head + public_key, "sha256")[:16]

    def _spend(self, challenge: bytes, expiry: int, now: float) -> None:
        while self._spent and not is_current(next(iter(self._spent.values())), now):
            self._spent.popitem(last=False)
        if len(self._spent) >= MAX_SPENT_CHALLENGES:
            raise RelayError(503, "too many registrations just now: try again in a minute", retry_after=60)
        self._spent[challenge] = expiry


# ======================================================================================================================
# 6. Storage
#
# What it promises: when `add_message` returns, the message is on disk, synced, and stays there through kill -9 or a
# power cut. Ids rise in the order of commits and are never used twice (AUTOINCREMENT), since clients keep them as
# cursors.
#
# How: one thread owns the connection that writes. It takes whatever jobs are waiting, runs them in one transaction,
# commits (WAL, synchronous=FULL: one sync for all of them), and only then settles their futures. Nobody waits for a
# batch to fill: a lone job is a batch of one. A job checks before it writes, so a refusal undoes nothing; a failing
# disk rolls the whole batch back, and each job is then tried alone, so that one cannot fail its neighbours.
#
# Reads have a connection and thread of their own and see committed data only. Each thousand pages of the WAL, SQLite
# moves them into the database file with the commit. While it serves, the event loop never touches SQLite.
#
# A deletion writes too, and so does moving the WAL. So new mail is refused a good while before the disk is full: what
# is left is for acknowledging and pruning, which make room again.
#
# Beside the queued mail stands how much of it waits for each recipient, in all (an empty `sender_public_key`) and from
# each sender. Triggers keep that with every row that comes or goes, so a full mailbox is known at once, also after a start.
#
# An older relay's file is brought up to this schema in one transaction: a crash in the midst of it changes nothing.

MIGRATIONS = (  # the step at index N makes schema N + 1 of schema N; 0 is an empty file
    """
CREATE TABLE identities (
    fingerprint BLOB PRIMARY KEY,
    public_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient_fingerprint BLOB NOT NULL,
    sender_public_key BLOB NOT NULL,
    nonce BLOB NOT NULL,
    ciphertext BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX messages_by_recipient ON messages (recipient_fingerprint, id);
CREATE INDEX messages_by_expiry ON messages (expires_at);
""",
    """
CREATE TABLE mailboxes (
    recipient_fingerprint BLOB NOT NULL,
    sender_public_key BLOB NOT NULL,
    messages INTEGER NOT NULL,
    ciphertext_bytes INTEGER NOT NULL,
    PRIMARY KEY (recipient_fingerprint, sender_public_key)
) WITHOUT ROWID;
INSERT INTO mailboxes  -- row by row, since to sort a million might take more room than there is for temporary files
    SELECT recipient_fingerprint, sender_public_key, 1, length(ciphertext) FROM messages WHERE true
    ON CONFLICT DO UPDATE SET
        messages = messages + 1, ciphertext_bytes = ciphertext_bytes + excluded.ciphertext_bytes;
INSERT INTO mailboxes
    SELECT recipient_fingerprint, x'', sum(messages), sum(ciphertext_bytes) FROM mailboxes GROUP BY recipient_fingerprint;
CREATE TRIGGER message_queued AFTER INSERT ON messages BEGIN
    INSERT INTO mailboxes VALUES
        (NEW.recipient_fingerprint, x'', 1, length(NEW.ciphertext)),
        (NEW.recipient_fingerprint, NEW.sender_public_key, 1, length(NEW.ciphertext))
    ON CONFLICT DO UPDATE SET
        messages = messages + 1, ciphertext_bytes = ciphertext_bytes + excluded.ciphertext_bytes;
END;
CREATE TRIGGER message_deleted AFTER DELETE ON messages BEGIN
    UPDATE mailboxes SET messages = messages - 1, ciphertext_bytes = ciphertext_bytes - length(OLD.ciphertext)
        WHERE recipient_fingerprint = OLD.recipient_fingerprint AND sender_public_key IN (x'', OLD.sender_public_key);
    DELETE FROM mailboxes WHERE messages = 0
        AND recipient_fingerprint = OLD.recipient_fingerprint AND sender_public_key IN (x'', OLD.sender_public_key);
END;
CREATE INDEX identities_by_age ON identities (created_at);
CREATE TABLE push_subscriptions (
    fingerprint BLOB NOT NULL,
    endpoint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, endpoint)
) WITHOUT ROWID;
""",
)
SCHEMA_VERSION = len(MIGRATIONS)

STATEMENTS = {
    "add_identity": "INSERT INTO identities (fingerprint, public_key, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    "get_identity": "SELECT public_key, created_at FROM identities WHERE fingerprint = ?",
    "search_fingerprints": "SELECT fingerprint FROM identities WHERE fingerprint BETWEEN ? AND ? ORDER BY fingerprint LIMIT 10",
    "delete_identity": "DELETE FROM identities WHERE fingerprint = ?",
    "get_mailbox": "SELECT public_key, created_at, coalesce(whole.messages, 0), coalesce(whole.ciphertext_bytes, 0),"
    " coalesce(share.messages, 0), coalesce(share.ciphertext_bytes, 0) FROM identities"
    " LEFT JOIN mailboxes AS whole ON whole.recipient_fingerprint = fingerprint AND whole.sender_public_key = x''"
    " LEFT JOIN mailboxes AS share ON share.recipient_fingerprint = fingerprint AND share.sender_public_key = ?2"
    " WHERE fingerprint = ?1",
    "get_share": "SELECT messages, ciphertext_bytes FROM mailboxes WHERE recipient_fingerprint = ? AND sender_public_key = ?",
    "measure_newcomers": "SELECT coalesce(sum(ciphertext_bytes + messages * ?), 0) FROM identities CROSS JOIN mailboxes"
    " ON recipient_fingerprint = fingerprint AND sender_public_key = x'' WHERE created_at > ?",
    "get_push_subscriptions": "SELECT endpoint, created_at FROM push_subscriptions WHERE fingerprint = ?",
    "add_push_subscription": "INSERT INTO push_subscriptions (fingerprint, endpoint, created_at) VALUES (?, ?, ?)",
    "delete_push_subscription": "DELETE FROM push_subscriptions WHERE fingerprint = ? AND endpoint = ?",
    "delete_push_subscriptions": "DELETE FROM push_subscriptions WHERE fingerprint = ?",
    "add_message": "INSERT INTO messages (recipient_fingerprint, sender_public_key, nonce, ciphertext, created_at, expires_at)"
    " VALUES (?, ?, ?, ?, ?, ?)",
    "get_page": "SELECT id, ciphertext, nonce, sender_public_key, created_at, expires_at FROM messages"
    " WHERE recipient_fingerprint = ? AND id > ? AND expires_at > ? ORDER BY id LIMIT ?",
    "get_newest_time": "SELECT created_at FROM messages WHERE id = (SELECT max(id) FROM messages)",
    "get_parties": "SELECT recipient_fingerprint, sender_public_key FROM messages WHERE id = ?",
    "delete_message": "DELETE FROM messages WHERE id = ?",
    "acknowledge": "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE recipient_fingerprint = ? AND id <= ?"
    " ORDER BY id LIMIT ?)",
    "prune": "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
}

MAX_BATCH = 256  # jobs in a transaction
MAX_WAITING_JOBS = 2048  # beyond it a write is refused with 503
MAX_WRITERS = 4096  # of whom is known whom they wrote to,
MAX_WRITTEN_TO = 64  # and that of so many each
DAY_MS = 86_400_000
MAX_ENDPOINTS = 8  # to push to, of an identity
MESSAGE_BYTES = 512  # that a message takes on disk beside its ciphertext
DELETE_SLICE = 256  # rows; a deletion of more goes in several transactions, so that senders get in between
VACUUM_SLICE = 256  # pages
EMPTY_SHARE = 0.25  # of the file; from here on it is made smaller
WAL_BYTES = 4 * 1024 * 1024  # what the WAL keeps of the disk after a reader, or a long batch, made it grow
RESERVE_BYTES = 32 * 1024 * 1024  # of the disk, or an eighth of a small one, that is left for deletions
CHECK_SECONDS = 10
BUSY_SECONDS = 5  # for another program to let go of the database
REPORT_SECONDS = 60  # a disk that goes on failing is a line a minute in the log, and not thousands
COMMIT_BYTES = 32 * 1024  # of the WAL that a commit takes beside its rows: pages of indexes, maps and counters
WRITING = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=FAST",  # Debian's default writes every freed page once more, as zeroes
    f"journal_size_limit={WAL_BYTES}",
)


def database_bytes(connection: sqlite3.Connection) -> int:
    """What a database takes on disk, or will when the WAL has moved into it."""
    pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages * page_bytes)


def measure_room(connection: sqlite3.Connection, path: str) -> int:
    """Bytes of the disk that new mail may take: what is free, less what the file has yet to grow by when the WAL moves
    into it, less a reserve for deletions."""
    disk = os.statvfs(os.path.dirname(path) or ".")
    growth = max(0, database_bytes(connection) - os.path.getsize(path))
    reserve = min(RESERVE_BYTES, disk.f_blocks * disk.f_frsize // 8)
    return int(disk.f_bavail * disk.f_frsize - growth - reserve)


def disk_failure(verb: str) -> RelayError:
    message = f"the relay cannot {verb} just now: try again later"
    return RelayError(503, message, reason="disk_failure", retry_after=5)


class Envelope(NamedTuple):
    """A ciphertext on its way in, as parsed from a request; in the order of the table's columns."""

    recipient: bytes
    sender_public_key: bytes
    nonce: bytes
    ciphertext: bytes


class Receipt(NamedTuple):
    """A message that is stored; times are in milliseconds."""

    id: int
    created_at: int
    expires_at: int


Waiting = Sequence[int]  # how many messages wait in a mailbox, or some of them, and the bytes of their ciphertext
Row = tuple[int, bytes, bytes, bytes, int, int]  # id, ciphertext, nonce, sender_public_key, created_at, expires_at
Page = tuple[list[Row], bool]


class Job(NamedTuple):
    """One write: `run(connection)` is called in a transaction, perhaps twice, and its result settles the future."""

    run: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]


# What /metrics tells: plain numbers, never who. Each is changed by one thread only.
Metrics = collections.defaultdict[str, float]


def connect(path: str, *pragmas: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=64, timeout=BUSY_SECONDS
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def unusable(path: str, error: Exception) -> CommandError:
    return CommandError(f"cannot use the database {path}: {error}. DATABASE_URL must name a new or own file, to write to")


def check_schema(connection: sqlite3.Connection, path: str) -> int:
    """The schema of a file, 0 for an empty one. Refuses a newer relay's and another program's."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if {"users", "_sqlx_migrations"} <= tables:
        raise CommandError(f"{path} belongs to the original 3233.io server: docs/deploy/takeover.py takes it over")
    if version > SCHEMA_VERSION:
        raise CommandError(
            f"{path} was written by a newer relay (schema {version}, not {SCHEMA_VERSION}): upgrade relay.py"
        )
    if version == 0 and tables:
        raise CommandError(f"{path} is a database of another program: point DATABASE_URL at another file")
    return version


def open_database(path: str, create: bool) -> sqlite3.Connection:
    """The connection that writes, to a database that is made, or brought up, to this version. Raises CommandError when the
    file cannot be that."""
    if not create and not Path(path).exists():
        raise CommandError(f"there is no database at {path}: check DATABASE_URL, or let it end in ?mode=rwc to make one")
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # only a new file takes it; see `prune`
            if missing := MIGRATIONS[check_schema(connection, path) :]:
                connection.execute("PRAGMA journal_mode=WAL")
                steps = "".join(missing)
                connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        return connect(path, *WRITING)
    except sqlite3.Error as error:
        raise unusable(path, error) from None


def lock_database(path: str) -> int:
    """The descriptor that, until it is closed, holds the lock of the one relay that may write to a database. It is of a
    file beside it: the database's own locks are SQLite's."""
    try:
        lock = os.open(path + "-lock", os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(f"another relay has {path} open: stop it, or let DATABASE_URL name another file") from None
    except OSError as error:
        raise unusable(path, error) from None
    return lock


def files_of(path: str) -> list[tuple[int, int]]:
    """Which files (device, inode) a database that is open consists of. Raises OSError when one is gone."""
    return [(file.st_dev, file.st_ino) for file in (os.stat(path + suffix) for suffix in ("", "-wal", "-shm"))]


def vacuum(connection: sqlite3.Connection) -> None:
    """Give a slice of empty pages back. Python's sqlite3 steps this pragma, which has rows without columns, only once
    a call, and so one page at a time whatever number it is given."""
    for _ in range(VACUUM_SLICE):
        connection.execute("PRAGMA incremental_vacuum(1)")


class Store:
    """The identities and queued messages of one relay. Methods are for the event loop; `open` starts the writer."""

    def __init__(self, config: Config, metrics: Metrics | None = None):
        self._config = config
        self._metrics = metrics if metrics is not None else Metrics(int)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()  # for the writer; None, which ends it, is the last
        self.waiting_jobs = 0  # jobs whose result is yet to come; `_write` bounds it
        self._path = os.path.realpath(config.database)  # SQLite too puts its files beside what a link points to
        self._written_to: dict[bytes, dict[bytes, None]] = {}  # the writer's: keys by sender; least recently used first
        self._newcomers_bytes = 0
        self._is_closed = False
        self._is_broken = False  # for good: nothing is written any more
        self._reported: dict[str, float] = {}  # by verb, when (monotonic); each of two threads has its own
        self._room = 0  # bytes that are left in the transaction under way; the writer's
        self.is_full = False  # new mail is refused until there is room again
        self.identity_count = 0

    # Life

    def open(self) -> None:
        """Open or make the database. Call it in the event loop. Raises CommandError."""
        self._loop, config = asyncio.get_running_loop(), self._config
        self._lock = lock_database(self._path)
        files = [path for path in (self._path, self._path + "-wal") if os.path.exists(path)]
        self.last_written = max(map(os.path.getmtime, files), default=time.time())  # in seconds since 1970
        self._newcomers_limit = config.newcomers_max_bytes or shutil.disk_usage(os.path.dirname(self._path)).free // 4
        self._connection = open_database(config.database, config.create_database)
        try:
            self.identity_count = self._connection.execute("SELECT count(*) FROM identities").fetchone()[0]
            self._reading = connect(config.database, "query_only=1")
        except sqlite3.Error as error:
            raise unusable(config.database, error) from None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._files, self._file_bytes = files_of(self._path), os.path.getsize(self._path)
        self._writer = threading.Thread(target=self._write_until_closed, name="writer")
        self._writer.start()

    async def close(self) -> None:
        """Commit what is waiting, move the WAL into the file, and end the threads."""
        self._is_closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._reader.shutdown)
        self._reading.close()
        self._connection.close()
        os.close(self._lock)

    # Identities

    async def add_identity(self, public_key: bytes, now: float) -> int:
        """Register a key, unless it is registered; when it was, in milliseconds."""
        row = (fingerprint_of(public_key), public_key, to_milliseconds(now))

        def insert(db: sqlite3.Connection) -> tuple[int, int]:
            if known := db.execute(STATEMENTS["get_identity"], row[:1]).fetchone():
                return 0, known[1]
            self._take_room(2 * KEY_BYTES)
            return db.execute(STATEMENTS["add_identity"], row).rowcount, row[2]

        added, registered_at = await self._write(insert)
        self.identity_count += added
        return registered_at

    async def get_identity(self, fingerprint: bytes) -> tuple[bytes, int] | None:
        """(public key, when it registered in milliseconds), or None."""
        found = await self._select("get_identity", fingerprint)
        return found[0] if found else None

    async def search_fingerprints(self, prefix: str) -> list[bytes]:
        """At most ten fingerprints that begin with these hex digits."""
        bounds = bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))
        return [row[0] for row in await self._select("search_fingerprints", *bounds)]

    async def forget_identity(self, fingerprint: bytes) -> None:
        """Delete an identity and the mail queued for it. The mail goes first, so that a crash in between leaves an
        identity with less mail, never mail that its next registration would find."""
        await self.acknowledge(fingerprint, 2**63 - 1)

        def delete(db: sqlite3.Connection) -> int:
            db.execute(STATEMENTS["acknowledge"], (fingerprint, 2**63 - 1, -1))  # all that came since
            self._written_to.pop(fingerprint, None)
            db.execute(STATEMENTS["delete_push_subscriptions"], (fingerprint,))
            return db.execute(STATEMENTS["delete_identity"], (fingerprint,)).rowcount

        deleted = await self._write(delete)  # not in the next line: it would read the count before it waits
        self.identity_count -= deleted

    # Push subscriptions

    async def add_push_subscription(self, fingerprint: bytes, endpoint: str, now: float) -> bool:
        """Remember an endpoint of an identity, in place of its oldest when it has too many; False when it is known."""

        def insert(db: sqlite3.Connection) -> bool:
            if not db.execute(STATEMENTS["get_identity"], (fingerprint,)).fetchone():  # it left while the body came
                raise unauthorized("the token's identity is not registered here: register again")
            known = dict(db.execute(STATEMENTS["get_push_subscriptions"], (fingerprint,)).fetchall())
            if endpoint in known:
                return False
            self._take_room(len(endpoint))
            if len(known) >= MAX_ENDPOINTS:
                db.execute(STATEMENTS["delete_push_subscription"], (fingerprint, min(known, key=lambda each: known[each])))
            db.execute(STATEMENTS["add_push_subscription"], (fingerprint, endpoint, to_milliseconds(now)))
            return True

        return await self._write(insert)

    async def get_endpoints(self, fingerprint: bytes) -> list[str]:
        return [endpoint for endpoint, _ in await self._select("get_push_subscriptions", fingerprint)]

    async def delete_push_subscription(self, fingerprint: bytes, endpoint: str) -> None:
        await self._write(lambda db: db.execute(STATEMENTS["delete_push_subscription"], (fingerprint, endpoint)).rowcount)

    # Messages

    async def add_message(self, envelope: Envelope, now: float) -> Receipt:
        """Queue one ciphertext; it is durable when this returns. Raises RelayError 404 for an unknown recipient, 507
        when the mailbox, the sender's share of it or the disk is full, 503 when the disk fails."""
        created_at = to_milliseconds(now)
        expires_at = created_at + self._config.message_ttl_days * DAY_MS
        row = (*envelope, created_at, expires_at)
        if expires_at > LAST_TIME:
            raise RelayError(503, "the relay's clock is wrong: tell whoever runs it", reason="clock")

        def insert(db: sqlite3.Connection) -> Receipt:
            recipient = db.execute(STATEMENTS["get_mailbox"], envelope[:2]).fetchone()
            if recipient is None:
                raise RelayError(404, "the recipient is not registered on this relay", reason="unknown_recipient")
            public_key, registered_at = recipient[:2]
            self._take_room(len(envelope.ciphertext))
            self._take_share(db, envelope, public_key, recipient[2:4], recipient[4:])
            if registered_at > created_at - DAY_MS:
                self._take_newcomers_room(len(envelope.ciphertext))
            self._remember_written_to(fingerprint_of(envelope.sender_public_key), public_key)
            message_id = db.execute(STATEMENTS["add_message"], row).lastrowid
            return Receipt(message_id or 0, created_at, expires_at)

        return await self._write(insert)

    async def measure_newcomers(self, now: float) -> None:
        """Count anew what waits for identities that are younger than a day. Between two counts it is only added to."""
        [[self._newcomers_bytes]] = await self._select("measure_newcomers", MESSAGE_BYTES, to_milliseconds(now) - DAY_MS)

    async def get_page(self, recipient: bytes, after_id: int, limit: int, max_bytes: int, now: float) -> Page:
        """Unexpired rows of an inbox with ids over `after_id`, ascending, at most `limit` of them and `max_bytes` of
        ciphertext, but one at least; and whether there are more."""
        wanted = (recipient, after_id, to_milliseconds(now), limit + 1)

        def select(db: sqlite3.Connection) -> Page:
            rows: list[Row] = []
            size = 0
            with closing(db.execute(STATEMENTS["get_page"], wanted)) as cursor:
                for row in cursor:
                    size += len(row[1])
                    if len(rows) == limit or (rows and size > max_bytes):
                        return rows, True
                    rows.append(row)
            return rows, False

        return await self._read(select)

    async def acknowledge(self, recipient: bytes, through_id: int) -> int:
        """Delete a recipient's mail up to an id, in slices; how many there were."""
        return await self._delete_in_slices("acknowledge", recipient, through_id)

    async def delete_message(self, message_id: int, party: bytes) -> bool:
        """Delete one message of which `party` is the recipient or the sender; False when there is none."""

        def delete(db: sqlite3.Connection) -> bool:
            row = db.execute(STATEMENTS["get_parties"], (message_id,)).fetchone()
            if row is None or party not in (row[0], fingerprint_of(row[1])):
                return False
            db.execute(STATEMENTS["delete_message"], (message_id,))
            return True

        return await self._write(delete)

    async def prune(self, now: float) -> int:
        """Delete expired mail; how many there were. When a good part of the file is empty, give it back to the file
        system (less is left for the mail to come)."""
        deleted = await self._delete_in_slices("prune", to_milliseconds(now))
        count = "SELECT freelist_count, page_count FROM pragma_freelist_count, pragma_page_count"
        free, pages = await self._write(lambda db: db.execute(count).fetchone())
        for _ in range(0, free if self.is_full or free > pages * EMPTY_SHARE else 0, VACUUM_SLICE):
            await self._write(vacuum)
        return deleted

    async def check(self) -> None:
        """Raises RelayError 503 when either thread cannot do its work, TimeoutError when one does not come to it."""
        async with asyncio.timeout(CHECK_SECONDS):
            await self._read(lambda db: db.execute("SELECT 1 FROM identities LIMIT 1").fetchone())
            await self._write(lambda db: None)

    def file_bytes(self) -> int:
        """What the database and its WAL take on disk."""
        paths = [Path(self._config.database + suffix) for suffix in ("", "-wal")]
        return sum(path.stat().st_size for path in paths if path.exists())

    # Inside a transaction, on the writer's thread

    def _take_room(self, size: int) -> None:
        """Raise RelayError 507 unless the disk can hold so many bytes more, in the WAL and then in the file."""
        self._room -= 2 * size + COMMIT_BYTES
        self.is_full = self._room < 0
        if self.is_full:
            self._report("take mail", "the disk is nearly full")
            raise RelayError(507, "the relay's disk is full: try again later", reason="disk_full")

    def _take_share(self, db: sqlite3.Connection, envelope: Envelope, owner: bytes, whole: Waiting, share: Waiting) -> None:
        """Raise RelayError 507 unless there is room in a mailbox, and in its sender's share of it: a half for whom the
        owner has written to (as far as is remembered), an eighth for any other, and a quarter for all of those. Whoever
        has nothing waiting may send one message, however large."""
        recipient, sender, size = envelope.recipient, envelope.sender_public_key, len(envelope.ciphertext)
        most, most_bytes = self._config.mailbox_max_messages, self._config.mailbox_max_bytes
        written_to = self._written_to.get(recipient, {})  # public keys
        is_known = sender == owner or sender in written_to

        def overflows(waiting: Waiting, part: float) -> bool:
            return waiting[0] > 0 and (waiting[0] + 1 > part * most or waiting[1] + size > part * most_bytes)

        if overflows(whole, 1):
            message = "the recipient's mailbox is full: try again when they have fetched their mail"
            raise RelayError(507, message, reason="mailbox_full")
        is_over = overflows(share, 1 / 2 if is_known else 1 / 8)
        if not is_known and not is_over and overflows(whole, 1 / 4):
            keys = {owner, *written_to}
            known = [db.execute(STATEMENTS["get_share"], (recipient, key)).fetchone() or (0, 0) for key in keys]
            others = [of_all - sum(of_known) for of_all, *of_known in zip(whole, *known, strict=True)]
            is_over = overflows(others, 1 / 4)
        if is_over:
            message = "your share of the recipient's mailbox is full: try again when they have fetched their mail"
            raise RelayError(507, message, reason="share_full")

    def _remember_written_to(self, sender: bytes, recipient_public_key: bytes) -> None:
        """Never on disk: it would tell more than the mail that waits there."""
        written_to = self._written_to.get(sender, {})
        put_last(written_to, recipient_public_key, None, MAX_WRITTEN_TO)
        put_last(self._written_to, sender, written_to, MAX_WRITERS)

    def _take_newcomers_room(self, size: int) -> None:
        """Identities cost nothing, and each has a mailbox: only those that have been there for a day may fill the disk."""
        if self._newcomers_bytes + size + MESSAGE_BYTES > self._newcomers_limit:
            message = "this relay holds no more mail for identities younger than a day: try again later"
            raise RelayError(507, message, reason="newcomers_full")
        self._newcomers_bytes += size + MESSAGE_BYTES

    async def _delete_in_slices(self, statement: str, *parameters: Any) -> int:
        total, deleted, slice_of = 0, DELETE_SLICE, (*parameters, DELETE_SLICE)
        while deleted == DELETE_SLICE:
            deleted = await self._write(lambda db: db.execute(STATEMENTS[statement], slice_of).rowcount)
            total += deleted
        return total

    # Threads

    async def _read(self, select: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._loop.run_in_executor(self._reader, select, self._reading)
        except sqlite3.Error as error:
            self._report("read", error)
            raise disk_failure("read") from None

    async def _select(self, statement: str, *parameters: Any) -> list[Any]:
        return await self._read(lambda db: db.execute(STATEMENTS[statement], parameters).fetchall())

    def _write(self, run: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        if self.waiting_jobs >= MAX_WAITING_JOBS or self._is_closed:
            raise RelayError(503, "the relay is busy: try again in a moment", reason="busy", retry_after=1)
        future: asyncio.Future[T] = self._loop.create_future()
        self.waiting_jobs += 1
        self._jobs.put(Job(run, future))
        return future

    def _write_until_closed(self) -> None:
        try:
            while job := self._jobs.get():
                batch = [job]
                while len(batch) < MAX_BATCH and not self._jobs.empty() and (job := self._jobs.get()):
                    batch.append(job)
                self._loop.call_soon_threadsafe(self._settle, batch, self._commit(batch))
                if not job:
                    break
                del job, batch  # or its ciphertexts would stay in memory until there is another
                self._make_room()
        except BaseException:  # a relay that can write no more ends, and is started again; all that it promised is on disk
            log.critical("the thread that writes the database has died", exc_info=True)
            os._exit(1)

    def _make_room(self) -> None:
        if self.is_full:
            self._connection.execute("PRAGMA busy_timeout=0")  # a program that reads for long is not waited for
            with suppress(sqlite3.Error):  # the next commit reports it
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # what it took is room
            self._connection.execute(f"PRAGMA busy_timeout={1000 * BUSY_SECONDS}")
            self._file_bytes = 0  # or the next commit might wonder what it lost

    def _commit(self, batch: list[Job]) -> list[Any]:
        """Run the jobs in one transaction; each one's result or exception."""
        if self._is_broken:
            return [disk_failure("write") for _ in batch]
        start = time.perf_counter()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:  # no job is to blame: somebody else holds the database, or it is gone
            with suppress(sqlite3.Error):
                self._connection.rollback()
            self._report("write", error)
            return [disk_failure("write") for _ in batch]
        try:
            self._room = measure_room(self._connection, self._config.database)
            outcomes = [self._attempt(job) for job in batch]
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever a job raises, this thread has to live on
            return self._recover(batch, error)
        self._check_files()
        if self._is_broken:  # what was written just now, nobody will find
            return [disk_failure("write") for _ in batch]
        self._metrics["commits_total"] += 1
        self._metrics["commit_seconds_total"] += time.perf_counter() - start
        return outcomes

    def _attempt(self, job: Job) -> Any:
        try:
            return job.run(self._connection)
        except RelayError as refusal:
            return refusal.with_traceback(None)  # which holds the job, which holds the future, which will hold the refusal

    def _recover(self, batch: list[Job], error: Exception) -> list[Any]:
        """The transaction failed: undo it, and try each job alone, unless it was alone."""
        with suppress(sqlite3.Error):
            self._connection.rollback()
        self._check_files()
        if len(batch) > 1:
            return [outcome for job in batch for outcome in self._commit([job])]
        if not isinstance(error, sqlite3.Error | OSError):
            return [error]
        self._report("write", error)
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return [RelayError(507, "the relay's disk is full: try again later", reason="disk_full")]
        return [disk_failure("write")]

    def _check_files(self) -> None:
        """Give up when the files that were opened are not those that the next start will find, or lack a piece."""
        try:
            size = os.path.getsize(self._path)
            is_whole = files_of(self._path) == self._files and (
                size >= self._file_bytes  # smaller it may be when a checkpoint took empty pages away from its end
                or size >= database_bytes(self._connection)
            )
            self._file_bytes = size
        except (OSError, sqlite3.Error):
            is_whole = False
        if not is_whole:
            self._give_up("it was removed, replaced or cut short while the relay had it open")

    def _give_up(self, reason: str) -> None:
        """Write nothing more: it would be acknowledged, and lost."""
        if not self._is_broken:
            self._is_broken = True
            mend = "stop the relay, keep a copy, put the right file or the newest backup in its place, and start it again"
            log.error("nothing is written to the database %s any more, since %s: %s", self._config.database, reason, mend)

    def _report(self, verb: str, error: Exception | str) -> None:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            self._give_up(f"it is damaged ({error})")
        elif not self._is_broken and time.monotonic() - self._reported.get(verb, -math.inf) > REPORT_SECONDS:
            self._reported[verb] = time.monotonic()
            log.error("the database cannot %s: %s", verb, error)

    def _settle(self, batch: list[Job], outcomes: list[Any]) -> None:
        self.waiting_jobs -= len(batch)
        for job, outcome in zip(batch, outcomes, strict=True):
            settle = job.future.set_exception if isinstance(outcome, Exception) else job.future.set_result
            if not job.future.done():  # its request was cancelled
                settle(outcome)


# ======================================================================================================================
# 7. Bounds
#
# Nobody may hurt the relay from one address, and nobody may fill its memory. Three bounds see to it:
#
#   Connections by address. Each address has a share of them, and a bucket for those that it makes anew: what breaks off
#   before it is a request costs nothing else. Behind a proxy, which all connections come from, it is a share of the
#   requests and WebSockets that are under way.
#
#   Bytes in flight. Bodies while they arrive and wait for the disk, and pages while they wait for their reader, come out
#   of one budget, of which again each address has a share. What finds no room is answered 503.
#
#   Work by address. Token buckets, one for each client and class of request. A request costs a token, and more when it
#   moves much. Signed-in calls are counted by identity too, so that in a household each has a share. A bucket that nobody
#   touched for a minute or two is full again, so the least recently used can be forgotten when there are too many.
#
# An IPv6 client is counted as its /64, because that is what one customer is given.
#
# They begin to count with a request, but aiohttp has made objects of all that arrived by then: of heads up to a megabyte,
# of requests that were sent ahead, of each frame of a WebSocket, and it hands those to us without a look at anybody else.
# So a connection's bytes pass `Connection` first, which knows just enough of HTTP/1.1 (RFC 9112) to let pass one request
# at a time: its head when it is whole and small, and a body as long as the head says. Those who send more than that are
# cut off, not answered politely.

MAX_CONNECTIONS = 10_000
MAX_CONNECTIONS_PER_ADDRESS = 256
MAX_HEAD_BYTES = 16 * 1024
MAX_HEAD_FIELDS = 64
MAX_CHUNK_HEAD_BYTES = 12
MAX_CHUNKS = 256  # of a body: each costs work and objects, however small
HEAD_SECONDS = 20  # for the first head of a connection to arrive
ANSWER_SECONDS = 3600  # between two looks for connections that have no answer yet, since aiohttp forgets some requests
FLIGHT_BYTES = 64 * 1024 * 1024
TOKEN_BYTES = 128 * 1024  # that a token pays for
REFUSAL_SECONDS = 1  # that an address without tokens waits for its refusal, or refusing would be as much work as serving
MAX_BUCKETS = 16_384
LIMITS = {  # class: (burst, requests a second)
    "address": (2000, 100),
    "register": (60, 1),
    "keys": (60, 1),
    "stats": (60, 1),
    "unauthorized": (60, 1),
    "identity": (120, 10),
    "frames": (16_384, 512),  # these are bytes, of all WebSockets of an identity
    "endpoints": (8192, 64),  # likewise, to push to: they stay for as long as their identity does
    "connections": (1024, 64),  # new ones of an address
}


class RateLimiter:
    """Token buckets. `take` raises RelayError 429 with Retry-After when a client asks too much."""

    def __init__(self, enabled: bool):
        self._enabled = enabled
        self._buckets: dict[tuple[str, Any], tuple[float, float]] = {}  # (tokens, when); least recently used first

    def take(self, kind: str, client: str | bytes, now: float, cost: int = 1) -> None:
        missing = -self.charge(kind, client, now, cost)
        if missing > 0:
            self.charge(kind, client, now, -cost)
            wait = math.ceil(missing / LIMITS[kind][1])
            raise RelayError(429, f"too many requests: try again in {wait} s", reason="rate_limit", retry_after=wait)

    def charge(self, kind: str, client: str | bytes, now: float, cost: int) -> float:
        """Take tokens for what is done already, on credit if need be; how many are left."""
        if not self._enabled:
            return 0.0
        burst, rate = LIMITS[kind]
        tokens, then = self._buckets.get((kind, client), (burst, now))
        tokens = min(burst, tokens + max(0.0, now - then) * rate) - cost
        put_last(self._buckets, (kind, client), (tokens, now), MAX_BUCKETS)
        return tokens


class Shares:
    """How much of something is in use: `total` at most, and by each address `each`."""

    def __init__(self, total: int, each: int):
        self._total, self._each = total, each
        self._by_address: dict[str, int] = {}  # of those that use any
        self.used = 0
        self.is_closed = False  # nothing is left for anybody

    def take(self, address: str, amount: int = 1) -> bool:
        """False when there is not so much left for this address. What is taken has to be given back, as less than nothing."""
        share = self._by_address.get(address, 0) + amount
        if amount > 0 and (self.is_closed or self.used + amount > self._total or share > self._each):
            return False
        self.used += amount
        self._by_address[address] = share
        if not share:
            del self._by_address[address]
        return True


@functools.lru_cache(4096)
def address_group(text: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one; empty when it is neither."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    address = getattr(address, "ipv4_mapped", None) or address
    return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))


FRAMING = re.compile(rb"\n(content-length|transfer-encoding|expect):[ \t]*([^\r\n]*)")  # of a head in lower case
LENGTH = re.compile(rb"[0-9]{1,1000}[ \t]*")
CHUNK = re.compile(rb"0{1,8}\r\n\r\n|(?!0+\r)([0-9A-Fa-f]{1,8})\r\n")  # the head of one, or the last
SWITCH = re.compile(rb"\Aconnect |\nupgrade:.*websocket")  # likewise: what aiohttp lets do so
EXPECT = re.compile(rb"^expect:[^\n]*\n", re.IGNORECASE | re.MULTILINE)


class Connection(asyncio.Protocol):
    """One connection: what it sends passes here on its way to `make()`, the protocol of aiohttp that answers."""

    def __init__(self, make: Callable[[], asyncio.Protocol], shares: Shares, pay: Callable[[str], None]):
        self._make, self._shares = make, shares
        self._pay = pay  # for a new connection of an address, or raises RelayError
        self._inner: asyncio.Protocol | None = None  # made with the first request: many connections bring none
        self._address: str | None = None  # None: no share is taken
        self._held = b""  # arrived, and not passed on yet
        self._due_bytes = 0  # of the request that is being read, or of its chunk, yet to pass
        self._chunks = 0  # that may come yet; 0: the body is not, or no longer, in chunks
        self._heads = 0  # that have passed
        self._is_answering = False
        self._charge: Callable[[int], None] | None = None  # on a WebSocket, pays for bytes or raises RelayError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername") or ("",)
        address = address_group(str(peer[0]))
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._transport.abort)
        with suppress(RelayError):  # it makes too many connections
            self._pay(address)
            self._address = address if self._shares.take(address) else None
        if self._address is None:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._timer.cancel()
        if self._address is not None:
            self._shares.take(self._address, -1)
        if self._inner:
            self._inner.connection_lost(error)

    def pause_writing(self) -> None:
        if self._inner:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner:
            self._inner.resume_writing()

    def data_received(self, octets: bytes) -> None:
        if self._shares.is_closed and not self._inner:
            self._transport.abort()
            return
        self._held += octets
        if self._charge:
            try:
                self._charge(len(self._held))
            except RelayError:
                self._transport.abort()
            self._pass_on(len(self._held))
        while self._held and not self._transport.is_closing():
            if self._due_bytes:
                self._due_bytes -= self._pass_on(self._due_bytes)
            elif self._chunks:
                if not self._read_chunk_head():
                    break
            elif self._is_answering or not self._pass_head():
                break
        if len(self._held) > MAX_HEAD_BYTES:
            self._transport.abort()

    def answered(self) -> None:
        """The answer begins: the next request may come."""
        self._is_answering = False
        if self._held:
            self.data_received(b"")

    def become_socket(self, charge: Callable[[int], None]) -> None:
        """From now on what comes are the frames of a WebSocket, each byte of which is charged for."""
        self._charge = charge
        self.data_received(b"")

    def _end_if_stuck(self, heads: int) -> None:
        """Abort if the answer to the newest head of the last look is yet to begin, and look again later. (A timer for each
        request was a third of what this class costs.)"""
        if self._is_answering and heads == self._heads:
            self._transport.abort()
        self._timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._end_if_stuck, self._heads)

    def _pass_on(self, size: int) -> int:
        octets, self._held = self._held[:size], self._held[size:]
        if self._inner and not self._transport.is_closing():
            self._inner.data_received(octets)
        return len(octets)

    def _pass_head(self) -> bool:
        """Let the next head pass, and with it what is here of its body, if it is here and nothing is wrong with it."""
        self._held = self._held.lstrip(b"\r\n")
        end = self._held.find(b"\r\n\r\n")
        head = self._held if end < 0 else self._held[: end + 4]
        if len(head) > MAX_HEAD_BYTES or head.count(b"\n") > MAX_HEAD_FIELDS + 2:
            return self._refuse(431, f"send at most {MAX_HEAD_FIELDS} header fields, of {MAX_HEAD_BYTES} bytes in all")
        if end < 0:
            return False
        lower = head.lower()
        framing = dict(FRAMING.findall(lower))
        length = framing.get(b"content-length", b"")
        self._due_bytes = int(length) if LENGTH.fullmatch(length) else 0  # aiohttp refuses all others
        if (coding := framing.get(b"transfer-encoding")) is not None:
            if coding != b"chunked" or length:
                return self._refuse(411, "send the body with a Content-Length")
            self._chunks = MAX_CHUNKS
        if (self._due_bytes or self._chunks) and SWITCH.search(lower):  # aiohttp 3.11 would keep it all, for nobody
            return self._refuse(400, "a request for another protocol has no body")
        if not self._inner:
            self._inner = self._make()
            self._inner.connection_made(self._transport)
        if b"expect" in framing:  # aiohttp's own answer to it fails, with a traceback, when the peer has left
            head = EXPECT.sub(b"", head)
        if framing.get(b"expect") == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._held = head + self._held[end + 4 :]
        self._due_bytes += len(head)
        self._heads += 1
        if self._heads == 1:
            self._timer.cancel()
            self._end_if_stuck(0)
        self._is_answering = True
        return True

    def _read_chunk_head(self) -> bool:
        """Whether it is here, so that its chunk (RFC 9112, section 7.1) may pass."""
        match = CHUNK.match(self._held)
        if not match and len(self._held) <= MAX_CHUNK_HEAD_BYTES and self._held.count(b"\n") < 2:
            return False
        if not match or self._chunks == 1:
            return self._refuse(411, "send the body with a Content-Length, or in fewer chunks without extras")
        self._due_bytes = match.end() + (int(match[1], 16) + 2 if match[1] else 0)
        self._chunks = self._chunks - 1 if match[1] else 0
        return True

    def _refuse(self, status: int, message: str) -> bool:
        body = json.dumps({"error": message})
        self._transport.write(
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: application/json\r\nAccess-Control-Allow-Origin: *\r\n\r\n{body}".encode()
        )
        self._transport.close()
        return False


class Turns:
    """One at a time of each identity, or origin: who comes meanwhile waits."""

    def __init__(self) -> None:
        self._locks: dict[bytes | str, asyncio.Lock] = {}  # of those that have a turn, or wait for one
        self.wanted: collections.Counter[bytes | str] = collections.Counter()  # how often

    @asynccontextmanager
    async def take(self, whose: bytes | str) -> AsyncIterator[None]:
        self.wanted[whose] += 1
        try:
            async with self._locks.setdefault(whose, asyncio.Lock()):
                yield
        finally:
            self.wanted[whose] -= 1
            if not self.wanted[whose]:
                del self.wanted[whose], self._locks[whose]


# ======================================================================================================================
# 8. Fan-out
#
# A hint says "message `id` is waiting"; the client then fetches. Losing one would be harmless, since clients also
# poll, so a hint never waits for a socket: each socket keeps only the newest id that it was not told yet, and a task
# that lives as long as there is something to say. A reader that stops reading costs one such id and one frame.

MAX_SOCKETS_PER_IDENTITY = 16
CLOSE_UNAUTHORIZED, CLOSE_REPLACED, CLOSE_GOING_AWAY = 4401, 4409, 1001
SHUTDOWN_SECONDS = 1.0


class Hub:
    """Who is connected, and how they hear of new messages."""

    def __init__(self) -> None:
        self._sockets: dict[bytes, list[web.WebSocketResponse]] = {}  # oldest first; MAX_SOCKETS_PER_IDENTITY each
        self._hints: dict[web.WebSocketResponse, int] = {}  # the newest id that each was not told yet, else 0
        self._tasks: set[asyncio.Task[None]] = set()  # one for each of these sockets, and each that is being closed
        self.socket_count = 0

    def add(self, fingerprint: bytes, ws: web.WebSocketResponse) -> None:
        sockets = self._sockets.setdefault(fingerprint, [])
        sockets.append(ws)
        self.socket_count += 1
        if len(sockets) > MAX_SOCKETS_PER_IDENTITY:
            self.close(fingerprint, sockets[0], CLOSE_REPLACED, "another device took this place")

    def remove(self, fingerprint: bytes, ws: web.WebSocketResponse) -> None:
        sockets = self._sockets.get(fingerprint, [])
        if ws in sockets:
            sockets.remove(ws)
            self.socket_count -= 1
        if not sockets:
            self._sockets.pop(fingerprint, None)

    def publish(self, fingerprint: bytes, message_id: int) -> None:
        """Tell every socket of an identity, without waiting for any."""
        for ws in self._sockets.get(fingerprint, ()):
            if ws not in self._hints:
                self._start(self._send_hints(ws))
            self._hints[ws] = message_id

    def close(self, fingerprint: bytes, ws: web.WebSocketResponse, code: int, reason: str) -> None:
        self.remove(fingerprint, ws)
        self._start(self._close(ws, code, reason))

    def close_identity(self, fingerprint: bytes, code: int, reason: str) -> None:
        for ws in list(self._sockets.get(fingerprint, ())):
            self.close(fingerprint, ws, code, reason)

    async def close_all(self) -> None:
        """Say goodbye to everybody, and wait a moment for them to hear it."""
        for fingerprint in list(self._sockets):
            self.close_identity(fingerprint, CLOSE_GOING_AWAY, "the relay is shutting down")
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=SHUTDOWN_SECONDS)
            for task in stuck:
                task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_hints(self, ws: web.WebSocketResponse) -> None:
        try:
            while newest := self._hints[ws]:
                self._hints[ws] = 0
                await ws.send_str(f'{{"type":"new_message","id":{newest}}}')
        except (ConnectionError, RuntimeError):
            log.debug("a socket went away before its hint")  # its handler cleans up
        finally:
            del self._hints[ws]

    async def _close(self, ws: web.WebSocketResponse, code: int, reason: str) -> None:
        with suppress(ConnectionError):  # it went away before its close frame
            await ws.close(code=code, message=reason.encode())


# ======================================================================================================================
# 9. Web Push
#
# A push wakes a device whose page is closed (RFC 8030). It carries nothing, so its service learns only that something
# came; the device then fetches. The relay says who it is by a signature (VAPID, RFC 8292) with a key made of JWT_SECRET,
# so that it outlives restarts.
#
# Whoever is registered names addresses to call. So only hosts of PUSH_HOSTS are called, and in no spelling but that of
# browsers; no redirect is followed and no proxy used; and a name that leads into this network is refused when it is
# resolved for the call, since it may have led elsewhere before, unless it is the operator's own.
#
# Nobody waits for a push. Posting a message notes its recipient, and no more; a step now and then looks up the endpoints of
# who has not fetched for long enough, and each of them is called by a task that lives as long as there is something to tell
# it. An origin that is not known to answer gets one call at a time, and those that PUSH_HOSTS does not name itself a share of
# the room, so that dead or made up ones take nobody's place. What waits is bounded: the oldest goes.

PUSH_DELAY_SECONDS = 5  # a device that is connected has fetched by then
PUSH_STEP_SECONDS = 0.5  # for 32 look-ups: so much a burst or a dead service may cost the others
MAX_LOOK_UPS = 32
PUSH_RETRY_SECONDS = (10.0, 60.0, 600.0)
PUSH_SECONDS = 10  # for a push service to answer
MAX_PUSH_TTL_SECONDS = 1_209_600
MAX_PUSHES_IN_FLIGHT = 64
MAX_ORIGINS_TRIED = 16  # of these, at origins that are not known to answer, nor named by PUSH_HOSTS: one each
MAX_PUSHES = 2048  # that wait: recipients, and as many endpoints
MAX_ENDPOINT_CHARACTERS = 2048
ENDPOINT = re.compile(r"https://([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*(?::[1-9][0-9]{0,4})?)/[!-~]*")
VAPID_SECONDS = 21_600  # a token is good for so long, or up to twice that
MAX_PUSH_ORIGINS = 64  # of which is known that they answer, or that have a token
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # RFC 5903, section 3.1


def vapid_contact(config: Config) -> str:
    return config.push_contact or next((origin for origin in config.origins if origin.startswith("https:")), "")


def push_obstacle(config: Config) -> str:
    """Why there is no push; empty when there is."""
    if not config.push:
        return "PUSH=off"
    if ec is None:
        return "it takes the package cryptography (on Debian: apt install python3-cryptography)"
    if not vapid_contact(config):
        return "push services want to know whom to tell about trouble: set PUSH_CONTACT=mailto:… (or an ORIGIN with https)"
    return ""


class Vapid:
    """The relay's name towards push services, and its signature (RFC 8292, section 2)."""

    def __init__(self, secret: bytes, contact: str):
        labels = (f"io3233 vapid key v1{count or ''}" for count in itertools.count())
        scalars = (int.from_bytes(derive_key(secret, label)) for label in labels)
        self._key = ec.derive_private_key(next(number for number in scalars if 0 < number < P256_ORDER), ec.SECP256R1())
        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        self.public_key = encode_base64url(self._key.public_key().public_bytes(*form))
        self._contact = contact
        self._token = functools.lru_cache(MAX_PUSH_ORIGINS)(self._sign)

    def authorization(self, origin: str, now: float) -> str:
        """The Authorization field of a push to this origin."""
        return f"vapid t={self._token(origin, int(now // VAPID_SECONDS + 2) * VAPID_SECONDS)}, k={self.public_key}"

    def _sign(self, origin: str, expires: int) -> str:
        parts = {"typ": "JWT", "alg": "ES256"}, {"aud": origin, "exp": expires, "sub": self._contact}
        signed = ".".join(encode_base64url(json.dumps(part).encode()) for part in parts)
        pair = utils.decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{encode_base64url(b''.join(number.to_bytes(32) for number in pair))}"


NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the rest is an IPv4 address
INSIDE = [ipaddress.ip_network(text) for text in ("64:ff9b:1::/48", "2002::/16", "::/96")]  # these may lead anywhere


class OutsideResolver(aiohttp.ThreadedResolver):
    """Resolves names to addresses outside this network; the operator's own to any."""

    def __init__(self, own: set[str]):
        super().__init__()
        self._own = own

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> Any:
        found = await super().resolve(host, port, family)
        for each in found if host not in self._own else []:
            address = ipaddress.ip_address(each["host"])
            address = getattr(address, "ipv4_mapped", None) or address
            address = ipaddress.IPv4Address(address.packed[-4:]) if address in NAT64 else address
            if not address.is_global or address.is_multicast or any(address in network for network in INSIDE):
                raise OSError(f"{host} leads to {address}, which is inside this network")
        return found


class Pusher:
    """Wakes devices. Methods are for the event loop."""

    def __init__(self, config: Config, store: Store, metrics: Metrics, clock: Callable[[], float]):
        self._hosts, self._store, self._metrics, self._clock = config.push_hosts, store, metrics, clock
        self.vapid = Vapid(config.jwt_secret, vapid_contact(config))
        self._unfetched: dict[bytes, Receipt] = {}  # the newest message by recipient, who may yet fetch; oldest first
        self._due: dict[bytes, float] = {}  # when to look up whose endpoints (monotonic); oldest first
        self._untold: dict[str, bytes] = {}  # by endpoint: whose mail it is yet to be told of
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by endpoint, of those and of those that are told; oldest first
        self._answering: dict[str, None] = {}  # origins that answered the newest call; the longest ago first
        self._turns, self._tried = Turns(), asyncio.Semaphore(MAX_ORIGINS_TRIED)  # of origins that are not among these
        self._room = asyncio.Semaphore(MAX_PUSHES_IN_FLIGHT - MAX_ORIGINS_TRIED)

    async def run(self, _: web.Application) -> AsyncIterator[None]:
        own = {host.partition(":")[0] for host in self._hosts if host not in PUSH_HOSTS}
        connector = aiohttp.TCPConnector(resolver=OutsideResolver(own), limit=0, ssl=ssl.create_default_context())
        timeout, no_cookies = aiohttp.ClientTimeout(total=PUSH_SECONDS), aiohttp.DummyCookieJar()
        options: dict[str, Any] = {"cookie_jar": no_cookies, "skip_auto_headers": ("Content-Type", "User-Agent")}
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, **options) as self._session:
            looking_up = asyncio.create_task(self._look_up_who_is_due())
            yield
            tasks = [looking_up, *self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def host_of(self, endpoint: str) -> str:
        """The host, and port if it has one, of an endpoint that may be called; else an empty string."""
        match = ENDPOINT.fullmatch(endpoint)
        host = match[1] if match and len(endpoint) <= MAX_ENDPOINT_CHARACTERS else ""
        is_listed = any(host == each or (each[0] == "*" and host.endswith(each[1:])) for each in self._hosts)
        return host if is_listed else ""

    def notify(self, recipient: bytes, receipt: Receipt) -> None:
        """A message is queued: push, unless it is fetched soon."""
        put_last(self._unfetched, recipient, receipt, 2 * MAX_PUSHES)
        self._due.setdefault(recipient, time.monotonic() + PUSH_DELAY_SECONDS)
        if len(self._due) > MAX_PUSHES:
            del self._due[next(iter(self._due))]
            self._count("dropped")

    def fetched(self, recipient: bytes, through_id: int) -> None:
        """A device of the recipient has everything up to this id."""
        if recipient in self._unfetched and self._unfetched[recipient].id <= through_id:
            del self._unfetched[recipient]  # tasks find nothing to tell
            self._due.pop(recipient, None)

    def _count(self, result: str) -> None:
        self._metrics[f'pushes_total{{result="{result}"}}'] += 1

    async def _look_up_who_is_due(self) -> None:
        while True:
            await asyncio.sleep(PUSH_STEP_SECONDS)
            due = [(recipient, when) for recipient, when in self._due.items() if when <= time.monotonic()]
            for recipient, when in due[:MAX_LOOK_UPS]:
                with suppress(RelayError):  # the database cannot read, and said so: again at the next step
                    endpoints = await self._store.get_endpoints(recipient)
                    if self._due.get(recipient) == when:  # it was not fetched meanwhile
                        del self._due[recipient]
                        self._tell(endpoints, recipient)

    def _tell(self, endpoints: list[str], recipient: bytes) -> None:
        """Have a recipient's devices woken."""
        if not endpoints:
            self._unfetched.pop(recipient, None)
        for endpoint in endpoints:
            if not self.host_of(endpoint):  # PUSH_HOSTS had it once
                self._count("refused")
                continue
            self._untold[endpoint] = recipient
            if endpoint not in self._tasks:
                self._tasks[endpoint] = asyncio.create_task(self._push(endpoint))
            if len(self._tasks) > MAX_PUSHES:
                oldest = next(iter(self._tasks))
                self._untold.pop(oldest, None)
                self._tasks.pop(oldest).cancel()
                self._count("dropped")

    async def _push(self, endpoint: str) -> None:
        """Call an endpoint, again while that fails, or when there is more to tell."""
        host, failures = self.host_of(endpoint), 0
        is_named = host in self._hosts  # and not one of those that "*" lets anybody make up
        try:
            while endpoint in self._untold:
                answers = host in self._answering
                turn = nullcontext() if answers else self._turns.take(host)
                async with turn, self._room if is_named or answers else self._tried:
                    if answers != (host in self._answering):
                        continue  # it began, or ceased, to answer while this waited
                    pause = await self._try(endpoint, host, failures)
                failures = failures + 1 if pause else 0
                await asyncio.sleep(pause)
        finally:  # at once: what is to be told from now on takes another task
            if self._tasks.get(endpoint) is asyncio.current_task():  # and was not dropped
                del self._tasks[endpoint]
                self._untold.pop(endpoint, None)

    async def _try(self, endpoint: str, host: str, failures: int) -> float:
        """Call an endpoint, if there is still something to tell, and count how it went; or else after how many seconds to try
        again."""
        recipient = self._untold.pop(endpoint)
        with suppress(RelayError):  # the database cannot read, and said so: a push too many does no harm
            if endpoint not in await self._store.get_endpoints(recipient):
                return 0
        if not (receipt := self._unfetched.get(recipient)):
            return 0
        ttl = max(0, min(MAX_PUSH_TTL_SECONDS, int(receipt.expires_at / 1000 - self._clock())))
        status, retry_after = await self._post(URL(endpoint, encoded=True), ttl)
        if status:
            put_last(self._answering, host, None, MAX_PUSH_ORIGINS)
        else:
            self._answering.pop(host, None)
        if status in (404, 410):
            with suppress(RelayError):  # the database cannot write, and said so: the next push tries again
                await self._store.delete_push_subscription(recipient, endpoint)
        if 200 <= status < 500 and status != 429:
            self._count("sent" if status < 300 else "gone" if status in (404, 410) else "refused")
            return 0
        pause = retry_after or PUSH_RETRY_SECONDS[min(failures, len(PUSH_RETRY_SECONDS) - 1)]
        if pause >= ttl or (failures >= len(PUSH_RETRY_SECONDS) and endpoint not in self._untold):
            self._untold.pop(endpoint, None)
            self._count("failed")
            return 0
        self._untold.setdefault(endpoint, recipient)  # what is newer waits as long
        return pause

    async def _post(self, url: URL, ttl: int) -> tuple[int, int]:
        """The status of one push, 0 when there was none, and the seconds of its Retry-After."""
        authorization = self.vapid.authorization(str(url.origin()), self._clock())
        headers = {"TTL": str(ttl), "Urgency": "high", "Topic": "mail", "Authorization": authorization}
        try:
            async with self._session.post(url, headers=headers, allow_redirects=False) as response:
                retry_after = response.headers.get("Retry-After", "")
                return response.status, int(retry_after) if re.fullmatch("[0-9]{1,7}", retry_after) else 0
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0, 0


# ======================================================================================================================
# 10. Middleware
#
# One middleware turns whatever was raised into the JSON answer. An unexpected exception is the only thing that writes a
# traceback to the log, and its answer says nothing.

CONFIG = web.AppKey("config", Config)
STORE = web.AppKey("store", Store)
HUB = web.AppKey("hub", Hub)
PUSHER: web.AppKey[Pusher | None] = web.AppKey("pusher")
TOKENS = web.AppKey("tokens", Tokens)
REGISTRAR = web.AppKey("registrar", Registrar)
LIMITER = web.AppKey("limiter", RateLimiter)
TURNS = web.AppKey("turns", Turns)
UNDER_WAY = web.AppKey("under_way", Shares)  # requests, by address
IN_FLIGHT = web.AppKey("in_flight", Shares)  # bytes, by address
METRICS: web.AppKey[Metrics] = web.AppKey("metrics")
CLOCK: web.AppKey[Callable[[], float]] = web.AppKey("clock")
HELD_BYTES = contextvars.ContextVar("held_bytes", default=0)  # of one request: each has a context of its own

BODY_SECONDS = 30  # for a request body to arrive, and as much longer as its size takes on a slow network:
BODY_BYTES_PER_SECOND = 4000  # 32 kbit/s

API_HEADERS: CIMultiDict[str] = CIMultiDict(
    {
        "Content-Type": "application/json",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "*, GET, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "*, Authorization, Content-Type",
        "Access-Control-Expose-Headers": "*, Retry-After, WWW-Authenticate",
        "Access-Control-Max-Age": "86400",
        "Cache-Control": "no-store",
        "Server": "io3233",
        "X-Content-Type-Options": "nosniff",
    }
)
BODILESS_HEADERS = {name: value for name, value in API_HEADERS.items() if name != "Content-Type"}

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:;"
    " manifest-src 'self'; worker-src 'self'; connect-src 'self' http: https: ws: wss:; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'; require-trusted-types-for 'script'; trusted-types io3233-sw",
    "Referrer-Policy": "no-referrer",
    "Server": "io3233",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(self), display-capture=(), encrypted-media=(), fullscreen=(),"
    " geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(self), midi=(), payment=(), publickey-credentials-get=(),"
    " screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=(), clipboard-write=(self)",
}
PART_HEADERS = {name: PAGE_HEADERS[name] for name in ("Server", "X-Content-Type-Options")}  # for what a page is made of


def connection_of(request: web.BaseRequest) -> Connection | None:
    """None when the peer has left."""
    protocol = request.transport and request.transport.get_protocol()
    return protocol if isinstance(protocol, Connection) else None


def is_api(request: web.BaseRequest) -> bool:
    return request.path.startswith("/v1/") or request.path in ("/v1", "/healthz")


def reply(answer: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON, with the headers of every /v1 answer."""
    response = web.Response(body=json.dumps(answer).encode(), status=status, headers=API_HEADERS)
    if headers:
        response.headers.update(headers)
    return response


def no_content() -> web.Response:
    return web.Response(status=204, headers=BODILESS_HEADERS)


def error_response(request: web.BaseRequest, status: int, message: str, headers: Mapping[str, str]) -> web.Response:
    if request.writer.output_size and request.transport:
        request.transport.abort()  # an answer has begun already: this one would come in the middle of it
    if is_api(request):
        return reply({"error": message}, status, headers)
    return web.Response(text=message + "\n", status=status, headers={**PAGE_HEADERS, **headers})


def client_address(request: web.Request) -> str:
    """What a request is counted under. Only the last hop of X-Forwarded-For is believed: our own proxy appended it,
    and all before it is the client's to invent."""
    peer, last_hop = request.remote or "", ""
    if request.app[CONFIG].trust_forwarded_for:
        last_hop = ",".join(request.headers.getall("X-Forwarded-For", ())).rpartition(",")[2].strip()
    return address_group(last_hop) or address_group(peer) or peer


def hold_bytes(request: web.Request, amount: int) -> None:
    """What a request has in memory from now on, until it is answered. Raises RelayError 503 when there is no room."""
    if not request.app[IN_FLIGHT].take(client_address(request), amount - HELD_BYTES.get()):
        raise RelayError(503, "too much is under way just now: try again in a moment", reason="busy", retry_after=1)
    HELD_BYTES.set(amount)


def charge_bytes(request: web.Request, amount: int, identity: bytes = b"") -> None:
    """Let whoever sent a request pay for what it moves, beyond the token that each one costs."""
    if cost := amount // TOKEN_BYTES:
        limiter, now = request.app[LIMITER], request.app[CLOCK]()
        limiter.charge("address", client_address(request), now, cost)
        if identity:
            limiter.charge("identity", identity, now, cost)


@web.middleware
async def keep_bounds(request: web.Request, handler: Handler) -> web.StreamResponse:
    app, address = request.app, client_address(request)
    try:
        app[LIMITER].take("address", address, app[CLOCK]())
    except RelayError:
        await asyncio.sleep(REFUSAL_SECONDS)
        raise
    if not app[UNDER_WAY].take(address):
        raise RelayError(429, "too many requests of yours are under way: wait for one to end", retry_after=1)
    try:
        if request.method == "OPTIONS" and is_api(request):
            return no_content()  # a CORS preflight: any origin may ask, since only the token counts
        return await handler(request)
    finally:
        app[UNDER_WAY].take(address, -1)
        app[IN_FLIGHT].take(address, -HELD_BYTES.get())


async def let_the_next_request_come(request: web.Request, response: web.StreamResponse) -> None:
    """An answer begins. If it declines an upgrade it is the last: aiohttp 3.11 would keep all that follows, for nobody."""
    if "Upgrade" in request.headers and response.status != 101:
        response.force_close()
    if connection := connection_of(request):
        connection.answered()


HTTP_ERRORS = {
    400: "this is a WebSocket: connect with an Upgrade header, which a proxy in between must pass on",
    404: "there is nothing at this path: docs/PROTOCOL.md lists the routes",
    405: "this path does not answer that method: see the Allow header",
    413: "the request is too large: /v1/stats tells max_message_bytes",
}


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RelayError as error:
        request.app[METRICS][f'refusals_total{{reason="{error.reason}"}}'] += 1
        return error_response(request, error.status, error.message, error.headers)
    except web.HTTPException as error:
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return error_response(request, error.status, HTTP_ERRORS.get(error.status, error.reason), allow)
    except (ConnectionError, TimeoutError):  # the client left, or takes nothing: this answer finds the transport closed
        return error_response(request, 400, "the connection was lost", {})
    except Exception:
        route = request.match_info.route.resource
        log.exception("internal error in %s %s", request.method, route and route.canonical)
        return error_response(request, 500, "internal error", {})


async def read_body(request: web.Request) -> bytearray:
    received, size = bytearray(), request.content_length or request.client_max_size
    is_here = request.content.is_eof()  # so it mostly is, and a timer is a tenth of what a POST costs
    try:
        async with nullcontext() if is_here else asyncio.timeout(BODY_SECONDS + size / BODY_BYTES_PER_SECOND):
            while not request.content.at_eof():
                if request.transport is None:  # aiohttp says so only to whoever reads already
                    raise ConnectionResetError("the peer left before its body came")
                received += await request.content.readany()
                if len(received) > request.client_max_size:  # in chunks, or its length would have told
                    raise web.HTTPRequestEntityTooLarge(request.client_max_size, len(received))
                hold_bytes(request, len(received))
    finally:
        charge_bytes(request, len(received))  # also for what is of no use
    return received


async def read_json(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. Raises RelayError 400, 408, 413 or 503; an oversized body is not read to its end."""
    if (request.content_length or 0) > request.client_max_size:
        raise web.HTTPRequestEntityTooLarge(request.client_max_size, request.content_length or 0)
    try:
        body = json_object(await read_body(request))
    except TimeoutError:
        raise RelayError(408, "the request body did not arrive in time: try again") from None
    except (web.RequestPayloadError, aiohttp.ClientError, HttpProcessingError, ConnectionError):
        raise bad_request("the request body did not arrive whole: try again") from None
    if body is None:
        raise bad_request("the body must be a JSON object in UTF-8")
    return body


def bearer_token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def verify_token(request: web.Request, token: str) -> Claims:
    """Check a token, that its identity is registered (and was when the token was made), and the rate limit. Failures
    count against the address, so that guessing is as limited as everything else."""
    app = request.app
    tokens, limiter, now = app[TOKENS], app[LIMITER], app[CLOCK]()
    try:
        if not token:
            raise unauthorized("this needs a token: register, then send Authorization: Bearer <token>")
        claims = tokens.verify(token, now)
        if token not in tokens.verified:
            generation = tokens.generation
            identity = await app[STORE].get_identity(claims.fingerprint)
            is_older = identity is not None and claims.issued * 1000 < identity[1] - 0.5
            if identity is None or is_older or claims.registered_at not in (None, identity[1]):
                raise unauthorized("the token's identity is not registered here: register again")
            tokens.remember(token, claims, generation)
    except RelayError as refusal:
        if refusal.status == 401:
            limiter.take("unauthorized", client_address(request), now)
        raise
    limiter.take("identity", claims.fingerprint, now)
    return claims


async def authenticate(request: web.Request) -> bytes:
    """The fingerprint that the request's bearer token belongs to. Raises RelayError 401 or 429."""
    return (await verify_token(request, bearer_token(request))).fingerprint


def limit_address(request: web.Request, kind: str, cost: int = 1) -> None:
    request.app[LIMITER].take(kind, client_address(request), request.app[CLOCK](), cost)


# ======================================================================================================================
# 11. HTTP handlers
#
# Authenticate, parse, act, publish, reply: in that order, one call each.

PAGE_BYTES = 4 * 1024 * 1024
PIECE_BYTES = 256 * 1024  # of ciphertext, that are read and written at a time
PAGE_SECONDS = 30
PIECE_SECONDS = 60  # that a reader may take for one


def request_origins(request: web.Request) -> tuple[str, ...]:
    """The web origins that a bound proof may name: ORIGIN, or else what this request was sent to."""
    config = request.app[CONFIG]
    host = request.headers.get("Host", "").lower()
    if config.origins:  # the one that was asked comes first: the challenge names it
        return tuple(sorted(config.origins, key=lambda origin: not origin.endswith(f"//{host}")))
    forwarded = config.trust_forwarded_for and request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip()
    try:
        return (web_origin(f"{forwarded or request.scheme}://{host}"),)
    except ValueError:
        raise bad_request("the Host header is not one that a browser would send") from None


async def post_challenge(request: web.Request) -> web.Response:
    """POST /v1/register/challenge: 32 bytes to prove a key with."""
    limit_address(request, "register")
    public_key = decode_key((await read_json(request)).get("public_key"), "public_key")
    registrar = request.app[REGISTRAR]

    challenge = registrar.challenge(public_key, request.app[CLOCK]())

    return reply(
        {
            "challenge": encode_base64(challenge),
            "server_public_key": encode_base64(registrar.public_key),
            "expires_in": CHALLENGE_TTL_SECONDS,
            "bound_proof": True,
            "origin": request_origins(request)[0],
        }
    )


async def admit(request: web.Request, public_key: bytes, invite: Any) -> None:
    """On a closed relay, raise RelayError 403 for a new identity without the invite code."""
    code = request.app[CONFIG].invite_code
    if not code or await request.app[STORE].get_identity(fingerprint_of(public_key)) is not None:
        return
    offered = invite.encode(errors="surrogatepass") if isinstance(invite, str) else b""
    if not hmac.compare_digest(offered, code.encode(errors="surrogateescape")):
        limit_address(request, "register")
        raise RelayError(403, "this relay is closed: ask its operator for the invite code", reason="invite")


async def post_register(request: web.Request) -> web.Response:
    """POST /v1/register: a token for whoever proves to hold a key."""
    limit_address(request, "register")
    body = await read_json(request)
    public_key, challenge = decode_key(body.get("public_key"), "public_key"), decode_key(body.get("challenge"), "challenge")
    now = request.app[CLOCK]()

    request.app[REGISTRAR].prove(body, public_key, challenge, request_origins(request), now)
    await admit(request, public_key, body.get("invite"))

    registered_at = await request.app[STORE].add_identity(public_key, now)

    fingerprint = fingerprint_of(public_key)
    token = request.app[TOKENS].issue(fingerprint, registered_at, now)
    return reply({"fingerprint": fingerprint.hex(), "token": token, "expires_in": request.app[CONFIG].jwt_expiry_seconds})


async def find_key(request: web.Request, fingerprint: bytes) -> bytes:
    identity = await request.app[STORE].get_identity(fingerprint)
    if identity is None:
        raise RelayError(404, "this fingerprint is not registered on this relay", reason="unknown_fingerprint")
    return identity[0]


async def get_me(request: web.Request) -> web.Response:
    """GET /v1/me: who the token belongs to."""
    fingerprint = await authenticate(request)

    public_key = await find_key(request, fingerprint)

    return reply({"fingerprint": fingerprint.hex(), "public_key": encode_base64(public_key)})


async def delete_me(request: web.Request) -> web.Response:
    """DELETE /v1/me: forget the identity, its queued mail and its tokens."""
    fingerprint = await authenticate(request)

    await request.app[STORE].forget_identity(fingerprint)
    request.app[TOKENS].forget(fingerprint)
    request.app[HUB].close_identity(fingerprint, CLOSE_UNAUTHORIZED, "this identity was deleted")

    return no_content()


async def get_key(request: web.Request) -> web.Response:
    """GET /v1/keys/{fingerprint}: somebody's public key. Whoever asks must check that it hashes to the fingerprint."""
    limit_address(request, "keys")
    fingerprint = parse_fingerprint(request.match_info["fingerprint"])

    return reply({"public_key": encode_base64(await find_key(request, fingerprint))})


async def search_keys(request: web.Request) -> web.Response:
    """GET /v1/keys/search/{prefix}: registered fingerprints that begin with 8 to 64 hex digits."""
    limit_address(request, "keys")
    prefix = request.match_info["prefix"]
    if not re.fullmatch(r"[0-9A-Fa-f]{8,64}", prefix):
        raise bad_request("prefix must be 8 to 64 hex digits")

    found = await request.app[STORE].search_fingerprints(prefix)

    return reply({"fingerprints": [fingerprint.hex() for fingerprint in found]})


async def get_stats(request: web.Request) -> web.Response:
    """GET /v1/stats: what a client wants to know before it registers."""
    limit_address(request, "stats")
    config = request.app[CONFIG]

    return reply(
        {
            "registered_identities": request.app[STORE].identity_count,
            "message_retention_days": config.message_ttl_days,
            "version": __version__,
            "max_message_bytes": config.max_message_bytes,
            "registration": "invite" if config.invite_code else "open",
            **({"push": pusher.vapid.public_key} if (pusher := request.app[PUSHER]) else {}),
        }
    )


async def parse_endpoint(request: web.Request) -> tuple[Pusher, str]:
    """The endpoint that a body names. Raises RelayError 404 where there is no push, 400."""
    if not (pusher := request.app[PUSHER]):
        raise RelayError(404, "this relay does not push: fetch now and then", reason="no_push")
    endpoint = (await read_json(request)).get("endpoint")
    if not isinstance(endpoint, str):
        raise bad_request("endpoint must be a text")
    return pusher, endpoint


async def post_push(request: web.Request) -> web.Response:
    """POST /v1/push: push to this endpoint when mail waits."""
    fingerprint = await authenticate(request)
    pusher, endpoint = await parse_endpoint(request)
    if not pusher.host_of(endpoint):
        hosts = ", ".join(request.app[CONFIG].push_hosts)
        raise bad_request(f"endpoint must be https://… as a browser gives it, at a host of PUSH_HOSTS: {hosts}")
    limit_address(request, "endpoints", len(endpoint))

    is_new = await request.app[STORE].add_push_subscription(fingerprint, endpoint, request.app[CLOCK]())

    return reply({"endpoint": endpoint}, status=201 if is_new else 200)


async def delete_push(request: web.Request) -> web.Response:
    """DELETE /v1/push: push to this endpoint no longer."""
    fingerprint = await authenticate(request)
    _, endpoint = await parse_endpoint(request)

    await request.app[STORE].delete_push_subscription(fingerprint, endpoint)

    return no_content()


def parse_envelope(body: dict[str, Any], sender: bytes, max_message_bytes: int) -> Envelope:
    """A message as it was posted. Raises RelayError 400 or 413."""
    envelope = Envelope(
        parse_fingerprint(body.get("recipient_fingerprint"), "recipient_fingerprint"),
        decode_key(body.get("sender_public_key"), "sender_public_key"),
        decode_octets(body.get("nonce"), "nonce", NONCE_BYTES),
        decode_base64(body.get("ciphertext"), "ciphertext"),
    )
    if not envelope.ciphertext:
        raise bad_request("ciphertext must not be empty")
    if fingerprint_of(envelope.sender_public_key) != sender:
        raise bad_request("sender_public_key must be the key that the token was made for")
    if len(envelope.ciphertext) + NONCE_BYTES + KEY_BYTES > max_message_bytes:
        raise RelayError(413, f"the message is too large: this relay takes {max_message_bytes} bytes", reason="too_large")
    return envelope


async def post_message(request: web.Request) -> web.Response:
    """POST /v1/messages: queue one ciphertext for a recipient."""
    app = request.app
    sender = await authenticate(request)
    envelope = parse_envelope(await read_json(request), sender, app[CONFIG].max_message_bytes)

    receipt = await app[STORE].add_message(envelope, app[CLOCK]())

    app[HUB].publish(envelope.recipient, receipt.id)
    if pusher := app[PUSHER]:
        pusher.notify(envelope.recipient, receipt)
    app[METRICS]["messages_in_total"] += 1
    app[METRICS]["ciphertext_in_bytes_total"] += len(envelope.ciphertext)
    times = {"created_at": rfc3339(receipt.created_at), "expires_at": rfc3339(receipt.expires_at)}
    return reply({"id": receipt.id, **times}, status=201)


@functools.lru_cache(1024)
def sender_json(public_key: bytes) -> str:
    """A sender as a page has it: whole pages come from the same few."""
    fingerprint, key = fingerprint_of(public_key).hex(), encode_base64(public_key)
    return f'"sender_fingerprint":"{fingerprint}","sender_public_key":"{key}"'


def message_json(row: Row) -> str:
    """One row of a page. Ids, hex, base64 and times need no escaping; json.dumps makes a page cost twice as much."""
    message_id, ciphertext, nonce, sender_public_key, created_at, expires_at = row
    return (
        f'{{"id":{message_id},{sender_json(sender_public_key)},"ciphertext":"{encode_base64(ciphertext)}",'
        f'"nonce":"{encode_base64(nonce)}","created_at":"{rfc3339(created_at)}","expires_at":"{rfc3339(expires_at)}"}}'
    )


async def send_page(request: web.Request, recipient: bytes, after_id: int, limit: int) -> web.StreamResponse:
    """Write a page, a large one piece by piece. It ends early when it has been under way for long, or when another device
    waits for its turn: `more` brings everybody the rest."""
    app, page = request.app, web.StreamResponse(headers=API_HEADERS)
    text, sent, end = b'{"messages":[', 0, time.monotonic() + PAGE_SECONDS
    while True:
        rows, more = await app[STORE].get_page(recipient, after_id, limit, PIECE_BYTES, app[CLOCK]())
        text += (b"," if page.prepared and rows else b"") + ",".join(map(message_json, rows)).encode()
        app[METRICS]["messages_out_total"] += len(rows)
        app[METRICS]["ciphertext_out_bytes_total"] += sum(len(row[1]) for row in rows)
        charge_bytes(request, len(text), recipient)
        hold_bytes(request, 2 * len(text))  # here, and what of it the transport still has
        limit, sent = limit - len(rows), sent + len(text)
        is_wanted = app[TURNS].wanted[recipient] > 1
        after_id = rows[-1][0] if rows else after_id
        if not (more and limit and sent < PAGE_BYTES and time.monotonic() < end) or is_wanted or request.method == "HEAD":
            break
        del rows  # or they would stay in memory for as long as the reader takes
        await page.prepare(request)  # once: later it does nothing
        async with asyncio.timeout(PIECE_SECONDS):
            await page.write(text)
        text = b""
    text += b'],"more":true}' if more else b'],"more":false}'
    del rows
    async with asyncio.timeout(PIECE_SECONDS):
        if not page.prepared:
            page.content_length = len(text)
            await page.prepare(request)
        await page.write_eof(b"" if request.method == "HEAD" else text)  # not by aiohttp: it is held until it is taken
    if (pusher := app[PUSHER]) and request.method == "GET":  # not before: who is cut off in the middle has yet to be woken
        pusher.fetched(recipient, after_id)
    return page


async def get_messages(request: web.Request) -> web.StreamResponse:
    """GET /v1/messages?after_id=&limit=: a page of my inbox, oldest first."""
    recipient = await authenticate(request)
    after_id = parse_integer(request.query.get("after_id", "0"), "after_id")
    limit = max(1, min(parse_integer(request.query.get("limit", "50"), "limit"), 200))

    async with request.app[TURNS].take(recipient):
        return await send_page(request, recipient, after_id, limit)


async def acknowledge_messages(request: web.Request) -> web.Response:
    """DELETE /v1/messages?through_id=N: the recipient has stored everything up to N."""
    recipient = await authenticate(request)
    through_id = parse_integer(request.query.get("through_id", ""), "through_id")

    return reply({"deleted": await request.app[STORE].acknowledge(recipient, through_id)})


async def delete_message(request: web.Request) -> web.Response:
    """DELETE /v1/messages/{id}: the recipient is done with it, or the sender takes it back."""
    party = await authenticate(request)
    message_id = parse_integer(request.match_info["id"], "id")

    if not await request.app[STORE].delete_message(message_id, party):
        raise RelayError(404, "there is no such message of yours here: it may be gone already", reason="unknown_message")
    return no_content()


async def get_health(request: web.Request) -> web.Response:
    """GET /healthz: 200 while the database answers."""
    try:
        await request.app[STORE].check()
    except (RelayError, TimeoutError):
        return reply({"status": "the database does not answer"}, status=503)
    return reply({"status": "ok"})


async def get_metrics(request: web.Request) -> web.Response:
    """GET /metrics: counters in the Prometheus text format, for whoever has METRICS_TOKEN. 404 without one."""
    expected = request.app[CONFIG].metrics_token.encode(errors="surrogateescape")
    if not expected:
        raise web.HTTPNotFound
    if not hmac.compare_digest(bearer_token(request).encode(errors="surrogateescape"), expected):
        limit_address(request, "unauthorized")
        raise unauthorized("send Authorization: Bearer <METRICS_TOKEN>")
    numbers = request.app[METRICS] | {  # a copy, of one moment: the writer counts too
        "sockets": request.app[HUB].socket_count,
        "identities": request.app[STORE].identity_count,
        "waiting_writes": request.app[STORE].waiting_jobs,
        "database_bytes": request.app[STORE].file_bytes(),
    }
    text = ""
    for family, members in itertools.groupby(sorted(numbers.items()), key=lambda number: number[0].partition("{")[0]):
        text += f"# TYPE io3233_{family} {'counter' if family.endswith('_total') else 'gauge'}\n"
        text += "".join(f"io3233_{name} {value}\n" for name, value in members)
    return web.Response(body=text.encode(), headers={**PAGE_HEADERS, "Content-Type": "text/plain; version=0.0.4"})


# ======================================================================================================================
# 12. WebSocket handler
#
# The socket only carries hints, so everything a client may send is optional and small. The token comes in the list of
# subprotocols, because browsers cannot set headers here and a URL ends in logs; v1's ?token= works too. It is checked
# before the upgrade, and the socket ends when the token does.

SUBPROTOCOL = "3233.v1"
MAX_FRAME_BYTES = 4096
HEARTBEAT_SECONDS = 30  # a peer that misses one is gone after half as long again
SEND_BUFFER_BYTES = 16 * 1024


def offered_protocols(request: web.Request) -> list[str]:
    """Several lines of this header are one list (RFC 6455, section 11.3.4)."""
    return [item.strip() for item in ",".join(request.headers.getall("Sec-WebSocket-Protocol", ())).split(",")]


def socket_token(request: web.Request) -> str:
    offered = offered_protocols(request)
    bearers = [item.removeprefix("bearer.") for item in offered if item.startswith("bearer.")]
    if bearers and SUBPROTOCOL not in offered:
        raise bad_request(f"offer the subprotocol {SUBPROTOCOL} beside bearer.<token>")
    return bearers[0] if bearers else bearer_token(request) or request.query.get("token", "")


async def open_socket(request: web.Request, charge: Callable[[int], None]) -> web.WebSocketResponse:
    """Upgrade; what comes in from then on is charged for. A stalled reader shows at once: small kernel buffer, none of
    ours, each send waits until it is taken."""
    ws = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS,
        compress=False,
        max_msg_size=MAX_FRAME_BYTES + 1,
        writer_limit=0,
        protocols=(SUBPROTOCOL,),
        timeout=SHUTDOWN_SECONDS,
    )
    ws.headers.update(BODILESS_HEADERS)
    if SUBPROTOCOL in offered_protocols(request):  # aiohttp reads the first line of them
        ws.headers["Sec-WebSocket-Protocol"] = SUBPROTOCOL
    connection = connection_of(request)
    if connection is None:
        raise ConnectionResetError("the peer left before the upgrade")
    try:
        await ws.prepare(request)
    except ValueError:  # not ASCII
        raise bad_request("these are not the headers of a WebSocket") from None
    connection.become_socket(charge)
    if transport := request.transport:
        transport.set_write_buffer_limits(high=0)
        with suppress(OSError):  # it may be closed already
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    return ws


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """GET /v1/ws: hints, until either side leaves or the token expires."""
    claims = await verify_token(request, socket_token(request))
    hub, loop, limiter, clock = request.app[HUB], asyncio.get_running_loop(), request.app[LIMITER], request.app[CLOCK]

    ws = await open_socket(request, lambda size: limiter.take("frames", claims.fingerprint, clock(), size))
    seconds_left = claims.expires - clock()
    expiry = loop.call_later(seconds_left, hub.close, claims.fingerprint, ws, CLOSE_UNAUTHORIZED, "the token has expired")
    try:
        await ws.send_str(f'{{"type":"connected","fingerprint":"{claims.fingerprint.hex()}"}}')
        hub.add(claims.fingerprint, ws)
        async for frame in ws:
            asked = json_object(frame.data) if frame.type == aiohttp.WSMsgType.TEXT else None
            if asked and asked.get("type") == "ping":  # "subscribe" is v1's and means nothing here; all else is ignored
                await ws.send_str('{"type":"pong"}')
    except ConnectionError:
        log.debug("a socket went away")
    finally:
        expiry.cancel()
        hub.remove(claims.fingerprint, ws)
    return ws


# ======================================================================================================================
# 13. Static client
#
# The client's files are read once, at start: what is served is what was hashed and logged, no path from a request
# touches the file system, and a half-finished upgrade is never mixed with the old version.

VIEW_PATHS = ("/", "/newchat", "/chats", "/server", "/keys", "/library", "/about", "/me")
ASKED_UNASKED = {  # what browsers look for by themselves, and what the original's page had
    "favicon.ico": "icons/icon-192.png",
    "icon-192.png": "icons/icon-192.png",
    "apple-touch-icon.png": "icons/apple-touch-icon.png",
    "manifest.json": "manifest.webmanifest",
}
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".md": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {  # by content coding, the smallest first
    **({"br": brotli.compress} if brotli else {}),
    "gzip": functools.partial(gzip.compress, mtime=0),
}


@functools.cache
def compress(content: bytes, coding: str) -> bytes:
    """A client file in a content coding (RFC 9110, 8.4.1), worked out when it is first asked for: some 10 ms each by Brotli."""
    return COMPRESSORS[coding](content)


def accepted_coding(request: web.Request) -> str:
    """The smallest content coding that the browser takes; "" for none. Of what it says, only q=0 is heeded."""
    accepted = request.headers.get("Accept-Encoding", "")
    refused = r"(?!\s*;\s*q=0(\.0*)?\s*(,|$))"
    return next((coding for coding in COMPRESSORS if re.search(rf"\b{coding}\b{refused}", accepted)), "")


class StaticFile:
    """A file of the client, as it was when the relay started."""

    def __init__(self, path: Path):
        self.content = path.read_bytes()
        self.content_type = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        self.is_text = path.suffix not in (".png", ".ico")  # a picture is compressed as it is
        # Has a content security policy of its own: pages, and the service workers.
        self.is_document = path.suffix in (".html", ".svg") or path.name in ("sw.js", "worker.js")

    def response(self, request: web.Request) -> web.Response:
        """The file, compressed where the browser takes that, or 304. Each form has an ETag of its own."""
        coding = accepted_coding(request) if self.is_text else ""
        headers = {
            **(PAGE_HEADERS if self.is_document else PART_HEADERS),
            "ETag": f'"{self.sha256[:32]}{coding and "-" + coding}"',
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
        }
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
        if headers["ETag"] in known or "*" in known:
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = self.content_type
        if coding:
            headers["Content-Encoding"] = coding
        return web.Response(body=compress(self.content, coding) if coding else self.content, headers=headers)


CLIENT_FILES: web.AppKey[Mapping[str, StaticFile]] = web.AppKey("client_files")


def read_static_files(folder: Path | None) -> Mapping[str, StaticFile]:
    """Every file of the folder by its path in it, but dot-files and what a link leads to outside."""
    if folder is None:
        return {}
    root = folder.resolve()
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and path.resolve().is_relative_to(root)]
    names = {path.relative_to(root).as_posix(): path for path in paths}
    return {name: StaticFile(path) for name, path in names.items() if "/." not in "/" + name}


def client_sha256(files: Mapping[str, StaticFile]) -> str:
    """One hash for the whole client: what `sha256sum` prints for each file, sorted by path, hashed again."""
    listing = "".join(f"{files[name].sha256}  {name}\n" for name in sorted(files))
    return hashlib.sha256(listing.encode()).hexdigest()


def redirect_to_view(request: web.Request) -> web.Response:
    """`/Chats`, `/chats/` and `/chats%23chat=…`, as links become on their way, lead to the view. Else raises 404."""
    path, _, fragment = request.path.partition("#")
    view, query = path.rstrip("/").lower() or "/", request.rel_url.raw_query_string
    if view not in VIEW_PATHS:
        raise web.HTTPNotFound
    quoted = urllib.parse.quote(fragment, safe="=&:/")
    location = view + ("?" + query if query else "") + ("#" + quoted if quoted else "")
    return web.Response(status=307, headers={**PAGE_HEADERS, "Location": location})


async def get_static(request: web.Request) -> web.Response:
    """GET of anything else: a client file, or index.html for its views."""
    files = request.app[CLIENT_FILES]
    if not files and request.path == "/":
        return web.Response(text="An io3233 relay without a web client: its API is under /v1.\n", headers=PAGE_HEADERS)
    name = "index.html" if request.path in VIEW_PATHS else request.path.removeprefix("/")
    file = files.get(ASKED_UNASKED.get(name, name))
    if file is None:
        return redirect_to_view(request)
    return file.response(request)


# ======================================================================================================================
# 14. Background work
#
# Nothing waits for this: expired mail is invisible before it is gone. It is deleted only when the clock can be believed,
# since one that is fifteen days ahead for a minute would delete all mail: not for an hour after it went over an hour
# further than time did, or after a start at over an hour from when the database was last written.

PRUNE_SECONDS = 60
JUMP_SECONDS = 3600  # after a jump of the clock by more than that,
HOLD_SECONDS = 3600  # nothing is pruned for so long


async def prune_forever(app: web.Application) -> None:
    """Delete expired mail, now and each PRUNE_SECONDS (sooner on a full disk). Readers do not see it even before."""
    store, clock = app[STORE], app[CLOCK]
    offset, held_until = store.last_written - time.monotonic(), 0.0
    while True:
        now, ticks = clock(), time.monotonic()
        jump, offset = now - ticks - offset, now - ticks
        if abs(jump) > JUMP_SECONDS:
            if ticks >= held_until:
                log.warning("the clock is %.1f h from where it was expected: nothing is pruned for an hour", jump / 3600)
            held_until = ticks + HOLD_SECONDS
        try:
            await store.measure_newcomers(now)
            if ticks >= held_until:
                app[METRICS]["pruned_total"] += await store.prune(now)
        except RelayError as error:
            log.debug("cannot prune expired mail: %s", error.message)  # the store has said why
        except Exception:
            log.exception("cannot prune expired mail")  # and try again: what is not pruned piles up
        for _ in range(math.ceil(PRUNE_SECONDS)):
            await asyncio.sleep(min(1, PRUNE_SECONDS))
            with suppress(AttributeError):  # of other C libraries; glibc keeps the room of a burst for the next one
                ctypes.CDLL(None).malloc_trim(0)
            if store.is_full:
                break


# ======================================================================================================================
# 15. Application and route table


async def run_store(app: web.Application) -> AsyncIterator[None]:
    app[STORE].open()
    pruning = asyncio.create_task(prune_forever(app))
    yield
    pruning.cancel()
    await app[STORE].close()


def make_app(config: Config, clock: Callable[[], float] = time.time) -> web.Application:
    """The relay as an aiohttp application. `clock` tells seconds since 1970. Starting it raises CommandError."""
    max_body_bytes = config.max_message_bytes * 3 // 2 + 4096  # in base64, its slashes perhaps escaped, in JSON
    app = web.Application(middlewares=[answer_errors, keep_bounds], client_max_size=max_body_bytes)
    app[CONFIG], app[CLOCK] = config, clock
    app[METRICS], app[HUB] = Metrics(int), Hub()
    app[STORE] = Store(config, app[METRICS])
    app[TOKENS] = Tokens(config.jwt_secret, config.jwt_expiry_seconds)
    app[REGISTRAR] = Registrar(config.jwt_secret)
    app[PUSHER] = None if push_obstacle(config) else Pusher(config, app[STORE], app[METRICS], clock)
    app[LIMITER], app[TURNS] = RateLimiter(config.rate_limit), Turns()
    flight_bytes = max(FLIGHT_BYTES, 16 * max_body_bytes)  # room for some messages, however large they may be
    app[UNDER_WAY] = Shares(MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS if config.rate_limit else MAX_CONNECTIONS)
    app[IN_FLIGHT] = Shares(flight_bytes, flight_bytes // 4 if config.rate_limit else flight_bytes)
    app[CLIENT_FILES] = read_static_files(config.static_dir)
    app.on_response_prepare.append(let_the_next_request_come)
    app.on_shutdown.append(lambda app: app[HUB].close_all())
    app.cleanup_ctx.extend([run_store, *([pusher.run] if (pusher := app[PUSHER]) else [])])
    app.add_routes(
        [
            web.post("/v1/messages", post_message),
            web.get("/v1/messages", get_messages),
            web.delete("/v1/messages", acknowledge_messages),
            web.delete("/v1/messages/{id}", delete_message),
            web.post("/v1/register/challenge", post_challenge),
            web.post("/v1/register", post_register),
            web.get("/v1/me", get_me),
            web.delete("/v1/me", delete_me),
            web.get("/v1/keys/{fingerprint}", get_key),
            web.get("/v1/keys/search/{prefix}", search_keys),
            web.get("/v1/stats", get_stats),
            web.get("/v1/ws", websocket, allow_head=False),
            web.post("/v1/push", post_push),
            web.delete("/v1/push", delete_push),
            web.get("/healthz", get_health),
            web.get("/metrics", get_metrics),
            web.get("/{path:(?!v1(/|$)).*}", get_static),
        ]
    )
    return app


# ======================================================================================================================
# 16. Command line: serve and backup


STALLED_SECONDS = 20
SOCKET_BUFFER_BYTES = 128 * 1024
BACKLOG = 1024
OTHER_FILES = 64  # descriptors that are not connections


def notify_systemd(state: str) -> None:
    """sd_notify(3): one datagram to the socket that a unit of Type=notify names."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def is_own_fault(record: logging.LogRecord) -> bool:
    """False for the tracebacks that aiohttp, and asyncio around it, write about requests that were never HTTP, or whose
    address is none: a client's mistake, and some name its address or hold its token. What aiohttp could not foresee is
    kept, but not from whom it came."""
    if record.msg == "Error handling request from %s":
        record.msg, record.args = "Error handling a request", None
    error, text = record.exc_info[1] if record.exc_info else None, record.getMessage()
    in_handler = "RequestHandler.start()" in text and isinstance(error, ValueError)
    in_parser = record.name == "asyncio" and (in_handler or "data_received() call failed" in text)
    return not (in_parser or isinstance(error, HttpProcessingError | web.RequestPayloadError))


def start_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    for name in ("aiohttp.server", "asyncio"):
        logging.getLogger(name).addFilter(is_own_fault)
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)  # its warnings quote the subprotocols, and so tokens


def outward_address(destination: str) -> str:
    """This machine's address on the way to another, or none. A datagram socket connects without sending anything."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((destination, 9))
        return str(probe.getsockname()[0])
    return ""


def listening_urls(config: Config, port: int) -> list[str]:
    """What can be typed to reach the relay: on this machine, and on others if they can."""
    if config.unix_socket:
        return [f"unix:{config.unix_socket}"]
    hosts = [config.host]
    if config.host in ("0.0.0.0", "::"):  # noqa: S104
        outward = [outward_address("192.0.2.1")]  # RFC 5737 and 3849: addresses of nobody, beyond the default route
        outward += [outward_address("2001:db8::1")] if config.host == "::" else []
        hosts = ["127.0.0.1", *filter(None, outward)]
    return [f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}" for host in hosts]


def describe(config: Config, files: Mapping[str, StaticFile], port: int) -> str:
    urls = " and ".join(listening_urls(config, port))
    client = f"client {client_sha256(files)}" if files else "no web client"
    return f"io3233 {__version__} at {urls}, database {config.database}, mail kept {config.message_ttl_days} days, {client}"


def bind_unix(path: Path) -> socket.socket:
    """A Unix socket in the place of one that a former relay left. Raises OSError when somebody serves that one, or when
    something else has the name."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(0o666)  # for every user of this machine, as 127.0.0.1 is; who may enter its folder is the folder's to say
    listening.listen(BACKLOG)
    return listening


def listen_on(config: Config) -> socket.socket:
    """The listening socket. Its connections end when their peer takes nothing for STALLED_SECONDS, with the memory of
    what was meant for them: asyncio would wait for ever."""
    try:
        if config.unix_socket:
            return bind_unix(config.unix_socket)
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        both = config.host == "::" and socket.has_dualstack_ipv6()
        listening = socket.create_server((config.host, config.port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except (OSError, TypeError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        where = f"unix:{config.unix_socket}" if config.unix_socket else f"{config.host}:{config.port}"
        raise CommandError(f"cannot listen on {where} ({reason}): change BIND, or stop what uses it") from None
    for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # which the kernel would let grow to megabytes for each connection
        listening.setsockopt(socket.SOL_SOCKET, buffer, SOCKET_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_SECONDS * 1000)
    return listening


def connection_limits() -> tuple[int, int]:
    """How many connections fit under the limit of open files, which is raised as far as we may; and how many asyncio
    may take in one turn of its loop. Those of four turns can be open before they are counted, or closed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = 2 * MAX_CONNECTIONS if hard == resource.RLIM_INFINITY else hard  # which macOS takes for no soft limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    accepts = max(1, min(100, files // 20))
    return min(MAX_CONNECTIONS, max(files // 2, files - OTHER_FILES - 4 * accepts)), accepts


def config_warnings(config: Config) -> Iterator[str]:
    if config.insecure_secret:
        yield "ALLOW_INSECURE_JWT_SECRET=1: ANYONE MAY BE ABLE TO FORGE TOKENS. Never use it for real mail"
    if not config.origins:
        yield "ORIGIN is not set: set it to this relay's https://… address, or proofs made for others may be taken here"
    if config.unix_socket and not config.trust_forwarded_for:
        yield "BIND is a Unix socket, so a proxy connects: without TRUST_FORWARDED_FOR=1 all its clients are one"


@asynccontextmanager
async def taking_connections(app: web.Application, listening: socket.socket) -> AsyncIterator[web.Server]:
    """Serve what connects to a socket. Raises CommandError when the relay cannot start."""
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,  # aiohttp 3.11 unpacks whatever arrived at once: 200 kB of gzip were 200 MB
        keepalive_timeout=75,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    limit, accepts = connection_limits()
    is_shared = app[CONFIG].rate_limit and not app[CONFIG].trust_forwarded_for  # else all come from the proxy's address
    shares = Shares(limit, min(MAX_CONNECTIONS_PER_ADDRESS, limit // 4 + 1) if is_shared else limit)
    limiter, clock = RateLimiter(is_shared), app[CLOCK]
    await runner.setup()
    make = cast(web.Server, runner.server)
    try:
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(make, shares, lambda address: limiter.take("connections", address, clock())),
            sock=listening,
            backlog=accepts,
        )
        listening.listen(BACKLOG)
        yield make
        server.close()
        shares.is_closed = True  # for connections on which nothing came yet, of which cleanup does not know
    finally:
        await runner.cleanup()


async def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT. Raises CommandError when it cannot start."""
    app, stop = make_app(config), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with closing(listen_on(config)) as listening:
        async with taking_connections(app, listening):
            port = 0 if config.unix_socket else listening.getsockname()[1]
            log.info("%s", describe(config, app[CLIENT_FILES], port))
            if obstacle := push_obstacle(config):
                log.info("push is off: %s", obstacle)
            for warning in config_warnings(config):
                log.warning("%s", warning)
            notify_systemd("READY=1")
            await stop.wait()
            notify_systemd("STOPPING=1")


# The relay goes on giving ids after a backup, and devices keep them as cursors. One that is restored must not give them
# again, or the devices would never ask for that mail: it starts well above.
SKIP_IDS = """
INSERT INTO sqlite_sequence SELECT 'messages', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence);
UPDATE sqlite_sequence SET seq = seq + 1000000;
"""


def back_up(config: Config, destination: Path) -> None:
    """Copy the database while a relay may be writing to it (SQLite's backup API). `destination` must not exist."""
    source_path = Path(config.database)
    if not source_path.is_file():
        raise CommandError(f"there is no database at {config.database}: DATABASE_URL must name the one that the relay uses")
    if destination.exists():
        raise CommandError(f"{destination} exists already: name a new file")
    partial = destination.with_name(destination.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        uri = source_path.resolve().as_uri() + "?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)
            copy.executescript(SKIP_IDS)
            copy.execute("PRAGMA journal_mode=DELETE")
            if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise CommandError(f"the copy of {source_path} is not sound: check the disk, and look for an older backup")
        partial.rename(destination)
    except (sqlite3.Error, OSError) as error:
        raise CommandError(f"cannot back up {source_path} to {destination}: {error}") from None
    finally:
        with suppress(OSError):
            partial.unlink()


# ======================================================================================================================
# 17. Command line: send and listen
#
# A client that keeps every rule which docs/PROTOCOL.md has for clients. It believes nothing that a relay says which it
# can check: a key must hash to its fingerprint, a proof names the origin that we reached, and a box is opened only into
# an envelope that names both of us, because NaCl boxes are symmetric and a relay can hand my own words back to me as my
# contact's. Links and relays are strangers': nothing of theirs reaches the terminal unescaped.
#
# It keeps no receiving keys: so of envelope 2 it writes what v1's cannot carry, which is files, and reads what is not sealed
# once more. A part of a file is on the disk before its mail is done with, and the file under its name once it is whole,
# in nothing's place. What a kill -9 stops, on either side, goes on when it is started again.

PAD_BYTES = 256
PROOF_BYTES = 32
MAX_NESTING = 16
LATEST_TIME_MS = 8.64e15  # the end of ECMAScript's Date
POLL_SECONDS = 30
RECONNECT_SECONDS = 30
SOCKET_SECONDS = 10  # for a WebSocket to open, before mail is looked for without one
PATIENCE_SECONDS, SLOWEST_BYTES_A_SECOND = 60, 4000  # for an answer, and more for what takes long to say
ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 120  # of a Retry-After that `send` waits for
LONGEST_SILENCE_SECONDS = 3600  # that a relay can impose on `listen`
PAGE_ROWS = 50
MAX_ANSWER_BYTES = 24 * 1024 * 1024  # as many rows of a v1 relay's usual limit, in base64
MAX_SEEN = 10_000  # message ids that are remembered against replays, per relay
MAX_RECENT = 512
MAX_ID = 2**53 - 1  # the last integer that every JSON reader takes for itself
MAX_FILE_BYTES = 16 * 1024 * 1024
PART_BYTES = 65_536
RESUME_SECONDS = 86_400  # later, its first parts may be gone from the relay, and the rest is of no use
MAX_PARTIAL_FILES = 64  # of which `listen` has some parts; the one that has waited longest goes,
MAX_PARTIAL_OF_SENDER = 8  # and one sender's before the others'
LEAST_FREE = 0.1  # of the disk and of its inodes, or nothing of a file is taken
FULL_SECONDS, FULL_ATTEMPTS = 60, 60  # between attempts at a mailbox that is full, for parts of a file
MAX_NAME_UNITS, MAX_STEM_BYTES, MAX_ENDING = 255, 180, 11  # UTF-16 units, bytes, characters
MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{22}")
FILE_TEXTS = {
    "id": MESSAGE_ID,
    "name": re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]+"),
    "mime": re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}"),
    "sha256": re.compile(r"[0-9a-f]{64}"),
}
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # Unicode's categories of what can't be seen, or turns its neighbours around
LEADS_TO_PARAMETERS = re.compile(r"(?:[#?&]|%23)(?:chat|fp)=")


class EnvelopeRefused(Exception):
    """An envelope that must not be shown as a message; the text is the reason."""


def make_envelope(text: str, sender: bytes, recipient: bytes, now: float, message_id: bytes) -> bytes:
    """The plaintext of a message (docs/PROTOCOL.md, "Envelope"): JSON, padded to a multiple of 256 bytes."""
    fields = {
        "v": 1, "type": "text", "id": encode_base64url(message_id), "from": sender.hex(), "to": recipient.hex(),
        "ts": to_milliseconds(now), "text": text, "pad": "",
    }  # fmt: skip
    bare = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    return bare[:-2] + b"0" * (-len(bare) % PAD_BYTES) + b'"}'


def make_unsealed(content: bytes, sender: bytes, recipient: bytes, now: float, message_id: str) -> bytes:
    """The plaintext of an envelope 2 (docs/PROTOCOL.md) without `keys`, of a device that is never heard of again."""
    header = {
        "v": 2, "id": message_id, "from": sender.hex(), "to": recipient.hex(), "ts": to_milliseconds(now),
        "device": encode_base64url(secrets.token_bytes(8)), "size": len(content),
        "key": encode_base64(nacl.bindings.crypto_scalarmult_base(secrets.token_bytes(KEY_BYTES))),
    }  # fmt: skip
    bare = json.dumps(header, separators=(",", ":")).encode() + b"\0" + content
    step = PAD_BYTES if len(bare) < 65_536 else 1 << (len(bare).bit_length() - 6)
    return bare + bytes(-len(bare) % step)


def unbox(row: dict[str, Any], secret_key: bytes) -> tuple[bytes, bytes, str]:
    """(sender's fingerprint, plaintext, an id for a message that carries none). Raises EnvelopeRefused."""
    try:
        sender = parse_fingerprint(row["sender_fingerprint"])
        sender_key = decode_key(row["sender_public_key"], "sender_public_key")
        nonce, boxed = decode_base64(row["nonce"], "nonce"), decode_base64(row["ciphertext"], "ciphertext")
        if fingerprint_of(sender_key) != sender:
            raise EnvelopeRefused("the sender's key is not the key of the sender's address")
        plaintext = nacl.bindings.crypto_box_open(boxed, nonce, sender_key, secret_key)
    except (RelayError, KeyError, TypeError, ValueError, nacl.exceptions.CryptoError):
        raise EnvelopeRefused("it does not open with my key and the sender's") from None
    return sender, plaintext, "sha256:" + hashlib.sha256(sender.hex().encode() + nonce + boxed).hexdigest()[:32]


def is_nested_deeper(value: Any, levels: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return parts is not None and (levels == 0 or any(is_nested_deeper(part, levels - 1) for part in parts))


def read_fields(plaintext: bytes) -> dict[str, Any]:
    """The JSON object in a box, as every reader must take it: any number is a double (RFC 7493, section 2.2), and NaN is
    none. Raises EnvelopeRefused."""
    fields = json_object(plaintext, parse_int=float, parse_constant=int)  # which raises ValueError for NaN
    if fields is None or is_nested_deeper(fields, MAX_NESTING):
        raise EnvelopeRefused("it holds no message")
    return fields


def read_unsealed(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """What envelope 2 says (docs/PROTOCOL.md), as v1's would: this client keeps no keys for what is sealed once more. Raises
    EnvelopeRefused."""
    size = header.get("size")
    if header.get("v") != 2 or "id" not in header or not isinstance(size, float) or not 0 <= size <= len(body):
        raise EnvelopeRefused("its header is malformed")
    content, _, octets = body[: int(size)].partition(b"\0")
    said = {"type": "sealed"} if "keys" in header else read_fields(content) | {"octets": octets}
    return said | {name: header.get(name) for name in ("id", "from", "to", "ts")}


def open_envelope(row: dict[str, Any], secret_key: bytes, me: bytes) -> dict[str, Any]:
    """The envelope in a row of GET /v1/messages, `ts` a whole number or None, plus "legacy" for an old client's. Raises
    EnvelopeRefused."""
    sender, plaintext, digest_id = unbox(row, secret_key)
    header, zero, body = plaintext.partition(b"\0")
    envelope = read_unsealed(read_fields(header), body) if zero else read_fields(plaintext)
    text, ts = envelope.get("text"), envelope.get("ts")
    is_short_text = isinstance(text, str) and len(text.encode(errors="surrogatepass")) <= 2 and isinstance(ts, float)
    if len(plaintext) <= PROOF_BYTES and not is_short_text:  # v1's proofs are as short, and so are texts of old clients
        raise EnvelopeRefused("it is as short as a registration proof")
    legacy = "from" not in envelope and "to" not in envelope
    if not legacy and (envelope.get("from"), envelope.get("to")) != (sender.hex(), me.hex()):
        raise EnvelopeRefused("it was written by somebody else, or for somebody else")
    if "id" in envelope and not (isinstance(envelope["id"], str) and MESSAGE_ID.fullmatch(envelope["id"])):
        raise EnvelopeRefused("its id is malformed")
    kind = "text" if envelope.get("type") is None else envelope["type"]
    if kind == "text" and not isinstance(text, str):
        raise EnvelopeRefused("it holds no message")
    whole = int(ts) if isinstance(ts, float) and abs(ts) < LATEST_TIME_MS else None
    return {"id": digest_id, **envelope, "type": kind, "ts": whole, "legacy": legacy}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One at a time of all our processes that share a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_key_file(path: Path) -> bytes:
    """The secret key in a file; made, readable by its owner only, when there is none. Raises CommandError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            raise CommandError(f"the key file {path} is a link, which somebody could turn: name the file itself")
        with locked(path.parent):  # of two first starts at once, one makes it
            if not path.exists():
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(encode_base64(secrets.token_bytes(KEY_BYTES)) + "\n")
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise CommandError(f"others may read the key file {path}: chmod 600 it, or name a new one if somebody did")
            return decode_key(file.read(1024).strip(), "the secret key")
    except (OSError, ValueError, RelayError) as error:
        raise CommandError(f"cannot use the key file {path}: {error}") from None


def relay_origin(url: str) -> str:
    try:
        return web_origin(url)
    except ValueError:
        raise CommandError(f"{url} is not a relay's address: it looks like https://chat.example.com") from None


def parse_link(text: str) -> tuple[str, str]:
    """(relay origin, contact's fingerprint) of the invite link in a text (docs/PROTOCOL.md, "Invite links")."""
    link = next((word for word in text.split() if LEADS_TO_PARAMETERS.search(word)), "").strip("<>(){}\"'.,;:!?")
    if not link:
        raise CommandError(f"{text} is not an invite link: it has no #chat=<fingerprint>")
    link = link if "#" in link else link.replace("%23", "#", 1)
    try:
        parts = urllib.parse.urlsplit(link if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", link) else "https://" + link)
    except ValueError:
        raise CommandError(f"{link} is not an invite link") from None
    fields: dict[str, str] = {}
    for part in (parts.fragment, parts.query):
        if not fields.keys() & {"chat", "fp"}:
            fields = dict(reversed(urllib.parse.parse_qsl(part, keep_blank_values=True)))  # of two, the first counts
    contact = fields.get("chat", fields.get("fp", ""))
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", contact):
        raise CommandError(f"{contact} is not an address: it has 64 hex digits. Ask for a new link")
    return relay_origin(fields.get("server") or f"{parts.scheme}://{parts.netloc}"), contact.lower()


def printable(text: str) -> str:
    """Text on one line, without what would move a terminal's cursor or turn its direction."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def say(text: str) -> None:
    """A line for the person. Standard output is for messages."""
    print(printable(text), file=sys.stderr, flush=True)


def part_id(file_id: str, n: int) -> str:
    """The id of the envelope that carries part `n` of a file."""
    return encode_base64url(hashlib.sha256(f"{file_id} {n}".encode()).digest()[:16])


def part_bytes(size: int, n: int) -> int:
    return min(PART_BYTES, size - PART_BYTES * n)


def read_file(envelope: dict[str, Any]) -> dict[str, Any]:
    """What an envelope says of its file (docs/PROTOCOL.md, "Files"), as far as it is of use here. Raises EnvelopeRefused."""
    file, octets, text = envelope.get("file"), envelope.get("octets"), envelope.get("text")
    refusal = EnvelopeRefused("what it says of its file breaks a rule")
    if not isinstance(file, dict) or not isinstance(octets, bytes) or not isinstance(text, str | None) or text == "":
        raise refusal
    said: dict[str, Any] = {name: file.get(name) for name in FILE_TEXTS}
    if not all(isinstance(said[name], str) and rule.fullmatch(said[name]) for name, rule in FILE_TEXTS.items()):
        raise refusal
    size = file.get("size")
    if not isinstance(size, float) or not size.is_integer() or not 1 <= size <= MAX_FILE_BYTES:
        raise refusal
    parts, name_units = math.ceil(size / PART_BYTES), len(said["name"].encode("utf-16-le")) // 2
    if file.get("parts") != parts or name_units > MAX_NAME_UNITS or len(octets) != part_bytes(int(size), 0):
        raise refusal
    return {**said, "size": int(size), "parts": parts, "text": text or "", "ts": envelope["ts"]}


def read_part(envelope: dict[str, Any]) -> tuple[str, int, bytes]:
    """(file's id, number, octets) of a part. Raises EnvelopeRefused."""
    file_id, n, octets = envelope.get("file"), envelope.get("n"), envelope.get("octets")
    is_numbered = isinstance(n, float) and n in range(MAX_FILE_BYTES // PART_BYTES)
    if not isinstance(file_id, str) or not MESSAGE_ID.fullmatch(file_id) or not is_numbered:
        raise EnvelopeRefused("it is no part of a file")
    if not isinstance(octets, bytes) or not 1 <= len(octets) <= PART_BYTES:
        raise EnvelopeRefused("it is a part of a file that is empty, or too large")
    return file_id, int(cast(float, n)), octets


def safe_name(name: str, number: int = 1) -> str:
    """What a file is sent and saved as: no folder, no dot first, nothing that can't be seen, some 200 bytes at most."""
    last = next((part for part in reversed(re.split(r"[/\\]", name)) if re.search(r"[^.\s]", part)), "")
    seen = "".join(character for character in last if unicodedata.category(character) not in UNSEEN)
    whole = re.sub(r"^[.\s]+|[.\s]+$", "", re.sub(r'[:*?"<>|]', "_", seen)) or "file"
    stem, ending = os.path.splitext(whole)
    stem, ending = (stem, ending) if len(ending) <= MAX_ENDING else (whole, "")
    copy = f" ({number})" if number > 1 else ""
    return stem.encode()[:MAX_STEM_BYTES].decode(errors="ignore") + copy + ending


def read_file_to_send(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CommandError(f"cannot read the file: {error}") from None
    if not 1 <= len(octets) <= MAX_FILE_BYTES:
        raise CommandError(f"{path} has {'over 16 MiB, the limit' if octets else 'nothing in it'}: send another file")
    return octets


def sync_folder(path: Path) -> None:
    """Have the disk keep the names in a folder, too."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_durably(path: Path, octets: bytes) -> None:
    """Make a file that is there as a whole or not at all, whatever happens."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


class FileFolder:
    """Where `listen` saves files. Those that are not whole yet have a folder each in `.partial`, with their parts and what is
    said of them, which was checked."""

    def __init__(self, path: Path):
        self._path, self._partial = path, path / ".partial"
        self._partial.mkdir(parents=True, exist_ok=True)
        probe, link = self._partial / "probe", self._partial / "link"
        link.unlink(missing_ok=True)
        write_durably(probe, b"")
        os.link(probe, link)  # as a file gets its name: where links can't be made, no file could ever be saved
        for made in (probe, link):
            made.unlink()

    def begin(self, sender: str, said: dict[str, Any]) -> None:
        """Keep what is said of a file. Raises EnvelopeRefused."""
        self._check_room(said)
        begun = sorted(self._partial.iterdir(), key=os.path.getmtime)
        own = [folder for folder in begun if folder.name.startswith(sender)]
        for oldest in own[: 1 - MAX_PARTIAL_OF_SENDER] or begun[: 1 - MAX_PARTIAL_FILES]:
            say(f"there are too many files with parts missing: {oldest.name} is given up")
            shutil.rmtree(oldest)
        folder = self._folder_of(sender, said["id"])
        folder.mkdir(exist_ok=True)
        write_durably(folder / "said", json.dumps(said).encode())

    def add(self, sender: str, file_id: str, n: int, octets: bytes) -> tuple[dict[str, Any], Path] | None:
        """Keep a part that is wanted. Once all are here, save the file: what was said of it, and its path. A part of another
        length than it has to have ends the file. Raises EnvelopeRefused."""
        folder = self._folder_of(sender, file_id)
        if not (folder / "said").exists():
            return None
        said, whole = json.loads((folder / "said").read_text()), folder / "whole"
        if not (folder / str(n)).exists():
            if len(octets) != part_bytes(said["size"], n):
                shutil.rmtree(folder)
                raise EnvelopeRefused(f"a part of the file {said['name']} has another length than it said: it is damaged")
            self._check_room(said)
            write_durably(folder / str(n), octets)
        parts = [folder / str(n) for n in range(said["parts"])]
        if not all(part.exists() for part in parts):
            return None
        if not whole.exists():
            octets = b"".join(part.read_bytes() for part in parts)
            if hashlib.sha256(octets).hexdigest() != said["sha256"]:
                shutil.rmtree(folder)
                raise EnvelopeRefused(f"the file {said['name']} is not what its sender hashed: it is damaged")
            write_durably(whole, octets)
        return said, self._name(whole, said)

    def forget(self, sender: str, file_id: str) -> None:
        shutil.rmtree(self._folder_of(sender, file_id))

    def _check_room(self, said: dict[str, Any]) -> None:
        """A disk that is full would hold up all mail, for nothing is skipped that may yet be saved."""
        disk = os.statvfs(self._path)
        if disk.f_bavail < LEAST_FREE * disk.f_blocks or disk.f_favail < LEAST_FREE * disk.f_files:
            raise EnvelopeRefused(f"the file {said['name']} is not saved: less than a tenth of the disk is free")

    def _folder_of(self, sender: str, file_id: str) -> Path:
        return self._partial / f"{sender} {file_id}"

    def _name(self, whole: Path, said: dict[str, Any]) -> Path:
        """Give a file its name, or the next one that nothing has; its path. Once only, also when it was killed in between:
        the numbers are the same then. After some they are the message's, or a thousand files of one name would cost each
        a thousand looks."""
        for number in itertools.chain(range(1, 100), itertools.count(said["message"])):
            path = self._path / safe_name(said["name"], number)
            with suppress(FileExistsError):
                os.link(whole, path)
            if path.exists() and path.samefile(whole):
                break
        sync_folder(self._path)
        return path


@dataclasses.dataclass
class RelayRecord:
    """What is kept of one relay for one key: the relay's registration key, whether it offered the bound proof, our token
    and when to renew it (seconds since 1970), where `listen` left off and what it has printed. In a file for each relay
    beside the key file; in memory only when there is no key file."""

    path: Path | None = None
    origin: str = ""
    fingerprint: str = ""
    server_public_key: str = ""
    bound: bool = False
    token: str = ""
    token_expires: int = 0
    cursor: int = 0
    sending: str = ""  # of a file that `send` was interrupted at: a hash of what it is, the id it got, the next part, when
    seen: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> RelayRecord:
        """What the file holds, or a new record when there is none. Raises CommandError."""
        try:
            kept, record = json.loads(path.read_text()) if path.exists() else {}, cls()
            wrong = [name for name in kept if type(kept[name]) is not type(getattr(record, name))]
            if wrong or not all(isinstance(each, str) for each in kept.get("seen", [])):
                raise ValueError(f"{', '.join(wrong or ['seen'])} cannot be read")
            return cls(**kept)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise CommandError(f"cannot use {path}: {error}. Move it away to start from the oldest mail") from None

    @classmethod
    def open(cls, key_file: Path, origin: str, fingerprint: str) -> RelayRecord:
        path = key_file.with_name(f"{key_file.name}.{urllib.parse.quote(origin, safe='')}")
        record = cls.read(path)
        if record.fingerprint not in ("", fingerprint):
            raise CommandError(f"{path} belongs to another key than {key_file} holds: move it away, or put that key back")
        return dataclasses.replace(record, path=path, origin=origin, fingerprint=fingerprint)

    def keep(self, **changed: Any) -> None:
        """Change fields, here and in the file, where `send` may be writing beside `listen`: each only what it changed."""
        vars(self).update(changed)
        if not self.path:
            return
        with locked(self.path.parent):
            kept = vars(RelayRecord.read(self.path)) | changed | {"origin": self.origin, "fingerprint": self.fingerprint}
            del kept["path"]
            write_durably(self.path, json.dumps(kept).encode())

    def relay_with(self, server_public_key: str) -> str:
        """The file of another relay that presented this registration key, or nothing."""
        if not self.path:
            return ""
        key_file_name = self.path.name.removesuffix(urllib.parse.quote(self.origin, safe=""))
        others = set(self.path.parent.glob(glob.escape(key_file_name) + "http*")) - {self.path}
        return next((str(path) for path in others if RelayRecord.read(path).server_public_key == server_public_key), "")

    def is_new(self, sender: str, message_id: str) -> bool:
        """False for a message that was seen before; remembers it."""
        key = f"{sender}:{message_id}"
        if key in self.seen:
            return False
        self.seen = [*self.seen, key][-MAX_SEEN:]
        return True


class Refused(CommandError):
    """A relay answered with an error; with status 0, it did not answer as a relay does. `pause`: seconds to wait."""

    def __init__(self, message: str, status: int = 0, pause: int = 0):
        super().__init__(message)
        self.status, self.pause = status, pause
        # Whether the relay may have done all the same what it was asked for, or may do it next time.
        self.leaves_open = status in (0, 408, 429) or (status >= 500 and status != 507)


def pause_of(response: aiohttp.ClientResponse) -> int:
    asked = response.headers.get("Retry-After", "")
    usual = 10 if response.status == 429 else 0
    is_asked = response.status in (429, 503) and re.fullmatch(r"[0-9]{1,6}", asked)
    return min(int(asked), LONGEST_SILENCE_SECONDS) if is_asked else usual


def hinted_id(frame: aiohttp.WSMessage | None) -> int | None:
    hint = (json_object(frame.data) if frame and frame.type == aiohttp.WSMsgType.TEXT else None) or {}
    return hint["id"] if hint.get("type") == "new_message" and type(hint.get("id")) is int else None


async def refuse_redirect(session: object, context: object, redirect: aiohttp.TraceRequestRedirectParams) -> None:
    """A token must not follow wherever a relay sends us."""
    raise Refused(f"{redirect.url.origin()} leads elsewhere (a login page?) instead of answering as a relay", 302)


def open_session() -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse_redirect)
    return aiohttp.ClientSession(
        trace_configs=[trace],
        timeout=aiohttp.ClientTimeout(total=SOCKET_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,  # as in what is served: a little that is packed can be more than our memory
    )


class Client:
    """One identity on one relay. `origin`: its web origin. `contact`: whom a message goes to, if anybody."""

    def __init__(
        self, session: aiohttp.ClientSession, origin: str, secret_key: bytes, key_file: Path | None = None,
        *, contact: str = "", invite: str = "", allow_v1_proof: bool = False,
    ):  # fmt: skip
        self._session, self.origin, self.secret_key = session, origin, secret_key
        self.contact, self.invite, self._allow_v1_proof = contact, invite, allow_v1_proof
        self.public_key = nacl.bindings.crypto_scalarmult_base(secret_key)
        self.fingerprint = fingerprint_of(self.public_key)
        self.record = RelayRecord.open(key_file, origin, self.fingerprint.hex()) if key_file else RelayRecord()
        self.recent: collections.deque[int] = collections.deque(maxlen=MAX_RECENT)  # ids that were fetched in this run

    async def ensure_token(self) -> None:
        if not self.record.token or time.time() >= self.record.token_expires:
            await self.register()

    async def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request with a token; the JSON object that answers it. A token that is refused before its time means that
        the relay may have lost its database, and counts from 1 again: so mail is read from the start then."""
        await self.ensure_token()
        try:
            return await self.request(method, path, body)
        except Refused as refusal:
            if refusal.status != 401:
                raise
        self.record.keep(cursor=0, token="")
        await self.register()
        return await self.request(method, path, body)

    async def insist(self, method: str, path: str, body: Any = None, wait_for_room: bool = False) -> dict[str, Any]:
        """`call`, again when the relay asks to wait, and where nobody can know whether a message was stored: it is the
        same one, so that its reader drops a second copy. An answer without an id means that it was not. `wait_for_room`: also
        while the mailbox is full."""
        for attempt in itertools.count(1):
            try:
                answer = await self.call(method, path, body)
                if body and type(answer.get("id")) is not int:
                    raise Refused(f"{self.origin} answers without an id, so nothing was stored")
                break
            except Refused as refusal:
                is_open, is_full = body is not None and refusal.leaves_open, refusal.status == 507 and wait_for_room
                pause, attempts = (FULL_SECONDS, FULL_ATTEMPTS) if is_full else (refusal.pause, ATTEMPTS)
                if attempt >= attempts or pause > LONGEST_PAUSE_SECONDS or not (is_open or pause):
                    raise CommandError(f"{'nobody knows whether it was sent: ' * is_open}{refusal}") from None
                say(f"{refusal}; trying again")
                await asyncio.sleep(pause or 2 ** (attempt - 1))
        return answer

    async def request(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """One request, without registering; the JSON object that answers it. Raises Refused."""
        headers |= {"Authorization": f"Bearer {self.record.token}"} if self.record.token else {}
        patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS + len(json.dumps(body)) / SLOWEST_BYTES_A_SECOND)
        asking = self._session.request(method, self.origin + path, json=body, headers=headers, timeout=patience)
        content = bytearray()
        try:
            async with asking as response:
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise CommandError(f"{self.origin} answers without end: it is not a relay to use")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Refused(f"cannot reach {self.origin}: {str(error) or type(error).__name__}") from None
        answer = json_object(content or b"{}")
        if response.status >= 300:  # v1's errors are plain text, ours are JSON
            plain = content[:300].decode(errors="replace").strip() if response.content_type == "text/plain" else ""
            reason = str((answer.get("error") if answer else plain) or "no reason given")[:300]
            raise Refused(f"{self.origin} refuses ({response.status}): {reason}", response.status, pause_of(response))
        if answer is None:
            raise Refused(f"{self.origin} does not answer as a relay does: check the address")
        return answer

    async def register(self) -> None:
        """Prove the key, and keep the token and what the relay proved with."""
        public_key = encode_base64(self.public_key)
        challenge = await self.request("POST", "/v1/register/challenge", {"public_key": public_key})
        server_key = decode_key(challenge.get("server_public_key"), "server_public_key")
        bound = challenge.get("bound_proof") is True
        self._check_server_key(server_key, bound)
        proof = self._prove(decode_key(challenge.get("challenge"), "challenge"), server_key, bound)
        invite = {"invite": self.invite} if self.invite else {}
        challenged = {"public_key": public_key, "challenge": challenge["challenge"]}
        answer = await self.request("POST", "/v1/register", challenged | proof | invite)
        token, lifetime = answer.get("token"), answer.get("expires_in")
        is_token = isinstance(token, str) and re.fullmatch(r"[\w.-]{1,4096}", token, re.ASCII)
        if answer.get("fingerprint") != self.fingerprint.hex() or not is_token or type(lifetime) is not int:
            raise CommandError(f"{self.origin} did not register this key: it is not a relay to use")
        expires = int(time.time() + 0.9 * max(0, min(lifetime, 10**9)))
        self.record.keep(server_public_key=encode_base64(server_key), bound=bound, token=token, token_expires=expires)

    def _check_server_key(self, server_key: bytes, bound: bool) -> None:
        """A relay that names somebody's key as its own is after what only they could open; one that changes its key, or
        no longer offers the bound proof, may be somebody else. Raises CommandError."""
        record, key = self.record, encode_base64(server_key)
        holder = fingerprint_of(server_key).hex()
        if holder in {self.fingerprint.hex(), self.contact, *(each.partition(":")[0] for each in record.seen)}:
            raise CommandError(f"{self.origin} presents the key of {holder} as its own: do not trust this relay")
        if other := record.relay_with(key):
            mend = f"If its operator tells you that it is the same one under a new address, rename {other} to {record.path}"
            raise CommandError(f"{self.origin} presents the registration key of another relay. {mend}")
        changed = record.server_public_key not in ("", key)
        if record.bound and (changed or not bound):
            what = "presents another registration key than before" if changed else "no longer knows the better proof"
            mend = f"Ask its operator, and if all is well move {record.path} away"
            raise CommandError(f"{self.origin} {what}: somebody else may answer in its place. {mend}")
        if changed:
            say(f"{self.origin} presents another registration key than before, as relays of the old kind do at each start")

    def _prove(self, challenge: bytes, server_key: bytes, bound: bool) -> dict[str, str]:
        key = shared_key(server_key, self.secret_key)
        if bound:
            return {"proof_mac": encode_base64(bound_proof(key, self.origin, self.public_key, server_key, challenge))}
        if not self._allow_v1_proof:
            why = "only knows the old registration proof, which a hostile relay can misuse: --v1-proof allows it"
            raise CommandError(f"{self.origin} {why}")
        with suppress(EnvelopeRefused):
            read_fields(challenge)
            raise CommandError(f"{self.origin} asks to seal a message instead of a challenge: do not trust this relay")
        nonce = secrets.token_bytes(NONCE_BYTES)
        box = nacl.bindings.crypto_box_afternm(challenge, nonce, key)
        return {"proof_nonce": encode_base64(nonce), "proof_ciphertext": encode_base64(box)}

    async def find_key(self) -> bytes:
        """The contact's public key."""
        if self.contact == self.fingerprint.hex():
            raise CommandError("that address is my own: give the other person's")
        key = decode_key((await self.insist("GET", f"/v1/keys/{self.contact}")).get("public_key"), "public_key")
        if fingerprint_of(key) != bytes.fromhex(self.contact):
            raise CommandError(f"{self.origin} gave a false key for {self.contact}: do not trust this relay")
        return key

    async def post(self, plaintext: bytes, key: bytes, wait_for_room: bool = False) -> int:
        """Encrypt and queue one message to the contact; the id that the relay gave it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        body = {
            "recipient_fingerprint": self.contact,
            "ciphertext": encode_base64(nacl.bindings.crypto_box(plaintext, nonce, key, self.secret_key)),
            "nonce": encode_base64(nonce),
            "sender_public_key": encode_base64(self.public_key),
        }
        return int((await self.insist("POST", "/v1/messages", body, wait_for_room))["id"])

    async def send(self, text: str) -> int:
        """Send words to the contact; the id of the message."""
        key, recipient = await self.find_key(), bytes.fromhex(self.contact)
        return await self.post(make_envelope(text, self.fingerprint, recipient, time.time(), secrets.token_bytes(16)), key)

    async def send_file(self, path: Path, text: str) -> int:
        """Send a file to the contact, with words or without, from where an attempt was interrupted; the last message's id."""
        octets, mime = read_file_to_send(path), mimetypes.guess_type(path.name)[0] or ""
        file = {
            "name": safe_name(path.name), "mime": mime if FILE_TEXTS["mime"].fullmatch(mime) else "application/octet-stream",
            "size": len(octets), "sha256": hashlib.sha256(octets).hexdigest(), "parts": math.ceil(len(octets) / PART_BYTES),
        }  # fmt: skip
        what = hashlib.sha256(json.dumps([self.contact, file, text]).encode()).hexdigest()
        file_id, first = encode_base64url(secrets.token_bytes(16)), 0
        begun = self.record.sending.split()
        if begun[:1] == [what] and 0 <= time.time() - int(begun[3]) < RESUME_SECONDS:
            file_id, first = begun[1], int(begun[2])
        key, message_id = await self.find_key(), 0
        for n in range(first, math.ceil(len(octets) / PART_BYTES)):
            self.record.keep(sending=f"{what} {file_id} {n} {int(time.time())}")
            begins = {"type": "file", "file": {"id": file_id, **file}, **({"text": text} if text else {})}
            said = {"type": "part", "file": file_id, "n": n} if n else begins
            content = json.dumps(said).encode() + b"\0" + octets[PART_BYTES * n :][:PART_BYTES]
            own_id, recipient = part_id(file_id, n) if n else file_id, bytes.fromhex(self.contact)
            plaintext = make_unsealed(content, self.fingerprint, recipient, time.time(), own_id)
            message_id = await self.post(plaintext, key, wait_for_room=True)
        self.record.keep(sending="")
        return message_id

    async def fetch(self) -> list[dict[str, Any]]:
        """The next page of my inbox, ids rising. What else a row holds is yet to be checked."""
        after_id = last = self.record.cursor
        rows = (await self.call("GET", f"/v1/messages?after_id={after_id}&limit={PAGE_ROWS}")).get("messages")
        if self.record.cursor != after_id:  # the token was refused meanwhile
            return await self.fetch()
        page = rows if isinstance(rows, list) else [{}]
        for row in page:
            message_id = row.get("id") if isinstance(row, dict) else None
            if type(message_id) is not int or not last < message_id <= MAX_ID:
                raise CommandError(f"{self.origin} answers with pages out of order: it is not a relay to use")
            last = message_id
            self.recent.append(message_id)
        return page

    async def hints(self) -> AsyncIterator[int | None]:
        """Yields when there may be mail: once connected, at each frame (the id that it hints at), every POLL_SECONDS. A
        token in a URL ends in logs: only a relay of the old kind, which knows no better, gets it there."""
        url, token = self.origin.replace("http", "ws", 1) + "/v1/ws", self.record.token
        way: dict[str, Any] = {"protocols": (SUBPROTOCOL, f"bearer.{token}")}
        if not self.record.bound:
            way = {"params": {"token": token}}
        opening = self._session.ws_connect(url, heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_FRAME_BYTES, **way)
        try:
            async with opening as ws:
                frame = None
                while not ws.closed:
                    yield hinted_id(frame)
                    frame = None
                    with suppress(TimeoutError):
                        frame = await ws.receive(timeout=POLL_SECONDS)
        except (aiohttp.ClientError, TimeoutError) as error:  # whose text may hold the token
            status = getattr(error, "status", None) or type(error).__name__
            message = f"no live connection with {self.origin} ({status}): looking for mail every {POLL_SECONDS} s"
            raise Refused(message) from None


def print_text(message_id: int, sender: str, said: dict[str, Any], as_json: bool) -> None:
    """One line. `said`: its ts and text, perhaps the path of a file, and whether an old client wrote it."""
    if as_json:
        print(json.dumps({"id": message_id, "from": sender, **said}), flush=True)
        return
    words = " ".join(filter(None, ["(old client)" * ("legacy" in said), said.get("file"), said["text"]]))
    print(f"{sender[:8]} {printable(words)}", flush=True)


def take_file(
    message_id: int, sender: str, envelope: dict[str, Any], record: RelayRecord, arguments: argparse.Namespace
) -> None:
    """Save what a `file` or a `part` brings, and print a line once its file is whole. Raises EnvelopeRefused."""
    folder: FileFolder | None = arguments.folder
    try:
        if envelope["type"] == "file":
            said, n, octets = read_file(envelope), 0, envelope["octets"]
            file_id, once = said["id"], f"file {said['id']}"
            if f"{sender}:{once}" not in record.seen:
                if folder:
                    folder.begin(sender, {**said, "message": message_id})
                else:
                    say(f"message {message_id} from {sender} was the file {said['name']}: listen --files DIR saves such")
                record.is_new(sender, once)
        else:
            file_id, n, octets = read_part(envelope)
        saved = folder.add(sender, file_id, n, octets) if folder else None
    except OSError as error:
        raise CommandError(f"cannot save the file of message {message_id}: {error}") from None
    if folder and saved:
        said, path = saved
        print_text(said["message"], sender, {"ts": said["ts"], "text": said["text"], "file": str(path)}, arguments.json)
        record.keep(seen=record.seen)  # before its parts are gone: or it would be saved again
        folder.forget(sender, file_id)


def print_message(client: Client, row: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Open a row of my inbox, and print or save what is in it. Raises EnvelopeRefused."""
    envelope, record = open_envelope(row, client.secret_key, client.fingerprint), client.record
    message_id, sender = row["id"], row["sender_fingerprint"].lower()
    if envelope["type"] in ("file", "part") and "octets" in envelope:
        take_file(message_id, sender, envelope, record, arguments)
    elif not record.is_new(sender, envelope["id"]):
        log.debug("dropped a replay")
    elif envelope["type"] != "text":
        how = "sealed for another device of this address" if envelope["type"] == "sealed" else "sent with a newer client"
        say(f"message {message_id} from {sender} was {how}")
    else:
        legacy = {"legacy": True} if envelope["legacy"] else {}
        print_text(message_id, sender, {"ts": envelope["ts"], "text": envelope["text"], **legacy}, arguments.json)


async def print_mail(client: Client, hinted: int | None, arguments: argparse.Namespace) -> None:
    """Fetch, print, remember, acknowledge. A hint at or below the cursor, of mail that was never here, means that the relay
    began counting anew, from an older copy of its database: reading starts over, and what was printed is dropped."""
    record = client.record
    if hinted is not None and hinted <= record.cursor and hinted not in client.recent:
        record.keep(cursor=0)
    while page := await client.fetch():
        for row in page:
            try:
                print_message(client, row, arguments)
            except EnvelopeRefused as refusal:
                sender = str(row.get("sender_fingerprint"))[:64].lower()
                say(f"refused message {row['id']} from {sender}: {refusal}")
        record.keep(cursor=page[-1]["id"], seen=record.seen)
        if arguments.acknowledge:
            try:
                await client.call("DELETE", f"/v1/messages?through_id={record.cursor}")
            except Refused as refusal:
                if refusal.status not in (404, 405):
                    raise
                say(f"{client.origin} is of the old kind: it keeps its copies until they expire")
                arguments.acknowledge = False


@asynccontextmanager
async def open_client(arguments: argparse.Namespace, origin: str, contact: str = "") -> AsyncIterator[Client]:
    try:
        key_file = arguments.key or Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "io3233" / "key"
    except RuntimeError:
        raise CommandError("there is no home directory to keep a key in: name a file with --key") from None
    key = read_key_file(key_file)
    invite = arguments.invite_file.read_text(errors="replace").strip() if arguments.invite_file else arguments.invite
    async with open_session() as session:
        yield Client(session, origin, key, key_file, contact=contact, invite=invite, allow_v1_proof=arguments.v1_proof)


async def send(arguments: argparse.Namespace) -> None:
    """`relay.py send [--file PATH] LINK [TEXT]` or `relay.py send [--file PATH] URL FINGERPRINT [TEXT]`."""
    words = list(arguments.words)
    is_typed = len(words) > 1 and re.fullmatch(r"[0-9A-Fa-f]{64}", words[1])
    origin, contact = (relay_origin(words.pop(0)), words.pop(0).lower()) if is_typed else parse_link(words.pop(0))
    if len(words) > 1:
        raise CommandError("too many words: put the text in quotes")
    try:
        given = os.fsencode(words[0]) if words else b"" if arguments.file else sys.stdin.buffer.read()
        text = given.decode().rstrip("\n")
    except UnicodeDecodeError:
        raise CommandError("the text is not UTF-8: convert it, for instance with base64") from None
    if not text.strip() and not arguments.file:
        raise CommandError("there is nothing to send: give a text, or pipe one in")
    async with open_client(arguments, origin, contact) as client:
        if not (is_typed or arguments.register or client.record.server_public_key or client.record.cursor):
            raise CommandError(f"this key is not registered with {origin}, the relay of the link: --register does it, once")
        message_id = await (client.send_file(arguments.file, text) if arguments.file else client.send(text))
    say(f"sent as {message_id}")


async def listen(arguments: argparse.Namespace) -> None:
    """`relay.py listen URL`: print mail as it arrives, until interrupted, and save files."""
    try:
        arguments.folder = FileFolder(arguments.files) if arguments.files else None
    except OSError as error:
        raise CommandError(f"cannot save files in {arguments.files} ({error}): name a folder on another disk") from None
    async with open_client(arguments, relay_origin(arguments.url)) as client:
        await client.ensure_token()
        say(f"listening; my invite link: {client.origin}/chats#chat={client.fingerprint.hex()}&server={client.origin}")
        failures, trouble = 0, ""
        while True:
            pause = 0
            try:
                await print_mail(client, None, arguments)  # works where sockets do not, and finds out about a refused token
                async for hinted in client.hints():
                    failures, trouble = 0, ""
                    await print_mail(client, hinted, arguments)
            except (CommandError, RelayError) as error:
                if str(error) != trouble:
                    say(f"{error}; trying again")
                pause, trouble = getattr(error, "pause", 0), str(error)
            failures += 1
            await asyncio.sleep(max(pause, min(RECONNECT_SECONDS, 2**failures) * (0.5 + secrets.randbelow(500) / 1000)))


# ======================================================================================================================
# 18. Command line: doctor
#
# Looks at what a relay stands on, from the inside (the environment it would start with) and from the outside (through
# its proxy, as a client meets it), and says what is wrong and how to mend it. It changes nothing but for a throw-away
# identity, which it deletes again.

MADE_UP_HOST = "made-up.invalid"  # RFC 2606: nobody's
MIN_FREE_BYTES = 200 * 1024 * 1024
MIN_CERTIFICATE_DAYS = 14
OK, WARNING, FAILURE = "ok  ", "warn", "FAIL"
Finding = tuple[str, str]  # level, sentence


def judge(good: bool, praise: str, mend: str, level: str = FAILURE) -> Finding:
    return (OK, praise) if good else (level, mend)


def examine_settings(config: Config, url: str | None) -> Iterator[Finding]:
    for warning in config_warnings(config):
        yield WARNING, f"settings: {warning}"
    if obstacle := push_obstacle(config):
        yield WARNING, f"push: off: {obstacle}"
    if url and config.host in ("127.0.0.1", "::1") and not config.trust_forwarded_for:
        yield WARNING, "settings: behind a proxy TRUST_FORWARDED_FOR=1 is wanted, or all clients share one rate limit"
    yield OK, "settings: all can be used"


def examine_database(config: Config) -> list[Finding]:
    path = Path(config.database)
    if not path.exists():
        none = f"database: there is none at {path}, and none can be made there: check DATABASE_URL"
        may_be_made = config.create_database and os.access(path.parent, os.W_OK)
        return [judge(may_be_made, f"database: {path} will be made at the first start", none)]
    try:
        with closing(connect(config.database)) as connection:  # which brings no older file up to this version
            check_schema(connection, config.database)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
            newest = connection.execute(STATEMENTS["get_newest_time"]).fetchone()
            is_future = newest is not None and newest[0] > to_milliseconds(time.time() + 60)
    except CommandError as error:
        return [(FAILURE, f"database: {error}")]
    except sqlite3.Error as error:
        return [(FAILURE, f"database: {unusable(config.database, error)}")]
    mend = f"database: {path} is damaged ({verdict}): stop the relay, keep a copy, and restore the newest backup"
    clock = "clock: mail in the database is from the future: set the clock (timedatectl set-ntp true)"
    return [
        judge(verdict == "ok", f"database: {path} is sound and can be written", mend),
        judge(not is_future, f"clock: it is {rfc3339(to_milliseconds(time.time()))}, after all mail", clock),
    ]


def examine_disk_and_client(config: Config) -> list[Finding]:
    free = shutil.disk_usage(Path(config.database).resolve().parent).free
    space = f"disk: {free // 2**20} MiB free"
    files = read_static_files(config.static_dir)
    hashed = f"client: {len(files)} files, SHA-256 {client_sha256(files)}"
    missing = "client: none is served; copy the static folder beside relay.py, or set STATIC_DIR"
    full = f"{space}: mail will soon be refused; make room, or shorten MESSAGE_TTL_DAYS"
    return [judge(free >= MIN_FREE_BYTES, space, full), judge(bool(files), hashed, missing, WARNING)]


async def examine_certificate(origin: str) -> Finding:
    url = URL(origin)
    if url.scheme != "https":
        return WARNING, "TLS: plain http: whoever is on the way can change the page, and browsers withhold offline use"
    try:
        async with asyncio.timeout(SOCKET_SECONDS):
            _, writer = await asyncio.open_connection(url.host, url.port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        mend = "see what you have (certbot certificates)"
        return FAILURE, f"TLS: browsers refuse the certificate ({error.verify_message}): {mend}"
    not_after = ssl.cert_time_to_seconds(writer.get_extra_info("peercert")["notAfter"])
    writer.close()
    days = int((not_after - time.time()) // 86_400)
    left = f"TLS: the certificate is good for {days} days"
    mend = f"{left}: see why it is not renewed (certbot renew --dry-run)"
    return judge(days >= MIN_CERTIFICATE_DAYS, left, mend, WARNING)


async def examine_page(session: aiohttp.ClientSession, origin: str) -> Finding:
    async with session.get(origin + "/") as response:
        wanted = {name: value for name, value in PAGE_HEADERS.items() if name != "Server"}
        changed = [name for name, value in wanted.items() if response.headers.getall(name, []) != [value]]
    mend = f"headers: the proxy drops, changes or doubles {', '.join(changed)}: let it pass the relay's own through"
    return judge(not changed, "headers: the page has all of them", mend)


async def examine_host(client: Client) -> Finding:
    """A relay without ORIGIN takes any Host for its own. Another relay could then pass its challenge on, send the Host that
    it was reached under itself, and register there as whoever came to it."""
    try:
        body = {"public_key": encode_base64(client.public_key)}
        answer = await client.request("POST", "/v1/register/challenge", body, Host=MADE_UP_HOST)
    except Refused:
        answer = {}  # the proxy, or the relay, has nothing under that name
    mend = f"ORIGIN: the relay takes itself for whatever Host says: set ORIGIN={client.origin}"
    return judge(MADE_UP_HOST not in str(answer.get("origin")), "ORIGIN: an invented Host changes nothing", mend)


async def examine_relay(session: aiohttp.ClientSession, origin: str, config: Config | None) -> AsyncIterator[Finding]:
    client = Client(session, origin, secrets.token_bytes(KEY_BYTES))
    version = (await client.request("GET", "/v1/stats")).get("version")
    older = f"version: {str(version)[:100]} there, {__version__} here: upgrade the older"
    yield judge(version == __version__, f"version: {version}", older, WARNING)
    challenge = await client.request("POST", "/v1/register/challenge", {"public_key": encode_base64(client.public_key)})
    if config and challenge.get("server_public_key") == encode_base64(Registrar(config.jwt_secret).public_key):
        client.invite = config.invite_code  # only the relay of these settings is told it
    elif config:
        mend = "is this the right address, and the right file?"
        yield WARNING, f"relay: it does not have the JWT_SECRET of these settings: {mend}"
    if (thinks := challenge.get("origin")) != origin:
        mend = f"set ORIGIN={origin}, and let the proxy pass Host on"
        yield FAILURE, f"ORIGIN: the relay thinks it is {str(thinks)[:100]}, and was reached as {origin}: {mend}"
        return
    yield await examine_host(client)
    await client.call("GET", "/v1/me")
    yield OK, "registration: works"
    try:
        async for _ in client.hints():
            break
        yield OK, "WebSocket: the upgrade passes"
    except Refused as refusal:
        yield FAILURE, f"WebSocket: {refusal}: the proxy must pass Upgrade and Connection on, see docs/deploy/nginx.conf"
    finally:
        await client.call("DELETE", "/v1/me")


async def examine_forwarding(session: aiohttp.ClientSession, origin: str) -> Finding:
    """A client that invents its address in X-Forwarded-For must run into the rate limit all the same."""
    burst, _ = LIMITS["stats"]
    for attempt in range(2 * int(burst)):
        forged = {"X-Forwarded-For": f"198.51.100.{attempt}"}
        async with session.get(origin + "/v1/stats", headers=forged) as response:
            if response.status == 429:
                return OK, "X-Forwarded-For: an invented one changes nothing"
    mend = "let the proxy replace or append to it, or set TRUST_FORWARDED_FOR=0 without one"
    return FAILURE, f"X-Forwarded-For: an invented one gets past the rate limit: {mend} (or RATE_LIMIT is off)"


async def examine_push(config: Config) -> Finding:
    """Whether one of the push services can be called from here. It is told nothing."""
    host = next((each for each in config.push_hosts if each[0] != "*"), "push.apple.com")
    name, _, port = host.partition(":")
    try:
        async with asyncio.timeout(PUSH_SECONDS):
            _, writer = await asyncio.open_connection(name, int(port or 443), ssl=ssl.create_default_context())
    except OSError as error:
        why = f"{host} can't be called ({str(error) or type(error).__name__})"
        return WARNING, f"push: {why}: let this machine reach it (docs/HOSTING.md), or set PUSH=off"
    writer.close()
    return OK, f"push: on, for {', '.join(config.push_hosts)}; {host} can be called"


async def examine_from_outside(url: str, config: Config | None) -> AsyncIterator[Finding]:
    """The relay before what stands in front of it: of a stopped one, that is to be said."""
    try:
        origin = relay_origin(url)
        yield (certificate := await examine_certificate(origin))
        if certificate[0] == FAILURE:
            return
        async with open_session() as session:
            async for finding in examine_relay(session, origin, config):
                yield finding
            yield await examine_page(session, origin)
            yield await examine_forwarding(session, origin)
    except (Refused, RelayError, aiohttp.ClientError, OSError) as error:
        yield FAILURE, f"{url}: {str(error) or type(error).__name__}. Is the relay running, and the proxy in front of it?"
    except CommandError as error:
        yield FAILURE, str(error)


async def doctor(url: str | None) -> int:
    """`relay.py doctor [URL]`: print what was found; 1 when something fails, else 0."""
    config = None
    try:
        config = Config.from_env(os.environ)
        findings = [*examine_settings(config, url), *examine_database(config), *examine_disk_and_client(config)]
        findings += [] if push_obstacle(config) else [await examine_push(config)]
    except ConfigError as error:
        findings = [(FAILURE, f"settings: {line}") for line in str(error).splitlines()]
    if url:
        findings += [finding async for finding in examine_from_outside(url, config)]
    for level, sentence in findings:
        print(level, printable(sentence))
    return int(any(level == FAILURE for level, _ in findings))


# ======================================================================================================================
# 19. main


def parse_arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="relay.py",
        description="A relay for end-to-end encrypted chat. Without a command it serves; settings come from the environment and from .env beside it.",
    )
    parser.add_argument("--version", action="version", version=f"io3233 {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="run the relay (the default)")
    backing_up = commands.add_parser("backup", help="copy the database of DATABASE_URL, also while a relay runs on it")
    backing_up.add_argument("destination", metavar="DEST", type=Path)
    usage = "relay.py send [--register] [--key FILE] LINK [TEXT] | URL FINGERPRINT [TEXT]"
    sending = commands.add_parser("send", help="send standard input, or a text, as one message", usage=usage)
    sending.add_argument("words", metavar="LINK|URL FINGERPRINT", nargs="+", help="whom to; then a text, if not from stdin")
    sending.add_argument("--file", metavar="PATH", type=Path, help="a file of up to 16 MiB, as it is; text may go with it")
    sending.add_argument("--register", action="store_true", help="register with the relay of the link, if it is new to us")
    listening = commands.add_parser("listen", help="print what arrives, one line each")
    listening.add_argument("url", metavar="URL", help="the relay, such as https://chat.example.com")
    listening.add_argument("--files", metavar="DIR", type=Path, help="save files there, anybody's, until it is almost full")
    listening.add_argument("--json", action="store_true", help="one object a line: id, from, ts, text")
    forget = "let the relay forget what was printed (no other device has this key)"
    listening.add_argument("--acknowledge", action="store_true", help=forget)
    examining = commands.add_parser("doctor", help="say what is wrong with the settings, the machine or the relay at URL")
    examining.add_argument("url", metavar="URL", nargs="?", help="look from outside as well")
    for command in (sending, listening):
        made = "the secret key, made on first use (default: ~/.config/io3233/key)"
        command.add_argument("--key", metavar="FILE", type=Path, help=made)
        command.add_argument("--invite-file", metavar="FILE", type=Path, help="holds the invite code of a closed relay")
        command.add_argument("--invite", metavar="CODE", default="", help="the code itself, for others here to see")
        command.add_argument("--v1-proof", action="store_true", help="register also with a relay that knows no bound proof")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """The exit status: 0, 1 when a command failed, 2 when it was called or configured wrongly."""
    arguments = parse_arguments(sys.argv[1:] if words is None else words)
    os.umask(0o077)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr does by itself: no stranger's letter may stop us
    start_logging()
    try:
        if arguments.command in ("send", "listen"):  # anybody's, who may not read the relay's settings
            asyncio.run({"send": send, "listen": listen}[arguments.command](arguments))
            return 0
        os.environ |= read_env_file(ENV_FILE) | os.environ
        if arguments.command == "doctor":
            return asyncio.run(doctor(arguments.url))
        if arguments.command == "backup":
            back_up(Config.from_env({"ALLOW_INSECURE_JWT_SECRET": "1", **os.environ}), arguments.destination)
        else:
            asyncio.run(serve(Config.from_env(os.environ)))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read our output left; nor flush it at exit
        return 1
    except (CommandError, RelayError, OSError) as error:
        say(f"relay.py: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
