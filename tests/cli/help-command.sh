# "help COMMAND" is "COMMAND --help".
test "$(hf2mlx help inspect)" = "$(hf2mlx inspect --help)"
hf2mlx help inspect | head -3
