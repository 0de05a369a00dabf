"""A real Redis Sentinel of one test, which decides alone."""

from __future__ import annotations

from pathlib import Path

from redis import Redis

from tests.redis_process import RedisProcess


class SentinelProcess(RedisProcess):
    """Watches a master, which it knows as ``main``, and its replicas."""

    def __init__(self, program: Path, directory: Path, master: RedisProcess) -> None:
        super().__init__(program, directory)
        self._master = master

    @property
    def url(self) -> str:
        """Where the master is to be found."""
        return f"redis+sentinel://127.0.0.1:{self.port}/main"

    def client(self) -> Redis:
        """See RedisProcess.client."""
        return Redis(host="127.0.0.1", port=self.port, socket_timeout=5.0)

    def watch(self, master: RedisProcess) -> None:
        """Has it take another server for the master from now on, which the one before does not hear of."""
        with self.client() as told:
            told.execute_command("SENTINEL", "REMOVE", "main")
            told.execute_command("SENTINEL", "MONITOR", "main", "127.0.0.1", str(master.port), "1")

    def command(self) -> list[str]:
        """How it is started. It writes to its own configuration, which is a file of the test."""
        config = self.directory / "sentinel.conf"
        config.write_text(
            f"sentinel monitor main 127.0.0.1 {self._master.port} 1\n"
            "sentinel down-after-milliseconds main 500\n"
            "sentinel failover-timeout main 5000\n"
        )
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--logfile", str(self.log)]
        return [str(self.program), str(config), "--sentinel", *place]
