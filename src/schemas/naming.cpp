#include "schemas/naming.h"

namespace weir::schemas {
namespace {

/// Takes ":.context:" off.
std::string take_context(std::string_view& subject) {
  if (!subject.starts_with(":.")) return {};
  const std::size_t end = subject.find(':', 2);
  if (end == subject.npos) return {};
  std::string context(subject.substr(1, end - 1));
  subject.remove_prefix(end + 1);
  return context;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix) || text.size() == suffix.size()) return false;
  text.remove_suffix(suffix.size());
  return true;
}

}  // namespace

SubjectName read_subject(std::string_view subject, NamingStrategy strategy, std::string_view record) {
  SubjectName name;
  name.context = take_context(subject);
  switch (strategy) {
    case NamingStrategy::topic_name:
      if (take_suffix(subject, "-value")) {
        name.part = "value";
      } else if (take_suffix(subject, "-key")) {
        name.part = "key";
      } else {
        return name;
      }
      name.topic = subject;
      return name;
    case NamingStrategy::topic_record_name:
      if (!record.empty() && take_suffix(subject, record) && take_suffix(subject, "-")) name.topic = subject;
      return name;
    case NamingStrategy::record_name: return name;
  }
  return name;
}

bool belongs(std::string_view subject, std::string_view topic, bool key, NamingStrategy strategy) {
  take_context(subject);
  switch (strategy) {
    case NamingStrategy::topic_name: return subject == std::string(topic) + (key ? "-key" : "-value");
    case NamingStrategy::topic_record_name: {
      const std::string prefix = std::string(topic) + "-";
      return subject.starts_with(prefix) && subject.size() > prefix.size();
    }
    case NamingStrategy::record_name: return true;
  }
  return true;
}

std::string subject_of_file(std::string_view stem, std::string_view folder, std::string_view record,
                            NamingStrategy strategy) {
  switch (strategy) {
    case NamingStrategy::topic_name: {
      const bool whole = stem.ends_with("-key") || stem.ends_with("-value");
      return std::string(stem) + (whole ? "" : "-value");
    }
    case NamingStrategy::record_name: return std::string(record);
    case NamingStrategy::topic_record_name:
      if (record.empty() || folder.empty()) return {};
      return std::string(folder) + "-" + std::string(record);
  }
  return {};
}

}  // namespace weir::schemas
