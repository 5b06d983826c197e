#!/usr/bin/env python3
"""A System Log for the story reconcile: its cursor leaves out what a query by
time has.  usage: okta.py PORT-FILE"""
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

begin = time.time() - 3 * 3600
events = []
for n in range(12):
    when = time.gmtime(begin + 600 * n)
    events.append({"uuid": "e-%d" % n, "eventType": "user.session.start",
                   "published": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", when)})
lost = ("e-3", "e-7")


class Log(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = {k: v[0] for k, v in parse_qs(urlparse(self.path).query).items()}
        rows = [e for e in events if e["published"] >= asked.get("since", "")]
        link = None
        if "until" in asked:
            rows = [e for e in rows if e["published"] < asked["until"]]
        else:
            rows = [e for e in rows if e["uuid"] not in lost]
            at = int(asked.get("after", "0"))
            rows = rows[at:at + 4]
            link = "<http://%s/api/v1/logs?after=%d>; rel=\"next\"" % (
                self.headers["Host"], at + len(rows))
        body = json.dumps(rows).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if link:
            self.send_header("Link", link)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Log)
with open(sys.argv[1] + ".new", "w") as out:
    out.write("%d\n" % server.server_port)
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
