/** Sends what conversations yield, with `fetch`. No meaning of any answer here. */
import { BadSetting, CannotReach } from "./errors.js";
import { type Answer, type Ask, check, type Conversation, Cut, noServer, type Step } from "./exchange.js";
import type { SmsCatchOptions } from "./types.js";

const SLACK_SECONDS = 10;
const GOODBYE_SECONDS = 3;
const DEFAULT_URL = "http://127.0.0.1:7672";

/** The way to one server. */
export class Transport {
  readonly url: string;
  readonly #key: string;
  readonly #fetch: typeof fetch;

  constructor({ url = env("SMSCATCH_URL"), key = env("SMSCATCH_KEY"), fetch }: SmsCatchOptions) {
    this.url = checkedUrl(url || DEFAULT_URL);
    if (!key) throw new BadSetting(`No key is set for the server at ${this.url}: give a key, or set SMSCATCH_KEY.`);
    if (!/^[!-~]+$/.test(key)) throw new BadSetting("The key has characters that no key has: a blank, or a line end?");
    this.#key = key;
    this.#fetch = fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** Hold a conversation and return its result; a signal that is aborted is thrown into it, once. */
  async hold<T>(conversation: Conversation<T>, ...signals: (AbortSignal | undefined)[]): Promise<T> {
    let step = conversation.next();
    while (!step.done) {
      let resume: () => IteratorResult<Step, T>;
      try {
        const answer = await this.#perform(step.value, signals);
        resume = () => conversation.next(answer);
      } catch (error) {
        // What a conversation still says, a goodbye say, is not cut off by the signal that ended it.
        signals = signals.filter((signal) => !signal?.aborted);
        resume = () => conversation.throw(error);
      }
      step = resume();
    }
    return step.value;
  }

  /** Yield a stream piece by piece, as long as its connection lasts. */
  async *stream(path: string, params: Record<string, unknown>, silence: number, signal?: AbortSignal) {
    const limit = new Limit(silence, [signal]);
    try {
      const response = await this.#send({ method: "GET", path, params }, limit);
      if (!response.ok) check(await this.#read(response, limit));
      if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
        throw noServer(`${path} answered no stream of events`);
      }
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read().catch((error) => this.#refuse(error, limit));
        if (done) return;
        limit.restart();
        yield decoder.decode(value, { stream: true });
      }
    } finally {
      limit.end(); // closes the connection too
    }
  }

  async #perform(step: Step, signals: (AbortSignal | undefined)[]): Promise<Answer | undefined> {
    if (typeof step === "number") {
      await pause(step, signals);
      return undefined;
    }
    const limit = new Limit(step.isGoodbye ? GOODBYE_SECONDS : (step.patience ?? 0) + SLACK_SECONDS, signals);
    try {
      return await this.#read(await this.#send(step, limit), limit);
    } finally {
      limit.clear();
    }
  }

  async #send({ method, path, params = {}, body }: Ask, limit: Limit): Promise<Response> {
    const query = encode(params);
    const request: RequestInit = {
      method,
      headers: { authorization: `Bearer ${this.#key}`, ...(body && { "content-type": "application/json" }) },
      redirect: "manual", // whoever sends us elsewhere does not get the key
      cache: "no-store",
      signal: limit.signal,
    };
    if (body) request.body = JSON.stringify(body);
    try {
      return await this.#fetch(this.url + path + (query && `?${query}`), request);
    } catch (error) {
      return this.#refuse(error, limit);
    }
  }

  async #read(response: Response, limit: Limit): Promise<Answer> {
    try {
      const text = await response.text();
      return { url: response.url || this.url, status: response.status, text };
    } catch (error) {
      return this.#refuse(error, limit);
    }
  }

  /** Throw what a failed request means: the caller's own reason, a server that is silent, or a broken connection. */
  #refuse(error: unknown, limit: Limit): never {
    const { aborted, reason } = limit.signal;
    if (reason === TIME_IS_UP) throw new CannotReach(unreachable(this.url, "it is silent"));
    if (aborted) throw reason;
    const { cause } = error as { cause?: { code?: string; message?: string } };
    const said = cause?.message || cause?.code || (error as Error).message;
    throw new Cut(unreachable(this.url, said), {}, error);
  }
}

const TIME_IS_UP = new Error("the time is up");

/** The time that a request has, which ends early with any of the signals. */
class Limit {
  readonly #controller = new AbortController();
  readonly #seconds: number;
  readonly #signals: AbortSignal[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(seconds: number, signals: (AbortSignal | undefined)[]) {
    this.#seconds = seconds;
    this.#signals = signals.filter((signal) => signal !== undefined);
    for (const signal of this.#signals) {
      if (signal.aborted) this.#controller.abort(signal.reason);
      signal.addEventListener("abort", this.#abort);
    }
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(TIME_IS_UP), 1000 * this.#seconds);
  }

  clear(): void {
    clearTimeout(this.#timer);
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#abort);
  }

  end(): void {
    this.clear();
    this.#controller.abort();
  }

  readonly #abort = ({ target }: Event): void => this.#controller.abort((target as AbortSignal).reason);
}

/** Return after a while; throws the reason of the signal that is aborted meanwhile. */
function pause(seconds: number, signals: (AbortSignal | undefined)[]): Promise<void> {
  const limit = new Limit(seconds, signals);
  return new Promise<void>((resolve, reject) => {
    const end = ({ reason } = limit.signal) => (reason === TIME_IS_UP ? resolve() : reject(reason));
    if (limit.signal.aborted) end();
    limit.signal.addEventListener("abort", () => end());
  }).finally(() => limit.clear());
}

function encode(params: Record<string, unknown>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) given.append(name, String(each));
    }
  }
  return given.toString();
}

function checkedUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new BadSetting("The url is no address. Accepted: http://HOST:PORT or https://HOST.");
  }
  if (!/^https?:$/.test(parsed.protocol)) throw new BadSetting(`The url begins with ${parsed.protocol}, not http: or https:.`);
  if (parsed.username || parsed.password) throw new BadSetting("The url has a user or a password in it: give the key apart.");
  return url.replace(/\/+$/, "");
}

function unreachable(url: string, said: string): string {
  return `The server at ${url} does not answer (${said}). Does it run, and is that its address?`;
}

function env(name: string): string | undefined {
  return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name];
}
