/** Checks of what callers give, for what the server could not see or would take for something else. */
import { BadRequest } from "./errors.js";

// The server takes an empty one for none: for any line, or for now.
const NOT_EMPTY = ["line", "after", "lease", "label"];
// What is longer is meant in milliseconds, as nearly everything in JavaScript is.
const MOST_SECONDS = 3600;
const MOST_QUIET = 60;
const MOST_TTL = 86_400;

/** Throw BadRequest, naming it, for what is no text, and for an empty one that would not limit anything. */
export function checkTexts(texts: object): void {
  for (const [name, value] of Object.entries(texts)) {
    if (value === undefined || value === null) continue;
    if (typeof value !== "string") throw new BadRequest(`${name} = ${String(value)} is not accepted: give text.`);
    if (!value && NOT_EMPTY.includes(name)) throw new BadRequest(`${name} is empty. Give a value, or leave it out.`);
  }
}

/** Throw BadRequest for what is no number of seconds from `least` to `most`. */
export function checkRange(name: string, seconds: unknown, least: number, most: number): void {
  if (typeof seconds === "number" && seconds >= least && seconds <= most) return;
  throw new BadRequest(`${name} = ${String(seconds)} is not accepted: give seconds, from ${least} to ${most}.`);
}

/** Throw BadRequest for what is no time to wait in seconds; Infinity is one. */
export function checkWait(name: string, seconds: unknown): void {
  if (seconds === Number.POSITIVE_INFINITY) return;
  if (typeof seconds === "number" && seconds <= MOST_SECONDS) return;
  throw new BadRequest(
    `${name} = ${String(seconds)} is not accepted: give seconds, such as 60; ${MOST_SECONDS} at most, or Infinity.`,
  );
}

/** Throw BadRequest for what a lease cannot last. */
export function checkTtl(seconds: unknown): void {
  checkRange("ttl", seconds, 1, MOST_TTL);
}

/** Throw BadRequest for a `quiet` that is none, or that has no meaning. */
export function checkNewest(newest: unknown, quiet: unknown): void {
  if (typeof newest !== "boolean") throw new BadRequest(`newest = ${String(newest)} is not accepted: true or false.`);
  if (quiet === undefined || quiet === null) return;
  if (!newest) throw new BadRequest("quiet is for a wait with newest: true alone.");
  checkRange("quiet", quiet, 0, MOST_QUIET);
}
