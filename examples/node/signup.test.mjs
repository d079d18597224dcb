// Sign up with a phone: Node's own test runner and fetch, no package needed. Run with: node --test examples/node
// Needs SMSCATCH_URL and SMSCATCH_KEY, and the app of examples/signup at APP_URL (http://127.0.0.1:5000 if not set).
import assert from "node:assert/strict";
import { test } from "node:test";

const { SMSCATCH_URL, SMSCATCH_KEY, APP_URL = "http://127.0.0.1:5000" } = process.env;

async function sms(method, path, body) {
  const answer = await fetch(`${SMSCATCH_URL}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${SMSCATCH_KEY}` },
    body: body && JSON.stringify(body),
  });
  // A refusal says why: which texts came instead, or who has the line.
  if (!answer.ok) throw new Error((await answer.json()).message);
  return answer;
}

/** A number that is this test's alone until it ends. */
async function leaseLine(t) {
  const answer = await sms("POST", "/leases", { holder: t.name, ttl_seconds: 120, wait_seconds: 60 });
  const { id, line } = await answer.json();
  t.after(() => sms("DELETE", `/leases/${id}`));
  return {
    number: line,
    waitForCode: async (sender) =>
      (await sms("GET", `/leases/${id}/code?timeout=60&sender=${encodeURIComponent(sender)}`)).text(),
  };
}

const submit = (path, fields) => fetch(APP_URL + path, { method: "POST", body: new URLSearchParams(fields) });

test("a new user signs up with a phone", async (t) => {
  const phone = await leaseLine(t);
  await submit("/sign-up", { phone: phone.number });
  const code = await phone.waitForCode("Example");
  const answer = await submit("/verify", { phone: phone.number, code });
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /Welcome/);
});
