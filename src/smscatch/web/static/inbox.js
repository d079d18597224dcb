// The live page: puts together the stream, the list, the search, older messages, the keyboard and notifications.

import { watchCopies } from "./copy.js";
import { watchSearch } from "./find.js";
import { watchKeys } from "./keyboard.js";
import { list, restart, show, tellState, watchReading } from "./list.js";
import { watchMenu } from "./menu.js";
import { watchNotifying } from "./notify.js";
import { findPlace, keepPlace, watchEnd } from "./older.js";
import { follow } from "./stream.js";
import { keepTelling } from "./times.js";

const content = document.getElementById("content");
keepTelling(content, content.dataset.now);
watchCopies();
watchMenu();
watchKeys();
watchReading();
const notify = watchNotifying();
const followOther = follow(list().dataset.stream, {
  onRow: (html) => notify(show(html)),
  onDeleted: (id) => (id === "*" ? readAnew() : document.getElementById(`m-${id}`)?.remove()),
  onState: tellState,
});
const watchAnew = watchEnd();
const readAnew = watchSearch((title) => {
  restart(title);
  followOther(list().dataset.stream);
  watchAnew();
});
keepPlace();
findPlace();
