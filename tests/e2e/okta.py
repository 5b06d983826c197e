#!/usr/bin/env python3
"""Vendors for the story reconcile: a System Log of Okta and events of Box, whose
cursors leave out what a query by time has, and a Jira that counts its records.
usage: okta.py PORT-FILE"""
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

STAMP = "%Y-%m-%dT%H:%M:%S.000Z"
begin = time.time() - 3 * 3600
events = []
for n in range(12):
    when = time.gmtime(begin + 600 * n)
    events.append({"uuid": "e-%d" % n, "eventType": "user.session.start",
                   "published": time.strftime(STAMP, when)})
lost = ("e-3", "e-7")


def box(asked):
    """A page of Box, by position or by time."""
    rows = [{"event_id": e["uuid"], "created_at": e["published"]} for e in events]
    if asked["stream_type"] == "admin_logs":
        rows = [r for r in rows if asked["created_after"][:19] <= r["created_at"][:19] < asked["created_before"][:19]]
        at = int(asked.get("stream_position", "0"))
    else:
        rows = [r for r in rows if r["event_id"] not in lost]
        at = int(asked["stream_position"])
    rows = rows[at:at + 5]
    return {"entries": rows, "chunk_size": len(rows), "next_stream_position": at + len(rows)}


def jira(asked):
    """A page of Jira, which counts one record too many of what is new."""
    rows = [{"id": e["uuid"], "created": e["published"]} for e in events
            if asked["from"][:19] <= e["published"][:19] <= asked["to"][:19]]
    at = int(asked.get("offset", "0"))
    new = asked["from"] > time.strftime(STAMP, time.gmtime(time.time() - 1200))
    return {"offset": at, "limit": 1000, "total": len(rows) + new, "records": rows[at:at + 3]}


class Log(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = {k: v[0] for k, v in parse_qs(urlparse(self.path).query).items()}
        link = None
        path = urlparse(self.path).path
        rows = [e for e in events if e["published"] >= asked.get("since", "")]
        if path == "/2.0/events":
            rows = box(asked)
        elif path == "/rest/api/3/auditing/record":
            rows = jira(asked)
        elif "until" in asked:
            rows = [e for e in rows if e["published"] < asked["until"]]
        else:
            rows = [e for e in rows if e["uuid"] not in lost]
            at = int(asked.get("after", "0"))
            rows = rows[at:at + 4]
            link = "<http://%s/api/v1/logs?after=%d>; rel=\"next\"" % (
                self.headers["Host"], at + len(rows))
        self.reply(rows, link)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply({"access_token": "abcdef", "token_type": "bearer", "expires_in": 3600})

    def reply(self, rows, link=None):
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
