"""Trains in PyTorch what `npm run example -- charlm --export FILE` trained: the same net from the same weights, the same
characters in the same order, and prints the loss on the same text.

    python3 apps/examples/scripts/charlm_torch.py FILE

Debian's PyTorch comes with a slow BLAS: with OpenBLAS (LD_LIBRARY_PATH) it takes a tenth of the time.
"""
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

STEPS = 64  # as in charlm.ts, with learning rate and clipping

torch.set_num_threads(1)
file = {name: torch.from_numpy(array) for name, array in np.load(sys.argv[1]).items()}
text, places = file.pop("text").long(), file.pop("places").long()


class CharacterLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(*file["embedding.weight"].shape)
        self.lstm = nn.LSTM(file["embedding.weight"].shape[1], file["lstm.weight_hh_l0"].shape[1], batch_first=True)
        self.head = nn.Linear(*reversed(file["head.weight"].shape))

    def loss(self, x, y):
        return F.cross_entropy(self.head(self.lstm(self.embedding(x))[0]).flatten(0, 1), y.flatten())


def rows(text, places):
    at = places[:, None] + torch.arange(STEPS)
    return text[at], text[at + 1]


model = CharacterLM()
model.load_state_dict(file)
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
cut = int(0.9 * len(text))
training, test = text[:cut], text[cut:]
start = time.time()
for i, row in enumerate(places):
    loss = model.loss(*rows(training, row))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1)
    optimizer.step()
    if (i + 1) % max(1, len(places) // 4) == 0:
        print(f"step {i + 1}/{len(places)} · loss {loss.item():.4f}", flush=True)
seconds = time.time() - start
print(f"Training took {seconds:.1f} s, {places.numel() * STEPS / seconds:.0f} characters a second.")

with torch.no_grad():
    all_places = torch.arange((len(test) - 1) // STEPS) * STEPS
    total = sum(len(part) * model.loss(*rows(test, part)).item() for part in all_places.split(100))
print(f"Validation loss {total / len(all_places):.4f} nats a character.")
