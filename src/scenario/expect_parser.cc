// `expect := term (op term) | NAME ('in' | 'not in') path`

#include <fmt/format.h>

#include <algorithm>

#include "src/scenario/call_parser.hh"

namespace wakepath::scenario {
namespace {

const std::vector<std::string_view> kFields = {"state", "accept_queue", "backlog", "recv_bytes", "send_bytes", "inode",
                                               "error", "waiters",      "items",   "ready_list", "blocked_in"};

class ExpectParser {
 public:
  explicit ExpectParser(Cursor& cursor) : cursor_(cursor) {}

  Expectation expectation() {
    Expectation out;
    const size_t start = cursor_.offset();
    out.left = term();
    operation(out);
    out.right = term();
    if (!cursor_.at_end()) {
      cursor_.fail("the end of the statement");
    }
    out.text = cursor_.since(start);
    check(out);
    return out;
  }

 private:
  void operation(Expectation& out) {
    using Op = Expectation::Op;
    static const std::vector<std::pair<std::string_view, Op>> symbols = {{"==", Op::equal},   {"!=", Op::not_equal},
                                                                         {"<=", Op::at_most}, {">=", Op::at_least},
                                                                         {"<", Op::less},     {">", Op::greater}};
    for (const auto& [symbol, op] : symbols) {
      if (cursor_.take(symbol)) {
        out.op = op;
        return;
      }
    }
    cursor_.skip_blanks();
    const size_t at = cursor_.offset();
    const std::string word = cursor_.identifier();
    if (word == "in") {
      out.op = Op::in;
    } else if (word == "not" && cursor_.identifier() == "in") {
      out.op = Op::not_in;
    } else {
      cursor_.fail_at(at, "==, !=, <, <=, >, >=, in or not in");
    }
  }

  Term term() {
    cursor_.skip_blanks();
    Term out;
    out.at = cursor_.here();
    const size_t start = cursor_.offset();
    if (const std::optional<long> number = cursor_.integer()) {
      out.kind = Term::Kind::integer;
      out.number = *number;
    } else if (cursor_.take("len(")) {
      path(out);
      if (!cursor_.take(')')) {
        cursor_.fail("')' after len(…");
      }
      out.kind = Term::Kind::length;
    } else {
      path(out);
    }
    out.text = cursor_.since(start);
    return out;
  }

  void path(Term& out) {
    out.kind = Term::Kind::path;
    cursor_.skip_blanks();
    const size_t at = cursor_.offset();
    std::vector<std::string> parts;
    std::vector<size_t> places;
    do {
      cursor_.skip_blanks();
      places.push_back(cursor_.offset());
      parts.push_back(cursor_.identifier(true));
      if (parts.back().empty()) {
        cursor_.fail_at(places.back(), parts.size() == 1 ? "a name, a number or a state" : "a field");
      }
    } while (cursor_.take('.'));
    if (parts.front() == "model" && parts.size() > 1) {
      out.model = true;
      parts.erase(parts.begin());
    }
    if (parts.size() == 1) {
      out.word = out.name = parts[0];
      word_at_ = at;
      return;
    }
    if (!out.model && parts.size() == 3) {
      out.process = parts.front();
      parts.erase(parts.begin());
      places.erase(places.begin());
    }
    out.name = parts[0];
    out.fields.assign(parts.begin() + 1, parts.end());
    if (!out.model) {
      const std::string& field = out.fields.front();
      if (std::find(kFields.begin(), kFields.end(), field) == kFields.end() || out.fields.size() > 1) {
        cursor_.fail_at(places[1], fmt::format("'{}'", field),
                        "a field of a socket, an epoll or an actor" + did_you_mean(field, kFields));
      }
    }
  }

  /// A single word is the name of a descriptor before `in`, otherwise a state or the name of a call.
  void check(Expectation& out) {
    const bool membership = out.op == Expectation::Op::in || out.op == Expectation::Op::not_in;
    if (membership) {
      if (out.left.kind != Term::Kind::path || !out.left.fields.empty()) {
        fail(out.left, "the name of a descriptor before 'in'");
      }
      if (out.right.kind != Term::Kind::path || out.right.fields.empty()) {
        fail(out.right, "a list such as ep.items after 'in'");
      }
      if (!out.right.model && out.right.fields[0] != "items" && out.right.fields[0] != "ready_list") {
        fail(out.right, "items or ready_list, which are lists");
      }
      return;
    }
    for (Term* term : {&out.left, &out.right}) {
      if (term->kind == Term::Kind::path && term->fields.empty()) {
        check_word(*term);
      }
      const bool list = !term->fields.empty() && (term->fields[0] == "items" || term->fields[0] == "ready_list");
      if (term->kind == Term::Kind::path && list && !term->model) {
        fail(*term, fmt::format("a number: len({})", term->text));
      }
      if (term->kind == Term::Kind::length && !list && !term->model) {
        fail(*term, "len() of items or ready_list");
      }
    }
  }

  void check_word(Term& term) {
    std::vector<std::string_view> words = call_names();
    words.push_back("none");
    for (const Word& state : tcp_states()) {
      words.push_back(state.name);
    }
    if (std::find(words.begin(), words.end(), term.word) == words.end()) {
      fail(term, "a state such as ESTABLISHED, a number, or NAME.field" + did_you_mean(term.word, words));
    }
    term.kind = Term::Kind::word;
  }

  [[noreturn]] void fail(const Term& term, std::string expected) {
    cursor_.source().fail(term.at, fmt::format("'{}'", term.text), std::move(expected));
  }

  Cursor& cursor_;
  size_t word_at_ = 0;
};

}  // namespace

Expectation parse_expectation(const Source& source, const Yaml& scalar) {
  Cursor cursor(source, scalar);
  return ExpectParser(cursor).expectation();
}

}  // namespace wakepath::scenario
