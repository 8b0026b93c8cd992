"""A member of a group that speaks Kafka's protocol by itself: for groups whose clients are not at hand (Streams, Connect).

https://kafka.apache.org/protocol: JoinGroup 2, SyncGroup 0 and LeaveGroup 0, which every broker since 0.11 takes.
"""

import socket
import struct

JOIN, LEAVE, SYNC = 11, 13, 14


def _text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def _bytes(data):
    return struct.pack(">i", len(data)) + data


class _Reader:
    def __init__(self, data):
        self._data, self._at = data, 0

    def number(self, kind):
        found, = struct.unpack_from(f">{kind}", self._data, self._at)
        self._at += struct.calcsize(f">{kind}")
        return found

    def text(self):
        size = self.number("h")
        self._at += size
        return self._data[self._at - size:self._at].decode()


class RawMember:
    """The one member of `group`, of a protocol type and a protocol (its assignor), on a cluster of one broker. It sends no
    heartbeats: its session lasts half a minute."""

    def __init__(self, kafka, group, protocol_type, protocol, topics=()):
        self._group = group
        self._socket = socket.create_connection(("127.0.0.1", kafka.brokers[0].port), 10)
        self._socket.settimeout(20)
        subscription = struct.pack(">hi", 0, len(topics)) + b"".join(map(_text, topics)) + struct.pack(">i", -1)
        answer = self._ask(JOIN, 2, _text(group) + struct.pack(">ii", 30_000, 30_000) + _text("") + _text(protocol_type)
                           + struct.pack(">i", 1) + _text(protocol) + _bytes(subscription))
        answer.number("i")  # throttled
        self._expect(answer)
        generation = answer.number("i")
        answer.text()
        answer.text()
        self._member = answer.text()
        assignment = struct.pack(">hi", 0, len(topics)) + b"".join(
            _text(topic) + struct.pack(">ii", 1, 0) for topic in topics) + struct.pack(">i", -1)
        self._expect(self._ask(SYNC, 0, _text(group) + struct.pack(">i", generation) + _text(self._member)
                               + struct.pack(">i", 1) + _text(self._member) + _bytes(assignment)))

    def _ask(self, what, version, body):
        request = struct.pack(">hhi", what, version, 1) + _text("raw") + body
        self._socket.sendall(_bytes(request))
        size, = struct.unpack(">i", self._receive(4))
        answer = _Reader(self._receive(size))
        answer.number("i")  # which request it answers
        return answer

    def _receive(self, size):
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            assert part, "the broker hung up"
            data += part
        return data

    @staticmethod
    def _expect(answer):
        error = answer.number("h")
        assert error == 0, f"the broker answered with error {error}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ask(LEAVE, 0, _text(self._group) + _text(self._member))
        self._socket.close()
