from __future__ import annotations

import pytest

from cqia.errors import UserError
from cqia.training.bases import QWEN_72B, YI_6B, YI_34B
from cqia.training.memory import GB, Architecture, memory

SMALL = Architecture(layers=2, width=8, inner=16, heads=4, kv_heads=2, vocabulary=100)


def test_a_small_one_counted_by_hand() -> None:
    """Layer: q and o 8x8, k and v 8x4, three of 8x16, two norms of 8: 64+64+32+32+384+16 = 592."""
    assert SMALL.layer == 592
    assert SMALL.parameters == 2 * 592 + 2 * 800 + 8 == 2_792
    assert SMALL.adapters(2) == 2 * 2 * (16 + 12 + 12 + 16 + 24 + 24 + 24) == 512
    found = memory(SMALL, gpus=1, batch=3, tokens=5)
    assert (found.weights, found.gradients, found.optimizer) == (5_584, 5_584, 33_504)
    assert found.gathered == 0
    assert found.activations == 2 * 2 * 15 * 8 + 34 * 15 * 8
    assert found.logits == 15 * 100 * 10
    assert found.total == 16 * 2_792 + 480 + 4_080 + 15_000
    written = memory(SMALL, batch=3, tokens=5, checkpointing=False, flash=False).activations
    assert written == 2 * (34 * 15 * 8 + 5 * 4 * 5 * 5 * 3)


def test_the_models_have_the_sizes_of_their_cards() -> None:
    assert round(YI_6B.parameters / 1e9, 3) == 6.061
    assert round(YI_34B.parameters / 1e9, 3) == 34.389
    assert round(QWEN_72B.parameters / 1e9, 1) == 72.3


@pytest.mark.parametrize(
    ("sizes", "method", "gpus", "expected"),
    [
        (YI_6B, "full", 1, 16 * 6.061 + 0.822 + 1.311),
        (YI_6B, "full", 8, 2 * 6.061 + 0.346 + 0.822 + 1.311),
        (YI_34B, "full", 8, 2 * 34.389 + 1.116 + 2.261 + 1.311),
        (QWEN_72B, "full", 16, 72.286 + 1.745 + 3.255 + 3.114),
        (YI_6B, "lora", 1, 2 * 6.061 + 16 * 0.018153 + 0.822 + 1.311),
        (QWEN_72B, "qlora", 1, 69.795 * 4.127 / 8 + 2 * 2.491 + 16 * 0.104858 + 3.255 + 3.114),
    ],
)
def test_gigabytes_a_gpu_by_hand(
    sizes: Architecture, method: str, gpus: int, expected: float
) -> None:
    assert memory(sizes, method=method, gpus=gpus).total / GB == pytest.approx(expected, rel=2e-3)


def test_thirty_two_bits_cost_what_torch_keeps() -> None:
    """Weights, gradients and Adam's states of a real model after a real step."""
    torch = pytest.importorskip("torch")
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=100,
            hidden_size=8,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
        )
    )
    adam = torch.optim.AdamW(model.parameters())
    ids = torch.arange(5).repeat(3, 1)
    model(input_ids=ids, labels=ids).loss.backward()
    adam.step()
    kept = [(one, one.grad) for one in model.parameters()]
    states = [one for state in adam.state.values() for one in state.values() if one.dim()]
    found = memory(SMALL, dtype="fp32")
    assert sum(weight.nbytes for weight, _ in kept) == found.weights
    assert sum(gradient.nbytes for _, gradient in kept) == found.gradients
    assert sum(state.nbytes for state in states) == found.optimizer


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_adapters_are_as_many_as_peft_makes() -> None:
    peft = pytest.importorskip("peft")
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=100,
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    lora = peft.LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")
    model = peft.get_peft_model(LlamaForCausalLM(config), lora)
    assert model.get_nb_trainable_parameters()[0] == SMALL.adapters(2)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"method": "lore"}, "did you mean lora"),
        ({"dtype": "int8"}, "unknown dtype"),
        ({"gpus": 0}, "1 or more"),
        ({"tokens": -1}, "1 or more"),
    ],
)
def test_mistakes_are_told(more: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        memory(SMALL, **more)  # type: ignore[arg-type]
