/* Runs at the end of a page that a test opened (browser.cpp), with `look`: says what is wrong with the page, and how much it saw. */
{
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const fault = (what, element) => window.faults.push(what + (element ? ": " + element.outerHTML.slice(0, 160) : ""));
const sight = {charts: 0, marks: 0, claims: 0, answers: 0};
const shown = element => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== "hidden";

/* The rules for paper, on the screen. */
function asPrinted() {
  for (const sheet of document.styleSheets)
    for (const rule of sheet.cssRules)
      if (rule instanceof CSSMediaRule) {
        if (rule.media.mediaText === "print") rule.media.mediaText = "all";
        else if (rule.media.mediaText.includes("screen")) rule.media.mediaText = "not all";
      }
}

function checkStructure() {
  if (document.documentElement.lang === "" || document.title === "") fault("no language or no title");
  if (all("h1").length !== 1) fault("a page has one h1");
  let last = 0;
  for (const heading of all("h1,h2,h3,h4")) {
    const level = Number(heading.tagName[1]);
    if (level > last + 1) fault("a heading skips a level", heading);
    last = level;
  }
  const ids = all("[id]").map(element => element.id);
  for (const id of new Set(ids)) if (ids.filter(other => other === id).length > 1) fault("id stands twice: " + id);
  for (const link of all("a[href^='#']")) if (!document.getElementById(link.hash.slice(1))) fault("a link leads nowhere", link);
  for (const image of all("img")) if (!image.alt) fault("a picture without words", image);
  for (const svg of all("svg")) {
    const silent = svg.closest("[aria-hidden=true]");
    if (!silent && !(svg.getAttribute("role") === "img" && svg.getAttribute("aria-label"))) fault("a drawing without words", svg);
  }
  for (const button of all("button")) if (!button.textContent.trim()) fault("a button without words", button);
  for (const element of all("[src],link")) if (!/^data:/.test(element.src || "")) fault("the page needs another file", element);
}

/* Wider than the window only inside of what scrolls. */
function checkWidth(when) {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > room) fault(`wider than the window ${when}: ${document.documentElement.scrollWidth} of ${room}`);
  for (const element of all("main *")) {
    if (!shown(element) || element.closest(".scroll,pre,.skip")) continue;
    const box = element.getBoundingClientRect();
    if (box.left >= -9000 && box.width > 0 && (box.right > room + 1 || box.left < -1)) return fault(`sticks out of the window ${when}`, element);
    const card = element.closest("td") && element.closest(".card");
    if (card && box.width > 0 && !within(box, card.getBoundingClientRect())) return fault(`sticks out of its card ${when}`, element);
  }
}

const rgba = text => (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
/* The colour behind an element: its ancestors' backgrounds, one upon the other. */
function behind(element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const [r, g, b, a = 1] = rgba(getComputedStyle(at).backgroundColor);
    if (a > 0) layers.push([r, g, b, a]);
    if (a === 1) break;
  }
  return layers.reverse().reduce((below, [r, g, b, a]) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a)), [255, 255, 255]);
}
const luminance = colour => colour.slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/* WCAG 2.1, AA: 4.5 for text, 3 for lines and marks. */
function checkContrast() {
  const seen = new Set();
  for (const element of all("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim() !== "");
    if (!own || !shown(element) || element.closest("title,script,style")) continue;
    const style = getComputedStyle(element), colour = rgba(element instanceof SVGElement ? style.fill : style.color), back = behind(element);
    const ratio = contrast(colour, back), what = `${element.tagName} ${element.getAttribute("class")} ${colour} on ${back.map(Math.round)}`;
    if (ratio < 4.5 && !seen.has(what)) fault(`contrast ${ratio.toFixed(2)} of text ${what}`);
    seen.add(what);
  }
  for (const mark of all(".chart .line, .chart .dot, .interval-strip .line")) {
    const style = getComputedStyle(mark), colour = rgba(style.fill === "none" ? style.stroke : style.fill), ratio = contrast(colour, behind(mark));
    if (ratio < 3) fault(`contrast ${ratio.toFixed(2)} of a line`, mark);
  }
}

/* The lines of a chart that have a point to show. */
function drawableOf(chart) {
  const plot = JSON.parse(chart.querySelector("script").textContent), takes = (value, log) => value !== null && (!log || value > 0);
  return plot.series.filter(({x, y}) => x.some((value, i) => takes(value, plot.log_x) && takes(y[i], plot.log_y)));
}
const linesOf = chart => all(".line", chart.querySelector("svg[role=img]"));
const within = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1;

function checkChart(chart) {
  const svg = chart.querySelector("svg[role=img]");
  ++sight.charts;
  if (!svg || svg.getBoundingClientRect().height < 100) return fault("a figure without a picture", chart);
  const paths = linesOf(chart).filter(line => /^M.*\d/.test(line.getAttribute("d") || "") && !/NaN|Infinity/.test(line.getAttribute("d")));
  sight.marks += paths.length + all(".dot", svg).length;
  for (const line of paths)  /* samples of a legend lie outside of the frame */
    if (line.getBoundingClientRect().height > 2 && getComputedStyle(line.closest("svg")).overflow !== "hidden") fault("a line that may leave its frame", line);
  const drawable = drawableOf(chart);
  if (paths.length < drawable.length) fault(`${paths.length} of ${drawable.length} lines are drawn`, chart);
  const texts = all("text", svg).filter(text => text.textContent.trim() !== ""), frame = chart.getBoundingClientRect();
  if (texts.length < 4) fault("an axis without numbers", chart);
  const boxes = texts.map(text => text.getBoundingClientRect());
  boxes.forEach((box, i) => {
    if (!within(box, frame)) fault(`text outside of its figure: ${texts[i].textContent}`);
    boxes.slice(i + 1).forEach((other, j) => {
      const across = Math.min(box.right, other.right) - Math.max(box.left, other.left), down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      if (across > 1 && down > 2) fault(`"${texts[i].textContent}" and "${texts[i + 1 + j].textContent}" overlap`);
    });
  });
  const rows = all("tbody tr", chart.parentElement);
  if (drawable.length > 0 && rows.length === 0) fault("a figure without its numbers", chart);
}

/* The pointer and the arrow keys read values, and buttons switch lines off and on. */
function checkAnswers(chart) {
  const cursor = chart.querySelector(".cursor"), note = chart.querySelector(".note");
  if (!cursor || !note) return;  // a build without D3; tests that have it count the answers
  ++sight.answers;
  if (drawableOf(chart).length === 0) return;
  const box = cursor.getBoundingClientRect();
  for (const share of [0.02, 0.5, 0.98]) {
    cursor.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + share * box.width, clientY: box.top + box.height / 2}));
    if (note.hidden || !/\d/.test(note.textContent)) return fault("the pointer reads no value", chart);
    if (!within(note.getBoundingClientRect(), chart.getBoundingClientRect())) fault("the values stick out of the figure", note);
  }
  if (all(".guide .dot", chart).length === 0) fault("no point is marked", chart);
  cursor.dispatchEvent(new PointerEvent("pointerleave"));
  if (!note.hidden) fault("the values stay when the pointer leaves", chart);
  const press = key => cursor.dispatchEvent(new KeyboardEvent("keydown", {key, cancelable: true}));
  press("Home");
  const first = cursor.getAttribute("aria-valuetext");
  press("End");
  const last = cursor.getAttribute("aria-valuetext");
  if (!/\d/.test(first) || first === last && cursor.getAttribute("aria-valuemax") !== "0") fault("the keys read no value", chart);
  const behind = all(".behind > details", chart.parentElement);
  if (behind.length > 0 && behind.map(shown).lastIndexOf(true) !== behind.length - 1) fault("the arithmetic is not that of the last point", chart);
  if (behind.filter(shown).length > 1) fault("the arithmetic of several points", chart);
  press("Escape");
  for (const button of all("button", chart)) {
    const before = linesOf(chart).length, scale = button.classList.contains("scale"), pressed = button.getAttribute("aria-pressed");
    button.click();
    if (button.getAttribute("aria-pressed") === pressed) fault("a button that does not say its state", button);
    if (linesOf(chart).length !== before - (scale ? 0 : 1)) fault("a button that switches nothing", button);
    if (all("text", chart).some(text => /NaN|undefined|Infinity/.test(text.textContent))) fault("no number on an axis", chart);
    button.click();
    if (linesOf(chart).length !== before) fault("a button that does not switch back", button);
  }
}

function checkClaims() {
  const verdicts = ["holds", "refuted", "undecided"];
  for (const claim of all(".claims tbody tr, .claim")) {
    const verdict = claim.querySelector(".verdict");
    if (verdict && verdicts.includes(verdict.textContent)) ++sight.claims;
    else fault("a claim without a verdict", claim);
  }
}

addEventListener("load", () => {
  try {
    if (look.print) asPrinted();
    if (look.dark !== matchMedia("(prefers-color-scheme: dark)").matches) fault("the browser does not show the colours that were asked for");
    checkStructure();
    checkClaims();
    checkWidth("at first");
    checkContrast();
    all(".chart").forEach(checkChart);
    if (look.scripts && !look.print) all(".chart").forEach(checkAnswers);
    for (const details of all("details")) details.open = true;
    checkWidth("with everything open");
    for (const details of all("figure details")) details.open = false;
    if (!document.querySelector("main")) fault("a page without main");
  } catch (error) {
    fault(`the check itself: ${error.stack}`);
  }
  const result = JSON.stringify({...sight, faults: window.faults}).replace(/[<>&]/g, c => "\\u00" + c.charCodeAt(0).toString(16));
  const pre = document.createElement("pre");
  pre.id = "sight";
  pre.hidden = true;
  pre.textContent = result;
  document.body.append(pre);
});
}
