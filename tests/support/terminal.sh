# A terminal for command-line tests, to be sourced: keys go in, and the screen that is then seen comes out. Without tmux the test is skipped.
#
#   terminal 'hf2mlx; echo status $?'    runs that in a terminal of $WIDTH x $HEIGHT, 80 x 24 unless they are set
#   keys psy Enter                       as tmux send-keys names them
#   wait_for TEXT                        until it is on the screen
#   of_terminal resize-window -x 60 -y 12
#   shown                                the screen; the machine's memory, which is of no matter, as N GB

command -v tmux >/dev/null || { echo "no tmux: scripts/setup.sh test installs it"; exit 77; }
# Short, so that a path fits on the screen whatever the folder of the tests is called.
HOME=$(cd "$(mktemp -d /tmp/hf2mlx.XXXX)" && pwd -P)
export HOME TMUX_TMPDIR=$HOME
terminals=0
trap 'for ((; terminals > 0; --terminals)); do of_terminal kill-server 2>/dev/null; done; rm -rf "$HOME"' EXIT

# tmux, for the terminal that was opened last: each has a server of its own.
of_terminal() {
  tmux -f /dev/null -L "terminal-$terminals" "$@"
}

terminal() {
  terminals=$((terminals + 1))
  of_terminal new-session -d -x "${WIDTH:-80}" -y "${HEIGHT:-24}" "bash --norc -c '$1; exec sleep 600'"
}

keys() {
  of_terminal send-keys -- "$@"
}

screen_text() {
  of_terminal capture-pane -p "$@" | sed -e 's/ *$//' -e "s|$HOME|\$HOME|" -e 's/[0-9]* GB OF MEMORY/N GB OF MEMORY/' -e 's/in [0-9]* GB of memory/in N GB of memory/'
}

shown() {
  screen_text "$@"
  echo "--------"
}

wait_for() {
  local tries
  for ((tries = 0; tries < 300; ++tries)); do
    screen_text | grep -qF -- "$1" && return
    sleep 0.1
  done
  echo "never seen: $1"
  shown
  exit 1
}

# cached ORG NAME [MODEL_TYPE]: the example model as an entry of the cache.
cached() {
  local folder=$HOME/.cache/huggingface/hub/models--$1--$2
  mkdir -p "$folder/snapshots" "$folder/refs"
  cp -r "$ROOT/examples/tiny-qwen3" "$folder/snapshots/0123456789abcdef0123456789abcdef01234567"
  printf 0123456789abcdef0123456789abcdef01234567 > "$folder/refs/main"
  [ -z "${3:-}" ] || sed -i.old "s/\"model_type\": *\"qwen3\"/\"model_type\": \"$3\"/" "$folder"/snapshots/*/config.json
}
