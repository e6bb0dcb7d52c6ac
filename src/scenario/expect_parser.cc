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
    check_value(out.left, out.right);
    check_value(out.right, out.left);
    for (Term* term : {&out.left, &out.right}) {
      const bool list = !term->fields.empty() && (term->fields[0] == "items" || term->fields[0] == "ready_list");
      if (term->kind == Term::Kind::path && list && !term->model) {
        fail(*term, fmt::format("a number: len({})", term->text));
      }
      if (term->kind == Term::Kind::length && !list && !term->model) {
        fail(*term, "len() of items or ready_list");
      }
    }
  }

  /// A word or a number must be one that the field beside it can be.
  void check_value(Term& value, const Term& beside) {
    const bool word = value.kind == Term::Kind::path && value.fields.empty();
    if (!word && value.kind != Term::Kind::integer) {
      return;
    }
    std::vector<std::string_view> words;
    std::string expected = "a state such as ESTABLISHED, a number, or NAME.field";
    const bool is_field = beside.kind == Term::Kind::path && !beside.fields.empty() && !beside.model;
    const bool state = is_field && beside.fields[0] == "state";
    const bool blocked_in = is_field && beside.fields[0] == "blocked_in";
    if (blocked_in) {
      words = call_names();
      words.push_back("none");
      expected = "a system call such as epoll_wait, or none";
    } else if (beside.kind == Term::Kind::length || (is_field && !state)) {
      expected = "a number, or NAME.field";
    } else {
      for (const Word& known : tcp_states()) {
        words.push_back(known.name);
      }
    }
    if (word ? std::find(words.begin(), words.end(), value.word) == words.end()
             : blocked_in || (state && !is_state(value.number))) {
      fail(value, expected + did_you_mean(value.text, words));
    }
    if (word) {
      value.kind = Term::Kind::word;
    }
  }

  static bool is_state(long number) {
    const auto& states = tcp_states();
    return std::any_of(states.begin(), states.end(), [&](const Word& state) { return state.value == number; });
  }

  [[noreturn]] void fail(const Term& term, std::string expected) {
    cursor_.source().fail(term.at, fmt::format("'{}'", term.text), std::move(expected));
  }

  Cursor& cursor_;
};

}  // namespace

Expectation parse_expectation(const Source& source, const Yaml& scalar) {
  Cursor cursor(source, scalar);
  return ExpectParser(cursor).expectation();
}

}  // namespace wakepath::scenario
