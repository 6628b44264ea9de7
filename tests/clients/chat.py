"""Tests the chat with Python's websockets: python3 chat.py PORT. The server runs with --max-message 17M."""

import asyncio
import sys

try:
    import websockets
except ImportError:
    print("Python's websockets is not installed", file=sys.stderr)
    sys.exit(77)

WELCOME = "Welcome to Corvusoft Chat!"


async def join(port):
    member = await websockets.connect(f"ws://127.0.0.1:{port}/chat", max_size=None)
    assert await member.recv() == WELCOME
    return member


async def two_members_chat(port):
    one, other = await join(port), await join(port)
    await one.send("héllo 🙂")
    for member in (one, other):
        assert await member.recv() == "héllo 🙂"
    await one.send(["in ", "three ", "fragments"])
    for member in (one, other):
        assert await member.recv() == "in three fragments"
    await (await one.ping(b"ping"))
    await one.close(4000, "bye")
    assert one.close_code == 4000
    await other.send(b"binary")
    try:
        await other.recv()
        raise AssertionError("binary was accepted")
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd.code == 1003, closed


async def large_messages_are_delivered(port):
    one, other = await join(port), await join(port)
    large = "é" * (8 << 20)
    await one.send(large)
    assert await other.recv() == large
    assert await one.recv() == large

    echo = await websockets.connect(f"ws://127.0.0.1:{port}/echo", max_size=None)
    payload = bytes(range(256)) * (1 << 16)
    await echo.send(payload)
    assert await echo.recv() == payload
    await echo.send(b"\0" * (17 << 20) + b"\0")
    try:
        await echo.recv()
        raise AssertionError("a message over the limit was accepted")
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd.code == 1009, closed
    await one.close()
    await other.close()


async def main(port):
    await asyncio.wait_for(two_members_chat(port), 30)
    await asyncio.wait_for(large_messages_are_delivered(port), 60)


asyncio.run(main(int(sys.argv[1])))
