#include "series/snapshot.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <istream>
#include <unistd.h>
#include <unordered_set>
#include <utility>
#include <zlib.h>

namespace weir::series {
namespace {

constexpr std::string_view kMagic = "WEIRSER\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeadBytes = 12;
constexpr std::size_t kBlockHeadBytes = 9;  // type, size, checksum
constexpr std::size_t kBlockBytes = 1U << 20U;
constexpr std::size_t kSlice = 1000;  // series copied at a time

void append_u32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>((value >> shift) & 0xffU);
}

std::uint32_t u32_at(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<std::uint8_t>(text[at + i])} << (8 * i);
  return value;
}

std::uint32_t checksum(std::string_view a, std::string_view b) {
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); };
  return static_cast<std::uint32_t>(crc32_z(crc32_z(0, bytes(a), a.size()), bytes(b), b.size()));
}

void append_text(std::string& out, std::string_view text) {
  format::append_varint(out, text.size());
  out += text;
}

void append_record(std::string& out, const SeriesRecord& record) {
  format::append_varint(out, record.labels.size());
  for (const auto& [name, value] : record.labels) {
    append_text(out, name);
    append_text(out, value);
  }
  format::append_varint(out, record.source == SeriesRecord::kEnded ? 0 : std::uint64_t{record.source} + 1);
  format::append_varint(out, record.chunks.size());
  for (const Chunk& chunk : record.chunks) {
    const std::int64_t first = chunk.first_time().time_since_epoch().count();
    format::append_varint(out, (static_cast<std::uint64_t>(first) << 1U) ^ static_cast<std::uint64_t>(first >> 63));
    format::append_varint(out, static_cast<std::uint64_t>((chunk.last_time() - chunk.first_time()).count()));
    format::append_varint(out, chunk.size());
    append_text(out, {reinterpret_cast<const char*>(chunk.bits().data()), chunk.bits().size()});
  }
}

/// Takes values off the front of a payload; once something is missing, failed() and only zeros.
class Cursor {
 public:
  explicit Cursor(std::string_view left) : left_(left) {}

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(left_.front());
      left_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    failed_ = true;
    left_ = {};
    return 0;
  }
  std::string_view text() {
    const std::uint64_t size = varint();
    if (size > left_.size()) {
      failed_ = true;
      left_ = {};
    }
    const std::string_view text = left_.substr(0, failed_ ? 0 : size);
    left_.remove_prefix(text.size());
    return text;
  }
  std::int64_t zigzag() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1U));
  }
  bool at_end() const { return left_.empty(); }
  bool failed() const { return failed_; }

 private:
  std::string_view left_;
  bool failed_ = false;
};

std::unexpected<core::Error> bad(std::string message) {
  return core::fail(core::ErrorKind::invalid, std::move(message));
}

core::Result<core::Labels> take_labels(Cursor& in) {
  std::vector<core::Labels::Pair> pairs;
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    const std::string_view name = in.text();
    const std::string_view value = in.text();
    if (in.failed()) break;
    if (value.empty() || (!pairs.empty() && pairs.back().first >= name)) return bad("labels that are not in order");
    pairs.emplace_back(name, value);
  }
  if (in.failed() || pairs.empty()) return bad("a series without its labels");
  return core::Labels(std::span<const core::Labels::Pair>(pairs));
}

core::Result<Chunk> take_chunk(Cursor& in) {
  const core::Time first{core::Duration(in.zigzag())};
  const std::uint64_t span = in.varint();
  const std::uint64_t count = in.varint();
  const std::string_view bits = in.text();
  if (in.failed()) return bad("a chunk that is cut off");
  if (span > static_cast<std::uint64_t>(Chunk::kSpan.count())) return bad("a chunk of no possible span of time");
  const core::Time last(
      core::Duration(static_cast<std::int64_t>(static_cast<std::uint64_t>(first.time_since_epoch().count()) + span)));
  return Chunk::from_bits(first, last, count, {reinterpret_cast<const std::uint8_t*>(bits.data()), bits.size()});
}

core::Result<SeriesRecord> take_record(Cursor& in) {
  auto labels = take_labels(in);
  if (!labels) return std::unexpected(labels.error());
  SeriesRecord record{.labels = std::move(*labels), .chunks = {}, .source = SeriesRecord::kEnded};
  const auto named = [&](std::string what) { return bad(record.labels.to_string() + ": " + std::move(what)); };
  const std::uint64_t source = in.varint();
  if (source > SeriesRecord::kEnded) return named("a source of no possible number");
  if (source > 0) record.source = static_cast<std::uint32_t>(source - 1);
  const std::uint64_t chunks = in.varint();
  for (std::uint64_t i = 0; i < chunks && !in.failed(); ++i) {
    auto chunk = take_chunk(in);
    if (!chunk) return named(chunk.error().message);
    if (!record.chunks.empty() && chunk->first_time() <= record.chunks.back().last_time())
      return named("chunks that are not in order");
    record.chunks.push_back(std::move(*chunk));
  }
  if (record.chunks.empty()) return named("a series without samples");
  return record;
}

/// Takes block after block off a stream, each with its checksum verified.
class BlockReader {
 public:
  BlockReader(std::istream& in, std::size_t size) : in_(in), left_(size) {}

  core::Result<void> take_head() {
    std::string head;
    if (!take(kHeadBytes, head) || !head.starts_with(kMagic)) return bad("it is no snapshot of series");
    const std::uint32_t version = u32_at(head, kMagic.size());
    if (version != kVersion)
      return bad(fmt::format("it is of version {}, and this Weir reads version {}", version, kVersion));
    return {};
  }
  core::Result<format::Block> take_block(std::string& payload) {
    ++blocks_;
    const std::uint64_t at = read_;
    std::string head;
    if (!take(kBlockHeadBytes, head)) return bad(fmt::format("it is cut off at byte {}, before its end", at));
    const std::uint32_t size = u32_at(head, 1);
    if (!take(size, payload))
      return bad(fmt::format("block {} at byte {} says {} bytes, and {} follow", blocks_, at, size, left_));
    if (checksum(std::string_view(head).substr(0, 5), payload) != u32_at(head, 5))
      return bad(fmt::format("block {} at byte {}: the checksum does not match", blocks_, at));
    return static_cast<format::Block>(head[0]);
  }
  std::size_t left() const { return left_; }
  std::size_t blocks() const { return blocks_; }

 private:
  bool take(std::size_t bytes, std::string& out) {
    if (bytes > left_) return false;
    out.resize(bytes);
    if (!in_.read(out.data(), static_cast<std::streamsize>(bytes))) return false;
    left_ -= bytes;
    read_ += bytes;
    return true;
  }

  std::istream& in_;
  std::size_t left_;
  std::uint64_t read_ = 0;
  std::size_t blocks_ = 0;
};

core::Result<void> take_series(std::string_view payload, std::size_t block, Snapshot& snapshot) {
  Cursor in(payload);
  while (!in.at_end()) {
    auto record = take_record(in);
    if (!record) return bad(fmt::format("block {}: {}", block, record.error().message));
    snapshot.records.push_back(std::move(*record));
  }
  return {};
}

core::Result<void> take_sources(std::string_view payload, Snapshot& snapshot) {
  Cursor in(payload);
  while (!in.at_end()) snapshot.sources.emplace_back(in.text());
  if (in.failed()) return bad("the names of the sources are cut off");
  return {};
}

core::Result<void> check_whole(std::string_view end, const BlockReader& reader, const Snapshot& snapshot) {
  Cursor in(end);
  const std::uint64_t blocks = in.varint();
  const std::uint64_t series = in.varint();
  if (in.failed() || !in.at_end() || blocks != reader.blocks() || series != snapshot.records.size())
    return bad("blocks are missing");
  if (reader.left() > 0) return bad(fmt::format("{} bytes follow its end", reader.left()));
  std::unordered_set<core::Labels> seen;
  for (const SeriesRecord& record : snapshot.records) {
    if (!seen.insert(record.labels).second) return bad(record.labels.to_string() + " is in it twice");
    if (record.source != SeriesRecord::kEnded && record.source >= snapshot.sources.size())
      return bad(record.labels.to_string() + ": its source has no name");
  }
  return {};
}

core::Error io_error(const std::string& what, const std::string& path) {
  return core::fail(core::ErrorKind::storage, what + ": " + std::strerror(errno), path).error();
}

/// The temporary file; removed unless published.
class Output {
 public:
  explicit Output(const std::string& path) : path_(path), temporary_(path + ".tmp") {
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  ~Output() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!published_) ::unlink(temporary_.c_str());
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  core::Result<void> write(std::string_view text) {
    if (descriptor_ < 0) return std::unexpected(io_error("cannot be created", temporary_));
    bytes_ += text.size();
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return std::unexpected(io_error("cannot be written", temporary_));
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }
  core::Result<void> publish() {
    if (::fsync(descriptor_) != 0) return std::unexpected(io_error("cannot be flushed to disk", temporary_));
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
      return std::unexpected(io_error("cannot be put in place of " + path_, temporary_));
    published_ = true;
    std::string folder = std::filesystem::path(path_).parent_path().string();
    if (folder.empty()) folder = ".";
    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool flushed = directory >= 0 && ::fsync(directory) == 0;
    if (directory >= 0) ::close(directory);
    if (!flushed) return std::unexpected(io_error("its name cannot be flushed to disk", path_));
    return {};
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
  bool published_ = false;
  std::size_t bytes_ = 0;
};

/// Gathers records into blocks of about kBlockBytes.
class SnapshotWriter {
 public:
  explicit SnapshotWriter(Output& out) : out_(out) {}

  core::Result<void> add(const SeriesRecord& record) {
    // One that was dropped and came back while others were copied would be met again.
    if (!written_.insert(record.labels).second) return {};
    append_record(payload_, record);
    if (payload_.size() < kBlockBytes) return {};
    return flush(format::Block::series);
  }
  core::Result<void> finish(const std::vector<std::string>& sources) {
    if (!payload_.empty()) {
      if (auto done = flush(format::Block::series); !done) return done;
    }
    for (const std::string& source : sources) append_text(payload_, source);
    if (auto done = flush(format::Block::sources); !done) return done;
    format::append_varint(payload_, blocks_ + 1);
    format::append_varint(payload_, written_.size());
    return flush(format::Block::end);
  }
  std::size_t series() const { return written_.size(); }

 private:
  core::Result<void> flush(format::Block type) {
    std::string block;
    block.reserve(payload_.size() + kBlockHeadBytes);
    format::append_block(block, type, payload_);
    payload_.clear();
    ++blocks_;
    return out_.write(block);
  }

  Output& out_;
  std::string payload_;
  std::size_t blocks_ = 0;
  std::unordered_set<core::Labels> written_;
};

}  // namespace

namespace format {

std::string head() {
  std::string head(kMagic);
  append_u32(head, kVersion);
  return head;
}

void append_block(std::string& out, Block type, std::string_view payload) {
  std::string start(1, static_cast<char>(type));
  append_u32(start, static_cast<std::uint32_t>(payload.size()));
  out += start;
  append_u32(out, checksum(start, payload));
  out += payload;
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7fU) | 0x80U);
  out += static_cast<char>(value);
}

}  // namespace format

core::Result<SaveReport> save_snapshot(const Store& store, const std::string& path) {
  Output out(path);
  if (auto done = out.write(format::head()); !done) return std::unexpected(done.error());
  SnapshotWriter writer(out);
  std::vector<SeriesRecord> records;
  std::size_t slot = 0;
  do {
    records.clear();
    slot = store.copy(slot, kSlice, records);
    for (const SeriesRecord& record : records) {
      if (auto done = writer.add(record); !done) return std::unexpected(done.error());
    }
  } while (slot != 0);
  // Taken last: the numbers of all that was copied are among them.
  if (auto done = writer.finish(store.sources()); !done) return std::unexpected(done.error());
  if (auto done = out.publish(); !done) return std::unexpected(done.error());
  return SaveReport{.series = writer.series(), .bytes = out.bytes()};
}

core::Result<Snapshot> read_snapshot(std::istream& in, std::size_t size) {
  BlockReader reader(in, size);
  Snapshot snapshot;
  if (auto done = reader.take_head(); !done) return std::unexpected(done.error());
  std::string payload;
  while (true) {
    const auto type = reader.take_block(payload);
    if (!type) return std::unexpected(type.error());
    core::Result<void> taken;
    switch (*type) {
      case format::Block::series: taken = take_series(payload, reader.blocks(), snapshot); break;
      case format::Block::sources: taken = take_sources(payload, snapshot); break;
      case format::Block::end: taken = check_whole(payload, reader, snapshot); break;
      default: taken = bad(fmt::format("block {} is of an unknown type", reader.blocks()));
    }
    if (!taken) return std::unexpected(taken.error());
    if (*type == format::Block::end) return snapshot;
  }
}

core::Result<RestoreReport> load_snapshot(Store& store, const std::string& path, core::Time now) {
  std::error_code failed;
  const bool there = std::filesystem::exists(path, failed);
  if (!there && !failed) return core::fail(core::ErrorKind::not_found, "there is no snapshot yet", path);
  const std::uintmax_t size = failed ? 0 : std::filesystem::file_size(path, failed);
  std::ifstream in(path, std::ios::binary);
  if (failed || !in)
    return core::fail(core::ErrorKind::storage, "cannot be read: " + (failed ? failed.message() : std::strerror(errno)),
                      path);
  auto snapshot = read_snapshot(in, size);
  if (!snapshot) {
    core::Error error = snapshot.error();
    error.where = path;
    return std::unexpected(error);
  }
  return store.restore(snapshot->sources, std::move(snapshot->records), now);
}

}  // namespace weir::series
