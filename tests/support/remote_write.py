"""Writes samples with times of the caller's choice into a Prometheus, staleness markers too.

The protocol is Prometheus remote write 1.0: a protobuf WriteRequest in a snappy block. Both are written out here in
their plainest form (a snappy block may consist of literals alone), so that no library is needed.
"""

import struct

from . import http

STALE = "stale"
_STALE_BITS = struct.pack("<Q", 0x7FF0000000000002)
_LITERAL = 60  # bytes in a literal whose length fits its tag


def write(url, series):
    """`series` is a list of (labels, [(milliseconds, value)]); a value of STALE ends the series there."""
    requests = sorted({time for _, points in series for time, _ in points})
    at = {}
    for labels, points in series:
        for time, value in points:
            at.setdefault(time, []).append((labels, time, value))
    batch = []
    for time in requests:  # in order of time: older samples would be refused
        batch += at[time]
        if len(batch) > 2000:
            _post(url, batch)
            batch = []
    _post(url, batch)


def _post(url, samples):
    message = b"".join(_field(1, _time_series(*sample)) for sample in samples)
    answer = http.request(f"{url}/api/v1/write", method="POST", body=_snappy(message), headers={
        "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0"})
    assert answer.status in (200, 204), f"remote write: {answer.status} {answer.text}"


def _time_series(labels, time, value):
    pairs = b"".join(_field(1, _field(1, name.encode()) + _field(2, text.encode()))
                     for name, text in sorted(labels.items()))
    bits = _STALE_BITS if value is STALE else struct.pack("<d", value)
    return pairs + _field(2, b"\x09" + bits + b"\x10" + _varint(time))


def _field(number, content):
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _snappy(data):
    out = bytearray(_varint(len(data)))
    for start in range(0, len(data), _LITERAL):
        part = data[start:start + _LITERAL]
        out.append((len(part) - 1) << 2)
        out += part
    return bytes(out)
