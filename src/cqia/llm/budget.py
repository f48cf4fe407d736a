"""What replies cost, and a stop before they cost too much."""

from __future__ import annotations

from dataclasses import dataclass

from cqia.llm.protocol import Asking, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model takes for a million tokens of each kind."""

    prompt: float = 0.0
    reply: float = 0.0
    currency: str = "CNY"

    def of(self, prompt_tokens: int, reply_tokens: int) -> float:
        """The price of so many tokens."""
        return (prompt_tokens * self.prompt + reply_tokens * self.reply) / 1e6


class Budget:
    """Money that may be spent, and what is.

    Before a request is sent, the most that it can cost is set aside; when its reply is there, what
    it did cost is booked. So the sum never passes `most`, however many are under way.

    Args:
        price: of the model.
        most: the largest sum; None: no limit.
    """

    def __init__(self, price: Price, most: float | None = None) -> None:
        self.price = price
        self.most = most
        self.spent = 0.0
        self.held = 0.0

    def most_of(self, request: Asking) -> float:
        """The most that a request can cost."""
        return self.price.of(*request.most())

    def hold(self, request: Asking) -> bool:
        """Set aside what a request can cost; False: there isn't so much left."""
        cost = self.most_of(request)
        if self.most is not None and self.spent + self.held + cost > self.most:
            return False
        self.held += cost
        return True

    def settle(self, request: Asking, reply: Reply | None) -> float:
        """Give back what was set aside and book the reply's cost, which is returned.

        A model that doesn't count tokens is booked at the most. A request without a reply costs
        nothing here; what an endpoint charges for failures can't be known.
        """
        self.held -= self.most_of(request)
        cost = self.cost(request, reply) if reply else 0.0
        self.spent += cost
        return cost

    def cost(self, request: Asking, reply: Reply) -> float:
        """What a reply cost."""
        asked, told = reply.prompt_tokens, reply.reply_tokens
        most_asked, most_told = request.most()
        return self.price.of(
            most_asked if asked is None else asked, most_told if told is None else told
        )
