// What the tests of the JavaScript client need around it: lines of their own, texts to them, and a proxy that misbehaves.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { SmsCatch } from "smscatch";

export const { SMSCATCH_URL: URL_, SMSCATCH_KEY: KEY } = process.env;
export const sms = new SmsCatch();
let lines = 0;

/** Have a text delivered over HTTP. */
export async function deliver(line, text, sender = "Authy") {
  const answer = await fetch(`${URL_}/api/v1/inbound/generic`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ line, sender, text }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Return a line that the server knows and that no other test uses. */
export async function newLine() {
  lines += 1;
  const number = `+4477008${String(lines).padStart(5, "0")}`;
  await deliver(number, "the first of all");
  return number;
}

/** Return when `is` returns something true. */
export async function until(is) {
  for (;;) {
    const found = await is();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A way to the server that cuts connections: `requests` counts those that it carried. */
export class Cutter {
  requests = [];
  #sockets = new Set();
  #server = createServer((near) => this.#carry(near));
  #loseAnswerTo;

  async open() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  /** Let the request that begins so reach the server, and cut the connection in the answer's stead; once. */
  loseAnswerTo(start) {
    this.#loseAnswerTo = start;
  }

  /** Cut all connections, with a reset. */
  cut() {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close() {
    this.cut();
    this.#server.close();
  }

  #carry(near) {
    const { hostname, port } = new URL(URL_);
    const far = connect(Number(port), hostname);
    let loses = false;
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (data) => {
      const line = data.toString("latin1").split("\r\n")[0];
      if (/ HTTP\/1\.1$/.test(line)) this.requests.push(line);
      if (this.#loseAnswerTo && line.startsWith(this.#loseAnswerTo)) {
        loses = true;
        this.#loseAnswerTo = undefined;
      }
      far.write(data);
    });
    far.on("data", (data) => (loses ? near.resetAndDestroy() : near.write(data)));
  }
}
