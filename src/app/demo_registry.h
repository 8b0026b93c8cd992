#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

/// The demo's schema registry: the reading half of Confluent's REST interface over schemas in memory,
/// for Avro records under BACKWARD compatibility. Real registries are watched the same way; this one
/// only spares the demo a server. Safe to call from any thread.
class DemoRegistry {
 public:
  struct Answer {
    int status = 200;
    std::string body;
  };

  /// Registers a version, numbered from 1, without a check.
  void add_version(const std::string& subject, const std::string& schema);
  /// One request: GET /subjects, /subjects/S/versions[/V], /config[/S], POST /compatibility/subjects/S/versions/V.
  Answer handle(std::string_view method, std::string_view path, const std::string& body) const;

 private:
  Answer version(const std::vector<std::string>& path) const;
  Answer compatibility(const std::vector<std::string>& path, const std::string& body) const;

  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> subjects_;
};

}  // namespace weir::app
