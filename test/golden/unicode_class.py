"""Makes src/text/class_table.h: what the reference takes for a letter, a number and white space in the patterns that cut words.

The reference is the Python package "tokenizers". Run with it installed:

    python3 test/golden/unicode_class.py
"""
import os

import tokenizers
from tokenizers import Regex, pre_tokenizers

CLASSES = [("MG_CLASS_LETTER", r"\p{L}"), ("MG_CLASS_NUMBER", r"\p{N}"), ("MG_CLASS_SPACE", r"\s")]


def members(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "removed")
    return [code for code in range(0x110000) if not 0xD800 <= code < 0xE000 and not split.pre_tokenize_str(chr(code))]


def ranges(codes):
    found = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def main():
    all_ranges = sorted([first, last, name] for name, pattern in CLASSES for first, last in ranges(members(pattern)))
    lines = ["/* Made by test/golden/unicode_class.py with tokenizers %s: classes of code points, ascending. */" % tokenizers.__version__,
             "#ifndef MG_TEXT_CLASS_TABLE_H", "#define MG_TEXT_CLASS_TABLE_H", "", "static const ClassRange class_ranges[] = {"]
    row = "\t"
    for first, last, name in all_ranges:
        item = "{0x%X, 0x%X, %s}, " % (first, last, name)
        if len(row) + len(item) > 130:
            lines.append(row.rstrip())
            row = "\t"
        row += item
    lines += [row.rstrip(), "};", "", "#endif", ""]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/text/class_table.h")
    with open(path, "w") as out:
        out.write("\n".join(lines))


main()
