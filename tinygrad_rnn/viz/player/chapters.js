/* The chapters of the walk: the list to jump by, its keys, and the whole screen. */

const chapterAt = []; // by step, the chapter that it is in

chapters.forEach(({ at }, i) => { chapterAt[at] = i; });
for (let k = 1; k <= LAST; k++) chapterAt[k] ??= chapterAt[k - 1];
byId("chapters").append(...chapters.map(({ title }, i) => {
  const option = make("option", "", title);
  option.value = i;
  return option;
}));

function openChapter(i) {
  pause();
  go(chapters[Math.min(chapters.length - 1, Math.max(0, i))].at);
}

/** One chapter back: from within a chapter, to its own beginning. */
function chapterBack() {
  const i = chapterAt[now];
  openChapter(now > chapters[i].at ? i : i - 1);
}

function showChapter() {
  byId("chapters").value = chapterAt[now];
}

function switchScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

Object.assign(KEYS, {
  PageDown: () => { if (chapterAt[now] + 1 < chapters.length) openChapter(chapterAt[now] + 1); },
  PageUp: chapterBack,
  f: () => { if (document.fullscreenEnabled) switchScreen(); },
});
byId("chapters").addEventListener("change", ({ target }) => openChapter(Number(target.value)));
byId("full").addEventListener("click", switchScreen);
byId("full").hidden = !document.fullscreenEnabled;
document.addEventListener("fullscreenchange", () => {
  byId("full").setAttribute("aria-pressed", String(Boolean(document.fullscreenElement)));
});
byId("stage").addEventListener("step", showChapter);
showChapter();
