/* The modules of D3 above are the work of Mike Bostock, who publishes d3-array under the ISC licence and the others under the
BSD licence with three clauses; d3-color, d3-interpolate, d3-scale and d3-shape hold parts by other authors under these licences.

ISC: Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies. THE SOFTWARE IS PROVIDED "AS IS" AND THE
AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN
NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER
RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.

BSD: Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following
conditions are met: Redistributions of source code must retain the above copyright notice, this list of conditions and the
following disclaimer. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the
following disclaimer in the documentation and/or other materials provided with the distribution. Neither the name of the author nor
the names of contributors may be used to endorse or promote products derived from this software without specific prior written
permission. THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO
EVENT SHALL THE COPYRIGHT OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR
CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS;
OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING
NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE. */

/* Draws every .chart of a page anew from the numbers that stand beside its picture (see figure.cpp): as wide as there is room, with
values under the pointer and under the arrow keys, and lines and logarithmic axes to switch. Looks come from the page's CSS; nothing
moves by itself. */
(() => {
"use strict";
const margin = {left: 58, right: 14, top: 10, bottom: 44}, colours = 6;
const symbols = [d3.symbolCircle, d3.symbolSquare, d3.symbolTriangle, d3.symbolDiamond, d3.symbolCross, d3.symbolStar];
const mark = line => d3.symbol().type(symbols[line.number % symbols.length]).size(line.number % symbols.length ? 42 : 34)();
const colour = line => "s" + line.number % colours;

const superscript = text => text.replace(/./g, c => c === "-" ? "\u207b" : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[c]);
/* 0.05, 12,000, 3.2×10⁻⁷ */
function text(value, powers = false) {
  const size = Math.abs(value);
  if (!powers && size >= 1e-3 && size < 1e6 || size === 0 || size === 1) return String(Number(value.toPrecision(5))).replace("-", "\u2212");
  const [digits, power] = value.toExponential(3).split("e");
  const factor = String(Number(digits)).replace("-", "\u2212");
  return (factor === "1" ? "" : factor === "\u22121" ? "\u2212" : factor + "\u00d7") + "10" + superscript(power.replace("+", ""));
}

/* An axis with very small or large numbers shows all of them as powers of ten. */
const format = (ticks, log) => {
  const powers = log && ticks.some(tick => tick < 1e-3 || tick >= 1e6);
  return tick => text(tick, powers);
};

/* The points of a line; what cannot be drawn has no y, and interrupts the line. */
function pointsOf(series, logX, logY) {
  const takes = (value, log) => value !== null && value !== undefined && (!log || value > 0);
  return series.x.map((x, i) => {
    const y = series.y[i], bar = series.low && series.high && takes(series.low[i], logY) && takes(series.high[i], logY);
    return takes(x, logX) && takes(y, logY) ? {x, y, low: bar ? series.low[i] : y, high: bar ? series.high[i] : y, bar} : {x: null};
  });
}

function extent(values, log) {
  let [low, high] = d3.extent(values);
  if (low === undefined) return log ? [0.1, 1] : [0, 1];
  if (low === high) {
    const room = Math.max(0.5, Math.abs(low) * 0.1);
    return log ? [low / 2, high * 2] : [low - room, high + room];
  }
  return [low, high];
}

function padded([low, high], log) {
  if (log) return [low / (high / low) ** 0.06, high * (high / low) ** 0.06];
  const room = 0.06 * (high - low);
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

function ticksOf(scale, log, count) {
  if (!log) return scale.ticks(count);
  const [low, high] = scale.domain(), decades = Math.log10(high / low);
  if (decades < 0.5) return d3.ticks(low, high, count);
  const factors = decades < 1 ? [1, 2, 3, 5, 7] : decades < 3 ? [1, 2, 5] : [1], step = Math.max(1, Math.ceil(decades / count)), ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += step)
    for (const factor of factors) ticks.push(Number(`${factor}e${power}`));
  return ticks.filter(tick => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
}

class Chart {
  constructor(box) {
    this.plot = JSON.parse(box.querySelector("script").textContent);
    this.lines = this.plot.series.map((series, number) => ({series, number, name: series.name, shown: true}));
    this.log = {x: this.plot.log_x, y: this.plot.log_y};
    /* Lines over x are read at an x; clouds and paths at their nearest point. */
    this.ordered = this.plot.series.every(({x}) => x.every((value, i) => value !== null && (i === 0 || value > x[i - 1])));
    this.box = d3.select(box);
    this.behind = box.parentElement.querySelectorAll(".behind > details");  /* one for each point of the only line */
    const still = box.querySelector("svg");
    this.box.append("p").attr("class", "title").text(this.plot.title);
    this.controls();
    this.area = this.box.append("div").attr("class", "area");
    this.svg = this.area.append("svg").attr("role", "img").attr("aria-label", this.plot.title);
    this.reader();
    this.width = 0;
    new ResizeObserver(() => requestAnimationFrame(() => this.fit())).observe(this.area.node());
    this.fit();
    this.explain(0);
    still.remove();
  }

  controls() {
    const row = this.box.append("div").attr("class", "controls");
    const named = this.lines.filter(line => line.name !== "");
    for (const line of named) {
      const button = this.toggle(row, line.name, true, on => { line.shown = on; });
      const sample = button.insert("svg", "span").attr("viewBox", "0 0 24 12").attr("aria-hidden", "true");
      sample.append("path").attr("class", `line ${line.series.dashed ? "dashed" : colour(line)}`).attr("d", "M1 6h22");
      if (!line.series.dashed) sample.append("path").attr("class", `dot ${colour(line)}`).attr("d", mark(line)).attr("transform", "translate(12,6)");
    }
    for (const [axis, name] of [["x", "log x"], ["y", "log y"]]) {
      const values = this.lines.flatMap(({series}) => series[axis].filter(value => value !== null));
      if (this.plot[axis + "_range"] || this.plot.whole_x && axis === "x") continue;
      if (values.length < 2 || d3.min(values) <= 0 || d3.max(values) < 50 * d3.min(values)) continue;
      this.toggle(row, name, this.log[axis], on => { this.log[axis] = on; }).classed("scale", true);
    }
  }

  toggle(row, name, on, change) {
    const button = row.append("button").attr("type", "button").attr("aria-pressed", String(on));
    button.append("span").text(name);
    button.node().addEventListener("click", () => {
      on = !on;
      button.attr("aria-pressed", String(on));
      change(on);
      this.draw();
    });
    return button;
  }

  fit() {
    const width = Math.round(this.area.node().clientWidth);
    if (width < 40 || width === this.width) return;
    this.width = width;
    this.height = Math.round(Math.max(220, Math.min(400, 0.55 * width)));
    this.draw();
  }

  draw() {
    this.hide();
    this.shown = this.lines.filter(line => line.shown);
    for (const line of this.lines) line.points = pointsOf(line.series, this.log.x, this.log.y);
    const all = this.shown.flatMap(line => line.points.filter(point => point.x !== null));
    const domain = {
      x: this.plot.x_range || extent(all.map(point => point.x), this.log.x),
      y: this.plot.y_range || padded(extent(all.flatMap(point => [point.low, point.high]), this.log.y), this.log.y)};
    const scale = (axis, range) => (this.log[axis] ? d3.scaleLog() : d3.scaleLinear()).domain(domain[axis]).range(range);
    this.x = scale("x", [margin.left, this.width - margin.right]);
    this.y = scale("y", [this.height - margin.bottom, margin.top]);
    this.svg.attr("viewBox", `0 0 ${this.width} ${this.height}`).selectAll("*").remove();
    this.axes();
    this.clip();
    for (const line of this.shown) this.line(line);
    this.steps = this.ordered ? [...new Set(all.map(point => point.x))].sort(d3.ascending).map(x => ({x}))
      : this.shown.flatMap(line => line.points.filter(point => point.x !== null).map(point => ({line, point, x: point.x})));
    this.guide = this.field.append("g").attr("class", "guide");
    this.cursor.attr("aria-valuemax", Math.max(0, this.steps.length - 1));
  }

  axes() {
    let ticks = ticksOf(this.x, this.log.x, Math.max(2, Math.floor(this.width / 70)));
    if (this.plot.whole_x) ticks = ticks.filter(Number.isInteger);
    const rise = ticksOf(this.y, this.log.y, 6);
    const across = d3.axisBottom(this.x).tickValues(ticks).tickFormat(format(ticks, this.log.x)).tickSize(4).tickPadding(5);
    const up = d3.axisLeft(this.y).tickValues(rise).tickFormat(format(rise, this.log.y))
      .tickSize(margin.left + margin.right - this.width).tickPadding(7);
    this.svg.append("g").attr("class", "axis-y").attr("transform", `translate(${margin.left},0)`).call(up);
    const below = this.svg.append("g").attr("class", "axis-x").attr("transform", `translate(0,${this.height - margin.bottom})`).call(across);
    const right = this.width - 1;  /* a long number at the right end moves inwards */
    below.selectAll(".tick text").attr("dx", (tick, i, all) => Math.min(0, right - this.x(tick) - all[i].getComputedTextLength() / 2));
    this.svg.append("text").attr("class", "label").attr("text-anchor", "middle").attr("x", (margin.left + this.width - margin.right) / 2)
      .attr("y", this.height - 7).text(this.plot.x_label);
  }

  /* What leaves the frame, with room for a mark on its edge, is not seen. */
  clip() {
    const room = 7, x = margin.left - room, y = margin.top - room;
    const width = this.width - margin.right + room - x, height = this.height - margin.bottom + room - y;
    this.field = this.svg.append("svg").attr("aria-hidden", "true").attr("x", x).attr("y", y).attr("width", width).attr("height", height)
      .attr("viewBox", `${x} ${y} ${width} ${height}`).style("width", `${width}px`).style("height", `${height}px`).style("overflow", "hidden");
  }

  line(line) {
    const {series, points} = line, at = point => `translate(${this.x(point.x)},${this.y(point.y)})`;
    const path = d3.line().defined(point => point.x !== null).x(point => this.x(point.x)).y(point => this.y(point.y));
    this.field.append("path").attr("class", `line ${series.dashed ? "dashed" : colour(line)}`).attr("d", path(points));
    const real = points.filter(point => point.x !== null);
    for (const point of real.filter(point => point.bar))
      this.field.append("path").attr("class", `interval ${colour(line)}`).attr("d", `M${this.x(point.x)} ${this.y(point.low)}V${this.y(point.high)}`);
    const alone = this.lines.filter(other => !other.series.dashed).length < 2, every = series.points ? 1 : Math.max(1, Math.floor(points.length / 6));
    if (!series.points && (series.dashed || alone && real.length > 1)) return;
    points.forEach((point, i) => {
      if (point.x === null || i % every !== Math.floor(every / 2)) return;
      this.field.append("path").attr("class", `dot ${colour(line)}`).attr("d", mark(line)).attr("transform", at(point));
    });
  }

  /* What answers the pointer and the keys. */
  reader() {
    this.cursor = this.area.append("div").attr("class", "cursor").attr("tabindex", 0).attr("role", "slider")
      .attr("aria-label", `${this.plot.title}: read values along ${this.plot.x_label}`).attr("aria-valuemin", 0).attr("aria-valuenow", 0)
      .attr("aria-valuetext", "press an arrow key");
    this.note = this.area.append("div").attr("class", "note").attr("hidden", "");
    const cursor = this.cursor.node();
    cursor.addEventListener("pointermove", event => this.point(event));
    cursor.addEventListener("pointerdown", event => this.point(event));
    cursor.addEventListener("pointerleave", () => this.hide());
    cursor.addEventListener("blur", () => this.hide());
    cursor.addEventListener("keydown", event => {
      const last = this.steps.length - 1, now = this.step === undefined ? -1 : this.step;
      const to = {ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1, Home: 0, End: last,
        PageUp: now + 10, PageDown: now - 10}[event.key];
      if (event.key === "Escape") this.hide();
      if (to === undefined || last < 0) return;
      event.preventDefault();
      this.read(Math.max(0, Math.min(last, to)));
    });
  }

  point(event) {
    const frame = this.svg.node().getBoundingClientRect(), zoom = this.width / frame.width;
    const x = (event.clientX - frame.left) * zoom, y = (event.clientY - frame.top) * zoom;
    let best = -1, least = Infinity;
    this.steps.forEach((step, i) => {
      const distance = Math.hypot(this.x(step.x) - x, this.ordered ? 0 : this.y(step.point.y) - y);
      if (distance < least) [best, least] = [i, distance];
    });
    if (best >= 0) this.read(best);
  }

  /* The points that a step reads: those of all lines at its x, or its own. */
  found(step) {
    if (!this.ordered) return [step];
    return this.shown.flatMap(line => line.points.filter(point => point.x === step.x).map(point => ({line, point})));
  }

  read(index) {
    const step = this.steps[index], found = this.found(step), at = this.x(step.x);
    this.step = index;
    this.explain(index);
    this.guide.selectAll("*").remove();
    this.guide.append("path").attr("d", `M${at} ${margin.top}V${this.height - margin.bottom}`);
    for (const {line, point} of found)
      this.guide.append("circle").attr("class", `dot ${colour(line)}`).attr("cx", this.x(point.x)).attr("cy", this.y(point.y)).attr("r", 5.5);
    const value = ({point}) => text(point.y) + (point.bar ? ` [${text(point.low)}, ${text(point.high)}]` : "");
    const words = [`${this.plot.x_label} ${text(step.x)}`, ...found.map(each => `${each.line.name || this.plot.title}: ${value(each)}`)];
    this.cursor.attr("aria-valuenow", index).attr("aria-valuetext", words.join("; "));
    this.note.attr("hidden", null).selectAll("*").remove();
    this.note.append("b").text(words[0]);
    for (const each of found) {
      const row = this.note.append("div");
      row.append("i").attr("class", `key ${each.line.series.dashed ? "dashed" : colour(each.line)}`);
      row.append("span").text(each.line.name || this.plot.title);
      row.append("em").text(value(each));
    }
    const wide = this.note.node().offsetWidth, right = at + 14 + wide < this.width;
    this.note.style("left", `${Math.max(0, right ? at + 14 : at - 14 - wide)}px`);
  }

  /* Shows the arithmetic of one point. */
  explain(index) {
    this.behind.forEach((each, i) => {
      each.hidden = i !== index;
      each.open = i === index;
    });
  }

  hide() {
    this.step = undefined;
    if (this.guide) this.guide.selectAll("*").remove();
    this.note.attr("hidden", "");
  }
}

for (const box of document.querySelectorAll(".chart")) new Chart(box);
})();
