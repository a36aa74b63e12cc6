"""ALBERT: five passes through two groups of layers, and embeddings narrower than states."""

CONFIG = {"model_type": "albert", "vocab_size": 300, "embedding_size": 20, "hidden_size": 36, "num_hidden_layers": 5, "num_hidden_groups": 2,
          "num_attention_heads": 3, "intermediate_size": 50, "inner_group_num": 1, "max_position_embeddings": 40, "type_vocab_size": 2,
          "hidden_act": "gelu_new", "layer_norm_eps": 1e-12, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
VARIANTS = [("AlbertModel", {}, {}), ("AlbertForMaskedLM", {}, {}), ("AlbertForSequenceClassification", {}, {}),
            ("AlbertForTokenClassification", {}, {}),
            ("AlbertForMaskedLM", {"embedding_size": 36, "num_hidden_groups": 1}, {"embedding_size": 36, "num_hidden_groups": 1}, "wide.safetensors")]
REFUSED = [({"inner_group_num": 2}, "inner_group_num"), ({"num_hidden_layers": 1}, "shared out"), ({"embedding_size": 40}, "embeddings of 40")]
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "albert.", "bert"
