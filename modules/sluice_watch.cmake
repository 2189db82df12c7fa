# The target `watch`: builds the modules again whenever a file of their project changes. It ends on Ctrl-C, or when the
# build folder is gone. cmake -D SOURCE_FOLDER=... -D BUILD_FOLDER=... -P sluice_watch.cmake

# This folder has no sources. If the project is built in place, only CMake's own folder has none.
set(PRODUCTS ${BUILD_FOLDER})
if(BUILD_FOLDER STREQUAL SOURCE_FOLDER)
  set(PRODUCTS ${BUILD_FOLDER}/CMakeFiles)
endif()

# One text with every file of the project and the time when it was last written.
function(look_at_sources result)
  set(seen "")
  file(GLOB_RECURSE files ${SOURCE_FOLDER}/*.c ${SOURCE_FOLDER}/*.cc ${SOURCE_FOLDER}/*.cpp ${SOURCE_FOLDER}/*.cxx
       ${SOURCE_FOLDER}/*.h ${SOURCE_FOLDER}/*.hpp ${SOURCE_FOLDER}/*.cmake ${SOURCE_FOLDER}/CMakeLists.txt)
  foreach(file ${files})
    cmake_path(IS_PREFIX PRODUCTS ${file} built)
    if(NOT built)
      file(TIMESTAMP ${file} written "%s.%f")
      string(APPEND seen "${file} ${written}\n")
    endif()
  endforeach()
  set(${result} "${seen}" PARENT_SCOPE)
endfunction()

# These are of the make that runs this script. The builds below are not parts of it.
unset(ENV{MAKEFLAGS})
unset(ENV{MAKELEVEL})
set(before "")
while(EXISTS ${BUILD_FOLDER}/CMakeCache.txt)
  look_at_sources(now)
  if(NOT now STREQUAL before)
    set(before "${now}")
    execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD_FOLDER} --target sluice_plugins RESULT_VARIABLE code)
    if(code EQUAL 0)
      message("watch: built; waiting for a change, Ctrl-C ends it")
    else()
      message("watch: it does not build; waiting for a change, Ctrl-C ends it")
    endif()
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 0.3)
endwhile()
