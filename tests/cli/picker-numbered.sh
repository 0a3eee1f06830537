# Numbered questions where the terminal cannot move its cursor, or is not known.
. "$ROOT/tests/support/terminal.sh"
cached GMLHUHE PsyLLM
cached some Strange-7B strange
for term in dumb no-such-terminal; do
  HEIGHT=50 terminal "TERM=$term hf2mlx; echo status \$?"
  wait_for 'part of its name'
  keys 2 Enter
  wait_for 'cannot be converted'
  keys 1 Enter
  wait_for 'Number of the quantization'
  keys 2f Enter
  wait_for 'Where to'
  keys 2 Enter
  wait_for Folder
  keys out-$term Enter
  wait_for 'Convert (y or n)'
  screen_text | grep -E "^ +[0-9]+  |becomes|^  (in|by) "
  keys Enter
  wait_for 'status 0'
  ls out-$term/model.safetensors
done
terminal 'TERM=dumb hf2mlx; echo status $?'
wait_for 'part of its name'
keys C-c
wait_for 'status 130'
