// Twilio's SDK for Node asks what a suite asks; what it is told is printed as JSON.
// usage: node twilio.mjs TOOLS URL KEY
import { createRequire } from "node:module";

const [tools, url, key] = process.argv.slice(2);
const twilio = createRequire(`${tools}/`)("twilio");
const [LINE, OTHER] = ["+447700900001", "+447700900002"];

function connect(token) {
  const client = twilio(`AC${"0".repeat(32)}`, token);
  client.api.baseUrl = url;
  return client;
}

async function refused(call) {
  try {
    return await call();
  } catch (error) {
    return [error.status, error.code];
  }
}

const client = connect(key);
const bodies = async (given) => (await client.messages.list(given)).map((message) => message.body);
const sent = await client.messages.create({ to: OTHER, from: "Acme", body: "caught" });
const [caught, came] = await client.messages.list({ limit: 2 });
const isDate = (value) => value instanceof Date && Math.abs(Date.now() - value) < 86_400_000;
const told = {
  directions: [caught.direction, came.direction, came.status],
  came: [came.body, came.from, came.to, came.numSegments, came.numMedia, came.errorCode],
  areDates: [came.dateCreated, came.dateSent, came.dateUpdated].every(isDate),
  isSent: caught.sid === sent.sid,
  fetched: (await client.messages(came.sid).fetch()).body,
  media: await client.messages(came.sid).media.list(),
  to: await bodies({ to: LINE }),
  from: await bodies({ from: "Bank" }),
  pages: await bodies({ to: LINE, pageSize: 1 }),
  since: await bodies({ to: LINE, dateSentAfter: new Date("2026-06-01T00:00:00Z") }),
  until: await bodies({ to: LINE, dateSentBefore: new Date("2026-06-01T00:00:00Z") }),
  day: await bodies({ to: LINE, dateSent: new Date("2026-01-02T00:00:00Z") }),
  deleted: await client.messages(came.sid).remove(),
  gone: await refused(() => client.messages(came.sid).fetch()),
  key: await refused(() => connect("wrong").messages.list()),
};
console.log(JSON.stringify(told));
