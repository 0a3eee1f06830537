# The libraries that libhf2mlx links, for the project itself and, installed beside the package, for programs that link the static library.
# In step with scripts/setup.sh and cmake/hf2mlx.pc.in.

# Homebrew keeps OpenSSL out of the default prefix.
if(APPLE)
  list(APPEND CMAKE_PREFIX_PATH /opt/homebrew/opt/openssl@3 /usr/local/opt/openssl@3)
endif()

find_package(fmt REQUIRED)
find_package(TBB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL 7.85 REQUIRED)
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
