# HF2MLX_PORTABLE: a program for Linux that needs nothing but the C library of the system it runs on. It is made of the same objects as any
# other; only what is linked differs. A folder's LINK list goes on naming the usual targets: hf2mlx_resolve replaces X by instead_of_X.
option(HF2MLX_PORTABLE "A program that runs on other Linux systems" OFF)
set(HF2MLX_STATIC_LIBRARIES ${PROJECT_SOURCE_DIR}/build-portable/static CACHE PATH "What scripts/static_libraries.sh has made")
if(NOT HF2MLX_PORTABLE)
  return()
endif()

# hf2mlx_link_static(TARGET archives...): TARGET with these libraries in the place of its own.
function(hf2mlx_link_static target)
  string(REPLACE ":" "_" name ${target})
  add_library(hf2mlx_portable::${name} INTERFACE IMPORTED)
  foreach(property INTERFACE_INCLUDE_DIRECTORIES INTERFACE_COMPILE_DEFINITIONS INTERFACE_COMPILE_OPTIONS)
    get_target_property(value ${target} ${property})
    if(value)
      set_property(TARGET hf2mlx_portable::${name} PROPERTY ${property} ${value})
    endif()
  endforeach()
  foreach(archive IN LISTS ARGN)
    find_library(HF2MLX_${archive} NAMES ${archive} HINTS ${HF2MLX_STATIC_LIBRARIES} REQUIRED)
    target_link_libraries(hf2mlx_portable::${name} INTERFACE ${HF2MLX_${archive}})
  endforeach()
  set(instead_of_${target} hf2mlx_portable::${name} PARENT_SCOPE)
endfunction()

hf2mlx_link_static(fmt::fmt libfmt.a)
hf2mlx_link_static(TBB::tbb libtbb.a)
hf2mlx_link_static(hwy::hwy libhwy.a)
hf2mlx_link_static(OpenSSL::Crypto libcrypto.a)
hf2mlx_link_static(yaml-cpp::yaml-cpp libyaml-cpp.a)
hf2mlx_link_static(protobuf::libprotobuf-lite libprotobuf-lite.a)
hf2mlx_link_static(Curses::Curses libncursesw.a libtinfo.a)
# libcurl and its certificates are those of the system: it is loaded when it is needed.
hf2mlx_link_static(CURL::libcurl)
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/hub/loaded_curl_posix.cc PROPERTIES COMPILE_DEFINITIONS HF2MLX_LOADED_CURL)
add_link_options(-static-libstdc++ -static-libgcc LINKER:--exclude-libs,ALL LINKER:--as-needed)

# What was linked into the program, and on which terms: the distribution has that beside each package.
set(HF2MLX_LINKED_PACKAGES libtbb-dev libhwy-dev libssl-dev libyaml-cpp-dev libprotobuf-dev libfmt-dev nlohmann-json3-dev libcli11-dev
  libncurses-dev libgcc-s1)
