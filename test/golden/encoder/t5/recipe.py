"""T5's encoder: heads that are wider than states together, buckets up to a distance that sequences pass; v1.0's block and v1.1's, in one checkpoint each way."""

CONFIG = {"model_type": "t5", "vocab_size": 320, "d_model": 36, "num_layers": 3, "num_heads": 4, "d_kv": 11, "d_ff": 50, "n_positions": 40,
          "relative_attention_num_buckets": 10, "relative_attention_max_distance": 20, "layer_norm_epsilon": 1e-6, "feed_forward_proj": "gated-gelu"}
VARIANTS = [("T5EncoderModel", {}, {}), ("MT5EncoderModel", {"feed_forward_proj": "gated-silu"}, {"feed_forward_proj": "gated-silu"}),
            ("T5EncoderModel", {"layer_norm_epsilon": 0.1}, {"layer_norm_epsilon": 0.1}),
            ("T5EncoderModel", {"feed_forward_proj": "relu"}, {"feed_forward_proj": "relu"}, "plain.safetensors")]
REFUSED = [({"feed_forward_proj": "relu"}, "wi.weight"), ({"feed_forward_proj": "gated-softplus"}, "gated-softplus"),
           ({"relative_attention_max_distance": 2}, "make no sense"), ({"d_kv": 60000}, "too wide")]
LAYERS, PREFIX, TOKENIZER = "num_layers", "", "roberta"
