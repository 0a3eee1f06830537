# Every find_package of the project. scripts/setup.sh installs them all (Debian and Homebrew).

# Homebrew keeps OpenSSL and ncurses out of the default prefix.
if(APPLE)
  list(APPEND CMAKE_PREFIX_PATH /opt/homebrew/opt/openssl@3 /usr/local/opt/openssl@3 /opt/homebrew/opt/ncurses /usr/local/opt/ncurses)
endif()

find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(TBB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL 7.85 REQUIRED)
set(CURSES_NEED_NCURSES TRUE)
set(CURSES_NEED_WIDE TRUE)  # for names beyond ASCII
find_package(Curses REQUIRED)
if(NOT TARGET Curses::Curses)
  # CMake's own module makes no target.
  add_library(Curses::Curses INTERFACE IMPORTED)
  set_target_properties(Curses::Curses PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${CURSES_INCLUDE_DIRS}"
                                                  INTERFACE_LINK_LIBRARIES "${CURSES_LIBRARIES}")
endif()
find_package(hwy REQUIRED CONFIG)  # Debian 12: 1.0.3; Homebrew: "highway", far newer
find_package(yaml-cpp REQUIRED CONFIG)
if(NOT TARGET yaml-cpp::yaml-cpp)
  # Before 0.8 (Debian 12) the target has no namespace.
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED)
  target_link_libraries(yaml-cpp::yaml-cpp INTERFACE yaml-cpp)
endif()
# Homebrew's protobuf has a CMake package, which knows that it needs abseil; Debian 12's has none, and CMake's own module serves.
find_package(protobuf CONFIG QUIET)
if(NOT TARGET protobuf::libprotobuf-lite)
  find_package(Protobuf REQUIRED)
endif()
if(HF2MLX_TESTS)
  find_package(GTest REQUIRED CONFIG)
endif()
if(HF2MLX_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()

message(STATUS "hf2mlx: fmt ${fmt_VERSION}, nlohmann_json ${nlohmann_json_VERSION}, CLI11 ${CLI11_VERSION}, TBB ${TBB_VERSION}, "
               "OpenSSL ${OPENSSL_VERSION}, curl ${CURL_VERSION_STRING}, hwy ${hwy_VERSION}, yaml-cpp ${yaml-cpp_VERSION}, "
               "protobuf ${Protobuf_VERSION}${protobuf_VERSION}, GTest ${GTest_VERSION}")
