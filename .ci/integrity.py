#!/usr/bin/env python3
"""Writes the integrity attributes of static/index.html.

The page names every script of its first load with its SHA-384, so that a
proxy or cache that alters one breaks the page instead of the person. This
finds the modules that app.js imports (statically, however deep), writes one
modulepreload line for each between the markers, and renews the integrity of
each stylesheet and classic script.

    integrity.py           rewrite static/index.html
    integrity.py --check   change nothing; exit 1 when it is stale
"""

import base64
import hashlib
import re
import sys
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"
PAGE = STATIC / "index.html"
IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*?["'](\./[^"']+)["']""", re.MULTILINE)
MARKED = re.compile(r"(<!-- modules: [^>]*-->\n).*?(\s*<!-- /modules -->)", re.DOTALL)
TAG = re.compile(r"""<(?:link rel="stylesheet"|script)[^>]*?(?:href|src)="/([^"]+)"[^>]*>""")


def integrity(path: Path) -> str:
    """The SRI value of a file (W3C Subresource Integrity)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


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
    """One modulepreload line."""
    href = path.relative_to(STATIC).as_posix()
    return f'  <link rel="modulepreload" href="/{href}" integrity="{integrity(path)}">'


def renewed(tag: re.Match[str]) -> str:
    """The tag with the integrity that its file has now."""
    bare = re.sub(r' integrity="[^"]*"', "", tag.group(0))
    return f'{bare[:-1]} integrity="{integrity(STATIC / tag.group(1))}">'


def rewrite(page: str) -> str:
    """index.html as it should be."""
    lines = "\n".join(preload(path) for path in modules(STATIC / "app.js"))
    page, marked = MARKED.subn(lambda match: match.group(1) + lines + match.group(2), page)
    if not marked:
        sys.exit("static/index.html has lost its <!-- modules --> markers; put them back in <head>.")
    return TAG.sub(renewed, page)


def main() -> None:
    """Rewrite or check."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = rewrite(page)
    if page == wanted:
        return
    if "--check" in sys.argv[1:]:
        sys.exit("static/index.html has stale integrity attributes; run .ci/integrity.py and commit it.")
    PAGE.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
