#!/usr/bin/env python3
"""sources.py - what an agent with many sources costs at rest.

    tests/bench/sources.py [--sources N] [--interval SECONDS] [--seconds N]
        [--slow N] [--late SECONDS] [--cpu PERCENT] [--memory MB] [--plain]

One agent reads N sources of several vendors, which have nothing new.  Some
vendors are slow: they answer after half a minute, send a byte at a time, or
never answer.  The vendors are one process with an event loop, over TLS unless
--plain.  Once every source has been polled, for --seconds: CPU and PSS of all
roles, how polls spread over time, and whether the other sources had their polls;
then how long a new event takes from its poll to the output.  Fails above the
limits.  $SEALFEED_BUILD: the build folder, default the source tree.
"""
import argparse
import asyncio
import collections
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SEALFEED_BUILD", TOP))
TENANT = "0fd4a6f1-95a8-4e43-9f43-%012d"
PATIENCE = 180
SECRET = "abcdefghijkl"

WHEN = ',"published":"%(now)s","@timestamp":%(epoch)d000,"date_create":%(epoch)d,"eventTime":"%(now)s"'

# Of each vendor how many parts, the options, and where its events are in a reply.
VENDORS = {
    "okta": (4, "token: %s" % SECRET, "[%s]"),
    "github": (2, "org: acme, token: %s, streams: [web]" % SECRET, "[%s]"),
    "slack": (2, "token: %s" % SECRET, '{"entries":[%s],"response_metadata":{"next_cursor":""}}'),
    "tailscale": (1, "token: %s" % SECRET, '{"logs":[%s]}'),
    "office365": (1, "client_id: %s, client_secret: %s, content: [Audit.General]" % (TENANT % 0, SECRET), None),
}


def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def kinds(count):
    """The vendor of each source."""
    round_ = [kind for kind, (parts, _, _) in VENDORS.items() for _ in range(parts)]
    return [round_[i % len(round_)] for i in range(count)]


class Vendors:
    """The loop that answers, in a thread of its own."""

    def __init__(self, count, slow, folder, plain):
        self.kinds = kinds(count)
        self.slow = {i: ("late", "drip", "never")[i % 3] for i in range(slow)}
        self.polls = collections.defaultdict(list)  # of each source: when it was asked
        self.waiting = {}  # source: an event that it has to show, and since when
        self.lock = threading.Lock()
        self.context = None
        self.scheme = "http"
        if not plain:
            self.scheme = "https"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", "/CN=localhost",
                 "-addext", "subjectAltName=DNS:localhost,DNS:*.okta.localhost", "-keyout", folder / "vendor.key", "-out", folder / "vendor.pem"],
                check=True, stderr=subprocess.DEVNULL)
            self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.context.load_cert_chain(folder / "vendor.pem", folder / "vendor.key")
        ready = threading.Event()
        threading.Thread(target=asyncio.run, args=(self.serve(ready),), daemon=True).start()
        ready.wait()

    async def serve(self, ready):
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0, ssl=self.context, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    async def talk(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
                if length:
                    await reader.readexactly(length[0])
                _, name, path = head.split(b" ", 2)[1].decode().split("/", 2)
                source = int(name[1:])
                body = self.answer(source, path)
                await self.send(writer, self.slow.get(source) if "token" not in path else None, body)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def send(self, writer, how, body):
        reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        if how in ("late", "never"):
            await asyncio.sleep(30 if how == "late" else 3600)
        for i in range(len(reply) if how == "drip" else 0):
            writer.write(reply[i:i + 1])
            await writer.drain()
            await asyncio.sleep(0.5)
        writer.write(reply if how != "drip" else b"")
        await writer.drain()

    def answer(self, source, path):
        kind = self.kinds[source]
        path = path.split(" ", 1)[0]
        if "oauth2" in path:
            return b'{"access_token":"abcdefghijkl","expires_in":3600}'
        with self.lock:
            self.polls[source].append(time.monotonic())
            shown = self.waiting.get(source)
        if kind == "office365":
            return self.office365(path)
        return (VENDORS[kind][2] % (shown or "")).encode()

    def url(self, source):
        """Where a source is asked.  A tenant of Okta has a host of its own, the other vendors have one for all."""
        own = self.context is not None and self.kinds[source] == "okta"
        return "%s://%slocalhost:%d/s%d" % (self.scheme, "s%d.okta." % source if own else "", self.port, source)

    def go_on(self):
        with self.lock:
            return all(len(times) > 1 for source, times in self.polls.items() if source not in self.slow)

    @staticmethod
    def office365(path):
        if "subscriptions/list" in path:
            return b'[{"contentType":"Audit.General","status":"enabled","webhook":null}]'
        return b"[]"


def write_config(folder, vendors, interval):
    lines = [
        "agent: { name: bench.example.com, key: %(f)s/keys/seal.pem, store: { path: %(f)s/state/store.db }, seal: { log: %(f)s/log/seal.log }, watch: { listen: %(f)s/watch.sock }, sandbox: off, log_level: warn }" % {"f": folder},
        "outputs: { f: { type: file, path: %s/out/events.ndjson } }" % folder,
        "sources:",
    ]
    for i, kind in enumerate(vendors.kinds):
        base = vendors.url(i)
        where = "tenant: %s, login_url: %s, api_url: %s" % (TENANT % i, base, base) if kind == "office365" else "hosts: { api: %s }" % base
        if kind == "okta":
            where = "domain: s%d.okta.com, %s" % (i, where)
        ca = "" if vendors.scheme == "http" else ", tls: { ca: %s/vendor.pem }" % folder
        lines.append("  s%d: { type: %s, %s, %s, interval: %gs%s }" % (i, kind, VENDORS[kind][1], where, interval, ca))
    for name in ("keys", "state", "log", "out"):
        (folder / name).mkdir(mode=0o700)
    (folder / "sealfeed.yaml").write_text("\n".join(lines) + "\n")


def processes(pid):
    text = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout
    return [pid] + [int(p) for p in text.split()]


def name_of(pid):
    return pathlib.Path("/proc/%d/comm" % pid).read_text().strip()


def cpu(pid):
    """CPU seconds of each role."""
    total = {}
    for p in processes(pid):
        fields = pathlib.Path("/proc/%d/stat" % p).read_text().rsplit(")", 1)[1].split()
        total[name_of(p)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def pss(pid):
    total = {}
    for p in processes(pid):
        rollup = pathlib.Path("/proc/%d/smaps_rollup" % p).read_text()
        total[name_of(p)] = int(rollup.split("\nPss:")[1].split()[0]) / 1024
    return total


def until(what, condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit("not within %d s: %s" % (seconds, what))
        time.sleep(0.1)


def measure(vendors, pid, seconds):
    """CPU seconds a second of each role, polls, and the most of these in a second."""
    cpu_before, begin = cpu(pid), time.monotonic()
    time.sleep(seconds)
    cpu_after, end = cpu(pid), time.monotonic()
    with vendors.lock:
        polls = [t for times in vendors.polls.values() for t in times if begin <= t < end]
    a_second = collections.Counter(int(t - begin) for t in polls)
    return {role: (s - cpu_before[role]) / (end - begin) for role, s in cpu_after.items()}, len(polls), max(a_second.values(), default=0)


def longest_pause(vendors):
    """The longest time that a source which is not slow was not asked, and which it is."""
    now = time.monotonic()
    with vendors.lock:
        pauses = [
            (max(b - a for a, b in zip(times, times[1:] + [now])), "s%d" % source)
            for source, times in vendors.polls.items()
            if source not in vendors.slow
        ]
    return max(pauses)


def shows(vendors, folder, source):
    """A source has an event to show: seconds from its next poll to the output."""
    name = "event-of-%d" % source
    with vendors.lock:
        polls = len(vendors.polls[source])
        vendors.waiting[source] = '{"uuid":"%s","_document_id":"%s","id":"%s"%s}' % (name, name, name, WHEN % {"now": stamp(), "epoch": time.time()})
    until("s%d is polled" % source, lambda: len(vendors.polls[source]) > polls, PATIENCE)
    begin = time.monotonic()
    until("%s is in the output" % name, lambda: name in (folder / "out" / "events.ndjson").read_text(), PATIENCE)
    return time.monotonic() - begin


def of_roles(figures, digits):
    return ", ".join("%s %.*f" % (role, digits, figure) for role, figure in figures.items())


def run(args, folder):
    vendors = Vendors(args.sources, args.slow, folder, args.plain)
    write_config(folder, vendors, args.interval)
    subprocess.run([BUILD / "sealfeed", "keygen", "--name", "bench.example.com", folder / "keys" / "seal.pem"], check=True, stdout=subprocess.DEVNULL)
    begin = time.monotonic()
    with subprocess.Popen([BUILD / "sealfeed", "run", "--config", folder / "sealfeed.yaml"], stderr=open(folder / "messages", "wb")) as agent:
        try:
            until("every source is polled", lambda: len(vendors.polls) == args.sources, PATIENCE)
            print("first polls  %6.1f s, %.1f CPU s" % (time.monotonic() - begin, sum(cpu(agent.pid).values())))
            # The second ones spread all that follow.
            until("every source that answers is polled again", vendors.go_on, 3 * args.interval + PATIENCE)
            spent, polls, most = measure(vendors, agent.pid, args.seconds)
            memory = pss(agent.pid)
            # Office 365 would list content first.
            quick = (i for i in range(args.slow, args.sources) if vendors.kinds[i] != "office365")
            shown = shows(vendors, folder, next(quick))
            pause, whose = longest_pause(vendors)
        finally:
            agent.send_signal(signal.SIGTERM)
    mean, percent = polls / args.seconds, sum(spent.values()) * 100
    print("CPU          %6.2f %% of a core, %.2f ms a poll (%s)" % (percent, percent * 10 / max(mean, 0.1), of_roles({r: s * 100 for r, s in spent.items()}, 2)))
    print("PSS          %6.1f MB (%s)" % (sum(memory.values()), of_roles(memory, 1)))
    print("polls        %6.1f a second, %d at most" % (mean, most))
    print("not polled   %6.1f s at most (%s), with %d slow vendors" % (pause, whose, args.slow))
    print("own lag      %6.1f s from poll to output" % shown)
    faults = [
        text
        for text, bad in (
            ("more CPU than %.1f %%" % args.cpu, percent > args.cpu),
            ("more memory than %d MB" % args.memory, sum(memory.values()) > args.memory),
            ("polls come together", most > 4 * mean + 10),
            ("a slow vendor delays others", pause > args.interval + args.late),
        )
        if bad
    ]
    if faults:
        sys.exit("FAILED: " + "; ".join(faults))


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    args.add_argument("--sources", type=int, default=1000)
    args.add_argument("--interval", type=float, default=60)
    args.add_argument("--seconds", type=float, default=120)
    args.add_argument("--slow", type=int, default=9)
    args.add_argument("--late", type=float, default=15)
    args.add_argument("--cpu", type=float, default=2)
    args.add_argument("--memory", type=float, default=64)
    args.add_argument("--plain", action="store_true")
    args = args.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sealfeed-sources-"))
    try:
        run(args, folder)
    except (SystemExit, AssertionError):
        print((folder / "messages").read_text()[:2000] if (folder / "messages").exists() else "", file=sys.stderr)
        raise
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
