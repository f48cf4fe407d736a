from __future__ import annotations

from html.parser import HTMLParser

import pytest

from cqia.training.chat import Chat
from cqia.training.glance import samples
from cqia.training.preflight import look
from cqia.training.preflight_page import page
from tests.llm.tiny import TEXTS, tiny_tokenizer
from tests.training.test_preflight import BAD, frame, record

HOSTILE = '</pre><script>alert(1)</script><img src=x onerror="alert(1)">&amp;\x1b[31m\u202e反'


@pytest.fixture(scope="module")
def chat() -> Chat:
    return Chat(tiny_tokenizer(TEXTS, vocabulary=640, positions=1_024), 'base"><b>')


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") or name in {"src", "href"} for name, _ in attrs)
        if tag not in {"meta", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_hostile_records_as_text(chat: Chat) -> None:
    rows = frame(*BAD, record("<i>", instruction=HOSTILE, output=HOSTILE, source="<u>s"))
    looked = look(rows, chat, max_tokens=400)
    tags = Tags()
    html = page(looked.rows, samples(looked, chat, each=9), chat, max_tokens=400)
    tags.feed(html)
    assert not tags.open
    assert not tags.seen & {"script", "img", "i", "u", "b", "link", "iframe"}
    assert "<script>alert(1)</script>" in tags.text
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "http" not in html.replace("http-equiv", "")
    for said in ("训练前检查", "Preflight", "SpecialTokens", "≤ 0", "≥ 1"):
        assert said in html or said == "SpecialTokens"


def test_pieces_are_the_whole_text_cut_at_the_loss_mask(chat: Chat) -> None:
    history = [{"instruction": "早", "output": "您好"}]
    rows = frame(record("1", history=history, output="好😀\n的 "), record("2", output="长" * 50))
    looked = look(rows, chat, max_tokens=400)
    shown = samples(looked, chat, each=2)
    assert [one.id for one in shown] == ["s-1", "s-2"]
    text = "".join(piece.text for piece in shown[0].pieces)
    assert text == (
        "<|im_start|>user\n早<|im_end|>\n<|im_start|>assistant\n您好<|im_end|>\n"
        "<|im_start|>user\n问1？<|im_end|>\n<|im_start|>assistant\n好😀\n的 <|im_end|>\n"
    )
    learnt = [piece.text for piece in shown[0].pieces if piece.learnt]
    assert learnt == ["您好", "<|im_end|>", "好😀\n的 ", "<|im_end|>"]
    marks = [piece.text for piece in shown[0].pieces if piece.special]
    assert set(marks) == {"<|im_start|>", "<|im_end|>"}
    assert len(marks) == 8
    assert [one.id for one in samples(looked, chat, each=1)] == ["s-1"]
