/** The conversations about leases: asking for one, using it, giving it back. No I/O here. */
import { BadRequest, isPassing, NoFreeLine, SmsCatchError, UnknownLease } from "./errors.js";
import { ask, type Conversation, now, PAUSE_SECONDS, read } from "./exchange.js";
import type { Lease, LeaseGroup, LeaseOptions, Message, Reply, ReplyOptions } from "./types.js";
import { checkTexts, checkTtl, checkWait } from "./validation.js";

const LEASES = "/api/v1/leases";
const MAX_NAME = 200; // characters of a holder
const FAREWELL_SECONDS = 10;
// How long one request waits for a line: the first one shortly, so that we soon know who has the lines, and where we
// stand in the queue.
const FIRST_QUEUE_SECONDS = 1;
const QUEUE_SECONDS = 5;
export const TTL_SECONDS = 120;
const WAIT_SECONDS = 60;

/** What tells of a wait for a line who has them: half a sentence, and how many wait in front. */
export type Hear = (reason: string, ahead: number) => void;

/** Ask for a line, in the order of asking, through restarts of the server and lost answers; or for `count` at once. */
export function* lease<T extends Lease | LeaseGroup>(options: LeaseOptions, count?: number): Conversation<T> {
  const { line, label, holder = ourName(), ttl = TTL_SECONDS, wait = WAIT_SECONDS, signal: _, ...wrong } = options;
  checkTexts({ line, label, holder });
  checkTtl(ttl);
  checkWait("wait", wait);
  for (const name of Object.keys(wrong)) throw new BadRequest(`lease takes no option ${name}.`);
  const ticket = makeTicket();
  const body = { line, label, holder: holder.slice(-MAX_NAME), ttl_seconds: ttl, ticket, count };
  try {
    return yield* standInLine<T>(body, Math.max(0, wait));
  } catch (error) {
    yield* giveUp(ticket); // also of an aborted call: a line shall not be kept for who is gone
    throw error;
  }
}

function* standInLine<T extends Lease | LeaseGroup>(body: Record<string, unknown>, patience: number): Conversation<T> {
  const start = now();
  let seconds = FIRST_QUEUE_SECONDS;
  for (;;) {
    const left = Math.max(0, start + patience - now());
    seconds = Math.min(left, seconds);
    try {
      const asked = { ...body, wait_seconds: seconds };
      return read<T>(yield* ask({ method: "POST", path: LEASES, body: asked, patience: seconds }), "expires_at");
    } catch (error) {
      const isOver = now() >= start + patience;
      if (error instanceof NoFreeLine && isOver) throw nobodyLeft(error, patience, body.count);
      if (error instanceof NoFreeLine) {
        seconds = QUEUE_SECONDS;
        continue;
      }
      if (!isPassing(error) || !left) throw error; // the last look, which also a request that hung is followed by
      yield PAUSE_SECONDS;
    }
  }
}

function nobodyLeft({ message, details }: NoFreeLine, wait: number, count: unknown): NoFreeLine {
  const reason = details.reason ?? message;
  const what = count ? `No ${count} lines that would do` : "No line that would do";
  return new NoFreeLine(`${what} became free in ${wait} s: ${reason}. Wait longer (wait), or add lines.`, {
    reason,
    ...details,
  });
}

/** Leave the queue, and end the lease whose answer was lost, if the server can be told; else both end in time. */
function* giveUp(ticket: string): Conversation<void> {
  try {
    yield* ask({ method: "DELETE", path: LEASES, params: { ticket }, isGoodbye: true });
  } catch (error) {
    if (!(error instanceof SmsCatchError)) throw error; // why there is no lease matters more
  }
}

/** Ask for a lease by its id, to wait behind `after`. */
export function* leased(id: string, after?: string): Conversation<Lease> {
  checkTexts({ lease: id, after });
  return read<Lease>(yield* ask({ method: "GET", path: pathOf({ id }) }), "line");
}

/** Let a lease, or all of a group, last for `ttl` seconds from now. */
export function* extend<T extends Lease | LeaseGroup>(lease: T, ttl: number): Conversation<T> {
  checkTtl(ttl);
  const path = `${pathOf(lease)}/extend`;
  return read<T>(yield* ask({ method: "POST", path, body: { ttl_seconds: ttl } }), "expires_at");
}

/** End a lease, or all of a group; a server that is away for a moment is waited for: tests wait for the line. */
export function* release(lease: { id: string }): Conversation<void> {
  const deadline = now() + FAREWELL_SECONDS;
  for (;;) {
    try {
      yield* ask({ method: "DELETE", path: pathOf(lease), isGoodbye: true });
      return;
    } catch (error) {
      if (error instanceof UnknownLease) return; // it ended longer ago than the retention
      if (!isPassing(error) || now() >= deadline) throw error;
      yield PAUSE_SECONDS;
    }
  }
}

/** List what the line received since the lease began, oldest first, what came late too. */
export function* leaseMessages(lease: Lease): Conversation<Message[]> {
  const answer = yield* ask({ method: "GET", path: `${pathOf(lease)}/messages` });
  return read<{ messages: Message[] }>(answer, "messages").messages.reverse();
}

/** Reply from a leased line; sent twice, after a lost answer, it is one reply. */
export function* reply({ line }: Lease, text: string, { to, provider, url }: ReplyOptions): Conversation<Reply> {
  checkTexts({ text, to, provider, url });
  const body = { line, text, to, provider, url, id: makeTicket() };
  return read<Reply>(yield* ask({ method: "POST", path: "/api/v1/replies", body }), "id");
}

/** Return the address of a lease or a group. */
export function pathOf({ id }: { id: string }): string {
  return `${LEASES}/${encodeURIComponent(id)}`;
}

function makeTicket(): string {
  // Not randomUUID, which browsers have over HTTPS alone; nor is it a secret: it is good with our key only.
  return Array.from({ length: 4 }, () => Math.random().toString(36).slice(2, 10)).join("");
}

function ourName(): string {
  const { process } = globalThis as { process?: { pid?: number; env?: Record<string, string | undefined> } };
  return process?.pid ? `${process.env?.HOSTNAME ?? "node"} ${process.pid}` : "browser";
}
