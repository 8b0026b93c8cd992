"""A loopback port before a broker that counts the requests of clients by kind, and delays the answers when told to."""

import asyncio
import collections
import struct
import threading

from .process import free_port

# https://kafka.apache.org/protocol#protocol_api_keys
KINDS = {0: "Produce", 1: "Fetch", 2: "ListOffsets", 3: "Metadata", 8: "OffsetCommit", 9: "OffsetFetch", 10: "FindCoordinator",
         15: "DescribeGroups", 16: "ListGroups", 18: "ApiVersions", 32: "DescribeConfigs"}


class CountingProxy:
    """Passes everything on to `target` once that is set; `counted` holds the requests of all connections so far."""

    def __init__(self):
        self.port = free_port()
        self.target = None
        self.delay = 0.0  # seconds, of each answer
        self.counted = collections.Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def since(self, before):
        return self.counted - before

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self._loop.run_forever()

    async def _serve(self, reader, writer):
        try:
            upstream, downstream = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        answers = asyncio.ensure_future(self._pass_on(upstream, writer))
        try:
            while True:
                head = await reader.readexactly(6)
                size, kind = struct.unpack(">ih", head)
                body = await reader.readexactly(size - 2)
                self.counted[KINDS.get(kind, f"kind {kind}")] += 1
                downstream.write(head + body)
                await downstream.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            answers.cancel()
            downstream.close()
            writer.close()

    async def _pass_on(self, upstream, writer):
        try:
            while chunk := await upstream.read(1 << 16):
                await asyncio.sleep(self.delay)
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
