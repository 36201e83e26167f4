"""Writes the reference arrays that tests/it/reference.rs compares with.

    python make_reference.py

needs PyTorch (2.13 made the stored files) and mpmath. Everything is float64; noise and draws are
stored, so that both sides see the same. One node with three incoming edges of five operations: 15
architecture weights, and 3 more where edges have weights of their own. A step's loss is linear in
the mixture, with the stored gradient, plus what the method adds; autograd pulls it back and
torch.optim.Adam takes the step.
"""

import json
import pathlib

import mpmath
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
EDGES, OPERATIONS, STEPS = 3, 5, 4
torch.set_default_dtype(torch.float64)
mpmath.mp.dps = 40


def numbers(tensor):
    return tensor.detach().flatten().tolist()


def write(name, data):
    (HERE / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")


def search(name, relax, loss=None, lr=3e-4, betas=(0.5, 0.999), decay=1e-3, clip=None, edges=False,
           initial=None, seed=0, scale=1.0):
    """Follows a few architecture steps and writes them down.

    relax(alpha, generator) gives the weights as the loss sees them, the soft weights, the weights
    sent to the supernet, which paths are computed, and what the draw was made of; loss(alpha) is
    what the method adds.
    """
    generator = torch.Generator().manual_seed(seed)
    alpha = initial if initial is not None else torch.randn(EDGES, OPERATIONS, generator=generator)
    alpha = alpha.clone().requires_grad_()
    beta = torch.randn(EDGES, generator=generator).requires_grad_()
    parameters = [alpha, beta] if edges else [alpha]
    optimizer = torch.optim.Adam(parameters, lr=lr, betas=betas, weight_decay=decay)
    data = {"alpha": numbers(alpha), "beta": numbers(beta) if edges else None, "steps": []}
    for _ in range(STEPS):
        optimizer.zero_grad()
        gradient = scale * torch.randn(EDGES, OPERATIONS, generator=generator)
        seen, soft, sent, computed, drawn = relax(alpha, generator)
        total = (seen * gradient * computed).sum()
        step = {"gradient": numbers(gradient), "soft": numbers(soft), "sent": numbers(sent),
                "computed": [bool(c) for c in numbers(computed)], **drawn}
        if edges:
            of_edges = torch.randn(EDGES, generator=generator)
            weights = torch.softmax(beta, -1)
            total = total + (weights * of_edges).sum()
            step.update(edge_gradient=numbers(of_edges), edge_weights=numbers(weights))
        if loss is not None:
            total = total + loss(alpha)
        total.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        step["alpha_gradient"] = numbers(alpha.grad)
        optimizer.step()
        step["alpha"] = numbers(alpha)
        step["beta"] = numbers(beta) if edges else None
        data["steps"].append(step)
    write(name, data)


ALL = torch.ones(EDGES, OPERATIONS)


def softmax(alpha, _):
    weights = torch.softmax(alpha, -1)
    return weights, weights, weights, ALL, {}


def sigmoid(alpha, _):
    weights = torch.sigmoid(alpha)
    return weights, weights, weights, ALL, {}


def gumbel(generator):
    uniform = torch.rand(EDGES, OPERATIONS, generator=generator)
    return -torch.log(-torch.log(uniform))


def snas(alpha, generator):
    noise = gumbel(generator)
    weights = torch.softmax((alpha + noise) / 1.0, -1)
    return weights, weights, weights, ALL, {"noise": numbers(noise), "temperature": 1.0}


def gdas(alpha, generator):
    # xautodl/models/cell_searchs/search_model_gdas.py, with the operations' outputs as numbers:
    # only the chosen operation enters, as in gdas_v1.
    noise = gumbel(generator)
    logits = (F.log_softmax(alpha, dim=1) + noise) / 10.0
    probabilities = F.softmax(logits, dim=1)
    index = probabilities.max(-1, keepdim=True)[1]
    one_hot = torch.zeros_like(logits).scatter_(-1, index, 1.0)
    hard = one_hot - probabilities.detach() + probabilities
    return hard, probabilities, one_hot, one_hot, {"noise": numbers(noise), "temperature": 10.0}


class Draw(torch.autograd.Function):
    """A stored draw of a Dirichlet distribution, with PyTorch's formula for its gradient but the
    derivative of the Beta distribution to 40 digits, where PyTorch approximates it."""

    @staticmethod
    def forward(context, concentration, draw):
        context.save_for_backward(concentration, draw)
        return draw.clone()

    @staticmethod
    def backward(context, gradient):
        concentration, draw = context.saved_tensors
        rates = torch.tensor([[rate(x, c, t) for x, c in zip(xs, cs)] for xs, cs, t in zip(
            draw.tolist(), concentration.tolist(), concentration.sum(-1).tolist())])
        return rates * (gradient - (draw * gradient).sum(-1, True)), None


def rate(x, concentration, total):
    x, a = mpmath.mpf(x), mpmath.mpf(concentration)
    b = mpmath.mpf(total) - a
    slope = mpmath.diff(lambda a: mpmath.betainc(a, b, 0, x, regularized=True), a)
    density = x ** (a - 1) * (1 - x) ** (b - 1) / mpmath.beta(a, b)
    return float(-slope / density / (1 - x))


def drnas(alpha, generator):
    concentration = F.elu(alpha) + 1
    torch.manual_seed(int(torch.randint(1 << 30, (1,), generator=generator)))
    draw = torch.distributions.Dirichlet(concentration.detach()).sample()
    # PyTorch's own gradient of this draw for a stored direction, good to about 1 %.
    direction = torch.randn(EDGES, OPERATIONS, generator=generator)
    own = torch.distributions.dirichlet._Dirichlet_backward(
        draw, concentration.detach(), direction)
    pytorch = torch.autograd.grad(concentration, alpha, own, retain_graph=True)[0]
    weights = Draw.apply(concentration, draw)
    return weights, weights, weights, ALL, {
        "direction": numbers(direction), "pytorch": numbers(pytorch)}


def divergence(alpha):
    ours = torch.distributions.Dirichlet(F.elu(alpha) + 1)
    anchor = torch.distributions.Dirichlet(torch.ones_like(alpha))
    return 1e-3 * torch.distributions.kl.kl_divergence(ours, anchor).sum()


def zero_one_l2(alpha):
    return -10 * F.mse_loss(torch.sigmoid(alpha), torch.full_like(alpha, 0.5))


def zero_one_l1(alpha):
    return -10 * F.l1_loss(torch.sigmoid(alpha), torch.full_like(alpha, 0.5))


def schedules():
    """Learning rates of CosineAnnealingLR, temperatures and dropout rates as the programs write
    them."""
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.025)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50.0, eta_min=0.001)
    rates = []
    for _ in range(50):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    dropout = []
    for epoch in range(25):  # chenxin061/pdarts: train_search.py
        if epoch < 10:
            dropout.append(0.4 * (25 - epoch - 1) / 25)
        else:
            dropout.append(0.4 * float(torch.exp(torch.tensor(-(epoch - 10) * 0.2))))
    write("schedules", {
        "cosine": rates,
        "gdas_temperature": [10 - (10 - 0.1) * epoch / (250 - 1) for epoch in range(250)],
        "snas_temperature": [(1 - epoch / 150) * (1 - 0.03) + 0.03 for epoch in range(150)],
        "p_darts_dropout": dropout,
    })


search("darts", softmax)
search("gdas", gdas, seed=1)
search("snas", snas, clip=10.0, seed=2, scale=100.0)
search("pc_darts", softmax, lr=6e-4, edges=True, seed=3)
search("drnas", drnas, lr=6e-4, seed=4)
search("drnas_kl", drnas, loss=divergence, lr=6e-4, decay=0, seed=5)
search("p_darts", softmax, lr=6e-4, clip=5.0, seed=6, scale=100.0)
search("fair_darts", sigmoid, loss=zero_one_l2, lr=3e-3, betas=(0.9, 0.999), seed=7)
search("fair_darts_l1", sigmoid, loss=zero_one_l1, lr=3e-3, betas=(0.9, 0.999), seed=8)
schedules()
