# Packages for Debian, made by cpack in the build folder: sluice-server, and sluice-dev for authors of modules.
#
# The component "server" has what is served with, "dev" what modules are built with. What goes outside the prefix is
# installed by a package only.
set(service ${CMAKE_CURRENT_LIST_DIR})
install(FILES ${service}/sluice.toml DESTINATION /etc/sluice COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${service}/sluice.logrotate DESTINATION /etc/logrotate.d RENAME sluice COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${service}/index.html DESTINATION ${CMAKE_INSTALL_DATADIR}/sluice COMPONENT server EXCLUDE_FROM_ALL)
install(DIRECTORY DESTINATION /etc/sluice/plugins.d COMPONENT server EXCLUDE_FROM_ALL)
install(DIRECTORY DESTINATION /var/log/sluice COMPONENT server EXCLUDE_FROM_ALL
        DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE)
foreach(component server dev)
  install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sluice-${component} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

# The program and its modules contain code of these packages, whose licences want their notices passed on.
set(notices ${CMAKE_CURRENT_BINARY_DIR}/copyright)
file(WRITE ${notices} "Parts of this package are made of the following libraries.\n")
foreach(package node-llhttp libcli11-dev libtomlplusplus-dev libexpected-dev)
  if(EXISTS /usr/share/doc/${package}/copyright)
    file(READ /usr/share/doc/${package}/copyright notice)
    file(APPEND ${notices} "\n---- ${package} ----\n\n${notice}")
  endif()
endforeach()
install(FILES ${notices} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sluice-server COMPONENT server EXCLUDE_FROM_ALL)

# Who builds a package answers for it, as Debian's own tools take it.
cmake_host_system_information(RESULT host QUERY FQDN)
set(builder "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
if("$ENV{DEBEMAIL}" STREQUAL "")
  execute_process(COMMAND id -un OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(builder "${user} <${user}@${host}>")
endif()
set(SLUICE_PACKAGE_CONTACT "${builder}" CACHE STRING "Who answers for the packages: NAME <ADDRESS>")

set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL server dev)
set(CPACK_PRE_BUILD_SCRIPTS ${service}/package_folders.cmake)
set(CPACK_DEB_COMPONENT_INSTALL ON)
# Each package has a summary of its own, in the first line of its description.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_PACKAGE_CONTACT "${SLUICE_PACKAGE_CONTACT}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# Debug sections stay: the log names the functions that a module has crashed in.
set(CPACK_STRIP_FILES OFF)

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME sluice-server)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION httpd)
set(CPACK_DEBIAN_SERVER_DESCRIPTION "web server whose request handlers are modules
It serves files by HTTP/1.1 and HTTP/2, with TLS, several sites and filters.
Modules are loaded, changed and rolled back while it serves, and a module that
crashes or hangs is named and switched off.")
# Debian's package of that name has another program called sluice.
set(CPACK_DEBIAN_SERVER_PACKAGE_CONFLICTS sluice)
set(CPACK_DEBIAN_SERVER_PACKAGE_PROVIDES httpd)
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS logrotate)
set(CPACK_DEBIAN_SERVER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA ${service}/debian/conffiles ${service}/debian/postinst
                                              ${service}/debian/prerm ${service}/debian/postrm)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME sluice-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_DEV_DESCRIPTION "headers and test support for modules of the web server sluice
With files for CMake and pkg-config. Begin with: sluice new handler NAME")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "sluice-server (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "g++, cmake, make, catch2")
include(CPack)
