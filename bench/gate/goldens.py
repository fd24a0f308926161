"""Golden numbers for the statistics of the gate, from SciPy.

Makes tests/fixtures/gate-goldens.json: python bench/gate/goldens.py > tests/fixtures/gate-goldens.json
Needs bench/gate/requirements.txt. Nothing of Whetstone's is read: the formulas stand here a second time.
"""

import json
import math

import numpy as np
import scipy
from scipy import special, stats

ALPHA = 0.05
GRID = np.linspace(0.02, 0.95, 12)


def exact_intervals() -> list[dict]:
    counts = [(0, 1), (0, 10), (1, 10), (9, 10), (10, 10), (50, 100), (37, 125), (2040, 2048), (3, 4096)]
    rows = []
    for successes, trials in counts:
        interval = stats.binomtest(successes, trials).proportion_ci(0.95, "exact")
        rows.append({"successes": successes, "trials": trials, "low": interval.low, "high": interval.high})
    return rows


def spending() -> list[dict]:
    """The r-th opening's share of alpha is 1/(zeta(2)·r²)."""
    rows = []
    for opening in [1, 2, 3, 4, 8, 20, 50]:
        fresh = ALPHA / (special.zeta(2) * opening**2)
        rows.append({"opening": opening, "fresh": fresh, "reused": fresh / 2 ** (opening - 1)})
    return rows


def wealth() -> list[dict]:
    """Of given differences, in closed form: products by way of logarithms, averaged over the grid."""
    generator = np.random.default_rng(20)
    kinds = {
        "wins": np.ones(8),
        "losses": -np.ones(30),
        "ties": np.zeros(50),
        "binary": generator.choice([-1, 0, 1], size=400, p=[0.1, 0.7, 0.2]),
        "quarters": generator.integers(-4, 5, size=300) / 4,
        "any": np.round(generator.uniform(-1, 1, size=150), 6),
        "long": generator.choice([-1, 0, 1], size=1500, p=[0.15, 0.65, 0.2]),
    }
    rows = []
    for name, differences in kinds.items():
        row = {"name": name, "differences": differences.tolist()}
        for key, steps in {
            "greater": differences,
            "less": 0.01 - differences,
            "lessByThree": 0.03 - differences,
        }.items():
            logs = np.log1p(np.outer(GRID, steps)).sum(axis=1)
            row[key] = float(special.logsumexp(logs) - math.log(len(GRID)))
        rows.append(row)
    return rows


def fixed_size() -> list[dict]:
    """Items that a one-sided paired test of 80 % power needs, exactly and by the normal approximation."""
    rows = []
    for opening in [1, 8, 50]:
        alpha = ALPHA / (special.zeta(2) * opening**2)
        for discordance, gain in [(0.1, 0.05), (0.1, 0.1), (0.25, 0.1), (0.25, 0.15), (0.45, 0.15)]:
            z = stats.norm.isf(alpha) * math.sqrt(discordance)
            z += stats.norm.isf(0.2) * math.sqrt(discordance - gain**2)
            normal = math.ceil((z / gain) ** 2)
            rows.append(
                {
                    "alpha": alpha,
                    "discordance": discordance,
                    "gain": gain,
                    "quantile": float(stats.norm.isf(alpha)),
                    "normal": normal,
                    "exact": exact_pairs(gain, discordance, alpha, normal),
                }
            )
    return rows


def exact_pairs(gain: float, discordance: float, alpha: float, guess: int) -> int:
    up = (discordance + gain) / (2 * discordance)
    counts = np.arange(2 * guess + 201)
    critical = stats.binom.isf(alpha, counts, 0.5) + 1
    shown = stats.binom.sf(critical - 1, counts, up)
    for pairs in range(1, len(counts)):
        if stats.binom.pmf(counts[: pairs + 1], pairs, discordance) @ shown[: pairs + 1] >= 0.8:
            return pairs
    raise ValueError("no size has the power")


def power_of_bets() -> list[dict]:
    """How often a bet on m = 0 is won within so many pairs, looked at after each."""
    rows = []
    for gain, pairs, alpha, discordance in [
        (0.1, 200, 0.05, 0.25),
        (0.15, 125, 0.0304, 0.25),
        (0.05, 400, 0.0038, 0.1),
    ]:
        chances = {(0, 0): 1.0}
        won = 0.0
        steps = [(1, 0, (discordance + gain) / 2), (0, 1, (discordance - gain) / 2), (0, 0, 1 - discordance)]
        lost = {}
        for _ in range(pairs):
            after: dict[tuple[int, int], float] = {}
            for (better, worse), chance in chances.items():
                for more, fewer, share in steps:
                    state = (better + more, worse + fewer)
                    if state not in lost:
                        logs = state[0] * np.log1p(GRID) + state[1] * np.log1p(-GRID)
                        lost[state] = special.logsumexp(logs) - math.log(len(GRID)) < -math.log(alpha)
                    if lost[state]:
                        after[state] = after.get(state, 0.0) + chance * share
                    else:
                        won += chance * share
            chances = after
        rows.append({"gain": gain, "pairs": pairs, "alpha": alpha, "discordance": discordance, "chance": won})
    return rows


def overstatements() -> list[dict]:
    """Expected maximum of k binomials at one half, minus one half: the sum of 1 − F(x)^k over x below n."""
    rows = []
    for items in [16, 256]:
        below = stats.binom.cdf(np.arange(items), items, 0.5)
        for candidates in range(4, 9):
            expected = float((1 - below**candidates).sum() / items - 0.5)
            rows.append({"candidates": candidates, "items": items, "overstatement": expected})
    return rows


GOLDENS = {
    "exactIntervals": exact_intervals(),
    "spending": spending(),
    "wealth": wealth(),
    "fixedSize": fixed_size(),
    "powerOfBets": power_of_bets(),
    "overstatements": overstatements(),
}
lines = [f'"source": "SciPy {scipy.__version__}, NumPy {np.__version__}: bench/gate/goldens.py"']
for name, rows in GOLDENS.items():
    lines.append(f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]")
print("{\n" + ",\n".join(lines) + "\n}")
