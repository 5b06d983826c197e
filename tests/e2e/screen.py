#!/usr/bin/python3
# screen.py STORY-STEP SEALFEED CONFIG - `sealfeed status --watch` in a
# pseudo-terminal, as a user sees it: what it draws is obeyed by an emulator
# (pyte).  Each step is a function below.
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

import pyte

PATIENCE = 60


def fail(what, term=None):
    if term:
        print("\n".join(term.screen.display))
    raise SystemExit("screen: " + what)


class Terminal:
    def __init__(self, command, columns, rows, **environment):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.written = 0
        self.bytes = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm", **environment})
            time.sleep(0.2)  # until the size is set
            os.execv(command[0], command)
        self.before = termios.tcgetattr(self.fd)
        self.size(columns, rows)

    def size(self, columns, rows):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        """What there is within the time; False at the end."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                continue
            try:
                more = os.read(self.fd, 1 << 16)
            except OSError:
                return False
            if not more:
                return False
            self.written += len(more)
            self.bytes += more
            self.stream.feed(more)
        return True

    def text(self):
        return "\n".join(self.screen.display)

    def until(self, what, content):
        end = time.monotonic() + PATIENCE
        while not content(self.screen.display):
            if time.monotonic() > end or not self.read(0.2):
                fail("not in time: " + what, self)

    def shows(self, text):
        self.until(text, lambda lines: text in "\n".join(lines))

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def status(self):
        return os.waitpid(self.pid, 0)[1]

    def finish(self, what):
        end = time.monotonic() + PATIENCE
        while self.read(0.1):
            if time.monotonic() > end:
                fail("it does not end by " + what, self)
        status = self.status()
        if not os.WIFEXITED(status) or os.WEXITSTATUS(status) != 0:
            fail("%s: ended with %d" % (what, status))
        tail = self.bytes[-60:]
        for code in (b"\033[?25h", b"\033[?1049l", b"\033[?7h"):
            if code not in tail:
                fail("%s: the terminal is not given back" % what)


sealfeed, config = sys.argv[2:4]


def watch(columns=80, rows=24, **environment):
    return Terminal([sealfeed, "status", "--watch", "--config", config],
                    columns, rows, **environment)


def fits(term):
    """Verdict, keys and nothing half at this size."""
    lines = term.screen.display
    if not lines[0].strip() or "q quit" not in lines[-1]:
        fail("no verdict or no keys", term)


def sizes():
    term = watch()
    for columns, rows in ((80, 24), (60, 12), (200, 60), (100, 30), (20, 4),
                          (1, 1), (60, 12), (132, 43)):
        term.size(columns, rows)
        if rows < 12:
            term.read(1)
            continue
        term.until("%dx%d" % (columns, rows), lambda lines:
                   "running" in lines[0] and "q quit" in lines[-1])
        fits(term)
    term.press("q")
    term.finish("q")


def keys():
    term = watch(80, 12)
    term.shows("running")
    term.shows("1-10 of")
    for key, place in (("\033[B", "2-11"), ("j", "3-12"), ("\033[A", "2-11"),
                       ("k", "1-10"), ("\033OB", "2-11"), ("g", "1-10"),
                       ("\033[6~", "6-15"), ("\033[5~", "1-10"),
                       (" ", "6-15"), ("b", "1-10")):
        term.press(key)
        term.shows(place)
    term.press("G")
    term.shows("Audit.")
    last = [line for line in term.screen.display if " of " in line][-1].split()
    if last[-3].split("-")[1] != last[-1]:
        fail("the end is not the end", term)
    for key, order in (("s", "name"), ("s", "lag"), ("\033[C", "rate"),
                       ("\033[D", "lag")):
        term.press(key)
        term.shows("order: " + order)
    term.press("?")
    term.shows("this help")
    term.press("x")
    term.until("the help ends", lambda lines: "this help" not in
               "\n".join(lines))
    term.press("\033[200~\033[1;5Dz\033")  # keys that nobody knows
    term.read(1)
    fits(term)
    term.press("q")
    term.finish("q")


def calm():
    """What has not changed is not written again."""
    term = watch(80, 24, NO_COLOR="1")
    term.shows("running")
    term.read(2)
    if re.search(rb"\033\[[1-9][0-9;]*m", term.bytes):
        fail("colours, though NO_COLOR is set")
    term.written = 0
    term.read(5)
    if term.written > 5 * 2000:
        fail("%d bytes in 5 seconds" % term.written)
    if b"\033[2J" in term.bytes[-term.written:]:
        fail("the screen is cleared")
    term.press("q")
    term.finish("q")


def signals():
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        term = watch()
        term.shows("running")
        os.kill(term.pid, sig)
        term.finish(sig.name)
    term = watch()
    term.shows("running")
    term.press("\x03")
    term.finish("^C")

    term = watch()
    term.shows("running")
    os.kill(term.pid, signal.SIGTSTP)
    if not os.WIFSTOPPED(os.waitpid(term.pid, os.WUNTRACED)[1]):
        fail("it does not stop")
    term.read(0.5)
    if not term.bytes.endswith(b"\033[?1049l"):
        fail("stopped with the terminal in its hands")
    if termios.tcgetattr(term.fd)[3] != term.before[3]:
        fail("stopped, and keys are not seen")
    term.screen.reset()
    os.kill(term.pid, signal.SIGCONT)
    term.shows("running")
    term.shows("q quit")
    if termios.tcgetattr(term.fd)[3] & (termios.ICANON | termios.ECHO):
        fail("it goes on, and keys do not come at once")
    term.press("q")
    term.finish("q")
    term = watch()
    term.shows("running")
    os.close(term.fd)
    term.status()


def outage():
    """It says what there is, and goes on by itself."""
    term = watch()
    for said in ("running, all well", "stopped", "running, all well",
                 "never started"):
        term.until(said, lambda lines: lines[0].startswith(said))
        print(said, flush=True)
    term.press("q")
    term.finish("q")


def plain():
    """A terminal that can do nothing gets lines."""
    term = watch(TERM="dumb")
    term.shows("running")
    if b"\033" in term.bytes:
        fail("control sequences for a dumb terminal")
    os.kill(term.pid, signal.SIGTERM)
    while term.read(0.1):
        pass
    term.status()


def many():
    """A thousand feeds: the last is three keys away."""
    term = watch(100, 30)
    term.shows("running")
    term.press("ssG")
    term.until("the end", lambda lines: re.search(r"-(\d+) of \1$",
                                                  lines[-1].rstrip()))
    if not term.screen.display[1].startswith("FEED"):
        fail("the head of the table is gone", term)
    term.press("g")
    term.shows("1-28 of")
    term.press("q")
    term.finish("q")


globals()[sys.argv[1]]()
