/** A leased line: which of its messages were read, and which of them a wait may return. No I/O here. */
import { NoMessage } from "./errors.js";
import { ask, type Conversation } from "./exchange.js";
import { pathOf } from "./leasing.js";
import { Unwanted, type Want } from "./matchers.js";
import type { Lease, Message, Patience, TextFilters } from "./types.js";
import { type Match, MOST_SKIPPED, type Take, wait } from "./waiting.js";

/** Tells whether a wait might have returned a message, leaving aside when it came. */
type Likeness = (message: Message) => Conversation<boolean>;

/** What is known of a lease without asking the server. */
export class Reading {
  lease: Lease;
  #after: string;
  readonly #returned = new Map<string, Message>(); // behind `after`, by id; each is for one wait
  readonly #superseded: { by: Message; isAlike: Likeness }[] = [];

  constructor(lease: Lease, after?: string) {
    this.lease = lease;
    this.#after = after ?? lease.cursor;
  }

  /** Wait for a message that matches and that no wait has returned yet. */
  *wait(want: Want, options: TextFilters & Patience): Conversation<Match> {
    const path = `${pathOf(this.lease)}/next`;
    const given = { ...options, after: options.after ?? this.#after };
    return yield* wait({ path, returned: this.#returned }, this.#unread(path, want, options), given);
  }

  /** Take what `want` wants, but nothing that another wait, also one going on beside it, returned or outdated. */
  #unread(path: string, want: Want, options: TextFilters & Patience): Take {
    const { newest = false, after } = options;
    const isAlike = likeness(path, want, options);
    const reading = this;
    return function* take(message): Conversation<string> {
      const value = want(message);
      yield* reading.#checkNotOutdated(message);
      if (newest) yield* reading.#checkNoneNewer(message, isAlike);
      // From here on nothing else runs in between, so a message is returned once.
      if (reading.#returned.has(message.id)) {
        throw new Unwanted(`an earlier wait returned the text from '${message.sender}'`);
      }
      reading.#returned.set(message.id, message);
      if (newest || (after !== undefined && after !== null)) reading.#superseded.push({ by: message, isAlike });
      reading.#forgetOldest();
      return value;
    };
  }

  *#checkNotOutdated(message: Message): Conversation<void> {
    for (const { by, isAlike } of this.#superseded) {
      if (isOlder(message, by) && (yield* isAlike(message))) {
        throw new Unwanted(`an earlier wait passed over the text from '${message.sender}' for a newer one`);
      }
    }
  }

  *#checkNoneNewer(message: Message, isAlike: Likeness): Conversation<void> {
    for (const one of [...this.#returned.values()]) {
      if (isOlder(message, one) && (yield* isAlike(one))) {
        throw new Unwanted(`an earlier wait returned a newer text than that from '${message.sender}'`);
      }
    }
  }

  #forgetOldest(): void {
    while (this.#returned.size > MOST_SKIPPED) {
      const oldest = [...this.#returned.values()].reduce((one, other) =>
        BigInt(one.cursor) < BigInt(other.cursor) ? one : other,
      );
      this.#after = oldest.cursor;
      this.#returned.delete(oldest.id);
    }
  }
}

/** Return what tells whether a wait might have returned a message; which senders are meant, the server knows. */
function likeness(path: string, want: Want, { sender, contains }: TextFilters): Likeness {
  return function* isAlike(message): Conversation<boolean> {
    try {
      want(message);
    } catch (error) {
      if (error instanceof Unwanted) return false;
      throw error;
    }
    if (!sender && !contains) return true;
    const after = String(BigInt(message.cursor) - 1n);
    const params = { sender, contains, after, timeout: 0 };
    try {
      const answer = yield* ask({ method: "GET", path, params });
      return JSON.parse(answer.text).id === message.id;
    } catch (error) {
      if (error instanceof NoMessage) return false;
      throw error;
    }
  };
}

/** Whether a message first stood before another in the order of arrival. */
function isOlder(one: Message, other: Message): boolean {
  return BigInt(one.first_cursor || one.cursor) < BigInt(other.first_cursor || other.cursor);
}
