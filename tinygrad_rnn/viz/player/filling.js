/*
 * The gradients of the parameters, filling up: a bar for each time step, as high as what it gave,
 * and the sum so far.  A step of the walk touches only the bars to which its visit gave something.
 */

const weights = fillings.map(({ node, bars }) => {
  const svg = document.createElementNS(byId("bars").namespaceURI, "svg");
  svg.setAttribute("viewBox", `0 0 ${Math.max(bars.length, 8)} 10`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const painted = bars.map((label, x) => {
    const bar = document.createElementNS(svg.namespaceURI, "rect");
    const note = document.createElementNS(svg.namespaceURI, "title");
    note.textContent = label;
    bar.setAttribute("x", x + 0.1);
    bar.setAttribute("width", 0.8);
    bar.setAttribute("y", 10);
    bar.setAttribute("height", 0);
    bar.append(note);
    return bar;
  });
  svg.append(...painted);
  const sum = make("span", "sum", ""), whole = make("span", "", "");
  const said = make("p", "", [sum, whole]);
  byId("weights").append(make("li", "", [make("b", "", nodes[node].name), svg, said]));
  return { bars: painted, sum, whole, count: 0 };
});
let gifts = [];

/** What the visits give, one after the other, and what each bar was before. */
function takeFillings(given) {
  gifts = given.map(({ gifts: own }) => {
    const high = [];
    return own.map((gift) => {
      const before = high[gift.bar] ?? 0;
      high[gift.bar] = gift.high;
      return { ...gift, before };
    });
  });
  weights.forEach((weight, i) => {
    fill(weight, gifts[i], 0);
    weight.whole.textContent = worded(" of {0}", given[i].final);
  });
  fillAll();
}

/** Go to the state in which so many gifts have come. */
function fill(weight, own, count) {
  const from = weight.count;
  for (let k = from; k < count; k++) raiseTo(weight.bars[own[k].bar], own[k].high);
  for (let k = from; k > count; k--) raiseTo(weight.bars[own[k - 1].bar], own[k - 1].before);
  weight.count = count;
  weight.sum.textContent = count ? own[count - 1].sum : worded("not yet");
}

function raiseTo(bar, high) {
  bar.setAttribute("y", 10 - 10 * high);
  bar.setAttribute("height", 10 * high);
}

function fillAll() {
  weights.forEach((weight, i) => {
    const own = gifts[i];
    let count = weight.count;
    while (count < own.length && own[count].at <= now) count++;
    while (count && own[count - 1].at > now) count--;
    if (count !== weight.count || !weight.sum.textContent) fill(weight, own, count);
  });
}

byId("filling").hidden = !weights.length;
takeFillings(fillings);
byId("stage").addEventListener("step", fillAll);
