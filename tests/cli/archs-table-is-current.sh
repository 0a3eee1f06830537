# docs/architectures.md is made from this program's answer
hf2mlx archs --json | python3 "$ROOT/scripts/architectures_table.py" --check
