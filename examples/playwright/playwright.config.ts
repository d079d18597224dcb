import { defineConfig } from "@playwright/test";

export default defineConfig({
  fullyParallel: true,
  workers: 2,
  timeout: 300_000, // milliseconds, as all of Playwright, and enough for a slow machine
  expect: { timeout: 60_000 },
  use: {
    baseURL: process.env.APP_URL ?? "http://127.0.0.1:5000",
    // Debian's Chromium, or another; leave this out to take the one that `npx playwright install` got. As root there is
    // no sandbox.
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
  },
});
