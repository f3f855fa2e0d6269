"""The three-way scatter as one HTML file that needs no network: click a model, read its settings and metrics.

The table below the picture holds every model and is reached by keyboard; it is all that is left
where a browser cannot draw in three dimensions. Names from the data reach the page as escaped
HTML or as text nodes, never as markup.
"""

import html
from string import Template

import pandas as pd
from plotly.offline import get_plotlyjs

from scripts.common import figures
from scripts.common.pages import embedded
from scripts.common.tables import UNDEFINED, format_number
from scripts.tradeoffs.looks import CONSTANT_NAMES
from scripts.tradeoffs.model_points import PROTOCOLS
from scripts.tradeoffs.runs import CONSTANTS

SETTING_WORDS = {
    "method": "method",
    "protocol": "protocol",
    "network": "network",
    "seed": "seed",
    "train_eps": "attack size in training (0: none)",
    "fairness_weight": "weight of the fairness penalty (0: none)",
    "selected_epoch": "epoch kept",
    "run": "name of the run",
}
COST_WORDS = {
    "error": "share of clean images judged wrongly",
    "under_attack": "share of images judged wrongly under attack",
    "gap": "gap between men and women in deserving people rejected",
}


def metric_words(threat: str) -> list[tuple[str, str, str]]:
    """Return what the panel shows besides the three costs: words, metric, subgroup."""
    return [
        ("right under attack, worst case of all attacks", f"robust_accuracy_{threat}", "all"),
        ("right under attack, published measure (APGD-CE)", f"robust_accuracy_{threat}_published", "all"),
        ("right under attack, men", f"robust_accuracy_{threat}", "men"),
        ("right under attack, women", f"robust_accuracy_{threat}", "women"),
        ("deserving men rejected (FNR)", "fnr", "men"),
        ("deserving women rejected (FNR)", "fnr", "women"),
        ("undeserving men accepted (FPR)", "fpr", "men"),
        ("undeserving women accepted (FPR)", "fpr", "women"),
        ("men accepted", "acceptance_rate", "men"),
        ("women accepted", "acceptance_rate", "women"),
    ]


def with_interval(value: float, low: float, high: float) -> str:
    """Return "0.312 (95 % interval 0.291 to 0.333)", without the interval where there is none."""
    if pd.isna(value):
        return "not measured"
    if pd.isna(low) or pd.isna(high):
        return format_number(value)
    return f"{format_number(value)} (95 % interval {format_number(low)} to {format_number(high)})"


def plain(value: object) -> str:
    """Return a setting as text; a missing one as a dash."""
    return UNDEFINED if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value)


def model_cards(points: pd.DataFrame, metrics: pd.DataFrame, runs: pd.DataFrame, threat: str) -> list[dict]:
    """Return for every model what the page knows of it, all of it text but the three coordinates."""
    test = metrics[metrics.split == "test"].set_index(["run", "metric", "subgroup"])[["value", "ci_low", "ci_high"]]
    settings = runs.set_index("run", drop=False)
    order = [*(name for name in SETTING_WORDS if name in runs), *sorted(set(runs.columns) - {*SETTING_WORDS, "arm"})]
    cards = []
    for row in points.itertuples():
        costs = [
            (words, with_interval(*(getattr(row, name + end) for end in ("", "_low", "_high"))))
            for name, words in COST_WORDS.items()
        ]
        keys = [(words, (row.run, metric, subgroup)) for words, metric, subgroup in metric_words(threat)]
        others = [
            (words, with_interval(*test.loc[key]) if key in test.index else "not measured") for words, key in keys
        ]
        own = settings.loc[row.run]
        cards.append(
            {
                "name": row.method,
                "kind": row.arm if row.arm in CONSTANTS else "efficient" if row.pareto else "dominated",
                "protocol": row.protocol,
                "at": [row.error, row.under_attack, row.gap],
                "settings": [(SETTING_WORDS.get(name, name.replace("_", " ")), plain(own[name])) for name in order],
                "metrics": [*costs, *others],
            }
        )
    return cards


def table_rows(cards: list[dict]) -> str:
    """Return the HTML rows of the table; the name is a button that opens the model's panel."""
    lines = []
    for number, card in enumerate(cards):
        cells = [card["protocol"].replace("_", " "), "yes" if card["kind"] == "efficient" else "no"]
        if card["kind"] in CONSTANTS:
            cells[1] = "constant"
        cells += [format_number(value) for value in card["at"]]
        seed = dict(card["settings"]).get("seed", "")
        name = html.escape(f"{card['name']} (seed {seed})" if card["kind"] not in CONSTANTS else card["name"])
        button = f'<td><button type="button" data-model="{number}">{name}</button></td>'
        row = button + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        lines.append(f'<tr data-protocol="{html.escape(card["protocol"])}">{row}</tr>')
    return "\n".join(lines)


def page(points: pd.DataFrame, metrics: pd.DataFrame, runs: pd.DataFrame, note: str, threat: str) -> str:
    """Return the whole page.

    Args:
        points: one row per model as `figure_three_way.three_costs` returns them.
        metrics, runs: the study's metrics and settings of those models.
        note: what the data is.
        threat: norm and size of the attack, as in the metrics' names.
    """
    cards = model_cards(points, metrics, runs, threat)
    norm, size = threat.split("_")
    kinds = {
        "efficient": {"name": "Pareto-efficient", "color": figures.ORANGE, "symbol": "circle", "size": 7},
        "dominated": {"name": "dominated", "color": figures.BLUE, "symbol": "diamond", "size": 5},
        "constant_reject": {
            "name": CONSTANT_NAMES["constant_reject"],
            "color": "#000000",
            "symbol": "cross",
            "size": 6,
        },
        "constant_accept": {"name": CONSTANT_NAMES["constant_accept"], "color": "#000000", "symbol": "x", "size": 5},
    }
    axes = ["error", f"error under attack ({norm}, {size})", "|FNR gap|"]
    present = [name for name in PROTOCOLS if (points.protocol == name).any()]
    buttons = "".join(
        f'<button type="button" data-protocol="{name}" aria-pressed="false">{PROTOCOLS[name]}</button>'
        for name in present
    )
    return Template(PAGE).substitute(
        plotly=get_plotlyjs(),
        buttons=buttons or "no models in these results",
        rows=table_rows(cards),
        note=html.escape(note),
        data=embedded({"models": cards, "kinds": kinds, "axes": axes, "first": present[-1] if present else ""}),
    )


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>Error, robustness and fairness of every model</title>
<style>
body { font: 16px/1.45 system-ui, sans-serif; margin: 1rem auto; max-width: 78rem; padding: 0 1rem; color: #1a1a1a; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; }
.note { color: #555; font-size: .85rem; }
#both { display: grid; grid-template-columns: minmax(0, 3fr) minmax(18rem, 2fr); gap: 1rem; }
@media (max-width: 52rem) { #both { grid-template-columns: minmax(0, 1fr); } }
#plot { height: 34rem; border: 1px solid #ddd; }
#panel { border: 1px solid #ddd; padding: 0 1rem; height: 34rem; overflow: auto; box-sizing: border-box; }
#panel dl { display: grid; grid-template-columns: 1fr 1fr; gap: .2rem .8rem; margin: 0; font-size: .85rem; }
#panel dt { color: #444; }
#panel dd { margin: 0; overflow-wrap: anywhere; }
button { font: inherit; cursor: pointer; }
#protocols button { padding: .3rem .9rem; border: 1px solid #0072B2; background: #fff; color: #00507d; }
#protocols button[aria-pressed=true] { background: #00507d; color: #fff; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #e4e4e4; }
td:nth-child(n+4) { font-variant-numeric: tabular-nums; }
td button { border: 0; background: none; color: #00507d; text-decoration: underline; padding: 0; text-align: left; }
tr.chosen { background: #fdf1d6; }
</style>
<script>$plotly</script>
</head>
<body>
<h1>Error, robustness and fairness of every model</h1>
<p class="note">$note</p>
<p id="protocols" role="group" aria-label="Protocol">Protocol: $buttons</p>
<div id="both">
<div id="plot" role="img" aria-label="Three-dimensional scatter; the table below holds the same numbers"></div>
<section id="panel" aria-live="polite" tabindex="0" aria-label="The chosen model">
<h2>Choose a model</h2>
<p>Click a mark in the picture, or a name in the table. Drag to turn the picture, scroll to come closer.</p>
<p>Nothing is better in all three at once than a Pareto-efficient model (orange circle). For every dominated one
(blue diamond) there is a model that is at least as good in all three and better in one.</p>
</section>
</div>
<h2>All models</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">model</th><th scope="col">protocol</th><th scope="col">Pareto-efficient</th>
<th scope="col">error</th><th scope="col">error under attack</th><th scope="col">FNR gap</th></tr></thead>
<tbody>
$rows
</tbody></table></div>
<script type="application/json" id="data">$data</script>
<script>
"use strict";
const { models, kinds, axes, first } = JSON.parse(document.getElementById("data").textContent);
const plot = document.getElementById("plot"), panel = document.getElementById("panel");
const traces = [];  // one per protocol and kind, and last a ring around the chosen model
let protocol = first, drawn = false;

function element(tag, text, parent) {
  const made = document.createElement(tag);
  made.textContent = text;
  parent.append(made);
  return made;
}
function markup(text) {  // the picture's labels read a little HTML: show it as it is
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
function list(title, pairs) {
  element("h2", title, panel);
  const lines = element("dl", "", panel);
  for (const [words, value] of pairs) { element("dt", words, lines); element("dd", value, lines); }
}
function choose(number) {
  const model = models[number];
  if (model.protocol !== protocol) show(model.protocol);
  panel.replaceChildren();
  element("h2", model.name, panel);
  const words = kinds[model.kind].name;
  const constant = model.kind.startsWith("constant");
  element("p", (constant ? "A constant classifier: " : "This model is ") + words + ".", panel);
  list("Measured on the test part", model.metrics);
  list("Settings", model.settings);
  panel.scrollTop = 0;
  for (const row of document.querySelectorAll("tbody tr")) {
    row.classList.toggle("chosen", row.querySelector("button").dataset.model === String(number));
  }
  if (drawn) {
    const [x, y, z] = model.at;
    Plotly.restyle(plot, { x: [[x]], y: [[y]], z: [[z]], customdata: [[number]], visible: true }, [traces.length - 1]);
  }
}
function show(name) {
  protocol = name;
  for (const button of document.querySelectorAll("#protocols button")) {
    button.setAttribute("aria-pressed", String(button.dataset.protocol === name));
  }
  for (const row of document.querySelectorAll("tbody tr")) row.hidden = row.dataset.protocol !== name;
  if (drawn) {
    const visible = traces.map((trace) => trace.meta.protocol === name && trace.meta.at_first);
    Plotly.restyle(plot, { visible });
  }
}
for (const name of new Set(models.map((model) => model.protocol))) {
  for (const [kind, look] of Object.entries(kinds)) {
    const numbers = [...models.keys()].filter((n) => models[n].kind === kind && models[n].protocol === name);
    if (!numbers.length) continue;
    const at = (axis) => numbers.map((n) => models[n].at[axis]);
    // "always accept" lies so far out that it waits in the legend until it is asked for
    const at_first = kind === "constant_accept" ? "legendonly" : true;
    traces.push({
      type: "scatter3d", mode: "markers", name: look.name, x: at(0), y: at(1), z: at(2), customdata: numbers,
      text: numbers.map((n) => markup(models[n].name)), meta: { protocol: name, at_first },
      hovertemplate: "%{text}<br>error %{x:.3f}<br>under attack %{y:.3f}<br>gap %{z:.3f}<extra></extra>",
      visible: name === first && at_first,
      marker: { size: look.size, color: look.color, symbol: look.symbol, line: { width: 1, color: "#303030" } },
    });
  }
}
traces.push({
  type: "scatter3d", mode: "markers", showlegend: false, hoverinfo: "skip", x: [], y: [], z: [], visible: false,
  marker: { size: 16, symbol: "circle-open", color: "#C00000", line: { width: 3 } }, meta: {},
});
const [x, y, z] = axes.map((title) => ({ title: { text: title }, nticks: 6 }));
const scene = { xaxis: x, yaxis: y, zaxis: z, aspectmode: "cube", camera: { eye: { x: 1.5, y: 1.6, z: 0.8 } } };
const layout = { scene, uirevision: "keep", margin: { l: 0, r: 0, t: 0, b: 0 }, legend: { x: 0, y: 1 } };
const tools = [["toImage", "zoom3d", "pan3d", "orbitRotation", "resetCameraDefault3d"]];  // none that calls a server
Plotly.newPlot(plot, traces, layout, { displaylogo: false, responsive: true, modeBarButtons: tools }).then(() => {
  drawn = true;
  // the picture is still being drawn when it tells of a click: change it after that
  plot.on("plotly_click", (event) => setTimeout(choose, 50, event.points[0].customdata));
}).catch(() => element("p", "This browser cannot draw in three dimensions; the table holds the same numbers.", plot));
document.querySelector("tbody").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) choose(Number(button.dataset.model));
});
document.getElementById("protocols").addEventListener("click", (event) => {
  if (event.target.dataset.protocol) show(event.target.dataset.protocol);
});
show(first);
</script>
</body>
</html>
"""
