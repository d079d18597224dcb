/** Every error of the client: the server's sentence, a stable code, and what the server adds for programs. */

/** The root of all our errors; `message` says what happened, to what, and what to do. */
export class SmsCatchError extends Error {
  /** @internal */ override readonly name: string = "SmsCatchError";
  #code: string | undefined;
  /** JSON values for programs, such as `near_misses`, `holders` or `cursor`. */
  readonly details: Record<string, unknown>;

  constructor(message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.details = details;
  }

  /** The server's stable code of this error, which its name is made of: NoMessage is no_message. */
  get code(): string {
    return this.#code ?? this.name.replace(/\B[A-Z]/g, "_$&").toLowerCase();
  }

  /** @internal An error of a code that we do not know. */
  static of(code: string, message: string, details: Record<string, unknown>): SmsCatchError {
    const error = new SmsCatchError(message, details);
    error.#code = code;
    return error;
  }
}

/** An option or a parameter is not what the call takes. */
export class BadRequest extends SmsCatchError {
  /** @internal */ override readonly name: string = "BadRequest";
}

/** `after` is neither a cursor, a time nor an age. */
export class BadCursor extends BadRequest {
  /** @internal */ override readonly name: string = "BadCursor";
}

/** A timeout is out of range. */
export class BadTimeout extends BadRequest {
  /** @internal */ override readonly name: string = "BadTimeout";
}

/** No key, or one that is unknown, revoked or expired. */
export class Unauthorized extends SmsCatchError {
  /** @internal */ override readonly name: string = "Unauthorized";
}

/** Too many wrong keys come from this address. */
export class TooManyTries extends SmsCatchError {
  /** @internal */ override readonly name: string = "TooManyTries";
}

/** The key is good, but lacks the scope or the line. */
export class Forbidden extends SmsCatchError {
  /** @internal */ override readonly name: string = "Forbidden";
}

/** There is no such thing. */
export class NotFound extends SmsCatchError {
  /** @internal */ override readonly name: string = "NotFound";
}

/** No line has this number. */
export class UnknownLine extends NotFound {
  /** @internal */ override readonly name: string = "UnknownLine";
}

/** There is no such lease, or it ended long ago. */
export class UnknownLease extends NotFound {
  /** @internal */ override readonly name: string = "UnknownLease";
}

/** A wait ended and nothing had matched; the sentence says what came instead, and why that was not it. */
export class NoMessage extends NotFound {
  /** @internal */ override readonly name: string = "NoMessage";
}

/** All lines that would do are leased or rest; `details.holders` says who has them. */
export class NoFreeLine extends SmsCatchError {
  /** @internal */ override readonly name: string = "NoFreeLine";
}

/** The lease was released or has expired: nothing comes for it any more. */
export class LeaseEnded extends SmsCatchError {
  /** @internal */ override readonly name: string = "LeaseEnded";
}

/** The database cannot be reached; trying again later is right. */
export class StoreUnavailable extends SmsCatchError {
  /** @internal */ override readonly name: string = "StoreUnavailable";
}

/** The server is stopping; asking again finds the next one. */
export class ShuttingDown extends SmsCatchError {
  /** @internal */ override readonly name: string = "ShuttingDown";
}

/** The address or the key cannot be one, or is not set. */
export class BadSetting extends SmsCatchError {
  /** @internal */ override readonly name: string = "BadSetting";
}

/** The server does not answer. */
export class CannotReach extends SmsCatchError {
  /** @internal */ override readonly name: string = "CannotReach";
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
  const known = KINDS.map((kind) => new kind(message, details)).find((error) => error.code === code);
  return known ?? SmsCatchError.of(code, message, details);
}

/** Whether an error passes by itself: the server is away for a moment, and asking again is right. */
export function isPassing(error: unknown): boolean {
  return error instanceof CannotReach || error instanceof ShuttingDown || error instanceof StoreUnavailable;
}
