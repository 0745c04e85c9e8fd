"""Figures as a table and a plot, and only those that mean something."""

import statistics
from html import escape

COLOURS = ["#e4572e", "#4a7c59", "#2e6f9e", "#b08ea2", "#8d6a3f", "#6c757d", "#d4a017", "#5b5f97", "#a4c3b2", "#444444"]

# Fewer rounds say nothing about how far they differ.
ROUNDS_MIN = 3


def spread(values):
    """Half of the distance between the quartiles, or between the ends where there are few values."""
    if len(values) < 4:
        return (max(values) - min(values)) / 2
    first, _, third = statistics.quantiles(values, n=4)
    return (third - first) / 2


def ratio(ours, theirs):
    """How many times theirs ours is, compared round by round; `≈` where the rounds disagree by more than that."""
    ratios = [a / b for a, b in zip(ours, theirs) if b]
    if len(ratios) < ROUNDS_MIN:
        return "too few rounds"
    middle = statistics.median(ratios)
    return f"{middle:.2f} ×" if abs(middle - 1) > spread(ratios) else f"≈ 1 (±{spread(ratios):.2f})"


def table(rows, peers, samples, reference):
    """Markdown: for every row each peer's requests per second, ratio, p99 and CPU."""
    lines = [
        f"| work | server | requests/s | ± | to {reference} | p99 ms | CPU µs/request | user | errors |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        for peer in peers:
            runs = samples.get(row, {}).get(peer)
            if not runs:
                continue
            rates = [run["rate"] for run in runs]
            rate = statistics.median(rates)
            base = samples[row].get(reference)
            to = ratio(rates, [run["rate"] for run in base]) if base and peer != reference else ""
            middle = {key: statistics.median(run[key] for run in runs) for key in ("p99_ms", "cpu_us", "user_us")}
            errors = sum(run["errors"] for run in runs)
            lines.append(
                f"| {row} | {peer} | {rate:,.0f} | {100 * spread(rates) / rate if rate else 0:.0f} % | {to} "
                f"| {middle['p99_ms']:.2f} | {middle['cpu_us']:.2f} | {middle['user_us']:.2f} | {errors or ''} |"
            )
    return "\n".join(lines) + "\n"


def plot(rows, peers, samples, reference, machine):
    """SVG: three panels of bars over the same rows."""
    panels = [
        ("throughput, times " + reference, lambda row, peer: middle(samples, row, peer, "rate") / (middle(samples, row, reference, "rate") or 1)),
        ("p99 in ms, less is better", lambda row, peer: middle(samples, row, peer, "p99_ms")),
        ("server CPU in µs per request, less is better", lambda row, peer: middle(samples, row, peer, "cpu_us")),
    ]
    width, height, left = 1100, 180, 20
    step = (width - 2 * left) / max(1, len(rows))
    bar = step * 0.8 / max(1, len(peers))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {len(panels) * (height + 70) + 60}" font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for index, peer in enumerate(peers):
        out.append(f'<rect x="{left + index * 110}" y="10" width="12" height="12" fill="{COLOURS[index % len(COLOURS)]}"/>')
        out.append(f'<text x="{left + index * 110 + 17}" y="20">{escape(peer)}</text>')
    for number, (title, value) in enumerate(panels):
        top = 40 + number * (height + 70)
        out.append(f'<text x="{left}" y="{top + 10}" font-weight="bold">{escape(title)}</text>')
        base = top + height + 20
        for at, row in enumerate(rows):
            x = left + at * step
            values = [value(row, peer) for peer in peers]
            # Rows differ by a thousandfold, so each has a scale of its own and its figures over the bars.
            tallest = max(values) or 1
            for index, figure in enumerate(values):
                tall = (height - 20) * figure / tallest
                place = x + index * bar
                out.append(f'<rect x="{place:.1f}" y="{base - tall:.1f}" width="{bar * 0.9:.1f}" height="{tall:.1f}" fill="{COLOURS[index % len(COLOURS)]}"/>')
                out.append(f'<text x="{place + bar / 2:.1f}" y="{base - tall - 2:.1f}" font-size="7" text-anchor="middle">{figure:.3g}</text>')
            out.append(f'<text x="{x + step * 0.4:.1f}" y="{base + 14}" text-anchor="middle" font-size="10">{escape(row)}</text>')
        out.append(f'<line x1="{left}" x2="{width - left}" y1="{base}" y2="{base}" stroke="#999"/>')
    out.append(f'<text x="{left}" y="{len(panels) * (height + 70) + 50}" fill="#666">{escape(machine)}</text></svg>')
    return "\n".join(out) + "\n"


def middle(samples, row, peer, key):
    runs = samples.get(row, {}).get(peer) or []
    return statistics.median(run[key] for run in runs) if runs else 0
