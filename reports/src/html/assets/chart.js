// Charts that react: the data that the still picture was drawn from, drawn by uPlot. Charts over
// time share their axis: what is enlarged in one is enlarged in all.
const INK = "#000000";
const charts = [];
const shareTime = [];

const ink = (colour) => (colour === INK ? css("--ink") : colour);
const short = (v) => {
  if (v == null) return "–";
  const size = Math.abs(v);
  if (size !== 0 && (size < 1e-3 || size >= 1e9)) return v.toExponential(2);
  return v.toLocaleString("en", { maximumSignificantDigits: 5 });
};

const brief = (v) => v.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 4 });

/** Values that a logarithmic axis cannot show are left out. */
const usable = (values, log) => (log ? values.map((v) => (v > 0 ? v : null)) : values);

/** The marks of a panel as aligned columns and series. */
function columnsOf(panel, log) {
  const tables = [];
  const series = [{}];
  const bands = [];
  const bars = [];
  panel.marks.forEach((mark) => {
    const at = series.length;
    const colour = () => ink(mark.colour);
    const label = mark.label || "";
    if (mark.kind === "area") {
      tables.push([mark.x, usable(mark.high, log), usable(mark.low, log)]);
      const amount = (u, v, s, i) => short(i == null ? null : u.data[at][i] - u.data[at + 1][i]);
      series.push({ label, stroke: colour, width: 1, fill: null, points: { show: false }, value: amount },
        { label: "", stroke: "transparent", width: 0, points: { show: false }, class: "u-hidden" });
      bands.push({ series: [at, at + 1], fill: () => ink(mark.colour) + "d9" });
      return;
    }
    if (mark.kind === "band") return;
    tables.push([mark.x ?? [], usable(mark.y ?? [], log)]);
    const dots = mark.kind === "dots";
    const strokes = mark.kind === "strokes";
    if ((dots && mark.low) || strokes) bars.push({ at, mark, feet: dots });
    series.push({
      label, stroke: colour, width: (dots || strokes) && !mark.joined ? 0 : 2, dash: mark.dashed ? [8, 6] : undefined,
      points: { show: dots || strokes || (mark.x ?? []).length < 3, size: strokes ? 3 : mark.joined === false && !mark.low ? 5 : 8, fill: colour }, value: (u, v) => short(v),
    });
  });
  const data = tables.length ? uPlot.join(tables) : [[]];
  return { data, series, bands, bars };
}

/** Ends of intervals as bars with feet. */
function drawBars(u, bars) {
  const pen = u.ctx;
  pen.save();
  pen.beginPath();
  pen.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  pen.clip();
  for (const { at, mark, feet } of bars) {
    if (!u.series[at].show) continue;
    pen.strokeStyle = ink(mark.colour);
    pen.lineWidth = 2 * devicePixelRatio;
    mark.x.forEach((x, i) => {
      const [low, high] = [mark.low[i], mark.high[i]];
      if (low == null || high == null || !(low < high)) return;
      const px = u.valToPos(x, "x", true);
      const [a, b] = [low, high].map((v) => u.valToPos(v, "y", true));
      const foot = 5 * devicePixelRatio;
      pen.beginPath();
      pen.moveTo(px, a), pen.lineTo(px, b);
      if (feet) {
        pen.moveTo(px - foot, a), pen.lineTo(px + foot, a);
        pen.moveTo(px - foot, b), pen.lineTo(px + foot, b);
      }
      pen.stroke();
    });
  }
  pen.restore();
}

/** Times of outages, and bands with a colour of their own, behind the curves. */
function drawShades(u, shaded, marks) {
  const pen = u.ctx;
  pen.save();
  const outages = shaded.map(([from, to]) => [from, to, css("--line")]);
  const bands = marks.filter((m) => m.kind === "band").flatMap((m) => (m.low ?? []).map((from, i) => [from, m.high[i], m.colour + "55"]));
  for (const [from, to, colour] of outages.concat(bands)) {
    pen.fillStyle = colour;
    const [a, b] = [Math.max(from, u.scales.x.min), Math.min(to, u.scales.x.max)].map((v) => u.valToPos(v, "x", true));
    if (b > a) pen.fillRect(a, u.bbox.top, b - a, u.bbox.height);
  }
  pen.restore();
}

/** The place of the nearest value of a series, for the legend. */
function nearest(u, series, place) {
  const values = u.data[series];
  if (values[place] != null) return place;
  for (let d = 1; d < 4000; d++) {
    if (values[place - d] != null) return place - d;
    if (values[place + d] != null) return place + d;
    if (place - d < 0 && place + d >= values.length) break;
  }
  return place;
}

function sizeOf(place) {
  const width = Math.max(260, place.clientWidth - 4);
  return { width, height: Math.round(Math.max(15 * rem(), Math.min(width * 0.42, 26 * rem()))) };
}

/** Charts over time are zoomed together. */
const isOverTime = (plot) => /^(time|时间)/.test(plot.x);

/** The width of a text in letters; Chinese characters are wider. */
const letters = (text) => [...text].reduce((n, c) => n + (c > "\u2e80" ? 1.8 : 1), 0);

/** 1, 2 and 5 times powers of ten between two numbers; the powers alone if there are many. */
function logTicks(min, max) {
  const all = [];
  for (let k = Math.floor(Math.log10(min)); k <= Math.ceil(Math.log10(max)); k++) {
    for (const m of [1, 2, 5]) all.push(Number(`${m}e${k}`));
  }
  const within = all.filter((v) => v >= min * 0.9999 && v <= max * 1.0001);
  const powers = within.filter((v) => Number.isInteger(Math.round(Math.log10(v) * 1e6) / 1e6));
  return within.length > 9 && powers.length > 2 ? powers : within;
}

/** One diagram; `zoom(min, max)` is called for what the reader selects. */
function diagram(place, plot, panel, log, zoom) {
  const { data, series, bands, bars } = columnsOf(panel, log);
  const font = `${Math.round(0.82 * rem())}px system-ui,sans-serif`;
  const axis = { stroke: () => css("--ink"), grid: { stroke: () => css("--line"), width: 1 }, ticks: { stroke: () => css("--line") }, font, labelFont: font };
  const named = plot.categories.length > 0;
  const [left, right] = plot.range;
  const all = right > left ? [left, right] : [left - 0.5, left + 0.5];
  const xAxis = { ...axis, label: plot.x, size: 2.4 * rem(), labelSize: 1.6 * rem(), space: 4 * rem() };
  const size = sizeOf(place);
  if (named) {
    xAxis.splits = () => plot.categories.map((_, i) => i);
    xAxis.values = () => plot.categories;
    // Names that would run into each other are written upwards.
    const longest = Math.max(...plot.categories.map(letters));
    if (longest * 0.5 * rem() > (size.width - 5 * rem()) / plot.categories.length) {
      const room = Math.min(longest, 24);
      xAxis.rotate = -90;
      xAxis.size = (0.48 * room + 1.4) * rem();
      xAxis.values = () => plot.categories.map((c) => (letters(c) > room ? c.slice(0, room - 1) + "…" : c));
      size.height += Math.round(xAxis.size - 2.4 * rem());
    }
  } else if (plot.log[0]) {
    xAxis.splits = (u, i, min, max) => logTicks(min, max);
    xAxis.values = (u, splits) => splits.map(short);
  }
  // A name longer than its axis stands above the chart.
  const fits = letters(plot.y) * 0.46 * rem() < size.height - 5 * rem();
  if (!fits) place.append(el("p", { class: "ylabel" }, plot.y));
  const yAxis = { ...axis, label: fits ? plot.y : undefined, size: 4.2 * rem(), labelSize: 1.6 * rem() };
  // Long numbers would run into the name of the axis: "800M".
  const yValues = (u, splits) => {
    const write = Math.max(...splits.map((v) => Math.abs(v ?? 0))) < 1e6 ? short : brief;
    return splits.map((v) => (v == null ? "" : write(v)));
  };
  const yRange = (u, min, max) => (max > Math.min(0, min ?? 0) ? [Math.min(0, min), max * 1.06] : [0, 1]);
  const options = {
    ...size, series, bands,
    ms: 1,
    scales: {
      x: { time: false, distr: plot.log[0] && !named ? 3 : 1, range: (u, min, max) => (min == null ? all : [min, max]) },
      y: log ? { distr: 3 } : { range: yRange },
    },
    axes: [xAxis, { ...yAxis, values: yValues }],
    legend: { live: true, markers: { width: 3 } },
    cursor: {
      drag: { x: true, y: false, setScale: false },
      dataIdx: nearest,
      sync: isOverTime(plot) ? { key: "time", setSeries: false } : undefined,
      bind: { dblclick: () => () => zoom(...all, true) },
    },
    hooks: {
      drawClear: [(u) => drawShades(u, plot.shaded, panel.marks)],
      draw: [(u) => drawBars(u, bars)],
      setSelect: [(u) => u.select.width > 4 && select(u, zoom)],
    },
  };
  if (!named) series[0] = { label: plot.x, value: (u, v) => short(v) };
  else series[0] = { label: plot.x, value: (u, v) => plot.categories[v] ?? "–" };
  const chart = new uPlot(options, data, place);
  chart.setScale("x", { min: all[0], max: all[1] });
  const rows = $$(".u-legend tr", place);
  rows.forEach((row, i) => {
    if (i === 0) return;
    if (!series[i]?.label) return (row.style.display = "none");
    const flip = () => {
      const show = !chart.series[i].show;
      chart.setSeries(i, { show });
      if (bands.some((b) => b.series[0] === i)) chart.setSeries(i + 1, { show });
      row.setAttribute("aria-pressed", show);
    };
    row.tabIndex = 0;
    row.setAttribute("role", "button");
    row.setAttribute("aria-pressed", true);
    row.addEventListener("keydown", (e) => (e.key === "Enter" || e.key === " ") && (e.preventDefault(), flip()));
    $("th", row)?.addEventListener("click", (e) => (e.stopImmediatePropagation(), flip()), true);
  });
  $("canvas", place).setAttribute("role", "img");
  $("canvas", place).setAttribute("aria-label", `${panel.title || plot.title}: ${plot.y}, ${plot.x}`);
  return { chart, all };
}

function select(u, zoom) {
  const [min, max] = [u.select.left, u.select.left + u.select.width].map((v) => u.posToVal(v, "x"));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  zoom(min, max);
}

/** Replaces the still picture of a figure by charts. */
function reactive(figure) {
  const plot = JSON.parse($("script.plot", figure).textContent);
  const live = el("div", { class: "live", tabindex: "0", role: "group", "aria-label": plot.title });
  const grid = el("div", { class: "panels" });
  live.append(grid);
  $(".frame", figure).before(live);
  const own = { parts: [], log: plot.log[1] };
  const isTime = isOverTime(plot);
  const zoom = (min, max, whole = false) => {
    const group = isTime ? shareTime : [own];
    group.forEach((o) => o.parts.forEach(({ chart, all }) => {
      const [a, b] = whole ? all : [min, max];
      if (b > a) chart.setScale("x", { min: a, max: b });
    }));
  };
  const draw = () => {
    own.parts.forEach((p) => p.chart.destroy());
    grid.replaceChildren();
    own.parts = plot.panels.map((panel) => {
      const place = el("div");
      if (panel.title) place.append(el("h4", {}, panel.title));
      grid.append(place);
      return diagram(place, plot, panel, own.log, zoom);
    });
  };
  draw();
  charts.push(own);
  if (isTime) shareTime.push(own);
  onTheme.push(() => own.parts.forEach((p) => p.chart.redraw(false)));
  let width = live.clientWidth;
  new ResizeObserver(() => {
    if (Math.abs(live.clientWidth - width) < 2) return;
    width = live.clientWidth;
    own.parts.forEach((p) => p.chart.setSize(sizeOf(p.chart.root.parentElement)));
  }).observe(live);
  live.addEventListener("keydown", (e) => keys(e, own, zoom));
  const bar = $(".bar", figure);
  const log = el("button", { type: "button", "aria-pressed": own.log, class: "log" }, t("logY"));
  log.addEventListener("click", () => {
    own.log = !own.log;
    log.setAttribute("aria-pressed", own.log);
    draw();
  });
  const whole = el("button", { type: "button", class: "whole", onclick: () => zoom(0, 0, true) }, t("whole"));
  onLanguage.push(() => ((log.textContent = t("logY")), (whole.textContent = t("whole")), (live.title = t("hint"))));
  live.title = t("hint");
  bar.prepend(log, whole);
}

function keys(e, own, zoom) {
  if (e.target.closest("tr,button")) return;
  const { min, max } = own.parts[0].chart.scales.x;
  const width = max - min;
  const moves = { ArrowLeft: [-0.2, -0.2], ArrowRight: [0.2, 0.2], "+": [0.2, -0.2], "=": [0.2, -0.2], "-": [-0.3, 0.3] };
  if (e.key === "0") zoom(0, 0, true);
  else if (moves[e.key]) zoom(min + moves[e.key][0] * width, max + moves[e.key][1] * width);
  else return;
  e.preventDefault();
}
