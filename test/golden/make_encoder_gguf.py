#!/usr/bin/env python3
"""Makes test/golden/gguf: tiny encoders of other folders as GGUF files, as llama.cpp's converter writes them.

    make_encoder_gguf.py

Names of tensors and keys are those of the package gguf. A word's beginning has U+2581 before it, what goes on with a word nothing.
"""

import json
import os

import gguf
import numpy
import safetensors.numpy

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = {"bert": (gguf.MODEL_ARCH.BERT, "tiny/bert-embed-mean"), "nomic-bert": (gguf.MODEL_ARCH.NOMIC_BERT, "encoder/nomic_bert")}


def add_tokenizer(writer, path):
    with open(path) as file:
        read = json.load(file)
    control = {token["id"] for token in read["added_tokens"]}
    tokens = sorted((i, token) for token, i in read["model"]["vocab"].items())
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    writer.add_token_list([token if i in control else token[2:] if token.startswith("##") else "\u2581" + token for i, token in tokens])
    writer.add_token_types([3 if i in control else 1 for i, _ in tokens])
    ids = {token: i for i, token in tokens}
    writer.add_unk_token_id(ids["[UNK]"])
    writer.add_bos_token_id(ids["[CLS]"])
    writer.add_sep_token_id(ids["[SEP]"])
    writer.add_pad_token_id(ids["[PAD]"])
    writer.add_mask_token_id(ids["[MASK]"])


def main():
    for name, (arch, source) in MODELS.items():
        source = os.path.join(HERE, source)
        with open(os.path.join(source, "config.json")) as file:
            config = json.load(file)
        layers = config.get("num_hidden_layers", config.get("n_layer"))
        directory = os.path.join(HERE, "gguf", name)
        os.makedirs(directory, exist_ok=True)
        writer = gguf.GGUFWriter(os.path.join(directory, "model.gguf"), gguf.MODEL_ARCH_NAMES[arch])
        writer.add_block_count(layers)
        writer.add_context_length(config.get("max_position_embeddings", config.get("n_positions")))
        writer.add_embedding_length(config.get("hidden_size", config.get("n_embd")))
        writer.add_feed_forward_length(config.get("intermediate_size", config.get("n_inner")))
        writer.add_head_count(config.get("num_attention_heads", config.get("n_head")))
        writer.add_layer_norm_eps(config.get("layer_norm_eps", config.get("layer_norm_epsilon")))
        writer.add_causal_attention(False)
        writer.add_pooling_type(gguf.PoolingType.MEAN)
        if "rotary_emb_base" in config:
            writer.add_rope_freq_base(config["rotary_emb_base"])
        add_tokenizer(writer, os.path.join(source, "tokenizer.json"))
        names = gguf.get_tensor_name_map(arch, layers)
        for key, data in safetensors.numpy.load_file(os.path.join(source, "model.safetensors")).items():
            key = key.removeprefix("bert.").removeprefix("model.")
            if key.startswith(("pooler.", "cls.", "classifier.")) or key.endswith("position_ids"):
                continue
            theirs = names.get_name(key, try_suffixes=(".weight", ".bias"))
            assert theirs is not None, key
            writer.add_tensor(theirs, numpy.ascontiguousarray(data))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


main()
