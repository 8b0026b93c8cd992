#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::config {

/// A place in a file; line and column count from 1, 0 means unknown.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;

  /// "file:line:col", without the parts that are unknown.
  std::string to_string() const;
  bool operator==(const Position&) const = default;
};

struct Diagnostic {
  Position position;
  std::string message;

  std::string to_string() const { return position.to_string() + ": " + message; }
};

/// Every mistake found, in the order found; readers go on after one so that all show at once.
class Diagnostics {
 public:
  void error(const Position& position, std::string message);
  /// Notes that a text of the file held `${NAME}` (`written`) and was given this value: it may be a secret, so messages
  /// from now on show it as it is written.
  void expanded(std::string value, std::string written);
  /// Takes a mistake back that turned out to follow from another.
  void withdraw(const Position& position, std::string_view message);
  /// Notes what is allowed and yet hardly meant.
  void hint(const Position& position, std::string message);
  bool ok() const { return errors_.empty(); }
  std::span<const Diagnostic> errors() const { return errors_; }
  std::span<const Diagnostic> hints() const { return hints_; }
  /// The mistakes, one line each, by file, line and column.
  std::string to_string() const;

 private:
  std::string as_written(std::string message) const;

  std::vector<std::pair<std::string, std::string>> expanded_;  // longest value first; what it is written as
  std::vector<Diagnostic> errors_;
  std::vector<Diagnostic> hints_;
};

/// The candidate that `word` is most likely meant to be, else nullptr: at most two slips (a character too many,
/// missing, other, or two swapped) and at most a third of the word.
const std::string* nearest(std::string_view word, std::span<const std::string> candidates);

/// ` (did you mean "topics"?)` with the nearest candidate, else "".
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace weir::config
