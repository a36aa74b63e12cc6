"""ModernBERT: layers 0 and 3 are global, the others see three tokens to either side."""

CONFIG = {"model_type": "modernbert", "vocab_size": 320, "hidden_size": 36, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 50,
          "max_position_embeddings": 40, "hidden_activation": "gelu", "norm_eps": 1e-5, "norm_bias": False, "attention_bias": False,
          "mlp_bias": False, "classifier_bias": False, "decoder_bias": True, "global_attn_every_n_layers": 3, "local_attention": 6,
          "pad_token_id": 315, "cls_token_id": 313, "sep_token_id": 314, "bos_token_id": 313, "eos_token_id": 314, "sparse_prediction": False}
VARIANTS = [("ModernBertModel", {}, {}), ("ModernBertForMaskedLM", {}, {})]  # other heads have tensors of the same names: test/golden/tiny
LAYERS, PREFIX, TOKENIZER = "num_hidden_layers", "model.", "modernbert"
