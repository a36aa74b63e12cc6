"""NomicBERT under the names that its checkpoints have; turned by the angles of a small theta, so that positions show."""

import torch

CONFIG = {"model_type": "nomic_bert", "vocab_size": 300, "hidden_size": 36, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 50,
          "max_position_embeddings": 40, "type_vocab_size": 2, "hidden_act": "silu", "layer_norm_eps": 1e-12, "pad_token_id": 0,
          "rope_parameters": {"rope_type": "default", "rope_theta": 50.0}}
CONFIG_KEYS = {"model_type": "nomic_bert", "vocab_size": 300, "n_embd": 36, "n_layer": 3, "n_head": 3, "n_inner": 50, "n_positions": 40,
               "type_vocab_size": 2, "activation_function": "swiglu", "layer_norm_epsilon": 1e-12, "rotary_emb_base": 50,
               "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False, "rotary_scaling_factor": None, "prenorm": False,
               "use_rms_norm": False}
NATIVE = {key: None for key in CONFIG_KEYS if key not in CONFIG} | CONFIG
VARIANTS = [("NomicBertModel", {}, {}), ("NomicBertForMaskedLM", {}, {}), ("NomicBertForSequenceClassification", {}, {}),
            ("NomicBertForTokenClassification", {}, {}), ("NomicBertModel", {}, NATIVE)]
REFUSED = [({"prenorm": True}, "prenorm"), ({"rotary_emb_fraction": 0.5}, "rotary_emb_fraction"), ({"activation_function": "gelu"}, "\"gelu\""),
           ({"n_head": 4}, "pairs that can be turned")]
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "bert.", "bert"
NAMES = [("bert.layers.", "bert.encoder.layers."), ("embeddings.LayerNorm", "emb_ln"), ("self_attn.o_proj", "attn.out_proj"),
         ("mlp.up_proj", "mlp.fc11"), ("mlp.gate_proj", "mlp.fc12"), ("mlp.down_proj", "mlp.fc2"), ("post_attention_layernorm", "norm1"),
         ("post_mlp_layernorm", "norm2")]


def published(state, file):
    out = {}
    for key, tensor in state.items():
        for ours, theirs in NAMES:
            key = key.replace(ours, theirs)
        out[key] = tensor
    for key in [key for key in out if "q_proj" in key]:
        parts = [out.pop(key.replace("q_proj", part)) for part in ("q_proj", "k_proj", "v_proj")]
        out[key.replace("self_attn.q_proj", "attn.Wqkv")] = torch.cat(parts)
    return out
