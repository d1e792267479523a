#!/usr/bin/env python3
"""A Satellite (a native child process of a Planet) in Python, with nothing but its standard library.

It serves some functions of `test:guests/work@0.1.0`; the others answer that they are not there.
"""

import os
import socket
import struct
import sys

SOCKET, ARGUMENTS, ANSWERS = 3, 4, 5
MOST_FRAME, MOST_INLINE = 1024 * 1024, 32 * 1024

SIZE = "record{width: u32, height: u32}"
SURROUNDINGS = (
    "record{pid: u32, arguments: list<string>, variables: list<tuple<string, string>>, directory: string, files: list<u32>}"
)


# Values: docs/values.md.


def u8(number):
    return struct.pack("<B", number)


def u32(number):
    return struct.pack("<I", number)


def u64(number):
    return struct.pack("<Q", number)


def octets(value):
    return u32(len(value)) + value


def string(text):
    return octets(text.encode())


def listed(parts):
    return u32(len(parts)) + b"".join(parts)


class Reader:
    def __init__(self, value):
        self.value, self.at = value, 0

    def take(self, count):
        if self.at + count > len(self.value):
            raise ValueError("the value ends too early")
        self.at += count
        return self.value[self.at - count : self.at]

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return struct.unpack("<I", self.take(4))[0]

    def u64(self):
        return struct.unpack("<Q", self.take(8))[0]

    def octets(self):
        return self.take(self.u32())


# Functions: each takes a reader of its arguments and gives the bytes of its result.


def add(arguments):
    return u32((arguments.u32() + arguments.u32()) % 2**32)


def echo(arguments):
    return u8(0) + octets(arguments.octets())


def halve(arguments):
    if arguments.u8() == 0:
        return u8(1) + string("there is no size")
    return u8(0) + u32(arguments.u32() // 2) + u32(arguments.u32() // 2)


def look(_):
    arguments = listed([string(argument) for argument in sys.argv])
    variables = listed([string(name) + string(value) for name, value in os.environ.items()])
    return u8(0) + u32(os.getpid()) + arguments + variables + string(os.getcwd()) + listed([])


def panic(arguments):
    raise RuntimeError(arguments.octets().decode())


def missing(_):
    return u8(1) + string("not in Python")


FUNCTIONS = [
    ("add", "func(u32, u32) -> u32", add),
    ("echo", "func(list<u8>) -> result<list<u8>, string>", echo),
    ("halve", f"func(option<{SIZE}>) -> result<{SIZE}, string>", halve),
    ("look", f"func() -> result<{SURROUNDINGS}, string>", look),
    ("panic", "func(string) -> result<_, string>", panic),
    ("sleep", "func(u32) -> result<bool, string>", missing),
    ("cancelled", "func() -> result<u32, string>", missing),
    ("end", "func(enum{exits, aborts}) -> result<_, string>", missing),
    ("say", "func(string) -> result<_, string>", missing),
    ("leave", "func() -> result<u32, string>", missing),
    ("compute", "func() -> result<_, string>", missing),
    ("fill", "func(u32) -> result<list<u8>, string>", missing),
    ("meet", "func(string, u32) -> result<_, string>", missing),
    ("allocate", "func(u64) -> result<bool, string>", missing),
    ("open", "func(u32) -> result<bool, string>", missing),
]


# Messages: docs/satellites.md.


def hello(token):
    functions = listed([string(name) + string(signature) for name, signature, _ in FUNCTIONS])
    interfaces = listed([string("test:guests/work@0.1.0") + functions])
    return u8(0) + string("kokoro-satellite") + u32(1) + string(token) + interfaces


def carried(value):
    if len(value) <= MOST_INLINE:
        return u8(0) + octets(value)
    written = 0
    while written < len(value):
        written += os.pwrite(ANSWERS, value[written:], written)
    return u8(1) + u64(len(value))


def arguments_of(message):
    if message.u8() == 0:
        return message.octets()
    length, parts, at = message.u64(), [], 0
    while at < length:
        parts.append(os.pread(ARGUMENTS, length - at, at))
        if not parts[-1]:
            sys.exit("the arguments end too early")
        at += len(parts[-1])
    return b"".join(parts)


def answer(message):
    number, function = message.u64(), message.u32()
    arguments = Reader(arguments_of(message))
    try:
        return u8(1) + u64(number) + carried(FUNCTIONS[function][2](arguments))
    except Exception as error:
        return u8(2) + u64(number) + string(f"{type(error).__name__}: {error}")


def frame_from(stream):
    """The next frame's body; none at the end, which comes between two frames."""
    length = exactly(stream, 4)
    if length is None:
        return None
    (length,) = struct.unpack("<I", length)
    if not 1 <= length <= MOST_FRAME:
        sys.exit(f"a frame of {length} bytes")
    return exactly(stream, length) or sys.exit("the application ended in the middle of a message")


def exactly(stream, count):
    parts, left = [], count
    while left > 0:
        part = stream.recv(left)
        if not part and left == count:
            return None
        if not part:
            sys.exit("the application ended in the middle of a message")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def main():
    token = os.environ.pop("KOKORO_SATELLITE", None)
    if token is None:
        sys.exit("worker.py is a satellite: the plugin `native` starts it")
    stream = socket.socket(fileno=SOCKET)
    stream.sendall(octets(hello(token)))
    while (frame := frame_from(stream)) is not None:
        message = Reader(frame)
        if message.u8() == 1:
            stream.sendall(octets(answer(message)))


main()
