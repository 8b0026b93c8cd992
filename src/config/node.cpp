#include "config/node.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace weir::config {

std::string_view Node::kind_name() const {
  switch (kind_) {
    case Kind::null: return "nothing";
    case Kind::scalar: return "text";
    case Kind::sequence: return "a list";
    case Kind::mapping: return "a mapping";
  }
  return "nothing";
}

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries_) {
    if (entry.first.text() == key) return &entry.second;
  }
  return nullptr;
}

/// Copies yaml-cpp's graph into a tree, counting, so that nested aliases cannot multiply without end.
class NodeBuilder {
 public:
  NodeBuilder(std::string file, Diagnostics& diagnostics, const YamlLimits& limits)
      : file_(std::move(file)), diagnostics_(diagnostics), limits_(limits) {}

  Node build(const YAML::Node& source, std::size_t depth = 0) {
    Node node;
    node.position_ = place(source.Mark());
    if (stopped_) return node;
    if (++count_ > limits_.nodes) return stop(node, "more than " + std::to_string(limits_.nodes) + " values");
    if (depth > limits_.depth)
      return stop(node,
                  "nested deeper than " + std::to_string(limits_.depth) + ", or an alias (*name) within what it names");
    if (source.IsScalar()) {
      node.kind_ = Node::Kind::scalar;
      node.text_ = source.Scalar();
      node.quoted_ = source.Tag() == "!";
      if (node.text_.find('\0') != std::string::npos) {
        diagnostics_.error(node.position_, "the text holds a NUL character, which nothing can take");
      }
    } else if (source.IsSequence()) {
      node.kind_ = Node::Kind::sequence;
      for (const YAML::Node& item : source) node.items_.push_back(build(item, depth + 1));
    } else if (source.IsMap()) {
      node.kind_ = Node::Kind::mapping;
      for (const auto& entry : source) add_entry(node, entry.first, entry.second, depth);
    }
    return node;
  }

  /// Nothing, at the file as a whole.
  Node nothing() const {
    Node node;
    node.position_ = {file_, 0, 0};
    return node;
  }

  Position place(const YAML::Mark& mark) const {
    if (mark.is_null()) return {file_, 0, 0};
    return {file_, mark.line + 1, mark.column + 1};
  }

 private:
  Node stop(Node& node, const std::string& what) {
    stopped_ = true;
    diagnostics_.error(node.position_, "the file is too large: " + what);
    return node;
  }

  void add_entry(Node& node, const YAML::Node& key, const YAML::Node& value, std::size_t depth) {
    if (stopped_) return;
    if (!key.IsScalar()) {
      diagnostics_.error(place(key.Mark()), "a key must be plain text");
      return;
    }
    Node built_key = build(key, depth + 1);
    if (node.find(built_key.text()) != nullptr) {
      diagnostics_.error(built_key.position(), "key \"" + built_key.text() + "\" is given twice");
      return;
    }
    Node built_value = build(value, depth + 1);
    // yaml-cpp gives an absent value no usable place; the key's is the next best.
    if (built_value.is_null()) built_value.position_ = built_key.position();
    node.entries_.emplace_back(std::move(built_key), std::move(built_value));
  }

  std::string file_;
  Diagnostics& diagnostics_;
  const YamlLimits& limits_;
  std::size_t count_ = 0;
  bool stopped_ = false;
};

namespace {

/// Sees a document go by without keeping any of it.
class Ignore final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

/// Two at the most. Loading all of them never ends for text that begins with a comma: the parser then gives one
/// empty document after the other.
int count_documents(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Ignore ignore;
  int documents = 0;
  while (documents < 2 && parser.HandleNextDocument(ignore)) ++documents;
  return documents;
}

/// How many bytes the character at the start takes; 0 where it is no UTF-8 (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xBF) {
    return byte(i) >= least && byte(i) <= most;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  // No form longer than need be, no surrogate, nothing past U+10FFFF.
  if (first >= 0xE0 && first <= 0xEF) {
    return follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    return follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// Notes the first byte that makes the file no text; yaml-cpp would put another character in its place.
bool is_text(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  // The one other encoding of YAML says so at its start.
  if (text.starts_with("\xFE\xFF") || text.starts_with("\xFF\xFE")) return true;
  int line = 1;
  int column = 1;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0 || text[at] == '\0') {
      diagnostics.error({file, line, column},
                        length == 0 ? "the file is not UTF-8 here" : "the file holds a NUL byte: it is no text");
      return false;
    }
    column = text[at] == '\n' ? 1 : column + 1;
    line += text[at] == '\n' ? 1 : 0;
    at += length;
  }
  return true;
}

/// `line` counts from 0.
bool indented_by_tab(std::string_view text, int line) {
  for (; line > 0 && !text.empty(); --line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  const std::string_view indentation = text.substr(0, text.find_first_not_of(" \t"));
  return indentation.find('\t') != std::string_view::npos;
}

/// What the shell or who started Weir gave it to read: standard input, `<(…)`.
bool is_own_stream(std::string_view file) {
  return file == "/dev/stdin" || file.starts_with("/dev/fd/") || file.starts_with("/proc/self/fd/");
}

std::string what_it_is(mode_t mode) {
  if (S_ISDIR(mode)) return "it is a directory, not a file";
  if (S_ISFIFO(mode)) return "it is a pipe, not a file";
  if (S_ISSOCK(mode)) return "it is a socket, not a file";
  return "it is a device, not a file";
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

}  // namespace

Node parse_yaml(const std::string& text, const std::string& file, Diagnostics& diagnostics, const YamlLimits& limits) {
  NodeBuilder builder(file, diagnostics, limits);
  if (text.size() > limits.bytes) {
    diagnostics.error({file, 0, 0}, "the file is larger than " + std::to_string(limits.bytes) + " bytes");
    return builder.nothing();
  }
  if (!is_text(text, file, diagnostics)) return builder.nothing();
  try {
    const int documents = count_documents(text);
    if (documents == 0) return builder.nothing();
    if (documents > 1)
      diagnostics.error({file, 0, 0}, "more than one YAML document in the file, or text that is not YAML at its start");
    return builder.build(YAML::Load(text));
  } catch (const YAML::DeepRecursion& error) {
    diagnostics.error(builder.place(error.mark), "YAML: nested too deeply");
  } catch (const YAML::Exception& error) {
    const bool tab = !error.mark.is_null() && indented_by_tab(text, error.mark.line);
    diagnostics.error(builder.place(error.mark),
                      "YAML: " + error.msg + (tab ? " (the line is indented by a tab; YAML wants spaces)" : ""));
  }
  return builder.nothing();
}

core::Result<std::string> read_file(const std::string& file, std::size_t most_bytes, Streams streams) {
  const auto failed = [](const std::string& why) {
    return core::fail(core::ErrorKind::not_found, "cannot be read: " + why);
  };
  const auto refused = [&] { return failed(std::generic_category().message(errno)); };
  const bool own = streams == Streams::own && is_own_stream(file);
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return refused();
  if (!own && !S_ISREG(status.st_mode)) return failed(what_it_is(status.st_mode));
  // Should a pipe have come to be there meanwhile, nobody waits for its other end.
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | (own ? 0 : O_NONBLOCK)));
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) return refused();
  if (S_ISDIR(status.st_mode) || (!own && !S_ISREG(status.st_mode))) return failed(what_it_is(status.st_mode));
  std::string text;
  std::array<char, 1U << 16U> block{};
  while (text.size() <= most_bytes) {
    const ssize_t got = ::read(descriptor.get(), block.data(), std::min(block.size(), most_bytes + 1 - text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused();
    if (got == 0) break;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

core::Result<std::string> read_first_line(const std::string& file) {
  constexpr std::size_t kMostBytes = 1U << 20U;
  auto text = read_file(file, kMostBytes);
  if (!text) return text;
  text->resize(std::min(text->find('\n'), text->size()));
  if (text->ends_with('\r')) text->pop_back();
  if (text->size() > kMostBytes) return core::fail(core::ErrorKind::limit, "has a line of more than 1 MiB");
  return text;
}

Node load_yaml(const std::string& file, Diagnostics& diagnostics, Streams streams, const YamlLimits& limits) {
  const auto text = read_file(file, limits.bytes, streams);
  if (text) return parse_yaml(*text, file, diagnostics, limits);
  diagnostics.error({file, 0, 0}, text.error().message);
  return NodeBuilder(file, diagnostics, limits).nothing();
}

std::string placed(const std::string& path, const Node& node) {
  if (path.empty() || std::filesystem::path(path).is_absolute()) return path;
  return (std::filesystem::path(node.position().file).parent_path() / path).string();
}

}  // namespace weir::config
