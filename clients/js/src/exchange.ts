/**
 * What the client says to the server, one request at a time, and what an answer means. No I/O here.
 *
 * A conversation is a generator: it yields what to send, is sent the answer or thrown the error, and returns its
 * result. Only `transport` sends.
 */
import { CannotReach, errorOf, SmsCatchError } from "./errors.js";

// Shorter than the minute after which many proxies give up, and a connection that died without a word is found in time.
export const POLL_SECONDS = 20;
export const PAUSE_SECONDS = 0.5;
const PASSING_STATUS = [502, 503, 504]; // of a proxy whose server is away for a moment

/** A request; what is null or undefined is left out. The server may take `patience` seconds before it answers. */
export interface Ask {
  method: string;
  path: string;
  params?: Record<string, unknown>;
  body?: Record<string, unknown>;
  patience?: number;
  /** Whether who asks sees to it himself when a connection breaks. */
  isOnce?: boolean;
  /** Whether it is sent by who is about to leave: it takes a few seconds at most. */
  isGoodbye?: boolean;
}

/** An answer, read to its end. */
export interface Answer {
  url: string;
  status: number;
  text: string;
}

/** What is yielded: a request, or the seconds of a pause. */
export type Step = Ask | number;
export type Conversation<T> = Generator<Step, T, Answer | undefined>;

/** What a request fails with that never had an answer: sending it again may help at once. */
export class Cut extends CannotReach {}

/** Send one request; return the answer to it. Throws the error that the server named. */
export function* ask(request: Ask): Conversation<Answer> {
  try {
    return checked(yield request);
  } catch (error) {
    // All that we send may be sent twice: who asks for a lease has a ticket. A wait itself asks again, for what is
    // left of its time.
    if (request.patience || request.isOnce || !(error instanceof Cut)) throw error;
    return checked(yield request);
  }
}

function checked(answer: Answer | undefined): Answer {
  if (!answer) throw new TypeError("whoever drives a conversation answers each request");
  check(answer);
  return answer;
}

/** Throw the error that an answer is, if it is one. */
export function check({ url, status, text }: Answer): void {
  if (status >= 200 && status < 300) return;
  const body = parsed(text);
  if (typeof body?.error !== "string" || typeof body.message !== "string") {
    if (PASSING_STATUS.includes(status)) {
      throw new CannotReach(`What stands in front of ${url} answered ${status}.`);
    }
    throw noServer(`${url} answered ${status}`);
  }
  const { error, message, ...details } = body;
  throw errorOf(error as string, message as string, details);
}

/** Return the JSON object of an answer, which has the `key`; whoever answers without it is not our server. */
export function read<T>({ url, text }: Answer, key: keyof T & string): T {
  const value = parsed(text);
  if (value?.[key] === undefined) throw noServer(`${url} answered what is not in our form`);
  return value as T;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Return what to say of an answer that is none of ours: of a captive portal, or another program on the port. */
export function noServer(what: string): SmsCatchError {
  return new SmsCatchError(`${what}: is that a smscatch server?`);
}

/** Return the seconds of a clock that nobody sets. */
export function now(): number {
  return performance.now() / 1000;
}
