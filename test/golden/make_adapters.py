"""Makes test/golden/adapter/: LoRA adapters to checkpoints of test/golden, and the embeddings of the models that PEFT merges.

The reference is the Python package "peft", with "torch" and "transformers". Run with them installed:

    python3 test/golden/make_adapters.py

NAME/ is an adapter as PEFT saves it, its base model's path left out. NAME.txt has lines

    base DIR            of the base model, below test/golden
    text TEXT           and the mean of the last layer's vectors of its tokens, special ones included, before normalisation:
    vector N ...
"""
import json
import os
import shutil

import peft
import torch
from transformers import AutoModel, AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
TEXTS = ["the quick brown fox", "a", "work and play"]
ADAPTERS = {
    # Several ranks of weights, a bias that stays, scaled by alpha / r; then by its root, with an embedding.
    "plain": ("tiny/bert-embed-mean", dict(r=3, lora_alpha=8, target_modules=["query", "value", "dense"])),
    "rank-stabilised": ("tiny/bert-embed-mean", dict(r=4, lora_alpha=5, use_rslora=True, target_modules=["key", "word_embeddings"], rank_pattern={"key": 2})),
    # Conv1D stores its weights the other way round.
    "fan-in-fan-out": ("decoder/gpt2", dict(r=2, lora_alpha=6, fan_in_fan_out=True, target_modules=["c_attn", "c_fc"])),
}


def main():
    torch.manual_seed(25)
    for name, (base, options) in ADAPTERS.items():
        path = os.path.join(HERE, base)
        out = os.path.join(HERE, "adapter", name)
        model = AutoModel.from_pretrained(path, dtype=torch.float32).eval()
        tuned = peft.get_peft_model(model, peft.LoraConfig(**options))
        with torch.no_grad():
            for key, value in tuned.named_parameters():
                if "lora_" in key:
                    value.normal_(0, 0.3)
        tuned.save_pretrained(out)
        config = os.path.join(out, "adapter_config.json")
        said = json.load(open(config))
        said["base_model_name_or_path"] = "tiny"
        with open(config, "w") as file:
            json.dump(said, file, indent=2, sort_keys=True)
        for extra in ("README.md",):
            if os.path.exists(os.path.join(out, extra)):
                os.remove(os.path.join(out, extra))
        merged = tuned.merge_and_unload()
        tokenizer = AutoTokenizer.from_pretrained(path)
        with open(out + ".txt", "w") as file:
            file.write("base %s\n" % base)
            for text in TEXTS:
                ids = tokenizer(text, return_tensors="pt")
                with torch.no_grad():
                    vector = merged(**ids).last_hidden_state[0].mean(0)
                file.write("text %s\nvector %s\n" % (text, " ".join("%.9g" % v for v in vector)))


main()
