# Debian's cross compiler for arm64, with the libraries of that architecture beside our own (scripts/setup.sh arm64), and qemu to run it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
# The development package of yaml-cpp exists for one architecture at a time; its headers serve both.
set(yaml-cpp_DIR ${CMAKE_CURRENT_LIST_DIR}/aarch64-yaml-cpp)
