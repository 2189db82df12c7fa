# Writes embedded_template.cpp: cmake -D FILES=FILE;... -D OUTPUT=FILE -P embed_template.cmake
set(entries "")
foreach(file ${FILES})
  file(READ ${file} text)
  get_filename_component(name ${file} NAME)
  string(APPEND entries "    {\"${name}\", R\"~~~(${text})~~~\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"embedded_template.h\"

namespace sluice::cli {

std::span<const TemplateFile> embedded_template() {
  static constexpr TemplateFile kFiles[] = {
${entries}  };
  return kFiles;
}

}  // namespace sluice::cli
")
