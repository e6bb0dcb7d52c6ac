// The same picture without a display: EGL without a surface, drawn into a framebuffer object.
#include <glad/gl.h>
// EGL's own header after glad's
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <backends/imgui_impl_opengl3.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>

#include "gui/app.hh"
#include "gui/browser.hh"
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

/// A window's contents, drawn into a framebuffer: ImGui and OpenGL.
class Studio {
 public:
  explicit Studio(const WindowOptions& options) : options_(options) {}
  Studio(const Studio&) = delete;
  Studio& operator=(const Studio&) = delete;
  ~Studio() {
    if (!open_) return;
    ImGui_ImplOpenGL3_Shutdown();
    ImGui::DestroyContext();
  }

  /// Empty, or what is missing.
  std::string open(const std::string& letters) {
    std::string why;
    if (!offscreen_.open(options_.width, options_.height, why)) return why;
    start_imgui(scale(), options_, letters);
    ImGui_ImplOpenGL3_Init("#version 330");
    open_ = true;
    return "";
  }

  [[nodiscard]] float scale() const {
    return options_.scale > 0 ? options_.scale : options_.theme == "projector" ? kProjectorScale : 1;
  }

  /// `seconds` after the last one; `frame` draws between NewFrame and Render of ImGui.
  void draw(double seconds, const std::function<void(float width, float height)>& frame) {
    ImGuiIO& io = ImGui::GetIO();
    io.DisplaySize = ImVec2(static_cast<float>(options_.width), static_cast<float>(options_.height));
    io.DeltaTime = static_cast<float>(seconds);
    ImGui_ImplOpenGL3_NewFrame();
    ImGui::NewFrame();
    frame(io.DisplaySize.x, io.DisplaySize.y);
    ImGui::Render();
    glViewport(0, 0, options_.width, options_.height);
    glClearColor(0.05f, 0.066f, 0.09f, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
    glFinish();
  }
  [[nodiscard]] Picture picture() const { return read_pixels(options_.width, options_.height); }

 private:
  const WindowOptions& options_;
  Offscreen offscreen_;
  bool open_ = false;
};

/// The stage of one model in a studio.
class StageInStudio {
 public:
  /// The model must outlive it.
  StageInStudio(ViewModel& model, const WindowOptions& options, bool still)
      : studio_(options), options_(options), app_(model, studio_.scale(), still) {}
  /// Empty, or what is missing.
  std::string open() {
    if (std::string why = studio_.open(letters_of(app_.ui().model, options_)); !why.empty()) return why;
    app_.offer(options_);
    return "";
  }
  void draw(double seconds) {
    studio_.draw(seconds, [&](float w, float h) { app_.frame(w, h, seconds); });
  }
  [[nodiscard]] Picture picture() const { return studio_.picture(); }

 private:
  Studio studio_;
  const WindowOptions& options_;
  App app_;
};

constexpr int kFirstFrames = 3;  // until every window of ImGui has its place
constexpr double kFrameTime = 1.0 / 60;

std::optional<Grain> grain_named(std::string_view name) {
  if (name == "record") return Grain::kRecord;
  if (name == "function") return Grain::kFunction;
  if (name == "call") return Grain::kSyscall;
  if (name == "step") return Grain::kStep;
  return std::nullopt;
}

/// Pictures that a stop stays for: what the stage takes for it when it plays, and longer where a step ends.
int pictures_at(const FilmOptions& film, Grain grain, bool step_ends) {
  if (grain == Grain::kStep) return 1;
  const double seconds = step_ends ? 1 : 1 / stops_per_second(grain);
  return std::max(1, static_cast<int>(seconds * film.rate / film.speed + 0.5));
}

}  // namespace

std::optional<Picture> render_picture(const trace::Session& session, const WindowOptions& options, std::string& why) {
  ViewModel model(session);
  model.resume(options.given, {});
  if (!place_at(model, options)) return why = "no such step", std::nullopt;
  StageInStudio studio(model, options, true);
  if (why = studio.open(); !why.empty()) return std::nullopt;
  double cost = 0;
  for (int i = 0; i < std::max(kFirstFrames, options.frames); ++i) {
    const std::clock_t start = std::clock();
    studio.draw(kFrameTime);
    cost = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  Picture picture = studio.picture();
  picture.seconds_per_frame = cost;
  return picture;
}

std::string render_film(const trace::Session& session, const WindowOptions& options, const FilmOptions& film,
                        const std::function<bool(const Picture&, std::uint64_t step)>& each) {
  ViewModel model(session);
  model.resume(options.given, {});
  const auto begin = model.index().after_step(film.from == 0 ? 0 : film.from - 1);
  const auto end = model.index().after_step(film.to);
  const auto grain = grain_named(film.grain);
  if (!begin || !end || film.to < film.from)
    return fmt::format("--range: found {}:{}, expected a first and a last step of 1 to {}", film.from, film.to,
                       model.index().steps().size());
  if (!grain) return fmt::format("found grain '{}', expected record, function, call or step", film.grain);
  StageInStudio studio(model, options, options.reduce_motion || *grain == Grain::kStep);
  if (std::string why = studio.open(); !why.empty()) return why;
  model.set_grain(*grain);
  model.seek(*begin);
  model.set_view(static_cast<double>(*begin), static_cast<double>(*end));
  for (int i = 0; i < kFirstFrames; ++i) studio.draw(kFrameTime);
  while (model.position() < *end) {
    model.seek(std::min(*end, next_stop(model.trace(), model.index(), model.position(), *grain)));
    const bool step_ends = model.world().quiet_step() == model.world().step();
    for (int left = pictures_at(film, *grain, step_ends); left > 0; --left) {
      studio.draw(1.0 / film.rate);
      if (!each(studio.picture(), model.world().step())) return "";
    }
  }
  return "";
}

int render_browser(const std::vector<Story>& stories, const WindowOptions& options) {
  Studio studio(options);
  if (const std::string why = studio.open(letters_of(stories)); !why.empty()) {
    std::fprintf(stderr, "wakepath: no picture: %s\n", why.c_str());
    return 3;
  }
  Browser browser(stories);
  for (int i = 0; i < kFirstFrames; ++i)
    studio.draw(kFrameTime, [&](float w, float h) { browser.frame(w, h, studio.scale()); });
  return keep_shot(options.shot, studio.picture());
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
  return keep_shot(options.shot, *picture);
}

}  // namespace wakepath::gui
