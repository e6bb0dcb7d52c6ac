#include "src/scenario/parser.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/kernel/kernel.hh"
#include "src/scenario/call_parser.hh"
#include "src/scenario/names.hh"
#include "src/scenario/picks.hh"
#include "src/scenario/step_parser.hh"
#include "src/scenario/sysctl_names.hh"
#include "src/scenario/yaml.hh"

namespace wakepath::scenario {
namespace {

constexpr long kVersion = 1;
constexpr size_t kMostBytes = 1 << 20;

/// False when the file is not there, or no text to be read: `problem` has what there is instead.
bool read_text(const std::string& path, std::string& text, std::string& problem) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    problem = "a folder";
    return false;
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    problem = "no file that can be read";
    return false;
  }
  text.assign(kMostBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kMostBytes) {
    problem = "more than 1 MiB";
    return false;
  }
  return true;
}

class Parser {
 public:
  explicit Parser(const Source& source) : s_(source), fields_(source) {}

  Scenario scenario() {
    const Yaml root = read_yaml(s_);
    if (root.kind != Yaml::Kind::mapping) {
      s_.fail(root.at, "no mapping", "a scenario that begins with 'wakepath: 1'");
    }
    out_.file = s_.file();
    version(root);
    fields_.only_keys(root, {"wakepath", "title", "about", "level", "lesson", "references", "actors", "kernel",
                             "profile", "only", "because", "needs", "services", "steps"});
    out_.title = fields_.text(fields_.required(root, "title"));
    if (const Yaml* about = root.find("about")) {
      out_.about = fields_.text(*about);
    }
    for_people(root);
    setting(root);
    machines(root);
    services(root);
    const Yaml& steps = fields_.required(root, "steps");
    if (steps.kind != Yaml::Kind::sequence || steps.items.empty()) {
      s_.fail(steps.at, steps.kind == Yaml::Kind::sequence ? "an empty list" : fields_.kind_of(steps),
              "a list of steps");
    }
    StepParser step_parser(s_, out_);
    for (const Yaml& step : steps.items) {
      out_.steps.push_back(step_parser.step(step));
    }
    check_names(out_, s_);
    name_what_to_pick(out_, s_);
    check_marks(out_, s_);
    return std::move(out_);
  }

 private:
  void version(const Yaml& root) {
    const Yaml* version = root.find("wakepath");
    if (version == nullptr) {
      s_.fail(root.at, fmt::format("no key 'wakepath'{}", hint(root)), "'wakepath: 1', the version of the format");
    }
    out_.version = fields_.integer(*version, 1, 0x7fffffff, "the version of the format, 1");
    if (out_.version > kVersion) {
      s_.fail(version->at, fmt::format("version {} of the format", out_.version),
              fmt::format("a version up to {}", kVersion));
    }
  }

  static std::string hint(const Yaml& root) {
    return root.keys.empty() ? "" : fmt::format(" (the first is '{}')", root.keys.front().text);
  }

  void for_people(const Yaml& root) {
    if (const Yaml* level = root.find("level")) {
      out_.level = fields_.one_of(*level, {"intro", "core", "deep"});
    }
    if (const Yaml* lesson = root.find("lesson")) {
      fields_.mapping(*lesson, "a mapping {number: N, order: N}");
      fields_.only_keys(*lesson, {"number", "order"});
      out_.lesson = {fields_.integer(fields_.required(*lesson, "number"), 0, 999, "the number of a lesson"),
                     fields_.integer(fields_.required(*lesson, "order"), 0, 999, "a place within the lesson")};
    }
    if (const Yaml* references = root.find("references")) {
      out_.references = fields_.strings(*references, "a list of addresses");
    }
  }

  void setting(const Yaml& root) {
    if (const Yaml* actors = root.find("actors")) {
      fields_.mapping(*actors, "a mapping from actors to their processes");
      for (size_t i = 0; i < actors->keys.size(); ++i) {
        check_actor_name(s_, actors->keys[i].at, actors->keys[i].text);
        fields_.mapping(actors->items[i], "a mapping {process: NAME}");
        fields_.only_keys(actors->items[i], {"process"});
        const Yaml& process = fields_.required(actors->items[i], "process");
        check_actor_name(s_, process.at, fields_.word(process, "the name of a process"));
        out_.actors[actors->keys[i].text] = process.text;
      }
    }
    if (const Yaml* kernel = root.find("kernel")) {
      fields_.mapping(*kernel, "a mapping from sysctls to values");
      for (size_t i = 0; i < kernel->keys.size(); ++i) {
        kernel_setting(kernel->keys[i], kernel->items[i]);
      }
    }
    if (const Yaml* profile = root.find("profile")) {
      out_.profile = fields_.one_of(*profile, {"6.18", "4.19"});
    }
  }

  void kernel_setting(const Yaml& key, const Yaml& value) {
    if (key.text == "device") {
      out_.device_nic = fields_.one_of(value, {"nic"}) == "nic";
      return;
    }
    if (key.text == "cpus") {
      out_.cpus = fields_.integer(value, 1, 64, "a number of CPUs, from 1 to 64");
      return;
    }
    const bool plain = key.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == std::string::npos;
    if (!plain || !(key.text.starts_with("net.") || key.text.starts_with("fs.")) ||
        key.text.find("..") != std::string::npos || key.text.back() == '.') {
      s_.fail(key.at, fmt::format("'{}'", key.text),
              "the name of a sysctl such as net.core.somaxconn" + did_you_mean(key.text, {"device", "cpus"}));
    }
    if (!is_sysctl(key.text)) {
      s_.fail(key.at, fmt::format("'{}'", key.text),
              "a sysctl that Linux has" + did_you_mean(key.text, sysctl_names()));
    }
    out_.kernel[key.text] = fields_.word(value, "the value of a sysctl");
    try {
      kernel::Config scratch;
      kernel::set_sysctl(scratch, key.text, value.text);
    } catch (const std::invalid_argument&) {
      s_.fail(value.at, fmt::format("'{}'", value.text), "what that sysctl holds: a number, or several in quotes");
    }
  }

  void machines(const Yaml& root) {
    if (const Yaml* only = root.find("only")) {
      out_.only = fields_.one_of(*only, {"model", "kernel"});
      out_.because = fields_.text(fields_.required(root, "because"));
    } else if (const Yaml* because = root.find("because")) {
      s_.fail(because->at, "'because' without 'only'", "'only: model' or 'only: kernel' beside it");
    }
    if (const Yaml* needs = root.find("needs")) {
      out_.needs = fields_.strings(*needs, "a list such as [ipv6, netns]");
      for (size_t i = 0; i < out_.needs.size(); ++i)
        if (const std::string& need = out_.needs[i]; need != "ipv6" && need != "netns")
          s_.fail(needs->items.empty() ? needs->at : needs->items.at(i).at, fmt::format("'{}'", need),
                  "ipv6 or netns" + did_you_mean(need, {"ipv6", "netns"}));
    }
  }

  void services(const Yaml& root) {
    const Yaml* services = root.find("services");
    if (services == nullptr) {
      return;
    }
    fields_.mapping(*services, "a mapping from names to services");
    for (size_t i = 0; i < services->keys.size(); ++i) {
      check_actor_name(s_, services->keys[i].at, services->keys[i].text);
      if (services->keys[i].text.find('-') != std::string::npos) {
        s_.fail(services->keys[i].at, fmt::format("'{}'", services->keys[i].text),
                "a name without '-', so that it can stand in addr(NAME)");
      }
      Service& service = out_.services[services->keys[i].text];
      service = this->service(services->items[i]);
      service.at = services->keys[i].at;
    }
  }

  Service service(const Yaml& item) {
    fields_.mapping(item, "a mapping {type: echo, listen: 127.0.0.1:0}");
    fields_.only_keys(item, {"type", "listen"});
    Service service;
    const Yaml& type = fields_.required(item, "type");
    service.type = fields_.word(type, "a type of service");
    if (service.type.ends_with(".lua")) {
      const std::string path = (std::filesystem::path(s_.file()).parent_path() / service.type).string();
      std::string problem;
      if (!read_text(path, service.script, problem)) {
        s_.fail(type.at, fmt::format("{} at {}", problem, path), "a file of Lua, seen from the folder of this file");
      }
    } else if (service.type != "echo" && service.type != "gate") {
      s_.fail(type.at, fmt::format("'{}'", service.type),
              "echo, gate or a .lua file" + did_you_mean(service.type, {"echo", "gate"}));
    }
    const Yaml& listen = fields_.required(item, "listen");
    fields_.word(listen, "an address such as 127.0.0.1:0");
    service.listen_at = listen.at;
    service.listen = parse_listen_address(s_, listen);
    if (service.listen.family == Address::Family::unix_abstract) {
      s_.fail(listen.at, fmt::format("'{}'", listen.text), "an address of IPv4 or IPv6 such as 127.0.0.1:0");
    }
    return service;
  }

  const Source& s_;
  Fields fields_;
  Scenario out_;
};

}  // namespace

std::variant<Scenario, Problem> parse(const std::string& file, const std::string& text) {
  const Source source(file, text);
  try {
    return Parser(source).scenario();
  } catch (const ParseFailure& failure) {
    return failure.problem;
  }
}

std::variant<Scenario, Problem> parse_file(const std::string& path) {
  std::string text, problem;
  if (!read_text(path, text, problem)) {
    return Problem{path, {}, problem, "a scenario file", false};
  }
  return parse(path, text);
}

}  // namespace wakepath::scenario
