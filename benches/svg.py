"""Bars with whiskers, as SVG: readable on a light and on a dark page."""

from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 760, 190, 190, 26, 50
COLOURS = {"ours": "#d9480f", "peer": "#4c6ef5", "other": "#868e96", "floor": "#ced4da"}


def number(value):
    """Three digits that count."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def bars(title, unit, rows, better="shorter"):
    """rows: label, kind (a key of COLOURS), summary. Bars are medians, whiskers the 10th and 90th percentile."""
    height = TOP + ROW * len(rows) + 14
    room = WIDTH - LEFT - RIGHT
    # A whisker that would dwarf all bars is cut off.
    most = max(summary["median"] for _, _, summary in rows)
    scale = room / max(min(max(summary["p90"] for _, _, summary in rows), most * 1.3), 1e-9)

    def x(value):
        return LEFT + max(0, min(value * scale, room))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="600" fill="#212529">{escape(title)}</text>',
        f'<text x="12" y="40" font-size="11" fill="#495057">{escape(unit)}; {better} is better; '
        "whiskers: 10th to 90th percentile</text>",
    ]
    for index, (label, kind, summary) in enumerate(rows):
        y = TOP + ROW * index
        middle = y + ROW / 2
        weight = ' font-weight="600"' if kind == "ours" else ""
        width = x(summary["median"]) - LEFT
        spread = f"({number(summary['p10'])}–{number(summary['p90'])})" if summary["p10"] != summary["p90"] else ""
        parts += [
            f'<text x="{LEFT - 8}" y="{middle + 4}" text-anchor="end" fill="#212529"{weight}>{escape(label)}</text>',
            f'<rect x="{LEFT}" y="{y + 5}" width="{width:.1f}" height="{ROW - 10}" fill="{COLOURS[kind]}"/>',
            f'<text x="{WIDTH - RIGHT + 10}" y="{middle + 4}" fill="#212529"{weight}>{number(summary["median"])} '
            f'<tspan font-size="11" font-weight="400" fill="#495057">{spread}</tspan></text>',
        ]
        if spread:
            low, high = x(summary["p10"]), x(summary["p90"])
            parts.append(f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#212529" stroke-width="1.2"/>')
    return "\n".join([*parts, "</svg>", ""])


def lines(title, unit, across, series):
    """series: label, a colour's kind, points (x, y). From zero, so that what is flat looks flat."""
    # Two labels in a line.
    height, top, bottom, left = 260, TOP + 16 * ((len(series) - 1) // 2), 34, 70
    room, tall = WIDTH - left - 20, height - top - bottom
    points = [point for _, _, several in series for point in several]
    most_x, most_y = max(x for x, _ in points) or 1, max(y for _, y in points) * 1.15 or 1
    place = lambda x, y: f"{left + x / most_x * room:.1f} {top + tall - y / most_y * tall:.1f}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="600" fill="#212529">{escape(title)}</text>',
        f'<path d="M{left} {top}V{top + tall}H{left + room}" fill="none" stroke="#868e96"/>',
        f'<text x="{left - 8}" y="{top + tall + 4}" text-anchor="end" fill="#495057">0</text>',
        f'<text x="{left + room}" y="{height - 10}" text-anchor="end" fill="#495057">{number(most_x)} {escape(across)}</text>',
        f'<text x="12" y="40" font-size="11" fill="#495057">{escape(unit)}</text>',
    ]
    for at, (label, kind, several) in enumerate(series):
        parts.append(f'<path d="M{"L".join(place(x, y) for x, y in several)}" fill="none" stroke="{COLOURS[kind]}" stroke-width="1.6"/>')
        last = several[-1][1]
        parts.append(f'<text x="{left + 12 + 330 * (at % 2)}" y="{TOP - 2 + 16 * (at // 2)}" fill="{COLOURS[kind]}">{escape(label)}: {number(last)} at the end</text>')
    return "\n".join([*parts, "</svg>", ""])
