/** What a wait is for: any text, a code or a link; and why a message is not it. No I/O here. */
import { BadRequest } from "./errors.js";
import type { Message } from "./types.js";

/** A message is not what a wait is for; the text says why. */
export class Unwanted extends Error {}

/** Returns what is wanted of a message, or throws Unwanted with the reason. */
export type Want = (message: Message) => string;

/** Want any message. */
export const theText: Want = (message) => message.text;

/** Want a code: the one that the server found, or what `pattern` finds, the first of its groups that matched. */
export function aCode(pattern?: RegExp | string): Want {
  const compiled = compile("codePattern", pattern);
  return (message) => {
    const found = compiled ? first(compiled, message.text) : message.code;
    if (found) return found;
    const reason = compiled ? `the pattern ${compiled} does not match` : "no code was found in";
    const lack = message.complete ? "" : ", of which parts are missing";
    throw new Unwanted(`${reason} the text from '${message.sender}'${lack}`);
  };
}

/** Want a link: the first, or the first that `pattern` matches somewhere. */
export function aLink(pattern?: RegExp | string): Want {
  const compiled = compile("linkPattern", pattern);
  return (message) => {
    const found = message.links.find((link) => !compiled || compiled.test(link));
    if (found) return found;
    throw new Unwanted(`there is no link${compiled ? ` like ${compiled}` : ""} in the text from '${message.sender}'`);
  };
}

/** Return a pattern without `g` and `y`, which would have it remember where it stood in the text before. */
function compile(name: string, pattern: RegExp | string | undefined): RegExp | undefined {
  if (pattern === undefined) return undefined;
  try {
    return typeof pattern === "string" ? new RegExp(pattern) : new RegExp(pattern, pattern.flags.replace(/[gy]/g, ""));
  } catch (error) {
    throw new BadRequest(`${name} = ${String(pattern)} is no regular expression: ${(error as Error).message}.`);
  }
}

function first(pattern: RegExp, text: string): string | undefined {
  const found = pattern.exec(text);
  if (!found || found.length === 1) return found?.[0];
  return found.slice(1).find((group) => group !== undefined);
}
