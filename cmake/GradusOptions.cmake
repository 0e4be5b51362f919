# Options, compiler settings, and dependencies (all of them from the system's package manager).
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

option(GRADUS_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(GRADUS_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(GRADUS_BUILD_BENCH "Build the bench's workloads, and make its programs targets" ${PROJECT_IS_TOP_LEVEL})
option(GRADUS_BUILD_FUZZERS "Build the fuzzers of the readers (Clang only)" OFF)
option(GRADUS_INSTALL "Add the install rules" ${PROJECT_IS_TOP_LEVEL})
option(GRADUS_WERROR "Treat warnings as errors" OFF)
set(GRADUS_SANITIZE "" CACHE STRING "address, thread or empty")

find_program(GRADUS_CCACHE ccache)
if(GRADUS_CCACHE AND PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${GRADUS_CCACHE})
endif()

# What code that includes Highway is compiled with: its baseline target; better ones are chosen at run time. Vectors of SVE
# have no size at compile time and cannot be members of a struct: AArch64 runs NEON.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(GRADUS_SIMD_OPTIONS -msse4.2 -maes -mpclmul)
else()
  set(GRADUS_SIMD_OPTIONS "-DHWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)")
endif()

include(GradusDependencies)

add_library(gradus_flags INTERFACE)
target_compile_options(gradus_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                       -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms of GCC 12 in the standard library's and fmt's strings (GCC bugs 105651, 105329).
  target_compile_options(gradus_flags INTERFACE -Wno-restrict -Wno-stringop-overflow)
endif()
if(GRADUS_WERROR)
  target_compile_options(gradus_flags INTERFACE -Werror)
endif()
if(GRADUS_SANITIZE STREQUAL "address")
  target_compile_options(gradus_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(gradus_flags INTERFACE -fsanitize=address,undefined)
elseif(GRADUS_SANITIZE STREQUAL "thread")
  target_compile_options(gradus_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(gradus_flags INTERFACE -fsanitize=thread)
endif()
