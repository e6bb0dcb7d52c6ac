#include "src/bench/figures.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace wakepath::bench {

namespace {

std::string number(double value) {
  if (value == 0) return "0";
  double size = value < 0 ? -value : value;
  if (size >= 1000) return fmt::format("{:.0f}", value);
  if (size >= 100) return fmt::format("{:.1f}", value);
  return fmt::format("{:.3g}", value);
}

std::string bound(double value) { return value == 0 ? "" : number(value); }

std::string verdict(const Figure& figure) {
  if (figure.must == 0) return "";
  if (figure.aim != 0 && figure.reaches(figure.aim)) return "aim";
  return figure.reaches(figure.must) ? "must" : "MISSED";
}

}  // namespace

std::string as_table(const Figures& figures, const std::vector<std::string>& notes) {
  std::size_t widest = 0;
  for (const Figure& f : figures) widest = std::max(widest, f.what.size());
  std::string out =
      fmt::format("{:<{}}  {:>12} {:<6} {:>8} {:>8}  {}\n", "", widest, "measured", "", "must", "aim", "");
  for (const Figure& f : figures) {
    std::string line = fmt::format("{:<{}}  {:>12} {:<6} {:>8} {:>8}  {}", f.what, widest, number(f.value), f.unit,
                                   bound(f.must), bound(f.aim), verdict(f));
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  for (const std::string& note : notes) out += note + "\n";
  return out;
}

std::string as_json(const Figures& figures, const std::vector<std::string>& notes) {
  nlohmann::ordered_json out;
  for (const Figure& f : figures) out[f.key] = f.value;
  out["notes"] = notes;
  return out.dump(1);
}

}  // namespace wakepath::bench
