#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/trace/schema.hh"

/// The words of explanations, as data: assets/explain/LANGUAGE.json, built into the program. One sentence an id, with
/// places in braces: "{actor} woke". The same ids in every language.

namespace wakepath::exports {

using Places = std::vector<std::pair<std::string_view, std::string>>;

/// Languages there are words in: "en", "zh".
[[nodiscard]] const std::vector<std::string>& explain_languages();
/// The sentence of an id with its places filled. A language without the id gives English; an unknown id itself.
[[nodiscard]] std::string explain(std::string_view language, std::string_view id, const Places& places = {});
/// The sentence of a rule: in `language` when there are words for it, else what the trace carries.
[[nodiscard]] std::string explain_rule(std::string_view language, const trace::Rule& rule);
/// What objects of a kind are, likewise.
[[nodiscard]] std::string explain_kind(std::string_view language, const trace::Kind& kind);
/// What a function does, likewise.
[[nodiscard]] std::string explain_function(std::string_view language, const trace::FunctionInfo& function);
/// All ids that a language has words for, in order.
[[nodiscard]] std::vector<std::string> explain_ids(std::string_view language);

}  // namespace wakepath::exports
