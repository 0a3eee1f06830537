# Compiles through ccache where it is installed, unless the caller chose a launcher.
find_program(HF2MLX_CCACHE ccache)
mark_as_advanced(HF2MLX_CCACHE)
if(HF2MLX_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HF2MLX_CCACHE})
endif()
