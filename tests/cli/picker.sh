# From the list of cached models to a model in LM Studio's folder, screen by screen.
. "$ROOT/tests/support/terminal.sh"
cached GMLHUHE PsyLLM
cached Qwen Qwen3-0.6B
cached some Strange-7B strange
cached an-organisation A-Model-With-A-Name-That-Is-Far-Too-Long-For-Any-Terminal-Instruct-v0.1
hf2mlx convert Qwen/Qwen3-0.6B -q --q-bits 8 --lm-studio --quiet
terminal 'hf2mlx; echo status $?'
wait_for cannot
shown
keys psy
wait_for '1 of 4'
shown
keys Enter
wait_for 'IN N GB'
keys Down
wait_for ' > 3-bit'
keys Up
wait_for ' > 4-bit'
shown
keys f
wait_for 'scales searched for'
keys f
keys Enter
wait_for 'Where is it'
keys C-u me
wait_for '/me/PsyLLM-MLX'
shown
keys Enter
wait_for 'the same as'
shown
keys Enter
wait_for 'status 0'
ls $HOME/.lmstudio/models/me/PsyLLM-MLX
