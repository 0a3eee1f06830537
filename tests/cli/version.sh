# Name and version on one line.
hf2mlx --version
