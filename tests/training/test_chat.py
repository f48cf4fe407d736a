"""Which tokens are learnt, by templates as they come: with marks, without, hostile, and none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.errors import UserError
from cqia.training.chat import PROBE, Chat, Conversation, conversation, opened
from tests.llm.tiny import TEMPLATE, TEXTS, tiny_model, tiny_tokenizer

PLAIN = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
"""ChatML as most folders have it: no marks."""
WITHOUT_END = TEMPLATE.replace(
    "{{- message['content'] + '<|im_end|>' -}}{%- endgeneration -%}",
    "{{- message['content'] -}}{%- endgeneration -%}{{- '<|im_end|>' -}}",
)
"""Marks that leave out the end token: a model that heeds them never stops."""
NO_END = (
    "{%- for message in messages -%}"
    "{{- message['role'] + ': ' + message['content'] + '\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- 'assistant: ' -}}{%- endif -%}"
)
FORGETFUL = PLAIN.replace(
    "message['content']", "(message['content'] if loop.last or message['role'] == 'user' else '…')"
)
"""Writes earlier answers otherwise once more follows, as templates do that drop their reasoning."""
NO_SYSTEM = (
    "{%- if messages[0]['role'] == 'system' -%}{{ raise_exception('no system') }}{%- endif -%}"
)
GLUED = (
    "{%- for message in messages -%}"
    "{{- message['content'] + ('<|im_end|>' if message['role'] == 'assistant' else '早') -}}"
    "{%- endfor -%}"
)
"""Nothing stands between prompt and answer: a token may reach over the border."""


@pytest.fixture(scope="module")
def tokenizer() -> Any:  # noqa: ANN401
    return tiny_tokenizer(TEXTS, vocabulary=640, positions=1_024)


def chat(template: str | None) -> Chat:
    made = tiny_tokenizer(TEXTS, vocabulary=640, positions=1_024)
    made.chat_template = template
    return Chat(made, "here")


def learnt(made: Chat, turns: Conversation) -> list[str]:
    """The texts of the runs of learnt tokens."""
    found = made.render([turns])[0]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], found.trained.astype(np.int8), [0]])))
    return [made.tokenizer.decode(found.ids[low:high]) for low, high in edges.reshape(-1, 2)]


@pytest.mark.parametrize(
    ("template", "way"),
    [(TEMPLATE, "marks"), (PLAIN, "prefixes"), (WITHOUT_END, "prefixes"), (None, "marks")],
)
def test_answers_are_learnt_with_their_ends_and_nothing_else(
    template: str | None, way: str
) -> None:
    made = chat(template)
    assert (made.way, made.default) == (way, template is None)
    assert learnt(made, PROBE) == ["乙答<|im_end|>", "丁答<|im_end|>"]
    one = conversation(
        instruction="问？", input="材料", output="答：\n\n  好 \n", system="你是医生。"
    )
    assert learnt(made, one) == ["答：\n\n  好 \n<|im_end|>"]
    assert made.render([one])[0].served
    assert "问？\n材料" in made.text(one)


@pytest.mark.parametrize("template", [TEMPLATE, PLAIN])
@given(texts=st.lists(st.text(min_size=1), min_size=2, max_size=6))
def test_marks_and_comparing_agree_on_any_text(template: str, texts: list[str]) -> None:
    made = _made(template)
    turns = [
        {"role": ("user", "assistant")[place % 2], "content": text}
        for place, text in enumerate(texts[: len(texts) // 2 * 2])
    ]
    if any(mark in text for text in texts for mark in made.special):
        return
    answers = [turn["content"] + "<|im_end|>" for turn in turns[1::2]]
    assert learnt(made, turns) == answers
    assert made.render([turns])[0].served


_KEPT: dict[str, Chat] = {}


def _made(template: str) -> Chat:
    if template not in _KEPT:
        _KEPT[template] = chat(template)
    return _KEPT[template]


def test_a_base_without_template_gets_chatml_with_an_end_it_knows() -> None:
    made = tiny_tokenizer(TEXTS, vocabulary=640, positions=1_024)
    made.chat_template = None
    assert Chat(made, "here").default
    other = _foreign()
    found = Chat(other, "there")
    assert learnt(found, PROBE) == ["乙答</s>", "丁答</s>"]
    other = _foreign()
    other.eos_token = None
    with pytest.raises(UserError, match="neither a chat template nor an end"):
        Chat(other, "there")


def _foreign() -> Any:  # noqa: ANN401
    """A tokenizer that never heard of ChatML."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({one: place for place, one in enumerate(letters)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken("</s>", special=True)])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="</s>", clean_up_tokenization_spaces=False
    )


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (NO_END, "would never stop"),
        (FORGETFUL, "can't be told apart"),
        ("{{ messages[0]['content'] }}", "told apart|never stop"),
        ("{% for m in messages %}", "refuses a conversation"),
    ],
)
def test_templates_that_would_teach_something_else_are_refused(template: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as fault:
        chat(template)
    assert fault.value.where == "here"


def test_a_conversation_that_the_template_refuses_is_the_users_error() -> None:
    made = chat(NO_SYSTEM + PLAIN)
    turns = conversation(instruction="问", input="", output="答", system="你是医生。")
    with pytest.raises(UserError, match="no system"):
        made.render([turns])


def test_a_prompt_that_is_served_in_other_tokens_is_seen() -> None:
    """The training text has a token that reaches from the prompt into the answer."""
    made = chat(GLUED)
    turns = conversation(instruction="水往哪里流？", input="", output="上（A）。因为")
    assert len(made.tokenizer("早上")["input_ids"]) == 1
    assert not made.render([turns])[0].served


def test_records_become_conversations() -> None:
    turns = conversation(
        instruction="", input="材料", output="答", system="",
        history=[{"instruction": "早", "output": "您好"}],
    )  # fmt: skip
    assert [(one["role"], one["content"]) for one in turns] == [
        ("user", "早"), ("assistant", "您好"), ("user", "材料"), ("assistant", "答"),
    ]  # fmt: skip
    assert learnt(chat(PLAIN), turns) == ["您好<|im_end|>", "答<|im_end|>"]


def test_folders_that_hold_no_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model stands here"):
        opened(tmp_path)
    tiny_model(tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").write_text("{")
    with pytest.raises(UserError, match="can't be read"):
        opened(tmp_path / "model")
