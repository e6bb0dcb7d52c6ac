#pragma once

// The only file that knows the differences between Dear ImGui 1.86 (Debian 12), 1.90 (Debian 13) and 1.92.

#include <imgui.h>
#include <imgui_freetype.h>
#include <imgui_stdlib.h>

#include <bitset>

#if IMGUI_VERSION_NUM < 18700
#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#endif

namespace wakepath::gui::compat {

enum class Key : unsigned char {
  kSpace,
  kLeft,
  kRight,
  kUp,
  kDown,
  kHome,
  kEnd,
  kEscape,
  kTab,
  kF1,
  kF2,
  kF3,
  kF4,
  kF6,
  kF7,
  kF8,
  kComma,
  kPeriod,
  kMinus,
  kEqual,
  kB,
  kD,
  kE,
  kF,
  kG,
  kK,
  kN,
  kS,
  kL,
  kP,
  kOne,
  kTwo,
  kThree,
  kFour,
  kFive,
  kSix,
  kSlash,
  kEnter,
  kCount
};

/// 1.86 has no queue of input: a key that goes down and up between two frames would be lost. The window latches it here
/// (by GLFW's number) and clears it after the frame; later versions need no latch.
inline std::bitset<512>& latched_keys() {
  static std::bitset<512> keys;
  return keys;
}

/// By the library's own number.
inline auto native(Key key) {
#if IMGUI_VERSION_NUM >= 18700
  static constexpr ImGuiKey kKeys[] = {
      ImGuiKey_Space, ImGuiKey_LeftArrow, ImGuiKey_RightArrow, ImGuiKey_UpArrow, ImGuiKey_DownArrow, ImGuiKey_Home,
      ImGuiKey_End,   ImGuiKey_Escape,    ImGuiKey_Tab,        ImGuiKey_F1,      ImGuiKey_F2,        ImGuiKey_F3,
      ImGuiKey_F4,    ImGuiKey_F6,        ImGuiKey_F7,         ImGuiKey_F8,      ImGuiKey_Comma,     ImGuiKey_Period,
      ImGuiKey_Minus, ImGuiKey_Equal,     ImGuiKey_B,          ImGuiKey_D,       ImGuiKey_E,         ImGuiKey_F,
      ImGuiKey_G,     ImGuiKey_K,         ImGuiKey_N,          ImGuiKey_S,       ImGuiKey_L,         ImGuiKey_P,
      ImGuiKey_1,     ImGuiKey_2,         ImGuiKey_3,          ImGuiKey_4,       ImGuiKey_5,         ImGuiKey_6,
      ImGuiKey_Slash, ImGuiKey_Enter};
#else
  static constexpr int kKeys[] = {
      GLFW_KEY_SPACE,  GLFW_KEY_LEFT,  GLFW_KEY_RIGHT, GLFW_KEY_UP,     GLFW_KEY_DOWN,  GLFW_KEY_HOME,  GLFW_KEY_END,
      GLFW_KEY_ESCAPE, GLFW_KEY_TAB,   GLFW_KEY_F1,    GLFW_KEY_F2,     GLFW_KEY_F3,    GLFW_KEY_F4,    GLFW_KEY_F6,
      GLFW_KEY_F7,     GLFW_KEY_F8,    GLFW_KEY_COMMA, GLFW_KEY_PERIOD, GLFW_KEY_MINUS, GLFW_KEY_EQUAL, GLFW_KEY_B,
      GLFW_KEY_D,      GLFW_KEY_E,     GLFW_KEY_F,     GLFW_KEY_G,      GLFW_KEY_K,     GLFW_KEY_N,     GLFW_KEY_S,
      GLFW_KEY_L,      GLFW_KEY_P,     GLFW_KEY_1,     GLFW_KEY_2,      GLFW_KEY_3,     GLFW_KEY_4,     GLFW_KEY_5,
      GLFW_KEY_6,      GLFW_KEY_SLASH, GLFW_KEY_ENTER};
#endif
  static_assert(sizeof(kKeys) / sizeof(kKeys[0]) == static_cast<unsigned>(Key::kCount));
  return kKeys[static_cast<unsigned>(key)];
}

/// A key went down in this frame (with the keyboard's repetition when asked for).
inline bool pressed(Key key, bool repeat = true) {
#if IMGUI_VERSION_NUM < 18700
  if (latched_keys()[static_cast<std::size_t>(native(key))]) return true;
#endif
  return ImGui::IsKeyPressed(native(key), repeat);
}

/// Ctrl, or Shift, is held, or was when a key went down in this frame.
inline bool ctrl_held() {
#if IMGUI_VERSION_NUM < 18700
  if (latched_keys()[GLFW_KEY_LEFT_CONTROL]) return true;
#endif
  return ImGui::GetIO().KeyCtrl;
}
inline bool shift_held() {
#if IMGUI_VERSION_NUM < 18700
  if (latched_keys()[GLFW_KEY_LEFT_SHIFT]) return true;
#endif
  return ImGui::GetIO().KeyShift;
}

/// For tests: what a window's backend would say of the keyboard.
inline void map_keys() {
#if IMGUI_VERSION_NUM < 18700
  ImGui::GetIO().KeyMap[ImGuiKey_Enter] = native(Key::kEnter);
#endif
}

/// For tests: what the keyboard would send.
inline void send_key(Key key, bool down) {
#if IMGUI_VERSION_NUM >= 18700
  ImGui::GetIO().AddKeyEvent(native(key), down);
#else
  ImGui::GetIO().KeysDown[native(key)] = down;
#endif
}

/// For tests: where the mouse is and whether its left button is down; wheel is what it turned since the last frame.
inline void send_mouse(float x, float y, bool down, float wheel = 0) {
  ImGuiIO& io = ImGui::GetIO();
#if IMGUI_VERSION_NUM >= 18700
  io.AddMousePosEvent(x, y);
  io.AddMouseButtonEvent(0, down);
  if (wheel != 0) io.AddMouseWheelEvent(0, wheel);
#else
  io.MousePos = ImVec2(x, y);
  io.MouseDown[0] = down;
  io.MouseWheel = wheel;
#endif
}

/// FreeType with light hinting draws the glyphs.
inline void use_freetype() {
#if IMGUI_VERSION_NUM < 19200
  ImGui::GetIO().Fonts->FontBuilderIO = ImGuiFreeType::GetBuilderForFreeType();
  ImGui::GetIO().Fonts->FontBuilderFlags = ImGuiFreeTypeBuilderFlags_LightHinting;
#else
  ImGui::GetIO().Fonts->FontLoaderFlags = ImGuiFreeTypeLoaderFlags_LightHinting;
#endif
}

inline void push_font(ImFont* font, [[maybe_unused]] float size) {
#if IMGUI_VERSION_NUM < 19200
  ImGui::PushFont(font);
#else
  ImGui::PushFont(font, size);
#endif
}

/// Without a backend somebody has to build the atlas (1.92 builds it when needed).
inline void build_atlas() {
#if IMGUI_VERSION_NUM < 19200
  unsigned char* pixels = nullptr;
  int w = 0, h = 0;
  ImGui::GetIO().Fonts->GetTexDataAsRGBA32(&pixels, &w, &h);
#else
  ImGui::GetIO().BackendFlags |= ImGuiBackendFlags_RendererHasTextures;
#endif
}

}  // namespace wakepath::gui::compat
