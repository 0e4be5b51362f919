# gradus_charts(): puts the script that draws charts in pages into the library, behind the modules of D3 that it uses. Without
# D3 the script is empty, and pages show the same charts as they are.
function(gradus_charts)
  set(content "")
  set(library "")
  if(GRADUS_WITH_D3)
    set(library "D3: ${D3_VERSIONS}")
    foreach(part ${D3_FILES} "${PROJECT_SOURCE_DIR}/gradus/train/report/charts.js")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${part}")
      file(READ "${part}" text)
      string(APPEND content "${text}")
    endforeach()
  endif()
  set(script "${PROJECT_BINARY_DIR}/embedded/charts.js")
  gradus_write("${script}" "${content}")
  gradus_embed(train gradus/train/report/script.h gradus::train::detail charts_script "${script}")
  set_source_files_properties("${PROJECT_SOURCE_DIR}/gradus/train/report/figure.cpp" PROPERTIES
                              COMPILE_DEFINITIONS "GRADUS_CHART_LIBRARY=\"${library}\"")
endfunction()
