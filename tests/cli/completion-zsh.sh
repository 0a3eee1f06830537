# zsh reads its script, and completes in a terminal of its own what is typed there.
command -v zsh >/dev/null || { echo "no zsh here"; exit 77; }
mkdir functions some-model
hf2mlx completion zsh > functions/_hf2mlx
cat > type.zsh <<'ZSH'
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "fpath=($PWD/functions \$fpath); autoload -U compinit; compinit -u -D; echo re''ady"
zpty -r shell shown '*ready*'
completes() {
  zpty -w -n shell "$1"$'\t'
  zpty -r shell shown "*$2*" && print "$1 -> $2"
  zpty -w -n shell $'\x15'
}
completes 'hf2mlx con' 'hf2mlx convert'
completes 'hf2mlx convert --q-mode nv' 'nvfp4'
completes 'hf2mlx convert --q-f' '--q-fit'
completes 'hf2mlx convert some' 'some-model'
completes 'hf2mlx --quant-predicate mixed_2' 'mixed_2_6'
zpty -d shell
ZSH
timeout 60 zsh -f type.zsh
