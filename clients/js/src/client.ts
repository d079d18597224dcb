/** The client: each method resolves with its result, or rejects with the server's explanation. */
import { isPassing, LeaseEnded, NoMessage } from "./errors.js";
import { ask, type Conversation, PAUSE_SECONDS, read } from "./exchange.js";
import { EVENTS, Following, SILENCE_SECONDS } from "./following.js";
import { Reading } from "./leased.js";
import * as leasing from "./leasing.js";
import { aCode, aLink, theText, type Want } from "./matchers.js";
import { listTexts } from "./reporting.js";
import { codeOf, parseTotp } from "./totp.js";
import { Transport } from "./transport.js";
import type {
  CodePattern,
  Filters,
  Lease,
  LeasedOptions,
  LeaseGroup,
  LeaseOptions,
  Line,
  LinkPattern,
  Message,
  Patience,
  Reply,
  ReplyOptions,
  Report,
  SmsCatchOptions,
} from "./types.js";
import { checkRange, checkTexts } from "./validation.js";
import { cursor, Hurry, type Match, wait } from "./waiting.js";

type Options = Filters & Patience;

/**
 * Speaks to a smscatch server: `new SmsCatch("http://pi.local:7672", key)`, or with an object of options.
 *
 * What is not given is taken from SMSCATCH_URL and SMSCATCH_KEY. All times are in seconds.
 */
export class SmsCatch {
  readonly #transport: Transport;
  readonly #hold: Hold = (conversation, ...signals) => this.#transport.hold(conversation, ...signals);

  constructor(url?: string | SmsCatchOptions, key?: string) {
    this.#transport = new Transport(typeof url === "object" ? url : { url, key });
  }

  /** The address of the server. */
  get url(): string {
    return this.#transport.url;
  }

  /** Return up to `limit` messages, newest first; 50 if not given. */
  async messages({ limit = 50, ...filters }: Filters & { limit?: number } = {}): Promise<Message[]> {
    checkTexts(filters);
    const params = { ...filters, limit };
    return (await this.#get<{ messages: Message[] }>("/api/v1/messages", "messages", params)).messages;
  }

  /** Return our numbers. */
  async lines(): Promise<Line[]> {
    return (await this.#get<{ lines: Line[] }>("/api/v1/lines", "lines")).lines;
  }

  /** Return who has which line; those that rest are among them. */
  async leases(): Promise<Lease[]> {
    return (await this.#get<{ leases: Lease[] }>("/api/v1/leases", "leases")).leases;
  }

  /** Return the cursor of now: take it before the test triggers the SMS, and give it as `after`. */
  mark(): Promise<string> {
    return this.#hold(cursor());
  }

  /**
   * Return the code that an authenticator app shows now for a secret (TOTP, RFC 6238); no server is asked.
   *
   * `secret` is base32, or the otpauth:// address in a QR code. A code that is good for less than `left` seconds (3) is
   * not given: the next one is waited for, by this machine's clock.
   */
  async totp(secret: string, { left = 3 }: { left?: number } = {}): Promise<string> {
    const kept = parseTotp(secret);
    checkRange("left", left, 0, kept.period / 2);
    return codeOf(kept, await this.#hold(untilGood(kept.period, left)));
  }

  /**
   * Return the oldest match behind `after`, waiting up to `timeout` seconds for it.
   *
   * A server that is away for a while is waited for, with nothing missed. Messages that belong to a lease are passed
   * over. Rejects with NoMessage, whose text says what came meanwhile and why it did not match.
   */
  async waitForMessage(options: Options = {}): Promise<Message> {
    return (await this.#wait(theText, options)).message;
  }

  /** Return the code in the oldest match that holds one. */
  async waitForCode({ codePattern, ...options }: Options & CodePattern = {}): Promise<string> {
    return (await this.#wait(aCode(codePattern), options)).value;
  }

  /** Return the first link, or the first that `linkPattern` matches, in the oldest match that holds one. */
  async waitForLink({ linkPattern, ...options }: Options & LinkPattern = {}): Promise<string> {
    return (await this.#wait(aLink(linkPattern), options)).value;
  }

  /**
   * Return a number that is ours alone until it is released, or its `ttl` is over.
   *
   * Waits up to `wait` seconds until one is free, first come, first served. Rejects with NoFreeLine, which says who has
   * them. With `count`, as many lines are leased at once, all or none: never ask for a second one while you hold one.
   */
  lease(options?: LeaseOptions & { count?: undefined }): Promise<LeasedLine>;
  lease(options: LeaseOptions & { count: number }): Promise<LeasedLines>;
  async lease({ count, ...options }: LeaseOptions & { count?: number | undefined } = {}): Promise<
    LeasedLine | LeasedLines
  > {
    const { signal } = options;
    if (count === undefined) return new LeasedLine(this.#hold, await this.#hold(leasing.lease<Lease>(options), signal));
    return new LeasedLines(this.#hold, await this.#hold(leasing.lease<LeaseGroup>(options, count), signal));
  }

  /** Lease a line, use it, and release it however that ends; returns what `use` returns. */
  async withLine<T>(options: LeaseOptions, use: (phone: LeasedLine) => T | Promise<T>): Promise<T> {
    const phone = await this.lease(options);
    let result: T;
    try {
      result = await use(phone);
    } catch (error) {
      await phone.release().catch(() => {}); // that one matters more; the lease ends by itself
      throw error;
    }
    await phone.release();
    return result;
  }

  /** Return a line that was leased elsewhere with this key; the first wait begins behind `after`, else with the lease. */
  async leased(id: string, after?: string): Promise<LeasedLine> {
    return new LeasedLine(this.#hold, await this.#hold(leasing.leased(id, after)), after);
  }

  /**
   * Yield every match behind `after` (now, if not given), then new ones for ever, or until `signal` is aborted.
   *
   * Outlives dropped connections and restarts of the server, with nothing missed and nothing twice. A long message whose
   * missing parts came after it was shown is yielded again, with a higher `revision`.
   */
  async *events({ signal, ...filters }: Filters & { signal?: AbortSignal | undefined } = {}): AsyncGenerator<Message> {
    checkTexts(filters);
    const following = new Following(filters.after ?? (await this.mark()), filters);
    for (;;) {
      try {
        for await (const piece of this.#transport.stream(EVENTS, following.params(), SILENCE_SECONDS, signal)) {
          yield* following.take(piece);
        }
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
      await this.#hold(pausing(), signal);
    }
  }

  #wait(want: Want, options: Options): Promise<Match> {
    // biome-ignore lint/correctness/useYield: it has nothing to ask
    const take = function* (message: Message): Conversation<string> {
      return want(message);
    };
    return this.#hold(wait({ path: "/api/v1/messages/next" }, take, options), options.signal);
  }

  #get<T>(path: string, key: keyof T & string, params?: Record<string, unknown>): Promise<T> {
    return this.#hold(getting<T>(path, key, params));
  }
}

type Hold = <T>(conversation: Conversation<T>, ...signals: (AbortSignal | undefined)[]) => Promise<T>;

/**
 * A number that is ours alone until it is released, or its time is up.
 *
 * Each wait returns the oldest message of the lease that matches and that no wait has returned yet: so no code is ever
 * read twice, none is older than the lease, and texts of several senders may come in any order.
 */
export class LeasedLine {
  readonly #explanations: string[] = []; // what waits that were in vain said of it
  readonly #hold: Hold;
  readonly #reading: Reading;
  readonly #hurry = new AbortController();
  readonly #waits = new Set<Promise<unknown>>();

  /** @internal */
  constructor(hold: Hold, lease: Lease, after?: string) {
    this.#hold = hold;
    this.#reading = new Reading(lease, after);
  }

  /** The number, E.164. */
  get number(): string {
    return this.#reading.lease.line;
  }

  /** The label of the line. */
  get label(): string {
    return this.#reading.lease.label;
  }

  /** The lease's id; messages that belong to it carry it. */
  get id(): string {
    return this.#reading.lease.id;
  }

  /** When the lease ends by itself. */
  get expiresAt(): Date {
    return new Date(this.#reading.lease.expires_at);
  }

  /** Return the next message; rejects with NoMessage, or with LeaseEnded if the lease is over before. */
  async waitForMessage(options: LeasedOptions = {}): Promise<Message> {
    return (await this.#wait(theText, options)).message;
  }

  /** Return the code in the next message that holds one. */
  async waitForCode({ codePattern, ...options }: LeasedOptions & CodePattern = {}): Promise<string> {
    return (await this.#wait(aCode(codePattern), options)).value;
  }

  /** Return the link in the next message that holds one. */
  async waitForLink({ linkPattern, ...options }: LeasedOptions & LinkPattern = {}): Promise<string> {
    return (await this.#wait(aLink(linkPattern), options)).value;
  }

  /** Return what the line received since the lease began, oldest first, what came late too. */
  messages(): Promise<Message[]> {
    return this.#hold(leasing.leaseMessages(this.#reading.lease));
  }

  /** Reply as the handset to the application, by its provider's signed inbound webhook. */
  reply(text: string, options: ReplyOptions = {}): Promise<Reply> {
    return this.#hold(leasing.reply(this.#reading.lease, text, options));
  }

  /** Return the cursor of now: what came before this call is never given to a wait that is `after` it. */
  mark(): Promise<string> {
    return this.#hold(cursor());
  }

  /** Let the lease last for `ttl` seconds from now, if that is longer. */
  async extend(ttl: number = leasing.TTL_SECONDS): Promise<void> {
    this.#reading.lease = await this.#hold(leasing.extend(this.#reading.lease, ttl));
  }

  /** End the lease: the line rests, and is free then. A second time is no error. */
  release(): Promise<void> {
    return this.#hold(leasing.release(this.#reading.lease));
  }

  /**
   * Return what the report of a test that failed is to say: why waits were in vain, and the texts that came.
   *
   * Waits that still go on, since the test was struck, look a last time and end.
   */
  async report(): Promise<Report> {
    this.#hurry.abort(new Hurry("the wait is to end"));
    await Promise.allSettled(this.#waits);
    return { why: this.#explanations.join("\n"), texts: await listTexts(this.number, () => this.messages()) };
  }

  async #wait(want: Want, options: LeasedOptions): Promise<Match> {
    const waiting = this.#hold(this.#reading.wait(want, options), options.signal, this.#hurry.signal);
    this.#waits.add(waiting);
    try {
      return await waiting;
    } catch (error) {
      if (error instanceof NoMessage || error instanceof LeaseEnded) this.#explanations.push(error.message);
      throw error;
    } finally {
      this.#waits.delete(waiting);
    }
  }

  /** @internal Know that the lease has changed with others of its group. */
  _take(lease: Lease): void {
    this.#reading.lease = lease;
  }
}

/** Some numbers that are ours alone, leased at once: `const [alice, bob] = await sms.lease({ count: 2 })`. */
export class LeasedLines implements Iterable<LeasedLine> {
  readonly phones: readonly LeasedLine[];
  readonly #hold: Hold;
  readonly #group: LeaseGroup;

  /** @internal */
  constructor(hold: Hold, group: LeaseGroup) {
    this.#hold = hold;
    this.#group = group;
    this.phones = group.leases.map((lease) => new LeasedLine(hold, lease));
  }

  [Symbol.iterator](): Iterator<LeasedLine> {
    return this.phones[Symbol.iterator]();
  }

  /** Let all leases that were not released last for `ttl` seconds from now. */
  async extend(ttl: number = leasing.TTL_SECONDS): Promise<void> {
    const { leases } = await this.#hold(leasing.extend(this.#group, ttl));
    for (const [place, lease] of leases.entries()) this.phones[place]?._take(lease);
  }

  /** End all leases: the lines rest, and are free then. */
  release(): Promise<void> {
    return this.#hold(leasing.release(this.#group));
  }
}

function* getting<T>(path: string, key: keyof T & string, params?: Record<string, unknown>): Conversation<T> {
  return read<T>(yield* ask({ method: "GET", path, ...(params && { params }) }), key);
}

/** Wait until a code is good for `left` seconds; return that time. */
function* untilGood(period: number, left: number): Conversation<number> {
  for (;;) {
    const now = Date.now() / 1000;
    const remaining = period - (now % period);
    if (remaining >= left) return now;
    yield remaining;
  }
}

function* pausing(): Conversation<void> {
  yield PAUSE_SECONDS;
}
