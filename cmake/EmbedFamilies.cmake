# Writes OUT, a C++ file that holds the text of every one of FILES (*.arch), sorted by name.
list(SORT FILES)
set(text "#include \"arch/family_texts.h\"\n\nnamespace hf2mlx {\nconst FamilyText kFamilyTexts[] = {\n")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WLE)
  file(READ ${file} body)
  # A string literal may be limited to 64 KB by the standard; a family is far below.
  string(APPEND text "{\"${name}\", R\"arch~(${body})arch~\"},\n")
endforeach()
string(APPEND text "};\nconst std::size_t kFamilyTextCount = sizeof kFamilyTexts / sizeof kFamilyTexts[0];\n}  // namespace hf2mlx\n")
file(WRITE ${OUT} "${text}")
