"""Writes proxies.safetensors beside this script: the zero-cost proxies of one network each of the
spaces nb201 and darts, as PyTorch computes them in float64. `tests/it/proxies.rs` compares.

Set up as `make_reference.py` says; the networks, their parameters and the images are made there. The
rules are those of the papers: naswot and jacov Mellor et al. (ICML 2021, and the first version of that
paper), synflow Tanaka et al. 2020, snip Lee et al. 2019, grad_norm and the use of all of them as proxies
Abdelfattah et al. 2021.
"""

import copy
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from make_reference import CLASSES, INPUT, DartsNetwork, nb201_network, numbers, set_parameters

BATCH = 8


def weights(network):
    return [m.weight for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def naswot(network, images):
    """Agreement of the codes of all ReLU modules; the DARTS-like modules use `Tensor.relu` too."""
    agreement = torch.zeros(BATCH, BATCH, dtype=torch.float64)

    def add(x):
        code = (x > 0).flatten(1).double()
        agreement.add_(code @ code.T + (1 - code) @ (1 - code).T)

    class Seen(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            if function in (torch.relu, torch.Tensor.relu, F.relu):
                add(args[0])
                with torch._C.DisableTorchFunction():
                    return function(*args, **(kwargs or {}))
            return function(*args, **(kwargs or {}))

    with Seen(), torch.no_grad():
        network(images)
    return torch.linalg.slogdet(agreement).logabsdet


def jacov(network, images):
    images = images.clone().requires_grad_()
    network(images).sum().backward()
    values = torch.linalg.eigvalsh(torch.corrcoef(images.grad.flatten(1))) + 1e-5
    return -(values.log() + 1 / values).sum()


def of_loss(network, images, labels):
    network.zero_grad()
    F.cross_entropy(network(images), labels).backward()
    snip = sum((w * w.grad).abs().sum() for w in weights(network))
    return snip, sum(w.grad.norm() for w in weights(network))


def synflow(network, shape):
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    for parameter in network.parameters():
        parameter.data.abs_()
    network.zero_grad()
    network(torch.ones(1, *shape, dtype=torch.float64)).sum().backward()
    return sum((w * w.grad).abs().sum() for w in weights(network)).log()


def proxies(network, shape):
    network = network.double().train()
    set_parameters(network)
    images, labels = numbers(INPUT, [BATCH, *shape]), torch.arange(BATCH) % CLASSES
    snip, grad_norm = of_loss(network, images, labels)
    return {
        "naswot": naswot(network, images),
        "jacov": jacov(network, images),
        "synflow": synflow(network, shape),
        "snip": snip,
        "grad_norm": grad_norm,
    }


def main():
    darts = DartsNetwork(8, 4, 32)
    # Proxies are taken from the logits alone.
    del darts.parts["auxiliary_head"]
    networks = {"nb201": (nb201_network(16, 16), 16), "darts": (darts, 32)}
    arrays = {}
    for case, (network, extent) in networks.items():
        for name, value in proxies(network, [3, extent, extent]).items():
            arrays[f"{case}/{name}"] = value.detach().clone()
    save_file(arrays, Path(__file__).parent / "proxies.safetensors")
    print({name: value.item() for name, value in arrays.items()})


if __name__ == "__main__":
    main()
