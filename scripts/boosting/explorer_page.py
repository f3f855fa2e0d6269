"""The text of the explorer's page (a template: $options, $data)."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>Weigh error, balance and fairness, and see which model that chooses</title>
<style>
body { font: 16px/1.45 system-ui, sans-serif; margin: 1rem auto; max-width: 74rem; padding: 0 1rem; color: #1a1a1a; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 1rem 0 .3rem; }
.note { color: #555; font-size: .88rem; }
#both { display: grid; grid-template-columns: minmax(18rem, 2fr) minmax(0, 3fr); gap: 1.5rem; }
@media (max-width: 52rem) { #both { grid-template-columns: minmax(0, 1fr); } }
.weight { display: grid; grid-template-columns: 9rem 1fr 3.2rem; gap: .6rem; align-items: center; margin: .35rem 0; }
.weight output { text-align: right; font-variant-numeric: tabular-nums; }
input[type=range] { width: 100%; accent-color: #0072B2; }
button, select { font: inherit; padding: .2rem .6rem; }
button { border: 1px solid #0072B2; background: #fff; color: #00507d; cursor: pointer; }
#answer { border-left: 4px solid #D55E00; padding: .1rem 0 .1rem .9rem; }
svg { box-sizing: border-box; width: 100%; height: auto; border: 1px solid #ddd; }
svg text { font-size: 12px; fill: #333; }
circle { cursor: pointer; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #e4e4e4; }
td { font-variant-numeric: tabular-nums; }
tr.chosen { background: #fdf1d6; }
td button { border: 0; padding: 0; text-decoration: underline; text-align: left; }
</style>
</head>
<body>
<h1>Weigh error, balance and fairness, and see which model that chooses</h1>
<p class="note">Each model is one round of one booster, fitted on the first split. Only models that no other one beats
in everything take part. Half of the test rows choose; the numbers below are of the other half.</p>
<p><label>Data and attributes: <select id="cell">$options</select></label> <span class="note" id="groups"></span></p>
<div id="both">
<section aria-label="Your weights">
<h2>How much does each matter to you?</h2>
<div id="weights"></div>
<p id="presets" role="group" aria-label="Ready-made weights"></p>
<div id="answer" aria-live="polite"></div>
</section>
<section aria-label="All models">
<p><label>Up: <select id="up"></select></label></p>
<svg id="plot" viewBox="0 0 640 430" role="img"
 aria-label="Scatter of the models; the table holds the nearest ones"></svg>
<p class="note" id="other" aria-live="polite">Click a mark to read why it is not the chosen one.</p>
</section>
</div>
<h2>The five models nearest to your weights</h2>
<div class="scroll"><table><thead><tr id="head"></tr></thead><tbody></tbody></table></div>
<script type="application/json" id="data">$data</script>
<script>
"use strict";
const { objectives, cells } = JSON.parse(document.getElementById("data").textContent);
const by = (id) => document.getElementById(id), NS = "http://www.w3.org/2000/svg";
const presets = { "equal weights": [1, 1, 1, 1, 1], "errors first": [6, 1, 1, 1, 1], "balance first": [1, 6, 1, 1, 1],
  "groups first": [1, 1, 2, 2, 2] };
let cell, ranked = [], pseudo = [];

function element(tag, text, parent, attributes = {}) {
  const made = tag.startsWith("svg:") ? document.createElementNS(NS, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  parent.append(made);
  return made;
}
const points = (share) => (100 * share).toFixed(1);
const title = (model) => "round " + model.round + " of " + model.arm;
function sliders() { return [...document.querySelectorAll("#weights input")]; }

// Pseudo-weights: how far below its worst each objective lies, in units of its range, scaled to sum to 1.
function pseudoWeights(rows) {
  const worst = objectives.map((_, k) => Math.max(...rows.map((row) => row[k])));
  const best = objectives.map((_, k) => Math.min(...rows.map((row) => row[k])));
  return rows.map((row) => {
    const gains = row.map((value, k) => worst[k] > best[k] ? (worst[k] - value) / (worst[k] - best[k]) : 0);
    const total = gains.reduce((a, b) => a + b, 0);
    return gains.map((gain) => total > 0 ? gain / total : 1 / objectives.length);
  });
}
function preference() {
  const raw = sliders().map((slider) => Number(slider.value)), total = raw.reduce((a, b) => a + b, 0);
  return total > 0 ? raw.map((value) => value / total) : null;
}
function rank(wanted) {  // nearest first, by the sum of absolute differences; equal ones keep their order
  const distance = pseudo.map((own) => own.reduce((sum, value, k) => sum + Math.abs(value - wanted[k]), 0));
  return distance.map((value, number) => ({ number, distance: value })).sort((a, b) => a.distance - b.distance);
}
function explain(chosen) {
  const answer = by("answer"), model = cell.models[chosen.number], wanted = preference(), own = pseudo[chosen.number];
  answer.replaceChildren();
  element("h2", "Chosen: " + title(model), answer);
  element("p", "Among " + cell.models.length + " models that no other one beats in everything, its strengths match "
    + "your weights best. " + (model.kept ? "It is also the round that the method itself keeps." : ""), answer);
  const list = element("ul", "", answer);
  objectives.forEach((objective, k) => {
    const reports = cell.models.map((other) => other.report[k]);
    element("li", objective.name + ": " + points(model.report[k]) + (k ? " points, the " : " of 100 ")
      + objective.says + " (these models reach from " + points(Math.min(...reports)) + " to "
      + points(Math.max(...reports)) + "). You gave it " + Math.round(100 * wanted[k]) + " %, and "
      + Math.round(100 * own[k]) + " % of this model's strength lies there.", list);
  });
  const most = own.map((value, k) => [value - wanted[k], k]).sort((a, b) => a[0] - b[0]);
  const short = objectives[most[0][1]].name, over = objectives[most[most.length - 1][1]].name;
  element("p", "It gives " + over + " more, and " + short + " less, than you asked for; no other model comes closer.",
    answer);
}
function compare(number) {
  const model = cell.models[number], best = ranked[0];
  if (!best) return;
  const own = ranked.find((other) => other.number === number), top = cell.models[best.number];
  if (number === best.number) { by("other").textContent = "This is the chosen model: " + title(model) + "."; return; }
  const better = [], worse = [];
  objectives.forEach((objective, k) => {
    const change = model.report[k] - top.report[k];
    if (Math.abs(change) >= 0.0005) {
      (change < 0 ? better : worse).push(objective.name + " by " + points(Math.abs(change)) + " points");
    }
  });
  by("other").textContent = title(model) + " is not chosen: its strengths lie " + own.distance.toFixed(2)
    + " from your weights, those of the chosen one " + best.distance.toFixed(2)
    + ". Against the chosen one it is better in " + (better.join(", ") || "nothing")
    + " and worse in " + (worse.join(", ") || "nothing") + ".";
}
function draw() {
  const plot = by("plot"), k = Number(by("up").value);
  plot.replaceChildren();
  const across = cell.models.map((model) => model.report[0]), up = cell.models.map((model) => model.report[k]);
  const range = (values) => {
    const low = Math.min(...values), high = Math.max(...values), pad = (high - low) * 0.06 || 0.01;
    return [Math.max(0, low - pad), high + pad];
  };
  const [x0, x1] = range(across), [y0, y1] = range(up);
  const at = (x, y) => [60 + 560 * (x - x0) / (x1 - x0), 385 - 365 * (y - y0) / (y1 - y0)];
  for (let step = 0; step <= 4; step++) {
    const x = x0 + (x1 - x0) * step / 4, y = y0 + (y1 - y0) * step / 4, [px] = at(x, y0), [, py] = at(x0, y);
    element("svg:line", "", plot, { x1: px, x2: px, y1: 20, y2: 385, stroke: "#eee" });
    element("svg:line", "", plot, { x1: 60, x2: 620, y1: py, y2: py, stroke: "#eee" });
    element("svg:text", x.toFixed(3), plot, { x: px, y: 402, "text-anchor": "middle" });
    element("svg:text", y.toFixed(3), plot, { x: 54, y: py + 4, "text-anchor": "end" });
  }
  element("svg:text", "error", plot, { x: 340, y: 424, "text-anchor": "middle" });
  cell.models.forEach((model, number) => {
    const [x, y] = at(across[number], up[number]);
    const dot = element("svg:circle", "", plot, { cx: x, cy: y, r: 5, fill: "#0072B2", "fill-opacity": 0.45,
      "data-model": number });
    element("svg:title", title(model), dot);
  });
  if (ranked.length) {
    const { number } = ranked[0], [x, y] = at(across[number], up[number]);
    element("svg:circle", "", plot, { cx: x, cy: y, r: 6, fill: "#D55E00", "data-model": number, id: "mark" });
    element("svg:circle", "", plot, { cx: x, cy: y, r: 11, fill: "none", stroke: "#D55E00", "stroke-width": 2.5 });
  }
}
function table() {
  const body = document.querySelector("tbody");
  body.replaceChildren();
  ranked.slice(0, 5).forEach(({ number, distance }, place) => {
    const row = element("tr", "", body, place ? {} : { class: "chosen" }), model = cell.models[number];
    element("button", title(model), element("td", "", row), { type: "button", "data-model": number });
    element("td", distance.toFixed(3), row);
    for (const value of model.report) element("td", value.toFixed(3), row);
  });
}
function update() {
  const wanted = preference();
  sliders().forEach((slider, k) => {
    slider.parentElement.querySelector("output").textContent = wanted ? Math.round(100 * wanted[k]) + " %" : "0 %";
  });
  by("other").textContent = "Click a mark to read why it is not the chosen one.";
  ranked = wanted ? rank(wanted) : [];
  if (wanted) explain(ranked[0]);
  else {
    by("answer").replaceChildren();
    element("p", "All weights are zero, so nothing can be chosen: raise at least one of them.", by("answer"));
  }
  draw();
  table();
}
function open() {
  cell = cells[Number(by("cell").value)];
  pseudo = pseudoWeights(cell.models.map((model) => model.choice));
  by("groups").textContent = cell.groups + "; " + cell.rows.toLocaleString("en") + " rows choose";
  update();
}
objectives.forEach((objective, k) => {
  const line = element("label", "", by("weights"), { class: "weight", title: objective.says });
  element("span", objective.name, line);
  element("input", "", line, { type: "range", min: 0, max: 100, value: 50 });
  element("output", "", line);
  if (k) element("option", objective.name, by("up"), { value: k });
});
by("up").value = String(objectives.length - 1);
for (const [name, weights] of Object.entries(presets)) {
  const button = element("button", name, by("presets"), { type: "button" });
  button.addEventListener("click", () => {
    sliders().forEach((slider, k) => { slider.value = Math.round(16 * weights[k]); });
    update();
  });
  by("presets").append(" ");
}
for (const words of ["model", "distance from your weights", ...objectives.map((objective) => objective.name)]) {
  element("th", words, by("head"), { scope: "col" });
}
by("weights").addEventListener("input", update);
by("cell").addEventListener("change", open);
by("up").addEventListener("change", draw);
for (const place of [by("plot"), document.querySelector("tbody")]) {
  place.addEventListener("click", (event) => {
    const found = event.target.closest("[data-model]");
    if (found) compare(Number(found.dataset.model));
  });
}
if (cells.length) open();
else element("p", "These results hold no models to choose from.", by("answer"));
</script>
</body>
</html>
"""
