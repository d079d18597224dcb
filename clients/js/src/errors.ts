/** Every error of the client: the server's sentence, a stable code, and what the server adds for programs. */

/** The root of all our errors; `message` says what happened, to what, and what to do. */
export class SmsCatchError extends Error {
  override readonly name: string = "SmsCatchError";
  /** The server's stable code of this kind of error. */
  static readonly code: string = "internal_error";
  /** The stable code of this error. */
  readonly code: string;
  /** JSON values for programs, such as `near_misses`, `holders` or `cursor`. */
  readonly details: Record<string, unknown>;

  constructor(message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = new.target.code;
    this.details = details;
  }
}

/** An option or a parameter is not what the call takes. */
export class BadRequest extends SmsCatchError {
  override readonly name: string = "BadRequest";
  static override readonly code: string = "bad_request";
}

/** `after` is neither a cursor, a time nor an age. */
export class BadCursor extends BadRequest {
  override readonly name: string = "BadCursor";
  static override readonly code = "bad_cursor";
}

/** A timeout is out of range. */
export class BadTimeout extends BadRequest {
  override readonly name: string = "BadTimeout";
  static override readonly code = "bad_timeout";
}

/** No key, or one that is unknown, revoked or expired. */
export class Unauthorized extends SmsCatchError {
  override readonly name: string = "Unauthorized";
  static override readonly code = "unauthorized";
}

/** Too many wrong keys come from this address. */
export class TooManyTries extends SmsCatchError {
  override readonly name: string = "TooManyTries";
  static override readonly code = "too_many_tries";
}

/** The key is good, but lacks the scope or the line. */
export class Forbidden extends SmsCatchError {
  override readonly name: string = "Forbidden";
  static override readonly code = "forbidden";
}

/** There is no such thing. */
export class NotFound extends SmsCatchError {
  override readonly name: string = "NotFound";
  static override readonly code: string = "not_found";
}

/** No line has this number. */
export class UnknownLine extends NotFound {
  override readonly name: string = "UnknownLine";
  static override readonly code = "unknown_line";
}

/** There is no such lease, or it ended long ago. */
export class UnknownLease extends NotFound {
  override readonly name: string = "UnknownLease";
  static override readonly code = "unknown_lease";
}

/** A wait ended and nothing had matched; the sentence says what came instead, and why that was not it. */
export class NoMessage extends NotFound {
  override readonly name: string = "NoMessage";
  static override readonly code = "no_message";
}

/** All lines that would do are leased or rest; `details.holders` says who has them. */
export class NoFreeLine extends SmsCatchError {
  override readonly name: string = "NoFreeLine";
  static override readonly code = "no_free_line";
}

/** The lease was released or has expired: nothing comes for it any more. */
export class LeaseEnded extends SmsCatchError {
  override readonly name: string = "LeaseEnded";
  static override readonly code = "lease_ended";
}

/** The database cannot be reached; trying again later is right. */
export class StoreUnavailable extends SmsCatchError {
  override readonly name: string = "StoreUnavailable";
  static override readonly code = "store_unavailable";
}

/** The server is stopping; asking again finds the next one. */
export class ShuttingDown extends SmsCatchError {
  override readonly name: string = "ShuttingDown";
  static override readonly code = "shutting_down";
}

/** The address or the key cannot be one, or is not set. */
export class BadSetting extends SmsCatchError {
  override readonly name: string = "BadSetting";
  static override readonly code = "bad_setting";
}

/** The server does not answer. */
export class CannotReach extends SmsCatchError {
  override readonly name: string = "CannotReach";
  static override readonly code = "cannot_reach";
}

const KINDS: (typeof SmsCatchError)[] = [
  BadRequest,
  BadCursor,
  BadTimeout,
  Unauthorized,
  TooManyTries,
  Forbidden,
  NotFound,
  UnknownLine,
  UnknownLease,
  NoMessage,
  NoFreeLine,
  LeaseEnded,
  StoreUnavailable,
  ShuttingDown,
];

/** Return the error that the server named by its stable code; one of a code that we do not know keeps the code. */
export function errorOf(code: string, message: string, details: Record<string, unknown>): SmsCatchError {
  const kind = KINDS.find((each) => each.code === code);
  return kind ? new kind(message, details) : Object.assign(new SmsCatchError(message, details), { code });
}

/** Whether an error passes by itself: the server is away for a moment, and asking again is right. */
export function isPassing(error: unknown): boolean {
  return error instanceof CannotReach || error instanceof ShuttingDown || error instanceof StoreUnavailable;
}
