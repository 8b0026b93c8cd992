#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "kafka/settings.h"

namespace weir::kafka {

/// The files that a cluster's properties come from or name: `<property>_file`, certificates and keys
/// (`ssl.*.location`). Tells when one was replaced or written to.
class PropertyFiles {
 public:
  explicit PropertyFiles(const ClusterSettings& settings);

  /// Whether size, time of modification or inode of any differ from the last call, or since construction.
  bool changed();
  /// The files of the last change, for messages: `"/run/ca.pem"`, or several.
  const std::string& names() const { return names_; }
  /// `settings` with the values that the files hold now. Errors: a file cannot be read or is empty (invalid).
  core::Result<ClusterSettings> read(ClusterSettings settings) const;

 private:
  using Stamp = std::tuple<long, long, long, unsigned long>;  // modified s and ns, size, inode
  struct Watched {
    std::string path;
    std::optional<Stamp> stamp;  // absent while there is no such file
  };
  static std::optional<Stamp> stamp_of(const std::string& path);

  std::vector<Watched> files_;
  std::string names_;
};

}  // namespace weir::kafka
