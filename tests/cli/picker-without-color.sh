# Colours where there are some, none with NO_COLOR: the words alone say all.
. "$ROOT/tests/support/terminal.sh"
cached GMLHUHE PsyLLM
colors() {
  of_terminal capture-pane -p -e | grep -oE $'\x1b''\[[0-9;]*m' | grep -cE '[[;]3[1-7][;m]'
}
terminal "hf2mlx"
wait_for qwen3
keys Enter Enter Enter
wait_for 'the same as'
echo "colours: $(colors)"
terminal "NO_COLOR=1 hf2mlx"
wait_for qwen3
keys Enter Enter Enter
wait_for 'the same as'
echo "colours with NO_COLOR: $(colors || true)"
