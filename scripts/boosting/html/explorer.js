// The reader weighs objectives; the model whose strengths are nearest is chosen. Needs base.js and the data block.
const { objectives, cells } = pageData();
const by = (id) => document.getElementById(id);
const presets = { "equal weights": [1, 1, 1, 1, 1], "errors first": [6, 1, 1, 1, 1], "balance first": [1, 6, 1, 1, 1],
  "groups first": [1, 1, 2, 2, 2] };
let cell, ranked = [], pseudo = [];

const points = (share) => (100 * share).toFixed(1);
const percent = (share) => Math.round(100 * share) + "\u00a0%";
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
      + points(Math.max(...reports)) + "). You gave it " + percent(wanted[k]) + ", and "
      + percent(own[k]) + " of this model's strength lies there.", list);
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
  // As many units as pixels, so that its text stays as large as the page's on any screen.
  const width = Math.max(280, Math.round(plot.parentElement.clientWidth)), height = Math.round(Math.min(450, 0.8 * width));
  const left = 58, right = width - 20, top = 34, bottom = height - 46, steps = width < 460 ? 3 : 4;
  plot.replaceChildren();
  plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const across = cell.models.map((model) => model.report[0]), up = cell.models.map((model) => model.report[k]);
  const range = (values) => {
    const low = Math.min(...values), high = Math.max(...values), pad = (high - low) * 0.06 || 0.01;
    return [Math.max(0, low - pad), high + pad];
  };
  const [x0, x1] = range(across), [y0, y1] = range(up);
  const at = (x, y) => [left + (right - left) * (x - x0) / (x1 - x0), bottom - (bottom - top) * (y - y0) / (y1 - y0)];
  for (let step = 0; step <= steps; step++) {
    const x = x0 + (x1 - x0) * step / steps, y = y0 + (y1 - y0) * step / steps, [px] = at(x, y0), [, py] = at(x0, y);
    element("svg:line", "", plot, { x1: px, x2: px, y1: top, y2: bottom, class: "grid" });
    element("svg:line", "", plot, { x1: left, x2: right, y1: py, y2: py, class: "grid" });
    element("svg:text", x.toFixed(3), plot, { x: px, y: bottom + 18, "text-anchor": "middle" });
    element("svg:text", y.toFixed(3), plot, { x: left - 6, y: py + 4, "text-anchor": "end" });
  }
  element("svg:text", objectives[0].name, plot, { x: (left + right) / 2, y: bottom + 38, "text-anchor": "middle" });
  element("svg:text", objectives[k].name, plot, { x: 10, y: 20 });
  cell.models.forEach((model, number) => {
    const [cx, cy] = at(across[number], up[number]);
    const dot = element("svg:circle", "", plot, { cx, cy, r: 5, class: "point", "data-model": number });
    element("svg:title", title(model), dot);
  });
  if (ranked.length) {
    const { number } = ranked[0], [cx, cy] = at(across[number], up[number]);
    const mark = element("svg:circle", "", plot, { cx, cy, r: 6, class: "picked", "data-model": number, id: "mark" });
    element("svg:title", "chosen: " + title(cell.models[number]), mark);
    element("svg:circle", "", plot, { cx, cy, r: 11, class: "halo" });
  }
}
function table() {
  const body = document.querySelector("tbody");
  body.replaceChildren();
  ranked.slice(0, 5).forEach(({ number, distance }, place) => {
    const row = element("tr", "", body, place ? {} : { class: "chosen" }), model = cell.models[number];
    element("button", title(model), element("td", "", row), { type: "button", class: "link", "data-model": number });
    for (const value of [distance, ...model.report]) element("td", value.toFixed(3), row, { class: "number" });
  });
}
function update() {
  const wanted = preference();
  sliders().forEach((slider, k) => {
    slider.parentElement.querySelector("output").textContent = percent(wanted ? wanted[k] : 0);
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
addEventListener("resize", () => { if (cell) draw(); });
if (cells.length) open();
else element("p", "These results hold no models to choose from.", by("answer"));
