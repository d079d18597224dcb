// Waits of one client for JavaScript. For each cursor on its standard input it prints "asked" when all waits behind it have
// been asked, and then when each was woken, as JSON, in seconds of the clock that Python's perf_counter has too.
// usage: node waits.mjs CLIENT COUNT LINE
import { createInterface } from "node:readline";

const [client, count, line] = process.argv.slice(2);
const { SmsCatch } = await import(client);
const sms = new SmsCatch();

async function woken(after) {
  await sms.waitForMessage({ line, after, timeout: 120 });
  return Number(process.hrtime.bigint()) / 1e9;
}

for await (const after of createInterface({ input: process.stdin })) {
  const waits = Array.from({ length: Number(count) }, () => woken(after));
  console.log("asked");
  console.log(JSON.stringify(await Promise.all(waits)));
}
