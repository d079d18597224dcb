/** What the server says, in its own words: a message, a line, a lease; and what one asks it for. */

/** A one-time code found in a text: its value, a score from 0 to 1, and the rule that found it. */
export interface Code {
  value: string;
  score: number;
  rule: string;
}

/** One SMS, all its parts joined. Times are ISO 8601 in UTC; `code` is the one to type, null if there is none. */
export interface Message {
  id: string;
  line: string;
  sender: string;
  text: string;
  code: string | null;
  codes: Code[];
  links: string[];
  bound_hosts: string[];
  received_at: string;
  sent_at: string | null;
  source: string;
  /** What an application sent through, if the text was caught from it. */
  provider: string | null;
  /** Of a reply, the application's number that it went to, and the id of the text that it answers. */
  to: string | null;
  answers: string | null;
  parts: number;
  complete: boolean;
  marks: string[];
  reader: string | null;
  lease: string | null;
  revision: number;
  first_cursor: string;
  cursor: string;
}

/** A line that is one holder's alone from `started_at` to `expires_at`. */
export interface Lease {
  id: string;
  line: string;
  label: string;
  holder: string;
  key: string;
  cursor: string;
  started_at: string;
  expires_at: string;
  rests_until: string;
  late_before: string;
  released_at: string | null;
  group: string | null;
}

/** Several lines that were leased at once. */
export interface LeaseGroup {
  id: string;
  holder: string;
  cursor: string;
  expires_at: string;
  leases: Lease[];
}

/** To whom a leased number replies, if not to the sender of the newest text caught for it. */
export interface ReplyOptions {
  to?: string;
  provider?: string;
  /** Where the application takes it, if no setting says so. */
  url?: string;
}

/** What a leased number replied; `url` is where the application is told, null if nowhere. */
export interface Reply {
  id: string;
  line: string;
  to: string;
  text: string;
  provider: string;
  answers: string | null;
  url: string | null;
  opted_out: boolean;
  public_key: string | null;
}

/** One of our numbers; `modem` says how its modem is, null if smscatch reads none for it. */
export interface Diagnosis {
  check: string;
  verdict: "ok" | "note" | "wrong";
  sentence: string;
  /** A command to be typed, or what to do in words. */
  remedy: string | null;
}

export interface Line {
  number: string;
  label: string;
  unconfigured: boolean;
  device: string | null;
  phone_id: string | null;
  messages: number;
  last_received_at: string | null;
  modem: Record<string, unknown> | null;
  lease: Lease | null;
  /** What is right and wrong with it, in words. */
  checks: Diagnosis[];
}

/** Which texts are meant: from `sender`, with `contains` in the text, behind `after`: a cursor, a time or an age. */
export interface TextFilters {
  sender?: string | null | undefined;
  contains?: string | null | undefined;
  after?: string | null | undefined;
}

/** The same, to our number `line`. */
export interface Filters extends TextFilters {
  line?: string | null | undefined;
}

/** How a wait goes. */
export interface Patience {
  /** Seconds to wait at most; 60 if not given, Infinity for ever. */
  timeout?: number | undefined;
  /** Return the newest match instead of the oldest, once nothing came for `quiet` seconds (3 if not given). */
  newest?: boolean | undefined;
  quiet?: number | undefined;
  /** Ends the wait early; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What a wait on a leased line takes. */
export type LeasedOptions = TextFilters & Patience;

/** What codes look like whose sender has a form of its own: the first group that matched is the code, else all. */
export interface CodePattern {
  codePattern?: RegExp | string | undefined;
}

/** Which link of a text is meant, if not the first. */
export interface LinkPattern {
  linkPattern?: RegExp | string | undefined;
}

/** Which line is wanted: `line`, or any with the `label`, or any; for `ttl` seconds at most. */
export interface LeaseOptions {
  line?: string | undefined;
  label?: string | undefined;
  /** What others are told who wait for the line: the name of the test, say. */
  holder?: string | undefined;
  /** Seconds after which the lease ends by itself; 120 if not given. */
  ttl?: number | undefined;
  /** Seconds to wait for a free line; 60 if not given. */
  wait?: number | undefined;
  /** Leaves the queue early; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Where the server is and who we are; what is not given comes from SMSCATCH_URL and SMSCATCH_KEY. */
export interface SmsCatchOptions {
  url?: string | undefined;
  key?: string | undefined;
  /** What to send with instead of the global `fetch`: through a proxy, say. */
  fetch?: typeof fetch | undefined;
}

/** What is said of a line whose test failed: why waits were in vain, empty if none was; and the texts that came. */
export interface Report {
  why: string;
  texts: string;
}
