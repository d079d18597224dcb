// Compiles only if all that the types of the package name is in those that openapi-typescript makes of the server's own
// description, of the same type. What the server says besides, a later version of the package may name.
import { type Lease, type LeaseGroup, type Line, type Message, SmsCatch } from "smscatch";
import { addSmsCommands, type SmsLine, smsTasks } from "smscatch/cypress";
import { withSmsLine } from "smscatch/testing";
import type { components } from "./schema.js";

type Schemas = components["schemas"];
type Both<A, B> = A extends B ? (B extends A ? true : false) : false;
/** Whether each field of ours is the server's, without being wider or narrower. */
type Fits<Theirs, Ours extends Partial<Record<keyof Theirs, unknown>>> = Both<Pick<Theirs, keyof Ours & keyof Theirs>, Ours>;

export const fits: [
  Fits<Schemas["Message"], Message>,
  Fits<Schemas["Lease"], Lease>,
  Fits<Schemas["LeaseGroup"], LeaseGroup>,
  Fits<Schemas["Line"], Omit<Line, "modem">>,
] = [true, true, true, true];

export async function use(): Promise<[string, string[]]> {
  const sms = new SmsCatch({ url: "http://127.0.0.1:7672", key: "key" });
  const phone = await sms.lease({ label: "eu", ttl: 120 });
  const [alice] = await sms.lease({ count: 2 });
  for await (const message of sms.events({ line: phone.number })) if (message.code) break;
  const code: string = await phone.waitForCode({ sender: "Authy", timeout: 60, codePattern: /\d+/ });
  // @ts-expect-error seconds are a number
  await phone.waitForLink({ timeout: "60" });
  // @ts-expect-error a misspelt option
  await phone.waitForCode({ timout: 60 });
  return [code, [alice?.number ?? "", ...(await phone.messages()).map(({ text }) => text)]];
}

export const helpers: [SmsLine | undefined, unknown, () => void, (context: { name: string }) => Promise<void>] = [
  undefined,
  smsTasks(),
  addSmsCommands,
  withSmsLine(async (phone, context: { name: string }) => [await phone.waitForCode(), context.name], { label: "eu" }),
];
