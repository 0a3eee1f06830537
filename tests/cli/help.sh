# What a newcomer sees first.
hf2mlx --help
