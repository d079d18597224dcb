import assert from "node:assert/strict";
import { test } from "node:test";
import { addSmsCommands, smsTasks } from "smscatch/cypress";
import { withSmsLine } from "smscatch/testing";
import { deliver, newLine, sms } from "./around.mjs";

const line = await newLine();

test(
  "a test function has a line of its own, of which others are told who has it",
  withSmsLine(
    async (phone, t) => {
      await deliver(phone.number, "Your code is 482913");
      assert.equal(await phone.waitForCode(), "482913");
      const held = (await sms.leases()).find(({ id }) => id === phone.id);
      assert.deepEqual([held.line, held.holder], [line, t.name]);
    },
    { line },
  ),
);

test("the error of a test that fails says which texts came, and why they were not it", async () => {
  const failing = withSmsLine(
    async (phone, given) => {
      await deliver(phone.number, "Your parcel waits", "Post");
      await phone.waitForCode({ timeout: 0 }).catch(() => {});
      assert.equal(given, "a title");
    },
    { line, sms },
  );
  assert.equal(failing.length, 0);
  await assert.rejects(failing("no title"), (error) => {
    assert.ok(error instanceof assert.AssertionError);
    for (const told of [/'a title'/, /smscatch: No message matched in 0 s/, /received 1 text:\n.*"Your parcel waits"/]) {
      assert.match(error.message, told);
      assert.match(error.stack, told);
    }
    return true;
  });
  await sms.withLine({ line, wait: 0 }, () => {});
});

/** A Cypress of our own, since none runs here: commands and hooks are called one after the other. */
function pretendCypress(tasks) {
  const commands = {};
  const hooks = [];
  const timeouts = [];
  globalThis.Cypress = {
    Commands: { add: (name, run) => Object.assign(commands, { [name]: run }) },
    currentTest: { titlePath: ["the suite", "the test"] },
  };
  globalThis.afterEach = (run) => hooks.push(run);
  globalThis.cy = {
    task: (name, asked, { timeout }) => {
      timeouts.push(timeout);
      return tasks[name](JSON.parse(JSON.stringify(asked))); // what Cypress does with it on its way to Node
    },
  };
  return { commands, timeouts, end: (state) => Promise.all(hooks.map((run) => run.call({ currentTest: { state } }))) };
}

test("Cypress has a line for each test, waits longer for a task than the task waits, and prints what came", async (t) => {
  const printed = t.mock.method(console, "error", () => {});
  const cypress = pretendCypress(smsTasks(sms));
  addSmsCommands();
  const phone = await cypress.commands.smsLine({ line, wait: 90 });
  assert.equal(phone.number, line);
  await deliver(line, "Your code is 482913, or see https://app.example/");
  assert.equal(await cypress.commands.smsCode({ timeout: 30, codePattern: "is (\\d+)" }), "482913");
  await deliver(line, "https://app.example/ again");
  assert.equal(await cypress.commands.smsLink({ line: phone }), "https://app.example/");
  assert.deepEqual(cypress.timeouts, [110_000, 50_000, 80_000]);
  await assert.rejects(cypress.commands.smsMessage({ timeout: 0 }), /No message matched in 0 s/);
  await cypress.end("failed");
  const said = printed.mock.calls.map((call) => call.arguments[0]).join("\n");
  assert.match(said, /^smscatch:\nNo message matched .*\n\+44\d+ received 2 texts:\n/);
  await cypress.end("passed");
  assert.throws(() => cypress.commands.smsCode(), /Call cy\.smsLine\(\) first/);
  await sms.withLine({ line, wait: 0 }, () => {});
});
