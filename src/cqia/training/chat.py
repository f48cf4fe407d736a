"""A record as the tokens a chat model reads, and which of them it learns: only the answers'.

Trained well and served badly: that happens where the trainer writes a conversation otherwise than
the server. So both texts come from the tokenizer's own chat template, and for every record the
tokens before the answer are compared with those that a server would make of the same prompt.

Which tokens are the answers' is known in one of two ways. A template with `{% generation %}` marks
says it. For one without, the text with an answer is compared with the text before it: where the
second is no beginning of the first, nobody can tell, and that is an error, not a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cqia.errors import UserError, missing_extra
from cqia.training.chatml import CHATML, END

Message = dict[str, str]
Conversation = list[Message]

PROBE: Conversation = [
    {"role": "user", "content": "甲问"},
    {"role": "assistant", "content": "乙答"},
    {"role": "user", "content": "丙问"},
    {"role": "assistant", "content": "丁答"},
]


class Rendered(NamedTuple):
    """A conversation in tokens.

    trained: which the model learns. served: are the tokens before the last answer those that a
    server makes of the prompt?
    """

    ids: npt.NDArray[np.int32]
    trained: npt.NDArray[np.bool_]
    served: bool


class Chat:
    """A tokenizer with its template, tried out.

    way: how answers are told from prompts: `marks` or `prefixes`. default: the template is this
    project's ChatML, as the tokenizer had none.
    """

    def __init__(self, tokenizer: Any, name: str) -> None:  # noqa: ANN401
        self.tokenizer = tokenizer
        self.name = name
        self.default = not tokenizer.chat_template
        if not tokenizer.is_fast:
            raise UserError("only fast tokenizers tell which token is which text", where=name)
        if self.default:
            tokenizer.chat_template = CHATML.replace(END, _end(tokenizer, name))
        if not isinstance(tokenizer.chat_template, str):
            raise UserError(
                "this tokenizer has several chat templates",
                where=name,
                mend="keep one as chat_template in tokenizer_config.json",
            )
        known = tokenizer.added_tokens_decoder.values()
        self.special = tuple({str(one) for one in known if one.special} | set(_named(tokenizer)))
        self._special_ids = frozenset(tokenizer.convert_tokens_to_ids(list(self.special)))
        self.way = "marks" if self._marks_hold() else "prefixes"
        self._probe()

    def render(self, conversations: Sequence[Conversation]) -> list[Rendered]:
        """The tokens of conversations that end with an answer.

        Raises:
            UserError: the template refuses one, or does not let prompt and answer be told apart.
        """
        if not conversations:
            return []
        made = self._marked(conversations) if self.way == "marks" else self._compared(conversations)
        prompts = self._ids([one[:-1] for one in conversations], prompt=True)
        rendered = []
        for (ids, trained), prompt in zip(made, prompts, strict=True):
            served = np.array_equal(ids[: answer_at(trained)], prompt)
            rendered.append(Rendered(ids, trained, served))
        return rendered

    def text(self, conversation: Conversation, *, prompt: bool = False) -> str:
        """A conversation as the template writes it; prompt: up to where the answer begins."""
        return str(self._template([conversation], prompt=prompt, tokenize=False)[0])

    def _template(
        self, conversations: Sequence[Conversation], *, prompt: bool, tokenize: bool, **more: bool
    ) -> Any:  # noqa: ANN401
        from jinja2 import TemplateError

        try:
            return self.tokenizer.apply_chat_template(
                list(conversations), add_generation_prompt=prompt, tokenize=tokenize, **more
            )
        except TemplateError as fault:
            raise UserError(
                f"the chat template refuses a conversation: {fault}",
                where=self.name,
                mend="leave out what it can't write (often the system text), or use another base",
            ) from None

    def _ids(
        self, conversations: Sequence[Conversation], *, prompt: bool
    ) -> list[npt.NDArray[np.int32]]:
        out = self._template(conversations, prompt=prompt, tokenize=True, return_dict=True)
        return [np.asarray(ids, np.int32) for ids in out["input_ids"]]

    def _marked(
        self, conversations: Sequence[Conversation]
    ) -> list[tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]]:
        """Tokens, and which stand between the template's marks."""
        out = self._template(
            conversations,
            prompt=False,
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        pairs = zip(out["input_ids"], out["assistant_masks"], strict=True)
        return [(np.asarray(ids, np.int32), np.asarray(mask, np.bool_)) for ids, mask in pairs]

    def _compared(
        self, conversations: Sequence[Conversation]
    ) -> list[tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]]:
        """Tokens, and which stand where the text with an answer goes beyond that without it."""
        texts = self._template(conversations, prompt=False, tokenize=False)
        out = self.tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
        made = []
        for number, (conversation, text) in enumerate(zip(conversations, texts, strict=True)):
            ids = np.asarray(out["input_ids"][number], np.int32)
            places = np.asarray(out["offset_mapping"][number], np.int64).reshape(-1, 2)
            trained = np.zeros(len(ids), np.bool_)
            for low, high in self._spans(conversation, text):
                inside = (places[:, 0] >= low) & (places[:, 1] <= high)
                trained |= self._ended(ids, inside & (places[:, 1] > places[:, 0]))
            made.append((ids, trained))
        return made

    def _spans(self, conversation: Conversation, text: str) -> list[tuple[int, int]]:
        """Where in a conversation's text each answer stands.

        Raises:
            UserError: the text of a longer conversation does not begin with that of the shorter.
        """
        spans = []
        for turn, message in enumerate(conversation):
            if message["role"] != "assistant":
                continue
            before = self.text(conversation[:turn], prompt=True)
            last = turn + 1 == len(conversation)
            after = text if last else self.text(conversation[: turn + 1])
            if not (after.startswith(before) and text.startswith(after)):
                raise UserError(
                    "this chat template writes earlier turns otherwise once an answer follows, so"
                    " prompt and answer can't be told apart",
                    where=self.name,
                    mend="use a template with {% generation %} marks",
                )
            spans.append((len(before), len(after)))
        return spans

    def _ended(
        self, ids: npt.NDArray[np.int32], inside: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """An answer up to its end token: the white space that templates add after it goes."""
        places = np.flatnonzero(inside)
        ends = [place for place in places if int(ids[place]) in self._special_ids]
        if ends:
            inside = inside.copy()
            inside[ends[-1] + 1 :] = False
        return inside

    def _marks_hold(self) -> bool:
        """Has the template marks, and do they hold each answer and its end token?"""
        if "generation" not in self.tokenizer.chat_template.replace("add_generation_prompt", ""):
            return False
        ids, trained = self._marked([PROBE])[0]
        return self._learns_to_stop(ids, trained)

    def _learns_to_stop(self, ids: npt.NDArray[np.int32], trained: npt.NDArray[np.bool_]) -> bool:
        """Do the trained tokens of the probe hold both answers, each with an end?"""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], trained.astype(np.int8), [0]])))
        runs = [ids[low:high] for low, high in edges.reshape(-1, 2)]
        answers = [one["content"] for one in PROBE if one["role"] == "assistant"]
        return len(runs) == len(answers) and all(
            answer in self.tokenizer.decode(run) and self._special_ids & set(map(int, run))
            for answer, run in zip(answers, runs, strict=True)
        )

    def _probe(self) -> None:
        """Try the template on two turns and on one.

        Raises:
            UserError: it leaves out an answer, or its end, so that a model would never stop.
        """
        made = self._marked if self.way == "marks" else self._compared
        if not self._learns_to_stop(*made([PROBE])[0]):
            raise UserError(
                "this chat template does not end an answer with a special token: a model that"
                " learns from it would never stop",
                where=self.name,
                mend="use a base whose template does, or write one into its chat_template",
            )


def answer_at(trained: npt.NDArray[np.bool_]) -> int:
    """Where the last answer begins; 0 where there is none."""
    places = np.flatnonzero(trained)
    gaps = np.flatnonzero(~trained[: places[-1]]) if len(places) else places
    return int(gaps[-1]) + 1 if len(gaps) else 0


def opened(base: Path) -> Chat:
    """The chat of a model's folder.

    Raises:
        UserError: it holds no tokenizer, or one whose template can't be used.
    """
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise missing_extra("transformers", "train") from None
    if not (base / "config.json").is_file() and not (base / "adapter_config.json").is_file():
        raise UserError(
            "no model stands here", where=str(base), mend="name a folder with config.json"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    except (OSError, ValueError) as fault:
        line = str(fault).strip().partition("\n")[0]
        raise UserError(f"its tokenizer can't be read: {line}", where=str(base)) from None
    return Chat(tokenizer, str(base))


def conversation(
    *,
    instruction: str,
    input: str,
    output: str,
    system: str = "",
    history: Sequence[dict[str, str]] = (),
) -> Conversation:
    """A record as messages: system text, earlier turns, the prompt, and the answer."""
    turns: Conversation = [{"role": "system", "content": system}] if system else []
    for turn in history:
        turns.append({"role": "user", "content": turn["instruction"] or ""})
        turns.append({"role": "assistant", "content": turn["output"] or ""})
    prompt = f"{instruction}\n{input}" if instruction and input else instruction or input
    turns.append({"role": "user", "content": prompt})
    turns.append({"role": "assistant", "content": output})
    return turns


def _end(tokenizer: Any, name: str) -> str:  # noqa: ANN401
    """What ends an answer in ChatML: its own mark where that is one token, or the end of text."""
    if END in tokenizer.get_vocab():
        return END
    if not tokenizer.eos_token:
        raise UserError(
            "its tokenizer has neither a chat template nor an end-of-text token",
            where=name,
            mend="set eos_token in tokenizer_config.json",
        )
    return str(tokenizer.eos_token)


def _named(tokenizer: Any) -> list[str]:  # noqa: ANN401
    return [str(one) for one in tokenizer.all_special_tokens]
