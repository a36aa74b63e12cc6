"""ESM-2: sequences with no mask, one and several, whose numbers scale the others; and frequencies of the checkpoint's own."""

import transformers

CONFIG = {"model_type": "esm", "vocab_size": 300, "hidden_size": 36, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 50,
          "max_position_embeddings": 40, "layer_norm_eps": 1e-5, "pad_token_id": 1, "mask_token_id": 4, "position_embedding_type": "rotary",
          "token_dropout": True, "emb_layer_norm_before": False}
PLAIN = {"token_dropout": False, "emb_layer_norm_before": True}
VARIANTS = [("EsmModel", {}, {}), ("EsmForMaskedLM", {}, {}), ("EsmForSequenceClassification", {}, {}), ("EsmForTokenClassification", {}, {}),
            ("EsmModel", PLAIN, PLAIN, "plain.safetensors"), ("EsmModel", {"rounded": True}, {}, "rounded.safetensors")]
REFUSED = [({"position_embedding_type": "absolute"}, "absolute"), ({"emb_layer_norm_before": True}, "embeddings.layer_norm.weight"),
           ({"num_attention_heads": 4}, "pairs that can be turned")]
SEQUENCES = [[0, 61, 2], [0, 4, 20, 4, 4, 33, 90, 4, 2], [0] + [(5 * i * i + i) % 250 + 10 for i in range(35)] + [4, 2]]
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "esm.", "bert"


def frequencies(model):
    return model.base_model.rotary_embeddings.inv_freq * 1.1


def reference(name, config):
    rounded = config.pop("rounded", False)
    kind = getattr(transformers, name)
    model = kind(kind.config_class(**config, attn_implementation="eager"))
    if rounded:
        model.rotary_embeddings.inv_freq.copy_(frequencies(model))
    return model


def published(state, file):
    if file == "rounded.safetensors":
        model = transformers.EsmModel(transformers.EsmConfig(**CONFIG))
        for layer in range(3):
            state[f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"] = frequencies(model).clone()
    return state
