"""A model folder as they come from a hub, built in seconds: random weights, a real tokenizer.

It knows nothing; what it says is noise, and the same noise each time. Everything else is as in a
big one: byte-level BPE, ChatML with marks round what the assistant says, safetensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

TEXTS = (
    "早上先把米洗干净，再加水，用小火慢慢煮一锅粥。",
    "租房以前白天去看采光，晚上再去听一听有没有噪音。",
    "请问怎样写一封请假的信？说明原因、时间和联系办法就可以了。",
    "下列哪一项是正确的？A. 水往高处流 B. 太阳从东边升起 C. 一年有十三个月 D. 鱼会飞",
    "孩子发烧的时候多喝水，多休息，超过三天就要去医院。",
    "学习编程要多写多改：def add(a, b): return a + b",
    "答案是（A）。因为题目说的是第一种情况，所以选 A，不选 B、C、D。",
    "春天播种，夏天除草，秋天收获，冬天在屋里修理农具。",
)
"""The tokenizer learns its merges from these."""
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "{{- '<|im_start|>assistant\\n' -}}"
    "{%- generation -%}{{- message['content'] + '<|im_end|>' -}}{%- endgeneration -%}"
    "{{- '\\n' -}}"
    "{%- else -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)


def tiny_model(
    folder: Path,
    *,
    seed: int = 0,
    texts: Sequence[str] = TEXTS,
    hidden: int = 64,
    layers: int = 2,
    vocabulary: int = 640,
    positions: int = 1_024,
) -> Path:
    """Write a folder that `from_pretrained` loads, and return it; the same bytes for a seed.

    Args:
        folder: where it goes.
        seed: of the weights.
        texts: what the tokenizer learns from.
        hidden: width; a multiple of 16.
        layers: depth.
        vocabulary: tokens at most; 256 bytes and three marks are always among them.
        positions: tokens that the model can read.
    """
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = tiny_tokenizer(texts, vocabulary=vocabulary, positions=positions)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=positions,
        tie_word_embeddings=True,
        initializer_range=0.2,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids("<|im_end|>"),
        pad_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_tokenizer(texts: Sequence[str], *, vocabulary: int, positions: int) -> Any:  # noqa: ANN401
    """Byte-level BPE as Qwen's: any text can be written in it, and comes back as it was."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    core.add_special_tokens([AddedToken(one, special=True) for one in SPECIAL])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=TEMPLATE,
        model_max_length=positions,
        clean_up_tokenization_spaces=False,
    )
