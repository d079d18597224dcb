// Mailosaur's clients for Node and for Cypress ask what a suite asks; what they are told is printed as JSON.
// usage: node mailosaur.mjs TOOLS https://HOST/ KEY http://127.0.0.1:PORT/
import { createRequire } from "node:module";

const [tools, baseUrl, key, plainUrl] = process.argv.slice(2);
const require = createRequire(`${tools}/`);
const MailosaurClient = require("mailosaur");
const [LABEL, LINE, OTHER] = ["abcd1234", "+447700900001", "+447700900002"];
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const since = new Date("2026-01-01");

async function refused(call) {
  try {
    return await call;
  } catch (error) {
    return [error.errorType, error.httpStatusCode ?? 0];
  }
}

async function npm() {
  const { messages, devices } = new MailosaurClient(key, baseUrl);
  const wrong = new MailosaurClient("wrong", baseUrl);
  const texts = (found) => found.items.map((item) => item.summary);
  const search = async (criteria, options = {}) =>
    texts(await messages.search(LABEL, criteria, { receivedAfter: since, ...options }));
  const awaited = await messages.get(LABEL, { sentTo: LINE, body: "code" }, { timeout: 300_000 });
  const told = {
    awaited: [awaited.text.codes[0].value, awaited.text.links[0].href, awaited.from[0].phone, awaited.type],
    isDate: awaited.received instanceof Date && !Number.isNaN(awaited.received.getTime()),
    empty: [awaited.cc, awaited.attachments, awaited.html.links, awaited.metadata.headers],
    all: await search({ sentFrom: "447555111222", body: "one" }),
    any: await search({ sentTo: OTHER.slice(1), body: "one", match: "ANY" }),
    page: texts(await messages.list(LABEL, { page: 1, itemsPerPage: 2, receivedAfter: since })),
    later: await search({}, { receivedAfter: new Date(Date.now() + 60_000) }),
    line: texts(await messages.list(LINE)),
    vain: await refused(messages.get(LABEL, { body: "nothing like it" }, { timeout: 1 })),
    quiet: (await messages.search(LABEL, { body: "zzz" }, { timeout: 1, errorOnTimeout: false })).items,
    key: await refused(wrong.messages.list(LABEL)),
    server: await refused(messages.list("nosuch12")),
    items: await refused(messages.list(LABEL, { itemsPerPage: 5000 })),
    preview: await refused(messages.generatePreviews(awaited.id, { previews: [] })),
  };
  const phone = await devices.create({ name: "phone", sharedSecret: SECRET });
  told.devices = (await devices.list()).items.map(({ name }) => name);
  told.codes = [await devices.otp(phone.id), await devices.otp(SECRET)].map(({ code, expires }) => [
    /^\d{6}$/.test(code),
    expires instanceof Date,
  ]);
  await devices.del(phone.id);
  told.device = await refused(devices.otp(phone.id));
  await messages.del(awaited.id);
  return { ...told, gone: await refused(messages.getById(awaited.id)) };
}

// What the plugin needs of Cypress, over fetch; what Cypress's server makes of such a request was read, not run.
async function ask({ method, url, headers, body, json, qs }) {
  const given = Object.entries(qs ?? {}).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]) => [name, value.toJSON?.() ?? `${value}`]));
  const content = JSON.stringify(json ?? body);
  const sent = content === undefined ? {} : { "content-type": "application/json" };
  const answer = await fetch(`${url}${qs ? `?${query}` : ""}`, { method, headers: { ...headers, ...sent }, body: content });
  const text = await answer.text();
  return {
    status: answer.status,
    isOkStatusCode: answer.ok,
    headers: Object.fromEntries(answer.headers),
    body: text ? JSON.parse(text) : "",
  };
}

async function cypress() {
  const Commands = require("cypress-mailosaur/dist/mailosaurCommands.js").default;
  const commands = new Commands();
  const cy = {
    env: async () => ({ MAILOSAUR_API_KEY: key, MAILOSAUR_BASE_URL: plainUrl }),
    wrap: (value) => Promise.resolve(value),
    request: ask,
  };
  for (const name of Commands.cypressCommands) {
    cy[name] = (...given) => commands[name](...given);
  }
  globalThis.cy = cy;
  const timed = (promise) => Object.assign(promise, { timeout: () => promise });
  globalThis.Cypress = { Promise, backend: (_, options) => timed(ask(options)) };
  const found = await cy.mailosaurGetMessage(LABEL, { sentTo: OTHER }, { receivedAfter: since });
  const listed = await cy.mailosaurListMessages(LABEL);
  const vain = cy.mailosaurGetMessage(LABEL, { body: "nothing like it" }, { timeout: 1 });
  const told = {
    found: found.text.body,
    listed: listed.items.length,
    vain: await vain.catch((error) => error.message.slice(0, 34)),
    server: await cy.mailosaurListMessages("nosuch12").catch((error) => error.message),
  };
  const { id } = await cy.mailosaurCreateDevice({ name: "phone", sharedSecret: SECRET });
  told.code = (await cy.mailosaurGetDeviceOtp(id)).code.length;
  await cy.mailosaurDeleteDevice(id);
  told.devices = (await cy.mailosaurListDevices()).items;
  await cy.mailosaurDeleteAllMessages(LABEL);
  return { ...told, left: (await cy.mailosaurListMessages(LABEL)).items };
}

console.log(JSON.stringify({ npm: await npm(), cypress: await cypress() }));
