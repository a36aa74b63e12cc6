#!/usr/bin/env python3
"""Classification by embedding models and by classifiers that are fitted to rows: how often it is right, and what it costs.

    classify.py --psql "psql -h /tmp/socket -U postgres bench" --data AG_NEWS.csv --minilm DIR [--bert DIR] [--results FILE] [--commit ID]

The database has to be one that may be emptied, with the extension installed on the server; its user a superuser, on this machine (times are those
of the backend's CPU, from /proc). Everything is asked in SQL. Rows of AG News (its description) are those of agnews.py: in the order of
random.Random(0).shuffle, the first 3000. A draw is a subset by random.Random(number of the draw).
"""

import argparse
import csv
import datetime
import os
import random
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ["world", "sports", "business", "technology"]
TOPICS = ["payment", "delivery", "password", "software", "battery", "privacy"]
NEWS, TICKET = "This is news about {label}.", "This ticket is about a {label} problem."
SETS = {"equal shares, 500 rows": ([.25] * 4, 500), "40/30/20/10, 400 rows": ([.4, .3, .2, .1], 400)} | {
    f"80 % {name}, 250 rows": ([.8 if i == k else [.1, .05, .05][(i - k - 1) % 4] for i in range(4)], 250) for k, name in enumerate(NAMES)}


def array(names):
    return "'{" + ",".join(names) + "}'"


class Database:
    def __init__(self, psql):
        self.command = shlex.split(psql) + ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]

    def run(self, sql, stdin=None):
        text = "SET search_path = public, maskgen; SET client_min_messages = warning;\n" + sql
        output = subprocess.run(self.command + (["--command=" + text] if stdin is not None else []), input=stdin if stdin is not None else text,
                                stdout=subprocess.PIPE, encoding="utf-8", check=False)
        if output.returncode != 0:
            sys.exit("psql failed: " + sql[:200])
        return [line.split("|") for line in output.stdout.splitlines()]

    def number(self, sql):
        return float(self.run(sql)[-1][0])

    def seconds(self, sql):
        """CPU of the backend for a statement, less that of nothing."""
        clock = "SELECT sum(t::int) / 100.0 FROM unnest((string_to_array(pg_read_file('/proc/self/stat'), ' '))[14:15]) t;\n"
        before = "SET max_parallel_workers_per_gather = 0; SET maskgen.enable_result_cache = off;\n"
        lines = self.run(before + clock + "CREATE TEMP TABLE answer AS " + sql + ";\n" + clock)
        return float(lines[-1][0]) - float(lines[0][0])


def load(database, arguments):
    database.run("DROP EXTENSION IF EXISTS maskgen CASCADE; CREATE EXTENSION maskgen; DROP TABLE IF EXISTS ag, ticket, big, chosen;")
    database.run(f"SELECT create_model('minilm', '{arguments.minilm}');")
    if arguments.bert:
        database.run(f"""SELECT create_model('bert', '{arguments.bert}', '{{"dtype": "int8"}}');""")
    with open(arguments.data, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    random.Random(0).shuffle(rows)
    database.run("CREATE TABLE ag (id int PRIMARY KEY, label text, body text, embedding vector(384)); CREATE TABLE chosen (draw int, id int);"
                 "CREATE TABLE ticket (id int PRIMARY KEY, customer text, created_at timestamp, subject text, body text, topic text);")
    for table, lines in (("ag (id, label, body)", [[i, NAMES[int(row[0]) - 1], row[2]] for i, row in enumerate(rows[:3000])]),
                         ("ticket", list(csv.reader(open(os.path.join(HERE, "../examples/tour/tickets.csv"), encoding="utf-8", newline="")))[1:])):
        text = "".join(",".join('"' + str(value).replace('"', '""') + '"' for value in line) + "\n" for line in lines)
        database.run(f"COPY {table} FROM STDIN (FORMAT csv)", text)
    database.run("UPDATE ag SET embedding = embed_document('minilm', body);"
                 "ALTER TABLE ticket ADD embedding vector(384); UPDATE ticket SET embedding = embed_document('minilm', subject || '. ' || body);"
                 "ALTER TABLE ticket RENAME topic TO label; VACUUM ANALYZE ag, ticket;")
    return [(i, int(row[0]) - 1) for i, row in enumerate(rows[:3000])]


def percent(value):
    return f"{100 * value:.1f}"


def zero_shot(database, arguments, out):
    out("## Without a label: the nearest sentence\n\n| template | tickets (204) | AG News (3000) |\n|---|---|---|")
    for template in (TICKET, NEWS, "This is about {label}.", "{label}"):
        tickets, news = (database.number(f"SELECT avg((predict(zero_shot_classifier('minilm', {array(names)}, '{template}'), embedding) = label)::int) FROM {table};")
                         for table, names in (("ticket", TOPICS), ("ag", NAMES)))
        out(f"| `{template}` | {percent(tickets)} | {percent(news)} |")
    if arguments.bert:
        right = database.number(f"SELECT avg((classify('bert', subject || '. ' || body, {array(TOPICS)}, '{{mask}} problem: {{text}}') = label)::int) FROM ticket;")
        news = database.number(f"SELECT avg((classify('bert', body, {array(NAMES)}, '{{mask}} news: {{text}}') = label)::int) FROM ag WHERE id < 500;")
        out(f"| BERT base (int8) at a mask, `{{mask}} problem: {{text}}`, `{{mask}} news: {{text}}` | {percent(right)} | {percent(news)} (500) |")


def fitted(database, rows, draws, out):
    out(f"\n## Fitted to rows without labels: `fit_labels`\n\nThe guess is the nearest sentence. Means of {draws} draws; rows of a draw are those that are predicted.\n\n"
        "| rows | guess | fitted |\n|---|---|---|")
    for name, (shares, n) in SETS.items():
        chosen = []
        for draw in range(draws):
            source = random.Random(draw)
            for k, share in enumerate(shares):
                chosen += [(draw, i) for i in source.sample([i for i, label in rows if label == k], round(n * share))]
        database.run("COPY chosen FROM STDIN (FORMAT csv)", "".join(f"{draw},{i}\n" for draw, i in chosen))
        guess, fit = database.run(f"""WITH guess AS MATERIALIZED (SELECT zero_shot_classifier('minilm', {array(NAMES)}, '{NEWS}') AS g),
            f AS MATERIALIZED (SELECT draw, fit_labels(g, embedding) AS c FROM chosen JOIN ag USING (id), guess GROUP BY draw)
            SELECT avg((predict(g, embedding) = label)::int), avg((predict(c, embedding) = label)::int) FROM f JOIN chosen USING (draw) JOIN ag USING (id), guess;
            TRUNCATE chosen;""")[-1]
        out(f"| AG News, {name} | {percent(float(guess))} | {percent(float(fit))} |")
    for template in (TICKET, "This is about {label}."):
        guess, fit = database.run(f"""WITH guess AS MATERIALIZED (SELECT zero_shot_classifier('minilm', {array(TOPICS)}, '{template}') AS g),
            f AS MATERIALIZED (SELECT fit_labels(g, embedding) AS c FROM ticket, guess)
            SELECT avg((predict(g, embedding) = label)::int), avg((predict(c, embedding) = label)::int) FROM f, guess, ticket;""")[-1]
        out(f"| tickets, all 204, `{template}` | {percent(float(guess))} | {percent(float(fit))} |")


def few(database, draws, out):
    out(f"\n## Learnt from some labelled rows a class: `fit_classifier`\n\nMeans of {draws} draws; tested on the rows without a label.\n\n"
        "| labelled rows a class | tickets, these rows alone | tickets, with the others unlabelled | AG News (2000 tested), these rows alone | AG News, with 500 unlabelled |\n|---|---|---|---|---|")
    for n in (1, 2, 4, 8, 16, 32, 128):
        cells = []
        for table, most in (("ticket", 16), ("ag", 128)):
            for unlabelled in (0, 500):
                if n > most or (table == "ag" and n == 1):
                    cells.append("")
                    continue
                cells.append(percent(database.number(f"""
                    WITH drawn AS MATERIALIZED (SELECT d, id, embedding, label, row_number() OVER (PARTITION BY d, label ORDER BY md5(d || '.' || id)) AS nth,
                        row_number() OVER (PARTITION BY d ORDER BY md5(id || '.' || d)) AS other FROM {table}, generate_series(1, {draws}) d),
                    f AS MATERIALIZED (SELECT d, fit_classifier(embedding, CASE WHEN nth <= {n} THEN label END) AS c FROM drawn
                        WHERE nth <= {n} OR other <= {unlabelled} GROUP BY d)
                    SELECT avg((predict(c, embedding) = label)::int) FROM f JOIN drawn USING (d) WHERE nth > {n} AND other <= 2000;""")))
        out(f"| {n} | " + " | ".join(cells) + " |")


def masks(database, draws, out):
    out("\n## The state of BERT's mask: `mask_state`\n\n| labelled tickets a class | accuracy |\n|---|---|")
    database.run("ALTER TABLE ticket ADD state vector(768); UPDATE ticket SET state = mask_state('bert', subject || '. ' || body, '{mask} problem: {text}');")
    for n in (1, 4, 8, 16):
        right = database.number(f"""
            WITH drawn AS MATERIALIZED (SELECT d, id, state, label, row_number() OVER (PARTITION BY d, label ORDER BY md5(d || '.' || id)) AS nth
                FROM ticket, generate_series(1, {draws}) d),
            f AS MATERIALIZED (SELECT d, fit_classifier(state, label) AS c FROM drawn WHERE nth <= {n} GROUP BY d)
            SELECT avg((predict(c, state) = label)::int) FROM f JOIN drawn USING (d) WHERE nth > {n};""")
        out(f"| {n} | {percent(right)} |")


def speed(database, out):
    database.run("""CREATE TABLE big AS SELECT g.id, t.embedding + n.v AS embedding, t.label
        FROM generate_series(1, 100000) g (id) JOIN (SELECT *, row_number() OVER () - 1 AS r FROM ticket) t ON t.r = g.id % 204
        JOIN (SELECT k, ('[' || string_agg((random() * 0.2 - 0.1)::text, ',') || ']')::vector AS v
            FROM generate_series(0, 996) k, generate_series(1, 384) GROUP BY k) n ON n.k = g.id % 997;
        CREATE TABLE learnt AS SELECT fit_classifier(embedding, label) AS c FROM ticket; VACUUM ANALYZE big;""")
    many = "FROM big, generate_series(1, 10)"
    base = min(database.seconds("SELECT count(vector_dims(embedding)) " + many) for _ in range(3))
    predict = min(database.seconds("SELECT count(predict((SELECT c FROM learnt), embedding)) " + many) for _ in range(3))
    embed, classify = (float(value) for value in database.run(f"""SET maskgen.enable_result_cache = off; SET max_parallel_workers_per_gather = 0;
        CREATE FUNCTION pg_temp.cpu() RETURNS float8 LANGUAGE sql AS $$ SELECT sum(t::int) / 100.0 FROM unnest((string_to_array(pg_read_file('/proc/self/stat'), ' '))[14:15]) t $$;
        CREATE TEMP TABLE spent (embed float8, classify float8);
        DO $$ DECLARE a float8; b float8; c float8; BEGIN
            FOR i IN 0 .. 5 LOOP
                a := pg_temp.cpu(); PERFORM count(v) FROM (SELECT embed('minilm', body) AS v FROM ag WHERE id < 300) x;
                b := pg_temp.cpu(); PERFORM count(v) FROM (SELECT classify('minilm', body, {array(NAMES)}) AS v FROM ag WHERE id < 300) x;
                c := pg_temp.cpu(); INSERT INTO spent SELECT b - a, c - b WHERE i > 0;
            END LOOP; END $$;
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY embed), percentile_cont(0.5) WITHIN GROUP (ORDER BY classify) FROM spent;""")[-1])
    fit = database.seconds("SELECT fit_classifier(embedding, label) FROM big")
    labels = database.seconds("SELECT fit_labels((SELECT c FROM learnt), embedding) FROM big")
    out(f"""
## CPU

| | |
|---|---|
| `predict`, six labels, 384 dimensions: a row, beyond what `vector_dims` takes | {1e6 * (predict - base) / 1e6:.2f} µs: {1 / max(predict - base, .01):.1f} million rows a second |
| `classify` by MiniLM of 300 news descriptions, beside `embed` of them, in turn five times, medians | {classify:.2f} s, {embed:.2f} s |
| `fit_classifier` of 100 000 labelled rows of 384 dimensions | {fit:.1f} s |
| `fit_labels` of 100 000 rows | {labels:.1f} s |""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--psql", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--minilm", required=True)
    parser.add_argument("--bert")
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--only-speed", action="store_true", help="in a database where all of it was measured before")
    parser.add_argument("--results", default="/dev/stdout")
    parser.add_argument("--commit", default="")
    arguments = parser.parse_args()
    database = Database(arguments.psql)
    with open(arguments.results, "w", encoding="utf-8") as file, open("/proc/cpuinfo", encoding="utf-8") as cpus:
        def out(text):
            print(text, file=file, flush=True)

        cpu = next(line.split(": ")[1].strip() for line in cpus if line.startswith("model name"))
        out(f"# Classifiers, {datetime.date.today()}\n\n`bench/classify.py`, commit {arguments.commit}, {cpu}. Percent that are right.\n")
        if arguments.only_speed:
            database.run("DROP TABLE IF EXISTS big, learnt;")
            speed(database, out)
            return
        rows = load(database, arguments)
        zero_shot(database, arguments, out)
        fitted(database, rows, arguments.draws, out)
        few(database, arguments.draws, out)
        if arguments.bert:
            masks(database, arguments.draws, out)
        speed(database, out)


if __name__ == "__main__":
    main()
