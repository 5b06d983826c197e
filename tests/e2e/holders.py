#!/usr/bin/env python3
"""Which processes of an agent hold which secret: in memory, or environment.

usage: holders.py PROCESS-GROUP NAME=TEXT... [NAME~REGEX...]

Lines "ROLE NAME", each once, in order.  Takes root.
"""
import os
import re
import sys


def readable(pid):
    """All that the process has in memory, but for what the kernel lends it."""
    with open(f"/proc/{pid}/environ", "rb") as environment:
        seen = [environment.read()]
    with open(f"/proc/{pid}/mem", "rb", 0) as memory, open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(x, 16) for x in span.split("-"))
            if rights[0] != "r" or "[v" in line:
                continue
            try:
                memory.seek(begin)
                seen.append(memory.read(end - begin))
            except (OSError, ValueError):
                pass
    return b"".join(seen)


def main():
    group = int(sys.argv[1])
    secrets = {}
    for argument in sys.argv[2:]:
        name, kind, text = re.match("([a-z-]+)([=~])(.*)", argument, re.S).groups()
        text = os.fsencode(text)
        secrets[name] = re.compile(re.escape(text) if kind == "=" else text)
    found = set()
    for pid in (int(p) for p in os.listdir("/proc") if p.isdigit()):
        try:
            if os.getpgid(pid) != group:
                continue
            with open(f"/proc/{pid}/comm") as comm:
                role = comm.read().strip().replace(" ", "-")
            seen = readable(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        found |= {(role, n) for n, secret in secrets.items() if secret.search(seen)}
    for role, name in sorted(found):
        print(role, name)


main()
