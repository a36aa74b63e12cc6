#!/usr/bin/env python3
"""Makes the tiny decoders of test/golden/decoder and what the reference (transformers) says about each of them.

    make_decoders.py

A checkpoint stands for several architectures and configurations, where the names of tensors are the same: NAME.txt has, one after the other,

    config JSON            config.json of a variant of checkpoint NAME
    prompt ID ...
    step ID LOGIT ...      the logits of some tokens after the prompt, and after each token; ID is the likeliest, which is the next one

Weights are drawn wide, so that a term left out moves the logits by far more than rounding does.
"""

import json
import os
import shutil

import safetensors.torch
import tokenizers
import torch
import transformers

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "decoder")
VOCAB, STEPS = 272, 32
SHOWN = range(0, VOCAB, 17)
PROMPTS = [[5], [72, 101, 108, 108, 111, 44, 32, 119, 111, 114, 108, 100], [(7 * i * i + 3 * i) % 256 for i in range(40)]]
SIZES = {"vocab_size": VOCAB, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "intermediate_size": 64, "max_position_embeddings": 96, "head_dim": 8, "rms_norm_eps": 1e-5, "bos_token_id": 256,
         "eos_token_id": 257, "tie_word_embeddings": False}
ROPE = {"rope_theta": 10000.0}

VARIANTS = {
    "llama": [
        ("LlamaForCausalLM", ROPE, {}),
        ("LlamaForCausalLM", ROPE, {"tie_word_embeddings": True}),
        ("LlamaForCausalLM", {"rope_theta": 500.0, "rope_type": "linear", "factor": 4.0}, {}),
        ("LlamaForCausalLM", {"rope_theta": 500.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                              "original_max_position_embeddings": 24}, {}),
        ("LlamaForCausalLM", {"rope_theta": 500.0, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 24}, {}),
        ("LlamaForCausalLM", {"rope_theta": 500.0, "rope_type": "dynamic", "factor": 2.0}, {}),
        ("MistralForCausalLM", ROPE, {"sliding_window": 6}),
    ],
    "qwen2": [("Qwen2ForCausalLM", ROPE, {})],
    "qwen3": [("Qwen3ForCausalLM", ROPE, {})],
}


def weights_of(model, seed):
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in sorted(model.state_dict().items()):
        drawn = torch.randn(tensor.shape, generator=generator)
        state[name] = 1 + 0.3 * drawn if name.endswith("norm.weight") else 0.35 * drawn if tensor.dim() == 2 else 0.5 * drawn
        if name in ("model.embed_tokens.weight", "lm_head.weight"):
            state[name] = 0.3 * drawn
    return state


def tokenizer():
    """Bytes and two special tokens: ids are what the tests give."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    made.add_special_tokens(["<s>", "</s>"])
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    return made


def steps_of(model, prompt):
    """Logits after the prompt and after each greedy token, all of them computed anew each time."""
    ids, lines = list(prompt), []
    with torch.no_grad():
        for _ in range(STEPS + 1):
            logits = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
            best = int(logits.argmax())
            lines.append("step %d %s" % (best, " ".join("%.6f" % float(logits[i]) for i in SHOWN)))
            ids.append(best)
    return lines


def main():
    torch.set_num_threads(1)
    for number, (name, variants) in enumerate(VARIANTS.items()):
        directory = os.path.join(HERE, name)
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        lines, state = ["# transformers %s" % transformers.__version__], None
        for kind, rope, more in variants:
            model_class = getattr(transformers, kind)
            config = model_class.config_class(**(SIZES | {"rope_parameters": rope} | more), attn_implementation="eager")
            model = model_class(config).eval().float()
            if state is None:
                state = weights_of(model, 1 + number)
                safetensors.torch.save_file(state, os.path.join(directory, "model.safetensors"))
            tied = {"lm_head.weight": state["model.embed_tokens.weight"]} if config.tie_word_embeddings else {}
            model.load_state_dict(state | tied, strict=True)
            said = json.loads(config.to_json_string(use_diff=False))
            keys = set(SIZES) | {"rope_parameters", "hidden_act", "sliding_window", "use_sliding_window", "max_window_layers", "model_type"}
            said = {key: value for key, value in said.items() if key in keys and value is not None}
            said["architectures"] = [kind]
            if len(lines) == 1:
                with open(os.path.join(directory, "config.json"), "w") as file:
                    json.dump(said, file, indent=1, sort_keys=True)
            lines.append("config " + json.dumps(said, sort_keys=True))
            for prompt in PROMPTS:
                lines.append("prompt " + " ".join(map(str, prompt)))
                lines += steps_of(model, prompt)
        tokenizer().save(os.path.join(directory, "tokenizer.json"))
        with open(os.path.join(HERE, name + ".txt"), "w") as file:
            file.write("\n".join(lines) + "\n")


main()
