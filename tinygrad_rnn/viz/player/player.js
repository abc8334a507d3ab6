/*
 * The player: at step k the page shows what the walk had written after its k-th visit.
 *
 * Every node carries its `states`: what its gradient was after each contribution, and at which
 * step that came.  Going from one step to another touches only the nodes that differ.
 */

const {
  nodes, visits, root, start, chapters, fillings,
  words, // of a page that is not in English
} = JSON.parse(document.getElementById("walk").textContent);
const LAST = visits.length;
const PACES = [30, 20, 15, 10, 7, 5, 3, 2, 1, 0.5, 0.25, 0.1, 0.05]; // seconds of a visit
const USUAL = 8, SPOKEN = 2; // of the paces: the first one; seconds in which a visit can be heard
const READABLE = 0.6, CLOSE = 0.85; // scales: texts can be read from the one, well at the other
const LINK_DELAY = 150; // browsers refuse a page that changes its address too often
const LONG = 3000; // points: browsers take long to paint thousands of dashes
const SHEET = 300; // elements: a browser paints anew all of a sheet of which something changes
const REST = 150; // milliseconds without a further step, after which the panel tells the visit

const byId = (id) => document.getElementById(id);
cut(byId("drawing").firstElementChild);
const boxes = nodes.map(boxOf);
const halos = nodes.map(() => []); // the gradients that leave a node, and their arrowheads
const written = Array.from({ length: LAST + 1 }, () => []); // the nodes written to, by step

let now = 0; // the step shown
let chosen = null; // the inspected node
let marked = []; // the elements with rings and dashes
let timer = null; // of the next step while playing
let linkTimer = null;
let restTimer = null; // of telling the visit at which a held key, a drag or a fast play rests
let goal = null, isGliding = false; // where the next frame goes, while it follows a key or a drag
let contributionRows = [];

nodes.forEach((node, i) => node.states.forEach((state) => written[state.at].push(i)));
nodes.forEach((_, i) => settle(i)); // before the browser lays out what is drawn
markZeros();
const view = viewport(byId("stage"));
const flows = [...document.querySelectorAll("#stage .gradient, #stage .gradient-head")];
flows.forEach((flow) => halos[Number(flow.dataset.from.slice(1))].push(flow));
// All are measured before one is changed: after a change the browser looks at everything anew.
const long = flows.filter((flow) => flow.getBBox().width > LONG);
long.forEach((flow) => flow.classList.add("long"));

/** A text of the page in its language, with what stands for {0}, {1} … in it. */
function worded(text, ...inserted) {
  return (words[text] ?? text).replace(/\{(\d)\}/g, (_, i) => inserted[i]);
}

/** Spread a drawing over sheets, in its order, so that a step touches few of them. */
function cut(drawing) {
  const copies = new Map(); // of the groups, on the sheet that is being filled
  let sheet = drawing, room = SHEET;

  function within(group) {
    if (group === drawing) return sheet;
    if (!copies.has(group)) {
      const copy = group.cloneNode(false);
      within(group.parentNode).append(copy);
      copies.set(group, copy);
    }
    return copies.get(group);
  }

  function deal(element) {
    if (element.matches("g:not(.box)")) return [...element.children].forEach(deal);
    const group = element.parentNode;
    if (room <= 0) {
      sheet = drawing.cloneNode(false);
      sheet.setAttribute("aria-hidden", "true"); // the first one speaks for all
      byId("drawing").append(sheet);
      copies.clear();
      room = SHEET;
    }
    room -= 1 + element.querySelectorAll("*").length;
    if (sheet !== drawing) within(group).append(element);
  }

  [...drawing.children].forEach(deal);
}

/** The parts of a node's box that change. */
function boxOf(node) {
  const element = byId(node.id), lines = [...element.querySelectorAll("text.grad")];
  return {
    element,
    count: -1, // how many of the node's states have been reached
    back: element.querySelector(".grad-row"),
    zero: element.querySelector(".zero"),
    label: lines[0]?.previousElementSibling,
    lines,
  };
}

// -- going to a step ------------------------------------------------------------------------

/** Show a step. Of one that is only passed by the panel tells what it is, and the rest at rest. */
function go(step, isPassed = false) {
  const to = Math.min(LAST, Math.max(0, step)), from = now;
  now = to;
  goal = null;
  for (let k = Math.min(from, to) + 1; k <= Math.max(from, to); k++) {
    written[k].forEach(settle);
    for (const halo of halos[visits[k - 1].node]) halo.classList.toggle("flowed", k <= to);
  }
  mark();
  if (isPassed) pass();
  else tell();
  refreshInspector();
  moveAlong();
  if (byId("follow").checked) view.reveal(inPlay());
  if (now === LAST) pause();
  link();
  byId("stage").dispatchEvent(new Event("step"));
}

/** Follow a held key or a drag, which may ask for many steps before a frame is painted. */
function glide(step) {
  if (isGliding) return void (goal = step);
  go(step, true);
  isGliding = true;
  requestAnimationFrame(() => {
    isGliding = false;
    if (goal !== null) glide(goal);
  });
}

/** The node of this step; before the first, the one at which the walk will start. */
function current() {
  return now ? visits[now - 1].node : root;
}

/** The box of this step, and those that it feeds. */
function inPlay() {
  const fed = now ? visits[now - 1].to.map(({ node }) => node) : [];
  return [current(), ...fed].map((i) => boxes[i].element);
}

/** Write a node's gradient as it is now. */
function settle(i) {
  const box = boxes[i], count = reached(i);
  if (count === box.count) return;
  box.count = count;
  if (!box.back) return;
  const state = nodes[i].states[count - 1];
  const ink = state ? `var(--heat-${state.bin}-text)` : "var(--muted)";
  box.back.setAttribute("fill", state ? `var(--heat-${state.bin}-fill)` : "var(--row)");
  box.label.setAttribute("fill", ink);
  box.zero?.classList.toggle("final", count === nodes[i].states.length);
  box.lines.forEach((line, j) => {
    line.textContent = state ? state.sum[j] : j ? "" : worded("not yet");
    line.setAttribute("fill", ink);
  });
}

/** How many of a node's states have been reached. */
function reached(i) {
  const { states } = nodes[i];
  let count = Math.max(0, boxes[i].count);
  while (count < states.length && states[count].at <= now) count++;
  while (count && states[count - 1].at > now) count--;
  return count;
}

/** Rings round the current node and those that it feeds, dashes on the edges between them. */
function mark() {
  for (const element of marked) element.classList.remove("current", "fed", "active");
  marked = [];
  const [box, ...fed] = inPlay();
  if (!now) return put("fed", [box]);
  put("current", [box]);
  put("fed", fed);
  put("active", halos[current()]);
}

function put(name, elements) {
  for (const element of elements) element.classList.add(name);
  marked.push(...elements);
}

// -- what the panel says --------------------------------------------------------------------

/** Everything about the visit. */
function tell() {
  clearTimeout(restTimer);
  const node = nodes[current()], sends = now ? visits[now - 1].to : [];
  tellWhich(node, sends);
  byId("what").children[1].replaceChildren(...(node.math ? [formula(node.math, node.expression)] : []));
  tellArrived(node);
  byId("sent").replaceChildren(...sends.map(card));
  byId("sent-head").hidden = byId("sent").hidden = !sends.length;
  byId("zero").replaceChildren(...(now ? reasons(node) : []));
  byId("panel").classList.remove("passing");
  if (timer === null || pace() >= SPOKEN) byId("spoken").textContent = spoken(node, sends);
}

/** Only which visit it is, until it rests: formulas take a browser longer than all the drawing. */
function pass() {
  clearTimeout(restTimer);
  restTimer = setTimeout(tell, REST);
  tellWhich(nodes[current()], now ? visits[now - 1].to : []);
  byId("panel").classList.add("passing");
}

function tellWhich(node, sends) {
  const parts = [];
  parts.push(now ? worded("step {0} of {1}", now, LAST) : worded("before step 1 of {0}", LAST));
  if (now && node.where) parts.push(node.where);
  if (!now) parts.push(worded("nothing has flowed yet"));
  if (now === LAST) parts.push(worded("the walk ends here"));
  byId("where").textContent = parts.join(" · ");
  byId("what").children[0].textContent = node.name;
  light(now ? [2, ...(sends.length ? [4] : [])] : [0]);
}

function spoken(node, sends) {
  const gradient = now ? worded("; gradient {0}", visits[now - 1].G.join(" ")) : "";
  const to = sends.map((send) => nodes[send.node].name).join(worded(" and "));
  const why = now && isZero(node) ? inOneLine(node.why) : "";
  return `${byId("where").textContent}: ${node.name} ${node.expression}${gradient}`
    + (why ? worded(", which is zero: {0}", why) : "")
    + (to ? worded("; adds to the gradient of {0}", to) : "");
}

function light(active) {
  [...byId("loop").children].forEach((line, i) => {
    if (line.classList.contains("lit") === active.includes(i)) return;
    line.classList.toggle("lit", active.includes(i));
    line.setAttribute("aria-current", String(active.includes(i)));
  });
}

/** Which cotangent the node has, and from whom it came. */
function tellArrived(node) {
  const label = `∂${nodes[root].name}/∂${node.name}`;
  const parts = node.states.filter((state) => state.from !== null);
  const consumers = new Set(parts.map((state) => state.from)).size;
  const G = now ? visits[now - 1].G : node.states[0].sum;
  const rows = [];
  if (parts.length > 1) {
    for (const part of parts) rows.push([source(part), part.sent]);
    if (hooked(node)) rows.push([worded("sum"), parts[parts.length - 1].sum]);
  }
  rows.push([worded(hooked(node) ? "G, after hooks" : parts.length > 1 ? "sum = G" : "G"), G]);
  byId("arrived").replaceChildren(...entries(rows));
  byId("arrived-head").textContent = `G = ${label}: ` + worded(
    node === nodes[root] ? "where the walk starts"
      : consumers > 1 ? "final, all {0} consumers were visited before"
        : "final, its only consumer was visited before", consumers);
}

/** Whether hooks changed a gradient after its sum was complete. */
function hooked(node) {
  return node.states.some((state) => state.from === null && state.at > 0);
}

/** What one input receives: the rule, its numbers, and the sum before and after. */
function card(send) {
  const { name, states } = nodes[send.node], state = states[send.state];
  const title = make("p", "", [
    make("b", "", `${name}.grad += `), formula(send.math, send.formula, "rule"),
  ]);
  const rows = [[worded("contribution"), state.sent]];
  if (send.numbers) rows.unshift([worded("numbers"), brokenFormula(send.inserted, send.numbers), "set"]);
  if (send.state) rows.push([worded("had"), states[send.state - 1].sum], [worded("now"), state.sum]);
  else rows.push([worded("first use"), [worded("grad was empty")], "faint"]);
  return make("div", "card send", [title, make("dl", "", entries(rows))]);
}

/** Rows of a description list, from [label, lines or an element, class]. */
function entries(rows) {
  return rows.flatMap(([label, lines, look = ""]) => [
    make("dt", "", label), make("dd", look, Array.isArray(lines) ? lines.join("\n") : [lines]),
  ]);
}

/** A new element; what stands in it is text or elements, never markup. */
function make(tag, look, content) {
  const element = document.createElement(tag);
  if (look) element.className = look;
  if (typeof content === "string") element.textContent = content;
  else element.append(...content);
  return element;
}

// -- the inspector --------------------------------------------------------------------------

function inspect(i) {
  if (chosen !== null) boxes[chosen].element.classList.remove("inspected");
  chosen = i;
  byId("inspector").hidden = i === null;
  byId("nodes").value = i === null ? "" : String(i);
  if (i !== null) fillInspector(nodes[i]);
  link();
  byId("stage").dispatchEvent(new Event("inspect"));
}

function fillInspector(node) {
  boxes[chosen].element.classList.add("inspected");
  byId("inspected").textContent = node.name;
  byId("kind").textContent = `${node.expression || node.kind} · ${node.shape}`;
  const list = byId("inspector").querySelector("dl");
  const rows = [[worded("value"), node.value, "plain"]];
  if (node.final) rows.push([worded("grad now"), []], [worded("grad final"), node.final]);
  else rows.push([worded("grad"), [worded("needs none: nothing flows here")], "faint"]);
  list.replaceChildren(...entries(rows));
  contributionRows = node.states.map((state) => {
    const [label, lines] = entries([[source(state), state.sent]]);
    label.prepend(make("span", "tick", ""));
    list.append(label, lines);
    return { tick: label.firstChild, label, lines };
  });
  byId("why").replaceChildren(...reasons(node));
  byId("jump").hidden = node.visit === null;
  byId("jump").textContent = worded("jump to its visit (step {0})", node.visit);
  refreshInspector();
}

function source(state) {
  if (state.from !== null) return worded("from {0}", nodes[state.from].name);
  return worded(state.at ? "after hooks" : "start");
}

/** Tick what has arrived by now, and write the sum so far. */
function refreshInspector() {
  if (chosen === null || !nodes[chosen].final) return;
  const { states } = nodes[chosen], count = boxes[chosen].count;
  byId("inspector").querySelectorAll("dd")[1].textContent =
    count ? states[count - 1].sum.join("\n") : worded("not yet");
  contributionRows.forEach(({ tick, label, lines }, j) => {
    const there = j < count, sign = there ? "✓ " : "· ";
    if (tick.textContent === sign) return;
    tick.textContent = sign;
    for (const part of [label, lines]) part.classList.toggle("faint", !there);
  });
}

// -- the strip and the buttons --------------------------------------------------------------

function buildStrip() {
  const bars = byId("bars");
  bars.setAttribute("viewBox", `0 0 ${LAST} 7`);
  visits.forEach((visit, i) => {
    const bar = document.createElementNS(bars.namespaceURI, "rect");
    const gap = Math.min(0.1, LAST / 2000);
    bar.setAttribute("x", i + gap);
    bar.setAttribute("width", 1 - 2 * gap);
    bars.append(bar);
    raise(bar, visit);
  });
  byId("strip").addEventListener("pointerdown", (event) => {
    byId("strip").setPointerCapture(event.pointerId);
    jump(visitAt(event));
  });
  byId("strip").addEventListener("pointermove", (event) => event.buttons && glide(visitAt(event)));
  new ResizeObserver(markTime).observe(byId("strip"));
}

/** Make a bar as high and as dark as the gradient of its visit. */
function raise(bar, visit) {
  const height = visit.bin + 1;
  bar.setAttribute("y", 7 - height);
  bar.setAttribute("height", height);
  bar.setAttribute("fill", visit.bin ? `var(--heat-${visit.bin}-fill)` : "var(--frame)");
}

/** The visit to whose bar a pointer points. */
function visitAt({ clientX }) {
  const room = byId("strip").getBoundingClientRect();
  return Math.max(1, Math.ceil(((clientX - room.left) / room.width) * LAST));
}

/** Write a time step over the first of its visits, where there is room for it. */
function markTime() {
  const pixels = byId("strip").clientWidth / LAST, marks = [];
  let free = 0, before = null;
  visits.forEach((visit, i) => {
    const { step } = nodes[visit.node];
    if (step !== before && step !== null && i * pixels >= free) {
      const sign = make("span", "", `t=${step}`);
      sign.style.left = `${(100 * i) / LAST}%`;
      marks.push(sign);
      free = i * pixels + 8 * sign.textContent.length + 10;
    }
    before = step;
  });
  byId("marks").replaceChildren(...marks);
}

function moveAlong() {
  byId("slider").value = now;
  byId("slider").setAttribute("aria-valuetext", byId("where").textContent);
  byId("count").textContent = `${now} / ${LAST}`;
  byId("future").style.left = `${(100 * now) / LAST}%`;
  byId("here").style.left = `${(100 * Math.max(0, now - 1)) / LAST}%`;
  byId("here").style.width = `${100 / LAST}%`;
  byId("here").hidden = !now;
  byId("first").disabled = byId("back").disabled = !now;
  byId("last").disabled = byId("forward").disabled = now === LAST;
}

function play() {
  if (now === LAST) go(0);
  byId("play").textContent = worded("❚❚ Pause");
  beat();
}

function beat() {
  timer = setTimeout(() => {
    go(now + 1, 1000 * pace() < REST);
    if (timer !== null) beat();
  }, 1000 * pace());
}

/** Seconds of a visit. */
function pace() {
  return PACES[byId("speed").value];
}

function showPace() {
  const said = worded("{0} s a visit", pace());
  byId("pace").querySelector("output").textContent = said;
  byId("speed").setAttribute("aria-valuetext", said);
}

function pause() {
  if (timer === null) return;
  clearTimeout(timer);
  timer = null;
  byId("play").textContent = worded("▶ Play");
  tell();
}

// -- the address ----------------------------------------------------------------------------

/** Write step and node into the address, once they have rested. */
function link() {
  clearTimeout(linkTimer);
  linkTimer = setTimeout(() => {
    const node = chosen === null ? "" : `&node=${chosen}`;
    history.replaceState(null, "", `#step=${now}${node}`);
  }, LINK_DELAY);
}

function readLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const [step, node] = ["step", "node"].map((name) => (
    /^\d+$/.test(link.get(name) ?? "") ? Number(link.get(name)) : null));
  pause();
  inspect(node !== null && node < nodes.length ? node : null);
  go(step ?? now);
}

// -- keys and clicks ------------------------------------------------------------------------

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
}

function showTheme() {
  byId("dark").setAttribute("aria-pressed", String(isDark()));
}

const toggle = () => (timer === null ? play() : pause());
const jump = (to) => { pause(); go(to); };
const step = (change, { repeat }) => { // of a key that is held down
  pause();
  (repeat ? glide : go)((goal ?? now) + change);
};
const KEYS = {
  ArrowLeft: (event) => step(-1, event), ArrowRight: (event) => step(1, event),
  Home: () => jump(0), End: () => jump(LAST), " ": toggle, Escape: () => inspect(null),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { target, key } = event;
  if (target.matches("select, textarea, input:not([type=checkbox])") && key !== "Escape") return; // has its own keys
  if (target.matches("button, input") && key === " ") return;
  if (KEYS[key]) KEYS[key](event);
  else if (!view.key(key)) return;
  event.preventDefault();
});
for (const [id, act] of Object.entries({
  first: KEYS.Home, back: KEYS.ArrowLeft, play: toggle, forward: KEYS.ArrowRight, last: KEYS.End,
  fit: view.fit, dark: switchTheme, jump: () => jump(nodes[chosen].visit),
})) byId(id).addEventListener("click", act);
byId("slider").addEventListener("input", (event) => { pause(); glide(Number(event.target.value)); });
byId("nodes").addEventListener("change", ({ target }) => {
  inspect(target.value === "" ? null : Number(target.value));
});
byId("follow").addEventListener("change", () => go(now));
byId("speed").addEventListener("input", () => {
  showPace();
  if (timer === null) return;
  clearTimeout(timer); // the visit shown now lasts as long as it should from now on
  beat();
});
byId("stage").addEventListener("click", ({ target }) => {
  const box = target.closest(".box");
  if (box) inspect(Number(box.id.slice(1)));
});
addEventListener("hashchange", readLink);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);

// -- the beginning --------------------------------------------------------------------------

byId("slider").max = LAST;
byId("speed").max = PACES.length - 1;
byId("speed").value = USUAL;
showPace();
byId("loop").append(...[
  `${nodes[root].name}.grad = ${start}`,
  `for node in reversed(topological_order(${nodes[root].name})):`,
  "    G = node.grad",
  "    for parent, vjp in node.inputs:",
  "        parent.grad += vjp(G)",
].map((line) => make("li", "", line)));
byId("nodes").append(...nodes.map((node, i) => {
  const option = make("option", "", [node.name, node.expression || node.kind].join(" "));
  option.value = i;
  return option;
}).reverse());
buildStrip();
showTheme();
if (view.whole() < READABLE) {
  byId("follow").checked = true;
  view.reveal([boxes[root].element], CLOSE);
}
readLink();
