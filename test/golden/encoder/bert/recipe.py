"""BERT: every layer, and all heads in one checkpoint; test/golden/tiny has more of it."""

CONFIG = {"model_type": "bert", "vocab_size": 300, "hidden_size": 36, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 50,
          "max_position_embeddings": 40, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0}
VARIANTS = [("BertModel", {}, {}), ("BertForMaskedLM", {}, {}), ("BertForSequenceClassification", {}, {}),
            ("BertForTokenClassification", {}, {}), ("BertModel", {"hidden_act": "gelu_new", "layer_norm_eps": 0.01},
                                                     {"hidden_act": "gelu_new", "layer_norm_eps": 0.01})]
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "bert.", "bert"
