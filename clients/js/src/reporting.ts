/** What is said of a line whose test failed. No I/O here. */
import type { Message } from "./types.js";

// Characters that move the cursor or turn the direction: a text is data to a terminal and to the log of a CI.
const CONTROLS = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Return which texts came; of a server that is away, that they are not known. */
export async function listTexts(number: string, list: () => Promise<Message[]>): Promise<string> {
  try {
    const messages = await list();
    const count = `${messages.length || "no"} text${messages.length === 1 ? "" : "s"}${messages.length ? ":" : "."}`;
    return [`${number} received ${count}`, ...messages.map(tell)].join("\n");
  } catch (error) {
    return `What ${number} received is not known: ${(error as Error).message}`;
  }
}

function tell({ received_at, sender, code, marks, text }: Message): string {
  const facts = [received_at, sender, code ? `code ${code}` : "no code", ...marks, JSON.stringify(text)];
  return facts.join("  ").replace(CONTROLS, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
