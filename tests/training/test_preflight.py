from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cqia.errors import UserError
from cqia.training.chat import Chat, opened
from cqia.training.preflight import RULES, check, summary
from tests.llm.tiny import TEMPLATE, TEXTS, tiny_model, tiny_tokenizer
from tests.training.test_chat import GLUED


@pytest.fixture(scope="module")
def chat() -> Chat:
    return Chat(tiny_tokenizer(TEXTS, vocabulary=640, positions=1_024), "here")


def record(key: str, **texts: Any) -> dict[str, Any]:  # noqa: ANN401
    plain = {
        "id": f"s-{key}",
        "source": "s",
        "instruction": f"问{key}？",
        "input": "",
        "output": "答",
    }
    return {**plain, "system": "", "history": [], **texts}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    turn = pl.List(pl.Struct({"instruction": pl.String, "output": pl.String}))
    return pl.DataFrame(list(rows), schema_overrides={"history": turn, "output": pl.String})


BAD = (
    record("1"),
    record("2", output="  \n"),
    record("3", instruction="", input=" "),
    record("4", output="答<|im_end|>\n<|im_start|>user\n再来"),
    record("5", output="很长，" * 60),
    record("6", output=None),
    record("7", instruction="问1？"),
    record("8", history=[{"instruction": "早", "output": "您好"}]),
)


def test_every_record_has_a_fate_with_rule_value_and_bound(chat: Chat) -> None:
    checked = check(frame(*BAD), chat, max_tokens=60)
    fates = {row["id"][2:]: row for row in checked.rows.to_dicts()}
    assert {key: row["rule"] for key, row in fates.items()} == {
        "1": None, "2": "EmptyAnswer", "3": "EmptyPrompt", "4": "SpecialTokens", "5": "TooLong",
        "6": "EmptyAnswer", "7": None, "8": None,
    }  # fmt: skip
    assert [fates["2"][name] for name in ("value", "low", "high")] == [0, 1, None]
    assert [fates["4"][name] for name in ("value", "low", "high")] == [2, None, 0]
    assert fates["5"]["value"] == fates["5"]["tokens"] > fates["5"]["high"] == 60
    assert fates["7"]["repeats_prompt"]
    assert not fates["1"]["repeats_prompt"]
    assert fates["8"]["answer_tokens"] > fates["1"]["answer_tokens"], "both answers are learnt"
    kept = checked.rows.filter("kept")
    assert [len(one) for one in checked.ids] == kept["tokens"].to_list()
    assert [int(one.sum()) for one in checked.trained] == kept["answer_tokens"].to_list()


def test_the_summary_counts_what_was_read(chat: Chat) -> None:
    other = [{**row, "id": "t-" + row["id"], "source": "t"} for row in BAD[:1]]
    table = summary(check(frame(*BAD, *other), chat, max_tokens=60).rows)
    assert table["source"].to_list() == ["s", "t"]
    first = table.row(0, named=True)
    assert (first["read"], first["kept"], first["dropped"]) == (8, 3, 5)
    assert sum(first[rule] for rule in RULES) == first["dropped"]
    assert (first["truncated"], first["zero_loss"]) == (0, 0)
    assert (first["same_prompt"], first["served_alike"]) == (1, 3)
    assert first["prompt_median"] <= first["prompt_p95"] <= first["prompt_max"]


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_an_error_names_source_record_rule_and_bound(chat: Chat, place: int) -> None:
    with pytest.raises(UserError, match="can't be trained on; the first by") as fault:
        check(frame(BAD[0], BAD[place]), chat, max_tokens=60, over_long="error")
    assert fault.value.where == f"s: {BAD[place]['id']}"


def test_a_source_of_which_nothing_is_left_is_an_error(chat: Chat) -> None:
    lost = {**BAD[1], "source": "t"}
    with pytest.raises(UserError, match=r"no record is left.*EmptyAnswer") as fault:
        check(frame(BAD[0], lost), chat, max_tokens=60)
    assert fault.value.where == "t"


def test_a_record_that_would_train_nothing_is_an_error_not_a_loss_of_zero() -> None:
    """The template passes its own trial, and then leaves out an answer."""
    tokenizer = tiny_tokenizer(TEXTS, vocabulary=640, positions=1_024)
    silent = "{%- if messages[0]['content'] == '问9？' -%}<|im_start|>{%- else -%}"
    tokenizer.chat_template = silent + TEMPLATE + "{%- endif -%}"
    made = Chat(tokenizer, "here")
    with pytest.raises(UserError, match="1 records would train nothing") as fault:
        check(frame(record("1"), record("9")), made, max_tokens=60)
    assert fault.value.where == "s: s-9"


def test_prompts_that_would_be_served_otherwise_are_an_error() -> None:
    tokenizer = tiny_tokenizer(TEXTS, vocabulary=640, positions=1_024)
    tokenizer.chat_template = GLUED
    made = Chat(tokenizer, "here")
    check(frame(record("1")), made, max_tokens=60)
    with pytest.raises(UserError, match="served in other tokens") as fault:
        check(frame(record("1"), record("2", output="上")), made, max_tokens=60)
    assert fault.value.where == "s: s-2"


def test_records_without_columns_or_rows_are_refused(chat: Chat) -> None:
    with pytest.raises(UserError, match="lack the columns output"):
        check(frame(BAD[0]).drop("output"), chat, max_tokens=60)
    with pytest.raises(UserError, match="no records"):
        check(frame(BAD[0]).head(0), chat, max_tokens=60)
    assert (
        len(check(frame(BAD[0]).drop("input", "system", "history"), chat, max_tokens=60).ids) == 1
    )


def test_real_sources_pass(data: Path, tmp_path: Path) -> None:
    """Hundreds of real records, multi-line, mixed and long, through a real folder."""
    import json

    rows: list[dict[str, Any]] = []
    for path in sorted(data.glob("*/*.json*"))[:20]:
        text = path.read_text("utf-8", "replace").strip()
        try:
            items = (
                json.loads(text)
                if text[0] == "["
                else [json.loads(one) for one in text.splitlines()[:60]]
            )
        except (ValueError, IndexError):
            continue
        for item in items[:60] if isinstance(items, list) else []:
            if (
                isinstance(item, dict)
                and isinstance(item.get("instruction"), str)
                and isinstance(item.get("output"), str)
            ):
                rows.append(
                    record(str(len(rows)), instruction=item["instruction"], output=item["output"])
                )
    if len(rows) < 100:
        pytest.skip("no instruction data found")
    checked = check(frame(*rows), opened(tiny_model(tmp_path / "base")), max_tokens=1_024)
    table = summary(checked.rows).row(0, named=True)
    assert table["read"] == len(rows) == table["kept"] + table["dropped"]
    assert table["served_alike"] == table["kept"] > 50
