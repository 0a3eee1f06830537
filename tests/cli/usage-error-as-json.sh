# Even where the command line itself is wrong.
hf2mlx convret --json
