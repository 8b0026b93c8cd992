#include "lineage/pipeline.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <fnmatch.h>

#include "config/reader.h"

namespace weir::lineage {
namespace {

constexpr std::size_t kMostPipelines = 1'000;
constexpr std::size_t kMostPairs = 10'000;  // of one pipeline
constexpr std::array<std::string_view, 4> kCriticalities{"low", "medium", "high", "critical"};
constexpr std::string_view kGroup = "consumer group";

bool fits(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool has_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

bool is_kind(std::string_view word) {
  const auto letter = [](unsigned char c) { return std::isalpha(c) != 0 || c == '_' || c == ' ' || c == '-'; };
  return !word.empty() && std::ranges::all_of(word, letter);
}

std::string kind_of(std::string_view word) {
  if (word == "group" || word == "consumergroup" || word == "consumer_group") return std::string(kGroup);
  return std::string(word);
}

/// Where the place of "place/name" ends: of a URL behind its host.
std::size_t place_end(std::string_view text) {
  const std::size_t scheme = text.find("://");
  return text.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
}

bool same(const NodePattern& a, const NodePattern& b) { return a.node == b.node; }

/// Reads one entry of `pipelines:`.
class PipelineReader {
 public:
  PipelineReader(const config::Node& node, config::Diagnostics& diagnostics)
      : reader_(node, diagnostics, name_of(node)), diagnostics_(diagnostics) {}

  Pipeline read() {
    pipeline_.name = reader_.required_text("name");
    pipeline_.owner = reader_.text("owner");
    if (reader_.has("criticality"))
      pipeline_.criticality = reader_.choice("criticality", "", {"critical", "high", "medium", "low"});
    pipeline_.description = reader_.text("description");
    read_sla();
    read_flow();
    for (const config::Node* edge : reader_.list("edges")) read_edge(*edge);
    for (const config::Node* node : reader_.list("nodes")) (void)take(*node);
    const bool any = reader_.has("flow") || reader_.has("edges") || reader_.has("nodes");
    if (any && reader_.list("flow").empty() && reader_.list("edges").empty() && reader_.list("nodes").empty())
      reader_.error(reader_.has("flow") ? "flow" : reader_.has("edges") ? "edges" : "nodes", "names nothing");
    if (!any) reader_.missing({"flow", "edges", "nodes"}, "say what is in it: flow, edges or nodes");
    reader_.finish();
    return std::move(pipeline_);
  }

 private:
  static std::string name_of(const config::Node& node) {
    const config::Node* name = node.find("name");
    return name != nullptr && name->is_scalar() ? fmt::format("pipeline \"{}\"", name->text()) : "pipeline";
  }

  void read_sla() {
    const config::Node* node = reader_.child("sla");
    if (node == nullptr) return;
    config::MapReader sla(*node, diagnostics_, reader_.what() + ", sla");
    const auto span = [&](std::string_view key) -> std::optional<core::Duration> {
      if (!sla.has(key)) return std::nullopt;
      const core::Duration given = sla.duration(key, std::chrono::hours(1));
      if (given <= core::Duration::zero()) sla.error(key, "must be longer than nothing");
      return given;
    };
    pipeline_.sla.freshness = span("freshness");
    pipeline_.sla.latency = span("latency");
    sla.finish();
  }

  std::optional<NodePattern> take(const config::Node& node) {
    if (!node.is_scalar()) {
      reader_.error(node, fmt::format("a node is written kind:place/name, found {}", node.kind_name()));
      return std::nullopt;
    }
    auto parsed = parse_node(node.text());
    if (!parsed) {
      reader_.error(node, parsed.error().message);
      return std::nullopt;
    }
    const bool known = std::ranges::any_of(pipeline_.nodes, [&](const NodePattern& n) { return same(n, *parsed); });
    if (!known) pipeline_.nodes.push_back(*parsed);
    return *parsed;
  }

  std::vector<NodePattern> take_step(const config::Node& step) {
    std::vector<NodePattern> nodes;
    if (!step.is_sequence()) {
      if (auto node = take(step)) nodes.push_back(std::move(*node));
      return nodes;
    }
    for (const config::Node& item : step.items()) {
      if (auto node = take(item)) nodes.push_back(std::move(*node));
    }
    return nodes;
  }

  void read_flow() {
    std::vector<NodePattern> before;
    for (const config::Node* step : reader_.list("flow")) {
      std::vector<NodePattern> nodes = take_step(*step);
      for (const NodePattern& from : before) {
        for (const NodePattern& to : nodes) connect(from, to, *step);
      }
      before = std::move(nodes);
    }
  }

  void read_edge(const config::Node& node) {
    config::MapReader edge(node, diagnostics_, reader_.what() + ", edge");
    const config::Node* from = edge.child("from");
    const config::Node* to = edge.child("to");
    if (from == nullptr) edge.missing("from");
    if (to == nullptr) edge.missing("to");
    edge.finish();
    if (from == nullptr || to == nullptr) return;
    const auto start = take(*from);
    const auto end = take(*to);
    if (start && end) connect(*start, *end, node);
  }

  void connect(const NodePattern& from, const NodePattern& to, const config::Node& where) {
    const bool known = std::ranges::any_of(
        pipeline_.edges, [&](const auto& edge) { return same(edge.first, from) && same(edge.second, to); });
    if (pipeline_.edges.size() + pipeline_.repeated.size() >= kMostPairs) {
      if (!std::exchange(full_, true)) reader_.error(where, fmt::format("more than {} edges", kMostPairs));
      return;
    }
    (known ? pipeline_.repeated : pipeline_.edges).emplace_back(from, to);
  }

  config::MapReader reader_;
  config::Diagnostics& diagnostics_;
  Pipeline pipeline_;
  bool full_ = false;
};

}  // namespace

bool NodePattern::matches(const core::Node& other) const {
  if (!glob) return other == node;
  return other.kind == node.kind && fits(node.place, other.place) && fits(node.name, other.name);
}

core::Result<NodePattern> parse_node(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_kind(text.substr(0, colon)) || colon + 1 == text.size()) {
    return core::fail(core::ErrorKind::invalid,
                      fmt::format("\"{}\" is no node: write kind:place/name, as topic:prod/orders", text));
  }
  const std::string_view rest = text.substr(colon + 1);
  const std::size_t slash = place_end(rest);
  const bool placed = slash != std::string_view::npos;
  NodePattern pattern;
  pattern.text = text;
  pattern.node.kind = kind_of(text.substr(0, colon));
  pattern.node.place = placed ? rest.substr(0, slash) : std::string_view();
  pattern.node.name = placed ? rest.substr(slash + 1) : rest;
  if (pattern.node.name.empty() || (placed && pattern.node.place.empty())) {
    return core::fail(core::ErrorKind::invalid,
                      fmt::format("\"{}\" is no node: its {} is empty", text, placed ? "place or name" : "name"));
  }
  pattern.glob = has_glob(pattern.node.place) || has_glob(pattern.node.name);
  return pattern;
}

std::string to_text(const core::Node& node) {
  const std::string_view kind = node.kind == kGroup ? std::string_view("group") : std::string_view(node.kind);
  return node.place.empty() ? fmt::format("{}:{}", kind, node.name)
                            : fmt::format("{}:{}/{}", kind, node.place, node.name);
}

std::string describe(const core::Node& node) {
  return node.place.empty() ? fmt::format("{} {}", node.kind, node.name)
                            : fmt::format("{} {} in {}", node.kind, node.name, node.place);
}

int criticality_rank(std::string_view criticality) {
  const auto* found = std::ranges::find(kCriticalities, criticality);
  return found == kCriticalities.end() ? 1 : static_cast<int>(found - kCriticalities.begin());
}

std::vector<Pipeline> parse_pipelines(const config::Node& section, config::Diagnostics& diagnostics) {
  std::vector<Pipeline> pipelines;
  if (section.is_null()) return pipelines;
  if (!section.is_sequence()) {
    diagnostics.error(section.position(),
                      fmt::format("pipelines: expected a list (begin each entry with \"- name: …\"), "
                                  "found {}",
                                  section.kind_name()));
    return pipelines;
  }
  if (section.items().size() > kMostPipelines) {
    diagnostics.error(section.position(), fmt::format("pipelines: more than {}", kMostPipelines));
    return pipelines;
  }
  for (const config::Node& item : section.items()) {
    Pipeline pipeline = PipelineReader(item, diagnostics).read();
    if (!pipeline.name.empty() && std::ranges::find(pipelines, pipeline.name, &Pipeline::name) != pipelines.end())
      diagnostics.error(item.position(), fmt::format("pipelines: the name \"{}\" is given twice", pipeline.name));
    pipelines.push_back(std::move(pipeline));
  }
  return pipelines;
}

GraphLimits parse_lineage_section(const config::Node& section, config::Diagnostics& diagnostics) {
  config::MapReader reader(section, diagnostics, "lineage");
  GraphLimits limits;
  limits.nodes = static_cast<std::size_t>(reader.integer("max_nodes", 20'000, 10, 1'000'000));
  limits.edges = static_cast<std::size_t>(reader.integer("max_edges", 100'000, 10, 5'000'000));
  limits.expire = reader.duration("expire", limits.expire);
  if (limits.expire < std::chrono::minutes(1)) reader.error("expire", "must be at least 1m");
  reader.finish();
  return limits;
}

}  // namespace weir::lineage
