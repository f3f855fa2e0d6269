// The reader chooses data, plan, generator and dose; what was computed for them is shown. Needs base.js and the data.
const { places, plans, generators, metrics } = pageData();
const by = (id) => document.getElementById(id);
const nameOf = (list, key) => (list.find((entry) => entry.key === key) || { name: key }).name;
let place;

const number = (value) => value === null ? "\u2013" : (100 * value).toFixed(1).replace(/^-(0\.0)$/, "$1").replace("-", "\u2212");
const signed = (value) => value !== null && Number((100 * value).toFixed(1)) > 0 ? "+" + number(value) : number(value);
const mean = (values) => values.includes(null) ? null : values.reduce((a, b) => a + b, 0) / values.length;
const thousands = (value) => value.toLocaleString("en");

function chosen() {
  const plan = by("plan").value, generator = by("generator").value, dose = place.doses[Number(by("dose").value)];
  if (dose === 0) return place.runs.find((run) => run.generator === "real");
  // A control without a plan has no dose.
  return place.runs.find((run) => run.plan === plan && run.generator === generator
    && (run.dose === dose || run.plan === "none"));
}
function missing() {
  const plan = by("plan").value, generator = by("generator").value, dose = place.doses[Number(by("dose").value)];
  const same = place.runs.filter((run) => run.plan === plan && run.generator === generator);
  const what = nameOf(generators, generator) + " with " + nameOf(plans, plan);
  if (same.length) {
    const doses = same.map((run) => Math.round(100 * run.dose) + " %").join(", ");
    return what + " was not run on " + place.name + " at a dose of " + Math.round(100 * dose) + " %; it was at " + doses + ".";
  }
  const others = [...new Set(place.runs.filter((run) => run.plan === plan).map((run) => nameOf(generators, run.generator)))];
  return what + " was not run on " + place.name + ". " + (others.length
    ? nameOf(plans, plan) + " was run with: " + others.join(", ") + "." : "This plan was not run there.");
}
function drawBars(bars) {
  const plot = by("bars");
  const width = Math.max(280, Math.round(plot.parentElement.clientWidth)), height = 340;
  const left = 56, top = 26, bottom = height - 48, step = (width - left - 10) / bars.length;
  plot.replaceChildren();
  plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const total = (bar) => [...bar.real, ...bar.added].reduce((a, b) => a + b, 0);
  const largest = Math.max(1, ...place.runs.flatMap((run) => run.bars.map(total)));
  const scale = (bottom - top) / largest;
  const power = 10 ** Math.floor(Math.log10(largest / 4)), multiple = [1, 2, 5, 10].find((one) => one * power >= largest / 5);
  for (let rows = 0; rows <= largest; rows += multiple * power) {
    const y = bottom - rows * scale;
    element("svg:line", "", plot, { x1: left, x2: width - 8, y1: y, y2: y, class: "grid" });
    element("svg:text", thousands(rows), plot, { x: left - 6, y: y + 4, "text-anchor": "end" });
  }
  bars.forEach((bar, place) => {
    const x = left + step * place + step * .14, wide = step * .72;
    let y = bottom;
    const block = (rows, kind, words) => {
      if (!rows) return;
      y -= rows * scale;
      const rect = element("svg:rect", "", plot, { x, y, width: wide, height: rows * scale, class: kind });
      element("svg:title", thousands(rows) + " " + words, rect);
    };
    block(bar.real[0], "zero", "real rows, label 0");
    block(bar.added[0], "zero added", "added rows, label 0");
    block(bar.real[1], "one", "real rows, label 1");
    block(bar.added[1], "one added", "added rows, label 1");
    block(bar.added[2], "drawn added", "added rows, label drawn by the generator");
    // The generator's labels are not known beforehand, so no percentage then.
    const percent = bar.added[2] ? "" : Math.round(100 * (bar.real[1] + bar.added[1]) / Math.max(1, total(bar))) + " %";
    const middle = x + wide / 2;
    element("svg:text", percent, plot, { x: middle, y: y - 6, "text-anchor": "middle" });
    bar.group.split(", ").forEach((part, line) => {
      element("svg:text", part, plot, { x: middle, y: bottom + 17 + 14 * line, "text-anchor": "middle" });
    });
  });
  plot.setAttribute("aria-label", "Training rows of the first split: " + bars.map((bar) =>
    bar.group + " " + thousands(bar.real[0]) + " with label 0 and " + thousands(bar.real[1]) + " with label 1, "
    + thousands(bar.added[0] + bar.added[1] + bar.added[2]) + " added").join("; "));
}
function drawStrip(metric, k, run, box) {
  const [before, after] = run.values[k], [change, low, high] = run.change[k];
  const width = Math.max(220, Math.round(box.clientWidth)), height = 190, top = 16, bottom = height - 30;
  const xs = [58, width - 96], edge = width - 46;
  const ends = low === null ? [] : [mean(before) + low, mean(before) + high];
  const all = [...before, ...after, ...ends].filter((value) => value !== null);
  const plot = element("svg:svg", "", box, { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img" });
  plot.setAttribute("aria-label", metric.name + " per split: " + before.map((value, split) =>
    "split " + run.splits[split] + " " + number(value) + " to " + number(after[split])).join("; "));
  if (!all.length) { element("svg:text", "not measured", plot, { x: 20, y: 90 }); return; }
  const pad = (Math.max(...all) - Math.min(...all)) * .1 || .005;
  const [y0, y1] = [Math.min(...all) - pad, Math.max(...all) + pad];
  const at = (value) => bottom - (bottom - top) * (value - y0) / (y1 - y0);
  for (let line = 0; line <= 3; line++) {
    const value = y0 + (y1 - y0) * line / 3, y = at(value);
    element("svg:line", "", plot, { x1: 46, x2: width - 8, y1: y, y2: y, class: "grid" });
    element("svg:text", number(value), plot, { x: 40, y: y + 4, "text-anchor": "end" });
  }
  before.forEach((value, split) => {
    const other = after[split];
    if (value === null || other === null) return;
    element("svg:line", "", plot, { x1: xs[0], x2: xs[1], y1: at(value), y2: at(other), class: "link" });
    [[xs[0], value, "real"], [xs[1], other, "method"]].forEach(([cx, y, kind]) => {
      const dot = element("svg:circle", "", plot, { cx, cy: at(y), r: 4, class: kind });
      element("svg:title", "split " + run.splits[split] + ": " + number(y), dot);
    });
  });
  if (low !== null && run.generator !== "real") {
    element("svg:line", "", plot, { x1: edge, x2: edge, y1: at(ends[0]), y2: at(ends[1]), class: "interval" });
    const dot = element("svg:circle", "", plot, { cx: edge, cy: at(mean(before) + change), r: 5, class: "mean" });
    element("svg:title", signed(change) + " points, 95 % interval " + signed(low) + " to " + signed(high), dot);
    element("svg:text", signed(change), plot, { x: edge, y: bottom + 20, "text-anchor": "middle" });
  }
  element("svg:text", "real", plot, { x: xs[0], y: bottom + 20, "text-anchor": "middle" });
  element("svg:text", "method", plot, { x: xs[1], y: bottom + 20, "text-anchor": "middle" });
}
function table(run) {
  const body = document.querySelector("tbody");
  body.replaceChildren();
  metrics.forEach((metric, k) => {
    const row = element("tr", "", body), [before, after] = run.values[k], [change, low, high] = run.change[k];
    element("th", metric.name + (metric.lower ? " (less is better)" : ""), row, { scope: "row" });
    const own = run.generator === "real";
    const texts = [number(mean(before)), number(mean(after)), own ? "\u2013" : signed(change),
      own || low === null ? "\u2013" : signed(low) + " to " + signed(high)];
    for (const text of texts) element("td", text, row, { class: "number" });
  });
}
function update() {
  const dose = place.doses[Number(by("dose").value)];
  const without = by("plan").value === "none";
  by("dose-text").textContent = without ? "no plan, no dose" : dose === 0 ? "no row is added" : Math.round(100 * dose) + " % of the plan";
  const run = chosen();
  by("says").textContent = run ? run.says : missing();
  by("both").hidden = !run;
  document.querySelector("tbody").replaceChildren();
  by("strips").replaceChildren();
  if (!run) return;
  drawBars(run.bars);
  // All boxes first: a picture is drawn as wide as its box, which hangs on how many there are.
  const boxes = metrics.map((metric) => {
    const box = element("div", "", by("strips"));
    element("h3", metric.name + ", points", box);
    return box;
  });
  metrics.forEach((metric, k) => drawStrip(metric, k, run, boxes[k]));
  table(run);
}
function open() {
  place = places[Number(by("place").value)];
  by("dose").max = place.doses.length - 1;
  by("dose").value = place.doses.length - 1;
  by("dose").disabled = place.doses.length < 2;
  by("about").textContent = place.rows + ".";
  by("positive").textContent = "label 1: " + place.positive;
  update();
}
by("place").addEventListener("change", open);
for (const id of ["plan", "generator"]) by(id).addEventListener("change", update);
by("dose").addEventListener("input", update);
addEventListener("resize", () => { if (place) update(); });
if (places.length) {
  place = places[0];
  const first = place.runs.find((run) => run.plan === "same_class" && run.generator === "cart" && run.dose === 1)
    || place.runs.find((run) => run.plan !== "none") || place.runs[0];
  by("plan").value = first.plan;
  by("generator").value = first.generator;
  open();
} else by("says").textContent = "These results hold no runs to choose from.";
