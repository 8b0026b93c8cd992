#include "templates/template.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "config/diagnostics.h"

#include "templates/template_fields.h"
#include "templates/template_functions.h"
#include "templates/template_lexer.h"
#include "templates/template_parser.h"
#include "templates/template_tree.h"

namespace weir::templates {
namespace {

constexpr std::size_t kMaxSteps = 200'000;  // statements and turns of a range
constexpr std::size_t kMaxCalls = 64;       // of templates within templates
constexpr std::size_t kMaxQueries = 100;
constexpr std::size_t kMaxShared = 1000;  // definitions of a library

struct ExpandFailure {
  core::ErrorKind kind;
  std::string message;
};

class Expander {
 public:
  Expander(const Template::Tree& tree, const TemplateData& data, TemplateValue root = TemplateRoot{},
           TemplateOutput output = TemplateOutput::text)
      : tree_(tree), data_(data), root_(std::move(root)), output_(output) {
    variables_ = {{"$", root_},
                  {"$labels", data.labels},
                  {"$value", data.value},
                  {"$externalLabels", data.external_labels},
                  {"$externalURL", data.external_url}};
  }

  std::string run() {
    expand(tree_.block, root_);
    return std::move(out_);
  }

 private:
  using Variable = std::pair<std::string, TemplateValue>;
  enum class Flow { on, next, leave };

  void count_step() {
    if (++steps_ > kMaxSteps) {
      throw ExpandFailure{core::ErrorKind::limit, fmt::format("the text takes more than {} steps", kMaxSteps)};
    }
  }

  Flow expand(const TemplateBlock& block, const TemplateValue& dot) {
    for (const TemplateStatement& statement : block) {
      count_step();
      if (const Flow flow = expand(statement, dot); flow != Flow::on) return flow;
    }
    return Flow::on;
  }

  Flow expand(const TemplateStatement& statement, const TemplateValue& dot) {
    switch (statement.kind) {
      case TemplateStatement::Kind::text: append(statement.text); return Flow::on;
      case TemplateStatement::Kind::action: {
        const TemplateValue value = evaluate(statement.pipeline, dot);
        if (statement.pipeline.variable.empty()) append(shown(value));
        return Flow::on;
      }
      case TemplateStatement::Kind::call: call(statement, dot); return Flow::on;
      case TemplateStatement::Kind::next: return Flow::next;
      case TemplateStatement::Kind::leave: return Flow::leave;
      default: break;
    }
    const std::size_t visible = variables_.size();
    const TemplateValue value = evaluate(statement.pipeline, dot);
    Flow flow = Flow::on;
    if (statement.kind == TemplateStatement::Kind::range) {
      flow = loop(statement, value, dot);
    } else {
      const bool holds = template_truth(value);
      const bool rebinds = holds && statement.kind == TemplateStatement::Kind::with;
      flow = expand(holds ? statement.body : statement.otherwise, rebinds ? value : dot);
    }
    variables_.resize(visible);
    return flow;
  }

  Flow loop(const TemplateStatement& statement, const TemplateValue& value, const TemplateValue& dot) {
    auto items = template_items(value, kMaxSteps);
    if (!items) throw ExpandFailure{items.error().kind, std::move(items.error().message)};
    if (items->empty()) return expand(statement.otherwise, dot);
    const std::size_t inside = variables_.size();
    const TemplatePipeline& names = statement.pipeline;
    for (const auto& [key, item] : *items) {
      count_step();
      if (!names.second.empty()) {
        bind(names, names.variable, key, names.declares ? inside - 2 : inside);
        bind(names, names.second, item, names.declares ? inside - 1 : inside);
      } else if (!names.variable.empty()) {
        bind(names, names.variable, item, names.declares ? inside - 1 : inside);
      }
      const Flow flow = expand(statement.body, item);
      variables_.resize(inside);
      if (flow == Flow::leave) break;
    }
    return Flow::on;
  }

  /// Sets the variable of a range: one it declared by its place, else the innermost of that name.
  void bind(const TemplatePipeline& names, const std::string& name, const TemplateValue& value, std::size_t place) {
    (names.declares ? variables_[place].second : variable(name)) = value;
  }

  void call(const TemplateStatement& statement, const TemplateValue& dot) {
    const TemplateBlock* found = definition(statement.text);
    if (found == nullptr) {
      throw ExpandFailure{core::ErrorKind::invalid, fmt::format("template \"{}\" not defined", statement.text)};
    }
    if (calls_ >= kMaxCalls) {
      throw ExpandFailure{core::ErrorKind::limit, fmt::format("templates call each other deeper than {}", kMaxCalls)};
    }
    const TemplateValue given =
        statement.pipeline.commands.empty() ? TemplateValue(std::monostate{}) : evaluate(statement.pipeline, dot);
    std::vector<Variable> outside = std::exchange(variables_, {{"$", given}});
    ++calls_;
    expand(*found, given);
    --calls_;
    variables_ = std::move(outside);
  }

  const TemplateBlock* definition(const std::string& name) const {
    for (const TemplateDefinitions* all : {&tree_.defined, tree_.library.get()}) {
      if (all == nullptr) continue;
      if (const auto found = all->find(name); found != all->end()) return &found->second;
    }
    return nullptr;
  }

  std::string shown(const TemplateValue& value) const {
    if (output_ == TemplateOutput::text || std::holds_alternative<TemplateHtml>(value)) return template_text(value);
    return html_escaped(template_text(value));
  }

  void append(std::string_view text) {
    if (out_.size() + text.size() > Template::kMaxOutput) {
      throw ExpandFailure{core::ErrorKind::limit,
                          fmt::format("the text is longer than {} bytes", Template::kMaxOutput)};
    }
    out_ += text;
  }

  TemplateValue evaluate(const TemplatePipeline& pipeline, const TemplateValue& dot) {
    std::optional<TemplateValue> piped;
    for (const TemplateCommand& command : pipeline.commands) piped = evaluate(command, dot, piped);
    if (pipeline.declares) {
      variables_.emplace_back(pipeline.variable, *piped);
      if (!pipeline.second.empty()) variables_.emplace_back(pipeline.second, *piped);
    } else if (!pipeline.second.empty()) {
      variable(pipeline.second) = *piped;  // a range: each turn sets both
    } else if (!pipeline.variable.empty()) {
      variable(pipeline.variable) = *piped;
    }
    return *piped;
  }

  TemplateValue evaluate(const TemplateCommand& command, const TemplateValue& dot,
                         const std::optional<TemplateValue>& piped) {
    const TemplateOperand& head = command.front();
    if (head.kind != TemplateOperand::Kind::function)
      return command.size() == 1 && !piped ? evaluate(head, dot) : call_method(command, dot, piped);
    const bool lazy = head.name == "and" || head.name == "or";
    std::vector<TemplateValue> arguments;
    for (std::size_t i = 1; i < command.size(); ++i) {
      arguments.push_back(evaluate(command[i], dot));
      if (lazy && template_truth(arguments.back()) == (head.name == "or")) return arguments.back();
    }
    if (piped) arguments.push_back(*piped);
    if (head.name == "query" && ++queries_ > kMaxQueries) {
      throw ExpandFailure{core::ErrorKind::limit, fmt::format("more than {} queries in one text", kMaxQueries)};
    }
    auto result = call_template_function(head.name, arguments, data_);
    if (!result) throw ExpandFailure{result.error().kind, std::move(result.error().message)};
    return std::move(*result);
  }

  /// `$time.Format "15:04"`: the last of the fields is the method.
  TemplateValue call_method(const TemplateCommand& command, const TemplateValue& dot,
                            const std::optional<TemplateValue>& piped) {
    TemplateOperand receiver = command.front();
    const std::string method = receiver.fields.back();
    receiver.fields.pop_back();
    std::vector<TemplateValue> arguments;
    for (std::size_t i = 1; i < command.size(); ++i) arguments.push_back(evaluate(command[i], dot));
    if (piped) arguments.push_back(*piped);
    return method_result(evaluate(receiver, dot), method, arguments);
  }

  static TemplateValue method_result(const TemplateValue& receiver, const std::string& method,
                                     std::span<const TemplateValue> arguments) {
    auto result = call_template_method(receiver, method, arguments);
    if (!result) throw ExpandFailure{result.error().kind, std::move(result.error().message)};
    return std::move(*result);
  }

  TemplateValue evaluate(const TemplateOperand& operand, const TemplateValue& dot) {
    TemplateValue value;
    switch (operand.kind) {
      case TemplateOperand::Kind::literal: value = operand.literal; break;
      case TemplateOperand::Kind::dot: value = dot; break;
      case TemplateOperand::Kind::variable: value = variable(operand.name); break;
      case TemplateOperand::Kind::pipeline: value = evaluate(*operand.pipeline, dot); break;
      case TemplateOperand::Kind::function: return evaluate(TemplateCommand{operand}, dot, std::nullopt);
    }
    for (const std::string& field : operand.fields) value = take_field(value, field);
    return value;
  }

  /// The innermost of that name; the parser has seen that there is one.
  TemplateValue& variable(std::string_view name) {
    const auto found = std::ranges::find(variables_.rbegin(), variables_.rend(), name, &Variable::first);
    if (found == variables_.rend()) throw ExpandFailure{core::ErrorKind::internal, fmt::format("no variable {}", name)};
    return found->second;
  }

  TemplateValue take_field(const TemplateValue& value, const std::string& field) const {
    if (const auto* labels = std::get_if<core::Labels>(&value)) return std::string(labels->get(field));
    if (const auto* sample = std::get_if<TemplateSample>(&value)) {
      if (field == "Labels") return sample->labels;
      if (field == "Value") return sample->value;
    }
    if (const auto* object = std::get_if<TemplateObject>(&value)) {
      const auto found = (*object)->fields.find(field);
      if (found != (*object)->fields.end()) return found->second;
    }
    if (const auto* map = std::get_if<TemplateMap>(&value)) {
      const auto found = (*map)->find(field);
      return found == (*map)->end() ? TemplateValue(std::monostate{}) : found->second;
    }
    if (std::holds_alternative<TemplateRoot>(value)) {
      if (field == "Labels") return data_.labels;
      if (field == "Value") return data_.value;
      if (field == "ExternalLabels") return data_.external_labels;
      if (field == "ExternalURL") return data_.external_url;
    }
    return method_result(value, field, {});
  }

  const Template::Tree& tree_;
  const TemplateData& data_;
  TemplateValue root_;
  TemplateOutput output_;
  std::size_t steps_ = 0;
  std::size_t calls_ = 0;
  std::size_t queries_ = 0;
  std::vector<Variable> variables_;  // inner blocks' are at the end
  std::string out_;
};

}  // namespace

namespace {

/// Where the text takes the field; its beginning for one that a definition elsewhere takes.
std::string place_of(const UnknownField& unknown, std::string_view text) {
  const std::size_t offset = text.find("." + unknown.name);
  return template_place(text, offset == std::string_view::npos ? 0 : offset);
}

}  // namespace

struct TemplateLibrary::Definitions {
  TemplateDefinitions blocks;
  std::vector<std::string> calls;  // names that blocks call
};

TemplateLibrary::TemplateLibrary() : definitions_(std::make_shared<Definitions>()) {}

core::Result<void> TemplateLibrary::add(std::string_view text) {
  auto tree = parse_template(text, TemplateUse::message);
  if (!tree) return std::unexpected(std::move(tree.error()));
  for (auto& [name, block] : tree->defined) definitions_->blocks.insert_or_assign(name, std::move(block));
  for (TemplateCall& call : tree->calls) definitions_->calls.push_back(std::move(call.name));
  if (definitions_->blocks.size() > kMaxShared)
    return core::fail(core::ErrorKind::limit, fmt::format("more than {} templates are defined", kMaxShared), "1:1");
  return {};
}

bool TemplateLibrary::defines(std::string_view name) const { return definitions_->blocks.contains(name); }

std::vector<std::string> TemplateLibrary::names() const {
  std::vector<std::string> names;
  for (const auto& [name, block] : definitions_->blocks) names.push_back(name);
  return names;
}

std::string TemplateLibrary::undefined_call() const {
  const auto missing =
      std::ranges::find_if(definitions_->calls, [&](const std::string& name) { return !defines(name); });
  return missing == definitions_->calls.end() ? std::string() : *missing;
}

core::Result<Template> Template::parse(std::string_view text) {
  auto tree = parse_template(text, TemplateUse::rule);
  if (!tree) return std::unexpected(std::move(tree.error()));
  return Template(std::make_shared<Tree>(std::move(*tree)));
}

std::optional<core::Error> Template::unknown_field(std::string_view text) const {
  const auto unknown = templates::unknown_field(*tree_, TemplateRoot{});
  if (!unknown) return std::nullopt;
  return core::Error{.kind = core::ErrorKind::invalid, .message = unknown->message, .where = place_of(*unknown, text)};
}

Template Template::literal(std::string text) {
  TemplateStatement statement;
  statement.text = std::move(text);
  return Template(std::make_shared<Tree>(Tree{.block = {std::move(statement)}, .defined = {}}));
}

core::Result<Template> Template::parse_message(std::string_view text, const TemplateLibrary& library,
                                               const TemplateValue* sample) {
  auto tree = parse_template(text, TemplateUse::message);
  if (!tree) return std::unexpected(std::move(tree.error()));
  for (const TemplateCall& call : tree->calls) {
    if (tree->defined.contains(call.name) || library.defines(call.name)) continue;
    return core::fail(
        core::ErrorKind::invalid,
        fmt::format("template \"{}\" is not defined{}", call.name, config::did_you_mean(call.name, library.names())),
        template_place(text, call.offset));
  }
  tree->library = std::shared_ptr<const TemplateDefinitions>(library.definitions_, &library.definitions_->blocks);
  if (const auto unknown = sample == nullptr ? std::nullopt : templates::unknown_field(*tree, *sample))
    return core::fail(core::ErrorKind::invalid, unknown->message, place_of(*unknown, text));
  return Template(std::make_shared<Tree>(std::move(*tree)));
}

core::Result<std::string> Template::expand_message(const TemplateValue& root, core::Time now,
                                                   TemplateOutput output) const {
  const TemplateData data{.labels = {}, .now = now};
  try {
    return Expander(*tree_, data, root, output).run();
  } catch (const ExpandFailure& failure) {
    return core::fail(failure.kind, failure.message);
  }
}

core::Result<std::string> Template::expand(const TemplateData& data) const {
  try {
    return Expander(*tree_, data).run();
  } catch (const ExpandFailure& failure) {
    return core::fail(failure.kind, failure.message);
  }
}

bool Template::constant() const {
  return std::ranges::all_of(tree_->block,
                             [](const TemplateStatement& s) { return s.kind == TemplateStatement::Kind::text; });
}

}  // namespace weir::templates
