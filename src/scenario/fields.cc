#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "src/scenario/step_parser.hh"

namespace wakepath::scenario {

std::string Fields::kind_of(const Yaml& value) {
  switch (value.kind) {
    case Yaml::Kind::sequence:
      return "a list";
    case Yaml::Kind::mapping:
      return "a mapping";
    case Yaml::Kind::scalar:
      break;
  }
  if (value.text.empty()) {
    return "nothing";
  }
  std::string text = value.text.substr(0, 60);
  while (!text.empty() && first_bad_byte(text) != std::string_view::npos) {
    text.pop_back();  // a character that was cut
  }
  return fmt::format("'{}{}'", text, value.text.size() > 60 ? "…" : "");
}

void Fields::mapping(const Yaml& value, std::string_view expected) const {
  if (value.kind != Yaml::Kind::mapping) {
    s_.fail(value.at, kind_of(value), std::string(expected));
  }
}

void Fields::only_keys(const Yaml& mapping, const std::vector<std::string_view>& keys) const {
  for (const Yaml& key : mapping.keys) {
    if (std::find(keys.begin(), keys.end(), key.text) == keys.end()) {
      std::string list;
      for (const std::string_view known : keys) {
        list += fmt::format("{}{}", list.empty() ? "" : ", ", known);
      }
      s_.fail(key.at, fmt::format("the key {}", kind_of(key)),
              fmt::format("{}{}{}", keys.size() > 1 ? "one of " : "", list, did_you_mean(key.text, keys)));
    }
  }
}

const Yaml& Fields::required(const Yaml& mapping, std::string_view key) const {
  const Yaml* value = mapping.find(key);
  if (value == nullptr) {
    std::vector<std::string_view> there;
    for (const Yaml& other : mapping.keys) {
      there.push_back(other.text);
    }
    s_.fail(mapping.at, fmt::format("no key '{}'{}", key, did_you_mean(key, there)), "that key, which is required");
  }
  return *value;
}

const std::string& Fields::word(const Yaml& value, std::string_view expected) const {
  if (value.kind != Yaml::Kind::scalar || value.is_null() || value.text.empty()) {
    s_.fail(value.at, kind_of(value), std::string(expected));
  }
  return value.text;
}

std::string Fields::one_of(const Yaml& value, const std::vector<std::string_view>& words) const {
  if (value.kind != Yaml::Kind::scalar || std::find(words.begin(), words.end(), value.text) == words.end()) {
    std::string list;
    for (const std::string_view known : words) {
      list += fmt::format("{}{}", list.empty() ? "" : ", ", known);
    }
    s_.fail(value.at, kind_of(value),
            fmt::format("{}{}{}", words.size() > 1 ? "one of " : "", list, did_you_mean(value.text, words)));
  }
  return value.text;
}

long Fields::integer(const Yaml& value, long low, long high, std::string_view expected) const {
  long number = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stop, error] = std::from_chars(value.text.data(), end, number);
  if (value.kind != Yaml::Kind::scalar || value.text.empty() || error != std::errc() || stop != end || number < low ||
      number > high) {
    s_.fail(value.at, kind_of(value), std::string(expected));
  }
  return number;
}

bool Fields::boolean(const Yaml& value) const { return one_of(value, {"true", "false"}) == "true"; }

std::vector<std::string> Fields::strings(const Yaml& value, std::string_view expected) const {
  if (value.kind != Yaml::Kind::sequence) {
    s_.fail(value.at, kind_of(value), std::string(expected));
  }
  std::vector<std::string> out;
  for (const Yaml& item : value.items) {
    out.push_back(word(item, expected));
  }
  return out;
}

Text Fields::text(const Yaml& value) const {
  Text out;
  if (value.kind == Yaml::Kind::scalar) {
    out.by_language["en"] = word(value, "text, or {en: …, zh: …}");
    return out;
  }
  mapping(value, "text, or {en: …, zh: …}");
  if (value.keys.empty()) {
    s_.fail(value.at, "an empty mapping", "text, or {en: …, zh: …}");
  }
  only_keys(value, {"en", "zh"});
  for (size_t i = 0; i < value.keys.size(); ++i) {
    out.by_language[value.keys[i].text] = word(value.items[i], "text");
  }
  return out;
}

}  // namespace wakepath::scenario
