/** Which of several matches a wait returns, over the several requests that it may take. No I/O here. */
import type { Message, Patience } from "./types.js";
import { checkNewest } from "./validation.js";

const QUIET_SECONDS = 3;

/** The oldest match, or the newest once it is quiet; the server decides, as far as one request goes. */
export class Choosing {
  readonly quiet: number;
  readonly #isNewest: boolean;
  #quietUpTo: bigint | undefined;

  constructor({ newest = false, quiet }: Patience) {
    checkNewest(newest, quiet);
    this.#isNewest = newest;
    this.quiet = newest ? (quiet ?? QUIET_SECONDS) : 0;
  }

  /** Return what the next request asks for. What is older than a text that was not wanted was quiet then. */
  params(): Record<string, unknown> {
    return this.#isNewest ? { newest: true, quiet: this.#quietUpTo === undefined ? this.quiet : 0 } : {};
  }

  /**
   * Return whether an answer is the one, if it is wanted; else another request has to ask again.
   *
   * A request whose time was over may have been answered with the newest so far, and one that asked without quiet with
   * what came a moment ago.
   */
  isChosen(message: Message, askedSeconds: number, tookSeconds: number): boolean {
    if (!this.#isNewest) return true;
    const cursor = BigInt(message.cursor);
    const isQuiet = this.#quietUpTo === undefined ? tookSeconds < askedSeconds : cursor < this.#quietUpTo;
    this.#quietUpTo = isQuiet ? cursor : undefined;
    return isQuiet;
  }
}
