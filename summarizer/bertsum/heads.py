"""The salience heads of BERTSum: sentence vectors of one document in, one logit for each sentence out."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own convention)

from summarizer.bertsum.config import HeadConfig
from summarizer.bertsum.features import COUNT, GROUPS, KINDS


class LinearHead(nn.Module):
    """`nn.Linear(hidden, 1)` on each sentence vector (Liu and Lapata 2019, the simple classifier)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(hidden, 1)

    def forward(self, vectors: Tensor, features: Tensor, kinds: Tensor, mask: Tensor | None = None) -> Tensor:
        """See `TransformerHead.forward`; all but the vectors is ignored."""
        logits: Tensor = self.classifier(vectors)[..., 0]
        return logits


class TransformerHead(nn.Module):
    """Inter-sentence layers over a whole document, whatever windows its sentences were read in.

    Pre-norm transformer layers (Vaswani et al. 2017; Liu and Lapata 2019, "inter-sentence transformer").
    Where a sentence stands comes in by its features, so the length of a document is not limited.
    """

    def __init__(self, hidden: int, config: HeadConfig) -> None:
        super().__init__()
        self.without = config.without
        self.norm = nn.LayerNorm(hidden)
        self.vector = nn.Linear(hidden, config.width)
        self.feature = nn.Linear(COUNT, config.width)
        self.kind = nn.Embedding(len(KINDS) + 1, config.width)
        self.drop = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.last_norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, 1)

    def forward(self, vectors: Tensor, features: Tensor, kinds: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits.

        Args:
            vectors: (documents, sentences, hidden).
            features: (documents, sentences, COUNT), of `summarizer.bertsum.features`.
            kinds: (documents, sentences), of `summarizer.bertsum.features.section_kinds`.
            mask: (documents, sentences), true where there is a sentence; None if all are.

        Returns:
            (documents, sentences); what stands where there is no sentence means nothing.
        """
        features, kinds = self._without_hidden(features, kinds)
        x = self.drop(self.vector(self.norm(vectors)) + self.feature(features) + self.kind(kinds))
        attend = None if mask is None else mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, attend)
        logits: Tensor = self.out(self.last_norm(x))[..., 0]
        return logits

    def _without_hidden(self, features: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        if not self.without:
            return features, kinds
        features = features.clone()
        for group in self.without:
            features[..., GROUPS[group]] = 0
        return features, torch.zeros_like(kinds) if "section" in self.without else kinds


class _Layer(nn.Module):
    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.attention_norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.attention_out = nn.Linear(config.width, config.width)
        self.inner_norm = nn.LayerNorm(config.width)
        self.inner = nn.Linear(config.width, config.inner)
        self.inner_out = nn.Linear(config.inner, config.width)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, attend: Tensor | None) -> Tensor:
        documents, sentences, width = x.shape
        parts = self.qkv(self.attention_norm(x)).view(documents, sentences, 3, self.heads, -1)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        # No dropout on the attention weights: drawing sentences x sentences numbers costs more than the rest.
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=attend)
        mixed = mixed.transpose(1, 2).reshape(documents, sentences, width)
        x = x + self.drop(self.attention_out(mixed))
        changed: Tensor = self.drop(self.inner_out(F.gelu(self.inner(self.inner_norm(x)))))
        return x + changed


class MeanHead(nn.Module):
    """Heads of one shape fitted from different first weights; what they agree on is less by chance.

    Lakshminarayanan et al. 2017, "Simple and scalable predictive uncertainty estimation using deep
    ensembles"; here the mean is over logits.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, vectors: Tensor, features: Tensor, kinds: Tensor, mask: Tensor | None = None) -> Tensor:
        """See `TransformerHead.forward`."""
        return torch.stack([head(vectors, features, kinds, mask) for head in self.members]).mean(dim=0)


def members_of(head: nn.Module) -> list[nn.Module]:
    """The heads whose mean a head gives; itself if it is one."""
    return list(head.members) if isinstance(head, MeanHead) else [head]


def make_head(hidden: int, config: HeadConfig) -> nn.Module:
    """A head with fresh weights, different in each of its members."""
    heads = [_one(hidden, config) for _ in range(config.members)]
    return heads[0] if len(heads) == 1 else MeanHead(heads)


def _one(hidden: int, config: HeadConfig) -> nn.Module:
    return LinearHead(hidden) if config.kind == "linear" else TransformerHead(hidden, config)
