// Every page but the list: codes can be copied, times tick, a message can be deleted.

import { watchCopies } from "./copy.js";
import { watchDeleting } from "./deleting.js";
import { watchMenu } from "./menu.js";
import { keepTelling } from "./times.js";

const content = document.getElementById("content");
keepTelling(content, content.dataset.now);
watchCopies();
watchMenu();
watchDeleting();
