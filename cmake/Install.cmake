# cmake --install: the program, its manual page and the completion scripts of bash, zsh and fish.
include(GNUInstallDirs)

install(TARGETS hf2mlx RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES docs/hf2mlx.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# The program writes its completion script itself, when it is installed: what was built is what is described.
function(hf2mlx_install_completion shell folder file)
  set(script ${CMAKE_CURRENT_BINARY_DIR}/completions/${file})
  install(CODE "
    file(MAKE_DIRECTORY \"${CMAKE_CURRENT_BINARY_DIR}/completions\")
    execute_process(COMMAND \"$<TARGET_FILE:hf2mlx>\" completion ${shell} OUTPUT_FILE \"${script}\" COMMAND_ERROR_IS_FATAL ANY)
    file(INSTALL \"${script}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/${folder}\")")
endfunction()

if(NOT CMAKE_CROSSCOMPILING)
  hf2mlx_install_completion(bash bash-completion/completions hf2mlx)
  hf2mlx_install_completion(zsh zsh/site-functions _hf2mlx)
  hf2mlx_install_completion(fish fish/vendor_completions.d hf2mlx.fish)
endif()
