#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "gui/app.hh"
#include "gui/draw.hh"
#include "gui/fonts.hh"
#include "gui/imgui_compat.hh"
#include "tests/gui/synthetic.hh"

namespace wakepath::gui::test {

/// The whole window without a window: Dear ImGui in process, no OpenGL. Buttons are found by their marks and clicked.
class Driver : public testing::Test {
 protected:
  explicit Driver(std::shared_ptr<trace::Trace> trace, bool live = false, std::string_view letters = {})
      : session(std::move(trace), live), model(session) {
    ImGui::CreateContext();
    ImGui::GetIO().IniFilename = nullptr;
    compat::map_keys();
    load_fonts(1, letters);
    compat::build_atlas();
    apply_style(1);
    app.emplace(model, 1.0f, true);
    frames(2);
  }
  ~Driver() override { ImGui::DestroyContext(); }

  void frames(int count) {
    for (int i = 0; i < count; ++i) {
      ImGuiIO& io = ImGui::GetIO();
      io.DisplaySize = ImVec2(width, height);
      io.DeltaTime = 1.0f / 60;
      ImGui::NewFrame();
      app->frame(width, height, 1.0 / 60);
      ImGui::Render();
      vertices = ImGui::GetDrawData()->TotalVtxCount;
    }
  }

  void click_at(Point p) {
    compat::send_mouse(p.x, p.y, false);
    frames(2);
    compat::send_mouse(p.x, p.y, true);
    frames(2);
    compat::send_mouse(p.x, p.y, false);
    frames(2);
  }

  void click(const std::string& name) {
    ASSERT_TRUE(marks::all().contains(name)) << name;
    click_at(marks::all().at(name).center());
  }

  void press(compat::Key key) {
    compat::send_key(key, true);
    frames(2);
    compat::send_key(key, false);
    frames(2);
  }

  TraceSession session;
  ViewModel model;
  std::optional<App> app;
  float width = 1440, height = 900;
  int vertices = 0;
};

}  // namespace wakepath::gui::test
