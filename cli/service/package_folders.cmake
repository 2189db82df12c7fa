# Opens the folders of the packages to all, whatever the umask of who makes them is, but not that of the logs. cpack
# runs it before it packs. CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS would not open what the umask has closed.
file(GLOB_RECURSE entries LIST_DIRECTORIES true ${CPACK_TEMPORARY_DIRECTORY}/*)
foreach(entry IN LISTS entries)
  if(IS_DIRECTORY ${entry} AND NOT entry MATCHES "/var/log/sluice$")
    file(CHMOD ${entry} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                    WORLD_EXECUTE)
  endif()
endforeach()
