/** The wait for a message, which outlives requests, cut connections and a restart of the server. No I/O here. */
import { Choosing } from "./choosing.js";
import { isPassing, NoMessage } from "./errors.js";
import { type Answer, ask, type Conversation, now, PAUSE_SECONDS, POLL_SECONDS, noServer, read } from "./exchange.js";
import { Unwanted } from "./matchers.js";
import type { Filters, Message, Patience } from "./types.js";
import { checkTexts, checkWait } from "./validation.js";

export const TIMEOUT_SECONDS = 60;
/** How many of each kind are named to be passed over: so that an address is short enough for any proxy. */
export const MOST_SKIPPED = 20;
const MAX_SKIP = 150;

/** What a wait found, in which message. */
export interface Match {
  value: string;
  message: Message;
}

/** Asks the server if need be, and returns what is wanted of a message, or throws Unwanted with the reason. */
export type Take = (message: Message) => Conversation<string>;

/** Thrown into a wait whose time is to be over at once: it looks a last time, and explains itself. */
export class Hurry extends Error {}

/** Where a wait looks, and the messages that earlier waits returned, by their ids. */
export interface Place {
  path: string;
  returned?: ReadonlyMap<string, Message>;
}

/** Ask for the position of now. */
export function* cursor(isOnce = false): Conversation<string> {
  const answer: Answer = yield* ask({ method: "GET", path: "/api/v1/cursor", isOnce });
  if (!/^\d+$/.test(answer.text.trim())) throw noServer(`${answer.url} answered no cursor`);
  return answer.text.trim();
}

/**
 * Wait for the oldest message behind `after` that matches the filters and is taken, or for the newest.
 *
 * Throws NoMessage, whose text says what came meanwhile and why it was not it.
 */
export function* wait(place: Place, take: Take, options: Filters & Patience): Conversation<Match> {
  const waiting = new Waiting(place, take, options);
  for (;;) {
    const left = waiting.left();
    try {
      const match = yield* waiting.look(left);
      if (match) return match;
    } catch (error) {
      if (waiting.survives(error, left)) yield PAUSE_SECONDS;
    }
  }
}

/** One wait: how long it goes on, where it looks, and what it saw that was not it. */
class Waiting {
  #wasAway = false;
  readonly #place: Place;
  readonly #take: Take;
  readonly #filters: Filters;
  readonly #choosing: Choosing;
  readonly #start = now();
  readonly #unwanted = new Map<string, string>(); // why, by cursor: a text whose missing parts come later has another then
  #timeout: number;
  #after: string | undefined;

  constructor(place: Place, take: Take, options: Filters & Patience) {
    const { timeout = TIMEOUT_SECONDS, newest, quiet, signal: _, ...filters } = options;
    this.#choosing = new Choosing({ newest, quiet });
    checkTexts(filters);
    checkWait("timeout", timeout);
    this.#place = place;
    this.#take = take;
    this.#filters = filters;
    this.#timeout = Math.max(0, timeout);
    this.#after = filters.after ?? undefined;
  }

  /** Return the seconds that are left. */
  left(): number {
    return Math.max(0, this.#start + this.#timeout - now());
  }

  /** Return whether a pause is needed after an error that a look ended with; throws it, if it is the end of the wait. */
  survives(error: unknown, left: number): boolean {
    if (error instanceof Hurry) {
      this.#timeout = now() - this.#start;
      return false;
    }
    if (error instanceof NoMessage) {
      // Asking again costs the server one look, and the last answer knows all that came.
      if (!this.left()) throw this.#inVain(error);
      return false;
    }
    if (!isPassing(error) || !left) throw error; // the last look, which also a request that hung is followed by
    this.#wasAway = true;
    return true;
  }

  /** Return the error of a wait that was in vain, from what the server said of its last look. */
  #inVain({ message, details }: NoMessage): NoMessage {
    const reason = details.reason ?? message;
    return new NoMessage(`No message matched in ${+this.#timeout.toPrecision(3)} s: ${reason}.`, { reason, ...details });
  }

  /** Ask once, with `left` seconds to go; return what is wanted if it came, else undefined. */
  *look(left: number): Conversation<Match | undefined> {
    const seconds = Math.min(left, POLL_SECONDS + this.#choosing.quiet);
    // Now means the start of this wait, also when it takes several requests, or the first one is cut.
    this.#after ??= yield* this.#wasAway ? serverTime(this.#start) : cursor(true);
    const params = {
      ...this.#filters,
      ...this.#choosing.params(),
      after: this.#after,
      skip: this.#skipped(),
      timeout: seconds.toFixed(3),
    };
    const askedAt = now();
    const answer = yield* ask({ method: "GET", path: this.#place.path, params, patience: seconds });
    const message = read<Message>(answer, "cursor");
    const isLast = !this.left();
    if (!this.#choosing.isChosen(message, seconds, now() - askedAt) && !isLast) return undefined;
    return yield* this.#taken(message);
  }

  *#taken(message: Message): Conversation<Match | undefined> {
    try {
      return { value: yield* this.#take(message), message };
    } catch (error) {
      if (!(error instanceof Unwanted)) throw error;
      this.#passOver(message, error.message);
      return undefined;
    }
  }

  /** Pass over a message from now on; with too many to name, go on behind the oldest, which is forgotten. */
  #passOver(message: Message, why: string): void {
    this.#unwanted.set(message.cursor, why);
    if (this.#unwanted.size <= MOST_SKIPPED) return;
    // What is in front of the oldest was looked at, or is older than so many.
    this.#after = [...this.#unwanted.keys()].reduce((one, other) => (BigInt(one) < BigInt(other) ? one : other));
    this.#unwanted.delete(this.#after);
  }

  /** Return what the server shall pass over, and why, for its explanation. */
  #skipped(): string[] {
    const skip = new Map(this.#unwanted);
    for (const [id, { sender }] of this.#place.returned ?? []) {
      skip.set(id, `an earlier wait returned the text from '${sender}'`);
    }
    return [...skip].map(([place, why]) => `${place} ${why}`.slice(0, MAX_SKIP));
  }
}

/** Return what the server's clock showed at a moment of ours, at the latest: no cursor could be had at that time. */
function* serverTime(then: number): Conversation<string> {
  const { time } = read<{ time: string }>(yield* ask({ method: "GET", path: "/healthz" }), "time");
  return new Date(Date.parse(time) - 1000 * (now() - then)).toISOString();
}
