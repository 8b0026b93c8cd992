#pragma once

#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <string>

namespace weir::storage::testing {

/// What sqlite3 answers to one statement on the file: the first field, "" without one.
inline std::string ask_sqlite(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  std::string answer;
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
  if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
    answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return answer;
}

/// Overwrites one page, counted from 1, with what is no page.
inline void damage_page(const std::string& path, long page) {
  constexpr long kSize = 4096;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp((page - 1) * kSize);
  file << std::string(kSize, '\xa5');
}

/// The page at which a table or an index begins.
inline long root_page(const std::string& path, const std::string& name) {
  return std::stol(ask_sqlite(path, "SELECT rootpage FROM sqlite_schema WHERE name = '" + name + "'"));
}

/// The first leaf of a table of two levels (SQLite's file format, "B-tree Pages").
inline long first_leaf(const std::string& path, const std::string& table) {
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 4096> page{};
  file.seekg((root_page(path, table) - 1) * 4096);
  file.read(reinterpret_cast<char*>(page.data()), page.size());
  EXPECT_EQ(page[0], 5) << "an interior page of a table";
  const std::size_t cell = page[12] * 256U + page[13];
  return static_cast<long>(page.at(cell)) << 24 | page.at(cell + 1) << 16 | page.at(cell + 2) << 8 | page.at(cell + 3);
}

}  // namespace weir::storage::testing
