// The same picture without a display: EGL without a surface, drawn into a framebuffer object.
#include <glad/gl.h>
// EGL's own header after glad's
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <backends/imgui_impl_opengl3.h>

#include <cstdio>
#include <ctime>

#include "gui/app.hh"
#include "gui/imgui_compat.hh"
#include "gui/start.hh"

namespace wakepath::gui {

namespace {

/// An OpenGL context without a window, current as long as the object lives.
class Offscreen {
 public:
  bool open(int width, int height, std::string& why) {
    auto get = reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(eglGetProcAddress("eglGetPlatformDisplayEXT"));
    if (get == nullptr) return why = "EGL has no eglGetPlatformDisplayEXT", false;
    display_ = get(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr);
    if (display_ == EGL_NO_DISPLAY || eglInitialize(display_, nullptr, nullptr) == EGL_FALSE)
      return why = "EGL has no surfaceless platform", false;
    eglBindAPI(EGL_OPENGL_API);
    const EGLint attributes[] = {
        EGL_CONTEXT_MAJOR_VERSION,           3,       EGL_CONTEXT_MINOR_VERSION, 3, EGL_CONTEXT_OPENGL_PROFILE_MASK,
        EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT, EGL_NONE};
    context_ = eglCreateContext(display_, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, attributes);
    if (context_ == EGL_NO_CONTEXT || eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, context_) == EGL_FALSE)
      return why = "EGL gives no OpenGL 3.3 context", false;
    if (gladLoadGL(reinterpret_cast<GLADloadfunc>(eglGetProcAddress)) == 0)
      return why = "OpenGL 3.3 cannot be loaded", false;
    glGenFramebuffers(1, &frame_);
    glGenRenderbuffers(1, &colour_);
    glBindRenderbuffer(GL_RENDERBUFFER, colour_);
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, width, height);
    glBindFramebuffer(GL_FRAMEBUFFER, frame_);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, colour_);
    if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE)
      return why = "no framebuffer of that size", false;
    return true;
  }
  ~Offscreen() {
    if (frame_ != 0) glDeleteFramebuffers(1, &frame_), glDeleteRenderbuffers(1, &colour_);
    if (display_ == EGL_NO_DISPLAY) return;
    eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    if (context_ != EGL_NO_CONTEXT) eglDestroyContext(display_, context_);
#ifndef __SANITIZE_ADDRESS__  // see window.cc
    eglTerminate(display_);
#endif
  }
  Offscreen() = default;
  Offscreen(const Offscreen&) = delete;
  Offscreen& operator=(const Offscreen&) = delete;

 private:
  EGLDisplay display_ = EGL_NO_DISPLAY;
  EGLContext context_ = EGL_NO_CONTEXT;
  GLuint frame_ = 0;
  GLuint colour_ = 0;
};

Picture draw_frames(ViewModel& model, const WindowOptions& options, float scale) {
  App app(model, scale, true);
  double cost = 0;
  for (int i = 0; i < std::max(3, options.frames); ++i) {
    std::clock_t start = std::clock();
    ImGuiIO& io = ImGui::GetIO();
    io.DisplaySize = ImVec2(static_cast<float>(options.width), static_cast<float>(options.height));
    io.DeltaTime = 1.0f / 60;
    ImGui_ImplOpenGL3_NewFrame();
    ImGui::NewFrame();
    app.frame(io.DisplaySize.x, io.DisplaySize.y, 1.0 / 60);
    ImGui::Render();
    glViewport(0, 0, options.width, options.height);
    glClearColor(0.05f, 0.066f, 0.09f, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
    glFinish();
    cost = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  Picture picture = read_pixels(options.width, options.height);
  picture.seconds_per_frame = cost;
  return picture;
}

}  // namespace

std::optional<Picture> render_picture(const trace::Session& session, const WindowOptions& options, std::string& why) {
  ViewModel model(session);
  model.resume(options.given, {});
  if (!place_at(model, options)) return why = "no such step", std::nullopt;
  Offscreen offscreen;
  if (!offscreen.open(options.width, options.height, why)) return std::nullopt;
  float scale = options.scale > 0 ? options.scale : options.theme == "projector" ? kProjectorScale : 1;
  start_imgui(scale, options, model);
  ImGui_ImplOpenGL3_Init("#version 330");
  Picture picture = draw_frames(model, options, scale);
  ImGui_ImplOpenGL3_Shutdown();
  ImGui::DestroyContext();
  return picture;
}

int render_shot(const trace::Session& session, const WindowOptions& options) {
  std::string why;
  auto picture = render_picture(session, options, why);
  if (!picture) {
    if (why == "no such step") return 2;
    std::fprintf(stderr, "wakepath: no picture: %s. Mesa's software renderer has it (package libgl1-mesa-dri).\n",
                 why.c_str());
    return 3;
  }
  if (write_png(options.shot, *picture)) return 0;
  std::fprintf(stderr, "wakepath: %s: cannot be written\n", options.shot.c_str());
  return 3;
}

}  // namespace wakepath::gui
