"""RoBERTa: positions from pad_token_id + 1 on; a sequence has the padding token inside."""

CONFIG = {"model_type": "roberta", "vocab_size": 320, "hidden_size": 36, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 50,
          "max_position_embeddings": 40, "type_vocab_size": 1, "hidden_act": "gelu", "layer_norm_eps": 1e-5, "pad_token_id": 1}
VARIANTS = [("RobertaModel", {}, {}), ("RobertaForMaskedLM", {}, {}), ("RobertaForSequenceClassification", {}, {}),
            ("XLMRobertaForTokenClassification", {}, {}), ("CamembertForSequenceClassification", {}, {})]
SEQUENCES = [[0, 61, 2], [0, 20, 1, 1, 33, 90, 2], [0] + [(5 * i * i + i) % 250 + 10 for i in range(36)] + [2]]
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "roberta.", "roberta"
