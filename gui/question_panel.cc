// A question of the lesson in the panel of words: what there is to choose, and after the answer what is right and why.
#include <fmt/format.h>

#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {

struct Option {
  std::string words;
  std::string answer;  ///< what choosing it answers
};

std::vector<Option> options_of(const trace::Question& question) {
  std::vector<Option> out;
  for (std::size_t i = 0; i < question.choices.size(); ++i)
    out.push_back({question.choices[i].in(language()), std::to_string(i + 1)});
  if (question.choices.empty())
    for (const std::string& name : question.names) out.push_back({name, name});
  return out;
}

struct QuestionDrawer {
  Ui& ui;
  const Painter& p;
  const Quiz::Asked& asked;
  std::optional<std::string> given;
  float x, w, y;

  void words(const Font& font, std::string_view text, Rgb colour, int most) {
    y += p.wrapped(font, {x, y}, ink(colour), text, w, most) + p.px(4);
  }

  void option(std::size_t i, const Option& option) {
    const float number = p.px(20);
    const int lines = std::max(1, Painter::count_lines(fonts().text, option.words, w - number - p.px(10), 4));
    Rect r{x, y, w, static_cast<float>(lines) * std::round(fonts().text.px * 1.32f) + p.px(7)};
    const bool clicked = hit(fmt::format("question/{}", i + 1).c_str(), r);
    const bool chosen = given && trace::is_right(asked.question, option.answer) ? true : given == option.answer;
    const Rgb colour = !given                                           ? theme().user
                       : trace::is_right(asked.question, option.answer) ? theme().good
                       : chosen                                         ? theme().bad
                                                                        : theme().line2;
    p.fill(r, !given && ImGui::IsItemHovered() ? ink(theme().hover) : ink(colour, chosen ? 0.2f : 0.08f), p.px(5));
    p.frame(r, ink(colour, chosen ? 1.0f : 0.5f), p.px(5), given == option.answer ? 2.0f : 1.0f);
    p.text(fonts().bold, {r.x + p.px(8), r.y + p.px(3)}, ink(colour), std::to_string(i + 1), number);
    p.wrapped(fonts().text, {r.x + number + p.px(4), r.y + p.px(3)}, ink(theme().text), option.words,
              w - number - p.px(10), lines);
    y = r.bottom() + p.px(4);
    if (clicked && !given) ui.model.answer(option.answer);
  }

  void field() {
    marks::put("question/field", {x, y, w, p.px(28)});
    ImGui::SetCursorScreenPos({x, y});
    ImGui::SetNextItemWidth(w);
    compat::push_font(fonts().text.face, fonts().text.px);
    if (ui.answer_step != asked.step) ui.answer = {}, ui.answer_step = asked.step;
    if (ImGui::InputText("##answer", &ui.answer, ImGuiInputTextFlags_EnterReturnsTrue)) ui.model.answer(ui.answer);
    ImGui::PopFont();
    y += p.px(34);
  }

  void verdict() {
    const bool right = trace::is_right(asked.question, *given);
    words(fonts().small_bold, tr(right ? "RIGHT" : "NOT QUITE"), right ? theme().good : theme().bad, 1);
    const std::string expected = asked.question.answer.in(language());
    if (!right && !expected.empty()) words(fonts().text, said("It is: {}", expected), theme().text, 3);
    words(fonts().text, asked.question.why.in(language()), theme().text, 9);
  }
};

}  // namespace

void draw_question(Ui& ui, Rect area, const Quiz::Asked& asked) {
  Painter p(ImGui::GetWindowDrawList(), ui.scale);
  const Quiz& quiz = ui.model.quiz();
  QuestionDrawer d{ui, p, asked, quiz.given_to(asked.step), area.x, area.w, area.y};
  p.text_right(fonts().small, {area.right(), d.y}, ink(theme().dim),
               said("{} of {} right", quiz.right(), quiz.all().size()));
  d.words(fonts().small_bold, tr("CHECK YOURSELF"), theme().syscall, 1);
  d.words(fonts().bold, asked.question.question.in(language()), theme().text, 6);
  const std::vector<Option> options = options_of(asked.question);
  if (!d.given)
    d.words(fonts().small,
            tr(options.empty()                   ? "Type the answer and press Enter."
               : asked.question.pick == "thread" ? "Click the thread on the stage, or its name here."
                                                 : "Click a choice, or press its number."),
            theme().dim, 2);
  for (std::size_t i = 0; i < options.size(); ++i) d.option(i, options[i]);
  if (options.empty() && !d.given) d.field();
  if (options.empty() && d.given) d.words(fonts().mono, *d.given, theme().text, 2);
  if (d.given) d.verdict();
}

}  // namespace wakepath::gui
