#!/usr/bin/env python3
r"""Generation beside llama.cpp: both in turn, the same file and token counts, on the same core. Prints a table for bench/results.

    generate.py --csv CSV --model DIRECTORY --mg build/mg --peer LIBRARY [--rounds 3] [--threads 1] [--psql PSQL --host DIRECTORY]

LIBRARY is a directory with llama_cpp (of llama-cpp-python's sources) on PYTHONPATH and LLAMA_CPP_LIB_PATH; it has to be built for this CPU, or the
comparison flatters. CSV is the AG News test split, DIRECTORY has model.gguf. With --psql the same statements go through a server (compare.sh says how
one is made), whose maskgen.result_cache_size is 0; the prompt cache is off, but in a line of its own.

CPU time of all threads counts with one thread, the wall clock with several: a busy machine makes the latter useless. The peer is given tokens and draws
none: a step of it is a decode and nothing else. Of maskgen, time is that of a whole call, tokeniser and draws included; what a prompt takes is
subtracted from what its answer takes. A median is of rounds, in each of which all take turns.
"""

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

PREFILL, ANSWER, STEPS, NEW, PEER_ROWS = 512, 128, 32, 20, 8
CASES = ["prefill", "one", "rows16", "rows64", "row_by_row"]


def texts(path):
    """Words of the news, and prompts: some 512 tokens, short ones, 1000 of some 60 tokens, and an instruction of some 300."""
    with open(path, encoding="utf-8") as file:
        rows = [" ".join(row[2].split()) for row in csv.reader(file)]
    random.Random(0).shuffle(rows)
    words = " ".join(rows).split()
    short = [" ".join(words[i * 11:i * 11 + 8]) + " The" for i in range(64)]
    many = [" ".join(words[400 + i * 43:443 + i * 43]) for i in range(1000)]
    instruction = "Summarise the news text that follows in one short sentence. " + " ".join(words[50000:50205]) + ": "
    return {"prefill": [" ".join(words[:345])], "one": short[:1], "rows16": short[:16], "rows64": short, "many": many,
            "behind": [instruction + row for row in many]}


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peer(model, threads):
    """A process that answers names of cases with tokens a second of llama.cpp, and its memory."""
    import ctypes
    import llama_cpp as ll
    ll.llama_backend_init()
    loaded = ll.llama_model_load_from_file(os.path.join(model, "model.gguf").encode(), ll.llama_model_default_params())

    def context(n_tokens, n_sequences):
        settings = ll.llama_context_default_params()
        settings.n_ctx, settings.n_batch, settings.n_ubatch = n_tokens, 512, 512
        settings.n_threads = settings.n_threads_batch = threads
        settings.n_seq_max = n_sequences
        if hasattr(settings, "kv_unified"):
            settings.kv_unified = True
        return ll.llama_init_from_model(loaded, settings)

    batch = ll.llama_batch_init(512, 0, 1)
    order = random.Random(1)

    def decode(ctx, tokens):
        """tokens: (position, sequence, wants logits)"""
        batch.n_tokens = len(tokens)
        for i, (position, sequence, wants) in enumerate(tokens):
            batch.token[i] = order.randrange(1000, 20000)
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = wants
        if ll.llama_decode(ctx, batch) != 0:
            raise SystemExit("llama_decode failed")
        ll.llama_get_logits(ctx)

    def clock():
        return cpu() if threads == 1 else time.perf_counter()

    def measure(case):
        n = {"rows16": 16, "rows64": 64}.get(case, 1)
        ctx = context(n * (STEPS + 32) if n > 1 else 1024, n)
        decode(ctx, [(i, 0, i == 11) for i in range(12)])
        clear()(ctx)
        start = clock()
        if case == "prefill":
            decode(ctx, [(i, 0, i == PREFILL - 1) for i in range(PREFILL)])
            done = PREFILL
        elif case == "one":
            for i in range(ANSWER):
                decode(ctx, [(i, 0, True)])
            done = ANSWER
        elif case == "row_by_row":
            for _ in range(PEER_ROWS):
                clear()(ctx)
                decode(ctx, [(i, 0, i == 59) for i in range(60)])
                for i in range(NEW - 1):
                    decode(ctx, [(60 + i, 0, True)])
            done = PEER_ROWS
        else:
            for i in range(STEPS):
                decode(ctx, [(i, s, True) for s in range(n)])
            done = STEPS * n
        spent = clock() - start
        ll.llama_free(ctx)
        return done / spent

    def clear():
        if hasattr(ll, "llama_memory_clear"):
            return lambda ctx: ll.llama_memory_clear(ll.llama_get_memory(ctx), True)
        return ll.llama_kv_cache_clear

    print(json.dumps({"system": ctypes.c_char_p(ll.llama_print_system_info()).value.decode()}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"rate": measure(line.strip()), "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)


class Library:
    """mg bench, a process for each call; its second round counts, as memory is warm then."""

    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.folder = folder
        self.clock = "cpu_seconds" if arguments.threads == 1 else "seconds"

    def run(self, name, lines, n_tokens):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
        settings = {"MG_MAX_TOKENS": str(n_tokens), "MG_ROUNDS": "2", "MG_THREADS": str(self.arguments.threads)}
        output = subprocess.run([self.arguments.mg, "bench", self.arguments.model, "generate", path], check=True, stdout=subprocess.PIPE, text=True,
                                env={**os.environ, **settings})
        line = json.loads(output.stdout.splitlines()[-1])
        return line[self.clock], line["tokens"]


class Server:
    """The same through one session of psql; CPU time is that of its process."""

    def __init__(self, arguments):
        import server
        self.session = server.Session(arguments.psql, arguments.host)
        self.threads = arguments.threads
        run = self.session.run
        if run("SELECT pg_size_bytes(current_setting('maskgen.result_cache_size'))") != ["0"]:
            raise SystemExit("maskgen.result_cache_size is not 0")
        self.literal = server.literal
        run("SET client_min_messages = warning")
        run("SET maskgen.enable_prompt_cache = off")
        run("SELECT maskgen.drop_model(name) FROM maskgen.maskgen_models WHERE name = 'bench'")
        run(f"SELECT maskgen.create_model('bench', {server.literal(arguments.model)})")
        run(f"SET maskgen.threads = {arguments.threads}")
        run("SET max_parallel_workers_per_gather = 0")

    def clock(self):
        if self.threads > 1:
            return time.perf_counter()
        with open(f"/proc/{self.session.pid}/schedstat", encoding="utf-8") as file:
            return int(file.read().split()[0]) * 1e-9

    def run(self, name, lines, n_tokens):
        run = self.session.run
        run(f"DROP TABLE IF EXISTS bench_{name}")
        run(f"CREATE TABLE bench_{name} AS SELECT * FROM unnest(ARRAY[" + ", ".join(self.literal(line) for line in lines) + "]) AS body")
        start = self.clock()
        run(f"""SELECT count(maskgen.generate('bench', body, max_tokens => {n_tokens}, temperature => 0, options => '{{"min_tokens": {n_tokens}}}')) """
            f"FROM bench_{name}")
        return self.clock() - start, 0

    def first_token(self):
        """Milliseconds from statement to its one token, on a connection that is warm: median of 50, wall clock and CPU."""
        wall, spent = [], []
        for i in range(50):
            start, cpu_start = time.perf_counter(), self.clock()
            self.session.run(f"SELECT maskgen.generate('bench', 'Write a story about {i} shepherds', max_tokens => 1, temperature => 0)")
            wall.append(time.perf_counter() - start)
            spent.append(self.clock() - cpu_start)
        return 1e3 * statistics.median(wall), 1e3 * statistics.median(spent)

    def kept_beginning(self, lines):
        """CPU seconds of rows of one new token behind an instruction: read by the statement, and found in the prompt cache."""
        self.session.run("SELECT maskgen.prompt_cache_reset()")
        self.session.run("SET maskgen.enable_prompt_cache = on")
        seconds = [self.run("behind", lines, 1)[0] for _ in range(2)]
        self.session.run("SET maskgen.enable_prompt_cache = off")
        return seconds

    def memory(self):
        with open(f"/proc/{self.session.pid}/smaps_rollup", encoding="utf-8") as file:
            sizes = dict(line.split()[:2] for line in file if line.split()[0].endswith(":"))
        return (int(sizes["Private_Dirty:"]) + int(sizes["Private_Clean:"])) / 1024, int(sizes["Rss:"]) / 1024


def rates(engine, prompts, many):
    """Tokens a second, of each case, and seconds for 1000 rows (of `many` of them)."""
    found = {}
    seconds, tokens = engine.run("prefill", prompts["prefill"], 1)
    found["prefill"] = (seconds, tokens)
    for case, steps in (("one", ANSWER), ("rows16", STEPS), ("rows64", STEPS)):
        prompt, _ = engine.run(case, prompts[case], 1)
        whole, _ = engine.run(case, prompts[case], steps + 1)
        found[case] = steps * len(prompts[case]) / (whole - prompt)
    for case in ("many", "behind"):
        found[case] = engine.run(case, prompts[case][:many], NEW)[0] * 1000 / many
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv")
    parser.add_argument("--model", required=True)
    parser.add_argument("--mg")
    parser.add_argument("--psql")
    parser.add_argument("--host")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--many", type=int, default=1000, help="rows that are run of 1000")
    parser.add_argument("--peer", action="store_true")
    arguments = parser.parse_args()
    if arguments.peer:
        peer(arguments.model, arguments.threads)
        return

    prompts = texts(arguments.csv)
    other = subprocess.Popen([sys.executable, __file__, "--peer", "--model", arguments.model, "--threads", str(arguments.threads)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    print(json.loads(other.stdout.readline())["system"])
    with tempfile.TemporaryDirectory() as folder:
        library = Library(arguments, folder)
        server_ = Server(arguments) if arguments.psql else None
        all_rates = []
        n_prompt = library.run("prefill", prompts["prefill"], 1)[1]
        for _ in range(arguments.rounds):
            found = {}
            for case in CASES:
                other.stdin.write(case + "\n")
                other.stdin.flush()
                answer = json.loads(other.stdout.readline())
                found["llama.cpp " + case] = answer["rate"]
                found["llama.cpp memory"] = answer["memory"]
            for name, engine in (("maskgen", library), ("SQL", server_)):
                if engine is None:
                    continue
                one = rates(engine, prompts, arguments.many)
                one["prefill"] = n_prompt / one["prefill"][0]
                found |= {f"{name} {case}": value for case, value in one.items()}
            if server_:
                found["first ms"], found["first CPU ms"] = server_.first_token()
                found["16 rows behind, read, s"], found["16 rows behind, kept, s"] = server_.kept_beginning(prompts["behind"][:16])
                found["private MB"], found["RSS MB"] = server_.memory()
            all_rates.append(found)
            print(json.dumps(found), flush=True)
    print_table({name: statistics.median(one[name] for one in all_rates) for name in all_rates[0]}, arguments.threads)


def print_table(m, threads):
    by_row = 1000 / m["llama.cpp row_by_row"]
    lines = [("prompt of 512 tokens, tokens/s", m["llama.cpp prefill"], "prefill", m["llama.cpp prefill"], 6),
             ("one sequence, tokens/s", m["llama.cpp one"], "one", m["llama.cpp one"], 1.6),
             ("16 rows together", m["llama.cpp rows16"], "rows16", m["llama.cpp one"], 6),
             ("64 rows together", m["llama.cpp rows64"], "rows64", m["llama.cpp one"], 10)]
    print(f"\n{threads} thread(s)\n\n| | llama.cpp | maskgen | SQL | maskgen / llama.cpp, one row | aim |\n|---|---|---|---|---|---|")
    for text, theirs, case, against, aim in lines:
        print(f"| {text} | {theirs:.0f} | {m['maskgen ' + case]:.0f} | {m.get('SQL ' + case, 0):.0f} | {m['maskgen ' + case] / against:.1f} | {aim} |")
    print(f"| 1000 rows of 60 and 20 tokens, s | {by_row:.0f} | {m['maskgen many']:.1f} | {m.get('SQL many', 0):.1f} | 1 / {by_row / m['maskgen many']:.1f} | 1 / 6 |")
    print(f"| the same behind 300 tokens, s | | {m['maskgen behind']:.1f} | {m.get('SQL behind', 0):.1f} | "
          f"{100 * (m['maskgen behind'] / m['maskgen many'] - 1):+.0f} % to the row above | 15 % |")
    if "first ms" in m:
        print(f"\nFirst token, warm: {m['first ms']:.1f} ms ({m['first CPU ms']:.1f} ms of CPU). Memory: {m['private MB']:.0f} MB private of a session, "
              f"{m['RSS MB']:.0f} MB with the shared model; llama.cpp {m['llama.cpp memory']:.0f} MB.")


if __name__ == "__main__":
    main()
