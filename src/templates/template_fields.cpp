#include "templates/template_fields.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "config/diagnostics.h"

#include "templates/template_functions.h"

namespace weir::templates {
namespace {

constexpr std::size_t kMostSteps = 20'000;
constexpr std::size_t kMostCalls = 20;  // of templates within templates

/// Nothing is known of a value that is none.
using Known = std::optional<TemplateValue>;

class FieldWalker {
 public:
  FieldWalker(const Template::Tree& tree, const TemplateValue& sample) : tree_(tree), variables_{{"$", sample}} {
    if (std::holds_alternative<TemplateRoot>(sample)) {
      for (const auto& [field, value] : of_rule()) variables_.emplace_back(variable_of(field), value);
    }
    walk(tree.block, sample);
  }

  std::optional<UnknownField> found;

 private:
  using Variable = std::pair<std::string, Known>;
  using Fields = std::map<std::string, TemplateValue, std::less<>>;

  static const Fields& of_rule() {
    static const Fields kFields{
        {"Labels", core::Labels()}, {"Value", 0.0}, {"ExternalLabels", core::Labels()}, {"ExternalURL", std::string()}};
    return kFields;
  }

  /// "$externalLabels" of ExternalLabels.
  static std::string variable_of(std::string field) {
    field[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(field[0])));
    return "$" + field;
  }

  void walk(const TemplateBlock& block, const Known& dot) {
    for (const TemplateStatement& statement : block) {
      if (found || ++steps_ > kMostSteps) return;
      walk(statement, dot);
    }
  }

  void walk(const TemplateStatement& statement, const Known& dot) {
    using Kind = TemplateStatement::Kind;
    if (statement.kind == Kind::text || statement.kind == Kind::next || statement.kind == Kind::leave) return;
    if (statement.kind == Kind::call) return call(statement, dot);
    if (statement.kind == Kind::action) return (void)value_of(statement.pipeline, dot);
    const std::size_t visible = variables_.size();
    const Known value = value_of(statement.pipeline, dot);
    if (statement.kind == Kind::range) {
      walk_range(statement, value);
    } else {
      walk(statement.body, statement.kind == Kind::with ? value : dot);
    }
    walk(statement.otherwise, dot);
    variables_.resize(visible);
  }

  void walk_range(const TemplateStatement& statement, const Known& list) {
    const auto items =
        list ? template_items(*list, kMostSteps) : core::Result<std::vector<std::pair<TemplateValue, TemplateValue>>>();
    const bool any = list && items && !items->empty();
    const Known key = any ? Known(items->front().first) : std::nullopt;
    const Known item = any ? Known(items->front().second) : std::nullopt;
    const TemplatePipeline& names = statement.pipeline;
    if (!names.second.empty()) {
      set(names.variable, key);
      set(names.second, item);
    } else if (!names.variable.empty()) {
      set(names.variable, item);
    }
    walk(statement.body, item);
  }

  void call(const TemplateStatement& statement, const Known& dot) {
    const TemplateBlock* block = nullptr;
    for (const TemplateDefinitions* all : {&tree_.defined, tree_.library.get()}) {
      if (all == nullptr || block != nullptr) continue;
      if (const auto known = all->find(statement.text); known != all->end()) block = &known->second;
    }
    const Known given = statement.pipeline.commands.empty() ? std::nullopt : value_of(statement.pipeline, dot);
    if (block == nullptr || calls_ == kMostCalls) return;
    std::vector<Variable> outside = std::exchange(variables_, {{"$", given}});
    ++calls_;
    walk(*block, given);
    --calls_;
    variables_ = std::move(outside);
    if (found && named_.insert(statement.text).second)
      found->message = fmt::format("template \"{}\": {}", statement.text, found->message);
  }

  Known value_of(const TemplatePipeline& pipeline, const Known& dot) {
    Known value;
    bool piped = false;
    for (const TemplateCommand& command : pipeline.commands) value = value_of(command, dot, std::exchange(piped, true));
    for (const std::string* name : {&pipeline.variable, &pipeline.second}) {
      if (name->empty()) continue;
      if (pipeline.declares) {
        variables_.emplace_back(*name, value);
      } else {
        set(*name, std::nullopt);  // what it is then depends on the branches
      }
    }
    return value;
  }

  Known value_of(const TemplateCommand& command, const Known& dot, bool piped) {
    const TemplateOperand& head = command.front();
    for (std::size_t i = 1; i < command.size(); ++i) (void)value_of(command[i], dot);
    if (head.kind == TemplateOperand::Kind::function) return std::nullopt;
    if (command.size() == 1 && !piped) return value_of(head, dot);
    TemplateOperand receiver = head;  // of a method, the last of the fields, whose arguments are not known
    if (!receiver.fields.empty()) receiver.fields.pop_back();
    (void)value_of(receiver, dot);
    return std::nullopt;
  }

  Known value_of(const TemplateOperand& operand, const Known& dot) {
    Known value;
    switch (operand.kind) {
      case TemplateOperand::Kind::literal: value = operand.literal; break;
      case TemplateOperand::Kind::dot: value = dot; break;
      case TemplateOperand::Kind::variable: value = variable(operand.name); break;
      case TemplateOperand::Kind::pipeline: value = value_of(*operand.pipeline, dot); break;
      case TemplateOperand::Kind::function: break;
    }
    for (const std::string& field : operand.fields) {
      if (!value) return std::nullopt;
      value = field_of(*value, field);
    }
    return value;
  }

  Known field_of(const TemplateValue& value, const std::string& field) {
    if (std::holds_alternative<core::Labels>(value)) return std::string();
    const auto* object = std::get_if<TemplateObject>(&value);
    const Fields* fields = object != nullptr                             ? &(*object)->fields
                           : std::holds_alternative<TemplateRoot>(value) ? &of_rule()
                                                                         : nullptr;
    if (fields != nullptr) {
      if (const auto has = fields->find(field); has != fields->end()) return has->second;
    }
    auto result = call_template_method(value, field, {});
    if (result) return std::move(*result);
    if (found || !result.error().message.starts_with("can't evaluate field")) return std::nullopt;
    std::vector<std::string> names;
    if (fields != nullptr) {
      for (const auto& [name, each] : *fields) names.push_back(name);
    }
    found = UnknownField{field, result.error().message + config::did_you_mean(field, names)};
    return std::nullopt;
  }

  Known variable(std::string_view name) const {
    const auto known = std::ranges::find(variables_.rbegin(), variables_.rend(), name, &Variable::first);
    return known == variables_.rend() ? std::nullopt : known->second;
  }

  void set(const std::string& name, const Known& value) {
    const auto known = std::ranges::find(variables_.rbegin(), variables_.rend(), name, &Variable::first);
    if (known != variables_.rend()) known->second = value;
  }

  const Template::Tree& tree_;
  std::vector<Variable> variables_;  // inner blocks' are at the end
  std::set<std::string> named_;      // templates that the message tells of
  std::size_t steps_ = 0;
  std::size_t calls_ = 0;
};

}  // namespace

std::optional<UnknownField> unknown_field(const Template::Tree& tree, const TemplateValue& sample) {
  return FieldWalker(tree, sample).found;
}

}  // namespace weir::templates
