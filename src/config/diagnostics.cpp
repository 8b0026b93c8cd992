#include "config/diagnostics.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/masking.h"

namespace weir::config {
namespace {

/// Damerau's and Levenshtein's, with each pair swapped at most once (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

/// A shorter value, such as "prod", is a part of many a word.
constexpr std::size_t kLeastWithin = 8;

bool is_of_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string with_words_replaced(std::string_view text, std::string_view value, std::string_view written) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = text.find(value); at != std::string_view::npos; at = text.find(value, at + 1)) {
    const std::size_t end = at + value.size();
    const bool within = (at > 0 && is_of_word(text[at - 1]) && is_of_word(value.front())) ||
                        (end < text.size() && is_of_word(text[end]) && is_of_word(value.back()));
    if (within || at < done) continue;
    out.append(text.substr(done, at - done)).append(written);
    done = end;
  }
  return out.append(text.substr(done));
}

}  // namespace

std::string Position::to_string() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  if (line > 0 && column > 0) text += ":" + std::to_string(column);
  return text;
}

void Diagnostics::expanded(std::string value, std::string written) {
  constexpr std::size_t kMostTexts = 1000;  // with other words around their variables, of which there are but so many
  const bool alone = written.starts_with("${") && written.find('}') + 1 == written.size();
  if (value.empty() || (!alone && expanded_.size() >= kMostTexts)) return;
  std::pair<std::string, std::string> found(std::move(value), std::move(written));
  if (std::ranges::find(expanded_, found) != expanded_.end()) return;
  // The longest first, which may hold another.
  const auto place =
      std::ranges::find_if(expanded_, [&](const auto& other) { return other.first.size() < found.first.size(); });
  expanded_.insert(place, std::move(found));
}

std::string Diagnostics::as_written(std::string message) const {
  for (const auto& [value, written] : expanded_) {
    const bool short_word = value.size() >= core::kLeastMasked && value.size() < kLeastWithin;
    message = short_word ? with_words_replaced(message, value, written)
                         : core::without_secret(std::move(message), value, written);
  }
  return message;
}

void Diagnostics::error(const Position& position, std::string message) {
  errors_.push_back({position, as_written(std::move(message))});
}

void Diagnostics::hint(const Position& position, std::string message) {
  hints_.push_back({position, as_written(std::move(message))});
}

void Diagnostics::withdraw(const Position& position, std::string_view message) {
  const std::string written = as_written(std::string(message));
  std::erase_if(errors_, [&](const Diagnostic& diagnostic) {
    return as_written(diagnostic.message) == written && diagnostic.position == position;
  });
}

std::string Diagnostics::to_string() const {
  std::vector<Diagnostic> ordered = errors_;
  std::ranges::stable_sort(ordered, {}, [](const Diagnostic& diagnostic) {
    return std::tie(diagnostic.position.file, diagnostic.position.line, diagnostic.position.column);
  });
  std::string text;
  for (const Diagnostic& diagnostic : ordered) text += diagnostic.to_string() + "\n";
  return text;
}

const std::string* nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > 64) return nullptr;
  const std::string* best = nullptr;
  const std::size_t most = word.size() < 2 ? 0 : std::clamp<std::size_t>(word.size() / 3, 1, 2);
  std::size_t best_distance = most + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string* best = nearest(word, candidates);
  return best == nullptr ? std::string() : " (did you mean \"" + *best + "\"?)";
}

}  // namespace weir::config
