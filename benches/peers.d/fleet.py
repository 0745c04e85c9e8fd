"""The servers that are compared: which are here, how each is started, what it uses."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORES = os.cpu_count()
TICKS = os.sysconf("SC_CLK_TCK")

# Name, program, arguments. WORK, SITE, PORT and CORES are put in, and CONF is the template of that name, filled.
PEERS = {
    "sockeye": ("sockeye", ["QUIET", "COMPRESS", "-p", "PORT", "SITE"]),
    "nginx": ("nginx", ["-p", "WORK", "-c", "CONF"]),
    "nginx-cached": ("nginx", ["-p", "WORK", "-c", "CONF"]),
    "h2o": ("h2o", ["-c", "CONF"]),
    "lighttpd": ("lighttpd", ["-D", "-f", "CONF"]),
    "caddy": ("caddy", ["run", "--adapter", "caddyfile", "--config", "CONF"]),
    "darkhttpd": ("darkhttpd", ["SITE", "--port", "PORT", "--addr", "127.0.0.1", "--maxconn", "16384"]),
    "static-web-server": ("static-web-server", ["--host", "127.0.0.1", "-p", "PORT", "-d", "SITE", "-g", "error"]),
    "miniserve": ("miniserve", ["-i", "127.0.0.1", "-p", "PORT", "SITE"]),
    "python": (sys.executable, ["-m", "http.server", "--bind", "127.0.0.1", "--protocol", "HTTP/1.1", "-d", "SITE", "PORT"]),
    "http-server": ("http-server", ["SITE", "-a", "127.0.0.1", "-p", "PORT", "-s"]),
}

# What stands for ACCESS_LOG in each template, without and with a log.
LOGS = {
    "nginx": ("access_log off;", "access_log WORK/nginx.access combined buffer=64k flush=1s;"),
    "h2o": ("", "access-log: WORK/h2o.access"),
    "lighttpd": ("", 'accesslog.filename = "WORK/lighttpd.access"'),
    "caddy": ("", "log {\n output file WORK/caddy.access\n }"),
}

# What stands for COMPRESS, for text that is compressed beforehand and text that is not. What is not here does neither.
COMPRESS = {
    "sockeye": "--compress",
    "nginx": "gzip on; gzip_static on;",
    "h2o": "compress: [gzip]\nfile.send-compressed: ON",
    "caddy": "encode gzip",
}

OPEN_FILES = "open_file_cache max=200000 inactive=60s; open_file_cache_valid 1s;"


def more_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program_of(name, sockeye):
    return str(sockeye) if name == "sockeye" else shutil.which(PEERS[name][0])


class Peer:
    """One server, running."""

    def __init__(self, name, sockeye, site, work, log=False, compress=False):
        self.name, self.port = name, free_port()
        self.program = program_of(name, sockeye)
        family = name.removesuffix("-cached")
        put = {"SITE": str(site), "PORT": str(self.port), "CORES": str(CORES)}
        folder = Path(work) / f"{name}-{self.port}"
        folder.mkdir()
        put["WORK"] = str(folder)
        template = HERE / f"{family}.conf"
        if template.exists():
            text = template.read_text().replace("ACCESS_LOG", LOGS[family][log])
            text = text.replace("COMPRESS", COMPRESS.get(name, "") if compress else "")
            text = text.replace("CACHE", OPEN_FILES if name.endswith("-cached") else "")
            for word, value in put.items():
                text = text.replace(word, value)
            put["CONF"] = str(folder / "conf")
            Path(put["CONF"]).write_text(text)
        words = [word for word in PEERS[name][1] if (word != "QUIET" or not log) and (word != "COMPRESS" or compress)]
        put["COMPRESS"] = "--compress"
        put["QUIET"] = "-q"
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.program] + [put.get(word, word) for word in words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(folder / "stderr", "wb"),
            # lighttpd signals its whole process group when it stops.
            start_new_session=True,
        )
        self.start_seconds = self.wait_for_answer(began)

    def wait_for_answer(self, began):
        while time.monotonic() - began < 20:
            try:
                if self.ask("/1k.txt")[0] == 200:
                    return time.monotonic() - began
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended at once; see {self.process.args}")
            time.sleep(0.0005)
        raise SystemExit(f"{self.name} does not answer")

    def ask(self, path, fields=""):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{fields}\r\n".encode())
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(65536)
                if not piece:
                    raise OSError("no answer")
                head += piece
        lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines[1:])
        return int(lines[0].split()[1]), {name.lower(): value.strip() for name, value in pairs}

    def processes(self):
        """All processes of its session: (pid, fields of /proc/PID/stat behind the name)."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                if int(fields[3]) == self.process.pid:
                    yield entry.name, fields

    def cpu_seconds(self):
        """User and system time so far, with those of children that have ended."""
        user = system = 0
        for _, fields in self.processes():
            user += int(fields[11]) + int(fields[13])
            system += int(fields[12]) + int(fields[14])
        return user / TICKS, system / TICKS

    def memory_bytes(self):
        total = 0
        for pid, _ in self.processes():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        for stop in (signal.SIGTERM, signal.SIGKILL):
            for pid, _ in list(self.processes()):
                try:
                    os.kill(int(pid), stop)
                except ProcessLookupError:
                    pass
            try:
                self.process.wait(timeout=3)
                if not list(self.processes()):
                    return
            except subprocess.TimeoutExpired:
                pass
