#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <unistd.h>

#include "app/cli.h"
#include "app/commands.h"
#include "app/progress.h"
#include "app/storage_choice.h"
#include "storage/export.h"
#include "storage/postgres_database.h"
#include "storage/reader.h"
#include "storage/sqlite_copy.h"
#include "storage/trouble.h"

namespace weir::app {
namespace {

struct DbOptions {
  std::string config = "weir.yml";
  std::string database;
  std::string file;
  bool quick = false;
};

constexpr std::string_view kWhenDamaged =
    "; a Weir that starts on it sets it aside and saves what can be read, or put a copy of weir db backup in its place";

int fail(const std::string& message, int code) {
  std::cerr << "weir db: " << message << "\n";
  return code;
}

/// Shows a bar whose length is known with the first call; not at every step, which would cost more than the step.
class Bar {
 public:
  explicit Bar(std::string what) : what_(std::move(what)) {}
  void show(std::size_t done, std::size_t all) {
    constexpr std::size_t kShownSteps = 200;
    if (!bar_) bar_.emplace(all, ::isatty(STDERR_FILENO) == 1);
    const std::size_t share = all == 0 ? kShownSteps : done * kShownSteps / all;
    if (std::exchange(shown_, share) != share) bar_->show(done, what_);
  }
  void clear() { bar_.reset(); }

 private:
  std::string what_;
  std::optional<Progress> bar_;
  std::size_t shown_ = static_cast<std::size_t>(-1);
};

std::string megabytes(std::int64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1 << 20)); }

/// After the problems that were found.
int advise(const storage::Inspection& found, bool server) {
  if (found.version > found.known) {
    std::cout << "start it with that Weir, or go back to a backup of before\n";
  } else if (!server) {
    std::cout << "not sound" << kWhenDamaged << "\n";
  }
  return kExitFailed;
}

/// What to do about a file that is damaged, which is nothing that the commands do.
int fail_of(const core::Error& error) {
  std::string message = error.describe();
  if (error.message.contains(storage::kDamagedMark)) message += kWhenDamaged;
  return fail(message, kExitFailed);
}

int check(const DbOptions& options) {
  const auto settings = storage_of(options.config, options.database);
  if (!settings) return fail(settings.error().message, kExitUsage);
  Bar bar("rows");
  const auto found =
      storage::inspect(*settings, !options.quick, [&](std::size_t done, std::size_t all) { bar.show(done, all); });
  bar.clear();
  if (!found) return fail_of(found.error());
  std::cout << fmt::format(
      "{}: {}, schema {}{}\n", found->where, megabytes(found->bytes), found->version,
      found->version < found->known ? fmt::format(" (the next start brings it forward to {})", found->known) : "");
  for (const auto& [table, rows] : found->rows) std::cout << fmt::format("  {:<20} {:>10} rows\n", table, rows);
  for (const std::string& problem : found->problems) std::cout << "problem: " << problem << "\n";
  if (found->more_problems > 0) std::cout << "problem: and " << found->more_problems << " more\n";
  if (!found->problems.empty()) return advise(*found, settings->postgres.has_value());
  std::cout << "ok\n";
  return kExitOk;
}

int backup(const DbOptions& options) {
  const auto settings = storage_of(options.config, options.database);
  if (!settings) return fail(settings.error().message, kExitUsage);
  if (settings->postgres) {
    return fail(fmt::format("{0} is backed up by its own tools: pg_dump --schema={1} --format=custom --file={2} {0}; "
                            "or write it out as JSON lines with: weir db export {2}",
                            storage::shown_address(*settings->postgres), settings->postgres->schema, options.file),
                kExitUsage);
  }
  if (settings->path == ":memory:") return fail("there is no file: storage.path is :memory:", kExitUsage);
  const auto readable = storage::open_reader(*settings);
  if (!readable) return fail_of(readable.error());
  if (const auto begun = storage::version_begun(**readable); !begun) return fail_of(begun.error());
  Bar bar("pages");
  const auto copied = storage::copy_sqlite(settings->path, options.file, [&](std::int64_t done, std::int64_t all) {
    bar.show(static_cast<std::size_t>(done), static_cast<std::size_t>(all));
    return true;
  });
  bar.clear();
  if (!copied) return fail_of(copied.error());
  if (const auto sound = storage::quick_check({.path = options.file}); !sound) {
    return fail(
        fmt::format("{}: written, and as damaged as {}: {}", options.file, settings->path, sound.error().message),
        kExitFailed);
  }
  std::cerr << options.file << ": written and sound; weir db check " << options.file << " says more of it\n";
  return kExitOk;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

core::Result<File> new_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  File file(descriptor < 0 ? nullptr : ::fdopen(descriptor, "w"));
  if (file) return file;
  const int code = errno;
  return core::fail(core::ErrorKind::storage,
                    code == EEXIST ? "is there already; name another file, or move it away"
                                   : "cannot be written: " + std::system_category().message(code),
                    path);
}

/// What cannot be written whole is not left behind.
core::Result<void> export_to(const storage::StorageSettings& settings, const std::string& path, Bar& bar) {
  const auto progress = [&](std::size_t done, std::size_t all) { bar.show(done, all); };
  const auto cannot = [&](const std::string& where) {
    return core::fail(core::ErrorKind::storage, "cannot be written: " + std::system_category().message(errno), where);
  };
  if (path == "-") {
    const auto done = storage::export_json(
        settings,
        [&](const std::string& line) -> core::Result<void> {
          std::cout << line << '\n';
          if (std::cout) return {};
          return cannot("standard output");
        },
        progress);
    if (!done) return done;
    return std::cout.flush() ? core::Result<void>() : cannot("standard output");
  }
  auto file = new_file(path);
  if (!file) return std::unexpected(file.error());
  auto done = storage::export_json(
      settings,
      [&](const std::string& line) -> core::Result<void> {
        if (std::fwrite(line.data(), 1, line.size(), file->get()) == line.size() &&
            std::fputc('\n', file->get()) != EOF) {
          return {};
        }
        return cannot(path);
      },
      progress);
  if (done && (std::fflush(file->get()) != 0 || ::fsync(::fileno(file->get())) != 0)) done = cannot(path);
  std::error_code ignored;
  if (!done) std::filesystem::remove(path, ignored);
  return done;
}

int export_all(const DbOptions& options) {
  const auto settings = storage_of(options.config, options.database);
  if (!settings) return fail(settings.error().message, kExitUsage);
  Bar bar("rows");
  const auto done = export_to(*settings, options.file, bar);
  bar.clear();
  return done ? kExitOk : fail_of(done.error());
}

}  // namespace

void add_db_command(CLI::App& cli, Action& action) {
  CLI::App* command =
      cli.add_subcommand("db", "look at Weir's database, copy it, write it out; a Weir may be running on it");
  command->require_subcommand(1);
  const auto options = std::make_shared<DbOptions>();
  const auto add_database = [&](CLI::App* to, const std::string& names) {
    to->add_option("--config,-c", options->config, "configuration file, for its storage")->capture_default_str();
    to->add_option(names, options->database,
                   "Weir's database: a file, or postgresql://… (default: the configuration's)");
  };
  CLI::App* look =
      command->add_subcommand("check", "integrity, schema, rows by table, what cannot be read; exit 1 if so");
  add_database(look, "--database,DATABASE");
  look->add_flag("--quick", options->quick, "without the indexes");
  look->callback([&action, options] { action = [options] { return check(*options); }; });

  CLI::App* copy = command->add_subcommand("backup", "copy a SQLite database as it is at one moment");
  add_database(copy, "--database");
  copy->add_option("FILE", options->file, "the copy, which must not be there yet")->required();
  copy->callback([&action, options] { action = [options] { return backup(*options); }; });

  CLI::App* out = command->add_subcommand("export", "write everything as JSON lines");
  add_database(out, "--database");
  out->add_option("FILE", options->file, "a new file, or - for standard output")->required();
  out->callback([&action, options] { action = [options] { return export_all(*options); }; });
}

}  // namespace weir::app
