#include <algorithm>
#include <numeric>
#include <re2/re2.h>

#include "promql/function_groups.h"

namespace weir::promql {
namespace {

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

/// Since Prometheus 3 any text may name a label.
core::Result<void> check_target(const std::string& name, std::string_view function) {
  if (!name.empty()) return {};
  return core::fail(core::ErrorKind::invalid, "invalid destination label name in " + std::string(function) + "(): ");
}

core::Result<Frame> relabelled(Frame frame) {
  if (auto joined = frame.join_equal(); !joined) return std::unexpected(joined.error());
  return frame;
}

core::Result<Frame> label_replace(Invocation& call) {
  const std::string& target = call.texts[0];
  const std::string& replacement = call.texts[1];
  const std::string& source = call.texts[2];
  const std::string& pattern = call.texts[3];
  const RE2 regex("^(?s:" + pattern + ")$", RE2::Quiet);
  if (!regex.ok())
    return core::fail(core::ErrorKind::invalid, "invalid regular expression in label_replace(): " + pattern);
  if (auto valid = check_target(target, "label_replace"); !valid) return std::unexpected(valid.error());
  Frame& frame = call.arguments[0];
  if (auto settled = frame.settle_names(); !settled) return std::unexpected(settled.error());
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    const std::string_view value = frame.labels(row).get(source);
    const re2::StringPiece piece(value.data() == nullptr ? "" : value.data(), value.size());
    if (regex.Match(piece, 0, piece.size(), RE2::ANCHOR_BOTH, groups.data(), static_cast<int>(groups.size())))
      frame.set_labels(row, frame.labels(row).with(target, expand(replacement, regex, groups)));
  }
  return relabelled(std::move(frame));
}

core::Result<Frame> label_join(Invocation& call) {
  const std::string& target = call.texts[0];
  if (auto valid = check_target(target, "label_join"); !valid) return std::unexpected(valid.error());
  Frame& frame = call.arguments[0];
  if (auto settled = frame.settle_names(); !settled) return std::unexpected(settled.error());
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    std::string joined;
    for (std::size_t source = 2; source < call.texts.size(); ++source) {
      if (source > 2) joined += call.texts[1];
      joined += frame.labels(row).get(call.texts[source]);
    }
    frame.set_labels(row, frame.labels(row).with(target, joined));
  }
  return relabelled(std::move(frame));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The front of the text that is all digits or has none; the text goes on behind it.
std::string_view take_run(std::string_view& text) {
  std::size_t end = 1;
  while (end < text.size() && is_digit(text[end]) == is_digit(text[0])) ++end;
  const std::string_view run = text.substr(0, end);
  text.remove_prefix(end);
  return run;
}

/// Runs of digits count as numbers: "topic2" comes before "topic10". Of equal numbers in other digits the text decides.
std::strong_ordering natural_order(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a;
  const std::string_view whole_b = b;
  while (!a.empty() && !b.empty()) {
    std::string_view run_a = take_run(a);
    std::string_view run_b = take_run(b);
    if (is_digit(run_a[0]) && is_digit(run_b[0])) {
      for (std::string_view* run : {&run_a, &run_b})
        run->remove_prefix(std::min(run->find_first_not_of('0'), run->size()));
      if (run_a.size() != run_b.size()) return run_a.size() <=> run_b.size();
    }
    if (run_a != run_b) return run_a <=> run_b;
  }
  const auto order = a.size() <=> b.size();
  return order != 0 ? order : whole_a <=> whole_b;
}

/// By the values of the given labels, then by all labels; like sort(), of instant queries only.
template <bool Descending>
core::Result<Frame> sort_by_label(Invocation& call) {
  Frame& input = call.arguments[0];
  if (call.steps.count != 1) return std::move(input);
  if (auto settled = input.settle_names(); !settled) return std::unexpected(settled.error());
  const auto before = [&](std::size_t left, std::size_t right) {
    for (const std::string& label : call.texts) {
      const auto order = natural_order(input.labels(left).get(label), input.labels(right).get(label));
      if (order != 0) return Descending ? order > 0 : order < 0;
    }
    const auto order = input.labels(left) <=> input.labels(right);
    return Descending ? order > 0 : order < 0;
  };
  std::vector<std::size_t> rows(input.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::ranges::sort(rows, before);
  Frame out(1);
  for (const std::size_t row : rows) out.add(input.labels(row))[0] = input.values(row)[0];
  return out;
}

template <bool Descending>
Function sorting(std::string_view name) {
  return {.name = name,
          .arguments = {ValueType::vector, ValueType::text},
          .optional = 1,
          .variadic = true,
          .over_frame = sort_by_label<Descending>};
}

}  // namespace

std::vector<Function> label_functions() {
  using enum ValueType;
  // Of a variadic function the last type repeats; label_join needs no source label at all.
  return {{.name = "label_replace", .arguments = {vector, text, text, text, text}, .over_frame = label_replace},
          {.name = "label_join",
           .arguments = {vector, text, text, text},
           .optional = 1,
           .variadic = true,
           .over_frame = label_join},
          sorting<false>("sort_by_label"),
          sorting<true>("sort_by_label_desc")};
}

}  // namespace weir::promql
