#!/usr/bin/env python3
"""Checks the links of every *.md, and of every address in them, without a network.

    check_links.py [FILE...]     all that git knows otherwise

A link to a file must lead to one, and its #part to a heading there, by the names that headings get at GitHub and, for pages of docs/, on the
site that mkdocs makes of them. Of an address only the form is looked at.
"""
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
CODE = re.compile(r"^(```|~~~).*?^\1[ \t]*$|`+[^`\n]+`+", re.S | re.M)
INLINE = re.compile(r"\]\(\s*<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)")
DEFINITION = re.compile(r"^ {0,3}\[([^\]^]+)\]:\s*<?(\S+?)>?\s*$", re.M)
REFERENCE = re.compile(r"\[[^\]]+\]\[([^\]]+)\]")
ADDRESS = re.compile(r"(?<![(<\w\"])https?://[^\s)<>\"]+|<(https?://[^>]*)>")
HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", re.M)
HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def without_code(text):
    return CODE.sub("", text)


def at_github(title):
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def on_the_site(title):
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title.encode("ascii", "ignore").decode()).strip().lower())


def numbered(names, separator):
    """A name that is there already gets a number."""
    seen, out = {}, set()
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        out.add(f"{name}{separator}{count}" if count else name)
    return out


def parts_of(page):
    """[names of its headings], one set for each place where people read it."""
    fenced = re.sub(r"^(```|~~~).*?^\1[ \t]*$", "", page.read_text(), flags=re.S | re.M)
    titles = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title.replace("`", "").replace("*", "")) for title in HEADING.findall(fenced)]
    sets = [numbered(map(at_github, titles), "-")]
    return sets + [numbered(map(on_the_site, titles), "_")] if page.parent == ROOT / "docs" else sets


def why_address_is_wrong(address):
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        return str(error)
    if parts.scheme != "https":
        return "https expected"
    if not HOST.fullmatch(host):
        return f"no host has the name '{host}'"
    return "characters that no address has" if re.search(r"[\s\\^`{|}]", address) else ""


def why_wrong(page, target):
    if re.match(r"[a-z]+:", target):
        return "" if target.startswith("mailto:") and "@" in target else why_address_is_wrong(target)
    path, _, part = target.partition("#")
    file = (page.parent / unquote(path)).resolve() if path else page
    if not target or not file.exists():
        return "leads nowhere"
    if ROOT / "docs" == page.parent and path and file.parent != page.parent:
        return "leads out of docs/, where the site has nothing"
    if part and not (file.suffix == ".md" and all(part in names for names in parts_of(file))):
        return f"{file.name} has no heading for #{part}"
    return ""


def complaints_about(page):
    text = without_code(page.read_text())
    definitions = {name.lower(): target for name, target in DEFINITION.findall(text)}
    bad = [f"[{name}] is defined nowhere" for name in REFERENCE.findall(text) if name.lower() not in definitions]
    addresses = [match[1] or match[0].rstrip(".,;:'*") for match in ADDRESS.finditer(text)]
    for target in [*INLINE.findall(text), *definitions.values(), *addresses]:
        if reason := why_wrong(page, target):
            bad.append(f"link to {target}: {reason}")
    return bad


def tracked_pages():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in out.splitlines() if not name.startswith("examples/tiny") and (ROOT / name).exists()]


def main():
    pages = [Path(name).resolve() for name in sys.argv[1:]] or tracked_pages()
    bad = [f"{page.name}: {complaint}" for page in pages for complaint in complaints_about(page)]
    print(*bad, f"links: {len(bad)} complaints", sep="\n")
    sys.exit(1 if bad or not pages else 0)


if __name__ == "__main__":
    main()
