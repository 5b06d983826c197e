#!/usr/bin/python3
# page.py PROGRAM DIR URL STEP... - look at the status page as a user does;
# pictures go to DIR.  Each step is a function below; the first that is not
# content ends it with a sentence.
import sys
import time

from browser import Browser

program, folder, url = sys.argv[1:4]
patience = 60


def fail(what):
    raise SystemExit("page: " + what)


def until(b, what, expression):
    end = time.monotonic() + patience
    while not b.value(expression):
        if time.monotonic() > end:
            fail("not in time: " + what)
        time.sleep(0.2)


# The luminance and contrast of WCAG 2.1, of every text that is shown on the
# nearest background that is not transparent.
CONTRAST = """(() => {
  const parts = c => c.match(/[\\d.]+/g).map(Number);
  const lum = c => { const [r, g, b] = parts(c).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = e => { for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if ((parts(c)[3] ?? 1) > 0) return c; } return 'rgb(255,255,255)'; };
  let worst = [99, ''];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) ||
        ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(e.tagName) ||
        !e.getClientRects().length) continue;
    const [x, y] = [lum(getComputedStyle(e).color), lum(back(e))]
        .sort((p, q) => q - p);
    const ratio = (x + 0.05) / (y + 0.05);
    if (ratio < worst[0])
      worst = [ratio, e.tagName + ' ' + e.className + ' ' + e.textContent];
  }
  return worst; })()"""


def legible(b, kind):
    """Nothing sticks out, all can be read, whatever size and colours."""
    for name, width, height in (("phone", 360, 740), ("desktop", 1280, 900)):
        for scheme in ("light", "dark"):
            b.look(width, height, scheme)
            b.open(url)
            wide = b.value("document.documentElement.scrollWidth")
            if wide > width:
                fail("%s: %d columns are needed" % (name, wide))
            ratio, where = b.value(CONTRAST)
            if ratio < 4.5:
                fail("%s, %s: contrast %.1f of %s" %
                     (name, scheme, ratio, where))
            b.picture("%s/%s%s-%s.png" % (folder, kind, name, scheme))


def looks(b):
    """All is well, and can be read."""
    legible(b, "")
    dark = b.value("getComputedStyle(document.body).backgroundColor")
    b.look(1280, 900, "light")
    if dark == b.value("getComputedStyle(document.body).backgroundColor"):
        fail("light and dark are the same")


def reads(b):
    """A screen reader finds its way."""
    b.look(1280, 900)
    b.open(url)
    for what, expression in (
            ("a language", "document.documentElement.lang === 'en'"),
            ("a title", "document.title.includes('sealfeed')"),
            ("one main", "document.querySelectorAll('main').length === 1"),
            ("one h1", "document.querySelectorAll('h1').length === 1"),
            ("heads of columns", "[...document.querySelectorAll('thead th')]"
             ".every(h => h.scope === 'col')"),
            ("heads of rows", "[...document.querySelectorAll('tbody tr')]"
             ".every(r => r.querySelector('th[scope=row]'))"),
            ("names of lines", "[...document.querySelectorAll('svg')]"
             ".every(s => s.getAttribute('aria-label'))"),
            ("lines of lag and rate",
             "document.querySelectorAll('#feeds polyline').length >= 2"),
            ("unique ids", "new Set([...document.querySelectorAll('[id]')]"
             ".map(e => e.id)).size === document.querySelectorAll('[id]')"
             ".length")):
        if not b.value(expression):
            fail("there is no " + what)
    b.key("Tab", 9)
    if b.value("document.activeElement.className") != "skip":
        fail("the first tab stop is not the way to the feeds")
    b.key("Tab", 9)
    if b.value("document.activeElement.id") != "pause":
        fail("the keyboard does not reach the button")


def refreshes(b):
    """It brings what is new by itself, and keeps what the user did."""
    b.look(1280, 900)
    b.open(url)
    b.value("window.before = document.getElementById('when').textContent;"
            "window.same = true")
    until(b, "a new time", "document.getElementById('when').textContent"
          " !== window.before")
    if not b.value("window.same === true"):
        fail("it was loaded anew")
    b.look(1280, 900, scripts=False)
    b.open(url)
    b.wait("Page.loadEventFired")  # by the refresh of the document
    b.look(1280, 900)


def hostile(b):
    """A vendor's text is text."""
    b.look(360, 740)
    b.open(url)
    for what in ("onerror=", "connection refused", "one gap in the last day"):
        if what not in b.value("document.body.textContent"):
            fail("the page does not have: " + what)
    for what in ("img", "body script + script", "iframe", "[onerror]", "a[x]"):
        if b.value("document.querySelectorAll('%s').length" % what):
            fail("there is an element " + what)
    legible(b, "hostile-")


def many(b):
    """A thousand feeds are a page, too."""
    b.look(360, 740)
    b.open(url)
    if b.value("document.querySelectorAll('#feeds tbody tr').length") < 1000:
        fail("not every feed is there")
    if b.value("document.querySelector('#more').open"):
        fail("all of them are shown at once")
    if b.value("document.documentElement.scrollWidth") > 360:
        fail("something sticks out")
    b.value("document.querySelector('#more').open = true;"
            "document.querySelector('#more-head').focus();"
            "window.before = document.getElementById('when').textContent")
    until(b, "a new time", "document.getElementById('when').textContent"
          " !== window.before")
    if not b.value("document.querySelector('#more').open") or \
            b.value("document.activeElement.id") != "more-head":
        fail("the refresh closes what was opened")
    b.picture(folder + "/many.png")


def gone(b):
    """The agent ends while the page is open."""
    b.look(1280, 900)
    b.open(url)
    print("open", flush=True)
    until(b, "the page says that nobody answers",
          "document.getElementById('verdict').textContent"
          ".includes('has not answered since')")
    b.picture(folder + "/gone.png")
    b.events = []  # that a request failed is told in the console


browser = Browser(program, folder + "/profile", patience)
try:
    for step in sys.argv[4:]:
        globals()[step](browser)
    bad = browser.complaints()
    if bad:
        fail("the console says: %s" % bad)
    away = [u for u in browser.requests() if not u.startswith(url)
            and u != "about:blank"]
    if away:
        fail("it asks elsewhere: %s" % away)
finally:
    browser.close()
