const view = viewport(document.getElementById("stage"));
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey && view.key(event.key)) event.preventDefault();
});
