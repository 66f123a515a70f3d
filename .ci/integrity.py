#!/usr/bin/env python3
"""Writes what static/index.html and static/sw.js say about the other files.

index.html names every script of its first load with its SHA-256, so that a
proxy or cache that alters one breaks the page instead of the person: one
modulepreload line for each module that app.js and the home view import
(statically, however deep), and the integrity of each stylesheet and classic
script. sw.js lists every file of the folder, so that the page starts without
a network.

    integrity.py           rewrite both
    integrity.py --check   change nothing; exit 1 when one of them is stale
"""

import base64
import hashlib
import json
import re
import sys
import textwrap
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"
IMPORT = re.compile(r"""^(?:import|export)\b[^"'();]*?["'](\./[^"']+)["']""", re.MULTILINE)
MARKED = re.compile(r"(<!-- modules: [^>]*-->\n).*?(\s*<!-- /modules -->)", re.DOTALL)
TAG = re.compile(r"""<(?:link rel="stylesheet"|script)[^>]*?(?:href|src)="/([^"]+)"[^>]*>""")
SHELL = re.compile(r"const SHELL = \[[^\]]*\];")


def integrity(path: Path) -> str:
    """The SRI value of a file (W3C Subresource Integrity)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def modules(*entries: Path) -> list[Path]:
    """The entry modules and all that they import, entries first."""
    found = list(entries)
    for path in found:
        for name in IMPORT.findall(path.read_text(encoding="utf-8")):
            imported = (path.parent / name).resolve()
            if imported not in found:
                found.append(imported)
    return found


def preload(path: Path) -> str:
    """One modulepreload line."""
    href = path.relative_to(STATIC).as_posix()
    return f'  <link rel="modulepreload" href="/{href}" integrity="{integrity(path)}">'


def with_integrity(tag: re.Match[str]) -> str:
    """The tag with the integrity that its file has now."""
    bare = re.sub(r' integrity="[^"]*"', "", tag.group(0))
    return f'{bare[:-1]} integrity="{integrity(STATIC / tag.group(1))}">'


def page(text: str) -> str:
    """index.html as it should be."""
    lines = "\n".join(preload(path) for path in modules(STATIC / "app.js", STATIC / "newchat-view.js"))
    text, marked = MARKED.subn(lambda match: match.group(1) + lines + match.group(2), text)
    if not marked:
        sys.exit("static/index.html has lost its <!-- modules --> markers; put them back in <head>.")
    return TAG.sub(with_integrity, text)


def shell_files() -> list[str]:
    """Every file of the folder as the page asks for it, but the worker itself and dot-files."""
    names = (path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())
    return sorted(f"/{name}" for name in names if name != "sw.js" and not re.search(r"(^|/)\.", name))


def worker(text: str) -> str:
    """sw.js as it should be. The list is JSON as well: hashes.js reads it as such."""
    listing = textwrap.fill(", ".join(map(json.dumps, shell_files())), 118, break_on_hyphens=False)
    text, found = SHELL.subn(f"const SHELL = [\n{textwrap.indent(listing, '  ')}\n];", text)
    if not found:
        sys.exit("static/sw.js has lost its SHELL list.")
    return text


def main() -> None:
    """Rewrite or check."""
    stale = []
    for path, wanted in [(STATIC / "sw.js", worker), (STATIC / "index.html", page)]:
        text = path.read_text(encoding="utf-8")
        if wanted(text) != text:
            stale.append(f"static/{path.name}")
            if "--check" not in sys.argv[1:]:
                path.write_text(wanted(text), encoding="utf-8")
    if stale and "--check" in sys.argv[1:]:
        sys.exit(f"{' and '.join(stale)} stale: run .ci/integrity.py and commit what it writes.")


if __name__ == "__main__":
    main()
