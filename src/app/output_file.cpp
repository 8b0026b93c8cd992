#include "app/output_file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>

namespace weir::app {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

bool is_screen(const std::string& path) { return path.empty() || path == "-"; }

std::unexpected<core::Error> refused(const std::string& path) {
  return core::fail(core::ErrorKind::storage, "is there already; name another file, or write over it with --force",
                    path);
}

}  // namespace

core::Result<void> may_be_written(const std::string& path, bool force) {
  std::error_code ignored;
  // Of a device, such as /dev/stdout, nothing is lost.
  if (force || is_screen(path) || !std::filesystem::is_regular_file(path, ignored)) return {};
  return refused(path);
}

core::Result<void> write_output(const std::string& path, const std::string& text, bool force) {
  if (is_screen(path)) {
    std::cout << text << std::flush;
    return {};
  }
  if (auto free = may_be_written(path, force); !free) return free;
  std::error_code ignored;
  const bool is_new = !force && !std::filesystem::exists(path, ignored);
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), is_new ? "wx" : "w"));
  if (!file && errno == EEXIST) return refused(path);
  if (file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() && std::fflush(file.get()) == 0)
    return {};
  return core::fail(core::ErrorKind::storage, "cannot be written: " + std::system_category().message(errno), path);
}

}  // namespace weir::app
