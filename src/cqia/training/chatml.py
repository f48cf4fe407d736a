"""ChatML: the chat template of base models that have none.

    <|im_start|>user
    你好<|im_end|>
    <|im_start|>assistant
    你好！<|im_end|>

No system text is put in that nobody wrote. The `generation` marks tell trainers what the model
itself would write, the closing mark included: only that is learnt.
"""

from __future__ import annotations

PAD = "<|endoftext|>"
"""Ends a text in pre-training, and fills up rows."""
START = "<|im_start|>"
END = "<|im_end|>"
"""Ends a turn: the end of what a chat model generates."""

CHATML = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{- '<|im_start|>assistant\\n' -}}
{%- generation -%}
{{- message['content'] + '<|im_end|>' -}}
{%- endgeneration -%}
{{- '\\n' -}}
{%- else -%}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""
