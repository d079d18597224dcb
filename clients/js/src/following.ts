/** A stream of events that outlives its connections: where it stands, and what its bytes mean. No I/O here. */
import { noServer } from "./exchange.js";
import type { Filters, Message } from "./types.js";

export const EVENTS = "/api/v1/events";
/** The server says every 15 s that it is still there. */
export const SILENCE_SECONDS = 40;

/** Remembers the last event, so that the next connection goes on behind it. */
export class Following {
  readonly #filters: Filters;
  #after: string;
  #rest = "";

  constructor(after: string, filters: Filters) {
    this.#after = after;
    this.#filters = filters;
  }

  /** Return the parameters of the next connection, which begins with a whole event. */
  params(): Record<string, unknown> {
    this.#rest = "";
    return { ...this.#filters, after: this.#after };
  }

  /** Yield the messages in a piece of the stream, each once it is whole, and go on behind it. */
  *take(piece: string): Generator<Message> {
    const events = (this.#rest + piece).split("\n\n"); // what our server ends each with: WHATWG HTML, 9.2.6
    this.#rest = events.pop() ?? "";
    for (const event of events) {
      const data = event.split("\n").find((line) => line.startsWith("data:"));
      if (data === undefined) continue; // a comment, or the time of retry
      const message = parse(data.slice("data:".length));
      this.#after = message.cursor;
      yield message;
    }
  }
}

function parse(data: string): Message {
  try {
    return JSON.parse(data) as Message;
  } catch {
    throw noServer("An event is not in our form");
  }
}
