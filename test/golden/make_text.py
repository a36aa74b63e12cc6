#!/usr/bin/env python3
"""Writes what transformers generates at temperature 0 with the weights of a GGUF file, widened to float32.

    make_text.py --gguf FILE

The file is SmolLM2-135M-Instruct of the default set-up. The prompts are written for this file; they go to the model as text, without its
chat template. real/smollm2.txt has for each prompt, as JSON strings and numbers in a line of their own:

    prompt      the text
    ids         its tokens, and behind them those of 64 greedy steps, fewer if an end comes before
    margins     of each step, between the two largest logits: a step whose margin is below what 8-bit activations change may go the other way
"""

import argparse
import json
import os

import numpy
import torch
import transformers

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 64
PROMPTS = [
    "Once upon a time, there was a fox who",
    "The capital of France is",
    "To make a pot of soup, you first",
    "The three primary colours are",
    "Dear customer, thank you for your letter of last week.",
    "def fibonacci(n):\n",
    "SELECT name, count(*) FROM",
    "Water boils at one hundred degrees because",
    "The old lighthouse keeper looked out over the",
    "List five animals that live in the sea:\n1.",
    "The train to the coast leaves at",
    "In the year 1969, people first",
    "My favourite season is autumn, since",
    "A triangle has three sides and a square has",
    "The printer in the office is broken again. Please",
    "Bread is made of flour, water, salt and",
    "Question: What is the largest planet of our sun? Answer:",
    "Es war einmal ein König, der",
    "The committee met on Tuesday to discuss the budget for",
    "If you drop a stone and a feather on the moon,",
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", required=True)
    path = os.path.abspath(parser.parse_args().gguf)
    directory, name = os.path.split(path)
    torch.set_num_threads(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, gguf_file=name, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory, gguf_file=name)
    end = model.config.eos_token_id
    with open(os.path.join(HERE, "real", "smollm2.txt"), "w", encoding="utf-8") as out:
        out.write("# SmolLM2-135M-Instruct, Q4_1 widened to float32, 64 greedy steps\n")
        out.write("# made by make_text.py with torch %s, transformers %s, numpy %s\n" %
                  (torch.__version__, transformers.__version__, numpy.__version__))
        for prompt in PROMPTS:
            ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            margins, past, step = [], None, torch.tensor([ids])
            with torch.no_grad():
                for _ in range(STEPS):
                    said = model(input_ids=step, past_key_values=past, use_cache=True)
                    past = said.past_key_values
                    best = torch.topk(said.logits[0, -1], 2)
                    margins.append(round(float(best.values[0] - best.values[1]), 4))
                    ids.append(int(best.indices[0]))
                    if ids[-1] == end:
                        break
                    step = torch.tensor([ids[-1:]])
            out.write("prompt %s\nids %s\nmargins %s\n" % (json.dumps(prompt), json.dumps(ids), json.dumps(margins)))
            out.flush()
            print(prompt, tokenizer.decode(ids[-len(margins):]))


main()
