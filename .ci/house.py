"""The house rules that a program can hold us to; `make check` runs it. Prints each breach as file:line and exits with 1."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

TOP_LEVEL = {"relay.py", "static", "docs", "test_relay.py", "io3233.service", "Makefile", "README.md", "LICENSE"}
FUNCTION_LINES, MODULE_LINES = 40, 220
MARKUP_FROM_STRINGS = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML)\b|document\.write|\beval\(|new Function")
EMPTY_CATCH = re.compile(r"catch\s*(\([^)]*\))?\s*\{\s*\}")
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)")
# Which rooms of static/ a room may import from, beside itself. Views reach the others through the client's object.
ROOMS = {
    "protocol": {"vendor"},
    "store": {"protocol"},
    "relay": {"store", "protocol"},
    "mail": {"relay", "store", "protocol"},
    "device": {"store", "protocol"},
    "views": {"protocol", "vendor"},
}
TOP_MODULES = {"app.js", "client.js", "guest.js", "start.js", "sw.js", "version.js", "worker.js"}
IMPORT = re.compile(r"""^(?:import|export)\b[^"'();]*?["'](\.[^"']+)["']|\b(import)\(["']([^"']+)["']""", re.MULTILINE)
WRITTEN = re.compile(
    r"""^(?!  "/.*": ("sha256-|null)).*\n""", re.MULTILINE
)  # by people: sw.js also has a list that integrity.py writes
# What a person reads speaks of links, names and servers. These words are for docs, for Keys, and for what stands under "Technical details".
WORDS_OUT = re.compile(
    r"\b(relay(?:s|ed)?|(?<!E-)mail(?:box)?|identit(?:y|ies)|regist(?:ers?|ered|ering|ration)|fingerprints?|envelopes?)\b",
    re.IGNORECASE,
)
WORDS_ALLOWED_IN = {"view-keys", "contactTechnical", "static/views/keys-view.js"}
READ_ATTRIBUTES = {"aria-label", "placeholder", "alt", "title", "content"}
# Comments, strings, templates and regular expressions of JavaScript, so that a quote in one of them opens nothing.
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|"""
    r"""(?<=[(,=:;!&|?{}\[\n+>])\s*/(?![/*\s])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*""",
    re.DOTALL,
)
COMPUTED = re.compile(r"\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")  # within a template
SENTENCE = re.compile(r"[A-Za-z…] [a-z(]|^[A-Z][a-z]")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def tracked() -> list[Path]:
    """The files that git knows, except third-party ones."""
    names = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout.splitlines()
    return [path for path in map(Path, names) if path.is_file() and not path.is_relative_to("static/vendor")]


def matches(pattern: re.Pattern[str], path: Path, why: str) -> Iterator[str]:
    text = path.read_text()
    for match in pattern.finditer(text):
        yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {why}"


def long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {lines} lines"


def used_before_defined(path: Path) -> Iterator[str]:
    """A reader of relay.py never jumps ahead: what a function or class names stands above it."""
    tree = ast.parse(path.read_text())
    lines: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            lines[node.name] = node.lineno
        for target in getattr(node, "targets", [getattr(node, "target", None)]):
            if isinstance(target, ast.Name):
                lines[target.id] = node.lineno
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            for name in sorted(name for name in names if lines.get(name, 0) > (node.end_lineno or 0)):
                yield f"{path}:{node.lineno}: {node.name} uses {name}, which is defined below it"


def anchors(path: Path) -> set[str]:
    """The fragments that a page's headings get where such pages are shown."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> Iterator[str]:
    for target, anchor in LINK.findall(FENCE.sub("", path.read_text())):
        goal = path.parent / target if target else path
        if not goal.exists():
            yield f"{path}: no such file: {target}"
        elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
            yield f"{path}: no such heading: {target}#{anchor}"


def forbidden_imports(path: Path) -> Iterator[str]:
    """The client's rooms know each other in one direction, and the page loads whole: only vendored files may come late."""
    static = Path("static").resolve()
    room = path.parts[1] if len(path.parts) > 2 else ""
    if not room and path.name not in TOP_MODULES:
        yield f"{path}: the top of static/ is for {', '.join(sorted(TOP_MODULES))}; modules live in its rooms"
    if room and room not in ROOMS:
        yield f"{path}: no such room; there are {', '.join(ROOMS)}"
    for early, late, late_name in IMPORT.findall(path.read_text()):
        name = early or late_name
        target = (path.parent / name).resolve()
        goal = target.relative_to(static).parts[0] if target.is_file() and target.is_relative_to(static) else "nothing"
        if late and goal != "vendor":
            yield f"{path}: import({name}) comes late: the page loads whole, import it at the top"
        if room in ROOMS and goal not in ROOMS[room] | {room, "version.js"}:
            yield f"{path}: {room}/ may not import {name}, only from {', '.join(sorted(ROOMS[room] | {room}))}"


class Reader(HTMLParser):
    """What a person reads of a page, but for the places where every word may stand."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.read: list[tuple[int, str]] = []
        self._allowed_in = ""
        self._depth = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if not self._allowed_in and named.get("id") in WORDS_ALLOWED_IN:
            self._allowed_in, self._depth = tag, 0
        self._depth += tag == self._allowed_in
        for name in READ_ATTRIBUTES & named.keys():
            self.handle_data(named[name] or "")

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == self._allowed_in
        if self._allowed_in and self._depth == 0:
            self._allowed_in = ""

    def handle_data(self, data: str) -> None:
        if not self._allowed_in:
            self.read.append((self.getpos()[0], data))


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of what a file says to a person. What it says to the console is for others."""
    text = path.read_text()
    if path.suffix == ".html":
        yield from Reader(text).read
    elif path.suffix == ".webmanifest":
        yield from enumerate(text.splitlines(), 1)
    elif str(path) not in WORDS_ALLOWED_IN:
        for token in TOKEN.finditer(text):
            literal = token.group().lstrip()
            line = text[text.rfind("\n", 0, token.start()) + 1 : token.start()]
            said = COMPUTED.sub("…", literal[1:-1]) if literal[0] in '"`' and "console." not in line else ""
            if SENTENCE.search(said) and not said.startswith("io3233 "):
                yield text.count("\n", 0, token.start()) + 1, said


def words_out(path: Path) -> Iterator[str]:
    for line, said in sentences(path):
        if word := WORDS_OUT.search(said):
            yield f"{path}:{line}: “{word.group()}” is not a word for people: {said.strip()[:60]}"


def breaches(paths: list[Path]) -> Iterator[str]:
    for name in sorted({path.parts[0] for path in paths} - TOP_LEVEL):
        if not name.startswith("."):
            yield f"{name}: the top level is for {', '.join(sorted(TOP_LEVEL))}"
    for path in paths:
        if path.suffix in {".py", ".js", ".html", ".css"} and path != Path(__file__).relative_to(Path.cwd()):
            yield from matches(UNFINISHED, path, "left undone")
        if path.suffix == ".py" and path.parts[0] not in {".ci", "test_relay.py"}:
            yield from long_functions(path)
        if path == Path("relay.py"):
            yield from used_before_defined(path)
        if path.suffix == ".md":
            yield from broken_links(path)
        if path.parts[0] == "static" and path.suffix in {".js", ".html", ".webmanifest"}:
            yield from words_out(path)
        if path.parts[0] == "static" and path.suffix in {".js", ".html"}:
            yield from matches(MARKUP_FROM_STRINGS, path, "markup or code from a string")
            yield from matches(EMPTY_CATCH, path, "an error is swallowed")
        if path.parts[0] == "static" and path.suffix == ".js":
            yield from forbidden_imports(path)
        if path.parts[0] == "static" and path.suffix == ".html":
            yield from matches(INLINE, path, "inline script or style, which the page's CSP refuses")
        if path.parts[0] == "static" and path.suffix == ".js" and len(WRITTEN.findall(path.read_text())) > MODULE_LINES:
            yield f"{path}: a module over {MODULE_LINES} lines"


if __name__ == "__main__":
    found = list(breaches(tracked()))
    print("\n".join(found) or "house rules: kept")
    sys.exit(bool(found))
