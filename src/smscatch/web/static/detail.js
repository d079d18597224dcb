// One message: its code can be copied.

import { watchCopies } from "./copy.js";

watchCopies((text) => {
  document.getElementById("announcer").textContent = text;
});
