#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pqxx {
class result;
class transaction_base;
}  // namespace pqxx

namespace weir::sql {

/// Runs one statement by the extended protocol, its parameters as text, nothing for NULL. Throws what libpqxx does.
pqxx::result execute_postgres(pqxx::transaction_base& transaction, const std::string& sql,
                              const std::vector<std::optional<std::string>>& parameters);

}  // namespace weir::sql
