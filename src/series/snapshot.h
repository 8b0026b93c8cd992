#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "series/store.h"

namespace weir::series {

/// What a snapshot holds: every series, and the names of the sources that their records give by number.
struct Snapshot {
  std::vector<std::string> sources;
  std::vector<SeriesRecord> records;
};

struct SaveReport {
  std::size_t series = 0;
  std::size_t bytes = 0;
};

/// Writes all that `store` holds to `path`: to a temporary file beside it, flushed to disk, then renamed. Any thread;
/// the store's writer waits for slices of a thousand series only.
/// Errors: what the file system says (storage); the file at `path` is as it was then.
core::Result<SaveReport> save_snapshot(const Store& store, const std::string& path);

/// Fills the empty `store` from `path`, leaving it empty on an error.
/// Errors: there is no such file (not_found), it cannot be read (storage), it is torn or damaged (invalid).
core::Result<RestoreReport> load_snapshot(Store& store, const std::string& path, core::Time now);

/// Reads and checks a snapshot of `size` bytes. Trusts none of its lengths: it takes no more memory than a small
/// multiple of `size`. Errors: what is wrong, and in which block (invalid).
core::Result<Snapshot> read_snapshot(std::istream& in, std::size_t size);

/// The file's form: the head, then blocks; the last one counts the others. Numbers are little-endian, varints LEB128.
namespace format {

enum class Block : std::uint8_t { series = 1, sources = 2, end = 3 };

/// Magic and version.
std::string head();
/// Appends type, size, CRC-32 of both and of the payload, and the payload.
void append_block(std::string& out, Block type, std::string_view payload);
void append_varint(std::string& out, std::uint64_t value);

}  // namespace format

}  // namespace weir::series
