"""Writes the reference arrays beside this script: what PyTorch computes for every candidate operation
of `ops-nb201`, `ops-darts` and `ops-basic`, and for one network each of the spaces nb201 and darts.

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install torch==2.13.0 numpy safetensors
    /tmp/reference/bin/python make_reference.py

The modules below are written from the papers and from the rules of the published programs, with
PyTorch's own layers and nothing of this project. `tests/it/reference.rs` builds the same from layer
graphs and compares.

Inputs, parameters and targets are not stored: both sides draw them from SplitMix64 (`numbers`).
Parameters correspond by their order of definition. The loss is the sum over all outputs of
output × target. Stored in float64, per case:

    output/<k>          in training mode, main output first
    evaluation          main output in evaluation mode, after that one training pass
    input_gradient      of the loss
    gradient/<p>        of the loss, for each parameter
    statistic/<s>       running means and variances after the training pass, in order of definition
    parameters          how many numbers are learnt
    multiply_adds       of one example, all outputs; counted by hooks on convolutions and linear layers
    logits_multiply_adds    the same of the main output alone

Gradients and outputs of more than SAMPLED numbers are stored as every n-th number of the flat
array, n as small as that limit allows; so the files stay small enough to be read in a review.
"""

import itertools
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

BATCH = 2
CLASSES = 10
SAMPLED = 256
# Streams of `numbers`: a parameter's is its position.
INPUT, TARGET = 1_000_000, 1_000_001


# --- The numbers that both sides draw -------------------------------------------------------------


def numbers(stream, shape):
    """Uniform in [-1, 1): Steele, Lea, Flood's SplitMix64 started at `stream`·2³²."""
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (np.uint64(stream) << np.uint64(32)) + steps
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(11)).astype(np.float64) / 2.0**53
    return torch.from_numpy(2 * unit - 1).reshape(shape)


def set_parameters(module):
    """Weights of convolutions and linear layers of variance 1/fan-in, scales around 1."""
    for position, (name, parameter) in enumerate(module.named_parameters()):
        drawn = numbers(position, parameter.shape)
        if parameter.dim() > 1:
            drawn = drawn * (3 / parameter[0].numel()) ** 0.5
        elif name.endswith("weight"):
            drawn = 1 + drawn / 2
        parameter.data = drawn


# --- Pieces that several operations share ---------------------------------------------------------


def batch_norm(channels, role):
    """In a search, networks of many shapes share one: no scale or shift, no running statistics."""
    final = role == "final"
    return nn.BatchNorm2d(channels, affine=final, track_running_stats=final)


def relu_conv_norm(inputs, outputs, kernel, stride, role, bias=False):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias)
    return nn.Sequential(nn.ReLU(), conv, batch_norm(outputs, role))


def depthwise_separable(inputs, outputs, kernel, stride, dilation, role):
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, inputs, kernel, stride, padding, dilation, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        batch_norm(outputs, role),
    )


def average_pool(stride):
    return nn.AvgPool2d(3, stride, 1, count_include_pad=False)


class FactorizedReduce(nn.Module):
    """Half the resolution by two 1×1 convolutions, one on the even and one on the odd pixels."""

    def __init__(self, inputs, outputs, extent, role, bias=False):
        super().__init__()
        # Of an odd extent there is one odd pixel less than even ones; zeros stand for it. A border
        # of zeros makes the odd pixels even ones.
        self.border = extent % 2
        self.even = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=bias)
        self.odd = nn.Conv2d(inputs, outputs - outputs // 2, 1, 2, self.border, bias=bias)
        self.norm = batch_norm(outputs, role)

    def forward(self, x):
        x = x.relu()
        odd = self.odd(x)[:, :, 1:, 1:] if self.border else self.odd(x[:, :, 1:, 1:])
        return self.norm(torch.cat([self.even(x), odd], 1))


class Zeros(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return 0 * x.sum() + x.new_zeros(x.shape[0], *self.shape)


# --- Candidate operations: name -> module, or None where the context does not suit ----------------


class Context:
    """What an operation is asked for: shapes without the batch, and a stride."""

    def __init__(self, inputs, output, stride):
        self.inputs, self.output, self.stride = inputs, output, stride
        self.is_image = len(inputs) == 3
        axis = 0 if self.is_image else -1
        self.c_in, self.c_out = inputs[axis], output[axis]
        self.keeps_shape = inputs == output


CONTEXTS = {
    "stride_1": Context([4, 6, 6], [4, 6, 6], 1),
    "stride_2": Context([4, 6, 6], [4, 3, 3], 2),
    "wider": Context([4, 6, 6], [6, 6, 6], 1),
    "wider_stride_2": Context([4, 6, 6], [6, 3, 3], 2),
    "odd_extent": Context([4, 7, 7], [4, 4, 4], 2),
    "vector": Context([5], [7], 1),
    "sequence": Context([3, 5], [3, 5], 1),
}


def nb201(operation, at, role):
    """The operations of NAS-Bench-201: a convolution has a bias where its batch norm has none."""
    bias = role == "search"
    match operation:
        case "none":
            return Zeros(at.output)
        case _ if not at.is_image:
            return nn.Identity() if operation == "skip_connect" and at.keeps_shape else None
        case "skip_connect" if at.keeps_shape:
            return nn.Identity()
        case "skip_connect" if at.stride == 1:
            conv = nn.Conv2d(at.c_in, at.c_out, 1, bias=bias)
            return nn.Sequential(conv, batch_norm(at.c_out, role))
        case "skip_connect":
            return FactorizedReduce(at.c_in, at.c_out, at.inputs[-1], role, bias)
        case "nor_conv_1x1":
            return relu_conv_norm(at.c_in, at.c_out, 1, at.stride, role, bias)
        case "nor_conv_3x3":
            return relu_conv_norm(at.c_in, at.c_out, 3, at.stride, role, bias)
        case "avg_pool_3x3" if at.c_in == at.c_out:
            return average_pool(at.stride)
        case "avg_pool_3x3":
            first = relu_conv_norm(at.c_in, at.c_out, 1, 1, role, bias)
            return nn.Sequential(first, average_pool(at.stride))


def darts(operation, at, role):
    """The operations of DARTS. A batch norm follows pools in a search only."""

    def pool(module):
        if at.c_in != at.c_out:
            return None
        return nn.Sequential(module, batch_norm(at.c_out, role)) if role == "search" else module

    def twice(kernel):
        return nn.Sequential(
            depthwise_separable(at.c_in, at.c_in, kernel, at.stride, 1, role),
            depthwise_separable(at.c_in, at.c_out, kernel, 1, 1, role),
        )

    match operation:
        case "none":
            return Zeros(at.output)
        case _ if not at.is_image:
            return nn.Identity() if operation == "skip_connect" and at.keeps_shape else None
        case "max_pool_3x3":
            return pool(nn.MaxPool2d(3, at.stride, 1))
        case "avg_pool_3x3":
            return pool(average_pool(at.stride))
        case "skip_connect" if at.keeps_shape:
            return nn.Identity()
        case "skip_connect" if at.stride == 1:
            return relu_conv_norm(at.c_in, at.c_out, 1, 1, role)
        case "skip_connect":
            return FactorizedReduce(at.c_in, at.c_out, at.inputs[-1], role)
        case "sep_conv_3x3":
            return twice(3)
        case "sep_conv_5x5":
            return twice(5)
        case "dil_conv_3x3":
            return depthwise_separable(at.c_in, at.c_out, 3, at.stride, 2, role)
        case "dil_conv_5x5":
            return depthwise_separable(at.c_in, at.c_out, 5, at.stride, 2, role)


def basic(operation, at, role):
    """Plain operations; a shape that changes costs a projection without bias."""

    def project(stride):
        if at.is_image:
            return nn.Conv2d(at.c_in, at.c_out, 1, stride, bias=False)
        return nn.Linear(at.c_in, at.c_out, bias=False)

    def pool(module):
        return module if at.c_in == at.c_out else nn.Sequential(module, project(1))

    def dense(inputs, outputs, stride):
        if at.is_image:
            return nn.Conv2d(inputs, outputs, 1, stride)
        return nn.Linear(inputs, outputs)

    kernel = int(operation[-1]) if operation[-1].isdigit() else 0
    match operation:
        case "none":
            return Zeros(at.output)
        case "identity":
            return nn.Identity() if at.keeps_shape else project(at.stride)
        case "linear":
            return dense(at.c_in, at.c_out, at.stride)
        case "gelu_mlp":
            middle = 4 * at.c_out
            first, second = dense(at.c_in, middle, at.stride), dense(middle, at.c_out, 1)
            return nn.Sequential(first, nn.GELU(), second)
        case _ if not at.is_image:
            return None
        case "max_pool_3x3":
            return pool(nn.MaxPool2d(3, at.stride, 1))
        case "avg_pool_3x3":
            return pool(average_pool(at.stride))
        case _ if operation.startswith("conv_"):
            return nn.Conv2d(at.c_in, at.c_out, kernel, at.stride, kernel // 2)
        case _ if operation.startswith("norm_conv_"):
            return relu_conv_norm(at.c_in, at.c_out, kernel, at.stride, role)
        case _ if operation.startswith("sep_conv_"):
            return depthwise_separable(at.c_in, at.c_out, kernel, at.stride, 1, role)
        case _ if operation.startswith("dil_conv_"):
            return depthwise_separable(at.c_in, at.c_out, kernel, at.stride, 2, role)


SETS = {
    "nb201": (nb201, ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]),
    "darts": (
        darts,
        "none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 "
        "dil_conv_5x5".split(),
    ),
    "basic": (
        basic,
        "conv_3x3 conv_5x5 max_pool_3x3 identity none avg_pool_3x3 conv_1x1 conv_7x7 norm_conv_1x1 "
        "norm_conv_3x3 norm_conv_5x5 sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5 linear "
        "gelu_mlp".split(),
    ),
}


# --- Networks -------------------------------------------------------------------------------------


class Head(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.linear = nn.Linear(channels, CLASSES)

    def forward(self, x):
        return self.linear(x.mean((2, 3)))


# Operation of each edge i>j of the one cell.
NB201_CELL = {
    (0, 1): "nor_conv_3x3", (0, 2): "skip_connect", (1, 2): "nor_conv_1x1",
    (0, 3): "avg_pool_3x3", (1, 3): "none", (2, 3): "nor_conv_3x3",
}  # fmt: skip


class Nb201Cell(nn.Module):
    def __init__(self, channels, extent):
        super().__init__()
        at = Context([channels, extent, extent], [channels, extent, extent], 1)
        self.edges = nn.ModuleDict(
            {f"{i}>{j}": nb201(operation, at, "final") for (i, j), operation in NB201_CELL.items()}
        )

    def forward(self, x):
        nodes = [x]
        for j in range(1, 4):
            nodes.append(sum(self.edges[f"{i}>{j}"](nodes[i]) for i in range(j)))
        return nodes[3]


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.main = nn.Sequential(
            relu_conv_norm(inputs, outputs, 3, 2, "final"),
            relu_conv_norm(outputs, outputs, 3, 1, "final"),
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x):
        return self.main(x) + self.shortcut(x)


def nb201_network(channels, extent):
    """Stem, three stages of one cell with residual blocks between, head."""
    layers = [nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)]
    for stage in range(3):
        if stage:
            layers.append(ResidualBlock(channels, 2 * channels))
            channels, extent = 2 * channels, extent // 2
        layers.append(Nb201Cell(channels, extent))
    return nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU(), Head(channels))


# Node -> the two kept edges: (from which state, operation). All operations but `none` occur.
DARTS_CELLS = {
    "normal": {
        2: [(0, "sep_conv_3x3"), (1, "sep_conv_5x5")],
        3: [(0, "skip_connect"), (2, "dil_conv_3x3")],
        4: [(1, "avg_pool_3x3"), (3, "max_pool_3x3")],
        5: [(0, "dil_conv_5x5"), (2, "skip_connect")],
    },
    "reduction": {
        2: [(0, "max_pool_3x3"), (1, "skip_connect")],
        3: [(0, "dil_conv_5x5"), (2, "skip_connect")],
        4: [(1, "sep_conv_5x5"), (3, "avg_pool_3x3")],
        5: [(1, "avg_pool_3x3"), (4, "sep_conv_3x3")],
    },
}


class DartsCell(nn.Module):
    def __init__(self, kind, before, last, channels, previous_reduced, extent):
        """`before`, `last`: channels of the two inputs, older first; `extent`: of the newer."""
        super().__init__()
        if previous_reduced:
            self.preprocess_0 = FactorizedReduce(before, channels, 2 * extent, "final")
        else:
            self.preprocess_0 = relu_conv_norm(before, channels, 1, 1, "final")
        self.preprocess_1 = relu_conv_norm(last, channels, 1, 1, "final")
        self.nodes = nn.ModuleList()
        for edges in DARTS_CELLS[kind].values():
            node = nn.ModuleDict()
            for state, operation in edges:
                # Edges from the cell's inputs stride; its own nodes have the new extent.
                reduces = kind == "reduction" and state < 2
                here = extent if reduces or kind == "normal" else extent // 2
                after = here // 2 if reduces else here
                at = Context([channels, here, here], [channels, after, after], 1 + reduces)
                node[str(state)] = darts(operation, at, "final")
            self.nodes.append(node)

    def forward(self, before, last):
        states = [self.preprocess_0(before), self.preprocess_1(last)]
        for node in self.nodes:
            states.append(sum(edge(states[int(state)]) for state, edge in node.items()))
        return torch.cat(states[2:], 1)


def auxiliary_head(channels):
    return nn.Sequential(
        nn.ReLU(),
        nn.AvgPool2d(5, 3),
        nn.Conv2d(channels, 128, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.Conv2d(128, 768, 2, bias=False),
        nn.BatchNorm2d(768),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(768, CLASSES),
    )


class DartsNetwork(nn.Module):
    """Stem, cells with reductions at one and two thirds, auxiliary head after the second, head."""

    def __init__(self, channels, cells, extent):
        super().__init__()
        stem = 3 * channels
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem))
        self.reductions = [cells // 3, 2 * cells // 3]
        # In the order of definition, the auxiliary head among the cells.
        self.parts = nn.ModuleDict()
        before, last, previous_reduced = stem, stem, False
        for index in range(cells):
            reduces = index in self.reductions
            channels = 2 * channels if reduces else channels
            kind = "reduction" if reduces else "normal"
            self.parts[f"cell_{index}"] = DartsCell(
                kind, before, last, channels, previous_reduced, extent
            )
            before, last, previous_reduced = last, 4 * channels, reduces
            extent = extent // 2 if reduces else extent
            if index == self.reductions[1]:
                self.parts["auxiliary_head"] = auxiliary_head(last)
        self.head = Head(last)

    def forward(self, x):
        before = last = self.stem(x)
        auxiliary = None
        for name, part in self.parts.items():
            if name.startswith("cell"):
                before, last = last, part(before, last)
            elif self.training:
                auxiliary = part(last)
        logits = self.head(last)
        return logits if auxiliary is None else (logits, auxiliary)


# --- What is stored -------------------------------------------------------------------------------


def reference(module, shape):
    """All arrays of one case."""
    module = module.double().train()
    set_parameters(module)
    x = numbers(INPUT, [BATCH, *shape]).requires_grad_()
    with CountMultiplyAdds(module) as count:
        outputs = module(x)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = sum((y * numbers(TARGET + k, y.shape)).sum() for k, y in enumerate(outputs))
    loss.backward()
    module.eval()
    with torch.no_grad(), CountMultiplyAdds(module) as logits_count:
        evaluation = module(x)
    counts = {
        "parameters": sum(p.numel() for p in module.parameters()),
        "multiply_adds": count.total // BATCH,
        "logits_multiply_adds": logits_count.total // BATCH,
    }
    arrays = {name: torch.tensor(value) for name, value in counts.items()}
    arrays["evaluation"] = sample(evaluation)
    arrays["input_gradient"] = sample(x.grad)
    arrays |= {f"output/{k}": sample(y) for k, y in enumerate(outputs)}
    arrays |= {f"gradient/{p}": sample(q.grad) for p, q in enumerate(module.parameters())}
    statistics = (b for b in module.buffers() if b.is_floating_point())
    arrays |= {f"statistic/{s}": sample(b) for s, b in enumerate(statistics)}
    return arrays


def sample(array):
    flat = array.detach().flatten()
    return flat[:: -(-flat.numel() // SAMPLED)].clone()


class CountMultiplyAdds:
    """Products in convolutions and linear layers, counted as they run."""

    def __init__(self, module):
        self.module, self.total = module, 0

    def __enter__(self):
        self.hooks = [
            m.register_forward_hook(self.count)
            for m in self.module.modules()
            if isinstance(m, (nn.Conv2d, nn.Linear))
        ]
        return self

    def count(self, layer, _, output):
        # Every number of the output is a sum over one row of the weight.
        self.total += output.numel() * layer.weight[0].numel()

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()


def main():
    folder = Path(__file__).parent
    for name, (make, operations) in SETS.items():
        cases = {}
        for operation, (context, at) in itertools.product(operations, CONTEXTS.items()):
            search, final = make(operation, at, "search"), make(operation, at, "final")
            for role, module in {"search": search, "final": final}.items():
                # A search role that is no different is not stored twice.
                if module is None or (role == "search" and repr(search) == repr(final)):
                    continue
                arrays = reference(module, at.inputs)
                case = f"{operation}/{role}/{context}"
                cases |= {f"{case}/{key}": array for key, array in arrays.items()}
        write(cases, folder / f"ops_{name}.safetensors")
    write(reference(nb201_network(16, 16), [3, 16, 16]), folder / "network_nb201.safetensors")
    write(reference(DartsNetwork(8, 4, 32), [3, 32, 32]), folder / "network_darts.safetensors")


def write(arrays, path):
    save_file(arrays, path)
    print(f"{path.name}: {len(arrays)} arrays, {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
