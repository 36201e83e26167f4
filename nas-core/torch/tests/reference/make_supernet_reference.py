"""Writes `supernet_darts.safetensors`: what plain PyTorch computes for a small DARTS supernet.

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install torch==2.13.0 numpy safetensors
    /tmp/reference/bin/python make_supernet_reference.py

The supernet is `benches/eager_darts.py`, in float64, with 4 channels and 4 cells on images of 16×16.
Weights, images, labels, alpha and the momentum buffer are drawn by both sides from SplitMix64
(`make_reference.py`); weights correspond by their order of definition. Stored:

    mixture               the softmax of alpha: normal cell, then reduction cell
    logits, loss          on the training batch at that mixture
    gradient/<p>          of that loss in each weight
    first_order           gradient of the validation loss in the mixture
    alpha_first_order     the same in alpha
    alpha_second_order    the unrolled gradient in alpha
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parents[1] / "benches")]
from eager_darts import DartsSupernet  # noqa: E402
from make_reference import SAMPLED, numbers, set_parameters  # noqa: E402

TRAIN, VALIDATION, ALPHA, VELOCITY = 1_000_000, 1_000_001, 1_000_002, 2_000_000
BATCH, EXTENT, CLASSES = 4, 16, 10
RATE, MOMENTUM, DECAY = 0.025, 0.9, 3e-4


def sample(array):
    flat = array.detach().reshape(-1)
    return flat[:: -(-flat.numel() // SAMPLED)].contiguous()


def main():
    network = DartsSupernet(channels=4, n_cells=4)
    set_parameters(network)
    weights = list(network.parameters())
    drawn = numbers(ALPHA, (2, 14, 8))
    alphas = [drawn[kind].clone().requires_grad_(True) for kind in range(2)]
    batches = {
        which: (numbers(which, (BATCH, 3, EXTENT, EXTENT)), (torch.arange(BATCH) * step) % CLASSES)
        for which, step in ((TRAIN, 3), (VALIDATION, 7))
    }
    velocity = [0.1 * numbers(VELOCITY + at, weight.shape) for at, weight in enumerate(weights)]

    def loss_at(which, mixture):
        images, labels = batches[which]
        logits = network(images, mixture)
        return logits, F.cross_entropy(logits, labels)

    def softmax():
        return [F.softmax(alpha, -1) for alpha in alphas]

    stored = {}
    mixture = [row.detach().requires_grad_(True) for row in softmax()]
    stored["mixture"] = torch.cat([row.reshape(-1) for row in mixture]).detach()
    logits, loss = loss_at(TRAIN, mixture)
    stored["logits"], stored["loss"] = logits.detach(), loss.detach()
    gradients = torch.autograd.grad(loss, weights)
    for at, gradient in enumerate(gradients):
        stored[f"gradient/{at}"] = sample(gradient)
    first = torch.autograd.grad(loss_at(VALIDATION, mixture)[1], mixture)
    stored["first_order"] = torch.cat([row.reshape(-1) for row in first])
    first = torch.autograd.grad(loss_at(VALIDATION, softmax())[1], alphas)
    stored["alpha_first_order"] = torch.cat([row.reshape(-1) for row in first])

    kept = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for weight, buffer, gradient in zip(weights, velocity, gradients):
            weight -= RATE * (MOMENTUM * buffer + gradient + DECAY * weight)
    both = torch.autograd.grad(loss_at(VALIDATION, softmax())[1], weights + alphas)
    direction, ahead = both[: len(weights)], both[len(weights) :]
    distance = 0.01 / torch.cat([part.reshape(-1) for part in direction]).norm()
    sides = []
    for sign in (1, -1):
        with torch.no_grad():
            for weight, start, along in zip(weights, kept, direction):
                weight.copy_(start + sign * distance * along)
        sides.append(torch.autograd.grad(loss_at(TRAIN, softmax())[1], alphas))
    second = [a - RATE * (u - d) / (2 * distance) for a, u, d in zip(ahead, *sides)]
    stored["alpha_second_order"] = torch.cat([row.reshape(-1) for row in second]).detach()
    save_file(stored, HERE / "supernet_darts.safetensors")


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    main()
