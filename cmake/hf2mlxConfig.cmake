# find_package(hf2mlx): the target hf2mlx::hf2mlx, the library with its headers.
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/hf2mlx-shared-targets.cmake)
  include(${CMAKE_CURRENT_LIST_DIR}/hf2mlx-shared-targets.cmake)
else()
  include(${CMAKE_CURRENT_LIST_DIR}/LinkedLibraries.cmake)
  include(${CMAKE_CURRENT_LIST_DIR}/hf2mlx-static-targets.cmake)
endif()
