# Every option, in groups, with examples.
hf2mlx convert --help
