/// librdkafka 2.0 drops a reference to its own queue when a request is not supported by the broker, as
/// DescribeGroups and ListGroups are not by the mock cluster: 176 bytes a client. What Weir itself allocates counts as
/// ever.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:librdkafka.so"; }
