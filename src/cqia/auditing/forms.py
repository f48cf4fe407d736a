"""The forms that finished instruction datasets have, and what is wrong with a record's form.

Four forms are known by their fields: the release of COIG-CQIA (nine keys), Alpaca, ShareGPT
(`conversations`) and messages. Any other file of JSON objects is `other`: its texts are looked at,
but nothing is known of questions and answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cqia.vocabulary import MAJOR, MINOR

Value = dict[str, Any]
Path = tuple[str | int, ...]

KEYS: dict[str, type] = {
    "instruction": str,
    "input": str,
    "output": str,
    "task_type": dict,
    "domain": list,
    "metadata": str,
    "answer_from": str,
    "human_verified": bool,
    "copyright": str,
}
"""The release's nine keys in their order, with their types."""

NO_COPYRIGHT = "暂无版权及作者信息"
"""What the release says where nothing is known of the rights."""

RIGHTS = ("copyright", "licence", "license", "source", "origin", "url", "source_url")
"""Fields that say whose a text is, or where it is from."""

SAMPLE = 200
"""Records that a file's form is told from."""

_ASKS = {"human", "user"}
_ANSWERS = {"gpt", "assistant", "bot", "chatgpt"}
_OTHERS = {"system", "tool", "function", "observation", "function_call", "developer"}


class Exchange(NamedTuple):
    """A question and its answer. path: of the answer."""

    path: Path
    instruction: str
    input: str
    output: str


def shown(path: Path) -> str:
    """A path as it is written: `conversations[1].value`."""
    out = ""
    for step in path:
        out += f"[{step}]" if isinstance(step, int) else f".{step}" if out else step
    return out


def detect(values: Iterable[Value]) -> str:
    """The form that most of the values have."""
    return Counter(map(_form, values)).most_common(1)[0][0]


def _form(value: Value) -> str:
    if isinstance(value.get("conversations"), list):
        return "sharegpt"
    if isinstance(value.get("messages"), list):
        return "messages"
    if "instruction" in value and "output" in value:
        return "release" if "task_type" in value else "alpaca"
    return "other"


def exchanges(form: str, value: Value) -> Iterator[Exchange]:
    """The questions with their answers, the earlier turns' too; none where the form is broken."""
    if form == "other":
        return
    if form in ("release", "alpaca"):
        history = value.get("history")
        for turn, pair in enumerate(history if isinstance(history, list) else []):
            if isinstance(pair, list) and len(pair) == 2:
                yield Exchange(("history", turn, 1), _text(pair[0]), "", _text(pair[1]))
        asked = _text(value.get("instruction"))
        yield Exchange(("output",), asked, _text(value.get("input")), _text(value.get("output")))
        return
    name, asked = _turns(form), ""
    turns = value.get(name)
    for place, turn in enumerate(turns if isinstance(turns, list) else []):
        who = _speaker(turn)
        key = "value" if isinstance(turn, dict) and "value" in turn else "content"
        if who in _ASKS:
            asked = _text(turn.get(key))
        elif who in _ANSWERS:
            yield Exchange((name, place, key), asked, "", _text(turn.get(key)))
    chosen = value.get("chosen")
    if isinstance(chosen, dict):
        key = "value" if "value" in chosen else "content"
        yield Exchange(("chosen", key), asked, "", _text(chosen.get(key)))


def _turns(form: str) -> str:
    return "conversations" if form == "sharegpt" else "messages"


def _speaker(turn: object) -> str:
    return str(turn.get("from", turn.get("role", ""))) if isinstance(turn, dict) else ""


def _text(value: object) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(value, list):
        parts = (one.get("text") for one in value if isinstance(one, dict))
        return "\n".join(part for part in parts if isinstance(part, str))
    return value if isinstance(value, str) else ""


def faults(form: str, value: Value) -> Iterator[tuple[Path, str, str]]:
    """Where a record's form is wrong: path, kind of finding, and what is wrong."""
    if form == "release":
        yield from _release_faults(value)
    if form in ("release", "alpaca"):
        yield from _flat_faults(value)
    elif form != "other":
        yield from _turn_faults(form, value)


def _flat_faults(value: Value) -> Iterator[tuple[Path, str, str]]:
    for key in ("instruction", "input", "output", "system"):
        if value.get(key) is not None and not isinstance(value[key], str):
            yield (key,), "type", f"{key} is no text: {_kind(value[key])}"
    asked = _text(value.get("instruction")) + _text(value.get("input"))
    if not asked.strip():
        yield ("instruction",), "empty", "no instruction"
    if not _text(value.get("output")).strip():
        yield ("output",), "empty", "no output"


def _release_faults(value: Value) -> Iterator[tuple[Path, str, str]]:
    if list(value) != list(KEYS):
        missing = [key for key in KEYS if key not in value]
        more = [key for key in value if key not in KEYS]
        said = [f"missing {', '.join(missing)}"] if missing else []
        said += [f"not among the nine: {', '.join(more)}"] if more else []
        yield (), "keys", "; ".join(said) or "the nine keys stand in another order"
    for key, kind in list(KEYS.items())[3:]:
        if key in value and not isinstance(value[key], kind):
            yield (key,), "type", f"{key} is {_kind(value[key])}, {kind.__name__} is needed"
    task = value.get("task_type")
    if isinstance(task, dict):
        for level, words in (("major", MAJOR), ("minor", MINOR)):
            found = task.get(level)
            if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
                yield ("task_type", level), "type", f"{level} is no list of texts: {_kind(found)}"
                continue
            for one in found:
                if one not in words:
                    yield ("task_type", level), "label", f"{one!r} is no label of the release"
    who = value.get("answer_from")
    if isinstance(who, str) and who not in ("human", "llm", "expert"):
        yield ("answer_from",), "label", f"{who!r} is not human, llm or expert"


def _turn_faults(form: str, value: Value) -> Iterator[tuple[Path, str, str]]:
    name = _turns(form)
    turns = value.get(name)
    if not isinstance(turns, list) or not turns:
        yield (name,), "empty", "no turns"
        return
    order = ""
    for place, turn in enumerate(turns):
        who = _speaker(turn)
        if who not in _ASKS | _ANSWERS | _OTHERS:
            yield (name, place), "turns", f"unknown speaker {who!r}"
            return
        order += "u" if who in _ASKS else "a" if who in _ANSWERS else ""
        content = turn.get("value", turn.get("content"))
        if not _text(content).strip() and not turn.get("tool_calls"):
            yield (name, place), "empty", f"turn {place + 1} ({who}) says nothing"
    preferred = "chosen" in value and order.endswith("u")
    if order.replace("ua", "") != "" and not (preferred and order[:-1].replace("ua", "") == ""):
        yield (name,), "turns", f"not question and answer in turn: {order[:40]}"


def rights(value: Value) -> bool:
    """Whether a record says whose its text is, or where it is from."""
    for key in RIGHTS:
        said = value.get(key)
        if isinstance(said, str) and said.strip() and said != NO_COPYRIGHT:
            return True
    return False


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "nothing" if value is None else names.get(type(value), "a number")
