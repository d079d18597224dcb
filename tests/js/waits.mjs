// Many waits at once, each on a line of its own, while the server is restarted and connections are cut: argument, how many.
// Prints "waiting" when all wait, and when all have their texts what each got, as JSON.
import { SmsCatch } from "smscatch";
import { Cutter, KEY } from "./around.mjs";

const MOST_CUTS = 10;
const count = Number(process.argv[2]);
const proxy = await new Cutter().open();
const sms = new SmsCatch(proxy.url, KEY);
const after = await sms.mark();
const line = (n) => `+44770${String(n).padStart(7, "0")}`;

async function read(n) {
  const first = await sms.waitForMessage({ line: line(n), after, timeout: 3600 });
  const second = await sms.waitForMessage({ line: line(n), after: first.cursor, timeout: 3600 });
  return [first.text, second.text];
}

const waits = Array.from({ length: count }, (_, n) => read(n));
while (proxy.requests.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
console.log("waiting");
let cuts = 0;
const cutting = setInterval(() => {
  cuts += 1;
  if (cuts <= MOST_CUTS) proxy.cut(); // or a slow machine, which never has all that is asked for between two, comes to no end
}, 1000);
console.log(JSON.stringify(await Promise.all(waits)));
clearInterval(cutting);
proxy.close();
