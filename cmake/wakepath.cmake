# Compiler settings and the three functions that every CMakeLists.txt here uses.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

find_program(WAKEPATH_CCACHE ccache)
if(WAKEPATH_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WAKEPATH_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${WAKEPATH_CCACHE})
endif()

# lld links our many test programs several times as fast as ld does.
find_program(WAKEPATH_LLD ld.lld)
if(WAKEPATH_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# Flags go on our own targets only, never on what we use from outside.
add_library(wp_flags INTERFACE)
target_compile_options(wp_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                       -Wold-style-cast -Wno-missing-field-initializers)
target_include_directories(wp_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(CMAKE_UNITY_BUILD)  # a type of one source's own looks like a header's then
  target_compile_options(wp_flags INTERFACE -Wno-subobject-linkage)
endif()
if(WAKEPATH_SANITIZE)
  target_compile_options(wp_flags INTERFACE -fsanitize=${WAKEPATH_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(wp_flags INTERFACE -fsanitize=${WAKEPATH_SANITIZE})
endif()

# wp_library(NAME SOURCES a.cc … USES wp_trace …   [OUTSIDE fmt::fmt …])
#
# A library of one folder. USES names what the layering table of tests/tidy allows this folder to include.
# Links are PUBLIC only where a public header needs them, that is: for our own libraries.
function(wp_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;OUTSIDE" ${ARGN})
  if(ARG_SOURCES)
    add_library(${NAME} STATIC ${ARG_SOURCES})
    target_link_libraries(${NAME} PUBLIC wp_flags ${ARG_USES} PRIVATE ${ARG_OUTSIDE})
  else()
    add_library(${NAME} INTERFACE)
    target_link_libraries(${NAME} INTERFACE wp_flags ${ARG_USES} ${ARG_OUTSIDE})
  endif()
endfunction()

# wp_test(NAME SOURCES a_test.cc … USES wp_trace … [LABEL unit] [OUTSIDE …])
#
# One GoogleTest program; each of its tests is a test of ctest and takes at most 60 s.
function(wp_test NAME)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;USES;OUTSIDE" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE wp_flags ${ARG_USES} ${ARG_OUTSIDE} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${NAME} PRIVATE WAKEPATH_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                             WAKEPATH_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(${NAME} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT 60 LABELS "${ARG_LABEL}")
endfunction()

# ninja format | format-check | lint
file(GLOB_RECURSE WAKEPATH_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sim/*.cc ${CMAKE_SOURCE_DIR}/sim/*.hh
     ${CMAKE_SOURCE_DIR}/src/*.cc ${CMAKE_SOURCE_DIR}/src/*.hh ${CMAKE_SOURCE_DIR}/gui/*.cc
     ${CMAKE_SOURCE_DIR}/gui/*.hh ${CMAKE_SOURCE_DIR}/tests/*.cc ${CMAKE_SOURCE_DIR}/tests/*.hh)
add_custom_target(format COMMAND clang-format -i ${WAKEPATH_SOURCES} VERBATIM)
add_custom_target(format-check COMMAND clang-format --dry-run -Werror ${WAKEPATH_SOURCES} VERBATIM)
set(WAKEPATH_LINTED ${WAKEPATH_SOURCES})
list(FILTER WAKEPATH_LINTED INCLUDE REGEX "\\.cc$")
add_custom_target(lint COMMAND clang-tidy --quiet -p ${CMAKE_BINARY_DIR} ${WAKEPATH_LINTED} VERBATIM)
