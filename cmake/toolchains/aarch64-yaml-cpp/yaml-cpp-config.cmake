# The library of arm64 that runs programs, linked to as well.
file(GLOB library /usr/lib/aarch64-linux-gnu/libyaml-cpp.so.*)
list(GET library 0 library)
add_library(yaml-cpp::yaml-cpp SHARED IMPORTED)
set_target_properties(yaml-cpp::yaml-cpp PROPERTIES IMPORTED_LOCATION ${library} INTERFACE_INCLUDE_DIRECTORIES /usr/include)
