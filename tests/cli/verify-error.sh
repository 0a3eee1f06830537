# The table goes to standard output, the page to a file.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q --quiet
hf2mlx verify out --source "$ROOT/examples/tiny-qwen3" --error --html page.html 2>/dev/null
grep -c '<h3>' page.html
