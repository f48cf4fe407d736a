"""How much memory a GPU needs to fine-tune a model: arithmetic, not measurement.

Weights, gradients and optimizer (Rajbhandari and others, ZeRO, arXiv 1910.02054, section 3): Adam
in mixed precision takes 16 bytes a trained parameter: 2 + 2 for weights and gradients in 16 bits
and 12 for weights, mean and variance in 32 bits. In 32 bits it is 4 + 4 + 8, the same sum. FSDP
keeps the 32-bit weights and casts on the way, the same sum again. Sharded, each of n GPUs holds an
n-th, and for a moment one whole layer.

Activations (Korthikanti and others, arXiv 2205.05198, section 4): a layer keeps
s b h (34 + 5 a s / h) bytes for s tokens, b rows, width h and a heads; attention that never writes
its scores down (flash, torch's SDPA) does without the second term. With checkpointing a layer keeps
its input, 2 s b h, and one layer at a time the rest. Their layer has a feed-forward block of 4 h
with GELU; a gated one of 8/3 h comes to nearly the same. Logits stand there in 16 bits, and in 32
for the loss and its gradient.

QLoRA (Dettmers and others, arXiv 2305.14314): 4 bits a weight and 0.127 for the constants, in the
linear layers; embeddings and output layer stay in 16 bits.

Left out: what the allocator wastes, communication buffers, the CUDA context. Leave a fifth free.
"""

from __future__ import annotations

from dataclasses import dataclass

from cqia.errors import UserError, unknown

METHODS = ("full", "lora", "qlora")
DTYPES = ("bf16", "fp16", "fp32")
GB = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """The sizes of a Llama-like decoder: gated feed-forward blocks, heads that may share keys."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    vocabulary: int
    tied: bool = False

    @property
    def linears(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of a layer's seven matrices: q, k, v, o, gate, up, down."""
        shared = self.width // self.heads * self.kv_heads
        h, f = self.width, self.inner
        return ((h, h), (h, shared), (h, shared), (h, h), (h, f), (h, f), (f, h))

    @property
    def layer(self) -> int:
        """Parameters of one layer: its matrices and two norms."""
        return sum(a * b for a, b in self.linears) + 2 * self.width

    @property
    def embeddings(self) -> int:
        """Parameters of the embedding and of the output layer."""
        return self.vocabulary * self.width * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """All parameters; biases, where a family has some, are left out: below 0.01 %."""
        return self.layers * self.layer + self.embeddings + self.width

    def adapters(self, rank: int) -> int:
        """Parameters of low-rank adapters beside every matrix of every layer."""
        return self.layers * sum(rank * (a + b) for a, b in self.linears)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes on each GPU."""

    weights: int
    gradients: int
    optimizer: int
    gathered: int
    activations: int
    logits: int

    @property
    def total(self) -> int:
        return sum(getattr(self, name) for name in self.__slots__)


def memory(
    architecture: Architecture,
    *,
    method: str = "full",
    dtype: str = "bf16",
    gpus: int = 1,
    batch: int = 1,
    tokens: int = 2_048,
    checkpointing: bool = True,
    flash: bool = True,
    rank: int = 8,
) -> Memory:
    """Bytes that each GPU needs; several share everything, as FSDP and ZeRO-3 do.

    Args:
        architecture: of the model.
        method: full, lora, qlora.
        dtype: bf16 or fp16 (mixed precision), fp32.
        gpus: how many share the work.
        batch: rows at a time on one GPU.
        tokens: of a row.
        checkpointing: activations are computed again on the way back.
        flash: attention never writes its scores down.
        rank: of the adapters.

    Raises:
        UserError: an unknown method or dtype, or numbers below one.
    """
    for kind, name, known in (("method", method, METHODS), ("dtype", dtype, DTYPES)):
        if name not in known:
            raise unknown(kind, name, known)
    if min(gpus, batch, tokens, rank) < 1:
        raise UserError("gpus, batch, tokens and rank are 1 or more")
    size = 4 if dtype == "fp32" else 2
    frozen = 0 if method == "full" else _frozen(architecture, method, size)
    trained = architecture.parameters if method == "full" else architecture.adapters(rank)
    state = 12 if size == 2 else 8
    whole = size * architecture.layer
    return Memory(
        weights=(frozen + size * trained) // gpus,
        gradients=size * trained // gpus,
        optimizer=state * trained // gpus,
        gathered=whole if gpus > 1 else 0,
        activations=_activations(architecture, batch, tokens, checkpointing, flash) * size // 2,
        logits=batch * tokens * architecture.vocabulary * (size + 8),
    )


def _frozen(architecture: Architecture, method: str, size: int) -> int:
    if method == "lora":
        return size * architecture.parameters
    quantised = architecture.layers * architecture.layer
    return round(quantised * 4.127 / 8) + size * (architecture.embeddings + architecture.width)


def _activations(
    architecture: Architecture, batch: int, tokens: int, checkpointing: bool, flash: bool
) -> int:
    """Bytes in 16 bits."""
    row = tokens * batch * architecture.width
    layer = 34 * row + (0 if flash else 5 * architecture.heads * tokens * tokens * batch)
    kept = 2 * row * architecture.layers + layer if checkpointing else layer * architecture.layers
    return kept
