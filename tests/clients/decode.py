"""Compares decode with the parser of Python's websockets on random streams: python3 decode.py PROGRAM."""

import json
import random
import subprocess
import sys

try:
    from websockets.exceptions import ProtocolError
    from websockets.frames import Close, Frame, Opcode
    from websockets.streams import StreamReader
except ImportError:
    print("Python's websockets is not installed", file=sys.stderr)
    sys.exit(77)

STREAMS = 150
TEXTS = ["", "Hello", "héllo 🙂", "日本語", "a" * 125, "b" * 126, "é" * 40_000]
DATA = [Opcode.TEXT, Opcode.BINARY]
# Rules that websockets does not check.
UNCHECKED = {"length not in its shortest form", "top bit of the 64-bit length set"}


def payload(rng, opcode):
    """Returns a valid payload for a frame with this opcode."""
    if opcode is Opcode.TEXT:
        return rng.choice(TEXTS).encode()
    if opcode is Opcode.CLOSE:
        code = rng.choice([1000, 1001, 1003, 1008, 1011, 3000, 4999])
        return rng.choice([b"", Close(code, rng.choice(["", "bye", "é"])).serialize()])
    longest = 125 if opcode in (Opcode.PING, Opcode.PONG) else rng.choice([0, 10, 300, 70_000])
    return rng.randbytes(rng.randint(0, longest))


def stream(rng, mask):
    """Returns messages cut into fragments at random places, with control frames between them."""
    wire = bytearray()

    def send(opcode, data, fin=True):
        wire.extend(Frame(opcode, data, fin).serialize(mask=mask))

    for _ in range(rng.randint(1, 8)):
        opcode = rng.choice(DATA)
        data = payload(rng, opcode)
        cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.choice([0, 0, 1, 3])))
        for start, end in zip([0, *cuts], [*cuts, len(data)]):
            if rng.random() < 0.3:
                control = rng.choice([Opcode.PING, Opcode.PONG])
                send(control, payload(rng, control))
            is_last = end == len(data) and start == (cuts or [0])[-1]
            send(opcode, data[start:end], is_last)
            opcode = Opcode.CONT
            if is_last:
                break
    if rng.random() < 0.3:
        send(Opcode.CLOSE, payload(rng, Opcode.CLOSE))
    return wire


def damage(rng, wire):
    """Flips bits near the start, where the headers are, and sometimes removes the end."""
    for _ in range(rng.randint(1, 3)):
        wire[rng.randrange(min(len(wire), rng.choice([2, 20, 400])))] ^= 1 << rng.randrange(8)
    if rng.random() < 0.5:
        del wire[rng.randrange(len(wire)) :]


def frames(wire, mask):
    """Yields each frame with its offset; at the end None if the stream is incomplete, or the error."""
    reader = StreamReader()
    reader.feed_data(bytes(wire))
    offset = 0
    while offset < len(wire):
        parser = Frame.parse(reader.read_exact, mask=mask)
        try:
            next(parser)
        except StopIteration as done:
            yield offset, done.value
            offset = len(wire) - len(reader.buffer)
        except ProtocolError as error:
            yield offset, error
            return
        else:
            yield offset, None
            return


class Messages:
    """Checks sections 5.4, 5.5.1 and 8.1 with Python's own UTF-8 decoder."""

    def __init__(self):
        self.opcode, self.parts = None, []

    def is_broken_by(self, frame):
        if frame.opcode is Opcode.CLOSE:
            try:
                Close.parse(frame.data)
            except (ProtocolError, UnicodeDecodeError):
                return True
            return False
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            return False
        if (frame.opcode is Opcode.CONT) != (self.opcode is not None):
            return True
        if frame.opcode is not Opcode.CONT:
            self.opcode, self.parts = frame.opcode, []
        self.parts.append(bytes(frame.data))
        whole = b"".join(self.parts)
        is_text = self.opcode is Opcode.TEXT
        if frame.fin:
            self.opcode = None
        try:
            whole.decode() if is_text else None
        except UnicodeDecodeError as error:
            return frame.fin or error.reason != "unexpected end of data"
        return False


def expect_same(decoded, frame):
    bits = (decoded["fin"], decoded["rsv1"], decoded["rsv2"], decoded["rsv3"], decoded["opcode"])
    assert bits == (frame.fin, frame.rsv1, frame.rsv2, frame.rsv3, frame.opcode), decoded
    assert decoded["payload"] == frame.data.hex(), decoded
    assert decoded["missing"] == 0 and decoded["arrived"] == len(frame.data), decoded


def compare(program, wire, mask):
    """Returns how many frames were compared, and whether both parsers found an error."""
    sender = "client" if mask else "server"
    command = [program, "decode", "--raw", "--json", "--from", sender]
    output = subprocess.run(command, input=bytes(wire), capture_output=True, check=False)
    assert output.returncode in (0, 1) and not output.stderr, output.stderr
    decoded = [json.loads(line) for line in output.stdout.splitlines()]
    messages = Messages()
    count = 0
    for own, (offset, frame) in zip(decoded, frames(wire, mask)):
        assert own["offset"] == offset, own
        found = {violation["sentence"] for violation in own["violations"]}
        if found and found <= UNCHECKED:
            return count, False
        if isinstance(frame, ProtocolError):
            assert found, (own, frame)
            return count, True
        if frame is None:
            assert own["missing"] or found, own
            return count, False
        expect_same(own, frame)
        is_broken = messages.is_broken_by(frame)
        assert bool(found) == is_broken, (own, frame)
        count += 1
        if is_broken:
            return count, True
        if frame.opcode is Opcode.CLOSE:
            return count, False
    assert output.returncode == 0
    return count, False


def main(program):
    rng = random.Random(6455)
    compared = wrong = 0
    for index in range(STREAMS):
        mask = rng.random() < 0.5
        wire = stream(rng, mask)
        if index % 2:
            damage(rng, wire)
        count, is_wrong = compare(program, wire, mask)
        compared += count
        wrong += is_wrong
    assert STREAMS < compared and STREAMS / 10 < wrong, (compared, wrong)
    print(f"{compared} frames of {STREAMS} streams are decoded the same; {wrong} streams have an error")


if __name__ == "__main__":
    main(sys.argv[1])
