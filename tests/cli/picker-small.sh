# Terminals of other sizes, and one that changes its size.
. "$ROOT/tests/support/terminal.sh"
cached GMLHUHE PsyLLM
cached an-organisation A-Model-With-A-Name-That-Is-Far-Too-Long-For-Any-Terminal-Instruct-v0.1
WIDTH=44 HEIGHT=10 terminal 'hf2mlx'
wait_for qwen3
keys Down
wait_for ' > an-'
shown
of_terminal resize-window -x 140 -y 14
wait_for 'Any-Terminal-Instruct-v0.1  qwen3'
shown
of_terminal resize-window -x 20 -y 4
keys Up
sleep 0.5
of_terminal resize-window -x 60 -y 12
wait_for 'ARCHITECTURE     SIZE'
wait_for ' > GML'
shown
