# cpack -G DEB: two packages, hf2mlx with the program and libhf2mlx-dev with the library. cpack -G TGZ: the program alone, as the preset
# `portable` builds it. What is built is packed; nothing is compiled.
set(CPACK_PACKAGE_VENDOR "hf2mlx")
set(CPACK_PACKAGE_CONTACT "the authors of hf2mlx")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Hugging Face models to MLX")
set(CPACK_PACKAGE_DESCRIPTION "Takes a Hugging Face model to an MLX model folder, quantized if wanted, that mlx-lm, LM Studio and mlx-swift load.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
if(NOT DEFINED CPACK_COMPONENTS_ALL)
  set(CPACK_COMPONENTS_ALL program development)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME hf2mlx)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libhf2mlx-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
# What a program that links the static library links, too.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libfmt-dev, libtbb-dev, libssl-dev, libcurl4-openssl-dev, libhwy-dev, libyaml-cpp-dev, libprotobuf-dev, protobuf-compiler")

set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
string(TOLOWER "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" system)
set(CPACK_ARCHIVE_PROGRAM_FILE_NAME hf2mlx-${PROJECT_VERSION}-${system})
include(CPack)
