# cmake --install, in two components: `program` with its manual page and the completion scripts of bash, zsh and fish, and `development`
# with the headers, the library, and what find_package and pkg-config read. With tests there is a third, `shared` or
# `static`: the other kind of library (cmake/Library.cmake) with the same things, which only --component installs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS hf2mlx RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(FILES docs/hf2mlx.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright COMPONENT program)
foreach(package IN LISTS HF2MLX_LINKED_PACKAGES)
  install(FILES /usr/share/doc/${package}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR}/linked RENAME ${package} COMPONENT program)
endforeach()

# The program writes its completion script itself, when it is installed: what was built is what is described.
function(hf2mlx_install_completion shell folder file)
  set(script ${CMAKE_CURRENT_BINARY_DIR}/completions/${file})
  install(CODE "
    file(MAKE_DIRECTORY \"${CMAKE_CURRENT_BINARY_DIR}/completions\")
    execute_process(COMMAND \"$<TARGET_FILE:hf2mlx>\" completion ${shell} OUTPUT_FILE \"${script}\" COMMAND_ERROR_IS_FATAL ANY)
    file(INSTALL \"${script}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/${folder}\")" COMPONENT program)
endfunction()

if(NOT CMAKE_CROSSCOMPILING)
  hf2mlx_install_completion(bash bash-completion/completions hf2mlx)
  hf2mlx_install_completion(zsh zsh/site-functions _hf2mlx)
  hf2mlx_install_completion(fish fish/vendor_completions.d hf2mlx.fish)
endif()

# hf2mlx_install_library(static|shared COMPONENT name): one kind of library with all that comes with it.
function(hf2mlx_install_library kind)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hf2mlx)
  file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  set(pc_cxx_library "-lstdc++ -lm")
  if(APPLE)
    set(pc_cxx_library -lc++)
  endif()
  if(kind STREQUAL static)  # there is no other library that `pkg-config --libs` alone could mean
    set(pc_libs " ${pc_cxx_library}")
  else()
    set(pc_private .private)
  endif()
  configure_file(cmake/hf2mlx.pc.in ${kind}/hf2mlx.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${kind}/hf2mlx.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig ${ARGN})
  install(DIRECTORY include/hf2mlx DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${ARGN} FILES_MATCHING PATTERN "*.h")
  install(FILES cmake/hf2mlxConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/hf2mlxConfigVersion.cmake cmake/LinkedLibraries.cmake
    DESTINATION ${package_dir} ${ARGN})
  # The headers' folder stands last: whatever follows it would be another one.
  install(TARGETS hf2mlx_${kind} EXPORT hf2mlx-${kind}-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} ${ARGN}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ${ARGN} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT hf2mlx-${kind}-targets NAMESPACE hf2mlx:: DESTINATION ${package_dir} ${ARGN})
endfunction()

write_basic_package_version_file(hf2mlxConfigVersion.cmake COMPATIBILITY SameMinorVersion)
hf2mlx_install_library(${HF2MLX_LIBRARY} COMPONENT development)
if(HF2MLX_TESTS)
  hf2mlx_install_library(${HF2MLX_OTHER_LIBRARY} COMPONENT ${HF2MLX_OTHER_LIBRARY} EXCLUDE_FROM_ALL)
endif()
