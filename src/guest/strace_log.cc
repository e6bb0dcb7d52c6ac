#include "src/guest/strace_log.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "src/guest/strace_line.hh"
#include "src/guest/strace_tasks.hh"

namespace wakepath::guest {

namespace {

constexpr int64_t kDayNs = 86'400'000'000'000;

/// A call that has been entered: its text, of one line or of two.
struct Open {
  std::size_t call = 0;
  std::string text;
  std::size_t line = 0, column = 0;            ///< of its first byte
  std::size_t split = std::string_view::npos;  ///< from there on it is of another line
  std::size_t second_line = 0, second_column = 0;
};

/// One file, line by line.
class FileReader {
 public:
  FileReader(StraceLog& log, std::size_t file, int thread)
      : log_(log), file_(file), thread_(thread), threads_(thread) {}

  void read(std::string_view text) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      std::string_view line = text.substr(begin, end - begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      ++line_;
      last_ = end == std::string_view::npos;
      const std::string joined = std::exchange(interrupted_, {}) + std::string(line);
      try {
        if (!interrupts(joined)) take(joined);
      } catch (const StraceMismatch& mismatch) {
        if (last_) return void(log_.last_line_cut = true);  // whoever wrote it was stopped there
        fail(mismatch, {.line = line_, .column = 1});
      }
      begin = end == std::string_view::npos ? text.size() : end + 1;
    }
    log_.lines += line_;
    log_.lost += open_.size();
  }
  /// The number of the thread whose lines say none, once it is known.
  int main_thread() const { return threads_.main(); }
  bool timed() const { return timed_; }

 private:
  [[noreturn]] void fail(const StraceMismatch& mismatch, const Open& in) const {
    const bool second = mismatch.at >= in.split;
    throw StraceProblem{log_.files[file_], second ? in.second_line : in.line,
                        second ? in.second_column + mismatch.at - in.split : in.column + mismatch.at, mismatch.found,
                        mismatch.expected};
  }

  /// Without -o, "strace: Process 5 attached" may stand in the middle of a line, which goes on in the next one.
  bool interrupts(std::string_view text) {
    constexpr std::string_view kSays = "strace: Process ";
    const std::size_t at = text.rfind(kSays);
    if (at == std::string_view::npos || at == 0 || !text.ends_with(" attached")) return false;
    const std::string_view number = text.substr(at + kSays.size(), text.size() - at - kSays.size() - 9);
    if (!std::all_of(number.begin(), number.end(), is_digit)) return false;
    interrupted_ = text.substr(0, at);
    return true;
  }

  void take(std::string_view text) {
    const StraceLine line = read_line(text);
    sync(line);
    if (line.kind == StraceLine::Kind::other) return;
    const int thread = threads_.of_line(line.thread);
    StraceThread& known = log_.threads[thread];
    if (!line.comm.empty()) known.name = line.comm;
    if (line.kind == StraceLine::Kind::ended) {
      log_.lost += open_.erase(thread);
      return threads_.ended(thread);
    }
    if (line.kind == StraceLine::Kind::resumed) return resume(thread, line, text);
    Open open{.call = log_.calls.size(), .line = line_, .column = line.body + 1};
    open.text = text.substr(line.body, line.end - line.body);
    StraceCall call{.thread = thread,
                    .name = std::string(line.name),
                    .begin_ns = now_,
                    .end_ns = now_,
                    .file = file_,
                    .line = line_};
    call.whole = line.kind == StraceLine::Kind::call;
    log_.lost += open_.erase(thread);  // what it was in has not been seen to return
    if (line.kind == StraceLine::Kind::unfinished) {
      log_.calls.push_back(std::move(call));
      log_.events.push_back({open.call, false});
      if (!line.lost) return void(open_[thread] = std::move(open));
      ++log_.lost;
      return;
    }
    finish(open, call);
    log_.calls.push_back(std::move(call));
    log_.events.push_back({open.call, false});
    log_.events.push_back({open.call, true});
  }

  void resume(int thread, const StraceLine& line, std::string_view text) {
    const auto found = open_.find(thread);
    if (found == open_.end()) return void(++log_.lost);
    Open open = std::move(found->second);
    open_.erase(found);
    StraceCall& call = log_.calls[open.call];
    if (call.name != line.name)
      throw StraceMismatch(line.body, "'" + std::string(line.name) + " resumed'", "'" + call.name + " resumed'");
    open.split = open.text.size();
    open.second_line = line_;
    open.second_column = line.body + 1;
    open.text += text.substr(line.body);
    call.end_ns = now_;
    finish(open, call);
    log_.events.push_back({open.call, true});
  }

  /// Arguments and result.
  void finish(Open& open, StraceCall& call) {
    try {
      std::size_t at = call.name.size() + 1;
      std::vector<StraceValue> arguments;
      if (has_meaning(call.name)) {
        arguments = read_arguments(open.text, at);
      } else {
        at = end_of_call(open.text);
        if (at == std::string_view::npos)
          throw StraceMismatch(open.text.size(), "the end of the line", ") = and the result of the call");
      }
      const StraceResult result = read_result(open.text, at);
      call.returned = result.value.has_value();
      call.result = result.value.value_or(0);
      if (result.duration_ns >= 0) call.end_ns = call.begin_ns + result.duration_ns;
      if (makes_task(call.name) && call.result > 0) {
        call.result = child_of(call, open.text);
        call.meaning.word = open.text.find("CLONE_THREAD") != std::string_view::npos ? "thread" : "process";
        threads_.began(static_cast<int>(call.result));
      }
      if (has_meaning(call.name)) call.meaning = meaning_of(call.name, arguments, result, open.text.size());
    } catch (const StraceMismatch& mismatch) {
      if (last_) throw;
      fail(mismatch, open);
    }
  }

  void sync(const StraceLine& line) {
    using Stamp = StraceLine::Stamp;
    int64_t now = line.time_ns;
    timed_ = timed_ || line.stamp == Stamp::epoch || line.stamp == Stamp::day;
    if (line.stamp == Stamp::none) now = now_ + 1000;
    if (line.stamp == Stamp::relative) now = now_ + std::min(line.time_ns, kDayNs);
    if (line.stamp == Stamp::day) {
      if (now + midnights_ + kDayNs / 2 < now_) midnights_ += kDayNs;
      now += midnights_;
    }
    now_ = std::max(now_, now);
  }

  StraceLog& log_;
  const std::size_t file_;
  const int thread_;
  LineThreads threads_;
  std::size_t line_ = 0;
  bool last_ = false;        // the line has no end
  std::string interrupted_;  // the line before, as far as it goes
  bool timed_ = false;
  int64_t now_ = 0;
  int64_t midnights_ = 0;
  std::map<int, Open> open_;
};

/// The number behind the last dot of a file of -ff; else one of those that no program has.
int number_in(const std::string& file, std::size_t place) {
  const std::string_view digits = std::string_view(file).substr(file.rfind('.') + 1);
  int number = 0;
  const auto [behind, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && behind == digits.data() + digits.size() && number > 0
             ? number
             : 10'000'000 + static_cast<int>(place);
}

/// Several files: their events in the order of time. A return that has no time came before the thread's next call.
void merge(StraceLog& log) {
  std::map<int, std::size_t> last;
  for (const StraceEvent& event : log.events) {
    if (event.returns) continue;
    const StraceCall& call = log.calls[event.call];
    if (const auto before = last.find(call.thread); before != last.end()) {
      StraceCall& earlier = log.calls[before->second];
      if (earlier.end_ns == earlier.begin_ns) earlier.end_ns = std::max(earlier.begin_ns, call.begin_ns - 1);
    }
    last[call.thread] = event.call;
  }
  const auto time = [&](const StraceEvent& event) {
    return event.returns ? log.calls[event.call].end_ns : log.calls[event.call].begin_ns;
  };
  std::stable_sort(log.events.begin(), log.events.end(),
                   [&](const StraceEvent& a, const StraceEvent& b) { return time(a) < time(b); });
  for (std::size_t i = 0; i < log.events.size(); ++i)
    if (!log.events[i].returns)
      log.calls[log.events[i].call].whole = i + 1 < log.events.size() && log.events[i + 1].call == log.events[i].call;
}

}  // namespace

std::string StraceProblem::text() const {
  const std::string place = line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
  return fmt::format("{}: found {}, expected {}", place, found, expected);
}

std::optional<StraceLog> read_strace_texts(const std::vector<std::pair<std::string, std::string>>& texts,
                                           StraceProblem& problem) {
  StraceLog log;
  for (const auto& [name, unused] : texts) log.files.push_back(name);
  log.timed = true;
  try {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::size_t first = log.calls.size();
      FileReader reader(log, i, texts.size() > 1 ? number_in(texts[i].first, i) : 0);
      reader.read(texts[i].second);
      log.timed = log.timed && reader.timed();
      const int main = reader.main_thread();
      for (std::size_t c = first; c < log.calls.size(); ++c)
        if (log.calls[c].thread == 0) log.calls[c].thread = main;
      if (auto unnamed = log.threads.extract(0); !unnamed.empty()) {
        unnamed.key() = main;
        log.threads.insert(std::move(unnamed));
      }
    }
  } catch (const StraceProblem& found) {
    problem = found;
    return std::nullopt;
  }
  if (texts.size() > 1 && !log.timed) {
    problem = {texts.front().first, 0, 0, "several files without times", "those of strace -ff -ttt, or a single file"};
    return std::nullopt;
  }
  if (log.calls.empty()) {
    problem = {texts.empty() ? "" : texts.front().first, 0, 0, "no call",
               "what strace -f -ttt -yy -o FILE has written"};
    return std::nullopt;
  }
  if (texts.size() > 1) merge(log);
  find_processes(log);
  return log;
}

std::optional<StraceLog> read_strace(const std::vector<std::filesystem::path>& files, StraceProblem& problem) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& path : files) {
    std::error_code none;
    std::ifstream in(path, std::ios::binary);
    std::string text;
    if (in && !std::filesystem::is_directory(path, none)) text.assign(std::istreambuf_iterator<char>(in), {});
    if (!in || std::filesystem::is_directory(path, none)) {
      problem = {path.string(), 0, 0, "a file that cannot be read", "a log of strace"};
      return std::nullopt;
    }
    texts.emplace_back(path.string(), std::move(text));
  }
  return read_strace_texts(texts, problem);
}

}  // namespace wakepath::guest
