"""The DARTS supernet as it was published, in plain PyTorch: what ours is compared with.

Structure: quark0/darts, cnn/model_search.py and operations.py; written anew from the rules. Nothing
here is tuned: every edge computes all eight operations and sums them weighted, the architecture
step makes gradients of the weights too (`loss.backward()` in cnn/architect.py), as published.

Run by `make bench`: prints the seconds of one search step (architecture, then
weights) for every line it reads: `step` or `unrolled`; arguments: layout, threads, chain or darts.
"""

import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

OPERATIONS = [
    "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
    "dil_conv_3x3", "dil_conv_5x5",
]  # fmt: skip


def batch_norm(channels):
    return nn.BatchNorm2d(channels, affine=False)


def relu_conv_norm(inputs, outputs):
    return nn.Sequential(nn.ReLU(), nn.Conv2d(inputs, outputs, 1, bias=False), batch_norm(outputs))


def separable(channels, kernel, stride, dilation):
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(
            channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False
        ),
        nn.Conv2d(channels, channels, 1, bias=False),
        batch_norm(channels),
    )


class FactorizedReduce(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.even = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False)
        self.odd = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False)
        self.norm = batch_norm(outputs)

    def forward(self, x):
        x = F.relu(x)
        return self.norm(torch.cat([self.even(x), self.odd(x[:, :, 1:, 1:])], 1))


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0


def operation(name, channels, stride):
    match name:
        case "none":
            return Zero(stride)
        case "max_pool_3x3":
            return nn.Sequential(nn.MaxPool2d(3, stride, 1), batch_norm(channels))
        case "avg_pool_3x3":
            pool = nn.AvgPool2d(3, stride, 1, count_include_pad=False)
            return nn.Sequential(pool, batch_norm(channels))
        case "skip_connect":
            return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels)
        case "sep_conv_3x3" | "sep_conv_5x5":
            kernel = int(name[-1])
            first = separable(channels, kernel, stride, 1)
            return nn.Sequential(first, separable(channels, kernel, 1, 1))
        case "dil_conv_3x3" | "dil_conv_5x5":
            return separable(channels, int(name[-1]), stride, 2)


class MixedOperation(nn.Module):
    def __init__(self, channels, stride):
        super().__init__()
        self.operations = nn.ModuleList(operation(name, channels, stride) for name in OPERATIONS)

    def forward(self, x, weights):
        return sum(weight * op(x) for weight, op in zip(weights, self.operations))


class Cell(nn.Module):
    def __init__(self, before, last, channels, reduces, previous_reduced):
        super().__init__()
        self.preprocess_0 = (FactorizedReduce if previous_reduced else relu_conv_norm)(
            before, channels
        )
        self.preprocess_1 = relu_conv_norm(last, channels)
        self.edges = nn.ModuleList(
            MixedOperation(channels, 2 if reduces and state < 2 else 1)
            for node in range(4)
            for state in range(2 + node)
        )

    def forward(self, before, last, weights):
        states = [self.preprocess_0(before), self.preprocess_1(last)]
        edge = 0
        for _ in range(4):
            node = sum(
                self.edges[edge + i](state, weights[edge + i]) for i, state in enumerate(states)
            )
            edge += len(states)
            states.append(node)
        return torch.cat(states[2:], 1)


class DartsSupernet(nn.Module):
    def __init__(self, channels=16, n_cells=8, classes=10):
        super().__init__()
        stem = 3 * channels
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem)
        )
        before, last, previous_reduced = stem, stem, False
        self.cells = nn.ModuleList()
        self.kinds = []
        for index in range(n_cells):
            reduces = index in (n_cells // 3, 2 * n_cells // 3)
            channels *= 2 if reduces else 1
            self.cells.append(Cell(before, last, channels, reduces, previous_reduced))
            self.kinds.append(int(reduces))
            before, last, previous_reduced = last, 4 * channels, reduces
        self.classifier = nn.Linear(last, classes)
        self.alpha = [1e-3 * torch.randn(14, len(OPERATIONS)) for _ in range(2)]
        for alpha in self.alpha:
            alpha.requires_grad_(True)

    def forward(self, x, weights=None):
        weights = weights or [F.softmax(alpha, -1) for alpha in self.alpha]
        before = last = self.stem(x)
        for cell, kind in zip(self.cells, self.kinds):
            before, last = last, cell(before, last, weights[kind])
        return self.classifier(last.mean((2, 3)))


class ChainSupernet(nn.Module):
    """Eight cells of four operations in a row: 3×3, 5×5, max pool, identity."""

    class Mixed(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.operations = nn.ModuleList(
                [
                    nn.Conv2d(channels, channels, 3, padding=1),
                    nn.Conv2d(channels, channels, 5, padding=2),
                    nn.MaxPool2d(3, 1, 1),
                    nn.Identity(),
                ]
            )

        def forward(self, x, weights):
            return sum(weight * op(x) for weight, op in zip(weights, self.operations))

    def __init__(self, channels=16, n_operations=32, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, padding=1)
        self.mixed = nn.ModuleList(self.Mixed(channels) for _ in range(n_operations))
        self.classifier = nn.Linear(channels, classes)
        self.alpha = [1e-3 * torch.randn(n_operations, 4)]
        self.alpha[0].requires_grad_(True)

    def forward(self, x):
        weights = F.softmax(self.alpha[0], -1)
        x = self.stem(x)
        for mixed, row in zip(self.mixed, weights):
            x = mixed(x, row)
        return self.classifier(x.mean((2, 3)))


class Search:
    """One search step after the other, first the architecture's, then the weights'."""

    def __init__(self, network, layout, batch):
        self.network = network.to(memory_format=layout)
        self.weights = list(network.parameters())
        self.sgd = torch.optim.SGD(self.weights, 0.025, momentum=0.9, weight_decay=3e-4)
        self.adam = torch.optim.Adam(network.alpha, 3e-4, (0.5, 0.999), weight_decay=1e-3)
        draw = torch.Generator().manual_seed(1)
        self.batches = [
            (
                torch.randn(batch, 3, 32, 32, generator=draw).contiguous(memory_format=layout),
                torch.randint(0, 10, (batch,), generator=draw),
            )
            for _ in range(2)
        ]

    def loss(self, which):
        images, labels = self.batches[which]
        return F.cross_entropy(self.network(images), labels)

    def step(self):
        self.adam.zero_grad()
        self.loss(1).backward()
        self.adam.step()
        self.train_weights()

    def train_weights(self):
        self.sgd.zero_grad()
        self.loss(0).backward()
        nn.utils.clip_grad_norm_(self.weights, 5)
        self.sgd.step()

    def unrolled(self):
        """Second order, as published: a copy of the weights is moved, not a copy of the network."""
        self.adam.zero_grad()
        for alpha, gradient in zip(self.network.alpha, self.unrolled_gradient()):
            alpha.grad = gradient
        self.adam.step()
        self.train_weights()

    def unrolled_gradient(self, rate=0.025, momentum=0.9, decay=3e-4):
        alphas = self.network.alpha
        gradients = torch.autograd.grad(self.loss(0), self.weights)
        kept = [weight.detach().clone() for weight in self.weights]
        with torch.no_grad():
            for weight, gradient in zip(self.weights, gradients):
                buffer = self.sgd.state[weight].get("momentum_buffer", torch.zeros_like(weight))
                weight -= rate * (momentum * buffer + gradient + decay * weight)
        both = torch.autograd.grad(self.loss(1), self.weights + alphas)
        direction, ahead = both[: len(self.weights)], list(both[len(self.weights) :])
        distance = 0.01 / torch.cat([part.reshape(-1) for part in direction]).norm()
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                for weight, start, along in zip(self.weights, kept, direction):
                    weight.copy_(start + sign * distance * along)
            sides.append(torch.autograd.grad(self.loss(0), alphas))
        with torch.no_grad():
            for weight, start in zip(self.weights, kept):
                weight.copy_(start)
        return [
            gradient - rate * (above - below) / (2 * distance)
            for gradient, above, below in zip(ahead, *sides)
        ]


def main():
    layout = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}[sys.argv[1]]
    torch.set_num_threads(int(sys.argv[2]))
    torch.manual_seed(0)
    network = ChainSupernet() if sys.argv[3] == "chain" else DartsSupernet()
    search = Search(network, layout, 64)
    print("ready", flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        getattr(search, line.strip())()
        seconds = time.perf_counter() - started
        peak = next(
            int(row.split()[1]) / 2**20 for row in open("/proc/self/status") if "VmHWM" in row
        )
        print(seconds, peak, flush=True)


if __name__ == "__main__":
    main()
