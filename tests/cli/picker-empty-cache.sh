# Nothing to choose from: what to do is said.
. "$ROOT/tests/support/terminal.sh"
WIDTH=200 terminal 'hf2mlx; echo status $?'
wait_for status
screen_text | grep .
WIDTH=100 terminal 'hf2mlx < /dev/null; echo status $?'
wait_for 'status'
screen_text -S - | head -5
