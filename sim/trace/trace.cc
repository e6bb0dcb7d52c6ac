#include "sim/trace/trace.hh"

#include <utility>

namespace wakepath::trace {

Trace::Trace(Schema schema, Position keep) : schema_(std::move(schema)), records_(keep) {
  strings_.append("");  // id 0
  sites_.append(0);
}

std::string_view Trace::string(StringId id) const { return id < strings_.size() ? strings_[id] : std::string_view{}; }

std::string_view Trace::site(std::uint16_t site) const {
  return site < sites_.size() ? string(sites_[site]) : std::string_view{};
}

StringId Trace::intern(std::string_view text) {
  if (text.empty()) return 0;
  if (StringId known = ids_.find(text, [this](StringId id) -> std::string_view { return strings_[id]; })) return known;
  auto id = static_cast<StringId>(strings_.size());
  if (!strings_.append(std::string(text))) return 0;
  ids_.add(text, id);
  return id;
}

std::uint16_t Trace::intern_site(std::string_view file_and_line) {
  StringId text = intern(file_and_line);
  auto [found, is_new] = site_ids_.try_emplace(text, static_cast<std::uint16_t>(sites_.size()));
  if (is_new && !sites_.append(text)) found->second = 0;
  return found->second;
}

}  // namespace wakepath::trace
