#!/usr/bin/env python3
"""Writes docs/architectures.md from what the program says about itself.

    hf2mlx archs --json | scripts/architectures_table.py             writes the document
    hf2mlx archs --json | scripts/architectures_table.py --check     fails when it is not current
"""
import json
import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "architectures.md"
INTRODUCTION = """# Architectures

Made by `hf2mlx archs --json | scripts/architectures_table.py`; do not edit. A family is a file `src/arch/families/NAME.arch`
([the language](architecture-language.md)). The model types are those of `config.json`; the operations are what happens to
published tensors on their way to MLX, and none means that names and shapes are MLX's already.

"""


def document(architectures):
    types = sum(len(a["model_types"]) for a in architectures)
    rows = ["| family | models | model types | operations |", "| --- | --- | --- | --- |"]
    for arch in architectures:
        names = ", ".join(f"`{t}`" for t in arch["model_types"])
        rows.append(f"| {arch['name']} | {arch['summary']} | {names} | {', '.join(arch['operations'])} |")
    return INTRODUCTION + f"{len(architectures)} families, {types} model types.\n\n" + "\n".join(rows) + "\n"


def main():
    text = document(json.load(sys.stdin)["architectures"])
    if sys.argv[1:] == ["--check"]:
        if not DOCUMENT.exists() or DOCUMENT.read_text() != text:
            sys.exit("docs/architectures.md is not current: hf2mlx archs --json | scripts/architectures_table.py")
    else:
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
