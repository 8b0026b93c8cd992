"""A loopback port that passes everything on until the line is cut."""

import asyncio
import threading

from .process import free_port


class Line:
    """`target` is a port, set before the first connection. cut() ends all connections and takes no more; mend() does again."""

    def __init__(self):
        self.port = free_port()
        self.target = None
        self._whole = True
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def cut(self):
        self._whole = False
        self._loop.call_soon_threadsafe(self._close_all)

    def mend(self):
        self._whole = True

    def _close_all(self):
        for writer in list(self._writers):
            writer.close()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self._loop.run_forever()

    async def _serve(self, reader, writer):
        if not self._whole:
            writer.close()
            return
        try:
            upstream, downstream = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, downstream}
        await asyncio.gather(self._pass_on(reader, downstream), self._pass_on(upstream, writer))
        self._writers -= {writer, downstream}

    @staticmethod
    async def _pass_on(reader, writer):
        try:
            while chunk := await reader.read(1 << 16):
                writer.write(chunk)
                await writer.drain()
        except (ConnectionError, OSError):
            pass
        finally:
            writer.close()
