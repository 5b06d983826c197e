"""An OTLP/HTTP receiver on OpenTelemetry's own message classes.

usage: otlp.py DIR   port into DIR/port, one NDJSON line a record into
DIR/NAME/events, where NAME is the path in front of /v1/logs; a field that the
classes do not know is refused."""
import gzip
import http.server
import json
import os
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs

top = sys.argv[1]


def plain(value):
    return getattr(value, value.WhichOneof('value'))


def line(resource, record):
    """As tally and verify read it; of a checkpoint the body is that line."""
    names = {a.key: plain(a.value) for a in record.attributes}
    if names['sealfeed.agent'] != resource['service.instance.id']:
        raise ValueError('the resource is not the agent')
    if not record.observed_time_unix_nano or not names['log.record.uid']:
        raise ValueError('no observed time or id')
    if 'sealfeed.index' not in names:
        return record.body.string_value
    return '{"feed":"%s","index":%d,"agent":"%s","event":%s}' % (
        names['sealfeed.feed'], names['sealfeed.index'],
        names['sealfeed.agent'], record.body.string_value)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def take(self, kind):
        body = self.rfile.read(int(self.headers['Content-Length']))
        if self.headers.get('Content-Encoding') == 'gzip':
            body = gzip.decompress(body)
        request = logs.ExportLogsServiceRequest()
        if kind == 'application/json':
            json_format.Parse(body.decode(), request)
        elif kind == 'application/x-protobuf':
            request.ParseFromString(body)
            request.DiscardUnknownFields()
            if len(request.SerializeToString()) != len(body):
                raise ValueError('fields that are not known')
        else:
            raise ValueError('type ' + kind)
        return request

    def do_POST(self):
        kind = self.headers.get('Content-Type', '')
        name = self.path.split('/')[1]
        try:
            if self.path != '/%s/v1/logs' % name:
                raise ValueError('path')
            lines = []
            for r in self.take(kind).resource_logs:
                resource = {a.key: plain(a.value)
                            for a in r.resource.attributes}
                for s in r.scope_logs:
                    if s.scope.name != 'sealfeed':
                        raise ValueError('scope')
                    lines += [line(resource, x) for x in s.log_records]
        except Exception as e:
            sys.stderr.write('%r\n' % e)
            text = json.dumps({'code': 3, 'message': str(e)[:200]})
            return self.answer(400, 'application/json', text.encode())
        os.makedirs(os.path.join(top, name), exist_ok=True)
        with open(os.path.join(top, name, 'events'), 'a') as out:
            out.write(''.join(x + '\n' for x in lines))
        response = logs.ExportLogsServiceResponse()
        if kind == 'application/json':
            self.answer(200, kind, json_format.MessageToJson(response).encode())
        else:
            self.answer(200, kind, response.SerializeToString())

    def log_message(self, *unused):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
with open(os.path.join(top, 'port.new'), 'w') as out:
    out.write('%d\n' % server.server_port)
os.rename(os.path.join(top, 'port.new'), os.path.join(top, 'port'))
server.serve_forever()
