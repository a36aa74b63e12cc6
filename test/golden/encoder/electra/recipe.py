"""ELECTRA: embeddings that are narrower than states."""

CONFIG = {"model_type": "electra", "vocab_size": 300, "embedding_size": 20, "hidden_size": 36, "num_hidden_layers": 3, "num_attention_heads": 3,
          "intermediate_size": 50, "max_position_embeddings": 40, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
          "pad_token_id": 0}
VARIANTS = [("ElectraModel", {}, {}), ("ElectraForPreTraining", {}, {}), ("ElectraForSequenceClassification", {}, {}),
            ("ElectraForTokenClassification", {}, {})]
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "electra.", "bert"
