"""Makes blocks/: what layers of transformers' models give for weights and states that test/unit/model/layer.c makes itself.

usage: make_blocks.py OUT      with torch and transformers; the versions are in each file

Weights come from the generator of test/unit/tensor/numbers.h in a fixed order, so only results are kept. A file is a line of
comment for each setting and then a state a line.
"""
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import LlamaConfig, ModernBertConfig
from transformers.models.llama import modeling_llama as llama
from transformers.models.modernbert import modeling_modernbert as modernbert

N, WIDTH, WIDE = 24, 32, 48


class Numbers:
	"""Marsaglia's xorshift, in [-1, 1), as in numbers.h."""

	def __init__(self):
		self.state = 88172645463325252

	def __call__(self, *shape, scale=1.0, offset=0.0):
		out = np.empty(int(np.prod(shape)), np.float32)
		for i in range(len(out)):
			s = self.state
			s ^= (s << 13) & 0xFFFFFFFFFFFFFFFF
			s ^= s >> 7
			s ^= (s << 17) & 0xFFFFFFFFFFFFFFFF
			self.state = s
			high = s >> 32
			out[i] = np.float32(high - (1 << 32) if high >= 1 << 31 else high) * np.float32(2.0**-31)
		return torch.tensor(out * np.float32(scale) + np.float32(offset)).reshape(shape)


def write(path, states, *comments):
	with open(path, 'w') as file:
		for line in (f'torch {torch.__version__}, transformers {transformers.__version__}, float32', *comments):
			file.write(f'# {line}\n')
		for row in states.reshape(-1, states.shape[-1]).tolist():
			file.write(' '.join(f'{x:.9g}' for x in row) + '\n')


def load(module, tensors):
	with torch.no_grad():
		for name, tensor in tensors.items():
			parameter = module.get_parameter(name)
			assert parameter.shape == tensor.shape, (name, parameter.shape, tensor.shape)
			parameter.copy_(tensor)


def window_mask(n, before, after):
	i, j = torch.arange(n)[:, None], torch.arange(n)[None, :]
	seen = (j >= i - before) & (j <= i + after)
	return torch.where(seen, 0.0, torch.finfo(torch.float32).min)[None, None]


def make_modernbert(out):
	"""Layer 0, which is global and has no attention norm; layer 1, which is local and has one."""
	config = ModernBertConfig(hidden_size=WIDTH, intermediate_size=WIDE, num_attention_heads=2, num_hidden_layers=2,
							  vocab_size=16, local_attention=8, global_attn_every_n_layers=2, attn_implementation='eager',
							  pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)
	model = modernbert.ModernBertModel(config).eval()
	model.embeddings = torch.nn.Identity()
	numbers = Numbers()
	x = numbers(N, WIDTH)
	for i, layer in enumerate(model.layers):
		tensors = {'attn.Wqkv.weight': numbers(3 * WIDTH, WIDTH, scale=0.4), 'attn.Wo.weight': numbers(WIDTH, WIDTH, scale=0.4),
				   'mlp.Wi.weight': numbers(2 * WIDE, WIDTH, scale=0.4), 'mlp.Wo.weight': numbers(WIDTH, WIDE, scale=0.4),
				   'attn_norm.weight': numbers(WIDTH, scale=0.3, offset=1.0), 'mlp_norm.weight': numbers(WIDTH, scale=0.3, offset=1.0)}
		if i == 0:
			del tensors['attn_norm.weight']
		load(layer, tensors)
	seen = []
	for layer in model.layers:
		layer.register_forward_hook(lambda module, inputs, output: seen.append(output[0] if isinstance(output, tuple) else output))
	model.embeddings.forward = lambda *args, **kwargs: x[None]
	with torch.no_grad():
		model(input_ids=torch.arange(N)[None] % 16)
	write(out / 'modernbert.txt', torch.cat([s.reshape(N, WIDTH) for s in seen]),
		  f'two layers of ModernBertModel: {N} states after the global one, {N} after the local one',
		  'heads 2, intermediate 48, window 4 to either side, thetas 160000 and 10000, eps 1e-5')


def make_llama(out):
	config = LlamaConfig(hidden_size=WIDTH, intermediate_size=WIDE, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
						 num_hidden_layers=1, vocab_size=16, rms_norm_eps=1e-5, attn_implementation='eager')
	layer = llama.LlamaDecoderLayer(config, 0).eval()
	rotary = llama.LlamaRotaryEmbedding(config)
	numbers = Numbers()
	x = numbers(N, WIDTH)
	load(layer, {'self_attn.q_proj.weight': numbers(WIDTH, WIDTH, scale=0.4), 'self_attn.k_proj.weight': numbers(16, WIDTH, scale=0.4),
				 'self_attn.v_proj.weight': numbers(16, WIDTH, scale=0.4), 'self_attn.o_proj.weight': numbers(WIDTH, WIDTH, scale=0.4),
				 'mlp.gate_proj.weight': numbers(WIDE, WIDTH, scale=0.4), 'mlp.up_proj.weight': numbers(WIDE, WIDTH, scale=0.4),
				 'mlp.down_proj.weight': numbers(WIDTH, WIDE, scale=0.4),
				 'input_layernorm.weight': numbers(WIDTH, scale=0.3, offset=1.0),
				 'post_attention_layernorm.weight': numbers(WIDTH, scale=0.3, offset=1.0)})
	positions = torch.arange(N)[None]
	with torch.no_grad():
		states = layer(x[None], attention_mask=window_mask(N, N, 0), position_ids=positions,
					   position_embeddings=rotary(x[None], positions))
	write(out / 'llama.txt', states[0] if isinstance(states, tuple) else states,
		  f'one LlamaDecoderLayer: {N} states, causal', 'heads 4 over 2, head_dim 8, intermediate 48, theta 10000, eps 1e-5')


if __name__ == '__main__':
	out = Path(sys.argv[1])
	out.mkdir(exist_ok=True)
	make_modernbert(out)
	make_llama(out)
