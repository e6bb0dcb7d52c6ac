#include "src/cli/serve_config.hh"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "src/scenario/yaml.hh"

namespace wakepath::cli {

namespace {

using scenario::Source;
using scenario::Yaml;

const std::string& text_of(const Source& source, const Yaml& value) {
  if (value.kind != Yaml::Kind::scalar) source.fail(value.at, "a list or a table", "one value");
  return value.text;
}

size_t number_of(const Source& source, const Yaml& value, size_t least, size_t most) {
  const std::string& text = text_of(source, value);
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most)
    source.fail(value.at, "\"" + text + "\"", "a number from " + std::to_string(least) + " to " + std::to_string(most));
  return number;
}

/// The keys and values of a mapping, one after the other.
template <class See>
void each_entry(const Source& source, const Yaml& value, const std::string& what, See see) {
  if (value.kind != Yaml::Kind::mapping) source.fail(value.at, "something else", what);
  for (size_t i = 0; i < value.keys.size(); ++i) see(value.keys[i], value.items[i]);
}

ServiceChoice service_of(const Source& source, const Yaml& value) {
  ServiceChoice choice;
  each_entry(source, value, "a service: {use: echo, port: 7000}", [&](const Yaml& key, const Yaml& entry) {
    if (key.text == "use") {
      choice.use = text_of(source, entry);
      if (!is_service(choice.use))
        source.fail(entry.at, "\"" + choice.use + "\"", "echo, gate, chat, http, console or a file that ends in .lua");
      if (choice.use.ends_with(".lua"))
        choice.use = (std::filesystem::path(source.file()).parent_path() / choice.use).string();
    } else if (key.text == "name") {
      choice.name = text_of(source, entry);
    } else if (key.text == "port") {
      choice.port = static_cast<uint16_t>(number_of(source, entry, 0, 65'535));
    } else if (key.text == "max_clients") {
      choice.max_clients = number_of(source, entry, 1, 1'000'000);
    } else {
      source.fail(key.at, "\"" + key.text + "\"", "use, name, port or max_clients");
    }
  });
  return choice;
}

ServeConfig config_of(const Source& source) {
  ServeConfig config;
  const Yaml yaml = scenario::read_yaml(source);
  each_entry(source, yaml, "services: and, perhaps, threads:", [&](const Yaml& key, const Yaml& value) {
    if (key.text == "threads") {
      config.threads = static_cast<int>(number_of(source, value, 1, 256));
    } else if (key.text == "services") {
      if (value.kind != Yaml::Kind::sequence) source.fail(value.at, "something else", "a list of services");
      for (const Yaml& item : value.items) config.services.push_back(service_of(source, item));
    } else {
      source.fail(key.at, "\"" + key.text + "\"", "services or threads");
    }
  });
  if (config.services.empty()) source.fail(yaml.at, "no service", "services: with at least one");
  return config;
}

}  // namespace

std::optional<ServeConfig> read_serve_config(const std::string& file, std::string& problem) {
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in) {
    problem = file + ": cannot be read, expected a configuration (see wakepath serve --help)";
    return {};
  }
  try {
    return config_of(Source(file, text));
  } catch (const scenario::ParseFailure& failure) {
    problem = failure.problem.text();
    return {};
  }
}

}  // namespace wakepath::cli
