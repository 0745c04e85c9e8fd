#!/usr/bin/env python3
"""What a normal request costs beside 2,000 slow heads, 500 slow readers and 10,000 idle connections.

    tests/torture.py PROGRAM [--scale 1.0] [--seconds 10] [--no-nginx]

Runs PROGRAM (a release build of sockeye), then nginx if there is one, each on a free port and the same files, and prints
for each: p50 and p99 of one small request idle and under load, errors, resident memory, descriptors. Needs a limit of
about 13,000 descriptors here (raised as far as allowed) and for the server. Then clients that do not take their answers, clients
that pipeline costly requests, and SIGTERM during 100 downloads.
Standard library only.
"""

import argparse
import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

GET = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE_BYTES = 100_000_000


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(port):
    s = socket.socket()
    s.settimeout(20)
    s.connect(("127.0.0.1", port))
    return s


def percentiles(times):
    times = sorted(times)
    return tuple(1000 * times[min(len(times) - 1, int(len(times) * q))] for q in (0.5, 0.99))


def measure(port, seconds):
    """One new connection and one request after the other; seconds each, and how many failed."""
    times, errors, end = [], 0, time.time() + seconds
    while time.time() < end:
        begun = time.perf_counter()
        try:
            with connect(port) as s:
                s.sendall(GET % b"small.txt")
                if b" 200 " not in s.recv(4096):
                    errors += 1
        except OSError:
            errors += 1
        times.append(time.perf_counter() - begun)
        time.sleep(0.005)
    return times, errors


def processes(pid):
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return [pid] + [int(child) for child in children]


def memory(pid):
    """Anonymous and resident KiB: what is the server's own, not the page cache's."""
    total = [0, 0]
    for process in processes(pid):
        for line in open(f"/proc/{process}/status"):
            total[0] += int(line.split()[1]) if line.startswith("RssAnon") else 0
            total[1] += int(line.split()[1]) if line.startswith("VmRSS") else 0
    return total


def descriptors(pid):
    return sum(len(os.listdir(f"/proc/{process}/fd")) for process in processes(pid))


def switches(pid):
    """How often its threads have gone to sleep."""
    count = 0
    for process in processes(pid):
        for task in os.listdir(f"/proc/{process}/task"):
            for line in open(f"/proc/{process}/task/{task}/status"):
                count += int(line.split()[1]) if "ctxt_switches" in line else 0
    return count


def torture(name, port, pid, scale, seconds):
    slow_heads, slow_readers, idle = (int(n * scale) for n in (2000, 500, 10000))
    quiet, _ = measure(port, min(seconds, 3))
    anon = memory(pid)[0]
    idlers = [connect(port) for _ in range(idle)]
    for s in idlers:
        s.sendall(GET % b"small.txt")
    for s in idlers:
        s.recv(4096)
    time.sleep(0.3)
    idle_anon = memory(pid)[0]
    before, begun = switches(pid), time.time()
    time.sleep(3)
    wakes = (switches(pid) - before) / (time.time() - begun)
    heads = [connect(port) for _ in range(slow_heads)]
    for s in heads:
        s.sendall(b"GET /small.txt HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    readers = []
    for n in range(slow_readers):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        s.connect(("127.0.0.1", port))
        s.sendall(GET % b"large.bin")
        readers.append(s)
    worker = os.fork()
    if worker == 0:
        # The slow ones go on being slow while the normal one is measured.
        end = time.time() + seconds + 2
        while time.time() < end:
            for s in heads:
                try:
                    s.send(b"x")
                except OSError:
                    pass
            for s in readers:
                try:
                    s.recv(2048, socket.MSG_DONTWAIT)
                except OSError:
                    pass
            time.sleep(0.5)
        os._exit(0)
    loaded, errors = measure(port, seconds)
    held = memory(pid)
    print(f"{name}: {idle} idle, {slow_heads} slow heads, {slow_readers} slow readers")
    print("  normal request, idle server   p50 %.2f ms  p99 %.2f ms" % percentiles(quiet))
    print("  normal request, under load    p50 %.2f ms  p99 %.2f ms  %d of %d failed" % (*percentiles(loaded), errors, len(loaded)))
    print(f"  own memory: {anon} KiB at first, {(idle_anon - anon) / max(idle, 1):.3f} KiB per idle connection, {held[0]} KiB under load (resident {held[1]} KiB)")
    print(f"  descriptors: {descriptors(pid)}; wake-ups per second with idle connections only: {wakes:.1f}", flush=True)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    for s in idlers + heads + readers:
        s.close()


def start_sockeye(program, site, extra=()):
    port = free_port()
    server = subprocess.Popen([program, site, "--port", str(port), "--quiet", *extra], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    server.stdout.readline()
    return server, port


def start_nginx(site, work):
    port = free_port()
    config = os.path.join(work, "nginx.conf")
    with open(config, "w") as f:
        f.write(f"""worker_processes 2; worker_rlimit_nofile 20000; pid {work}/nginx.pid; error_log {work}/error.log; daemon off;
events {{ worker_connections 16000; }}
http {{ access_log off; sendfile on; tcp_nodelay on; client_header_timeout 60s; keepalive_timeout 75s;
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {site}; }} }}
""")
    server = subprocess.Popen(["nginx", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            connect(port).close()
            break
        except OSError:
            time.sleep(0.02)
    return server, port


def downloads(program, site, grace, read):
    """SIGTERM during 100 downloads of which `read` are read to their end."""
    server, port = start_sockeye(program, site, ["--grace", str(grace)])
    clients = [connect(port) for _ in range(100)]
    for s in clients:
        s.sendall(GET % b"medium.bin")
    for s in clients:
        s.recv(1000)
    begun = time.time()
    server.send_signal(signal.SIGTERM)
    whole, got = 0, {s: 0 for s in clients[:read]}
    open_ones = set(got)
    while open_ones:
        for s in select.select(list(open_ones), [], [], 20)[0]:
            data = b""
            try:
                data = s.recv(1 << 18)
            except OSError:
                pass
            got[s] += len(data)
            if not data:
                open_ones.discard(s)
                whole += got[s] > 10_000_000 - 1000
    code = server.wait(timeout=60)
    print(f"SIGTERM during 100 downloads, {read} read on, --grace {grace}: {whole} whole, exit {code} after {time.time() - begun:.2f} s: "
          + server.stderr.read().strip().splitlines()[-1], flush=True)


def ticks(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def filled(s, piece):
    """Sends until no more fits."""
    s.setblocking(False)
    refused = None
    while refused is None or time.time() - refused < 0.2:
        try:
            s.send(piece)
            refused = None
        except OSError:
            refused = refused or time.time()
    return s


def blocked(program, site):
    """Clients that do not take their answers: what each kind costs while nothing moves."""
    server, port = start_sockeye(program, site)

    def download(count, read=0, ends=False):
        s = connect(port)
        s.sendall(GET % b"large.bin" * count)
        while read > 0:
            read -= len(s.recv(min(read, 65536)))
        if ends:
            s.shutdown(socket.SHUT_WR)
        return s

    def echo():
        s = connect(port)
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
        return filled(s, b"x" * 65536)

    cases = {
        "half-closed": lambda: download(1, 1000, True),
        "another request waits": lambda: download(3, 1000),
        "echo, sends and does not read": echo,
        "takes 64 KiB and ends": lambda: download(2, 65536, True),
    }
    for name, begin in cases.items():
        clients = [begin() for _ in range(4)]
        time.sleep(0.3)
        before = ticks(server.pid)
        time.sleep(2)
        spent = (ticks(server.pid) - before) / os.sysconf("SC_CLK_TCK") / 2
        print(f"4 blocked clients, {name}: {spent:.3f} of a core", flush=True)
        for s in clients:
            s.close()
    server.terminate()
    server.wait(timeout=30)


def pipelined(program, site):
    """Many clients pipeline what is costly to look up, in spellings that nobody has asked for: how long a newcomer waits."""
    server, port = start_sockeye(program, site)
    busy = []
    for client in range(40):
        s = connect(port)
        targets = (b"/" * (number + 1) + b"%d/../medium.bin" % client for number in range(150))
        s.sendall(b"".join(b"HEAD %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target for target in targets))
        busy.append(s)
    begun = time.perf_counter()
    with connect(port) as s:
        s.sendall(GET % b"small.txt")
        s.recv(4096)
    print(f"40 clients pipeline 150 HEADs each: a newcomer waits {time.perf_counter() - begun:.3f} s", flush=True)
    for s in busy:
        s.close()
    server.terminate()
    server.wait(timeout=30)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--no-nginx", action="store_true")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        site = os.path.join(work, "site")
        os.mkdir(site)
        for name, size in (("small.txt", 1000), ("medium.bin", 10_000_000), ("large.bin", LARGE_BYTES)):
            with open(os.path.join(site, name), "wb") as f:
                f.write(b"x" * size)
        # The slow heads must outlast the measuring, as they do at nginx.
        wanted = str(int(13_000 * options.scale) + 500)
        server, port = start_sockeye(options.program, site, ["--max-connections", wanted, "--head-timeout", "60", "--write-timeout", "60"])
        torture("sockeye", port, server.pid, options.scale, options.seconds)
        server.terminate()
        server.wait(timeout=30)
        if not options.no_nginx and shutil.which("nginx"):
            server, port = start_nginx(site, work)
            torture("nginx", port, server.pid, options.scale, options.seconds)
            server.terminate()
            server.wait(timeout=30)
        blocked(options.program, site)
        pipelined(options.program, site)
        downloads(options.program, site, 20, 100)
        downloads(options.program, site, 2, 50)


if __name__ == "__main__":
    sys.exit(main())
