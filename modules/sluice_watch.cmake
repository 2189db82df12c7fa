# The target `watch`: builds the modules again whenever a file of their project changes, until Ctrl-C, or until the build
# folder is gone. cmake -D SOURCE_FOLDER=... -D BUILD_FOLDER=... -P sluice_watch.cmake

# Where nothing is a source; built in place, that is only what CMake keeps for itself.
set(PRODUCTS ${BUILD_FOLDER})
if(BUILD_FOLDER STREQUAL SOURCE_FOLDER)
  set(PRODUCTS ${BUILD_FOLDER}/CMakeFiles)
endif()

# Whatever belongs to the project and the moment it was last written, as one text.
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

# Of the make that runs this: the builds below are not parts of it.
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
