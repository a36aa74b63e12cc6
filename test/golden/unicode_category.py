"""Makes src/text/category_table.h: what the reference's regular expressions take for the general category, a word's character and a few scripts.

The reference is the Python package "tokenizers". Run with it installed:

    python3 test/golden/unicode_category.py
"""
import os

import tokenizers
from tokenizers import Regex, pre_tokenizers

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()
SCRIPTS = "Arabic Armenian Bengali Cyrillic Devanagari Georgian Greek Han Hangul Hebrew Hiragana Katakana Latin Tamil Thai".split()
ALL = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
CODES = [ord(c) for c in ALL]


def members(pattern):
    """Ranges of the code points that a pattern of one character takes."""
    found = []
    for _, (start, stop) in pre_tokenizers.Split(Regex("(?:%s)+" % pattern), "removed", invert=True).pre_tokenize_str(ALL):
        first = start
        for i in range(start + 1, stop + 1):
            if i == stop or CODES[i] != CODES[i - 1] + 1:
                found.append((CODES[first], CODES[i - 1]))
                first = i
    return found


def table(kind, name, rows):
    lines, row = ["static const %s %s[] = {" % (kind, name)], "\t"
    for item in rows:
        if len(row) + len(item) > 140:
            lines.append(row.rstrip())
            row = "\t"
        row += item + ", "
    return lines + [row.rstrip(), "};", ""]


def main():
    categories = sorted((first, last, i) for i, name in enumerate(CATEGORIES) for first, last in members(r"\p{%s}" % name))
    scripts = [(first, last, i) for i, name in enumerate(SCRIPTS) for first, last in members(r"\p{%s}" % name)]
    assert all(a[1] < b[0] for a, b in zip(categories, categories[1:]))
    lines = ["/* Made by test/golden/unicode_category.py with tokenizers %s: ranges of code points. */" % tokenizers.__version__,
             "#ifndef MG_TEXT_CATEGORY_TABLE_H", "#define MG_TEXT_CATEGORY_TABLE_H", "",
             "static const char category_names[][3] = {%s};" % ", ".join('"%s"' % name for name in CATEGORIES), "",
             "static const char script_names[][12] = {%s};" % ", ".join('"%s"' % name.lower() for name in SCRIPTS), "",
             "/* By the place of the name; ascending. Of what is not here the category is Cn. */"]
    lines += table("NamedRange", "category_ranges", ["{0x%X, 0x%X, %d}" % row for row in categories])
    lines += table("NamedRange", "script_ranges", ["{0x%X, 0x%X, %d}" % row for row in scripts])
    lines += ["/* \\w and \\s. */"] + table("MgCodeRange", "word_ranges", ["{0x%X, 0x%X}" % row for row in members(r"\w")])
    lines += table("MgCodeRange", "space_ranges", ["{0x%X, 0x%X}" % row for row in members(r"\s")]) + ["#endif", ""]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/text/category_table.h")
    with open(path, "w") as out:
        out.write("\n".join(lines))


main()
