#!/usr/bin/env python3
"""Prints src/text/mark_table.h: the code points that the reference, the package "tokenizers", drops as accents."""
from tokenizers import normalizers

strip, ranges = normalizers.StripAccents(), []
for code in range(0x80, 0x110000):
    if 0xD800 <= code < 0xE000 or strip.normalize_str(chr(code)) != "":
        continue
    if ranges and ranges[-1][1] == code - 1:
        ranges[-1][1] = code
    else:
        ranges.append([code, code])
print("/* Made by test/golden/unicode_mark.py: marks of categories Mn, Mc and Me, as the reference's StripAccents has them. */")
print("static const struct\n{\n\tuint32_t first, last;\n} marks[] = {")
line = ""
for first, last in ranges:
    item = "{0x%X, 0x%X}, " % (first, last)
    if len(line) + len(item) > 140:
        print("\t" + line.rstrip())
        line = ""
    line += item
print("\t" + line.rstrip(", ") + "};")
