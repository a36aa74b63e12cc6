#!/usr/bin/env python3
"""Makes test/golden/decoder/gguf: tiny decoders of make_decoders.py as GGUF files.

    make_decoder_gguf.py

Names of tensors and keys are those of the package gguf. What a converter does to numbers is done here: gpt2's matrices are turned,
gpt_neox's queries, keys and values are put one behind the other, norms of the gemmas get their 1. README.md says which configuration each is.
gguf/parts is gguf/gpt2 in four files, the first without tensors.
"""

import json
import os

import gguf
import numpy
import safetensors.numpy

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "decoder")
ARCHS = {"gpt2": (gguf.MODEL_ARCH.GPT2, 1), "gpt_neox": (gguf.MODEL_ARCH.GPTNEOX, 1), "phi3": (gguf.MODEL_ARCH.PHI3, 3),
         "gemma3": (gguf.MODEL_ARCH.GEMMA3, 2), "gemma2": (gguf.MODEL_ARCH.GEMMA2, 3)}


def config_of(name, variant):
    with open(os.path.join(HERE, name + ".txt")) as file:
        return json.loads([line for line in file if line.startswith("config ")][variant - 1][7:])


def converted(name, key, data, heads):
    if name == "gpt2" and data.ndim == 2 and ".c_" in key:
        return data.T
    if name == "gpt_neox" and "query_key_value" in key:
        shape = (heads, 3, data.shape[0] // heads // 3) + data.shape[1:]
        return data.reshape(shape).swapaxes(0, 1).reshape(data.shape)
    if name in ("gemma2", "gemma3") and key.endswith("norm.weight"):
        return data + numpy.float32(1)
    return data


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_parts():
    """The values and tensors of gguf/gpt2, in the order that they have there."""
    whole = gguf.GGUFReader(os.path.join(HERE, "gguf", "gpt2", "model.gguf"))
    directory = os.path.join(HERE, "gguf", "parts")
    os.makedirs(directory, exist_ok=True)
    writer = gguf.GGUFWriter(os.path.join(directory, "tiny.gguf"), "gpt2", split_max_tensors=len(whole.tensors) // 3 + 1, small_first_shard=True)
    for key, field in whole.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            kind = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(key, field.contents(), field.types[0], sub_type=kind)
    for tensor in whole.tensors:
        writer.add_tensor(tensor.name, tensor.data)
    write(writer)


def main():
    for name, (arch, variant) in ARCHS.items():
        config = config_of(name, variant)
        layers = config.get("num_hidden_layers", config.get("n_layer"))
        heads = config.get("num_attention_heads", config.get("n_head"))
        width = config.get("hidden_size", config.get("n_embd"))
        rope = config.get("rope_parameters", {})
        directory = os.path.join(HERE, "gguf", name)
        os.makedirs(directory, exist_ok=True)
        writer = gguf.GGUFWriter(os.path.join(directory, "model.gguf"), gguf.MODEL_ARCH_NAMES[arch])
        writer.add_block_count(layers)
        writer.add_context_length(config.get("max_position_embeddings", config.get("n_positions")))
        writer.add_embedding_length(width)
        writer.add_feed_forward_length(config.get("intermediate_size", 4 * width))
        writer.add_head_count(heads)
        if name in ("gpt2", "gpt_neox"):
            writer.add_layer_norm_eps(1e-5)
        else:
            writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
            writer.add_head_count_kv(config["num_key_value_heads"])
        if name == "gpt_neox":
            writer.add_parallel_residual(config["use_parallel_residual"])
            writer.add_rope_dimension_count(int(width // heads * rope["partial_rotary_factor"]))
            writer.add_rope_freq_base(rope["rope_theta"])
        if name == "phi3":
            writer.add_rope_dimension_count(config["head_dim"])
            writer.add_rope_freq_base(rope["rope_theta"])
            writer.add_rope_scaling_orig_ctx_len(96)
            writer.add_rope_scaling_attn_factors(float(numpy.sqrt(1 + numpy.log(4) / numpy.log(96))))
            writer.add_tensor("rope_factors_long.weight", numpy.array(rope["long_factor"], dtype=numpy.float32))
            writer.add_tensor("rope_factors_short.weight", numpy.array(rope["short_factor"], dtype=numpy.float32))
        if name == "gemma2":
            writer.add_key_length(config["head_dim"])
            writer.add_value_length(config["head_dim"])
            writer.add_sliding_window(config["sliding_window"])
            writer.add_rope_freq_base(rope["rope_theta"])
            writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
            writer.add_final_logit_softcapping(config["final_logit_softcapping"])
        if name == "gemma3":
            writer.add_key_length(config["head_dim"])
            writer.add_value_length(config["head_dim"])
            writer.add_sliding_window(config["sliding_window"])
            writer.add_uint32("gemma3.attention.sliding_window_pattern", 2)
            writer.add_rope_freq_base(rope["full_attention"]["rope_theta"])
            writer.add_float32("gemma3.rope.freq_base_swa", rope["sliding_attention"]["rope_theta"])
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(rope["full_attention"]["factor"])
        with open(os.path.join(HERE, name, "tokenizer.json")) as file:
            vocab = json.load(file)
        tokens = {i: token for token, i in vocab["model"]["vocab"].items()} | {t["id"]: t["content"] for t in vocab["added_tokens"]}
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-2")
        writer.add_token_list([tokens[i] for i in range(len(tokens))])
        writer.add_token_types([3 if i >= 256 else 1 for i in range(len(tokens))])
        names = gguf.get_tensor_name_map(arch, layers)
        for key, data in safetensors.numpy.load_file(os.path.join(HERE, name, "model.safetensors")).items():
            theirs = names.get_name(key, try_suffixes=(".weight", ".bias"))
            assert theirs is not None, key
            writer.add_tensor(theirs, numpy.ascontiguousarray(converted(name, key, data, heads)))
        write(writer)
    write_parts()


main()
