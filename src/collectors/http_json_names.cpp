#include "collectors/http_json_names.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <set>

namespace weir::collectors {
namespace {

using config::Node;

using NameSet = std::set<std::string, std::less<>>;

bool is_word(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::ranges::all_of(name, fits);
}

/// Those of a template, which see.
bool is_moment(std::string_view name) { return name == "now" || name == "unix" || name == "unix_ms"; }

void add_keys(const Node& request, std::string_view key, NameSet& names) {
  const Node* section = request.find(key);
  if (section == nullptr) return;
  for (const auto& [name, value] : section->entries()) names.insert(name.text());
}

/// What a list or a single one stands for, as the reader takes it.
std::vector<const Node*> items_of(const Node& node, std::string_view key) {
  std::vector<const Node*> items;
  const Node* found = node.find(key);
  if (found == nullptr || found->is_null()) return items;
  if (!found->is_sequence()) return {found};
  for (const Node& item : found->items()) items.push_back(&item);
  return items;
}

class NameChecker {
 public:
  NameChecker(std::string what, config::Diagnostics& diagnostics) : what_(std::move(what)), diagnostics_(diagnostics) {}

  void remember(const std::vector<JsonRequest>& requests) {
    for (const JsonRequest& request : requests) {
      if (!request.remember.name.empty()) remembered_.insert(request.remember.name);
      remember(request.each);
    }
  }

  void check_request(const Node& request, NameSet names) {
    check_text(request.find("path"), names);
    add_keys(request, "labels", names);
    add_keys(request, "let", names);
    if (const Node* split = request.find("split"); split != nullptr && split->find("name") != nullptr)
      names.insert(split->find("name")->text());
    if (request.find("runs") != nullptr) names.insert({"system", "pipeline", "run_state"});
    check_values(request.find("labels"), names);
    check_values(request.find("let"), names);
    check_where(request, names);
    for (const Node* metric : items_of(request, "metrics")) {
      check_text(metric->find("value"), names);
      check_values(metric->find("labels"), names);
      check_where(*metric, names);
    }
    for (const Node* event : items_of(request, "events")) {
      check_texts(*event, {"value", "message"}, names);
      check_where(*event, names);
    }
    for (const Node* edge : items_of(request, "edges")) {
      for (const std::string_view end : {"from", "to"}) {
        if (const Node* node = edge->find(end)) check_texts(*node, {"kind", "place", "name"}, names);
      }
      check_where(*edge, names);
    }
    if (const Node* runs = request.find("runs")) {
      check_texts(*runs, {"message", "queued", "started", "ended", "id"}, names);
      for (const std::string_view key : {"system", "pipeline", "state"}) check_value(runs->find(key), names);
    }
    for (const Node* each : items_of(request, "each")) check_request(*each, names);
  }

 private:
  void check_texts(const Node& node, std::initializer_list<std::string_view> keys, const NameSet& names) {
    for (const std::string_view key : keys) check_text(node.find(key), names);
  }

  void check_values(const Node* section, const NameSet& names) {
    if (section == nullptr) return;
    for (const auto& [name, value] : section->entries()) check_value(&value, names);
  }

  /// A text, or {value, or, replace, of, …}.
  void check_value(const Node* value, const NameSet& names) {
    if (value == nullptr) return;
    check_text(value, names);
    check_texts(*value, {"value", "or"}, names);
    if (const Node* replace = value->find("replace")) {
      for (const auto& [old, by] : replace->entries()) check_text(&by, names);
    }
    const Node* of = value->find("of");
    if (of == nullptr || !of->is_scalar() || remembered_.contains(of->text())) return;
    error(*of, fmt::format("no request has remember: {{name: {}}}", of->text()), of->text(), remembered_);
  }

  void check_where(const Node& node, const NameSet& names) {
    const Node* where = node.find("where");
    if (where == nullptr) return;
    for (const auto& [from, values] : where->entries()) check_text(&from, names);
  }

  void check_text(const Node* node, const NameSet& names) {
    if (node == nullptr || !node->is_scalar()) return;
    std::string_view text = node->text();
    while (true) {
      const std::size_t open = text.find('{');
      if (open == std::string_view::npos) return;
      text.remove_prefix(open + 1);
      const std::size_t close = text.find_first_of("{}");
      if (close == std::string_view::npos || text[close] == '{') continue;
      std::string_view alternatives = text.substr(0, close);
      while (!alternatives.empty()) {
        const std::string name(alternatives.substr(0, alternatives.find('|')));
        alternatives.remove_prefix(std::min(alternatives.size(), name.size() + 1));
        if (is_word(name) && !is_moment(name) && !names.contains(name))
          error(*node, fmt::format("nothing gives {{{}}}: no label, \"let\" or variable has this name", name), name,
                names);
      }
    }
  }

  void error(const Node& node, const std::string& message, const std::string& name, const NameSet& names) {
    const std::vector<std::string> known(names.begin(), names.end());
    diagnostics_.error(node.position(), what_ + ": " + message + config::did_you_mean(name, known));
  }

  const std::string what_;
  config::Diagnostics& diagnostics_;
  NameSet remembered_;
};

}  // namespace

void check_json_names(const Node& entry, const HttpJsonSettings& settings, config::Diagnostics& diagnostics) {
  NameChecker checker(fmt::format("http_json \"{}\"", settings.name), diagnostics);
  checker.remember(settings.requests);
  NameSet names;
  for (const auto& [name, value] : settings.variables) names.insert(name);
  for (const auto& [name, value] : settings.labels) names.insert(name);
  for (const Node* request : items_of(entry, "requests")) checker.check_request(*request, names);
}

}  // namespace weir::collectors
