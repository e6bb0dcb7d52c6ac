// The window: GLFW, OpenGL 3.3, redrawn only when there is something new to see.
#include <glad/gl.h>
#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <backends/imgui_impl_glfw.h>
#include <backends/imgui_impl_opengl3.h>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "gui/app.hh"
#include "gui/browser.hh"
#include "gui/fonts.hh"
#include "gui/imgui_compat.hh"
#include "gui/start.hh"
#include "gui/theme.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {

constexpr int kFramesAfterInput = 3;  // ImGui needs a frame to see the input and one to show its effect
constexpr double kIdleWait = 0.5, kLiveWait = 0.1, kFrameTime = 1.0 / 60;

int frames_due = kFramesAfterInput;  // callbacks have no other place to write to

void touched() { frames_due = kFramesAfterInput; }

void listen(GLFWwindow* window) {
  glfwSetCursorPosCallback(window, [](GLFWwindow*, double, double) { touched(); });
  glfwSetMouseButtonCallback(window, [](GLFWwindow*, int, int, int) { touched(); });
  glfwSetScrollCallback(window, [](GLFWwindow*, double, double) { touched(); });
  glfwSetKeyCallback(window, [](GLFWwindow*, int key, int, int action, int mods) {
    if (action == GLFW_PRESS && key >= 0 && key < 512) {
      compat::latched_keys().set(static_cast<std::size_t>(key));
      if ((mods & GLFW_MOD_CONTROL) != 0) compat::latched_keys().set(GLFW_KEY_LEFT_CONTROL);
      if ((mods & GLFW_MOD_SHIFT) != 0) compat::latched_keys().set(GLFW_KEY_LEFT_SHIFT);
    }
    touched();
  });
  glfwSetCharCallback(window, [](GLFWwindow*, unsigned) { touched(); });
  glfwSetWindowFocusCallback(window, [](GLFWwindow*, int) { touched(); });
  glfwSetCursorEnterCallback(window, [](GLFWwindow*, int) { touched(); });
  glfwSetWindowRefreshCallback(window, [](GLFWwindow*) { touched(); });
  glfwSetFramebufferSizeCallback(window, [](GLFWwindow*, int, int) { touched(); });
}

std::string last_error;

GLFWwindow* open_window(const WindowOptions& options, const std::string& title) {
  glfwSetErrorCallback([](int, const char* words) { last_error = words != nullptr ? words : ""; });
  if (glfwInit() == 0) return nullptr;
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
  glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
  GLFWwindow* window = glfwCreateWindow(options.width, options.height, title.c_str(), nullptr, nullptr);
  if (window != nullptr)  // below that panels lie over one another
    glfwSetWindowSizeLimits(window, std::min(options.width, 640), std::min(options.height, 480), GLFW_DONT_CARE,
                            GLFW_DONT_CARE);
  return window;
}

float scale_of(GLFWwindow* window, const WindowOptions& options) {
  if (options.scale > 0) return options.scale;
  float x = 1, y = 1;
  glfwGetWindowContentScale(window, &x, &y);
  return std::clamp(std::max(x, y) * (options.theme == "projector" ? kProjectorScale : 1), 0.75f, 4.0f);
}

/// `frame` draws between NewFrame and Render of ImGui.
void draw(GLFWwindow* window, const std::function<void(float width, float height)>& frame) {
  ImGui_ImplOpenGL3_NewFrame();
  ImGui_ImplGlfw_NewFrame();
  if (ImGui::GetIO().DeltaTime <= 0) ImGui::GetIO().DeltaTime = 1e-4f;  // 1.86 aborts on 0
  ImGui::NewFrame();
  frame(ImGui::GetIO().DisplaySize.x, ImGui::GetIO().DisplaySize.y);
  compat::latched_keys().reset();
  ImGui::Render();
  int w = 0, h = 0;
  glfwGetFramebufferSize(window, &w, &h);
  glViewport(0, 0, w, h);
  glClearColor(0.05f, 0.066f, 0.09f, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
}

/// Everything in the size that was asked for, before the next frame.
void rescale(App& app, const ViewModel& model, const WindowOptions& options) {
  Ui& ui = app.ui();
  if (ui.wanted_scale == ui.scale) return;
  ui.scale = ui.wanted_scale;
  ui.stage.revision = ui.twin_stage.revision = 0;
  ImGui_ImplOpenGL3_DestroyFontsTexture();
  load_fonts(ui.scale, letters_of(model, options));
  ImGui_ImplOpenGL3_CreateFontsTexture();
  apply_style(ui.scale);
}

/// Status of the program.
int loop(GLFWwindow* window, ViewModel& model, App& app, const WindowOptions& options) {
  double last = glfwGetTime();
  for (int frame = 0; glfwWindowShouldClose(window) == 0;) {
    if (options.should_close && options.should_close()) return 0;
    if (app.animating())
      glfwWaitEventsTimeout(kFrameTime);
    else if (frames_due > 0)
      glfwPollEvents();
    else
      glfwWaitEventsTimeout(model.session().live() ? kLiveWait : kIdleWait);
    bool grew = model.trace().size() != model.end();
    if (frames_due <= 0 && !app.animating() && !grew) continue;
    frames_due = std::max(0, frames_due - 1);
    double now = glfwGetTime();
    rescale(app, model, options);
    const double seconds = std::min(now - last, 0.1);
    draw(window, [&](float w, float h) { app.frame(w, h, seconds); });
    last = now;
    ++frame;
    if (!options.shot.empty() && frame >= options.frames) {
      int w = 0, h = 0;
      glfwGetFramebufferSize(window, &w, &h);
      return keep_shot(options.shot, read_pixels(w, h));
    }
    if (!options.shot.empty()) frames_due = kFramesAfterInput;
    glfwSwapBuffers(window);
    if (frame == 2) std::puts("window ready"), std::fflush(stdout);
  }
  return 0;
}

/// A window with ImGui in it; null when this machine has none, and then standard error says why.
GLFWwindow* begin(const WindowOptions& options, const std::string& title, const std::string& letters) {
  GLFWwindow* window = open_window(options, title);
  if (window == nullptr) {
    std::fprintf(stderr,
                 "wakepath: no window: %s. A display with OpenGL 3.3 is needed (DISPLAY or WAYLAND_DISPLAY); "
                 "without one, --shot FILE.png --headless draws a picture.\n",
                 last_error.empty() ? "the display cannot be opened" : last_error.c_str());
    return nullptr;
  }
  glfwMakeContextCurrent(window);
  if (gladLoadGL(glfwGetProcAddress) == 0) {
    std::fprintf(stderr, "wakepath: no window: OpenGL 3.3 cannot be loaded\n");
    return nullptr;
  }
  glfwSwapInterval(1);
  start_imgui(scale_of(window, options), options, letters);
  listen(window);  // ImGui's own callbacks call these first
  ImGui_ImplGlfw_InitForOpenGL(window, true);
  ImGui_ImplOpenGL3_Init("#version 330");
  frames_due = kFramesAfterInput;
  return window;
}

void end(GLFWwindow* window) {
  ImGui_ImplOpenGL3_Shutdown();
  ImGui_ImplGlfw_Shutdown();
  ImGui::DestroyContext();
#ifndef __SANITIZE_ADDRESS__  // the driver is unloaded before the leak checker looks: it would report an unknown module
  glfwDestroyWindow(window);
  glfwTerminate();
#else
  glfwHideWindow(window);
#endif
}

/// What the next window may look like.
WindowOptions as_left(GLFWwindow* window, App& app, const WindowOptions& options) {
  WindowOptions left = options;
  glfwGetWindowSize(window, &left.width, &left.height);
  left.theme = theme().name;
  left.language = language();
  left.panels = app.ui().panels;
  return left;
}

}  // namespace

int run_window(const trace::Session& session, const WindowOptions& options) {
  ViewModel model(session);
  model.resume(options.given, options.keep);
  if (!place_at(model, options)) return 2;
  GLFWwindow* window = begin(options, "Wakepath: " + session.title(), letters_of(model, options));
  if (window == nullptr) return 3;
  App app(model, scale_of(window, options), options.reduce_motion || !options.shot.empty());
  app.offer(options);
  const int status = loop(window, model, app, options);
  if (options.remember && options.shot.empty()) options.remember(as_left(window, app, options));
  end(window);
  return status;
}

int choose_story(const std::vector<Story>& stories, WindowOptions& options, std::optional<std::size_t>& chosen) {
  GLFWwindow* window = begin(options, "Wakepath", letters_of(stories));
  if (window == nullptr) return 3;
  const float scale = scale_of(window, options);
  Browser browser(stories);
  for (int frame = 0; glfwWindowShouldClose(window) == 0 && !browser.chosen();) {
    if (options.should_close && options.should_close()) break;
    if (frames_due > 0)
      glfwPollEvents();
    else
      glfwWaitEventsTimeout(kIdleWait);
    if (frames_due <= 0) continue;
    --frames_due;
    draw(window, [&](float w, float h) { browser.frame(w, h, scale); });
    glfwSwapBuffers(window);
    if (++frame == 2) std::puts("browser ready"), std::fflush(stdout);
  }
  chosen = browser.chosen();
  options.theme = theme().name;
  options.language = language();
  glfwGetWindowSize(window, &options.width, &options.height);
  end(window);
  return 0;
}

}  // namespace wakepath::gui
