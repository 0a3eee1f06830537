# Ctrl-C, Escape and a signal leave the terminal as it was, with the status of an interruption.
. "$ROOT/tests/support/terminal.sh"
cached GMLHUHE PsyLLM
for way in C-c Escape; do
  terminal 'stty -g > before; hf2mlx; echo status $?; stty -g > after; echo end'
  wait_for qwen3
  keys $way
  wait_for end
  screen_text | grep status
  cmp before after
done
terminal 'stty -g > before; (echo $BASHPID > pid; exec hf2mlx); echo status $?; stty -g > after; echo end'
wait_for qwen3
kill -TERM $(cat pid)
wait_for end
screen_text | grep status
cmp before after
