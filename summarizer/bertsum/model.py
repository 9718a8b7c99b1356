"""BERTSum (Liu and Lapata 2019, "Text Summarization with Pretrained Encoders") for documents of any length.

The vector of each [CLS], or what else the head declares (`summarizer.bertsum.config.Pooling`), goes into a
salience head (`summarizer.bertsum.heads`), which gives one logit for each sentence of the document.
"""

import torch
from torch import Tensor, nn

from summarizer.bertsum.config import BertSumConfig
from summarizer.bertsum.document import DocumentInput, owned_places
from summarizer.bertsum.heads import make_head
from summarizer.bertsum.lora import Lora, Lowest
from summarizer.encoder.torch_network import pad_rows


class BertSum(nn.Module):
    """An encoder of the BERT family with a salience head: what is trained, saved and loaded."""

    def __init__(self, encoder: nn.Module, config: BertSumConfig) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = config
        hidden = int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.head = make_head(hidden, config.head)
        self.articles = make_head(hidden, config.articles.head) if config.articles else None
        self.adapter: Lora | None = None
        if config.adapter:
            layers = int(encoder.config.num_hidden_layers)  # type: ignore[union-attr, arg-type]
            self.adapter = Lora(encoder.config, config.head.depth or layers, config.adapter)
        self._lowest: list[Lowest] = []  # in a list, since they are no further weights of this module

    def forward(self, document: DocumentInput, pad_id: int = 0) -> Tensor:
        """Logits of the sentences of one document, shape (sentences,), with gradients into the encoder.

        Args:
            document: see `prepare`.
            pad_id: the token id that fills the shorter windows.
        """
        device = next(self.head.parameters()).device
        ids, mask, segments = (part.to(device) for part in pad_rows(document.rows, pad_id))
        hidden = self.states(input_ids=ids, attention_mask=mask, token_type_ids=segments)
        places = list(owned_places(document.windows, document.lengths, self.config.head.pooling))
        rows, positions, owners = (
            torch.tensor(part, device=device) for part in list(zip(*places, strict=True))[:3]
        )
        shares = torch.tensor([place[3] for place in places], device=device, dtype=hidden.dtype)
        vectors = hidden.new_zeros(len(document.lengths), hidden.shape[-1])
        vectors = vectors.index_add(0, owners, hidden[rows, positions] * shares[:, None])
        features = torch.from_numpy(document.features).to(device)
        kinds = torch.from_numpy(document.kinds).to(device)
        logits: Tensor = self.head(vectors[None].float(), features[None], kinds[None])[0]
        return logits

    def states(self, **inputs: Tensor) -> Tensor:
        """What the head for notes reads of windows: shape (windows, width, hidden).

        Args:
            inputs: `input_ids`, `attention_mask`, `token_type_ids`, each of shape (windows, width).
        """
        if self.adapter is not None:
            if not self._lowest:
                self._lowest.append(Lowest(self.encoder, self.adapter.depth))
            return self._lowest[0](self.adapter.tensors(), self.adapter.training, **inputs)
        depth = self.config.head.depth
        found = self.encoder(**inputs, output_hidden_states=depth > 0)
        hidden: Tensor = found.hidden_states[depth] if depth else found.last_hidden_state
        return hidden
