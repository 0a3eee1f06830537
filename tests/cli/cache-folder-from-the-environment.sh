# HF_HUB_CACHE before HF_HOME, with ~ and variables in it.
mkdir -p $HOME/models
folder() { hf2mlx list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["cache"]["folder"])'; }
export HF_HOME='~/hf'
folder
export HF_HUB_CACHE='$HOME/models'
folder
