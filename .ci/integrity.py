#!/usr/bin/env python3
"""Writes what static/index.html and the service workers say about the other files.

index.html names every script of the page with its SHA-256, so that a proxy or
cache that alters one breaks the page instead of the person: the integrity of
each stylesheet and script, and one modulepreload line for each other module
that app.js imports, however deep. sw.js lists every other file of the folder, with
the hashes of those that index.html does not name, its own among them: it keeps one
whole version, or none. These two and worker.js name that version, by a hash over
all.

    integrity.py [FOLDER]           rewrite them, in static/ or in a copy of it
    integrity.py --check [FOLDER]   change nothing; exit 1 when one of them is stale
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

FOLDERS = [Path(word).resolve() for word in sys.argv[1:] if word != "--check"]
STATIC = FOLDERS[0] if FOLDERS else Path(__file__).resolve().parent.parent / "static"
WORKERS = STATIC / "sw.js", STATIC / "worker.js"
IMPORT = re.compile(r"""^(?:import|export)\b[^"'();]*?["'](\.[^"']+)["']""", re.MULTILINE)
MARKED = re.compile(r"(<!-- modules: [^>]*-->\n).*?(\s*<!-- /modules -->)", re.DOTALL)
TAG = re.compile(r"""<(?:link rel="stylesheet"|script)[^>]*?(?:href|src)="/([^"]+)"[^>]*>""")
INTEGRITY = re.compile(r' integrity="[^"]*"')
VERSION = re.compile(r'const VERSION = "[^"]*";')
NAMED = re.compile(r'(?:href|src)="(/[^"]+)" integrity=')
FILES = re.compile(r"const FILES = \{[^}]*\};")
VERSION_DIGITS = 16


def integrity(content: bytes) -> str:
    """The SRI value of a file (W3C Subresource Integrity)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()


def integrity_of(path: Path) -> str:
    """The SRI value of a file of static/."""
    return integrity(path.read_bytes())


def modules(entry: Path) -> list[Path]:
    """The entry module and all that it imports, entry first."""
    found = [entry]
    for path in found:
        for name in IMPORT.findall(path.read_text(encoding="utf-8")):
            imported = (path.parent / name).resolve()
            if imported not in found:
                found.append(imported)
    return found


def preload(path: Path) -> str:
    """One modulepreload line. They are many, and what the first picture needs goes before them."""
    href = path.relative_to(STATIC).as_posix()
    return f'  <link rel="modulepreload" fetchpriority="low" href="/{href}" integrity="{integrity_of(path)}">'


def with_integrity(tag: re.Match[str]) -> str:
    """The tag with the integrity that its file has now."""
    return f'{INTEGRITY.sub("", tag.group(0))[:-1]} integrity="{integrity_of(STATIC / tag.group(1))}">'


def files() -> list[Path]:
    """Every file of the folder but the worker itself and dot-files."""
    names = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()]
    return [STATIC / name for name in sorted(names) if name != "sw.js" and not re.search(r"(^|/)\.", name)]


def version(page_text: str) -> str:
    """The name of this version: a hash over the page without what is written here, the workers likewise, and all other files."""
    bare = INTEGRITY.sub("", MARKED.sub("", page_text))
    workers = [FILES.sub("", VERSION.sub("", path.read_text(encoding="utf-8"))) for path in WORKERS]
    parts = [bare, *workers] + [integrity_of(path) for path in files() if path.name not in ("index.html", "worker.js")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:VERSION_DIGITS]


def page(text: str) -> str:
    """index.html as it should be."""
    scripts = {STATIC / name for name in TAG.findall(text)}
    lines = [f'  <meta name="version" content="{version(text)}">']
    lines += [preload(path) for path in sorted(modules(STATIC / "app.js")) if path not in scripts]
    text, marked = MARKED.subn(lambda match: match.group(1) + "\n".join(lines) + match.group(2), text)
    if not marked:
        sys.exit("static/index.html has lost its <!-- modules --> markers; put them back in <head>.")
    return TAG.sub(with_integrity, text)


def named(path: Path, page_text: str) -> str:
    """A worker with this version's name."""
    text, found = VERSION.subn(f'const VERSION = "{version(page_text)}";', path.read_text(encoding="utf-8"))
    return text if found else sys.exit(f"static/{path.name} has lost its VERSION.")


def listing(text: str, written: dict[Path, str]) -> str:
    """sw.js as it should be, beside the files `written` anew. The list is JSON as well: device/service-worker.js reads it as such."""
    hashes: dict[str, str | None] = {f"/{path.relative_to(STATIC).as_posix()}": integrity_of(path) for path in files()}
    hashes |= {f"/{path.name}": integrity(content.encode()) for path, content in written.items()}
    hashes |= dict.fromkeys(NAMED.findall(written[STATIC / "index.html"]))
    text, listed = FILES.subn(lambda _: f"const FILES = {json.dumps(hashes, indent=2)};", text)
    return text if listed else sys.exit("static/sw.js has lost its FILES.")


def main() -> None:
    """Rewrite or check."""
    index, (sw, module) = STATIC / "index.html", WORKERS
    old = {path: path.read_text(encoding="utf-8") for path in (index, sw, module)}
    page_text = page(old[index])
    new = {index: page_text, module: named(module, page_text)}
    new[sw] = listing(named(sw, page_text), new)
    stale = [path for path in new if new[path] != old[path]]
    if stale and "--check" in sys.argv[1:]:
        sys.exit(
            f"{' and '.join(f'static/{path.name}' for path in stale)} stale: run .ci/integrity.py and commit what it writes."
        )
    for path in stale:
        path.write_text(new[path], encoding="utf-8")


if __name__ == "__main__":
    main()
