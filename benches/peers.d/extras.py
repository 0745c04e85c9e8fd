"""What is measured once per server rather than in rounds: starting, idle connections, many files, echoes."""

import os
import socket
import threading
import time


def idle_connections(peer, count):
    """Bytes of memory for each of `count` connections that have had one answer, and the process's whole."""
    before = peer.memory_bytes()
    clients = []
    try:
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", peer.port), timeout=20)
            client.sendall(b"GET /1k.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            client.recv(4096)
            clients.append(client)
        time.sleep(0.2)
        after = peer.memory_bytes()
    except OSError as error:
        return {"failed": str(error), "connected": len(clients)}
    finally:
        for client in clients:
            client.close()
    return {"bytes_each": (after - before) / count, "bytes_all": after}


def size_of(peer):
    return {"program_bytes": os.path.getsize(os.path.realpath(peer.program))}


def echo_bulk(port, total, head=b""):
    """Seconds to send `total` bytes and hear them again."""
    piece = bytes(256 * 1024)
    heard = 0
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        began = time.monotonic()

        def say():
            client.sendall(head)
            for _ in range(total // len(piece)):
                client.sendall(piece)

        speaker = threading.Thread(target=say)
        speaker.start()
        room = bytearray(1024 * 1024)
        while heard < total:
            count = client.recv_into(room)
            if not count:
                raise OSError("the echo broke off")
            heard += count
        speaker.join()
        return time.monotonic() - began


def echo_small(port, seconds, head=b""):
    """Echoes of 1 KB per second, one after the other on one connection."""
    said = head + bytes(1024)
    count = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        expected = None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            client.sendall(said)
            heard = b""
            while len(heard) < (expected or 1024):
                heard += client.recv(65536)
                if expected is None and (not head or b"\r\n\r\n" in heard):
                    expected = 1024 if not head else heard.index(b"\r\n\r\n") + 4 + 1024
            count += 1
    return count / seconds


def echoes(peer, plain_port, rounds):
    """Our echo beside a loop that only echoes."""
    total = 100 * 1024 * 1024
    bulk = f"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {total}\r\n\r\n".encode()
    small = b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1024\r\n\r\n"
    figures = {"http_mb_per_s": [], "tcp_mb_per_s": [], "http_1k_per_s": [], "tcp_1k_per_s": []}
    for _ in range(rounds):
        figures["http_mb_per_s"].append(total / 1e6 / echo_bulk(peer.port, total, bulk))
        figures["tcp_mb_per_s"].append(total / 1e6 / echo_bulk(plain_port, total))
        figures["http_1k_per_s"].append(echo_small(peer.port, 0.5, small))
        figures["tcp_1k_per_s"].append(echo_small(plain_port, 0.5))
    return figures
