# libhf2mlx: all folders but that of the program in one library, static or shared, out of the objects that the folders' own libraries are
# made of. BUILD_SHARED_LIBS says which one is built and installed; with tests both are built.
option(BUILD_SHARED_LIBS "Install a shared libhf2mlx, not a static one" OFF)

get_property(folders GLOBAL PROPERTY HF2MLX_FOLDERS)
get_property(links GLOBAL PROPERTY HF2MLX_LINKS)
list(TRANSFORM folders REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
list(FILTER links INCLUDE REGEX "::")
list(REMOVE_DUPLICATES links)
list(REMOVE_ITEM links nlohmann_json::nlohmann_json CLI11::CLI11)  # headers alone: nothing to link
hf2mlx_resolve(links ${links})

# hf2mlx_library(TARGET STATIC|SHARED)
function(hf2mlx_library target kind)
  add_library(${target} ${kind} ${objects})
  target_link_libraries(${target} PRIVATE ${links} $<BUILD_INTERFACE:hf2mlx_sanitizers>)
  target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
  target_compile_features(${target} INTERFACE cxx_std_20)
  # Before 1.0 a minor version may change what a program has compiled in.
  set_target_properties(${target} PROPERTIES OUTPUT_NAME hf2mlx EXPORT_NAME hf2mlx LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endfunction()

hf2mlx_library(hf2mlx_static STATIC)
hf2mlx_library(hf2mlx_shared SHARED)
# Instances of templates of the standard library are visible whatever the compiler is told: the linker hides them.
if(NOT APPLE)
  target_link_options(hf2mlx_shared PRIVATE LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/hf2mlx.map)
  set_target_properties(hf2mlx_shared PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/hf2mlx.map)
endif()

set(HF2MLX_LIBRARY static)
set(HF2MLX_OTHER_LIBRARY shared)
if(BUILD_SHARED_LIBS)
  set(HF2MLX_LIBRARY shared)
  set(HF2MLX_OTHER_LIBRARY static)
endif()
if(NOT HF2MLX_TESTS)
  set_target_properties(hf2mlx_${HF2MLX_OTHER_LIBRARY} PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
