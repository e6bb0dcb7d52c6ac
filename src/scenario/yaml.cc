#include "src/scenario/yaml.hh"

#include <fmt/format.h>
#include <libfyaml.h>

#include <algorithm>
#include <memory>

namespace wakepath::scenario {
namespace {

constexpr int kDeepest = 16;

struct FreeDiag {
  void operator()(fy_diag* d) const { fy_diag_destroy(d); }
};
struct FreeParser {
  void operator()(fy_parser* p) const { fy_parser_destroy(p); }
};

/// Length of the escape that starts at raw[at] (a backslash) in a double-quoted scalar.
size_t escape_length(std::string_view raw, size_t at) {
  if (at + 1 >= raw.size()) {
    return 1;
  }
  switch (raw[at + 1]) {
    case 'x':
      return 4;
    case 'u':
      return 6;
    case 'U':
      return 10;
    default:
      return 2;
  }
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Finds for each byte of a scalar's value the byte of the file it came from: folds, indents, doubled quotes and
/// escapes make the two differ.
std::vector<size_t> align(std::string_view value, std::string_view file, size_t start, fy_scalar_style style) {
  std::vector<size_t> offsets;
  offsets.reserve(value.size() + 1);
  size_t raw = start;
  for (size_t i = 0; i < value.size(); ++i) {
    if (style == FYSS_DOUBLE_QUOTED && raw < file.size() && file[raw] == '\\') {
      offsets.push_back(raw);
      const size_t length = escape_length(file, raw);
      while (length > 4 && i + 1 < value.size() && (static_cast<unsigned char>(value[i + 1]) & 0xC0) == 0x80) {
        offsets.push_back(raw);  // \u and \U give several bytes
        ++i;
      }
      raw += length;
      continue;
    }
    while (raw < file.size() && file[raw] != value[i] && is_blank(file[raw])) {
      ++raw;
      if (value[i] == ' ' && raw < file.size() && !is_blank(file[raw])) {
        --raw;  // a folded line break stands for this space
        break;
      }
    }
    offsets.push_back(std::min(raw, file.size()));
    ++raw;
  }
  offsets.push_back(std::min(raw, file.size()));
  return offsets;
}

/// Reads a single-quoted scalar from the file itself: libfyaml 0.7 loses characters where two doubled quotes meet.
void read_single_quoted(std::string_view file, size_t start, Yaml& out) {
  out.text.clear();
  out.offsets.clear();
  const auto add = [&out](char c, size_t offset) {
    out.text.push_back(c);
    out.offsets.push_back(offset);
  };
  size_t at = start;
  while (at < file.size()) {
    if (file[at] == '\'') {
      if (at + 1 >= file.size() || file[at + 1] != '\'') {
        break;
      }
      add('\'', at);
      at += 2;
    } else if (is_blank(file[at])) {  // a line break and the blanks around it fold into a space, or into empty lines
      const size_t begin = at;
      size_t breaks = 0;
      for (; at < file.size() && is_blank(file[at]); ++at) {
        breaks += file[at] == '\n';
      }
      for (size_t i = begin; breaks == 0 && i < at; ++i) {
        add(file[i], i);
      }
      for (size_t i = 1; breaks > 0 && i < std::max<size_t>(breaks, 2); ++i) {
        add(breaks == 1 ? ' ' : '\n', begin);
      }
    } else {
      add(file[at], at);
      ++at;
    }
  }
  out.offsets.push_back(at);
}

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source) {
    fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = nullptr;
    diag_.reset(fy_diag_create(&diag_cfg));
    fy_diag_set_collect_errors(diag_.get(), true);
    fy_parse_cfg cfg{};
    cfg.flags = static_cast<fy_parse_cfg_flags>(FYPCF_DEFAULT_PARSE);
    cfg.diag = diag_.get();
    parser_.reset(fy_parser_create(&cfg));
    fy_parser_set_string(parser_.get(), source.text().data(), source.text().size());
  }

  Yaml document() {
    Yaml root;
    bool have_root = false;
    while (Event event = next()) {
      switch (event->type) {
        case FYET_STREAM_START:
        case FYET_STREAM_END:
        case FYET_DOCUMENT_END:
          break;
        case FYET_DOCUMENT_START:
          if (have_root) {
            source_.fail(place(event.get()), "a second document", "one scenario a file");
          }
          break;
        default:
          root = value(event.get(), 0);
          have_root = true;
      }
    }
    if (fy_parser_get_stream_error(parser_.get())) {
      report();
    }
    if (!have_root) {
      source_.fail({1, 1}, "an empty file", "a scenario that begins with 'wakepath: 1'");
    }
    return root;
  }

 private:
  struct FreeEvent {
    fy_parser* parser;
    void operator()(fy_event* e) const { fy_parser_event_free(parser, e); }
  };
  using Event = std::unique_ptr<fy_event, FreeEvent>;

  Event next() { return Event(fy_parser_parse(parser_.get()), FreeEvent{parser_.get()}); }

  Event inner() {
    Event event = next();
    if (!event) {
      report();
    }
    return event;
  }

  size_t offset_of(fy_event* event) {
    if (const fy_mark* mark = fy_event_start_mark(event)) {
      last_ = std::min(mark->input_pos, source_.text().size());
    }
    return last_;
  }

  Position place(fy_event* event) { return source_.position(offset_of(event)); }

  [[noreturn]] void report() {
    void* at = nullptr;
    const fy_diag_error* error = fy_diag_errors_iterate(diag_.get(), &at);
    Position position = source_.position(last_);
    std::string message = "YAML that cannot be read";
    if (error != nullptr && error->msg != nullptr) {
      message = error->msg;
      if (error->line > 0) {
        position = {error->line, std::max(error->column, 1)};
        const Position end = source_.position(source_.text().size());
        position = position.line > end.line ? end : position;  // it counts a line behind a cut last one
      }
    }
    if (cuts_a_call(position)) {
      source_.fail_sentence(position, kUnterminatedCall, kUnterminatedAdvice);
    }
    if (!open_.empty() && message.find("closing bracket") != std::string::npos) {
      const Position open = source_.position(open_.back());
      message += fmt::format(" (opened at {}:{})", open.line, open.column);
    }
    source_.fail(position, message, "well-formed YAML");
  }

  /// True when the line up to there is a step `NAME: function(…` whose bracket is open: YAML met a ': ' inside it.
  bool cuts_a_call(Position at) const {
    int depth = 0;
    bool any = false;
    const std::string_view line = source_.line(at.line);
    if (line.find("- ") == std::string_view::npos || line.find_first_of("'") < line.find('(')) {
      return false;
    }
    for (const char c : line.substr(0, static_cast<size_t>(at.column))) {
      any = any || c == '(';
      depth += (c == '(') - (c == ')');
    }
    return any && depth > 0;
  }

  void refuse_extras(fy_event* event, fy_token* anchor, fy_token* tag) {
    if (anchor != nullptr) {
      source_.fail(place(event), "a YAML anchor", "plain YAML without anchors and aliases");
    }
    if (tag != nullptr) {
      source_.fail(place(event), "a YAML tag", "plain YAML without tags");
    }
  }

  Yaml value(fy_event* event, int depth) {
    if (depth > kDeepest) {
      source_.fail(place(event), "YAML nested more than 16 deep", "a scenario");
    }
    Yaml out;
    out.offset = offset_of(event);
    out.at = source_.position(out.offset);
    switch (event->type) {
      case FYET_SCALAR: {
        refuse_extras(event, event->scalar.anchor, event->scalar.tag);
        size_t length = 0;
        const char* text = event->scalar.value ? fy_token_get_text(event->scalar.value, &length) : nullptr;
        out.text.assign(text ? text : "", text ? length : 0);
        const fy_scalar_style style = event->scalar.value ? fy_token_scalar_style(event->scalar.value) : FYSS_PLAIN;
        out.plain = style == FYSS_PLAIN;
        if (style == FYSS_SINGLE_QUOTED) {
          read_single_quoted(source_.text(), out.offset, out);
        } else {
          out.offsets = align(out.text, source_.text(), out.offset, style);
        }
        break;
      }
      case FYET_SEQUENCE_START:
        refuse_extras(event, event->sequence_start.anchor, event->sequence_start.tag);
        out.kind = Yaml::Kind::sequence;
        open_.push_back(out.offset);
        for (Event e = inner(); e->type != FYET_SEQUENCE_END; e = inner()) {
          out.items.push_back(value(e.get(), depth + 1));
        }
        open_.pop_back();
        break;
      case FYET_MAPPING_START:
        refuse_extras(event, event->mapping_start.anchor, event->mapping_start.tag);
        out.kind = Yaml::Kind::mapping;
        open_.push_back(out.offset);
        mapping(out, depth);
        open_.pop_back();
        break;
      default:
        source_.fail(out.at, "a YAML alias", "plain YAML without anchors and aliases");
    }
    return out;
  }

  void mapping(Yaml& out, int depth) {
    for (Event e = inner(); e->type != FYET_MAPPING_END; e = inner()) {
      Yaml key = value(e.get(), depth + 1);
      if (key.kind != Yaml::Kind::scalar) {
        source_.fail(key.at, "a list or mapping as a key", "a word as a key");
      }
      for (const Yaml& earlier : out.keys) {
        if (earlier.text == key.text) {
          source_.fail(key.at, fmt::format("the key '{}' again", key.text),
                       fmt::format("each key once (first at {}:{})", earlier.at.line, earlier.at.column));
        }
      }
      Event item = inner();
      out.keys.push_back(std::move(key));
      out.items.push_back(value(item.get(), depth + 1));
    }
  }

  const Source& source_;
  std::unique_ptr<fy_diag, FreeDiag> diag_;
  std::unique_ptr<fy_parser, FreeParser> parser_;
  std::vector<size_t> open_;
  size_t last_ = 0;
};

}  // namespace

const Yaml* Yaml::find(std::string_view key) const {
  for (size_t i = 0; i < keys.size() && i < items.size(); ++i) {
    if (keys[i].text == key) {
      return &items[i];
    }
  }
  return nullptr;
}

Yaml read_yaml(const Source& source) {
  const size_t bad = first_bad_byte(source.text());
  if (bad != std::string_view::npos) {
    source.fail(source.position(bad),
                fmt::format("byte 0x{:02X}", static_cast<unsigned>(static_cast<unsigned char>(source.text()[bad]))),
                "text in UTF-8");
  }
  return Reader(source).document();
}

}  // namespace wakepath::scenario
