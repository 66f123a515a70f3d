"""Load, crashes, backups and pruning for a while; then counts what was lost. `make soak`, or `soak.py [--minutes 20]`.

Exits with 1 when a message that a sender was told is stored never arrived, when one arrived twice, when an id was given
twice or came out of order, or when a backup failed. With --attack, shows instead what attacks cost the relay.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import attack
import common
import report
from common import Person, Server, relay, scratch_folder, start_relay

EXPIRED_ROWS = 5000  # put into the database at each start, so that every life of the relay has something to prune
UNREACHABLE = (aiohttp.ClientError, OSError, asyncio.TimeoutError)  # what a crash looks like from outside


class Soak:
    """One run. Each coroutine is one of the things that go on at once; all share the ledger."""

    def __init__(self, folder: Path, rate: float):
        self.folder, self.rate = folder, rate
        self.people = [Person.make() for _ in range(12)]
        self.database = common.make_database(folder / "relay.db", self.people)
        self.port = common.free_port()
        self.stopping, self.draining = asyncio.Event(), asyncio.Event()
        self.acknowledged: dict[str, int] = {}  # nonce -> id
        self.delivered: dict[str, int] = {}
        self.faults: list[str] = []
        self.hints = self.crashes = self.backups = self.unanswered = 0
        self.memory: list[tuple[float, float]] = []  # minutes, MB

    async def run(self, minutes: float) -> None:
        self.server = await self.start_server()
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{self.port}", timeout=aiohttp.ClientTimeout(total=10)
        ) as self.session:
            readers = [asyncio.create_task(self.read(person)) for person in self.people]
            others = [asyncio.create_task(self.send(person)) for person in self.people]
            others += [asyncio.create_task(self.come_and_go(person)) for person in self.people for _ in range(5)]
            others += [asyncio.create_task(work()) for work in (self.crash, self.back_up, self.watch_memory)]
            await asyncio.wait([*readers, *others], timeout=minutes * 60, return_when=asyncio.FIRST_EXCEPTION)
            self.stopping.set()
            await asyncio.gather(*others)
            self.draining.set()
            await asyncio.gather(*readers)
        await asyncio.to_thread(self.server.stop)
        with closing(sqlite3.connect(self.database)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                self.faults.append("the database is not sound")

    async def start_server(self) -> Server:
        """Start the relay, with mail in its database that has expired meanwhile."""
        expired = (self.database, self.people[0], self.people, EXPIRED_ROWS)
        await asyncio.to_thread(common.add_messages, *expired, expires=time.time() - 60)
        return await asyncio.to_thread(start_relay, self.database, port=self.port)

    async def pause(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def send(self, sender: Person) -> None:
        headers = {"Authorization": f"Bearer {sender.token}"}
        while not self.stopping.is_set():
            message = sender.message_to(random.choice(self.people))
            try:
                async with self.session.post("/v1/messages", json=message, headers=headers) as response:
                    answer = await response.json()
            except UNREACHABLE:
                self.unanswered += 1  # stored or not: nobody was told
                await self.pause(0.3)
                continue
            if response.status != 201:
                self.faults.append(f"a message was refused: {answer}")
            else:
                self.acknowledged[message["nonce"]] = answer["id"]
            await self.pause(random.expovariate(self.rate / len(self.people)))

    async def read(self, reader: Person) -> None:
        """Fetch, note and acknowledge, until nothing is left and nobody sends any more."""
        headers, cursor = {"Authorization": f"Bearer {reader.token}"}, 0
        while True:
            is_last = self.draining.is_set()
            try:
                async with self.session.get(
                    "/v1/messages", params={"after_id": cursor, "limit": 50}, headers=headers
                ) as response:
                    rows = (await response.json())["messages"]
                cursor = self.note(rows, cursor)
                if rows:
                    await self.acknowledge(rows, headers)
                elif is_last:
                    return
            except UNREACHABLE:
                await self.pause(0.3)
            await self.pause(random.random())

    def note(self, rows: list[dict[str, Any]], cursor: int) -> int:
        for row in rows:
            if row["id"] <= cursor:
                self.faults.append(f"id {row['id']} came after {cursor}")
            if self.delivered.setdefault(row["nonce"], row["id"]) != row["id"]:
                self.faults.append(f"the message with id {self.delivered[row['nonce']]} came again as {row['id']}")
            cursor = row["id"]
        return cursor

    async def acknowledge(self, rows: list[dict[str, Any]], headers: dict[str, str]) -> None:
        """Now and then one by one, now and then not at all."""
        if random.random() < 0.6:
            async with self.session.delete(
                "/v1/messages", params={"through_id": rows[-1]["id"]}, headers=headers
            ) as response:
                await response.read()
        elif random.random() < 0.5:
            for row in rows[:5]:
                async with self.session.delete(f"/v1/messages/{row['id']}", headers=headers) as response:
                    await response.read()

    async def come_and_go(self, person: Person) -> None:
        while not self.stopping.is_set():
            try:
                async with self.session.ws_connect(
                    "/v1/ws", protocols=(relay.SUBPROTOCOL, f"bearer.{person.token}")
                ) as socket:
                    leave = time.monotonic() + random.expovariate(1 / 20)
                    while time.monotonic() < leave and not self.stopping.is_set():
                        with contextlib.suppress(asyncio.TimeoutError):
                            frame = await socket.receive(timeout=1)
                            if frame.type is not aiohttp.WSMsgType.TEXT:
                                break
                            self.hints += "new_message" in frame.data
            except UNREACHABLE:
                await self.pause(1)

    async def crash(self) -> None:
        while not self.stopping.is_set():
            await self.pause(random.uniform(30, 90))
            if not self.stopping.is_set():
                self.server.process.kill()
                await asyncio.to_thread(self.server.process.wait)
                self.crashes += 1
                self.server = await self.start_server()

    async def back_up(self) -> None:
        while not self.stopping.is_set():
            await self.pause(25)
            copy = self.folder / "backup.db"
            command = (sys.executable, common.ROOT / "relay.py", "backup", copy)
            process = await asyncio.create_subprocess_exec(
                *command, env={"DATABASE_URL": f"sqlite:{self.database}"}, stderr=asyncio.subprocess.PIPE
            )
            _, said = await process.communicate()
            if process.returncode:
                self.faults.append(f"a backup failed: {said.decode()}")
            self.backups += 1
            copy.unlink(missing_ok=True)

    async def watch_memory(self) -> None:
        start = time.monotonic()
        while not self.stopping.is_set():
            with contextlib.suppress(OSError, IndexError):  # it is dead just now
                self.memory.append(((time.monotonic() - start) / 60, self.server.resident_bytes / 1e6))
            await self.pause(1)

    def outcome(self, minutes: float) -> dict[str, Any]:
        ids = list(self.acknowledged.values())
        moved = [nonce for nonce, number in self.acknowledged.items() if self.delivered.get(nonce, number) != number]
        return {
            "minutes": minutes,
            "acknowledged": len(ids),
            "delivered": len(self.delivered),
            "lost": len(self.acknowledged.keys() - self.delivered.keys()),
            "doubled": len(ids) - len(set(ids)) + len(moved) + len(self.delivered) - len(set(self.delivered.values())),
            "unanswered": self.unanswered,
            "hints": self.hints,
            "crashes": self.crashes,
            "backups": self.backups,
            "faults": self.faults,
            "memory": [[round(x, 2), round(y, 1)] for x, y in self.memory[:: max(1, len(self.memory) // 300)]],
        }


async def soak(minutes: float, rate: float) -> dict[str, Any]:
    with scratch_folder() as folder:
        run = Soak(folder, rate)
        try:
            await run.run(minutes)
        finally:
            await asyncio.to_thread(run.server.stop)
        return run.outcome(minutes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="under 10, docs/BENCHMARKS.md stays as it is")
    parser.add_argument("--rate", type=float, default=200, help="messages a second")
    parser.add_argument("--attack", nargs="*", metavar="NAME", help="attack a relay instead: these, or all of attack.py")
    parser.add_argument("--relay", type=Path, default=common.ROOT / "relay.py", help="the relay.py to attack")
    options = parser.parse_args()
    if options.attack is not None:
        attack.run(options.relay, options.attack)
        return 0
    seen = asyncio.run(soak(options.minutes, options.rate))
    print(", ".join(f"{name} {value}" for name, value in seen.items() if name not in ("memory", "faults")))
    if seen["memory"]:
        print(
            f"memory {seen['memory'][0][1]} MB at first, {max(y for _, y in seen['memory'])} at most, {seen['memory'][-1][1]} in the end"
        )
    for fault in seen["faults"][:20]:
        print(fault, file=sys.stderr)
    if options.minutes >= 10:
        report.save("soak", seen, common.versions(), f"{datetime.now(UTC):%Y-%m-%d}")
    return 1 if seen["lost"] or seen["doubled"] or seen["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
