#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace weir::privacy {

/// What a column's or a field's name says it holds of a person: "email", "phone", "name", "address", "birth date",
/// "national id", "passport", "card", "iban", "ip", "credentials", "health", "location"; "" for nothing. Of a dotted
/// path the last part counts. In English, and words apart however they are joined: customerEmail, CUSTOMER_EMAIL.
std::string_view pii_of_name(std::string_view name);

/// What a value holds of a person, by its pattern: "email", "iban" (by its check digits), "card" (by its check digit
/// and length), "ip", "phone" (with its country's code), "national id" (US social security number).
std::set<std::string_view> pii_in(std::string_view value);

/// Counts over the values of one column or field. Keeps no value.
class PiiTally {
 public:
  void add(std::string_view value);
  std::size_t values() const { return values_; }
  /// Kinds with the number of values, those that are seldom by chance: one e-mail address, IBAN or card says it, of the
  /// others 5 % of at least 5 values do.
  std::map<std::string_view, std::size_t> found() const;

 private:
  std::size_t values_ = 0;
  std::map<std::string_view, std::size_t> counts_;
};

}  // namespace weir::privacy
