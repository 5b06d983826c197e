#!/usr/bin/env python3
"""The container of the story azurite: make it, or copy it to a folder.

usage: azurite.py URL KEY DIR make|sync
"""
import base64
import email.utils
import hashlib
import hmac
import os
import re
import sys
import urllib.parse
import urllib.request

url, key, top, command = sys.argv[1:]
account = url.rsplit("/", 1)[1]


def ask(method, path, query=""):
    when = email.utils.formatdate(usegmt=True)
    headers = {"x-ms-date": when, "x-ms-version": "2021-08-06"}
    if method == "PUT":
        headers["Content-Length"] = "0"
    text = method + "\n" * 12
    text += "".join("%s:%s\n" % h for h in sorted(headers.items())
                    if h[0].startswith("x-ms-"))
    text += "/%s/%s/%s" % (account, account, path)
    for pair in sorted(filter(None, query.split("&"))):
        text += "\n" + ":".join(pair.split("="))
    mac = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256)
    headers["Authorization"] = "SharedKey %s:%s" % (
        account, base64.b64encode(mac.digest()).decode())
    request = urllib.request.Request(
        "%s/%s%s" % (url, path, "?" + query if query else ""),
        method=method, headers=headers)
    return urllib.request.urlopen(request).read()


def make():
    ask("PUT", "m365", "restype=container")


def sync():
    names = ask("GET", "m365", "comp=list&restype=container").decode()
    for name in re.findall("<Name>([^<]*)</Name>", names):
        path = os.path.join(top, name)
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(ask("GET", "m365/" + urllib.parse.quote(name)))


{"make": make, "sync": sync}[command]()
