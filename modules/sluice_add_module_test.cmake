# sluice_add_module_test(NAME SOURCES FILE... [LIBRARIES TARGET...])
# Builds a Catch2 test of the module NAME, by the target NAME_test. It may include support/server_process.h, which serves
# the module by `sluice`, and support/http_client.h, which sends requests. Needs enable_testing().
function(sluice_add_module_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  set(kit ${sluice_TESTING_FOLDER})
  find_package(Catch2 2 QUIET)
  if(NOT Catch2_FOUND)
    message(FATAL_ERROR "Catch2 2 is missing: install the package catch2, or take sluice_add_module_test away")
  endif()
  add_executable(${name}_test ${arg_SOURCES} ${kit}/support/main.cpp ${kit}/support/http_client.cpp
                              ${kit}/support/server_process.cpp)
  target_compile_features(${name}_test PRIVATE cxx_std_20)
  target_compile_options(${name}_test PRIVATE -O0) # it is built more often than it runs
  target_include_directories(${name}_test PRIVATE ${kit})
  target_link_libraries(${name}_test PRIVATE Catch2::Catch2 ${arg_LIBRARIES})
  # The test finds the project's modules before those that were installed.
  target_compile_definitions(
    ${name}_test PRIVATE SLUICE_BINARY="$<TARGET_FILE:sluice::sluice>" SLUICE_TEST_MODULES="${sluice_PLUGINS_FOLDER}"
                         SLUICE_TEST_PLUGINS="$<TARGET_FILE_DIR:module_${name}>")
  add_dependencies(${name}_test module_${name})
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endfunction()
