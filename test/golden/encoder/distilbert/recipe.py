"""DistilBERT: names of its own; a variant has another activation, and one sinusoidal positions, which are a table as well."""

CONFIG = {"model_type": "distilbert", "vocab_size": 300, "dim": 36, "n_layers": 3, "n_heads": 3, "hidden_dim": 50, "max_position_embeddings": 40,
          "activation": "gelu", "pad_token_id": 0}
RELU = {"activation": "relu"}
VARIANTS = [("DistilBertModel", {}, {}), ("DistilBertForMaskedLM", {}, {}), ("DistilBertForSequenceClassification", {}, {}),
            ("DistilBertForTokenClassification", {}, {}), ("DistilBertForMaskedLM", RELU, RELU),
            ("DistilBertModel", {"sinusoidal_pos_embds": True}, {"sinusoidal_pos_embds": True})]
REFUSED = [({"n_heads": 5}, "not divisible by 5 attention heads")]
LAYERS, PREFIX, TOKENIZER = "n_layers", "distilbert.", "bert"
