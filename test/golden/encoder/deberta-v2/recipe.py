"""DeBERTa v2 and v3: logarithmic buckets, which sequences pass; with each kind of term alone, without buckets, and with both kinds of masked heads."""

CONFIG = {"model_type": "deberta-v2", "vocab_size": 300, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 34,
          "max_position_embeddings": 40, "type_vocab_size": 0, "hidden_act": "gelu", "layer_norm_eps": 1e-7, "pad_token_id": 0,
          "relative_attention": True, "max_relative_positions": -1, "position_buckets": 6, "norm_rel_ebd": "layer_norm", "share_att_key": True,
          "position_biased_input": False, "pos_att_type": ["p2c", "c2p"], "pooler_hidden_size": 24, "pooler_hidden_act": "gelu", "legacy": True}
TEXT = {"pos_att_type": "p2c|c2p"}
PLAIN = {"position_buckets": -1, "max_relative_positions": 9, "norm_rel_ebd": "none", "position_biased_input": True, "type_vocab_size": 2}
NONE = {"relative_attention": False, "position_biased_input": True}
VARIANTS = [("DebertaV2Model", {}, {}), ("DebertaV2ForSequenceClassification", {}, TEXT), ("DebertaV2ForTokenClassification", {}, TEXT),
            ("DebertaV2Model", {"pos_att_type": ["c2p"]}, {"pos_att_type": ["c2p"]}),
            ("DebertaV2Model", {"pos_att_type": "p2c"}, {"pos_att_type": "p2c"}),
            ("DebertaV2ForMaskedLM", {}, {}, "legacy.safetensors"), ("DebertaV2ForMaskedLM", {"legacy": False}, {"legacy": False}, "own.safetensors"),
            ("DebertaV2Model", PLAIN, PLAIN, "plain.safetensors"), ("DebertaV2Model", NONE, NONE, "none.safetensors")]
REFUSED = [({"conv_kernel_size": 3}, "conv_kernel_size"), ({"share_att_key": False}, "share_att_key"), ({"embedding_size": 20}, "embedding_size"),
           ({"norm_rel_ebd": "l2"}, "l2"), ({"position_buckets": 100}, "make no sense")]
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "deberta.", "bert"
