#pragma once

#include <string>
#include <string_view>

namespace weir::schemas {

/// How producers name the subject of a message's schema
/// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html).
enum class NamingStrategy { topic_name, record_name, topic_record_name };

/// What a subject's name tells.
struct SubjectName {
  std::string context;  // ".staging" of ":.staging:orders-value", "" for the default one
  std::string topic;    // "" where the name does not tell it
  std::string part;     // "key" or "value" where the name tells it
};

/// `record` is the full name of the schema's root type; it takes TopicRecordName to tell the topic.
SubjectName read_subject(std::string_view subject, NamingStrategy strategy, std::string_view record);

/// Whether messages of the topic's keys (or values) may have a schema of this subject.
bool belongs(std::string_view subject, std::string_view topic, bool key, NamingStrategy strategy);

/// The subject of a schema file. `stem` is its name without the extension, `folder` the name of its folder; the record
/// is the full name of its root type. TopicName: the stem, with -value unless it ends with -key or -value. RecordName:
/// the record. TopicRecordName: <folder>-<record>. "" where the record would be needed and has no name.
std::string subject_of_file(std::string_view stem, std::string_view folder, std::string_view record,
                            NamingStrategy strategy);

}  // namespace weir::schemas
