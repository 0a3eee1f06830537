"""The page of verify --html in a real browser: it draws its pictures, asks the network for nothing and has nothing to complain about."""
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import zlib

import numpy as np
import pytest
from conftest import run_program

KINDS, LAYERS = 7, 6
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# The browser's own services, which it calls in spite of all flags.
OWN_HOSTS = re.compile(rb"^\w+ (https?://)?[\w.-]*\.(google|googleapis|gvt1|gstatic)\.com[:/]")


class DeadEnd:
    """A proxy that writes down what it is asked for, and answers nothing."""

    def __enter__(self):
        self.asked = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self):
        try:
            while True:
                connection, _ = self.server.accept()
                connection.settimeout(5)
                with connection:
                    self.asked.append(connection.recv(4096))
        except OSError:
            pass

    def __exit__(self, *_):
        self.server.close()


class Browser:
    def __init__(self, profile):
        self.program = next(filter(None, map(shutil.which, BROWSERS)), None)
        self.profile = profile

    def open(self, page, *flags):
        """(what it prints, messages of its console, what the page asked the network for)"""
        with DeadEnd() as proxy:
            done = subprocess.run(
                [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-extensions",
                 "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--no-pings",
                 "--force-device-scale-factor=1", "--hide-scrollbars", f"--user-data-dir={self.profile}", f"--proxy-server={proxy.address}",
                 "--proxy-bypass-list=<-loopback>", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=3000", *flags, page.as_uri()],
                check=True, capture_output=True, text=True, timeout=120)
            asked = [request for request in proxy.asked if request and not OWN_HOSTS.match(request)]
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line], asked

    def picture(self, page, file, *flags):
        self.open(page, f"--screenshot={file}", *flags)
        return read_png(file.read_bytes())


def read_png(data):
    """Pixels of an RGB or RGBA picture of 8 bits, by row and column."""
    chunks, at = {}, 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        chunks[kind] = chunks.get(kind, b"") + data[at + 8:at + 8 + size]
        at += size + 12
    width, height, depth, color = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    channels = {2: 3, 6: 4}[color]
    assert depth == 8
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * channels)
    out = np.zeros((height + 1, width, channels), np.uint8)
    for y in range(height):
        line, above = rows[y, 1:].reshape(width, channels), out[y]
        if rows[y, 0] == 0:
            out[y + 1] = line
        elif rows[y, 0] == 2:
            out[y + 1] = line + above
        elif rows[y, 0] == 1:
            out[y + 1] = np.cumsum(line, axis=0, dtype=np.uint8)
        else:
            left, corner = np.zeros(channels, int), np.zeros(channels, int)
            for x in range(width):
                up = above[x].astype(int)
                guess = (left + up) // 2 if rows[y, 0] == 3 else paeth(left, up, corner)
                left, corner = (line[x] + guess) % 256, up
                out[y + 1, x] = left
    return out[1:, :, :3]


def paeth(left, up, corner):
    distance = np.abs(np.stack([up - corner, left - corner, left + up - 2 * corner]))
    return np.choose(np.argmin(distance, axis=0), [left, up, corner])


def pixels_of(picture, color):
    return int((picture == np.array([int(color[i:i + 2], 16) for i in (1, 3, 5)])).all(axis=2).sum())


@pytest.fixture(scope="module")
def page(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    run_program("convert", source, folder / "q4", "-q", "--q-fit", "best")
    run_program("verify", folder / "q4", "--source", source, "--error", "--html", folder / "error & <page>.html")
    return folder / "error & <page>.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    found = Browser(tmp_path_factory.mktemp("profile"))
    if not found.program:
        if os.environ.get("HF2MLX_REQUIRE_ORACLE") and sys.platform == "linux":
            pytest.fail("no Chromium; scripts/setup.sh test installs it")
        pytest.skip("no Chromium here")
    return found


def test_the_page_stands_alone(page):
    text = page.read_text()
    assert "http://" not in text and "https://" not in text and "<script" not in text and "src=" not in text
    assert text.count("<h3>") == KINDS
    # A row of the table for each layer, and in each the picture of its groups: embedding and head too.
    assert text.count('<tr id="r') == text.count('class="groups"') == LAYERS * KINDS + 2


def test_links_lead_to_rows(page):
    text = page.read_text()
    rows, links = (set(re.findall(pattern, text)) for pattern in (r'id="(r\d+)"', r'href="#(r\d+)"'))
    assert len(rows) == LAYERS * KINDS + 2
    assert LAYERS * KINDS <= len(links) and links <= rows


def test_a_browser_reads_it_without_the_network(page, browser):
    dom, console, asked = browser.open(page, "--dump-dom")
    assert console == []
    assert asked == []
    # What the browser has made of it, as elements: nothing was mended or left out.
    assert dom.count("<svg") == 1 + KINDS + LAYERS * KINDS + 2
    assert dom.count("<rect") == 2 * LAYERS * KINDS
    assert dom.rstrip().endswith("</html>")


def test_the_browser_would_have_shown_what_is_wrong(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text('<!doctype html><img src="http://example.invalid/x.png"><script>console.error("oops")</script>')
    _, console, asked = browser.open(page, "--dump-dom")
    assert any("oops" in line for line in console)
    assert any(b"example.invalid" in request for request in asked)


@pytest.mark.parametrize("scheme,back,bar,low,high", [("light", "#ffffff", "#3b82c4", "#e6f0fb", "#08306b"),
                                                      ("dark", "#16181b", "#5b9bd5", "#1d2f45", "#b5dcff")])
def test_a_browser_draws_the_pictures(page, browser, tmp_path, scheme, back, bar, low, high):
    flags = ["--window-size=1200,1000", *(["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else [])]
    picture = browser.picture(page, tmp_path / "page.png", *flags)
    assert picture.shape == (1000, 1200, 3)
    assert pixels_of(picture, back) > picture.shape[0] * picture.shape[1] / 2
    assert pixels_of(picture, bar) > 20_000
    # The least and the largest error have the ends of the range of colours.
    assert pixels_of(picture, low) > 300 and pixels_of(picture, high) > 300
