/*
 * Explaining: formulas as they are set, and why a gradient is zero.  What stands in a formula was
 * read elsewhere; here lists of a tag and its contents become elements, never markup.
 */

const MATHML = "http://www.w3.org/1998/Math/MathML";
const BREAKS = new Set(["⊙", "+", "−", "=", "/"]); // operators before which a line may end

/** A formula, which is read out as it is written in one line. */
function formula(tree, said, look = "") {
  const element = document.createElementNS(MATHML, "math");
  if (look) element.setAttribute("class", look);
  if (said) element.setAttribute("aria-label", said);
  element.append(mathOf(tree));
  return element;
}

/** A long formula in several, between which lines break: before its products, sums and relations. */
function brokenFormula(tree, said) {
  const [tag, ...inside] = tree, chunks = [[]];
  for (const part of tag === "mrow" ? inside : [tree]) {
    if (chunks.at(-1).length && BREAKS.has(part[0] === "mo" && part[1])) chunks.push([]);
    chunks.at(-1).push(part);
  }
  const whole = make("span", "", chunks.map((chunk) => formula(["mrow", ...chunk], "")));
  whole.setAttribute("role", "math");
  whole.setAttribute("aria-label", said);
  for (const part of whole.children) part.setAttribute("aria-hidden", "true");
  return whole;
}

function mathOf([tag, ...inside]) {
  const element = document.createElementNS(MATHML, tag);
  element.append(...inside.map((part) => (typeof part === "string" ? part : mathOf(part))));
  return element;
}

/** Whether there is a gradient, of zeros only, and so a reason; one that may not be known yet. */
function isZero({ zero, why }) {
  return Boolean(zero && why);
}

function inOneLine(why) {
  return why.map(({ kind, what }) => `${worded(kind)}: ${what}`).join("; ");
}

/** The reasons for which nothing has come to a node, or zeros only; nothing of any other node. */
function reasons({ why, visit, zero }) {
  if (!why?.length || !(zero || visit !== null || why.some(({ kind }) => kind !== "needs none"))) return [];
  return [
    make("h3", "", worded(zero ? "Why is this zero?" : "Why is there no gradient?")),
    make("ul", "", why.map(({ kind, what, where }) => make("li", "", [
      make("b", "", worded(kind)), `: ${what}${where ? ` (${where})` : ""}`,
    ]))),
  ];
}

/** On the boxes of zeros a sign that says so, and why: once the gradient is complete. */
function markZeros() {
  const isMarked = boxes.map((box, i) => Boolean(box.zero) && isZero(nodes[i]));
  const unsigned = boxes.filter((box, i) => isMarked[i] && !box.sign);
  // All are measured before one is changed: after a change the browser looks at everything anew.
  const labels = unsigned.map((box) => box.label.getBBox());
  unsigned.forEach((box, i) => { box.sign = addSign(box, labels[i]); });
  boxes.forEach((box, i) => {
    if (!box.sign) return;
    if (isMarked[i]) box.sign.querySelector("title").textContent = inOneLine(nodes[i].why);
    else { box.sign.remove(); box.sign = null; }
  });
}

function addSign(box, label) {
  const name = box.back.namespaceURI;
  const sign = document.createElementNS(name, "text");
  sign.setAttribute("class", "why");
  sign.setAttribute("x", label.x + label.width + 5);
  sign.setAttribute("y", box.label.getAttribute("y"));
  sign.append(worded("why?"), document.createElementNS(name, "title"));
  box.zero.after(sign);
  return sign;
}
