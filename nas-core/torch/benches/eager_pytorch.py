"""One network of NAS-Bench-201 in plain PyTorch (NCHW, eager), as its users train it.

The other side of `trial_throughput.rs`: reads lines from standard input, trains one fresh network for
one epoch of 1,024 images per line, and answers each with the seconds it took.
"""

import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as functional

CELL = ["conv3", "skip", "conv3", "conv1", "average", "conv3"]


def relu_conv_norm(inputs, outputs, kernel, stride):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(outputs))


def edge(name, channels):
    if name == "skip":
        return nn.Identity()
    if name == "average":
        return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    return relu_conv_norm(channels, channels, int(name[-1]), 1)


class Cell(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.edges = nn.ModuleList(edge(name, channels) for name in CELL)

    def forward(self, x):
        states = [x]
        edges = iter(self.edges)
        for _ in range(3):
            states.append(sum(next(edges)(state) for state in list(states)))
        return states[3]


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.first = relu_conv_norm(inputs, outputs, 3, 2)
        self.second = relu_conv_norm(outputs, outputs, 3, 1)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x):
        return self.second(self.first(x)) + self.shortcut(x)


def network(channels=16):
    stem = [nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)]
    body = [
        Cell(channels),
        Residual(channels, 2 * channels),
        Cell(2 * channels),
        Residual(2 * channels, 4 * channels),
        Cell(4 * channels),
    ]
    head = [nn.BatchNorm2d(4 * channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*stem, *body, *head, nn.Linear(4 * channels, 10))


def epoch(images, labels):
    model = network()
    optimizer = torch.optim.SGD(
        model.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    for start in range(0, len(images), 64):
        optimizer.zero_grad()
        logits = model(images[start : start + 64])
        functional.cross_entropy(logits, labels[start : start + 64]).backward()
        optimizer.step()


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    images = torch.randn(1024, 3, 32, 32)
    labels = torch.randint(0, 10, (1024,))
    epoch(images, labels)
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        epoch(images, labels)
        print(time.perf_counter() - started, flush=True)


main()
