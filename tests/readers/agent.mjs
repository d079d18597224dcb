// An agent's client from npm calls our tools, over HTTP and over stdio; prints what it is told, as JSON.
// usage: node agent.mjs PACKAGES 1|2 COMMAND ARGUMENT…, with SMSCATCH_URL and SMSCATCH_KEY
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [packages, line, command, ...args] = process.argv.slice(2);
const { SMSCATCH_URL, SMSCATCH_KEY, PATH } = process.env;
const require = createRequire(packages);
// The successor of sdk 1.x is split: what speaks with a server is in client 2.x.
const parts =
  line === "1"
    ? ["sdk/client/index.js", "sdk/client/stdio.js", "sdk/client/streamableHttp.js"]
    : ["client", "client/stdio", "client"];
const [{ Client }, { StdioClientTransport }, { StreamableHTTPClientTransport }] = parts.map((part) =>
  require(`@modelcontextprotocol/${part}`),
);

function overHttp(key) {
  return new StreamableHTTPClientTransport(new URL(`${SMSCATCH_URL}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
}

async function connected(transport, use) {
  const client = new Client({ name: "agent", version: "1" });
  await client.connect(transport);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function call(client, name, asked = {}, options = {}) {
  const params = { name, arguments: asked };
  // The older one has the schema of the answer as its second argument.
  const answer = await (line === "1" ? client.callTool(params, undefined, options) : client.callTool(params, options));
  const { text } = answer.content[0];
  if (answer.isError) return text;
  assert.deepEqual(JSON.parse(text), answer.structuredContent);
  return answer.structuredContent;
}

async function talk(client, isQuiet) {
  const { tools } = await client.listTools();
  const { lease, number } = await call(client, "lease_line", { label: "apart" });
  const vain = await call(client, "wait_for_code", { lease, timeout_seconds: 0 });
  const after = /after="(\d+)"/.exec(vain)[1];
  const wanted = () => console.log(lease); // who started this has a text come to it
  let heard = 0;
  if (isQuiet) wanted();
  // Over stdio nobody hears of progress in the first 5 s.
  const hear = () => ++heard === 1 && wanted();
  const found = await call(client, "wait_for_code", { lease, after }, isQuiet ? {} : { onprogress: hear });
  await call(client, "release", { lease });
  const wrong = await call(client, "release", { lease: "none" });
  return { tools: tools.map(({ name }) => name), number, vain, code: found.code, from: found.message.sender, wrong };
}

const http = await connected(overHttp(SMSCATCH_KEY), (client) => talk(client, false));
const env = { PATH, SMSCATCH_URL, SMSCATCH_KEY };
const stdio = await connected(new StdioClientTransport({ command, args, env }), (client) => talk(client, true));
const refused = await connected(overHttp("wrong"), () => "let in").catch((error) => error.message);
console.log(JSON.stringify({ http, stdio, refused }));
