# fish reads its script, and offers what may come next.
command -v fish >/dev/null || { echo "no fish here"; exit 77; }
hf2mlx completion fish > script.fish
mkdir some-model
offered() { fish --no-config -c "source script.fish; complete -C '$1'" | cut -f1 | tr '\n' ' '; echo; }
offered 'hf2mlx con'
offered 'hf2mlx convert --q-mode mx'
offered 'hf2mlx convert --q-fit '
offered 'hf2mlx convert --lm'
offered 'hf2mlx convert some'
offered 'hf2mlx where model --format '
offered 'hf2mlx --quant-predicate mixed_3'
