// The live page: puts together the stream, the list, the search, older messages, the keyboard and notifications.

import { watchCopies } from "./copy.js";
import { watchSearch } from "./find.js";
import { watchKeys } from "./keyboard.js";
import { forget, hideDeleted, list, restart, show, watchReading } from "./list.js";
import { watchMenu } from "./menu.js";
import { staysOn, watchNotifying } from "./notify.js";
import { findPlace, keepPlace, watchEnd } from "./older.js";
import { showOutlook } from "./outlook.js";
import { follow } from "./stream.js";
import { tellState } from "./texts.js";
import { keepTelling } from "./times.js";

const content = document.getElementById("content");
keepTelling(content, content.dataset.now);
watchCopies();
watchMenu();
watchKeys();
watchReading();
hideDeleted();
const watchAnew = watchEnd();
const search = watchSearch((title) => {
  restart(title);
  followOther(list().dataset.stream);
  watchAnew();
  offerClearing();
});
let clearing; // loaded with the first list that has a filter
function offerClearing() {
  const ask = document.getElementById("clear");
  if (ask) clearing ??= import("./clearing.js");
  clearing?.then(({ watchClearing }) => watchClearing());
  ask?.querySelector("summary").addEventListener("click", async (event) => {
    event.preventDefault(); // at once: without scripts it asks first
    (await clearing).begin(ask, search.readAnew);
  });
}
offerClearing();
const notify = watchNotifying();
const followOther = follow(list().dataset.stream, {
  onRows: (htmls) => {
    notify(show(htmls));
    watchAnew(); // what was dropped at the end can be had again
  },
  onDeleted: (id) => (id === "*" ? search.readAnew() : forget(id)),
  onOutlook: showOutlook,
  onState: (name) => {
    tellState(name);
    if (name === "live") search.catchUp();
  },
  staysOn,
});
keepPlace();
findPlace();
