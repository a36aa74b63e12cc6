/*
 * LoRA adapters (Hu and others, arXiv 2106.09685) as PEFT saves them: a directory with
 *
 *   adapter_config.json        r, lora_alpha, use_rslora, fan_in_fan_out ...; base_model_name_or_path
 *   adapter_model.safetensors  base_model.model.MODULE.lora_A.weight [r, in], .lora_B.weight [out, r]; of an embedding MODULE.lora_embedding_A
 *                              [r, words], .lora_embedding_B [width, r]; other tensors stand instead of the base's, or beside them
 *
 * beside the base model's own directory. Merging gives W + s B A, s = alpha / r or alpha / sqrt(r), in the type of W; of layers with
 * fan_in_fan_out, and of embeddings, the product transposed. It is computed while a tensor is read, so no merged model is ever in memory; A and B are.
 */
#ifndef MG_MODEL_ADAPTER_H
#define MG_MODEL_ADAPTER_H

#include "format/tensors.h"

#define MG_ADAPTER_CONFIG "adapter_config.json"

/*
 * Where the base model is: *path, NULL where the directory is no adapter. By the option "base", which may be empty, or the path in the
 * configuration if it is absolute. False after an error: it is not known where, or the option has no adapter to go with.
 */
bool mg_adapter_base(MgCtx *cx, const MgFiles *files, MgSpan option, const char **path);

/* Lets tensors be those of the base model with the adapter's merged in. Refuses by name what cannot be merged. */
bool mg_adapter_merge(MgCtx *cx, const MgFiles *adapter, MgTensors *tensors);

#endif
