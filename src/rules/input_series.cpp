#include "rules/input_series.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <unordered_map>

#include "config/reader.h"
#include "rules/loader.h"

namespace weir::rules {
namespace {

constexpr std::string_view kSpaces = " \t\r\v\f";

/// "line:col" of a character, both from 1.
std::string line_and_column(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  return fmt::format("{}:{}", 1 + std::ranges::count(before, '\n'), column);
}

/// One item of the list: a line "series values", or several where its texts hold line breaks.
class ItemReader {
 public:
  ItemReader(const config::Node& item, const config::YamlPlace& place, config::Diagnostics& diagnostics)
      : item_(item), place_(place) {
    config::MapReader reader(item, diagnostics, "input_series");
    series_ = text(reader, "series");
    values_ = text(reader, "values");
    reader.finish();
    text_ = (series_ == nullptr ? "" : series_->text()) + " ";
    split_ = text_.size();
    text_ += values_ == nullptr ? "" : values_->text();
  }

  const std::string& whole() const { return text_; }

  /// `offset` is of a line within whole(), `where` of an error in that line.
  config::Position locate(std::size_t offset, std::string_view where) const {
    std::size_t column = 1;
    if (const std::size_t colon = where.find(':'); colon != std::string_view::npos)
      std::from_chars(where.data() + colon + 1, where.data() + where.size(), column);
    const std::size_t at = std::min(offset + column - 1, text_.size());
    if (at >= split_ && values_ != nullptr)
      return place_.locate(*values_, line_and_column(text_.substr(split_), at - split_));
    if (series_ != nullptr) return place_.locate(*series_, line_and_column(text_, at));
    return item_.position();
  }

 private:
  static const config::Node* text(config::MapReader& reader, std::string_view key) {
    const config::Node* node = reader.child(key);
    if (node == nullptr || node->is_scalar() || node->is_null()) return node;
    reader.error(*node, fmt::format("\"{}\": expected text, found {}", key, node->kind_name()));
    return nullptr;
  }

  const config::Node& item_;
  const config::YamlPlace& place_;
  const config::Node* series_ = nullptr;
  const config::Node* values_ = nullptr;
  std::string text_;
  std::size_t split_ = 0;
};

class ListReader {
 public:
  ListReader(const config::YamlPlace& place, config::Diagnostics& diagnostics, std::size_t& budget)
      : place_(place), diagnostics_(diagnostics), budget_(budget) {}

  InputSeries run(const config::Node& list) {
    for (const config::Node& item : list.items()) {
      const ItemReader reader(item, place_, diagnostics_);
      if (!ended_ && found_.mistakes.empty()) read_lines(reader);
    }
    return std::move(found_);
  }

 private:
  // promtool writes all series into one text, a line each, which ends at the first empty line.
  void read_lines(const ItemReader& item) {
    const std::string& text = item.whole();
    for (std::size_t start = 0; start <= text.size() && found_.mistakes.empty();) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      const std::string_view line = std::string_view(text).substr(start, end - start);
      const std::size_t first = std::min(line.find_first_not_of(kSpaces), line.size());
      const std::string_view trimmed = line.substr(first, line.find_last_not_of(kSpaces) + 1 - first);
      if (trimmed.empty() || trimmed.starts_with('#')) {
        ended_ = true;
        found_.notes.push_back({item.locate(start, "1:1"),
                                "an empty line ends the series, as with promtool: those after it are left out (write "
                                "\"values: >-\" rather than \"values: |\")"});
        return;
      }
      read_line(item, start + first, trimmed);
      start = end + 1;
    }
  }

  void read_line(const ItemReader& item, std::size_t offset, std::string_view line) {
    auto parsed = parse_series(line, std::min(budget_, kMostSeriesValues));
    if (!parsed) {
      std::string message = parsed.error().message;
      if (budget_ < kMostSeriesValues && parsed.error().kind == core::ErrorKind::limit)
        message = fmt::format("the file has more than {} values", kMostFileValues);
      found_.mistakes.push_back({item.locate(offset, parsed.error().where), std::move(message)});
      return;
    }
    budget_ -= parsed->values.size();
    const bool has_values = std::ranges::any_of(parsed->values, [](const auto& value) { return value.has_value(); });
    if (parsed->labels.empty() && has_values) {
      found_.mistakes.push_back({item.locate(offset, "1:1"), "the series has neither a name nor labels"});
      return;
    }
    const auto [known, fresh] = known_.try_emplace(parsed->labels, found_.series.size());
    if (fresh) {
      found_.series.push_back(std::move(*parsed));
    } else {
      found_.series[known->second] = std::move(*parsed);
    }
  }

  const config::YamlPlace& place_;
  config::Diagnostics& diagnostics_;
  std::size_t& budget_;
  InputSeries found_;
  std::unordered_map<core::Labels, std::size_t> known_;
  bool ended_ = false;
};

}  // namespace

InputSeries read_input_series(const config::Node* list, const config::YamlPlace& place,
                              config::Diagnostics& diagnostics, std::size_t& budget) {
  if (list == nullptr || list->is_null()) return {};
  if (!list->is_sequence()) {
    diagnostics.error(list->position(), fmt::format("\"input_series\": expected a list, found {}", list->kind_name()));
    return {};
  }
  return ListReader(place, diagnostics, budget).run(*list);
}

core::Time SampleFile::end() const {
  std::size_t longest = 1;
  for (const SeriesNotation& series : input.series) longest = std::max(longest, series.values.size());
  return core::Time(interval * static_cast<std::int64_t>(longest - 1));
}

std::expected<SampleFile, config::Diagnostics> load_samples(const std::string& file) {
  static constexpr config::YamlLimits kLimits{.bytes = 64U << 20U, .nodes = 2'000'000, .depth = 64};
  config::Diagnostics diagnostics;
  const auto text = read_text_file(file, diagnostics, kLimits.bytes);
  if (!text) return std::unexpected(diagnostics);
  const config::Node root = config::parse_yaml(*text, file, diagnostics, kLimits);
  if (!diagnostics.ok()) return std::unexpected(diagnostics);
  const config::YamlPlace place(*text);
  config::MapReader reader(root, diagnostics, "samples");
  SampleFile samples;
  samples.interval = reader.duration("interval", samples.interval);
  if (samples.interval <= core::Duration::zero()) reader.error("interval", "must be more than 0");
  if (samples.interval > std::chrono::hours(24 * 365)) reader.error("interval", "is longer than a year");
  std::size_t budget = kMostFileValues;
  samples.input = read_input_series(reader.child("input_series"), place, diagnostics, budget);
  for (const config::Diagnostic& mistake : samples.input.mistakes) diagnostics.error(mistake.position, mistake.message);
  reader.finish();
  if (!diagnostics.ok()) return std::unexpected(diagnostics);
  return samples;
}

core::Result<void> SeriesFeed::feed_until(core::Time until, SampleSource& source) {
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const SeriesNotation& series = series_[i];
    for (std::size_t& next = next_[i]; next < series.values.size(); ++next) {
      const core::Time at(interval_ * static_cast<std::int64_t>(next));
      if (at > until) break;
      if (!series.values[next]) continue;
      if (auto done = source.append(series.labels, at, *series.values[next]); !done) return done;
    }
  }
  return {};
}

}  // namespace weir::rules
