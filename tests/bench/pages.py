#!/usr/bin/env python3
"""pages.py - what a page of Okta's costs next to a blob of Office 365's.

    tests/bench/pages.py [--pairs N] [--pages N] [--limit RATIO]

The same bytes, 1,000 events of 1.2 kB in each reply, come once as pages of the
System Log and once as content blobs, through the whole agent: fetched, split,
told apart, stored, hashed, signed, written to a file.  The pairs alternate; the
figures are CPU times of all processes, and their ratio is that of the medians.
Fails above the limit.  $SEALFEED_BUILD: the build folder, default the source
tree.
"""
import argparse
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SEALFEED_BUILD", TOP))
ROWS = 1000
TENANT = "0fd4a6f1-95a8-4e43-9f43-3a7b5b9c2d11"
PATIENCE = 120


def event(n, now):
    """One that is as long for either vendor, and has the names of both."""
    uuid = "%08x-1111-4222-8333-444444444444" % n
    row = {
        "uuid": uuid,
        "published": now,
        "eventType": "user.session.start",
        "actor": {"id": "00u%05d" % (n % 1000), "alternateId": "user%d@example.com" % (n % 1000)},
        "client": {"ipAddress": "192.0.2.%d" % (n % 250), "userAgent": {"rawUserAgent": "Mozilla/5.0 (X11; Linux x86_64)"}},
        "outcome": {"result": "SUCCESS"},
        "Id": uuid,
        "CreationTime": now,
        "Workload": "Exchange",
    }
    row["target"] = "x" * (1200 - len(json.dumps(row)) - len(', "target": ""'))
    return json.dumps(row)


class Vendor(http.server.BaseHTTPRequestHandler):
    """Both APIs; the server has the pages and the time."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, body, headers=()):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.reply(b'{"access_token":"abcdefgh","expires_in":3600}')

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        pages = self.server.pages
        if url.path == "/api/v1/logs":
            n = int(query.get("after", ["0"])[0])
            link = "<%s/api/v1/logs?after=%d>; rel=\"next\"" % (self.server.url, min(n + 1, len(pages)))
            self.reply(pages[n] if n < len(pages) else b"[]", [("Link", link)])
        elif url.path.endswith("/subscriptions/list"):
            self.reply(b'[{"contentType":"Audit.General","status":"enabled","webhook":null}]')
        elif url.path.endswith("/subscriptions/content"):
            made = self.server.made
            rows = []
            if query["startTime"][0] <= made[:19] < query["endTime"][0]:
                rows = [
                    {
                        "contentType": "Audit.General",
                        "contentId": "page-%d" % n,
                        "contentUri": "%s/blob/%d" % (self.server.url, n),
                        "contentCreated": made,
                        "contentExpiration": self.server.ends,
                    }
                    for n in range(len(pages))
                ]
            self.reply(json.dumps(rows).encode())
        else:
            self.reply(pages[int(url.path.rsplit("/", 1)[1])])


def stamp(when):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + ".000Z"


def serve(count):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    server.daemon_threads = True
    server.url = "http://127.0.0.1:%d" % server.server_address[1]
    now = time.time()
    server.made, server.ends = stamp(now - 1800), stamp(now + 86400)
    server.pages = [
        ("[" + ",".join(event(page * ROWS + i, stamp(now - 1800)) for i in range(ROWS)) + "]").encode()
        for page in range(count)
    ]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def config(kind, folder, url):
    """A configuration for one of the two."""
    source = {
        "okta": "type: okta, domain: acme.okta.com, token: abcdefgh, hosts: { api: %s }" % url,
        "office365": "type: office365, tenant: %s, client_id: %s, client_secret: abcdefgh, login_url: %s, api_url: %s, "
        "content: [Audit.General]" % (TENANT, TENANT, url, url),
    }[kind]
    text = (
        "agent: { name: bench.example.com, key: %s/keys/seal.pem, store: { path: %s/state/store.db }, seal: { log: %s/log/seal.log }, watch: { listen: %s/watch.sock }, sandbox: off, log_level: warn }\n"
        "sources: { s: { %s, initial: 1h } }\noutputs: { f: { type: file, path: %s/out/events.ndjson } }\n"
    ) % (folder, folder, folder, folder, source, folder)
    for name in ("keys", "state", "log", "out", "sources.d"):
        (folder / name).mkdir(mode=0o700)
    (folder / "sealfeed.yaml").write_text(text)
    # Its budget would be all that is measured.
    okta = (TOP / "agent/sources/definitions/okta.yaml").read_text()
    okta, n = re.subn(r"^rate: .*$", "rate: { requests: 1000000, per: 60s }", okta, flags=re.M)
    assert n == 1
    (folder / "sources.d" / "okta.yaml").write_text(okta)


def lines(path):
    """Events so far: those of the agent's own feed are none."""
    try:
        return path.read_bytes().count(b'"Workload"')
    except FileNotFoundError:
        return 0


def run(kind, server, cpus):
    """CPU seconds of one run."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sealfeed-pages-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    wanted = len(server.pages) * ROWS
    try:
        config(kind, folder, server.url)
        subprocess.run([BUILD / "sealfeed", "keygen", "--name", "bench.example.com", folder / "keys" / "seal.pem"], check=True, stdout=subprocess.DEVNULL)
        agent = subprocess.Popen(
            [BUILD / "sealfeed", "run", "--config", folder / "sealfeed.yaml"],
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
            stderr=open(folder / "messages", "wb"),
        )
        end = time.monotonic() + PATIENCE
        while lines(folder / "out" / "events.ndjson") < wanted:
            if time.monotonic() > end or agent.poll() is not None:
                agent.kill()
                agent.wait()
                sys.exit("%s: %d of %d events\n%s" % (kind, lines(folder / "out" / "events.ndjson"), wanted, (folder / "messages").read_text()))
            time.sleep(0.1)
        agent.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(agent.pid, 0)
        agent.returncode = status
        if lines(folder / "out" / "events.ndjson") != wanted:
            sys.exit("%s: more events than there are" % kind)
        return usage.ru_utime + usage.ru_stime
    finally:
        shutil.rmtree(folder)


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    args.add_argument("--pairs", type=int, default=5)
    args.add_argument("--pages", type=int, default=50)
    args.add_argument("--limit", type=float, default=1.3)
    args = args.parse_args()
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) > 1:
        os.sched_setaffinity(0, cpus[1:])
    server = serve(args.pages)
    spent = {"okta": [], "office365": []}
    for _ in range(args.pairs):
        for kind in spent:
            spent[kind].append(run(kind, server, cpus[:1]))
    mib = args.pages * len(server.pages[0]) / 1e6
    for kind, seconds in spent.items():
        print("%-10s %6.2f CPU s for %.0f MB (%s)" % (kind, statistics.median(seconds), mib, " ".join("%.2f" % s for s in seconds)))
    ratio = statistics.median(spent["okta"]) / statistics.median(spent["office365"])
    print("ratio      %6.2f, at most %.2f" % (ratio, args.limit))
    sys.exit(ratio > args.limit)


if __name__ == "__main__":
    main()
