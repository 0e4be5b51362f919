# The promise "an elementwise operation is one row": the files that expand the table are compiled again with the row of
# extra_elementwise.def added, and the library is linked behind them.
set(table "${PROJECT_SOURCE_DIR}/gradus/kernel/elementwise")
add_executable(extra_elementwise_test
  extra_elementwise_test.cpp
  "${PROJECT_SOURCE_DIR}/gradus/ops/elementwise.cpp"
  "${table}/plain_loops.cpp" "${table}/reference.cpp" "${table}/simd_f32.cpp" "${table}/simd_f64.cpp")
target_compile_definitions(extra_elementwise_test PRIVATE
  GRADUS_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
  GRADUS_EXTRA_ELEMENTWISE="${CMAKE_CURRENT_SOURCE_DIR}/extra_elementwise.def")
# As the kernels of the library, which are optimised in every build.
target_compile_options(extra_elementwise_test PRIVATE ${GRADUS_SIMD_OPTIONS}
                       $<$<NOT:$<CONFIG:Release,RelWithDebInfo,MinSizeRel>>:-O2>)
target_include_directories(extra_elementwise_test PRIVATE "${PROJECT_SOURCE_DIR}")
target_link_libraries(extra_elementwise_test PRIVATE gradus gradus_flags fmt::fmt hwy::hwy OpenMP::OpenMP_CXX GTest::gtest_main)
gtest_discover_tests(extra_elementwise_test TEST_PREFIX "house." DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 600)
