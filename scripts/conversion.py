"""What the converters of checkpoints share: errors, protocol buffers, files that appear when they are whole."""

import hashlib
import os
import sys


class Failure(Exception):
    """What is wrong with the input, as one line."""


def require(condition, message):
    if not condition:
        raise Failure(message)


def progress(text):
    print(text, file=sys.stderr, flush=True)


def read_varint(data, position, what):
    value = shift = 0
    while True:
        require(position < len(data) and shift < 64, f"{what} ends within a number")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, position


def take(data, position, size, what):
    require(size <= len(data) - position, f"{what} ends early ({len(data) - position} of {size} bytes)")
    return data[position:position + size], position + size


def message_fields(data, what):
    """(number, value) of a protocol buffer: an int, or bytes."""
    position = 0
    while position < len(data):
        tag, position = read_varint(data, position, what)
        if tag & 7 == 0:
            value, position = read_varint(data, position, what)
        elif tag & 7 == 2:
            size, position = read_varint(data, position, what)
            value, position = take(data, position, size, what)
        elif tag & 7 in (1, 5):
            value, position = take(data, position, 8 if tag & 7 == 1 else 4, what)
        else:
            raise Failure(f"{what} has a field of unknown type {tag & 7}")
        yield tag >> 3, value


class Output:
    """A file that comes to its name only when it is whole, and knows its SHA-256."""

    def __init__(self, folder, name):
        self.name = name
        self.path = os.path.join(folder, name)
        self.partial = self.path + ".partial"
        self.sum = hashlib.sha256()

    def __enter__(self):
        self.file = open(self.partial, "wb")
        return self

    def write(self, data):
        self.sum.update(data)
        self.file.write(data)

    def __exit__(self, kind, value, trace):
        self.file.close()
        if kind is None:
            os.replace(self.partial, self.path)
            print(f"{self.sum.hexdigest()}  {self.name}", flush=True)
        else:
            os.unlink(self.partial)
