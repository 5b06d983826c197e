"""A GELF receiver over TLS, a NUL behind each message, as Graylog's input reads.

usage: gelf.py DIR CERT KEY   port into DIR/port, one NDJSON line a message into
DIR/events; what is not GELF ends the program."""
import json
import os
import re
import socketserver
import ssl
import sys
import threading

top, cert, key = sys.argv[1:4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
events = open(os.path.join(top, 'events'), 'ab', buffering=0)
lock = threading.Lock()
KNOWN = {'version', 'host', 'short_message', 'timestamp', 'level'}


def line(message):
    """As tally and verify read it; of a checkpoint the message is that line."""
    for name, value in message.items():
        if name in KNOWN:
            continue
        if not re.fullmatch(r'_[\w.-]+', name) or name == '_id' or \
                not isinstance(value, (str, int)):
            raise ValueError('field ' + name)
    if message['version'] != '1.1' or not message['host'] or \
            not isinstance(message['timestamp'], (int, float)):
        raise ValueError('mandatory fields')
    if '_sealfeed_index' not in message:
        return message['short_message']
    return '{"feed":"%s","index":%d,"agent":"%s","event":%s}' % (
        message['_sealfeed_feed'], message['_sealfeed_index'],
        message['_sealfeed_agent'], message['short_message'])


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        rest = b''
        try:
            tls = context.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        while True:
            try:
                data = tls.recv(65536)
            except (ssl.SSLError, OSError):
                return
            if not data:
                return
            *messages, rest = (rest + data).split(b'\0')
            try:
                lines = [line(json.loads(m)) for m in messages]
            except Exception as e:
                sys.stderr.write('%r\n' % e)
                os._exit(1)
            with lock:
                events.write(''.join(x + '\n' for x in lines).encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


at = os.path.join(top, 'port')
port = int(open(at).read()) if os.path.exists(at) else 0
server = Server(('127.0.0.1', port), Handler)
with open(at + '.new', 'w') as out:
    out.write('%d\n' % server.server_address[1])
os.rename(at + '.new', at)
server.serve_forever()
