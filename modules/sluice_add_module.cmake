# Builds a module. Sluice itself uses this file, and installs it with its CMake package.

# sluice_add_module(NAME SOURCES FILE... [LIBRARIES TARGET...] [PLUGINS FOLDER])
# Builds NAME.so, by the target module_NAME. With PLUGINS, each build that changes it also puts it into that folder, by
# a rename, so that a server never sees half of it. The target `watch` builds whenever a source changes.
function(sluice_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PLUGINS" "SOURCES;LIBRARIES")
  set(target module_${name})
  set(exports ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/exports.map)
  add_library(${target} MODULE ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE sluice::api ${arg_LIBRARIES})
  # A unique symbol, or a second exported one, would keep the module in memory after it was unloaded.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  target_link_options(${target} PRIVATE -Wl,--version-script=${exports} -Wl,--exclude-libs,ALL)
  if(NOT SLUICE_SANITIZE)
    # The sanitizers' own symbols are found in the server that loads the module; all others must be here.
    target_link_options(${target} PRIVATE -Wl,--no-undefined)
  endif()
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${name} LINK_DEPENDS ${exports}
                                             CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(arg_PLUGINS)
    cmake_path(ABSOLUTE_PATH arg_PLUGINS)
    sluice_drop_module(${name} ${arg_PLUGINS})
  endif()
endfunction()

# The part of sluice_add_module that concerns PLUGINS.
function(sluice_drop_module name folder)
  set(file ${folder}/${name}.so)
  add_custom_command(
    TARGET module_${name} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:module_${name}> ${folder}/.${name}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${folder}/.${name}.new ${file}
    BYPRODUCTS ${file}
    VERBATIM)
  if(NOT TARGET sluice_plugins)
    add_custom_target(sluice_plugins)
  endif()
  if(NOT TARGET watch)
    add_custom_target(
      watch
      COMMAND ${CMAKE_COMMAND} -D SOURCE_FOLDER=${CMAKE_SOURCE_DIR} -D BUILD_FOLDER=${CMAKE_BINARY_DIR} -P
              ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/sluice_watch.cmake
      USES_TERMINAL VERBATIM)
  endif()
  add_dependencies(sluice_plugins module_${name})
endfunction()
