// Sign up in a real browser, with a real text on the way: what a Playwright test with smscatch looks like.
// Needs SMSCATCH_URL and SMSCATCH_KEY, and the app of examples/signup at APP_URL (http://127.0.0.1:5000 if not set).
import { expect, test } from "smscatch/playwright";

test("a new user signs up with a phone", async ({ page, smsLine }) => {
  await page.goto("/");
  await page.getByLabel("Phone").fill(smsLine.number);
  await page.getByRole("button", { name: "Continue" }).click();

  await page.getByLabel("Code").fill(await smsLine.waitForCode({ sender: "Example" }));
  await page.getByRole("button", { name: "Continue" }).click();

  await expect(page.getByRole("heading")).toHaveText("Welcome");
});

test("a guessed code lets nobody in", async ({ page, smsLine }) => {
  await page.goto("/");
  await page.getByLabel("Phone").fill(smsLine.number);
  await page.getByRole("button", { name: "Continue" }).click();

  const right = await smsLine.waitForCode({ sender: "Example" });
  await page.getByLabel("Code").fill(right === "000000" ? "000001" : "000000");
  await page.getByRole("button", { name: "Continue" }).click();

  await expect(page.getByRole("heading")).toHaveText("That is not the code");
});
