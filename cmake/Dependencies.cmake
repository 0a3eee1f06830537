# Every find_package of the project. scripts/setup.sh installs them all (Debian and Homebrew).
include(${CMAKE_CURRENT_LIST_DIR}/LinkedLibraries.cmake)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)

# Homebrew keeps ncurses out of the default prefix.
if(APPLE)
  list(APPEND CMAKE_PREFIX_PATH /opt/homebrew/opt/ncurses /usr/local/opt/ncurses)
endif()
set(CURSES_NEED_NCURSES TRUE)
set(CURSES_NEED_WIDE TRUE)  # for names beyond ASCII
find_package(Curses REQUIRED)
if(NOT TARGET Curses::Curses)
  # CMake's own module makes no target.
  add_library(Curses::Curses INTERFACE IMPORTED)
  set_target_properties(Curses::Curses PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${CURSES_INCLUDE_DIRS}"
                                                  INTERFACE_LINK_LIBRARIES "${CURSES_LIBRARIES}")
endif()

include(${CMAKE_CURRENT_LIST_DIR}/Portable.cmake)

if(HF2MLX_TESTS)
  find_package(GTest REQUIRED CONFIG)
endif()
if(HF2MLX_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()

message(STATUS "hf2mlx: fmt ${fmt_VERSION}, nlohmann_json ${nlohmann_json_VERSION}, CLI11 ${CLI11_VERSION}, TBB ${TBB_VERSION}, "
               "OpenSSL ${OPENSSL_VERSION}, curl ${CURL_VERSION_STRING}, hwy ${hwy_VERSION}, yaml-cpp ${yaml-cpp_VERSION}, "
               "protobuf ${Protobuf_VERSION}${protobuf_VERSION}, GTest ${GTest_VERSION}")
