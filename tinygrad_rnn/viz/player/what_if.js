
/*
 * What if: numbers of leaves are changed, and what follows is computed elsewhere: by the engine,
 * which a server asks for every change, or beforehand along sliders, whose answers are in the page.
 * Here nothing is computed: an answer holds what each box, arrow and bar is to show.
 */

const offer = JSON.parse(byId("offer").textContent);
const { leaves, sliders, recorded } = offer;
const isLive = !sliders;
const WIDE = 7.6, BESIDE = 52; // points: a letter of a value; margins and label beside it
const MOST_FIELDS = 64; // of one leaf

let state = {}; // what is changed: by "box,element" its value, or by slider its position
let settled = {}, earlier = []; // the state that undo leaves, and those to which it goes back
let busy = false, waiting = false, isGone = false, code = "";
let active = null; // the element that the range moves
let pointed = null; // the box whose sign "why?" is pointed at
let isPartial = false; // whether the page has formulas and reasons only of what was shown

const flowLines = [...document.querySelectorAll("#stage .gradient")];
const heads = headsOf();
const plotLines = offer.plots.map(plotOf);
const normTexts = [...document.querySelectorAll("#stage text.norm")];
const asPainted = flowLines.map((line, i) => ({
  line: attributes(line), head: heads[i] && attributes(heads[i]),
}));
boxes.forEach((box, i) => {
  box.values = [...box.element.querySelectorAll("text.value")];
  box.room = box.element.querySelector(".border").getBBox().width - BESIDE;
  if (isLive && leaves[i]) box.element.classList.add("leaf");
});

/** A plot of a state's gradient over time: as it was recorded, and as it is now. */
function plotOf(label, i) {
  const plot = document.createElementNS(byId("arrows").namespaceURI, "svg");
  plot.setAttribute("viewBox", "0 0 320 48");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", worded("{0}, on a logarithmic axis", label));
  const [was, line] = ["was", "now"].map((look) => {
    const path = document.createElementNS(plot.namespaceURI, "path");
    path.setAttribute("class", look);
    path.setAttribute("d", recorded.plots[i]);
    plot.append(path);
    return path;
  });
  byId("plots").append(make("figure", "", [make("figcaption", "", label), plot]));
  return line;
}

/** The end of each flow: the warmest lies on top, and those that are ≈0, but not 0, have none. */
function headsOf() {
  const painted = [...document.querySelectorAll("#stage .gradient-head")];
  return offer.flows.map((flow) => (flow.bin || flow.is_zero ? painted.pop() : null));
}

function attributes(element) {
  return Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value])
    .filter(([name]) => !["class", "data-from", "data-to"].includes(name)));
}

function putOn(element, look) {
  for (const name of Object.keys(attributes(element))) {
    if (!(name in look)) element.removeAttribute(name);
  }
  for (const name in look) element.setAttribute(name, look[name]);
}

// -- answers --------------------------------------------------------------------------------

/** Show the answer to a state: everything on the page that depends on numbers. */
function show(answer, asked) {
  answer.nodes.forEach((numbers, i) => Object.assign(nodes[i], numbers));
  answer.visits.forEach(({ numbers, inserted, ...rest }, i) => {
    Object.assign(visits[i], rest);
    visits[i].to.forEach((send, j) => {
      send.numbers = numbers ? numbers[j] : null;
      send.inserted = inserted ? inserted[j] : null;
    });
  });
  boxes.forEach((box, i) => {
    box.values.forEach((text, j) => answer.boxes[i] && write(text, answer.boxes[i][j], box.room));
    showZero(box, nodes[i].final && nodes[i].zero);
    box.count = -1;
    settle(i);
    for (const line of box.lines) narrow(line, box.room);
  });
  markZeros();
  takeFillings(answer.fillings);
  answer.flows.forEach(showFlow);
  normTexts.forEach((text, i) => { text.textContent = answer.norms[i]; });
  [...byId("bars").children].forEach((bar, i) => raise(bar, visits[i]));
  plotLines.forEach((line, i) => line.setAttribute("d", answer.plots[i]));
  code = answer.code;
  showEffect(answer.effect, Object.keys(asked).length > 0);
  tell();
  if (chosen !== null) fillInspector(nodes[chosen]);
  document.body.dataset.answered = JSON.stringify(asked);
}

function write(text, line, room) {
  if (text.textContent !== line) text.textContent = line;
  narrow(text, room);
}

/** Squeeze a line that has become too long for its box. */
function narrow(text, room) {
  if (text.textContent.length * WIDE > room) {
    text.setAttribute("textLength", room);
    text.setAttribute("lengthAdjust", "spacingAndGlyphs");
  } else if (text.hasAttribute("textLength")) {
    text.removeAttribute("textLength");
  }
}

/** The line under a gradient that is zero exactly. */
function showZero(box, isZero) {
  if (isZero && !box.zero) {
    const row = box.back.getBBox(), line = document.createElementNS(box.back.namespaceURI, "path");
    line.setAttribute("class", "zero");
    line.setAttribute("d", `M${row.x + 6} ${row.y + row.height - 3}h${row.width - 12}`);
    line.setAttribute("stroke", "var(--muted)");
    line.setAttribute("stroke-width", 2);
    box.back.after(line);
    box.zero = line;
  }
  if (box.zero) box.zero.style.display = isZero ? "" : "none";
}

function showFlow(look, i) {
  const line = flowLines[i], note = line.querySelector("title");
  if (note.textContent !== look.note) note.textContent = look.note;
  const before = line.flow ?? offer.flows[i];
  if (look.bin === before.bin && look.is_zero === before.is_zero) return;
  line.flow = look;
  putOn(line, look.line ?? asPainted[i].line);
  const head = look.line ? look.head : asPainted[i].head;
  if (!heads[i] && head) addHead(i);
  if (!heads[i]) return;
  heads[i].style.display = head ? "" : "none";
  if (head) putOn(heads[i], head);
  heads[i].classList.toggle("stop", look.is_zero);
}

function addHead(i) {
  const line = flowLines[i], head = document.createElementNS(line.namespaceURI, "path");
  head.setAttribute("class", line.getAttribute("class").replace("gradient", "gradient-head"));
  Object.assign(head.dataset, line.dataset);
  line.after(head);
  halos[Number(line.dataset.from.slice(1))].push(head);
  heads[i] = head;
}

/** What the changes did to the loss, beside what the gradient had promised. */
function showEffect({ loss, did, promised, said }, changed) {
  const largest = Math.max(Math.abs(did ?? 0), Math.abs(promised ?? 0));
  byId("loss").textContent = changed ? `${recorded.effect.loss} → ${loss}` : loss;
  byId("promised").setAttribute("d", arrow(promised, largest, 12));
  byId("did").setAttribute("d", arrow(did, largest, 32));
  byId("effect-said").replaceChildren(...(changed ? [
    worded("the change did "), make("b", "did", said[0]), worded("; the gradient had promised "),
    make("b", "promised", promised === null ? worded("nothing: nobody asked for it") : said[1]),
  ] : [worded("nothing is changed")]));
}

function arrow(amount, largest, y) {
  if (!amount || !largest) return "";
  const tip = 160 + 150 * (amount / largest);
  const back = tip - Math.sign(amount) * Math.min(9, Math.abs(tip - 160));
  return `M160 ${y - 3}H${back}V${y - 7}L${tip} ${y}L${back} ${y + 7}V${y + 3}H160Z`;
}

// -- asking ---------------------------------------------------------------------------------

const isChanged = () => Object.keys(state).length > 0;

/** Have the page show what follows from the state; what changes meanwhile is asked next. */
async function ask() {
  showButtons();
  if (!isLive) {
    return show(sliders.answers[sliders.names.map((_, i) => state[i] ?? -1).join()], state);
  }
  if (isGone) return;
  if (busy) return void (waiting = true);
  busy = true;
  do {
    waiting = false;
    const asked = state; // which may have changed when the answer comes
    try {
      const answer = await post(asked);
      if (answer.refused) say(answer.refused);
      else {
        byId("connection").hidden = true;
        isPartial = true;
        show(answer, asked);
      }
    } catch {
      gone();
    }
  } while (waiting && !isGone);
  busy = false;
}

async function post(asked) {
  const changes = Object.entries(asked)
    .map(([key, value]) => [...key.split(",").map(Number), value]);
  const response = await fetch("again", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ changes, visit: now, why: [chosen, pointed].filter((i) => i !== null) }),
  });
  return response.ok ? response.json() : { refused: await response.text() };
}

function say(text) {
  byId("connection").textContent = text;
  byId("connection").hidden = false;
}

function gone() {
  isGone = true;
  say(worded("The program that computes is gone: this page goes on as a still."));
  showButtons();
}

function showButtons() {
  const stopped = isLive && isGone;
  byId("undo").disabled = stopped || !earlier.length;
  byId("reset").disabled = stopped || !isChanged();
  byId("copy").disabled = !isChanged();
  for (const field of byId("elements").querySelectorAll("input")) field.disabled = stopped;
}

if (isLive) {
  const here = new EventSource("here"); // as long as it is open, the program knows of this page
  here.addEventListener("error", gone);
  here.addEventListener("open", () => {
    if (!isGone) return;
    isGone = false;
    byId("connection").hidden = true;
    ask();
  });
  for (const event of ["step", "inspect"]) byId("stage").addEventListener(event, askMore);
  byId("stage").addEventListener("pointerover", ({ target }) => {
    pointed = target.matches(".why") ? Number(target.closest(".box").id.slice(1)) : null;
    if (pointed !== null && !nodes[pointed].why?.length) askMore();
  });
}

/** Ask for what an answer has told only of what was shown then. */
function askMore() {
  if (isPartial) ask();
}

// -- changing -------------------------------------------------------------------------------

function change(key, value, original) {
  state = { ...state };
  if (value === original) delete state[key];
  else state[key] = value;
  ask();
}

/** A change that rests: where undo comes back to. */
function settleChange() {
  if (JSON.stringify(state) === JSON.stringify(settled)) return;
  earlier.push(settled);
  settled = state;
  showButtons();
}

function goBack(to) {
  state = settled = to;
  fillElements();
  ask();
}

byId("undo").addEventListener("click", () => goBack(earlier.pop()));
byId("reset").addEventListener("click", () => {
  earlier.push(settled);
  goBack({});
});
byId("copy").addEventListener("click", async () => {
  byId("code").value = code;
  byId("code").hidden = false;
  byId("code").select();
  try {
    await navigator.clipboard.writeText(code);
  } catch {
    document.execCommand("copy"); // in a frame, where the clipboard is not to be had
  }
});

/** The fields of the inspected leaf, or the sliders. */
function fillElements() {
  if (!isLive) return sliders.names.forEach(fillSlider);
  const leaf = chosen === null ? null : leaves[chosen];
  byId("elements").hidden = !leaf;
  byId("hint").hidden = Boolean(leaf);
  if (!leaf) return;
  const columns = leaf.shape.at(-1) ?? 1, rows = [];
  leaf.values.slice(0, MOST_FIELDS).forEach((_, element) => {
    if (element % columns === 0) rows.push(make("div", "row", []));
    rows.at(-1).append(field(leaf, element));
  });
  const range = make("input", "", []);
  range.type = "range";
  range.step = "any";
  range.id = "range";
  range.addEventListener("input", () => moveTo(Number(range.value)));
  range.addEventListener("change", settleChange);
  byId("elements").replaceChildren(...rows, range);
  activate(Math.min(active ?? 0, leaf.values.length - 1));
  showButtons();
}

const keyOf = (element) => `${chosen},${element}`;

function field(leaf, element) {
  const input = make("input", "", []);
  input.type = "number";
  input.step = "any";
  const place = leaf.shape.length ? indexOf(element, leaf.shape) : "";
  input.setAttribute("aria-label", `${leaf.called}${place}`);
  input.title = leaf.grad ? `∂L = ${leaf.grad[element]}` : "";
  input.addEventListener("focus", () => activate(element));
  input.addEventListener("input", () => {
    if (input.value !== "" && Number.isFinite(input.valueAsNumber)) moveTo(input.valueAsNumber);
  });
  input.addEventListener("change", () => {
    settleChange();
    showFields();
  });
  return input;
}

function indexOf(element, shape) {
  const places = [];
  for (const n of [...shape].reverse()) {
    places.unshift(element % n);
    element = Math.floor(element / n);
  }
  return `[${places.join(", ")}]`;
}

function activate(element) {
  active = element;
  const original = leaves[chosen].values[element] ?? 0, range = byId("range"); // null: no number
  const reach = Math.max(1, 2 * Math.abs(original));
  range.min = original - reach;
  range.max = original + reach;
  range.setAttribute("aria-label", fields()[element].getAttribute("aria-label"));
  showFields();
}

const fields = () => [...byId("elements").querySelectorAll("input[type=number]")];

function moveTo(value) {
  change(keyOf(active), value, leaves[chosen].values[active]);
  showFields();
}

/** Write the values into the fields, but not into the one in which somebody writes. */
function showFields() {
  fields().forEach((input, element) => {
    const value = state[keyOf(element)] ?? leaves[chosen].values[element];
    input.classList.toggle("changed", keyOf(element) in state);
    if (input !== document.activeElement) input.value = Number(value?.toPrecision(5) ?? NaN);
    if (element === active) byId("range").value = value;
  });
}

// -- sliders --------------------------------------------------------------------------------

function buildSliders() {
  byId("hint").textContent = worded("Move a slider: what follows was computed beforehand.");
  byId("elements").hidden = false;
  byId("elements").append(...sliders.names.map((name, i) => {
    const range = make("input", "", []), output = make("output", "", "");
    range.type = "range";
    range.min = 0;
    range.max = sliders.values[i].length - 1;
    range.addEventListener("input", () => {
      change(i, Number(range.value));
      fillSlider(name, i);
    });
    range.addEventListener("change", settleChange);
    return make("label", "", [make("span", "", name), output, range]);
  }));
  sliders.names.forEach(fillSlider);
}

function fillSlider(_, i) {
  const label = byId("elements").children[i], at = state[i];
  label.querySelector("input").value = at ?? sliders.starts[i];
  label.querySelector("output").textContent =
    at === undefined ? worded("as recorded") : sliders.values[i][at];
}

// -- the beginning --------------------------------------------------------------------------

if (isLive) {
  byId("stage").addEventListener("inspect", () => {
    active = null;
    fillElements();
    if (leaves[chosen]) byId("what-if").scrollIntoView({ block: "nearest" });
  });
  byId("stage").addEventListener("click", ({ target }) => {
    const box = target.closest(".box");
    if (!box) return;
    const line = [...box.querySelectorAll("text.value")].indexOf(target);
    const columns = leaves[chosen]?.shape.at(-1) ?? 1;
    if (line >= 0) fields()[line * columns]?.select();
  });
  fillElements();
} else {
  buildSliders();
}
showEffect(recorded.effect, false);
