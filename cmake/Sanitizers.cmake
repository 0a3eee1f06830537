# HF2MLX_SANITIZE=address,undefined or thread.
set(HF2MLX_SANITIZE "" CACHE STRING "Sanitizers to build with")
add_library(hf2mlx_sanitizers INTERFACE)
if(HF2MLX_SANITIZE)
  target_compile_options(hf2mlx_sanitizers INTERFACE -fsanitize=${HF2MLX_SANITIZE} -fno-omit-frame-pointer -g)
  target_link_options(hf2mlx_sanitizers INTERFACE -fsanitize=${HF2MLX_SANITIZE})
endif()
