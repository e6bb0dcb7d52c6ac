# Everything from outside. README.md has the table with reasons and licences; `run` installs the packages.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4)
pkg_check_modules(GVC REQUIRED IMPORTED_TARGET libgvc libcgraph libcdt)
# what `wakepath bench server` compares ours with, each as far as it is there
pkg_check_modules(LIBEVENT IMPORTED_TARGET libevent_core)
pkg_check_modules(LIBUV IMPORTED_TARGET libuv)
find_path(ASIO_INCLUDE_DIR asio.hpp)

if(WAKEPATH_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

if(WAKEPATH_GUI)
  find_package(glfw3 3.3 REQUIRED)
  find_package(Freetype REQUIRED)
  find_package(OpenGL REQUIRED COMPONENTS EGL OpenGL)
  set(WAKEPATH_IMGUI_SRC "" CACHE PATH "Unpacked Dear ImGui source; empty: the distribution's libimgui-dev")
  if(WAKEPATH_IMGUI_SRC)
    set(_imgui ${WAKEPATH_IMGUI_SRC})
    add_library(imgui STATIC ${_imgui}/imgui.cpp ${_imgui}/imgui_draw.cpp ${_imgui}/imgui_tables.cpp
                ${_imgui}/imgui_widgets.cpp ${_imgui}/misc/freetype/imgui_freetype.cpp
                ${_imgui}/backends/imgui_impl_glfw.cpp ${_imgui}/backends/imgui_impl_opengl3.cpp)
    target_include_directories(imgui SYSTEM PUBLIC ${_imgui} ${_imgui}/misc/freetype)
    target_compile_definitions(imgui PUBLIC IMGUI_ENABLE_FREETYPE IMGUI_USE_WCHAR32)
    target_link_libraries(imgui PUBLIC Freetype::Freetype glfw stb ${CMAKE_DL_LIBS})
    add_library(wp::imgui ALIAS imgui)
  else()
    pkg_check_modules(IMGUI REQUIRED IMPORTED_TARGET GLOBAL imgui)
    # libimgui.a needs these after it on the link line
    target_link_libraries(PkgConfig::IMGUI INTERFACE Freetype::Freetype glfw ${CMAKE_DL_LIBS})
    add_library(wp::imgui ALIAS PkgConfig::IMGUI)
  endif()

  find_program(GLAD_EXE glad REQUIRED)  # Debian's python3-glad has the OpenGL registry inside: works offline
  set(GLAD_DIR ${CMAKE_BINARY_DIR}/glad)
  add_custom_command(
    OUTPUT ${GLAD_DIR}/src/gl.c ${GLAD_DIR}/include/glad/gl.h
    COMMAND ${GLAD_EXE} --quiet --reproducible --api gl:core=3.3 --extensions "" --out-path ${GLAD_DIR} c --loader
    VERBATIM)
  add_library(glad STATIC ${GLAD_DIR}/src/gl.c)
  target_include_directories(glad SYSTEM PUBLIC ${GLAD_DIR}/include)
  target_link_libraries(glad PUBLIC ${CMAKE_DL_LIBS})
endif()
