#include "engines.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <mysql.h>
#include <pqxx/pqxx>
#include <regex>
#include <sqlite3.h>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

#include "sql/mysql.h"
#include "sql/odbc.h"
#include "sql/postgres.h"
#include "sql/postgres_url.h"
#include "sql/sqlite.h"

namespace weir::sql {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    throw std::runtime_error(std::string(name) +
                             " is not set: run these tests with ./tests/run, which starts a server");
  }
  return value;
}

class PostgresEngine : public Engine {
 public:
  PostgresEngine()
      : url_(variable("WEIR_TEST_POSTGRES")), schema_(fmt::format("weir_contract_{}", ::getpid())), admin_(url_) {
    pqxx::nontransaction work(admin_);
    work.exec(
        fmt::format("SET client_min_messages = error; DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0};"
                    "SET search_path = {0}",
                    schema_));
  }
  ~PostgresEngine() override {
    pqxx::nontransaction work(admin_);
    work.exec(fmt::format("DROP SCHEMA IF EXISTS {} CASCADE", schema_));
  }
  PostgresEngine(const PostgresEngine&) = delete;
  PostgresEngine& operator=(const PostgresEngine&) = delete;

  void write(const std::string& sql) override {
    pqxx::nontransaction work(admin_);
    work.exec(sql);
  }
  std::unique_ptr<SqlSource> open(core::Duration statement_timeout) const override {
    PostgresSettings settings;
    settings.url = core::Secret(with_parameters(url_, {{"options", "-csearch_path=" + schema_}}));
    settings.statement_timeout = statement_timeout;
    return make_postgres("contract", settings);
  }
  std::string schema() const override { return schema_; }
  std::string slow() const override { return "SELECT count(*) FROM generate_series(1, 2000000000)"; }
  std::string blob_type() const override { return "bytea"; }

 protected:
  std::string url_;
  std::string schema_;
  pqxx::connection admin_;
};

class SqliteEngine : public Engine {
 public:
  SqliteEngine() : path_(std::filesystem::temp_directory_path() / fmt::format("weir-contract-{}.db", ::getpid())) {
    std::filesystem::remove(path_);
    write("PRAGMA user_version = 1;");
  }
  ~SqliteEngine() override { std::filesystem::remove(path_); }
  SqliteEngine(const SqliteEngine&) = delete;
  SqliteEngine& operator=(const SqliteEngine&) = delete;

  void write(const std::string& sql) override {
    sqlite3* database = nullptr;
    sqlite3_open(path_.c_str(), &database);
    const int code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
    const std::string message = sqlite3_errmsg(database);
    sqlite3_close(database);
    if (code != SQLITE_OK) throw std::runtime_error(message);
  }
  std::unique_ptr<SqlSource> open(core::Duration statement_timeout) const override {
    SqliteSettings settings;
    settings.path = path_;
    settings.statement_timeout = statement_timeout;
    return make_sqlite("contract", settings);
  }
  std::string schema() const override { return "main"; }
  std::string slow() const override {
    return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000000) SELECT count(*) FROM n";
  }

 protected:
  std::filesystem::path path_;
};

class MariaDbEngine : public Engine {
 public:
  MariaDbEngine() : database_(fmt::format("weir_contract_{}", ::getpid())), admin_(mysql_init(nullptr), &mysql_close) {
    variable("WEIR_TEST_MARIADB");
    if (mysql_real_connect(admin_.get(), nullptr, setting("user").c_str(), setting("password").c_str(), nullptr, 0,
                           setting("socket").c_str(), CLIENT_MULTI_STATEMENTS) == nullptr) {
      throw std::runtime_error(mysql_error(admin_.get()));
    }
    mysql_set_character_set(admin_.get(), "utf8mb4");
    write(
        fmt::format("DROP DATABASE IF EXISTS {0}; CREATE DATABASE {0} CHARACTER SET utf8mb4; USE {0};"
                    "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'; SET time_zone = '+00:00'",
                    database_));
  }
  ~MariaDbEngine() override { (void)run(fmt::format("DROP DATABASE IF EXISTS {}", database_)); }
  MariaDbEngine(const MariaDbEngine&) = delete;
  MariaDbEngine& operator=(const MariaDbEngine&) = delete;

  void write(const std::string& sql) override {
    if (const std::string problem = run(sql); !problem.empty()) throw std::runtime_error(problem);
  }
  std::unique_ptr<SqlSource> open(core::Duration statement_timeout) const override {
    MysqlSettings settings;
    settings.host = setting("host");
    settings.port = static_cast<std::uint16_t>(std::stoi(setting("port")));
    settings.user = setting("user");
    settings.password = core::Secret(setting("password"));
    settings.database = database_;
    settings.ca_file = setting("ca");
    settings.statement_timeout = statement_timeout;
    return make_mysql("contract", settings);
  }
  std::string schema() const override { return database_; }
  std::string slow() const override {
    return "SELECT count(*) FROM seq_1_to_1000000000 a WHERE sqrt(a.seq) + sin(a.seq) < -1";
  }
  std::string time_type() const override { return "datetime(3)"; }

 private:
  static std::string setting(std::string_view key) { return server_setting("WEIR_TEST_MARIADB", key); }

  /// What the server says against it.
  std::string run(const std::string& sql) const {
    int status = mysql_real_query(admin_.get(), sql.data(), sql.size());
    while (status == 0) {
      mysql_free_result(mysql_store_result(admin_.get()));
      status = mysql_next_result(admin_.get());
    }
    return status > 0 ? mysql_error(admin_.get()) : std::string();
  }

  std::string database_;
  std::unique_ptr<MYSQL, void (*)(MYSQL*)> admin_;
};

std::string odbc_driver(std::string_view name) { return fmt::format("Driver={{{}}};", name); }

class OdbcPostgresEngine final : public PostgresEngine {
 public:
  std::unique_ptr<SqlSource> open(core::Duration statement_timeout) const override {
    OdbcSettings settings;
    // The driver takes its settings one by one.
    std::smatch parts;
    const std::regex shape("postgres(?:ql)?://([^:@/]*)(?::([^@/]*))?@([^:/]*):?([0-9]*)/([^?]*).*");
    if (!std::regex_match(url_, parts, shape)) throw std::runtime_error("WEIR_TEST_POSTGRES has no user and host");
    settings.connection = core::Secret(
        fmt::format("{}Server={};Port={};Database={};SSLmode=disable;BoolsAsChar=0;MaxLongVarcharSize=0;"
                    "ConnSettings=SET search_path = {};",
                    odbc_driver("PostgreSQL Unicode"), parts[3].str(), parts[4].str(), parts[5].str(), schema_));
    settings.user = parts[1].str();
    settings.password = core::Secret(parts[2].str());
    settings.dialect = &odbc_postgres_dialect();
    settings.statement_timeout = statement_timeout;
    return make_odbc("contract", settings);
  }
};

class OdbcSqliteEngine final : public SqliteEngine {
 public:
  std::string decimal_type() const override { return "double precision"; }  // its driver has decimals as text
  std::unique_ptr<SqlSource> open(core::Duration statement_timeout) const override {
    OdbcSettings settings;
    settings.connection =
        core::Secret(fmt::format("{}Database={};NoCreat=1;Timeout=500;", odbc_driver("SQLite3"), path_.string()));
    settings.dialect = &plain_sqlite_dialect();
    settings.statement_timeout = statement_timeout;
    return make_odbc("contract", settings);
  }
};

template <class Kind>
EngineKind kind(std::string_view name) {
  return {name, []() -> std::unique_ptr<Engine> { return std::make_unique<Kind>(); }};
}

}  // namespace

const std::vector<EngineKind>& engines() {
  static const std::vector<EngineKind> all = {
      kind<PostgresEngine>("postgres"),          kind<SqliteEngine>("sqlite"),          kind<MariaDbEngine>("mariadb"),
      kind<OdbcPostgresEngine>("odbc_postgres"), kind<OdbcSqliteEngine>("odbc_sqlite"),
  };
  return all;
}

std::string server_setting(const char* name, std::string_view key) {
  std::istringstream words(variable(name));
  for (std::string word; words >> word;) {
    if (word.starts_with(std::string(key) + "=")) return word.substr(key.size() + 1);
  }
  throw std::runtime_error(fmt::format("{} has no {}", name, key));
}

}  // namespace weir::sql
