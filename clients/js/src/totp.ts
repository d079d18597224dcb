/** One-time passwords of an authenticator app (TOTP), from the secret that an application shows. */
import { BadRequest } from "./errors.js";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648, 6
const MOST_DIGITS = 10;
const MOST_PERIOD = 3600;

/** What an authenticator app keeps of an account. */
export interface Totp {
  key: Uint8Array<ArrayBuffer>;
  hash: string;
  digits: number;
  period: number;
}

/** Return what a secret stands for: base32 in any case, with blanks, hyphens or padding; or an otpauth:// address. */
export function parseTotp(secret: string): Totp {
  const [, query] = /^\s*otpauth:\/\/totp\/.*?\?(.*)/i.exec(secret) ?? [];
  const given = new URLSearchParams(query ?? { secret });
  const plain = (given.get("secret") ?? "").replace(/[\s-]/g, "").replace(/=+$/, "").toUpperCase();
  const [, size] = /^SHA-?(1|256|512)$/i.exec(given.get("algorithm") ?? "SHA1") ?? [];
  const digits = Number(given.get("digits") ?? 6);
  const period = Number(given.get("period") ?? 30);
  const isGood = size && /^[A-Z2-7]+$/.test(plain) && isUpTo(digits, MOST_DIGITS) && isUpTo(period, MOST_PERIOD);
  // It is not repeated: it is a secret.
  if (!isGood) throw new BadRequest("This secret is neither base32 nor a good otpauth://totp/ address.");
  return { key: decode(plain), hash: `SHA-${size}`, digits, period };
}

/** Return the code at a time, in seconds since 1970 UTC: RFC 6238, and RFC 4226, 5.3. */
export async function codeOf({ key, hash, digits, period }: Totp, now: number): Promise<string> {
  // Node 18 has it in a module alone, whose name is put together, or a bundler for browsers would look for it.
  const { subtle } = globalThis.crypto ?? (await import(["node", "crypto"].join(":"))).webcrypto;
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(now / period)));
  const signer = await subtle.importKey("raw", key, { name: "HMAC", hash }, false, ["sign"]);
  const digest = new DataView(await subtle.sign("HMAC", signer, counter));
  const number = digest.getUint32(digest.getUint8(digest.byteLength - 1) & 15) & 0x7fffffff;
  return `${number % 10 ** digits}`.padStart(digits, "0");
}

function isUpTo(number: number, most: number): boolean {
  return Number.isInteger(number) && number > 0 && number <= most;
}

/** Return the bytes of base32; bits that fill no byte are dropped, as apps do. */
function decode(plain: string): Uint8Array<ArrayBuffer> {
  const bits = plain.replace(/./g, (each) => BASE32.indexOf(each).toString(2).padStart(5, "0"));
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}
