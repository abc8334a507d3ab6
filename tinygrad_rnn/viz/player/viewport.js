"use strict";

/**
 * Pan and zoom of the drawing on a stage: by pointers (one moves, two pinch), wheel and keys.
 * The drawing lies on one or more sheets, SVG elements of one size; only a transform changes.
 */
function viewport(stage) {
  const MARGIN = 14; // round the drawing
  const SMALLEST = 0.005, LARGEST = 8, LEGIBLE = 0.15; // scales; below the last nothing is written
  const STILL = 4; // pixels that a pointer may move in a click
  const drawing = stage.querySelector("#drawing");
  const size = measured([...drawing.children]);
  const pointers = new Map();
  let x = 0, y = 0, scale = 1, fitted = true, dragged = false, travelled = 0, far = false;

  /**
   * What is drawn on any of the sheets, with a margin. They stay as they are, in points: to cut them
   * to it would have the browser lay out all of their writing once more.
   */
  function measured(sheets) {
    for (const sheet of sheets) {
      const { width, height } = sheet.viewBox.baseVal;
      if (sheet.width.baseVal.value !== width) sheet.setAttribute("width", width);
      if (sheet.height.baseVal.value !== height) sheet.setAttribute("height", height);
    }
    const boxes = sheets.map((sheet) => sheet.getBBox()).filter((box) => box.width);
    const left = Math.min(...boxes.map((box) => box.x)) - MARGIN;
    const top = Math.min(...boxes.map((box) => box.y)) - MARGIN;
    const width = Math.max(...boxes.map((box) => box.x + box.width)) + MARGIN - left;
    const height = Math.max(...boxes.map((box) => box.y + box.height)) + MARGIN - top;
    return { left, top, width, height };
  }

  function draw() {
    const place = [x - size.left * scale, y - size.top * scale].map((length) => `${length}px`);
    drawing.style.transform = `translate(${place.join(", ")}) scale(${scale})`;
    if (far === scale < LEGIBLE) return;
    far = !far;
    requestAnimationFrame(() => drawing.classList.toggle("far", far)); // once, however often it turns
  }

  /** The scale at which all of the drawing can be seen. */
  function whole() {
    return Math.min(stage.clientWidth / size.width, stage.clientHeight / size.height, 1.5);
  }

  function fit() {
    scale = whole();
    x = (stage.clientWidth - size.width * scale) / 2;
    y = (stage.clientHeight - size.height * scale) / 2;
    fitted = true;
    draw();
  }

  function move(dx, dy) {
    x += dx;
    y += dy;
    fitted = false;
    draw();
  }

  /** Zoom so that the point at (px, py) of the stage stays where it is. */
  function zoom(factor, px = stage.clientWidth / 2, py = stage.clientHeight / 2) {
    const next = Math.min(LARGEST, Math.max(SMALLEST, scale * factor));
    move((px - x) * (1 - next / scale), (py - y) * (1 - next / scale));
    scale = next;
    draw();
  }

  /**
   * Bring elements of the drawing into sight: the first, and those of the others that have room
   * beside it.  Nothing moves if they can be seen well already.
   */
  function reveal([first, ...others], closest = scale) {
    const room = stage.getBoundingClientRect();
    const aside = { x: Math.min(60, room.width / 8), y: Math.min(30, room.height / 8) };
    const middle = (at) => [(at.left + at.right) / 2 - room.left, (at.top + at.bottom) / 2 - room.top];
    if (closest !== scale) zoom(closest / scale, ...middle(first.getBoundingClientRect()));
    let at = first.getBoundingClientRect();
    for (const other of others) {
      const both = union(at, other.getBoundingClientRect());
      const fits = both.right - both.left < room.width - 2 * aside.x
        && both.bottom - both.top < room.height - 2 * aside.y;
      if (fits) at = both;
    }
    const inSight = at.left >= room.left + aside.x && at.right <= room.right - aside.x
      && at.top >= room.top + aside.y && at.bottom <= room.bottom - aside.y;
    const [px, py] = middle(at);
    if (!inSight) move(room.width / 2 - px, room.height / 2 - py);
  }

  function union(a, b) {
    return {
      left: Math.min(a.left, b.left), right: Math.max(a.right, b.right),
      top: Math.min(a.top, b.top), bottom: Math.max(a.bottom, b.bottom),
    };
  }

  /** Do what a key asks for; whether it was one of ours. */
  function key(name) {
    const actions = {
      "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "−": () => zoom(0.8), "0": fit,
    };
    actions[name]?.();
    return name in actions;
  }

  // The middle of the pointers moves the drawing, the distance of two of them scales it.
  function hold() {
    const [a, b = a] = pointers.values();
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, spread: Math.hypot(a.x - b.x, a.y - b.y) || 1 };
  }

  function release(event) {
    pointers.delete(event.pointerId);
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (!pointers.size) [dragged, travelled] = [false, 0];
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  stage.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    if (!event.buttons) return release(event);
    const before = hold();
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = hold(), room = stage.getBoundingClientRect();
    travelled += Math.hypot(after.x - before.x, after.y - before.y);
    if (travelled > STILL && !dragged) {
      dragged = true;
      stage.setPointerCapture(event.pointerId);
    }
    if (!dragged && pointers.size < 2) return;
    move(after.x - before.x, after.y - before.y);
    if (pointers.size > 1) {
      zoom(after.spread / before.spread, after.x - room.left, after.y - room.top);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, release);
  stage.addEventListener("click", (event) => {
    if (dragged) event.stopPropagation(); // the end of a drag chooses nothing
  }, true);
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const room = stage.getBoundingClientRect(), lines = event.deltaMode ? 16 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0015; // a pinch on a touch pad comes as ctrl + wheel
    zoom(Math.exp(-event.deltaY * lines * speed), event.clientX - room.left, event.clientY - room.top);
  }, { passive: false });
  let room = { width: stage.clientWidth, height: stage.clientHeight };
  /** What was in the middle of the stage stays there, however large the stage is now. */
  function resized() {
    const { clientWidth: width, clientHeight: height } = stage;
    if (fitted) fit();
    else move((width - room.width) / 2, (height - room.height) / 2);
    room = { width, height };
  }

  new ResizeObserver(resized).observe(stage);
  fit();
  return { fit, reveal, key, whole };
}
