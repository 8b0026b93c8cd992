#include "sql/postgres_execute.h"

#include <pqxx/pqxx>

namespace weir::sql {

pqxx::result execute_postgres(pqxx::transaction_base& transaction, const std::string& sql,
                              const std::vector<std::optional<std::string>>& parameters) {
#if PQXX_VERSION_MAJOR >= 7
  pqxx::params given;
  for (const auto& item : parameters) {
    if (item) {
      given.append(*item);
    } else {
      given.append();
    }
  }
  return transaction.exec_params(sql, given);
#else
  std::vector<const char*> pointers;
  for (const auto& item : parameters) pointers.push_back(item ? item->c_str() : nullptr);
  return transaction.exec_params(sql, pqxx::prepare::make_dynamic_params(pointers));
#endif
}

}  // namespace weir::sql
