# Writes embedded_templates.cpp: cmake -D FILES=FOLDER/KIND/FILE;... -D OUTPUT=FILE -P embed_templates.cmake
set(entries "")
foreach(file ${FILES})
  file(READ ${file} text)
  get_filename_component(name ${file} NAME)
  get_filename_component(folder ${file} DIRECTORY)
  get_filename_component(kind ${folder} NAME)
  string(APPEND entries "    {\"${kind}\", \"${name}\", R\"~~~(${text})~~~\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"embedded_templates.h\"

namespace sluice::cli {

std::span<const TemplateFile> embedded_templates() {
  static constexpr TemplateFile kFiles[] = {
${entries}  };
  return kFiles;
}

}  // namespace sluice::cli
")
