// Tests that fail as they shall: what they say is looked at by tests/test_js.py.
import { test } from "smscatch/playwright";

test.use({ smsLabel: "apart", smsTtl: 600 }); // lines that no other texts come to

async function deliver(line, text, sender) {
  const answer = await fetch(`${process.env.SMSCATCH_URL}/api/v1/inbound/generic`, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.SMSCATCH_KEY}` },
    body: JSON.stringify({ line, sender, text }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

test("waits in vain", async ({ smsLine }) => {
  await deliver(smsLine.number, "Your parcel waits", "Post");
  await smsLine.waitForCode({ sender: "Authy", timeout: 0 });
});

test("is struck while it waits", async ({ smsLines }) => {
  const [alice, bob] = smsLines;
  await deliver(alice.number, "Your code is 482913", "Bank");
  test.setTimeout(1);
  await Promise.all([alice.waitForCode({ sender: "Authy", timeout: 3600 }), bob.waitForCode({ timeout: 3600 })]);
});

test("passes", async ({ smsLine, sms }) => {
  await deliver(smsLine.number, "Your code is 482913", "Authy");
  if ((await smsLine.waitForCode()) !== "482913" || !sms.url) throw new Error("wrong");
});
