# One static library for each folder of src/, and one test program for its *_test.cc files. A new file needs no edit here.

add_library(hf2mlx_settings INTERFACE)
target_include_directories(hf2mlx_settings INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
# A fused multiply-add would round once where MLX rounds twice.
target_compile_options(hf2mlx_settings INTERFACE -ffp-contract=off)
target_compile_definitions(hf2mlx_settings INTERFACE HF2MLX_VERSION="${PROJECT_VERSION}")
target_link_libraries(hf2mlx_settings INTERFACE hf2mlx_warnings hf2mlx_sanitizers)

# OUT: the targets that a LINK list means: a bare word is a folder of ours, a::b an imported target.
function(hf2mlx_resolve out)
  set(targets)
  foreach(item IN LISTS ARGN)
    if(DEFINED instead_of_${item})
      list(APPEND targets ${instead_of_${item}})
    elseif(item MATCHES "::")
      list(APPEND targets ${item})
    else()
      list(APPEND targets hf2mlx_${item})
    endif()
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()

# hf2mlx_folder(NAME [PATH folder below src/, NAME otherwise] LINK other folders and imported targets)
function(hf2mlx_folder name)
  cmake_parse_arguments(ARG "" "PATH" "LINK" ${ARGN})
  if(NOT ARG_PATH)
    set(ARG_PATH ${name})
  endif()
  hf2mlx_resolve(libraries ${ARG_LINK})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${ARG_PATH}/*.cc)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  if(sources)
    add_library(hf2mlx_${name} STATIC ${sources})
    target_link_libraries(hf2mlx_${name} PUBLIC ${libraries} hf2mlx_settings)
    set_property(GLOBAL APPEND PROPERTY HF2MLX_FOLDERS hf2mlx_${name})
  else()  # headers only
    add_library(hf2mlx_${name} INTERFACE)
    target_link_libraries(hf2mlx_${name} INTERFACE ${libraries} hf2mlx_settings)
  endif()
  set_property(GLOBAL APPEND PROPERTY HF2MLX_LINKS ${ARG_LINK})
  if(HF2MLX_TESTS AND tests)
    hf2mlx_program(${name}_test ${tests} LINK ${name} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE HF2MLX_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
  if(HF2MLX_BENCHMARKS AND benches)
    hf2mlx_program(${name}_bench ${benches} LINK ${name} benchmark::benchmark_main)
  endif()
endfunction()

# hf2mlx_program(NAME sources LINK folders and imported targets)
function(hf2mlx_program name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  hf2mlx_resolve(libraries ${ARG_LINK})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${libraries} hf2mlx_settings)
endfunction()

# Compiles src/arch/families/*.arch into the folder NAME: family_texts.cc holds one string for each.
function(hf2mlx_embed_families name)
  file(GLOB families CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/arch/families/*.arch)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/family_texts.cc)
  # The list is part of the command, so that taking a file away also runs it again.
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -D OUT=${out} -D "FILES=${families}" -P ${PROJECT_SOURCE_DIR}/cmake/EmbedFamilies.cmake
    DEPENDS ${families} ${PROJECT_SOURCE_DIR}/cmake/EmbedFamilies.cmake VERBATIM)
  target_sources(hf2mlx_${name} PRIVATE ${out})
endfunction()

# Compiles PROTO, a file of the folder NAME, into that folder: code includes "PROTO's name.pb.h".
function(hf2mlx_protobuf name proto)
  get_filename_component(stem ${proto} NAME_WE)
  get_filename_component(folder ${PROJECT_SOURCE_DIR}/${proto} DIRECTORY)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/protobuf)
  file(MAKE_DIRECTORY ${out})
  add_custom_command(OUTPUT ${out}/${stem}.pb.cc ${out}/${stem}.pb.h
    COMMAND protobuf::protoc --cpp_out=${out} --proto_path=${folder} ${stem}.proto
    DEPENDS ${PROJECT_SOURCE_DIR}/${proto} protobuf::protoc VERBATIM)
  target_sources(hf2mlx_${name} PRIVATE ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
  # Generated code is not ours to keep free of warnings.
  target_include_directories(hf2mlx_${name} SYSTEM PRIVATE ${out})
  set_source_files_properties(${out}/${stem}.pb.cc PROPERTIES COMPILE_OPTIONS -w)
endfunction()
