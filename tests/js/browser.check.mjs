// The client in a browser: a page of the server's own origin loads it as a module. Run by tests/test_js.py beside the example.
import { expect, test } from "@playwright/test";

const { SMSCATCH_URL: url, SMSCATCH_KEY: key } = process.env;

test("the client leases, waits, follows and releases with a browser's fetch", async ({ page }) => {
  await page.route("**/browser/*", (route) => {
    const isPage = route.request().url().endsWith("/page");
    return route.fulfill(
      isPage ? { contentType: "text/html", body: "<!doctype html>" } : { path: "../node_modules/smscatch/dist/esm/index.js" },
    );
  });
  await page.goto(`${url}/browser/page`);
  const told = await page.evaluate(
    async ([url, key]) => {
      const { SmsCatch, NoMessage } = await import("/browser/client.js");
      const sms = new SmsCatch(url, key);
      return sms.withLine({}, async (phone) => {
        const events = sms.events({ line: phone.number, after: await sms.mark() });
        const body = JSON.stringify({ line: phone.number, sender: "Authy", text: "Your code is 482913" });
        const waiting = phone.waitForCode();
        await fetch("/api/v1/inbound/generic", { method: "POST", headers: { authorization: `Bearer ${key}` }, body });
        const code = await waiting;
        const { value } = await events.next();
        await events.return();
        const why = await phone.waitForCode({ timeout: 0 }).catch((error) => error instanceof NoMessage);
        const totp = await sms.totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        return [code, value.text, why, /^\d{6}$/.test(totp)];
      });
    },
    [url, key],
  );
  expect(told).toEqual(["482913", "Your code is 482913", true, true]);
});
