// Many tests sign up with few lines, each with its own code, while texts come late and strangers send theirs.
import { expect, test } from "smscatch/playwright";

test.use({ smsLabel: "pool" });

async function app(path, params) {
  const answer = await fetch(`${process.env.APP_URL}${path}?${new URLSearchParams(params)}`);
  return answer.text();
}

for (let n = 0; n < Number(process.env.SIGN_UPS); n += 1) {
  test(`sign-up ${n}`, async ({ smsLine }) => {
    const token = await app("/sign-up", { number: smsLine.number });
    const code = await smsLine.waitForCode({ sender: process.env.SENDER, timeout: 600 });
    expect(await app("/verify", { token, code })).toBe("right");
  });
}
