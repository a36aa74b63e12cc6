#!/usr/bin/env python3
"""Makes the tiny decoders of test/golden/decoder and what the reference (transformers) says about each of them.

    make_decoders.py [NAME...]

A checkpoint stands for several architectures and configurations, where the names of tensors are the same: NAME.txt has, one after the other,

    config JSON            config.json of a variant of checkpoint NAME
    prompt ID ...
    step ID LOGIT ...      the logits of some tokens after the prompt, and after each token; ID is the likeliest, which is the next one
    state ROW X ...        of a model without logits: the final state of a token of the prompt

Weights are drawn wide, so that a term left out moves the logits by far more than rounding does.
"""

import json
import os
import shutil
import sys

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

GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 96, "n_inner": None, "tie_word_embeddings": True}
NEOX_ROPE = {"rope_theta": 500.0, "partial_rotary_factor": 0.5}
NEOX = {"layer_norm_eps": 1e-5, "use_parallel_residual": True, "hidden_act": "gelu"}
PHI3 = {"pad_token_id": None}
GEMMA3_ROPE = {"sliding_attention": {"rope_type": "default", "rope_theta": 300.0},
               "full_attention": {"rope_type": "default", "rope_theta": 2000.0}}
GEMMA3 = {"num_hidden_layers": 3, "query_pre_attn_scalar": 12, "sliding_window": 6, "tie_word_embeddings": True,
          "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}

GEMMA2 = {"num_hidden_layers": 3, "query_pre_attn_scalar": 12, "sliding_window": 6, "tie_word_embeddings": True, "attn_logit_softcapping": 2.0,
          "final_logit_softcapping": 5.0}

VARIANTS = {
    "llama": [
        ("LlamaForCausalLM", ROPE, {}),
        ("LlamaForCausalLM", ROPE, {"tie_word_embeddings": True}),
        ("LlamaForCausalLM", {"rope_theta": 500.0, "rope_type": "linear", "factor": 4.0}, {}),
        ("LlamaForCausalLM", {"rope_theta": 500.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                              "original_max_position_embeddings": 24}, {}),
        ("LlamaForCausalLM", {"rope_theta": 500.0, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 24}, {}),
        ("LlamaForCausalLM", {"rope_theta": 500.0, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 24, "truncate": False}, {}),
        ("LlamaForCausalLM", {"rope_theta": 500.0, "rope_type": "dynamic", "factor": 2.0}, {}),
        ("MistralForCausalLM", ROPE, {"sliding_window": 6}),
    ],
    "qwen2": [("Qwen2ForCausalLM", ROPE, {})],
    "qwen3": [("Qwen3ForCausalLM", ROPE, {})],
    "gpt2": [
        ("GPT2LMHeadModel", None, GPT2),
        ("GPT2LMHeadModel", None, GPT2 | {"activation_function": "relu", "layer_norm_epsilon": 0.01}),
    ],
    "gpt_neox": [
        ("GPTNeoXForCausalLM", NEOX_ROPE, NEOX),
        ("GPTNeoXForCausalLM", NEOX_ROPE | {"partial_rotary_factor": 1.0}, NEOX | {"use_parallel_residual": False}),
        ("GPTNeoXForCausalLM", NEOX_ROPE | {"rope_type": "linear", "factor": 2.0}, NEOX | {"hidden_act": "gelu_new"}),
    ],
    "phi3": [
        ("Phi3ForCausalLM", ROPE, PHI3),
        ("Phi3ForCausalLM", ROPE | {"partial_rotary_factor": 0.5}, PHI3 | {"sliding_window": 6}),
        ("Phi3ForCausalLM", {"rope_theta": 500.0, "rope_type": "longrope", "short_factor": [1.0, 1.3, 2.1, 4.0],
                             "long_factor": [1.0, 3.0, 9.0, 30.0], "original_max_position_embeddings": 96},
         PHI3 | {"max_position_embeddings": 384, "original_max_position_embeddings": 96}),
    ],
    "gemma3": [
        ("Gemma3ForCausalLM", GEMMA3_ROPE, GEMMA3),
        ("Gemma3ForCausalLM", GEMMA3_ROPE | {"full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 2000.0}},
         GEMMA3 | {"query_pre_attn_scalar": 8}),
        ("Gemma3ForCausalLM", GEMMA3_ROPE, GEMMA3 | {"final_logit_softcapping": 3.0}),
        ("Gemma3TextModel", GEMMA3_ROPE, GEMMA3 | {"use_bidirectional_attention": True, "sliding_window": 9, "layer_types": ["full_attention", "sliding_attention",
                                                                                                                 "sliding_attention"]}),
    ],
    "gemma2": [
        ("Gemma2ForCausalLM", ROPE, GEMMA2),
        ("Gemma2ForCausalLM", ROPE, GEMMA2 | {"query_pre_attn_scalar": 8, "attn_logit_softcapping": None, "final_logit_softcapping": 3.0}),
        ("Gemma2ForCausalLM", ROPE, GEMMA2 | {"query_pre_attn_scalar": 8}),
    ],
}


def weights_of(model, seed):
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in sorted(model.state_dict().items()):
        drawn = torch.randn(tensor.shape, generator=generator)
        gain = tensor.dim() == 1 and name.endswith(".weight")
        state[name] = 1 + 0.3 * drawn if gain else 0.35 * drawn if tensor.dim() == 2 else 0.5 * drawn
        if gain and "Gemma" in type(model).__name__:
            state[name] = 0.3 * drawn
        if name.endswith(("embed_tokens.weight", "lm_head.weight", "wte.weight", "wpe.weight", "embed_in.weight", "embed_out.weight")):
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


def states_of(model, prompt):
    """Final states of all tokens, where no logits are made."""
    with torch.no_grad():
        states = model(torch.tensor([prompt])).last_hidden_state[0]
    return ["state %d %s" % (i, " ".join("%.6f" % float(x) for x in row)) for i, row in enumerate(states)]


def main(only):
    torch.set_num_threads(1)
    for number, (name, variants) in enumerate(VARIANTS.items()):
        if only and name not in only:
            continue
        directory = os.path.join(HERE, name)
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        lines, state = ["# transformers %s" % transformers.__version__], None
        for kind, rope, more in variants:
            model_class = getattr(transformers, kind)
            sizes = {key: value for key, value in SIZES.items() if name != "gpt2" or key in ("vocab_size", "bos_token_id", "eos_token_id")}
            if rope is not None:
                sizes["rope_parameters"] = rope
            config = model_class.config_class(**(sizes | more), attn_implementation="eager")
            model = model_class(config).eval().float()
            if state is None:
                state = weights_of(model, 1 + number)
                words = [key for key in state if key.endswith(("embed_tokens.weight", "wte.weight"))]
                kept = {key: value for key, value in state.items() if not (config.tie_word_embeddings and key == "lm_head.weight")}
                # As published checkpoints have it; this version of transformers has another name.
                published = {"embed_out.weight" if name == "gpt_neox" and key == "lm_head.weight" else key: value for key, value in kept.items()}
                safetensors.torch.save_file(published, os.path.join(directory, "model.safetensors"))
            tied = {"lm_head.weight": state[words[0]]} if config.tie_word_embeddings else {}
            bare = kind.endswith("Model") and not hasattr(model, "lm_head")
            model.load_state_dict({key.removeprefix("model."): value for key, value in kept.items()} if bare else state | tied, strict=True)
            said = json.loads(config.to_json_string(use_diff=False))
            keys = set(sizes) | set(more) | {"rope_parameters", "hidden_act", "sliding_window", "use_sliding_window", "max_window_layers",
                                             "model_type", "hidden_activation", "activation_function"}
            said = {key: value for key, value in said.items() if key in keys and (value is not None or key.endswith("softcapping"))}
            said["architectures"] = [kind]
            if len(lines) == 1:
                with open(os.path.join(directory, "config.json"), "w") as file:
                    json.dump(said, file, indent=1, sort_keys=True)
            lines.append("config " + json.dumps(said, sort_keys=True))
            for prompt in PROMPTS:
                lines.append("prompt " + " ".join(map(str, prompt)))
                lines += states_of(model, prompt) if bare else steps_of(model, prompt)
        tokenizer().save(os.path.join(directory, "tokenizer.json"))
        with open(os.path.join(HERE, name + ".txt"), "w") as file:
            file.write("\n".join(lines) + "\n")


main(sys.argv[1:])
