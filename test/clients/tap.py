"""The least of TAP."""
import sys

count = failed = 0


def is_(got, want, what):
    global count, failed
    count += 1
    good = got == want
    failed += not good
    print(f'{"" if good else "not "}ok {count} - {what}')
    if not good:
        print(f'# got {got!r}\n# want {want!r}')


def done():
    print(f'1..{count}')
    sys.exit(failed > 0)
