# The scripts are complete, and bash can read its own.
for shell in bash zsh fish; do
  hf2mlx completion $shell > script
  grep -q quant-predicate script
done
source <(hf2mlx completion bash)
COMP_WORDS=(hf2mlx --q-mode mx)
COMP_CWORD=2
_hf2mlx
echo "${COMPREPLY[@]}"
