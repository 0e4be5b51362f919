# `cmake --install`: the headers, the library, the command, and what find_package(gradus CONFIG) needs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/gradus")

install(TARGETS gradus EXPORT gradusTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
if(TARGET gradus_command)
  install(TARGETS gradus_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
# The command's own headers and those of the kernels' folders stay private.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/gradus/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/gradus"
        FILES_MATCHING PATTERN "*.h" PATTERN "*.def"
        REGEX "gradus/cli$" EXCLUDE REGEX "gradus/kernel/[^.]+$" EXCLUDE)

install(EXPORT gradusTargets NAMESPACE gradus:: DESTINATION "${config_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/gradusConfig.cmake.in" "${PROJECT_BINARY_DIR}/gradusConfig.cmake"
                              INSTALL_DESTINATION "${config_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/gradusConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/gradusConfig.cmake" "${PROJECT_BINARY_DIR}/gradusConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindOneDNN.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindLAPACKE.cmake"
        DESTINATION "${config_dir}")
