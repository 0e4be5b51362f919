# Third-party headers go to the folders that may use them; then everything is merged into gradus::gradus.
set(optional "")
if(GRADUS_WITH_CURL)
  list(APPEND optional "data|CURL::libcurl")
  set_source_files_properties("${PROJECT_SOURCE_DIR}/gradus/data/fetch/http.cpp" PROPERTIES COMPILE_DEFINITIONS GRADUS_WITH_CURL)
endif()
if(GRADUS_WITH_LIBSVM)
  list(APPEND optional "classic|LIBSVM::headers")
endif()
if(GRADUS_WITH_LIBLINEAR)
  list(APPEND optional "classic|LIBLINEAR::headers")
endif()
if(GRADUS_WITH_XGBOOST)
  list(APPEND optional "classic|XGBOOST::headers")
endif()
foreach(name LIBSVM LIBLINEAR XGBOOST)
  if(GRADUS_WITH_${name})
    set_property(SOURCE "${PROJECT_SOURCE_DIR}/gradus/classic/svm.cpp" "${PROJECT_SOURCE_DIR}/gradus/classic/boosting.cpp"
                 APPEND PROPERTY COMPILE_DEFINITIONS GRADUS_WITH_${name})
  endif()
endforeach()
foreach(pair "kernel|OneDNN::dnnl" "kernel|hwy::hwy" "kernel|LAPACKE::lapacke" "io|nlohmann_json::nlohmann_json" "io|ZLIB::ZLIB" "data|ZLIB::ZLIB"
        "data|PNG::PNG" "data|JPEG::JPEG" "data|Threads::Threads" "train|nlohmann_json::nlohmann_json" "train|tomlplusplus::tomlplusplus" "insight|nlohmann_json::nlohmann_json"
        "book|nlohmann_json::nlohmann_json" "book|cmark::cmark"
        "cli|nlohmann_json::nlohmann_json" "cli|CLI11::CLI11" "cli|tomlplusplus::tomlplusplus" ${optional})
  string(REPLACE "|" ";" pair "${pair}")
  list(GET pair 0 layer)
  list(GET pair 1 library)
  if(TARGET gradus_${layer})
    target_link_libraries(gradus_${layer} PRIVATE ${library})
  endif()
endforeach()

if(TARGET gradus_kernel)
  target_compile_options(gradus_kernel PRIVATE ${GRADUS_SIMD_OPTIONS})
  # Highway forces its inlining only where the compiler optimises. Without, GCC passes vectors between functions that
  # disagree about their registers, and the program crashes: kernels are optimised in debug builds, too.
  target_compile_options(gradus_kernel PRIVATE $<$<NOT:$<CONFIG:Release,RelWithDebInfo,MinSizeRel>>:-O2>)
endif()

get_property(layers GLOBAL PROPERTY GRADUS_OBJECT_LAYERS)
list(REMOVE_ITEM layers gradus_book gradus_cli)  # of the command alone
add_library(gradus STATIC)
add_library(gradus::gradus ALIAS gradus)
foreach(layer IN LISTS layers)
  target_sources(gradus PRIVATE $<TARGET_OBJECTS:${layer}>)
endforeach()
target_compile_features(gradus PUBLIC cxx_std_20)
target_include_directories(gradus PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
target_link_libraries(gradus PRIVATE $<BUILD_INTERFACE:gradus_flags> fmt::fmt OpenMP::OpenMP_CXX Threads::Threads OneDNN::dnnl hwy::hwy LAPACKE::lapacke
                      tomlplusplus::tomlplusplus ZLIB::ZLIB PNG::PNG JPEG::JPEG)
target_link_libraries(gradus PRIVATE ${CMAKE_DL_LIBS})  # libcurl and those behind baselines are loaded when they are needed

if(TARGET gradus_cli)
  add_executable(gradus_command gradus/cli/main.cpp $<TARGET_OBJECTS:gradus_cli> $<TARGET_OBJECTS:gradus_book>)
  set_target_properties(gradus_command PROPERTIES OUTPUT_NAME gradus RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  target_include_directories(gradus_command PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(gradus_command PRIVATE gradus gradus_flags fmt::fmt cmark::cmark)
endif()
