#!/usr/bin/env python3
"""The page in a real browser: headless Chromium, driven through its own driver, against the real server.

    python3 tests/clients/browser.py BINARY [--only WORD] [--shots DIR]

BINARY is the wirechat executable. The test starts and ends its own servers on loopback. With --shots it also leaves
pictures of the page in DIR, among them page.png, the one of the README.

Exit status: 0 all checks passed; 1 one failed, and what; 77 the browser, its driver or a Python package is missing.
"""

import argparse
import base64
import collections
import contextlib
import hashlib
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

MISSING = 77
PATIENCE = 20  # seconds that a condition may take to come true; a healthy run needs a small part of it

try:
    from selenium import webdriver
    from selenium.common.exceptions import NoAlertPresentException, TimeoutException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
    from websockets.sync.client import connect
except ImportError as error:
    print(f"browser.py: not run, because a Python package is missing: {error}", file=sys.stderr)
    sys.exit(MISSING)

PAGE = pathlib.Path(__file__).resolve().parents[2] / "client.html"
DISK_PORT = 1984  # where a page that was opened from disk looks for its server

ESTABLISHED = "> Established connection."
WELCOME = "> Welcome to Corvusoft Chat!"
INTERRUPTED = "> Error: socket connection interrupted."


def closed(code):
    return f"> Connection closed with RFC6455 code {code}."


# ---- The server


class Server:
    """One run of the program; `port` 0 takes a free one."""

    def __init__(self, binary, port=0, *options):
        self.said = collections.deque(maxlen=30)
        self.process = subprocess.Popen(
            [binary, "serve", "--bind", f"127.0.0.1:{port}", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
        )
        self.listening = threading.Event()
        self.port = None
        threading.Thread(target=self.listen, daemon=True).start()
        if not self.listening.wait(PATIENCE) or self.port is None:
            self.kill()
            raise AssertionError("the server did not say that it listens; it said: " + " | ".join(self.said))

    def listen(self):
        for line in self.process.stderr:
            self.said.append(line.rstrip())
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)/", line)
            if found:
                self.port = int(found[1])
                self.listening.set()
        self.listening.set()  # it ended: whoever waits need not wait longer

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def client(self):
        # Without a bound on what it has not looked at yet: this member is never the slow reader.
        return connect(f"ws://127.0.0.1:{self.port}/chat", compression=None, max_queue=None)

    def terminate(self):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


def say_all(server, texts):
    """Says `texts` as one more member, and returns once all of them have gone round."""
    with server.client() as member:
        member.recv(PATIENCE)  # the welcome
        for text in texts:
            member.send(text)
        while member.recv(PATIENCE) != texts[-1]:
            pass


# ---- The browser


def start_browser(chromium, driver, profile):
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "headless", "no-sandbox", "disable-gpu", "disable-quic", "disable-dev-shm-usage", "no-first-run",
        "disable-background-networking", "disable-component-update", "disable-sync", "no-proxy-server",
        "window-size=900,700", f"user-data-dir={profile}",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(executable_path=driver))


class Page:
    """What a reader sees and does, in the window that `browser` shows when the page is made."""

    def __init__(self, browser, url):
        self.browser = browser
        self.window = browser.current_window_handle
        browser.get(url)

    def front(self):
        self.browser.switch_to.window(self.window)
        return self

    def by_id(self, name):
        return self.browser.find_element(By.ID, name)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def lines(self):
        return self.run("return [...document.querySelectorAll('#messages > *')].map((line) => line.innerText)")

    def until(self, condition, what):
        try:
            return WebDriverWait(self.browser, PATIENCE, poll_frequency=0.05).until(lambda _: condition())
        except TimeoutException:
            tail = self.lines()[-8:]
            raise AssertionError(f"waited in vain for {what}; the page's last lines are {tail}") from None

    def until_line(self, text, times=1):
        self.until(lambda: sum(line.startswith(text) for line in self.lines()) >= times, f"{text!r}, {times} times")

    def open_chat(self, times=1):
        self.by_id("open").click()
        self.until_line(WELCOME, times)

    def say(self, text):
        self.by_id("message").send_keys(text + Keys.ENTER)

    def focus(self):
        return self.run("return document.activeElement.id")

    def place(self):
        return self.run("return document.getElementById('log').scrollTop")

    def at_end(self):
        return self.run("const log = document.getElementById('log');"
                        "return log.scrollHeight - log.clientHeight - log.scrollTop < 2")

    def status(self):
        return self.by_id("status").text

    def fixed_chance(self, value):
        """The pauses between attempts are drawn with Math.random: from here on they are known."""
        self.run(f"Math.random = () => {value}")

    def stop_clock(self):
        """From here on a timer is written down and never fires."""
        self.run("""
            window.timers = new Map();
            let last = 1e6;
            window.setTimeout = (call, pause) => { timers.set(++last, pause); return last; };
            window.clearTimeout = (timer) => timers.delete(timer);
        """)

    def hurry_clock(self):
        """From here on a timer's pause is written down, and is a thousandth of what was asked."""
        self.run("""
            window.pauses = [];
            const real = window.setTimeout;
            window.setTimeout = (call, pause) => { pauses.push(pause); return real(call, pause / 1000); };
        """)

    def timers(self):
        return self.run("return timers.size")

    def quiet_console(self, *, connections_may_fail=False):
        """No script error and no breach of the content security policy since the last look."""
        wrong = [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        if connections_may_fail:
            wrong = [message for message in wrong if "WebSocket connection to" not in message]
        check(not wrong, f"the browser's console complains: {wrong}")


def check(true, sentence):
    if not true:
        raise AssertionError(sentence)


def same(seen, wanted, what):
    check(seen == wanted, f"{what}: wanted {wanted!r}, saw {seen!r}")


# ---- The checks. Each gets the browser and the path of the program, and shows one promise of the page.


def loads_under_its_policy(browser, binary):
    with Server(binary) as server:
        with urllib.request.urlopen(server.url, timeout=PATIENCE) as answer:
            policy = answer.headers.get("Content-Security-Policy", "")
            check("default-src 'none'" in policy, f"the page's content security policy is {policy!r}")
            served = answer.read()
            for element in ("script", "style"):
                wanted = f"{element}-src {hash_of(served, element)}"
                check(wanted in policy, f"the policy must say {wanted}; it is {policy!r}")
            same(answer.headers.get("X-Content-Type-Options"), "nosniff", "X-Content-Type-Options")
        page = Page(browser, server.url)
        same(page.status(), "Closed", "the status before anything was done")
        same(page.run("return document.scripts.length + document.querySelectorAll('style').length"), 2,
             "elements with script or style")
        same(page.run("return performance.getEntriesByType('resource').map((entry) => entry.name)"
                      ".filter((name) => name !== location.href)"), [], "requests beyond the page itself")
        check(not page.by_id("inspected").is_displayed() and not page.by_id("wire").is_displayed(),
              "there is something of inspection although nobody asked for it")
        check(not page.by_id("message").is_enabled(), "the message field is enabled before the chat is open")
        page.open_chat()
        same(page.lines(), [ESTABLISHED, WELCOME], "the first lines")
        same(page.by_id("messages").text, f"{ESTABLISHED}\n{WELCOME}", "the first lines as they are shown")
        check(page.by_id("message").is_enabled(), "the message field is disabled although the chat is open")
        same(page.focus(), "message", "where the focus is after Open Chat")
        page.quiet_console()


def two_windows_talk(browser, binary):
    with Server(binary) as server, second_window(browser) as window:
        one = Page(browser, server.url)
        one.open_chat()
        browser.switch_to.window(window)
        two = Page(browser, server.url)
        two.open_chat()
        crowd = threading.Thread(target=say_all, args=(server, [f"crowd {n}" for n in range(100)]))
        crowd.start()
        for number in range(5):
            one.front().say(f"one {number}")
            two.front().say(f"two {number}")
        crowd.join()
        seen = []
        for page in (one, two):
            page.front().until(lambda: len(page.lines()) == 112, "112 lines in each window")
            seen.append(page.lines())
        same(seen[0], seen[1], "the lines of one window, as the other has them")
        for who in ("one", "two"):
            same([line for line in seen[0] if who in line], [f"> {who} {n}" for n in range(5)], "a member's own order")
        same(two.by_id("message").get_attribute("value"), "", "the field after sending")
        two.by_id("message").send_keys(Keys.ENTER)  # nothing to say
        two.say("after nothing")
        two.until_line("> after nothing")
        same(len(two.lines()), 113, "lines after an empty one that must not be sent, and one more")
        two.quiet_console()


def markup_is_text(browser, binary):
    texts = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "&lt;b&gt;", "<b style='color:red'>b</b>"]
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        for text in texts:
            page.say(text)
        page.until_line("> " + texts[-1])
        same(page.lines()[2:], ["> " + text for text in texts], "markup that was said")
        same(page.run("return document.querySelectorAll('img, b, script').length"), 1, "elements that markup could make")
        with contextlib.suppress(NoAlertPresentException):
            check(False, f"an alert is open: {browser.switch_to.alert.text!r}")
        page.quiet_console()


def any_script_keeps_its_line(browser, binary):
    texts = ["\u05e9\u05dc\u05d5\u05dd (abc)", "\u202eturned", "two  spaces, \U0001f44b\U0001f3fd, \u4f60\u597d"]
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        say_all(server, texts)
        page.until_line("> " + texts[-1])
        same(page.lines()[2:], ["> " + text for text in texts], "lines in many scripts")
        edges = page.run("return [...document.querySelectorAll('#messages > * > :first-child')]"
                         ".map((prompt) => prompt.getBoundingClientRect().left)")
        same(len(set(edges)), 1, "places where lines begin")
        same(page.run("return [...document.querySelectorAll('#messages > * > :last-child')]"
                      ".map((words) => getComputedStyle(words).direction)")[2:], ["rtl", "ltr", "ltr"], "directions of writing")


def close_chat_ends_it(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.stop_clock()
        page.by_id("close").click()
        page.until_line(closed(1000) + " Normal closure")
        check(INTERRUPTED not in page.lines(), "a close that was asked for is called an interruption")
        same(page.status(), "Closed", "the status after Close Chat")
        same(page.timers(), 0, "attempts planned after Close Chat")
        check(not page.by_id("message").is_enabled(), "the message field is enabled after Close Chat")
        page.open_chat(times=2)
        page.quiet_console()


def server_goes_away_and_returns(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.by_id("message").send_keys("a draft")
        page.fixed_chance(0.5)
        server.terminate()
        same(server.process.returncode, 0, "the server's exit status after SIGTERM")
    page.until_line(closed(1001) + " The server is going away")
    check(INTERRUPTED not in page.lines(), "an orderly end is called an interruption")
    same(page.status(), "Interrupted. Trying again", "the status while waiting")
    check(re.fullmatch(r"in \d s", page.by_id("countdown").text), "no countdown while waiting")
    check(not page.by_id("message").is_enabled(), "the message field is enabled without a connection")
    with Server(binary, server.port):
        page.until_line(WELCOME, 2)
        same(page.by_id("message").get_attribute("value"), "a draft", "the draft after the interruption")
        same(page.focus(), "message", "where the focus is for one who was writing")
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        page.until_line("> a draft")
        page.quiet_console(connections_may_fail=True)


def server_vanishes_and_returns(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.fixed_chance(0.5)
        page.by_id("log").click()
        server.kill()
    page.until_line(closed(1006))
    same(page.lines()[2:], [INTERRUPTED, closed(1006) + " The connection ended without a close frame."], "lines of an end")
    with Server(binary, server.port):
        page.until_line(WELCOME, 2)
        same(page.focus(), "log", "where the focus is for one who was reading")
        page.quiet_console(connections_may_fail=True)


def speaks_the_protocol(browser, binary):
    """Chromium as a client of its own mind: 16 MiB each way, both ends closing, pongs for the server's pings."""
    with Server(binary, 0, "--max-message", "17M", "--ping-interval", "1", "--idle-timeout", "2") as server:
        page = Page(browser, server.url)
        browser.set_script_timeout(PATIENCE)
        seen = browser.execute_async_script("""
            const done = arguments[0];
            const seen = {};
            const at = (path) => `ws://${location.host}${path}`;
            const once = (socket, event) => new Promise((resolve) =>
                socket.addEventListener(event, resolve, { once: true }));
            const said = async (socket, message) => {
                const answer = once(socket, 'message');
                socket.send(message);
                return (await answer).data;
            };
            (async () => {
                const echo = new WebSocket(at('/echo'));
                echo.binaryType = 'arraybuffer';
                await once(echo, 'open');
                const text = 'é'.repeat(8 << 20);
                seen.text = await said(echo, text) === text;
                const octets = new Uint8Array(16 << 20).map((_, place) => place * 7);
                const back = new Uint8Array(await said(echo, octets));
                seen.binary = back.length === octets.length && back.every((octet, place) => octet === octets[place]);
                await new Promise((resolve) => setTimeout(resolve, 4000)); // twice as long as silence may last
                seen.alive = await said(echo, 'still here') === 'still here';
                let closed = once(echo, 'close');
                echo.close(4001, 'bye');
                let { code, wasClean } = await closed;
                seen.ours = [code, wasClean];

                const chat = new WebSocket(at('/chat'));
                await once(chat, 'message'); // the welcome
                closed = once(chat, 'close');
                chat.send(octets.slice(0, 3));
                ({ code, wasClean } = await closed);
                seen.theirs = [code, wasClean];
                return seen;
            })().then(done, (error) => done(`${error}`));
        """)
        same(seen, {"text": True, "binary": True, "alive": True, "ours": [4001, True], "theirs": [1003, True]},
             "what Chromium saw of the server")
        page.quiet_console()


def pauses_grow(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
    page.hurry_clock()
    page.by_id("open").click()
    page.until(lambda: page.run("return pauses.length") >= 8, "eight attempts")
    page.by_id("close").click()
    pauses = [pause / 1000 for pause in page.run("return pauses")]
    bounds = [(0, 5), (5, 10), (10, 20), (20, 40)] + [(30, 60)] * (len(pauses) - 4)
    for pause, (least, most) in zip(pauses, bounds):
        check(least <= pause <= most, f"a pause of {pause} s is not in {least} to {most}: {pauses}")
    check(len(set(pauses)) == len(pauses), f"pauses without chance: {pauses}")
    same(page.status(), "Closed", "the status after Close Chat between attempts")
    same(len(page.lines()), 2, "lines about a server that is not there: an error and a code, once")
    page.quiet_console(connections_may_fail=True)


def buttons_rule_the_waiting(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.stop_clock()
        server.kill()
    page.until_line(closed(1006))
    same(page.timers(), 1, "attempts planned after an interruption")
    page.by_id("close").click()
    same(page.timers(), 0, "attempts planned after Close Chat while waiting")
    same(page.status(), "Closed", "the status after Close Chat while waiting")
    page.by_id("open").click()
    page.until_line(closed(1006), 2)
    same(page.timers(), 1, "attempts planned after Open Chat without a server")
    with Server(binary, server.port):
        page.open_chat(times=2)  # the clock stands still: only the click can have done it
        same(page.timers(), 0, "attempts planned while the chat is open")
        page.quiet_console(connections_may_fail=True)


def keeps_a_thousand_lines(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        say_all(server, [f"line {n}" for n in range(1, 1201)])
        page.until(lambda: page.lines()[-1] == "> line 1200", "the last of 1200 lines")
        lines = page.lines()
        same((len(lines), lines[0]), (1000, "> line 201"), "how many lines are kept, and the first of them")
        page.until(page.at_end, "the end in sight after 1200 lines")


def scrolls_only_at_the_end(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        say_all(server, [f"line {n}" for n in range(100)])
        page.until(lambda: page.lines()[-1] == "> line 99", "a hundred lines")
        page.until(page.at_end, "the end in sight")
        page.by_id("log").send_keys(Keys.HOME)
        page.until(lambda: page.place() == 0, "the beginning in sight")
        check(not page.by_id("newer").is_displayed(), "new messages are announced where there are none")
        say_all(server, ["more 1", "more 2", "more 3"])
        page.until(lambda: page.by_id("newer").is_displayed(), "the button for new messages")
        page.until(lambda: page.by_id("newer").text.startswith("3 new messages"), "three new messages")
        same(page.place(), 0, "the place of one who reads further up")
        page.by_id("newer").click()
        page.until(page.at_end, "the end after a click on the button")

        # Messages that come while the reader's movement has only begun do not undo it.
        with server.client() as member:
            page.by_id("log").send_keys(Keys.HOME)
            member.send("in between")
            page.until_line("> in between")
            page.until(lambda: page.place() == 0, "the beginning in spite of a message")
        page.until(lambda: page.by_id("newer").is_displayed(), "the button for that message")
        page.by_id("newer").click()
        page.until(page.at_end, "the end after one more click on the button")
        check(not page.by_id("newer").is_displayed(), "the button is there although the end is in sight")
        say_all(server, ["more 4"])
        page.until_line("> more 4")
        page.until(page.at_end, "the end in sight once more")
        page.quiet_console()


def title_counts_the_unread(browser, binary):
    hide = """
        const hidden = arguments[0];
        Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    """
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.run(hide, True)
        say_all(server, ["one", "two"])
        page.until_line("> two")
        same(browser.title, "(2) wirechat", "the title of a hidden tab")
        page.run(hide, False)
        same(browser.title, "wirechat", "the title of a tab in sight")


def reader_may_leave_a_flood(browser, binary):
    with Server(binary) as server, server.client() as member:
        page = Page(browser, server.url)
        page.open_chat()
        say_all(server, [f"line {n}" for n in range(100)])
        page.until(page.at_end, "the end in sight")
        over = threading.Event()

        def flood():  # a line in about every frame
            while not over.wait(0.01):
                member.send("flood")
                member.recv(PATIENCE)

        flooding = threading.Thread(target=flood)
        flooding.start()
        try:
            page.until_line("> flood", 5)
            wheel = {"type": "mouseWheel", "x": 300, "y": 300, "deltaX": 0, "deltaY": -60}
            browser.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
            page.until(lambda: page.by_id("newer").is_displayed(), "a turn of the wheel to leave the end of a flood")
            page.by_id("log").send_keys(Keys.HOME)
            page.until(lambda: page.place() == 0, "the beginning in a flood")
            page.until(lambda: page.by_id("newer").is_displayed(), "the button for new messages")
            page.by_id("log").send_keys(Keys.END)
            page.until(lambda: page.at_end() and not page.by_id("newer").is_displayed(), "the end in a flood")
        finally:
            over.set()
            flooding.join()
        page.until(page.at_end, "the end after a flood")


def keyboard_alone(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        visited = []
        for _ in range(3):
            press(browser, Keys.TAB)
            visited.append(page.focus())
        same(visited, ["open", "close", "log"], "what Tab visits before the chat is open")
        back(browser, 2)
        press(browser, Keys.ENTER)
        page.until_line(WELCOME)
        same(page.focus(), "message", "where the focus is after Open Chat")
        press(browser, "by hand", Keys.ENTER)
        page.until_line("> by hand")

        # The Enter that ends an input method's composition is no Enter of the chat.
        browser.execute_cdp_cmd("Input.imeSetComposition", {"text": "\u306b\u307b", "selectionStart": 2, "selectionEnd": 2})
        for kind in ("rawKeyDown", "keyUp"):
            browser.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, "key": "Enter", "windowsVirtualKeyCode": 229})
        browser.execute_cdp_cmd("Input.insertText", {"text": "\u65e5\u672c"})
        same(page.by_id("message").get_attribute("value"), "\u65e5\u672c", "the field after a composition")
        press(browser, Keys.ENTER)
        page.until_line("> \u65e5\u672c")
        same(page.lines()[2:], ["> by hand", "> \u65e5\u672c"], "what was said by keyboard")

        back(browser, 2)
        same(page.focus(), "close", "what is before the messages")
        press(browser, Keys.SPACE)
        page.until_line(closed(1000))
        same(page.focus(), "close", "where the focus is after Close Chat")


def names_and_roles(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        for name, role, label in (
            ("open", "button", "Open Chat"), ("close", "button", "Close Chat"), ("send", "button", "Send"),
            ("message", "textbox", "Message"), ("log", "log", "Messages"), ("messages", "list", ""),
            ("status", "status", ""),
        ):
            element = page.by_id(name)
            same((element.aria_role, element.accessible_name), (role, label), f"role and name of {name!r}")
        same(page.run("return document.documentElement.lang"), "en", "the language of the page")


def small_screen(browser, binary):
    with Server(binary) as server, screen(browser, width=360, height=640, deviceScaleFactor=2, mobile=True):
        page = Page(browser, server.url)
        page.open_chat()
        say_all(server, ["w" * 3000, "https://example.org/" + "a-long-path/" * 20])
        page.until_line("> https")
        same(page.run("return [innerWidth, document.documentElement.scrollWidth, arguments[0].scrollWidth]", page.by_id("log")),
             [360, 360, 360], "widths of a telephone's window, of the page and of its lines")
        for name in ("open", "close", "message", "send", "log"):
            box = page.run("return arguments[0].getBoundingClientRect().toJSON()", page.by_id(name))
            check(box["left"] >= 0 and box["right"] <= 360 and box["top"] >= 0 and box["bottom"] <= 640,
                  f"{name!r} is not wholly on a small screen: {box}")
            check(box["height"] >= 40, f"{name!r} is too small for a finger: {box}")


# The contrast of each text with its ground, as WCAG 2 computes it.
CONTRASTS = """
    const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => rgb(colour).slice(0, 3).map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const ground = (element) => {
        const colour = getComputedStyle(element).backgroundColor;
        return rgb(colour)[3] === 0 ? ground(element.parentElement) : colour;
    };
    return [...document.querySelectorAll('h1, h2, h3, p, pre, code, button, li, bdi, th, td, small, i, label, select, .sight > span, input:not([type=range], [type=checkbox])')]
        .filter((element) => element.checkVisibility()).map((element) => {
        const pair = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
        return [element.id || element.className || element.tagName, (pair[0] + 0.05) / (pair[1] + 0.05)];
    });
"""


def light_and_dark(browser, binary):
    grounds = []
    for scheme in ("light", "dark"):
        with Server(binary) as server, colours(browser, scheme):
            page = Page(browser, server.url)
            page.open_chat()
            grounds.append(page.run("return getComputedStyle(document.body).backgroundColor"))
            poor = [pair for pair in page.run(CONTRASTS) if pair[1] < 4.5]
            check(not poor, f"hard to read when {scheme}: {poor}")
            server.kill()
            page.until_line(closed(1006))
            poor = [pair for pair in page.run(CONTRASTS) if pair[1] < 4.5]
            check(not poor, f"hard to read when {scheme} and interrupted: {poor}")
        with Server(binary, 0, "--inspect") as server, colours(browser, scheme):
            page = Inspector(browser, server.url)
            page.open_chat()
            page.say("Hello")
            page.until(lambda: sum("Hello" in row for row in page.rows()) == 2, "both frames")
            page.by_id("sights").send_keys(Keys.ARROW_UP, Keys.ARROW_UP)
            page.until_said("chosen", "Unmasking")
            poor = [pair for pair in page.run(CONTRASTS) if pair[1] < 4.5]
            check(not poor, f"hard to read in the inspector when {scheme}: {poor}")
            page.by_id("make").click()
            page.by_id("c-rsv2").click()
            page.by_id("c-ask").click()
            page.until_said("answer", "reserved bit set")
            poor = [pair for pair in page.run(CONTRASTS) if pair[1] < 4.5]
            check(not poor, f"hard to read in the composer when {scheme}: {poor}")
    brightness = [sum(map(int, re.findall(r"\d+", ground)[:3])) for ground in grounds]
    check(brightness[0] > 600 and brightness[1] < 150, f"grounds of the light and the dark page: {grounds}")


def opened_from_disk(browser, binary):
    with tempfile.TemporaryDirectory(prefix="wirechat-page-") as directory:
        page_file, port = PAGE, DISK_PORT
        if taken(DISK_PORT):  # somebody's own chat: leave it alone, and let a copy of the page look elsewhere
            port = free_port()
            page_file = pathlib.Path(directory) / "client.html"
            page_file.write_text(PAGE.read_text("utf-8").replace(f"localhost:{DISK_PORT}", f"localhost:{port}"), "utf-8")
        with Server(binary, port):
            page = Page(browser, page_file.as_uri())
            page.by_id("open").click()
            page.until_line("> For a page opened from disk, the server needs --origin null.")
            page.by_id("close").click()
        with Server(binary, port, "--origin", "null"):
            page.open_chat()
            page.say("from disk")
            page.until_line("> from disk")
            same(page.by_id("address").text, f"ws://localhost:{port}/chat", "where a page opened from disk connects")
            page.quiet_console(connections_may_fail=True)


def without_websocket(browser, binary):
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.WebSocket"})
    try:
        with Server(binary) as server:
            page = Page(browser, server.url)
            page.until_line("> WebSockets NOT supported by your Browser!")
            page.by_id("open").click()
            same(len(page.lines()), 1, "lines after a click that can do nothing")
            page.quiet_console()
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


# ---- The inspector


class Inspector(Page):
    """A page of a server that lets it look at the wire."""

    def __init__(self, browser, url):
        browser.set_window_size(1280, 1400)  # room for the list and a frame below it
        super().__init__(browser, url)
        self.until(lambda: self.by_id("wire-state").text.endswith("seen"), "the wire")

    def state(self):
        return self.by_id("wire-state").text

    def rows(self):
        """What is drawn of the list, without numbers and times."""
        return self.run("return [...document.querySelectorAll('.sight')].map((row) =>"
                        "['who', 'way', 'what', 'size', 'words'].map((name) => row.querySelector('.' + name).textContent).join(' '))")

    def until_row(self, text):
        self.until(lambda: text in self.rows(), f"the row {text!r} among {self.rows()}")

    def until_rows(self, part):
        self.until(lambda: any(part in row for row in self.rows()), f"a row with {part!r} among {self.rows()}")
        return self.rows()

    def choose(self, text):
        self.until_row(text)
        self.browser.find_elements(By.CLASS_NAME, "sight")[self.rows().index(text)].click()

    def until_said(self, name, text):
        self.until(lambda: text in self.by_id(name).text, f"{text!r} in {name}: {self.by_id(name).text!r}")

    def bits(self, place="chosen"):
        return self.run("return [...document.querySelectorAll(`#${arguments[0]} .bits i`)].map((bit) => bit.textContent).join('')",
                        place)

    def pick(self, name, value):
        self.run("""
            const [list, value] = arguments;
            list.value = value;
            for (const event of ['input', 'change']) list.dispatchEvent(new Event(event, { bubbles: true }));
        """, self.by_id(name), value)
        same(self.by_id(name).get_attribute("value"), value, f"the choice in {name}")

    def saved(self, button):
        """The text of the file that a button saves."""
        return self.browser.execute_async_script("""
            const [button, done] = arguments;
            const real = URL.createObjectURL;
            URL.createObjectURL = (blob) => { blob.text().then(done); URL.createObjectURL = real; return real.call(URL, blob); };
            document.getElementById(button).click();
        """, button)


def inspection_is_told(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        check("Inspection is on" in page.by_id("inspected").text, "the page does not say that inspection is on")
        page.run("tellInspection('elsewhere')")
        check("whoever runs this server" in page.by_id("inspected").text, "the page does not say that others can look")
        check(not page.by_id("wire").is_displayed(), "a page that may not look shows the wire")
        page.open_chat()  # asks again
        page.until(lambda: page.by_id("wire").is_displayed(), "the wire after a look at the server")
        port = server.port
    with Server(binary, port) as server:  # another server in its place, which is not inspected
        page.until_line(WELCOME, 2)
        page.until(lambda: not page.by_id("inspected").is_displayed(), "the end of inspection")
        page.quiet_console(connections_may_fail=True)


def each_bit_is_explained(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        page.open_chat()
        page.say("Hello")
        page.until(lambda: any("\u2190 text 5 Hello" in row for row in page.rows()), "the frame that said Hello")
        said = next(row for row in page.rows() if "\u2190 text 5 Hello" in row)
        me = said.split()[0]
        page.choose(said)
        page.until_said("chosen", "from the client on connection")
        octets = page.run("return [...document.querySelectorAll('#chosen pre')].pop().textContent").split()
        same(len(octets), 11, "octets of a masked Hello")
        same(octets[:2], ["81", "85"], "the first octets")
        key, masked = [int(octet, 16) for octet in octets[2:6]], [int(octet, 16) for octet in octets[6:]]
        same(bytes(octet ^ key[place % 4] for place, octet in enumerate(masked)), b"Hello", "the payload, unmasked by hand")
        same(page.bits(), "".join(f"{int(octet, 16):08b}" for octet in octets), "the bits of the picture")
        same(page.run("return getComputedStyle(document.querySelector('#chosen .grid')).gridTemplateColumns.split(' ').length"), 32,
             "bits in a row")
        same(page.run("return [...document.querySelectorAll('#chosen .bits small')].map((label) => label.textContent)"),
             ["F", "R1", "R2", "R3", "opcode", "M", "Payload len 5", f"Masking-key {octets[2]} {octets[3]}", f"Masking-key {octets[4]} {octets[5]}"]
             + [f"{octet} \u2192 \u2018{letter}\u2019" for octet, letter in zip(octets[6:], "Hello")], "what stands below the bits")
        same(page.run("return [...document.querySelectorAll('#chosen .fields th')].map((name) => name.textContent)"),
             ["FIN", "RSV1", "RSV2", "RSV3", "opcode", "MASK", "Payload len", "Masking-key", "Payload data"], "the fields")
        buttons = browser.find_elements(By.CSS_SELECTOR, "#chosen .bits")
        browser.execute_script("arguments[0].focus()", buttons[4])
        page.until_said("chosen", "opcode = 0x1: text: a message in UTF-8 begins (section 5.6)")
        press(browser, Keys.TAB)
        page.until_said("chosen", "MASK = 1: masked, as every frame of a client must be (section 5.1)")
        ActionChains(browser).move_to_element(buttons[6]).perform()
        page.until_said("chosen", "Payload len = 5: octets of payload (section 5.2)")
        same(page.run("return document.querySelector('#chosen .fields .lit th').textContent"), "Payload len", "the lit row")

        # Unmasking, step by step.
        back, on = browser.find_elements(By.CSS_SELECTOR, "#chosen .steps button")
        check(not back.is_enabled(), "there is a step before the first")
        for step, letter in enumerate("Hello"):
            page.until_said("chosen", f"octet {step} on the wire")
            page.until_said("chosen", f"0x{ord(letter):02x}  \u2018{letter}\u2019")
            page.until_said("chosen", "So far: " + "Hello"[:step + 1])
            on.click()
        check(not on.is_enabled(), "there is a step behind the last")

        page.choose(f"{me} \u2192 text 5 Hello")
        page.until_said("chosen", "not masked: no frame of a server may be")
        same(page.run("return document.querySelectorAll('#chosen .steps').length"), 0, "unmasking of what is not masked")
        say_all(server, ["x" * 20])
        page.choose(next(row for row in page.until_rows("\u2192 text 20 ") if "\u2192 text 20 " in row))
        page.until_said("chosen", "and 4 octets more")
        page.choose(next(row for row in page.until_rows("\u2192 close 2 ") if "\u2192 close 2 " in row))
        page.until_said("chosen", "03 e8 = code 1000")
        page.quiet_console()


def the_handshake_is_explained(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        page.open_chat()
        page.until(lambda: any("handshake" in row for row in page.rows()), "a handshake")
        page.by_id("sights").send_keys(Keys.HOME)
        page.until_said("chosen", "GET /chat HTTP/1.1")
        text = page.by_id("chosen").text
        key = re.search(r"Sec-WebSocket-Key: (\S+)", text)[1]
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())
        for part in (f"SHA-1 of both    {digest.hexdigest()}", "HTTP/1.1 101 Switching Protocols",
                     f"Sec-WebSocket-Accept: {base64.b64encode(digest.digest()).decode()}"):
            check(part in text, f"{part!r} is not in {text!r}")
        page.by_id("sights").send_keys(Keys.ARROW_DOWN)
        page.until(lambda: "101" in page.run("return document.querySelector('.sight[aria-selected=true] .words').textContent"),
                   "the response by keyboard")
        page.quiet_console()


def filters_and_pause(browser, binary):
    with Server(binary, 0, "--inspect") as server, server.client() as member:
        page = Inspector(browser, server.url)
        with server.client() as other:
            for text in ("apple", "pear"):
                member.send(text)
                other.recv(PATIENCE)
            other.ping("beat").wait(PATIENCE)
            page.until(lambda: any("pong" in row for row in page.rows()), "a pong")
            count = lambda: [len(page.rows()), page.state()]
            everything = page.rows()
            for name, value, those in (
                ("by-sender", "client", lambda row: "\u2190" in row), ("by-opcode", "ping", lambda row: " ping " in row),
                ("by-opcode", "handshake", lambda row: " handshake " in row), ("by-connection", "1", lambda row: row.startswith("#1 ")),
            ):
                page.pick(name, value)
                page.until(lambda: page.rows() == [row for row in everything if those(row)], f"the rows with {name} {value}")
                page.pick(name, "")
            page.by_id("no-beats").click()
            page.until(lambda: page.rows() == [row for row in everything if "beat" not in row], "rows without ping and pong")
            page.by_id("no-beats").click()
            for wanted in ("APPL", "6170706c65"):  # whatever its case, or in hex
                page.by_id("search").send_keys(wanted)
                page.until(lambda: page.rows() == [row for row in everything if "apple" in row], f"rows with {wanted}")
                page.by_id("search").clear()
                page.by_id("search").send_keys(" ", Keys.BACKSPACE)
            page.until(lambda: page.rows() == everything, "all rows")

            page.by_id("pause").click()
            member.send("plum")
            page.until(lambda: "waiting" in page.state(), f"what waits: {count()}")
            same(page.rows(), everything, "rows during a pause")
            page.by_id("pause").click()
            page.until(lambda: any("plum" in row for row in page.rows()), "what came during the pause")
            page.by_id("clear").click()
            page.until(lambda: page.rows() == [], "an empty list")
            member.send("fig")
            page.until(lambda: len(page.rows()) > 0 and all("fig" in row for row in page.rows()), "rows after clearing")
        page.quiet_console()


def what_is_saved(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        say_all(server, ["first", "\u00fcn\u00ef <b>"])
        page.until(lambda: sum(" close " in row for row in page.rows()) == 2, "both closes")
        frames = json.loads(page.saved("save-json"))
        same([frame["text"] for frame in frames if frame["kind"] == "frame" and frame["from"] == "client" and frame["name"] == "text"],
             ["first", "\u00fcn\u00ef <b>"], "texts in the JSON")
        lines = page.saved("save-hex").splitlines()
        octets = bytes.fromhex("".join(line.split("#")[0] for line in lines))
        check(b"\x81\x05first" in octets, f"the server's frame is not in {lines}")
        check(lines[0].startswith("# 2 streams."), f"two streams are saved without a word about it: {lines[0]!r}")
        same(sum(line.startswith("# connection") for line in lines), 2, "streams, each with its heading")
        page.pick("by-sender", "client")
        page.until(lambda: len(page.rows()) == 4, "the client's request and its three frames")
        decoded = subprocess.run([binary, "decode", "--hex", "--from", "client", "-"], input=page.saved("save-hex"),
                                 capture_output=True, text=True, timeout=PATIENCE)
        same(decoded.returncode, 0, f"what decode makes of the saved hex: {decoded.stdout}{decoded.stderr}")
        check("first" in decoded.stdout and "normal closure" in decoded.stdout, f"decode reads something else: {decoded.stdout}")
        page.pick("by-opcode", "ping")
        page.until(lambda: page.rows() == [], "no pings")
        same(json.loads(page.saved("save-json")), [], "what is saved of what is filtered away")
        page.quiet_console()


def composer_asks_and_sends(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        page.open_chat()
        page.by_id("make").click()
        same(page.by_id("c-octets").text, "81 85 37 fa 21 3d 7f 9f 4d 51 58", "the example of section 5.7")
        page.by_id("c-ask").click()
        page.until_said("answer", "sent to everyone in the chat")
        page.until_said("answer", "81 05 48 65 6c 6c 6f")
        same(page.bits("answer"), "".join(f"{octet:08b}" for octet in bytes.fromhex("818537fa213d7f9f4d5158")), "its picture")
        page.by_id("c-send").click()
        page.until_line("> Hello")

        for name in ("c-rsv1", "c-mask"):
            page.by_id(name).click()
        page.pick("c-opcode", "11")
        page.pick("c-form", "64")
        page.by_id("c-length").send_keys("9223372036854775808")
        same(page.by_id("c-octets").text, "cb 7f 80 00 00 00 00 00 00 00 48 65 6c 6c 6f", "a frame with everything wrong")
        check(not page.by_id("c-send").is_enabled(), "a browser could send that")
        page.by_id("c-ask").click()
        same(page.by_id("c-note").text, "No browser sends such a frame.", "why it cannot be sent")
        for sentence in ("reserved bit set", "reserved opcode", "a client's frame must be masked", "top bit of the 64-bit length set",
                         "1002", "the connection fails"):
            page.until_said("answer", sentence)

        # What makes no octets is said at its field, and cannot be asked.
        page.by_id("c-mask").click()
        for name, wrong, right, said in (
            ("c-key", "37", "37 fa 21 3d", "four octets in hex"), ("c-length", "18446744073709551616", "300", "at most 64 bits"),
            ("c-form", "7", "16", "300 does not fit into 7 bits"),
        ):
            page.pick(name, wrong)
            page.until_said("c-note", said)
            same(page.by_id(name).get_attribute("aria-invalid"), "true", f"the mark of {name}")
            check(not page.by_id("c-ask").is_enabled(), f"a wrong {name} can be asked")
            page.pick(name, right)
            check(page.by_id("c-ask").is_enabled(), f"a right {name} cannot be asked")
        page.by_id("c-hex").click()
        page.until_said("c-note", "two digits an octet")
        page.quiet_console()


def hostile_payloads_stay_text(browser, binary):
    texts = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "\u202eturned\n\x1b[31m\u2028"]
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        say_all(server, texts)
        page.until(lambda: sum(" close " in row for row in page.rows()) == 2, "both closes")
        for row in browser.find_elements(By.CLASS_NAME, "sight"):
            row.click()
        same(page.run("return document.querySelectorAll('img, #wire b, script').length"), 1, "elements that markup could make")
        with contextlib.suppress(NoAlertPresentException):
            check(False, f"an alert is open: {browser.switch_to.alert.text!r}")
        same(set(page.run("return [...document.querySelectorAll('.sight')].map((row) => row.offsetHeight)")), {26}, "heights of rows")
        page.quiet_console()


def keeps_five_thousand_frames(browser, binary):
    """Some 500 frames a second for 14 seconds. How smooth that was is said, not judged: the machine may be busy."""
    rounds, size = 350, 10
    with Server(binary, 0, "--inspect") as server, connect(f"ws://127.0.0.1:{server.port}/echo", compression=None) as member:
        page = Inspector(browser, server.url)
        page.run("""
            window.gaps = [];
            let last = performance.now();
            const look = (now) => { gaps.push(now - last); last = now; requestAnimationFrame(look); };
            requestAnimationFrame(look);
        """)
        for number in range(rounds):
            for place in range(size):
                member.send(f"message {number * size + place}")
            for _ in range(size):
                member.recv(PATIENCE)
            time.sleep(0.04)
        gaps = sorted(page.run("return gaps"))
        page.until(lambda: any(f"message {rounds * size - 1}" in row for row in page.rows()), "the last message")
        check(page.state().startswith("the last 5000"), f"what is kept is {page.state()!r}")
        rows = len(page.rows())
        check(rows < 100, f"{rows} rows are drawn at one time")
        page.by_id("sights").send_keys(Keys.HOME)
        page.until(lambda: page.run("return document.getElementById('sights').scrollTop") == 0, "the beginning of the list")
        same(page.run("return document.getElementById('sights').scrollHeight"), 5000 * 26, "the height of the list")
        place = lambda share: gaps[int(share * (len(gaps) - 1))]
        print(f"        {len(gaps)} frames of the screen, half of them within {place(.5):.0f} ms, 99 in 100 within {place(.99):.0f} ms,"
              f" all within {place(1):.0f} ms; {page.state()}")
        page.quiet_console()


# The words of the inspector that have not the room they want.
CUT = """
    const search = document.getElementById('search');
    const pen = document.createElement('canvas').getContext('2d');
    pen.font = getComputedStyle(search).font;
    const { paddingLeft, paddingRight } = getComputedStyle(search);
    const room = search.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    return [...document.querySelectorAll('#chosen .bits small, #chosen .bits span')]
        .filter((label) => label.scrollWidth > label.clientWidth).map((label) => label.textContent)
        .concat(pen.measureText(search.placeholder).width > room ? [search.placeholder] : []);
"""


def inspector_on_a_small_screen(browser, binary):
    with Server(binary, 0, "--inspect") as server, screen(browser, width=390, height=844, deviceScaleFactor=2, mobile=True):
        page = Inspector(browser, server.url)
        page.open_chat()
        page.say("Hello " + "long " * 40)
        page.until(lambda: len(page.rows()) >= 4, "rows")
        page.by_id("sights").send_keys(Keys.END)
        page.until_said("chosen", "The octets")
        for width in (320, 390, 641, 961, 1280):
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 640})
            page.until(lambda: page.run("return innerWidth") == width, "the window's new width")
            page.until(lambda: page.run(CUT) == [], f"labels that fit at a width of {width}, but: {page.run(CUT)}")
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
        same(page.run("return [innerWidth, document.documentElement.scrollWidth, arguments[0].scrollWidth <= arguments[0].clientWidth]",
                      page.by_id("chosen")), [390, 390, True], "widths of a telephone's window and of the page")
        box = lambda name: page.run("return document.getElementById(arguments[0]).getBoundingClientRect().toJSON()", name)
        check(box("wire")["top"] >= box("message")["bottom"], "the inspector is not below the chat")
        for name in ("open", "message", "send", "pause", "sights"):
            check(box(name)["left"] >= 0 and box(name)["right"] <= 390 and box(name)["bottom"] <= 844 and box(name)["height"] > 20,
                  f"{name!r} is not wholly on a small screen: {box(name)}")
        page.run("document.querySelector('#chosen > :last-child').scrollIntoView(false)")
        page.until(lambda: page.run("return document.querySelector('#chosen > :last-child').getBoundingClientRect().bottom") < 845,
                   "the end of the chosen frame")
        before = box("log")["height"]
        page.by_id("fold").click()
        page.until(lambda: box("log")["height"] > before + 100, "room for the chat when the inspector is folded")
        check(not page.by_id("sights").is_displayed(), "a folded inspector shows its list")


CHECKS = [
    loads_under_its_policy, two_windows_talk, markup_is_text, any_script_keeps_its_line, close_chat_ends_it,
    speaks_the_protocol, server_goes_away_and_returns, server_vanishes_and_returns, pauses_grow, buttons_rule_the_waiting,
    keeps_a_thousand_lines, scrolls_only_at_the_end, reader_may_leave_a_flood,
    title_counts_the_unread, keyboard_alone, names_and_roles, small_screen, light_and_dark,
    opened_from_disk, without_websocket,
    inspection_is_told, each_bit_is_explained, the_handshake_is_explained, filters_and_pause, what_is_saved,
    composer_asks_and_sends, hostile_payloads_stay_text, keeps_five_thousand_frames, inspector_on_a_small_screen,
]


# ---- What the checks lean on


def hash_of(page, element):
    """The one inline script or style of the page, as a content security policy names it."""
    found = re.findall(rb"<%b>(.*?)</%b>" % (element.encode(), element.encode()), page, re.DOTALL)
    same(len(found), 1, f"inline elements <{element}>")
    return f"'sha256-{base64.b64encode(hashlib.sha256(found[0]).digest()).decode()}'"


def press(browser, *keys):
    ActionChains(browser).send_keys(*keys).perform()


def back(browser, steps):
    for _ in range(steps):
        ActionChains(browser).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()


@contextlib.contextmanager
def second_window(browser):
    first = browser.current_window_handle
    browser.switch_to.new_window("window")
    second = browser.current_window_handle
    browser.switch_to.window(first)
    try:
        yield second
    finally:
        browser.switch_to.window(second)
        browser.close()
        browser.switch_to.window(first)


@contextlib.contextmanager
def screen(browser, **measures):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@contextlib.contextmanager
def colours(browser, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def taken(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- Pictures


TALK = [
    "Good morning! Who has the key of the meeting room?",
    "It hangs on the hook by the kitchen.",
    "Found it. See you all at ten.",
]


def take_pictures(browser, binary, directory):
    directory.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        for device, width, height in (("page", 900, 560), ("phone", 360, 640)):
            def shot(what):
                name = device + ("" if scheme == "light" else "-dark") + what
                browser.save_screenshot(str(directory / f"{name}.png"))

            with contextlib.ExitStack() as stack:
                stack.enter_context(colours(browser, scheme))
                stack.enter_context(screen(browser, width=width, height=height, deviceScaleFactor=1,
                                           mobile=device == "phone"))
                server = stack.enter_context(Server(binary, 0 if taken(DISK_PORT) else DISK_PORT))

                page = Page(browser, server.url)
                shot("-before")
                page.open_chat()
                say_all(server, TALK[:2])
                page.say(TALK[2])
                page.until_line("> " + TALK[2])
                shot("")
                say_all(server, [f"{n}. " + TALK[n % 3] for n in range(40)])
                page.until(page.at_end, "the end in sight")
                page.by_id("log").send_keys(Keys.HOME)
                page.until(lambda: page.place() == 0, "the beginning in sight")
                say_all(server, ["One more.", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"])
                page.until(lambda: page.by_id("newer").is_displayed(), "the button for new messages")
                shot("-newer")
                page.by_id("newer").click()
                page.fixed_chance(0.99)
                server.kill()
                page.until_line(closed(1006))
                shot("-interrupted")
            with contextlib.ExitStack() as stack:
                stack.enter_context(colours(browser, scheme))
                wide, high = (1440, 900) if device == "page" else (390, 844)
                stack.enter_context(screen(browser, width=wide, height=high, deviceScaleFactor=1, mobile=device == "phone"))
                server = stack.enter_context(Server(binary, 0 if taken(DISK_PORT) else DISK_PORT, "--inspect"))
                page = Inspector(browser, server.url)
                page.open_chat()
                say_all(server, TALK[:2])
                page.say("Hello")
                page.until(lambda: sum("Hello" in row for row in page.rows()) == 2, "both frames")
                page.by_id("sights").send_keys(Keys.ARROW_UP, Keys.ARROW_UP)
                page.until_said("chosen", "Unmasking")
                shot("-wire")
                page.by_id("sights").send_keys(Keys.HOME)
                page.until_said("chosen", "GUID")
                shot("-wire-handshake")
                page.by_id("make").click()
                page.by_id("c-rsv1").click()
                page.by_id("c-ask").click()
                page.until_said("answer", "reserved bit set")
                shot("-wire-composer")


# ---- The run


def main():
    arguments = argparse.ArgumentParser(description="The page of wirechat in headless Chromium.")
    arguments.add_argument("binary", metavar="BINARY", help="the wirechat executable")
    arguments.add_argument("--only", metavar="WORD", default="", help="run the checks with this word in their names")
    arguments.add_argument("--shots", metavar="DIR", type=pathlib.Path, help="leave pictures of the page here")
    given = arguments.parse_args()
    binary = shutil.which(given.binary)
    if binary is None:
        print(f"browser.py: {given.binary} is no program", file=sys.stderr)
        return 1

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        absent = "Chromium" if chromium is None else "chromedriver"
        print(f"browser.py: not run, because {absent} is not installed", file=sys.stderr)
        return MISSING

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that browser and servers end with the test
    with tempfile.TemporaryDirectory(prefix="wirechat-browser-", ignore_cleanup_errors=True) as profile:
        browser = start_browser(chromium, driver, profile)
        try:
            for each in CHECKS:
                name = each.__name__.replace("_", " ")
                if given.only not in name:
                    continue
                browser.get("about:blank")  # the page of the check before may still look for its server
                browser.get_log("browser")
                try:
                    each(browser, binary)
                except Exception as error:  # whatever it is, say in which check
                    print(f"FAILED  {name}: {type(error).__name__}: {getattr(error, 'msg', error)}", file=sys.stderr)
                    return 1
                print(f"ok      {name}", flush=True)
            if given.shots:
                take_pictures(browser, binary, given.shots)
        finally:
            browser.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
