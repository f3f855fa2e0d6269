// The reader chooses data and two methods; what was computed for them is shown. Needs base.js and the data.
const { places, metrics, first } = pageData();
const by = (id) => document.getElementById(id);
let place;

const number = (value) => value === null ? "\u2013" : (100 * value).toFixed(1).replace(/^-(0\.0)$/, "$1").replace("-", "\u2212");
const signed = (value) => value !== null && Number((100 * value).toFixed(1)) > 0 ? "+" + number(value) : number(value);
const mean = (values) => {
  const known = values.filter((value) => value !== null);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
};
const fitOf = (key) => place.fits.find((fit) => fit.key === key);

// Mean over seeds of a fit, for a metric and a task.
const valueOf = (fit, k, task) => mean(fit.values[k][task]);
// Mean of the differences over the seeds that both have.
function change(fit, other, k, task) {
  const differences = fit.seeds.map((seed, i) => {
    const j = other.seeds.indexOf(seed), a = fit.values[k][task][i], b = j < 0 ? null : other.values[k][task][j];
    return a === null || b === null ? null : a - b;
  });
  return mean(differences);
}
function drawStrip(fit, other, k, box) {
  const names = place.tasks, step = 24, top = 6;
  const named = k === 0 || by("strips").clientWidth < 600, left = named ? 132 : 12; // below one another, each has its names
  const width = Math.max(260, Math.round(box.clientWidth)), bottom = top + step * names.length, height = bottom + 26;
  const plot = element("svg:svg", "", box, { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img" });
  const ticks = k === 0 ? place.majority : k === 2 ? place.rates : names.map(() => null);
  const pairs = names.map((_, task) => [other ? valueOf(other, k, task) : null, valueOf(fit, k, task), ticks[task]]);
  plot.setAttribute("aria-label", metrics[k].name + " by task: " + names.map((name, task) =>
    name + " " + number(pairs[task][1]) + (other ? ", beside " + number(pairs[task][0]) : "")).join("; "));
  const all = pairs.flat().filter((value) => value !== null);
  if (!all.length) { element("svg:text", "not defined", plot, { x: left + 10, y: 40 }); return; }
  const pad = (Math.max(...all) - Math.min(...all)) * .06 || .01;
  const x0 = Math.max(0, Math.min(...all) - pad), x1 = Math.max(...all) + pad;
  const at = (value) => left + (width - left - 14) * (value - x0) / (x1 - x0);
  for (let line = 0; line <= 3; line++) {
    const value = x0 + (x1 - x0) * line / 3, x = at(value);
    element("svg:line", "", plot, { x1: x, x2: x, y1: top, y2: bottom, class: "grid" });
    element("svg:text", (100 * value).toFixed(0), plot, { x, y: bottom + 18, "text-anchor": "middle" });
  }
  pairs.forEach(([before, after, tick], task) => {
    const y = top + step * (task + .5);
    if (named) element("svg:text", names[task], plot, { x: left - 8, y: y + 4, "text-anchor": "end", class: "name" });
    if (tick !== null) element("svg:line", "", plot, { x1: at(tick), x2: at(tick), y1: y - 8, y2: y + 8, class: "tick" });
    if (before !== null && after !== null) element("svg:line", "", plot, { x1: at(before), x2: at(after), y1: y, y2: y, class: "link" });
    [[before, "ring", other], [after, "dot", fit]].forEach(([value, kind, of]) => {
      if (value === null) return;
      const dot = element("svg:circle", "", plot, { cx: at(value), cy: y, r: 4.5, class: kind });
      element("svg:title", `${names[task]}, ${of.name}: ${number(value)}`, dot);
    });
  });
}
function drawSharing(fit) {
  by("shares").textContent = fit.shares.says;
  by("branches").replaceChildren();
  for (const layer of fit.shares.layers) {
    const line = element("div", "", by("branches"), { class: "layer" });
    element("b", "layer " + layer.layer, line);
    for (const group of layer.groups) element("span", group.join(", "), line, { class: "group" });
  }
}
function table(fit, other) {
  const body = document.querySelector("tbody");
  body.replaceChildren();
  const line = (name, groups, texts) => {
    const row = element("tr", "", body);
    element("th", name, row, { scope: "row" });
    element("td", groups, row);
    for (const text of texts) element("td", text, row, { class: "number" });
  };
  const numbers = (task) => [0, 1].flatMap((k) =>
    [valueOf(fit, k, task), other ? change(fit, other, k, task) : null]).concat(valueOf(fit, 2, task));
  const rows = place.tasks.map((_, task) => numbers(task));
  const texts = ([accuracy, gain, odds, bias, selected]) =>
    [number(accuracy), signed(gain), number(odds), signed(bias), number(selected)];
  place.tasks.forEach((name, task) => line(name, place.groups[task],
    [number(place.majority[task]), ...texts(rows[task]), number(place.rates[task])]));
  const means = rows[0].map((_, column) => mean(rows.map((row) => row[column])));
  line("mean over tasks", "", [number(mean(place.majority)), ...texts(means), number(mean(place.rates))]);
}
function update() {
  const fit = fitOf(by("method").value), other = fitOf(by("other").value) || null;
  by("says").textContent = fit.says;
  by("method-name").textContent = fit.name;
  by("other-name").textContent = other ? other.name : "nothing beside it";
  by("strips").replaceChildren();
  // All boxes first: a picture is drawn as wide as its box, which hangs on how many there are.
  const boxes = metrics.map((metric) => {
    const box = element("div", "", by("strips"));
    element("h3", metric.name + (metric.lower ? ", points (less is better)" : ", %"), box);
    return box;
  });
  boxes.forEach((box, k) => drawStrip(fit, other, k, box));
  drawSharing(fit);
  table(fit, other);
}
function beside() {
  by("other").value = fitOf(by("method").value).against;
  update();
}
function open() {
  place = places[Number(by("place").value)];
  for (const id of ["method", "other"]) {
    by(id).replaceChildren();
    if (id === "other") element("option", "nothing", by(id), { value: "" });
    for (const fit of place.fits) element("option", fit.name, by(id), { value: fit.key });
  }
  by("method").value = (fitOf(first) || place.fits[0]).key;
  by("about").textContent = place.about;
  beside();
}
by("place").addEventListener("change", open);
by("method").addEventListener("change", beside);
by("other").addEventListener("change", update);
addEventListener("resize", () => { if (place) update(); });
if (places.length) open();
else by("says").textContent = "These results hold no methods to choose from.";
