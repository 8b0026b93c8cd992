#include <algorithm>
#include <re2/re2.h>

#include "promql/function_groups.h"

namespace weir::promql {
namespace {

const std::string& text(const CallContext& context, std::size_t index) {
  return std::get<Text>(context.arguments[index]).text;
}

/// Go's Regexp.Expand: $1, ${1}, $name, ${name}, and $$ for a dollar sign.
std::string expand(const std::string& pattern, const RE2& regex, const std::vector<re2::StringPiece>& groups) {
  std::string out;
  const auto group = [&](const std::string& name) {
    std::size_t index = groups.size();
    if (!name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }) && name.size() < 4) {
      index = std::stoul(name);
    } else if (const auto named = regex.NamedCapturingGroups().find(name);
               named != regex.NamedCapturingGroups().end()) {
      index = static_cast<std::size_t>(named->second);
    }
    if (index < groups.size() && groups[index].data() != nullptr)
      out.append(groups[index].data(), groups[index].size());
  };
  const auto in_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '$' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    const bool braced = pattern[i + 1] == '{';
    std::size_t end = i + 1 + (braced ? 1 : 0);
    const std::size_t start = end;
    while (end < pattern.size() && in_name(pattern[end])) ++end;
    const bool closed = !braced || (end < pattern.size() && pattern[end] == '}');
    if (pattern[i + 1] == '$') {
      out += '$';
      ++i;
    } else if (end == start || !closed) {
      out += '$';
    } else {
      group(pattern.substr(start, end - start));
      i = end - (braced ? 0 : 1);
    }
  }
  return out;
}

bool valid_label(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::ranges::all_of(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

core::Result<Value> label_replace(CallContext& context) {
  const std::string& target = text(context, 1);
  const std::string& source = text(context, 3);
  const RE2 regex("^(?s:" + text(context, 4) + ")$", RE2::Quiet);
  if (!regex.ok())
    return core::fail(core::ErrorKind::invalid, "invalid regular expression in label_replace(): " + text(context, 4));
  if (!valid_label(target))
    return core::fail(core::ErrorKind::invalid, "invalid destination label name in label_replace(): " + target);
  Vector samples = std::get<Vector>(context.arguments[0]);
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  for (VectorSample& sample : samples) {
    const std::string_view value = sample.labels.get(source);
    const re2::StringPiece piece(value.data() == nullptr ? "" : value.data(), value.size());
    if (!regex.Match(piece, 0, piece.size(), RE2::ANCHOR_BOTH, groups.data(), static_cast<int>(groups.size())))
      continue;
    sample.labels = sample.labels.with(target, expand(text(context, 2), regex, groups));
  }
  return Value(std::move(samples));
}

core::Result<Value> label_join(CallContext& context) {
  const std::string& target = text(context, 1);
  if (!valid_label(target))
    return core::fail(core::ErrorKind::invalid, "invalid destination label name in label_join(): " + target);
  Vector samples = std::get<Vector>(context.arguments[0]);
  for (VectorSample& sample : samples) {
    std::string joined;
    for (std::size_t i = 3; i < context.arguments.size(); ++i) {
      if (i > 3) joined += text(context, 2);
      joined += sample.labels.get(text(context, i));
    }
    sample.labels = sample.labels.with(target, joined);
  }
  return Value(std::move(samples));
}

}  // namespace

std::vector<Function> label_functions() {
  using enum ValueType;
  // Of a variadic function the last type repeats; label_join needs no source label at all.
  return {{.name = "label_replace", .arguments = {vector, text, text, text, text}, .evaluate = label_replace},
          {.name = "label_join",
           .arguments = {vector, text, text, text},
           .optional = 1,
           .variadic = true,
           .evaluate = label_join}};
}

}  // namespace weir::promql
