"""One network of NAS-Bench-201 in plain PyTorch, as its users write and train it.

The other side of `front_door/trials_a_minute.rs`. Prints PyTorch's version; then reads one memory
layout a line (`nchw` or `channels_last`), trains a fresh network for an epoch of 1,024 images with
the library's defaults, and prints the seconds that took.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

CHANNELS, IMAGES, BATCH = 16, 1024, 64
# Operation of the edges 0>1, 0>2, 1>2, 0>3, 1>3, 2>3.
CELL = ["conv_3x3", "skip", "conv_3x3", "conv_1x1", "pool", "conv_3x3"]


def relu_conv_norm(inputs, outputs, kernel, stride=1):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(outputs))


def edge(operation, channels):
    if operation == "skip":
        return nn.Identity()
    if operation == "pool":
        return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    return relu_conv_norm(channels, channels, int(operation[-1]))


class Cell(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.edges = nn.ModuleList(edge(operation, channels) for operation in CELL)

    def forward(self, x):
        nodes = [x]
        for first in (0, 1, 3):
            edges = self.edges[first : first + len(nodes)]
            nodes.append(sum(edge(node) for edge, node in zip(edges, nodes)))
        return nodes[3]


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.main = nn.Sequential(
            relu_conv_norm(inputs, outputs, 3, 2), relu_conv_norm(outputs, outputs, 3)
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x):
        return self.main(x) + self.shortcut(x)


def network():
    one, two, four = CHANNELS, 2 * CHANNELS, 4 * CHANNELS
    return nn.Sequential(
        nn.Conv2d(3, one, 3, padding=1, bias=False),
        nn.BatchNorm2d(one),
        Cell(one),
        ResidualBlock(one, two),
        Cell(two),
        ResidualBlock(two, four),
        Cell(four),
        nn.BatchNorm2d(four),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(four, 10),
    )


def train(images, labels, layout):
    model = network()
    if layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    model.train()
    optimizer = torch.optim.SGD(
        model.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    for start in range(0, IMAGES, BATCH):
        optimizer.zero_grad()
        logits = model(images[start : start + BATCH])
        F.cross_entropy(logits, labels[start : start + BATCH]).backward()
        optimizer.step()


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    images, labels = torch.randn(IMAGES, 3, 32, 32), torch.randint(10, (IMAGES,))
    for layout in ["nchw", "channels_last"]:
        train(images, labels, layout)
    print(torch.__version__, flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        train(images, labels, line.strip())
        print(time.perf_counter() - began, flush=True)


main()
