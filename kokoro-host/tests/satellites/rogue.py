# What comes after `worker.py`, without its last line, to make a Satellite of it that misbehaves: `BEHAVIOUR MARKER`. It does so as long as
# the file MARKER is not there, which it then makes; with `-` for it, always.

import signal
import subprocess
import time


def misbehaves():
    marker = sys.argv[2]
    if marker == "-":
        return True
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def frame(body):
    return octets(body)


def for_ever():
    while True:
        time.sleep(3600)


def ends(_):
    print("it was not in the mood", file=sys.stderr, flush=True)
    sys.exit(3)


def writes_garbage(stream):
    stream.sendall(b"hello, world! what is a frame?\n" * 100)
    for_ever()


def writes_half_a_frame(stream):
    stream.sendall(u32(1000) + b"\0" * 10)
    sys.exit(0)


def writes_half_a_frame_and_waits(stream):
    stream.sendall(u32(1000) + b"\0" * 10)
    for_ever()


def writes_a_frame_of_4_gib(stream):
    stream.sendall(u32(2**32 - 1) + b"\0" * 100)
    for_ever()


def says_nothing(_):
    for_ever()


def says_hello(**changed):
    def behave(stream):
        parts = {
            "magic": "kokoro-satellite",
            "protocol": 1,
            "token": TOKEN,
            "name": "test:guests/work@0.1.0",
            "functions": [(name, signature) for name, signature, _ in FUNCTIONS],
            **changed,
        }
        functions = listed([string(name) + string(signature) for name, signature in parts["functions"]])
        interfaces = listed([string(parts["name"]) + functions])
        stream.sendall(
            frame(u8(0) + string(parts["magic"]) + u32(parts["protocol"]) + string(parts["token"]) + interfaces)
        )
        for_ever()

    return behave


WIDER = [(name, signature.replace("func(u32, u32) -> u32", "func(u64, u64) -> u64")) for name, signature, _ in FUNCTIONS]
FEWER = [(name, signature) for name, signature, _ in FUNCTIONS if name != "halve"]

# Instead of the first message.
AT_FIRST = {
    "ends": ends,
    "garbage-first": writes_garbage,
    "says-nothing": says_nothing,
    "other-magic": says_hello(magic="kokoro-satellito"),
    "newer-protocol": says_hello(protocol=2),
    "other-token": says_hello(token="0" * 32),
    "other-interface": says_hello(name="test:guests/play@0.1.0"),
    "other-type": says_hello(functions=WIDER),
    "lacks-a-function": says_hello(functions=FEWER),
    "hello-of-4-gib": writes_a_frame_of_4_gib,
}


def answers_a_stranger(stream, number, _):
    stream.sendall(frame(u8(1) + u64(number + 1000) + carried(u32(1))))
    for_ever()


def answers_twice(stream, number, right):
    stream.sendall(frame(right) + frame(right))
    for_ever()


def answers(value):
    def behave(stream, number, _):
        stream.sendall(frame(u8(1) + u64(number) + value))

    return behave


def closes(stream, *_):
    stream.close()
    for_ever()


def leaves_a_child(stream, number, right):
    child = subprocess.Popen(["/bin/sleep", "3600"], stdin=subprocess.DEVNULL)
    with open(sys.argv[3], "w") as file:
        file.write(str(child.pid))
    print("it has a child", file=sys.stderr, flush=True)
    os._exit(5)


def floods(stream, number, right):
    for _ in range(20000):
        os.write(2, b"a line of no use to anybody, and a rather long one at that\n" * 10)
    os.write(2, b"the last line\n")
    os._exit(6)


def floods_without_end_of_line(stream, number, right):
    for _ in range(200):
        os.write(2, b"x" * 65536)
    stream.sendall(frame(right))


def stops(*_):
    os.kill(os.getpid(), signal.SIGSTOP)
    for_ever()


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def logs_too_much(stream, number, right):
    stream.sendall(frame(u8(3) + u8(3) + string("rogue") + string("x" * 2**20)))
    for_ever()


def says_hello_again(stream, *_):
    stream.sendall(frame(hello(TOKEN)))
    for_ever()


def ignores_the_end(stream, number, right):
    stream.sendall(frame(right))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for_ever()


# Instead of the answer to a call.
AT_A_CALL = {
    "garbage": lambda stream, *_: writes_garbage(stream),
    "half-a-frame": lambda stream, *_: writes_half_a_frame(stream),
    "half-a-frame-and-waits": lambda stream, *_: writes_half_a_frame_and_waits(stream),
    "frame-of-4-gib": lambda stream, *_: writes_a_frame_of_4_gib(stream),
    "never-answers": lambda *_: for_ever(),
    "answers-a-stranger": answers_a_stranger,
    "answers-twice": answers_twice,
    "other-value": answers(u8(0) + octets(b"\xff\xff\xff")),
    "no-such-case": answers(u8(0) + octets(u8(7))),
    "memory-that-is-not-there": answers(u8(1) + u64(2**20)),
    "more-than-may-cross": answers(u8(1) + u64(2**40)),
    "closes": closes,
    "leaves-a-child": leaves_a_child,
    "floods": floods,
    "floods-without-end-of-line": floods_without_end_of_line,
    "stops": stops,
    "logs-too-much": logs_too_much,
    "says-hello-again": says_hello_again,
    "ignores-the-end": ignores_the_end,
}

# After the answer to a call.
AFTERWARDS = {"answers-nobody": answers_a_stranger, "ends-while-idle": lambda *_: sys.exit(4)}

TOKEN = ""


def rogue():
    global TOKEN
    TOKEN = os.environ["KOKORO_SATELLITE"]
    behaviour = sys.argv[1]
    stream = socket.socket(fileno=SOCKET)
    if behaviour in AT_FIRST and misbehaves():
        AT_FIRST[behaviour](stream)
    stream.sendall(frame(hello(TOKEN)))
    while (body := frame_from(stream)) is not None:
        message = Reader(body)
        if message.u8() != 1:
            continue
        number = struct.unpack("<Q", message.value[1:9])[0]
        if behaviour == "is-killed" and misbehaves():
            # Before it has looked at what it is passed.
            is_killed()
        right = answer(message)
        if behaviour in AT_A_CALL and misbehaves():
            AT_A_CALL[behaviour](stream, number, right)
            continue
        stream.sendall(frame(right))
        if behaviour in AFTERWARDS and misbehaves():
            AFTERWARDS[behaviour](stream, number, right)


rogue()
