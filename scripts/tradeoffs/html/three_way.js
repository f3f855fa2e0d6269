// A cloud of models to turn and click; the panel tells of the chosen one. Needs plotly, base.js and the data block.
const { models, kinds, axes, first } = pageData();
const plot = document.getElementById("plot"), panel = document.getElementById("panel");
const traces = [];  // one per protocol and kind, and last a ring around the chosen model
let protocol = first, drawn = false;

function markup(text) {  // the picture's labels read a little HTML: show it as it is
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
function list(title, pairs) {
  element("h3", title, panel);
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
// On any screen the names of the axes stay within the picture.
const narrow = plot.clientWidth < 500, far = narrow ? 1.4 : 1.15, size = narrow ? 10 : 13;
const [x, y, z] = axes.map((title) => ({ title: { text: title, font: { size } }, nticks: 6 }));
const camera = { eye: { x: 1.5 * far, y: 1.6 * far, z: 0.8 * far }, center: { x: 0, y: 0, z: -0.15 } };
const scene = { xaxis: x, yaxis: y, zaxis: z, aspectmode: "cube", camera };
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
