let view = viewport(document.getElementById("stage"));
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey && view.key(event.key)) event.preventDefault();
});

/** Show the other of two drawings, on a stage that knows nothing of the first one's size. */
function turn() {
  const stage = document.getElementById("stage"), fresh = stage.cloneNode(true);
  const shown = fresh.querySelector("svg"), other = document.getElementById("other").content;
  shown.replaceWith(other.firstElementChild);
  other.append(shown);
  stage.replaceWith(fresh);
  view = viewport(fresh);
  [this.textContent, this.dataset.otherwise] = [this.dataset.otherwise, this.textContent];
}
document.getElementById("turn")?.addEventListener("click", turn);
