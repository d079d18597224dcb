// Reads a message and its code with the types that openapi-typescript makes of our description.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { env: Record<string, string | undefined> };

const { SMSCATCH_URL: baseUrl, SMSCATCH_KEY: key } = process.env;
const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });

const listed = await client.GET("/api/v1/messages", { params: { query: { limit: 1 } } });
const message: components["schemas"]["Message"] | undefined = listed.data?.messages[0];
const waited = await client.GET("/api/v1/code", {
  params: { query: { line: ["+447700900001"], after: "0", timeout: 60 } },
  parseAs: "text",
});
const code: string | undefined = waited.data;
console.log(JSON.stringify({ text: message?.text, sender: message?.sender, code }));
