"""Writes docs/BENCHMARKS.md and its charts from results.json. `python docs/bench/report.py` does it again without measuring."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "BENCHMARKS.md"

STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .quiet { fill: #59636e } .title { font-weight: 600 }
.a { fill: #0969da } .b { fill: #8c959f } .line { stroke: #0969da; fill: none; stroke-width: 2 } .axis { stroke: #8c959f }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .quiet { fill: #9198a1 } .a { fill: #4493f8 } .b { fill: #656c76 }
.line { stroke: #4493f8 } .axis { stroke: #656c76 } }
</style>"""


# Charts


def svg(width: int, height: int, title: str, body: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    return "\n".join(
        [
            head,
            f"<title>{escape(title)}</title>",
            STYLE,
            f'<text class="title" x="0" y="16">{escape(title)}</text>',
            *body,
            "</svg>",
            "",
        ]
    )


def bars(title: str, rows: Sequence[tuple[str, float, str, bool]]) -> str:
    """One bar a row: (label, length, what it says at its end, whether it is ours)."""
    longest = max(length for _, length, _, _ in rows)
    body = []
    for number, (label, length, text, ours) in enumerate(rows):
        y, width = 32 + number * 26, 290 * length / longest
        body.append(f'<text x="230" y="{y + 14}" text-anchor="end">{escape(label)}</text>')
        body.append(f'<rect class="{"a" if ours else "b"}" x="240" y="{y}" width="{width:.1f}" height="18" rx="2"/>')
        body.append(f'<text class="quiet" x="{246 + width:.1f}" y="{y + 14}">{escape(text)}</text>')
    return svg(720, 40 + len(rows) * 26, title, body)


def curve(title: str, points: Sequence[tuple[float, float]], x_unit: str, y_unit: str) -> str:
    """A line from (0, 0) up; both axes are labelled at their ends."""
    right, top = max(x for x, _ in points) or 1, max(y for _, y in points) * 1.1 or 1
    path = " ".join(f"{50 + 600 * x / right:.1f},{190 - 150 * y / top:.1f}" for x, y in points)
    body = [
        '<path class="axis" fill="none" d="M50 40V190H650"/>',
        f'<polyline class="line" points="{path}"/>',
        f'<text class="quiet" x="44" y="46" text-anchor="end">{top:.0f}</text>',
        '<text class="quiet" x="44" y="194" text-anchor="end">0</text>',
        f'<text class="quiet" x="650" y="208" text-anchor="end">{right:.0f} {escape(x_unit)}</text>',
        f'<text class="quiet" x="56" y="34">{escape(y_unit)}</text>',
    ]
    return svg(700, 216, title, body)


# The page, section by section. Each takes what bench.py measured.


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds < 0.1 else f"{seconds * 1e3:.0f} ms"


def mb(octets: float) -> str:
    return f"{octets / 1e6:.1f} MB"


def target(met: bool) -> str:
    return "met" if met else "**missed**"


def median(numbers: Sequence[float]) -> float:
    return sorted(numbers)[len(numbers) // 2]


POST_GOALS = {"32": 0.50, "128": 0.50}  # connections: share of the bare rate


def post_row(connections: str, ours: dict[str, Any], bare: dict[str, Any], control: dict[str, Any]) -> list[str]:
    low, middle, high = ours["ratio"]
    goal = POST_GOALS.get(connections)
    return [
        connections,
        f"{median(bare['rates']):,}/s",
        f"{median(ours['rates']):,}/s",
        f"**{middle:.2f}** ({low:.2f}–{high:.2f})",
        "{1:.2f} ({0:.2f}–{2:.2f})".format(*control["ratio"]),
        f"{ms(ours['p50'])}, {ms(bare['p50'])}",
        f"{ms(ours['p99'])}, {ms(bare['p99'])} ({ours['p99_ratio']:.1f}×)",
        mb(ours["wal_peak_bytes"]),
        f"{goal:.2f}: {target(middle >= goal)}; 4×: {target(ours['p99_ratio'] <= 4)}" if goal else "none",
    ]


def post_section(seen: dict[str, Any]) -> str:
    rows, chart = [], []
    for connections, one in seen["connections"].items():
        ours, bare = one["relay"], one["bare"]
        rows.append(post_row(connections, ours, bare, one["control"]))
        for name, row, mine in (("bare aiohttp", bare, False), ("relay, durable", ours, True)):
            chart.append(
                (
                    f"{name}, {connections}",
                    float(median(row["rates"])),
                    f"{median(row['rates']):,}/s, p99 {ms(row['p99'])}",
                    mine,
                )
            )
    title = "POST /v1/messages, 1 KiB, by connections: requests a second (more is better)"
    (HERE / "post.svg").write_text(bars(title, chart))
    head = [
        "connections",
        "bare",
        "relay",
        "relay / bare",
        "control",
        "p50 relay, bare",
        "p99 relay, bare",
        "WAL at most",
        "goals (share; p99)",
    ]
    return f"""## A durable POST beside a bare one

![Requests a second](bench/post.svg)

{table(head, rows)}

Bare is `bare.py`: aiohttp reads JSON, answers JSON and does nothing else. The relay does the same, checks a token, decodes and
checks a message of 1 KiB and answers once it is committed and synced (WAL, `synchronous=FULL`). {seen["rounds"]} rounds of
{seen["seconds"]:g} s each, everybody once a round in random order. The ratio is the median of the rounds' ratios, with quartiles. The
control is bare against itself: what it strays from 1.00 is the machine's, not ours. The relay is at rest before the next one's turn.
There are as many senders as connections and as many recipients, drawn at random. Each recipient has a place of their own in the index of
mailboxes, so the more there are, the more pages a commit writes: the row with 1,000 people shows that (before 2026-11-25 all rows did).
"""


def push_section(seen: dict[str, Any]) -> str:
    names = {"off": "push off", "dead": "push on, its service dead"}
    rows = [
        [names[name], f"{median(one['rates']):,}/s", ms(one["p50"]), ms(one["p99"]), f"{one['p99_ratio']:.2f}"]
        for name, one in ((name, seen[name]) for name in names)
    ]
    chart = [(label, seen[name]["p99"], ms(seen[name]["p99"]), name == "dead") for name, label in names.items()]
    (HERE / "push.svg").write_text(
        bars("POST /v1/messages, 32 senders: the slowest of a hundred waits (less is better)", chart)
    )
    return f"""## Pushes that nobody takes

![p99 of POST](bench/push.svg)

{table(["32 senders", "messages", "p50", "p99", "p99 beside push off"], rows)}

{seen["subscriptions"]:,} people, each with a device that is to be pushed to, and a push service that takes connections and never says anything, beside
the same with `PUSH=off`: {seen["rounds"]} rounds of {seen["seconds"]:g} s, in turns and random order, the ratio is the median of the rounds'. The goal is 1.1: {target(seen["dead"]["p99_ratio"] <= 1.1)}.
"""


def lone_section(seen: dict[str, Any]) -> str:
    rows = [
        ["INSERT + COMMIT through an executor of one thread", f"{seen['insert_and_commit'] * 1e6:.0f} µs", "1"],
        ["the relay's `Store.add_message`", f"{seen['add_message'] * 1e6:.0f} µs", f"{seen['add_message_ratio']:.2f}"],
        ["a bare POST, which stores nothing", f"{seen['bare_post'] * 1e6:.0f} µs", f"{seen['bare_post_ratio']:.2f}"],
        ["the relay's whole POST", f"{seen['post'] * 1e6:.0f} µs", f"{seen['post_ratio']:.2f}"],
    ]
    return f"""## One sender alone

{table(["one message (median)", "time", "ratio"], rows)}

The goal is 1.3 for the whole POST ({target(seen["post_ratio"] <= 1.3)}). The second line keeps the books of mailboxes and shares besides. A commit and then a bare
POST take {1 + seen["bare_post_ratio"]:.2f} already: the faster the disk, the more of the whole is HTTP. What the whole takes beyond that is the token, the checks and,
probably, a processor that has slept and grown cold while the disk synced.
"""


def page_section(seen: dict[str, Any]) -> str:
    names = {"page": "GET a page of 50", "stats": "GET /v1/stats", "search": "GET /v1/keys/search"}
    sizes = list(seen["page"])
    rows = [
        [names[kind], *(f"{one['rate']:,.0f}/s, {one['cost'][1]:.2f}×" for one in by_size.values())]
        for kind, by_size in seen.items()
    ]
    worst = max(one["cost"][1] for one in seen["page"].values())
    return f"""## What is stored costs nothing

{table(["requests a second and cost", *(f"{int(size):,} stored" for size in sizes)], rows)}

As many messages as identities are stored; the rows of a mailbox lie scattered over the file, and pages begin anywhere. 4 connections, one
relay for each size, in turns. The goal is 1.5× for a page ({target(worst <= 1.5)}).
"""


def sockets_section(seen: dict[str, Any]) -> str:
    ratio = seen["hint_p99"] / seen["post_p99"]
    rows = [
        [
            f"resident memory an idle socket, at {seen['idle_sockets']:,}",
            f"{seen['socket_bytes'] / 1024:.1f} KiB",
            f"20 KiB: {target(seen['socket_bytes'] <= 20480)}",
        ],
        [
            f"POST to its answer, p50 and p99, {seen['sockets']:,} sockets",
            f"{ms(seen['post_p50'])}, {ms(seen['post_p99'])}",
            "",
        ],
        [
            "POST to the recipient's hint, p50 and p99",
            f"{ms(seen['hint_p50'])}, {ms(seen['hint_p99'])}",
            f"1.2 × POST's p99: {ratio:.2f}, {target(ratio <= 1.2)}",
        ],
    ]
    return f"""## WebSockets

{table(["", "seen", "goal"], rows)}

Eight senders without a pause, {seen["messages"]:,} messages to a thousand connected people in turn. Memory is the process's (RSS); the kernel's
socket buffers come on top.
"""


def prune_section(seen: dict[str, Any]) -> str:
    rows = [
        ["while pruning", ms(seen["p99"]), ms(seen["max"]), f"100 ms: {target(seen['max'] <= 0.1)}"],
        ["afterwards", ms(seen["after_p99"]), ms(seen["after_max"]), ""],
    ]
    return f"""## Pruning {seen["expired"]:,} expired messages

{table(["one sender waits", "p99", "at worst", "goal"], rows)}

It took {seen["seconds"]:.0f} s, in which {seen["messages"]:,} messages were sent. The WAL never passed {mb(seen["wal_peak_bytes"])}.
"""


def memory_section(seen: dict[str, Any]) -> str:
    names = {
        "address": (f"{seen['addresses']:,} addresses asked /v1/stats", seen["addresses"]),
        "challenge": (f"{seen['addresses']:,} challenges were issued, each to another address", seen["addresses"]),
        "message": (f"{seen['messages'] // 2:,} messages were sent", seen["messages"]),
    }
    rows = [[text, *map(mb, seen[name])] for name, (text, _) in names.items()]
    return f"""## Memory stays where it is

{table(["resident memory after", "warm", "that many", "twice as many"], rows)}

Caches fill to their bounds once (rate limits of 16,384 clients, 16 MiB of database pages); the third figure shows that they stay there.
"""


def file_section(seen: dict[str, Any]) -> str:
    before, after = seen["memory"]
    rows = [
        ["the relay's processor", f"{seen['cpu']:.2f} s", ""],
        ["WAL at most", mb(seen["wal"]), ""],
        [f"resident memory before and after {seen['files']} in a row", f"{mb(before)} → {mb(after)}", ""],
        ["others' POSTs meanwhile, p50 and p99", f"{ms(seen['beside_p50'])}, {ms(seen['beside_p99'])}", f"{ms(seen['alone_p50'])}, {ms(seen['alone_p99'])}"],
        ["at worst", ms(seen["beside_max"]), ms(seen["alone_max"])],
    ]  # fmt: skip
    return f"""## A file of 16 MiB

{table(["", "with one", "without"], rows)}

A file is 256 messages of 66 KiB. Memory, processor and WAL: one file after the other, as fast as the relay takes them. Others' POSTs: one sender without a
pause, while a file comes as the client sends it, eight parts a second, and just as long without, in turns; what
else the machine does is in both, so only their difference says something.
"""


def peers_section(seen: dict[str, Any]) -> str:
    rows = []
    for name, one in seen["peers"].items():
        rows.append(
            [
                name,
                f"{one['store_1']:,.0f}/s",
                f"{'≥ ' if one['busy'] > 0.9 else ''}{one['store_32']:,.0f}/s",
                f"{one['fetch']:,.0f}/s",
                f"{one['syncs_per_message']:.2f}",
                one["durability"],
            ]
        )
    ours = seen["peers"]["io3233"]["store_32"]
    faster = [name for name, one in seen["peers"].items() if one["store_32"] > ours and not name.startswith("io3233")]
    chart = [
        (name, one["store_32"], f"{one['store_32']:,.0f}/s, {one['short']}", name.startswith("io3233"))
        for name, one in sorted(seen["peers"].items(), key=lambda item: -item[1]["store_32"])
    ]
    (HERE / "peers.svg").write_text(bars("1 KiB messages stored and acknowledged a second, 32 senders", chart))
    skipped = f"\nNot installed, so not measured: {'; '.join(seen['skipped'])}.\n" if seen["skipped"] else ""
    return f"""## Beside its peers

![Messages stored a second](bench/peers.svg)

{table(["peer", "1 sender", "32 senders", "fetched", "syncs a message", "when it acknowledges"], rows)}

Faster than the relay at 32 senders: {"; ".join(faster) or "none"}. They are servers in C or Go that take a binary or line protocol, without HTTP,
JSON, tokens or signatures to check; and those that do not sync acknowledge what a power cut takes back. The relay without its sync stands
beside them for that comparison: it is not a setting that the relay offers. All take turns, {seen["rounds"]} rounds of {seen["seconds"]:g} s, the figure is the median; server on one core,
the same kind of Python load generator on the other (≥: the generator could do no more, the peer perhaps). Syncs are counted by `strace -f -e trace=fsync,fdatasync` in a run of its own, at 32 senders.
{skipped}"""


def soak_section(seen: dict[str, Any]) -> str:
    (HERE / "soak.svg").write_text(curve("Resident memory of the relay during the soak", seen["memory"], "minutes", "MB"))
    rows = [
        [f"{seen[name]:,}" for name in ("acknowledged", "delivered", "lost", "doubled", "crashes", "backups", "hints")],
    ]
    return f"""## {seen["minutes"]:g} minutes of everything at once

{table(["acknowledged", "delivered", "lost", "doubled", "kill -9", "backups", "hints"], rows)}

![Resident memory](bench/soak.svg)

`make soak`: twelve people send, read and acknowledge, sixty sockets come and go, expired mail is pruned, backups are made and checked, and the
relay is killed now and then, with {seen["unanswered"]:,} messages on the wire that nobody was told about; these may be delivered or not. Lost: a sender was told
that it is stored, and it never arrived. Doubled: an id was given twice, or a message came under two. A drop in the curve is a kill.
"""


SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "post": post_section, "push": push_section, "lone": lone_section, "page": page_section, "sockets": sockets_section,
    "prune": prune_section, "memory": memory_section, "file": file_section, "peers": peers_section, "soak": soak_section,
}  # fmt: skip


def load() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def save(name: str, seen: dict[str, Any], versions: dict[str, str], date: str) -> None:
    """Keep one section's figures, and write the page anew."""
    results = load() | {name: {**seen, "versions": versions, "date": date}}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    write_page(results)


def write_page(results: dict[str, Any]) -> None:
    head = (
        "# Benchmarks\n\nWritten by `make bench`; `docs/bench/` has the programs and `results.json` the raw figures. The server has one core to itself and the\n"
        "load generator the other (wrk with ready-made requests: real tokens, really boxed messages of 1 KiB).\n"
        "Databases are files on a disk. The speed of a rented machine swings within seconds, so what is compared takes turns in one run.\n"
    )
    parts = [head]
    for name, write in SECTIONS.items():
        if name in results:
            seen = dict(results[name])
            versions, date = seen.pop("versions"), seen.pop("date")
            about = ", ".join(f"{key} {value}" if key != "machine" else value for key, value in versions.items())
            parts.append(f"{write(seen)}\n<sub>{date}: {about}.</sub>\n")
    PAGE.write_text("\n".join(parts))


if __name__ == "__main__":
    write_page(load())
