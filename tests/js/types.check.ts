// Compiles only if the types of the package are those that openapi-typescript makes of the server's own description.
import { type Lease, type LeaseGroup, type Line, type Message, SmsCatch } from "smscatch";
import type { components } from "./schema.js";

type Schemas = components["schemas"];
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** The fields with their types, without what comments and nesting add. */
type Flat<T> = T extends (infer E)[] ? Flat<E>[] : T extends object ? { [K in keyof T]: Flat<T[K]> } : T;

export const same: [
  Same<Flat<Message>, Flat<Schemas["Message"]>>,
  Same<Flat<Lease>, Flat<Schemas["Lease"]>>,
  Same<Flat<LeaseGroup>, Flat<Schemas["LeaseGroup"]>>,
  Same<Omit<Flat<Line>, "modem">, Omit<Flat<Schemas["Line"]>, "modem">>,
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
