/** A real phone number for your tests: the client of a smscatch server. */
export type { LeasedLine, LeasedLines } from "./client.js";
export { SmsCatch } from "./client.js";
export {
  BadCursor,
  BadRequest,
  BadSetting,
  BadTimeout,
  CannotReach,
  Forbidden,
  LeaseEnded,
  NoFreeLine,
  NoMessage,
  NotFound,
  ShuttingDown,
  SmsCatchError,
  StoreUnavailable,
  TooManyTries,
  Unauthorized,
  UnknownLease,
  UnknownLine,
} from "./errors.js";
export type * from "./types.js";
