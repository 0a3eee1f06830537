# Warnings for everything of ours; errors only where HF2MLX_WERROR says so, so that a user's newer compiler never breaks the build.
add_library(hf2mlx_warnings INTERFACE)
target_compile_options(hf2mlx_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlapping copies in `"text" + std::string` that are not there (GCC bug 105329).
  target_compile_options(hf2mlx_warnings INTERFACE -Wno-restrict)
endif()
if(HF2MLX_WERROR)
  target_compile_options(hf2mlx_warnings INTERFACE -Werror)
endif()
