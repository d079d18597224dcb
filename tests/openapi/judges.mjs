// The services' own packages for Node judge requests: [{kind, body, headers, url, secret}] on stdin, [bool] on stdout.
import { createSecretKey } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { verifySignature } = require("@vonage/jwt");
const { verify } = require("messagebird/lib/webhook-signature-jwt");
const { Telnyx } = require("telnyx");

const JUDGES = {
  vonage: ({ headers, secret }) => verifySignature(headers.authorization.replace("Bearer ", ""), secret),
  telnyx: ({ body, headers, secret }) =>
    new Telnyx({ apiKey: "none", publicKey: secret }).webhooks.unwrap(body, { headers }),
  messagebird: ({ body, headers, url, secret }) =>
    verify(url, Buffer.from(body), headers["messagebird-signature-jwt"], createSecretKey(Buffer.from(secret))),
};

const judge = async (request) => {
  try {
    return Boolean(await JUDGES[request.kind](request));
  } catch {
    return false;
  }
};

const judged = [];
for (const request of JSON.parse(fs.readFileSync(0, "utf8"))) judged.push(await judge(request));
console.log(JSON.stringify(judged));
