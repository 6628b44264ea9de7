#!/usr/bin/env python3
"""Tests the page in headless Chromium, controlled through chromedriver, against the real server.

    python3 tests/clients/browser.py BINARY [--only WORD] [--shots DIR]

BINARY is the wirechat executable. The script starts and ends its own servers on loopback. With --shots it also saves
screenshots of the page in DIR; page.png is the picture in the README.

Exit status: 0 if all checks passed, 1 if one failed, 77 if the browser, its driver or a Python package is missing.
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

NOT_INSTALLED = 77  # exit status
TIMEOUT = 20  # seconds to wait for a condition; a run without errors needs a small part of it

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
    print(f"browser.py: skipped, a Python package is missing: {error}", file=sys.stderr)
    sys.exit(NOT_INSTALLED)

PAGE = pathlib.Path(__file__).resolve().parents[2] / "client.html"
DISK_PORT = 1984  # the port to which a page opened from disk connects

ESTABLISHED = "> Established connection."
WELCOME = "> Welcome to Corvusoft Chat!"
INTERRUPTED = "> Error: socket connection interrupted."


def closed(code):
    return f"> Connection closed with RFC6455 code {code}."


# ---- The server


class Server:
    """A running server; `port` 0 takes a free port."""

    def __init__(self, binary, port=0, *options):
        self.log_lines = collections.deque(maxlen=30)
        self.process = subprocess.Popen(
            [binary, "serve", "--bind", f"127.0.0.1:{port}", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
        )
        self.listening = threading.Event()
        self.port = None
        threading.Thread(target=self.read_log, daemon=True).start()
        if not self.listening.wait(TIMEOUT) or self.port is None:
            self.kill()
            raise AssertionError("the server did not log that it listens; its log: " + " | ".join(self.log_lines))

    def read_log(self):
        for line in self.process.stderr:
            self.log_lines.append(line.rstrip())
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)/", line)
            if found:
                self.port = int(found[1])
                self.listening.set()
        self.listening.set()  # the server has ended: stop waiting

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def client(self):
        # An unlimited receive queue, so that this member is never a slow reader.
        return connect(f"ws://127.0.0.1:{self.port}/chat", compression=None, max_queue=None)

    def terminate(self):
        self.process.terminate()
        self.process.wait(TIMEOUT)

    def kill(self):
        self.process.kill()
        self.process.wait(TIMEOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


def send_all(server, texts):
    """Sends `texts` from another member; returns when the server has delivered all of them."""
    with server.client() as member:
        member.recv(TIMEOUT)  # the welcome
        for text in texts:
            member.send(text)
        while member.recv(TIMEOUT) != texts[-1]:
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
    """The page in the current window of `browser`: what a user sees and does."""

    def __init__(self, browser, url):
        self.browser = browser
        self.window = browser.current_window_handle
        browser.get(url)

    def bring_to_front(self):
        self.browser.switch_to.window(self.window)
        return self

    def by_id(self, name):
        return self.browser.find_element(By.ID, name)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def lines(self):
        return self.run("return [...document.querySelectorAll('#messages > *')].map((line) => line.innerText)")

    def wait_for(self, condition, what):
        try:
            return WebDriverWait(self.browser, TIMEOUT, poll_frequency=0.05).until(lambda _: condition())
        except TimeoutException:
            tail = self.lines()[-8:]
            raise AssertionError(f"timeout while waiting for {what}; the page's last lines are {tail}") from None

    def wait_for_line(self, text, times=1):
        self.wait_for(lambda: sum(line.startswith(text) for line in self.lines()) >= times, f"{text!r}, {times} times")

    def open_chat(self, times=1):
        self.by_id("open").click()
        self.wait_for_line(WELCOME, times)

    def send(self, text):
        self.by_id("message").send_keys(text + Keys.ENTER)

    def focus(self):
        return self.run("return document.activeElement.id")

    def scroll_position(self):
        return self.run("return document.getElementById('log').scrollTop")

    def at_end(self):
        return self.run("const log = document.getElementById('log');"
                        "return log.scrollHeight - log.clientHeight - log.scrollTop < 2")

    def status(self):
        return self.by_id("status").text

    def fix_random(self, value):
        """Replaces Math.random, which determines the pauses between attempts, with a fixed value."""
        self.run(f"Math.random = () => {value}")

    def stop_clock(self):
        """Replaces timers: from now on they are recorded and never fire."""
        self.run("""
            window.timers = new Map();
            let last = 1e6;
            window.setTimeout = (call, pause) => { timers.set(++last, pause); return last; };
            window.clearTimeout = (timer) => timers.delete(timer);
        """)

    def speed_up_clock(self):
        """Replaces timers: from now on each pause is recorded and then lasts a thousandth of it."""
        self.run("""
            window.pauses = [];
            const real = window.setTimeout;
            window.setTimeout = (call, pause) => { pauses.push(pause); return real(call, pause / 1000); };
        """)

    def timers(self):
        return self.run("return timers.size")

    def expect_no_console_errors(self, *, connections_may_fail=False):
        """Expects no script error and no violation of the content security policy since the last call."""
        errors = [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        if connections_may_fail:
            errors = [message for message in errors if "WebSocket connection to" not in message]
        check(not errors, f"errors in the browser's console: {errors}")


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def expect_equal(actual, expected, what):
    check(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")


# ---- The checks. Each takes the browser and the path of the program, and tests one property of the page.


def loads_under_its_policy(browser, binary):
    with Server(binary) as server:
        with urllib.request.urlopen(server.url, timeout=TIMEOUT) as response:
            policy = response.headers.get("Content-Security-Policy", "")
            check("default-src 'none'" in policy, f"the page's content security policy is {policy!r}")
            served = response.read()
            for element in ("script", "style"):
                expected = f"{element}-src {hash_of(served, element)}"
                check(expected in policy, f"the policy must contain {expected}; it is {policy!r}")
            expect_equal(response.headers.get("X-Content-Type-Options"), "nosniff", "X-Content-Type-Options")
        page = Page(browser, server.url)
        expect_equal(page.status(), "Closed", "the status at the start")
        expect_equal(page.run("return document.scripts.length + document.querySelectorAll('style').length"), 2,
                     "script and style elements")
        expect_equal(page.run("return performance.getEntriesByType('resource').map((entry) => entry.name)"
                              ".filter((name) => name !== location.href)"), [], "requests for anything but the page")
        check(not page.by_id("inspected").is_displayed() and not page.by_id("inspector").is_displayed(),
              "the page shows the inspector although the option is off")
        check(not page.by_id("message").is_enabled(), "the message field is enabled before the chat is open")
        page.open_chat()
        expect_equal(page.lines(), [ESTABLISHED, WELCOME], "the first lines")
        expect_equal(page.by_id("messages").text, f"{ESTABLISHED}\n{WELCOME}", "the first lines as displayed")
        check(page.by_id("message").is_enabled(), "the message field is disabled although the chat is open")
        expect_equal(page.focus(), "message", "the focus after Open Chat")
        page.expect_no_console_errors()


def two_windows_chat(browser, binary):
    with Server(binary) as server, second_window(browser) as window:
        one = Page(browser, server.url)
        one.open_chat()
        browser.switch_to.window(window)
        two = Page(browser, server.url)
        two.open_chat()
        others = threading.Thread(target=send_all, args=(server, [f"other {n}" for n in range(100)]))
        others.start()
        for number in range(5):
            one.bring_to_front().send(f"one {number}")
            two.bring_to_front().send(f"two {number}")
        others.join()
        lines = []
        for page in (one, two):
            page.bring_to_front().wait_for(lambda: len(page.lines()) == 112, "112 lines in each window")
            lines.append(page.lines())
        expect_equal(lines[0], lines[1], "the lines of both windows")
        for sender in ("one", "two"):
            expect_equal([line for line in lines[0] if sender in line], [f"> {sender} {n}" for n in range(5)],
                         "the order of a sender's lines")
        expect_equal(two.by_id("message").get_attribute("value"), "", "the field after sending")
        two.by_id("message").send_keys(Keys.ENTER)  # an empty text
        two.send("after the empty text")
        two.wait_for_line("> after the empty text")
        expect_equal(len(two.lines()), 113, "lines after an empty text, which is not sent, and one more")
        two.expect_no_console_errors()


def markup_is_text(browser, binary):
    texts = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "&lt;b&gt;", "<b style='color:red'>b</b>"]
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        for text in texts:
            page.send(text)
        page.wait_for_line("> " + texts[-1])
        expect_equal(page.lines()[2:], ["> " + text for text in texts], "markup that was sent")
        expect_equal(page.run("return document.querySelectorAll('img, b, script').length"), 1, "elements that the markup could create")
        with contextlib.suppress(NoAlertPresentException):
            check(False, f"an alert is open: {browser.switch_to.alert.text!r}")
        page.expect_no_console_errors()


def right_to_left_text_keeps_its_line(browser, binary):
    texts = ["\u05e9\u05dc\u05d5\u05dd (abc)", "\u202eturned", "two  spaces, \U0001f44b\U0001f3fd, \u4f60\u597d"]
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        send_all(server, texts)
        page.wait_for_line("> " + texts[-1])
        expect_equal(page.lines()[2:], ["> " + text for text in texts], "lines in many scripts")
        edges = page.run("return [...document.querySelectorAll('#messages > * > :first-child')]"
                         ".map((prompt) => prompt.getBoundingClientRect().left)")
        expect_equal(len(set(edges)), 1, "positions where lines start")
        expect_equal(page.run("return [...document.querySelectorAll('#messages > * > :last-child')]"
                              ".map((text) => getComputedStyle(text).direction)")[2:], ["rtl", "ltr", "ltr"], "text directions")


def close_chat_closes_normally(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.stop_clock()
        page.by_id("close").click()
        page.wait_for_line(closed(1000) + " Normal closure")
        check(INTERRUPTED not in page.lines(), "a close by the user is called an interruption")
        expect_equal(page.status(), "Closed", "the status after Close Chat")
        expect_equal(page.timers(), 0, "attempts scheduled after Close Chat")
        check(not page.by_id("message").is_enabled(), "the message field is enabled after Close Chat")
        page.open_chat(times=2)
        page.expect_no_console_errors()


def page_reconnects_after_a_shutdown(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.by_id("message").send_keys("a draft")
        page.fix_random(0.5)
        server.terminate()
        expect_equal(server.process.returncode, 0, "the server's exit status after SIGTERM")
    page.wait_for_line(closed(1001) + " The server is going away")
    check(INTERRUPTED not in page.lines(), "a shutdown with a Close is called an interruption")
    expect_equal(page.status(), "Interrupted. Trying again", "the status while waiting")
    check(re.fullmatch(r"in \d s", page.by_id("countdown").text), "no countdown while waiting")
    check(not page.by_id("message").is_enabled(), "the message field is enabled without a connection")
    with Server(binary, server.port):
        page.wait_for_line(WELCOME, 2)
        expect_equal(page.by_id("message").get_attribute("value"), "a draft", "the draft after the interruption")
        expect_equal(page.focus(), "message", "the focus of a user who was typing")
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        page.wait_for_line("> a draft")
        page.expect_no_console_errors(connections_may_fail=True)


def page_reconnects_after_a_kill(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.fix_random(0.5)
        page.by_id("log").click()
        server.kill()
    page.wait_for_line(closed(1006))
    expect_equal(page.lines()[2:], [INTERRUPTED, closed(1006) + " The connection ended without a close frame."],
                 "the lines after the kill")
    with Server(binary, server.port):
        page.wait_for_line(WELCOME, 2)
        expect_equal(page.focus(), "log", "the focus of a user who was reading")
        page.expect_no_console_errors(connections_may_fail=True)


def chromium_speaks_the_protocol(browser, binary):
    """Chromium as a WebSocket client: 16 MiB in each direction, a Close from each side, Pongs for the server's Pings."""
    with Server(binary, 0, "--max-message", "17M", "--ping-interval", "1", "--idle-timeout", "2") as server:
        page = Page(browser, server.url)
        browser.set_script_timeout(TIMEOUT)
        results = browser.execute_async_script("""
            const done = arguments[0];
            const results = {};
            const at = (path) => `ws://${location.host}${path}`;
            const once = (socket, event) => new Promise((resolve) =>
                socket.addEventListener(event, resolve, { once: true }));
            const echoed = async (socket, message) => {
                const answer = once(socket, 'message');
                socket.send(message);
                return (await answer).data;
            };
            (async () => {
                const echo = new WebSocket(at('/echo'));
                echo.binaryType = 'arraybuffer';
                await once(echo, 'open');
                const text = 'é'.repeat(8 << 20);
                results.text = await echoed(echo, text) === text;
                const bytes = new Uint8Array(16 << 20).map((_, index) => index * 7);
                const back = new Uint8Array(await echoed(echo, bytes));
                results.binary = back.length === bytes.length && back.every((byte, index) => byte === bytes[index]);
                await new Promise((resolve) => setTimeout(resolve, 4000)); // twice the idle timeout
                results.alive = await echoed(echo, 'still here') === 'still here';
                let closed = once(echo, 'close');
                echo.close(4001, 'bye');
                let { code, wasClean } = await closed;
                results.ours = [code, wasClean];

                const chat = new WebSocket(at('/chat'));
                await once(chat, 'message'); // the welcome
                closed = once(chat, 'close');
                chat.send(bytes.slice(0, 3));
                ({ code, wasClean } = await closed);
                results.theirs = [code, wasClean];
                return results;
            })().then(done, (error) => done(`${error}`));
        """)
        expect_equal(results, {"text": True, "binary": True, "alive": True, "ours": [4001, True], "theirs": [1003, True]},
                     "results in Chromium")
        page.expect_no_console_errors()


def pauses_grow(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
    page.speed_up_clock()
    page.by_id("open").click()
    page.wait_for(lambda: page.run("return pauses.length") >= 8, "eight attempts")
    page.by_id("close").click()
    pauses = [pause / 1000 for pause in page.run("return pauses")]
    bounds = [(0, 5), (5, 10), (10, 20), (20, 40)] + [(30, 60)] * (len(pauses) - 4)
    for pause, (least, most) in zip(pauses, bounds):
        check(least <= pause <= most, f"a pause of {pause} s is not between {least} s and {most} s: {pauses}")
    check(len(set(pauses)) == len(pauses), f"pauses that are not random: {pauses}")
    expect_equal(page.status(), "Closed", "the status after Close Chat between attempts")
    expect_equal(len(page.lines()), 2, "lines without a server: one error and one close code")
    page.expect_no_console_errors(connections_may_fail=True)


def buttons_work_between_attempts(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.stop_clock()
        server.kill()
    page.wait_for_line(closed(1006))
    expect_equal(page.timers(), 1, "attempts scheduled after an interruption")
    page.by_id("close").click()
    expect_equal(page.timers(), 0, "attempts scheduled after Close Chat while waiting")
    expect_equal(page.status(), "Closed", "the status after Close Chat while waiting")
    page.by_id("open").click()
    page.wait_for_line(closed(1006), 2)
    expect_equal(page.timers(), 1, "attempts scheduled after Open Chat without a server")
    with Server(binary, server.port):
        page.open_chat(times=2)  # the clock is stopped: only the click can open the chat
        expect_equal(page.timers(), 0, "attempts scheduled while the chat is open")
        page.expect_no_console_errors(connections_may_fail=True)


def keeps_a_thousand_lines(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        send_all(server, [f"line {n}" for n in range(1, 1201)])
        page.wait_for(lambda: page.lines()[-1] == "> line 1200", "the last of 1200 lines")
        lines = page.lines()
        expect_equal((len(lines), lines[0]), (1000, "> line 201"), "the number of lines, and the first")
        page.wait_for(page.at_end, "the end of the list after 1200 lines")


def scrolls_only_at_the_end(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        send_all(server, [f"line {n}" for n in range(100)])
        page.wait_for(lambda: page.lines()[-1] == "> line 99", "a hundred lines")
        page.wait_for(page.at_end, "the end of the list")
        page.by_id("log").send_keys(Keys.HOME)
        page.wait_for(lambda: page.scroll_position() == 0, "the start of the list")
        check(not page.by_id("newer").is_displayed(), "the button for new messages is shown without a new message")
        send_all(server, ["more 1", "more 2", "more 3"])
        page.wait_for(lambda: page.by_id("newer").is_displayed(), "the button for new messages")
        page.wait_for(lambda: page.by_id("newer").text.startswith("3 new messages"), "three new messages")
        expect_equal(page.scroll_position(), 0, "the scroll position of a user who reads older lines")
        page.by_id("newer").click()
        page.wait_for(page.at_end, "the end after a click on the button")

        # A message that arrives while the user starts to scroll does not move the list back.
        with server.client() as member:
            page.by_id("log").send_keys(Keys.HOME)
            member.send("in between")
            page.wait_for_line("> in between")
            page.wait_for(lambda: page.scroll_position() == 0, "the start of the list after a message")
        page.wait_for(lambda: page.by_id("newer").is_displayed(), "the button for that message")
        page.by_id("newer").click()
        page.wait_for(page.at_end, "the end after another click on the button")
        check(not page.by_id("newer").is_displayed(), "the button is shown at the end of the list")
        send_all(server, ["more 4"])
        page.wait_for_line("> more 4")
        page.wait_for(page.at_end, "the end of the list again")
        page.expect_no_console_errors()


def title_counts_unread_messages(browser, binary):
    hide = """
        const hidden = arguments[0];
        Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    """
    with Server(binary) as server:
        page = Page(browser, server.url)
        page.open_chat()
        page.run(hide, True)
        send_all(server, ["one", "two"])
        page.wait_for_line("> two")
        expect_equal(browser.title, "(2) wirechat", "the title of a hidden tab")
        page.run(hide, False)
        expect_equal(browser.title, "wirechat", "the title of a visible tab")


def user_can_scroll_during_a_flood(browser, binary):
    with Server(binary) as server, server.client() as member:
        page = Page(browser, server.url)
        page.open_chat()
        send_all(server, [f"line {n}" for n in range(100)])
        page.wait_for(page.at_end, "the end of the list")
        is_over = threading.Event()

        def flood():  # about one line for each frame of the screen
            while not is_over.wait(0.01):
                member.send("flood")
                member.recv(TIMEOUT)

        flooding = threading.Thread(target=flood)
        flooding.start()
        try:
            page.wait_for_line("> flood", 5)
            wheel = {"type": "mouseWheel", "x": 300, "y": 300, "deltaX": 0, "deltaY": -60}
            browser.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
            page.wait_for(lambda: page.by_id("newer").is_displayed(), "the mouse wheel to leave the end during a flood")
            page.by_id("log").send_keys(Keys.HOME)
            page.wait_for(lambda: page.scroll_position() == 0, "the start of the list during a flood")
            page.wait_for(lambda: page.by_id("newer").is_displayed(), "the button for new messages")
            page.by_id("log").send_keys(Keys.END)
            page.wait_for(lambda: page.at_end() and not page.by_id("newer").is_displayed(), "the end of the list during a flood")
        finally:
            is_over.set()
            flooding.join()
        page.wait_for(page.at_end, "the end of the list after a flood")


def keyboard_only(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        visited = []
        for _ in range(3):
            press(browser, Keys.TAB)
            visited.append(page.focus())
        expect_equal(visited, ["open", "close", "log"], "the elements that Tab visits before the chat is open")
        shift_tab(browser, 2)
        press(browser, Keys.ENTER)
        page.wait_for_line(WELCOME)
        expect_equal(page.focus(), "message", "the focus after Open Chat")
        press(browser, "typed", Keys.ENTER)
        page.wait_for_line("> typed")

        # The Enter that ends an input method's composition does not send the text.
        browser.execute_cdp_cmd("Input.imeSetComposition", {"text": "\u306b\u307b", "selectionStart": 2, "selectionEnd": 2})
        for kind in ("rawKeyDown", "keyUp"):
            browser.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, "key": "Enter", "windowsVirtualKeyCode": 229})
        browser.execute_cdp_cmd("Input.insertText", {"text": "\u65e5\u672c"})
        expect_equal(page.by_id("message").get_attribute("value"), "\u65e5\u672c", "the field after a composition")
        press(browser, Keys.ENTER)
        page.wait_for_line("> \u65e5\u672c")
        expect_equal(page.lines()[2:], ["> typed", "> \u65e5\u672c"], "lines sent with the keyboard")

        shift_tab(browser, 2)
        expect_equal(page.focus(), "close", "the element before the list")
        press(browser, Keys.SPACE)
        page.wait_for_line(closed(1000))
        expect_equal(page.focus(), "close", "the focus after Close Chat")


def names_and_roles(browser, binary):
    with Server(binary) as server:
        page = Page(browser, server.url)
        for name, role, label in (
            ("open", "button", "Open Chat"), ("close", "button", "Close Chat"), ("send", "button", "Send"),
            ("message", "textbox", "Message"), ("log", "log", "Messages"), ("messages", "list", ""),
            ("status", "status", ""),
        ):
            element = page.by_id(name)
            expect_equal((element.aria_role, element.accessible_name), (role, label), f"role and name of {name!r}")
        expect_equal(page.run("return document.documentElement.lang"), "en", "the language of the page")


def small_screen(browser, binary):
    with Server(binary) as server, emulated_screen(browser, width=360, height=640, deviceScaleFactor=2, mobile=True):
        page = Page(browser, server.url)
        page.open_chat()
        send_all(server, ["w" * 3000, "https://example.org/" + "a-long-path/" * 20])
        page.wait_for_line("> https")
        expect_equal(page.run("return [innerWidth, document.documentElement.scrollWidth, arguments[0].scrollWidth]",
                              page.by_id("log")),
                     [360, 360, 360], "widths of the window, the page and its lines on a phone")
        for name in ("open", "close", "message", "send", "log"):
            box = page.run("return arguments[0].getBoundingClientRect().toJSON()", page.by_id(name))
            check(box["left"] >= 0 and box["right"] <= 360 and box["top"] >= 0 and box["bottom"] <= 640,
                  f"{name!r} is not completely on a small screen: {box}")
            check(box["height"] >= 40, f"{name!r} is too small for a finger: {box}")


# The contrast of each text with its background, as WCAG 2 computes it.
CONTRASTS = """
    const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = (colour) => rgb(colour).slice(0, 3).map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const background = (element) => {
        const colour = getComputedStyle(element).backgroundColor;
        return rgb(colour)[3] === 0 ? background(element.parentElement) : colour;
    };
    return [...document.querySelectorAll('h1, h2, h3, p, pre, code, button, li, bdi, th, td, small, i, label, select, .row > span, input:not([type=range], [type=checkbox])')]
        .filter((element) => element.checkVisibility()).map((element) => {
        const pair = [luminance(getComputedStyle(element).color), luminance(background(element))].sort((a, b) => b - a);
        return [element.id || element.className || element.tagName, (pair[0] + 0.05) / (pair[1] + 0.05)];
    });
"""


def light_and_dark(browser, binary):
    backgrounds = []
    for scheme in ("light", "dark"):
        with Server(binary) as server, colour_scheme(browser, scheme):
            page = Page(browser, server.url)
            page.open_chat()
            backgrounds.append(page.run("return getComputedStyle(document.body).backgroundColor"))
            poor = [pair for pair in page.run(CONTRASTS) if pair[1] < 4.5]
            check(not poor, f"hard to read when {scheme}: {poor}")
            server.kill()
            page.wait_for_line(closed(1006))
            poor = [pair for pair in page.run(CONTRASTS) if pair[1] < 4.5]
            check(not poor, f"hard to read when {scheme} and interrupted: {poor}")
        with Server(binary, 0, "--inspect") as server, colour_scheme(browser, scheme):
            page = Inspector(browser, server.url)
            page.open_chat()
            page.send("Hello")
            page.wait_for(lambda: sum("Hello" in row for row in page.rows()) == 2, "both frames")
            page.by_id("frames").send_keys(Keys.ARROW_UP, Keys.ARROW_UP)
            page.wait_for_text("details", "Unmasking")
            poor = [pair for pair in page.run(CONTRASTS) if pair[1] < 4.5]
            check(not poor, f"hard to read in the inspector when {scheme}: {poor}")
            page.by_id("toggle-composer").click()
            page.by_id("c-rsv2").click()
            page.by_id("c-ask").click()
            page.wait_for_text("answer", "reserved bit set")
            poor = [pair for pair in page.run(CONTRASTS) if pair[1] < 4.5]
            check(not poor, f"hard to read in the composer when {scheme}: {poor}")
    brightness = [sum(map(int, re.findall(r"\d+", background)[:3])) for background in backgrounds]
    check(brightness[0] > 600 and brightness[1] < 150, f"background colours of the light and the dark page: {backgrounds}")


def opened_from_disk(browser, binary):
    with tempfile.TemporaryDirectory(prefix="wirechat-page-") as directory:
        page_file, port = PAGE, DISK_PORT
        if port_is_used(DISK_PORT):  # another server uses it: test a copy of the page with another port
            port = free_port()
            page_file = pathlib.Path(directory) / "client.html"
            page_file.write_text(PAGE.read_text("utf-8").replace(f"localhost:{DISK_PORT}", f"localhost:{port}"), "utf-8")
        with Server(binary, port):
            page = Page(browser, page_file.as_uri())
            page.by_id("open").click()
            page.wait_for_line("> For a page opened from disk, the server needs --origin null.")
            page.by_id("close").click()
        with Server(binary, port, "--origin", "null"):
            page.open_chat()
            page.send("from disk")
            page.wait_for_line("> from disk")
            expect_equal(page.by_id("address").text, f"ws://localhost:{port}/chat", "the address to which a page opened from disk connects")
            page.expect_no_console_errors(connections_may_fail=True)


def without_websocket(browser, binary):
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.WebSocket"})
    try:
        with Server(binary) as server:
            page = Page(browser, server.url)
            page.wait_for_line("> WebSockets NOT supported by your Browser!")
            page.by_id("open").click()
            expect_equal(len(page.lines()), 1, "lines after a click without effect")
            page.expect_no_console_errors()
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


# ---- The inspector


class Inspector(Page):
    """The page with the inspector, of a server with --inspect."""

    def __init__(self, browser, url):
        browser.set_window_size(1280, 1400)  # large enough for the list and a frame below it
        super().__init__(browser, url)
        self.wait_for(lambda: self.by_id("inspector-status").text.endswith("recorded"), "the inspector")

    def state(self):
        return self.by_id("inspector-status").text

    def rows(self):
        """The drawn rows of the list, without numbers and times."""
        return self.run("return [...document.querySelectorAll('.row')].map((row) =>"
                        "['connection', 'direction', 'type', 'size', 'text'].map((name) => row.querySelector('.' + name).textContent).join(' '))")

    def wait_for_row(self, text):
        self.wait_for(lambda: text in self.rows(), f"the row {text!r} among {self.rows()}")

    def wait_for_row_with(self, part):
        self.wait_for(lambda: any(part in row for row in self.rows()), f"a row with {part!r} among {self.rows()}")
        return self.rows()

    def click_row(self, text):
        self.wait_for_row(text)
        self.browser.find_elements(By.CLASS_NAME, "row")[self.rows().index(text)].click()

    def wait_for_text(self, name, text):
        self.wait_for(lambda: text in self.by_id(name).text, f"{text!r} in {name}: {self.by_id(name).text!r}")

    def bits(self, place="details"):
        return self.run("return [...document.querySelectorAll(`#${arguments[0]} .bits i`)].map((bit) => bit.textContent).join('')",
                        place)

    def select(self, name, value):
        self.run("""
            const [list, value] = arguments;
            list.value = value;
            for (const event of ['input', 'change']) list.dispatchEvent(new Event(event, { bubbles: true }));
        """, self.by_id(name), value)
        expect_equal(self.by_id(name).get_attribute("value"), value, f"the choice in {name}")

    def saved_file(self, button):
        """Clicks a button and returns the text of the file that it saves."""
        return self.browser.execute_async_script("""
            const [button, done] = arguments;
            const real = URL.createObjectURL;
            URL.createObjectURL = (blob) => { blob.text().then(done); URL.createObjectURL = real; return real.call(URL, blob); };
            document.getElementById(button).click();
        """, button)


def page_says_that_inspection_is_on(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        check("Inspection is on" in page.by_id("inspected").text, "the page does not say that inspection is on")
        page.run("showInspection('elsewhere')")
        check("the operator of this server" in page.by_id("inspected").text, "the page does not say that others can inspect")
        check(not page.by_id("inspector").is_displayed(), "a page that may not inspect shows the inspector")
        page.open_chat()  # the page asks the server again
        page.wait_for(lambda: page.by_id("inspector").is_displayed(), "the inspector after the server's reply")
        port = server.port
    with Server(binary, port) as server:  # another server on the same port, without --inspect
        page.wait_for_line(WELCOME, 2)
        page.wait_for(lambda: not page.by_id("inspected").is_displayed(), "the end of inspection")
        page.expect_no_console_errors(connections_may_fail=True)


def each_bit_is_explained(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        page.open_chat()
        page.send("Hello")
        page.wait_for(lambda: any("\u2190 text 5 Hello" in row for row in page.rows()), "the frame with Hello")
        row = next(row for row in page.rows() if "\u2190 text 5 Hello" in row)
        connection = row.split()[0]
        page.click_row(row)
        page.wait_for_text("details", "from the client on connection")
        wire = page.run("return [...document.querySelectorAll('#details pre')].pop().textContent").split()
        expect_equal(len(wire), 11, "bytes of a masked Hello")
        expect_equal(wire[:2], ["81", "85"], "the first bytes")
        key, masked = [int(byte, 16) for byte in wire[2:6]], [int(byte, 16) for byte in wire[6:]]
        expect_equal(bytes(byte ^ key[i % 4] for i, byte in enumerate(masked)), b"Hello", "the unmasked payload")
        expect_equal(page.bits(), "".join(f"{int(byte, 16):08b}" for byte in wire), "the bits of the picture")
        columns = "return getComputedStyle(document.querySelector('#details .grid')).gridTemplateColumns.split(' ').length"
        expect_equal(page.run(columns), 32, "bits in a row")
        expect_equal(page.run("return [...document.querySelectorAll('#details .bits small')].map((label) => label.textContent)"),
                     ["F", "R1", "R2", "R3", "opcode", "M", "Payload len 5", f"Masking-key {wire[2]} {wire[3]}",
                      f"Masking-key {wire[4]} {wire[5]}"]
                     + [f"{byte} \u2192 \u2018{letter}\u2019" for byte, letter in zip(wire[6:], "Hello")], "the labels below the bits")
        expect_equal(page.run("return [...document.querySelectorAll('#details .fields th')].map((name) => name.textContent)"),
                     ["FIN", "RSV1", "RSV2", "RSV3", "opcode", "MASK", "Payload len", "Masking-key", "Payload data"], "the fields")
        buttons = browser.find_elements(By.CSS_SELECTOR, "#details .bits")
        browser.execute_script("arguments[0].focus()", buttons[4])
        page.wait_for_text("details", "opcode = 0x1: text: starts a message in UTF-8 (section 5.6)")
        press(browser, Keys.TAB)
        page.wait_for_text("details", "MASK = 1: masked: a client must mask every frame (section 5.1)")
        ActionChains(browser).move_to_element(buttons[6]).perform()
        page.wait_for_text("details", "Payload len = 5: bytes of payload (section 5.2)")
        expect_equal(page.run("return document.querySelector('#details .fields .highlighted th').textContent"), "Payload len", "the highlighted row")

        # Unmasking, step by step.
        previous, following = browser.find_elements(By.CSS_SELECTOR, "#details .steps button")
        check(not previous.is_enabled(), "there is a step before the first")
        for step, letter in enumerate("Hello"):
            page.wait_for_text("details", f"byte {step} on the wire")
            page.wait_for_text("details", f"0x{ord(letter):02x}  \u2018{letter}\u2019")
            page.wait_for_text("details", "So far: " + "Hello"[:step + 1])
            following.click()
        check(not following.is_enabled(), "there is a step after the last")

        page.click_row(f"{connection} \u2192 text 5 Hello")
        page.wait_for_text("details", "not masked: a server must not mask")
        expect_equal(page.run("return document.querySelectorAll('#details .steps').length"), 0, "unmasking steps of a frame that is not masked")
        send_all(server, ["x" * 20])
        page.click_row(next(row for row in page.wait_for_row_with("\u2192 text 20 ") if "\u2192 text 20 " in row))
        page.wait_for_text("details", "and 4 more bytes")
        page.click_row(next(row for row in page.wait_for_row_with("\u2192 close 2 ") if "\u2192 close 2 " in row))
        page.wait_for_text("details", "03 e8 = code 1000")
        page.expect_no_console_errors()


def the_handshake_is_explained(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        page.open_chat()
        page.wait_for(lambda: any("handshake" in row for row in page.rows()), "a handshake")
        page.by_id("frames").send_keys(Keys.HOME)
        page.wait_for_text("details", "GET /chat HTTP/1.1")
        text = page.by_id("details").text
        key = re.search(r"Sec-WebSocket-Key: (\S+)", text)[1]
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())
        for part in (f"SHA-1 of both    {digest.hexdigest()}", "HTTP/1.1 101 Switching Protocols",
                     f"Sec-WebSocket-Accept: {base64.b64encode(digest.digest()).decode()}"):
            check(part in text, f"{part!r} is not in {text!r}")
        page.by_id("frames").send_keys(Keys.ARROW_DOWN)
        page.wait_for(lambda: "101" in page.run("return document.querySelector('.row[aria-selected=true] .text').textContent"),
                   "the response, selected with the keyboard")
        page.expect_no_console_errors()


def filters_and_pause(browser, binary):
    with Server(binary, 0, "--inspect") as server, server.client() as member:
        page = Inspector(browser, server.url)
        with server.client() as other:
            for text in ("apple", "pear"):
                member.send(text)
                other.recv(TIMEOUT)
            other.ping("heartbeat").wait(TIMEOUT)
            page.wait_for(lambda: any("pong" in row for row in page.rows()), "a pong")
            count = lambda: [len(page.rows()), page.state()]
            everything = page.rows()
            for name, value, matches in (
                ("by-sender", "client", lambda row: "\u2190" in row), ("by-opcode", "ping", lambda row: " ping " in row),
                ("by-opcode", "handshake", lambda row: " handshake " in row), ("by-connection", "1", lambda row: row.startswith("#1 ")),
            ):
                page.select(name, value)
                page.wait_for(lambda: page.rows() == [row for row in everything if matches(row)], f"the rows with {name} {value}")
                page.select(name, "")
            page.by_id("hide-pings").click()
            page.wait_for(lambda: page.rows() == [row for row in everything if "heartbeat" not in row], "rows without ping and pong")
            page.by_id("hide-pings").click()
            for pattern in ("APPL", "6170706c65"):  # in another case, and in hex
                page.by_id("search").send_keys(pattern)
                page.wait_for(lambda: page.rows() == [row for row in everything if "apple" in row], f"rows with {pattern}")
                page.by_id("search").clear()
                page.by_id("search").send_keys(" ", Keys.BACKSPACE)
            page.wait_for(lambda: page.rows() == everything, "all rows")

            page.by_id("pause").click()
            member.send("plum")
            page.wait_for(lambda: "waiting" in page.state(), f"the number of waiting frames: {count()}")
            expect_equal(page.rows(), everything, "rows during a pause")
            page.by_id("pause").click()
            page.wait_for(lambda: any("plum" in row for row in page.rows()), "the frames of the pause")
            page.by_id("clear").click()
            page.wait_for(lambda: page.rows() == [], "an empty list")
            member.send("fig")
            page.wait_for(lambda: len(page.rows()) > 0 and all("fig" in row for row in page.rows()), "rows after clearing")
        page.expect_no_console_errors()


def frames_can_be_saved(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        send_all(server, ["first", "\u00fcn\u00ef <b>"])
        page.wait_for(lambda: sum(" close " in row for row in page.rows()) == 2, "both closes")
        frames = json.loads(page.saved_file("save-json"))
        texts = [frame["text"] for frame in frames
                 if frame["kind"] == "frame" and frame["from"] == "client" and frame["name"] == "text"]
        expect_equal(texts, ["first", "\u00fcn\u00ef <b>"], "texts in the JSON")
        lines = page.saved_file("save-hex").splitlines()
        data = bytes.fromhex("".join(line.split("#")[0] for line in lines))
        check(b"\x81\x05first" in data, f"the server's frame is not in {lines}")
        check(lines[0].startswith("# 2 streams."), f"the file does not say that it has two streams: {lines[0]!r}")
        expect_equal(sum(line.startswith("# connection") for line in lines), 2, "streams, each with its heading")
        page.select("by-sender", "client")
        page.wait_for(lambda: len(page.rows()) == 4, "the client's request and its three frames")
        decoded = subprocess.run([binary, "decode", "--hex", "--from", "client", "-"], input=page.saved_file("save-hex"),
                                 capture_output=True, text=True, timeout=TIMEOUT)
        expect_equal(decoded.returncode, 0, f"exit status of decode for the saved hex: {decoded.stdout}{decoded.stderr}")
        check("first" in decoded.stdout and "normal closure" in decoded.stdout, f"decode prints something else: {decoded.stdout}")
        page.select("by-opcode", "ping")
        page.wait_for(lambda: page.rows() == [], "no pings")
        expect_equal(json.loads(page.saved_file("save-json")), [], "the saved file if the filter matches no frame")
        page.expect_no_console_errors()


def composer_simulates_and_sends(browser, binary):
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        page.open_chat()
        page.by_id("toggle-composer").click()
        expect_equal(page.by_id("c-bytes").text, "81 85 37 fa 21 3d 7f 9f 4d 51 58", "the example of section 5.7")
        page.by_id("c-ask").click()
        page.wait_for_text("answer", "sent to everyone in the chat")
        page.wait_for_text("answer", "81 05 48 65 6c 6c 6f")
        expect_equal(page.bits("answer"), "".join(f"{byte:08b}" for byte in bytes.fromhex("818537fa213d7f9f4d5158")), "the picture of the frame")
        page.by_id("c-send").click()
        page.wait_for_line("> Hello")

        for name in ("c-rsv1", "c-mask"):
            page.by_id(name).click()
        page.select("c-opcode", "11")
        page.select("c-form", "64")
        page.by_id("c-length").send_keys("9223372036854775808")
        expect_equal(page.by_id("c-bytes").text, "cb 7f 80 00 00 00 00 00 00 00 48 65 6c 6c 6f", "a frame with many errors")
        check(not page.by_id("c-send").is_enabled(), "a frame that no browser can send is enabled")
        page.by_id("c-ask").click()
        expect_equal(page.by_id("c-note").text, "A browser cannot send this frame.", "the reason")
        for sentence in ("reserved bit set", "reserved opcode", "a client's frame must be masked", "top bit of the 64-bit length set",
                         "1002", "the connection fails"):
            page.wait_for_text("answer", sentence)

        # An invalid value is reported at its field, and the frame cannot be simulated.
        page.by_id("c-mask").click()
        for name, invalid, valid, message in (
            ("c-key", "37", "37 fa 21 3d", "four bytes in hex"), ("c-length", "18446744073709551616", "300", "at most 64 bits"),
            ("c-form", "7", "16", "300 does not fit into 7 bits"),
        ):
            page.select(name, invalid)
            page.wait_for_text("c-note", message)
            expect_equal(page.by_id(name).get_attribute("aria-invalid"), "true", f"aria-invalid of {name}")
            check(not page.by_id("c-ask").is_enabled(), f"an invalid {name} can be simulated")
            page.select(name, valid)
            check(page.by_id("c-ask").is_enabled(), f"a valid {name} cannot be simulated")
        page.by_id("c-hex").click()
        page.wait_for_text("c-note", "two digits for each byte")
        page.expect_no_console_errors()


def hostile_payloads_stay_text(browser, binary):
    texts = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "\u202eturned\n\x1b[31m\u2028"]
    with Server(binary, 0, "--inspect") as server:
        page = Inspector(browser, server.url)
        send_all(server, texts)
        page.wait_for(lambda: sum(" close " in row for row in page.rows()) == 2, "both closes")
        for row in browser.find_elements(By.CLASS_NAME, "row"):
            row.click()
        expect_equal(page.run("return document.querySelectorAll('img, #inspector b, script').length"), 1, "elements that the markup could create")
        with contextlib.suppress(NoAlertPresentException):
            check(False, f"an alert is open: {browser.switch_to.alert.text!r}")
        expect_equal(set(page.run("return [...document.querySelectorAll('.row')].map((row) => row.offsetHeight)")), {26}, "heights of rows")
        page.expect_no_console_errors()


def keeps_five_thousand_frames(browser, binary):
    """Some 500 frames a second for 14 seconds. The screen's frame times are printed, not checked: the machine may be busy."""
    rounds, size = 350, 10
    with Server(binary, 0, "--inspect") as server, connect(f"ws://127.0.0.1:{server.port}/echo", compression=None) as member:
        page = Inspector(browser, server.url)
        page.run("""
            window.gaps = [];
            let last = performance.now();
            const measure = (now) => { gaps.push(now - last); last = now; requestAnimationFrame(measure); };
            requestAnimationFrame(measure);
        """)
        for number in range(rounds):
            for index in range(size):
                member.send(f"message {number * size + index}")
            for _ in range(size):
                member.recv(TIMEOUT)
            time.sleep(0.04)
        gaps = sorted(page.run("return gaps"))
        page.wait_for(lambda: any(f"message {rounds * size - 1}" in row for row in page.rows()), "the last message")
        check(page.state().startswith("the last 5000"), f"the state is {page.state()!r}")
        rows = len(page.rows())
        check(rows < 100, f"{rows} rows are drawn at the same time")
        page.by_id("frames").send_keys(Keys.HOME)
        page.wait_for(lambda: page.run("return document.getElementById('frames').scrollTop") == 0, "the start of the list")
        expect_equal(page.run("return document.getElementById('frames').scrollHeight"), 5000 * 26, "the height of the list")
        percentile = lambda share: gaps[int(share * (len(gaps) - 1))]
        print(f"        {len(gaps)} frames of the screen, half of them within {percentile(.5):.0f} ms, 99 in 100 within {percentile(.99):.0f} ms,"
              f" all within {percentile(1):.0f} ms; {page.state()}")
        page.expect_no_console_errors()


# The inspector's labels that are cut off.
CUT = """
    const search = document.getElementById('search');
    const canvas = document.createElement('canvas').getContext('2d');
    canvas.font = getComputedStyle(search).font;
    const { paddingLeft, paddingRight } = getComputedStyle(search);
    const width = search.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    return [...document.querySelectorAll('#details .bits small, #details .bits span')]
        .filter((label) => label.scrollWidth > label.clientWidth).map((label) => label.textContent)
        .concat(canvas.measureText(search.placeholder).width > width ? [search.placeholder] : []);
"""


def inspector_on_a_small_screen(browser, binary):
    with Server(binary, 0, "--inspect") as server, emulated_screen(browser, width=390, height=844, deviceScaleFactor=2, mobile=True):
        page = Inspector(browser, server.url)
        page.open_chat()
        page.send("Hello " + "long " * 40)
        page.wait_for(lambda: len(page.rows()) >= 4, "rows")
        page.by_id("frames").send_keys(Keys.END)
        page.wait_for_text("details", "The bytes")
        for width in (320, 390, 641, 961, 1280):
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 640})
            page.wait_for(lambda: page.run("return innerWidth") == width, "the window's new width")
            page.wait_for(lambda: page.run(CUT) == [], f"labels that fit at a width of {width}, but: {page.run(CUT)}")
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
        widths = page.run("return [innerWidth, document.documentElement.scrollWidth,"
                          "arguments[0].scrollWidth <= arguments[0].clientWidth]", page.by_id("details"))
        expect_equal(widths, [390, 390, True], "widths of the window and the page on a phone")
        box = lambda name: page.run("return document.getElementById(arguments[0]).getBoundingClientRect().toJSON()", name)
        check(box("inspector")["top"] >= box("message")["bottom"], "the inspector is not below the chat")
        for name in ("open", "message", "send", "pause", "frames"):
            check(box(name)["left"] >= 0 and box(name)["right"] <= 390 and box(name)["bottom"] <= 844 and box(name)["height"] > 20,
                  f"{name!r} is not completely on a small screen: {box(name)}")
        page.run("document.querySelector('#details > :last-child').scrollIntoView(false)")
        page.wait_for(lambda: page.run("return document.querySelector('#details > :last-child').getBoundingClientRect().bottom") < 845,
                   "the end of the chosen frame")
        before = box("log")["height"]
        page.by_id("collapse").click()
        page.wait_for(lambda: box("log")["height"] > before + 100, "more space for the chat with a folded inspector")
        check(not page.by_id("frames").is_displayed(), "a folded inspector shows its list")


CHECKS = [
    loads_under_its_policy, two_windows_chat, markup_is_text, right_to_left_text_keeps_its_line, close_chat_closes_normally,
    chromium_speaks_the_protocol, page_reconnects_after_a_shutdown, page_reconnects_after_a_kill, pauses_grow, buttons_work_between_attempts,
    keeps_a_thousand_lines, scrolls_only_at_the_end, user_can_scroll_during_a_flood,
    title_counts_unread_messages, keyboard_only, names_and_roles, small_screen, light_and_dark,
    opened_from_disk, without_websocket,
    page_says_that_inspection_is_on, each_bit_is_explained, the_handshake_is_explained, filters_and_pause, frames_can_be_saved,
    composer_simulates_and_sends, hostile_payloads_stay_text, keeps_five_thousand_frames, inspector_on_a_small_screen,
]


# ---- Helpers of the checks


def hash_of(page, element):
    """The hash of the page's inline script or style, as the content security policy contains it."""
    found = re.findall(rb"<%b>(.*?)</%b>" % (element.encode(), element.encode()), page, re.DOTALL)
    expect_equal(len(found), 1, f"inline elements <{element}>")
    return f"'sha256-{base64.b64encode(hashlib.sha256(found[0]).digest()).decode()}'"


def press(browser, *keys):
    ActionChains(browser).send_keys(*keys).perform()


def shift_tab(browser, steps):
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
def emulated_screen(browser, **metrics):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@contextlib.contextmanager
def colour_scheme(browser, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def port_is_used(port):
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


# ---- Screenshots


TEXTS = [
    "Good morning! Who has the key of the meeting room?",
    "It hangs on the hook by the kitchen.",
    "Found it. See you all at ten.",
]


def take_screenshots(browser, binary, directory):
    directory.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        for device, width, height in (("page", 900, 560), ("phone", 360, 640)):
            def shot(suffix):
                name = device + ("" if scheme == "light" else "-dark") + suffix
                browser.save_screenshot(str(directory / f"{name}.png"))

            with contextlib.ExitStack() as stack:
                stack.enter_context(colour_scheme(browser, scheme))
                stack.enter_context(emulated_screen(browser, width=width, height=height, deviceScaleFactor=1,
                                                    mobile=device == "phone"))
                server = stack.enter_context(Server(binary, 0 if port_is_used(DISK_PORT) else DISK_PORT))

                page = Page(browser, server.url)
                shot("-before")
                page.open_chat()
                send_all(server, TEXTS[:2])
                page.send(TEXTS[2])
                page.wait_for_line("> " + TEXTS[2])
                shot("")
                send_all(server, [f"{n}. " + TEXTS[n % 3] for n in range(40)])
                page.wait_for(page.at_end, "the end of the list")
                page.by_id("log").send_keys(Keys.HOME)
                page.wait_for(lambda: page.scroll_position() == 0, "the start of the list")
                send_all(server, ["One more.", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"])
                page.wait_for(lambda: page.by_id("newer").is_displayed(), "the button for new messages")
                shot("-newer")
                page.by_id("newer").click()
                page.fix_random(0.99)
                server.kill()
                page.wait_for_line(closed(1006))
                shot("-interrupted")
            with contextlib.ExitStack() as stack:
                stack.enter_context(colour_scheme(browser, scheme))
                wide, high = (1440, 900) if device == "page" else (390, 844)
                stack.enter_context(emulated_screen(browser, width=wide, height=high, deviceScaleFactor=1, mobile=device == "phone"))
                server = stack.enter_context(Server(binary, 0 if port_is_used(DISK_PORT) else DISK_PORT, "--inspect"))
                page = Inspector(browser, server.url)
                page.open_chat()
                send_all(server, TEXTS[:2])
                page.send("Hello")
                page.wait_for(lambda: sum("Hello" in row for row in page.rows()) == 2, "both frames")
                page.by_id("frames").send_keys(Keys.ARROW_UP, Keys.ARROW_UP)
                page.wait_for_text("details", "Unmasking")
                shot("-wire")
                page.by_id("frames").send_keys(Keys.HOME)
                page.wait_for_text("details", "GUID")
                shot("-wire-handshake")
                page.by_id("toggle-composer").click()
                page.by_id("c-rsv1").click()
                page.by_id("c-ask").click()
                page.wait_for_text("answer", "reserved bit set")
                shot("-wire-composer")


# ---- The run


def main():
    parser = argparse.ArgumentParser(description="The page of wirechat in headless Chromium.")
    parser.add_argument("binary", metavar="BINARY", help="the wirechat executable")
    parser.add_argument("--only", metavar="WORD", default="", help="run only the checks with this word in their names")
    parser.add_argument("--shots", metavar="DIR", type=pathlib.Path, help="save screenshots of the page here")
    arguments = parser.parse_args()
    binary = shutil.which(arguments.binary)
    if binary is None:
        print(f"browser.py: {arguments.binary} is not a program", file=sys.stderr)
        return 1

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        absent = "Chromium" if chromium is None else "chromedriver"
        print(f"browser.py: skipped, {absent} is not installed", file=sys.stderr)
        return NOT_INSTALLED

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the browser and the servers end with the script
    with tempfile.TemporaryDirectory(prefix="wirechat-browser-", ignore_cleanup_errors=True) as profile:
        browser = start_browser(chromium, driver, profile)
        try:
            for run in CHECKS:
                name = run.__name__.replace("_", " ")
                if arguments.only not in name:
                    continue
                browser.get("about:blank")  # the page of the previous check may still try to connect
                browser.get_log("browser")
                try:
                    run(browser, binary)
                except Exception as error:  # name the check for any kind of failure
                    print(f"FAILED  {name}: {type(error).__name__}: {getattr(error, 'msg', error)}", file=sys.stderr)
                    return 1
                print(f"ok      {name}", flush=True)
            if arguments.shots:
                take_screenshots(browser, binary, arguments.shots)
        finally:
            browser.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
