"""Writes the reference arrays beside this script: the controller of ENAS and the architecture weights
of ProxylessNAS, step by step, as PyTorch's autograd and its Adam compute them in float64.

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install torch==2.13.0 numpy
    /tmp/reference/bin/python make_reference.py

Everything below is written from the papers and from the rules of the released programs, and uses
nothing of this project. `src/enas/reference.rs` and `src/proxyless/reference.rs` take the same steps
and compare.
"""

import json
import math
from pathlib import Path

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
HERE = Path(__file__).parent


def numbers(values):
    """Plain numbers, each with all its bits."""
    return values.detach().reshape(-1).tolist()


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=None, separators=(",", ":")) + "\n")


# ENAS ---------------------------------------------------------------------------------------------

# The space of the test: what can be picked, and the choices in their order. `sizes` counts a
# member that means `stop`, which comes last, where a choice takes a varying number.
VOCABULARIES = [
    {"size": 4, "biases": [0.0, 0.0, 10.0, 0.0]},  # none, pool, sep_conv_3x3, skip
    {"size": 3, "biases": [0.0, 0.0, 0.0]},  # three inputs
    {"size": 4, "biases": [0.0, 0.0, 0.0, 0.0]},  # a, b, c, stop
    {"size": 3, "biases": [0.0, 0.0, 0.0]},  # three depths
]
FIXED = [-0.25, -0.25, 0.25, -0.25]
DECISIONS = [
    {"vocabulary": 0, "selectable": [1, 2, 3], "min": 1, "max": 1, "fixed": FIXED},
    {"vocabulary": 0, "selectable": [1, 2, 3], "min": 1, "max": 1, "fixed": None},
    {"vocabulary": 1, "selectable": [0, 1, 2], "min": 2, "max": 2, "fixed": None},
    {"vocabulary": 2, "selectable": [0, 1, 2], "min": 0, "max": 2, "fixed": None},
    {"vocabulary": 3, "selectable": [0, 1, 2], "min": 1, "max": 1, "fixed": None},
]
INPUTS_VOCABULARY = 1


class Controller(nn.Module):
    """An LSTM that picks the members of one choice after another."""

    def __init__(self, size, layers, bias, tanh_constant, reduce, temperature, own, generator):
        super().__init__()
        uniform = lambda *shape: nn.Parameter((torch.rand(*shape, generator=generator) - 0.5) * 0.8)
        self.size, self.layers = size, layers
        self.tanh_constant, self.reduce, self.temperature = tanh_constant, reduce, temperature
        # Columns: input gate, forget gate, output gate, candidate, as in the released program.
        self.lstm = nn.ParameterList([uniform(2 * size, 4 * size) for _ in range(layers)])
        self.lstm_bias = nn.ParameterList([uniform(4 * size) for _ in range(layers if bias else 0)])
        self.start = uniform(size)
        self.embeddings = nn.ParameterList([uniform(v["size"], size) for v in VOCABULARIES])
        self.weights = nn.ParameterList([uniform(v["size"], size) for v in VOCABULARIES])
        self.biases = nn.ParameterList([nn.Parameter(torch.tensor(v["biases"])) for v in VOCABULARIES])
        # Biases of each choice's own, where there are such.
        sizes = [VOCABULARIES[d["vocabulary"]]["size"] for d in DECISIONS if own]
        self.own = nn.ParameterList([uniform(size) for size in sizes])

    def in_order(self):
        """The parameters in the order in which the plugin has them."""
        for layer in range(self.layers):
            yield self.lstm[layer]
            if len(self.lstm_bias):
                yield self.lstm_bias[layer]
        yield self.start
        for v in range(len(VOCABULARIES)):
            yield from (self.embeddings[v], self.weights[v], self.biases[v])
        yield from self.own

    def flat(self, of=lambda parameter: parameter.data):
        return torch.cat([of(parameter).reshape(-1) for parameter in self.in_order()])

    def step(self, x, states):
        after = []
        for layer in range(self.layers):
            hidden, cell = states[layer]
            gates = torch.cat([x, hidden]) @ self.lstm[layer]
            if len(self.lstm_bias):
                gates = gates + self.lstm_bias[layer]
            i, f, o, g = gates.chunk(4)
            cell = torch.sigmoid(i) * torch.tanh(g) + torch.sigmoid(f) * cell
            x = torch.sigmoid(o) * torch.tanh(cell)
            after.append((x, cell))
        return x, after

    def forward(self, moves):
        """Log-probability of these moves, and the entropy of the distributions on the way."""
        zero = torch.zeros(self.size)
        states, x = [(zero, zero)] * self.layers, self.start
        log_probability, entropy = torch.zeros(()), torch.zeros(())
        moves = iter(moves)
        for number, decision in enumerate(DECISIONS):
            v = decision["vocabulary"]
            n_members = VOCABULARIES[v]["size"] - (decision["min"] < decision["max"])
            picked = []
            while len(picked) < decision["max"]:
                hidden, states = self.step(x, states)
                logits = self.weights[v] @ hidden + self.biases[v]
                if len(self.own):
                    logits = logits + self.own[number]
                logits = logits / self.temperature
                if self.tanh_constant > 0:
                    reduce = 1.0 if v == INPUTS_VOCABULARY else self.reduce
                    logits = self.tanh_constant / reduce * torch.tanh(logits)
                if decision["fixed"] is not None:
                    logits = logits + torch.tensor(decision["fixed"])
                allowed = [m for m in decision["selectable"] if m not in picked]
                if decision["min"] < decision["max"] and len(picked) >= decision["min"]:
                    allowed.append(n_members)
                distribution = torch.distributions.Categorical(logits=logits[allowed])
                pick = next(moves)
                log_probability = log_probability + distribution.log_prob(
                    torch.tensor(allowed.index(pick))
                )
                entropy = entropy + distribution.entropy()
                x = self.embeddings[v][pick]
                if pick == n_members:
                    break
                picked.append(pick)
        return log_probability, entropy.detach()


# Two samples an update, three updates.
MOVES = [
    [[1, 2, 0, 2, 3, 1], [2, 2, 1, 0, 2, 0, 2]],
    [[3, 1, 2, 1, 0, 3, 0], [2, 3, 0, 1, 3, 2]],
    [[2, 2, 2, 0, 1, 2, 1], [1, 1, 1, 2, 3, 0]],
]
ACCURACIES = [[0.3, 0.45], [0.5, 0.2], [0.75, 0.6]]


def enas(layers, bias, tanh_constant, reduce, temperature, own, clip, from_first):
    entropy_weight, decay, learning_rate, betas, epsilon = 0.05, 0.9, 0.0035, (0.0, 0.999), 1e-3
    generator = torch.Generator().manual_seed(layers)
    controller = Controller(3, layers, bias, tanh_constant, reduce, temperature, own, generator)
    optimizer = torch.optim.Adam(controller.parameters(), learning_rate, betas, epsilon)
    baseline = None if from_first else 0.0
    case = {
        "settings": {
            "lstm_size": 3, "lstm_layers": layers, "lstm_bias": bias, "tanh_constant": tanh_constant,
            "operation_tanh_reduce": reduce, "temperature": temperature,
            "choice_biases": own, "controller_clip": clip,
            "baseline_from_first": from_first, "entropy_weight": entropy_weight,
            "baseline_decay": decay, "controller_learning_rate": learning_rate,
            "samples_per_update": 2,
        },
        "parameters": numbers(controller.flat()),
        "updates": [],
    }
    for update, accuracies in zip(MOVES, ACCURACIES):
        samples = []
        optimizer.zero_grad()
        for moves, accuracy in zip(update, accuracies):
            log_probability, entropy = controller(moves)
            reward = accuracy + entropy_weight * float(entropy)
            baseline = accuracy if baseline is None else baseline - (1 - decay) * (baseline - reward)
            (-log_probability * (reward - baseline) / len(update)).backward()
            samples.append({
                "moves": moves, "accuracy": accuracy,
                "log_probability": float(log_probability.detach()), "entropy": float(entropy),
            })
        # Embeddings of what is only ever picked last have none.
        gradient = numbers(controller.flat(
            lambda p: torch.zeros_like(p) if p.grad is None else p.grad
        ))
        if clip > 0:
            nn.utils.clip_grad_norm_(controller.parameters(), clip)
        optimizer.step()
        case["updates"].append(
            {"samples": samples, "gradient": gradient, "parameters": numbers(controller.flat())}
        )
    return case


# ProxylessNAS -------------------------------------------------------------------------------------

# Paths of three choices; the last path of the second is one whose choice rests while it is open.
N_PATHS = [4, 3, 2]
FROZEN = (1, 2)
COSTS = [[40.0, 25.0, 12.5, 31.0], [7.0, 9.0, 0.0], [20.0, 3.0]]
FIXED_COST = 5.0
REFERENCE = 80.0


def expected_cost(probabilities):
    return FIXED_COST + sum(
        (p * torch.tensor(costs)).sum() for p, costs in zip(probabilities, COSTS)
    )


def with_cost(kind, cross_entropy, expected):
    if kind == "mul-log":
        return 0.2 * cross_entropy * (torch.log(expected) / math.log(REFERENCE)) ** 0.3
    if kind == "add-linear":
        return cross_entropy + 0.1 * (expected - REFERENCE) / REFERENCE
    return cross_entropy


def proxyless(gates, kind):
    generator = torch.Generator().manual_seed(7)
    draw = lambda n: torch.randn(n, generator=generator)
    alphas = [nn.Parameter(0.5 * draw(n)) for n in N_PATHS]
    optimizer = torch.optim.Adam(alphas, 1e-3, (0.0, 0.999))
    case = {"gates": gates, "cost_loss": kind, "alpha": numbers(torch.cat(alphas)), "steps": []}
    for step in range(4):
        value = 2.3 - 0.2 * step
        in_gates = [draw(n) for n in N_PATHS]
        active, inactive, probabilities, binary = [], [], [], []
        for c, (alpha, n) in enumerate(zip(alphas, N_PATHS)):
            p = torch.softmax(alpha, 0)
            if gates == "two":
                drawn = torch.multinomial(p.detach(), 2, generator=generator).tolist()
                # The frozen path opens in one step, whatever was drawn.
                if c == FROZEN[0] and step == 2:
                    drawn = [FROZEN[1], 0]
                share = torch.softmax(alpha[drawn], 0)
                masked = torch.zeros(n).index_put((torch.tensor(drawn),), share)
                probabilities.append(masked)
                inactive.append(drawn[1])
            else:
                drawn = torch.multinomial(p.detach(), 1, generator=generator).tolist()
                if c == FROZEN[0] and step == 2:
                    drawn = [FROZEN[1]]
                probabilities.append(p)
            active.append(drawn[0])
            gate = torch.zeros(n)
            gate[drawn[0]] = 1.0
            binary.append(nn.Parameter(gate))
        # A loss of this value whose gradient in the gates is `in_gates`.
        cross_entropy = value + sum(
            (g * (w - w.detach())).sum() for g, w in zip(in_gates, binary)
        )
        loss = with_cost(kind, cross_entropy, expected_cost(probabilities))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        before = [alpha.detach().clone() for alpha in alphas]
        for c, alpha in enumerate(alphas):
            if (c, active[c]) == FROZEN:
                alpha.grad = None
                continue
            if alpha.grad is None:
                alpha.grad = torch.zeros_like(alpha)
            involved = [active[c], inactive[c]] if gates == "two" else list(range(N_PATHS[c]))
            p = torch.softmax(alpha.detach()[involved], 0)
            for i, at in enumerate(involved):
                for j, of in enumerate(involved):
                    delta = 1.0 if i == j else 0.0
                    alpha.grad[at] += binary[c].grad[of] * p[j] * (delta - p[i])
        shares = [
            numbers(torch.softmax(alpha.detach()[[active[c], inactive[c]]], 0)) if gates == "two"
            else numbers(torch.softmax(alpha.detach(), 0))
            for c, alpha in enumerate(alphas)
        ]
        alpha_gradient = [
            None if alpha.grad is None else numbers(alpha.grad) for alpha in alphas
        ]
        optimizer.step()
        if gates == "two":
            for c, alpha in enumerate(alphas):
                if (c, active[c]) == FROZEN:
                    continue
                involved = [active[c], inactive[c]]
                offset = math.log(
                    float(alpha.detach()[involved].exp().sum() / before[c][involved].exp().sum())
                )
                alpha.data[involved] -= offset
        case["steps"].append({
            "loss": value, "gradient": numbers(torch.cat(in_gates)), "active": active,
            "inactive": inactive, "probabilities": shares,
            "expected_cost": float(expected_cost(probabilities).detach()),
            "alpha_gradient": alpha_gradient,
            "alpha": numbers(torch.cat([alpha.detach() for alpha in alphas])),
        })
    return case


write("enas.json", [
    enas(1, False, 1.1, 2.5, 1.0, False, 0.0, False),
    enas(2, True, 2.5, 1.0, 5.0, False, 0.1, True),
    enas(1, False, 0.0, 1.0, 1.0, True, 0.0, False),
])
write("proxyless.json", {
    "costs": sum(COSTS, []), "fixed_cost": FIXED_COST, "reference_cost": REFERENCE,
    "cases": [
        proxyless(gates, kind)
        for gates in ("full-v2", "two")
        for kind in ("mul-log", "add-linear", "none")
    ],
})
