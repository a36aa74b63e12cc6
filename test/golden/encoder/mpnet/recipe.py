"""MPNet: buckets up to logarithmic ones; a sequence has the padding token inside, which only positions of the table see."""

CONFIG = {"model_type": "mpnet", "vocab_size": 320, "hidden_size": 36, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 50,
          "max_position_embeddings": 40, "hidden_act": "gelu", "layer_norm_eps": 1e-5, "pad_token_id": 1, "relative_attention_num_buckets": 32}
RELU = {"hidden_act": "relu"}
VARIANTS = [("MPNetModel", {}, {}), ("MPNetForMaskedLM", {}, {}), ("MPNetForSequenceClassification", {}, {}),
            ("MPNetForTokenClassification", {}, {}), ("MPNetForMaskedLM", RELU, RELU)]
REFUSED = [({"relative_attention_num_buckets": 16}, "relative_attention_num_buckets")]
SEQUENCES = [[0, 61, 2], [0, 20, 1, 1, 33, 90, 2], [0] + [(5 * i * i + i) % 250 + 10 for i in range(36)] + [2]]
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "mpnet.", "roberta"

