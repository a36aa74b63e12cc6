"""GTE under the names that its checkpoints have; transformers, which has it without scaling, gets the angles of the published code."""

import torch
import transformers

CONFIG = {"model_type": "gte", "vocab_size": 300, "hidden_size": 36, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 50,
          "max_position_embeddings": 40, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0,
          "rope_parameters": {"rope_type": "default", "rope_theta": 50.0}}
CONFIG_KEYS = {key: value for key, value in CONFIG.items() if key != "rope_parameters"} | {
    "model_type": "new", "rope_theta": 50.0, "rope_scaling": None, "position_embedding_type": "rope", "pack_qkv": True,
    "layer_norm_type": "layer_norm", "logn_attention_scale": False, "unpad_inputs": False, "use_memory_efficient_attention": False}
NTK = {"rope_scaling": {"type": "ntk", "factor": 8.0}}
VARIANTS = [("NewModel", {}, {}), ("NewForMaskedLM", {}, {}), ("NewForSequenceClassification", {}, {}), ("NewForTokenClassification", {}, {}),
            ("NewModel", {"ntk": 8.0}, NTK), ("GteModel", {"hidden_act": "relu"}, CONFIG | {"hidden_act": "relu"})]
REFUSED = [({"layer_norm_type": "rms_norm"}, "rms_norm"), ({"position_embedding_type": "absolute"}, "absolute"),
           ({"logn_attention_scale": True}, "logn_attention_scale"), ({"rope_scaling": {"type": "yarn", "factor": 2.0}}, "yarn"),
           ({"rope_scaling": {"type": "ntk", "factor": 2.0, "mixed_b": 0.3}}, "mixed_b"),
           ({"type_vocab_size": 0}, "token_type_embeddings")]
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "new.", "bert"
NAMES = [("new.layers.", "new.encoder.layer."), ("self_attn.o_proj", "attention.o_proj"), ("post_attention_layernorm", "attn_ln"),
         ("post_mlp_layernorm", "mlp_ln"), ("lm_head.layer_norm", "lm_head.norm")]


def reference(name, config):
    kind = getattr(transformers, name.replace("New", "Gte"))
    factor = config.pop("ntk", None)
    model = kind(kind.config_class(**config, attn_implementation="eager"))
    if factor is not None:
        d = config["hidden_size"] // config["num_attention_heads"]
        base = config["rope_parameters"]["rope_theta"] * factor
        model.rotary_emb.inv_freq = 1.0 / (base ** (torch.arange(0, d, 2).float() / d)) / factor ** (2 / d)
    return model


def published(state, file):
    out = {}
    for key, tensor in state.items():
        for ours, theirs in NAMES:
            key = key.replace(ours, theirs)
        out[key] = tensor
    for first, parts, joined in (("self_attn.q_proj", ("q_proj", "k_proj", "v_proj"), "attention.qkv_proj"),
                                 ("mlp.up_proj", ("up_proj", "gate_proj"), "mlp.up_gate_proj")):
        for key in [key for key in out if first in key]:
            out[key.replace(first, joined)] = torch.cat([out.pop(key.replace(parts[0], part)) for part in parts])
    return out
